from __future__ import annotations

import asyncpg
import pytest
from pydantic import SecretStr
from store_world import CHAIN, PING_TABLE, Books, Log, open_books

from indexer.config import DatabaseSettings
from indexer.errors import ConfigError
from indexer.store.connect import connect
from indexer.store.store import Store


async def partitions(books: Books, table: str = "demo_ping") -> list[tuple[int, int]]:
    return await books.fetch("SELECT first_block, end_block FROM sync.partitions($1)", table)


@pytest.fixture
async def split(migrated_url: str):
    """A store whose event tables are made in partitions of ten blocks."""
    store = await Store.open(DatabaseSettings(url=SecretStr(migrated_url), partition_blocks=10))
    yield await open_books(store)
    await store.close()


async def test_partitions_are_made_ahead_of_the_rows(split: Books) -> None:
    assert await partitions(split) == []
    await split.commit(0, 5, [Log(3, 0, 7)])
    assert await partitions(split) == [(0, 10), (10, 20)]
    await split.commit(6, 47, [Log(12, 0, 8), Log(47, 1, 9), Log(47, 2, known=False)])
    assert await partitions(split) == [(0, 10), (10, 20), (40, 50), (50, 60)], "none for blocks without rows"
    assert await split.pings() == [(3, 0, 7), (12, 0, 8), (47, 1, 9)]
    plan = await split.fetch("EXPLAIN SELECT * FROM event.demo_ping WHERE chain_id = 1 AND block_number = 12")
    assert "demo_ping_10" in str(plan)
    assert "demo_ping_40" not in str(plan)


async def test_a_reorg_reaches_over_partitions(split: Books) -> None:
    await split.commit(0, 25, [Log(3, 0, 1), Log(12, 0, 2), Log(22, 0, 3)])
    result = await split.reorg(8, 31, [Log(11, 0, 4), Log(31, 0, 5)], "b")
    assert result.orphaned == 2
    assert await split.pings() == [(3, 0, 1), (11, 0, 4), (31, 0, 5)]


async def test_another_width_goes_on_beside_the_first(split: Books, migrated_url: str) -> None:
    await split.commit(0, 15, [Log(15, 0, 1)])
    assert await partitions(split) == [(10, 20), (20, 30)]
    wider = await Store.open(DatabaseSettings(url=SecretStr(migrated_url), partition_blocks=100))
    split.store = wider
    await split.commit(16, 120, [Log(16, 0, 2), Log(35, 0, 3), Log(120, 0, 4)])
    assert await partitions(split) == [(0, 10), (10, 20), (20, 30), (30, 100), (100, 200), (200, 300)]
    await wider.close()


async def test_without_the_option_a_partitioned_table_goes_on(split: Books, migrated_url: str) -> None:
    await split.commit(0, 15, [Log(15, 0, 1)])
    plain = await Store.open(DatabaseSettings(url=SecretStr(migrated_url)))
    split.store = plain
    await split.commit(16, 45, [Log(45, 0, 2)])
    assert (await partitions(split))[-2:] == [(30, 1_000_000), (1_000_000, 2_000_000)]
    assert await split.pings() == [(15, 0, 1), (45, 0, 2)]
    await plain.close()


async def test_redecoded_logs_find_their_partition(split: Books) -> None:
    await split.commit(0, 45, [Log(45, 0, 5, known=False)])
    logs, _reasons = await split.store.undecoded(CHAIN)
    logs.topics[:, 0] = list(PING_TABLE.topic0 or b"")
    from store_world import decode  # noqa: PLC0415 - used here only

    assert await split.store.redecode(CHAIN, split.epoch, logs, decode(logs)) == {"demo_ping": 1}
    assert await split.pings() == [(45, 0, 5)]


async def test_a_daemon_without_rights_to_make_tables_has_partitions_made(
    split: Books, migrated_url: str
) -> None:
    connection = await connect(migrated_url)
    await connection.execute("SET ROLE indexer_reader")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("SELECT sync.add_partition('demo_ping', 5, 10)")
    await connection.execute("SET ROLE indexer_writer")
    assert await connection.fetchval("SELECT sync.add_partition('demo_ping', 5, 10)")
    assert not await connection.fetchval("SELECT sync.add_partition('demo_ping', 9, 10)")
    assert not await connection.fetchval("SELECT sync.add_partition('undecoded', 9, 10)")
    await connection.close()
    assert await partitions(split) == [(0, 10)]


async def test_a_table_with_rows_is_partitioned_where_it_stands(books: Books) -> None:
    await books.commit(0, 37, [Log(3, 0, 1), Log(37, 0, 2)])
    before = await books.fetch("SELECT * FROM event.demo_ping ORDER BY block_number")
    comment = await books.value("SELECT col_description('event.demo_ping'::regclass, 9)")
    granted = await books.value("SELECT relacl::text FROM pg_class WHERE oid = 'event.demo_ping'::regclass")
    file = await books.value("SELECT pg_relation_filenode('event.demo_ping')")
    assert await books.store.partition_tables(["demo_ping"], 10) == {"demo_ping": 50}
    assert await books.store.partition_tables(["demo_ping"], 10) == {}
    assert await partitions(books) == [(0, 50)]
    assert await books.value("SELECT pg_relation_filenode('event_partition.demo_ping_0')") == file, (
        "no row moved"
    )
    assert await books.fetch("SELECT * FROM event.demo_ping ORDER BY block_number") == before
    assert await books.value("SELECT col_description('event.demo_ping'::regclass, 9)") == comment
    assert (
        await books.value("SELECT relacl::text FROM pg_class WHERE oid = 'event.demo_ping'::regclass")
        == granted
    )
    await books.commit(38, 49, [Log(49, 0, 3)])
    await books.reorg(36, 60, [Log(51, 0, 4)], "b")
    assert await books.pings() == [(3, 0, 1), (51, 0, 4)]
    with pytest.raises(ConfigError, match="no event table"):
        await books.store.partition_tables(["demo_pong"], 10)


async def test_views_are_made_anew_and_those_of_others_are_not_touched(views_url: str) -> None:
    store = await Store.open(DatabaseSettings(url=SecretStr(views_url)))
    connection = await connect(views_url)
    await connection.execute("CREATE VIEW public.mine AS SELECT * FROM event.erc20_transfer")
    with pytest.raises(ConfigError, match=r"mine"):
        await store.partition_tables(["erc20_transfer"], 10)
    views = "SELECT array_agg(viewname ORDER BY 1) FROM pg_views WHERE schemaname IN ('analytics', 'parity')"
    before = await connection.fetchval(views)
    await connection.execute("DROP VIEW public.mine")
    assert await store.partition_tables(["erc20_transfer"], 10) == {"erc20_transfer": 20}
    assert await connection.fetchval(views) == before
    assert await store.apply_views() == [], "nothing is left to be made"
    await connection.close()
    await store.close()
