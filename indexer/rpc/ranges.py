"""How many blocks one endpoint is asked for in one log query.

Grow towards a target of bytes and logs as far as the last answer says it is safe, shrink at once when refused. A limit on blocks lasts and becomes the
ceiling; a limit on the size of one result concerns that request, and later ones only through the target.
"""

from __future__ import annotations

from indexer.errors import RangeTooWide

TARGET_BYTES = 16 * 1024 * 1024
TARGET_LOGS = 25_000
START_BLOCKS = 100
LEAP = 5.0
"""Most growth at once where an answer was nearly empty: it says little of what comes."""

STRIDE = 25.0
"""Most growth at once where an answer had enough logs to tell how dense they are; the way to a full span is one step."""

ENOUGH_LOGS = 500


class RangeControl:
    """The span for one endpoint.

    Args:
        most_blocks: Never more than this, as configured.
        start_blocks: What the first query asks for.
    """

    def __init__(self, most_blocks: int, start_blocks: int = START_BLOCKS) -> None:
        self._most = max(1, most_blocks)
        self._ceiling = self._most
        self._blocks = min(self._most, start_blocks)
        self._good = 0  # the widest span that went through since one was refused for good
        self._dense = False

    @property
    def blocks(self) -> int:
        """Blocks to ask for now, at least 1."""
        return self._blocks

    def dense(self, blocks: int) -> bool:
        """Whether a query over so many blocks is likely to go through and to find logs in most of them."""
        return self._dense and blocks <= self._good

    @property
    def ceiling(self) -> int:
        """The most that the endpoint is known, or still believed, to take."""
        return self._ceiling

    def succeeded(self, blocks: int, logs: int, nbytes: int) -> None:
        """A query over ``blocks`` blocks gave that many logs and bytes of JSON."""
        self._dense = 2 * logs >= blocks
        filled = max(logs / TARGET_LOGS, nbytes / TARGET_BYTES)
        if filled > 1.0:
            self._blocks = max(1, min(self._blocks, int(blocks / filled)))
        elif blocks >= self._blocks:
            # Only a query of the full span says that more would have been fine.
            self._good = max(self._good, blocks)
            most = STRIDE if logs >= ENOUGH_LOGS else LEAP
            room = most if filled * most < 1.0 else 1.0 / filled
            # Below a span that was refused, the way up is by halves of what is left: a refusal costs a request.
            middle = self._ceiling if self._ceiling == self._most else (self._good + self._ceiling + 1) // 2
            grown = max(self._blocks + 1, int(self._blocks * room))
            self._blocks = min(self._ceiling, max(self._blocks, min(grown, middle)))

    def refused(self, asked: int, error: RangeTooWide) -> int:
        """A query over ``asked`` blocks was refused; returns how many to ask for instead, always fewer (0 at one block)."""
        hint = error.hint if error.hint is not None and 0 < error.hint < asked else None
        smaller = hint if hint is not None else asked // 2
        if error.lasting and asked > 1:
            if hint is None and asked // 2 < self._good < asked:
                smaller = self._good
            self._good = min(self._good, smaller)
            self._ceiling = max(1, min(self._ceiling, smaller if hint is not None else asked - 1))
            self._blocks = min(self._blocks, max(1, smaller))
        elif asked <= self._blocks:
            # Not a limit for good, yet the neighbourhood is dense: begin nearer to what went through.
            self._blocks = max(1, self._blocks * 3 // 4)
        return smaller
