"""When the compiled loops are used, when they are compiled, and that nothing breaks where they are not."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from indexer.native import library
from indexer.native.build import NativeBuild, compile_loops


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A checkout's root with the C files alone."""
    folder = tmp_path / "indexer" / "native"
    folder.mkdir(parents=True)
    for path in library.sources():
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for a C compiler: writes what it was told, and how often, where its output belongs."""
    script = tmp_path / "compiler"
    script.write_text(
        f"#!{sys.executable}\n"
        "import sys, pathlib\n"
        "pathlib.Path(sys.argv[sys.argv.index('-o') + 1]).write_text('\\n'.join(sys.argv[1:]))\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("CC", str(script))
    return script


def build(sources: Path, version: str, monkeypatch: pytest.MonkeyPatch, asked: str | None) -> dict[str, Any]:
    """What the hook asks of hatchling."""
    if asked is None:
        monkeypatch.delenv("INDEXER_NATIVE", raising=False)
    else:
        monkeypatch.setenv("INDEXER_NATIVE", asked)
    hook = NativeBuild(str(sources.parents[1]), {}, None, None, "", "wheel")  # type: ignore[arg-type]  # unused ones
    data: dict[str, Any] = {"artifacts": [], "pure_python": True}
    hook.initialize(version, data)
    return data


def test_the_loops_that_are_there_are_those_of_the_source() -> None:
    found = library.loops()
    assert library.LIBRARY.exists() == (found is not None) or os.environ.get(library.SWITCH) == "0"
    if found is not None:
        assert found.indexer_source() == library.digest().encode()


def test_they_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(library.SWITCH, "0")
    assert library.loops.__wrapped__() is None


def test_a_big_endian_machine_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(library.SWITCH, raising=False)
    monkeypatch.setattr(sys, "byteorder", "big")
    assert library.loops.__wrapped__() is None


def test_without_a_library_numpy_has_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "LIBRARY", tmp_path / "loops.so")
    assert library.loops.__wrapped__() is None


def test_what_is_no_library_is_told_and_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "loops.so"
    broken.write_bytes(b"\x7fELF and no more")
    monkeypatch.setattr(library, "LIBRARY", broken)
    monkeypatch.delenv(library.SWITCH, raising=False)
    with capture_logs() as lines:
        assert library.loops.__wrapped__() is None
    assert [line["event"] for line in lines] == ["compiled loops do not load"]


def test_loops_of_another_source_are_told_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "digest", lambda: "0" * 16)
    monkeypatch.delenv(library.SWITCH, raising=False)
    with capture_logs() as lines:
        assert library.loops.__wrapped__() is None
    assert len(lines) == library.LIBRARY.exists()


def test_an_editable_installation_compiles_in_place(
    sources: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = build(sources, "editable", monkeypatch, None)
    told = (sources / "loops.so").read_text().splitlines()
    assert compiler.exists()
    assert f'-DINDEXER_SOURCE="{library.digest()}"' in told
    assert {Path(one).name for one in told if one.endswith(".c")} == {
        path.name for path in library.sources() if path.suffix == ".c"
    }
    assert data == {"artifacts": [], "pure_python": True}


def test_a_wheel_is_the_same_for_all_machines_unless_asked(
    sources: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compiler.exists()
    assert build(sources, "standard", monkeypatch, None) == {"artifacts": [], "pure_python": True}
    assert not (sources / "loops.so").exists()
    asked = build(sources, "standard", monkeypatch, "1")
    assert asked["artifacts"] == ["indexer/native/loops.so"]
    assert asked["tag"].startswith("py3-none-")
    assert asked["pure_python"] is False


def test_nothing_is_compiled_where_that_is_not_wanted(
    sources: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compiler.exists()
    build(sources, "editable", monkeypatch, "0")
    assert not (sources / "loops.so").exists()


@pytest.mark.parametrize(
    ("compiler_name", "problem"),
    [("no-such-compiler", "there is no C compiler"), ("false", "compiler fails")],
)
def test_without_a_compiler_it_is_installed_all_the_same(
    compiler_name: str,
    problem: str,
    sources: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CC", compiler_name)
    assert problem in str(compile_loops(sources))
    build(sources, "editable", monkeypatch, None)
    assert "numpy does without" in capfd.readouterr().err
    assert not (sources / "loops.so").exists()
    with pytest.raises(RuntimeError, match="compiler"):
        build(sources, "standard", monkeypatch, "1")
