"""The data dictionary: every schema, relation, column and function with its comment, and queries to begin with.

All of it comes from the database's own comments and from ``schema/examples``, so it says what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import asyncpg

from indexer.resources import SCHEMA_DIR
from indexer.store.queries import sql

EXAMPLES_DIR = SCHEMA_DIR / "examples"
SCHEMAS = ("event", "state", "analytics", "parity", "custom", "sync", "partner")
_KINDS = {"r": "Table", "p": "Table", "v": "View", "m": "View"}


@dataclass(frozen=True, slots=True)
class Example:
    """A query to begin with: a question, what else there is to say, and the SQL."""

    path: Path
    title: str
    notes: str
    sql: str


def read_examples(folder: Path = EXAMPLES_DIR) -> list[Example]:
    """The example queries, in the order of their names.

    Raises:
        ValueError: a file that does not begin with a comment that asks a question.
    """
    examples = []
    for path in sorted(folder.glob("*.sql")):
        lines = path.read_text("utf-8").strip().splitlines()
        count = next((place for place, line in enumerate(lines) if not line.startswith("--")), len(lines))
        title, *notes = [line.removeprefix("--").strip() for line in lines[:count]] or [""]
        if not title.endswith("?"):
            raise ValueError(f"{path.name}: it has to begin with a question in a comment")
        examples.append(Example(path, title, " ".join(notes), "\n".join(lines[count:])))
    return examples


def examples_markdown(examples: list[Example], heading: str = "###") -> str:
    """The examples as Markdown, each with its question as a heading."""
    parts = []
    for example in examples:
        notes = f"{example.notes}\n\n" if example.notes else ""
        parts.append(f"{heading} {example.title}\n\n{notes}```sql\n{example.sql}\n```\n")
    return "\n".join(parts)


async def dictionary(connection: asyncpg.Connection) -> str:
    """The dictionary of this database as Markdown."""
    sources = {
        row["table_name"]: f"`{row['signature']}` of `{row['abi']}`"
        for row in await connection.fetch(sql("event_tables_by_name"))
    }
    lines = [
        "# Data dictionary",
        "",
        "Written by `indexer db dictionary` from the comments in the database. Columns of a primary key are bold.",
        "",
        "[Queries to begin with](#queries-to-begin-with) stand at the end.",
        "",
    ]
    for schema in await connection.fetch(sql("dictionary_schemas"), list(SCHEMAS)):
        lines += await _schema(connection, schema["name"], schema["comment"], sources)
    lines += ["## Queries to begin with", "", examples_markdown(read_examples())]
    return "\n".join(lines).rstrip() + "\n"


async def _schema(
    connection: asyncpg.Connection, name: str, comment: str | None, sources: dict[str, str]
) -> list[str]:
    lines = [f"## Schema `{name}`", "", comment or "", ""]
    columns: dict[str, list[asyncpg.Record]] = {}
    for row in await connection.fetch(sql("dictionary_columns"), name):
        columns.setdefault(row["relation"], []).append(row)
    for relation in await connection.fetch(sql("dictionary_relations"), name):
        lines += _relation(name, relation, columns[relation["name"]], sources)
    functions = await connection.fetch(sql("dictionary_functions"), name)
    if functions:
        lines += [f"### Functions of `{name}`", "", "| function | returns | |", "|---|---|---|"]
        lines += [
            f"| `{row['signature']}` | {_cell(row['result'])} | {_cell(row['comment'])} |"
            for row in functions
        ]
        lines.append("")
    return lines


def _relation(
    schema: str, relation: asyncpg.Record, columns: list[asyncpg.Record], sources: dict[str, str]
) -> list[str]:
    name = f"{schema}.{relation['quoted']}"
    lines = [f"### `{name}`", "", f"{_KINDS[relation['kind']]}. {relation['comment'] or ''}", ""]
    if schema == "event" and relation["name"] in sources:
        lines += [f"Source event: {sources[relation['name']]}.", ""]
    lines += ["| column | type | |", "|---|---|---|"]
    for column in columns:
        label = f"**`{column['name']}`**" if column["key"] else f"`{column['name']}`"
        lines.append(f"| {label} | {column['type']} | {_cell(column['comment'])} |")
    names = {column["name"] for column in columns}
    return [*lines, "", "```sql", _sample(name, names), "```", ""]


def _sample(name: str, columns: set[str]) -> str:
    """A query that reads little of any relation: its newest rows where it has a block, else any."""
    for chain, block, log in (
        ("chain_id", "block_number", "log_index"),
        ('"chainId"', '"blockNumber"', '"logIndex"'),
    ):
        if {one.strip('"') for one in (chain, block, log)} <= columns:
            return f"SELECT * FROM {name} WHERE {chain} = 31337 ORDER BY {block} DESC, {log} DESC LIMIT 10;"
    return f"SELECT * FROM {name} LIMIT 10;"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")
