"""Bodies arrive whole, however they are sent, and none is read beyond the limit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from indexer.errors import RangeTooWide, RpcUnavailable
from indexer.rpc.transport import Call, HttpTransport

LIMIT = 400_000


def answer(size: int, call_id: int) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": call_id, "result": ["x" * 100] * (size // 104)}).encode()


async def handle(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    how, size = asked["params"]
    body = answer(size, asked["id"])
    if how == "whole":
        return web.Response(body=body, content_type="application/json")
    if how == "compressed":
        response = web.Response(body=body, content_type="application/json")
        response.enable_compression(web.ContentCoding.gzip)
        return response
    streamed = web.StreamResponse()
    if how == "cut short":
        streamed.content_length = len(body) + 50
    await streamed.prepare(request)
    for first in range(0, len(body), 7_001):
        await streamed.write(body[first : first + 7_001])
    if how == "cut short" and request.transport is not None:
        request.transport.close()
    return streamed


@pytest.fixture
async def transport() -> AsyncIterator[HttpTransport]:
    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made = HttpTransport(f"http://{host}:{port}/", timeout_seconds=20, max_response_bytes=LIMIT)
    yield made
    await made.close()
    await runner.cleanup()


@pytest.mark.parametrize("how", ["whole", "compressed", "in pieces"])
@pytest.mark.parametrize("size", [0, 200, 70_000, 390_000])
async def test_a_body_arrives_whole(transport: HttpTransport, how: str, size: int) -> None:
    (reply,) = await transport.send([Call("read", [how, size])])
    assert reply.result is not None
    assert json.loads(bytes(reply.result)) == ["x" * 100] * (size // 104)


@pytest.mark.parametrize("how", ["whole", "compressed", "in pieces"])
async def test_a_body_beyond_the_limit_is_not_read(transport: HttpTransport, how: str) -> None:
    with pytest.raises(RangeTooWide, match=f"larger than {LIMIT} bytes"):
        await transport.send([Call("read", [how, 2 * LIMIT])])


async def test_a_body_that_is_cut_short_is_no_answer(transport: HttpTransport) -> None:
    with pytest.raises(RpcUnavailable):
        await transport.send([Call("read", ["cut short", 70_000])])
