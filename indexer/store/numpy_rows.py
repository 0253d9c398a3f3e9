"""Rows of binary COPY by numpy.

Neighbouring columns whose values all have one width are written as one numpy record for each row; a table that has
nothing else is one array, copied out as it is. Columns of varying width are encoded value by value and laid between
those records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.decode.column_data import as_list
from indexer.decode.tables import ColumnData, WordLists, Words
from indexer.store.copy_format import CHUNK_BYTES, HEADER, TRAILER, check_column, encode_list
from indexer.store.numeric_digits import fill_numeric, numeric_dtype

_Segment = NDArray[np.void] | list[bytes]


class NumpyRecord:
    """Collects the fields of every row: fixed-width ones in runs, the others one by one.

    Args:
        rows: How many there are.
        fields: How many columns will be added.
    """

    def __init__(self, rows: int, fields: int) -> None:
        self._rows = rows
        self._segments: list[_Segment] = []
        self._run: list[tuple[str, Any]] = [("fields", ">i2")]
        self._values: dict[str, Any] = {"fields": fields}

    def add(self, name: str, sql_type: str, values: ColumnData) -> None:
        """The next column. ``name`` is for messages. Raises ``InvariantViolated`` where values do not fit."""
        check_column(name, sql_type, values, self._rows)
        if values is None:
            self._add_field(-1, None, None)
        elif isinstance(values, Words):
            kind = numeric_dtype(values)
            self._add_field(kind.itemsize, kind, values)
        elif isinstance(values, WordLists):
            self.add_encoded(encode_list(name, sql_type, as_list(values, self._rows)))
        elif isinstance(values, list):
            self.add_encoded(encode_list(name, sql_type, values))
        else:
            self._add_array(values)

    def add_taken(self, values: NDArray[Any], places: NDArray[np.int64] | None) -> None:
        """The next column: the values of an array at ``places``, one for each row; None takes all of them."""
        self._add_array(values if places is None else values[places])

    def add_encoded(self, fields: list[bytes]) -> None:
        """The next column, encoded already: a field for each row."""
        self._close_run()
        self._segments.append(fields)

    def pieces(self) -> list[bytes]:
        """Header, the rows in order, trailer; rows in pieces of about ``CHUNK_BYTES``."""
        self._close_run()
        return _pieces(self._segments, self._rows)

    def _add_array(self, values: NDArray[Any]) -> None:
        if values.ndim == 2:
            self._add_field(values.shape[1], (np.uint8, (values.shape[1],)), values)
        else:
            self._add_field(values.dtype.itemsize, values.dtype.newbyteorder(">"), values)

    def _add_field(self, length: int, kind: Any, values: Any) -> None:
        key = str(len(self._run))
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


def row_bytes(records: NDArray[np.void]) -> list[bytes]:
    """The bytes of each record."""
    size, whole = records.dtype.itemsize, records.tobytes()
    return [whole[first : first + size] for first in range(0, len(whole), size)]


def _shape(kind: Any) -> tuple[Any, ...]:
    return kind if isinstance(kind, tuple) else (kind,)


def _pieces(segments: Sequence[_Segment], rows: int) -> list[bytes]:
    """Header, the rows' fields in order, trailer; in pieces of about ``CHUNK_BYTES``."""
    if len(segments) == 1 and isinstance(segments[0], np.ndarray):
        return [HEADER, *_split(segments[0]), TRAILER]
    columns = [row_bytes(one) if isinstance(one, np.ndarray) else one for one in segments]
    return [HEADER, *_joined(zip(*columns, strict=True), rows), TRAILER]


def _split(records: NDArray[np.void]) -> Iterator[bytes]:
    step = max(CHUNK_BYTES // records.dtype.itemsize, 1)
    for first in range(0, len(records), step):
        yield records[first : first + step].tobytes()


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
