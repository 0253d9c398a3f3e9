"""Folding a chain log by log in Python, the plainest way there is, for tests that hold SQL against it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import localcontext
from typing import Any

from deal_events import ZERO

NOTHING = 0


def known(address: bytes | None) -> bytes | None:
    """None for the zero address."""
    return None if address == ZERO else address


class LogFold:
    """Folds ``blocks`` (number to events in log order): a method for each event table, named after it.

    ``tables`` has the outcome: for each state table a dict from its key (without the chain) to its other columns by name.
    ``moment`` is the timestamp of every block.
    """

    names: tuple[str, ...] = ()

    def __init__(self, blocks: dict[int, list[Any]], moment: Any) -> None:
        self.moment = moment
        self.tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {name: {} for name in self.names}
        with localcontext(prec=200):
            for number in sorted(blocks):
                self._number, self._events = number, blocks[number]
                self._fold_block()

    def _fold_block(self) -> None:
        for place, event in enumerate(self._events):
            self._place, self._event = place, event
            handler: Callable[[bytes, dict[str, Any]], None] | None = getattr(
                self, f"_on_{event.table}", None
            )
            if handler is not None:
                handler(event.address, event.values)

    # -- looking around in the transaction -----------------------------------------------------------------------------

    def _beside(
        self, table: str, fits: Callable[[Any], bool], rank: Callable[[Any], Any] = lambda _: NOTHING
    ) -> Any:
        """The log of the same transaction that fits best: by rank, then the nearest before, then the nearest after."""
        found = [
            (rank(event), place > self._place, abs(place - self._place), place)
            for place, event in enumerate(self._events)
            if event.tx == self._event.tx and event.table == table and fits(event)
        ]
        return (min(found)[-1], self._events[min(found)[-1]]) if found else (None, None)

    def _proof(self) -> dict[str, Any]:
        return {
            "tx_hash": (self._number * 1000 + self._event.tx).to_bytes(32, "big"),
            "block_time": self.moment,
            "updated_block": self._number,
        }

    def _log(self) -> tuple[int, int]:
        return self._number, self._place

    @staticmethod
    def _doubt(row: dict[str, Any], reason: str | None) -> None:
        row.setdefault("inconsistent", False)
        row.setdefault("inconsistency", None)
        if reason is not None and row["inconsistency"] is None:
            row.update(inconsistent=True, inconsistency=reason)
