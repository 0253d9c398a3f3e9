"""Builds the operator's own projections beside the engine's work, so that a new or changed one never holds up a chain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from indexer.errors import LeaseLost, StoreUnavailable
from indexer.sync.session import Session

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""Between two looks whether one of them has to be built anew: late events may have made it stale."""


@asynccontextmanager
async def own_built(session: Session) -> AsyncIterator[None]:
    """While inside, projections of the operator's that are new, changed or stale are built by a task of its own."""
    await session.projections.enter(session.store.pool, session.chain_id)
    task = (
        asyncio.create_task(_build(session), name=f"{session.name}-own") if session.projections.own else None
    )
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(ended, Exception):
                log.error("building projections ended", chain=session.name, reason=repr(ended))


async def _build(session: Session) -> None:
    while True:
        try:
            if session.local is not None:
                await session.projections.build_own(session.store.pool, session.chain_id, session.epoch)
        except LeaseLost:
            return
        except StoreUnavailable as away:
            log.warning("projections not built", chain=session.name, reason=str(away))
        await session.clock.sleep(LOOK_SECONDS)
