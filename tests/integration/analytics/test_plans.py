"""Every example query finds its rows by indexes, and is fast on tables of a million rows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
from analytics_bulk import fill

from indexer.store.connect import connect
from indexer.store.dictionary import Example, read_examples

EXAMPLES = read_examples()
BIG = 1_000_000
SMALL = 20_000
LIMIT_MS = 200


async def counters(connection: asyncpg.Connection, rows: int) -> dict[str, tuple[int, int]]:
    """Scans of the big tables so far: of the whole table, and of its indexes."""
    counted = await connection.fetch(
        """SELECT counted.relname, counted.seq_scan, coalesce(counted.idx_scan, 0) FROM pg_stat_xact_user_tables AS counted
           JOIN pg_class AS class ON class.oid = counted.relid WHERE class.reltuples >= $1""",
        rows // 2,
    )
    assert len(counted) >= 14
    return {name: (whole, indexed) for name, whole, indexed in counted}


async def scans(connection: asyncpg.Connection, example: Example, rows: int) -> tuple[set[str], set[str]]:
    """Big tables that the query read from end to end, and those that it read by an index.

    The counters of the transaction know what functions do inside, which EXPLAIN does not show.
    """
    async with connection.transaction(readonly=True):
        before = await counters(connection, rows)
        assert await connection.fetch(example.sql), example.path.name
        after = await counters(connection, rows)
    return tuple({name for name, told in after.items() if told[kind] > before[name][kind]} for kind in (0, 1))  # type: ignore[return-value] - two of them


async def check(connection: asyncpg.Connection, rows: int) -> None:
    for example in EXAMPLES:
        whole, indexed = await scans(connection, example, rows)
        assert not whole, (example.path.name, whole)
        assert indexed, example.path.name


async def milliseconds(connection: asyncpg.Connection, example: Example) -> float:
    """The best of three runs, planning included."""
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        await connection.fetch(example.sql)
        best = min(best, time.perf_counter() - begun)
    return best * 1000


@pytest.fixture
async def large(views_url: str) -> AsyncIterator[asyncpg.Connection]:
    made = await connect(views_url)
    await made.execute("SET max_parallel_workers_per_gather = 0")  # workers count their scans elsewhere
    yield made
    await made.close()


async def test_every_example_uses_an_index(large):
    await fill(large, SMALL)
    await check(large, SMALL)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_every_example_is_fast_on_a_million_rows(large):
    await fill(large, BIG)
    await check(large, BIG)
    took = {example.path.stem: await milliseconds(large, example) for example in EXAMPLES}
    assert max(took.values()) < LIMIT_MS, took
