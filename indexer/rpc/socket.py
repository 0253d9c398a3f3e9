"""Requests and subscriptions over one WebSocket.

One connection carries all requests (answered in any order, matched by id) and the ``newHeads`` subscription. Pings find
a dead connection; a connection that lives but says nothing is found by ``rpc/heads.py``, which knows what it should say.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Sequence

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from indexer.errors import ProviderLied, RpcTimeout, RpcUnavailable
from indexer.rpc.envelopes import Envelope, parse_envelopes
from indexer.rpc.names import Scrubber
from indexer.rpc.transport import MAX_RESPONSE_BYTES, Call, Reply, match_replies
from indexer.rpc.wire import Notification, parse_notification

MAX_WAITING = 1024
"""Requests under way at once on one socket, and notifications not yet read."""

PING_SECONDS = 15.0

# At debug level the library logs the request line, which holds the key in the URL's path.
_LOGGER = logging.getLogger("websockets.client.quiet")
_LOGGER.setLevel(logging.INFO)


class SocketTransport:
    """JSON-RPC over a WebSocket that is opened when needed and again after it was lost.

    Args:
        url: Where; never shown.
        timeout_seconds: For the opening handshake and for each answer.
        max_response_bytes: Longer messages close the connection.
    """

    def __init__(self, url: str, *, timeout_seconds: float, max_response_bytes: int | None = None) -> None:
        self._url = url
        self._scrub = Scrubber(url)
        self._timeout = timeout_seconds
        self._max_bytes = max_response_bytes or MAX_RESPONSE_BYTES
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Envelope]] = {}
        self._notifications: dict[str, asyncio.Queue[msgspec.Raw | None]] = {}
        self._early: list[Notification] = []
        self._connection: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()

    async def send(self, calls: Sequence[Call]) -> list[Reply]:
        """See ``Transport.send``; calls go out one after another on the one connection."""
        if len(self._waiting) + len(calls) > MAX_WAITING:
            raise RpcUnavailable(f"more than {MAX_WAITING} requests are under way")
        connection = await self._open()
        ids = [next(self._ids) for _ in calls]
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in calls]
        self._waiting.update(zip(ids, futures, strict=True))
        try:
            async with asyncio.timeout(self._timeout):
                for one, call in zip(ids, calls, strict=True):
                    await connection.send(_encode(one, call), text=True)
                envelopes = await asyncio.gather(*futures)
        except TimeoutError:
            raise RpcTimeout(f"no answer within {self._timeout:g} s") from None
        except (WebSocketException, OSError) as error:
            raise RpcUnavailable(self._describe(error)) from None
        finally:
            for one, future in zip(ids, futures, strict=True):
                self._waiting.pop(one, None)
                future.cancel()
        return match_each(ids, envelopes)

    async def subscribe(self, kind: str) -> AsyncIterator[msgspec.Raw]:
        """Results of an ``eth_subscribe`` subscription as they come, until the connection is lost.

        Raises:
            RpcUnavailable: the connection ended, or the subscription was refused.
        """
        reply = (await self.send([Call("eth_subscribe", [kind])]))[0]
        if reply.result is None:
            raise RpcUnavailable(self._scrub(f"eth_subscribe refused: {reply.failure}"))
        name = _subscription(reply.result)
        queue: asyncio.Queue[msgspec.Raw | None] = asyncio.Queue(MAX_WAITING)
        self._notifications[name] = queue
        self._deliver_early(name)
        if self._reader is None or self._reader.done():
            queue.put_nowait(None)  # lost between the answer and here
        try:
            while (item := await queue.get()) is not None:
                yield item
        finally:
            self._notifications.pop(name, None)
        raise RpcUnavailable("the connection was lost")

    async def close(self) -> None:
        """Close the connection; requests under way fail."""
        connection, self._connection = self._connection, None
        reader, self._reader = self._reader, None
        if connection is not None:
            await connection.close()
        if reader is not None:
            await asyncio.gather(reader, return_exceptions=True)

    async def _open(self) -> ClientConnection:
        async with self._opening:
            if self._connection is not None and self._reader is not None and not self._reader.done():
                return self._connection
            try:
                self._connection = await connect(
                    self._url,
                    open_timeout=self._timeout,
                    close_timeout=2.0,
                    ping_interval=PING_SECONDS,
                    ping_timeout=PING_SECONDS,
                    max_size=self._max_bytes,
                    max_queue=64,
                    user_agent_header="gemforce-indexer",
                    proxy=None,
                    logger=_LOGGER,
                )
            except TimeoutError:
                raise RpcTimeout(f"no connection within {self._timeout:g} s") from None
            except (WebSocketException, OSError, ValueError) as error:
                raise RpcUnavailable(self._describe(error)) from None
            self._reader = asyncio.create_task(self._read(self._connection))
            return self._connection

    async def _read(self, connection: ClientConnection) -> None:
        """Hand each message to whom it is for, until the connection ends."""
        reason = "the connection was closed"
        try:
            async for message in connection:
                self._dispatch(message.encode() if isinstance(message, str) else message)
        except (WebSocketException, OSError, RpcUnavailable, ProviderLied) as error:
            reason = self._describe(error)
            await connection.close()
        finally:
            self._fail(reason)

    def _dispatch(self, message: bytes) -> None:
        for envelope in parse_envelopes(message):
            if envelope.method == "eth_subscription":
                self._notify(parse_notification(envelope.params))
                continue
            future = self._waiting.get(envelope.id) if isinstance(envelope.id, int) else None
            # An answer to a request that has timed out is no fault of the connection.
            if future is not None and not future.done():
                future.set_result(envelope)

    def _notify(self, note: Notification) -> None:
        queue = self._notifications.get(note.subscription)
        if queue is None:
            # The first notification may overtake the answer that names its subscription.
            self._early = [*self._early[-15:], note]
            return
        if queue.full():
            queue.get_nowait()  # the newest head matters, the oldest unread one least
        queue.put_nowait(note.result)

    def _deliver_early(self, name: str) -> None:
        early, self._early = self._early, []
        for note in early:
            if note.subscription == name:
                self._notify(note)

    def _fail(self, reason: str) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(RpcUnavailable(reason))
        for queue in self._notifications.values():
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    def _describe(self, error: Exception) -> str:
        return self._scrub(f"{type(error).__name__}: {error}")


def match_each(ids: Sequence[int], envelopes: Sequence[Envelope]) -> list[Reply]:
    """Replies to calls that were sent one by one."""
    return [match_replies([one], [envelope])[0] for one, envelope in zip(ids, envelopes, strict=True)]


def _encode(one: int, call: Call) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": one, "method": call.method, "params": call.params})


def _subscription(result: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(result, type=str)
    except msgspec.MsgspecError:
        raise ProviderLied("eth_subscribe was not answered with a name") from None
