"""Sources, what of them is in the tables, and the addresses that events announced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from indexer.chain.filters import LogFilter
from indexer.chain.refs import BlockRange
from indexer.store.commit import DiscoveredAddress, Source, SourceSpec
from indexer.store.queries import sql


def ranges_of(multirange: Sequence[Any]) -> tuple[BlockRange, ...]:
    """An ``int8multirange`` as asyncpg gives it, as ascending block ranges."""
    return tuple(BlockRange(part.lower, part.upper - 1) for part in multirange if not part.isempty)


def _bytes_or_any(values: frozenset[bytes] | None) -> list[bytes] | None:
    return None if values is None else sorted(values)


def _set_or_any(values: Sequence[bytes] | None) -> frozenset[bytes] | None:
    return None if values is None else frozenset(values)


async def read_sources(connection: asyncpg.Connection, chain_id: int) -> list[Source]:
    """All sources of a chain that were ever configured, oldest first."""
    return [
        Source(
            row["id"],
            SourceSpec(
                row["key"],
                row["contract"],
                row["start_block"],
                LogFilter(_set_or_any(row["addresses"]), _set_or_any(row["topics"])),
                row["discovered"],
            ),
            ranges_of(row["coverage"]),
        )
        for row in await connection.fetch(sql("sources"), chain_id)
    ]


async def register_sources(
    connection: asyncpg.Connection, chain_id: int, specs: Sequence[SourceSpec]
) -> list[Source]:
    """Make or bring up to date these sources; as the database knows them, in the order of ``specs``."""
    async with connection.transaction():
        await connection.executemany(
            sql("upsert_source"),
            [
                (
                    chain_id,
                    spec.key,
                    spec.contract,
                    spec.start_block,
                    _bytes_or_any(spec.filter.addresses),
                    _bytes_or_any(spec.filter.topics),
                    spec.discovered,
                )
                for spec in specs
            ],
        )
        known = {source.spec.key: source for source in await read_sources(connection, chain_id)}
    return [known[spec.key] for spec in specs]


async def add_discovered(
    connection: asyncpg.Connection, chain_id: int, found: Sequence[DiscoveredAddress]
) -> None:
    """Enter announced members; where one was announced before, the earlier announcement counts."""
    if found:
        await connection.execute(
            sql("add_discovered"),
            chain_id,
            [one.contract for one in found],
            [one.address for one in found],
            [one.from_block for one in found],
            [one.announced_block for one in found],
            [one.announced_log_index for one in found],
        )


async def read_discovered(connection: asyncpg.Connection, chain_id: int) -> list[DiscoveredAddress]:
    """All announced members of a chain, in the order of their announcements."""
    return [DiscoveredAddress(*row) for row in await connection.fetch(sql("discovered"), chain_id)]
