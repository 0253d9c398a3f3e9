"""The simulation's world is importable here, and a second database is at hand to compare with."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "simulation"))


@pytest.fixture
async def other_url(
    postgres_url: str, event_template: str, url_of: Callable[[str], str]
) -> AsyncIterator[str]:
    """Another fresh database with all built-in event tables."""
    name = f"indexer_other_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{event_template}"')
    yield url_of(name)
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()
