"""How well an endpoint does: what it answered of late, how fast, how far it is, and whether it is trusted now."""

from __future__ import annotations

from indexer.clock import Clock

WEIGHT = 0.2
"""Of the newest observation in the moving averages."""

FIRST_BENCH_SECONDS = 2.0
LONGEST_BENCH_SECONDS = 120.0
FAILURES_TO_BE_DOWN = 3
HEAD_IS_FRESH_SECONDS = 2.0


class Health:
    """Moving averages of success and duration, the bench, and the newest block the endpoint showed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._success = 1.0
        self._seconds = 0.05
        self._failures = 0
        self._lies = 0
        self._benched_until = 0.0
        self._head: int | None = None
        self._head_at = 0.0
        self.last_error: str | None = None
        """The newest error's message, already scrubbed."""

    @property
    def score(self) -> float:
        """From 0 (never answers) to 1 (always does)."""
        return round(self._success, 3)

    @property
    def benched(self) -> bool:
        """Whether it lied, or failed repeatedly, a short while ago."""
        return self._clock.monotonic() < self._benched_until

    @property
    def up(self) -> bool:
        """Whether it answers and is trusted."""
        return not self.benched and self._failures < FAILURES_TO_BE_DOWN

    @property
    def expected_seconds(self) -> float:
        """Seconds until an answer, counting that failures have to be asked again."""
        return (self._seconds + 0.001) / max(0.05, self._success) ** 2

    @property
    def head_number(self) -> int | None:
        """The newest block it is known to have."""
        return self._head

    def answered(self, seconds: float) -> None:
        """It answered in that time."""
        self._success += WEIGHT * (1.0 - self._success)
        self._seconds += WEIGHT * (seconds - self._seconds)
        self._failures = 0

    def failed(self, message: str, seconds: float) -> None:
        """It did not answer; after some failures in a row it rests."""
        self._success -= WEIGHT * self._success
        self._seconds += WEIGHT * (seconds - self._seconds)
        self._failures += 1
        self.note(message)
        if self._failures >= FAILURES_TO_BE_DOWN:
            self._bench(self._failures - FAILURES_TO_BE_DOWN)

    def lied(self, message: str) -> None:
        """It said something false: it rests, longer with each lie."""
        self._success -= WEIGHT * self._success
        self.note(message)
        self._bench(self._lies)
        self._lies += 1

    def trusted(self) -> None:
        """A whole read was checked and found right: earlier lies weigh less."""
        self._lies = max(0, self._lies - 1)

    def note(self, message: str) -> None:
        """Keep a message for ``status``."""
        self.last_error = message

    def saw_head(self, number: int) -> None:
        """It said that this is its newest block."""
        self._head = number
        self._head_at = self._clock.monotonic()

    def has(self, number: int) -> None:
        """It showed a block of that number."""
        if self._head is None or number > self._head:
            self.saw_head(number)

    def lacks(self, number: int) -> None:
        """It did not have that block."""
        self.saw_head(min(number - 1, self._head) if self._head is not None else number - 1)

    def surely_lacks(self, number: int) -> bool:
        """Whether its head was lower just now."""
        if self._head is None or self._head >= number:
            return False
        return self._clock.monotonic() - self._head_at < HEAD_IS_FRESH_SECONDS

    def _bench(self, step: int) -> None:
        seconds = min(LONGEST_BENCH_SECONDS, FIRST_BENCH_SECONDS * 2.0 ** min(step, 10))
        self._benched_until = max(self._benched_until, self._clock.monotonic() + seconds)
