"""``indexer demo`` as a stranger runs it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, Any

import asyncpg
import pytest
from deploy_expressions import NOT_OURS, exported_names, expressions, metric_names
from scratch import scratch_folder

pytestmark = pytest.mark.timeout(170)


class Demo:
    """A running demo: its two JSON documents, its exit code, and what it logged when that is not the wanted one."""

    def __init__(self, process: asyncio.subprocess.Process, log: IO[bytes]) -> None:
        self.process = process
        self._log = log

    async def document(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 150)
        assert line, f"the demo ended without a word: {self.said()}"
        return json.loads(line)

    async def ends_with(self, code: int, within_seconds: float) -> None:
        found = await asyncio.wait_for(self.process.wait(), within_seconds)
        assert found == code, self.said()

    def said(self) -> str:
        self._log.seek(0)
        return self._log.read()[-3000:].decode("utf-8", "replace")


@contextlib.asynccontextmanager
async def demo(*options: str, tmp: Path) -> AsyncIterator[Demo]:
    """A running demo, ended if the test did not see to that."""
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "indexer", "demo", *options),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**os.environ, "TMPDIR": str(tmp)},
            limit=1 << 22,
        )
        try:
            yield Demo(process, log)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 30)
            if process.returncode is None:
                process.kill()
                await process.wait()


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - the demo's own address
        return str(response.read().decode())


def answers(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - the demo's own address
        return int(response.status)


@pytest.fixture
def tmp() -> Iterator[Path]:
    """A temporary directory. Not pytest's: that one is closed to PostgreSQL's user whenever another pytest starts."""
    folder = scratch_folder("demo-test-")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_twenty_seconds_end_with_a_database_that_agrees_with_the_chain(tmp: Path):
    async with demo("--duration", "20", "--json", tmp=tmp) as running:
        where = await running.document()
        assert {"rpc", "database", "http"} <= set(where)
        assert await asyncio.to_thread(answers, where["http"] + "/livez") == 200
        exported = exported_names(await asyncio.to_thread(page, where["http"] + "/metrics"))
        for place, expression in expressions():
            missing = metric_names(expression) - exported - NOT_OURS
            assert not missing, f"{place} asks for {missing}, which the demo's /metrics has not"
        connection = await asyncpg.connect(where["database"])
        try:
            deadline = asyncio.get_running_loop().time() + 60
            while not await connection.fetchval("SELECT count(*) FROM event.erc20_transfer"):
                assert asyncio.get_running_loop().time() < deadline, "no rows in SQL after a minute"
                await asyncio.sleep(0.2)
        finally:
            await connection.close()
        summary = await running.document()
        await running.ends_with(0, within_seconds=30)
    assert summary["ok"], summary["problems"]
    assert summary["verified"]["different"] == 0
    assert summary["verified"]["logs"] == sum(summary["rows"].values()) + summary["undecoded"] > 500
    assert len(summary["reorgs_undone"]) >= 1
    assert summary["upgrades"] >= 1
    assert summary["addresses_discovered"] > 10
    assert os.listdir(tmp) == []  # noqa: PTH208 - a path function would be refused in a coroutine, "the demo left something behind"


async def test_sigterm_ends_it_and_leaves_nothing_behind(tmp: Path):
    async with demo("--json", "--history-blocks", "60", "--block-seconds", "0.2", tmp=tmp) as running:
        where = await running.document()
        port = int(where["rpc"].rpartition(":")[2])
        running.process.send_signal(signal.SIGTERM)
        summary = await running.document()
        assert summary["verified"] is None
        await running.ends_with(0, within_seconds=20)
    with pytest.raises(OSError):  # noqa: PT011 - refused: nobody listens any more
        await asyncio.open_connection("127.0.0.1", port)
    assert os.listdir(tmp) == []  # noqa: PTH208 - a path function would be refused in a coroutine


async def test_a_data_directory_stays_and_has_to_be_new(tmp: Path):
    kept = tmp / "kept"
    options = ("--json", "--history-blocks", "50", "--duration", "1", "--data-dir", str(kept))
    async with demo(*options, tmp=tmp) as running:
        await running.document()
        assert (await running.document())["ok"]
        await running.ends_with(0, within_seconds=30)
    assert (kept / "indexer.toml").is_file()
    assert (kept / "data").is_dir()
    async with demo(*options, tmp=tmp) as running:
        await running.ends_with(2, within_seconds=60)
