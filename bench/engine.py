"""The daemon itself: ``indexer run --until finalized`` against the replayed chain, into a fresh database.

Times come from the daemon's own log: from the moment it serves (migrated, tables made) to the last commit that wrote
rows, and to the end of the run, when state has caught up with events as well.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec

from bench.hot_path import LOGS_PER_BLOCK, Summary, post
from bench.replay_server import CHAIN_ID, replay_server
from bench.report import Engine
from indexer.rpc.wire import parse_envelopes

_TIMEOUT_SECONDS = 600


async def run(database_url: str, load: str, logs: int) -> Engine:
    """Measure one load in an empty database. Raises ``RuntimeError`` when the daemon fails or rows are missing."""
    with replay_server(load, logs, LOGS_PER_BLOCK) as url, tempfile.TemporaryDirectory() as folder:
        async with aiohttp.ClientSession() as http:
            answer = parse_envelopes(await post(http, url, "bench_summary"))[0]
        summary = msgspec.json.decode(answer.result, type=Summary)
        path = Path(folder) / "indexer.toml"
        path.write_text(_configuration(url, database_url, summary))
        output, memory = await _run_daemon(path)
    await _check(database_url, summary)
    return _measured(load, summary.logs, output, memory)


def _configuration(url: str, database_url: str, summary: Summary) -> str:
    return f"""
[database]
url = {json.dumps(database_url)}

[http]
listen = "127.0.0.1:0"

[chains.bench]
chain_id = {CHAIN_ID}
rpc = ["{url}"]
start_block = {summary.first_block}

[contracts.tokens]
chain = "bench"
address = {json.dumps(summary.tokens)}
abi = ["erc20", "erc721", "erc1155"]
"""


async def _run_daemon(configuration: Path) -> tuple[str, int]:
    """What the daemon logged, and the most memory it held, in bytes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "indexer",
        "-c",
        str(configuration),
        "run",
        "--until",
        "finalized",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    reading = asyncio.create_task(process.communicate())
    memory = 0
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        while not reading.done():
            memory = max(memory, _resident_bytes(process.pid))
            await asyncio.wait({reading}, timeout=0.1)
    output = (await reading)[1].decode()
    if process.returncode:
        raise RuntimeError(f"the daemon ended with {process.returncode}: {output[-2000:]}")
    return output, memory


def _resident_bytes(pid: int) -> int:
    """Memory that a process holds now; 0 where the system does not tell in ``/proc``, or the process has ended."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


async def _check(database_url: str, summary: Summary) -> None:
    database = await asyncpg.connect(database_url)
    try:
        found = tuple(await database.fetchrow("SELECT count(*), sum(value)::text FROM event.erc20_transfer"))
    finally:
        await database.close()
    if found != (summary.transfers, summary.transferred):
        raise RuntimeError(
            f"transfers and their sum are {found}, not {summary.transfers} and {summary.transferred}"
        )


def _measured(load: str, logs: int, output: str, memory: int) -> Engine:
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    began = _time(next(line for line in lines if line["event"] == "http listens"))
    commits = [line for line in lines if line["event"] == "committed" and line["rows"]]
    ended = _time(next(line for line in lines if line["event"] == "goal reached"))
    return Engine(load, logs, logs / (_time(commits[-1]) - began), logs / (ended - began), memory)


def _time(line: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp()
