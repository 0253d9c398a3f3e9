"""``ChainClient`` over a chain in memory: no network, no clock, faults on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.errors import BlockNotYetKnown, ChainIdMismatch
from indexer.rpc.client import EndpointStatus, RangeLogs
from indexer.testing.chain import MemoryBlock, MemoryChain
from indexer.testing.columns import batch_of

Hook = Callable[[int, str], None]
"""Runs before each call with its number (from 1) and the method's name; may change the chain, or raise."""


class MemoryClient:
    """What an honest pool would give for ``chain``, except where a test says otherwise.

    Args:
        chain: What the first endpoint serves.
        second: What another endpoint serves, asked by ``header(second=True)``; without it there is one endpoint.
        chain_id: The configured chain id; ``open`` raises ``ChainIdMismatch`` where the chain's is another.
        hook: See ``Hook``.
        range_blocks: What ``suggested_blocks`` says.
    """

    def __init__(
        self,
        chain: MemoryChain,
        *,
        second: MemoryChain | None = None,
        chain_id: int | None = None,
        hook: Hook | None = None,
        range_blocks: int = 1000,
    ) -> None:
        self.chain = chain
        self.second = second
        self.chain_id = chain.chain_id if chain_id is None else chain_id
        self.hook = hook
        self.range_blocks = range_blocks
        self.fail_at: dict[int, Exception] = {}
        """Errors to raise instead of answering, by the number of the call (the first is 1)."""
        self.calls: list[str] = []
        """The method of every call so far, in order."""
        self._held: list[MemoryBlock] | None = None

    def hold(self) -> None:
        """Answer from the chain as it is now, whatever becomes of it, until ``release``."""
        self._held = list(self.chain.blocks)

    def release(self) -> None:
        """Answer from the chain as it is again."""
        self._held = None

    async def open(self) -> None:
        """Check the chain id."""
        self._count("open")
        if self.chain.chain_id != self.chain_id:
            raise ChainIdMismatch(f"the chain has id {self.chain.chain_id}, configured is {self.chain_id}")

    async def close(self) -> None:
        """Do nothing: there is nothing open."""

    async def head(self) -> BlockHeader:
        """The newest header."""
        self._count("head")
        return self._blocks[-1].header

    async def heads(self) -> AsyncIterator[BlockHeader]:
        """The head now, then again each time the chain changes (several changes at once are seen as one)."""
        changed = self.chain.listen()
        try:
            while True:
                changed.clear()
                self._count("heads")
                yield self._blocks[-1].header
                await changed.wait()
        finally:
            self.chain.unlisten(changed)

    async def finalized(self, tag: Literal["finalized", "safe"]) -> BlockHeader | None:
        """The header the tag names, or None."""
        self._count("finalized")
        return self.chain.tagged(tag)

    async def header(self, block: int | bytes, *, second: bool = False) -> BlockHeader | None:
        """A canonical header by number or hash; ``second`` asks the other chain where there is one."""
        self._count("header")
        blocks = self.second.blocks if second and self.second is not None else self._blocks
        found = self._find(blocks, block)
        return None if found is None else found.header

    async def headers(self, numbers: Sequence[int]) -> list[BlockHeader]:
        """Canonical headers in that order; raises ``BlockNotYetKnown`` when one is missing."""
        self._count("headers")
        return [self._block(number).header for number in numbers]

    async def logs_in_range(self, blocks: BlockRange, filters: Sequence[LogFilter]) -> RangeLogs:
        """The logs of the range that any filter matches; raises ``BlockNotYetKnown`` above the head."""
        self._count("logs_in_range")
        end = self._block(blocks.last)
        span = self._blocks[blocks.first : blocks.last + 1]
        return RangeLogs(batch_of(blocks, span, filters), end.header, "memory")

    async def logs_of_block(self, header: BlockHeader, filters: Sequence[LogFilter]) -> LogBatch:
        """The logs of a canonical block; raises ``BlockNotYetKnown`` for any other."""
        self._count("logs_of_block")
        block = self._block(header.hash)
        return batch_of(BlockRange(block.number, block.number), [block], filters)

    async def code(self, address: bytes, block: int) -> bytes:
        """The code at an address at the end of a block."""
        self._count("code")
        return self.chain.code_at(address, block)

    async def call(self, to: bytes, data: bytes, block: int) -> bytes | None:
        """What ``MemoryChain.call_at`` gives."""
        self._count("call")
        return self.chain.call_at(to, data, block)

    async def call_many(self, questions: Sequence[tuple[bytes, bytes]], block: int) -> list[bytes | None]:
        """What ``MemoryChain.call_at`` gives for each (address, data)."""
        self._count("call_many")
        return [self.chain.call_at(to, data, block) for to, data in questions]

    def suggested_blocks(self) -> int:
        """``range_blocks``."""
        return self.range_blocks

    def status(self) -> list[EndpointStatus]:
        """One endpoint named ``memory``."""
        return [EndpointStatus("memory", True, 1.0, self._blocks[-1].number, self.range_blocks, None)]

    @property
    def _blocks(self) -> list[MemoryBlock]:
        return self.chain.blocks if self._held is None else self._held

    @staticmethod
    def _find(blocks: list[MemoryBlock], block: int | bytes) -> MemoryBlock | None:
        if isinstance(block, int):
            return blocks[block] if 0 <= block < len(blocks) else None
        return next((one for one in reversed(blocks) if one.hash == block), None)

    def _block(self, block: int | bytes) -> MemoryBlock:
        found = self._find(self._blocks, block)
        if found is None:
            name = str(block) if isinstance(block, int) else f"0x{block.hex()}"
            raise BlockNotYetKnown(f"the chain in memory has no block {name}")
        return found

    def _count(self, method: str) -> None:
        self.calls.append(method)
        number = len(self.calls)
        if self.hook is not None:
            self.hook(number, method)
        if number in self.fail_at:
            raise self.fail_at[number]
