"""Databases and chains for tests of the projections."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from ledger import UNREAD, Ledger, Said

from indexer.decode.catalogue import load_catalogue
from indexer.projections.runner import Projections
from indexer.store.connect import connect, open_pool
from indexer.store.ddl import register_tables

CHAINS = itertools.count(1)
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
    """The class, for tests that make events."""
    return Said


@pytest.fixture
def new_ledger() -> type[Ledger]:
    """The class, for tests with several chains."""
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
