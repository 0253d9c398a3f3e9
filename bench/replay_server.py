"""Serves a synthetic chain over HTTP JSON-RPC, in a process of its own.

``python -m bench.replay_server --load erc20 --logs 100000`` prints its URL on the first line when it is ready, and ends
when its standard input closes, so that it never outlives whoever started it.

It can be made as slow and as strict as real endpoints are (``--latency-ms``, ``--most-blocks``, ``--most-logs``,
``--no-times``), and its chain can be alive: with ``--every-ms`` one block more is shown each so many milliseconds,
beginning with ``--shown``, and with ``--reorg-every N`` the last ``--reorg-depth`` of them are replaced every N blocks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from bench.load import FIRST_BLOCK, Load, make_load
from bench.served_chain import ServedChain

CHAIN_ID = 31_337


class Replay:
    """Answers the JSON-RPC methods that reading a chain takes, and counts what it was asked."""

    def __init__(self, chain: ServedChain, load: Load, given: argparse.Namespace) -> None:
        self._chain = chain
        self._load = load
        self._latency = given.latency_ms / 1000
        self._most_blocks: int = given.most_blocks
        self._most_logs: int = given.most_logs
        self.requests = 0
        self.calls = 0
        self.bytes_sent = 0
        self.first_asked = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        """One request or a batch."""
        asked = json.loads(await request.read())
        if self._latency:
            await asyncio.sleep(self._latency)
        if isinstance(asked, list):
            body = b"[" + b",".join(self._answer(one) for one in asked) + b"]"
        else:
            body = self._answer(asked)
        counted = not isinstance(asked, dict) or not asked["method"].startswith("bench_")
        if counted:
            self.requests += 1
            self.calls += len(asked) if isinstance(asked, list) else 1
            self.bytes_sent += len(body)
        return web.Response(body=body, content_type="application/json")

    def _answer(self, call: dict[str, Any]) -> bytes:
        head = b'{"jsonrpc":"2.0","id":%b,' % json.dumps(call.get("id")).encode()
        result = self._result(call["method"], call.get("params", []))
        if isinstance(result, str):
            return head + b'"error":{"code":-32005,"message":%b}}' % json.dumps(result).encode()
        return head + b'"result":' + result + b"}"

    def _result(self, method: str, params: list[Any]) -> bytes | str:
        """The JSON of a result, or the message of an error."""
        chain = self._chain
        match method:
            case "eth_getLogs":
                found: bytes | str = self._logs(params[0])
            case "eth_getBlockByNumber" | "eth_getBlockByHash":
                number = self._number(method, params[0])
                found = b"null" if number is None else chain.header_json(number)
            case "eth_chainId":
                found = b'"0x%x"' % CHAIN_ID
            case "eth_getCode" | "eth_call":
                found = b'"0x"'
            case "bench_summary":
                found = json.dumps(self._summary()).encode()
            case _:
                found = "the method does not exist"
        return found

    def _number(self, method: str, block: str) -> int | None:
        if method == "eth_getBlockByHash":
            return self._chain.number_of(block)
        if block.startswith("0x"):
            return int(block, 16)
        return self._chain.head if block == "latest" else self._chain.final

    def _logs(self, wanted: dict[str, Any]) -> bytes | str:
        self.first_asked.set()
        chain = self._chain
        if "blockHash" in wanted:
            number = chain.number_of(wanted["blockHash"])
            return "unknown block" if number is None else chain.logs_json(number, number)
        first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
        if self._most_blocks and last - first >= self._most_blocks:
            return f"block range is too wide, at most {self._most_blocks} blocks"
        body = chain.logs_json(first, last)
        if self._most_logs and body.count(b'"logIndex"') > self._most_logs:
            return f"query returned more than {self._most_logs} results"
        return body

    def _summary(self) -> dict[str, Any]:
        load = self._load
        return {
            "first_block": FIRST_BLOCK,
            "last_block": FIRST_BLOCK + len(load.blocks) - 1,
            "head": self._chain.head,
            "logs": load.logs,
            "transfers": load.transfers,
            "transferred": str(load.transferred),
            "json_bytes": sum(map(len, load.blocks)) + 62 * load.logs,
            "requests": self.requests,
            "calls": self.calls,
            "bytes_sent": self.bytes_sent,
            "reorgs": self._chain.reorgs,
        }


async def serve(load: Load, given: argparse.Namespace) -> None:
    """Serve until standard input closes."""
    chain = ServedChain(load, shown=given.shown, final_distance=given.final_distance)
    app = web.Application(client_max_size=1 << 20)
    replay = Replay(chain, load, given)
    app.router.add_post("/", replay.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}/", flush=True)
    growing = asyncio.create_task(_grow(replay, chain, given))
    await asyncio.to_thread(sys.stdin.read)
    growing.cancel()
    await runner.cleanup()


async def _grow(replay: Replay, chain: ServedChain, given: argparse.Namespace) -> None:
    """Let the chain live from when somebody first asked for logs."""
    await replay.first_asked.wait()
    if given.every_ms:
        await chain.live(given.every_ms / 1000, given.reorg_every, given.reorg_depth)


@contextmanager
def replay_server(load: str, logs: int, logs_per_block: int, *options: str) -> Iterator[str]:
    """Run the server in a process of its own; gives its URL."""
    command = [sys.executable, "-m", "bench.replay_server", "--load", load]
    command += ["--logs", str(logs), "--logs-per-block", str(logs_per_block), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not url:
                raise RuntimeError("the replay server did not start")
            yield url
        finally:
            process.communicate(timeout=30)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", default="erc20")
    parser.add_argument("--logs", type=int, default=100_000)
    parser.add_argument("--logs-per-block", type=int, default=10)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before each answer")
    parser.add_argument("--most-blocks", type=int, default=0, help="refuse wider ranges")
    parser.add_argument("--most-logs", type=int, default=0, help="refuse larger results")
    parser.add_argument("--no-times", action="store_true", help="logs without blockTimestamp")
    parser.add_argument("--shown", type=int, default=0, help="blocks there are at first; 0: all")
    parser.add_argument("--final-distance", type=int, default=0, help="blocks that are not final")
    parser.add_argument("--every-ms", type=float, default=0.0, help="show one block more each so often")
    parser.add_argument(
        "--reorg-every", type=int, default=0, help="replace the newest blocks each so many blocks"
    )
    parser.add_argument("--reorg-depth", type=int, default=3)
    return parser.parse_args(arguments)


def main() -> None:
    """Make the load and serve it."""
    given = parse_arguments()
    load = make_load(given.load, given.logs, given.logs_per_block, times=not given.no_times)
    try:
        import uvloop  # noqa: PLC0415 - does not exist on Windows
    except ImportError:
        asyncio.run(serve(load, given))
    else:
        uvloop.run(serve(load, given))


if __name__ == "__main__":
    main()
