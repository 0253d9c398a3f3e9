"""What an export has to hold: every block range of every table, each under a digest that changes with its rows."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import asyncpg

from indexer.errors import ConfigError
from indexer.export.columns import ExportColumn, export_columns
from indexer.store.identifiers import quote_identifier
from indexer.store.queries import load_queries

FILE_VERSION = 1
"""Enters every digest: another way to write files makes other files."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table of one chain in one block range: what one file holds."""

    table: str
    chain_id: int
    first_block: int
    last_block: int
    rows: int
    digest: str
    path: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All parts of an export, with the columns of their tables and the block through which each chain is complete."""

    columns: dict[str, tuple[ExportColumn, ...]]
    through_blocks: dict[int, int]
    parts: tuple[Part, ...]


@cache
def export_sql(name: str) -> str:
    """A statement of ``queries/export.sql``."""
    return load_queries(Path(__file__).with_name("queries"))[name].sql


async def make_plan(
    connection: asyncpg.Connection, partition_blocks: int, tables: Collection[str], salt: str
) -> Plan:
    """Look through the tables (all, or those named). ``salt`` enters every digest.

    Raises:
        ConfigError: there is no event table of a name.
    """
    columns = await _columns(connection)
    unknown = set(tables) - set(columns)
    if unknown:
        raise ConfigError(f"--table {min(unknown)}: there is no event table of this name")
    chosen = {name: held for name, held in columns.items() if not tables or name in tables}
    through: dict[int, int] = {}
    parts: list[Part] = []
    for chain in await connection.fetch(export_sql("export_chains")):
        chain_id, last = chain["chain_id"], chain["through_block"]
        through[chain_id] = last
        ancestors = [
            row["common_ancestor"] for row in await connection.fetch(export_sql("export_reverts"), chain_id)
        ]
        for table, held in chosen.items():
            statement = export_sql("export_parts").format(table=quote_identifier(table))
            shape = [[column.name, column.sql_type] for column in held]
            for row in await connection.fetch(statement, chain_id, last, partition_blocks):
                start = row["part"] * partition_blocks
                reverts = bisect_left(ancestors, row["last"])
                told = [FILE_VERSION, salt, chain_id, start, partition_blocks, shape, row["rows"]]
                digest = _digest([*told, str(row["keys"]), reverts])
                path = f"{table}/chain_id={chain_id}/first_block={start}/{digest}.parquet"
                parts.append(Part(table, chain_id, row["first"], row["last"], row["rows"], digest, path))
    return Plan(chosen, through, tuple(parts))


async def _columns(connection: asyncpg.Connection) -> dict[str, tuple[ExportColumn, ...]]:
    grouped: defaultdict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in await connection.fetch(export_sql("export_columns")):
        grouped[row["table_name"]].append(row)
    return {name: export_columns(rows) for name, rows in grouped.items()}


def _digest(told: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:20]
