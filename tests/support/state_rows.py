"""Tables of schema ``state`` as they are in a database, and how they differ from what they should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asyncpg

from indexer.demo.anvil import CHAIN_ID

Tables = dict[str, tuple[list[str], list[str]]]
"""By name: the columns of the key without the chain, and the other columns."""
Rows = dict[tuple[Any, ...], dict[str, Any]]
SILENT = "silent_"


async def state_tables(connection: asyncpg.Connection) -> Tables:
    """Every table of schema state by name."""
    rows = await connection.fetch(
        """SELECT relname AS name, array_agg(attname::text ORDER BY attnum) FILTER (WHERE is_key) AS keys,
            array_agg(attname::text ORDER BY attnum) FILTER (WHERE NOT is_key) AS columns
        FROM (
            SELECT relname, attname, attnum, attnum = ANY (indkey::smallint[]) AS is_key
            FROM pg_class JOIN pg_index ON indrelid = pg_class.oid AND indisprimary
            JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
            WHERE relnamespace = 'state'::regnamespace AND relkind IN ('r', 'p') AND attname <> 'chain_id'
        ) AS found GROUP BY relname"""
    )
    return {row["name"]: (row["keys"], row["columns"]) for row in rows}


def folded(tables: Tables) -> Tables:
    """Those that follow from events."""
    return {name: table for name, table in tables.items() if not name.startswith(SILENT)}


def silent(tables: Tables) -> Tables:
    """Those that the reconciler fills from calls."""
    return {name: table for name, table in tables.items() if name.startswith(SILENT)}


async def rows_of(connection: asyncpg.Connection, table: str, keys: list[str], columns: list[str]) -> Rows:
    """Rows by key, their other columns by name."""
    rows = await connection.fetch(f"SELECT * FROM state.{table} WHERE chain_id = $1", CHAIN_ID)
    return {tuple(row[key] for key in keys): {column: row[column] for column in columns} for row in rows}


def differing(held: Rows, told: Rows, untold: set[str]) -> Iterator[tuple[Any, ...]]:
    """What differs: key, column, the database's value, the fold's value."""
    for key in held.keys() | told.keys():
        if key not in held or key not in told:
            yield key, "only in the database" if key in held else "only in the fold"
            continue
        have, want = held[key], told[key]
        for column in (have.keys() | want.keys()) - untold:
            if column not in want or column not in have or have[column] != want[column]:
                yield key, column, have.get(column, "no such column"), want.get(column, "not told")
