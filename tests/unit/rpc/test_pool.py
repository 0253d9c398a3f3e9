"""The pool's behaviour: failover, limits, batches, chain ids, blooms, names, and what is never shown."""

from __future__ import annotations

import traceback

import pytest
from pydantic import SecretStr

from indexer import metrics
from indexer.chain.filters import LogFilter
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.config import ChainSettings
from indexer.errors import (
    BlockNotYetKnown,
    ChainIdMismatch,
    ConfigError,
    IndexerError,
    RateLimited,
    RpcRefused,
    RpcUnavailable,
)
from indexer.rpc import reader
from indexer.rpc.client import ChainClient
from indexer.rpc.names import Scrubber, endpoint_names
from indexer.rpc.pool import PooledClient
from indexer.rpc.validate import same_logs
from indexer.testing.chain import MemoryChain
from indexer.testing.rpc_server import KEY, serving

NOWHERE = f"http://127.0.0.1:9/{KEY}"


def asked(server, method: str) -> int:
    return sum(1 for name, _ in server.requests if name == method)


async def test_reads_of_an_honest_endpoint(chain, filters, truth, client_of):
    chain.set_code(b"\xc0" * 20, b"\x60\x00", 7)
    chain.answer(b"\xc0" * 20, b"\x01", b"\x02")
    async with serving(chain) as server, client_of(server.url) as client:
        typed: ChainClient = client
        await typed.open()
        assert await client.head() == chain.head
        assert await client.finalized("finalized") == chain.tagged("finalized")
        assert await client.finalized("safe") == chain.tagged("safe")
        assert await client.header(7) == chain.blocks[7].header
        assert await client.header(chain.blocks[9].hash) == chain.blocks[9].header
        assert await client.header(1000) is None
        assert await client.header(b"\x01" * 32) is None
        assert await client.headers([3, 1, 2]) == [chain.blocks[number].header for number in (3, 1, 2)]
        with pytest.raises(BlockNotYetKnown):
            await client.headers([39, 41])
        assert await client.code(b"\xc0" * 20, 6) == b""
        assert await client.code(b"\xc0" * 20, 7) == b"\x60\x00"
        assert await client.call(b"\xc0" * 20, b"\x01", 8) == b"\x02"
        assert await client.call(b"\xc0" * 20, b"\x99", 8) is None
        got = await client.logs_in_range(BlockRange(0, 40), filters)
        assert same_logs(got.logs, truth(0, 40))
        assert got.endpoint == f"127.0.0.1:{server.url.split(':')[2].split('/')[0]}"
        assert (await client.logs_in_range(BlockRange(0, 40), [])).end == chain.head


async def test_a_range_above_the_head_is_never_asked_for(chain, filters, client_of):
    async with serving(chain) as server, client_of(server.url) as client:
        with pytest.raises(BlockNotYetKnown):
            await client.logs_in_range(BlockRange(30, 45), filters)
        assert asked(server, "eth_getLogs") == 0


async def test_an_orphaned_block_is_not_known_and_never_answered_with_its_replacement(
    chain, filters, client_of
):
    orphan = chain.blocks[39].header
    async with serving(chain) as server, client_of(server.url) as client:
        chain.fork(3)
        with pytest.raises(BlockNotYetKnown):
            await client.logs_of_block(orphan, filters)


async def test_header_and_logs_of_a_range_travel_in_one_batch(chain, filters, client_of, monkeypatch):
    # The spots are random, and at times happen on every block with logs: without them, each range has some to read.
    monkeypatch.setattr(reader, "SPOT_BLOCKS", 0)
    async with (
        serving(chain) as server,
        client_of(server.url, max_range_blocks=10, check_bloom=False) as client,
    ):
        await client.logs_in_range(BlockRange(0, 29), filters)
        logs = [place for place, (method, _) in enumerate(server.requests) if method == "eth_getLogs"]
        assert len(logs) == 3
        # The first answer tells that most blocks have logs: the headers of those that follow come along.
        assert server.batches == 4, (
            "three linked reads, and the headers of the first range's blocks with logs"
        )
        for place in logs:
            assert server.requests[place + 1] == (
                "eth_getBlockByNumber",
                [server.requests[place][1][0]["toBlock"], False],
            )


async def test_failover_and_return(chain, filters, truth, client_of):
    async with (
        serving(chain) as first,
        serving(chain) as second,
        client_of(NOWHERE, first.url, second.url) as client,
    ):
        await client.open()
        for lie in ("connection_reset", "server_error", "html_200", "truncated_json"):
            with first.lying(lie):
                got = await client.logs_in_range(BlockRange(1, 30), filters)
                assert same_logs(got.logs, truth(1, 30))
        down, *_ = client.status()
        assert not down.up or down.score < 1.0
        assert down.last_error
        with second.lying("server_error"):
            assert await client.head() == chain.head


