"""Keccak-256 of what a fold is about to ask for, worked out by the daemon.

PostgreSQL has no Keccak; ``sync.keccak256`` does it in the database's own arithmetic, a tenth of a millisecond for every 136 bytes.
Where a range has many messages they are hashed here, in C, and the fold looks them up by ``sync.keccak256_of``. What is
looked up and what is worked out is the same, so nothing depends on how many there are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256

from asyncpg import Connection
from eth_hash.auto import keccak

from indexer.chain.refs import BlockRange
from indexer.projections.books import sql
from indexer.projections.files import Projection
from indexer.store.identifiers import quote_identifier

FEWEST = 16
"""Fewer messages than that are hashed by the database: two more statements would take as long."""

TOGETHER = 500
"""Messages that are held at a time."""


@asynccontextmanager
async def hashed_ahead(
    connection: Connection, chain_id: int, projection: Projection, blocks: BlockRange
) -> AsyncIterator[None]:
    """Have the digests of a range's messages at hand inside; ``projection.hashes`` names the columns."""
    told = 0
    for column in projection.hashes:
        told += await _tell(connection, chain_id, column, blocks)
    yield
    if told:
        await connection.execute(sql("forget_hashed"))


async def _tell(connection: Connection, chain_id: int, column: str, blocks: BlockRange) -> int:
    """Hash the messages of one column; how many there were."""
    schema, table, name = (quote_identifier(part) for part in column.split("."))
    query = f"SELECT {name} FROM {schema}.{table} WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3"
    arguments = (chain_id, blocks.first, blocks.last)
    if await connection.fetchval(f"{query} OFFSET {FEWEST - 1} LIMIT 1", *arguments) is None:
        return 0
    count = 0
    async with connection.transaction():
        messages: list[bytes] = []
        async for row in connection.cursor(query, *arguments, prefetch=TOGETHER):
            messages.append(row[0])
            count += 1
            if len(messages) == TOGETHER:
                await _write(connection, messages)
                messages = []
        await _write(connection, messages)
    return count


async def _write(connection: Connection, messages: Sequence[bytes]) -> None:
    different = {one for one in messages if one is not None}
    keys, digests = [sha256(one).digest() for one in different], [keccak(one) for one in different]
    await connection.execute(sql("tell_hashed"), keys, digests)
