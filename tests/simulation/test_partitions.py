"""A chain indexed into partitioned tables, or into tables partitioned on the way, has the rows it has otherwise."""

from __future__ import annotations

import world
from living import grown

from indexer.store.store import Store


async def test_the_daemon_keeps_partitioned_tables(migrated_url: str) -> None:
    chain = grown(21, 120)
    plain = world.settings(migrated_url)
    settings = plain.model_copy(
        update={"database": plain.database.model_copy(update={"partition_blocks": 16})}
    )
    await world.run(settings, chain)
    await world.check(migrated_url, chain)
    for _ in range(3):
        chain.fork(10, [world.random_logs(world.random.Random(chain.head.number)) for _ in range(12)])
        await world.run(settings, chain)
        await world.check(migrated_url, chain)
    store = await Store.open(settings.database)
    async with store.session("looking") as connection:
        held = await connection.fetch("SELECT first_block, end_block FROM sync.partitions('erc20_transfer')")
        assert await connection.fetchval("SELECT analytics.block_at(31337, now())") is not None
    await store.close()
    assert [tuple(row) for row in held][:2] == [(0, 16), (16, 32)]
    assert held[-1]["end_block"] > chain.head.number


async def test_tables_are_partitioned_between_two_runs(event_url: str) -> None:
    chain = grown(22, 100)
    settings = world.settings(event_url)
    await world.run(settings, chain)
    store = await Store.open(settings.database)
    done = await store.partition_tables(["erc20_transfer", "identity_factory_identity_created"], 16)
    await store.close()
    assert set(done) == {"erc20_transfer", "identity_factory_identity_created"}
    chain.fork(20, [world.random_logs(world.random.Random(number)) for number in range(60)])
    await world.run(settings, chain)
    await world.check(event_url, chain)
