"""Owners found for whole batches are those that the rule gives log by log."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockRange
from indexer.store.commit import DiscoveredAddress, SourceSpec
from indexer.sync import claims
from indexer.sync.ownership import NOBODY, ContractScope, Ownership, Wanted

ADDRESSES = [bytes([number]) * 20 for number in range(1, 6)]
TOPICS = [bytes([number]) * 32 for number in range(1, 4)]

some_topics = st.one_of(st.none(), st.frozensets(st.sampled_from(TOPICS), min_size=1))
kinds = st.one_of(
    st.tuples(st.just("named"), st.frozensets(st.sampled_from(ADDRESSES), min_size=1)),
    st.tuples(st.just("discovered"), st.just(frozenset())),
    st.tuples(st.just("wild"), st.none()),
)
scopes = st.lists(st.tuples(kinds, some_topics, st.integers(0, 6)), min_size=1, max_size=5)
members = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(ADDRESSES), st.integers(0, 8), st.integers(0, 8)), max_size=8
)
a_log = st.tuples(
    st.integers(0, 9), st.sampled_from(ADDRESSES), st.one_of(st.none(), st.sampled_from(TOPICS))
)
specs = st.one_of(
    st.none(),
    st.lists(
        st.tuples(st.integers(0, 4), st.one_of(st.none(), st.sampled_from(ADDRESSES)), some_topics),
        max_size=4,
    ),
)


def batch(logs: list[tuple[int, bytes, bytes | None]]) -> LogBatch:
    count = len(logs)
    topics = np.zeros((count, 4, 32), np.uint8)
    for place, (_, _, topic) in enumerate(logs):
        topics[place, 0] = np.frombuffer(topic or bytes(32), np.uint8)
    addresses = np.frombuffer(b"".join(log[1] for log in logs), np.uint8).reshape(count, 20)
    return LogBatch(
        range=BlockRange(0, 9),
        block_number=np.array([log[0] for log in logs], np.int64),
        block_time=np.ones(count, np.int64),
        tx_index=np.zeros(count, np.int32),
        log_index=np.arange(count, dtype=np.int32),
        block_hash=np.zeros((count, 32), np.uint8),
        tx_hash=np.zeros((count, 32), np.uint8),
        address=addresses,
        topics=topics,
        topic_count=np.array([log[2] is not None for log in logs], np.uint8),
        data=np.zeros(0, np.uint8),
        data_offset=np.zeros(count + 1, np.int64),
    )


def by_the_rule(
    all_scopes: list[ContractScope],
    joined: dict[tuple[str, bytes], int],
    wanted: Wanted,
    log: tuple[int, bytes, bytes | None],
) -> tuple[int, bool]:
    """First who names the address, then who discovered it, then the wildcards; each in the order of the file."""
    block, address, topic = log
    asking = [scope for scope in all_scopes if scope.wants(topic)]
    named = [s for s in asking if s.addresses and address in s.addresses and block >= s.start_block]
    found = [s for s in asking if s.discovered and block >= joined.get((s.name, address), 99)]
    wild = [s for s in asking if s.addresses is None and block >= s.start_block]
    claiming = [*named, *found, *wild]
    owner = claiming[0].place if claiming else NOBODY
    return owner, any(wanted.includes(scope.name, address, topic) for scope in claiming)


@settings(max_examples=300, deadline=None)
@given(scopes, members, st.lists(a_log, min_size=1, max_size=12), st.frozensets(st.integers(0, 4)), specs)
def test_owners_are_those_of_the_rule(shapes, joins, logs, contracts, asked) -> None:
    made = [
        ContractScope(f"c{place}", 10 + place, addresses, topics, kind == "discovered", start)
        for place, ((kind, addresses), topics, start) in enumerate(shapes)
    ]
    ownership = Ownership(made)
    joined: dict[tuple[str, bytes], int] = {}
    for number, address, from_block, announced in joins:
        if number < len(made) and made[number].discovered:
            ownership.admit([DiscoveredAddress(f"c{number}", address, from_block, announced, 0)])
            member = ownership.members(f"c{number}")[address]
            joined[f"c{number}", address] = member.from_block
    only = (
        None
        if asked is None
        else tuple(
            SourceSpec(
                f"s{place}",
                f"c{number}",
                0,
                LogFilter(None if address is None else frozenset((address,)), topics),
            )
            for place, (number, address, topics) in enumerate(asked)
        )
    )
    wanted = Wanted(frozenset(f"c{number}" for number in contracts), only)
    owners, counts = ownership.assign(batch(logs), wanted)
    expected = [by_the_rule(made, joined, wanted, log) for log in logs]
    if wanted.specs is None and len(made) == 1 and not made[0].discovered and made[0].start_block == 0:
        return  # the only contract there is: what was fetched is its own
    assert list(zip(owners.tolist(), counts.tolist(), strict=True)) == expected


def test_many_addresses_are_found_though_keys_collide(monkeypatch) -> None:
    monkeypatch.setattr(claims, "_mixed", lambda rows: rows[:, 0].astype(np.uint64) % np.uint64(7))
    table = claims.ClaimTable()
    known = [number.to_bytes(20, "little") for number in range(1, 200)]
    for number, address in enumerate(known):
        table.put(address, [(number, number)])
    table.put(known[5], [(900, 1), (5, 5)])
    asked = [*known, bytes(20)]
    rows = np.frombuffer(b"".join(asked), np.uint8).reshape(-1, 20)
    weaker, stronger = [scopes.tolist() for scopes, _ in table.of(rows)]
    assert stronger == [*range(5), 900, *range(6, 199), claims.NOTHING]
    assert [scope for scope in weaker if scope != claims.NOTHING] == [5]
