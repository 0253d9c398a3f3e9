"""When ``--until`` is reached, and when waiting for it is given up."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.clock import Clock
from indexer.errors import IndexerError


class NoProgress(IndexerError):
    """``--until`` was not reached and nothing was committed for ``--timeout`` seconds."""


@dataclass(frozen=True, slots=True)
class Goal:
    """``head``, ``finalized``, a block number, or None to run for ever."""

    until: str | int | None

    def stop_at(self, finalized: int | None) -> int | None:
        """The last block to be committed, where the goal sets one."""
        if isinstance(self.until, int):
            return self.until
        return finalized if self.until == "finalized" else None

    def reached(self, tip: int, finalized: int | None, *, head_is_ours: bool) -> bool:
        """Whether the tip is where it was to be brought; ``head_is_ours``: the newest head is a block that we hold."""
        if self.until is None:
            return False
        if isinstance(self.until, int):
            return tip >= self.until
        if self.until == "finalized":
            return tip >= (-1 if finalized is None else finalized)
        return head_is_ours


class Patience:
    """Raises ``NoProgress`` when ``progress`` was not called for ``timeout_seconds``."""

    def __init__(self, clock: Clock, timeout_seconds: float) -> None:
        self._clock = clock
        self._timeout = timeout_seconds
        self._last = clock.monotonic()

    def progress(self) -> None:
        """Something was committed."""
        self._last = self._clock.monotonic()

    def check(self, what: str) -> None:
        """Raise ``NoProgress`` when it has been too long; ``what`` says what is being waited for."""
        waited = self._clock.monotonic() - self._last
        if waited > self._timeout:
            raise NoProgress(f"gave up after {waited:.0f} s without progress: {what}")
