"""The tables of the operator's projections in the database: made once, widened, journaled; and what a fold really reads.

Statements that define tables are executed once each, by the schema's owner, in the order of the file, and written down in
``sync.custom_statement``. They are forward only, as migrations are: one that was executed stays as it is, and
``ALTER TABLE … ADD COLUMN`` after it widens the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from asyncpg import Connection, InsufficientPrivilegeError, PostgresError

from indexer.errors import ConfigError
from indexer.projections.books import sql
from indexer.projections.files import Definition, OwnFile, Projection, split_statements
from indexer.store.queries import sql as store_sql
from indexer.store.roles import act_as_owner


async def make_tables(connection: Connection, projections: Sequence[Projection]) -> list[str]:
    """Execute the definitions that were not yet; the names of the projections whose tables were made or widened.

    Raises:
        ConfigError: a definition fails or is not the one that was executed (file and line are named), or this role may not
            make tables (``indexer db migrate`` is named).
    """
    changed: list[str] = []
    await connection.execute(sql("forget_lost_journals"))
    for one in projections:
        if one.own is None:
            continue
        try:
            if await _make(connection, one, one.own):
                changed.append(one.name)
        except InsufficientPrivilegeError as error:
            raise ConfigError(
                f"{one.path}: its tables are missing and this role may not make them ({error}): run "
                "`indexer db migrate` with one that may"
            ) from error
    return changed


async def _make(connection: Connection, one: Projection, own: OwnFile) -> bool:
    if not await _missing(connection, one, own):
        return False
    async with connection.transaction():
        await connection.execute(store_sql("lock_migrations"))
        await act_as_owner(connection)
        if not await connection.fetchval(sql("own_tables_exist"), list(one.tables)):
            await connection.execute(sql("forget_own_statements"), one.name)
            await connection.execute(sql("renew_own"), one.name)
        missing = await _missing(connection, one, own)
        first = len(own.definitions) - len(missing)
        for place, definition in enumerate(missing, start=first):
            await _define(connection, one, definition)
            await connection.execute(sql("record_own_statement"), one.name, place, _evened(definition.text))
    return True


async def _missing(connection: Connection, one: Projection, own: OwnFile) -> Sequence[Definition]:
    """The definitions that were not executed yet; all of them when no table is there."""
    if not await connection.fetchval(sql("own_tables_exist"), list(one.tables)):
        return own.definitions
    done = [row["statement"] for row in await connection.fetch(sql("own_statements"), one.name)]
    for text, definition in zip(done, own.definitions, strict=False):
        if text != _evened(definition.text):
            raise ConfigError(
                f"{one.path}:{definition.line}: was executed with another text before. Definitions are forward only: leave "
                "it as it was and add ALTER TABLE … ADD COLUMN after it, or give projection and tables other names"
            )
    if len(done) > len(own.definitions):
        raise ConfigError(
            f"{one.path}:1: {len(done)} definitions were executed for it, and it has {len(own.definitions)}; bring the "
            "others back, or give projection and tables other names"
        )
    return own.definitions[len(done) :]


async def _define(connection: Connection, one: Projection, definition: Definition) -> None:
    try:
        await connection.execute(definition.text)
        if definition.creates:
            await connection.execute(sql("attach_journal"), definition.table)
    except InsufficientPrivilegeError:
        raise
    except PostgresError as error:
        before = definition.text[: int(error.position or 1) - 1]
        raise ConfigError(f"{one.path}:{definition.line + before.count(chr(10))}: {error}") from error


def _evened(statement: str) -> str:
    """A statement without comments, every run of white space one blank."""
    return re.sub(r"\s+", " ", " ".join(split_statements(statement))).strip()


async def check_reads(connection: Connection, one: Projection) -> None:
    """Ask the planner which relations the statements of an operator's projection touch.

    Raises:
        ConfigError: one is neither an event table nor its own, however it came in; file and line are named.
    """
    for number, statement in enumerate(one.statements, start=1):
        prepared = await connection.prepare(statement)
        plan = await prepared.explain(0, 0, 0)
        touched = {f"{schema}.{name}" for schema, name in _relations(plan)}
        for name in sorted(touched - set(one.tables)):
            if not name.startswith("event."):
                raise ConfigError(
                    f"{one.place(number)}: reads {name}; it may read schema event and its own tables only"
                )


def _relations(plan: Any) -> Iterator[tuple[str, str]]:
    """Schema and name of every relation in a plan as ``EXPLAIN (FORMAT JSON, VERBOSE)`` gives it, parsed."""
    if isinstance(plan, dict):
        if "Relation Name" in plan and "Schema" in plan:
            yield plan["Schema"], plan["Relation Name"]
        plan = list(plan.values())
    if isinstance(plan, list):
        for one in plan:
            yield from _relations(one)
