"""Arithmetic on sets of block ranges: what is covered, what is missing, what to fetch together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from indexer.chain.refs import BlockRange

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Segment(Generic[K]):
    """A block range and everything that is missing over all of it."""

    blocks: BlockRange
    members: frozenset[K]


def missing_ranges(wanted: BlockRange, covered: Iterable[BlockRange]) -> list[BlockRange]:
    """The parts of ``wanted`` that no range of ``covered`` holds, ascending."""
    gaps: list[BlockRange] = []
    first = wanted.first
    for have in sorted(covered):
        if have.last < first:
            continue
        if have.first > wanted.last:
            break
        if have.first > first:
            gaps.append(BlockRange(first, have.first - 1))
        first = have.last + 1
    if first <= wanted.last:
        gaps.append(BlockRange(first, wanted.last))
    return gaps


def first_segment(missing: Mapping[K, Sequence[BlockRange]]) -> Segment[K] | None:
    """The lowest block that is missing, and those after it as far as the same keys miss them; None when nothing is missing."""
    if not any(missing.values()):
        return None
    first = min(blocks.first for ranges in missing.values() for blocks in ranges)
    members = frozenset(key for key, ranges in missing.items() if any(first in blocks for blocks in ranges))
    after = min(
        edge
        for ranges in missing.values()
        for blocks in ranges
        for edge in (blocks.first, blocks.last + 1)
        if edge > first
    )
    return Segment(BlockRange(first, after - 1), members)


def count_blocks(missing: Mapping[K, Sequence[BlockRange]]) -> int:
    """How many blocks at least one key misses."""
    count, through = 0, -1
    for blocks in sorted(blocks for ranges in missing.values() for blocks in ranges):
        count += max(blocks.last - max(blocks.first - 1, through), 0)
        through = max(through, blocks.last)
    return count


def add_range(covered: Iterable[BlockRange], more: BlockRange) -> tuple[BlockRange, ...]:
    """``covered`` with ``more``: disjoint, ascending, neighbours joined."""
    joined: list[BlockRange] = []
    for blocks in sorted([*covered, more]):
        if joined and blocks.first <= joined[-1].last + 1:
            joined[-1] = BlockRange(joined[-1].first, max(joined[-1].last, blocks.last))
        else:
            joined.append(blocks)
    return tuple(joined)


def cut_above(covered: Iterable[BlockRange], last: int) -> tuple[BlockRange, ...]:
    """``covered`` without anything above ``last``."""
    return tuple(
        BlockRange(blocks.first, min(blocks.last, last)) for blocks in covered if blocks.first <= last
    )
