"""A chain that goes on by itself while a test does something else."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import world

from indexer.testing.chain import MemoryChain


def grown(seed: int, blocks: int) -> MemoryChain:
    """A chain of that many blocks with random logs."""
    rng = random.Random(seed)
    chain = MemoryChain()
    for _ in range(blocks):
        chain.mine(world.random_logs(rng))
    return chain


@asynccontextmanager
async def living(
    chain: MemoryChain, rng: random.Random, *, forks: float = 0.25, pause: float = 0.06
) -> AsyncIterator[list[int]]:
    """Blocks and, with the share ``forks``, reorgs of 1 to 12 blocks while the block runs; the list holds their depths."""
    depths: list[int] = []

    async def live() -> None:
        while True:
            if rng.random() < forks:
                depth = rng.randrange(1, 13)
                chain.fork(depth, [world.random_logs(rng) for _ in range(depth + rng.randrange(3))])
                depths.append(depth)
            else:
                chain.mine(world.random_logs(rng))
            await asyncio.sleep(rng.random() * pause)

    task = asyncio.create_task(live())
    try:
        yield depths
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
