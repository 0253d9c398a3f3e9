"""Every layer imports only from layers below it, and the check would see one that does not."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")
CONFIG = (ROOT / "pyproject.toml").read_text()
CONTRACTS = CONFIG[CONFIG.index("[tool.importlinter]") :]


def _layered() -> list[str]:
    (layers,) = [
        c["layers"] for c in tomllib.loads(CONTRACTS)["tool"]["importlinter"]["contracts"] if "layers" in c
    ]
    return re.findall(r"indexer\.(\w+)", " ".join(layers))


def _lint(folder: Path, config: str) -> subprocess.CompletedProcess[str]:
    command = [str(LINTER), "--config", config, "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_no_import_goes_up_or_sideways() -> None:
    result = _lint(ROOT, "pyproject.toml")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_every_module_has_its_layer() -> None:
    present = {path.stem for path in (ROOT / "indexer").glob("*.py") if not path.stem.startswith("_")}
    present |= {path.parent.name for path in (ROOT / "indexer").glob("*/__init__.py")}
    assert present - {"testing"} == set(_layered())


@pytest.mark.parametrize(
    ("lower", "upper", "code"),
    [("store", "sync", 1), ("sync", "store", 0), ("rpc", "store", 1), ("sync", "testing", 1)],
)
def test_the_check_sees_a_wrong_import(tmp_path: Path, lower: str, upper: str, code: int) -> None:
    # The project's own contracts, over a package that has its layers and one import.
    (tmp_path / "pyproject.toml").write_text(CONTRACTS)
    for folder in ["", "testing", *_layered()]:
        (tmp_path / "indexer" / folder).mkdir(parents=True)
        (tmp_path / "indexer" / folder / "__init__.py").write_text("")
    (tmp_path / "indexer" / lower / "__init__.py").write_text(f"import indexer.{upper}\n")
    result = _lint(tmp_path, "pyproject.toml")
    assert result.returncode == code, result.stdout + result.stderr
