"""The command line's own SQL, from ``queries/*.sql``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from indexer.store.queries import Query, load_queries

SCHEMAS = ["event", "state", "custom", "analytics", "sync", "partner"]
ROLES = ["indexer_owner", "indexer_migrator", "indexer_writer", "indexer_dispatcher", "indexer_reader"]


@cache
def _queries() -> dict[str, Query]:
    return load_queries(Path(__file__).with_name("queries"))


def sql(name: str) -> str:
    """The text of a named statement; KeyError when there is none of that name."""
    return _queries()[name].sql
