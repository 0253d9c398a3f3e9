"""Serves a synthetic chain over HTTP JSON-RPC, in a process of its own.

``python -m bench.replay_server --load erc20 --logs 100000`` prints its URL on the first line when it is ready, and ends
when its standard input closes, so that it never outlives whoever started it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from bench.load import FIRST_BLOCK, Load, make_load

CHAIN_ID = 31_337


class Replay:
    """Answers the JSON-RPC methods that reading a chain takes."""

    def __init__(self, load: Load) -> None:
        self._load = load

    async def handle(self, request: web.Request) -> web.Response:
        """One request or a batch."""
        asked = json.loads(await request.read())
        if isinstance(asked, list):
            body = b"[" + b",".join(self._answer(one) for one in asked) + b"]"
        else:
            body = self._answer(asked)
        return web.Response(body=body, content_type="application/json")

    def _answer(self, call: dict[str, Any]) -> bytes:
        head = b'{"jsonrpc":"2.0","id":%b,' % json.dumps(call.get("id")).encode()
        result = self._result(call["method"], call.get("params", []))
        if result is None:
            return head + b'"error":{"code":-32601,"message":"the method does not exist"}}'
        return head + b'"result":' + result + b"}"

    def _result(self, method: str, params: list[Any]) -> bytes | None:
        load = self._load
        match method:
            case "eth_getLogs":
                return load.logs_json(int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16))
            case "eth_getBlockByNumber":
                tags = {"latest": load.last_block, "safe": load.last_block, "finalized": load.last_block}
                number = tags.get(params[0])
                number = int(params[0], 16) if number is None else number
                return load.header_json(number) if number <= load.last_block else b"null"
            case "eth_blockNumber":
                return b'"0x%x"' % load.last_block
            case "eth_chainId":
                return b'"0x%x"' % CHAIN_ID
            case "bench_summary":
                return json.dumps(
                    {
                        "first_block": FIRST_BLOCK,
                        "last_block": load.last_block,
                        "logs": load.logs,
                        "transfers": load.transfers,
                        "transferred": str(load.transferred),
                        "tokens": load.tokens,
                        "json_bytes": sum(map(len, load.blocks)),
                    }
                ).encode()
        return None


async def serve(load: Load) -> None:
    """Serve until standard input closes."""
    app = web.Application(client_max_size=1 << 20)
    app.router.add_post("/", Replay(load).handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}/", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


@contextmanager
def replay_server(load: str, logs: int, logs_per_block: int) -> Iterator[str]:
    """Run the server in a process of its own; gives its URL."""
    command = [sys.executable, "-m", "bench.replay_server", "--load", load]
    command += ["--logs", str(logs), "--logs-per-block", str(logs_per_block)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not url:
                raise RuntimeError("the replay server did not start")
            yield url
        finally:
            process.communicate(timeout=30)


def main() -> None:
    """Make the load and serve it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", choices=["erc20", "mixed"], default="erc20")
    parser.add_argument("--logs", type=int, default=100_000)
    parser.add_argument("--logs-per-block", type=int, default=200)
    given = parser.parse_args()
    asyncio.run(serve(make_load(given.load, given.logs, given.logs_per_block)))


if __name__ == "__main__":
    main()
