"""Back-fills on a cluster end in the rows of a back-fill in one process, whatever dies on the way."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest
import world
from aiohttp import web
from digests import rows_of
from living import grown
from pydantic import SecretStr

from indexer import app
from indexer.cluster.run import Place, backfill_on
from indexer.config import Settings
from indexer.errors import ConfigError
from indexer.progress import ProgressUpdate
from indexer.testing.chain import MemoryChain
from indexer.testing.client import MemoryClient
from indexer.testing.rpc_server import RpcServer

BLOCKS = 264
FINAL = 199


class SlowServer(RpcServer):
    """Answers after a while, as a node far away does."""

    seconds = 0.0

    async def _http(self, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(self.seconds)
        return await super()._http(request)


@asynccontextmanager
async def serving(chain: MemoryChain, seconds: float = 0.0) -> AsyncIterator[SlowServer]:
    server = SlowServer(chain)
    server.seconds = seconds
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def settings(url: str, rpc: str, **chain: object) -> Settings:
    made = world.settings(url, **{"max_range_blocks": 5, **chain})
    return made.model_copy(
        update={"chains": {"test": made.chains["test"].model_copy(update={"rpc": (SecretStr(rpc),)})}}
    )


async def alone(url: str, chain: MemoryChain) -> int:
    """The same by one process without a cluster."""
    return await app.backfill(
        world.settings(url), 0, FINAL, client_factory=lambda *_: MemoryClient(chain, range_blocks=7)
    )


@contextmanager
def dask(*arguments: str) -> Iterator[Popen[bytes]]:
    """One of Dask's own commands."""
    with Popen([sys.executable, "-m", *arguments], stdout=DEVNULL, stderr=DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def scheduler(port: int) -> tuple[str, ...]:
    return (
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-dashboard",
        "--no-jupyter",
    )


def worker(port: int) -> tuple[str, ...]:
    return (
        "distributed.cli.dask_worker",
        f"tcp://127.0.0.1:{port}",
        "--nthreads",
        "1",
        "--no-nanny",
        "--no-dashboard",
    )


async def test_workers_here_end_in_the_same_rows(event_url: str, other_url: str) -> None:
    chain = grown(11, BLOCKS)
    updates: list[ProgressUpdate] = []
    async with serving(chain) as server:
        logs = await backfill_on(
            Place.parse("local:2"), settings(event_url, server.url), 0, FINAL, progress=updates.append
        )
    assert logs == await alone(other_url, chain) > 250
    assert await rows_of(event_url) == await rows_of(other_url)
    assert [update.current for update in updates] == sorted(update.current for update in updates)
    assert (updates[-1].current, updates[-1].logs, len(updates)) == (FINAL, logs, 16)


@pytest.mark.timeout(400)  # Dask's programs start five times, and each imports everything
async def test_killed_workers_and_a_killed_scheduler_change_nothing(event_url: str, other_url: str) -> None:
    chain = grown(12, BLOCKS)
    port = free_port()
    filled = asyncio.Event()
    updates: list[ProgressUpdate] = []

    def progress(update: ProgressUpdate) -> None:
        updates.append(update)
        filled.set()

    async def some_more() -> None:
        filled.clear()
        await asyncio.wait_for(filled.wait(), 60)

    async with serving(chain, 0.03) as server:
        with ExitStack() as stack:
            first = stack.enter_context(dask(*scheduler(port)))
            workers = [stack.enter_context(dask(*worker(port))) for _ in range(3)]
            work = asyncio.create_task(
                backfill_on(
                    Place.parse(f"tcp://127.0.0.1:{port}"),
                    settings(event_url, server.url),
                    0,
                    FINAL,
                    progress=progress,
                )
            )
            await some_more()
            workers[0].kill()
            await some_more()
            first.kill()
            first.wait()
            at = len(updates)
            stack.enter_context(dask(*scheduler(port)))
            stack.enter_context(dask(*worker(port)))
            await some_more()
            assert 2 <= at < 20
            logs = await asyncio.wait_for(work, 90)
    assert logs >= await alone(other_url, chain)
    assert await rows_of(event_url) == await rows_of(other_url)


@pytest.mark.parametrize(
    "text", ["local", "local:0", "local:x", "tcp:", "tcp://", "http://host:1", "local:-1"]
)
def test_other_places_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--cluster"):
        Place.parse(text)


async def test_an_embedded_database_is_for_local_workers_only() -> None:
    embedded = Settings(path=Path("indexer.toml"), chains=world.settings("postgresql://h/d").chains)
    with pytest.raises(ConfigError, match="embedded"):
        await backfill_on(Place.parse("tcp://127.0.0.1:1"), embedded, 0, 1)


async def _seconds(url: str, workers: int) -> float:
    """How long so many workers fill ranges on an endpoint 50 ms away, from the first range that came back to the last."""
    chain = grown(31, 3064)
    at: list[tuple[float, int]] = []
    async with serving(chain, 0.05) as server:
        await backfill_on(
            Place(workers=workers),
            settings(url, server.url),
            0,
            2999,
            progress=lambda update: at.append((time.monotonic(), update.current)),
        )
    # Every worker opens what it needs with its first range.
    (began, before), (ended, after) = at[workers], at[-workers]
    return (ended - began) / (after - before) * 3000


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_two_workers_on_a_slow_endpoint_are_faster_than_one(event_url: str, other_url: str) -> None:
    one, two = await _seconds(event_url, 1), await _seconds(other_url, 2)
    print(f"one worker {one:.1f} s, two {two:.1f} s, ratio {one / two:.2f}")  # noqa: T201 - the figure asked for
    # 1.7 is what is wanted of a machine that does nothing else; other work on both cores takes some of it.
    assert one / two >= 1.1
    assert await rows_of(event_url) == await rows_of(other_url)
