"""The lease of a chain: one writer at a time, fenced by an epoch that every commit is checked against.

The clock is the database's. A commit holds the lease's row so that it may be renewed beside it but not taken; a daemon that
was paused inside a commit is ended by whoever takes the lease after it ran out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from indexer.errors import LeaseLost
from indexer.store.queries import sql


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may write a chain. ``holder`` is empty once it was given back."""

    holder: str
    epoch: int
    expires_at: datetime
    expired: bool


async def read_lease(connection: asyncpg.Connection, chain_id: int) -> Lease | None:
    """The lease as it stands, or None when the chain never had one."""
    row = await connection.fetchrow(sql("lease_row"), chain_id)
    return None if row is None else Lease(row["holder"], row["epoch"], row["expires_at"], row["expired"])


async def acquire_lease(
    connection: asyncpg.Connection, chain_id: int, holder: str, seconds: float
) -> int | None:
    """Take the lease for ``seconds``; the new epoch, or None while another daemon holds it.

    A commit that the former holder left hanging is ended, and the lease is then to be had at the next try.
    """
    held = await read_lease(connection, chain_id)
    if held is None:
        first: int | None = await connection.fetchval(sql("insert_lease"), chain_id, holder, seconds)
        return first
    if not held.expired and held.holder not in {"", holder}:
        return None
    try:
        async with connection.transaction():
            await connection.execute(sql("lease_patience"))
            await connection.execute(sql("lock_lease"), chain_id)
            epoch: int | None = await connection.fetchval(sql("take_lease"), chain_id, holder, seconds)
    except asyncpg.LockNotAvailableError:
        await connection.execute(sql("end_commit_under_way"), chain_id)
        return None
    return epoch


async def renew_lease(
    connection: asyncpg.Connection, chain_id: int, holder: str, epoch: int, seconds: float
) -> bool:
    """Keep the lease for ``seconds`` from now; False when another daemon has taken it."""
    return (
        await connection.fetchval(sql("renew_lease"), chain_id, holder, epoch, float(seconds))
    ) is not None


async def release_lease(connection: asyncpg.Connection, chain_id: int, holder: str, epoch: int) -> None:
    """Give the lease back, so that another daemon need not wait. Harmless when it is no longer ours."""
    await connection.execute(sql("release_lease"), chain_id, holder, epoch)


async def hold_lease(connection: asyncpg.Connection, chain_id: int, epoch: int) -> None:
    """Inside a transaction: make sure that ``epoch`` is the lease's and stays so until the transaction ends.

    Raises:
        LeaseLost: another daemon has, or had, the lease since.
    """
    check_epoch(await connection.fetchrow(sql("hold_lease"), chain_id), chain_id, epoch)


def check_epoch(row: Any, chain_id: int, epoch: int) -> None:
    """Hold ``epoch`` against the lease's row (``epoch`` and ``holder``), None where there is none; raises ``LeaseLost``."""
    if row is None:
        raise LeaseLost(f"nobody holds the lease of chain {chain_id}; a commit needs it")
    if row["epoch"] != epoch or not row["holder"]:
        holder = row["holder"] or None
        raise LeaseLost(
            f"the lease of chain {chain_id} is at epoch {row['epoch']} ({holder or 'given back'}), "
            f"this commit was made in epoch {epoch}",
            holder,
        )
