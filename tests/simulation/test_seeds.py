"""Seeded histories over a real database: random blocks, forks, flips, lagging heads, failing calls and restarts.

A seed alone makes a run: ``pytest tests/simulation/test_seeds.py --seed N``-like selection is by test id. Each seed has a chain id of
its own in one database, so that hundreds cost no more than their blocks. The truth is ``world.expected``, which knows
nothing of the engine.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import world

from indexer import app
from indexer.clock import SystemClock
from indexer.config import ChainSettings, Settings
from indexer.errors import BlockNotYetKnown, ProviderLied, RateLimited, RpcTimeout, RpcUnavailable
from indexer.sync.engine import ChainEngine
from indexer.sync.goal import Goal, Patience
from indexer.testing.chain import MemoryChain
from indexer.testing.client import MemoryClient

FAULTS = (
    RpcTimeout("no answer"),
    RpcUnavailable("connection refused"),
    RateLimited("slow down", 0.0),
    BlockNotYetKnown("not yet"),
    ProviderLied("nonsense"),
)
SEEDS = 40
SEEDS_LONG = 1_000


class QuickClock(SystemClock):
    """Pauses are over at once, so that retries cost no time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.001))


class History:
    """One seed's chain, its client and what happened to it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.chain_id = 1_000_000 + seed
        self.chain = MemoryChain(chain_id=self.chain_id, finalized_depth=self.rng.choice((8, 20, 64)))
        self.happened: Counter[str] = Counter()
        self.tips: list[bytes] = []

    def mine(self) -> None:
        for _ in range(self.rng.randrange(1, 12)):
            self.chain.mine(world.random_logs(self.rng, 3))
        self.happened["mine"] += 1

    def fork(self) -> None:
        most = min(self.chain.finalized_depth or 0, len(self.chain.blocks) - 1)
        if most < 1:
            return
        depth = self.rng.randrange(1, most + 1)
        self.tips.append(self.chain.head.hash)
        fresh = [world.random_logs(self.rng, 3) for _ in range(max(1, depth + self.rng.randrange(-1, 4)))]
        self.chain.fork(depth, fresh)
        self.happened["fork"] += 1

    def flip(self) -> None:
        """Back to a branch that was left, where that is not below what may have been called final."""
        floor = self.chain.blocks[max(len(self.chain.blocks) - 1 - (self.chain.finalized_depth or 0), 0)]
        for tip in reversed(self.tips):
            block = self.chain.known[tip]
            while block.number > floor.number:
                block = self.chain.known[block.header.parent_hash]
            if block.hash == floor.hash:
                self.tips.append(self.chain.head.hash)
                self.chain.switch(tip)
                self.happened["flip"] += 1
                return

    def step(self) -> None:
        self.rng.choice((self.mine, self.mine, self.fork, self.flip))()


@asynccontextmanager
async def parts_of(url: str) -> AsyncIterator[app.Parts]:
    async with app.opened(world.settings(url), clock=QuickClock()) as parts:
        yield parts


def configured(parts: app.Parts, history: History) -> Settings:
    chain = ChainSettings(chain_id=history.chain_id, rpc=parts.settings.chains["test"].rpc, poll_seconds=0.01)
    sync = parts.settings.sync.model_copy(update={"lease_seconds": 0.5})
    return parts.settings.model_copy(update={"chains": {"test": chain}, "sync": sync})


async def run_once(
    parts: app.Parts, history: History, client: MemoryClient, *, cut_after: float | None
) -> None:
    """Run the engine to the head, or stop it dead after a moment."""
    mine = app.Parts(
        configured(parts, history),
        parts.clock,
        parts.store,
        parts.catalogue,
        parts.projections,
        app.holder_name(),
    )
    engine = ChainEngine(mine.opening("test", client), Goal("head"), Patience(parts.clock, 20), None)
    try:
        await asyncio.wait_for(engine.run(), cut_after)
    except TimeoutError:
        history.happened["cut"] += 1


async def live(parts: app.Parts, seed: int) -> History:
    history = History(seed)
    rng = history.rng
    history.mine()
    for _ in range(rng.randrange(3, 8)):
        client = MemoryClient(history.chain, range_blocks=rng.choice((1, 3, 7, 50, 1000)))
        for _ in range(rng.randrange(4)):
            client.fail_at[rng.randrange(1, 60)] = rng.choice(FAULTS)
            history.happened["fault"] += 1
        until = rng.randrange(5, 80)

        def hook(number: int, _method: str, until: int = until) -> None:
            if number == until:
                history.step()
                history.happened["under way"] += 1

        client.hook = hook
        await run_once(parts, history, client, cut_after=rng.choice((None, None, 0.01, 0.05)))
        history.step()
    await run_once(parts, history, MemoryClient(history.chain), cut_after=None)
    return history


async def hold(url: str, seeds: range) -> Counter[str]:
    happened: Counter[str] = Counter()
    async with parts_of(url) as parts:
        for seed in seeds:
            history = await live(parts, seed)
            try:
                await world.check(url, history.chain, chain_id=history.chain_id)
            except AssertionError as wrong:
                raise AssertionError(f"seed {seed}: {wrong}") from wrong
            happened += history.happened
    return happened


@pytest.mark.timeout(300)
async def test_every_seed_ends_in_the_rows_of_the_canonical_chain(event_url: str) -> None:
    happened = await hold(event_url, range(SEEDS))
    missing = {"mine", "fork", "flip", "fault", "under way", "cut"} - set(happened)
    assert not missing, f"never happened: {missing}"


@pytest.mark.long
@pytest.mark.timeout(7200)
async def test_many_more_seeds(event_url: str) -> None:
    await hold(event_url, range(SEEDS, SEEDS + SEEDS_LONG))
