"""Runs a demo from beginning to end: anvil, contracts, history, the daemon, traffic, the proof, and away with it all."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer import app
from indexer.config import load_settings
from indexer.demo.anvil import CHAIN_ID, USUAL_PORT, Anvil, AnvilClient, AnvilOptions, free_port
from indexer.demo.books import Books, Counts
from indexer.demo.deploy import Deployment, deploy
from indexer.demo.display import Display
from indexer.demo.summary import Summary
from indexer.demo.tools import Tools, prepare
from indexer.demo.traffic import REORG_EVERY_BLOCKS, Traffic
from indexer.demo.verify import Verdict, verify
from indexer.demo.workspace import workspace, write_config
from indexer.errors import ConfigError, IndexerError

USUAL_HTTP_PORT = 8080
SLOTS = 16
"""``finalized`` is 32 blocks behind the head then: below the deepest reorg that traffic makes."""

_READY_SECONDS = 120.0
_CATCH_UP_SECONDS = 60.0
_STOP_SECONDS = 15.0
_COUNT_EVERY_SECONDS = 2.0


class DemoFailed(IndexerError):
    """The daemon did not do what the demo is there to show."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What a demo is like.

    Without ``duration`` (seconds of live traffic) it goes on until it is stopped. ``block_seconds`` is the time from
    one block to the next, ``history_blocks`` how many there are before the daemon starts. With ``data_dir`` the
    database stays afterwards.
    """

    duration: float | None = None
    seed: int = 1
    block_seconds: float = 1.0
    history_blocks: int = 120
    data_dir: Path | None = None

    @property
    def reorg_every(self) -> int:
        """Live blocks between reorgs: so many that they come every six seconds, and at least three."""
        return max(3, round(REORG_EVERY_BLOCKS / self.block_seconds))


@dataclass(frozen=True, slots=True)
class _Stage:
    """Everything that is up."""

    options: DemoOptions
    display: Display
    client: AnvilClient
    anvil: Anvil
    made: Deployment
    traffic: Traffic
    stop: asyncio.Event


async def run_demo(options: DemoOptions, display: Display) -> Summary:
    """Run a demo; returns when its time is up or SIGINT or SIGTERM came, with everything taken down again.

    Raises:
        ToolFailed: anvil, npm or the compiler.
        DemoFailed: The daemon did not start, or did not reach the head.
        IndexerError: Whatever ended the daemon.
    """
    tools = await asyncio.to_thread(prepare, display.note)
    stop = asyncio.Event()
    with (
        _signals(stop),
        workspace(options.data_dir) as folder,
        display,
        Anvil(tools.anvil, AnvilOptions(slots=SLOTS), USUAL_PORT) as anvil,
    ):
        async with AnvilClient(anvil.url) as client:
            stage = await _prepared(options, display, client, anvil, tools, stop)
            return await _with_daemon(stage, folder)


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """The first SIGINT or SIGTERM asks for the end, a second one does not wait for it."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def asked() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _prepared(
    options: DemoOptions,
    display: Display,
    client: AnvilClient,
    anvil: Anvil,
    tools: Tools,
    stop: asyncio.Event,
) -> _Stage:
    display.note("deploying a diamond, its facets, tokens and factories")
    made = await deploy(client, tools.artifacts)
    traffic = Traffic(client, made, options.seed, options.reorg_every)
    display.note(f"making {options.history_blocks} blocks of history")
    await traffic.history(options.history_blocks, stop.is_set)
    return _Stage(options, display, client, anvil, made, traffic, stop)


async def _with_daemon(stage: _Stage, folder: Path) -> Summary:
    """Start the daemon on what was deployed, go on, and end the daemon whatever happens."""
    listen = f"127.0.0.1:{free_port(USUAL_HTTP_PORT)}"
    config = write_config(folder, stage.anvil, stage.made, listen, CHAIN_ID)
    try:
        daemon, running = await _started(config)
    except ConfigError:
        if listen == f"127.0.0.1:{free_port(int(listen.rpartition(':')[2]))}":
            raise
        # Somebody took the port while the database was made ready.
        write_config(folder, stage.anvil, stage.made, "127.0.0.1:0", CHAIN_ID)
        daemon, running = await _started(config)
    try:
        stage.display.ready(
            {
                "rpc": stage.anvil.url,
                "database": running.database_url,
                "http": f"http://127.0.0.1:{running.http_port}",
                "config": str(config),
            }
        )
        return await _live(stage, daemon, running.database_url)
    finally:
        await _end(daemon)


