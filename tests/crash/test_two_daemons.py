"""Two daemons on one chain and one database: one writes, the other stands by, and who lost the lease writes no more."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from pathlib import Path

import asyncpg
import pytest
import world
from daemon import PATIENCE_SECONDS, Daemon, Line, holds, write_config
from digests import rows_of
from living import grown, living

from indexer.testing.rpc_server import serving

LEASE_SECONDS = 1.0


async def lease_of(url: str) -> tuple[str, int]:
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow("SELECT holder, epoch FROM sync.lease")
        return row["holder"], row["epoch"]
    finally:
        await connection.close()


def is_follow(line: Line) -> bool:
    return line["mode"] == "follow"


async def pause_and_wake(url: str, other: str, folder: Path, seed: int, rounds: int) -> None:
    """Time and again the writer is paused past its lease, the standby takes over, and the sleeper wakes up."""
    rng = random.Random(seed)
    chain = grown(seed, 100)
    async with serving(chain) as server:
        write_config(folder, [server.url], world.contracts(), database=url, lease_seconds=LEASE_SECONDS)
        with Daemon(folder, "run") as first:
            await first.says("committed", 1)
            with Daemon(folder, "run") as second:
                (standing,) = await second.says("standing by")
                assert standing["holder"] == (await lease_of(url))[0]
                async with living(chain, rng) as depths:
                    writer, standby = first, second
                    for _ in range(rounds):
                        await asyncio.sleep(rng.random() * 0.2)
                        holder, epoch = await lease_of(url)
                        if f":{writer.pid}:" not in holder:  # a busy machine made it lose the lease by itself
                            writer, standby = standby, writer
                        done = len(standby.lines("committed"))
                        writer.signal(signal.SIGSTOP)
                        await standby.says("committed", done + 3)
                        taken, later = await lease_of(url)
                        assert taken != holder
                        assert later == epoch + 1
                        slept = len(writer.lines("committed"))
                        stood_by = len(writer.lines("standing by"))
                        writer.signal(signal.SIGCONT)
                        await writer.says("standing by", stood_by + 1)
                        # What it committed before it was paused may be logged after; nothing that it did later is in.
                        assert len(writer.lines("committed")) - slept <= 1
                        assert await lease_of(url) == (taken, later)
                        writer, standby = standby, writer
                assert depths
                await writer.stops()
                await standby.stops()
        with Daemon(folder, "run", "--until", "head") as last:
            assert await last.ends() == 0
    await world.check(url, chain)
    await world.run(world.settings(other), chain)
    assert await rows_of(url) == await rows_of(other)


async def test_a_paused_writer_finds_the_lease_taken(event_url: str, other_url: str, tmp_path: Path) -> None:
    await pause_and_wake(event_url, other_url, tmp_path, seed=1, rounds=4)


async def commit_is_under_way(connection: asyncpg.Connection) -> bool:
    """Whether a session of this database is inside a commit (which holds an advisory lock of its chain)."""
    return await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )


async def pause_inside_a_commit(daemon: Daemon, url: str) -> None:
    """SIGSTOP at a moment when the daemon has a transaction open, however many tries it takes."""
    connection = await asyncpg.connect(url)
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while time.monotonic() < deadline:
            if not await commit_is_under_way(connection):
                continue
            daemon.signal(signal.SIGSTOP)
            await asyncio.sleep(0.02)  # what it had sent is done by now
            if await commit_is_under_way(connection):
                return
            daemon.signal(signal.SIGCONT)
        raise AssertionError("it was never caught inside a commit")
    finally:
        await connection.close()


async def test_a_writer_paused_inside_a_commit(event_url: str, tmp_path: Path) -> None:
    """The standby ends the open transaction; the sleeper's COMMIT comes to nothing."""
    rng = random.Random(12)
    chain = grown(12, 100)
    async with serving(chain) as server:
        write_config(
            tmp_path,
            [server.url],
            world.contracts(),
            database=event_url,
            lease_seconds=LEASE_SECONDS,
            max_range_blocks=1,
        )
        with Daemon(tmp_path, "run") as writer:
            await writer.says("committed", 3)
            with Daemon(tmp_path, "run") as standby:
                await standby.says("standing by")
                async with living(chain, rng, pause=0.02):
                    await pause_inside_a_commit(writer, event_url)
                    await standby.says("committed", 3)
                    before = len(writer.lines("committed"))
                    lease = await lease_of(event_url)
                    writer.signal(signal.SIGCONT)
                    await writer.says("standing by")
                    assert len(writer.lines("committed")) == before
                    assert await lease_of(event_url) == lease
                chain.mine(world.random_logs(rng))
                await standby.says("committed", where=lambda line: line["last"] == chain.head.number)
                await writer.stops()
                await standby.stops()
    await world.check(event_url, chain)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(2, 6))
async def test_writers_paused_many_times(seed: int, event_url: str, other_url: str, tmp_path: Path) -> None:
    await pause_and_wake(event_url, other_url, tmp_path, seed, rounds=25)


async def test_a_killed_writers_lease_runs_out_and_the_standby_goes_on(
    event_url: str, tmp_path: Path
) -> None:
    chain = grown(7, 100)
    async with serving(chain) as server:
        write_config(
            tmp_path, [server.url], world.contracts(), database=event_url, lease_seconds=LEASE_SECONDS
        )
        with Daemon(tmp_path, "run") as first, Daemon(tmp_path, "run") as second:
            await holds(
                lambda: bool(first.lines("standing by") or second.lines("standing by")), "one stands by"
            )
            writer, standby = (first, second) if second.lines("standing by") else (second, first)
            await writer.says("committed", 1)
            assert standby.lines("committed") == []
            writer.kill()
            for _ in range(5):
                chain.mine(world.random_logs(random.Random(8)))
            await standby.says("committed", where=lambda line: line["last"] == chain.head.number)
            await standby.stops()
    await world.check(event_url, chain)


async def test_a_writer_that_stops_hands_over_at_once(event_url: str, tmp_path: Path) -> None:
    chain = grown(9, 100)
    async with serving(chain) as server:
        write_config(tmp_path, [server.url], world.contracts(), database=event_url, lease_seconds=60.0)
        with Daemon(tmp_path, "run") as first:
            await first.says("committed", 1)
            with Daemon(tmp_path, "run") as second:
                await second.says("standing by")
                await first.stops()
                chain.mine(world.random_logs(random.Random(10)))
                await second.says("committed", where=lambda line: line["last"] == chain.head.number)
                await second.stops()
    await world.check(event_url, chain)


@pytest.mark.parametrize(
    "command",
    [("rewind", "--to-block", "50", "--yes"), ("backfill",), ("redecode",), ("rebuild",)],
    ids=" ".join,
)
async def test_commands_that_write_name_who_holds_the_lease(
    command: tuple[str, ...], event_url: str, tmp_path: Path
) -> None:
    chain = grown(11, 100)
    async with serving(chain) as server:
        write_config(tmp_path, [server.url], world.contracts(), database=event_url, lease_seconds=60.0)
        with Daemon(tmp_path, "run") as writer:
            await writer.says("committed", where=lambda line: line["last"] == chain.head.number)
            holder, epoch = await lease_of(event_url)
            with Daemon(tmp_path, *command) as refused:
                assert await refused.ends() == 1
                assert holder in refused.text
            assert await lease_of(event_url) == (holder, epoch)
            await world.check(event_url, chain)
            await writer.stops()
