from __future__ import annotations

import asyncio

import pytest
from store_world import CHAIN, CONTRACT, PING, Log, header, source_spec

from indexer.chain.filters import LogFilter
from indexer.chain.refs import BlockRef
from indexer.errors import CursorConflict, Halt, InvariantViolated
from indexer.store import transaction
from indexer.store.commit import DiscoveredAddress
from indexer.store.queries import sql


async def test_rows_cursor_coverage_and_links_appear_together(books):
    result = await books.commit(
        0, 3, [Log(1, 0, 10), Log(1, 1, known=False), Log(3, 0, 30)], head_number=9, finalized_number=2
    )
    assert result.rows == {"demo_ping": 2}
    assert (result.undecoded, result.orphaned) == (1, 0)
    assert await books.pings() == [(1, 0, 10), (3, 0, 30)]
    assert await books.raws() == [(1, 1)]
    state = await books.store.chain_state(CHAIN)
    assert state.tip == header(3).ref
    assert (state.head_number, state.finalized_number) == (9, 2)
    assert await books.coverage() == ["{[0,4)}"]
    assert [link.ref for link in await books.store.links(CHAIN)] == [header(2).ref, header(3).ref]


async def test_rows_hold_what_the_log_said(books):
    await books.commit(0, 1, [Log(1, 4, 2**256 - 1)])
    ((row),) = await books.fetch(
        "SELECT chain_id, block_hash, extract(epoch FROM block_time)::bigint, tx_index, address, value::text, note "
        "FROM event.demo_ping"
    )
    assert row == (CHAIN, header(1).hash, 1_700_000_001, 0, CONTRACT, str(2**256 - 1), f"note {2**256 - 1}")


async def test_an_empty_commit_moves_the_cursor(books):
    await books.commit(0, 4)
    assert (await books.store.chain_state(CHAIN)).tip == header(4).ref


async def test_a_commit_for_another_cursor_is_refused_and_changes_nothing(books):
    await books.commit(0, 2, [Log(1, 0)])
    stale = books.make(3, 3, [Log(3, 0)], expected=BlockRef(1, header(1).hash))
    with pytest.raises(CursorConflict):
        await books.store.commit(stale)
    wrong_branch = books.make(3, 3, [Log(3, 0)], expected=BlockRef(2, bytes(32)))
    with pytest.raises(CursorConflict):
        await books.store.commit(wrong_branch)
    assert await books.pings() == [(1, 0, 1)]
    assert await books.coverage() == ["{[0,3)}"]


async def test_only_one_of_two_commits_for_the_same_cursor_is_taken(books):
    await books.commit(0, 0)
    commits = [books.make(1, 1, [Log(1, 0, value)]) for value in (1, 2, 3)]
    outcomes = await asyncio.gather(*(books.store.commit(one) for one in commits), return_exceptions=True)
    assert sum(isinstance(outcome, CursorConflict) for outcome in outcomes) == 2
    assert len(await books.pings()) == 1


async def test_the_same_commit_twice_is_one_commit(books):
    commit = books.make(0, 2, [Log(1, 0), Log(2, 0, known=False)])
    first = await books.store.commit(commit)
    again = await books.store.commit(commit)
    assert again.rows == first.rows
    assert await books.pings() == [(1, 0, 1)]
    assert await books.raws() == [(2, 0)]


async def test_a_late_commit_replaces_what_overlaps(books):
    await books.commit(0, 9, [Log(2, 0, 1), Log(5, 0, 1), Log(8, 0, 1), Log(5, 1, known=False)])
    await books.commit(4, 6, [Log(5, 0, 7), Log(6, 0, 8)], next=None, links=())
    assert await books.pings() == [(2, 0, 1), (5, 0, 7), (6, 0, 8), (8, 0, 1)]
    assert await books.raws() == []
    assert (await books.store.chain_state(CHAIN)).tip == header(9).ref


