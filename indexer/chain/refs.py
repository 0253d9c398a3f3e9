"""Names of blocks and ranges of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block's number and hash (32 bytes)."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.number} (0x{self.hash.hex()[:12]}…)"


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """What the engine keeps of a header. ``logs_bloom`` is 256 bytes, or None where it was not asked for."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    logs_bloom: bytes | None = None

    @property
    def ref(self) -> BlockRef:
        """Number and hash."""
        return BlockRef(self.number, self.hash)


@dataclass(frozen=True, slots=True, order=True)
class BlockRange:
    """Blocks from ``first`` to ``last``, both included; never empty."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if self.first < 0 or self.last < self.first:
            raise ValueError(f"no such block range: {self.first} to {self.last}")

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"

    def overlaps(self, other: BlockRange) -> bool:
        """Whether a block is in both."""
        return self.first <= other.last and other.first <= self.last

    def split(self, blocks: int) -> Iterator[BlockRange]:
        """Ascending pieces of at most ``blocks`` blocks that together are this range."""
        first = self.first
        while first <= self.last:
            last = min(first + blocks - 1, self.last)
            yield BlockRange(first, last)
            first = last + 1
