"""The one transaction of a commit, in the order that ``indexer.store.commit.Commit`` promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from indexer.chain.filters import merge_filters
from indexer.chain.refs import BlockRef
from indexer.clock import SystemClock
from indexer.errors import CursorConflict, FinalizedReorg, Halt, InvariantViolated
from indexer.store.commit import Commit, CommitResult, Revert
from indexer.store.coverage import add_discovered
from indexer.store.cursor import columns_of, read_link, state_of
from indexer.store.lease import check_epoch
from indexer.store.queries import sql
from indexer.store.writer import TableRows, copy_in, counts

_CLOCK = SystemClock()


async def apply_commit(
    connection: asyncpg.Connection, commit: Commit, encoded: Sequence[TableRows], *, unbooked: bool = False
) -> CommitResult:
    """Everything between BEGIN and COMMIT. A commit that took place already changes nothing.

    ``unbooked`` says that rows may be there of which no coverage tells.

    Raises:
        LeaseLost: ``commit.epoch`` is not the lease's.
        CursorConflict: the tip is not ``commit.expected``.
        FinalizedReorg: the revert goes below finality.
        Halt: the chain is halted.
        InvariantViolated: the revert names an ancestor that is not ours.
    """
    began = _CLOCK.monotonic()
    row = await _begin(connection, commit)
    if row["last_commit"] == commit.id:
        return result_of(commit, encoded, began=began)
    check_cursor(row, commit)
    orphaned = 0
    if commit.revert is not None:
        orphaned = await _revert(connection, commit, commit.revert, row)
    if row["covered"] or unbooked:
        await _replace(connection, commit, unbooked=unbooked)
    copying = _CLOCK.monotonic()
    await copy_in(connection, encoded)
    copied = _CLOCK.monotonic()
    await _account(connection, commit, row)
    folding = _CLOCK.monotonic()
    if commit.fold is not None:
        await commit.fold(connection, commit.logs.range, commit.journal)
    return result_of(
        commit,
        encoded,
        began=began,
        orphaned=orphaned,
        copy_seconds=copied - copying,
        fold_seconds=_CLOCK.monotonic() - folding,
    )


async def _begin(connection: asyncpg.Connection, commit: Commit) -> Any:
    """Hold lease and chain until the transaction ends; the chain's row, with whether the range was covered by anything."""
    check_epoch(
        await connection.fetchrow(sql("begin_commit"), commit.chain_id), commit.chain_id, commit.epoch
    )
    blocks = commit.logs.range
    row = await connection.fetchrow(sql("chain_to_commit"), commit.chain_id, blocks.first, blocks.last)
    if row is None:
        raise InvariantViolated(f"chain {commit.chain_id} is not registered in sync.chain")
    return row


def result_of(
    commit: Commit,
    encoded: Sequence[TableRows],
    *,
    began: float,
    orphaned: int = 0,
    copy_seconds: float = 0.0,
    fold_seconds: float = 0.0,
) -> CommitResult:
    """What the commit wrote."""
    return CommitResult(
        rows=counts(encoded),
        undecoded=len(commit.decoded.undecoded),
        orphaned=orphaned,
        copy_seconds=copy_seconds,
        fold_seconds=fold_seconds,
        total_seconds=_CLOCK.monotonic() - began,
    )


def check_cursor(row: Any, commit: Commit) -> None:
    """Compare the locked row of ``sync.chain`` with what the commit was made for."""
    state = state_of(row)
    if state.halted is not None:
        raise Halt(f"chain {state.name} is halted: {state.halted}")
    if state.tip != commit.expected:
        raise CursorConflict(
            f"the tip of {state.name} is {state.tip}, this commit was made for {commit.expected}"
        )
    if commit.revert is not None and commit.revert.old_tip != state.tip:
        raise CursorConflict(
            f"the tip of {state.name} is {state.tip}, the revert begins at {commit.revert.old_tip}"
        )


