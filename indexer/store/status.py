"""What the database tells about the state of the sync, for ``indexer status`` and readiness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from indexer.chain.refs import BlockRange, BlockRef
from indexer.store.coverage import ranges_of
from indexer.store.lease import Lease, read_lease
from indexer.store.queries import sql

LAST_REORGS = 10
"""How many reorgs a status lists."""


@dataclass(frozen=True, slots=True)
class ContractStatus:
    """One contract's sources together: ``coverage`` is what all of them have."""

    contract: str
    sources: int
    start_block: int
    coverage: tuple[BlockRange, ...]
    discovered: int


@dataclass(frozen=True, slots=True)
class ReorgStatus:
    """One reorg or rewind."""

    kind: str
    detected_at: datetime
    common_ancestor: int
    depth: int
    old_tip: bytes
    new_tip: bytes
    rows_removed: int


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """Through which block a projection holds; -1 for none."""

    name: str
    version: str
    through_block: int


@dataclass(frozen=True, slots=True)
class ChainStatus:
    """Everything the database knows of one chain."""

    chain_id: int
    name: str
    tip: BlockRef | None
    finalized_number: int | None
    head_number: int | None
    halted: str | None
    committed_at: datetime | None
    updated_at: datetime
    lease: Lease | None
    contracts: tuple[ContractStatus, ...]
    reorgs: tuple[ReorgStatus, ...]
    projections: tuple[ProjectionStatus, ...]
    undecoded: dict[str, int]


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """The whole database: its size in bytes, event rows as the planner estimates them, and every chain."""

    bytes: int
    event_rows: int
    chains: tuple[ChainStatus, ...]


async def read_status(connection: asyncpg.Connection) -> StoreStatus:
    """Everything, as of one instant."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        size = await connection.fetchrow(sql("database_size"))
        chains = [
            await _chain_status(connection, row) for row in await connection.fetch(sql("status_chains"))
        ]
    return StoreStatus(size["bytes"], size["event_rows"], tuple(chains))


async def _chain_status(connection: asyncpg.Connection, row: asyncpg.Record) -> ChainStatus:
    chain_id = row["chain_id"]
    tip = None if row["tip_number"] is None else BlockRef(row["tip_number"], row["tip_hash"])
    reorgs = await connection.fetch(sql("status_reorgs"), chain_id, LAST_REORGS)
    projections = await connection.fetch(sql("status_projections"), chain_id)
    undecoded = await connection.fetch(sql("status_undecoded"), chain_id)
    return ChainStatus(
        chain_id=chain_id,
        name=row["name"],
        tip=tip,
        finalized_number=row["finalized_number"],
        head_number=row["head_number"],
        halted=row["halted"],
        committed_at=row["committed_at"],
        updated_at=row["updated_at"],
        lease=await read_lease(connection, chain_id),
        contracts=await _contracts(connection, chain_id),
        reorgs=tuple(ReorgStatus(**dict(one)) for one in reorgs),
        projections=tuple(ProjectionStatus(**dict(one)) for one in projections),
        undecoded={one["reason"]: one["logs"] for one in undecoded},
    )


async def _contracts(connection: asyncpg.Connection, chain_id: int) -> tuple[ContractStatus, ...]:
    found = await connection.fetch(sql("status_discovered"), chain_id)
    members = {row["contract"]: row["addresses"] for row in found}
    return tuple(
        ContractStatus(
            row["contract"],
            row["sources"],
            row["start_block"],
            ranges_of(row["coverage"]),
            members.get(row["contract"], 0),
        )
        for row in await connection.fetch(sql("status_contracts"), chain_id)
    )
