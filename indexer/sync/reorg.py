"""What a head means for the chain that we hold: nothing new, an advance, or a reorg.

A lower or equal head with a known hash is a provider that lags. A reorg needs a block at a height that we hold whose hash
is not ours, whose ancestry meets our chain, and a second read that agrees. Nothing is taken back here: the replacement
headers are handed over complete and linked, for their logs to be fetched before anything is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass

from indexer.chain.local import BrokenLink, LocalChain, check_linked
from indexer.chain.refs import BlockHeader, BlockRef
from indexer.chain.updates import Advance, ChainUpdate, Known, Reorg
from indexer.errors import BlockNotYetKnown, FinalizedReorg, ProviderLied
from indexer.rpc.client import ChainClient

MAX_STEP_BLOCKS = 64
"""Most blocks one update carries; the rest follows with the next look at the head."""


@dataclass(frozen=True, slots=True)
class HeadResolver:
    """Turns heads into updates of ``local`` by asking ``client`` for what lies between."""

    client: ChainClient
    local: LocalChain

    async def resolve(self, head: BlockHeader, *, stop_at: int | None = None) -> ChainUpdate:
        """Hold ``head`` against our chain.

        ``stop_at`` bounds how far an update may reach (``--until N``). Raises ``FinalizedReorg`` when the chain has left
        ours below the floor and a second read agrees; ``ProviderLied`` or ``BlockNotYetKnown`` when the endpoints'
        answers do not fit together (read again later).
        """
        local = self.local
        if local.knows(head.ref):
            return Known()
        tip = local.tip
        limit = min(head.number, tip.number + MAX_STEP_BLOCKS)
        if stop_at is not None:
            limit = min(limit, stop_at)
        if head.number > tip.number:
            if limit <= tip.number:
                return Known()
            headers = await self._headers_up_to(limit, head)
            if headers[0].parent_hash == tip.hash:
                _check(headers, tip)
                return Advance(tuple(headers))
            head = headers[0]
        elif head.number < local.floor.number:
            return Known()
        return await self._reorg(head, stop_at)

    async def _headers_up_to(self, last: int, head: BlockHeader) -> list[BlockHeader]:
        first = self.local.tip.number + 1
        numbers = list(range(first, last + 1))
        if last == head.number:
            return [*await self.client.headers(numbers[:-1]), head] if numbers[:-1] else [head]
        return await self.client.headers(numbers)

    async def _reorg(self, branch_tip: BlockHeader, stop_at: int | None) -> ChainUpdate:
        branch = await self._walk_to_ours(branch_tip)
        ancestor = self.local.at(branch[0].number - 1)
        if ancestor is None:
            raise ProviderLied(f"the ancestry of block {branch_tip.ref} cannot be read")
        ours = self.local.at(branch[0].number)
        if ours is not None and not await self._confirmed(branch[0], ours.hash):
            raise ProviderLied(
                f"block {branch[0].ref} would be a reorg, but a second read confirms ours, {ours.ref}"
            )
        if stop_at is not None:
            branch = [header for header in branch if header.number <= stop_at] or branch[:1]
        if ours is None:
            return Advance(tuple(branch))
        return Reorg(ancestor.ref, self.local.above(ancestor.ref), tuple(branch))

    async def _walk_to_ours(self, newest: BlockHeader) -> list[BlockHeader]:
        """The branch from just above the common ancestor to ``newest``, ascending. Bounded by our own length."""
        branch = [newest]
        while True:
            oldest = branch[-1]
            if self.local.knows(BlockRef(oldest.number - 1, oldest.parent_hash)):
                branch.reverse()
                return branch
            if oldest.number - 1 <= self.local.floor.number:
                await self._left_below_floor(oldest)
            parent = await self.client.header(oldest.parent_hash)
            if parent is None:
                raise BlockNotYetKnown(f"block {oldest.number - 1}, the parent of {oldest.ref}, is not known")
            if parent.number != oldest.number - 1:
                raise ProviderLied(f"block {parent.ref} is given as the parent of block {oldest.ref}")
            branch.append(parent)

    async def _left_below_floor(self, oldest: BlockHeader) -> None:
        """Raise ``FinalizedReorg`` when a second read agrees that the chain left ours at or below the floor."""
        floor = self.local.floor
        again = await self.client.header(floor.number, second=True)
        if again is None:
            raise BlockNotYetKnown(f"block {floor.number} is not known to a second endpoint")
        if again.hash == floor.hash:
            raise ProviderLied(
                f"block {oldest.ref} does not descend from finalized block {floor}, which another read confirms"
            )
        raise FinalizedReorg(
            f"block {floor.number} is held as finalized with hash 0x{floor.hash.hex()}, "
            f"but the chain now says 0x{again.hash.hex()}. Nothing was changed. If the chain is right, go on with "
            f"`indexer rewind --to-block N`, N being the last block that still is on it"
        )

    async def _confirmed(self, replacement: BlockHeader, ours: bytes) -> bool:
        again = await self.client.header(replacement.number, second=True)
        if again is None:
            raise BlockNotYetKnown(f"block {replacement.number} is not known to a second read")
        return again.hash != ours


def _check(headers: list[BlockHeader], parent: BlockRef) -> None:
    try:
        check_linked(headers, parent)
    except BrokenLink as broken:
        raise BlockNotYetKnown(f"headers were read across a change of the chain: {broken}") from broken