async def _revert(connection: asyncpg.Connection, commit: Commit, revert: Revert, row: Any) -> int:
    final = row["finalized_number"]
    if final is not None and revert.ancestor.number < final:
        raise FinalizedReorg(
            f"chain {row['name']} was reorganised down to block {revert.ancestor}, but {final} is final here"
        )
    ours = await read_link(connection, commit.chain_id, revert.ancestor.number)
    if ours is None or ours.ref != revert.ancestor:
        held = "we hold no block of that number" if ours is None else f"ours is {ours.ref}"
        raise InvariantViolated(f"the common ancestor {revert.ancestor} is not ours: {held}")
    return await remove_above(connection, commit.chain_id, "reorg", revert, unfold=commit.unfold)


async def remove_above(
    connection: asyncpg.Connection, chain_id: int, kind: str, revert: Revert, *, unfold: Any
) -> int:
    """Take everything above the ancestor out of the tables and into the books; how many rows were moved."""
    ancestor = revert.ancestor.number
    reorg_id = await connection.fetchval(
        sql("insert_reorg"),
        chain_id,
        kind,
        ancestor,
        revert.depth,
        revert.old_tip.hash,
        revert.new_tip.hash,
        revert.old_tip.number,
        revert.new_tip.number,
    )
    moved: int = await connection.fetchval(sql("orphan_above"), chain_id, ancestor, reorg_id)
    await connection.execute(sql("count_reorg_rows"), reorg_id, moved)
    await connection.execute(sql("remove_links_above"), chain_id, ancestor)
    await connection.execute(sql("remove_discovered_above"), chain_id, ancestor)
    await connection.execute(sql("cut_coverage"), chain_id, ancestor)
    if unfold is not None:
        await unfold(connection, ancestor)
    return moved


async def _replace(connection: asyncpg.Connection, commit: Commit, *, unbooked: bool) -> None:
    """Delete what this commit says anew, of what a source that was covered may have written, or whatever is ``unbooked``."""
    blocks = commit.logs.range
    within = (commit.chain_id, blocks.first, blocks.last)
    covered = False
    for one in merge_filters(list(commit.replaces)):
        where = (
            *within,
            None if one.addresses is None else sorted(one.addresses),
            None if one.topics is None else sorted(one.topics),
        )
        if unbooked or await connection.fetchval(sql("filter_was_covered"), *where):
            covered = True
            await connection.execute(sql("delete_logs"), *where)
    if covered and len(commit.logs):
        await connection.execute(
            sql("delete_anonymous"),
            commit.chain_id,
            commit.logs.block_number.tolist(),
            commit.logs.log_index.tolist(),
        )


async def _account(connection: asyncpg.Connection, commit: Commit, row: Any) -> None:
    """Links, coverage, discovered addresses and the cursor; ``row`` is the chain's as the commit found it."""
    await add_discovered(connection, commit.chain_id, commit.discovered)
    blocks = commit.logs.range
    tip = commit.expected if commit.next is None else commit.next
    known = [one for one in (row["finalized_number"], commit.finalized_number) if one is not None]
    floor = None if tip is None else _floor(commit, tip, max(known, default=None))
    links = [link for link in commit.links if floor is None or link.number >= floor]
    await connection.execute(
        sql("end_commit"),
        commit.chain_id,
        *columns_of(links),
        floor,
        list(commit.sources),
        blocks.first,
        blocks.last,
        None if tip is None else tip.number,
        None if tip is None else tip.hash,
        commit.head_number,
        commit.finalized_number,
        commit.id,
    )


def _floor(commit: Commit, tip: BlockRef, final: int | None) -> int:
    """The lowest link to keep: the finalized block (or the tip below it), and nothing before a gap."""
    floor = 0 if final is None else min(final, tip.number)
    base = commit.expected if commit.revert is None else commit.revert.ancestor
    if commit.links and (base is None or commit.links[0].number > base.number + 1):
        floor = max(floor, commit.links[0].number)
    return floor
