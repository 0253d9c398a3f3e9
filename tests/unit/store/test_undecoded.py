from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from store_world import CHAIN, PING, PING_TABLE, Log, batch, decode

from indexer.chain.refs import BlockRange
from indexer.decode.tables import Decoded, RowBatch, Undecoded, Words
from indexer.errors import InvariantViolated, LeaseLost


def _ping_all(logs):
    places = np.arange(len(logs), dtype=np.int64)
    values = [int.from_bytes(logs.log_data(int(place)), "big") for place in places]
    rows = RowBatch(PING_TABLE, places, (list(values), [f"note {value}" for value in values]))
    return Decoded((rows,), Undecoded(np.zeros(0, np.int64), []))


async def test_raw_logs_come_back_as_they_went_in(books):
    logs = [Log(block, index, 1 + index, known=False) for block in (2, 5) for index in range(3)]
    await books.commit(0, 9, logs)
    sent = batch(BlockRange(0, 9), logs)
    got, reasons = await books.store.undecoded(CHAIN)
    assert reasons == ["unknown_topic"] * 6
    assert got.range == BlockRange(2, 5)
    for field in dataclasses.fields(got):
        if field.name != "range":
            np.testing.assert_array_equal(getattr(got, field.name), getattr(sent, field.name), field.name)
            assert getattr(got, field.name).dtype == getattr(sent, field.name).dtype


async def test_pages_hold_every_raw_log_once_and_never_part_a_log_index(books):
    other = bytes.fromhex("ee" * 20)
    logs = [Log(block, index, known=False) for block in range(10) for index in range(2)]
    await books.commit(0, 9, [*logs, Log(4, 1, 2, other, known=False)])
    after, seen = (-1, -1), []
    while True:
        page, _ = await books.store.undecoded(CHAIN, after, 5)
        if not len(page):
            break
        seen += list(zip(page.block_number.tolist(), page.log_index.tolist(), strict=True))
        after = seen[-1]
    assert seen == sorted([(log.block, log.index) for log in logs] + [(4, 1)])


async def test_what_decodes_now_moves_home_and_the_rest_gets_todays_reason(books):
    await books.commit(0, 5, [Log(1, 0, 10), *(Log(2, index, 20 + index, known=False) for index in range(3))])
    logs, _ = await books.store.undecoded(CHAIN)
    some = _ping_all(logs.take(np.array([0, 2])))
    (rows,) = some.rows
    decoded = Decoded(
        (dataclasses.replace(rows, logs=np.array([0, 2], np.int64)),),
        Undecoded(np.array([1], np.int64), ["dirty_padding"]),
    )
    assert await books.store.redecode(CHAIN, books.epoch, logs, decoded) == {"demo_ping": 2}
    assert await books.pings() == [(1, 0, 10), (2, 0, 20), (2, 2, 22)]
    assert await books.fetch("SELECT log_index, reason FROM event.undecoded") == [(1, "dirty_padding")]


async def test_of_two_logs_with_one_log_index_one_stays_raw(books):
    other = bytes.fromhex("ee" * 20)
    await books.commit(0, 5, [Log(1, 0, 10), Log(1, 0, 11, other, known=False), Log(2, 0, 20, known=False)])
    logs, _ = await books.store.undecoded(CHAIN)
    words = Words(np.zeros((2, 32), np.uint8), signed=False)
    (rows,) = _ping_all(logs).rows
    decoded = Decoded(
        (dataclasses.replace(rows, columns=(words, None)),), Undecoded(np.zeros(0, np.int64), [])
    )
    assert await books.store.redecode(CHAIN, books.epoch, logs, decoded) == {"demo_ping": 1}
    assert await books.pings() == [(1, 0, 10), (2, 0, 0)]
    assert await books.raws() == [(1, 0)]


async def test_a_move_that_fails_leaves_the_raw_logs(books):
    await books.commit(0, 5, [Log(1, 0, 10), Log(2, 0, 20, known=False)])
    logs, _ = await books.store.undecoded(CHAIN)
    twice = logs.take(np.array([0, 0]))
    with pytest.raises(InvariantViolated):
        await books.store.redecode(CHAIN, books.epoch, twice, _ping_all(twice))
    with pytest.raises(LeaseLost):
        await books.store.redecode(CHAIN, books.epoch - 1, logs, _ping_all(logs))
    assert await books.raws() == [(2, 0)]
    assert await books.pings() == [(1, 0, 10)]


def test_the_small_world_decodes_by_topic():
    logs = batch(BlockRange(0, 3), [Log(1, 0), Log(2, 0, known=False)])
    decoded = decode(logs)
    assert logs.topics[0, 0].tobytes() == PING
    assert decoded.undecoded.logs.tolist() == [1]
