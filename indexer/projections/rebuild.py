"""Builds projections anew beside their live tables, and swaps them in.

The tables are built as temporary tables of one connection, from the first block to the last final one, in bounded steps.
Then, in one transaction that holds off commits of the chain: the live tables get the rows that differ, and the blocks that
are not final are folded on top with a journal. Live tables keep their identity (views, grants and triggers stay), readers see
the old rows until that transaction is through, and never an empty table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asyncpg import Connection

from indexer.chain.refs import BlockRange
from indexer.errors import InvariantViolated
from indexer.projections import books, folding
from indexer.projections.books import Standing, sql
from indexer.projections.files import Projection
from indexer.store.lease import hold_lease

MAX_TRIES = 3
"""How often a rebuild starts over because events changed under it."""

_SHADOW = "pg_temp"


class Rebuild:
    """One rebuild of ``projections`` (in the order they run in) for one chain; ``versions`` names what makes their rows.

    ``step_rows`` bounds how many rows of an event table one step reads. With ``epoch`` the tables are swapped in only while
    that is the epoch of the chain's lease.
    """

    def __init__(
        self,
        projections: Sequence[Projection],
        versions: Mapping[str, str],
        chain_id: int,
        step_rows: int,
        epoch: int | None = None,
    ) -> None:
        self._projections = tuple(projections)
        self._versions = dict(versions)
        self._chain_id = chain_id
        self._step_rows = step_rows
        self._epoch = epoch

    async def run(self, connection: Connection) -> None:
        """Build and swap in.

        Raises:
            LeaseLost: another daemon writes the chain now; nothing was swapped in.
            InvariantViolated: events that were read changed during each of ``MAX_TRIES`` tries; nothing was swapped in.
            ConfigError: see ``folding.run``.
        """
        for _ in range(MAX_TRIES):
            try:
                if await self._try(connection):
                    return
            finally:
                if not connection.is_closed():
                    await self._drop(connection)
        names = ", ".join(one.name for one in self._projections)
        raise InvariantViolated(
            f"rebuilding {names}: events below finality changed {MAX_TRIES} times meanwhile"
        )

    async def _try(self, connection: Connection) -> bool:
        async with connection.transaction():
            before = await books.lock(connection, self._chain_id, self._versions)
        ends = await books.chain_ends(connection, self._chain_id)
        through = min(ends.tip, ends.finalized)
        await self._create(connection)
        await self._build(connection, through)
        return await self._swap(connection, before, through)

    async def _create(self, connection: Connection) -> None:
        await self._drop(connection)
        for table in self._tables():
            await connection.execute(
                f"CREATE TEMPORARY TABLE {self._shadow(table)} (LIKE {folding.qualified(table)} INCLUDING ALL)"
            )

    async def _build(self, connection: Connection, through: int) -> None:
        first = 0
        await folding.gather_statistics(connection, self._projections)
        while first <= through:
            async with connection.transaction():
                blocks = await folding.begin_step(
                    connection,
                    self._chain_id,
                    self._projections,
                    BlockRange(first, through),
                    self._step_rows,
                )
                for one in await folding.busy(connection, self._chain_id, self._projections, blocks):
                    statements = one.written_elsewhere(_SHADOW)
                    await folding.run(connection, self._chain_id, one, blocks, statements)
            # Nothing gathers statistics of temporary tables by itself, and the next step joins them.
            for table in self._tables():
                await connection.execute(f"ANALYZE {self._shadow(table)}")
            first = blocks.last + 1

    async def _swap(self, connection: Connection, before: Mapping[str, Standing], through: int) -> bool:
        async with connection.transaction():
            if self._epoch is not None:
                await hold_lease(connection, self._chain_id, self._epoch)
            ends = await books.hold_chain(connection, self._chain_id)
            now = await books.lock(connection, self._chain_id, self._versions)
            if ends.tip < through or any(
                now[one.name].revision != before[one.name].revision for one in self._projections
            ):
                return False
            await connection.execute(sql("large_fold"), "off")
            await connection.execute(sql("drop_journal"), self._chain_id, self._tables())
            for table in self._tables():
                await connection.fetchval(sql("adopt_table"), table, self._shadow(table), self._chain_id)
            for one in self._projections:
                await connection.execute(
                    sql("reset_projection"),
                    self._chain_id,
                    one.name,
                    through,
                    through,
                    self._versions[one.name],
                    False,
                )
            if ends.tip > through:
                rest = BlockRange(through + 1, ends.tip)
                await folding.fold_group(connection, self._chain_id, self._projections, rest, journal=True)
        return True

    async def _drop(self, connection: Connection) -> None:
        for table in self._tables():
            await connection.execute(f"DROP TABLE IF EXISTS {self._shadow(table)}")

    def _tables(self) -> list[str]:
        return [table for one in self._projections for table in one.tables]

    def _shadow(self, table: str) -> str:
        return folding.qualified(f"{_SHADOW}.{table.partition('.')[2]}")
