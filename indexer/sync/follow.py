"""At the tip: block by block, by hash, with reorgs undone in the commit that brings their replacement."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch, concat
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.chain.updates import Advance, Known, Reorg
from indexer.sync.committer import Committer
from indexer.sync.prepare import Raw
from indexer.sync.reorg import HeadResolver
from indexer.sync.session import Session

CONCURRENT_BLOCKS = 8
"""Most blocks whose logs are fetched at once."""

T = TypeVar("T")


class Follower:
    """Brings a session's tip to a head."""

    def __init__(self, session: Session, committer: Committer) -> None:
        self._session = session
        self._committer = committer

    async def step(self, head: BlockHeader, *, stop_at: int | None = None) -> bool:
        """One update towards ``head``; True when there may be more to do for the same head.

        Raises what ``HeadResolver.resolve`` raises, and ``BlockNotYetKnown`` when a block vanished while it was read (the
        next look at the head tells why).
        """
        session = self._session
        if session.local is None:
            raise RuntimeError("following begins after the first block is committed")
        boundary = session.next_start(session.tip_number + 1)
        if boundary is not None:
            stop_at = boundary - 1 if stop_at is None else min(stop_at, boundary - 1)
        update = await HeadResolver(session.client, session.local).resolve(head, stop_at=stop_at)
        match update:
            case Known():
                return False
            case Advance(headers=headers):
                await self._apply(headers, None)
            case Reorg(headers=headers):
                await self._apply(headers, update)
        return headers[-1].number < head.number

    async def _apply(self, headers: tuple[BlockHeader, ...], reorg: Reorg | None) -> None:
        session = self._session
        blocks = BlockRange(headers[0].number, headers[-1].number)
        wanted = session.active(blocks.last)
        # What was announced above the base is not ours (any more): by the branch that goes, or by a try that failed.
        base = session.tip_number if reorg is None else reorg.ancestor.number
        session.ownership.forget_above(base)
        session.resolver.timeline.revert(base)
        asked = tuple(session.ownership.filters(wanted, blocks.last))

        async def fetch(filters: Sequence[LogFilter]) -> LogBatch:
            return await fetch_blocks(session, headers, filters)

        raw = Raw(await fetch(asked), asked, fetch)
        prepared = await session.preparer.prepare(raw, wanted, blocks)
        await self._committer.extend(
            prepared, session.sources_of(wanted), headers, mode="follow", reorg=reorg
        )


async def fetch_blocks(
    session: Session, headers: Sequence[BlockHeader], filters: Sequence[LogFilter]
) -> LogBatch:
    """The logs of these blocks, each read by its hash, a few at once."""
    blocks = BlockRange(headers[0].number, headers[-1].number)
    if not filters:
        return LogBatch.empty(blocks)
    gate = asyncio.Semaphore(CONCURRENT_BLOCKS)

    async def one(header: BlockHeader) -> LogBatch:
        async with gate:
            return await session.client.logs_of_block(header, filters)

    return concat(blocks, await all_of([one(header) for header in headers]))


async def all_of(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order. The first error is raised as it is (not in a group), after the rest was cancelled."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
