"""New heads: subscriptions, polling, and what happens when a socket says nothing, the wrong thing, or goes away."""

from __future__ import annotations

import asyncio
import logging
import traceback
from contextlib import aclosing, suppress

import pytest

from indexer.chain.refs import BlockRange
from indexer.errors import ChainIdMismatch, IndexerError, RpcUnavailable
from indexer.testing.chain import MemoryChain
from indexer.testing.rpc_server import KEY, serving


async def until(heads, wanted: bytes, seconds: float = 5.0) -> list[int]:
    """Numbers of the heads up to and with the wanted one."""
    numbers = []
    async with asyncio.timeout(seconds):
        async for header in heads:
            numbers.append(header.number)
            if header.hash == wanted:
                return numbers
    raise AssertionError("the stream ended")


async def test_heads_by_polling(chain, client_of):
    async with serving(chain) as server, client_of(server.url) as client, aclosing(client.heads()) as heads:
        await until(heads, chain.head.hash)
        for _ in range(3):
            await until(heads, chain.mine().hash)
        chain.fork(2)
        await until(heads, chain.head.hash)


async def test_heads_by_subscription_come_at_once(chain, client_of):
    """With polls an hour apart, only the subscription can have said so."""
    async with (
        serving(chain) as server,
        client_of(server.ws_url, poll_seconds=3600.0, speed=1.0) as client,
        aclosing(client.heads()) as heads,
    ):
        await until(heads, chain.head.hash)
        await subscribed(server)
        for _ in range(5):
            await until(heads, chain.mine().hash, 1.0)
        chain.fork(3)
        await until(heads, chain.head.hash, 1.0)
        assert client.status()[0].head_number == chain.head.number


async def test_who_was_busy_hears_of_the_newest_head_and_not_of_all_in_between(chain, client_of):
    async with (
        serving(chain) as server,
        client_of(server.ws_url, poll_seconds=3600.0, speed=1.0) as client,
        aclosing(client.heads()) as heads,
    ):
        await until(heads, chain.head.hash)
        await subscribed(server)
        await until(heads, chain.mine().hash)
        for _ in range(20):
            newest = chain.mine()
            await asyncio.sleep(0.02)
        async with asyncio.timeout(5):
            while client.status()[0].head_number != newest.number:  # noqa: ASYNC110 - nothing else tells of it
                await asyncio.sleep(0.02)
        assert await until(heads, newest.hash) == [newest.number]


async def subscribed(server) -> None:
    async with asyncio.timeout(5):
        while not server.chain._listeners:  # noqa: ASYNC110 - the chain has no event for being listened to
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("lie", ["out_of_order_heads", "repeated_heads"])
async def test_odd_orders_reach_the_newest_head(lie, chain, client_of):
    async with (
        serving(chain, lie) as server,
        client_of(server.ws_url) as client,
        aclosing(client.heads()) as heads,
    ):
        await until(heads, chain.head.hash)
        await subscribed(server)
        wanted = chain.mine_empty(3)
        await until(heads, wanted.hash)


async def test_a_silent_socket_is_noticed_and_polling_fills_in(chain, client_of):
    async with (
        serving(chain) as server,
        client_of(server.ws_url, server.url) as client,
        aclosing(client.heads()) as heads,
    ):
        await until(heads, chain.head.hash)
        await subscribed(server)
        await until(heads, chain.mine().hash)
        with server.lying("silent_websocket"):
            for _ in range(4):
                await until(heads, chain.mine().hash)
            assert server.told["silent_websocket"] >= 1
        assert "silent" in (client.status()[0].last_error or "")
        await until(heads, chain.mine().hash)


async def test_a_lost_socket_is_opened_again(chain, client_of):
    async with (
        serving(chain) as server,
        client_of(server.ws_url) as client,
        aclosing(client.heads()) as heads,
    ):
        await until(heads, chain.head.hash)
        for _ in range(3):
            await subscribed(server)
            await server.drop_sockets()
            await until(heads, chain.mine().hash)


async def test_calls_go_over_a_socket_too(chain, filters, truth, client_of):
    async with serving(chain) as server, client_of(server.ws_url) as client:
        await client.open()
        assert await client.headers(list(range(41))) == [block.header for block in chain.blocks]
        assert await asyncio.gather(*(client.header(number) for number in range(20))) == [
            block.header for block in chain.blocks[:20]
        ]


async def test_a_socket_that_cannot_be_opened(chain, client_of):
    async with client_of(f"ws://127.0.0.1:9/{KEY}") as client:
        with pytest.raises(RpcUnavailable) as caught:
            await client.open()
        assert KEY not in "".join(traceback.format_exception(caught.value))


async def test_heads_end_with_a_halt_only(client_of):
    async with serving(MemoryChain(chain_id=1)) as wrong, client_of(wrong.url) as client:
        with pytest.raises(ChainIdMismatch):
            await until(client.heads(), b"")


async def test_polling_survives_an_outage(chain, client_of):
    async with serving(chain) as server, client_of(server.url) as client, aclosing(client.heads()) as heads:
        await until(heads, chain.head.hash)
        with server.lying("server_error"):
            await asyncio.sleep(0.3)
        await until(heads, chain.mine().hash)


async def test_no_log_line_at_any_level_has_a_key(chain, filters, client_of, caplog):
    caplog.set_level(logging.DEBUG)
    async with (
        serving(chain) as server,
        client_of(server.ws_url, server.url, f"http://127.0.0.1:9/{KEY}") as client,
    ):
        await client.open()
        async with aclosing(client.heads()) as heads:
            await until(heads, chain.head.hash)
            await until(heads, chain.mine().hash)
        with server.lying("html_200", "server_error"), suppress(IndexerError):
            await client.logs_in_range(BlockRange(1, 5), filters)
    assert KEY not in caplog.text


async def test_a_stalled_head_is_overtaken_by_the_other_endpoint(chain, client_of):
    async with (
        serving(chain, "stalled_head") as stalled,
        serving(chain) as honest,
        client_of(stalled.url, honest.url) as client,
        aclosing(client.heads()) as heads,
    ):
        await until(heads, chain.head.hash)
        for _ in range(3):
            await until(heads, chain.mine().hash)
