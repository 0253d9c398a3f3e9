"""The links of the chain that we hold: what a new head is held against."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.chain.refs import BlockHeader, BlockRef


class BrokenLink(ValueError):
    """A header does not link to the one before it."""


def check_linked(headers: Sequence[BlockHeader], parent: BlockRef | None = None) -> None:
    """Raise ``BrokenLink`` unless each header follows the one before it (and the first follows ``parent``)."""
    for header in headers:
        if parent is not None and (header.number != parent.number + 1 or header.parent_hash != parent.hash):
            raise BrokenLink(f"block {header.ref} does not follow block {parent}")
        parent = header.ref


class LocalChain:
    """Our unfinalized blocks and the newest finalized one below them; hash-linked, ascending, never empty.

    The lowest header is the floor: a reorg must meet the chain at the floor or above it.
    """

    def __init__(self, headers: Sequence[BlockHeader]) -> None:
        if not headers:
            raise ValueError("a local chain begins with one block")
        check_linked(headers)
        self._headers = list(headers)

    def __len__(self) -> int:
        return len(self._headers)

    @property
    def tip(self) -> BlockRef:
        """Our newest block."""
        return self._headers[-1].ref

    @property
    def floor(self) -> BlockRef:
        """Our lowest block: nothing below it can be reverted."""
        return self._headers[0].ref

    @property
    def headers(self) -> tuple[BlockHeader, ...]:
        """All links, ascending."""
        return tuple(self._headers)

    def at(self, number: int) -> BlockHeader | None:
        """Our block of that height, or None where we hold none."""
        place = number - self._headers[0].number
        return self._headers[place] if 0 <= place < len(self._headers) else None

    def knows(self, ref: BlockRef) -> bool:
        """Whether that very block is ours."""
        ours = self.at(ref.number)
        return ours is not None and ours.hash == ref.hash

    def above(self, ancestor: BlockRef) -> tuple[BlockHeader, ...]:
        """Our blocks above ``ancestor``, ascending."""
        return tuple(header for header in self._headers if header.number > ancestor.number)

    def extend(self, headers: Sequence[BlockHeader]) -> None:
        """Append blocks that follow the tip; ``BrokenLink`` when they do not."""
        check_linked(headers, self.tip)
        self._headers.extend(headers)

    def revert(self, ancestor: BlockRef) -> None:
        """Drop every block above ``ancestor``, which must be ours."""
        if not self.knows(ancestor):
            raise BrokenLink(f"block {ancestor} is not ours")
        del self._headers[ancestor.number - self._headers[0].number + 1 :]

    def prune(self, finalized: int) -> None:
        """Forget links below ``finalized`` (keeping that block as the floor, or the tip when it is lower)."""
        keep_from = min(finalized, self.tip.number) - self._headers[0].number
        if keep_from > 0:
            del self._headers[:keep_from]
