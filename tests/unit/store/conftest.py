"""The small world of ``store_world`` on a fresh database."""

from __future__ import annotations

import pytest
from store_world import Books, open_books

from indexer.store.store import Store


@pytest.fixture
async def books(store: Store) -> Books:
    """A store ready for commits."""
    return await open_books(store)
