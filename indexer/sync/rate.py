"""How fast something goes: a mean over the last seconds."""

from __future__ import annotations

from collections import deque

from indexer.clock import Clock

WINDOW_SECONDS = 10.0


class Rate:
    """Units a second over a sliding window, from a count that only grows."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque(maxlen=4096)

    def observe(self, count: int) -> float:
        """Take in the count as it is now; returns units a second."""
        now = self._clock.monotonic()
        self._seen.append((now, count))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_SECONDS:
            self._seen.popleft()
        first_time, first_count = self._seen[0]
        return (count - first_count) / (now - first_time) if now > first_time else 0.0
