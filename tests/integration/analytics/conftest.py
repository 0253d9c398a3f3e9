"""One database with the history of ``analytics_world`` for all tests here: they only read."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest
from analytics_world import tell_all

from indexer.store.connect import connect


@pytest.fixture(scope="session")
def world_url(postgres_url: str, url_of: Callable[[str], str], views_template: str) -> Iterator[str]:
    """A database in which the whole history was said and folded."""
    name = f"indexer_test_{uuid.uuid4().hex[:12]}"

    async def admin(statement: str) -> None:
        made = await asyncpg.connect(postgres_url)
        await made.execute(statement)
        await made.close()

    async def build() -> None:
        await admin(f'CREATE DATABASE "{name}" TEMPLATE "{views_template}"')
        made = await connect(url_of(name))
        await tell_all(made)
        await made.close()

    asyncio.run(build())
    yield url_of(name)
    asyncio.run(admin(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def world(world_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to it that cannot write."""
    made = await connect(world_url)
    await made.execute("SET default_transaction_read_only = on")
    yield made
    await made.close()
