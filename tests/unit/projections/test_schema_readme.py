"""schema/README.md has a sentence for every schema, table and column, and it is the comment in the database."""

from __future__ import annotations

import os

import asyncpg

from indexer.resources import SCHEMA_DIR

README = SCHEMA_DIR / "README.md"
BEGIN, END = "<!-- begin generated -->\n", "<!-- end generated -->\n"

SCHEMAS = """
SELECT nspname AS name, obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace
WHERE nspname = ANY ('{event,state,custom,analytics,sync,partner}') ORDER BY array_position('{event,state,custom,analytics,sync,partner}', nspname::text)
"""
RELATIONS = """
SELECT relname AS name, oid, obj_description(oid, 'pg_class') AS comment FROM pg_class
WHERE relnamespace = $1::text::regnamespace AND relkind IN ('r', 'p', 'v', 'm') ORDER BY relname
"""
COLUMNS = """
SELECT attname AS name, format_type(atttypid, atttypmod) AS type, col_description(attrelid, attnum) AS comment,
    coalesce(attnum = ANY ((SELECT indkey FROM pg_index WHERE indrelid = attrelid AND indisprimary)::smallint[]), false) AS key
FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


async def dictionary(connection: asyncpg.Connection) -> str:
    lines: list[str] = []
    for schema in await connection.fetch(SCHEMAS):
        assert schema["comment"], schema["name"]
        lines += [f"### Schema `{schema['name']}`", "", schema["comment"], ""]
        for relation in await connection.fetch(RELATIONS, schema["name"]):
            where = f"{schema['name']}.{relation['name']}"
            assert relation["comment"], where
            lines += [f"#### `{where}`", "", relation["comment"], "", "| column | type | |", "|---|---|---|"]
            for column in await connection.fetch(COLUMNS, relation["oid"]):
                assert column["comment"], f"{where}.{column['name']}"
                name = f"**`{column['name']}`**" if column["key"] else f"`{column['name']}`"
                lines.append(
                    f"| {name} | {column['type']} | {column['comment'].replace('|', chr(92) + '|')} |"
                )
            lines.append("")
    return "\n".join(["Columns of the primary key are bold.", "", *lines]).rstrip() + "\n"


async def test_the_readme_says_what_the_comments_say(connection):
    fresh = await dictionary(connection)
    text = README.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    held, _, after = rest.partition(END)
    if os.environ.get("UPDATE_SCHEMA_README"):
        README.write_text(f"{before}{BEGIN}{fresh}{END}{after}", "utf-8")
        held = fresh
    assert held == fresh, "run it again with UPDATE_SCHEMA_README=1"


async def test_every_comment_is_a_sentence(connection):
    comments = await connection.fetch(
        """SELECT objoid::bigint, description FROM pg_description
           WHERE classoid = 'pg_class'::regclass AND objoid IN (
               SELECT oid FROM pg_class WHERE relnamespace IN ('state'::regnamespace, 'sync'::regnamespace))"""
    )
    assert len(comments) > 100
    assert [row["description"] for row in comments if not row["description"].endswith(".")] == []


async def test_functions_of_the_state_migration_are_described(connection):
    undescribed = await connection.fetch(
        """SELECT proname FROM pg_proc WHERE pronamespace IN ('sync'::regnamespace, 'event'::regnamespace)
           AND obj_description(oid, 'pg_proc') IS NULL"""
    )
    assert [row["proname"] for row in undescribed] == []