async def test_everything_down_is_an_error_within_a_bound(chain, client_of):
    async with client_of(NOWHERE, NOWHERE) as client:
        with pytest.raises(RpcUnavailable):
            await client.open()
        with pytest.raises(RpcUnavailable) as caught:
            await client.head()
        assert KEY not in "".join(traceback.format_exception(caught.value))
        assert [status.name for status in client.status()] == ["127.0.0.1:9", "127.0.0.1:9#2"]


async def test_an_endpoint_of_another_chain_is_dropped(chain, client_of):
    other = MemoryChain(chain_id=1)
    async with serving(other) as wrong, serving(chain) as right, client_of(wrong.url, right.url) as client:
        await client.open()
        for _ in range(3):
            assert await client.head() == chain.head
        assert {method for method, _ in wrong.requests} == {"eth_chainId"}
        assert [status.up for status in client.status()] == [False, True]


async def test_only_endpoints_of_other_chains(client_of):
    async with serving(MemoryChain(chain_id=1)) as wrong, client_of(wrong.url) as client:
        with pytest.raises(ChainIdMismatch):
            await client.open()
        with pytest.raises(ChainIdMismatch):
            await client.head()


async def test_an_endpoint_that_was_away_at_the_start_is_checked_before_its_first_read(chain, client_of):
    async with (
        serving(MemoryChain(chain_id=1)) as wrong,
        serving(chain) as right,
        client_of(wrong.url, right.url) as client,
    ):
        with wrong.lying("server_error"):
            await client.open()
        for _ in range(20):
            assert await client.head() == chain.head
        assert {method for method, _ in wrong.requests} == {"eth_chainId"}


async def test_429_and_retry_after_are_obeyed(chain, client_of):
    async with serving(chain) as server, client_of(server.url, speed=20.0) as client:
        await client.open()
        with server.lying("rate_limited"), pytest.raises(RateLimited) as caught:
            await client.head()
        assert caught.value.retry_after == 1.0
        tries = asked(server, "eth_getBlockByNumber")
        assert 2 <= tries <= 9
        assert await client.head() == chain.head
        limiter = client._endpoints[0].limiter
        assert limiter.concurrency < 8


async def test_a_limited_endpoint_leaves_the_work_to_the_other(chain, client_of):
    async with (
        serving(chain, "rate_limited") as busy,
        serving(chain) as idle,
        client_of(busy.url, idle.url) as client,
    ):
        for _ in range(10):
            assert await client.head() == chain.head
        assert len(busy.requests) <= 4


@pytest.mark.parametrize("name", ["batch_null_id", "batch_html", "batch_nothing", "batch_400"])
async def test_without_batches_single_requests_do(name, chain, filters, truth, client_of):
    async with serving(chain, name) as server, client_of(server.url) as client:
        for _ in range(4):
            got = await client.logs_in_range(BlockRange(1, 30), filters)
            assert same_logs(got.logs, truth(1, 30))
        before = server.batches
        await client.headers(list(range(20)))
        assert server.batches == before, "batches are not tried again and again"


async def test_an_endpoint_behind_is_not_asked_for_blocks_it_lacks(chain, filters, client_of):
    behind = MemoryChain(finalized_depth=5)
    async with (
        serving(behind) as late,
        serving(chain) as ahead,
        client_of(late.url, ahead.url, speed=1.0) as client,
    ):
        await client.open()
        for number in range(30, 38):
            assert await client.logs_of_block(chain.blocks[number].header, filters) is not None
        assert asked(late, "eth_getLogs") <= 1
        assert await client.head() == chain.head


async def test_second_asks_another_endpoint(chain, client_of):
    async with serving(chain) as one, serving(chain) as two, client_of(one.url, two.url) as client:
        await client.header(5)
        used = one if asked(one, "eth_getBlockByNumber") else two
        other = two if used is one else one
        before = asked(other, "eth_getBlockByNumber")
        assert await client.header(5, second=True) == chain.blocks[5].header
        assert asked(other, "eth_getBlockByNumber") == before + 1


async def test_an_empty_answer_is_confirmed_by_another_endpoint(filters, client_of):
    chain = MemoryChain()
    for number in range(600):
        chain.mine([(b"\xa1" * 20, [b"\x71" * 32], b"")] if number == 100 else [])
    async with (
        serving(chain, "empty_logs") as liar,
        serving(chain) as honest,
        client_of(liar.url, honest.url, cross_check=0.0) as client,
    ):
        got = await client.logs_in_range(BlockRange(1, 500), filters)
        assert got.logs.block_number.tolist() == [101]


