"""Arithmetic on sets of blocks agrees with sets of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.chain.coverage import add_range, count_blocks, first_segment, missing_ranges
from indexer.chain.refs import BlockRange

ranges = st.tuples(st.integers(0, 30), st.integers(0, 6)).map(lambda item: BlockRange(item[0], sum(item)))
coverages = st.lists(ranges, max_size=4)


def joined(parts: list[BlockRange]) -> tuple[BlockRange, ...]:
    whole: tuple[BlockRange, ...] = ()
    for part in parts:
        whole = add_range(whole, part)
    return whole


def numbers(parts) -> set[int]:
    return {number for part in parts for number in range(part.first, part.last + 1)}


@given(st.dictionaries(st.integers(0, 5), coverages, max_size=5))
def test_the_first_segment_is_the_lowest_run_of_blocks_that_the_same_keys_miss(covered) -> None:
    wanted = BlockRange(0, 36)
    missing = {key: missing_ranges(wanted, joined(parts)) for key, parts in covered.items()}
    lacking = {key: set(range(37)) - numbers(parts) for key, parts in covered.items()}
    assert {key: numbers(gaps) for key, gaps in missing.items()} == lacking
    everything = set().union(*lacking.values()) if lacking else set()
    assert count_blocks(missing) == len(everything)
    segment = first_segment(missing)
    if not everything:
        assert segment is None
        return
    assert segment is not None
    at = [frozenset(key for key, lack in lacking.items() if number in lack) for number in range(38)]
    first = min(everything)
    last = next(number for number in range(first, 38) if at[number + 1 if number < 37 else 37] != at[first])
    assert (segment.blocks, segment.members) == (BlockRange(first, last), at[first])
