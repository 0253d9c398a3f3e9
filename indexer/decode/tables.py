"""The shape of event tables and of the rows that decoding makes for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LEADING_COLUMNS: tuple[tuple[str, str], ...] = (
    ("chain_id", "bigint"),
    ("block_number", "bigint"),
    ("block_hash", "bytea"),
    ("block_time", "timestamptz"),
    ("tx_hash", "bytea"),
    ("tx_index", "integer"),
    ("log_index", "integer"),
    ("address", "bytea"),
)
"""Columns that every event table and ``event.undecoded`` begins with, and their types."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an event table after the leading ones. ``sql_type`` is a PostgreSQL type name such as ``numeric[]``."""

    name: str
    sql_type: str
    comment: str


@dataclass(frozen=True, slots=True)
class EventTable:
    """One table of schema ``event``: one signature of one ABI file (all its indexed layouts together).

    ``name`` is without the schema. ``abi`` is the stem of the ABI file, ``topic0`` None for an anonymous event.
    """

    name: str
    abi: str
    event: str
    signature: str
    topic0: bytes | None
    columns: tuple[Column, ...]
    comment: str


@dataclass(frozen=True, slots=True)
class EventParam:
    """One parameter of an event or one component of a tuple.

    ``type`` is the ABI type with ``tuple`` written out as in the JSON (``tuple``, ``tuple[2][]``); ``canonical`` the
    type as it stands in the signature (``(address,uint8)[]``).
    """

    name: str
    type: str
    canonical: str
    indexed: bool
    components: tuple[EventParam, ...] = ()


@dataclass(frozen=True, slots=True)
class EventLayout:
    """One declaration of an event: which parameters are topics, which are data, which table its rows go to.

    ``columns[i]`` is the place of parameter i in ``table.columns``.
    """

    abi: str
    name: str
    signature: str
    topic0: bytes | None
    params: tuple[EventParam, ...]
    table: EventTable
    columns: tuple[int, ...]

    @property
    def anonymous(self) -> bool:
        """Whether the event has no topic0 of its own."""
        return self.topic0 is None

    @property
    def topic_count(self) -> int:
        """How many topics a log of this layout has, topic0 included."""
        return sum(param.indexed for param in self.params) + (not self.anonymous)


@dataclass(frozen=True, slots=True)
class Words:
    """Integers wider than 64 bits: ``words`` is uint8 (n, 32), big-endian, two's complement where ``signed``."""

    words: NDArray[np.uint8]
    signed: bool

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True, slots=True)
class WordLists:
    """Lists of such integers: list i is the words from ``offsets[i]`` to ``offsets[i + 1]``.

    ``words`` is uint8 (m, 32), ``offsets`` int64 (n + 1,), from 0 up.
    """

    words: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    signed: bool

    def __len__(self) -> int:
        return len(self.offsets) - 1


ColumnData = (
    NDArray[np.uint8]
    | NDArray[np.int32]
    | NDArray[np.int64]
    | NDArray[np.bool_]
    | Words
    | WordLists
    | list[object]
    | None
)
"""The values of one column of a RowBatch, by the column's ``sql_type``:

* uint8 (n, k): ``bytea`` of k bytes each
* int32 / int64 / bool (n,): ``integer``, ``bigint``, ``boolean``
* ``Words``: ``numeric``
* ``WordLists``: ``numeric[]``
* list of n Python values: anything; None is NULL, ``bytes`` for bytea, ``int`` for integers and numeric, ``str`` for
  text, ``list`` for arrays, and for ``jsonb`` the text of the JSON (``str``)
* None: the whole column is NULL (another layout of the same table has it)
"""


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows for one event table. ``logs`` (int64, n ascending) says which logs of the LogBatch they came from, which
    gives the leading columns; ``columns`` are in the order of ``table.columns``.
    """

    table: EventTable
    logs: NDArray[np.int64]
    columns: tuple[ColumnData, ...]

    def __len__(self) -> int:
        return len(self.logs)


@dataclass(frozen=True, slots=True)
class Undecoded:
    """Logs (places in the LogBatch, ascending) that no layout decodes, each with its reason."""

    logs: NDArray[np.int64]
    reasons: Sequence[str]

    def __len__(self) -> int:
        return len(self.logs)


@dataclass(frozen=True, slots=True)
class Decoded:
    """All that decoding makes of a LogBatch. ``irregular`` counts logs that decoded but were unusual, by reason."""

    rows: tuple[RowBatch, ...]
    undecoded: Undecoded
    irregular: Counter[str] = field(default_factory=Counter)
