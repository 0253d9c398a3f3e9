"""The daemon itself: ``indexer run --until finalized`` against the replayed chain, into a fresh database.

Times come from the daemon's own log: from the moment it serves (migrated, tables made) to the last commit that wrote
rows, and to the end of the run, when state has caught up with events as well.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg

from bench.daemon import DaemonRun, run_daemon, time_of
from bench.load import configuration, split_name
from bench.processes import postmaster_of
from bench.replay_server import CHAIN_ID, replay_server
from bench.report import Engine
from bench.rpc import Summary, summary_of


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run: a load, how its chain is served (options of the replay server), and settings of the chain's section.

    ``indexes`` are lines of ``[database.indexes]``; runs of one ``curve`` are compared with its first. Of several ``rounds``
    the one of median rate counts.
    """

    load: str
    logs: int
    logs_per_block: int = 10
    served: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    label: str = ""
    rounds: int = 1
    curve: str = ""
    indexes: tuple[str, ...] = ()


async def run(database_url: str, scenario: Scenario) -> Engine:
    """Measure one scenario in an empty database. Raises ``RuntimeError`` when the daemon fails or rows are missing."""
    served = replay_server(scenario.load, scenario.logs, scenario.logs_per_block, *scenario.served)
    with served as url, tempfile.TemporaryDirectory() as folder:
        async with aiohttp.ClientSession() as http:
            before = await summary_of(http, url)
            path = Path(folder) / "indexer.toml"
            path.write_text(settings_text(url, database_url, before.first_block, scenario, Path(folder)))
            database = await asyncpg.connect(database_url)
            try:
                seen = await run_daemon(path, await postmaster_of(database))
                after = await summary_of(http, url)
                await check_rows(database, after, scenario)
            finally:
                await database.close()
    return _measured(scenario, after, seen)


def settings_text(url: str, database_url: str, first_block: int, scenario: Scenario, folder: Path) -> str:
    """``indexer.toml`` for a scenario."""
    return f"""
[database]
url = {json.dumps(database_url)}

[http]
listen = "127.0.0.1:0"

[chains.bench]
chain_id = {CHAIN_ID}
rpc = ["{url}"]
start_block = {first_block}
{chr(10).join(scenario.chain)}

[database.indexes]
{chr(10).join(scenario.indexes)}
{configuration(scenario.load, folder)}"""


async def check_rows(database: asyncpg.Connection, summary: Summary, scenario: Scenario) -> None:
    """Every log has a row, and the transfers add up to what was generated."""
    names = await database.fetch("SELECT table_name FROM sync.event_table UNION ALL VALUES ('undecoded')")
    counts = " + ".join(f'(SELECT count(*) FROM event."{row[0]}")' for row in names)
    rows = await database.fetchval(f"SELECT {counts}")
    if rows != summary.logs:
        raise RuntimeError(f"{scenario.load}: there are {rows} rows, not {summary.logs}")
    if split_name(scenario.load)[0] in {"erc20", "mixed", "factory"}:
        found = tuple(await database.fetchrow("SELECT count(*), sum(value)::text FROM event.erc20_transfer"))
        if found != (summary.transfers, summary.transferred):
            raise RuntimeError(f"{scenario.load}: transfers and their sum are {found}")


def _measured(scenario: Scenario, summary: Summary, seen: DaemonRun) -> Engine:
    began = time_of(seen.first("http listens"))
    commits = seen.commits
    committed = time_of(commits[-1]) - began
    whole = time_of(seen.first("goal reached")) - began
    indexed = [time_of(line) - began for line in seen.lines if line["event"] == "index made"]
    return Engine(
        label=scenario.label or scenario.load,
        load=scenario.load,
        logs=summary.logs,
        blocks=summary.last_block - summary.first_block + 1,
        logs_per_second=summary.logs / committed,
        logs_per_second_with_state=summary.logs / whole,
        daemon_cpu_micros=1e6 * seen.daemon_cpu_seconds / summary.logs,
        postgres_cpu_micros=1e6 * seen.postgres_cpu_seconds / summary.logs,
        copy_share=sum(line["copy_ms"] for line in commits) / 1000 / committed,
        commits=sum(line["event"] == "committed" for line in seen.lines),
        requests=summary.requests,
        calls=summary.calls,
        bytes_received=summary.bytes_sent,
        memory_bytes=seen.memory_bytes,
        curve=scenario.curve,
        indexes=len(indexed),
        logs_per_second_with_indexes=summary.logs / indexed[-1] if indexed else None,
    )
