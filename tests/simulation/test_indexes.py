"""Indexes that the configuration asks for are not there while a chain is back-filled, and are when it is followed."""

from __future__ import annotations

import asyncpg
import pytest
import world
from living import grown

from indexer import app
from indexer.config import Settings
from indexer.errors import ConfigError
from indexer.store import indexes, store, writer
from indexer.testing.client import MemoryClient

NAME = "erc20_transfer_from__block_number_own"


def with_indexes(url: str, declared: dict[str, object]) -> Settings:
    plain = world.settings(url)
    database = type(plain.database).model_validate({"url": plain.database.url, "indexes": declared})
    return plain.model_copy(update={"database": database})


async def there(connection: asyncpg.Connection) -> bool:
    return await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", f"event.{NAME}")


async def made(url: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return await there(connection)
    finally:
        await connection.close()


async def test_they_come_after_the_rows_and_are_made_up_for(
    event_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = grown(23, 120)
    settings = with_indexes(event_url, {"erc20_transfer": [["from_", "block_number"]]})
    during: list[bool] = []

    async def copy_in(connection: asyncpg.Connection, encoded: list[writer.TableRows]) -> None:
        during.append(await there(connection))
        await writer.copy_in(connection, encoded)

    async def lost(_connection: asyncpg.Connection, _index: indexes.EventIndex) -> None:
        raise asyncpg.LockNotAvailableError("in use")

    opened = await store.Store.open(settings.database)
    async with opened.session("preparing") as connection:
        await connection.execute(f"CREATE INDEX {NAME} ON event.erc20_transfer (from_, block_number)")
    await opened.close()
    monkeypatch.setattr("indexer.store.transaction.copy_in", copy_in)
    with monkeypatch.context() as broken:
        broken.setattr(indexes, "_build", lost)
        await world.run(settings, chain, range_blocks=20)
    assert during, "there were commits"
    assert not any(during)
    assert not await made(event_url)
    chain.mine_empty(3)
    await world.run(settings, chain)
    assert await made(event_url)
    await world.check(event_url, chain)


async def test_a_back_fill_of_a_range_makes_them_too(event_url: str) -> None:
    chain = grown(24, 200)
    settings = with_indexes(event_url, {"erc20_transfer": [["from_", "block_number"]]})
    await app.backfill(settings, 0, 100, client_factory=lambda *_: MemoryClient(chain, range_blocks=20))
    assert await made(event_url)


async def test_an_index_of_what_is_not_there_ends_the_start(event_url: str) -> None:
    with pytest.raises(ConfigError, match="no column sender"):
        await world.run(with_indexes(event_url, {"erc20_transfer": ["sender"]}), grown(25, 5))
