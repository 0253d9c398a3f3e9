"""The process that hands out ranges: it holds the lease, reads ahead what depends on order, and counts what came back.

Ranges are tasks of a Dask cluster. A task that fails for a while, whose worker dies, or that is lost with the scheduler, is
handed out again; doing a range twice ends in the same rows, so nothing has to be known about how far a lost one came.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from distributed import Client, KilledWorker, LocalCluster, as_completed
from distributed.comm import CommClosedError
from pydantic import SecretStr

from indexer.app import Parts, backfill
from indexer.chain.refs import BlockRange
from indexer.cluster.worker import Job, fill, leave
from indexer.config import DatabaseSettings, Settings
from indexer.errors import ConfigError, Retryable, RpcUnavailable
from indexer.progress import ProgressSink, ProgressUpdate
from indexer.sync.committer import Committer
from indexer.sync.opening import Opening
from indexer.sync.rate import Rate
from indexer.sync.scout import scout
from indexer.sync.session import Session
from indexer.sync.span import Spread

log = structlog.get_logger(__name__)

TASKS_A_WORKER = 8
"""Ranges a worker gets in all, more or less: so many that none waits long for the last."""

MOST_BLOCKS = 100_000
"""Blocks of a range, at most: what is lost when a worker dies."""

TRIES = 8
"""How often one range may fail, and how often in a row the scheduler may be lost."""

WAIT_SECONDS = 60.0
"""How long a scheduler, or a first worker, may take to come."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the work goes: ``workers`` processes of this machine, or the scheduler at ``address``."""

    workers: int = 0
    address: str = ""

    @classmethod
    def parse(cls, text: str) -> Place:
        """``local:N`` or an address such as ``tcp://host:8786``. Raises ``ConfigError``."""
        kind, _, rest = text.partition(":")
        if kind == "local" and rest.isdecimal() and 0 < int(rest) <= 256:
            return cls(workers=int(rest))
        if kind in {"tcp", "tls", "ws", "wss"} and rest.startswith("//") and len(rest) > 2:
            return cls(address=text)
        raise ConfigError(
            f"--cluster {text}: should be local:N (N processes here) or tcp://HOST:PORT (a Dask scheduler)"
        )


async def backfill_on(
    place: Place,
    settings: Settings,
    first: int | None,
    last: int | None,
    contracts: Iterable[str] = (),
    *,
    progress: ProgressSink | None = None,
) -> int:
    """``app.backfill`` with its ranges done by the workers of ``place``; how many logs they committed.

    Raises:
        ConfigError: besides what ``app.backfill`` refuses, a remote cluster with the embedded database.
        Retryable: no scheduler, no worker, or a range that failed ``TRIES`` times.
    """
    if place.address and settings.database.url is None:
        raise ConfigError(
            "--cluster tcp://…: workers elsewhere cannot reach an embedded PostgreSQL; set [database] url"
        )
    async with _scheduler(place) as starting:
        return await backfill(
            settings, first, last, contracts, progress=progress, spread=lambda parts: _spread(parts, starting)
        )


@asynccontextmanager
async def _scheduler(place: Place) -> AsyncIterator[asyncio.Future[str]]:
    """The scheduler's address once it is there; processes here start beside what is done meanwhile, and end with it."""
    if place.address:
        known: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        known.set_result(place.address)
        yield known
        return
    cluster = LocalCluster(
        n_workers=place.workers,
        threads_per_worker=1,
        processes=True,
        asynchronous=True,
        dashboard_address=None,
        host="127.0.0.1",
        preload=[fill.__module__],
    )
    starting = asyncio.ensure_future(_started(cluster))
    try:
        yield starting
    finally:
        await asyncio.gather(starting, return_exceptions=True)  # what has begun to start has to be ended
        await cluster.close()


async def _started(cluster: LocalCluster) -> str:
    await cluster
    return str(cluster.scheduler_address)


def _spread(parts: Parts, starting: asyncio.Future[str]) -> Spread:
    async def spread(
        opening: Opening,
        session: Session,
        contracts: frozenset[str],
        blocks: BlockRange,
        progress: ProgressSink | None,
    ) -> int:
        await scout(opening, session, Committer(session), contracts, blocks)
        database = DatabaseSettings(url=SecretStr(parts.store.url))
        job = Job(
            id=secrets.token_hex(8),
            settings=parts.settings.model_copy(update={"database": database}),
            chain=session.name,
            epoch=session.epoch,
            contracts=contracts,
            workers=1,
            cuts=tuple(session.resolver.timeline.told()),
        )
        return await _Ranges(await starting, job, blocks, progress, Rate(session.clock)).run()

    return spread


