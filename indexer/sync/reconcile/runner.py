"""One pass of reading and comparing, and the task that makes one every so often beside the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from asyncpg import Connection

from indexer import metrics
from indexer.clock import Clock
from indexer.config import ReconcileSettings
from indexer.decode.privacy import Privacy
from indexer.errors import IndexerError
from indexer.projections.runner import Projections
from indexer.rpc.client import ChainClient
from indexer.store.connect import connect, store_errors
from indexer.sync.reconcile import answers
from indexer.sync.reconcile.books import (
    Result,
    Walk,
    count_inconsistent,
    remove_others,
    sql,
    write_rows,
)
from indexer.sync.reconcile.calls import Pace, Views
from indexer.sync.reconcile.checks import CHECKS, Check
from indexer.sync.reconcile.read import Read
from indexer.sync.reconcile.reads import READS

log = structlog.get_logger(__name__)

FIRST_SECONDS = 30.0
"""Before the first pass: a daemon that just began has better things to do."""

ATTRIBUTES = "token_attribute"
"""The check that is made of what is read to be stored."""


@dataclass(slots=True)
class Reconciler:
    """Reads and compares for one chain. ``ready`` says whether this process writes the chain now."""

    name: str
    chain_id: int
    settings: ReconcileSettings
    client: ChainClient
    database_url: str
    projections: Projections
    privacy: Privacy
    clock: Clock
    ready: Callable[[], bool]
    _pace: Pace = field(init=False)
    _walk: Walk = field(init=False, default_factory=Walk)

    def __post_init__(self) -> None:
        self._pace = Pace(self.clock, self.settings.calls_per_second)

    async def run(self) -> None:
        """Make a pass every so often, until cancelled. Whatever goes wrong is logged, and tried again later."""
        await self.clock.sleep(min(FIRST_SECONDS, self.settings.every_seconds))
        while True:
            if self.ready():
                try:
                    await self.once()
                except IndexerError as failed:
                    log.warning("reconciliation put off", chain=self.name, reason=str(failed))
                except Exception:
                    # The chain goes on whatever contracts answer; what we did not foresee is told with its traceback.
                    log.exception("reconciliation failed", chain=self.name)
            await self.clock.sleep(self.settings.every_seconds)

    async def once(self) -> int | None:
        """One pass: the block it read at, or None when there is no final block yet.

        Raises:
            IndexerError: the chain or the database did not answer; what was read until then is kept.
        """
        connection = await connect(self.database_url, application_name="indexer reconcile")
        try:
            with store_errors("reconciling"):
                return await self._pass(connection)
        finally:
            await connection.close(timeout=5)

    async def _pass(self, connection: Connection) -> int | None:
        await connection.execute(sql("session_limits"))
        await self._count(connection)
        ours = [name for name in self.projections.names if name not in self.projections.own]
        block: int | None = await connection.fetchval(sql("final_block"), self.chain_id, ours)
        if block is None or block < 0:
            return None
        views = await Views.at(self.client, block, self._pace)
        for read in READS:
            await self._read(connection, views, read)
        drift: dict[str, int] = {}
        for check in CHECKS:
            drift[check.name] = await self._check(connection, views, check)
        differing = {name: count for name, count in drift.items() if count}
        log.info("reconciled", chain=self.name, block=block, drift=differing)
        return block

    async def _count(self, connection: Connection) -> None:
        for table, rows in (await count_inconsistent(connection, self.chain_id)).items():
            metrics.INCONSISTENT_ROWS.labels(self.name, table).set(rows)

    async def _read(self, connection: Connection, views: Views, read: Read) -> None:
        """Read the next rows of one kind of silent state, and store what came."""
        rows = await self._walk.rows(connection, self.chain_id, views.block, self.settings.sample, read)
        asked = [read.asks(row) for row in rows]
        told = await views.ask([one for part in asked for one in part])
        result = Result(ATTRIBUTES)
        start = 0
        for row, part in zip(rows, asked, strict=True):
            mine = told[start : start + len(part)]
            start += len(part)
            found = list(read.rows(row, mine, self.privacy))
            await write_rows(connection, self.chain_id, views.block, read, found)
            if read.replaces and any(mine):
                await remove_others(connection, self.chain_id, read, row, [one[len(row)] for one in found])
            if read.name == "token":
                await connection.execute(sql("show_token"), self.chain_id, row[0])
            if read.name == ATTRIBUTES:
                await self._compare_attributes(connection, views.block, row, mine[0], result)
        if read.name == ATTRIBUTES:
            await self._told(connection, result, views.block)

    async def _compare_attributes(
        self,
        connection: Connection,
        block: int,
        row: tuple[object, ...],
        answer: bytes | None,
        result: Result,
    ) -> None:
        told = answers.attributes(answer)
        for key, value in await connection.fetch(sql("told_attributes"), self.chain_id, *row, block):
            if told is None:
                result.unanswered += 1
                continue
            theirs = self.privacy.attribute(key, told[key][1]) if key in told else None
            result.note((*row, key), value, theirs, agrees=key in told and value == theirs)

    async def _check(self, connection: Connection, views: Views, check: Check) -> int:
        """Compare the next rows of one check; how many differ."""
        rows = await self._walk.rows(connection, self.chain_id, views.block, self.settings.sample, check)
        told = await views.ask([check.ask(row) for row in rows])
        result = Result(check.name)
        width = len(check.keys)
        for row, answer in zip(rows, told, strict=True):
            claim, theirs = row[width:], check.told(answer)
            if theirs is None:
                result.unanswered += 1
            else:
                result.note(row[:width], claim, theirs, agrees=_agrees(check, claim, theirs))
        await self._told(connection, result, views.block)
        return result.drift

    async def _told(self, connection: Connection, result: Result, block: int) -> None:
        metrics.RECONCILIATION_DRIFT.labels(self.name, result.name).set(result.drift)
        await result.write(connection, self.chain_id, block)
        if result.drift:
            log.warning(
                "state differs from the chain",
                chain=self.name,
                check=result.name,
                block=block,
                compared=result.compared,
                drift=result.drift,
                example=result.examples[0],
            )


def _agrees(check: Check, claim: tuple[object, ...], told: tuple[object, ...]) -> bool:
    """Whether they agree; NULL for an empty list is the same."""
    ours = tuple(
        [] if one is None and isinstance(theirs, list) else one
        for one, theirs in zip(claim, told, strict=True)
    )
    return check.agrees(ours, told)
