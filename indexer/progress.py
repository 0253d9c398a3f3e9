"""What the engine tells a progress display, whatever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """How far one chain is. Blocks ``first`` to ``last`` are to be done, those up to ``current`` are.

    ``logs`` counts logs committed since the start of the process; ``logs_per_second`` is a recent mean.
    """

    chain: str
    phase: Literal["backfill", "follow", "late"]
    first: int
    current: int
    last: int
    logs: int
    logs_per_second: float


ProgressSink = Callable[[ProgressUpdate], None]
"""Is called after each commit, on the event loop; has to return at once."""
