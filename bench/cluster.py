"""A back-fill on a cluster of local workers, as a user starts it, from an endpoint that is far away.

What counts is the time in which ranges are filled once every worker is at work: from the first ranges that come back (each
worker opens the database with its first one) to the last ones. The whole command's time, start-up included, is told beside it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
import asyncpg

from bench.daemon import time_of
from bench.engine import Scenario, check_rows, settings_text
from bench.replay_server import replay_server
from bench.report import Cluster, Workers
from bench.rpc import summary_of

LATENCY_MS = 50
RANGE_BLOCKS = 20
"""So narrow that waiting for the endpoint is most of the work."""

_TIMEOUT_SECONDS = 600


class Databases(Protocol):
    """Gives a fresh database for as long as it is entered."""

    def __call__(self) -> AbstractAsyncContextManager[str]:
        """Its URL."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """When a range came back, and its blocks."""

    at: float
    blocks: int


async def run(databases: Databases, blocks: int, counts: Sequence[int] = (1, 2)) -> Cluster:
    """Fill the same blocks with so many workers, each time into a fresh database.

    Raises ``RuntimeError`` when a back-fill fails or rows are missing.
    """
    served = (f"--latency-ms={LATENCY_MS}",)
    scenario = Scenario("erc20", 10 * blocks, 10, served, (f"max_range_blocks = {RANGE_BLOCKS}",))
    workers = []
    for count in counts:
        async with databases() as database_url:
            workers.append(await _measured(database_url, scenario, count))
    return Cluster(blocks, scenario.logs, LATENCY_MS, RANGE_BLOCKS, workers)


async def _measured(database_url: str, scenario: Scenario, workers: int) -> Workers:
    served = replay_server(scenario.load, scenario.logs, scenario.logs_per_block, *scenario.served)
    with served as url, tempfile.TemporaryDirectory() as folder:
        async with aiohttp.ClientSession() as http:
            before = await summary_of(http, url)
            path = Path(folder) / "indexer.toml"
            path.write_text(settings_text(url, database_url, before.first_block, scenario, Path(folder)))
            loop = asyncio.get_running_loop()
            began = loop.time()
            filled = await _backfill(path, before.first_block, before.last_block, workers)
            seconds = loop.time() - began
            after = await summary_of(http, url)
            database = await asyncpg.connect(database_url)
            try:
                await check_rows(database, after, scenario)
            finally:
                await database.close()
    return Workers(workers, _rate(filled, workers), seconds, after.requests - before.requests)


async def _backfill(configuration: Path, first: int, last: int, workers: int) -> list[_Filled]:
    command = [sys.executable, "-m", "indexer", "-c", str(configuration), "backfill"]
    command += ["--from", str(first), "--to", str(last), "--cluster", f"local:{workers}"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        _, told = await process.communicate()
    lines = told.decode().splitlines()
    if process.returncode:
        raise RuntimeError(f"the back-fill ended with {process.returncode}: {lines[-3:]}")
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return [
        _Filled(time_of(line), line["last"] - line["first"] + 1)
        for line in events
        if line["event"] == "range filled"
    ]


def _rate(filled: Sequence[_Filled], workers: int) -> float:
    """Blocks a second between the first range of each worker and the last."""
    inner = filled[workers - 1 : len(filled) - workers + 1]
    if len(inner) < 2:
        raise RuntimeError(f"{len(filled)} ranges are too few to tell a rate")
    return sum(one.blocks for one in inner[1:]) / (inner[-1].at - inner[0].at)
