"""Addresses that event rows announced, read back for a discovery that was configured after them."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from indexer.decode.tables import EventTable
from indexer.store.identifiers import quote_identifier


@dataclass(frozen=True, slots=True)
class AnnouncedAddress:
    """One announcement: ``emitter`` logged ``address`` (20 bytes each) at a place on the chain."""

    emitter: bytes
    address: bytes
    block_number: int
    log_index: int


async def read_announced(
    connection: asyncpg.Connection, chain_id: int, table: EventTable, column: int
) -> list[AnnouncedAddress]:
    """Every address in the column at place ``column`` of ``table.columns`` (``bytea`` or ``bytea[]``), in chain order."""
    announcing = table.columns[column]
    value = quote_identifier(announcing.name)
    if announcing.sql_type.endswith("[]"):
        value = f"unnest({value})"
    rows = await connection.fetch(
        f"SELECT address AS emitter, {value} AS announced, block_number, log_index "
        f"FROM event.{quote_identifier(table.name)} WHERE chain_id = $1 ORDER BY block_number, log_index",
        chain_id,
    )
    return [
        AnnouncedAddress(row["emitter"], row["announced"], row["block_number"], row["log_index"])
        for row in rows
        if row["announced"] is not None
    ]
