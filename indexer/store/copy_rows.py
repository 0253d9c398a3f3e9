"""Rows as the bytes of ``COPY … (FORMAT binary)``.

Neighbouring columns whose values all have one width are written as one numpy record for each row; a table that has
nothing else is one array, copied out as it is. Columns of varying width are encoded value by value and laid between
those records.

Source: PostgreSQL, ``COPY``, "Binary Format"; ``timestamptz`` is microseconds since 2000-01-01 UTC.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import UNKNOWN_TIME, LogBatch
from indexer.decode.tables import LEADING_COLUMNS, ColumnData, RowBatch, Undecoded, Words
from indexer.errors import InvariantViolated
from indexer.store.copy_values import EMPTY_BYTEA_ARRAY, array_head, field_encoder
from indexer.store.numeric_digits import fill_numeric, numeric_dtype

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
CHUNK_BYTES = 1 << 20
"""About how large the pieces are that COPY is given."""

POSTGRES_EPOCH = 946_684_800
"""2000-01-01 UTC in seconds since 1970."""

UNDECODED_COLUMNS: tuple[tuple[str, str], ...] = (
    ("topics", "bytea[]"),
    ("data", "bytea"),
    ("reason", "text"),
)
"""Columns of ``event.undecoded`` after the leading ones, in the order in which ``encode_undecoded`` writes them."""

_ARRAY_TYPES: dict[str, np.dtype[Any]] = {
    "bytea": np.dtype(np.uint8),
    "bigint": np.dtype(np.int64),
    "boolean": np.dtype(np.bool_),
    "integer": np.dtype(np.int32),
    "timestamptz": np.dtype(np.int64),
}
"""What an array's values are, by the type of their column."""

_Segment = NDArray[np.void] | list[bytes]


def encode_rows(chain_id: int, logs: LogBatch, rows: RowBatch) -> list[bytes]:
    """``rows`` of ``logs`` for COPY into their table, in pieces whose concatenation is the whole.

    Columns: the leading ones, then ``rows.table.columns``. Raises ``InvariantViolated`` when the time of a block is
    not known or a value does not fit its column's type.
    """
    count = len(LEADING_COLUMNS) + len(rows.columns)
    record = _Record(len(rows), count)
    _add_leading(record, chain_id, logs, rows.logs)
    for column, values in zip(rows.table.columns, rows.columns, strict=True):
        record.add(column.name, column.sql_type, values)
    return _pieces(record.segments(), len(rows))


def encode_undecoded(chain_id: int, logs: LogBatch, undecoded: Undecoded) -> list[bytes]:
    """``undecoded`` logs for COPY into ``event.undecoded``: the leading columns, then ``UNDECODED_COLUMNS``."""
    places = undecoded.logs
    record = _Record(len(undecoded), len(LEADING_COLUMNS) + len(UNDECODED_COLUMNS))
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
    return _pieces(record.segments(), len(undecoded))


