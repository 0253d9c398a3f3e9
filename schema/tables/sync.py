"""Schema ``sync``: the books of the indexer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from indexer.schema.tables.columns import (
    bigint,
    document,
    instant,
    integer,
    multirange,
    raw,
    raw_array,
    texts,
)

_SYNC = {"schema": "sync"}


class Migration(SQLModel, table=True):
    """A migration that was applied."""

    __tablename__ = "migration"
    __table_args__ = _SYNC

    version: int = integer(key=True)
    name: str
    checksum: bytes = raw()
    applied_at: datetime = instant()


class Chain(SQLModel, table=True):
    """A chain's cursor and what is known of the chain ahead of it."""

    __tablename__ = "chain"
    __table_args__ = _SYNC

    chain_id: int = bigint(key=True)
    name: str
    tip_number: int | None = bigint(optional=True)
    tip_hash: bytes | None = raw(optional=True)
    finalized_number: int | None = bigint(optional=True)
    head_number: int | None = bigint(optional=True)
    halted: str | None = None
    last_commit: UUID | None = None
    committed_at: datetime | None = instant(optional=True)
    updated_at: datetime = instant()


class Block(SQLModel, table=True):
    """A link of the end of our chain."""

    __tablename__ = "block"
    __table_args__ = _SYNC

    chain_id: int = bigint(key=True)
    number: int = bigint(key=True)
    hash: bytes = raw()
    parent_hash: bytes = raw()
    block_time: datetime = instant()


class Source(SQLModel, table=True):
    """What is asked of a chain, and which blocks of it are in the tables. None means any address or topic."""

    __tablename__ = "source"
    __table_args__ = _SYNC

    id: int = bigint(key=True)
    chain_id: int = bigint()
    key: str
    contract: str
    start_block: int = bigint()
    addresses: list[bytes] | None = raw_array(optional=True)
    topics: list[bytes] | None = raw_array(optional=True)
    discovered: bool
    coverage: Any = multirange()
    created_at: datetime = instant()


class DiscoveredAddress(SQLModel, table=True):
    """An address that an event announced as a member of a contract's section."""

    __tablename__ = "discovered_address"
    __table_args__ = _SYNC

    chain_id: int = bigint(key=True)
    contract: str = Field(primary_key=True)
    address: bytes = raw(key=True)
    from_block: int = bigint()
    announced_block: int = bigint()
    announced_log_index: int = integer()


class Reorg(SQLModel, table=True):
    """Blocks of ours that left the canonical chain (``reorg``) or that an operator dropped (``rewind``)."""

    __tablename__ = "reorg"
    __table_args__ = _SYNC

    id: int = bigint(key=True)
    chain_id: int = bigint()
    kind: str
    detected_at: datetime = instant()
    common_ancestor: int = bigint()
    depth: int = bigint()
    old_tip: bytes = raw()
    new_tip: bytes = raw()
    old_tip_number: int = bigint()
    new_tip_number: int = bigint()
    rows_removed: int = bigint()


class Orphan(SQLModel, table=True):
    """A row that was canonical once."""

    __tablename__ = "orphan"
    __table_args__ = _SYNC

    id: int = bigint(key=True)
    chain_id: int = bigint()
    reorg_id: int = bigint()
    detected_at: datetime = instant()
    table_name: str
    block_number: int = bigint()
    block_hash: bytes = raw()
    log_index: int = integer()
    row: dict[str, Any] = document()


class Projection(SQLModel, table=True):
    """Through which block a projection holds, and how far down its journal reaches."""

    __tablename__ = "projection"
    __table_args__ = _SYNC

    chain_id: int = bigint(key=True)
    name: str = Field(primary_key=True)
    version: str
    through_block: int = bigint()
    updated_at: datetime = instant()
    journal_floor: int = bigint()
    stale: bool
    revision: int = bigint()


class Journal(SQLModel, table=True):
    """A state row as it was before a range of blocks was folded."""

    __tablename__ = "journal"
    __table_args__ = _SYNC

    id: int = bigint(key=True)
    chain_id: int = bigint()
    relation: str
    first_block: int = bigint()
    last_block: int = bigint()
    key: dict[str, Any] = document()
    earlier: dict[str, Any] | None = document(optional=True)


class Lease(SQLModel, table=True):
    """Who may write a chain."""

    __tablename__ = "lease"
    __table_args__ = _SYNC

    chain_id: int = bigint(key=True)
    holder: str
    epoch: int = bigint()
    seconds: float
    acquired_at: datetime = instant()
    expires_at: datetime = instant()


class EventTable(SQLModel, table=True):
    """Which table of schema ``event`` holds which event."""

    __tablename__ = "event_table"
    __table_args__ = _SYNC

    abi: str = Field(primary_key=True)
    signature: str = Field(primary_key=True)
    topic0: bytes | None = raw(optional=True)
    table_name: str
    columns: list[dict[str, str]] = document()
    created_at: datetime = instant()


class AbiSelector(SQLModel, table=True):
    """A function selector of a known ABI."""

    __tablename__ = "abi_selector"
    __table_args__ = _SYNC

    abi: str = Field(primary_key=True)
    selector: bytes = raw(key=True)


class Hashed(SQLModel, table=True):
    """A digest worked out ahead of a fold."""

    __tablename__ = "hashed"
    __table_args__ = _SYNC

    backend: int = integer(key=True)
    key: bytes = raw(key=True)
    digest: bytes = raw()


class DiamondSeed(SQLModel, table=True):
    """A selector and its facet as a diamond's loupe told at its start block."""

    __tablename__ = "diamond_seed"
    __table_args__ = _SYNC

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    block_number: int = bigint()
    facet: bytes = raw()
    selector: bytes = raw(key=True)


class ViewFile(SQLModel, table=True):
    """A file of ``schema/views`` as it was applied last."""

    __tablename__ = "view_file"
    __table_args__ = _SYNC

    name: str = Field(primary_key=True)
    digest: bytes = raw()
    views: list[str] = texts()
    functions: list[str] = texts()
    applied_at: datetime = instant()


class CustomStatement(SQLModel, table=True):
    """A definition of an operator's projection file that was executed."""

    __tablename__ = "custom_statement"
    __table_args__ = _SYNC

    projection: str = Field(primary_key=True)
    position: int = integer(key=True)
    statement: str
    executed_at: datetime = instant()


class Reconciliation(SQLModel, table=True):
    """What the last comparison of folded state with view functions found."""

    __tablename__ = "reconciliation"
    __table_args__ = _SYNC

    chain_id: int = bigint(key=True)
    check_name: str = Field(primary_key=True)
    block_number: int = bigint()
    compared: int = bigint()
    drift: int = bigint()
    unanswered: int = bigint()
    examples: list[dict[str, Any]] = document()
    checked_at: datetime = instant()
