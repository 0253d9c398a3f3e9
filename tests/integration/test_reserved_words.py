"""The fixed list of reserved words against the server's own."""

from __future__ import annotations

import asyncpg

from indexer.decode.naming import RESERVED_WORDS


async def test_the_list_is_that_of_postgresql_18(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        version = connection.get_server_version().major
        rows = await connection.fetch("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')")
    finally:
        await connection.close()
    reserved = {row["word"] for row in rows}
    # Older servers reserve fewer words; the names must not depend on that.
    assert reserved <= RESERVED_WORDS if version < 18 else reserved == RESERVED_WORDS
