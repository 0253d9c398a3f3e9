"""``indexer backfill``: a range only, again or for the first time, without moving the tip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from indexer.chain.refs import BlockRange
from indexer.errors import ConfigError
from indexer.progress import ProgressSink, ProgressUpdate
from indexer.store.writer import TableRows, encode_aside
from indexer.sync.backfill import fetch_ahead
from indexer.sync.committer import Committer
from indexer.sync.late import LateSources
from indexer.sync.opening import Opening
from indexer.sync.ownership import Wanted
from indexer.sync.prepare import Prepared
from indexer.sync.rate import Rate
from indexer.sync.session import Session

Spread = Callable[[Opening, Session, frozenset[str], BlockRange, ProgressSink | None], Awaitable[int]]
"""Fills a range of a session's chain for these contracts by other processes; returns how many logs they committed."""


async def backfill_span(
    opening: Opening,
    contracts: frozenset[str],
    first: int | None,
    last: int | None,
    progress: ProgressSink | None,
    spread: Spread | None = None,
) -> int:
    """Fetch and commit ``first`` to ``last`` (default: from the start to finality) for ``contracts``.

    Returns how many logs were committed. Raises ``ConfigError`` when the range is empty or reaches beyond finality.
    With ``spread`` others do the work; this process holds the lease and brings the projections up to date.
    """
    async with opening.lease() as keeper:
        return await keeper.guard(_span(opening, keeper.epoch, contracts, first, last, progress, spread))


async def _span(
    opening: Opening,
    epoch: int,
    contracts: frozenset[str],
    first: int | None,
    last: int | None,
    progress: ProgressSink | None,
    spread: Spread | None,
) -> int:
    session = await opening.session(epoch)
    await session.look()
    blocks = _wanted(session, first, last)
    late = LateSources(session, Committer(session))
    await session.store.drop_indexes_of_empty_tables()
    if spread is not None:
        logs = await spread(opening, session, contracts, blocks, progress)
    else:
        await fill_range(opening, session, late, contracts, blocks, progress)
        logs = session.logs_committed
    await session.store.build_indexes()
    await late.finish()
    return logs


async def fill_range(
    opening: Opening,
    session: Session,
    late: LateSources,
    contracts: frozenset[str],
    blocks: BlockRange,
    progress: ProgressSink | None = None,
) -> None:
    """Fetch, decode and commit ``blocks``, which are final, for ``contracts``; the tip stays.

    While one chunk is committed the next is decoded and encoded, and those after it are fetched.
    """
    told = _Told(session, blocks, progress, Rate(opening.clock))
    for piece in _by_start(session, blocks):
        active = Wanted(session.active(piece.first).contracts & contracts)
        if not active.contracts:
            continue
        commit: asyncio.Task[None] | None = None
        try:
            async for chunk in fetch_ahead(session, active, piece):
                prepared = await session.preparer.prepare(chunk.raw, active, chunk.blocks)
                rows = await encode_aside(session.chain_id, prepared.logs, prepared.decoded)
                if commit is not None:
                    await commit
                commit = asyncio.create_task(_commit(opening, session, late, active, prepared, rows, told))
            if commit is not None:
                await commit
        finally:
            if commit is not None and not commit.done():
                commit.cancel()
                await asyncio.gather(commit, return_exceptions=True)


async def _commit(
    opening: Opening,
    session: Session,
    late: LateSources,
    active: Wanted,
    prepared: Prepared,
    rows: Sequence[TableRows],
    told: _Told,
) -> None:
    await late.fill(prepared, session.sources_of(active), encoded=rows)
    await opening.admit_older_members(session, prepared.discovered)
    told.committed(prepared.logs.range.last)


@dataclass(frozen=True, slots=True)
class _Told:
    """Tells ``progress``, where there is one, of what was committed of ``blocks``."""

    session: Session
    blocks: BlockRange
    progress: ProgressSink | None
    rate: Rate

    def committed(self, last: int) -> None:
        if self.progress is None:
            return
        name, blocks, done = self.session.name, self.blocks, self.session.logs_committed
        rate = self.rate.observe(done)
        self.progress(ProgressUpdate(name, "backfill", blocks.first, last, blocks.last, done, rate))


def _wanted(session: Session, first: int | None, last: int | None) -> BlockRange:
    finalized = -1 if session.finalized is None else session.finalized
    start = session.first_block if first is None else first
    end = finalized if last is None else last
    if end > finalized:
        raise ConfigError(
            f"--to {end}: chain {session.name} is final up to block {finalized}; what is above is for `indexer run`"
        )
    if end < start:
        raise ConfigError(f"--from {start} --to {end}: no block lies between (final up to {finalized})")
    return BlockRange(start, end)


def _by_start(session: Session, blocks: BlockRange) -> list[BlockRange]:
    """``blocks`` cut where another contract begins to count."""
    starts = {scope.start_block for scope in session.ownership.scopes}
    edges = [blocks.first, *sorted(start for start in starts if blocks.first < start <= blocks.last)]
    ends = [*(edge - 1 for edge in edges[1:]), blocks.last]
    return [BlockRange(first, last) for first, last in zip(edges, ends, strict=True)]
