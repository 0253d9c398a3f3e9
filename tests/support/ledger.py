"""A chain written straight into the event tables, block by block, for tests of the projections."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from indexer.chain.refs import BlockRange
from indexer.projections.runner import Projections

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEADING = (
    "chain_id",
    "block_number",
    "block_hash",
    "block_time",
    "tx_hash",
    "tx_index",
    "log_index",
    "address",
)
JSON = {"diamond_cut", "settings", "attributes"}
UNREAD = {
    "event.identity_registry_claims_set",
    "event.trade_deal_collateral_tokens_distributed",
    "event.trade_deal_interest_distributed_for_trade_deal",
    "event.trusted_issuer_claim_topic_added",
    "event.trusted_issuer_claim_topic_removed",
}
"""Tables that no projection reads, for tests that say so."""


@dataclass(frozen=True)
class Said:
    """One event of a block: its table, emitter and arguments. ``tx`` tells transactions of a block apart."""

    table: str
    address: bytes
    values: dict[str, Any]
    tx: int = 0


class Ledger:
    """Events of one chain in the database, and the projections over them."""

    def __init__(self, connection: Any, projections: Projections, chain_id: int) -> None:
        self.connection: asyncpg.Connection = connection
        self.projections = projections
        self.chain_id = chain_id

    async def open(self) -> None:
        await self.connection.execute(
            "INSERT INTO sync.chain (chain_id, name) VALUES ($1, $2)", self.chain_id, f"chain{self.chain_id}"
        )

    def head(self, number: int, place: int, event: Said) -> tuple[Any, ...]:
        """The leading columns of an event; log indexes are places in the block."""
        return (
            self.chain_id, number, number.to_bytes(32, "big"), NOW,
            (number * 1000 + event.tx).to_bytes(32, "big"), event.tx, place, event.address,
        )  # fmt: skip

    async def say(self, number: int, events: list[Said]) -> None:
        """Insert the events of a block."""
        rows: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = {}
        for place, event in enumerate(events):
            values = tuple(
                json.dumps(value) if isinstance(value, (dict, list)) and key in JSON else value
                for key, value in event.values.items()
            )
            rows.setdefault((event.table, tuple(event.values)), []).append(
                self.head(number, place, event) + values
            )
        for (table, columns), records in rows.items():
            await self.connection.copy_records_to_table(
                table, schema_name="event", columns=[*LEADING, *columns], records=records
            )

    async def unsay(self, ancestor: int) -> None:
        """Remove the events above a block."""
        read = {name for one in self.projections.all for name in one.reads if name.startswith("event.")}
        await self.remove(ancestor, sorted(read | UNREAD))

    async def remove(self, ancestor: int, tables: Iterable[str]) -> None:
        """Remove what these tables hold above a block."""
        for table in tables:
            await self.connection.execute(
                f"DELETE FROM {table} WHERE chain_id = $1 AND block_number > $2", self.chain_id, ancestor
            )

    async def ends(self, tip: int, finalized: int) -> None:
        """What a commit writes to the cursor; -1 for nothing final."""
        await self.connection.execute(
            "UPDATE sync.chain SET tip_number = $2, tip_hash = $3, finalized_number = $4 WHERE chain_id = $1",
            self.chain_id, tip, tip.to_bytes(32, "big"), None if finalized < 0 else finalized,
        )  # fmt: skip

    async def fold(self, first: int, last: int, *, journal: bool = True) -> None:
        async with self.connection.transaction():
            await self.projections.fold(self.connection, self.chain_id, BlockRange(first, last), journal)

    async def tell(self, *blocks: list[Said]) -> None:
        """Blocks 1, 2, … of a chain, folded in one pass."""
        for number, events in enumerate(blocks, start=1):
            await self.say(number, events)
        await self.ends(len(blocks), -1)
        await self.fold(0, len(blocks), journal=False)

    async def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of a state table of this chain, sorted."""
        names = ", ".join(f'"{name}"' for name in columns)
        found = await self.connection.fetch(
            f"SELECT {names} FROM state.{table} WHERE chain_id = $1 ORDER BY {names}", self.chain_id
        )
        return [tuple(row) for row in found]

    async def state(self) -> dict[str, list[str]]:
        """Everything in the state tables of this chain, as text."""
        tables = sorted({table for one in self.projections.all for table in one.tables})
        return {
            table: [
                row[0]
                for row in await self.connection.fetch(
                    f"SELECT (to_jsonb(t) - 'chain_id')::text FROM {table} AS t WHERE chain_id = $1 ORDER BY 1",
                    self.chain_id,
                )
            ]
            for table in tables
        }
