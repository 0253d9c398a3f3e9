"""Ranges at or below finality: fetched several at once, decoded and committed in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch, concat
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.sync.ownership import Wanted
from indexer.sync.prepare import Raw
from indexer.sync.session import Session

MOST_WAITING = 64
"""Most chunks that are fetched or under way, however small they are."""

ANSWER_SIZE = 6
"""While it is read and parsed, an answer takes about so many times the bytes of its columns."""

ENOUGH = 4
"""Fetched chunks that wait are joined until they hold one part in so many of what a commit may hold."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A block range as fetched, with the header of its last block."""

    blocks: BlockRange
    raw: Raw
    end: BlockHeader


async def fetch_chunk(session: Session, wanted: Wanted, blocks: BlockRange) -> Chunk:
    """Fetch the logs of ``blocks`` that are wanted (of discovered members, those known now)."""
    asked = tuple(session.ownership.filters(wanted, blocks.last))
    answer = await session.client.logs_in_range(blocks, asked)
    return _chunk(session, blocks, answer.logs, asked, answer.end)


def _chunk(
    session: Session, blocks: BlockRange, logs: LogBatch, asked: tuple[LogFilter, ...], end: BlockHeader
) -> Chunk:
    async def fetch(filters: Sequence[LogFilter]) -> LogBatch:
        return (await session.client.logs_in_range(blocks, filters)).logs

    return Chunk(blocks, Raw(logs, asked, fetch), end)


async def fetch_ahead(session: Session, wanted: Wanted, blocks: BlockRange) -> AsyncIterator[Chunk]:
    """Chunks of ``blocks`` in order, several fetched at once.

    At most ``concurrency`` are under way, and no new one starts while those under way and the fetched ones that wait
    hold more than ``queue_bytes``. The size of a chunk follows what endpoints gave so far; small ones that wait for their turn come
    out as one.
    """
    ahead = _Ahead(session, wanted, blocks)
    try:
        while (chunk := await ahead.take()) is not None:
            yield chunk
    finally:
        await ahead.close()


class _Ahead:
    """Chunks under way and fetched ones that wait, in order. A new fetch begins as soon as one ends."""

    def __init__(self, session: Session, wanted: Wanted, blocks: BlockRange) -> None:
        self._session = session
        self._wanted = wanted
        self._first = blocks.first
        self._last = blocks.last
        self._waiting: deque[asyncio.Task[Chunk]] = deque()
        self._usual_bytes = session.answer_bytes or 0
        self._answered = session.answer_bytes is not None
        self._refill()

    async def take(self) -> Chunk | None:
        """The next chunk; None after the last."""
        self._refill()
        if not self._waiting:
            return None
        chunks = [await self._waiting[0]]
        self._waiting.popleft()
        limit = self._session.limits.commit_bytes
        held = chunks[0].raw.logs.nbytes
        while held < limit // ENOUGH and self._waiting and _fetched(self._waiting[0]):
            following = self._waiting[0].result()
            held += following.raw.logs.nbytes
            if held > limit or following.raw.asked != chunks[0].raw.asked:
                break
            chunks.append(following)
            self._waiting.popleft()
        self._refill()
        return _joined(self._session, chunks)

    async def close(self) -> None:
        """Cancel what is under way."""
        self._first = self._last + 1
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Chunk]) -> None:
        self._answered = True
        if _fetched(task):
            chunk = task.result()
            self._usual_bytes = max(chunk.raw.logs.nbytes, self._usual_bytes * 3 // 4)
            if 2 * len(chunk.blocks) >= self._session.client.suggested_blocks():
                # The next range need not find it out again.
                self._session.answer_bytes = self._usual_bytes
        self._refill()

    def _refill(self) -> None:
        while self._first <= self._last and self._room():
            size = max(self._session.client.suggested_blocks(), 1)
            piece = BlockRange(self._first, min(self._first + size - 1, self._last))
            task = asyncio.create_task(fetch_chunk(self._session, self._wanted, piece))
            self._waiting.append(task)
            self._first = piece.last + 1
            task.add_done_callback(self._ended)

    def _room(self) -> bool:
        limits = self._session.limits
        fetched = [task for task in self._waiting if task.done()]
        under_way = len(self._waiting) - len(fetched)
        if not self._waiting:
            return True
        if not self._answered:
            return False  # the first answer tells how much the others may be asked for at once
        if under_way >= limits.concurrency or len(self._waiting) >= MOST_WAITING:
            return False
        if not all(map(_fetched, fetched)):
            return False  # it is about to be raised
        held = sum(task.result().raw.logs.nbytes for task in fetched)
        return held + under_way * ANSWER_SIZE * self._usual_bytes < limits.queue_bytes


def _fetched(task: asyncio.Task[Chunk]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _joined(session: Session, chunks: list[Chunk]) -> Chunk:
    """Neighbouring chunks that were asked for alike, as one."""
    if len(chunks) == 1:
        return chunks[0]
    blocks = BlockRange(chunks[0].blocks.first, chunks[-1].blocks.last)
    logs = concat(blocks, [chunk.raw.logs for chunk in chunks])
    return _chunk(session, blocks, logs, chunks[0].raw.asked, chunks[-1].end)
