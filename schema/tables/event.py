"""Schema ``event``: the one table of it that no ABI makes."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import SQLModel

from indexer.schema.tables.columns import bigint, instant, integer, raw, raw_array


class Undecoded(SQLModel, table=True):
    """A log that no known ABI decodes, as it came, and why."""

    __tablename__ = "undecoded"
    __table_args__ = {"schema": "event"}

    chain_id: int = bigint(key=True)
    block_number: int = bigint(key=True)
    block_hash: bytes = raw()
    block_time: datetime = instant()
    tx_hash: bytes = raw(key=True)
    tx_index: int = integer()
    log_index: int = integer(key=True)
    address: bytes = raw(key=True)
    topics: list[bytes] = raw_array()
    data: bytes = raw()
    reason: str
