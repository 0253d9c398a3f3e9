"""schema/DICTIONARY.md is what ``indexer db dictionary`` prints of a database with the built-in event tables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer.resources import SCHEMA_DIR
from indexer.store.connect import connect
from indexer.store.dictionary import dictionary, examples_markdown, read_examples

COPY = SCHEMA_DIR / "DICTIONARY.md"
BEGIN, END = "<!-- begin examples -->\n", "<!-- end examples -->\n"


@pytest.fixture
async def reader(views_url):
    made = await connect(views_url)
    yield made
    await made.close()


async def test_the_copy_is_what_the_database_says(reader):
    fresh = await dictionary(reader)
    if os.environ.get("UPDATE_SCHEMA_README"):
        COPY.write_text(fresh, "utf-8")
    assert COPY.read_text("utf-8") == fresh, "run it again with UPDATE_SCHEMA_README=1"


async def test_every_relation_and_column_is_in_it(reader):
    text = await dictionary(reader)
    for row in await reader.fetch(
        """SELECT format('%s.%I', class.relnamespace::regnamespace, class.relname) AS name, attribute.attname AS column
           FROM pg_class AS class JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
           WHERE class.relnamespace = ANY ('{event,state,analytics,parity,sync}'::regnamespace[])
             AND class.relkind IN ('r', 'v') AND attribute.attnum > 0 AND NOT attribute.attisdropped"""
    ):
        part = text.partition(f"### `{row['name']}`\n")[2].partition("\n### ")[0]
        assert f"`{row['column']}`" in part, row
    assert "Source event: `Transfer(address,address,uint256)` of `erc20`." in text
    assert "| |\n|" not in text.replace("| column | type | |\n|---|---|---|\n", "").replace(
        "| function | returns | |\n|---|---|---|\n", ""
    )


def test_the_readme_has_the_examples():
    readme = Path(__file__).resolve().parents[3] / "README.md"
    before, _, rest = readme.read_text("utf-8").partition(BEGIN)
    held, _, after = rest.partition(END)
    fresh = examples_markdown(read_examples())
    if os.environ.get("UPDATE_SCHEMA_README"):
        readme.write_text(f"{before}{BEGIN}{fresh}{END}{after}", "utf-8")
        held = fresh
    assert held == fresh, "run it again with UPDATE_SCHEMA_README=1"


async def test_a_question_is_asked_first(tmp_path):
    (tmp_path / "01_bad.sql").write_text("SELECT 1;\n")
    with pytest.raises(ValueError, match=r"01_bad\.sql: it has to begin with a question"):
        read_examples(tmp_path)
    (tmp_path / "01_bad.sql").write_text("-- How many?\n-- Notes\n-- go on.\nSELECT 1;\n")
    (example,) = read_examples(tmp_path)
    assert (example.title, example.notes, example.sql) == ("How many?", "Notes go on.", "SELECT 1;")
    assert examples_markdown([example]) == "### How many?\n\nNotes go on.\n\n```sql\nSELECT 1;\n```\n"