class _Ranges:
    """The ranges of one job: those that are missing, and how often each failed."""

    def __init__(
        self, address: str, job: Job, blocks: BlockRange, progress: ProgressSink | None, rate: Rate
    ) -> None:
        self._address = address
        self._job = job
        self._blocks = blocks
        self._progress = progress
        self._rate = rate
        self._missing: list[BlockRange] = []
        self._failures: dict[BlockRange, int] = {}
        self._lost = 0
        self._logs = 0
        self._filled = 0

    async def run(self) -> int:
        """Hand out ranges until none is missing; how many logs they held."""
        while True:
            try:
                async with Client(
                    self._address, asynchronous=True, timeout=WAIT_SECONDS, set_as_default=False
                ) as client:
                    await self._with(client)
                    await client.run(leave)
                    return self._logs
            except (OSError, CommClosedError, CancelledError, asyncio.CancelledError, TimeoutError) as lost:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                self._lost += 1
                log.warning("cluster lost", address=self._address, reason=repr(lost), times=self._lost)
                if self._lost >= TRIES:
                    raise RpcUnavailable(
                        f"the cluster at {self._address} cannot be reached: {lost!r}"
                    ) from lost
                await asyncio.sleep(min(2.0**self._lost / 4, 10.0))

    async def _with(self, client: Client) -> None:
        await client.wait_for_workers(1, timeout=WAIT_SECONDS)
        workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        if not self._missing and not self._filled:
            self._missing = _cut(self._blocks, workers)
        job = _for(self._job, workers)
        waiting = {self._submit(client, job, blocks): blocks for blocks in self._missing}
        done: Any = as_completed(waiting, loop=client.loop)
        async for future in done:
            blocks = waiting.pop(future)
            error = await future.exception() if future.status != "finished" else None
            if error is None:
                self._count(blocks, await future.result())
                continue
            self._failed(blocks, error)
            again = self._submit(client, job, blocks)
            waiting[again] = blocks
            done.add(again)

    def _submit(self, client: Client, job: Job, blocks: BlockRange) -> Any:
        # Not pure: the same range may be asked for again, and has then to be done again. The job goes with each task: scattered
        # once, it would be lost with the worker that has it.
        return client.submit(fill, job, blocks.first, blocks.last, pure=False, retries=0)

    def _count(self, blocks: BlockRange, logs: int) -> None:
        self._missing.remove(blocks)
        self._lost = 0
        self._logs += logs
        self._filled += len(blocks)
        log.info("range filled", first=blocks.first, last=blocks.last, logs=logs, missing=len(self._missing))
        if self._progress is not None:
            whole = self._blocks
            self._progress(
                ProgressUpdate(
                    self._job.chain,
                    "backfill",
                    whole.first,
                    whole.first + self._filled - 1,
                    whole.last,
                    self._logs,
                    self._rate.observe(self._logs),
                )
            )

    def _failed(self, blocks: BlockRange, error: BaseException) -> None:
        """Raises what another try would not mend."""
        if isinstance(error, CancelledError | asyncio.CancelledError):
            raise CommClosedError(f"{blocks} was lost with the scheduler") from error
        self._failures[blocks] = self._failures.get(blocks, 0) + 1
        if not isinstance(error, Retryable | KilledWorker) or self._failures[blocks] >= TRIES:
            raise error
        log.warning("range failed", first=blocks.first, last=blocks.last, reason=repr(error))


def _for(job: Job, workers: int) -> Job:
    return Job(job.id, job.settings, job.chain, job.epoch, job.contracts, workers, job.cuts)


def _cut(blocks: BlockRange, workers: int) -> list[BlockRange]:
    """``blocks`` in pieces for so many workers."""
    size = min(max(-(-len(blocks) // (workers * TASKS_A_WORKER)), 1), MOST_BLOCKS)
    return [
        BlockRange(first, min(first + size - 1, blocks.last))
        for first in range(blocks.first, blocks.last + 1, size)
    ]
