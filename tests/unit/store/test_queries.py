from __future__ import annotations

import re
from pathlib import Path

import pytest

from indexer.store import queries
from indexer.store.identifiers import check_sql_type, quote_identifier, quote_literal
from indexer.store.queries import QUERIES_DIR, load_queries, parse_queries

PACKAGE = Path(queries.__file__).parent


def test_every_query_is_named_explained_and_used():
    known = load_queries(QUERIES_DIR)
    assert len(known) > 40
    used = set()
    for path in PACKAGE.glob("*.py"):
        used |= set(re.findall(r'sql\(\s*"(\w+)"', path.read_text("utf-8")))
        used |= set(re.findall(r'\("(remove_selectors|add_selectors)",', path.read_text("utf-8")))
    assert used == set(known)


async def test_every_query_is_sql_that_the_migrated_database_takes(connection):
    await connection.execute(
        "CREATE TABLE event.diamond_cut (chain_id bigint, block_number bigint, log_index int, address bytea, diamond_cut jsonb)"
    )
    for query in load_queries(QUERIES_DIR).values():
        await connection.prepare(query.sql)


@pytest.mark.parametrize(
    "text",
    [
        "-- name: a\nSELECT 1;",
        "-- name: a\n-- purpose",
        "-- name: a b\n-- p\nSELECT 1",
        "-- name: a\n-- p\nSELECT 1\n-- name: a\n-- p\nSELECT 2",
    ],
)
def test_a_query_without_name_purpose_or_text_is_refused(text):
    with pytest.raises(ValueError, match=r"needs a name|stands twice"):
        parse_queries(text, "x.sql")


def test_a_query_keeps_its_text():
    parsed = parse_queries(
        "-- A file.\n\n-- name: a\n-- One\n-- two.\nSELECT 1\nFROM b; -- c\n\n-- name: d\n-- e\nSELECT 2;",
        "x",
    )
    assert parsed["a"].purpose == "One two."
    assert parsed["a"].sql == "SELECT 1\nFROM b; -- c"
    assert parsed["d"].sql == "SELECT 2"


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "ü" * 32])
def test_names_that_postgresql_cuts_or_refuses_are_refused(name):
    with pytest.raises(ValueError, match=r"not a name|longer than"):
        quote_identifier(name)


async def test_literals_come_back(connection):
    for text in ("", "it's", "back\\slash", "\\'; DROP", "line\nbreak", "E'x'", "ü$$"):
        assert await connection.fetchval(f"SELECT {quote_literal(text)}") == text


def test_literals_and_types_are_checked():
    with pytest.raises(ValueError, match="NUL"):
        quote_literal("\0")
    for good in ("bytea", "numeric[]", "timestamptz", "numeric(78,0)", "int8"):
        assert check_sql_type(good) == good
    for bad in ("", "text; --", "TEXT", "a b", "numeric[", "1x"):
        with pytest.raises(ValueError, match="type name"):
            check_sql_type(bad)
