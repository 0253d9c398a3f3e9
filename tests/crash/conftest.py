"""The world of the simulation's tests, a second database, and digests of everything a database holds."""

from __future__ import annotations

import shutil
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from scratch import scratch_folder

sys.path.insert(0, str(Path(__file__).parents[1] / "simulation"))


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that a server under another user can get at; pytest closes its own to others whenever a session begins."""
    folder = scratch_folder("indexer-crash-")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def other_url(postgres_url: str, event_template: str) -> AsyncIterator[str]:
    """Another fresh database with all built-in event tables."""
    name = f"indexer_test_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{event_template}"')
        head, _, query = postgres_url.partition("?")
        scheme, _, rest = head.partition("://")
        yield f"{scheme}://{rest.partition('/')[0]}/{name}" + (f"?{query}" if query else "")
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()
