"""What a reorg makes of transactions."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.demo.traffic import DEEPEST, DEPTHS, replayed

QUEUES = st.lists(st.integers(0, 6), min_size=1, max_size=6).map(
    lambda sizes: [[f"{sender}-{nonce}" for nonce in range(size)] for sender, size in enumerate(sizes)]
)


@settings(max_examples=100, deadline=None)
@given(QUEUES, st.integers(1, DEEPEST), st.sampled_from(["reorder", "drop", "empty"]), st.integers())
def test_each_sender_keeps_the_order_of_its_transactions(queues, depth, fate, seed):
    made = replayed(queues, depth, fate, random.Random(seed))
    offsets = [offset for _, offset in made]
    assert offsets == sorted(offsets)
    assert all(0 <= offset < depth for offset in offsets)
    for sender, queue in enumerate(queues):
        again = [raw for raw, _ in made if raw.startswith(f"{sender}-")]
        assert again == queue[: len(again)]
    if fate == "reorder":
        assert len(made) == sum(map(len, queues))
    if fate == "empty":
        assert made == []


def test_transactions_really_change_places():
    queues = [[f"{sender}-{nonce}" for nonce in range(5)] for sender in range(5)]
    made = [raw for raw, _ in replayed(queues, 3, "reorder", random.Random(4))]
    assert made != sorted(made)


def test_depths_stay_above_finality():
    assert len(set(DEPTHS)) >= 5
    assert DEEPEST < 32
