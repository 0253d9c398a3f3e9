"""``python -m bench``: runs every benchmark and prints, or writes, what it found."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from bench import engine, hot_path
from bench.report import Engine, HotPath, as_json, machine, text
from indexer.store.embedded import EmbeddedServer

QUICK_LOGS = {"erc20": 120_000, "mixed": 40_000}
FULL_LOGS = {"erc20": 500_000, "mixed": 200_000}


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
        await connection.execute(f'CREATE DATABASE "{name}"')
        head, _, query = url.partition("?")
        scheme, _, rest = head.partition("://")
        yield f"{scheme}://{rest.partition('/')[0]}/{name}" + (f"?{query}" if query else "")
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def _postgres_version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


async def _run(sizes: dict[str, int], rounds: int) -> tuple[str, list[HotPath], list[Engine]]:
    results, engines = [], []
    with _server() as url:
        for load, logs in sizes.items():
            async with _database(url) as database_url:
                results.append(await hot_path.run(database_url, load, logs, rounds))
            async with _database(url) as database_url:
                engines.append(await engine.run(database_url, load, logs))
        return await _postgres_version(url), results, engines


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller loads: under two minutes in all")
    parser.add_argument("--load", choices=sorted(FULL_LOGS), help="only this load")
    parser.add_argument("--logs", type=int, help="how many logs of each load")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the report as JSON as well")
    given = parser.parse_args()
    sizes = QUICK_LOGS if given.quick else FULL_LOGS
    chosen = {load: given.logs or logs for load, logs in sizes.items() if given.load in {None, load}}
    postgres, results, engines = asyncio.run(_run(chosen, given.rounds))
    where = machine(postgres)
    print(text(where, results, engines))
    if given.json:
        given.json.write_text(as_json(where, results, engines) + "\n")


if __name__ == "__main__":
    main()
