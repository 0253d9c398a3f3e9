"""A chain with logs of three contracts, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from indexer.chain.filters import LogFilter
from indexer.chain.refs import BlockRange
from indexer.config import ChainSettings
from indexer.rpc.pool import PooledClient
from indexer.testing.chain import MemoryChain
from indexer.testing.columns import batch_of
from indexer.testing.fast_clock import FastClock

TOKEN, OTHER, FOREIGN = (bytes([value]) * 20 for value in (0xA1, 0xA2, 0xF0))
TRANSFER, APPROVAL, NOISE = (bytes([value]) * 32 for value in (0x71, 0x72, 0x7F))


def account(number: int) -> bytes:
    return number.to_bytes(32, "big")


@pytest.fixture
def chain() -> MemoryChain:
    """Forty blocks; most have logs we want and logs of others, some have none."""
    made = MemoryChain(finalized_depth=5, safe_depth=2)
    for number in range(1, 41):
        wanted = [
            (TOKEN, [TRANSFER, account(number), account(number + 1)], number.to_bytes(32, "big")),
            (OTHER, [APPROVAL, account(number + 500)], b"\x01" * (number % 7)),
            (FOREIGN, [NOISE, account(number + 900)], b""),
            (TOKEN, [NOISE], b"\x05"),
            (TOKEN, [TRANSFER, account(number + 2), account(number + 3)], number.to_bytes(32, "big")),
        ]
        made.mine(wanted if number % 4 else wanted[2:3])
    return made


@pytest.fixture
def filters() -> list[LogFilter]:
    return [LogFilter(frozenset({TOKEN, OTHER}), frozenset({TRANSFER, APPROVAL}))]


@pytest.fixture
def settings_for():
    def make(*urls: str, **changes) -> ChainSettings:
        given = {"chain_id": 31337, "poll_seconds": 0.05, "timeout_seconds": 2.0} | changes
        return ChainSettings(rpc=tuple(map(SecretStr, urls)), **given)

    return make


@pytest.fixture
def client_of(settings_for):
    """``async with client_of(url, …) as client``: a pool over these URLs, closed at the end."""

    @asynccontextmanager
    async def make(
        *urls: str, cross_check: float = 1.0, speed: float = 200.0, **changes
    ) -> AsyncIterator[PooledClient]:
        settings = settings_for(*urls, **changes)
        client = PooledClient("test", settings, clock=FastClock(speed), cross_check=cross_check)
        try:
            yield client
        finally:
            await client.close()

    return make


@pytest.fixture
def truth(chain, filters):
    """What logs a range really has."""

    def logs(first: int, last: int):
        return batch_of(BlockRange(first, last), chain.blocks[first : last + 1], filters)

    return logs
