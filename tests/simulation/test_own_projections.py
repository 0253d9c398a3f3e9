"""The operator's own projections: the example of the documentation, built beside a running chain, through reorgs and edits."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import world

from indexer import app
from indexer.config import ProjectionsSettings, Settings
from indexer.errors import ConfigError
from indexer.testing.chain import MemoryChain

EXAMPLE = Path(__file__).parents[2] / "docs/examples/token_day.sql"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "projections"
    made.mkdir()
    return made


def put(folder: Path, text: str | None = None, name: str = "token_day") -> Path:
    path = folder / f"{name}.sql"
    path.write_text(EXAMPLE.read_text("utf-8") if text is None else text, "utf-8")
    return path


def settings(url: str, *folders: Path) -> Settings:
    return world.settings(url).model_copy(update={"projections": ProjectionsSettings(folder=folders)})


def grown(seed: int, blocks: int, chain: MemoryChain | None = None) -> MemoryChain:
    rng = random.Random(seed)
    chain = chain or MemoryChain(block_seconds=40_000)
    for _ in range(blocks):
        chain.mine(world.random_logs(rng))
    return chain


def by_day(chain: MemoryChain) -> dict[tuple[bytes, Any], tuple[int, int]]:
    """The same fold in a few lines that share nothing with the SQL."""
    count: Counter[tuple[bytes, Any]] = Counter()
    volume: Counter[tuple[bytes, Any]] = Counter()
    for block in chain.blocks:
        for log in block.logs:
            if log.address == world.TOKEN:
                key = (log.address, datetime.fromtimestamp(block.header.timestamp, UTC).date())
                count[key] += 1
                volume[key] += int.from_bytes(log.data, "big")
    return {key: (count[key], volume[key]) for key in count}


async def rows(url: str, query: str, *values: Any) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


async def held(url: str) -> dict[tuple[bytes, Any], tuple[int, int]]:
    found = await rows(url, "SELECT token, day, transfers, volume FROM custom.token_day")
    return {(row["token"], row["day"]): (row["transfers"], int(row["volume"])) for row in found}


async def version(url: str, name: str = "token_day") -> tuple[str, int]:
    ((found, through),) = await rows(
        url, "SELECT version, through_block FROM sync.projection WHERE name = $1", name
    )
    return found, through


async def test_the_example_of_the_documentation_is_the_file_that_is_tested() -> None:
    text = (EXAMPLE.parents[1] / "projections.md").read_text("utf-8")
    assert f"```sql\n{EXAMPLE.read_text('utf-8')}```" in text


async def test_one_that_is_there_from_the_first_block_follows_every_reorg(
    event_url: str, folder: Path
) -> None:
    put(folder)
    chain = grown(1, 90)
    await world.run(settings(event_url, folder), chain)
    assert await held(event_url) == by_day(chain)
    for depth in (1, 5, 12):
        chain.fork(depth, [world.random_logs(random.Random(depth)) for _ in range(depth + 1)])
        await world.run(settings(event_url, folder), chain)
        assert await held(event_url) == by_day(chain), depth


async def test_one_that_comes_later_is_back_filled_without_the_chain(event_url: str, folder: Path) -> None:
    chain = grown(2, 120)
    await world.run(settings(event_url), chain)
    put(folder)
    asked: list[str] = []
    await world.run(settings(event_url, folder), chain, hook=lambda _, method: asked.append(method))
    assert await held(event_url) == by_day(chain)
    assert not {"logs_in_range", "logs_of_block"}.intersection(asked)
    name, through = await version(event_url)
    assert name.startswith("own-")
    assert through == chain.head.number
    chain.fork(8, [world.random_logs(random.Random(3)) for _ in range(9)])
    await world.run(settings(event_url, folder), chain)
    assert await held(event_url) == by_day(chain)


async def test_the_chain_is_followed_while_one_is_being_built(
    event_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = grown(4, 100)
    await world.run(settings(event_url), chain)
    put(folder)
    waiting, go_on = asyncio.Event(), asyncio.Event()
    swap = app.Projections.rebuild

    async def slow(self: Any, *arguments: Any, **named: Any) -> Any:
        waiting.set()
        await go_on.wait()
        return await swap(self, *arguments, **named)

    monkeypatch.setattr(app.Projections, "rebuild", slow)
    running = asyncio.create_task(world.run(settings(event_url, folder), chain, until=140))
    await asyncio.wait_for(waiting.wait(), 20)
    grown(5, 30, chain)
    async with asyncio.timeout(20):
        while (await rows(event_url, "SELECT tip_number FROM sync.chain"))[0][0] < 130:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)
    assert await held(event_url) == {}
    assert (await version(event_url))[0] == "own-new"
    go_on.set()
    grown(6, 10, chain)
    await running
    assert await held(event_url) == by_day(chain)


async def test_a_changed_fold_is_replayed_and_a_new_column_filled(event_url: str, folder: Path) -> None:
    chain = grown(7, 90)
    path = put(folder)
    await world.run(settings(event_url, folder), chain)
    changed = EXAMPLE.read_text("utf-8")
    changed = changed.replace(
        "COMMENT ON TABLE", "ALTER TABLE custom.token_day ADD COLUMN largest numeric;\nCOMMENT ON TABLE"
    )
    path.write_text(changed, "utf-8")
    with pytest.raises(ConfigError, match=r"token_day\.sql:17: was executed with another text before"):
        await world.run(settings(event_url, folder), chain)
    changed = EXAMPLE.read_text("utf-8")
    changed = changed.replace(
        "\nINSERT INTO", "ALTER TABLE custom.token_day ADD COLUMN largest numeric;\n\nINSERT INTO"
    )
    changed = changed.replace("volume, updated_block)", "volume, updated_block, largest)")
    changed = changed.replace("max(block_number)", "max(block_number), max(value)")
    changed = changed.replace(
        "SET transfers", "SET largest = greatest(live.largest, excluded.largest),\n    transfers"
    )
    path.write_text(changed, "utf-8")
    await world.run(settings(event_url, folder), chain)
    assert await held(event_url) == by_day(chain)
    assert await rows(event_url, "SELECT FROM custom.token_day WHERE largest IS NULL") == []
    assert await app.rebuild(settings(event_url, folder), "token_day") == ["token_day"]


async def test_a_file_taken_away_and_brought_back_misses_nothing(event_url: str, folder: Path) -> None:
    chain = grown(8, 90)
    put(folder)
    await world.run(settings(event_url, folder), chain)
    chain.fork(6, [world.random_logs(random.Random(9)) for _ in range(10)])
    await world.run(settings(event_url), chain)
    assert (await version(event_url))[0] == "own-absent"
    await world.run(settings(event_url, folder), chain)
    assert await held(event_url) == by_day(chain)


async def test_tables_that_somebody_dropped_are_made_again(event_url: str, folder: Path) -> None:
    chain = grown(10, 80)
    put(folder)
    await world.run(settings(event_url, folder), chain)
    await rows(event_url, "DROP TABLE custom.token_day")
    chain.fork(3, [world.random_logs(random.Random(9)) for _ in range(4)])
    await world.run(settings(event_url, folder), chain)
    assert await held(event_url) == by_day(chain)


async def test_one_that_fails_on_the_data_stops_nobody_and_says_so(event_url: str, folder: Path) -> None:
    bad = EXAMPLE.read_text("utf-8").replace("SELECT $1, address", "SELECT $1 / (1 - count(*)), address")
    put(folder, bad.replace("token_day", "bad_day"), "bad_day")
    put(folder)
    chain = grown(11, 40)
    await world.run(settings(event_url, folder), chain)
    assert (await version(event_url, "bad_day"))[0] == "own-failed"
    grown(12, 60, chain)
    await world.run(settings(event_url, folder), chain)
    await world.check(event_url, chain)
    assert await held(event_url) == by_day(chain)
    with pytest.raises(ConfigError, match=r"bad_day\.sql:19, blocks .*: division by zero"):
        await app.rebuild(settings(event_url, folder), "bad_day")


async def test_readers_never_see_an_empty_or_half_built_table(event_url: str, folder: Path) -> None:
    """Point 8: a reader polls while projections of both kinds are rebuilt, by command and because a file changed."""
    chain = grown(13, 100)
    path = put(folder)
    await world.run(settings(event_url, folder), chain)
    queries = (
        "SELECT sum(transfers), sum(volume), count(*) FROM custom.token_day",
        "SELECT sum(abs(balance)), count(*), sum(updated_block) FROM state.erc20_balance",
        "SELECT count(*), count(owner), sum(minted_block) FROM state.nft",
    )
    reader = await asyncpg.connect(event_url)
    before = [tuple(await reader.fetchrow(query)) for query in queries]
    assert all(one[0] for one in before)
    looks, done = 0, asyncio.Event()

    async def look() -> None:
        nonlocal looks
        while not done.is_set():
            for query, known in zip(queries, before, strict=True):
                assert tuple(await reader.fetchrow(query)) == known, query
            looks += 1
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    try:
        await app.rebuild(settings(event_url, folder))
        path.write_text(path.read_text("utf-8") + "-- another version\n", "utf-8")
        first = await version(event_url)
        await world.run(settings(event_url, folder), chain)
        assert await version(event_url) != first
    finally:
        done.set()
        await looking
        await reader.close()
    assert looks > 20


async def test_status_lists_it(event_url: str, folder: Path) -> None:
    put(folder)
    chain = grown(14, 20)
    configured = settings(event_url, folder)
    await world.run(configured, chain)
    from indexer.cli.report import Rates, gather  # noqa: PLC0415 - only this test needs it
    from indexer.store.store import Store  # noqa: PLC0415 - as above

    store = await Store.open(configured.database)
    try:
        (one,) = (await gather(store, configured, Rates()))["chains"]
    finally:
        await store.close()
    assert {"name": "token_day", "own": True, "state": "current", "through_block": 20} in one["projections"]
