"""Databases with every event table, and ``world`` importable for the tests of this folder."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from indexer.decode.catalogue import load_catalogue
from indexer.store.ddl import register_selectors, register_tables

sys.path.insert(0, str(Path(__file__).parent))


def _named(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    scheme, _, rest = head.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{name}" + (f"?{query}" if query else "")


async def _admin(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def event_template(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """Name of a migrated database with all built-in event tables."""
    name = f"indexer_test_{uuid.uuid4().hex[:12]}"

    async def build() -> None:
        await _admin(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}"')
        catalogue = load_catalogue(None, {})
        connection = await asyncpg.connect(_named(postgres_url, name))
        try:
            await register_tables(connection, catalogue.tables)
            await register_selectors(connection, catalogue.functions)
        finally:
            await connection.close()

    asyncio.run(build())
    yield name
    asyncio.run(_admin(postgres_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture
async def event_url(postgres_url: str, event_template: str) -> AsyncIterator[str]:
    """A fresh database with all built-in event tables."""
    name = f"indexer_test_{uuid.uuid4().hex[:12]}"
    await _admin(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{event_template}"')
    yield _named(postgres_url, name)
    await _admin(postgres_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
