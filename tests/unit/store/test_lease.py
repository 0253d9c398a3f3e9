from __future__ import annotations

import asyncio

import pytest
from store_world import CHAIN, HOLDER, Log

from indexer.errors import LeaseLost, StoreUnavailable
from indexer.store.connect import connect
from indexer.store.lease import hold_lease


async def test_one_holder_at_a_time(books):
    store = books.store
    assert await store.acquire_lease(CHAIN, "writer-2", 15) is None
    held = await store.lease(CHAIN)
    assert (held.holder, held.epoch, held.expired) == (HOLDER, books.epoch, False)
    assert await store.lease(CHAIN + 1) is None


async def test_only_one_of_many_takes_a_free_lease(store):
    epochs = await asyncio.gather(*(store.acquire_lease(5, f"writer-{n}", 15) for n in range(20)))
    assert [epoch for epoch in epochs if epoch is not None] == [1]
    await store.release_lease(5, (await store.lease(5)).holder, 1)
    epochs = await asyncio.gather(*(store.acquire_lease(5, f"writer-{n}", 15) for n in range(20)))
    assert [epoch for epoch in epochs if epoch is not None] == [2]


async def test_a_lease_that_ran_out_is_taken_and_the_former_holder_is_fenced(books):
    store = books.store
    await books.commit(0, 1, [Log(1, 0)])
    assert await store.renew_lease(CHAIN, HOLDER, books.epoch, 0.05)
    await asyncio.sleep(0.1)
    taken = await store.acquire_lease(CHAIN, "writer-2", 15)
    assert taken == books.epoch + 1
    assert not await store.renew_lease(CHAIN, HOLDER, books.epoch, 15)
    with pytest.raises(LeaseLost, match="writer-2") as caught:
        await store.commit(books.make(2, 2, [Log(2, 0)]))
    assert caught.value.holder == "writer-2"
    with pytest.raises(LeaseLost):
        await store.rewind(CHAIN, books.epoch, 0)
    with pytest.raises(LeaseLost):
        await store.halt(CHAIN, books.epoch, "no longer mine")
    assert await books.pings() == [(1, 0, 1)]
    books.epoch = taken
    await books.commit(2, 2, [Log(2, 0)])


async def test_a_lease_given_back_admits_no_commit_of_its_epoch(books):
    await books.store.release_lease(CHAIN, HOLDER, books.epoch)
    with pytest.raises(LeaseLost, match="given back"):
        await books.store.commit(books.make(0, 1))
    assert await books.store.acquire_lease(CHAIN, "writer-2", 15) == books.epoch + 1


async def test_a_commit_without_any_lease_is_refused(books):
    async with books.store.pool.acquire() as connection:
        await connection.execute("DELETE FROM sync.lease")
    with pytest.raises(LeaseLost):
        await books.store.commit(books.make(0, 1))


async def test_a_commit_extends_a_lease_that_is_running_out(books):
    await books.store.renew_lease(CHAIN, HOLDER, books.epoch, 15)
    await books.fetch(
        "UPDATE sync.lease SET expires_at = clock_timestamp() + interval '1 second' RETURNING 1"
    )
    await books.commit(0, 1)
    left = "SELECT extract(epoch FROM expires_at - clock_timestamp()) > 10 FROM sync.lease"
    assert await books.value(left)


async def test_the_lease_can_be_renewed_while_a_commit_is_under_way_but_not_taken(books):
    store = books.store
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def fold(connection, blocks, journal):
        inside.set()
        await go_on.wait()

    writing = asyncio.create_task(books.commit(0, 1, [Log(1, 0)], fold=fold))
    await inside.wait()
    assert await store.renew_lease(CHAIN, HOLDER, books.epoch, 15)
    assert await store.acquire_lease(CHAIN, "writer-2", 15) is None
    go_on.set()
    await writing
    assert await books.pings() == [(1, 0, 1)]


async def test_a_writer_paused_inside_a_commit_is_ended_by_the_standby(books):
    store = books.store
    inside, wake = asyncio.Event(), asyncio.Event()

    async def sleep(connection, blocks, journal):
        inside.set()
        await wake.wait()

    zombie = asyncio.create_task(store.commit(books.make(0, 1, [Log(1, 0, 666)], fold=sleep)))
    await inside.wait()
    await store.renew_lease(CHAIN, HOLDER, books.epoch, 0.01)
    await asyncio.sleep(0.05)
    assert await store.acquire_lease(CHAIN, "writer-2", 15) is None  # waited for the zombie, then ended it
    epoch = await store.acquire_lease(CHAIN, "writer-2", 15)
    assert epoch == books.epoch + 1
    wake.set()
    with pytest.raises((StoreUnavailable, LeaseLost)):
        await zombie
    books.epoch = epoch
    await books.commit(0, 1, [Log(1, 0, 1)])
    assert await books.pings() == [(1, 0, 1)]


async def test_a_writer_paused_at_the_first_statement_of_a_commit_is_ended_too(books):
    """It holds the lease's row and has not got to the chain's lock."""
    store = books.store
    await store.renew_lease(CHAIN, HOLDER, books.epoch, 0.01)
    zombie = await connect(store.url)
    try:
        await zombie.execute("BEGIN")
        await hold_lease(zombie, CHAIN, books.epoch)
        await asyncio.sleep(0.05)
        assert await store.acquire_lease(CHAIN, "writer-2", 15) is None  # waited for it, then ended it
        assert await store.acquire_lease(CHAIN, "writer-2", 15) == books.epoch + 1
    finally:
        zombie.terminate()


async def test_two_writers_that_take_turns_never_both_write(books):
    """Each takes the lease from the other; whatever an earlier epoch still tries is refused."""
    store = books.store
    refused = 0
    for turn in range(20):
        stale = books.make(turn, turn, [Log(turn, 0, 1_000 + turn)])
        await store.renew_lease(CHAIN, (await store.lease(CHAIN)).holder, books.epoch, 0.001)
        await asyncio.sleep(0.005)
        epoch = await store.acquire_lease(CHAIN, f"writer-{turn}-next", 15)
        assert epoch is not None
        books.epoch = epoch
        outcomes = await asyncio.gather(
            store.commit(stale), books.commit(turn, turn, [Log(turn, 0, turn)]), return_exceptions=True
        )
        refused += isinstance(outcomes[0], LeaseLost)
    assert refused == 20
    assert await books.pings() == [(turn, 0, turn) for turn in range(20)]
