"""Rows of binary COPY by compiled code (``indexer/native/rows.c``): what ``numpy_rows`` does, byte for byte, in one pass."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.decode.tables import ColumnData, WordLists, Words
from indexer.native.library import address_of
from indexer.store.copy_format import CHUNK_BYTES, HEADER, TRAILER, check_column, encode_list
from indexer.store.numeric_digits import digits_of_limbs, used_limbs

_NOTHING, _BYTES, _NUMBER, _WORDS, _FIELDS, _WORD_LISTS = 0, 1, 2, 3, 5, 6
"""Kinds of columns in ``rows.c``; of the signed ones the number is one more."""

_MOST_NUMERIC_BYTES = 52
_ARRAY_HEAD_BYTES = 24


class NativeRecord:
    """Collects the columns of ``rows`` rows; see ``numpy_rows.NumpyRecord``, which does the same."""

    def __init__(self, library: ctypes.CDLL, rows: int) -> None:
        self._library = library
        self._rows = rows
        self._columns: list[tuple[int, int, int, int, int, int]] = []
        self._kept: list[object] = []  # what the columns point to
        self._most_bytes = 2

    def add(self, name: str, sql_type: str, values: ColumnData) -> None:
        """The next column. ``name`` is for messages. Raises ``InvariantViolated`` where values do not fit."""
        check_column(name, sql_type, values, self._rows)
        if values is None:
            self._append(_NOTHING, 4)
        elif isinstance(values, Words):
            self._add_words(values)
        elif isinstance(values, WordLists):
            self._add_lists(values)
        elif isinstance(values, list):
            self.add_encoded(encode_list(name, sql_type, values))
        else:
            self._add_array(values, None)

    def add_taken(self, values: NDArray[Any], places: NDArray[np.int64] | None) -> None:
        """The next column: the values of an array at ``places``, one for each row; None takes all of them."""
        self._add_array(values, places)

    def add_encoded(self, fields: list[bytes]) -> None:
        """The next column, encoded already: a field for each row."""
        joined = np.frombuffer(b"".join(fields), np.uint8)
        offset = np.zeros(self._rows + 1, np.int64)
        lengths = np.fromiter(map(len, fields), np.int64, self._rows)
        np.cumsum(lengths, out=offset[1:])
        self._append(_FIELDS, int(lengths.max(initial=0)), joined, offsets=offset)

    def pieces(self) -> list[bytes]:
        """Header, the rows in order, trailer; rows in pieces of at most ``CHUNK_BYTES``, or what the widest values need."""
        return [HEADER, *self._written(), TRAILER]

    def _written(self) -> Iterator[bytes]:
        columns = np.array(self._columns, np.int64)
        out = np.empty(max(CHUNK_BYTES, self._most_bytes), np.uint8)
        written = np.zeros(1, np.int64)
        row = 0
        while row < self._rows:
            row = self._library.indexer_write_rows(
                address_of(columns),
                len(columns),
                row,
                self._rows,
                address_of(out),
                len(out),
                address_of(written),
            )
            yield out[: int(written[0])].tobytes()

    def _add_array(self, values: NDArray[Any], places: NDArray[np.int64] | None) -> None:
        rows = values if values.strides[-1] == values.itemsize else np.ascontiguousarray(values)
        if values.ndim == 2:
            self._append(_BYTES, 4 + rows.shape[1], rows, rows.strides[0], rows.shape[1], places)
        else:
            self._append(_NUMBER, 4 + rows.itemsize, rows, rows.strides[0], rows.itemsize, places)

    def _add_words(self, values: Words) -> None:
        words = _whole(values.words)
        joined = np.zeros(32, np.uint8)
        self._library.indexer_join_words(
            address_of(words), words.strides[0], len(words), values.signed, address_of(joined)
        )
        digits = digits_of_limbs(used_limbs(joined, signed=values.signed))
        self._append(_WORDS + values.signed, 12 + 2 * digits, words, words.strides[0], digits)

    def _add_lists(self, values: WordLists) -> None:
        words = _whole(values.words)
        longest = int(np.diff(values.offsets).max(initial=0))
        most = _ARRAY_HEAD_BYTES + _MOST_NUMERIC_BYTES * longest
        self._append(
            _WORD_LISTS + values.signed, most, words, words.strides[0], offsets=_contiguous(values.offsets)
        )

    def _append(
        self,
        kind: int,
        most_bytes: int,
        values: NDArray[Any] | None = None,
        stride: int = 0,
        width: int = 0,
        places: NDArray[np.int64] | None = None,
        offsets: NDArray[np.int64] | None = None,
    ) -> None:
        places = None if places is None else _contiguous(places)
        pointers = [0 if one is None else address_of(one) for one in (values, places, offsets)]
        self._columns.append((kind, pointers[0], stride, width, pointers[1], pointers[2]))
        self._kept.append((values, places, offsets))
        self._most_bytes += most_bytes


def _contiguous(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.ascontiguousarray(numbers, np.int64)


def _whole(words: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Words whose 32 bytes lie side by side."""
    return words if words.strides[1] == 1 else np.ascontiguousarray(words)