async def _started(config: Path) -> tuple[asyncio.Task[None], app.Running]:
    """A daemon that is up; raises what kept it from that."""
    ready: asyncio.Future[app.Running] = asyncio.get_running_loop().create_future()

    def is_ready(running: app.Running) -> None:
        if not ready.done():
            ready.set_result(running)

    work = app.run(load_settings(config, {}), on_ready=is_ready, handle_signals=False)
    daemon = asyncio.create_task(work, name="daemon")
    try:
        either: set[asyncio.Future[Any]] = {daemon, ready}
        await asyncio.wait(either, timeout=_READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        await _end(daemon)
        raise
    if ready.done():
        return daemon, ready.result()
    _still_runs(daemon)
    await _end(daemon)
    raise DemoFailed(f"the daemon was not ready within {_READY_SECONDS:.0f} s")


async def _live(stage: _Stage, daemon: asyncio.Task[None], database_url: str) -> Summary:
    """Traffic until it is time, then the proof."""
    started = time.monotonic()
    duration = stage.options.duration
    async with Books(database_url, CHAIN_ID) as books:
        await _traffic(stage, daemon, books, started)
        verdict: Verdict | None = None
        if duration is not None and not stage.stop.is_set():
            stage.display.note("traffic ended; waiting for the daemon to reach the head")
            await _caught_up(stage, daemon, books)
            if not stage.stop.is_set():
                stage.display.note("comparing rows and balances with the chain")
                verdict = await verify(database_url, stage.anvil.url, stage.made, CHAIN_ID)
        seconds = time.monotonic() - started
        summary = Summary(
            seconds, stage.traffic.count, await books.standing(), await books.counts(), verdict, duration
        )
    stage.display.done(summary)
    return summary


async def _traffic(stage: _Stage, daemon: asyncio.Task[None], books: Books, started: float) -> None:
    """Blocks by the clock until the duration is over or somebody asked for the end."""
    options = stage.options
    counts, next_count, next_block = Counts(), 0.0, started
    while not stage.stop.is_set() and not _over(options.duration, started):
        _still_runs(daemon)
        reorg = await stage.traffic.step()
        if reorg is not None:
            stage.display.reorg(reorg)
        if time.monotonic() >= next_count:
            counts, next_count = await books.counts(), time.monotonic() + _COUNT_EVERY_SECONDS
        stage.display.update(stage.traffic.count, await books.standing(), counts)
        next_block = max(next_block + options.block_seconds, time.monotonic())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stage.stop.wait(), next_block - time.monotonic())


def _over(duration: float | None, started: float) -> bool:
    return duration is not None and time.monotonic() - started >= duration


async def _caught_up(stage: _Stage, daemon: asyncio.Task[None], books: Books) -> None:
    """Wait until the daemon's tip is the chain's newest block."""
    block = await stage.client.call("eth_getBlockByNumber", "latest", False)
    head = (int(block["number"], 16), bytes.fromhex(block["hash"][2:]))
    deadline = time.monotonic() + _CATCH_UP_SECONDS
    while not stage.stop.is_set():
        _still_runs(daemon)
        standing = await books.standing()
        if (standing.tip_number, standing.tip_hash) == head:
            return
        if time.monotonic() > deadline:
            raise DemoFailed(
                f"the daemon did not reach block {head[0]} within {_CATCH_UP_SECONDS:.0f} s; its tip is "
                f"{standing.tip_number}"
            )
        await asyncio.sleep(0.1)


def _still_runs(daemon: asyncio.Task[None]) -> None:
    """Raise what ended the daemon, if anything did."""
    if daemon.done():
        daemon.result()
        raise DemoFailed("the daemon ended by itself")


async def _end(daemon: asyncio.Task[None]) -> None:
    """Cancel the daemon and wait for it; what it raises on the way is told unless it was told already."""
    finished = daemon.done()
    daemon.cancel()
    _, waiting = await asyncio.wait({daemon}, timeout=_STOP_SECONDS)
    if waiting:
        raise DemoFailed(f"the daemon did not stop within {_STOP_SECONDS:.0f} s")
    if not finished and not daemon.cancelled():
        daemon.result()
