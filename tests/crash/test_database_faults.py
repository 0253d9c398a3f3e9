"""The database ends sessions, restarts and crashes under a running daemon: it goes on by itself, in the right rows.

(A COMMIT whose outcome is lost on the way is in ``tests/unit/store/test_outcome.py``.)
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import world
from daemon import Daemon, write_config
from digests import rows_of
from living import grown, living

from indexer.store.embedded import EmbeddedServer
from indexer.testing.rpc_server import serving

LONGEST_WAIT_SECONDS = 15.0
"""Until somebody is at work; between lease periods nobody is."""

_END_SESSIONS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND (state <> 'idle' OR $1)
"""


async def end_sessions(url: str, rng: random.Random, times: int) -> tuple[int, int]:
    """Terminate the daemon's backends at random instants: all of them, or those that are at work at the next moment.

    Returns how many were ended, and how many of them were at work.
    """
    connection = await asyncpg.connect(url)
    ended = working = 0
    try:
        for turn in range(times):
            await asyncio.sleep(rng.random() * 0.15)
            if turn % 3 == 0:
                ended += await connection.fetchval(_END_SESSIONS, True)
                continue
            end = time.monotonic() + LONGEST_WAIT_SECONDS
            found = 0
            while not found and time.monotonic() < end:
                found = await connection.fetchval(_END_SESSIONS, False)
            ended += found
            working += found
    finally:
        await connection.close()
    return ended, working


async def sessions_end(url: str, other: str, folder: Path, seed: int, times: int) -> None:
    rng = random.Random(seed)
    chain = grown(seed, 400)
    async with serving(chain) as server:
        write_config(folder, [server.url], world.contracts(), database=url, max_range_blocks=2)
        with Daemon(folder, "run") as daemon:
            await daemon.says("committed")
            ended, working = await end_sessions(url, rng, times)
            assert ended >= times // 2
            assert working
            async with living(chain, rng):
                await daemon.says("committed", 3, where=lambda line: line["mode"] == "follow")
                _, working = await end_sessions(url, rng, times)
                assert working
            chain.mine(world.random_logs(rng))
            await daemon.says("committed", where=lambda line: line["last"] == chain.head.number)
            assert daemon.lines("database unavailable")
            assert "Traceback" not in daemon.text
            await daemon.stops()
    await world.check(url, chain)
    await world.run(world.settings(other), chain)
    assert await rows_of(url) == await rows_of(other)


async def test_sessions_ended_in_the_middle_of_commits(
    event_url: str, other_url: str, tmp_path: Path
) -> None:
    await sessions_end(event_url, other_url, tmp_path, seed=1, times=5)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(2, 8))
async def test_sessions_ended_again_and_again(
    seed: int, event_url: str, other_url: str, tmp_path: Path
) -> None:
    await sessions_end(event_url, other_url, tmp_path, seed, times=30)


@pytest.fixture
def own_server(open_path: Path) -> Iterator[EmbeddedServer]:
    """A PostgreSQL of this test alone, to be stopped and killed at will."""
    server = EmbeddedServer(open_path)
    server.start()
    yield server
    server.stop()


def crash(server: EmbeddedServer) -> None:
    """SIGKILL to the server's main process, and a start that has to recover."""
    main = int((server.pgdata / "postmaster.pid").read_text("ascii").split()[0])
    os.kill(main, signal.SIGKILL)
    while Path(f"/proc/{main}").exists() or server._answers():
        time.sleep(0.01)
    server.start()


def restart(server: EmbeddedServer) -> None:
    """A quick, orderly restart, as an upgrade does it."""
    server.stop()
    server.start()


async def test_the_server_restarts_and_crashes_while_following(
    own_server: EmbeddedServer, other_url: str, tmp_path: Path
) -> None:
    rng = random.Random(9)
    chain = grown(9, 100)
    url = own_server.url()
    async with serving(chain) as server:
        write_config(tmp_path, [server.url], world.contracts(), database=url)
        with Daemon(tmp_path, "run") as daemon:
            await daemon.says("committed", where=lambda line: line["mode"] == "follow")
            async with living(chain, rng):
                for fault in (restart, crash):
                    done = len(daemon.lines("committed"))
                    await daemon.says("committed", done + 2)
                    gone = len(daemon.lines("database unavailable"))
                    await asyncio.to_thread(fault, own_server)
                    await daemon.says("database unavailable", gone + 1)
                    done = len(daemon.lines("committed"))
                    await daemon.says("committed", done + 2)
            chain.mine(world.random_logs(rng))
            await daemon.says("committed", where=lambda line: line["last"] == chain.head.number)
            await daemon.stops()
    await world.check(url, chain)
    await world.run(world.settings(other_url), chain)
    assert await rows_of(url) == await rows_of(other_url)
