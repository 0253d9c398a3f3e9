"""Partitions of event tables by block range: made ahead of the rows, and of tables that were made without.

Whether a table is partitioned is the table's own affair (``ddl.create_table_sql``, ``partition_tables``): both kinds may stand
side by side, and every query names the table of schema ``event``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg
import numpy as np

from indexer.chain.logs import LogBatch
from indexer.decode.tables import RowBatch
from indexer.errors import ConfigError
from indexer.store import views
from indexer.store.identifiers import quote_identifier
from indexer.store.queries import sql
from indexer.store.roles import act_as_owner

DEFAULT_BLOCKS = 1_000_000
"""Blocks of a new partition of a partitioned table where the configuration does not say."""

_LOCK_SECONDS = "5s"
_VALIDATE_SECONDS = 86_400


class Partitions:
    """Knows which partitions are there, and makes those that rows are about to need, and the ones after them."""

    def __init__(self, blocks: int | None) -> None:
        self._blocks = blocks or DEFAULT_BLOCKS
        self._tables: frozenset[str] | None = None
        self._there: set[tuple[str, int]] = set()

    def forget(self) -> None:
        """Look again: tables were made or changed."""
        self._tables = None
        self._there.clear()

    async def missing(
        self, connection: asyncpg.Connection, logs: LogBatch, rows: Iterable[RowBatch]
    ) -> list[tuple[str, int]]:
        """(table, any block of it) of each partition that is not known to be there, the next ones included."""
        if self._tables is None:
            found = await connection.fetch(sql("partitioned_tables"))
            self._tables = frozenset(row["table_name"] for row in found)
        return self._wanted(logs, rows)

    def settled(self, logs: LogBatch, rows: Iterable[RowBatch]) -> bool:
        """Whether nothing has to be asked or made for these rows."""
        return self._tables is not None and not self._wanted(logs, rows)

    def _wanted(self, logs: LogBatch, rows: Iterable[RowBatch]) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for batch in rows:
            table = batch.table.name
            if not len(batch) or table not in (self._tables or ()):
                continue
            parts = np.unique(logs.block_number[batch.logs] // self._blocks).tolist()
            wanted = [*parts, parts[-1] + 1]
            found += [
                (table, part * self._blocks)
                for part in wanted
                if (table, part * self._blocks) not in self._there
            ]
        return found

    async def make(self, connection: asyncpg.Connection, wanted: Sequence[tuple[str, int]]) -> int:
        """Make them; how many there were not. A table does not have to be partitioned in whole multiples."""
        made: int = await connection.fetchval(
            sql("add_partitions"),
            [table for table, _ in wanted],
            [block for _, block in wanted],
            self._blocks,
        )
        self._there.update(wanted)
        return made


async def partition_tables(
    connection: asyncpg.Connection, tables: Sequence[str], blocks: int
) -> dict[str, int]:
    """Partition tables that were made without, all that are not yet when none is named.

    No row is moved: a table becomes the first partition of one that takes its name. It is read through once beforehand, while
    others read and write it; then it is locked for an instant, with the views over it, which are made anew.

    Returns:
        For each table that was converted the block at which new partitions begin.

    Raises:
        ConfigError: there is no plain event table of a name, this role may not do it, or other people's views stand in the way.
    """
    plain = [row["table_name"] for row in await connection.fetch(sql("plain_tables"))]
    done = {row["table_name"] for row in await connection.fetch(sql("partitioned_tables"))}
    unknown = set(tables) - set(plain) - done
    if unknown:
        raise ConfigError(f"--table {min(unknown)}: there is no event table of this name")
    chosen = [table for table in plain if not tables or table in tables]
    try:
        for table in chosen:
            await _bound(connection, table, blocks)
        return await _swap(connection, chosen) if chosen else {}
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigError(
            f"this role may not change event tables ({error}); use one that may migrate"
        ) from error
    except asyncpg.DependentObjectsStillExistError as error:
        raise ConfigError(
            f"views of yours stand on event tables or on our views: drop them first. {error.detail}"
        ) from error


async def _bound(connection: asyncpg.Connection, table: str, blocks: int) -> None:
    async with connection.transaction():
        await connection.execute(sql("migration_limits"), _LOCK_SECONDS)
        await act_as_owner(connection)
        await connection.execute(sql("bound_table"), table, blocks)
    async with connection.transaction():
        await act_as_owner(connection)
        statement = f"ALTER TABLE event.{quote_identifier(table)} VALIDATE CONSTRAINT partition_bound"
        await connection.execute(statement, timeout=_VALIDATE_SECONDS)


async def _swap(connection: asyncpg.Connection, tables: Sequence[str]) -> dict[str, int]:
    async with connection.transaction():
        await connection.execute(sql("migration_limits"), _LOCK_SECONDS)
        await connection.execute(sql("lock_migrations"))
        await act_as_owner(connection)
        had_views = await views.drop_views(connection)
        starts = {table: await connection.fetchval(sql("partition_table"), table) for table in tables}
        if had_views:
            await views.make_views(connection)
        return starts
