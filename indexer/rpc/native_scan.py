"""Answers to ``eth_getLogs`` in one pass of compiled code (``indexer/native/logs.c``), where it is installed.

The outcome is that of parsing, or None: what is not plain JSON of logs as nodes write them is parsed, and judged, in
the usual way.
"""

from __future__ import annotations

import ctypes
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockRange
from indexer.native.library import address_of, loops
from indexer.rpc.hex_columns import MAX_INT32, MAX_TIME

_COLUMNS: tuple[tuple[str, type[np.generic], tuple[int, ...]], ...] = (
    ("block_number", np.int64, ()),
    ("block_time", np.int64, ()),
    ("tx_index", np.int32, ()),
    ("log_index", np.int32, ()),
    ("block_hash", np.uint8, (32,)),
    ("tx_hash", np.uint8, (32,)),
    ("address", np.uint8, (20,)),
    ("topics", np.uint8, (4, 32)),
    ("topic_count", np.uint8, ()),
)
"""Columns of ``LogBatch`` of one value a log, in the order in which ``logs.c`` has them; then come the data."""

_LEAST_LOG_BYTES = 300
"""No log with all of its fields is written in fewer characters; a test counts them."""

WORTH_READING = _LEAST_LOG_BYTES
"""Shorter answers hold no log."""


_SAMPLE_BYTES = 1 << 14
_NO_ROOM = -2


def read_logs(raw: bytes | msgspec.Raw, blocks: BlockRange) -> LogBatch | None:
    """The logs of ``raw``, a JSON array, in the order in which they stand there; None when it has to be parsed.

    The blocks' numbers are not held against ``blocks`` here, and nothing is ordered.
    """
    library = loops()
    if library is None:
        return None
    text = np.frombuffer(raw, np.uint8)
    most = len(text) // _LEAST_LOG_BYTES + 1
    room = min(most, _guess(text))
    count, columns = _read(library, text, room)
    if count == _NO_ROOM:
        count, columns = _read(library, text, most)
    return None if count < 0 else _batch(columns, count, blocks)


def _guess(text: NDArray[np.uint8]) -> int:
    """About how many logs there are, rather more than less: room that is not needed would be held as long as the logs."""
    sample = text[:_SAMPLE_BYTES].tobytes()
    seen = sample.count(b'"logIndex"') + 1
    return seen * len(text) * 9 // (8 * len(sample) or 1) + 1


def _read(
    library: ctypes.CDLL, text: NDArray[np.uint8], room: int
) -> tuple[int, dict[str, NDArray[np.generic]]]:
    """What ``indexer_read_logs`` says, and the columns that it wrote to, with room for ``room`` logs."""
    columns = {name: np.empty((room, *shape), kind) for name, kind, shape in _COLUMNS}
    columns["data"] = np.empty(len(text) // 2, np.uint8)
    columns["data_offset"] = np.empty(room + 1, np.int64)
    given = np.array([room, *map(address_of, columns.values()), MAX_INT32, MAX_TIME], np.int64)
    return library.indexer_read_logs(address_of(text), len(text), address_of(given)), columns


def _batch(columns: dict[str, NDArray[Any]], count: int, blocks: BlockRange) -> LogBatch:
    kept = {name: columns[name][:count] for name, _, _ in _COLUMNS}
    offset = columns["data_offset"][: count + 1]
    # The room for data is many times what there is as a rule.
    return LogBatch(range=blocks, data=columns["data"][: int(offset[-1])].copy(), data_offset=offset, **kept)
