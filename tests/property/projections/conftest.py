"""A chain written straight into the event tables, block by block, for tests of the projections."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from indexer.chain.refs import BlockRange
from indexer.decode.catalogue import load_catalogue
from indexer.projections.runner import Projections
from indexer.store.connect import connect, open_pool
from indexer.store.ddl import register_tables

ZERO = bytes(20)
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


@dataclass(frozen=True)
class Said:
    """One event of a block: its table, emitter and arguments. ``tx`` tells transactions of a block apart."""

    table: str
    address: bytes
    values: dict[str, Any]
    tx: int = 0


class Ledger:
    """Events of one chain in the database, and the projections over them."""

    def __init__(self, connection: asyncpg.Connection, projections: Projections, chain_id: int) -> None:
        self.connection = connection
        self.projections = projections
        self.chain_id = chain_id

    async def open(self) -> None:
        await self.connection.execute(
            "INSERT INTO sync.chain (chain_id, name) VALUES ($1, $2)", self.chain_id, f"chain{self.chain_id}"
        )

    async def say(self, number: int, events: list[Said]) -> None:
        """Insert the events of a block; their log indexes are their places."""
        rows: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = {}
        for place, event in enumerate(events):
            head = (
                self.chain_id, number, number.to_bytes(32, "big"), NOW,
                (number * 1000 + event.tx).to_bytes(32, "big"), event.tx, place, event.address,
            )  # fmt: skip
            values = tuple(
                json.dumps(value) if isinstance(value, (dict, list)) and key in JSON else value
                for key, value in event.values.items()
            )
            rows.setdefault((event.table, tuple(event.values)), []).append(head + values)
        for (table, columns), records in rows.items():
            await self.connection.copy_records_to_table(
                table, schema_name="event", columns=[*LEADING, *columns], records=records
            )

    async def unsay(self, ancestor: int) -> None:
        """Remove the events above a block."""
        read = {name for one in self.projections.all for name in one.reads if name.startswith("event.")}
        for table in sorted(read | UNREAD):
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


CHAINS = itertools.count(1)
JSON = {"diamond_cut", "settings", "attributes"}
UNREAD = {
    "event.identity_registry_claims_set",
    "event.trade_deal_collateral_tokens_distributed",
    "event.trade_deal_interest_distributed_for_trade_deal",
    "event.trusted_issuer_claim_topic_added",
    "event.trusted_issuer_claim_topic_removed",
}
"""Tables that no projection reads, for tests that say so."""
TABLES = UNREAD | {name for one in Projections.load().all for name in one.reads if name.startswith("event.")}


@pytest.fixture(scope="session")
def event_tables() -> list[Any]:
    """The event tables that the built-in projections read, and some that they must not."""
    return [table for table in load_catalogue(None, {}).tables if f"event.{table.name}" in TABLES]


@pytest.fixture
async def base(connection: asyncpg.Connection, event_tables: list[Any]) -> asyncpg.Connection:
    """A migrated database with those tables."""
    await register_tables(connection, event_tables)
    return connection


@pytest.fixture
async def ledger(base: asyncpg.Connection) -> Ledger:
    """Chain 1, empty."""
    made = Ledger(base, Projections.load(), 1)
    await made.open()
    return made


@pytest.fixture
async def pool(base: asyncpg.Connection, migrated_url: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool on the same database."""
    made = await open_pool(migrated_url, size=3)
    yield made
    await made.close()


@pytest.fixture
def said() -> type[Said]:
    """Importable by no other way: test folders are no packages."""
    return Said


@pytest.fixture
def new_ledger() -> type[Ledger]:
    """Likewise."""
    return Ledger


@pytest.fixture(scope="session")
def shared_url(postgres_url: str, migrated_template: str, event_tables: list[Any]) -> Iterator[str]:
    """A database for tests that each take a chain of their own."""
    name = f"indexer_test_{uuid.uuid4().hex[:12]}"
    path, _, query = postgres_url.partition("?")
    url = f"{path.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")

    async def admin(statement: str) -> None:
        made = await asyncpg.connect(postgres_url)
        await made.execute(statement)
        await made.close()

    async def build() -> None:
        await admin(f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}"')
        made = await connect(url)
        await register_tables(made, event_tables)
        await made.close()

    asyncio.run(build())
    yield url
    asyncio.run(admin(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def shared_ledger(shared_url: str) -> AsyncIterator[Ledger]:
    """An empty chain in the shared database."""
    connection = await connect(shared_url)
    made = Ledger(connection, Projections.load(), next(CHAINS))
    await made.open()
    yield made
    await connection.close()
