"""A built wheel in an empty virtual environment works like the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from indexer import __version__

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")


def _run(
    *command: str | Path, cwd: Path, env: dict[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


def _build(source: Path, into: Path, *kinds: str) -> None:
    # The build backend is in the lock, so nothing is fetched to build.
    _run(
        UV,
        "build",
        *kinds,
        "--no-build-isolation",
        "--python",
        sys.executable,
        "--out-dir",
        into,
        source,
        cwd=into,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _build(ROOT, folder, "--wheel")
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an empty virtual environment that got the locked packages and the wheel, nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    _run(sys.executable, "-m", "venv", "venv", cwd=folder)
    python = folder / "venv/bin/python"
    lock = ROOT / "requirements/runtime.lock"
    try:
        _run(
            UV,
            "pip",
            "install",
            "--system-certs",
            "--python",
            python,
            "--require-hashes",
            "-r",
            lock,
            cwd=folder,
        )
    except (
        AssertionError
    ):  # uv knows no pip.conf; where packages come from there, pip does it (as in the Makefile)
        _run(python, "-m", "pip", "install", "--require-hashes", "--prefer-binary", "-r", lock, cwd=folder)
    _run(python, "-m", "pip", "install", "--no-deps", wheel, cwd=folder)
    return folder / "venv/bin"


@pytest.fixture
def elsewhere(installed: Path, tmp_path: Path) -> dict[str, str]:
    """An environment that knows nothing of the checkout or of a configuration."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("INDEXER", "PYTHON", "VIRTUAL"))
    }
    return {**kept, "PATH": f"{installed}{os.pathsep}{os.environ['PATH']}"}


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _tracked(folder: str) -> set[str]:
    files = _run("git", "ls-files", "-z", folder, cwd=ROOT).stdout.split("\0")
    return {name for name in files if name and (ROOT / name).is_file()}


def test_the_wheel_has_every_file_of_abi_and_schema_inside_the_package(wheel: Path) -> None:
    names = _names(wheel)
    for folder in ("abi", "schema"):
        tracked = _tracked(folder)
        assert tracked
        assert {f"indexer/{name}" for name in tracked} <= names
    assert {name.split("/")[0] for name in names} == {"indexer", f"gemforce_indexer-{__version__}.dist-info"}


def test_the_wheel_has_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    tracked = _tracked("indexer")
    assert tracked <= _names(wheel)
    assert not [name for name in _names(wheel) if name.endswith(".pyc") or "__pycache__" in name]


def test_an_sdist_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    _build(ROOT, tmp_path, "--sdist", "--wheel")
    (again,) = tmp_path.glob("*.whl")
    (sdist,) = tmp_path.glob("*.tar.gz")
    rebuilt = tmp_path / "from-sdist"
    rebuilt.mkdir()
    _build(sdist, rebuilt, "--wheel")
    (from_sdist,) = rebuilt.glob("*.whl")
    assert _names(from_sdist) == _names(again) == _names(wheel)


def test_the_command_is_there_and_helps(installed: Path, elsewhere: dict[str, str], tmp_path: Path) -> None:
    told = _run(installed / "indexer", "--help", cwd=tmp_path, env=elsewhere).stdout
    assert all(command in told for command in ("init", "check", "run", "status", "demo"))
    module = _run(installed / "python", "-m", "indexer", "--help", cwd=tmp_path, env=elsewhere).stdout
    assert all(command in module for command in ("init", "check", "run", "status", "demo"))


def test_it_runs_from_the_wheel_and_finds_its_files_there(
    installed: Path, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    code = (
        "import json; from indexer.resources import ABI_DIR, SCHEMA_DIR;"
        "print(json.dumps([str(ABI_DIR), str(SCHEMA_DIR),"
        " len(list(ABI_DIR.rglob('*.json'))), len(list(SCHEMA_DIR.rglob('*.sql')))]))"
    )
    told = json.loads(_run(installed / "python", "-c", code, cwd=tmp_path, env=elsewhere).stdout)
    abi_dir, schema_dir, abis, statements = told
    assert Path(abi_dir).is_relative_to(installed.parent)
    assert Path(schema_dir).is_relative_to(installed.parent)
    assert (abis, statements) == (
        len(list((ROOT / "abi").rglob("*.json"))),
        len(list((ROOT / "schema").rglob("*.sql"))),
    )
    assert abis > 30
    assert statements > 5


def test_the_catalogue_is_the_checkouts(installed: Path, elsewhere: dict[str, str], tmp_path: Path) -> None:
    command = ["abi", "list", "--json"]
    from_wheel = _run(installed / "indexer", *command, cwd=tmp_path, env=elsewhere).stdout
    here = Path(sys.executable).with_name("indexer")
    assert json.loads(from_wheel) == json.loads(_run(here, *command, cwd=tmp_path, env=elsewhere).stdout)
    assert "erc20_transfer" in from_wheel


def test_the_project_has_one_version(wheel: Path) -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__
    assert wheel.name == f"gemforce_indexer-{__version__}-py3-none-any.whl"
