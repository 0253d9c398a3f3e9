"""What a worker does: fetches, decodes and commits ranges by the same code as ``indexer backfill``.

A process opens the database, the endpoints and the chain once for a job and keeps them until the next job; it does one
range at a time, whatever threads Dask gives it. It has no lease of its own: its commits are fenced by the epoch of the
process that handed out the ranges.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog

from indexer.app import opened
from indexer.chain.refs import BlockRange
from indexer.config import Settings
from indexer.decode.diamonds import FacetCut
from indexer.rpc.pool import PooledClient
from indexer.sync.committer import Committer
from indexer.sync.late import LateSources
from indexer.sync.opening import Opening
from indexer.sync.session import Session
from indexer.sync.span import fill_range

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One chain's back-fill as workers are told of it. ``cuts`` is what ``FacetTimeline.told`` gave.

    ``settings`` has the database's URL and the endpoints, secrets included: it travels to the workers as it is.
    """

    id: str
    settings: Settings
    chain: str
    epoch: int
    contracts: frozenset[str]
    workers: int
    cuts: tuple[tuple[bytes, int, int, tuple[FacetCut, ...]], ...] = ()


@dataclass(slots=True)
class _Joined:
    """A job that this process is open for."""

    job_id: str
    opening: Opening
    session: Session
    late: LateSources
    stack: AsyncExitStack


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - does not exist on Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


@dataclass(slots=True)
class _Process:
    """The event loop of this process, on a thread of its own, and the job it is open for."""

    loop: asyncio.AbstractEventLoop = field(default_factory=_new_loop)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    joined: _Joined | None = None

    def __post_init__(self) -> None:
        threading.Thread(target=self.loop.run_forever, name="indexer", daemon=True).start()


_starting = threading.Lock()
_process: _Process | None = None


def _this_process() -> _Process:
    global _process  # noqa: PLW0603 - one loop a process, made when the first range comes
    with _starting:
        if _process is None:
            _process = _Process()
        return _process


def fill(job: Job, first: int, last: int) -> int:
    """Fill one range; how many logs it held. May be called again for the same range, here or anywhere, at any time."""
    process = _this_process()
    return asyncio.run_coroutine_threadsafe(
        _fill(process, job, BlockRange(first, last)), process.loop
    ).result()


def leave() -> None:
    """Close what a job left open in this process."""
    process = _this_process()
    asyncio.run_coroutine_threadsafe(_leave(process), process.loop).result()


async def _fill(process: _Process, job: Job, blocks: BlockRange) -> int:
    async with process.turn:
        joined = process.joined
        if joined is None or joined.job_id != job.id:
            await _close(process)
            joined = process.joined = await _join(job)
        before = joined.session.logs_committed
        try:
            await fill_range(joined.opening, joined.session, joined.late, job.contracts, blocks)
        except BaseException:
            await _close(process)  # whatever it was, the next range starts from what the database says
            raise
        return joined.session.logs_committed - before


async def _leave(process: _Process) -> None:
    async with process.turn:
        await _close(process)


async def _join(job: Job) -> _Joined:
    stack = AsyncExitStack()
    try:
        parts = await stack.enter_async_context(opened(job.settings, migrate=False))
        client = PooledClient(job.chain, job.settings.chains[job.chain])
        stack.push_async_callback(client.close)
        client.share(job.workers)
        opening = parts.opening(job.chain, client)
        session = await opening.joining_session(job.epoch)
        await session.look()
        for diamond, block, log_index, cuts in job.cuts:
            session.resolver.timeline.apply(diamond, block, log_index, cuts)
    except BaseException:
        await stack.aclose()
        raise
    log.info("joined", chain=job.chain, job=job.id)
    return _Joined(job.id, opening, session, LateSources(session, Committer(session)), stack)


async def _close(process: _Process) -> None:
    joined, process.joined = process.joined, None
    if joined is not None:
        await joined.stack.aclose()
