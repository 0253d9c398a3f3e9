"""Indexes that an operator asks for on event tables (``[database.indexes]``): made after a back-fill, not kept up during one.

The configuration alone says what is wanted, and an index's name follows from its table and columns. So what is missing is
always made up for, whenever a process died; nothing is ever dropped but an index of an empty table before a back-fill, and
what a broken build left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
import structlog

from indexer.decode.tables import LEADING_COLUMNS, EventLayout
from indexer.errors import ConfigError
from indexer.store.identifiers import MAX_IDENTIFIER_BYTES, quote_identifier
from indexer.store.queries import sql
from indexer.store.roles import act_as_owner

log = structlog.get_logger(__name__)

_SUFFIX = "_own"
_LOCK_SECONDS = "5s"
_BUILD_SECONDS = 86_400
_NOT_INDEXED = ("text", "jsonb")
"""A B-tree takes at most some 2,700 bytes, and a log whose text is longer could not be written any more."""


@dataclass(frozen=True, slots=True)
class EventIndex:
    """A B-tree over ``columns`` of an event table."""

    table: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in the database: the same for the same table and columns."""
        plain = f"{self.table}_{'_'.join(self.columns)}"
        if len(plain) + len(_SUFFIX) <= MAX_IDENTIFIER_BYTES:
            return plain + _SUFFIX
        digest = hashlib.sha256(plain.encode()).hexdigest()[:8]
        return f"{plain[: MAX_IDENTIFIER_BYTES - len(_SUFFIX) - 9]}_{digest}{_SUFFIX}"

    def create_sql(self, *, concurrently: bool) -> str:
        """The statement that makes it."""
        how = "CONCURRENTLY " if concurrently else ""
        columns = ", ".join(map(quote_identifier, self.columns))
        return (
            f"CREATE INDEX {how}IF NOT EXISTS {quote_identifier(self.name)} "
            f"ON event.{quote_identifier(self.table)} ({columns})"
        )


def wanted_indexes(
    declared: Mapping[str, Sequence[Sequence[str]]], layouts: Iterable[EventLayout]
) -> tuple[EventIndex, ...]:
    """The indexes of ``[database.indexes]``: event table to lists of columns.

    Raises:
        ConfigError: there is no such table or column, or its values may be too long for an index.
    """
    usable: dict[str, dict[str, str | None]] = {}
    for layout in layouts if declared else ():
        columns = usable.setdefault(layout.table.name, dict.fromkeys((name for name, _ in LEADING_COLUMNS)))
        for column in layout.table.columns:
            columns[column.name] = columns.get(column.name) or _unfit(column.sql_type)
        for param, place in zip(layout.params, layout.columns, strict=True):
            if param.canonical == "bytes" and not param.indexed:
                columns[layout.table.columns[place].name] = "bytes of any length"
    return tuple(
        EventIndex(table, _checked(table, tuple(columns), usable))
        for table, lists in declared.items()
        for columns in lists
    )


def _unfit(sql_type: str) -> str | None:
    return sql_type if sql_type in _NOT_INDEXED or sql_type.endswith("]") else None


def _checked(
    table: str, columns: tuple[str, ...], usable: Mapping[str, Mapping[str, str | None]]
) -> tuple[str, ...]:
    where = f"database.indexes.{table}"
    if table not in usable:
        raise ConfigError(
            f"{where}: there is no event table {table}; `indexer abi list` shows those there are"
        )
    for column in columns:
        if column not in usable[table]:
            raise ConfigError(f"{where}: there is no column {column}; there are {', '.join(usable[table])}")
        if usable[table][column] is not None:
            raise ConfigError(
                f"{where}: {column} is {usable[table][column]}, which can be too long for an index of this kind; "
                "make one by SQL, for example over a digest of it"
            )
    return columns


async def missing_indexes(
    connection: asyncpg.Connection, wanted: Sequence[EventIndex]
) -> list[tuple[EventIndex, bool]]:
    """The wanted indexes that are not there, or not whole (True: a build was broken off)."""
    if not wanted:
        return []
    rows = await connection.fetch(sql("indexes_of_tables"), [index.table for index in wanted])
    there = {(row["table_name"], tuple(row["columns"])) for row in rows if row["whole"]}
    broken = {row["name"] for row in rows if not row["whole"]}
    return [(index, index.name in broken) for index in wanted if (index.table, index.columns) not in there]


async def build_indexes(connection: asyncpg.Connection, wanted: Sequence[EventIndex]) -> list[str]:
    """Make the wanted indexes that are missing; the names of those made.

    While one is made its table can be read, and written only where another chain may have to write it. What cannot be made is
    logged and tried again at the next occasion.
    """
    made: list[str] = []
    for index, broken in await missing_indexes(connection, wanted):
        try:
            if broken:
                await _drop(connection, index)
            await _build(connection, index)
        except (
            asyncpg.InsufficientPrivilegeError,
            asyncpg.LockNotAvailableError,
            asyncpg.ProgramLimitExceededError,
            asyncpg.UndefinedColumnError,
        ) as error:
            log.warning(
                "index not made; `indexer db migrate` makes it with a role that may",
                index=index.name,
                reason=str(error),
            )
        else:
            log.info("index made", index=index.name)
            made.append(index.name)
    return made


async def drop_indexes_of_empty_tables(
    connection: asyncpg.Connection, wanted: Sequence[EventIndex]
) -> list[str]:
    """Before a back-fill: drop the wanted indexes of tables without rows, to be made when these are there; their names."""
    missing = {index for index, _ in await missing_indexes(connection, wanted)}
    dropped: list[str] = []
    for index in wanted:
        if index in missing or await connection.fetchval(
            f"SELECT EXISTS (SELECT FROM event.{quote_identifier(index.table)})"
        ):
            continue
        try:
            await _drop(connection, index)
        except (asyncpg.InsufficientPrivilegeError, asyncpg.LockNotAvailableError) as error:
            log.info("index kept during the back-fill", index=index.name, reason=str(error))
        else:
            dropped.append(index.name)
    return dropped


async def _drop(connection: asyncpg.Connection, index: EventIndex) -> None:
    async with connection.transaction():
        await connection.execute(sql("index_limits"), _LOCK_SECONDS, True)
        await act_as_owner(connection)
        await connection.execute(f"DROP INDEX IF EXISTS event.{quote_identifier(index.name)}")


async def _build(connection: asyncpg.Connection, index: EventIndex) -> None:
    if await connection.fetchval(sql("writers_may_share"), index.table):
        await _build_beside_writers(connection, index)
        return
    async with connection.transaction():
        await connection.execute(sql("index_limits"), _LOCK_SECONDS, True)
        await act_as_owner(connection)
        await connection.execute(index.create_sql(concurrently=False), timeout=_BUILD_SECONDS)


async def _build_beside_writers(connection: asyncpg.Connection, index: EventIndex) -> None:
    """Takes no transaction, so limits and role are the session's and are given back."""
    await connection.execute(sql("index_limits"), "0", False)
    if await connection.fetchval(sql("may_act_as_owner")):
        await connection.execute("SET ROLE indexer_owner")
    try:
        await connection.execute(index.create_sql(concurrently=True), timeout=_BUILD_SECONDS)
    finally:
        if not connection.is_closed():
            await connection.execute("RESET ROLE")
            await connection.execute("RESET ALL")
