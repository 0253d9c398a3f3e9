"""A minimal JSON-RPC client: what the replay server is asked without the indexer's own."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec

from indexer.rpc.envelopes import parse_envelopes


class Summary(msgspec.Struct):
    """What the replay server says of its load, and what it was asked so far."""

    first_block: int
    last_block: int
    head: int
    logs: int
    transfers: int
    transferred: str
    json_bytes: int
    requests: int
    calls: int
    bytes_sent: int
    reorgs: int


async def post(http: aiohttp.ClientSession, url: str, method: str, *params: Any) -> bytes:
    """The body of the answer to one JSON-RPC call."""
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with http.post(url, data=msgspec.json.encode(call)) as response:
        return await response.read()


async def summary_of(http: aiohttp.ClientSession, url: str) -> Summary:
    """What the server says of itself."""
    return msgspec.json.decode(
        parse_envelopes(await post(http, url, "bench_summary"))[0].result, type=Summary
    )
