"""The shape of a read: which rows to ask about, what to ask, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.decode.privacy import Privacy
from indexer.sync.reconcile.calls import Question

Row = Sequence[Any]
Answers = Sequence[bytes | None]


@dataclass(frozen=True, slots=True)
class Read:
    """One kind of silent state. ``keys`` are key columns of ``relation`` and of ``table`` alike, ``table_keys`` all of the latter.

    With ``replaces`` the rows of a key that came no more are removed.
    """

    name: str
    relation: str
    keys: tuple[str, ...]
    table: str
    table_keys: tuple[str, ...]
    columns: tuple[str, ...]
    asks: Callable[[Row], list[Question]]
    rows: Callable[[Row, Answers, Privacy], Iterable[tuple[Any, ...]]]
    replaces: bool = False
