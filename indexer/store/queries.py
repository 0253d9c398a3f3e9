"""Named SQL from ``queries/*.sql``.

A file holds statements, each headed by ``-- name: some_name`` and at least one more comment line that says what it is
for. Names are unique over all files.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

QUERIES_DIR = Path(__file__).with_name("queries")
_HEAD = "-- name:"


@dataclass(frozen=True, slots=True)
class Query:
    """One statement: its name, what it is for, and its text."""

    name: str
    purpose: str
    sql: str


def parse_queries(text: str, origin: str) -> dict[str, Query]:
    """The statements of one file, by name.

    Raises:
        ValueError: a statement without a name, purpose or text, or a name that comes twice.
    """
    found: dict[str, Query] = {}
    for block in text.split(_HEAD)[1:]:
        head, *lines = block.strip().splitlines()
        name = head.strip()
        purpose = [line[2:].strip() for line in _leading_comments(lines)]
        sql = "\n".join(lines[len(purpose) :]).strip().removesuffix(";")
        if not name.isidentifier() or not purpose or not sql:
            raise ValueError(f"{origin}: query {name!r} needs a name, a purpose line and a statement")
        if name in found:
            raise ValueError(f"{origin}: query {name!r} stands twice")
        found[name] = Query(name, " ".join(purpose), sql)
    return found


def _leading_comments(lines: list[str]) -> list[str]:
    count = 0
    while count < len(lines) and lines[count].startswith("--"):
        count += 1
    return lines[:count]


def load_queries(folder: Path) -> dict[str, Query]:
    """All statements of a folder's ``*.sql`` files, by name.

    Raises:
        ValueError: see ``parse_queries``; also a name that two files have.
    """
    merged: dict[str, Query] = {}
    for path in sorted(folder.glob("*.sql")):
        for name, query in parse_queries(path.read_text("utf-8"), path.name).items():
            if name in merged:
                raise ValueError(f"{path.name}: query {name!r} stands in another file too")
            merged[name] = query
    return merged


@cache
def _own() -> dict[str, Query]:
    return load_queries(QUERIES_DIR)


def sql(name: str) -> str:
    """The text of one of the store's own statements; KeyError when there is none of that name."""
    return _own()[name].sql
