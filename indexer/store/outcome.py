"""Running a transaction whose COMMIT may be lost on the way, and finding out whether it took place.

A socket that dies while COMMIT is under way leaves the outcome open: the driver raises the same error whether the server got
it or not. The transaction left its identity in ``sync.chain.last_commit``; reading that row with a lock waits for the old
session to end, and where that one hangs it is ended first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import UUID

import asyncpg
import structlog

from indexer.clock import SystemClock
from indexer.errors import StoreUnavailable
from indexer.store.connect import DRIVER_ERRORS, store_errors
from indexer.store.queries import sql

SETTLE_SECONDS: Final = 30.0
"""How long the outcome of a COMMIT is asked for before giving up."""

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0
_CLOCK = SystemClock()

log = structlog.get_logger(__name__)

T = TypeVar("T")


async def run_settled(
    pool: asyncpg.Pool,
    chain_id: int,
    commit_id: UUID,
    work: Callable[[asyncpg.Connection], Awaitable[T]],
    *,
    doing: str,
    before: Callable[[asyncpg.Connection], Awaitable[object]] | None = None,
) -> T:
    """Do ``work`` in one transaction and return its result once it is known to be committed.

    ``work`` must write ``commit_id`` to ``sync.chain.last_commit``. ``before`` is done first, on its own.

    Raises:
        StoreUnavailable: the database was lost; nothing was written, unless the message says that the outcome is unknown.
    """
    with store_errors(doing):
        connection = await pool.acquire()
        try:
            if before is not None:
                await before(connection)
            transaction = connection.transaction()
            await transaction.start()
            try:
                result = await work(connection)
            except BaseException:
                await _give_up(connection, transaction)
                raise
            try:
                with store_errors(f"{doing} (COMMIT)"):
                    await transaction.commit()
            except StoreUnavailable as lost:
                await _settle(pool, chain_id, commit_id, lost)
        finally:
            await _give_back(pool, connection)
    return result


async def _give_back(pool: asyncpg.Pool, connection: asyncpg.pool.PoolConnectionProxy) -> None:
    """Return a connection to the pool. One that was lost is dropped by it; what its transaction did is known by then.

    Were the loss raised from here, a commit that took place would be reported as one that did not.
    """
    try:
        await pool.release(connection)
    except DRIVER_ERRORS as error:
        log.debug("a connection was lost after its transaction", reason=type(error).__name__)


async def _give_up(connection: asyncpg.Connection, transaction: asyncpg.transaction.Transaction) -> None:
    """Roll back. Where the connection is gone the server has done it, and the error that brought us here says why."""
    if connection.is_closed():
        return
    try:
        await transaction.rollback()
    except DRIVER_ERRORS:
        connection.terminate()


async def _settle(pool: asyncpg.Pool, chain_id: int, commit_id: UUID, lost: StoreUnavailable) -> None:
    """Return if the commit took place; raise if it did not, or if that cannot be found out in time."""
    began = _CLOCK.monotonic()
    pause = _FIRST_PAUSE
    while _CLOCK.monotonic() - began < SETTLE_SECONDS:
        try:
            with store_errors("asking for the outcome of a commit"):
                last = await _last_commit(pool, chain_id)
        except StoreUnavailable:
            await _CLOCK.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            continue
        if last == commit_id:
            return
        raise StoreUnavailable(f"{lost}; nothing was written") from lost
    raise StoreUnavailable(
        f"{lost}; whether it was written is unknown after {SETTLE_SECONDS:.0f} s of asking"
    ) from lost


async def _last_commit(pool: asyncpg.Pool, chain_id: int) -> UUID | None:
    async with pool.acquire() as connection:
        try:
            async with connection.transaction():
                await connection.execute(sql("lease_patience"))
                found: UUID | None = await connection.fetchval(sql("settled_commit"), chain_id)
                return found
        except asyncpg.LockNotAvailableError:
            await connection.execute(sql("end_commit_under_way"), chain_id)
            raise
