"""Quoting of names that go into SQL text. Values never do: they are parameters."""

from __future__ import annotations

import re

MAX_IDENTIFIER_BYTES = 63
"""PostgreSQL cuts longer names silently (NAMEDATALEN - 1)."""

_SQL_TYPE = re.compile(r"^[a-z][a-z0-9]*(\(\d+(,\d+)?\))?(\[\])*$")


def quote_identifier(name: str) -> str:
    """``name`` as a quoted identifier.

    Raises:
        ValueError: an empty name, one with NUL, or one PostgreSQL would cut.
    """
    if not name or "\0" in name:
        raise ValueError(f"not a name PostgreSQL takes: {name!r}")
    if len(name.encode()) > MAX_IDENTIFIER_BYTES:
        raise ValueError(f"longer than {MAX_IDENTIFIER_BYTES} bytes: {name!r}")
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """``text`` as a string literal, for statements that take no parameters (COMMENT).

    Raises:
        ValueError: the text holds NUL, which PostgreSQL cannot store.
    """
    if "\0" in text:
        raise ValueError("PostgreSQL stores no NUL in text")
    quoted = text.replace("'", "''")
    return f"E'{quoted}'".replace("\\", "\\\\") if "\\" in text else f"'{quoted}'"


def check_sql_type(sql_type: str) -> str:
    """``sql_type`` itself, if it is a plain type name such as ``bigint`` or ``numeric[]``.

    Raises:
        ValueError: anything else.
    """
    if not _SQL_TYPE.match(sql_type):
        raise ValueError(f"not a type name: {sql_type!r}")
    return sql_type
