"""What the engine asks of a chain: the seam between ``sync`` and the endpoint pool."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockHeader, BlockRange


@dataclass(frozen=True, slots=True)
class RangeLogs:
    """The logs of a range, complete and checked, and the header of its last block from the same endpoint."""

    logs: LogBatch
    end: BlockHeader
    endpoint: str


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """One endpoint as ``status`` shows it: ``name`` is host and port, never more of the URL."""

    name: str
    up: bool
    score: float
    head_number: int | None
    range_blocks: int | None
    last_error: str | None


class ChainClient(Protocol):
    """One chain behind a pool of endpoints. Every method raises only errors of ``indexer.errors``."""

    async def open(self) -> None:
        """Connect; raises ``ChainIdMismatch`` when an endpoint serves another chain than configured."""

    async def close(self) -> None:
        """Close every connection; safe to call twice."""

    async def head(self) -> BlockHeader:
        """The newest header of the best endpoint."""

    def heads(self) -> AsyncIterator[BlockHeader]:
        """New heads as they come: WebSocket ``newHeads`` where there is one, else by polling. Never ends, may repeat."""

    async def finalized(self, tag: Literal["finalized", "safe"]) -> BlockHeader | None:
        """The header the tag names, or None where the chain does not know the tag."""

    async def header(self, block: int | bytes, *, second: bool = False) -> BlockHeader | None:
        """A header by number or hash, or None when no endpoint has it. ``second`` asks another endpoint than the last
        read came from, where there is one.
        """

    async def headers(self, numbers: Sequence[int]) -> list[BlockHeader]:
        """Headers of these blocks in that order, in batches; raises ``BlockNotYetKnown`` when one is missing."""

    async def logs_in_range(self, blocks: BlockRange, filters: Sequence[LogFilter]) -> RangeLogs:
        """All logs of ``blocks`` (at or below finality) that any filter matches, with every block's time filled in.

        Splits and merges as the endpoint's limits need. Filters are applied again to what comes back.
        """

    async def logs_of_block(self, header: BlockHeader, filters: Sequence[LogFilter]) -> LogBatch:
        """All logs of one block, by its hash. An empty answer is held against the header's bloom and, when in doubt,
        against receipts. Raises ``BlockNotYetKnown`` when no endpoint has that block (it may be orphaned).
        """

    async def code(self, address: bytes, block: int) -> bytes:
        """The code at an address at the end of a block; empty where there is none."""

    async def call(self, to: bytes, data: bytes, block: int) -> bytes | None:
        """``eth_call`` at the end of a block; None when it reverts."""

    async def call_many(self, questions: Sequence[tuple[bytes, bytes]], block: int) -> list[bytes | None]:
        """Several ``eth_call`` (address, data) at the end of one block, in batches; None where one reverts."""

    def suggested_blocks(self) -> int:
        """How many blocks a range read should ask for now, by what endpoints gave so far."""

    def status(self) -> list[EndpointStatus]:
        """All endpoints."""
