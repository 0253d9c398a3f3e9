"""Rows as the bytes of ``COPY … (FORMAT binary)``: which columns a row has, and where their values are.

They are written by compiled code where it is installed (``native_rows.py``), else by numpy (``numpy_rows.py``).

Source: PostgreSQL, ``COPY``, "Binary Format"; ``timestamptz`` is microseconds since 2000-01-01 UTC.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import UNKNOWN_TIME, LogBatch
from indexer.decode.tables import LEADING_COLUMNS, ColumnData, RowBatch, Undecoded
from indexer.errors import InvariantViolated
from indexer.native.library import loops
from indexer.store.copy_format import CHUNK_BYTES
from indexer.store.copy_values import EMPTY_BYTEA_ARRAY, array_head
from indexer.store.native_rows import NativeRecord
from indexer.store.numpy_rows import NumpyRecord, row_bytes

__all__ = [
    "CHUNK_BYTES",
    "POSTGRES_EPOCH",
    "UNDECODED_COLUMNS",
    "encode_rows",
    "encode_undecoded",
    "postgres_time",
]

POSTGRES_EPOCH = 946_684_800
"""2000-01-01 UTC in seconds since 1970."""

UNDECODED_COLUMNS: tuple[tuple[str, str], ...] = (
    ("topics", "bytea[]"),
    ("data", "bytea"),
    ("reason", "text"),
)
"""Columns of ``event.undecoded`` after the leading ones, in the order in which ``encode_undecoded`` writes them."""


class Record(Protocol):
    """What takes the columns of rows, one after the other, and gives their bytes."""

    def add(self, name: str, sql_type: str, values: ColumnData) -> None:
        """The next column. Raises ``InvariantViolated`` where values do not fit."""

    def add_taken(self, values: NDArray[Any], places: NDArray[np.int64] | None) -> None:
        """The next column: the values of an array at ``places``, one for each row; None takes all of them."""

    def add_encoded(self, fields: list[bytes]) -> None:
        """The next column, encoded already: a field for each row."""

    def pieces(self) -> list[bytes]:
        """Header, the rows in order, trailer."""


def encode_rows(chain_id: int, logs: LogBatch, rows: RowBatch) -> list[bytes]:
    """``rows`` of ``logs`` for COPY into their table, in pieces whose concatenation is the whole.

    Columns: the leading ones, then ``rows.table.columns``. Raises ``InvariantViolated`` when the time of a block is
    not known or a value does not fit its column's type.
    """
    count = len(LEADING_COLUMNS) + len(rows.columns)
    record = _record(len(rows), count)
    _add_leading(record, chain_id, logs, rows.logs)
    for column, values in zip(rows.table.columns, rows.columns, strict=True):
        record.add(column.name, column.sql_type, values)
    return record.pieces()


def encode_undecoded(chain_id: int, logs: LogBatch, undecoded: Undecoded) -> list[bytes]:
    """``undecoded`` logs for COPY into ``event.undecoded``: the leading columns, then ``UNDECODED_COLUMNS``."""
    places = undecoded.logs
    record = _record(len(undecoded), len(LEADING_COLUMNS) + len(UNDECODED_COLUMNS))
    _add_leading(record, chain_id, logs, places)
    record.add_encoded(_topic_fields(logs, places))
    data: list[object] = [
        logs.data[first:end].tobytes()
        for first, end in zip(
            logs.data_offset[places].tolist(), logs.data_offset[places + 1].tolist(), strict=True
        )
    ]
    record.add("data", "bytea", data)
    record.add("reason", "text", list(undecoded.reasons))
    return record.pieces()


def postgres_time(seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds since 1970 as ``timestamptz``. Raises ``InvariantViolated`` for a time that is not known."""
    if bool((seconds == UNKNOWN_TIME).any()):
        raise InvariantViolated("rows are to be written whose block's time was never asked for")
    return (seconds - POSTGRES_EPOCH) * 1_000_000


def _record(rows: int, fields: int) -> Record:
    library = loops()
    return NumpyRecord(rows, fields) if library is None else NativeRecord(library, rows)


def _add_leading(record: Record, chain_id: int, logs: LogBatch, places: NDArray[np.int64]) -> None:
    if len(places) and not 0 <= int(places.min()) <= int(places.max()) < len(logs):
        raise InvariantViolated("rows are to be written of logs that are not there")
    chosen = None if len(places) == len(logs) else places
    times = logs.block_time if chosen is None else logs.block_time[chosen]
    record.add_taken(np.full(len(places), chain_id, np.int64), None)
    record.add_taken(logs.block_number, chosen)
    record.add_taken(logs.block_hash, chosen)
    record.add_taken(postgres_time(times), None)
    record.add_taken(logs.tx_hash, chosen)
    record.add_taken(logs.tx_index, chosen)
    record.add_taken(logs.log_index, chosen)
    record.add_taken(logs.address, chosen)


def _topic_fields(logs: LogBatch, places: NDArray[np.int64]) -> list[bytes]:
    """The ``bytea[]`` of each log's topics; logs of one count are encoded together."""
    fields = [EMPTY_BYTEA_ARRAY] * len(places)
    counts = logs.topic_count[places]
    for count in np.unique(counts[counts > 0]).tolist():
        rows = np.flatnonzero(counts == count)
        element = [("length", ">i4"), ("topic", np.uint8, (32,))]
        records = np.zeros(len(rows), np.dtype([("head", np.uint8, (24,)), ("topics", element, (count,))]))
        records["head"] = np.frombuffer(array_head("bytea", count, 36 * count), np.uint8)
        records["topics"]["length"] = 32
        records["topics"]["topic"] = logs.topics[places[rows], :count]
        for row, field in zip(rows.tolist(), row_bytes(records), strict=True):
            fields[row] = field
    return fields
