"""Raw logs: read back as columns, and moved to their event tables once something decodes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockRange
from indexer.decode.column_data import take_column
from indexer.decode.tables import Decoded, RowBatch
from indexer.store.cursor import lock_chain
from indexer.store.lease import hold_lease
from indexer.store.queries import sql
from indexer.store.writer import UNDECODED_TABLE, TableRows, copy_in, counts

BEFORE_ALL = (-1, -1)
"""The place to begin reading raw logs at."""


async def read_undecoded(
    connection: asyncpg.Connection, chain_id: int, after: tuple[int, int], limit: int
) -> tuple[LogBatch, list[str]]:
    """About ``limit`` raw logs after the place (block number, log index), and why each is not decoded.

    Logs that share block and log index come together, so a page may be a little longer. Empty when there are no more.
    """
    rows = await connection.fetch(sql("undecoded_page"), chain_id, after[0], after[1], limit)
    if not rows:
        start = max(after[0], 0)
        return LogBatch.empty(BlockRange(start, start)), []
    return batch_of(rows), [row["reason"] for row in rows]


def batch_of(rows: Sequence[Any]) -> LogBatch:
    """Rows of ``event.undecoded``, ordered, as a batch of the blocks they span."""
    count = len(rows)
    topics = np.zeros((count, 4, 32), np.uint8)
    for place, row in enumerate(rows):
        for position, topic in enumerate(row["topics"]):
            topics[place, position] = np.frombuffer(topic, np.uint8)
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum([len(row["data"]) for row in rows], out=offsets[1:])
    return LogBatch(
        BlockRange(rows[0]["block_number"], rows[-1]["block_number"]),
        np.array([row["block_number"] for row in rows], np.int64),
        np.array([row["block_time"] for row in rows], np.int64),
        np.array([row["tx_index"] for row in rows], np.int32),
        np.array([row["log_index"] for row in rows], np.int32),
        _bytes_column(rows, "block_hash", 32),
        _bytes_column(rows, "tx_hash", 32),
        _bytes_column(rows, "address", 20),
        topics,
        np.array([len(row["topics"]) for row in rows], np.uint8),
        np.frombuffer(b"".join(row["data"] for row in rows), np.uint8),
        offsets,
    )


def _bytes_column(rows: Sequence[Any], name: str, width: int) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(row[name] for row in rows), np.uint8).reshape(len(rows), width)


async def without_taken(
    connection: asyncpg.Connection, chain_id: int, logs: LogBatch, decoded: Decoded
) -> Decoded:
    """``decoded`` less the logs whose block and log index another decoded log has: of two such logs one stays raw."""
    taken = {
        (row["block_number"], row["log_index"])
        for row in await connection.fetch(
            sql("taken_places"), chain_id, logs.block_number.tolist(), logs.log_index.tolist()
        )
    }
    if not taken:
        return decoded
    places = zip(logs.block_number.tolist(), logs.log_index.tolist(), strict=True)
    free = np.array([place not in taken for place in places], np.bool_)
    rows = tuple(_rows_where(batch, free[batch.logs]) for batch in decoded.rows)
    return Decoded(rows, decoded.undecoded, decoded.irregular)


def _rows_where(batch: RowBatch, mask: NDArray[np.bool_]) -> RowBatch:
    places = np.flatnonzero(mask)
    return RowBatch(batch.table, batch.logs[places], tuple(take_column(one, places) for one in batch.columns))


async def apply_redecode(
    connection: asyncpg.Connection,
    chain_id: int,
    epoch: int,
    logs: LogBatch,
    decoded: Decoded,
    encoded: Sequence[TableRows],
) -> dict[str, int]:
    """Inside a transaction: decoded logs leave ``event.undecoded`` for their tables; the others get today's reason.

    Returns rows by table.

    Raises:
        LeaseLost: ``epoch`` is not the lease's.
    """
    await hold_lease(connection, chain_id, epoch)
    await lock_chain(connection, chain_id)
    home = [place for rows in decoded.rows for place in rows.logs.tolist()]
    if home:
        await connection.execute(sql("remove_undecoded"), chain_id, *_places(logs, home))
    still = decoded.undecoded.logs.tolist()
    if still:
        reasons = list(decoded.undecoded.reasons)
        await connection.execute(sql("restate_undecoded"), chain_id, *_places(logs, still), reasons)
    typed = [rows for rows in encoded if rows.table != UNDECODED_TABLE]
    await copy_in(connection, typed)
    return counts(typed)


def _places(logs: LogBatch, chosen: list[int]) -> tuple[list[int], list[int], list[bytes], list[bytes]]:
    return (
        [int(logs.block_number[place]) for place in chosen],
        [int(logs.log_index[place]) for place in chosen],
        [logs.tx_hash[place].tobytes() for place in chosen],
        [logs.address[place].tobytes() for place in chosen],
    )
