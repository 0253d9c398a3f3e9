"""The doubles themselves: a chain in memory behaves as a chain, and its client as the real pool over it."""

from __future__ import annotations

import random

import pytest
from pydantic import SecretStr

from indexer.chain.bloom import may_hold
from indexer.chain.filters import LogFilter
from indexer.chain.local import check_linked
from indexer.chain.refs import BlockRange
from indexer.config import ChainSettings
from indexer.errors import BlockNotYetKnown, ChainIdMismatch, RpcTimeout
from indexer.rpc.pool import PooledClient
from indexer.rpc.validate import same_logs
from indexer.testing.chain import MemoryChain
from indexer.testing.client import MemoryClient
from indexer.testing.rpc_server import serving

A, B, T, U = b"\xaa" * 20, b"\xbb" * 20, b"\x11" * 32, b"\x22" * 32


def grown(seed: int, steps: int = 40) -> MemoryChain:
    """A chain after random mining, forks, lowered heads and switches back."""
    chance, chain = random.Random(seed), MemoryChain(finalized_depth=6)
    tips = []
    for step in range(steps):
        logs = [
            (chance.choice((A, B)), [chance.choice((T, U))], bytes([step]) * chance.randrange(40))
            for _ in range(3)
        ]
        chain.mine(logs[: chance.randrange(4)])
        if step % 9 == 8:
            tips.append(chain.head.hash)
            chain.fork(chance.randrange(1, 4), [logs, [], logs])
        if step % 13 == 12:
            chain.lower_head(2)
        if step % 17 == 16:
            chain.switch(tips[0])
    return chain


@pytest.mark.parametrize("seed", range(8))
def test_a_chain_is_linked_numbered_and_its_blooms_hold_its_logs(seed):
    chain = grown(seed)
    check_linked([block.header for block in chain.blocks])
    hashes = [log.tx_hash for block in chain.blocks for log in block.logs]
    assert len(hashes) == len(set(hashes))
    for number, block in enumerate(chain.blocks):
        assert chain.at(number) is block
        assert chain.canonical(block.hash) is block
        for log in block.logs:
            assert may_hold(block.header.logs_bloom, log.address)
            assert all(may_hold(block.header.logs_bloom, topic) for topic in log.topics)


def test_the_same_calls_make_the_same_hashes():
    assert [block.hash for block in grown(3).blocks] == [block.hash for block in grown(3).blocks]


def test_a_fork_has_other_hashes_and_the_same_transactions():
    chain = MemoryChain()
    logs = [(A, [T], b"x")]
    first = chain.mine(logs)
    before = chain.blocks[1].logs[0].tx_hash
    (second,) = chain.fork(1, [logs])
    assert second.hash != first.hash
    assert second.number == first.number
    assert chain.blocks[1].logs[0].tx_hash == before
    assert chain.canonical(first.hash) is None
    assert first.hash in chain.known
    assert chain.switch(first.hash) == first
    assert chain.canonical(second.hash) is None


def test_code_of_an_orphaned_block_is_gone():
    chain = MemoryChain()
    chain.mine(codes={A: b"\x01"})
    assert chain.code_at(A, 1) == b"\x01"
    assert chain.code_at(A, 0) == b""
    tip = chain.head.hash
    chain.fork(1)
    assert chain.code_at(A, 2) == b""
    chain.switch(tip)
    assert chain.code_at(A, 1) == b"\x01"


@pytest.mark.parametrize("depth", [-1, 1, 5])
def test_no_fork_below_the_first_block(depth):
    with pytest.raises(ValueError, match="cannot fork"):
        MemoryChain().fork(depth)


@pytest.mark.parametrize("seed", range(3))
async def test_the_client_double_says_what_the_pool_says(seed):
    chain = grown(seed)
    chain.set_code(A, b"\x60", 3)
    chain.answer(A, b"\x01", b"\x02")
    double = MemoryClient(chain)
    orphan = next(block for block in chain.known.values() if chain.canonical(block.hash) is None)
    filters = [LogFilter(frozenset({A}), frozenset({T})), LogFilter(frozenset({B}), None)]
    async with serving(chain) as server:
        pool = PooledClient("test", ChainSettings(chain_id=31337, rpc=(SecretStr(server.url),)))
        try:
            for client in (pool, double):
                await client.open()
            assert await pool.head() == await double.head()
            for tag in ("finalized", "safe"):
                assert await pool.finalized(tag) == await double.finalized(tag)
            for block in (0, 5, 10_000, orphan.hash, chain.blocks[4].hash):
                assert await pool.header(block) == await double.header(block)
            assert await pool.headers([4, 2]) == await double.headers([4, 2])
            span = BlockRange(0, chain.head.number)
            left, right = await pool.logs_in_range(span, filters), await double.logs_in_range(span, filters)
            assert same_logs(left.logs, right.logs)
            assert left.end == right.end
            for block in chain.blocks[-6:]:
                assert same_logs(
                    await pool.logs_of_block(block.header, filters),
                    await double.logs_of_block(block.header, filters),
                )
            for client in (pool, double):
                with pytest.raises(BlockNotYetKnown):
                    await client.logs_of_block(orphan.header, filters)
                with pytest.raises(BlockNotYetKnown):
                    await client.logs_in_range(BlockRange(0, 10_000), filters)
                assert await client.code(A, 5) == b"\x60"
                assert await client.call(A, b"\x01", 5) == b"\x02"
                assert await client.call(A, b"\x05", 5) is None
                assert await client.call(B, b"\x05", 5) == b""
        finally:
            await pool.close()


async def test_the_client_double_fails_on_demand_and_holds_a_stale_view():
    chain = MemoryChain()
    seen = []
    client = MemoryClient(chain, hook=lambda number, method: seen.append((number, method)))
    client.fail_at[2] = RpcTimeout("second call")
    await client.head()
    with pytest.raises(RpcTimeout):
        await client.head()
    client.hold()
    chain.mine()
    assert (await client.head()).number == 0
    client.release()
    assert (await client.head()).number == 1
    assert seen == [(1, "head"), (2, "head"), (3, "head"), (4, "head")]
    with pytest.raises(ChainIdMismatch):
        await MemoryClient(chain, chain_id=5).open()
