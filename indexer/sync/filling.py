"""A backfill's ranges, each stage beside the others: chunk after chunk is fetched, decoded and encoded, committed.

While one chunk is committed the next is decoded and encoded in a worker thread, and those after it are fetched; the
projections are folded on a connection of their own, in large steps, and trail. Commits stay in the order of blocks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from indexer.chain.refs import BlockRange
from indexer.store.writer import TableRows, encode_aside
from indexer.sync.backfill import Chunk, fetch_ahead
from indexer.sync.committer import Committer
from indexer.sync.ownership import Wanted
from indexer.sync.prepare import Prepared
from indexer.sync.session import Session

FOLD_LOGS = 1_000_000
"""Logs committed after which the projections are folded beside the backfill; large folds cost less a log."""

TRAIL_LOGS = 4 * FOLD_LOGS
"""How many logs the projections may trail by; then the backfill waits for them."""

MOST_COMMITS = 2
"""One commit under way, and one that is ready for when it ends."""

LAST_COMMIT_SECONDS = 3.0
"""How long a commit under way may take when the work around it was stopped."""

Committed = Callable[[Prepared, BlockRange], Coroutine[Any, Any, None]]
"""Told of each commit: what it held, and the blocks of the whole backfill."""


class Filling:
    """The backfill of one session."""

    def __init__(self, session: Session, committer: Committer, committed: Committed) -> None:
        self._session = session
        self._committer = committer
        self._committed = committed
        self._trailing: asyncio.Task[None] | None = None
        self._folded = session.logs_committed
        self._folding_to = self._folded

    async def run(self, blocks: BlockRange) -> None:
        """Fetch and commit ``blocks``, which follow the tip and are final."""
        session = self._session
        wanted = session.active(blocks.first)
        commits: deque[asyncio.Task[None]] = deque()
        try:
            async for chunk in fetch_ahead(session, wanted, blocks):
                prepared = await session.preparer.prepare(chunk.raw, wanted, chunk.blocks)
                rows = await encode_aside(session.chain_id, prepared.logs, prepared.decoded)
                if len(commits) == MOST_COMMITS:
                    await asyncio.shield(commits[0])
                    commits.popleft()
                before = commits[-1] if commits else None
                commits.append(
                    asyncio.create_task(self._commit(before, chunk, prepared, rows, wanted, blocks))
                )
                await self._trail()
            for commit in commits:
                await asyncio.shield(commit)
            if self._trailing is not None:
                await self._trailing
        finally:
            await _stop([commit for commit in commits if not commit.done()], self._trailing)
            # What they raised was raised above, or comes of it.
            await asyncio.gather(*commits, return_exceptions=True)

    async def _commit(
        self,
        before: asyncio.Task[None] | None,
        chunk: Chunk,
        prepared: Prepared,
        rows: Sequence[TableRows],
        wanted: Wanted,
        blocks: BlockRange,
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
            before.result()  # what failed there is not skipped here
        sources = self._session.sources_of(wanted)
        await self._committer.extend(prepared, sources, [chunk.end], mode="backfill", encoded=rows)
        await self._committed(prepared, blocks)

    async def _trail(self) -> None:
        """Begin to fold when enough was committed; wait for a fold when too much was."""
        session = self._session
        if self._trailing is not None and (
            self._trailing.done() or session.logs_committed - self._folded > TRAIL_LOGS
        ):
            await self._trailing
            self._trailing, self._folded = None, self._folding_to
        if self._trailing is None and session.logs_committed - self._folded > FOLD_LOGS:
            self._folding_to = session.logs_committed
            self._trailing = asyncio.create_task(
                session.projections.trail(
                    session.store.pool, session.chain_id, session.tip_number, session.epoch
                )
            )


async def _stop(commits: Sequence[asyncio.Task[None]], trailing: asyncio.Task[None] | None) -> None:
    """Cancel folds and commits that have not begun.

    The commit under way is let come to its end, if the database answers; else what it had in hand is lost.
    """
    for task in (*commits[1:], trailing):
        if task is not None:
            task.cancel()
    if commits:
        await asyncio.wait({commits[0]}, timeout=LAST_COMMIT_SECONDS)
        commits[0].cancel()
    if trailing is not None:
        await asyncio.gather(trailing, return_exceptions=True)
