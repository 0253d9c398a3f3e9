from __future__ import annotations

import pytest
from store_world import CHAIN, Log, header

from indexer.errors import ConfigError
from indexer.store.commit import DiscoveredAddress


async def test_everything_above_goes_even_below_finality_and_the_halt_is_over(books):
    await books.commit(
        0,
        9,
        [Log(2, 0, 2), Log(5, 0, 5), Log(8, 1, known=False)],
        finalized_number=8,
        discovered=(DiscoveredAddress("ids", b"\x01" * 20, 5, 5, 0),),
    )
    await books.store.halt(CHAIN, books.epoch, "finalized reorg at 8")
    done = await books.store.rewind(CHAIN, books.epoch, 4, header=header(4))
    assert (done.tip, done.blocks_removed, done.rows_removed) == (header(4).ref, 5, 2)
    state = await books.store.chain_state(CHAIN)
    assert (state.tip, state.finalized_number, state.halted) == (header(4).ref, 4, None)
    assert await books.pings() == [(2, 0, 2)]
    assert await books.store.discovered(CHAIN) == []
    assert await books.coverage() == ["{[0,5)}"]
    assert await books.store.links(CHAIN) == [header(4)]
    kinds = await books.fetch("SELECT kind, common_ancestor, depth, rows_removed FROM sync.reorg")
    assert kinds == [("rewind", 4, 5, 2)]
    books.tip = done.tip
    await books.commit(5, 9, [Log(5, 0, 55)])
    assert await books.pings() == [(2, 0, 2), (5, 0, 55)]


async def test_without_a_header_the_newest_known_block_below_becomes_the_tip(books):
    await books.commit(0, 9, [Log(2, 0, 2), Log(5, 0, 5)], finalized_number=8)
    done = await books.store.rewind(CHAIN, books.epoch, 4)
    assert done.tip == header(2).ref
    assert await books.coverage() == ["{[0,3)}"]
    (floor,) = await books.store.links(CHAIN)
    assert (floor.ref, floor.timestamp, floor.parent_hash) == (header(2).ref, header(2).timestamp, bytes(32))
    books.tip = done.tip
    await books.commit(3, 6, [Log(5, 0, 5)])


async def test_within_the_links_the_block_itself_becomes_the_tip_and_links_below_stay(books):
    await books.commit(0, 9, [Log(2, 0, 2)], finalized_number=3)
    done = await books.store.rewind(CHAIN, books.epoch, 6)
    assert done.tip == header(6).ref
    assert [link.number for link in await books.store.links(CHAIN)] == [3, 4, 5, 6]
    assert (await books.store.chain_state(CHAIN)).finalized_number == 3


async def test_where_nothing_is_known_below_the_chain_begins_anew(books):
    await books.commit(0, 9, [Log(5, 0, 5)], finalized_number=8)
    done = await books.store.rewind(CHAIN, books.epoch, 3)
    assert done.tip is None
    assert (await books.store.chain_state(CHAIN)).tip is None
    assert await books.coverage() == ["{}"]
    books.tip = None
    await books.commit(0, 9, [Log(5, 0, 5)])


async def test_a_rewind_to_a_block_that_left_the_chain_is_refused(books):
    await books.commit(0, 9, [Log(4, 0, 4)], finalized_number=8)
    with pytest.raises(ConfigError, match="lower block"):
        await books.store.rewind(CHAIN, books.epoch, 4, header=header(4, "b", 2))
    with pytest.raises(ConfigError, match="needs the header"):
        await books.store.rewind(CHAIN, books.epoch, 4, header=header(5))
    assert await books.pings() == [(4, 0, 4)]


async def test_a_rewind_to_the_tip_or_above_only_ends_a_halt(books):
    await books.commit(0, 3, [Log(3, 0)])
    await books.store.halt(CHAIN, books.epoch, "because")
    done = await books.store.rewind(CHAIN, books.epoch, 3)
    assert (done.tip, done.blocks_removed, done.rows_removed) == (header(3).ref, 0, 0)
    assert (await books.store.chain_state(CHAIN)).halted is None
    assert await books.value("SELECT count(*) FROM sync.reorg") == 0
