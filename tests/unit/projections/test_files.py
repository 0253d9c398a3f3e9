"""Projection files are checked when they are loaded, and every finding names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.errors import ConfigError
from indexer.projections.files import load_projections, split_statements

GOOD = """-- projection: {name}
-- tables: state.{name}
-- reads: event.said
INSERT INTO state.{name} SELECT * FROM event.said WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3;
"""


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.sql").write_text(text.format(name=name))
    return folder


def problems(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_projections([folder])
    return str(caught.value)


def test_the_built_in_files_are_in_order():
    names = [one.name for one in load_projections()]
    assert {
        "erc20_balance",
        "erc20_supply",
        "nft",
        "erc1155_balance",
        "diamond",
        "diamond_selector",
        "diamond_cut",
    } <= set(names)
    assert len(set(names)) == len(names)


def test_a_file_is_read_as_it_says(tmp_path):
    (one,) = load_projections([write(tmp_path, one=GOOD)])
    assert (one.name, one.tables, one.reads, one.after) == ("one", ("state.one",), ("event.said",), ())
    assert one.triggers == ("event.said",)
    assert one.written_elsewhere("pg_temp")[0].startswith("INSERT INTO pg_temp.one SELECT")


def test_tables_that_are_only_looked_up_beside_others_give_nothing_to_do(tmp_path):
    text = GOOD.replace("event.said\n", "event.said, event.also\n-- beside: event.also\n", 1).replace(
        "event.said WHERE", "event.said, event.also WHERE"
    )
    (one,) = load_projections([write(tmp_path, one=text)])
    assert (one.reads, one.triggers) == (("event.said", "event.also"), ("event.said",))


def test_another_text_is_another_version(tmp_path):
    (before,) = load_projections([write(tmp_path, one=GOOD)])
    (after,) = load_projections([write(tmp_path, one=GOOD + "-- a comment\n")])
    assert before.digest != after.digest


def test_order_follows_after(tmp_path):
    first = GOOD.replace("-- reads: event.said", "-- reads: event.said, state.zz\n-- after: zz").replace(
        "event.said WHERE", "event.said, state.zz WHERE"
    )
    assert [one.name for one in load_projections([write(tmp_path, aa=first, zz=GOOD)])] == ["zz", "aa"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("-- projection: {name}", "-- projection: other"), "has to begin with `-- projection: one`"),
        (("-- tables: state.{name}\n", ""), "has to say in `-- tables:`"),
        (("$3", "9"), r"statement 1 does not use $3"),
        (("BETWEEN $2 AND $3", "= '$2' AND 1 < $3"), "statement 1 does not use $2"),
        (("INSERT INTO state.{name}", "INSERT INTO state.other"), "writes state.other, which `-- tables:` does not name"),
        (("-- tables: state.{name}", "-- tables: state.{name}, state.more"), "names state.more in `-- tables:` and does not write it"),
        (("-- reads: event.said", "-- reads: event.unsaid"), "reads event.said, which `-- reads:` does not name"),
        (("-- reads: event.said", "-- reads: event.said, event.more"), "names event.more in `-- reads:` and does not read it"),
        (("-- reads: event.said", "-- reads: event.said\n-- beside: event.more"), "names event.more in `-- beside:` and not in `-- reads:`"),
        (("state.{name}", "sync.chain"), "may write tables of schema state only"),
        (("-- reads: event.said", "-- reads: event.said\n-- after: nobody"), "names nobody, which is no projection"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path, change, said):
    found = problems(write(tmp_path, one=GOOD.replace(*change)))
    assert "one.sql: " in found
    assert said in found


def test_a_file_without_statements_is_refused(tmp_path):
    assert "one.sql: has no statement" in problems(
        write(tmp_path, one="-- projection: one\n-- tables: state.one\n")
    )


def test_two_files_that_write_one_table_are_refused(tmp_path):
    two = GOOD.replace("state.{name}", "state.one")
    assert "two.sql: state.one is written by one.sql already" in problems(write(tmp_path, one=GOOD, two=two))


def test_reading_the_table_of_another_projection_needs_an_order(tmp_path):
    two = GOOD.replace("event.said", "state.one")
    assert "two.sql: reads state.one, so `-- after:` has to name one" in problems(
        write(tmp_path, one=GOOD, two=two)
    )


def test_a_circle_is_refused(tmp_path):
    def after(name):
        return GOOD.replace("-- reads:", f"-- after: {name}\n-- reads:")

    assert "in a circle" in problems(write(tmp_path, one=after("two"), two=after("one")))


def test_statements_end_at_semicolons_that_are_not_quoted():
    text = """-- a; b
    SELECT 'a;''b', $$;$$, $x$ ; $$ ; $x$, "c;d" /* ; */ - 1;
    SELECT 2; -- the end;
    """
    first, second = split_statements(text)
    assert first == """SELECT 'a;''b', $$;$$, $x$ ; $$ ; $x$, "c;d"  - 1"""
    assert second == "SELECT 2"


def test_hashed_columns_are_of_tables_that_are_read(tmp_path: Path):
    header = "-- reads: event.said\n-- hashes: event.said.text, event.other.text"
    found = problems(write(tmp_path, one=GOOD.replace("-- reads: event.said", header)))
    assert "one.sql: names event.other.text in `-- hashes:`, whose table `-- reads:` does not name" in found
    assert "event.said.text" not in found
