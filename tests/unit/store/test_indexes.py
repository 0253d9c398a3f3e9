from __future__ import annotations

import dataclasses

import pytest
from pydantic import SecretStr
from store_world import CHAIN, PING_TABLE, Books, Log, open_books

from indexer.config import DatabaseSettings
from indexer.decode.tables import Column, EventLayout, EventParam
from indexer.errors import ConfigError
from indexer.store.indexes import EventIndex, wanted_indexes
from indexer.store.store import Store

TABLE = dataclasses.replace(
    PING_TABLE, columns=(*PING_TABLE.columns, Column("blob", "bytea", "Argument blob."))
)
LAYOUT = EventLayout(
    "demo",
    "Ping",
    PING_TABLE.signature,
    PING_TABLE.topic0,
    (
        EventParam("value", "uint256", "uint256", indexed=False),
        EventParam("note", "string", "string", indexed=False),
        EventParam("blob", "bytes", "bytes", indexed=False),
    ),
    TABLE,
    (0, 1, 2),
)
BY_VALUE = "demo_ping_value_own"
BY_ADDRESS = "demo_ping_address_block_number_own"
WANTED = {"demo_ping": [["value"], ["address", "block_number"]]}


async def opened(url: str, **settings: object) -> Books:
    made = DatabaseSettings.model_validate({"url": SecretStr(url), "indexes": WANTED, **settings})
    store = await Store.open(made)
    store.want_indexes([LAYOUT])
    return await open_books(store)


@pytest.fixture
async def books(migrated_url: str):
    made = await opened(migrated_url)
    yield made
    await made.store.close()


async def own(books: Books) -> list[tuple[str, bool]]:
    return await books.fetch(
        "SELECT class.relname::text, indisvalid FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid "
        "WHERE relnamespace = 'event'::regnamespace AND relname LIKE '%\\_own' ORDER BY 1"
    )


async def test_they_are_made_once_and_what_is_there_by_another_name_counts(books: Books) -> None:
    await books.fetch("CREATE INDEX mine ON event.demo_ping (value)")
    assert await books.store.build_indexes() == [BY_ADDRESS]
    assert await books.store.build_indexes() == []
    await books.fetch("DROP INDEX event.mine")
    assert await books.store.build_indexes() == [BY_VALUE]
    assert await own(books) == [(BY_ADDRESS, True), (BY_VALUE, True)]


async def test_before_a_back_fill_those_of_empty_tables_go_and_come_again_afterwards(books: Books) -> None:
    await books.store.build_indexes()
    assert sorted(await books.store.drop_indexes_of_empty_tables()) == [BY_ADDRESS, BY_VALUE]
    await books.commit(0, 5, [Log(3, 0, 7)])
    assert await own(books) == []
    assert len(await books.store.build_indexes()) == 2
    assert await books.store.drop_indexes_of_empty_tables() == [], "readers of rows keep their indexes"
    assert len(await own(books)) == 2


async def test_what_a_broken_build_left_is_made_anew(books: Books) -> None:
    await books.store.build_indexes()
    await books.fetch(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass", f"event.{BY_VALUE}"
    )
    assert await books.store.build_indexes() == [BY_VALUE]
    assert (BY_VALUE, True) in await own(books)


async def test_beside_another_chain_they_are_made_without_stopping_its_writer(books: Books) -> None:
    await books.store.register_chain(CHAIN + 1, "another")
    await books.commit(0, 5, [Log(3, 0, 7)])
    async with books.store.pool.acquire() as writer, writer.transaction():
        await writer.execute("LOCK TABLE event.undecoded IN ROW EXCLUSIVE MODE")
        assert sorted(await books.store.build_indexes()) == [BY_ADDRESS, BY_VALUE]
    roles = await books.fetch(
        "SELECT current_user = session_user, current_setting('maintenance_work_mem') <> '256MB'"
    )
    assert roles == [(True, True)]


async def test_a_table_that_is_being_written_waits_for_the_next_occasion(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.store.indexes._LOCK_SECONDS", "50ms")
    async with books.store.pool.acquire() as writer, writer.transaction():
        await writer.execute("LOCK TABLE event.demo_ping IN ROW EXCLUSIVE MODE")
        assert await books.store.build_indexes() == []
    assert len(await books.store.build_indexes()) == 2


async def test_partitioned_tables_have_them_in_every_partition(migrated_url: str) -> None:
    split = await opened(migrated_url, partition_blocks=10)
    try:
        await split.commit(0, 5, [Log(3, 0, 7)])
        assert len(await split.store.build_indexes()) == 2
        await split.commit(6, 35, [Log(35, 0, 8)])
        plan = await split.fetch(
            "SELECT count(*) FROM pg_index JOIN pg_class AS class ON class.oid = indrelid "
            "WHERE relnamespace = 'event_partition'::regnamespace AND NOT indisprimary"
        )
        parts = await split.fetch("SELECT count(*) FROM sync.partitions('demo_ping')")
        assert plan == [(2 * parts[0][0],)]
    finally:
        await split.store.close()


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"nothing": [["value"]]}, "no event table nothing"),
        ({"demo_ping": [["valeu"]]}, "no column valeu; there are .*value"),
        ({"demo_ping": [["value", "note"]]}, "note is text"),
        ({"demo_ping": [["blob"]]}, "blob is bytes of any length"),
    ],
)
def test_what_cannot_be_indexed_is_refused(declared, said) -> None:
    with pytest.raises(ConfigError, match=said):
        wanted_indexes(declared, [LAYOUT])


def test_names_fit_and_differ() -> None:
    names = {EventIndex("t" * 60, (column,)).name for column in ("a", "b")}
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)
    assert EventIndex("demo_ping", ("value",)).name == BY_VALUE
