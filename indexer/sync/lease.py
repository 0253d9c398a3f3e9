"""Holding a chain's lease: taken, kept alive beside the work, given back; the work is stopped the moment it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog

from indexer import metrics
from indexer.clock import Clock
from indexer.errors import LeaseLost, StoreUnavailable
from indexer.store.store import Store

log = structlog.get_logger(__name__)

T = TypeVar("T")

RELEASE_SECONDS = 2.0
"""How long the database may take to have the lease back."""


class LeaseKeeper:
    """One chain's lease while this process has it. ``epoch`` fences every commit made under it."""

    def __init__(
        self, store: Store, clock: Clock, chain: str, chain_id: int, holder: str, seconds: float, epoch: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._chain = chain
        self._chain_id = chain_id
        self._holder = holder
        self._seconds = seconds
        self.epoch = epoch

    async def guard(self, work: Coroutine[Any, Any, T]) -> T:
        """Do ``work`` while the lease is renewed beside it; ``LeaseLost`` (the work cancelled) when it cannot be."""
        metrics.LEASE_HELD.labels(self._chain).set(1)
        working = asyncio.ensure_future(work)
        keeping = asyncio.ensure_future(self._keep())
        try:
            await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                keeping.result()  # raises why the lease is gone
            return await working
        finally:
            metrics.LEASE_HELD.labels(self._chain).set(0)
            for task in (working, keeping):
                task.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renew beside a block of work that does not want to be cancelled; its commits are fenced by the epoch."""
        keeping = asyncio.ensure_future(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self) -> None:
        """Renew three times a period. The database away for a whole period counts as lost."""
        kept = self._clock.monotonic()
        while True:
            await self._clock.sleep(self._seconds / 3)
            try:
                held = await self._store.renew_lease(self._chain_id, self._holder, self.epoch, self._seconds)
            except StoreUnavailable as away:
                if self._clock.monotonic() - kept > self._seconds:
                    raise
                log.warning("lease not renewed", chain=self._chain, reason=str(away))
                continue
            if not held:
                raise LeaseLost(f"another daemon took the lease of chain {self._chain}")
            kept = self._clock.monotonic()

    async def release(self) -> None:
        """Give the lease back, so that a standby need not wait; it runs out by itself where that fails."""
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._store.release_lease(self._chain_id, self._holder, self.epoch)
        except (StoreUnavailable, TimeoutError) as away:
            log.warning("lease not released", chain=self._chain, reason=str(away) or "no answer in time")


async def take_lease(
    store: Store,
    clock: Clock,
    chain: str,
    chain_id: int,
    holder: str,
    seconds: float,
    standing_by: Callable[[str], None] | None,
) -> LeaseKeeper:
    """Take the lease. With ``standing_by`` (told who holds it) wait until it is free, else raise ``LeaseLost``."""
    told = False
    while True:
        epoch = await store.acquire_lease(chain_id, holder, seconds)
        if epoch is not None:
            return LeaseKeeper(store, clock, chain, chain_id, holder, seconds, epoch)
        holding = await store.lease(chain_id)
        other = "another daemon" if holding is None else holding.holder
        if standing_by is None:
            raise LeaseLost(f"chain {chain} is written by {other}; stop it first", other)
        if not told:
            log.info("standing by", chain=chain, holder=other)
            standing_by(other)
            told = True
        await clock.sleep(min(1.0, seconds / 4))
