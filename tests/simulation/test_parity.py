"""One chain read in many ways ends in one set of rows, byte for byte: range sizes, interruptions, back-fill or follow."""

from __future__ import annotations

import hashlib
import random

import asyncpg
import pytest
import world

from indexer.testing.chain import MemoryChain

BLOCKS = 160


def one_chain() -> MemoryChain:
    rng = random.Random(77)
    chain = MemoryChain(finalized_depth=64)
    for _ in range(BLOCKS):
        chain.mine(world.random_logs(rng))
    return chain


async def fingerprint(url: str) -> str:
    """SHA-256 over every row of every event and state table, in an order that does not depend on how it came in."""
    connection = await asyncpg.connect(url)
    digest = hashlib.sha256()
    try:
        tables = await connection.fetch(
            "SELECT schemaname || '.' || quote_ident(tablename) AS name FROM pg_tables "
            "WHERE schemaname IN ('event', 'state') ORDER BY 1"
        )
        for table in tables:
            rows = await connection.fetch(
                f"SELECT row_to_json(t)::text AS row FROM {table['name']} AS t ORDER BY 1"
            )
            for row in rows:
                digest.update(f"{table['name']} {row['row']}\n".encode())
    finally:
        await connection.close()
    return digest.hexdigest()


WAYS = {
    "one range": {"range_blocks": 1000},
    "a block at a time": {"range_blocks": 1},
    "sevens": {"range_blocks": 7},
    "in three runs": {"stops": (40, 97)},
    "all followed": {"finality": BLOCKS + 1},
    "followed in steps": {"finality": BLOCKS + 1, "stops": (1, 30, 31, 100)},
    "all below finality": {"finality": 0},
}


@pytest.fixture(scope="module")
def seen() -> dict[str, str]:
    """Fingerprints so far, by way."""
    return {}


@pytest.mark.parametrize("way", WAYS)
async def test_the_same_rows_whatever_the_way(event_url: str, seen: dict[str, str], way: str) -> None:
    chain = one_chain()
    chosen = dict(WAYS[way])
    stops = chosen.pop("stops", ())
    span = chosen.pop("range_blocks", 50)
    settings = world.settings(event_url, **chosen)
    for stop in stops:
        await world.run(settings, chain, until=stop, range_blocks=span)
    await world.run(settings, chain, range_blocks=span)
    await world.check(event_url, chain)
    seen[way] = await fingerprint(event_url)
    assert len(set(seen.values())) == 1, seen


async def test_a_chain_reached_over_reorgs_has_the_rows_of_one_that_never_had_any(
    event_url: str, seen: dict[str, str]
) -> None:
    final = one_chain()
    chain = one_chain()
    rng = random.Random(5)
    tip = chain.head.hash
    settings = world.settings(event_url)
    await world.run(settings, chain, until=150)
    for depth in (3, 20, 50):
        chain.fork(depth, [world.random_logs(rng) for _ in range(depth)])
        await world.run(settings, chain)
    chain.switch(tip)
    await world.run(settings, chain)
    await world.check(event_url, final)
    seen["over reorgs"] = await fingerprint(event_url)
    assert len(set(seen.values())) == 1, seen
