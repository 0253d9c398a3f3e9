"""The one way anything is written: builds a Commit, hands it to the store, keeps the session, metrics and log in step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import structlog

from indexer import metrics
from indexer.chain.filters import LogFilter
from indexer.chain.local import LocalChain
from indexer.chain.refs import BlockHeader, BlockRange, BlockRef
from indexer.chain.updates import Reorg
from indexer.store.commit import Commit, CommitResult, Revert, Source
from indexer.store.writer import TableRows
from indexer.sync.prepare import Prepared
from indexer.sync.session import Session

log = structlog.get_logger(__name__)

Mode = Literal["backfill", "follow", "late"]


class Committer:
    """Commits for one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def extend(
        self,
        prepared: Prepared,
        sources: Sequence[Source],
        links: Sequence[BlockHeader],
        *,
        mode: Mode,
        reorg: Reorg | None = None,
        encoded: Sequence[TableRows] | None = None,
    ) -> CommitResult:
        """Move the tip to the last of ``links`` with the rows of ``prepared``; undo ``reorg`` in the same transaction.

        ``encoded`` are these rows for COPY, where they were encoded before.
        In mode ``follow`` the projections run inside; in ``backfill`` they trail.
        """
        session = self._session
        tip = None if session.local is None else session.local.tip
        following = mode == "follow"
        commit = Commit(
            chain_id=session.chain_id,
            epoch=session.epoch,
            expected=tip,
            next=links[-1].ref,
            logs=prepared.logs,
            decoded=prepared.decoded,
            sources=tuple(source.id for source in sources),
            replaces=self._replaced(sources),
            links=tuple(links),
            revert=None if reorg is None or tip is None else Revert(reorg.ancestor, tip, links[-1].ref),
            discovered=prepared.discovered,
            head_number=None if session.head is None else session.head.number,
            finalized_number=session.finalized,
            journal=following and links[-1].number > (session.finalized or -1),
            fold=self._fold if following else None,
            unfold=self._unfold,
        )
        result: CommitResult = await session.store.commit(commit, encoded)
        self._moved(links, reorg)
        session.cover(commit.sources, prepared.logs.range)
        self._told(commit, result, mode)
        return result

    async def fill(
        self,
        prepared: Prepared,
        sources: Sequence[Source],
        *,
        unfinalized: bool = False,
        encoded: Sequence[TableRows] | None = None,
    ) -> CommitResult:
        """Write rows of sources that were added later; the tip stays. ``encoded`` as in ``extend``."""
        session = self._session
        commit = Commit(
            chain_id=session.chain_id,
            epoch=session.epoch,
            expected=None if session.local is None else session.local.tip,
            next=None,
            logs=prepared.logs,
            decoded=prepared.decoded,
            sources=tuple(source.id for source in sources),
            replaces=self._replaced(sources),
            discovered=prepared.discovered,
            head_number=None if session.head is None else session.head.number,
            finalized_number=session.finalized,
            journal=unfinalized,
        )
        result: CommitResult = await session.store.commit(commit, encoded)
        session.cover(commit.sources, prepared.logs.range)
        self._told(commit, result, "late")
        return result

    def _replaced(self, sources: Sequence[Source]) -> tuple[LogFilter, ...]:
        """The logs this commit speaks for."""
        ownership = self._session.ownership
        return tuple(
            LogFilter(ownership.member_addresses(source.spec.contract), source.spec.filter.topics)
            if source.spec.discovered
            else source.spec.filter
            for source in sources
        )

    async def _fold(self, connection: object, blocks: BlockRange, journal: bool) -> None:  # noqa: FBT001 - the shape of store.commit.Fold
        await self._session.projections.fold(connection, self._session.chain_id, blocks, journal)

    async def _unfold(self, connection: object, ancestor: int) -> None:
        await self._session.projections.unfold(connection, self._session.chain_id, ancestor)

    def _moved(self, links: Sequence[BlockHeader], reorg: Reorg | None) -> None:
        session = self._session
        if reorg is None and (session.local is None or links[0].number != session.local.tip.number + 1):
            session.local = LocalChain(links)
        elif reorg is not None and session.local is not None:
            session.local.revert(reorg.ancestor)
            session.uncover_above(reorg.ancestor.number)
        if session.local is not None and session.local.tip != links[-1].ref:
            session.local.extend(links)
        if session.local is not None and session.finalized is not None:
            session.local.prune(session.finalized)

    def _told(self, commit: Commit, result: CommitResult, mode: Mode) -> None:
        session = self._session
        chain = session.name
        rows = sum(result.rows.values())
        session.logs_committed += rows + result.undecoded
        for table, count in result.rows.items():
            metrics.LOGS_COMMITTED.labels(chain, table).inc(count)
        metrics.DIAMOND_CUTS.labels(chain).inc(result.rows.get("diamond_cut", 0))
        for reason in commit.decoded.undecoded.reasons:
            metrics.UNDECODED_LOGS.labels(chain, reason).inc()
        for reason, count in commit.decoded.irregular.items():
            metrics.IRREGULAR_LOGS.labels(chain, reason).inc(count)
        metrics.COMMIT_DURATION_SECONDS.labels(chain, mode).observe(result.total_seconds)
        metrics.LAST_COMMIT_TIMESTAMP_SECONDS.labels(chain).set(session.clock.wall())
        self._told_heights(commit)
        if commit.revert is not None:
            self._told_reorg(commit.revert, result)
        log.info(
            "committed",
            chain=chain,
            mode=mode,
            first=commit.logs.range.first,
            last=commit.logs.range.last,
            logs=len(commit.logs),
            rows=rows,
            undecoded=result.undecoded,
            orphaned=result.orphaned,
            copy_ms=round(result.copy_seconds * 1000, 1),
            fold_ms=round(result.fold_seconds * 1000, 1),
            total_ms=round(result.total_seconds * 1000, 1),
        )

    def _told_heights(self, commit: Commit) -> None:
        session = self._session
        chain = session.name
        metrics.TIP_BLOCK_NUMBER.labels(chain).set(session.tip_number)
        if session.finalized is not None:
            metrics.FINALIZED_BLOCK_NUMBER.labels(chain).set(session.finalized)
        if session.head is not None:
            metrics.HEAD_BLOCK_NUMBER.labels(chain).set(session.head.number)
            metrics.LAG_BLOCKS.labels(chain).set(max(session.head.number - session.tip_number, 0))
        if commit.links:
            metrics.TIP_BLOCK_TIMESTAMP_SECONDS.labels(chain).set(commit.links[-1].timestamp)

    def _told_reorg(self, revert: Revert, result: CommitResult) -> None:
        chain = self._session.name
        metrics.REORGS.labels(chain).inc()
        metrics.REORG_DEPTH_BLOCKS.labels(chain).observe(revert.depth)
        log.warning(
            "reorg undone",
            chain=chain,
            depth=revert.depth,
            common_ancestor=revert.ancestor.number,
            old_tip=_short(revert.old_tip),
            new_tip=_short(revert.new_tip),
            orphaned=result.orphaned,
        )


def _short(ref: BlockRef) -> str:
    return f"{ref.number}:0x{ref.hash.hex()[:12]}"
