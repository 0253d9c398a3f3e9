"""Rewind: an operator drops everything above a block, final or not, as a reorg would."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from indexer.chain.refs import BlockHeader, BlockRef
from indexer.errors import ConfigError
from indexer.store.commit import Revert, Unfold
from indexer.store.cursor import lock_chain, read_link, state_of, write_links
from indexer.store.lease import hold_lease
from indexer.store.queries import sql
from indexer.store.transaction import remove_above


@dataclass(frozen=True, slots=True)
class RewindResult:
    """What a rewind did. ``tip`` is None when nothing at or below the block is known to the database."""

    tip: BlockRef | None
    blocks_removed: int
    rows_removed: int


async def apply_rewind(
    connection: asyncpg.Connection,
    chain_id: int,
    epoch: int,
    to_block: int,
    commit_id: UUID,
    *,
    header: BlockHeader | None,
    unfold: Unfold | None,
) -> RewindResult:
    """Inside a transaction: everything above ``to_block`` goes to the orphans, and a halt is over.

    The tip becomes ``header``, the chain's block of that number, where the caller knows it. Without it the newest block at or
    below whose hash the database has becomes the tip, and what lies between is read again: no network is needed.

    Raises:
        LeaseLost: ``epoch`` is not the lease's.
        ConfigError: ``header`` is not the block our rows are from; rewind further.
    """
    await hold_lease(connection, chain_id, epoch)
    state = state_of(await lock_chain(connection, chain_id))
    if state.tip is None or to_block >= state.tip.number:
        await connection.execute(sql("set_halted"), chain_id, None)
        return RewindResult(state.tip, 0, 0)
    target = _checked(await _newest_known(connection, chain_id, to_block), header, to_block)
    ancestor = BlockRef(to_block, bytes(32)) if target is None else target.ref
    moved = await remove_above(
        connection, chain_id, "rewind", Revert(ancestor, state.tip, ancestor), unfold=unfold
    )
    if target is None:
        await connection.execute(sql("clear_coverage"), chain_id)
    else:
        await write_links(connection, chain_id, [target])
    final = min(state.finalized_number or 0, ancestor.number)
    await connection.execute(sql("prune_links"), chain_id, final)
    await connection.execute(
        sql("rewind_cursor"),
        chain_id,
        None if target is None else target.number,
        None if target is None else target.hash,
        ancestor.number,
        commit_id,
    )
    tip = None if target is None else target.ref
    return RewindResult(tip, state.tip.number - ancestor.number, moved)


def _checked(known: BlockHeader | None, header: BlockHeader | None, to_block: int) -> BlockHeader | None:
    """The block that becomes the tip."""
    if header is None:
        return known
    if header.number != to_block:
        raise ConfigError(
            f"rewinding to block {to_block} needs the header of that block, not of {header.ref}"
        )
    if known is not None and known.number == to_block and known.hash != header.hash:
        raise ConfigError(
            f"block {known.ref} in the database is not the chain's ({header.ref}): rewind to a lower block"
        )
    return header


async def _newest_known(connection: asyncpg.Connection, chain_id: int, to_block: int) -> BlockHeader | None:
    """The block itself where its link is kept, else the newest at or below it that has a row, its parent not known."""
    link = await read_link(connection, chain_id, to_block)
    if link is not None:
        return link
    row = await connection.fetchrow(sql("newest_row"), chain_id, to_block)
    if row is None:
        return None
    return BlockHeader(row["block_number"], row["block_hash"], bytes(32), row["timestamp"])