async def test_blooms_that_are_wrong_can_be_switched_off_and_cost_no_logs(chain, filters, truth, client_of):
    counter = metrics.IRREGULAR_LOGS.labels("test", "wrong_bloom")
    before = counter._value.get()
    header = chain.blocks[30].header
    bare = BlockHeader(header.number, header.hash, header.parent_hash, header.timestamp)
    async with serving(chain, "wrong_bloom") as server:
        async with client_of(server.url) as client:
            assert same_logs(await client.logs_of_block(bare, filters), truth(30, 30))
        assert counter._value.get() > before
        async with client_of(server.url, check_bloom=False) as client:
            asked_before = asked(server, "eth_getBlockReceipts")
            assert same_logs(await client.logs_of_block(bare, filters), truth(30, 30))
            assert asked(server, "eth_getBlockReceipts") == asked_before


async def test_doubts_are_settled_without_block_receipts(chain, filters, truth, client_of):
    async with serving(chain, "empty_logs", "receipts_missing") as server, client_of(server.url) as client:
        got = await client.logs_of_block(chain.blocks[30].header, filters)
        assert same_logs(got, truth(30, 30))
        assert asked(server, "eth_getTransactionReceipt") == 5


async def test_too_many_addresses_are_asked_for_in_pieces(chain, truth, client_of):
    many = [LogFilter(frozenset({b"\xa1" * 20, b"\xa2" * 20} | {bytes([n]) * 20 for n in range(20)}), None)]
    async with serving(chain, "too_many_addresses") as server, client_of(server.url) as client:
        got = await client.logs_in_range(BlockRange(0, 40), many)
        assert len(got.logs) == sum(len(block.logs) - 1 for block in chain.blocks if len(block.logs) > 1)
        assert await client.logs_of_block(chain.blocks[31].header, many) is not None


async def test_a_tag_that_is_unknown_is_none(chain, client_of):
    for lie in ("finalized_null", "finalized_error"):
        async with serving(chain, lie) as server, client_of(server.url) as client:
            assert await client.finalized("finalized") is None
            assert await client.finalized("safe") == chain.tagged("safe")


async def test_a_method_nobody_has_is_refused_at_once(chain, client_of):
    async with serving(chain) as server, client_of(server.url) as client:
        await client.open()
        with pytest.raises(RpcRefused):
            await client._endpoints[0].ask("eth_nothing", [])


async def test_metrics_name_host_and_port_only(chain, client_of):
    async with serving(chain) as server, client_of(server.url) as client:
        await client.head()
        page = metrics.render().decode()
        name = client.status()[0].name
        assert (
            f'indexer_rpc_requests_total{{chain="test",endpoint="{name}",method="eth_getBlockByNumber",outcome="ok"}} '
            in page
        )
        assert f'indexer_endpoint_up{{chain="test",endpoint="{name}"}} 1.0' in page
        assert KEY not in page


def test_names_of_endpoints():
    urls = [
        "https://a.example/v3/key",
        "wss://a.example/ws",
        "http://user:pw@b.example:8545",
        "https://a.example/other",
        "http://[::1]:1",
    ]
    assert endpoint_names(urls) == [
        "a.example:443",
        "a.example:443#2",
        "b.example:8545",
        "a.example:443#3",
        "[::1]:1",
    ]


@pytest.mark.parametrize(
    "url", ["ftp://x/secret-key", "not a url secret-key", "http:///secret-key", "http://x:99999/secret-key"]
)
def test_a_bad_url_is_a_configuration_error_without_the_url(url):
    with pytest.raises(ConfigError) as caught:
        endpoint_names([url])
    assert "secret-key" not in "".join(traceback.format_exception(caught.value))


def test_scrubbing():
    scrub = Scrubber("https://user:hunter22@h.example/v3/0123456789abcdef?token=abcdef%20ghi")
    text = scrub(
        "failed: https://user:hunter22@h.example:443/v3/0123456789abcdef?token=x path /v3/0123456789abcdef "
        "0123456789abcdef hunter22 abcdef ghi see wss://other.example/key123456"
    )
    for secret in ("hunter22", "0123456789abcdef", "abcdef ghi", "key123456"):
        assert secret not in text
    assert "h.example:443" in text
    assert len(scrub("x" * 10_000)) <= 301


def test_a_secret_url_is_not_in_reprs():
    settings = ChainSettings(chain_id=1, rpc=(SecretStr(NOWHERE),))
    client = PooledClient("test", settings)
    for thing in (client, client._endpoints[0], client._endpoints[0].transport, settings):
        assert KEY not in repr(thing)
        assert KEY not in str(thing)


async def test_errors_are_only_those_of_the_tree(chain, filters, client_of):
    async with serving(chain, "malformed_block") as server, client_of(server.url) as client:
        with pytest.raises(IndexerError):
            await client.headers([1])
