"""Logs of a chain in memory as the columns the engine works on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockRange
from indexer.testing.chain import MemoryBlock, MemoryLog


def matching(block: MemoryBlock, filters: Sequence[LogFilter]) -> list[MemoryLog]:
    """The logs of a block that any of the filters asks for."""
    return [
        log
        for log in block.logs
        if any(one.matches(log.address, log.topics[0] if log.topics else None) for one in filters)
    ]


def batch_of(within: BlockRange, blocks: Iterable[MemoryBlock], filters: Sequence[LogFilter]) -> LogBatch:
    """The logs of these blocks (ascending) that any filter matches, as a batch of ``within``."""
    rows = [(block.header, log) for block in blocks for log in matching(block, filters)]
    if not rows:
        return LogBatch.empty(within)
    count = len(rows)
    lengths = np.array([len(log.data) for _, log in rows], np.int64)
    offset = np.zeros(count + 1, np.int64)
    np.cumsum(lengths, out=offset[1:])
    return LogBatch(
        within,
        np.array([header.number for header, _ in rows], np.int64),
        np.array([header.timestamp for header, _ in rows], np.int64),
        np.array([log.tx_index for _, log in rows], np.int32),
        np.array([log.log_index for _, log in rows], np.int32),
        _bytes([header.hash for header, _ in rows], 32),
        _bytes([log.tx_hash for _, log in rows], 32),
        _bytes([log.address for _, log in rows], 20),
        _bytes([b"".join(log.topics).ljust(128, b"\0") for _, log in rows], 128).reshape(count, 4, 32),
        np.array([len(log.topics) for _, log in rows], np.uint8),
        np.frombuffer(b"".join(log.data for _, log in rows), np.uint8),
        offset,
    )


def _bytes(values: list[bytes], width: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.frombuffer(b"".join(values), np.uint8).reshape(len(values), width)
