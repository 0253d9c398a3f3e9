"""Answers held against the question and against each other.

Filters are applied again, hashes have to agree, headers have to be the ones asked for, and a bloom that promises logs
which did not come raises a doubt that only receipts settle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.chain.bloom import bloom_bits, may_match
from indexer.chain.filters import LogFilter
from indexer.chain.logs import UNKNOWN_TIME, LogBatch
from indexer.chain.refs import BlockHeader
from indexer.errors import ProviderLied
from indexer.rpc.queries import hexed

QUIET_BLOOM_BITS = 768
"""Up to so many set bits (about 300 addresses and topics) a block's receipts are small enough to settle small doubts."""

_FEW = 8


def matching(batch: LogBatch, filters: Sequence[LogFilter]) -> LogBatch:
    """The logs that any filter asks for; nodes have been seen to ignore parts of a filter."""
    if not len(batch):
        return batch
    wanted = np.zeros(len(batch), np.bool_)
    for one in filters:
        wanted |= _mask(batch, one)
    return batch if bool(wanted.all()) else batch.take(wanted)


def check_header(header: BlockHeader, asked: int | bytes) -> BlockHeader:
    """The header itself, if it is the one asked for; else ``ProviderLied``."""
    if isinstance(asked, bytes) and header.hash != asked:
        raise ProviderLied(f"block {hexed(header.hash)} in answer to block {hexed(asked)}")
    if isinstance(asked, int) and header.number != asked:
        raise ProviderLied(f"block {header.number} in answer to block {asked}")
    return header


def check_same_block(known: BlockHeader, answered: BlockHeader) -> None:
    """Two headers of one hash say the same, or one of them is false."""
    same = (known.number, known.parent_hash, known.timestamp) == (
        answered.number,
        answered.parent_hash,
        answered.timestamp,
    )
    blooms = (
        known.logs_bloom is None or answered.logs_bloom is None or known.logs_bloom == answered.logs_bloom
    )
    if not same or not blooms:
        raise ProviderLied(f"two different headers of block {known.ref}")


def check_hashes(batch: LogBatch, headers: Sequence[BlockHeader]) -> None:
    """Logs of one block name one hash, of two blocks two; where a header is known, its hash and timestamp.

    ``batch`` is ordered by block number.
    """
    if not len(batch):
        return
    same_number = batch.block_number[1:] == batch.block_number[:-1]
    same_hash = (batch.block_hash[1:] == batch.block_hash[:-1]).all(axis=1)
    if bool((same_number != same_hash).any()):
        place = int(np.flatnonzero(same_number != same_hash)[0])
        raise ProviderLied(f"logs of block {int(batch.block_number[place])} disagree about its hash")
    for header in headers:
        first = int(np.searchsorted(batch.block_number, header.number))
        if first == len(batch) or int(batch.block_number[first]) != header.number:
            continue
        if batch.block_hash[first].tobytes() != header.hash:
            raise ProviderLied(f"logs of block {header.number} are of another block of that number")
        if int(batch.block_time[first]) not in (UNKNOWN_TIME, 0, header.timestamp):
            raise ProviderLied(f"logs of block {header.number} have another time than the block")


def numbers_without_time(batch: LogBatch) -> list[int]:
    """Blocks whose logs carry no timestamp (or 0, which some nodes send for "unknown"), ascending."""
    return [int(number) for number in np.unique(batch.block_number[batch.block_time <= 0])]


def with_times(batch: LogBatch, headers: Mapping[int, BlockHeader]) -> LogBatch:
    """The batch with the times that are missing taken from ``headers`` (by number)."""
    times = batch.block_time.copy()
    for place in np.flatnonzero(times <= 0):
        times[place] = headers[int(batch.block_number[place])].timestamp
    return LogBatch(
        batch.range,
        batch.block_number,
        times,
        batch.tx_index,
        batch.log_index,
        batch.block_hash,
        batch.tx_hash,
        batch.address,
        batch.topics,
        batch.topic_count,
        batch.data,
        batch.data_offset,
    )


