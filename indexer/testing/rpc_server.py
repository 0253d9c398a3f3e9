"""A JSON-RPC server (HTTP and WebSocket) over a chain in memory, that lies on demand.

``url`` and ``ws_url`` carry a key in their path, as providers' URLs do, so that tests can look for leaks of it.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

from aiohttp import WSMsgType, web

from indexer.testing.answers import RpcFault, answer, block_json
from indexer.testing.chain import MemoryChain
from indexer.testing.lies import CATALOGUE, HttpAnswer, Lie

KEY = "s3cr3t-k3y-0123456789abcdef"
LONGEST_SILENCE_SECONDS = 60.0


class RpcServer:
    """Serves ``chain`` on a free port of the loopback.

    Args:
        chain: What is served; may change while serving.
        share: Which part of requests a lie concerns, chosen by ``seed``.
        seed: Makes the choice repeatable.
    """

    def __init__(self, chain: MemoryChain, *, share: float = 1.0, seed: int = 0) -> None:
        self.chain = chain
        self.share = share
        self.lies: set[str] = set()
        """Names of ``CATALOGUE`` that are switched on."""
        self.told: dict[str, int] = {}
        """How often each lie was told."""
        self.requests: list[tuple[str, list[Any]]] = []
        """Method and params of every call so far."""
        self.batches = 0
        """How many request bodies were batches."""
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._sockets: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """The HTTP URL, with a key."""
        return f"http://127.0.0.1:{self._port}/v1/{KEY}"

    @property
    def ws_url(self) -> str:
        """The WebSocket URL, with a key."""
        return f"ws://127.0.0.1:{self._port}/ws/{KEY}"

    @contextmanager
    def lying(self, *names: str) -> Iterator[None]:
        """Switch lies on for a while."""
        unknown = set(names) - set(CATALOGUE)
        if unknown:
            raise KeyError(f"no such lie: {sorted(unknown)}")
        self.lies |= set(names)
        try:
            yield
        finally:
            self.lies -= set(names)

    async def start(self) -> Self:
        """Listen."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/{key}", self._http)
        app.router.add_get("/ws/{key}", self._socket)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        """Close everything."""
        await self.drop_sockets()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def drop_sockets(self) -> None:
        """Close every WebSocket, as a restarting node does."""
        for socket in list(self._sockets):
            await socket.close()

    def _told(self, lie: Lie) -> bool:
        """Whether the lie is told now; counts it."""
        if lie.name not in self.lies or (self.share < 1.0 and self._random.random() >= self.share):
            return False
        self.told[lie.name] = self.told.get(lie.name, 0) + 1
        return True

    def _one(self, request: dict[str, Any]) -> dict[str, Any]:
        method, params = request["method"], request.get("params", [])
        self.requests.append((method, params))
        head = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            result = answer(self.chain, method, params)
            for name in sorted(self.lies):
                result = self._changed(CATALOGUE[name], method, params, result)
        except RpcFault as fault:
            error: dict[str, Any] = {"code": fault.code, "message": fault.message}
            if fault.data is not None:
                error["data"] = fault.data
            return head | {"error": error}
        return head | {"result": result}

    def _changed(self, lie: Lie, method: str, params: list[Any], result: Any) -> Any:
        """The result that the lie makes of an honest one; only what makes a difference counts as told."""
        if lie.change is None:
            return result
        try:
            changed = lie.change(self.chain, method, params, result)
        except RpcFault:
            if self._told(lie):
                raise
            return result
        return changed if changed != result and self._told(lie) else result

    async def _http(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        batch = isinstance(body, list)
        self.batches += batch
        honest = [self._one(one) for one in body] if batch else self._one(body)
        if self._told(CATALOGUE["no_answer"]):
            await asyncio.sleep(LONGEST_SILENCE_SECONDS)
        if self._told(CATALOGUE["connection_reset"]) and request.transport is not None:
            request.transport.abort()
        for name in sorted(self.lies):
            lie = CATALOGUE[name]
            if lie.whole is not None and (batch or not lie.only_batches) and self._told(lie):
                return _response(lie.whole(body, honest))
        return web.json_response(honest)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        pushing: list[asyncio.Task[None]] = []
        try:
            async for message in socket:
                if message.type != WSMsgType.TEXT:
                    continue
                body = json.loads(message.data)
                if body["method"] == "eth_subscribe":
                    name = hex(len(pushing) + 1)
                    await socket.send_json({"jsonrpc": "2.0", "id": body["id"], "result": name})
                    pushing.append(asyncio.create_task(self._push(socket, name)))
                else:
                    await socket.send_json(self._one(body))
        finally:
            self._sockets.discard(socket)
            for task in pushing:
                task.cancel()
            await asyncio.gather(*pushing, return_exceptions=True)
        return socket

    async def _push(self, socket: web.WebSocketResponse, name: str) -> None:
        """Send new heads: every block from the first that differs from what was sent last."""
        changed = self.chain.listen()
        sent = {block.hash for block in self.chain.blocks}
        try:
            while True:
                await changed.wait()
                changed.clear()
                fresh = [block for block in self.chain.blocks if block.hash not in sent]
                sent = {block.hash for block in self.chain.blocks}
                if self._told(CATALOGUE["silent_websocket"]):
                    continue
                if len(fresh) > 1 and self._told(CATALOGUE["out_of_order_heads"]):
                    fresh.reverse()
                if fresh and self._told(CATALOGUE["repeated_heads"]):
                    fresh = [block for block in fresh for _ in range(3)]
                for block in fresh:
                    params = {"subscription": name, "result": block_json(block)}
                    await socket.send_json({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})
        finally:
            self.chain.unlisten(changed)


@asynccontextmanager
async def serving(
    chain: MemoryChain, *lies: str, share: float = 1.0, seed: int = 0
) -> AsyncIterator[RpcServer]:
    """A server for the time of a block, with these lies switched on."""
    server = RpcServer(chain, share=share, seed=seed)
    await server.start()
    try:
        with server.lying(*lies):
            yield server
    finally:
        await server.stop()


def _response(given: HttpAnswer) -> web.Response:
    response = web.Response(body=given.body, status=given.status, content_type=given.content_type)
    for name, value in given.headers:
        response.headers[name] = value
    return response
