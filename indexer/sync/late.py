"""Sources that were added, or whose members are older than their announcement: back-filled alone, then at the tip too.

Late work is done chunk by chunk between two heads, so that it never holds up following. What is at or below finality is
fetched by ranges; our unfinalized blocks are read by hash, once, so that they too say what the new source says. When all
is covered, the projections that read what was written are rebuilt from the event tables.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from indexer import metrics
from indexer.chain.coverage import Segment, count_blocks, first_segment
from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockRange
from indexer.store.commit import Source
from indexer.store.writer import TableRows
from indexer.sync.backfill import fetch_chunk
from indexer.sync.committer import Committer
from indexer.sync.follow import fetch_blocks
from indexer.sync.ownership import Wanted
from indexer.sync.prepare import Prepared, Raw
from indexer.sync.session import Session
from indexer.sync.sources import late_gaps

log = structlog.get_logger(__name__)


class LateSources:
    """The late work of one session."""

    def __init__(self, session: Session, committer: Committer) -> None:
        self._session = session
        self._committer = committer
        self._marked: set[str] = set()

    async def step(self) -> bool:
        """Do one chunk; False when nothing is missing."""
        session = self._session
        missing = late_gaps(session.sources, session.tip_number, session.ends)
        metrics.BACKFILL_BLOCKS_REMAINING.labels(session.name).set(count_blocks(missing))
        segment = first_segment(missing)
        if segment is None:
            return False
        floor = self._floor()
        if segment.blocks.first <= floor:
            await self._below_finality(segment, floor)
        else:
            await self._above_finality(segment)
        return True

    def _floor(self) -> int:
        return -1 if self._session.local is None else self._session.local.floor.number

    def _members(self, segment: Segment[int]) -> tuple[list[Source], Wanted]:
        chosen = [source for source in self._session.sources if source.id in segment.members]
        specs = tuple(source.spec for source in chosen)
        return chosen, Wanted(frozenset(spec.contract for spec in specs), specs)

    async def _below_finality(self, segment: Segment[int], floor: int) -> None:
        session = self._session
        sources, wanted = self._members(segment)
        first = segment.blocks.first
        last = min(segment.blocks.last, floor, first + max(session.client.suggested_blocks(), 1) - 1)
        chunk = await fetch_chunk(session, wanted, BlockRange(first, last))
        prepared = await session.preparer.prepare(chunk.raw, wanted, chunk.blocks)
        await self.fill(prepared, sources)

    async def _above_finality(self, segment: Segment[int]) -> None:
        session = self._session
        if session.local is None:
            raise RuntimeError("there is late work only below a tip")
        sources, wanted = self._members(segment)
        headers = [header for header in session.local.headers if header.number in segment.blocks]
        blocks = BlockRange(headers[0].number, headers[-1].number)
        asked = tuple(session.ownership.filters(wanted, blocks.last))

        async def fetch(filters: Sequence[LogFilter]) -> LogBatch:
            return await fetch_blocks(session, headers, filters)

        raw = Raw(await fetch(asked), asked, fetch)
        prepared = await session.preparer.prepare(raw, wanted, blocks)
        await self.fill(prepared, sources, unfinalized=True)

    async def fill(
        self,
        prepared: Prepared,
        sources: list[Source],
        *,
        unfinalized: bool = False,
        encoded: Sequence[TableRows] | None = None,
    ) -> None:
        """Commit rows below the tip; the projections that read their tables are marked stale before.

        ``encoded`` are these rows for COPY, where they were encoded before.
        """
        session = self._session
        tables = {rows.table.name for rows in prepared.decoded.rows}
        stale = session.projections.reading(tables) - self._marked
        if stale:
            # Before the rows: a crash between the two costs a rebuild, never a projection that missed them.
            await session.projections.mark_stale(session.store.pool, session.chain_id, stale)
            self._marked |= stale
        await self._committer.fill(prepared, sources, unfinalized=unfinalized, encoded=encoded)

    async def finish(self) -> None:
        """Rebuild the projections that late rows made stale, in this session or one before."""
        session = self._session
        stale = await session.projections.stale(session.store.pool, session.chain_id)
        if stale:
            log.info("rebuilding projections", chain=session.name, projections=sorted(stale))
            await session.projections.rebuild(
                session.store.pool, stale, chain_id=session.chain_id, epoch=session.epoch
            )
        self._marked.clear()