def of_block(batch: LogBatch, number: int) -> LogBatch:
    """The logs of one block of an ordered batch."""
    first, last = np.searchsorted(batch.block_number, [number, number + 1])
    return batch.take(np.arange(first, last))


def doubt(bloom: bytes, logs: LogBatch, filters: Sequence[LogFilter], *, small: bool = True) -> str | None:
    """Why the logs of one block may not be all that the filters ask for, or None when there is no reason.

    A bloom promises too much at times, never too little. Nothing at all where it promises something is always doubtful.
    A log that the bloom excludes is doubtful anywhere. With ``small`` doubts, so are bits of a quiet block's bloom that
    the logs do not explain (other contracts' logs mostly do).
    """
    if not any(may_match(bloom, one) for one in filters):
        return "logs that the bloom excludes" if len(logs) else None
    if not len(logs):
        return "no logs where the bloom promises some"
    promised = int.from_bytes(bloom, "big")
    explained = 0
    for value in _values(logs):
        explained |= bloom_bits(value)
    if explained & ~promised:
        return "logs that the bloom excludes"
    if small and explained != promised and promised.bit_count() <= QUIET_BLOOM_BITS:
        return "logs that do not explain the bloom"
    return None


def bloom_of_logs(logs: LogBatch) -> int:
    """The bloom of all these logs as an integer."""
    bits = 0
    for value in _values(logs):
        bits |= bloom_bits(value)
    return bits


def same_logs(left: LogBatch, right: LogBatch) -> bool:
    """Whether two batches hold the same logs, times aside."""
    names = (
        "block_number",
        "log_index",
        "tx_index",
        "block_hash",
        "tx_hash",
        "address",
        "topics",
        "topic_count",
    )
    return len(left) == len(right) and all(
        np.array_equal(getattr(left, name), getattr(right, name)) for name in (*names, "data", "data_offset")
    )


def _mask(batch: LogBatch, wanted: LogFilter) -> NDArray[np.bool_]:
    mask = np.ones(len(batch), np.bool_)
    if wanted.addresses is not None:
        mask &= _is_in(batch.address, wanted.addresses)
    if wanted.topics is not None:
        mask &= (batch.topic_count > 0) & _is_in(batch.topics[:, 0], wanted.topics)
    return mask


def _is_in(column: NDArray[np.uint8], values: frozenset[bytes]) -> NDArray[np.bool_]:
    """Which rows of uint8 (n, width) are one of ``values``."""
    if len(values) <= _FEW:
        mask = np.zeros(len(column), np.bool_)
        for value in values:
            mask |= (column == np.frombuffer(value, np.uint8)).all(axis=1)
        return mask
    table = np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1)
    keys, place = np.unique(_tails(table), return_index=True)
    if len(keys) == len(values):
        tails = _tails(column)
        nearest = np.minimum(np.searchsorted(keys, tails), len(keys) - 1)
        # Almost always the last eight bytes decide; the others are compared only where these agree.
        found: NDArray[np.bool_] = keys[nearest] == tails
        found[found] = (table[place[nearest[found]]] == column[found]).all(axis=1)
        return found
    width = column.shape[1]
    whole = column.tobytes()
    among = (whole[start : start + width] in values for start in range(0, len(whole), width))
    return np.fromiter(among, np.bool_, len(column))


def _tails(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The last eight bytes of each row as a number."""
    return np.ascontiguousarray(rows[:, -8:]).view(np.uint64)[:, 0]


def _values(logs: LogBatch) -> set[bytes]:
    """Every address and topic of the logs."""
    values = {row.tobytes() for row in logs.address}
    for place in range(4):
        values |= {row.tobytes() for row in logs.topics[logs.topic_count > place, place]}
    return values