def postgres_time(seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds since 1970 as ``timestamptz``. Raises ``InvariantViolated`` for a time that is not known."""
    if bool((seconds == UNKNOWN_TIME).any()):
        raise InvariantViolated("rows are to be written whose block's time was never asked for")
    return (seconds - POSTGRES_EPOCH) * 1_000_000


class _Record:
    """Collects the fields of every row: fixed-width ones in runs, the others one by one."""

    def __init__(self, rows: int, fields: int) -> None:
        self._rows = rows
        self._segments: list[_Segment] = []
        self._run: list[tuple[str, Any]] = [("fields", ">i2")]
        self._values: dict[str, Any] = {"fields": fields}

    def add(self, name: str, sql_type: str, values: ColumnData) -> None:
        """The next column. ``name`` is for messages."""
        if values is not None and len(values) != self._rows:
            raise InvariantViolated(f"column {name} has {len(values)} values for {self._rows} rows")
        key = f"{len(self._run)} {name}"
        if values is None:
            self._add_field(key, -1, None, None)
        elif isinstance(values, Words):
            kind = numeric_dtype(values)
            self._add_field(key, kind.itemsize, kind, values)
        elif isinstance(values, list):
            self.add_encoded(_encode_list(name, sql_type, values))
        else:
            self._add_array(key, sql_type, values)

    def add_encoded(self, fields: list[bytes]) -> None:
        """The next column, encoded already: a field for each row."""
        self._close_run()
        self._segments.append(fields)

    def _add_array(self, key: str, sql_type: str, values: NDArray[Any]) -> None:
        if values.dtype != _ARRAY_TYPES.get(sql_type):
            raise InvariantViolated(f"column {key} of type {sql_type} has values of type {values.dtype}")
        if values.ndim == 2:
            self._add_field(key, values.shape[1], (np.uint8, (values.shape[1],)), values)
        else:
            self._add_field(key, values.dtype.itemsize, values.dtype.newbyteorder(">"), values)

    def _add_field(self, key: str, length: int, kind: Any, values: Any) -> None:
        self._run.append((f"length {key}", ">i4"))
        self._values[f"length {key}"] = length
        if kind is not None:
            self._run.append((key, kind))
            self._values[key] = values

    def _close_run(self) -> None:
        if not self._run:
            return
        records = np.zeros(self._rows, np.dtype([(key, *_shape(kind)) for key, kind in self._run]))
        for key, _ in self._run:
            values = self._values[key]
            if isinstance(values, Words):
                fill_numeric(records[key], values)
            else:
                records[key] = values
        self._segments.append(records)
        self._run, self._values = [], {}

    def segments(self) -> list[_Segment]:
        """All fields, in order."""
        self._close_run()
        return self._segments


def _shape(kind: Any) -> tuple[Any, ...]:
    return kind if isinstance(kind, tuple) else (kind,)


def _add_leading(record: _Record, chain_id: int, logs: LogBatch, places: NDArray[np.int64]) -> None:
    whole = len(places) == len(logs)

    def at(values: NDArray[Any]) -> NDArray[Any]:
        return values if whole else values[places]

    columns = (
        np.full(len(places), chain_id, np.int64),
        at(logs.block_number),
        at(logs.block_hash),
        postgres_time(at(logs.block_time)),
        at(logs.tx_hash),
        at(logs.tx_index),
        at(logs.log_index),
        at(logs.address),
    )
    for (name, sql_type), values in zip(LEADING_COLUMNS, columns, strict=True):
        record.add(name, sql_type, values)


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
        for row, field in zip(rows.tolist(), _row_bytes(records), strict=True):
            fields[row] = field
    return fields


def _encode_list(name: str, sql_type: str, values: list[object]) -> list[bytes]:
    encode = field_encoder(sql_type)
    try:
        return [encode(value) for value in values]
    except (struct.error, TypeError, ValueError, AttributeError) as error:
        raise InvariantViolated(f"a value does not fit column {name} of type {sql_type}: {error}") from error


def _pieces(segments: Sequence[_Segment], rows: int) -> list[bytes]:
    """Header, the rows' fields in order, trailer; in pieces of about ``CHUNK_BYTES``."""
    if len(segments) == 1 and isinstance(segments[0], np.ndarray):
        return [HEADER, *_split(segments[0]), TRAILER]
    columns = [_row_bytes(one) if isinstance(one, np.ndarray) else one for one in segments]
    return [HEADER, *_joined(zip(*columns, strict=True), rows), TRAILER]


def _split(records: NDArray[np.void]) -> Iterator[bytes]:
    step = max(CHUNK_BYTES // records.dtype.itemsize, 1)
    for first in range(0, len(records), step):
        yield records[first : first + step].tobytes()


def _row_bytes(records: NDArray[np.void]) -> list[bytes]:
    size, whole = records.dtype.itemsize, records.tobytes()
    return [whole[first : first + size] for first in range(0, len(whole), size)]


def _joined(rows: Iterable[tuple[bytes, ...]], count: int) -> Iterator[bytes]:
    """Pieces of whole rows; a row is a tuple of its fields."""
    parts = list(chain.from_iterable(rows))
    width = len(parts) // count if count else 0
    first, size = 0, 0
    for row in range(count):
        size += sum(map(len, parts[row * width : (row + 1) * width]))
        if size >= CHUNK_BYTES or row == count - 1:
            yield b"".join(parts[first : (row + 1) * width])
            first, size = (row + 1) * width, 0