async def test_a_late_commit_leaves_other_addresses_and_topics_alone(books):
    other = bytes.fromhex("dd" * 20)
    wild = LogFilter(None, None)
    await books.commit(0, 9, [Log(2, 0, 1), Log(2, 1, 2, other), Log(2, 2, known=False)], replaces=(wild,))
    only = LogFilter(frozenset((other,)), None)
    await books.commit(0, 9, [Log(2, 1, 5, other)], next=None, links=(), replaces=(only,))
    assert await books.pings() == [(2, 0, 1), (2, 1, 5)]
    topic = LogFilter(None, frozenset((PING,)))
    await books.commit(0, 9, [Log(3, 0, 6)], next=None, links=(), replaces=(topic,))
    assert await books.pings() == [(3, 0, 6)]
    assert await books.raws() == [(2, 2)]


async def test_only_what_a_source_asked_for_in_the_range_is_replaced(books, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(transaction, "sql", lambda name: asked.append(name) or sql(name))
    other = bytes.fromhex("dd" * 20)
    specs = [
        source_spec(f"demo:{place}", filter=LogFilter(addresses, topics), discovered=not addresses)
        for place, (addresses, topics) in enumerate(
            [(frozenset((CONTRACT,)), None), (frozenset((other,)), None), (frozenset(), frozenset((PING,)))]
        )
    ]
    one, two, members = await books.store.register_sources(CHAIN, specs)
    of_one, of_two = one.spec.filter, two.spec.filter
    await books.commit(0, 9, [Log(3, 0, 1)], sources=(one.id,), replaces=(of_one,))
    late = {"next": None, "links": ()}
    await books.commit(0, 9, [Log(3, 1, 2, other)], sources=(two.id,), replaces=(of_two,), **late)
    await books.commit(10, 19, [Log(12, 0, 3)], sources=(one.id,), replaces=(of_one,), **late)
    assert "delete_logs" not in asked
    await books.commit(8, 12, [Log(12, 0, 4)], sources=(one.id,), replaces=(of_one,), **late)
    assert asked.count("delete_logs") == 1
    await books.commit(20, 29, [Log(22, 0, 5, other)], sources=(members.id,), replaces=(of_two,), **late)
    # A member of a discovered contract may be anybody, and may be asked for by name as well.
    await books.commit(20, 29, [Log(22, 0, 6, other)], sources=(two.id,), replaces=(of_two,), **late)
    assert await books.pings() == [(3, 0, 1), (3, 1, 2), (12, 0, 4), (22, 0, 6)]


async def test_rows_that_no_coverage_tells_of_are_replaced_by_a_late_commit_only(books):
    await books.commit(0, 4, [Log(3, 0, 1)])
    await books.fetch("UPDATE sync.source SET coverage = '{}'")
    with pytest.raises(InvariantViolated):
        await books.commit(3, 5, [Log(3, 0, 2)], links=(header(5),))
    assert await books.pings() == [(3, 0, 1)]
    await books.commit(3, 3, [Log(3, 0, 2)], next=None, links=())
    assert await books.pings() == [(3, 0, 2)]


async def test_finality_never_goes_down_and_links_below_it_are_dropped(books):
    await books.commit(0, 5, finalized_number=3)
    await books.commit(6, 7, finalized_number=1)
    assert (await books.store.chain_state(CHAIN)).finalized_number == 3
    assert [link.number for link in await books.store.links(CHAIN)] == [3, 4, 5, 6, 7]
    await books.store.set_head(CHAIN, 20, 2)
    state = await books.store.chain_state(CHAIN)
    assert (state.head_number, state.finalized_number) == (20, 3)


async def test_a_backfill_below_finality_keeps_one_link(books):
    await books.commit(0, 9, links=(header(9),), finalized_number=100)
    await books.commit(10, 19, links=(header(19),))
    assert [link.number for link in await books.store.links(CHAIN)] == [19]


async def test_a_source_added_later_has_its_own_coverage(books):
    await books.commit(0, 9)
    added = source_spec(
        "demo:late", filter=LogFilter(frozenset((b"\x01" * 20,)), frozenset((PING,))), start_block=2
    )
    first, late = await books.store.register_sources(CHAIN, [source_spec(), added])
    assert [str(blocks) for blocks in first.coverage] == ["0..9"]
    assert late.spec == added
    assert late.coverage == ()
    await books.commit(2, 4, next=None, links=(), sources=(late.id,))
    await books.commit(8, 9, next=None, links=(), sources=(late.id,))
    known = {source.spec.key: source for source in await books.store.sources(CHAIN)}
    assert [str(blocks) for blocks in known["demo:late"].coverage] == ["2..4", "8..9"]


async def test_the_first_announcement_of_an_address_counts(books):
    member = b"\x07" * 20
    await books.commit(0, 5, discovered=(DiscoveredAddress("ids", member, 5, 5, 1),))
    await books.commit(6, 6, discovered=(DiscoveredAddress("ids", member, 6, 6, 0),))
    assert await books.store.discovered(CHAIN) == [DiscoveredAddress("ids", member, 5, 5, 1)]
    earlier = DiscoveredAddress("ids", member, 2, 2, 0)
    await books.commit(
        2, 2, next=None, links=(), discovered=(earlier, DiscoveredAddress("ids", member, 2, 2, 3))
    )
    assert await books.store.discovered(CHAIN) == [earlier]


async def test_a_halted_chain_takes_no_commit_until_it_is_let_go(books):
    await books.commit(0, 1)
    await books.store.halt(CHAIN, books.epoch, "finalized reorg at 1")
    with pytest.raises(Halt, match="finalized reorg at 1"):
        await books.store.commit(books.make(2, 2, [Log(2, 0)]))
    await books.store.clear_halt(CHAIN, books.epoch)
    await books.commit(2, 2, [Log(2, 0)])
    assert await books.pings() == [(2, 0, 1)]


async def test_the_fold_runs_inside_and_its_failure_undoes_everything(books):
    seen = []

    async def fold(connection, blocks, journal):
        rows = await connection.fetchval("SELECT count(*) FROM event.demo_ping")
        tip = await connection.fetchval("SELECT tip_number FROM sync.chain")
        seen.append((str(blocks), journal, rows, tip))

    async def broken(connection, blocks, journal):
        raise InvariantViolated("the fold refuses")

    await books.commit(0, 2, [Log(2, 0)], fold=fold, journal=True)
    assert seen == [("0..2", True, 1, 2)]
    with pytest.raises(InvariantViolated, match="the fold refuses"):
        await books.store.commit(books.make(3, 3, [Log(3, 0)], fold=broken))
    assert await books.pings() == [(2, 0, 1)]
    assert (await books.store.chain_state(CHAIN)).tip == header(2).ref


async def test_block_hash_and_log_index_are_unique_over_all_event_tables(books):
    await books.commit(
        0, 9, [Log(block, index, known=index != 1) for block in range(10) for index in range(3)]
    )
    await books.commit(3, 5, [Log(4, 1, known=False), Log(4, 2)], next=None, links=())
    await books.reorg(6, 9, [Log(8, 0), Log(8, 1, known=False)], "b")
    both = "SELECT block_hash, log_index FROM event.demo_ping UNION ALL SELECT block_hash, log_index FROM event.undecoded"
    assert (
        await books.fetch(
            f"SELECT block_hash, log_index FROM ({both}) AS x GROUP BY 1, 2 HAVING count(*) > 1"
        )
        == []
    )


async def test_two_raw_logs_of_one_log_index_are_both_kept(books):
    other = bytes.fromhex("ee" * 20)
    await books.commit(0, 2, [Log(1, 0, known=False), Log(1, 0, 2, other, known=False)])
    assert await books.raws() == [(1, 0), (1, 0)]
