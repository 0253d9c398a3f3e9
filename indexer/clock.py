"""The only place that reads a clock, so that tests can turn it.

``monotonic`` measures durations and never jumps; ``wall`` is for timestamps that people and Prometheus read. No rule
of the engine depends on the wall clock.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the engine asks of a clock."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC; may jump."""

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds; zero gives other tasks a turn."""


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC; may jump."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds; zero gives other tasks a turn."""
        await asyncio.sleep(seconds)
