"""What the engine hands to the store: one Commit is one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockHeader, BlockRange, BlockRef
from indexer.decode.tables import Decoded

if TYPE_CHECKING:
    from asyncpg import Connection


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What one configured contract asks for; its coverage is kept under ``key``.

    ``key`` changes whenever the logs asked for change in kind (contract name plus a digest of addresses and topics), so
    that new addresses or events are back-filled. ``contract`` is the section's name.
    """

    key: str
    contract: str
    start_block: int
    filter: LogFilter
    discovered: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A source as the database knows it. ``coverage`` holds disjoint ascending ranges."""

    id: int
    spec: SourceSpec
    coverage: tuple[BlockRange, ...]


@dataclass(frozen=True, slots=True)
class DiscoveredAddress:
    """An address that an event announced: member of ``contract`` from ``from_block`` on."""

    contract: str
    address: bytes
    from_block: int
    announced_block: int
    announced_log_index: int


@dataclass(frozen=True, slots=True)
class Revert:
    """Blocks above ``ancestor`` leave the tables; ``old_tip`` was our tip, ``new_tip`` the head that replaced it."""

    ancestor: BlockRef
    old_tip: BlockRef
    new_tip: BlockRef

    @property
    def depth(self) -> int:
        """How many of our blocks are removed."""
        return self.old_tip.number - self.ancestor.number


Fold = Callable[["Connection", BlockRange, bool], Awaitable[None]]
"""Runs the projections inside the commit's transaction: (connection, range, journal?)."""

Unfold = Callable[["Connection", int], Awaitable[None]]
"""Undoes the projections above a block, inside the commit's transaction: (connection, ancestor number)."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction.

    In order: lease and cursor are checked (``LeaseLost``, ``CursorConflict``); ``revert`` is played; rows of ``replaces``
    in ``logs.range`` are deleted where a source that asked for such logs was covered before (rows come in with coverage, and go
    with it); rows are copied; ``links`` (unfinalized headers), ``sources``' coverage, ``discovered`` and the cursor are
    written; ``fold`` runs; COMMIT.

    ``expected`` is the tip the commit was made for, ``next`` the tip after it; a commit that does not move the tip (late
    back-fill) has ``next`` None. ``journal`` says whether the range may still be reverted.
    """

    chain_id: int
    epoch: int
    expected: BlockRef | None
    next: BlockRef | None
    logs: LogBatch
    decoded: Decoded
    sources: tuple[int, ...]
    replaces: tuple[LogFilter, ...]
    links: tuple[BlockHeader, ...] = ()
    revert: Revert | None = None
    discovered: tuple[DiscoveredAddress, ...] = ()
    head_number: int | None = None
    finalized_number: int | None = None
    journal: bool = False
    fold: Fold | None = None
    unfold: Unfold | None = None
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What a commit wrote, for the log line and the metrics. Durations in seconds."""

    rows: dict[str, int]
    undecoded: int
    orphaned: int
    copy_seconds: float
    fold_seconds: float
    total_seconds: float


@dataclass(frozen=True, slots=True)
class ChainState:
    """A chain's row in ``sync.chain``."""

    chain_id: int
    name: str
    tip: BlockRef | None
    finalized_number: int | None
    head_number: int | None
    halted: str | None
