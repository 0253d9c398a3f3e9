"""What one lease period of one chain works with: everything loaded once, then kept in step with each commit."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from indexer.chain.coverage import add_range, cut_above
from indexer.chain.finality import DEFAULT_CONFIRMATIONS, advance_finality, finalized_by_depth
from indexer.chain.local import LocalChain
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.clock import Clock
from indexer.config import ChainSettings, SyncSettings
from indexer.decode.resolve import Resolver
from indexer.projections.runner import Projections
from indexer.rpc.client import ChainClient
from indexer.store.commit import Source
from indexer.store.store import Store
from indexer.sync.ownership import Ownership, Wanted
from indexer.sync.prepare import Preparer


@dataclass(slots=True)
class Session:
    """The parts of the engine for one chain while this process holds its lease.

    ``local`` is None until the first block is committed. ``ends`` holds the last block of sources that end below the tip.
    ``late_work`` says that something below the tip may be missing, ``knows_finality`` that the chain told the tag once.
    ``answer_bytes`` is what a chunk of the size asked for now was seen to hold; None before one was.
    """

    name: str
    settings: ChainSettings
    limits: SyncSettings
    clock: Clock
    client: ChainClient
    store: Store
    projections: Projections
    resolver: Resolver
    ownership: Ownership
    preparer: Preparer
    epoch: int
    sources: list[Source]
    local: LocalChain | None
    finalized: int | None
    head: BlockHeader | None = None
    ends: dict[str, int] = field(default_factory=dict)
    logs_committed: int = 0
    late_work: bool = True
    knows_finality: bool = False
    answer_bytes: int | None = None

    @property
    def chain_id(self) -> int:
        """The chain's id."""
        return self.settings.chain_id

    @property
    def tip_number(self) -> int:
        """Our newest block's number; -1 before the first."""
        return -1 if self.local is None else self.local.tip.number

    def active(self, block: int) -> Wanted:
        """The contracts whose logs count at ``block``."""
        return Wanted(frozenset(scope.name for scope in self.ownership.scopes if scope.start_block <= block))

    def next_start(self, block: int) -> int | None:
        """The lowest block above ``block`` at which another contract begins to count."""
        later = [scope.start_block for scope in self.ownership.scopes if scope.start_block > block]
        return min(later, default=None)

    def sources_of(self, wanted: Wanted) -> list[Source]:
        """Every source of the wanted contracts that goes on at the tip."""
        return [
            source
            for source in self.sources
            if source.spec.contract in wanted.contracts and source.spec.key not in self.ends
        ]

    def cover(self, ids: Collection[int], blocks: BlockRange) -> None:
        """Note that these sources are covered over ``blocks`` now."""
        covered = frozenset(ids)
        known: dict[tuple[BlockRange, ...], tuple[BlockRange, ...]] = {}  # most sources are covered alike
        sources = []
        for source in self.sources:
            if source.id in covered:
                after = known.get(source.coverage)
                if after is None:
                    after = known[source.coverage] = add_range(source.coverage, blocks)
                sources.append(Source(source.id, source.spec, after))
            else:
                sources.append(source)
        self.sources = sources

    def uncover_above(self, block: int) -> None:
        """Note that nothing above ``block`` is covered any more."""
        self.sources = [
            replace(source, coverage=cut_above(source.coverage, block)) for source in self.sources
        ]

    @property
    def first_block(self) -> int:
        """The lowest block that any contract asks for."""
        starts = [scope.start_block for scope in self.ownership.scopes]
        return min(starts, default=self.settings.start_block)

    async def look(self) -> BlockHeader:
        """Read the head and finality anew, both at once."""
        tagged = asyncio.ensure_future(self._tagged())
        try:
            head = await self.client.head()
            return await self._take_in(head, await tagged)
        finally:
            tagged.cancel()  # where the head was not to be had; what it raised is of no interest then
            await asyncio.gather(tagged, return_exceptions=True)

    async def notice(self, head: BlockHeader) -> BlockHeader:
        """Take in a head and read finality. The head may be lower than the one before; finality never is."""
        return await self._take_in(head, await self._tagged())

    async def _take_in(self, head: BlockHeader, tagged: BlockHeader | None) -> BlockHeader:
        self.head = head
        self.finalized = advance_finality(self.finalized, await self._reported_finality(head, tagged))
        return head

    async def _tagged(self) -> BlockHeader | None:
        """The configured tag's block; None where finality is a depth, or the chain does not know the tag."""
        finality = self.settings.finality
        return None if isinstance(finality, int) else await self.client.finalized(finality)

    async def _reported_finality(self, head: BlockHeader, tagged: BlockHeader | None) -> int | None:
        """The configured tag's block; where the chain never knew it, ``safe``'s, else the one at the default depth."""
        finality = self.settings.finality
        if isinstance(finality, int):
            return finalized_by_depth(head.number, finality)
        if tagged is not None:
            self.knows_finality = True
            return tagged.number
        if self.knows_finality:
            return None  # a passing lapse: finality stays where it was
        safe = await self.client.finalized("safe") if finality == "finalized" else None
        return finalized_by_depth(head.number, DEFAULT_CONFIRMATIONS) if safe is None else safe.number
