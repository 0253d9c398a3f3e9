"""No projection escapes the law: every file is folded by one of its tests, every table gets rows in one."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from projection_law import LONG, SHORT, Law

from indexer.projections.files import PROJECTIONS_DIR, load_projections


def modules():
    """The modules of the law's tests, by name."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("test_*law.py")):
        spec = importlib.util.spec_from_file_location(f"held_{path.stem}", path)
        found[path.stem] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found[path.stem])
    return found


def laws() -> list[Law]:
    return [module.LAW for module in modules().values()]


def escaping(folder: Path) -> set[str]:
    """The projection files of a folder that no test of the law folds."""
    return {path.stem for path in folder.glob("*.sql")} - {name for law in laws() for name in law.names}


def test_every_projection_file_is_held_to_the_law() -> None:
    assert escaping(PROJECTIONS_DIR) == set()


def test_a_new_projection_that_nobody_holds_to_the_law_is_noticed(tmp_path: Path) -> None:
    folder = shutil.copytree(PROJECTIONS_DIR, tmp_path / "projections")
    text = (folder / "erc20_supply.sql").read_text("utf-8").replace("erc20_supply", "erc20_minted")
    (folder / "erc20_minted.sql").write_text(text, "utf-8")
    assert escaping(folder) == {"erc20_minted"}


def test_a_law_folds_the_files_that_it_names() -> None:
    for law in laws():
        assert {one.name for one in law.projections().all} == law.names


def test_every_table_of_a_projection_gets_rows_in_a_law() -> None:
    wanted = {table for one in load_projections() for table in one.tables}
    assert wanted - {table for law in laws() for table in law.tables} == set()


def test_each_law_is_played_for_a_thousand_histories_and_for_twenty_thousand() -> None:
    assert [sum(map(len, slices)) for slices in (SHORT, LONG)] == [1000, 20_000]
    for name, module in modules().items():
        tests = {key: test for key, test in vars(module).items() if key.startswith("test_")}
        played = {
            tuple(mark.args[1])
            for test in tests.values()
            for mark in test.pytestmark
            if mark.name == "parametrize"
        }
        assert played == {tuple(SHORT), tuple(LONG)}, name
