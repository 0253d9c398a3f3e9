"""What comes over the wire, as the values of ``chain``: headers, logs, receipts.

A result is parsed once by msgspec into structs that the garbage collector does not track; the logs of an answer then
become columns (``rpc/hex_columns.py``). Most answers take a short cut past the structs, with the same outcome
(``rpc/native_scan.py``, else ``rpc/log_scan.py``). Fields that are not asked for here are skipped unread: nodes send many.

Sources: JSON-RPC 2.0; Ethereum execution API (``eth_getLogs``, ``eth_getBlockByNumber``, ``eth_getBlockReceipts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import UNKNOWN_TIME, LogBatch, ordered
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.errors import ProviderLied
from indexer.rpc.hex_columns import (
    MAX_INT32,
    MAX_TIME,
    fixed_bytes,
    fixed_column,
    quantity,
    quantity_column,
    shown,
    variable_column,
)
from indexer.rpc.log_scan import WORTH_SCANNING, scan_logs
from indexer.rpc.native_scan import WORTH_READING, read_logs


class Notification(msgspec.Struct, gc=False):
    """The ``params`` of an ``eth_subscription`` notification."""

    subscription: str
    result: msgspec.Raw


class _WireLog(msgspec.Struct, gc=False, rename="camel"):
    address: str
    topics: tuple[str, ...]
    data: str
    block_hash: str
    block_number: str | int
    transaction_hash: str
    transaction_index: str | int
    log_index: str | int
    block_timestamp: str | int | None = None


class _WireHeader(msgspec.Struct, gc=False, rename="camel"):
    hash: str
    parent_hash: str
    number: str | int
    timestamp: str | int
    logs_bloom: str | None = None


class _WireReceipt(msgspec.Struct, gc=False):
    logs: list[_WireLog]


class _WireBlock(msgspec.Struct, gc=False):
    transactions: list[str]


_Parsed = TypeVar("_Parsed")

_NOTIFICATION = msgspec.json.Decoder(Notification)
_LOGS = msgspec.json.Decoder(list[_WireLog])
_HEADER = msgspec.json.Decoder(_WireHeader | None)
_RECEIPTS = msgspec.json.Decoder(list[_WireReceipt] | _WireReceipt | None)
_BLOCK = msgspec.json.Decoder(_WireBlock | None)


def parse_notification(params: bytes | msgspec.Raw) -> Notification:
    """The subscription and the raw result of a notification. Raises ``ProviderLied`` when malformed."""
    return _decode(_NOTIFICATION, params, "notification")


def parse_header(result: bytes | msgspec.Raw) -> BlockHeader | None:
    """A block's header out of the block object, or None for ``null``. Raises ``ProviderLied`` when malformed."""
    found = _decode(_HEADER, result, "block")
    if found is None:
        return None
    bloom = None if found.logs_bloom is None else fixed_bytes(found.logs_bloom, "logsBloom", 256)
    return BlockHeader(
        quantity(found.number, "block number"),
        fixed_bytes(found.hash, "block hash", 32),
        fixed_bytes(found.parent_hash, "parentHash", 32),
        quantity(found.timestamp, "timestamp", MAX_TIME),
        bloom,
    )


def parse_transaction_hashes(result: bytes | msgspec.Raw) -> list[bytes] | None:
    """The transaction hashes of a block asked for without bodies, or None for ``null``."""
    found = _decode(_BLOCK, result, "block")
    if found is None:
        return None
    return [fixed_bytes(value, "transaction hash", 32) for value in found.transactions]


def parse_logs(result: bytes | msgspec.Raw, blocks: BlockRange) -> LogBatch:
    """The array of logs in a ``result`` as columns, ordered and each log once.

    ``removed`` is ignored: what is canonical is decided by hashes. Raises ``ProviderLied`` when a log is malformed or
    outside ``blocks``.
    """
    scanned = _scanned(result, blocks)
    if scanned is not None:
        _require_within(scanned.block_number, blocks)
        return ordered(scanned)
    logs = _decode(_LOGS, result, "logs")
    return _log_batch(logs, blocks)


