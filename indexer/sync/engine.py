"""One chain, from its first block to its tip and on: the order of the phases, and what happens when something fails.

A chain's life is a loop of lease periods. Within one: load what the database knows, hold it against the chain, back-fill up
to finality, let the projections catch up, then follow. Errors decide what happens next by their class: ``Retryable`` and
``ProviderLied`` begin a new look after a pause, ``CursorConflict`` and ``LeaseLost`` a new lease period, a ``Halt`` stops this
chain alone and is written down.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from indexer import metrics
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.errors import (
    BlockNotYetKnown,
    CursorConflict,
    Halt,
    LeaseLost,
    ProviderLied,
    Retryable,
    RpcRefused,
    StoreUnavailable,
)
from indexer.progress import ProgressSink, ProgressUpdate
from indexer.rpc.client import ChainClient
from indexer.sync.committer import Committer
from indexer.sync.filling import Filling
from indexer.sync.follow import Follower
from indexer.sync.goal import Goal, Patience
from indexer.sync.health import ChainHealth
from indexer.sync.late import LateSources
from indexer.sync.lease import LeaseKeeper
from indexer.sync.opening import Opening
from indexer.sync.own import own_built
from indexer.sync.prepare import Prepared
from indexer.sync.rate import Rate
from indexer.sync.session import Session

log = structlog.get_logger(__name__)

BACKFILL_DISTANCE = 32
"""With finality more than this many blocks above our tip, ranges are cheaper than following."""

LATE_PAUSE_SECONDS = 5.0
"""Until late work that failed is tried again; following goes on meanwhile."""

FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 10.0
"""Between lease periods: doubled while nothing can be committed, short again once something was."""


class ChainEngine:
    """Keeps one chain in step until its goal is reached, it halts, or it is cancelled."""

    def __init__(self, opening: Opening, goal: Goal, patience: Patience, sink: ProgressSink | None) -> None:
        self._opening = opening
        self._goal = goal
        self._patience = patience
        self._sink = sink
        self._rate = Rate(opening.clock)
        self._reached = True
        self._late_from = 0.0
        self.name = opening.name
        self.health = ChainHealth(opening.name, opening.settings, opening.clock.monotonic())

    @property
    def client(self) -> ChainClient:
        """The chain's endpoints."""
        return self._opening.client

    def writes(self) -> bool:
        """Whether this process holds the chain's lease now."""
        return self.health.lease == "held"

    async def run(self) -> None:
        """Run lease periods. Returns when the goal is reached; raises ``Halt`` when the chain has to stop."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = self._opening.clock.monotonic()
            self._patience.check(f"chain {self.name}: lease or first commit")
            self.health.lease = None
            try:
                async with self._opening.lease(self._standing_by) as keeper:
                    self.health.lease = "held"
                    if await self._guarded(keeper):
                        return
            except (CursorConflict, LeaseLost) as lost:
                log.warning("lease period ended", chain=self.name, reason=str(lost))
            except StoreUnavailable as away:
                log.warning("database unavailable", chain=self.name, reason=str(away))
            except (Retryable, ProviderLied, RpcRefused) as failed:
                log.warning("chain unreachable", chain=self.name, reason=str(failed))
            if self.health.last_commit is not None and self.health.last_commit > began:
                pause = FIRST_PAUSE_SECONDS
            await self._opening.clock.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    def _standing_by(self, _holder: str) -> None:
        self.health.lease = "standby"

    async def _guarded(self, keeper: LeaseKeeper) -> bool:
        """A lease period; a halt is written down while the lease is still held."""
        try:
            return await keeper.guard(self._period(keeper))
        except Halt as halt:
            self.health.halted = str(halt)
            metrics.CHAIN_HALTED.labels(self.name).set(1)
            log.error(  # noqa: TRY400 - what stopped it is in the message; a traceback tells an operator nothing
                "chain halted", chain=self.name, kind=type(halt).__name__, reason=str(halt)
            )
            with contextlib.suppress(StoreUnavailable, LeaseLost):  # the halt itself is what is reported
                await self._opening.record_halt(keeper.epoch, halt)
            raise

    async def _period(self, keeper: LeaseKeeper) -> bool:
        """One lease period; True when the goal is reached."""
        session = await self._opening.session(keeper.epoch)
        async with own_built(session):
            return await self._work(session)

    async def _work(self, session: Session) -> bool:
        """All phases of a lease period; True when the goal is reached."""
        committer = Committer(session)
        late = LateSources(session, committer)
        follower = Follower(session, committer)
        await self._reconcile(session, follower)
        if self._far(session):
            await session.store.drop_indexes_of_empty_tables()
        await self._anchor(session, committer)
        await self._backfill(session, committer, follower)
        await session.store.build_indexes()
        await self._catch_up(session)
        if self._done(session) and not await self._late_step(session, late):
            await self._finish(session, late)
            return True
        return await self._follow(session, committer, follower, late)

    # -- before following -----------------------------------------------------------------------------------------

    async def _reconcile(self, session: Session, follower: Follower) -> None:
        """Find a reorg that happened while we were away, before ranges are built on our tip."""
        head = await session.look()
        while session.local is not None and head.number >= session.local.tip.number:
            there = await session.client.header(session.local.tip.number)
            if there is None:
                raise BlockNotYetKnown(f"block {session.local.tip.number}, our tip, is not known")
            if session.local.knows(there.ref):
                return
            await follower.step(there)

    async def _anchor(self, session: Session, committer: Committer) -> None:
        """Give an empty database its first block: the one before the first that is asked for, or block 0 itself."""
        if session.local is not None:
            return
        number = max(min(session.first_block - 1, -1 if session.finalized is None else session.finalized), 0)
        await self._filling(session, committer).run(BlockRange(number, number))

    async def _backfill(self, session: Session, committer: Committer, follower: Follower) -> None:
        """Fetch by ranges while finality is far above our tip."""
        filling = self._filling(session, committer)
        while True:
            last = self._backfill_end(session)
            if last is None:
                metrics.BACKFILL_BLOCKS_REMAINING.labels(self.name).set(0)
                return
            boundary = session.next_start(session.tip_number + 1)
            last = last if boundary is None else min(last, boundary - 1)
            blocks = BlockRange(session.tip_number + 1, last)
            await filling.run(blocks)
            await self._reconcile(session, follower)

    def _backfill_end(self, session: Session) -> int | None:
        finalized = session.finalized
        if finalized is None:
            return None
        stop = self._goal.stop_at(finalized)
        last = finalized if stop is None else min(finalized, stop)
        distance = last - session.tip_number
        if distance <= 0 or (
            distance <= BACKFILL_DISTANCE and last == finalized and len(session.local or ()) > 1
        ):
            return None
        return last

    def _filling(self, session: Session, committer: Committer) -> Filling:
        async def committed(prepared: Prepared, blocks: BlockRange) -> None:
            remaining = (self._backfill_end(session) or session.tip_number) - session.tip_number
            metrics.BACKFILL_BLOCKS_REMAINING.labels(self.name).set(remaining)
            await self._opening.admit_older_members(session, prepared.discovered)
            self._progressed(session, "backfill", blocks.first, blocks.last)

        return Filling(session, committer, committed)

    async def _catch_up(self, session: Session) -> None:
        if session.local is not None:
            await session.projections.catch_up(
                session.store.pool, session.chain_id, session.tip_number, session.epoch
            )

    # -- following ------------------------------------------------------------------------------------------------

    async def _follow(
        self, session: Session, committer: Committer, follower: Follower, late: LateSources
    ) -> bool:
        async for head, heard in self._heads(session):
            if head is not None:
                self._reached = await self._to_head(session, follower, head, heard)
                if self._backfill_end(session) is not None and self._far(session):
                    await self._backfill(session, committer, follower)
                    await self._catch_up(session)
            busy = await self._late_step(session, late)
            if self._done(session) and not busy:
                await self._finish(session, late)
                return True
            self._patience.check(
                f"chain {self.name} is at block {session.tip_number}, goal {self._goal.until}"
            )
        return False

    def _far(self, session: Session) -> bool:
        return (session.finalized or 0) - session.tip_number > BACKFILL_DISTANCE

    async def _heads(self, session: Session) -> AsyncIterator[tuple[BlockHeader | None, float]]:
        """Heads as they come with the moment they were heard of; None when it is time for other work.

        A head that could not be reached is asked for again after a pause: no other need come for long.
        """
        heads = session.client.heads()
        clock = session.clock
        coming: asyncio.Task[BlockHeader] | None = None
        try:
            while True:
                if coming is None:
                    coming = asyncio.ensure_future(anext(heads))
                wait = 0.0 if session.late_work else min(1.0, session.settings.poll_seconds)
                done, _ = await asyncio.wait({coming}, timeout=wait)
                if not done:
                    again = None if self._reached else await self._newest(session)
                    yield again, clock.monotonic()
                    continue
                head, heard = coming.result(), clock.monotonic()
                coming = None
                yield head, heard
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
            await heads.aclose()  # type: ignore[attr-defined]  # heads() is an async generator

    async def _newest(self, session: Session) -> BlockHeader | None:
        try:
            return await session.client.head()
        except (Retryable, ProviderLied, RpcRefused) as failed:
            log.warning("head cannot be read", chain=self.name, reason=str(failed))
            return None

    async def _to_head(self, session: Session, follower: Follower, head: BlockHeader, heard: float) -> bool:
        """Step until the head is reached; False when it could not be (a block vanished, an endpoint failed or lied)."""
        reached = True
        before = session.tip_number, None if session.local is None else session.local.tip.hash
        try:
            await session.notice(head)
            self._told_head(session, head)
            stop_at = self._goal.stop_at(session.finalized)
            while await follower.step(head, stop_at=stop_at):
                self._progressed(session, "follow", before[0], head.number)
        except (LeaseLost, StoreUnavailable):
            raise
        except (Retryable, ProviderLied, RpcRefused) as failed:
            log.warning("head not reached", chain=self.name, head=head.number, reason=str(failed))
            reached = False
        after = session.tip_number, None if session.local is None else session.local.tip.hash
        if after != before:
            metrics.HEAD_TO_COMMIT_SECONDS.labels(self.name).observe(session.clock.monotonic() - heard)
            self._progressed(session, "follow", before[0], head.number)
            self._told_facets(session)
        return reached

    def _told_head(self, session: Session, head: BlockHeader) -> None:
        metrics.HEAD_BLOCK_NUMBER.labels(self.name).set(head.number)
        metrics.LAG_BLOCKS.labels(self.name).set(max(head.number - session.tip_number, 0))
        self._seen(session)

    def _told_facets(self, session: Session) -> None:
        unknown = session.resolver.timeline.unknown_facets()
        metrics.DIAMOND_UNKNOWN_FACETS.labels(self.name).set(len(unknown))

    async def _late_step(self, session: Session, late: LateSources) -> bool:
        """One chunk of late work; True while there is more. What an endpoint refuses is tried again after a pause."""
        if session.clock.monotonic() < self._late_from:
            return True
        try:
            worked = await late.step()
        except (LeaseLost, StoreUnavailable):
            raise
        except (Retryable, ProviderLied, RpcRefused) as failed:
            log.warning("late source not read", chain=self.name, reason=str(failed))
            self._late_from = session.clock.monotonic() + LATE_PAUSE_SECONDS
            session.late_work = False
            return True
        if worked:
            self._progressed(session, "late", 0, session.tip_number)
        elif session.late_work:
            await late.finish()
        session.late_work = worked
        return worked

    def _done(self, session: Session) -> bool:
        ours = (
            session.head is not None and session.local is not None and session.local.knows(session.head.ref)
        )
        return self._goal.reached(session.tip_number, session.finalized, head_is_ours=ours)

    async def _finish(self, session: Session, late: LateSources) -> None:
        await late.finish()
        await self._catch_up(session)
        await session.projections.build_own(session.store.pool, session.chain_id, session.epoch)
        log.info("goal reached", chain=self.name, until=self._goal.until, tip=session.tip_number)

    def _seen(self, session: Session) -> None:
        health = self.health
        health.head = None if session.head is None else session.head.number
        health.tip = session.tip_number
        health.finalized = session.finalized

    def _progressed(self, session: Session, phase: str, first: int, last: int) -> None:
        self._patience.progress()
        self._seen(session)
        self.health.last_commit = session.clock.monotonic()
        rate = self._rate.observe(session.logs_committed)
        if self._sink is not None:
            self._sink(
                ProgressUpdate(
                    self.name,
                    phase,  # type: ignore[arg-type]  # one of the three phases
                    first,
                    session.tip_number,
                    last,
                    session.logs_committed,
                    rate,
                )
            )
