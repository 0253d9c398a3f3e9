"""Arrays of wide integers (``uint256[]`` and the like) of many logs at once, where they are encoded as compilers do.

That is: the arrays follow the head in the order of the parameters, without gaps. A contract may encode them otherwise;
then, and where anything is wrong, the general decoder reads the logs and says what it is.

Source: Solidity's contract ABI specification, "Formal Specification of the Encoding".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.decode.abi_types import AbiType, ArrayType, ValueType
from indexer.decode.columnar import WordDecoder
from indexer.decode.tables import WordLists


def list_item(kind: AbiType, sql_type: str) -> ValueType | None:
    """The type of the items where ``kind`` is an array that this module reads into a column of ``sql_type``."""
    if sql_type != "numeric[]" or not isinstance(kind, ArrayType) or kind.length is not None:
        return None
    item = kind.item
    return item if isinstance(item, ValueType) and item.kind in {"int", "uint"} else None


def read_word_lists(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    head: int,
    items: Sequence[tuple[int, ValueType]],
) -> tuple[list[WordLists], NDArray[np.int64]] | None:
    """The arrays of the logs whose data begins at ``starts`` and has ``lengths`` bytes, and how far each log's reach.

    Args:
        data: The data of all logs, uint8 (total,).
        starts: Int64 (n,); the head lies within the data.
        lengths: Int64 (n,).
        head: Bytes of the head.
        items: Of each array, the place of its offset in the head and what it is made of.

    Returns:
        None where any log is encoded in another way, or wrongly.
    """
    reached = np.full(len(starts), head, np.int64)
    lists: list[WordLists] = []
    for at, item in items:
        if bool((_numbers(data, starts + at) != reached).any()) or bool((reached + 32 > lengths).any()):
            return None
        count = _numbers(data, starts + reached)
        if bool(((count < 0) | (count > (lengths - reached - 32) >> 5)).any()):
            return None
        offsets = np.zeros(len(starts) + 1, np.int64)
        np.cumsum(count, out=offsets[1:])
        first = starts + reached + 32
        places = np.repeat(first - 32 * offsets[:-1], count)
        places += 32 * np.arange(len(places), dtype=np.int64)
        words = _words(data, places)
        dirty = WordDecoder(item).dirty(words)
        if dirty is not None and dirty.any():
            return None
        lists.append(WordLists(words, offsets, item.kind == "int"))
        reached += 32 + 32 * count
    return lists, reached


def _words(data: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    if not len(places):
        return np.zeros((0, 32), np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(data, 32)
    return windows[places]


def _numbers(data: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """The words at ``places`` as numbers; -1 for those of 2**63 and more."""
    words = _words(data, places).view(np.uint64)
    numbers = words[:, 3].byteswap().view(np.int64)
    numbers[(words[:, :3] != 0).any(axis=1) | (numbers < 0)] = -1
    return numbers
