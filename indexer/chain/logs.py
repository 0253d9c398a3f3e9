"""Logs as columns: the form they have from the wire to COPY."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.chain.refs import BlockRange

UNKNOWN_TIME = -1
"""In ``block_time``: the node sent no timestamp with the log; a header has to be asked for."""


@dataclass(frozen=True, slots=True)
class LogBatch:
    """The logs of ``range`` as columns, ordered by (block_number, log_index).

    With n logs: ``block_number``, ``block_time`` (seconds since 1970, or ``UNKNOWN_TIME``) are int64 of shape (n,);
    ``tx_index``, ``log_index`` int32 (n,); ``block_hash``, ``tx_hash`` uint8 (n, 32); ``address`` uint8 (n, 20);
    ``topics`` uint8 (n, 4, 32), unused ones zero; ``topic_count`` uint8 (n,), 0 to 4; ``data`` uint8 (total,) with
    ``data_offset`` int64 (n + 1,): the data of log i is ``data[data_offset[i]:data_offset[i + 1]]``.
    """

    range: BlockRange
    block_number: NDArray[np.int64]
    block_time: NDArray[np.int64]
    tx_index: NDArray[np.int32]
    log_index: NDArray[np.int32]
    block_hash: NDArray[np.uint8]
    tx_hash: NDArray[np.uint8]
    address: NDArray[np.uint8]
    topics: NDArray[np.uint8]
    topic_count: NDArray[np.uint8]
    data: NDArray[np.uint8]
    data_offset: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.block_number)

    @property
    def nbytes(self) -> int:
        """Bytes the columns take."""
        return sum(
            getattr(self, name).nbytes
            for name in (
                "block_number",
                "block_time",
                "tx_index",
                "log_index",
                "block_hash",
                "tx_hash",
                "address",
                "topics",
                "topic_count",
                "data",
                "data_offset",
            )
        )

    def log_data(self, index: int) -> bytes:
        """The data bytes of one log."""
        return self.data[self.data_offset[index] : self.data_offset[index + 1]].tobytes()

    def log_topics(self, index: int) -> list[bytes]:
        """The topics of one log, 32 bytes each."""
        return [self.topics[index, place].tobytes() for place in range(int(self.topic_count[index]))]

    def data_length(self) -> NDArray[np.int64]:
        """Bytes of data of each log, shape (n,)."""
        return np.diff(self.data_offset)

    def take(self, indices: NDArray[Any], within: BlockRange | None = None) -> LogBatch:
        """The logs at ``indices`` (integers or a boolean mask), in that order, as a batch of ``within``."""
        chosen = np.flatnonzero(indices) if indices.dtype == np.bool_ else indices
        lengths = self.data_length()[chosen]
        offset = np.zeros(len(chosen) + 1, np.int64)
        np.cumsum(lengths, out=offset[1:])
        starts = self.data_offset[:-1][chosen]
        gather = np.repeat(starts - offset[:-1], lengths) + np.arange(offset[-1], dtype=np.int64)
        return LogBatch(
            within or self.range,
            self.block_number[chosen],
            self.block_time[chosen],
            self.tx_index[chosen],
            self.log_index[chosen],
            self.block_hash[chosen],
            self.tx_hash[chosen],
            self.address[chosen],
            self.topics[chosen],
            self.topic_count[chosen],
            self.data[gather],
            offset,
        )

    @staticmethod
    def empty(within: BlockRange) -> LogBatch:
        """No logs in ``within``."""
        return LogBatch(
            within,
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.zeros(0, np.int32),
            np.zeros(0, np.int32),
            np.zeros((0, 32), np.uint8),
            np.zeros((0, 32), np.uint8),
            np.zeros((0, 20), np.uint8),
            np.zeros((0, 4, 32), np.uint8),
            np.zeros(0, np.uint8),
            np.zeros(0, np.uint8),
            np.zeros(1, np.int64),
        )


def concat(within: BlockRange, batches: Sequence[LogBatch]) -> LogBatch:
    """All logs of ``batches``, ordered by (block_number, log_index), as a batch of ``within``.

    A log that several batches hold (same block hash, log index, transaction and address) is kept once. Two different
    logs of one block with the same log index are both kept, next to each other: real chains have them.
    """
    filled = [batch for batch in batches if len(batch)]
    if not filled:
        return LogBatch.empty(within)
    if len(filled) == 1:
        return ordered(replace(filled[0], range=within))
    offsets = [np.zeros(1, np.int64)]
    total = 0
    for batch in filled:
        offsets.append(batch.data_offset[1:] + total)
        total += int(batch.data_offset[-1])
    joined = LogBatch(
        within,
        np.concatenate([batch.block_number for batch in filled]),
        np.concatenate([batch.block_time for batch in filled]),
        np.concatenate([batch.tx_index for batch in filled]),
        np.concatenate([batch.log_index for batch in filled]),
        np.concatenate([batch.block_hash for batch in filled]),
        np.concatenate([batch.tx_hash for batch in filled]),
        np.concatenate([batch.address for batch in filled]),
        np.concatenate([batch.topics for batch in filled]),
        np.concatenate([batch.topic_count for batch in filled]),
        np.concatenate([batch.data for batch in filled]),
        np.concatenate(offsets),
    )
    return ordered(joined)


def ordered(batch: LogBatch) -> LogBatch:
    """The same logs by (block_number, log_index), each kept once (see ``concat``); the batch itself if it is so already."""
    if len(batch) < 2:
        return batch
    step = np.diff(batch.block_number)
    if bool(np.all((step > 0) | ((step == 0) & (np.diff(batch.log_index) > 0)))):
        return batch
    order = np.lexsort((batch.log_index, batch.block_number))
    same = np.zeros(len(batch), np.bool_)
    left, right = order[:-1], order[1:]
    same[1:] = (
        (batch.block_number[left] == batch.block_number[right])
        & (batch.log_index[left] == batch.log_index[right])
        & (batch.block_hash[left] == batch.block_hash[right]).all(axis=1)
        & (batch.tx_hash[left] == batch.tx_hash[right]).all(axis=1)
        & (batch.address[left] == batch.address[right]).all(axis=1)
        & (batch.topics[left] == batch.topics[right]).all(axis=(1, 2))
    )
    return batch.take(order[~same])
