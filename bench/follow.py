"""Following under load: blocks come at a steady pace, full of logs, now and then replaced; does the daemon keep up?"""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

import aiohttp
import asyncpg

from bench.daemon import daemon_running
from bench.engine import Scenario, check_rows, settings_text
from bench.processes import postmaster_of
from bench.replay_server import replay_server
from bench.report import Follow
from bench.rpc import summary_of

_BEFORE = 40
"""Blocks there are at first: enough for a backfill before following begins."""

_FINAL_DISTANCE = 32
_MOST_LAG_SECONDS = 60.0


async def run(
    database_url: str, blocks: int, logs_per_block: int, every_ms: float, reorg_every: int = 0
) -> Follow:
    """Measure it. Raises ``RuntimeError`` when the daemon never comes to the end, or rows are missing."""
    logs = (_BEFORE + blocks) * logs_per_block
    served = (f"--shown={_BEFORE}", f"--final-distance={_FINAL_DISTANCE}", f"--every-ms={every_ms}")
    served += (f"--reorg-every={reorg_every}",)
    scenario = Scenario("mixed", logs, logs_per_block, served, (f"poll_seconds = {min(every_ms / 2000, 1)}",))
    with (
        replay_server("mixed", logs, logs_per_block, *served) as url,
        tempfile.TemporaryDirectory() as folder,
    ):
        async with aiohttp.ClientSession() as http:
            summary = await summary_of(http, url)
            path = Path(folder) / "indexer.toml"
            path.write_text(settings_text(url, database_url, summary.first_block, scenario, Path(folder)))
            database = await asyncpg.connect(database_url)
            try:
                async with daemon_running(path, await postmaster_of(database)) as seen:
                    lags = await _lags(http, url, database, summary.last_block)
                    text = await (await http.get(f"http://127.0.0.1:{seen.port}/metrics")).text()
                    seen.mark_end()
                after = await summary_of(http, url)
                await check_rows(database, after, scenario)
            finally:
                await database.close()
    return Follow(
        blocks=blocks,
        logs_per_block=logs_per_block,
        every_ms=every_ms,
        reorgs=after.reorgs,
        most_lag_blocks=max(lags),
        last_lag_blocks=sum(lags[-20:]) / len(lags[-20:]),
        head_to_commit_p50_ms=1000 * quantile(text, 0.5),
        head_to_commit_p99_ms=1000 * quantile(text, 0.99),
        daemon_cpu_micros=1e6 * seen.daemon_cpu_seconds / logs,
        postgres_cpu_micros=1e6 * seen.postgres_cpu_seconds / logs,
        memory_bytes=seen.memory_bytes,
    )


async def _lags(http: aiohttp.ClientSession, url: str, database: asyncpg.Connection, last: int) -> list[int]:
    """By how many blocks the database was behind, looked at ten times a second until the chain stands still."""
    lags: list[int] = []
    loop = asyncio.get_running_loop()
    ended: float | None = None
    while True:
        head = (await summary_of(http, url)).head
        tip = (
            await database.fetchval("SELECT max(tip_number) FROM sync.chain")
            if await _is_there(database)
            else None
        )
        if tip is not None:
            if head < last:
                lags.append(head - tip)
            elif tip == last:
                return lags or [0]
        if head == last:
            ended = ended or loop.time()
            if loop.time() - ended > _MOST_LAG_SECONDS:
                raise RuntimeError(f"the daemon is at block {tip}, the chain has stood at {last} for long")
        await asyncio.sleep(0.1)


async def _is_there(database: asyncpg.Connection) -> bool:
    return bool(await database.fetchval("SELECT to_regclass('sync.chain') IS NOT NULL"))


def quantile(metrics: str, share: float) -> float:
    """The upper bound of the histogram's bucket that ``share`` of the observations lie in, in seconds."""
    pattern = r'^indexer_head_to_commit_seconds_bucket\{.*le="([^"]+)".*\} (\S+)$'
    buckets = [(float(bound), float(count)) for bound, count in re.findall(pattern, metrics, re.MULTILINE)]
    total = max((count for _, count in buckets), default=0.0)
    return next((bound for bound, count in buckets if count >= share * total), float("inf"))
