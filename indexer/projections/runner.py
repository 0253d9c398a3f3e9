"""Folds the projections forward inside commits, takes them back in reorgs, lets them catch up after a backfill."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import structlog
from asyncpg import Connection, Pool

from indexer.chain.refs import BlockRange
from indexer.errors import ConfigError, InvariantViolated
from indexer.projections import books, folding
from indexer.projections.books import Standing, sql
from indexer.projections.files import PROJECTIONS_DIR, Projection, load_projections
from indexer.projections.folding import FAILED, fold_group
from indexer.projections.lanes import FinalFolds, lagging
from indexer.projections.own import load_own
from indexer.projections.own_tables import check_reads, make_tables
from indexer.projections.rebuild import Rebuild
from indexer.store.connect import store_errors
from indexer.store.lease import hold_lease

log = structlog.get_logger(__name__)


class Projections:
    """The projections of one program.

    Where a method takes a connection, it works inside the caller's transaction; where it takes a pool, in transactions
    of its own. ``step_rows`` bounds a step of catching up and rebuilding.
    """

    def __init__(self, projections: Sequence[Projection], *, step_rows: int = folding.STEP_ROWS) -> None:
        self.all = tuple(projections)
        self._by_name = {one.name: one for one in projections}
        self._by_table = {table: one for one in projections for table in one.tables}
        self._step_rows = step_rows
        self._versions: dict[str, str] | None = None
        self._building: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.own = frozenset(one.name for one in projections if one.own is not None)
        """Names of the operator's own projections."""
        self._failed: set[str] = set()

    @classmethod
    def load(
        cls,
        folders: Iterable[Path] = (PROJECTIONS_DIR,),
        *,
        own: Iterable[Path] = (),
        step_rows: int = folding.STEP_ROWS,
    ) -> Projections:
        """Read and check the files of ``folders``, and of the operator's folders ``own``.

        Raises:
            ConfigError: one line for everything wrong with them.
        """
        built_in = load_projections(folders)
        return cls((*built_in, *load_own(own, built_in)), step_rows=step_rows)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the projections, in the order they run in."""
        return tuple(self._by_name)

    def reading(self, tables: Collection[str]) -> frozenset[str]:
        """Names of the projections that read any of these tables of schema event (names without the schema)."""
        wanted = {f"event.{table}" for table in tables}
        return frozenset(one.name for one in self.all if wanted.intersection(one.reads))

    # -- inside a commit ----------------------------------------------------------------------------------------------

    async def fold(self, connection: Connection, chain_id: int, blocks: BlockRange, journal: bool) -> None:  # noqa: FBT001 - the shape of store.commit.Fold
        """Fold each projection from the block after its last one to ``blocks.last``; with ``journal`` undoably.

        A projection whose file changed since it made its rows is left alone until ``catch_up`` rebuilt it.

        Raises:
            ConfigError, InvariantViolated: see ``folding.run``.
        """
        standings = await self._lock(connection, chain_id)
        for first, group in self._lagging(standings, blocks.last):
            await fold_group(connection, chain_id, group, BlockRange(first, blocks.last), journal=journal)

    async def unfold(self, connection: Connection, chain_id: int, ancestor: int) -> None:
        """Take every projection back to ``ancestor``, as if nothing above it had been folded.

        The journal undoes whole folds; what lies between the first block of one and ``ancestor`` is folded again. A
        projection whose journal does not go back that far is folded anew from the first block.
        """
        standings = await self._lock(connection, chain_id)
        rows = await connection.fetch(sql("undo_journal"), chain_id, ancestor)
        undone = {row["relation"]: row["first_block"] for row in rows}
        for one in self.all:
            standing = standings.get(one.name)
            if standing is None or standing.through <= ancestor:
                continue
            if standing.floor > ancestor:
                await self._fold_anew(connection, chain_id, one, standing, ancestor)
                continue
            first = min(ancestor + 1, *(undone.get(table, ancestor + 1) for table in one.tables))
            await self._reset(connection, chain_id, standing, first - 1, standing.floor)
            if first <= ancestor and standing.version == (await self._current(connection))[one.name]:
                await fold_group(connection, chain_id, [one], BlockRange(first, ancestor), journal=True)

    async def forget(self, connection: Connection, chain_id: int, finalized: int) -> None:
        """Drop the journal of folds that ``finalized`` made final."""
        await connection.execute(sql("forget_journal"), chain_id, finalized)
        await connection.execute(sql("raise_floors"), chain_id, finalized)

    # -- on its own ---------------------------------------------------------------------------------------------------

    async def catch_up(self, pool: Pool, chain_id: int, through: int, epoch: int) -> None:
        """Fold what is committed up to block ``through``, in bounded steps, each a transaction under the lease.

        Projections whose file changed are rebuilt first; the operator's are left to ``build_own``.

        Raises:
            LeaseLost: another daemon writes the chain now.
            ConfigError, InvariantViolated: see ``folding.run``.
        """
        with store_errors("catching projections up"):
            outdated = await self._outdated(pool, chain_id) - self.own
            if outdated:
                await self.rebuild(pool, outdated, chain_id=chain_id, epoch=epoch)
            await self._fold_final(pool, chain_id, through, epoch)
            while await self._step(pool, chain_id, through, epoch):
                pass

    async def trail(self, pool: Pool, chain_id: int, through: int, epoch: int) -> None:
        """As ``catch_up``, beside commits that go on: what is final is folded, nobody waits for it, nothing is rebuilt.

        Raises:
            LeaseLost: another daemon writes the chain now.
            ConfigError, InvariantViolated: see ``folding.run``.
        """
        with store_errors("folding projections"):
            await self._fold_final(pool, chain_id, through, epoch)

    async def mark_stale(self, pool: Pool, chain_id: int, names: Collection[str]) -> None:
        """Note that events are about to change which projections ``names`` have folded: they need a rebuild."""
        with store_errors("marking projections stale"):
            async with pool.acquire() as connection, connection.transaction():
                await self._lock(connection, chain_id)
                await connection.execute(sql("mark_stale"), chain_id, sorted(names))

    async def enter(self, pool: Pool, chain_id: int) -> None:
        """Enter what is new into a chain's books, before anything is folded; retire the operator's that have no file."""
        with store_errors("entering projections"):
            async with pool.acquire() as connection, connection.transaction():
                await self._lock(connection, chain_id)
                await connection.execute(sql("retire_absent"), chain_id, sorted(self.own))

    async def build_own(self, pool: Pool, chain_id: int, epoch: int) -> None:
        """Build the operator's projections that are new, changed, or miss events; everything else goes on meanwhile.

        One that fails is logged and rests (``sync.projection`` says own-failed) until its file is another or the program
        starts again.

        Raises:
            LeaseLost: another daemon writes the chain now.
        """
        if not self.own:
            return
        async with self._building[chain_id]:
            for name in sorted(await self.stale(pool, chain_id, own=True) & self.own - self._failed):
                log.info("building projection", projection=name)
                try:
                    await self.rebuild(pool, {name}, chain_id=chain_id, epoch=epoch)
                except (ConfigError, InvariantViolated) as error:
                    self._failed.add(name)
                    log.error("projection failed", projection=name, reason=str(error))  # noqa: TRY400 - the message says it all
                    with store_errors("noting a failed projection"):
                        async with pool.acquire() as connection:
                            await books.set_version(connection, chain_id, name, FAILED)

    async def stale(self, pool: Pool, chain_id: int, *, own: bool = False) -> frozenset[str]:
        """Names of the projections that need a rebuild, because of their events or their file.

        The operator's are among them with ``own`` only.
        """
        with store_errors("reading the projections' books"):
            async with pool.acquire() as connection:
                current = await self._current(connection)
                standings = await books.read(connection, chain_id)
        return frozenset(
            name
            for name, standing in standings.items()
            if name in current
            and (own or name not in self.own)
            and (standing.stale or standing.version != current[name])
        )

    async def rebuild(
        self,
        pool: Pool,
        names: Collection[str] | None = None,
        *,
        chain_id: int | None = None,
        epoch: int | None = None,
    ) -> tuple[str, ...]:
        """Replay projections from the event tables beside the live tables and swap them in, each chain in one transaction.

        Returns the names of those rebuilt, in the order they run in.

        Args:
            pool: a pool of the writer's.
            names: which ones; None means all. Those they run after are rebuilt with them.
            chain_id: the chain; None means all.
            epoch: the caller's epoch of that chain's lease, where it holds one.

        Raises:
            LeaseLost: ``epoch`` is no longer the lease's.
            ConfigError: there is no projection of such a name.
            InvariantViolated: events changed under every try; see ``Rebuild``.
        """
        chosen = self._with_dependencies(names)
        with store_errors("rebuilding projections"):
            async with pool.acquire() as connection:
                current = await self._current(connection)
                rows = await connection.fetch(sql("chains"))
                for one in [row["chain_id"] for row in rows] if chain_id is None else [chain_id]:
                    await Rebuild(chosen, current, one, self._step_rows, epoch).run(connection)
        return tuple(one.name for one in chosen)

    async def through(self, connection: Connection, chain_id: int) -> dict[str, int]:
        """Through which block each projection holds; -1 where nothing was folded yet."""
        standings = await books.read(connection, chain_id)
        return {name: standings[name].through if name in standings else -1 for name in self.names}

    async def make_tables(self, connection: Connection) -> list[str]:
        """Make and widen the tables of the operator's projections; the names of those that were changed.

        Raises:
            ConfigError: see ``own_tables.make_tables``.
        """
        return await make_tables(connection, self.all)

    async def verify(self, connection: Connection) -> None:
        """Have the database parse every statement.

        Raises:
            ConfigError: one names what does not exist, or is no SQL, or reads what it may not.
        """
        for one in self.all:
            await folding.verify(connection, one)
            if one.own is not None:
                await check_reads(connection, one)

    # -- parts ---------------------------------------------------------------------------------------------------------

    async def _current(self, connection: Connection) -> dict[str, str]:
        """The versions of the files as loaded; ABIs are registered once, before anything is folded."""
        if self._versions is None:
            self._versions = await books.versions(connection, self.all)
        return self._versions

    async def _lock(self, connection: Connection, chain_id: int) -> dict[str, Standing]:
        return await books.lock(connection, chain_id, await self._current(connection))

    def _is_current(self, standing: Standing) -> bool:
        return self._versions is not None and self._versions.get(standing.name) == standing.version

    async def _fold_anew(
        self, connection: Connection, chain_id: int, one: Projection, standing: Standing, ancestor: int
    ) -> None:
        for table in one.tables:
            await connection.execute(f"DELETE FROM {folding.qualified(table)} WHERE chain_id = $1", chain_id)
        await connection.execute(sql("drop_journal"), chain_id, list(one.tables))
        await connection.execute(sql("bump_revision"), chain_id, one.name)
        await self._reset(connection, chain_id, standing, -1, -1)
        if ancestor >= 0 and self._is_current(standing):
            await connection.execute(sql("large_fold"), "off")
            await fold_group(connection, chain_id, [one], BlockRange(0, ancestor), journal=False)

    async def _reset(
        self, connection: Connection, chain_id: int, standing: Standing, through: int, floor: int
    ) -> None:
        await connection.execute(
            sql("reset_projection"), chain_id, standing.name, through, floor, standing.version, standing.stale
        )

    async def _outdated(self, pool: Pool, chain_id: int) -> frozenset[str]:
        async with pool.acquire() as connection:
            await self._current(connection)
            standings = await books.read(connection, chain_id)
        return frozenset(
            name
            for name, standing in standings.items()
            if name in self._by_name and not self._is_current(standing)
        )

    async def _fold_final(self, pool: Pool, chain_id: int, through: int, epoch: int) -> None:
        async with pool.acquire() as connection:
            current = await self._current(connection)
        await FinalFolds(self.all, current, chain_id, epoch, self._step_rows).run(pool, through)

    async def _step(self, pool: Pool, chain_id: int, through: int, epoch: int) -> bool:
        """Fold one step of the projections that are furthest behind; False when none is behind."""
        async with pool.acquire() as connection, connection.transaction():
            await hold_lease(connection, chain_id, epoch)
            ends = await books.hold_chain(connection, chain_id)
            last = min(through, ends.tip)
            standings = await self._lock(connection, chain_id)
            first, group = next(self._lagging(standings, last), (0, []))
            if not group:
                return False
            wanted = next_step(first, last, ends.finalized)
            blocks = await folding.begin_step(connection, chain_id, group, wanted, self._step_rows)
            await fold_group(connection, chain_id, group, blocks, journal=blocks.last > ends.finalized)
            return True

    def _lagging(self, standings: dict[str, Standing], last: int) -> Iterator[tuple[int, list[Projection]]]:
        return lagging(self.all, standings, self._versions or {}, last)

    def _with_dependencies(self, names: Collection[str] | None) -> tuple[Projection, ...]:
        wanted = set(self.names if names is None else names)
        if unknown := sorted(wanted - set(self.names)):
            raise ConfigError(f"no projection {', '.join(unknown)}; there are {', '.join(self.names)}")
        queue = list(wanted)
        while queue:
            for name in self._by_name[queue.pop()].after:
                if name not in wanted:
                    wanted.add(name)
                    queue.append(name)
        return tuple(one for one in self.all if one.name in wanted)


def next_step(first: int, last: int, finalized: int) -> BlockRange:
    """The blocks of a step from ``first`` on: no step is in part final, since only what is not final is journaled."""
    return BlockRange(first, min(last, finalized) if first <= finalized else last)