def _scanned(result: bytes | msgspec.Raw, blocks: BlockRange) -> LogBatch | None:
    """The short cuts: compiled code where it is installed, else numpy; None where neither takes the answer."""
    size = memoryview(result).nbytes
    if size >= WORTH_READING:
        found = read_logs(result, blocks)
        if found is not None:
            return found
    return scan_logs(result, blocks) if size >= WORTH_SCANNING else None


def parse_receipt_logs(result: bytes | msgspec.Raw, blocks: BlockRange) -> LogBatch | None:
    """The logs of a block's receipts (an array) or of one receipt (an object), or None for ``null``."""
    found = _decode(_RECEIPTS, result, "receipts")
    if found is None:
        return None
    receipts = found if isinstance(found, list) else [found]
    return _log_batch([log for receipt in receipts for log in receipt.logs], blocks)


def _log_batch(logs: Sequence[_WireLog], blocks: BlockRange) -> LogBatch:
    """Columns of ``logs``; see ``LogBatch`` for shapes."""
    if not logs:
        return LogBatch.empty(blocks)
    number = quantity_column([log.block_number for log in logs], "blockNumber")
    _require_within(number, blocks)
    topics, topic_count = _topic_columns([log.topics for log in logs])
    data, data_offset = variable_column([log.data for log in logs], "data")
    return ordered(
        LogBatch(
            range=blocks,
            block_number=number,
            block_time=_time_column([log.block_timestamp for log in logs]),
            tx_index=_index_column([log.transaction_index for log in logs], "transactionIndex"),
            log_index=_index_column([log.log_index for log in logs], "logIndex"),
            block_hash=fixed_column([log.block_hash for log in logs], "blockHash", 32),
            tx_hash=fixed_column([log.transaction_hash for log in logs], "transactionHash", 32),
            address=fixed_column([log.address for log in logs], "address", 20),
            topics=topics,
            topic_count=topic_count,
            data=data,
            data_offset=data_offset,
        )
    )


def _require_within(number: NDArray[np.int64], blocks: BlockRange) -> None:
    lowest, highest = int(number.min()), int(number.max())
    if lowest < blocks.first or highest > blocks.last:
        wrong = lowest if lowest < blocks.first else highest
        raise ProviderLied(f"a log of block {wrong} in the answer for blocks {blocks}")


def _index_column(values: Sequence[str | int], field: str) -> NDArray[np.int32]:
    return quantity_column(values, field, MAX_INT32).astype(np.int32)


def _time_column(values: Sequence[str | int | None]) -> NDArray[np.int64]:
    if None not in values:
        return quantity_column(values, "blockTimestamp", MAX_TIME)
    times = np.full(len(values), UNKNOWN_TIME, np.int64)
    known = np.fromiter((value is not None for value in values), np.bool_, len(values))
    times[known] = quantity_column(
        [value for value in values if value is not None], "blockTimestamp", MAX_TIME
    )
    return times


def _topic_columns(values: Sequence[tuple[str, ...]]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Topics as uint8 (n, 4, 32), unused ones zero, and how many each log has."""
    count = np.fromiter(map(len, values), np.int64, len(values))
    most = int(count.max())
    if most > 4:
        raise ProviderLied(f"a log with {most} topics: {shown(max(values, key=len))}")
    words = fixed_column(list(chain.from_iterable(values)), "topic", 32)
    topics = np.zeros((len(values), 4, 32), np.uint8)
    if int(count.min()) == most:
        topics[:, :most] = words.reshape(len(values), most, 32)
    else:
        topics[np.arange(4) < count[:, None]] = words
    return topics, count.astype(np.uint8)


def _decode(decoder: msgspec.json.Decoder[_Parsed], raw: bytes | msgspec.Raw, what: str) -> _Parsed:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProviderLied(f"malformed {what}: {error}") from error
