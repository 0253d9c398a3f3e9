"""How often and how long apart something is tried again: always bounded, always with jitter."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from indexer.clock import Clock, SystemClock
from indexer.errors import RateLimited, Retryable

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from ``first_seconds`` to ``most_seconds``, each taken at random from the upper half.

    The randomness keeps many clients that failed together from coming back together; the lower half stays waited, so
    that a struggling server does get its pause.
    """

    first_seconds: float = 0.1
    most_seconds: float = 10.0
    factor: float = 2.0

    def delay(self, attempt: int, at_least: float | None = None) -> float:
        """Seconds to wait after failure number ``attempt`` (from 0), never less than ``at_least`` asks for."""
        # The exponent is limited because a long outage would otherwise overflow a float.
        whole = min(self.most_seconds, self.first_seconds * self.factor ** min(attempt, 60))
        jittered = whole * random.uniform(0.5, 1.0)  # noqa: S311 - jitter needs no secrecy
        return max(jittered, at_least or 0.0)


async def retry(
    operation: Callable[[], Awaitable[Result]],
    *,
    tries: int,
    backoff: Backoff | None = None,
    clock: Clock | None = None,
    on: type[Exception] | tuple[type[Exception], ...] = Retryable,
) -> Result:
    """Await ``operation()`` until it succeeds, at most ``tries`` times; the last error is raised as it is.

    Args:
        operation: Called anew for each try.
        tries: How often at most, at least 1.
        backoff: Waits between tries; ``RateLimited.retry_after`` is honoured besides.
        clock: Where waiting happens.
        on: Which errors are worth another try; others pass at once.

    Raises:
        Exception: whatever the last try raised.
    """
    waits = backoff or Backoff()
    timer = clock or SystemClock()
    for attempt in range(tries - 1):
        try:
            return await operation()
        except on as error:
            asked = error.retry_after if isinstance(error, RateLimited) else None
            await timer.sleep(waits.delay(attempt, asked))
    return await operation()
