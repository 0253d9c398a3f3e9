"""A clock that runs faster than the machine's, so that waits and benches of minutes pass in a test."""

from __future__ import annotations

import asyncio
import time


class FastClock:
    """``indexer.clock.Clock`` at ``factor`` times the speed of the system's clocks."""

    def __init__(self, factor: float = 50.0) -> None:
        self._factor = factor
        self._start = time.monotonic()

    def monotonic(self) -> float:
        """Seconds since the clock was made, as this clock counts them."""
        return (time.monotonic() - self._start) * self._factor

    def wall(self) -> float:
        """The system's time; timestamps are not sped up."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after that many of this clock's seconds."""
        await asyncio.sleep(seconds / self._factor)
