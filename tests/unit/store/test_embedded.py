from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from scratch import scratch_folder

from indexer.config import DatabaseSettings
from indexer.errors import ConfigError
from indexer.store.embedded import EmbeddedServer
from indexer.store.store import Store

OWNER = """
import sys, time
from pathlib import Path
from indexer.store.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]), options={"fsync": "off"})
server.start()
print(server.url(), flush=True)
sys.stdin.read()
server.stop()
print("stopped", flush=True)
"""


@pytest.fixture
def folder():
    made = scratch_folder("ix-")
    yield made
    server = EmbeddedServer(made)
    if (server.pgdata / "postmaster.pid").exists():
        server.start()
        server.stop()
    shutil.rmtree(made)


def running(folder: Path) -> bool:
    return (folder / "postgres" / "postmaster.pid").exists()


def owner(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def end(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=60)


async def answer(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT 41 + 1")
    finally:
        await connection.close()


def test_several_processes_share_one_server_and_the_last_stops_it(folder):
    first, second = owner(folder), owner(folder)
    urls = [process.stdout.readline().strip() for process in (first, second)]
    assert urls[0] == urls[1]
    mine = EmbeddedServer(folder)
    mine.start()
    mine.start()  # twice by one process does no harm
    end(first)
    assert asyncio.run(answer(mine.url())) == 42
    mine.stop()
    mine.stop()
    assert running(folder)
    assert asyncio.run(answer(urls[1])) == 42
    end(second)
    assert not running(folder)


def test_after_kill_9_of_the_owner_the_next_one_finds_the_server_or_starts_it(folder):
    process = owner(folder)
    url = process.stdout.readline().strip()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert running(folder)
    mine = EmbeddedServer(folder)
    mine.start()
    assert mine.url() == url
    assert asyncio.run(answer(mine.url())) == 42

    postmaster = int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)  # the server itself: its lock file stays behind
    process = owner(folder)
    assert process.stdout.readline().strip() == url
    assert asyncio.run(answer(url)) == 42
    end(process)
    mine.stop()
    assert not running(folder)


def test_a_lock_file_whose_number_another_process_has_now_is_no_server(folder):
    server = EmbeddedServer(folder, options={"fsync": "off"})
    server.start()
    left_behind = (server.pgdata / "postmaster.pid").read_text().splitlines()
    server.stop()
    left_behind[0] = str(os.getpid())
    (server.pgdata / "postmaster.pid").write_text("\n".join(left_behind) + "\n")
    server.start()
    assert asyncio.run(answer(server.url())) == 42
    server.stop()


def test_a_half_made_data_directory_is_made_anew_and_long_or_odd_paths_work(folder):
    deep = folder / "a folder's é name" / ("x" * 100)
    (deep / "postgres.new").mkdir(parents=True)
    (deep / "postgres.new" / "PG_VERSION").write_text("half")
    server = EmbeddedServer(deep, options={"fsync": "off"})
    server.start()
    assert asyncio.run(answer(server.url())) == 42
    server.stop()
    assert not (deep / "postgres.new").exists()


def test_a_directory_of_another_version_is_refused(folder):
    (folder / "postgres").mkdir()
    (folder / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ConfigError, match="made by PostgreSQL 9"):
        EmbeddedServer(folder).start()


def test_a_data_dir_that_cannot_be_made_is_refused(folder):
    (folder / "file").write_text("")
    with pytest.raises(ConfigError, match="data_dir"):
        EmbeddedServer(folder / "file" / "below").start()


async def test_a_store_without_url_brings_its_own_server_and_keeps_what_was_written(folder):
    settings = DatabaseSettings(data_dir=folder)
    store = await Store.open(settings)
    assert "0001_sync" in await store.migrate()
    beside = await Store.open(settings)
    await store.register_chain(5, "kept")
    assert (await beside.chain_state(5)).name == "kept"
    await store.close()
    await store.close()
    assert (await beside.chain_state(5)).name == "kept"
    await beside.close()
    assert not running(folder)
    again = await Store.open(settings)
    assert (await again.chain_state(5)).name == "kept"
    await again.close()
