from __future__ import annotations

import asyncio

import asyncpg
import pytest
from postgres_proxy import CutAtCommit
from pydantic import SecretStr
from store_world import CHAIN, Log, header, open_books

from indexer.config import DatabaseSettings
from indexer.errors import StoreUnavailable
from indexer.store.store import Store

ROUNDS = 20


@pytest.fixture
async def proxied(migrated_url):
    async with CutAtCommit(migrated_url) as proxy:
        store = await Store.open(DatabaseSettings(url=SecretStr(proxy.url)))
        yield proxy, await open_books(store)
        await store.close()


async def test_a_commit_cut_after_it_was_received_counts_once(proxied):
    proxy, books = proxied
    for block in range(ROUNDS):
        proxy.cuts.append("after")
        result = await books.commit(block, block, [Log(block, 0, block)])
        assert result.rows == {"demo_ping": 1}
    assert proxy.done == ["after"] * ROUNDS
    assert await books.pings() == [(block, 0, block) for block in range(ROUNDS)]


async def test_a_commit_cut_before_it_was_received_can_be_made_again(proxied):
    proxy, books = proxied
    for block in range(ROUNDS):
        commit = books.make(block, block, [Log(block, 0, block)])
        proxy.cuts.append("before")
        with pytest.raises(StoreUnavailable, match="nothing was written"):
            await books.store.commit(commit)
        await books.store.commit(commit)
        books.tip = commit.next
    assert proxy.done == ["before"] * ROUNDS
    assert await books.pings() == [(block, 0, block) for block in range(ROUNDS)]


async def test_a_backend_that_is_ended_inside_a_commit_writes_nothing_and_the_cause_is_told(books):
    async def die(connection, blocks, journal):
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(StoreUnavailable, match="terminating connection"):
        await books.store.commit(books.make(0, 1, [Log(1, 0)], fold=die))
    assert await books.pings() == []
    await books.commit(0, 1, [Log(1, 0)])
    assert await books.pings() == [(1, 0, 1)]


async def test_a_rewind_cut_after_it_was_received_counts(proxied):
    proxy, books = proxied
    await books.commit(0, 3, [Log(1, 0), Log(3, 0)])
    proxy.cuts.append("after")
    done = await books.store.rewind(CHAIN, books.epoch, 1)
    assert (done.tip, done.blocks_removed, done.rows_removed) == (header(1).ref, 2, 1)
    assert await books.pings() == [(1, 0, 1)]


async def test_ending_every_session_again_and_again_leaves_whole_commits(books, migrated_url):
    async def storm():
        connection = await asyncpg.connect(migrated_url)
        for _ in range(15):
            await asyncio.sleep(0.03)
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'indexer-test' AND datname = current_database()"
            )
        await connection.close()

    raging = asyncio.create_task(storm())
    lost = 0
    block = 0
    while block < 60 or not raging.done():
        commit = books.make(block, block, [Log(block, 0, block), Log(block, 1, block)])
        try:
            await books.store.commit(commit)
        except StoreUnavailable:
            lost += 1
            continue
        books.tip = commit.next
        block += 1
    await raging
    assert lost > 0
    async with books.store.session("looking") as connection:
        rows = await connection.fetch("SELECT block_number, log_index FROM event.demo_ping ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [(number, index) for number in range(block) for index in (0, 1)]
