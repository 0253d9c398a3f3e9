"""What a new head means for us: a closed union, so that every case is handled where it is matched."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.chain.refs import BlockHeader, BlockRef


@dataclass(frozen=True, slots=True)
class Advance:
    """``headers`` follow our tip, hash-linked, ascending, not empty."""

    headers: tuple[BlockHeader, ...]


@dataclass(frozen=True, slots=True)
class Reorg:
    """Our blocks above ``ancestor`` (``orphaned``, ascending) are replaced by ``headers``, which follow it."""

    ancestor: BlockRef
    orphaned: tuple[BlockHeader, ...]
    headers: tuple[BlockHeader, ...]

    @property
    def depth(self) -> int:
        """How many of our blocks are removed."""
        return len(self.orphaned)


@dataclass(frozen=True, slots=True)
class Known:
    """Nothing new: the head is a block that we hold, or the provider lags behind us."""


ChainUpdate = Advance | Reorg | Known
