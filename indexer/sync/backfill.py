"""Ranges at or below finality: fetched several at once, decoded and committed in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.sync.ownership import Wanted
from indexer.sync.prepare import Raw
from indexer.sync.session import Session


@dataclass(frozen=True, slots=True)
class Chunk:
    """A block range as fetched, with the header of its last block."""

    blocks: BlockRange
    raw: Raw
    end: BlockHeader


async def fetch_chunk(session: Session, wanted: Wanted, blocks: BlockRange) -> Chunk:
    """Fetch all logs in ``blocks`` that are wanted (of discovered members those known now)."""
    asked = tuple(session.ownership.filters(wanted, blocks.last))

    async def fetch(filters: Sequence[LogFilter]) -> LogBatch:
        return (await session.client.logs_in_range(blocks, filters)).logs

    answer = await session.client.logs_in_range(blocks, asked)
    return Chunk(blocks, Raw(answer.logs, asked, fetch), answer.end)


async def fetch_ahead(session: Session, wanted: Wanted, blocks: BlockRange) -> AsyncIterator[Chunk]:
    """Chunks of ``blocks`` in order, several fetched at once.

    At most ``concurrency`` are under way, and no new one starts while the fetched ones that wait hold more than
    ``queue_bytes``. The size of a chunk follows what endpoints gave so far.
    """
    waiting: deque[asyncio.Task[Chunk]] = deque()
    first = blocks.first
    try:
        while first <= blocks.last or waiting:
            while (
                first <= blocks.last
                and len(waiting) < session.limits.concurrency
                and _held_bytes(waiting) < session.limits.queue_bytes
            ):
                last = min(first + max(session.client.suggested_blocks(), 1) - 1, blocks.last)
                piece = BlockRange(first, last)
                waiting.append(asyncio.create_task(fetch_chunk(session, wanted, piece)))
                first = last + 1
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def _held_bytes(waiting: deque[asyncio.Task[Chunk]]) -> int:
    return sum(
        task.result().raw.logs.nbytes
        for task in waiting
        if task.done() and not task.cancelled() and task.exception() is None
    )
