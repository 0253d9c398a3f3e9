"""SIGKILL at random instants, again and again: the next start goes on by itself and ends in the same rows."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import asyncpg
import pytest
import world
from daemon import Daemon, holds, write_config
from digests import rows_of
from living import grown, living

from indexer.store.embedded import EmbeddedServer
from indexer.testing.rpc_server import serving


async def tip_of(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT coalesce(max(tip_number), -1) FROM sync.chain")
    finally:
        await connection.close()


async def kill_while_backfilling(url: str, other: str, folder: Path, seed: int, kills: int) -> None:
    rng = random.Random(seed)
    chain = grown(seed, 64 + 200 * kills)
    tips = [-1]
    async with serving(chain) as server:
        write_config(folder, [server.url], world.contracts(), database=url, max_range_blocks=2)
        for _ in range(kills):
            with Daemon(folder, "run") as daemon:
                await daemon.says("committed", rng.randrange(1, 12))
                await asyncio.sleep(rng.random() * 0.03)
                daemon.kill()
            tips.append(await tip_of(url))
        assert tips == sorted(tips)
        assert tips[-2] < chain.head.number - 64, "the kills came too late to be in the backfill"
        with Daemon(folder, "run", "--until", "head") as daemon:
            assert await daemon.ends() == 0
    await world.check(url, chain)
    await world.run(world.settings(other), chain)
    assert await rows_of(url) == await rows_of(other)


async def kill_while_following(url: str, other: str, folder: Path, seed: int, kills: int) -> None:
    rng = random.Random(seed)
    chain = grown(seed, 100)
    async with serving(chain) as server:
        write_config(folder, [server.ws_url, server.url], world.contracts(), database=url)
        async with living(chain, rng) as depths:
            for _ in range(kills):
                with Daemon(folder, "run") as daemon:
                    await daemon.says(
                        "committed", rng.randrange(1, 12), where=lambda line: line["mode"] == "follow"
                    )
                    await asyncio.sleep(rng.random() * 0.1)
                    daemon.kill()
        with Daemon(folder, "run", "--until", "head") as daemon:
            assert await daemon.ends() == 0
    assert len(depths) >= kills
    await world.check(url, chain)
    await world.run(world.settings(other), chain)
    assert await rows_of(url) == await rows_of(other)


async def test_kills_while_backfilling(event_url: str, other_url: str, tmp_path: Path) -> None:
    await kill_while_backfilling(event_url, other_url, tmp_path, seed=1, kills=5)


async def test_kills_while_following_a_chain_with_reorgs(
    event_url: str, other_url: str, tmp_path: Path
) -> None:
    await kill_while_following(event_url, other_url, tmp_path, seed=2, kills=5)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(10, 15))
async def test_many_kills_while_backfilling(
    seed: int, event_url: str, other_url: str, tmp_path: Path
) -> None:
    await kill_while_backfilling(event_url, other_url, tmp_path, seed, kills=20)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(20, 25))
async def test_many_kills_while_following(seed: int, event_url: str, other_url: str, tmp_path: Path) -> None:
    await kill_while_following(event_url, other_url, tmp_path, seed, kills=20)


def postmaster(folder: Path) -> int | None:
    """The process id of the embedded server, while its file is there."""
    path = folder / ".indexer" / "postgres" / "postmaster.pid"
    return int(path.read_text("ascii").split()[0]) if path.exists() else None


async def test_kills_with_the_embedded_database_also_of_the_server(open_path: Path) -> None:
    """As a stranger runs it: nothing configured, killed while it sets itself up, while it works, with its server."""
    chain = grown(3, 700)
    rng = random.Random(3)
    async with serving(chain) as server:
        write_config(open_path, [server.url], world.contracts(), max_range_blocks=3)
        with Daemon(open_path, "run") as daemon:
            await holds((open_path / ".indexer").exists, "the data directory is made")
            await asyncio.sleep(rng.random())
            daemon.kill()
        with Daemon(open_path, "run") as daemon:
            await daemon.says("committed", 3)
            daemon.kill()
        left = postmaster(open_path)
        assert left is not None, "the server goes on without the daemon"
        with Daemon(open_path, "run") as daemon:
            await daemon.says("committed", 3)
            assert postmaster(open_path) == left, "the next daemon found the server"
            os.kill(left, signal.SIGKILL)
            daemon.kill()
        with Daemon(open_path, "run", "--until", "head") as daemon:
            assert await daemon.ends() == 0
        assert postmaster(open_path) is None, "who goes last stops the server"
    embedded = EmbeddedServer(open_path / ".indexer")
    await asyncio.to_thread(embedded.start)
    try:
        await world.check(embedded.url("indexer"), chain)
    finally:
        await asyncio.to_thread(embedded.stop)
