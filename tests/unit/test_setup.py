"""What `make setup` does before there is a virtual environment: it finds a Python, or says what is missing."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "requirements/find-python"


def _python(folder: Path, name: str, minor: int, *, ensurepip: bool = True) -> Path:
    """A stand-in that answers the script's two questions as a Python 3.minor would."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(
        "#!/bin/sh\n"
        f'case "$2" in *version_info*) echo {minor} ;; *ensurepip*) exit {0 if ensurepip else 1} ;; esac\n'
    )
    path.chmod(0o755)
    return path


def _find(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_python3_in_use_is_preferred(tmp_path: Path) -> None:
    python = _python(tmp_path / "bin", "python3", 12)
    _python(tmp_path / "bin", "python3.14", 14)
    assert _find(tmp_path / "bin").stdout.strip() == str(python)


def test_another_one_is_taken_where_python3_is_too_old_too_new_or_incomplete(tmp_path: Path) -> None:
    for minor, ensurepip in ((9, True), (15, True), (12, False)):
        folder = tmp_path / f"bin{minor}"
        _python(folder, "python3", minor, ensurepip=ensurepip)
        python = _python(folder, "python3.11", 11)
        assert _find(folder).stdout.strip() == str(python)


def test_a_python_named_by_the_caller_wins(tmp_path: Path) -> None:
    _python(tmp_path / "bin", "python3", 12)
    python = _python(tmp_path / "other", "mine", 13)
    assert _find(tmp_path / "bin", PYTHON=str(python)).stdout.strip() == str(python)


def test_too_old_says_what_was_found_and_what_is_needed(tmp_path: Path) -> None:
    _python(tmp_path / "bin", "python3", 9)
    result = _find(tmp_path / "bin")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "3.11 to 3.14" in result.stderr
    assert "python3 (3.9)" in result.stderr


def test_no_ensurepip_names_the_package_that_has_it(tmp_path: Path) -> None:
    _python(tmp_path / "bin", "python3", 11, ensurepip=False)
    result = _find(tmp_path / "bin")
    assert result.returncode == 1
    assert "apt-get install python3-venv" in result.stderr


def test_none_at_all_is_said_too(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    result = _find(tmp_path / "bin")
    assert result.returncode == 1
    assert "Found none of: python3 " in result.stderr


def test_every_make_target_has_a_line_in_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = [line for line in makefile.splitlines() if line.startswith(".PHONY:")]
    # Below another make it would say which folder it enters.
    command = ["make", "--no-print-directory", "help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    assert {line.split()[1] for line in result.stdout.splitlines()} == set(phony.split()[1:])
