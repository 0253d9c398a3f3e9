"""Arithmetic on sets of block ranges: what is covered, what is missing, what to fetch together."""

from __future__ import annotations

import itertools
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


def segments(missing: Mapping[K, Sequence[BlockRange]]) -> list[Segment[K]]:
    """Ascending disjoint segments, each with exactly the members that miss it; nothing is in two segments."""
    edges: set[int] = set()
    for ranges in missing.values():
        for blocks in ranges:
            edges.update((blocks.first, blocks.last + 1))
    cuts = sorted(edges)
    found: list[Segment[K]] = []
    for first, after in itertools.pairwise(cuts):
        piece = BlockRange(first, after - 1)
        members = frozenset(
            key
            for key, ranges in missing.items()
            if any(blocks.first <= piece.first and piece.last <= blocks.last for blocks in ranges)
        )
        if not members:
            continue
        if found and found[-1].members == members and found[-1].blocks.last + 1 == first:
            found[-1] = Segment(BlockRange(found[-1].blocks.first, piece.last), members)
        else:
            found.append(Segment(piece, members))
    return found


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
