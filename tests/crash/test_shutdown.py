"""SIGTERM, whatever the daemon is at: it ends with 0 within ten seconds, and the next start goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import world
from daemon import Daemon, holds, write_config
from living import grown

from indexer.store.embedded import EmbeddedServer
from indexer.testing.rpc_server import serving

LIMIT_SECONDS = 10.0


@contextmanager
def stopped(server: EmbeddedServer) -> Iterator[None]:
    """Every process of a server stopped in its tracks: connections stand, nothing answers."""
    main = (server.pgdata / "postmaster.pid").read_text("ascii").split()[0]
    listed = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in listed.splitlines()]
    family = [int(main), *(int(pid) for pid, parent in pairs if parent == main)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            with suppress(ProcessLookupError):  # a session that its client left may be gone by then
                os.kill(pid, signal.SIGCONT)


@pytest.fixture
def own_server(open_path: Path) -> Iterator[EmbeddedServer]:
    """A PostgreSQL of this test alone, to be stopped at will."""
    server = EmbeddedServer(open_path, options={"fsync": "off"})
    server.start()
    yield server
    server.stop()


async def goes_on(folder: Path, url: str, chain) -> None:
    with Daemon(folder, "run", "--until", "head") as again:
        assert await again.ends() == 0
    await world.check(url, chain)


async def test_in_a_backfill(event_url: str, tmp_path: Path) -> None:
    chain = grown(1, 1000)
    async with serving(chain) as server:
        write_config(tmp_path, [server.url], world.contracts(), database=event_url, max_range_blocks=2)
        with Daemon(tmp_path, "run") as daemon:
            await daemon.says("committed", 3)
            await daemon.stops(LIMIT_SECONDS)
            (*_, newest) = daemon.lines("committed")
            assert newest["last"] < chain.head.number - 64
        await goes_on(tmp_path, event_url, chain)


async def test_while_following_twice_in_a_row(event_url: str, tmp_path: Path) -> None:
    chain = grown(2, 100)
    async with serving(chain) as server:
        write_config(tmp_path, [server.ws_url], world.contracts(), database=event_url)
        with Daemon(tmp_path, "run") as daemon:
            await daemon.says("committed", where=lambda line: line["last"] == chain.head.number)
            daemon.signal(signal.SIGTERM)
            await daemon.stops(LIMIT_SECONDS)
        await goes_on(tmp_path, event_url, chain)


async def test_by_control_c(event_url: str, tmp_path: Path) -> None:
    chain = grown(3, 100)
    async with serving(chain) as server:
        write_config(tmp_path, [server.url], world.contracts(), database=event_url)
        with Daemon(tmp_path, "run") as daemon:
            await daemon.says("committed", 1)
            daemon.signal(signal.SIGINT)
            assert await daemon.ends(LIMIT_SECONDS) == 0


async def test_while_standing_by(event_url: str, tmp_path: Path) -> None:
    chain = grown(4, 100)
    async with serving(chain) as server:
        write_config(tmp_path, [server.url], world.contracts(), database=event_url, lease_seconds=60.0)
        with Daemon(tmp_path, "run") as writer:
            await writer.says("committed", 1)
            with Daemon(tmp_path, "run") as standby:
                await standby.says("standing by")
                await standby.stops(LIMIT_SECONDS)
            await writer.stops(LIMIT_SECONDS)


@pytest.mark.parametrize("phase", ["backfill", "follow"])
async def test_while_the_rpc_hangs(phase: str, event_url: str, tmp_path: Path) -> None:
    chain = grown(5, 1000 if phase == "backfill" else 100)
    async with serving(chain) as server:
        write_config(
            tmp_path,
            [server.url],
            world.contracts(),
            database=event_url,
            timeout_seconds=30.0,
            max_range_blocks=2,
        )
        with Daemon(tmp_path, "run") as daemon:
            await daemon.says("committed", where=lambda line: line["mode"] == phase)
            with server.lying("no_answer"):
                chain.mine(())
                await holds(lambda: "no_answer" in server.told, "a request hangs")
                await daemon.stops(LIMIT_SECONDS)


async def test_while_the_rpc_hangs_from_the_start(event_url: str, tmp_path: Path) -> None:
    chain = grown(6, 100)
    async with serving(chain, "no_answer") as server:
        write_config(tmp_path, [server.url], world.contracts(), database=event_url, timeout_seconds=30.0)
        with Daemon(tmp_path, "run") as daemon:
            await holds(lambda: "no_answer" in server.told, "a request hangs")
            await daemon.stops(LIMIT_SECONDS)


async def test_while_the_rpc_refuses_connections(event_url: str, tmp_path: Path) -> None:
    write_config(tmp_path, ["http://127.0.0.1:1/"], world.contracts(), database=event_url)
    with Daemon(tmp_path, "run") as daemon:
        await daemon.says("chain unreachable")
        await daemon.stops(LIMIT_SECONDS)


@pytest.mark.parametrize("phase", ["backfill", "follow"])
async def test_while_the_database_is_away(phase: str, own_server: EmbeddedServer, tmp_path: Path) -> None:
    chain = grown(7, 1000 if phase == "backfill" else 100)
    async with serving(chain) as server:
        write_config(tmp_path, [server.url], world.contracts(), database=own_server.url(), max_range_blocks=2)
        with Daemon(tmp_path, "run") as daemon:
            await daemon.says("committed", where=lambda line: line["mode"] == phase)
            await asyncio.to_thread(own_server.stop)
            chain.mine([world.erc20_transfer(world.ZERO, world.account(1), 1)])
            await daemon.says("database unavailable")
            await daemon.stops(LIMIT_SECONDS)
        await asyncio.to_thread(own_server.start)
        await goes_on(tmp_path, own_server.url(), chain)


@pytest.mark.parametrize("phase", ["backfill", "follow"])
async def test_while_the_database_hangs(phase: str, own_server: EmbeddedServer, tmp_path: Path) -> None:
    """Every process of the server is stopped in its tracks: connections stand, nothing answers."""
    chain = grown(8, 1000 if phase == "backfill" else 100)
    async with serving(chain) as server:
        write_config(tmp_path, [server.url], world.contracts(), database=own_server.url(), max_range_blocks=2)
        with Daemon(tmp_path, "run") as daemon:
            await daemon.says("committed", where=lambda line: line["mode"] == phase)
            with stopped(own_server):
                chain.mine(())
                await asyncio.sleep(0.5)
                await daemon.stops(LIMIT_SECONDS)
        await goes_on(tmp_path, own_server.url(), chain)
