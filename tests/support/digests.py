"""What a database holds, table by table, as something that two databases can be compared by."""

from __future__ import annotations

import asyncpg

_TABLES = """
SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
WHERE table_schema IN ('event', 'state') AND table_type = 'BASE TABLE'
AND NOT (table_schema = 'state' AND table_name IN ('token', 'silent_token')) ORDER BY 1
"""


async def rows_of(url: str) -> dict[str, list[str]]:
    """Every row of every table in ``event`` and ``state`` as text, sorted; tables without rows are left out.

    Names and decimals of tokens are left out too: they are asked of the chain, not folded from events, and the block at which
    they were asked is one of many. The coverage of each source is there too: it says what the rows are complete for.
    """
    connection = await asyncpg.connect(url)
    try:
        found = {}
        for (name,) in await connection.fetch(_TABLES):
            rows = [text for (text,) in await connection.fetch(f"SELECT t::text FROM {name} t")]
            if rows:
                found[name] = sorted(rows)
        found["coverage"] = sorted(
            f"{row['contract']} {row['coverage']}"
            for row in await connection.fetch("SELECT contract, coverage::text FROM sync.source")
        )
        return found
    finally:
        await connection.close()
