"""New heads of a chain: from ``newHeads`` subscriptions, and by polling where there is none or it says nothing.

A socket that lives but is silent looks like a chain that stands still. So polling goes on slowly beside subscriptions;
when it finds a block that no socket announced, the socket is opened anew and polling is quick until it speaks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec

from indexer.chain.refs import BlockHeader
from indexer.clock import Clock
from indexer.errors import Halt, IndexerError, ProviderLied
from indexer.retry import Backoff
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.wire import parse_header

MOST_QUEUED = 256
SLOW_POLLS = 5
"""While subscriptions speak, polling is this many times slower."""

LONGEST_SLOW_SECONDS = 15.0


class Subscriber(Protocol):
    """A transport that can subscribe (``SocketTransport``)."""

    def subscribe(self, kind: str) -> AsyncIterator[msgspec.Raw]:
        """Results of a subscription as they come, until the connection is lost."""

    async def close(self) -> None:
        """Close the connection."""


class HeadStream:
    """Merges the heads of all endpoints into one stream of what is new.

    Args:
        sockets: Endpoints with a transport that subscribes.
        poll: Gives the newest header of the best endpoint.
        poll_seconds: Between polls while no subscription speaks.
        clock: For waits.
    """

    def __init__(
        self,
        sockets: Sequence[tuple[Endpoint, Subscriber]],
        poll: Callable[[], Awaitable[BlockHeader]],
        poll_seconds: float,
        clock: Clock,
    ) -> None:
        self._sockets = list(sockets)
        self._poll = poll
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._queue: asyncio.Queue[BlockHeader] = asyncio.Queue(MOST_QUEUED)
        self._speaking: set[str] = set()
        self._silent: set[str] = set()
        self._announced: int | None = None
        self._silence = asyncio.Event()
        self._backoff = Backoff(first_seconds=0.5, most_seconds=30.0)

    async def stream(self) -> AsyncIterator[BlockHeader]:
        """Heads as they come; the same header is not given twice in a row. Never ends by itself."""
        tasks = [asyncio.create_task(self._follow(*socket)) for socket in self._sockets]
        tasks.append(asyncio.create_task(self._keep_polling()))
        previous = b""
        try:
            while True:
                header = self._newest(await self._next(tasks))
                if header.hash != previous:
                    previous = header.hash
                    yield header
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _next(self, tasks: Sequence[asyncio.Task[None]]) -> BlockHeader:
        """The next header; an error that ended a task (a Halt, or a defect) is raised here."""
        getting = asyncio.create_task(self._queue.get())
        try:
            await asyncio.wait({getting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
            return await getting
        finally:
            getting.cancel()

    def _newest(self, header: BlockHeader) -> BlockHeader:
        """Of the heads that came while the reader was busy the highest, of equally high ones the last.

        Were they given one after another, a reader that once fell behind would never hear of the newest in time.
        """
        while not self._queue.empty():
            later = self._queue.get_nowait()
            if later.number >= header.number:
                header = later
        return header

    def _put(self, header: BlockHeader) -> None:
        if self._queue.full():
            self._queue.get_nowait()  # who reads this slowly needs the newest most
        self._queue.put_nowait(header)

    async def _follow(self, endpoint: Endpoint, socket: Subscriber) -> None:
        """Subscribe at one endpoint, again and again with pauses."""
        failures = 0
        while not endpoint.dropped:
            try:
                async for raw in socket.subscribe("newHeads"):
                    if self._heard(endpoint, raw):
                        failures = 0
            except IndexerError as error:
                endpoint.subscribed(error)
                if endpoint.name not in self._silent:  # else the reason is noted already
                    endpoint.health.note(str(error))
            finally:
                self._silent.discard(endpoint.name)
                self._speaking.discard(endpoint.name)
                self._silence.set()
            await self._clock.sleep(self._backoff.delay(failures))
            failures += 1

    def _heard(self, endpoint: Endpoint, raw: msgspec.Raw) -> bool:
        """Take one notification; False for one that cannot be read (polling will find that block)."""
        try:
            header = parse_header(raw)
        except ProviderLied as error:
            endpoint.health.note(f"{endpoint.name}: newHeads: {error}")
            return False
        if header is None:
            return False
        if endpoint.name not in self._speaking:
            self._speaking.add(endpoint.name)
            endpoint.subscribed(None)
        self._announced = header.number
        endpoint.health.saw_head(header.number)
        self._put(header)
        return True

    async def _keep_polling(self) -> None:
        seen: int | None = None
        announced: int | None = None
        while True:
            try:
                header = await self._poll()
            except Halt:
                raise
            except IndexerError:
                # The endpoint's health holds what happened; a head that cannot be had now is asked for again.
                await self._rest()
                continue
            self._put(header)
            # Since the last poll the chain grew, and no socket said so.
            if seen is not None and header.number > seen and self._announced == announced:
                await self._restart_silent()
            seen, announced = header.number, self._announced
            await self._rest()

    async def _rest(self) -> None:
        """Wait until the next poll is due, or a subscription is lost."""
        self._silence.clear()
        waits = [
            asyncio.ensure_future(self._clock.sleep(self._interval())),
            asyncio.ensure_future(self._silence.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    def _interval(self) -> float:
        if not self._speaking:
            return self._poll_seconds
        return max(self._poll_seconds, min(self._poll_seconds * SLOW_POLLS, LONGEST_SLOW_SECONDS))

    async def _restart_silent(self) -> None:
        for endpoint, socket in self._sockets:
            if endpoint.name in self._speaking:
                endpoint.health.note(f"{endpoint.name}: the subscription fell silent")
                self._speaking.discard(endpoint.name)
                self._silent.add(endpoint.name)
                with suppress(
                    IndexerError, OSError
                ):  # it is being given up; the next opening tells what is wrong
                    await socket.close()
