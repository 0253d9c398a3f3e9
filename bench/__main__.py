"""``python -m bench``: runs every benchmark and prints, or writes, what it found."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg

from bench import cluster, engine, follow, hot_path, plan
from bench.report import Engine, Report, as_json, machine, text
from indexer.store.embedded import EmbeddedServer


@contextmanager
def _server() -> Iterator[str]:
    """The server that ``DATABASE_URL`` names, else an embedded one in a folder of its own."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="indexer-bench-"))
    server = EmbeddedServer(folder, options={"max_wal_size": "4GB"})
    server.start()
    try:
        yield server.url()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[str]:
    """A fresh database, dropped afterwards."""
    name = f"indexer_bench_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(url)
    try:
        await _settle(connection)
        await connection.execute(f'CREATE DATABASE "{name}"')
        head, _, query = url.partition("?")
        scheme, _, rest = head.partition("://")
        yield f"{scheme}://{rest.partition('/')[0]}/{name}" + (f"?{query}" if query else "")
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def _settle(connection: asyncpg.Connection) -> None:
    """Have what earlier runs left in memory written now, not during the next one."""
    may = "SELECT pg_has_role(current_user, 'pg_checkpoint', 'USAGE')"
    if await connection.fetchval(may):
        await connection.execute("CHECKPOINT")


async def _postgres_version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


async def _measured(url: str, given: argparse.Namespace) -> Report:
    report = Report(machine(await _postgres_version(url)))
    for load, logs in plan.hot_paths(given):
        _tell(f"{load}: stages and floor, {logs:,} logs")
        async with _database(url) as database_url:
            report.hot_path.append(await hot_path.run(database_url, load, logs, given.rounds))
    for scenario in plan.engines(given):
        _tell(f"{scenario.label or scenario.load}: {scenario.logs:,} logs through the daemon")
        report.engine.append(await _median(url, scenario))
    for blocks, reorg_every in plan.follows(given):
        _tell(f"following {blocks} blocks")
        async with _database(url) as database_url:
            report.follow.append(await follow.run(database_url, blocks, 1_000, 200.0, reorg_every))
    for blocks in plan.clusters(given):
        _tell(f"filling {blocks:,} blocks with one worker and with two")
        report.cluster.append(await cluster.run(lambda: _database(url), blocks))
    report.machine.load_after = os.getloadavg()[0]
    return report


async def _median(url: str, scenario: engine.Scenario) -> Engine:
    """A scenario's rounds, each in a database of its own; the one of median rate."""
    runs: list[Engine] = []
    for _ in range(scenario.rounds):
        async with _database(url) as database_url:
            runs.append(await engine.run(database_url, scenario))
    middle = sorted(runs, key=lambda run: run.logs_per_second)[len(runs) // 2]
    return replace(middle, rounds=scenario.rounds)


def _tell(doing: str) -> None:
    print(doing, file=sys.stderr, flush=True)


async def _run(given: argparse.Namespace) -> Report:
    with _server() as url:
        return await _measured(url, given)


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller loads: under two minutes in all")
    parser.add_argument("--only", choices=plan.PARTS, action="append", help="only this part; may be repeated")
    parser.add_argument("--load", choices=plan.HOT_LOADS, help="only stages and daemon with this load")
    parser.add_argument("--logs", type=int, help="how many logs of each load")
    parser.add_argument(
        "--rounds", type=int, help="rounds of what varies most, of which the median counts (3; quick: 1)"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the report as JSON as well")
    given = parser.parse_args()
    given.rounds = given.rounds or (1 if given.quick else 3)
    report = asyncio.run(_run(given))
    print(text(report))
    if given.json:
        given.json.write_text(as_json(report) + "\n")


if __name__ == "__main__":
    main()
