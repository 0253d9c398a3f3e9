"""How many requests an endpoint takes at once and per second, learned from how it answers.

Concurrency grows by one for each full round of successes and halves when the endpoint says "too many". A rate is only
held once the endpoint has complained: then four fifths of what was seen before the complaint, raised again with time. A
complaint about next to nothing (somebody else used up the quota) says nothing about our rate: there we only pause.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from indexer.clock import Clock
from indexer.errors import RateLimited
from indexer.retry import Backoff

START_CONCURRENCY = 8.0
MOST_CONCURRENCY = 32.0
LOWEST_RATE = 0.5
FEW_REQUESTS = 10
"""So many within the window are next to nothing."""

WINDOW_SECONDS = 5.0
RAISE_EVERY_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 30.0


class Limiter:
    """Admits requests to one endpoint.

    Args:
        clock: Measures and waits.
        concurrency: How many requests at once in the beginning.
    """

    def __init__(self, clock: Clock, concurrency: float = START_CONCURRENCY) -> None:
        self._clock = clock
        self._limit = concurrency
        self._most = MOST_CONCURRENCY
        self._in_flight = 0
        self._turn = asyncio.Condition()
        self._starts: deque[float] = deque(maxlen=1024)
        self._rate: float | None = None
        self._next_start = 0.0
        self._raised_at = 0.0
        self._paused_until = 0.0
        self._complaints = 0
        self._backoff = Backoff(first_seconds=1.0, most_seconds=60.0)

    def share(self, parts: int) -> None:
        """Take one of ``parts`` equal shares of what a process may have under way, because others ask here too."""
        self._most = max(1.0, MOST_CONCURRENCY / parts)
        self._limit = min(self._limit, self._most)

    @property
    def concurrency(self) -> int:
        """Requests at once."""
        return max(1, int(self._limit))

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return self._in_flight

    @property
    def rate(self) -> float | None:
        """Requests a second, or None while the endpoint never complained."""
        return self._rate

    def pause_seconds(self) -> float:
        """How long no request is admitted, 0 when one is now."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it.

        Raises:
            RateLimited: when the wait would be longer than ``LONGEST_WAIT_SECONDS``.
        """
        async with self._turn:
            while self._in_flight >= self.concurrency:
                await self._turn.wait()
            self._in_flight += 1
        try:
            await self._wait_for_rate()
            self._starts.append(self._clock.monotonic())
            yield
        finally:
            self._in_flight -= 1
            async with self._turn:
                self._turn.notify(2)  # the limit may have grown meanwhile

    def succeeded(self) -> None:
        """A request was answered as it should."""
        self._complaints = 0
        self._limit = min(self._most, self._limit + 1.0 / max(self._limit, 1.0))
        now = self._clock.monotonic()
        if self._rate is not None and now - self._raised_at > RAISE_EVERY_SECONDS:
            self._rate = 1.1 * self._rate + 1.0
            self._raised_at = now

    def limited(self, retry_after: float | None) -> float:
        """The endpoint said "too many": pause, and ask less from now on. Returns the pause in seconds."""
        now = self._clock.monotonic()
        pause = retry_after if retry_after is not None else self._backoff.delay(self._complaints)
        if now >= self._paused_until:
            # Requests that were under way when the first complaint came are not further complaints.
            self._complaints += 1
            self._limit = max(1.0, self._limit / 2)
            recent = sum(1 for start in self._starts if now - start < WINDOW_SECONDS)
            if recent > FEW_REQUESTS:
                seen = recent / WINDOW_SECONDS
                self._rate = max(LOWEST_RATE, 0.8 * (seen if self._rate is None else min(seen, self._rate)))
                self._raised_at = now
        self._paused_until = max(self._paused_until, now + pause)
        return pause

    async def _wait_for_rate(self) -> None:
        now = self._clock.monotonic()
        start = max(now, self._paused_until)
        if self._rate is not None:
            start = max(start, self._next_start)
            self._next_start = start + 1.0 / self._rate
        if start - now > LONGEST_WAIT_SECONDS:
            raise RateLimited(f"the endpoint wants {start - now:.0f} s of rest", start - now)
        if start > now:
            await self._clock.sleep(start - now)
