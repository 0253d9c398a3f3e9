from __future__ import annotations

import dataclasses

import pytest
from store_world import CHAIN, Log, header

from indexer.chain.refs import BlockRef
from indexer.errors import CursorConflict, FinalizedReorg, InvariantViolated
from indexer.store.commit import DiscoveredAddress, Revert


async def test_nothing_of_the_old_branch_is_left_but_in_the_books(books):
    await books.commit(0, 5, [Log(2, 0, 2), Log(4, 0, 4), Log(5, 0, 5), Log(5, 1, known=False)])
    result = await books.reorg(3, 6, [Log(4, 0, 44), Log(6, 0, 66)], "b")
    assert result.orphaned == 3
    assert await books.pings() == [(2, 0, 2), (4, 0, 44), (6, 0, 66)]
    assert await books.raws() == []
    ((row),) = await books.fetch(
        "SELECT kind, common_ancestor, depth, old_tip, new_tip, old_tip_number, new_tip_number, rows_removed FROM sync.reorg"
    )
    assert row == ("reorg", 3, 2, header(5).hash, header(6, "b", 3).hash, 5, 6, 3)
    orphans = await books.fetch(
        "SELECT table_name, block_number, block_hash, log_index, \"row\"->>'reason', \"row\"->>'value' FROM sync.orphan "
        "ORDER BY block_number, log_index"
    )
    assert orphans == [
        ("demo_ping", 4, header(4).hash, 0, None, "4"),
        ("demo_ping", 5, header(5).hash, 0, None, "5"),
        ("undecoded", 5, header(5).hash, 1, "unknown_topic", None),
    ]
    assert [link.ref for link in await books.store.links(CHAIN)] == [header(n, "b", 3).ref for n in range(7)]


@pytest.mark.parametrize("depth", [1, 2, 5, 17, 64])
async def test_any_depth_ends_in_the_rows_of_the_new_branch(books, depth):
    tip = 70
    await books.commit(0, tip, [Log(block, 0, block) for block in range(tip + 1)], finalized_number=0)
    ancestor = tip - depth
    await books.reorg(
        ancestor, tip + 1, [Log(block, 0, 1000 + block) for block in range(ancestor + 1, tip + 2)], "b"
    )
    expected = [(block, 0, block if block <= ancestor else 1000 + block) for block in range(tip + 2)]
    assert await books.pings() == expected
    assert await books.value("SELECT depth FROM sync.reorg") == depth
    assert await books.value("SELECT count(*) FROM sync.orphan") == depth


async def test_the_old_branch_may_come_back(books):
    await books.commit(0, 4, [Log(3, 0, 3), Log(4, 0, 4)])
    await books.reorg(2, 5, [Log(5, 0, 55)], "b")
    await books.reorg(2, 6, [Log(3, 0, 3), Log(4, 0, 4)], "a")
    assert await books.pings() == [(3, 0, 3), (4, 0, 4)]
    assert (await books.store.chain_state(CHAIN)).tip == header(6).ref
    assert await books.fetch("SELECT depth, rows_removed FROM sync.reorg ORDER BY id") == [(2, 2), (3, 1)]


async def test_coverage_and_announcements_go_down_with_the_blocks(books):
    kept = DiscoveredAddress("ids", b"\x01" * 20, 2, 2, 0)
    lost = DiscoveredAddress("ids", b"\x02" * 20, 4, 4, 0)
    await books.commit(0, 5, discovered=(kept, lost))
    await books.reorg(3, 4, [], "b")
    assert await books.store.discovered(CHAIN) == [kept]
    assert await books.coverage() == ["{[0,5)}"]


async def test_the_unfold_hook_sees_the_ancestor_before_new_rows(books):
    calls = []

    async def unfold(connection, ancestor):
        calls.append((ancestor, await connection.fetchval("SELECT max(block_number) FROM event.demo_ping")))

    await books.commit(0, 5, [Log(block, 0) for block in range(6)])
    await books.reorg(3, 6, [Log(6, 0)], "b", unfold=unfold)
    assert calls == [(3, 3)]


async def test_a_revert_below_finality_is_refused_and_changes_nothing(books):
    await books.commit(0, 5, [Log(4, 0)], finalized_number=4)
    books_before = await books.pings()
    with pytest.raises(FinalizedReorg):
        await books.reorg(3, 6, [], "b")
    assert await books.pings() == books_before
    assert await books.value("SELECT count(*) FROM sync.reorg") == 0


async def test_a_revert_to_a_block_that_is_not_ours_is_refused(books):
    await books.commit(0, 5)
    assert books.tip is not None
    foreign = Revert(BlockRef(3, b"\x09" * 32), books.tip, header(6, "b", 3).ref)
    with pytest.raises(InvariantViolated, match="not ours"):
        await books.store.commit(books.make(4, 6, revert=foreign))
    unknown = dataclasses.replace(foreign, ancestor=header(3).ref, old_tip=header(4).ref)
    with pytest.raises(CursorConflict):
        await books.store.commit(books.make(4, 6, revert=unknown))


async def test_a_reorg_that_fails_half_way_is_not_seen(books):
    async def broken(connection, ancestor):
        raise InvariantViolated("the unfold refuses")

    await books.commit(0, 5, [Log(5, 0, 5)])
    with pytest.raises(InvariantViolated, match="the unfold refuses"):
        await books.reorg(3, 6, [Log(6, 0, 6)], "b", unfold=broken)
    assert await books.pings() == [(5, 0, 5)]
    assert await books.value("SELECT count(*) FROM sync.orphan") == 0
