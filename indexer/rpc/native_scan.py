"""Large answers to ``eth_getLogs`` in one pass of compiled code (``indexer/native/logs.c``), where it is installed.

The outcome is that of parsing, or None: what is not plain JSON of logs as nodes write them is parsed, and judged, in
the usual way.
"""

from __future__ import annotations

import msgspec
import numpy as np

from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockRange
from indexer.native.library import address_of, loops
from indexer.rpc.hex_columns import MAX_INT32, MAX_TIME

WORTH_READING = 1 << 11
"""Shorter answers are parsed as usual: making the columns takes longer than what is saved."""

_LEAST_LOG_BYTES = 300
"""No log with all of its fields is written in fewer characters; a test counts them."""


def read_logs(raw: bytes | msgspec.Raw, blocks: BlockRange) -> LogBatch | None:
    """The logs of ``raw``, a JSON array, in the order in which they stand there; None when it has to be parsed.

    The blocks' numbers are not held against ``blocks`` here, and nothing is ordered.
    """
    library = loops()
    if library is None:
        return None
    text = np.frombuffer(raw, np.uint8)
    room = len(text) // _LEAST_LOG_BYTES + 1
    # Room that stays unused is never touched, so that it takes no memory.
    number, time = np.empty(room, np.int64), np.empty(room, np.int64)
    tx_index, log_index = np.empty(room, np.int32), np.empty(room, np.int32)
    block_hash, tx_hash = np.empty((room, 32), np.uint8), np.empty((room, 32), np.uint8)
    address, topics = np.empty((room, 20), np.uint8), np.empty((room, 4, 32), np.uint8)
    topic_count = np.empty(room, np.uint8)
    data, offset = np.empty(len(text) // 2, np.uint8), np.empty(room + 1, np.int64)
    columns = (
        number,
        time,
        tx_index,
        log_index,
        block_hash,
        tx_hash,
        address,
        topics,
        topic_count,
        data,
        offset,
    )
    given = np.array([room, *map(address_of, columns), MAX_INT32, MAX_TIME], np.int64)
    count = library.indexer_read_logs(address_of(text), len(text), address_of(given))
    if count < 0:
        return None
    return LogBatch(
        range=blocks,
        block_number=number[:count],
        block_time=time[:count],
        tx_index=tx_index[:count],
        log_index=log_index[:count],
        block_hash=block_hash[:count],
        tx_hash=tx_hash[:count],
        address=address[:count],
        topics=topics[:count],
        topic_count=topic_count[:count],
        data=data[: int(offset[count])],
        data_offset=offset[: count + 1],
    )
