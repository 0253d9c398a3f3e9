"""The doctor over the real endpoint pool, with a server that does what bad providers do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from indexer.cli.doctor.endpoints import check_endpoint
from indexer.cli.doctor.findings import Finding
from indexer.config import ChainSettings
from indexer.rpc.pool import PooledClient
from indexer.testing.chain import MemoryChain
from indexer.testing.rpc_server import KEY, RpcServer


@pytest.fixture
async def server() -> AsyncIterator[RpcServer]:
    chain = MemoryChain(31337, finalized_depth=10)
    for number in range(1, 201):
        chain.mine([(b"\x11" * 20, [b"\xaa" * 32], b"")], timestamp=int(time.time()) - 200 + number)
    running = await RpcServer(chain).start()
    yield running
    await running.stop()


async def look(server: RpcServer, *, ws: bool = False, **more: object) -> list[Finding]:
    url = server.ws_url if ws else server.url
    settings = ChainSettings.model_validate({"chain_id": 31337, "rpc": [url], "timeout_seconds": 5, **more})
    findings = await check_endpoint("local", settings, 0, PooledClient)
    assert findings
    assert KEY not in str([finding.as_dict() for finding in findings])
    return findings


def warnings_of(findings: list[Finding]) -> str:
    assert not [finding for finding in findings if finding.level == "fail"], findings
    return " | ".join(finding.message for finding in findings if finding.level == "warn")


@pytest.mark.parametrize("ws", [False, True])
async def test_an_honest_endpoint(server: RpcServer, ws: object) -> None:
    assert warnings_of(await look(server, ws=bool(ws))) == ""


@pytest.mark.parametrize(
    ("lie", "fragment"),
    [
        ("wrong_bloom", "the bloom of block 190 lacks"),
        ("range_max_blocks", "takes 9 blocks in one log query"),
        ("range_in_data", "takes 9 blocks in one log query"),
        ("finalized_null", 'set finality = "safe"'),
        ("finalized_error", 'set finality = "safe"'),
    ],
)
async def test_each_weakness_is_a_warning(server: RpcServer, lie: str, fragment: str) -> None:
    with server.lying(lie):
        assert fragment in warnings_of(await look(server))


async def test_a_chain_whose_newest_block_is_finalized(server: RpcServer) -> None:
    server.chain.finalized_depth = 0
    assert "calls its newest block finalized" in warnings_of(await look(server))


@pytest.mark.parametrize(
    "lie", ["wrong_chain_id", "html_200", "bad_gateway", "truncated_json", "no_answer", "malformed_block"]
)
async def test_a_useless_endpoint_fails(server: RpcServer, lie: str) -> None:
    with server.lying(lie):
        findings = await look(server, timeout_seconds=1)
    assert findings[-1].level == "fail"
    assert findings[-1].subject.startswith("local 127.0.0.1:")


async def test_a_wrong_chain_id_tells_both(server: RpcServer) -> None:
    with server.lying("wrong_chain_id"):
        (finding,) = await look(server)
    assert "57005" in finding.message
    assert "31337" in finding.message
