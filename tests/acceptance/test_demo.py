"""``indexer demo`` as a stranger runs it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

pytestmark = pytest.mark.timeout(170)


@contextlib.asynccontextmanager
async def demo(*options: str, tmp: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running demo, ended if the test did not see to that."""
    environment = {**os.environ, "TMPDIR": str(tmp)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "indexer", "demo", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        limit=1 << 22,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 30)
        if process.returncode is None:
            process.kill()
            await process.wait()


async def document(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 150)
    assert line, "the demo ended without a word"
    return json.loads(line)


def answers(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - the demo's own address
        return int(response.status)


@pytest.fixture
def tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary directory whose path is short enough for a socket."""
    return tmp_path_factory.mktemp("d")


async def test_twenty_seconds_end_with_a_database_that_agrees_with_the_chain(tmp: Path):
    async with demo("--duration", "20", "--json", tmp=tmp) as process:
        where = await document(process)
        assert {"rpc", "database", "http"} <= set(where)
        assert await asyncio.to_thread(answers, where["http"] + "/livez") == 200
        connection = await asyncpg.connect(where["database"])
        try:
            deadline = asyncio.get_running_loop().time() + 60
            while not await connection.fetchval("SELECT count(*) FROM event.erc20_transfer"):
                assert asyncio.get_running_loop().time() < deadline, "no rows in SQL after a minute"
                await asyncio.sleep(0.2)
        finally:
            await connection.close()
        summary = await document(process)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    assert summary["ok"], summary["problems"]
    assert summary["verified"]["different"] == 0
    assert summary["verified"]["logs"] == sum(summary["rows"].values()) + summary["undecoded"] > 500
    assert len(summary["reorgs_undone"]) >= 1
    assert summary["upgrades"] >= 1
    assert summary["addresses_discovered"] > 10
    assert os.listdir(tmp) == []  # noqa: PTH208 - a path function would be refused in a coroutine, "the demo left something behind"


async def test_sigterm_ends_it_and_leaves_nothing_behind(tmp: Path):
    async with demo("--json", "--history-blocks", "60", "--block-seconds", "0.2", tmp=tmp) as process:
        where = await document(process)
        port = int(where["rpc"].rpartition(":")[2])
        process.send_signal(signal.SIGTERM)
        summary = await document(process)
        assert summary["verified"] is None
        assert await asyncio.wait_for(process.wait(), 20) == 0
    with pytest.raises(OSError):  # noqa: PT011 - refused: nobody listens any more
        await asyncio.open_connection("127.0.0.1", port)
    assert os.listdir(tmp) == []  # noqa: PTH208 - a path function would be refused in a coroutine


async def test_a_data_directory_stays_and_has_to_be_new(tmp: Path):
    kept = tmp / "kept"
    options = ("--json", "--history-blocks", "50", "--duration", "1", "--data-dir", str(kept))
    async with demo(*options, tmp=tmp) as process:
        await document(process)
        assert (await document(process))["ok"]
        assert await asyncio.wait_for(process.wait(), 30) == 0
    assert (kept / "indexer.toml").is_file()
    assert (kept / "data").is_dir()
    async with demo(*options, tmp=tmp) as process:
        assert await asyncio.wait_for(process.wait(), 60) == 2
