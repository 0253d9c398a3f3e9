from __future__ import annotations

from indexer.store.connect import connect
from indexer.store.migrate import migrate


async def test_a_second_run_changes_nothing(database_url):
    connection = await connect(database_url)
    try:
        first = await migrate(connection)
        assert first[0] == "0001_sync"
        assert await migrate(connection) == []
    finally:
        await connection.close()
