"""The cursor of a chain and the links at its end: read, compared, moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from indexer.chain.refs import BlockHeader, BlockRef
from indexer.errors import InvariantViolated
from indexer.store.commit import ChainState
from indexer.store.queries import sql


def state_of(row: Any) -> ChainState:
    """A row of ``sync.chain`` as a value."""
    tip = None if row["tip_number"] is None else BlockRef(row["tip_number"], row["tip_hash"])
    return ChainState(
        row["chain_id"], row["name"], tip, row["finalized_number"], row["head_number"], row["halted"]
    )


async def register_chain(connection: asyncpg.Connection, chain_id: int, name: str) -> ChainState:
    """Make the chain's row if there is none, rename it if it has another name, and return it."""
    await connection.execute(sql("register_chain"), chain_id, name)
    return state_of(await connection.fetchrow(sql("chain_state"), chain_id))


async def read_chain(connection: asyncpg.Connection, chain_id: int) -> ChainState:
    """The chain's row.

    Raises:
        InvariantViolated: the chain was never registered.
    """
    row = await connection.fetchrow(sql("chain_state"), chain_id)
    if row is None:
        raise InvariantViolated(f"chain {chain_id} is not registered in sync.chain")
    return state_of(row)


async def lock_chain(connection: asyncpg.Connection, chain_id: int) -> Any:
    """Inside a transaction: keep every other commit of the chain out until it ends; the chain's row.

    Raises:
        InvariantViolated: the chain was never registered.
    """
    await connection.execute(sql("commit_limits"))
    await connection.execute(sql("lock_chain"), chain_id)
    row = await connection.fetchrow(sql("lock_chain_row"), chain_id)
    if row is None:
        raise InvariantViolated(f"chain {chain_id} is not registered in sync.chain")
    return row


async def read_links(connection: asyncpg.Connection, chain_id: int) -> list[BlockHeader]:
    """The links we hold, ascending: every block that may be reverted and the one below them."""
    return [_header(row) for row in await connection.fetch(sql("chain_links"), chain_id)]


async def read_link(connection: asyncpg.Connection, chain_id: int, number: int) -> BlockHeader | None:
    """Our block of that height, or None where its link is not kept."""
    row = await connection.fetchrow(sql("link_at"), chain_id, number)
    return None if row is None else _header(row)


def _header(row: Any) -> BlockHeader:
    return BlockHeader(row["number"], row["hash"], row["parent_hash"], row["timestamp"])


async def write_links(connection: asyncpg.Connection, chain_id: int, links: Sequence[BlockHeader]) -> None:
    """Add links at the end of the chain."""
    if links:
        await connection.execute(sql("insert_links"), chain_id, *columns_of(links))


def columns_of(links: Sequence[BlockHeader]) -> tuple[list[int], list[bytes], list[bytes], list[int]]:
    """Numbers, hashes, parents' hashes and timestamps, as ``insert_links`` takes them."""
    return (
        [link.number for link in links],
        [link.hash for link in links],
        [link.parent_hash for link in links],
        [link.timestamp for link in links],
    )
