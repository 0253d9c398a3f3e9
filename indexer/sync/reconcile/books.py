"""The SQL of the reconciler: which rows to ask about next, answers and results written down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from asyncpg import Connection

from indexer.store.queries import load_queries
from indexer.sync.reconcile.checks import Check
from indexer.sync.reconcile.read import Read

MOST_EXAMPLES = 10
"""Differences that are written down with their key and both values."""


@cache
def _queries() -> dict[str, str]:
    return {name: query.sql for name, query in load_queries(Path(__file__).with_name("queries")).items()}


def sql(name: str) -> str:
    """The text of a named statement; KeyError when there is none of that name."""
    return _queries()[name]


class Walk:
    """Goes through relations in the order of their keys, some rows at a time, and begins again after the last."""

    def __init__(self) -> None:
        self._after: dict[str, tuple[Any, ...]] = {}

    async def rows(
        self,
        connection: Connection,
        chain_id: int,
        block: int,
        limit: int,
        what: Check | Read,
    ) -> list[tuple[Any, ...]]:
        """The next rows that no block above ``block`` touched: columns of the keys, then of what is claimed."""
        claims = what.claims if isinstance(what, Check) else ()
        where = what.where if isinstance(what, Check) else "true"
        name = f"{type(what).__name__}.{what.name}"
        after = self._after.pop(name, None)
        keys = ", ".join(what.keys)
        beyond = ""
        if after is not None:
            places = ", ".join(f"${place}" for place in range(4, 4 + len(after)))
            beyond = f" AND ({keys}) > ({places})"
        found = await connection.fetch(
            f"SELECT {', '.join((*what.keys, *claims))} FROM {what.relation} AS held"
            f" WHERE chain_id = $1 AND updated_block <= $2 AND {where}{beyond} ORDER BY {keys} LIMIT $3",
            chain_id,
            block,
            limit,
            *(after or ()),
        )
        if len(found) == limit:
            self._after[name] = tuple(found[-1])[: len(what.keys)]
        return [tuple(_whole(value) for value in row) for row in found]


def _whole(value: Any) -> Any:
    """Integers as Python has them; arrays likewise."""
    if isinstance(value, Decimal):
        return int(value)
    return [_whole(one) for one in value] if isinstance(value, list) else value


async def write_rows(
    connection: Connection, chain_id: int, block: int, read: Read, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Write rows of a silent table; ``updated_block`` moves only where a row became another."""
    others = [name for name in read.columns if name not in read.table_keys]
    listed = ", ".join(f'"{name}"' for name in read.columns)
    places = ", ".join(f"${place}" for place in range(3, 3 + len(read.columns)))
    live, fresh = (", ".join(f'{row}."{name}"' for name in others) for row in ("live", "excluded"))
    statement = (
        f"INSERT INTO {read.table} AS live (chain_id, {listed}, read_block, updated_block)"
        f" VALUES ($1, {places}, $2, $2)"
        f" ON CONFLICT (chain_id, {', '.join(read.table_keys)}) DO UPDATE"
        f" SET {', '.join(f'{name} = excluded.{name}' for name in others)}, read_block = excluded.read_block,"
        f" updated_block = CASE WHEN ROW({live}) IS DISTINCT FROM ROW({fresh})"
        " THEN excluded.read_block ELSE live.updated_block END"
        " WHERE live.read_block <= excluded.read_block"
    )
    if rows:
        await connection.executemany(statement, [(chain_id, block, *row) for row in rows])


async def remove_others(
    connection: Connection, chain_id: int, read: Read, key: Sequence[Any], kept: Sequence[Any]
) -> None:
    """Remove rows of a key of ``read`` whose last key column is none of ``kept``."""
    same = " AND ".join(f"{name} = ${place}" for place, name in enumerate(read.keys, start=3))
    await connection.execute(
        f"DELETE FROM {read.table} WHERE chain_id = $1 AND {read.table_keys[-1]} <> ALL ($2::text[]) AND {same}",
        chain_id,
        list(kept),
        *key,
    )


class Result:
    """What one check found so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.compared = 0
        self.drift = 0
        self.unanswered = 0
        self.examples: list[dict[str, Any]] = []

    def note(self, key: Sequence[Any], claim: object, told: object, *, agrees: bool) -> None:
        """One row was compared."""
        self.compared += 1
        if agrees:
            return
        self.drift += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(
                {"key": _shown(list(key)), "events": _shown(claim), "contract": _shown(told)}
            )

    async def write(self, connection: Connection, chain_id: int, block: int) -> None:
        """Write it down."""
        await connection.execute(
            sql("note_check"),
            chain_id,
            self.name,
            block,
            self.compared,
            self.drift,
            self.unanswered,
            json.dumps(self.examples),
        )


def _shown(value: object) -> Any:
    """A value as JSON has it: bytes in hex, large numbers as text."""
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, list | tuple):
        return [_shown(one) for one in value][:50]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


async def count_inconsistent(connection: Connection, chain_id: int) -> dict[str, int]:
    """Rows of a chain that contradict themselves, for each table of schema state that marks them."""
    tables = [row["name"] for row in await connection.fetch(sql("marking_tables"))]
    return {
        table: await connection.fetchval(
            f'SELECT count(*) FROM state."{table}" WHERE chain_id = $1 AND inconsistent', chain_id
        )
        for table in tables
    }
