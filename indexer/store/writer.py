"""Rows into tables by binary COPY. Encoding is done before the transaction begins, so that locks are held for less."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import asyncpg

from indexer.chain.logs import LogBatch
from indexer.decode.tables import LEADING_COLUMNS, Decoded
from indexer.store.copy_rows import UNDECODED_COLUMNS, encode_rows, encode_undecoded

UNDECODED_TABLE = "undecoded"
_INLINE_LOGS = 256
_LEADING = tuple(name for name, _ in LEADING_COLUMNS)


@dataclass(frozen=True, slots=True)
class TableRows:
    """Encoded rows of one table of schema ``event``: the pieces of one binary COPY."""

    table: str
    columns: tuple[str, ...]
    pieces: Sequence[bytes]
    count: int


def encode_all(chain_id: int, logs: LogBatch, decoded: Decoded) -> list[TableRows]:
    """Every table's rows, ready for COPY. CPU only.

    Raises:
        InvariantViolated: a value does not fit its column.
    """
    encoded = [
        TableRows(
            rows.table.name,
            _LEADING + tuple(column.name for column in rows.table.columns),
            encode_rows(chain_id, logs, rows),
            len(rows),
        )
        for rows in decoded.rows
        if len(rows)
    ]
    if len(decoded.undecoded):
        columns = _LEADING + tuple(name for name, _ in UNDECODED_COLUMNS)
        pieces = encode_undecoded(chain_id, logs, decoded.undecoded)
        encoded.append(TableRows(UNDECODED_TABLE, columns, pieces, len(decoded.undecoded)))
    return encoded


async def encode_aside(chain_id: int, logs: LogBatch, decoded: Decoded) -> list[TableRows]:
    """``encode_all`` in a worker thread where there is much of it, so that the event loop keeps turning."""
    if len(logs) <= _INLINE_LOGS:
        return encode_all(chain_id, logs, decoded)
    return await asyncio.to_thread(encode_all, chain_id, logs, decoded)


async def copy_in(connection: asyncpg.Connection, encoded: Sequence[TableRows]) -> None:
    """COPY each table's rows."""
    for rows in encoded:
        await connection.copy_to_table(
            rows.table,
            schema_name="event",
            columns=rows.columns,
            format="binary",
            source=_stream(rows.pieces),
        )


async def _stream(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def counts(encoded: Sequence[TableRows]) -> dict[str, int]:
    """Rows by table, without the raw ones."""
    found: dict[str, int] = {}
    for rows in encoded:
        if rows.table != UNDECODED_TABLE:
            found[rows.table] = found.get(rows.table, 0) + rows.count
    return found
