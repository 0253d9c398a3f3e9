"""Words to columns: the static value types of many logs at once.

A word is 32 bytes, big-endian. ``uintN``, ``address`` and ``bool`` are padded with zeros on the left, ``intN`` with its
sign, ``bytesN`` and ``function`` with zeros on the right (ABI specification, "Formal Specification of the Encoding").
Padding that is anything else does not decode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.decode.abi_types import ValueType
from indexer.decode.tables import ColumnData, Words

INT32_BITS = {"int": 32, "uint": 24}
"""The widest type of each kind that fits an ``integer`` column."""

INT64_BITS = {"int": 64, "uint": 56}
"""The widest type of each kind that fits a ``bigint`` column."""


@dataclass(frozen=True, slots=True)
class WordDecoder:
    """Checks and converts words of one value type; ``kind`` None is a hash, which takes all 32 bytes."""

    kind: ValueType | None

    def dirty(self, words: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
        """Which of ``words``, uint8 (n, 32), are no value of the type; None where every word is one."""
        kind = self.kind
        if kind is None or kind.bits == 256:
            return None
        padding = 32 - kind.bits // 8
        if kind.kind == "int":
            sign = np.where(words[:, padding] & 0x80, np.uint8(0xFF), np.uint8(0))
            wrong: NDArray[np.bool_] = (words[:, :padding] != sign[:, None]).any(axis=1)
            return wrong
        must_be_zero = np.zeros(32, np.uint8)
        if kind.left_aligned:
            must_be_zero[32 - padding :] = 0xFF
        else:
            must_be_zero[:padding] = 0xFF
        if kind.kind == "bool":
            must_be_zero[31] = 0xFE
        return _any_bit(words, must_be_zero)

    def column(self, words: NDArray[np.uint8]) -> ColumnData:
        """The values of ``words``, uint8 (n, 32), none of them dirty."""
        kind = self.kind
        if kind is None:
            return words
        if kind.left_aligned:
            return words[:, : kind.bits // 8]
        if kind.kind == "address":
            return words[:, 12:]
        if kind.kind == "bool":
            return words[:, 31].astype(np.bool_)
        return _integers(words, kind)


def _integers(words: NDArray[np.uint8], kind: ValueType) -> ColumnData:
    """The narrowest form that the column's type has (interface.md, the table of types)."""
    if kind.bits <= INT32_BITS[kind.kind]:
        return np.ascontiguousarray(words[:, 28:]).view(">i4")[:, 0].astype(np.int32)
    if kind.bits <= INT64_BITS[kind.kind]:
        return np.ascontiguousarray(words[:, 24:]).view(">i8")[:, 0].astype(np.int64)
    return Words(words, signed=kind.kind == "int")


def _any_bit(words: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether any bit of ``mask``, uint8 (32,), is set in each word; eight bytes at a time."""
    lanes = words.view(np.uint64)
    found: NDArray[np.bool_] | None = None
    for place, lane_mask in enumerate(mask.view(np.uint64)):
        if lane_mask:
            bits = (lanes[:, place] & lane_mask) != 0
            found = bits if found is None else found | bits
    return np.zeros(len(words), np.bool_) if found is None else found


def data_words(data: NDArray[np.uint8], starts: NDArray[np.int64], words: int) -> NDArray[np.uint8]:
    """The first ``words`` words at each of ``starts`` in ``data``, as uint8 (n, words, 32).

    Every ``start + 32 * words`` lies within ``data``.
    """
    size = 32 * words
    if not words or not len(starts):
        return np.zeros((len(starts), words, 32), np.uint8)
    step = int(starts[1] - starts[0]) if len(starts) > 1 else size
    if step >= size and bool((np.diff(starts) == step).all()):
        first, last = int(starts[0]), int(starts[-1])
        rows = np.lib.stride_tricks.as_strided(
            data[first : last + size], (len(starts), words, 32), (step, 32, 1), writeable=False
        )
        return rows if step == size else np.ascontiguousarray(rows)
    windows = np.lib.stride_tricks.sliding_window_view(data, size)
    return windows[starts].reshape(len(starts), words, 32)
