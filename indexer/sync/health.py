"""What ``/readyz`` says of the chains: from memory, at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from indexer.clock import Clock
from indexer.config import ChainSettings


@dataclass(slots=True)
class ChainHealth:
    """One chain as its engine last saw it. Moments are seconds of the monotonic clock.

    ``lease`` is None until it is known who may write, then ``held`` or ``standby``.
    """

    name: str
    settings: ChainSettings
    started: float
    lease: str | None = None
    head: int | None = None
    tip: int | None = None
    finalized: int | None = None
    last_commit: float | None = None
    halted: str | None = None

    def found(self, now: float) -> list[str]:
        """What keeps this chain from being ready, one line each."""
        if self.halted is not None:
            return [f"chain {self.name} is halted: {self.halted}"]
        if self.lease is None:
            return [f"chain {self.name}: it is not known yet who holds its lease"]
        if self.lease == "standby":
            return []
        problems: list[str] = []
        if self.head is None or self.tip is None:
            problems.append(f"chain {self.name}: no block is committed yet")
        elif self.head - self.tip > self.settings.ready_lag_blocks:
            problems.append(
                f"chain {self.name} is {self.head - self.tip} blocks behind its head "
                f"(ready_lag_blocks is {self.settings.ready_lag_blocks})"
            )
        since = now - (self.started if self.last_commit is None else self.last_commit)
        if since > self.settings.stall_seconds:
            problems.append(
                f"chain {self.name} committed nothing for {since:.0f} s "
                f"(stall_seconds is {self.settings.stall_seconds:.0f})"
            )
        return problems

    def figures(self) -> dict[str, Any]:
        """Heights for people."""
        return {"lease": self.lease, "head": self.head, "tip": self.tip, "finalized": self.finalized}


def problems_of(chains: Sequence[ChainHealth], clock: Clock) -> list[str]:
    """What keeps the daemon from being ready; empty when it is."""
    now = clock.monotonic()
    return [problem for chain in chains for problem in chain.found(now)]
