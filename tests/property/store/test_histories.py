"""Any history of commits, reorgs, late commits, rewinds and repeats leaves the rows of the canonical chain."""

from __future__ import annotations

import dataclasses
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_world import CHAIN, CONTRACT, PING_TABLE, Log, open_books

from indexer.chain.filters import LogFilter
from indexer.errors import CursorConflict
from indexer.store.commit import Revert

OTHER = bytes.fromhex("0f" * 20)

logs = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from((CONTRACT, OTHER)), st.booleans()),
    max_size=3,
    unique_by=lambda item: item[0],
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("mine"), st.lists(logs, min_size=1, max_size=4)),
        st.tuples(st.just("reorg"), st.integers(1, 5), st.lists(logs, min_size=1, max_size=6)),
        st.tuples(st.just("late"), st.integers(0, 30), st.integers(0, 5), st.booleans()),
        st.tuples(st.just("again")),
        st.tuples(st.just("stale")),
        st.tuples(st.just("rewind"), st.integers(1, 8)),
    ),
    min_size=1,
    max_size=12,
)


class Model:
    """What the canonical chain says: for each block its logs."""

    def __init__(self) -> None:
        self.blocks: list[list[Log]] = []
        self.value = 0

    def extend(self, blocks) -> list[Log]:
        added = []
        for block in blocks:
            number = len(self.blocks)
            made = []
            for index, address, known in block:
                self.value += 1
                made.append(Log(number, index, self.value, address, known))
            self.blocks.append(made)
            added += made
        return added


def all_logs(model: Model, first: int, last: int) -> list[Log]:
    return [log for block in model.blocks[first : last + 1] for log in block]


async def mine(books, model: Model, blocks, name: str, ancestor: int | None = None):
    """Blocks on top, or above ``ancestor`` in place of ours."""
    revert = None
    if ancestor is not None:
        revert = (books.header(ancestor).ref, books.tip)
        del model.blocks[ancestor + 1 :]
    first = len(model.blocks)
    added = model.extend(blocks)
    books.tags.update(dict.fromkeys(range(first, len(model.blocks)), name))
    new_tip = books.header(len(model.blocks) - 1).ref
    commit = books.make(
        first,
        new_tip.number,
        added,
        replaces=(LogFilter(None, None),),
        revert=None if revert is None else Revert(*revert, new_tip),
    )
    await books.store.commit(commit)
    books.tip = commit.next
    return commit


async def late(books, model: Model, first: int, last: int, *, by_address: bool) -> None:
    """Say again what a range has."""
    each = tuple(LogFilter(frozenset((one,)), None) for one in (CONTRACT, OTHER))
    filters = each if by_address else (LogFilter(None, None),)
    again = all_logs(model, first, last)
    await books.commit(first, last, again, next=None, links=(), replaces=filters)


async def play(books, model: Model, history) -> None:
    last = None
    for place, (kind, *details) in enumerate(history):
        tip = len(model.blocks) - 1
        if kind == "mine":
            last = await mine(books, model, details[0], f"m{place}")
        elif kind == "reorg" and tip >= 1:
            last = await mine(books, model, details[1], f"r{place}", tip - min(details[0], tip))
        elif kind == "late" and details[0] <= tip:
            await late(books, model, details[0], min(details[0] + details[1], tip), by_address=details[2])
            last = None
        elif kind == "again" and last is not None:
            await books.store.commit(last)
        elif kind == "stale" and last is not None:
            with pytest.raises(CursorConflict):
                await books.store.commit(dataclasses.replace(last, id=uuid4()))
        elif kind == "rewind" and tip >= 1:
            target = tip - min(details[0], tip)
            books.tip = (await books.store.rewind(CHAIN, books.epoch, target)).tip
            del model.blocks[target + 1 :]
            assert books.tip == books.header(target).ref
            last = None


async def check(books, model: Model) -> None:
    logs_there = all_logs(model, 0, len(model.blocks))
    pings = [(log.block, log.index, log.value) for log in logs_there if log.known]
    raws = [(log.block, log.index) for log in logs_there if not log.known]
    assert await books.pings() == sorted(pings)
    assert await books.raws() == sorted(raws)
    hashes = await books.fetch(
        "SELECT block_number, block_hash FROM event.demo_ping UNION SELECT block_number, block_hash FROM event.undecoded"
    )
    assert all(block_hash == books.header(number).hash for number, block_hash in hashes)
    assert await books.store.links(CHAIN) == [books.header(number) for number in range(len(model.blocks))]
    assert (await books.store.chain_state(CHAIN)).tip == books.tip
    assert await books.coverage() == [f"{{[0,{len(model.blocks)})}}"]


async def clear(connection) -> None:
    await connection.execute(
        "TRUNCATE event.demo_ping, event.undecoded, sync.orphan, sync.reorg, sync.block, sync.source, sync.chain, "
        "sync.discovered_address, sync.lease, sync.projection CASCADE"
    )


# no shrinking: every example is a dozen transactions, and histories are short as they are
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=st.lists(logs, min_size=1, max_size=5), history=steps)
async def test_any_history_ends_in_the_rows_of_the_canonical_chain(store, first, history):
    async with store.session("clearing") as connection:
        await store.register_tables([PING_TABLE])
        await clear(connection)
    books = await open_books(store)
    books.tags[0] = "m"
    model = Model()
    await mine(books, model, first, "first")
    await play(books, model, history)
    await check(books, model)
