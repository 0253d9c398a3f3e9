"""Every lie and fault of the catalogue: the right answer or a typed error, never wrong logs."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import AsyncExitStack

import numpy as np
import pytest

from indexer.chain.refs import BlockRange
from indexer.errors import IndexerError
from indexer.rpc import transport
from indexer.rpc.validate import same_logs
from indexer.testing.chain import MemoryChain
from indexer.testing.lies import CATALOGUE, RANGE_WORDINGS
from indexer.testing.rpc_server import KEY, serving

ON_SOCKETS = {"silent_websocket", "out_of_order_heads", "repeated_heads"}
NAMES = sorted(set(CATALOGUE) - ON_SOCKETS)


@pytest.fixture(autouse=True)
def small_answers(monkeypatch):
    """Answers over a megabyte count as too large, so that a large one need not be large."""
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 1_000_000)


def without_key(error: IndexerError) -> IndexerError:
    assert KEY not in "".join(traceback.format_exception(error))
    return error


async def attempt(awaitable):
    """The answer, or the typed error; anything else fails the test."""
    try:
        return await asyncio.wait_for(awaitable, 30)
    except IndexerError as error:
        return without_key(error)


def is_right(got, expected) -> bool:
    return same_logs(got, expected) and np.array_equal(got.block_time, expected.block_time)


def test_the_catalogue_is_as_long_as_promised():
    assert len(CATALOGUE) >= 24
    assert len(RANGE_WORDINGS) == 8


@pytest.mark.parametrize("name", NAMES)
async def test_one_endpoint(name, chain, filters, truth, client_of):
    patience = 0.05 if name == "no_answer" else 1.0
    async with serving(chain, name) as server, client_of(server.url, timeout_seconds=patience) as client:
        ranged = await attempt(client.logs_in_range(BlockRange(1, 12), filters))
        if not isinstance(ranged, IndexerError):
            assert is_right(ranged.logs, truth(1, 12))
            assert ranged.end.ref == chain.blocks[12].header.ref
        for number in (34, 36):
            block = await attempt(client.logs_of_block(chain.blocks[number].header, filters))
            if not isinstance(block, IndexerError):
                assert is_right(block, truth(number, number))
        head = await attempt(client.head())
        if not isinstance(head, IndexerError) and name not in ("broken_parent", "wrong_bloom", "wrong_block"):
            assert head == chain.blocks[head.number].header
        assert server.told.get(name) or name in (
            "above_head_refused",
            "finalized_back",
            "finalized_null",
            "finalized_error",
            "too_many_addresses",
        )
        assert KEY not in repr(client.status())


@pytest.mark.parametrize("name", NAMES)
async def test_a_liar_beside_an_honest_endpoint(name, chain, filters, truth, client_of):
    """With a second endpoint nothing goes wrong at all."""
    async with AsyncExitStack() as stack:
        liar = await stack.enter_async_context(serving(chain, name))
        honest = await stack.enter_async_context(serving(chain))
        client = await stack.enter_async_context(client_of(liar.url, honest.url, timeout_seconds=0.5))
        ranged = await attempt(client.logs_in_range(BlockRange(1, 12), filters))
        block = await attempt(client.logs_of_block(chain.blocks[34].header, filters))
        for got, expected in ((getattr(ranged, "logs", ranged), truth(1, 12)), (block, truth(34, 34))):
            assert not isinstance(got, IndexerError), got
            assert is_right(got, expected)


@pytest.mark.parametrize("name", sorted(lie.name for lie in RANGE_WORDINGS))
async def test_range_limits_in_every_wording_are_learned(name, chain, filters, truth, client_of):
    async with serving(chain, name) as server, client_of(server.url) as client:
        ranged = await client.logs_in_range(BlockRange(0, 40), filters)
        assert is_right(ranged.logs, truth(0, 40))
        asked = len(server.requests)
        again = await client.logs_in_range(BlockRange(0, 40), filters)
        assert is_right(again.logs, truth(0, 40))
        assert len(server.requests) - asked <= asked
        if name in ("range_max_blocks", "range_a_over_n", "range_in_data", "range_k_suffix"):
            assert 1 < client.suggested_blocks() <= 10


@pytest.mark.parametrize("seed", range(6))
async def test_many_lies_at_once_now_and_then(seed, chain, filters, truth, client_of):
    """A swarm: a random part of the requests is answered wrongly in any of several ways."""
    chosen = sorted(set(NAMES) - {"no_answer", "wrong_chain_id", "huge_answer", "rate_limited"})
    picked = [chosen[(seed * 7 + step * 5) % len(chosen)] for step in range(6)]
    async with AsyncExitStack() as stack:
        liar = await stack.enter_async_context(serving(chain, *picked, share=0.2, seed=seed))
        honest = await stack.enter_async_context(serving(chain))
        client = await stack.enter_async_context(client_of(liar.url, honest.url))
        for first in range(1, 36, 7):
            ranged = await attempt(client.logs_in_range(BlockRange(first, first + 4), filters))
            assert not isinstance(ranged, IndexerError), ranged
            assert is_right(ranged.logs, truth(first, first + 4))
            block = await attempt(client.logs_of_block(chain.blocks[first].header, filters))
            assert not isinstance(block, IndexerError), block
            assert is_right(block, truth(first, first))


async def test_a_compressed_bomb_is_not_unpacked(chain, filters, client_of):
    async with serving(chain) as server, client_of(server.url) as client:
        await client.open()
        with server.lying("huge_answer"):
            error = await attempt(client.head())
        assert isinstance(error, IndexerError)
        assert str(transport.MAX_RESPONSE_BYTES) in str(error)


SPOTTED = (
    "empty_logs",
    "fabricated_log",
    "foreign_block_hash",
    "mixed_block_hash",
    "wrong_time",
    "log_outside_range",
)


@pytest.mark.parametrize("name", SPOTTED)
async def test_one_endpoint_over_a_long_range(name, filters, client_of):
    """Too long to look at every block; a few blocks looked at are enough to catch who lies throughout."""
    chain = MemoryChain()
    for number in range(1, 301):
        chain.mine([(b"\xa1" * 20, [b"\x71" * 32, number.to_bytes(32, "big")], b"")])
    async with serving(chain, name) as server, client_of(server.url) as client:
        error = await attempt(client.logs_in_range(BlockRange(1, 290), filters))
        assert isinstance(error, IndexerError)
        assert server.told[name]
