"""A writer killed at any instant leaves whole commits, and the next one goes on from the cursor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from store_world import CHAIN

from indexer.store.connect import connect
from indexer.store.migrate import require_migrated

SUPPORT = Path(__file__).parents[2] / "support"

WRITER = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from pydantic import SecretStr
from store_world import CHAIN, Log, header, open_books
from indexer.config import DatabaseSettings
from indexer.store.store import Store

async def main():
    store = await Store.open(DatabaseSettings(url=SecretStr(sys.argv[1])))
    books = await open_books(store)
    tip = (await store.chain_state(CHAIN)).tip
    books.tip, block = tip, 0 if tip is None else tip.number + 1
    print("writing", block, flush=True)
    while True:
        if block % 7 == 6:
            books.branch, books.fork = "a", None
            await books.reorg(block - 3, block, [Log(n, i, n) for n in range(block - 2, block + 1) for i in (0, 1)], "a")
        else:
            await books.commit(block, block, [Log(block, i, block) for i in (0, 1)])
        block += 1

asyncio.run(main())
"""

WHOLE = """
SELECT coalesce((SELECT tip_number FROM sync.chain), -1) AS tip,
       (SELECT count(*) FROM event.demo_ping) AS rows,
       (SELECT count(DISTINCT block_number) FROM event.demo_ping) AS blocks,
       coalesce((SELECT max(number) FROM sync.block), -1) AS link,
       coalesce((SELECT upper(coverage) FROM sync.source), 0) AS covered,
       (SELECT coalesce(sum(rows_removed), 0) FROM sync.reorg) AS removed,
       (SELECT count(*) FROM sync.orphan) AS orphans
"""


async def test_kill_9_at_random_instants(migrated_url):
    connection = await connect(migrated_url)
    await require_migrated(connection)
    starts = []
    for turn in range(6):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, migrated_url, str(SUPPORT), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        line = (await process.stdout.readline()).split()
        assert line[0] == b"writing"
        starts.append(int(line[1]))
        await asyncio.sleep(0.15 + 0.037 * turn)
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        row = await connection.fetchrow(WHOLE)
        tip = row["tip"]
        assert row["rows"] == 2 * (tip + 1)
        assert row["blocks"] == tip + 1
        assert (row["link"], row["covered"]) == (tip, tip + 1)
        assert row["removed"] == row["orphans"]
    assert starts == sorted(starts)
    assert starts[-1] > starts[0]
    assert await connection.fetchval("SELECT count(*) FROM sync.reorg WHERE chain_id = $1", CHAIN) > 0
    await connection.close()
