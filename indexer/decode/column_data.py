"""Choosing and joining the values of columns, whatever form they have."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.decode.tables import ColumnData, RowBatch, WordLists, Words


def take_column(column: ColumnData, places: NDArray[np.int64]) -> ColumnData:
    """The values at ``places``, in that order."""
    if column is None:
        return None
    if isinstance(column, list):
        return [column[place] for place in places]
    if isinstance(column, Words):
        return Words(column.words[places], column.signed)
    if isinstance(column, WordLists):
        return _take_lists(column, places)
    return column[places]


def as_list(column: ColumnData, count: int) -> list[object]:
    """The ``count`` values of a column as Python objects; a column that is all NULL gives None."""
    if column is None:
        return [None] * count
    if isinstance(column, list):
        return column
    if isinstance(column, Words):
        return _numbers(column.words, signed=column.signed)
    if isinstance(column, WordLists):
        numbers = _numbers(column.words, signed=column.signed)
        bounds = column.offsets.tolist()
        return [numbers[first:end] for first, end in pairwise(bounds)]
    if column.ndim == 2:
        return [value.tobytes() for value in column]
    values: list[object] = column.tolist()
    return values


def merge_rows(batches: Sequence[RowBatch]) -> RowBatch:
    """The rows of several batches of one table as one batch, by the place of their logs."""
    if len(batches) == 1:
        return batches[0]
    logs = np.concatenate([batch.logs for batch in batches])
    order = np.argsort(logs, kind="stable")
    columns = tuple(
        take_column(_joined([(batch.columns[place], len(batch)) for batch in batches]), order)
        for place in range(len(batches[0].columns))
    )
    return RowBatch(batches[0].table, logs[order], columns)


def _joined(parts: Sequence[tuple[ColumnData, int]]) -> ColumnData:
    columns = [column for column, _ in parts]
    if all(column is None for column in columns):
        return None
    # The column is of one type, so that arrays of one kind have one shape and Words one sign.
    if all(isinstance(column, Words) for column in columns):
        words: list[Words] = columns  # type: ignore[assignment]  # checked in the line above
        return Words(np.concatenate([one.words for one in words]), words[0].signed)
    if all(isinstance(column, WordLists) for column in columns):
        lists: list[WordLists] = columns  # type: ignore[assignment]  # checked in the line above
        return _joined_lists(lists)
    if all(isinstance(column, np.ndarray) for column in columns):
        arrays: list[NDArray[Any]] = columns  # type: ignore[assignment]  # checked in the line above
        joined: ColumnData = np.concatenate(arrays)
        return joined
    return [value for column, count in parts for value in as_list(column, count)]


def _numbers(words: NDArray[np.uint8], *, signed: bool) -> list[object]:
    joined, number = words.tobytes(), int.from_bytes
    return [number(joined[first : first + 32], signed=signed) for first in range(0, len(joined), 32)]


def _take_lists(lists: WordLists, places: NDArray[np.int64]) -> WordLists:
    lengths = np.diff(lists.offsets)[places]
    offsets = np.zeros(len(places) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    shift = lists.offsets[:-1][places] - offsets[:-1]
    words = np.arange(offsets[-1], dtype=np.int64) + np.repeat(shift, lengths)
    return WordLists(lists.words[words], offsets, lists.signed)


def _joined_lists(lists: Sequence[WordLists]) -> WordLists:
    lengths = np.concatenate([np.diff(one.offsets) for one in lists])
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return WordLists(np.concatenate([one.words for one in lists]), offsets, lists[0].signed)
