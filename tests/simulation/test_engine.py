"""The engine over a chain in memory and a real database: every phase, every kind of reorg, and what must be left after."""

from __future__ import annotations

import random

import asyncpg
import pytest
import world

from indexer import app
from indexer.errors import FinalizedReorg, RpcTimeout
from indexer.sync.goal import NoProgress
from indexer.testing.chain import MemoryChain
from indexer.testing.client import MemoryClient


def grown(seed: int, blocks: int, chain: MemoryChain | None = None) -> MemoryChain:
    rng = random.Random(seed)
    chain = chain or MemoryChain()
    for _ in range(blocks):
        chain.mine(world.random_logs(rng))
    return chain


async def reorgs(url: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(
            "SELECT depth, common_ancestor, rows_removed FROM sync.reorg ORDER BY id"
        )
    finally:
        await connection.close()


async def test_backfill_then_follow_to_the_head(event_url: str) -> None:
    chain = grown(1, 200)
    await world.run(world.settings(event_url), chain, range_blocks=17)
    await world.check(event_url, chain)


async def test_a_second_run_changes_nothing_and_a_third_goes_on(event_url: str) -> None:
    chain = grown(2, 120)
    await world.run(world.settings(event_url), chain, until="finalized")
    await world.check(event_url, chain, upto=56)
    before = await world.actual(event_url)
    await world.run(world.settings(event_url), chain, until="finalized")
    assert await world.actual(event_url) == before
    grown(3, 50, chain)
    await world.run(world.settings(event_url), chain)
    await world.check(event_url, chain)


async def test_a_block_number_as_goal_is_met_exactly(event_url: str) -> None:
    chain = grown(4, 150)
    await world.run(world.settings(event_url), chain, until=100)
    await world.check(event_url, chain, upto=100)


@pytest.mark.parametrize("depth", [1, 2, 3, 7, 20, 63])
async def test_a_reorg_during_downtime(event_url: str, depth: int) -> None:
    chain = grown(5, 100)
    await world.run(world.settings(event_url), chain)
    rng = random.Random(depth)
    chain.fork(depth, [world.random_logs(rng) for _ in range(depth + 2)])
    await world.run(world.settings(event_url), chain)
    await world.check(event_url, chain)
    (row,) = await reorgs(event_url)
    assert (row["depth"], row["common_ancestor"]) == (depth, 100 - depth)


async def test_a_shorter_branch_replaces_ours(event_url: str) -> None:
    chain = grown(6, 90)
    await world.run(world.settings(event_url), chain)
    chain.fork(10, [world.random_logs(random.Random(1)) for _ in range(4)])
    await world.run(world.settings(event_url), chain)
    await world.check(event_url, chain)


async def test_a_flip_there_and_back(event_url: str) -> None:
    chain = grown(7, 90)
    await world.run(world.settings(event_url), chain)
    first = chain.head.hash
    chain.fork(5, [world.random_logs(random.Random(2)) for _ in range(5)])
    second = chain.head.hash
    await world.run(world.settings(event_url), chain)
    await world.check(event_url, chain)
    for tip in (first, second, first):
        chain.switch(tip)
        await world.run(world.settings(event_url), chain)
        await world.check(event_url, chain)
    assert [row["depth"] for row in await reorgs(event_url)] == [5, 5, 5, 5]


async def test_a_head_that_goes_back_is_a_provider_that_lags(event_url: str) -> None:
    chain = grown(8, 90)
    await world.run(world.settings(event_url), chain)
    before = await world.actual(event_url)
    chain.lower_head(6)
    await world.run(world.settings(event_url), chain)
    assert await world.actual(event_url) == before
    assert await reorgs(event_url) == []


async def test_a_reorg_that_a_second_read_denies_is_not_believed(event_url: str) -> None:
    honest = grown(9, 90)
    await world.run(world.settings(event_url), honest)
    other = grown(9, 90)
    other.fork(3, [world.random_logs(random.Random(3)) for _ in range(3)])
    with pytest.raises(NoProgress):
        await world.run(world.settings(event_url), other, second=honest, patience=2)
    await world.check(event_url, honest)
    assert await reorgs(event_url) == []


async def test_a_reorg_after_a_long_absence(event_url: str) -> None:
    chain = grown(10, 100)
    await world.run(world.settings(event_url), chain)
    rng = random.Random(4)
    chain.fork(30, [world.random_logs(rng) for _ in range(300)])
    await world.run(world.settings(event_url), chain, range_blocks=40)
    await world.check(event_url, chain)


async def test_a_reorg_below_finality_halts_and_changes_nothing_until_rewound(event_url: str) -> None:
    chain = grown(11, 150)
    configured = world.settings(event_url)
    await world.run(configured, chain)
    before = await world.actual(event_url)
    chain.fork(100, [world.random_logs(random.Random(5)) for _ in range(120)])
    with pytest.raises(FinalizedReorg, match="rewind"):
        await world.run(configured, chain)
    assert await world.actual(event_url) == before
    with pytest.raises(FinalizedReorg):
        await world.run(configured, chain)
    assert await world.actual(event_url) == before
    await app.rewind(configured, None, 50, client_factory=lambda _n, _s: MemoryClient(chain))
    await world.run(configured, chain)
    await world.check(event_url, chain)


async def test_reorgs_while_following(event_url: str) -> None:
    chain = grown(12, 80)
    rng = random.Random(6)
    steps = 0

    def hook(_number: int, method: str) -> None:
        nonlocal steps
        if method == "logs_of_block" and steps < 40 and rng.random() < 0.3:
            steps += 1
            depth = rng.randrange(1, 20)
            chain.fork(depth, [world.random_logs(rng) for _ in range(depth + rng.randrange(3))])

    await world.run(world.settings(event_url), chain, hook=hook)
    await world.run(world.settings(event_url), chain)
    await world.check(event_url, chain)
    assert steps > 5


async def test_a_contract_added_later_is_back_filled_alone(event_url: str) -> None:
    chain = grown(13, 200)
    sections = world.contracts(discover=False)
    later = sections.pop("token")
    await world.run(world.settings(event_url, sections), chain)
    asked: list[str] = []
    await world.run(
        world.settings(event_url, {**sections, "token": later}), chain, hook=lambda _n, m: asked.append(m)
    )
    want, have = world.expected(chain), await world.actual(event_url)
    assert (have.erc20, have.balances, have.supply) == (want.erc20, want.balances, want.supply)
    assert have.owners == want.owners
    chain.fork(20, [world.random_logs(random.Random(7)) for _ in range(22)])
    await world.run(world.settings(event_url, {**sections, "token": later}), chain)
    want, have = world.expected(chain), await world.actual(event_url)
    assert (have.erc20, have.balances, have.owners) == (want.erc20, want.balances, want.owners)


async def test_discovery_added_later_finds_what_was_announced_before(event_url: str) -> None:
    chain = grown(14, 200)
    await world.run(world.settings(event_url, world.contracts(discover=False)), chain)
    await world.run(world.settings(event_url), chain)
    await world.check(event_url, chain)


async def test_a_start_block_above_finality(event_url: str) -> None:
    chain = grown(15, 40)
    await world.run(world.settings(event_url, start_block=30), chain)
    await world.check(event_url, chain, start=30)


async def test_confirmations_as_finality(event_url: str) -> None:
    chain = grown(16, 60)
    configured = world.settings(event_url, finality=10)
    await world.run(configured, chain)
    await world.check(event_url, chain)
    chain.fork(9, [world.random_logs(random.Random(8)) for _ in range(12)])
    await world.run(configured, chain)
    await world.check(event_url, chain)


@pytest.mark.parametrize("safe_depth", [None, 20])
async def test_a_chain_without_finality_uses_safe_or_a_depth(event_url: str, safe_depth: int | None) -> None:
    chain = grown(17, 100, MemoryChain(finalized_depth=None, safe_depth=safe_depth))
    await world.run(world.settings(event_url), chain)
    await world.check(event_url, chain)
    connection = await asyncpg.connect(event_url)
    try:
        finalized = await connection.fetchval("SELECT finalized_number FROM sync.chain")
    finally:
        await connection.close()
    assert finalized == 100 - (64 if safe_depth is None else safe_depth)


async def test_what_a_failed_try_announced_does_not_count_for_the_branch_that_replaces_it(
    event_url: str,
) -> None:
    chain = MemoryChain(finalized_depth=20)
    chain.mine_empty(30)
    settings = world.settings(event_url)
    await world.run(settings, chain)
    member = world.account(150)
    chain.mine([world.identity_created(world.account(1), member)])
    reads = 0

    def hook(_number: int, method: str) -> None:
        nonlocal reads
        reads += method == "logs_of_block"
        if method == "logs_of_block" and reads == 2:
            chain.fork(1, [[world.key_added(member, 1)], [world.identity_created(world.account(1), member)]])
            raise RpcTimeout("no answer")

    await world.run(settings, chain, hook=hook)
    assert reads > 2
    await world.check(event_url, chain)
    connection = await asyncpg.connect(event_url)
    try:
        rows = await connection.fetch("SELECT address, announced_block FROM sync.discovered_address")
    finally:
        await connection.close()
    assert [tuple(row) for row in rows] == [(member, 32)]
