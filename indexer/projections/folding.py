"""Runs the statements of projections over one block range, and finds ranges worth running."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from asyncpg import Connection, PostgresError

from indexer.chain.refs import BlockRange
from indexer.errors import ConfigError, InvariantViolated
from indexer.projections import books
from indexer.projections.books import sql
from indexer.projections.files import Projection
from indexer.projections.hashing import hashed_ahead
from indexer.store.identifiers import quote_identifier

log = structlog.get_logger(__name__)

FAILED = "own-failed"
"""Version of an operator's projection that could not be folded; it rests until its file is another."""

STEP_ROWS = 1_000_000
"""About how many rows of each event table one step of catching up folds; a block is never split.

A large step touches each row of a state table once for many events: balances of a million transfers among 75,000 holders
cost 3 µs a transfer in one step, and 8 µs in four.
"""

LARGE_ROWS = 20_000
"""With more rows than this of one event table a step is large; see the query ``large_fold``."""

OWN_MILLISECONDS = 10_000
"""How long one statement of an operator's projection may take inside a commit, which waits for it."""

_WRONG_SQL = ("0A", "42")
_WRONG_DATA = ("21", "22", "23", "2F", "54", "P0")
_TOO_LONG = "57014"


def qualified(table: str) -> str:
    """``schema.table`` with both parts quoted."""
    schema, _, name = table.partition(".")
    return f"{quote_identifier(schema)}.{quote_identifier(name)}"


async def busy(
    connection: Connection, chain_id: int, projections: Sequence[Projection], blocks: BlockRange
) -> list[Projection]:
    """Those of ``projections`` that have something to read in ``blocks``: one statement for all of them."""
    tables = sorted({table for one in projections for table in one.triggers})
    if not tables:
        return list(projections)
    probes = ", ".join(
        f"EXISTS (SELECT FROM {qualified(table)} WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3)"
        for table in tables
    )
    row = await connection.fetchrow(f"SELECT {probes}", chain_id, blocks.first, blocks.last)
    filled = {table for table, full in zip(tables, row, strict=True) if full}
    return [one for one in projections if not one.triggers or filled.intersection(one.triggers)]


async def run(
    connection: Connection,
    chain_id: int,
    projection: Projection,
    blocks: BlockRange,
    statements: Sequence[str] | None = None,
) -> None:
    """Run a projection's statements (or ``statements`` in their stead) over ``blocks``.

    Raises:
        ConfigError: the SQL names what does not exist, or is no SQL; file and statement are named.
        InvariantViolated: the rows it makes cannot be stored.
    """
    async with hashed_ahead(connection, chain_id, projection, blocks):
        for place, statement in enumerate(statements or projection.statements, start=1):
            with _named(projection, place, f", blocks {blocks}"):
                await connection.execute(statement, chain_id, blocks.first, blocks.last)


async def verify(connection: Connection, projection: Projection) -> None:
    """Have the database parse a projection's statements without running them.

    Raises:
        ConfigError: one names what does not exist, or is no SQL.
    """
    for place, statement in enumerate(projection.statements, start=1):
        with _named(projection, place):
            await connection.prepare(statement)


@contextmanager
def _named(projection: Projection, place: int, more: str = "") -> Iterator[None]:
    """Say in which statement an error happened, and whose fault it is: an operator's file is at fault in any case."""
    try:
        yield
    except PostgresError as error:
        state = str(error.sqlstate or "")
        where = f"{projection.place(place, int(error.position or 1))}{more}"
        wrong_data = state.startswith(_WRONG_DATA)
        if state.startswith(_WRONG_SQL) or (projection.own is not None and wrong_data):
            raise ConfigError(f"{where}: {error}") from error
        if wrong_data:
            raise InvariantViolated(f"{where}: {error}") from error
        if projection.own is not None and state == _TOO_LONG:
            raise ConfigError(f"{where}: takes longer than {OWN_MILLISECONDS / 1000:.0f} s") from error
        raise


async def _run_apart(
    connection: Connection, chain_id: int, projection: Projection, blocks: BlockRange
) -> bool:
    """Run an operator's projection so that a failure is its own: False, logged, and it has changed nothing."""
    try:
        async with connection.transaction():
            await connection.execute(sql("own_timeout"), str(OWN_MILLISECONDS))
            await run(connection, chain_id, projection, blocks)
            await connection.execute(sql("own_timeout"), "0")
    except ConfigError as error:
        log.error("projection failed", projection=projection.name, reason=str(error))  # noqa: TRY400 - the message says it all
        await books.set_version(connection, chain_id, projection.name, FAILED)
        return False
    return True


async def fold_group(
    connection: Connection, chain_id: int, group: Sequence[Projection], blocks: BlockRange, *, journal: bool
) -> None:
    """Fold ``blocks`` into the live tables of projections that all hold through the block before, and note it.

    Raises:
        ConfigError, InvariantViolated: see ``run``.
    """
    names = await apply(connection, chain_id, group, blocks, journal=journal)
    await connection.execute(sql("advance_projections"), chain_id, names, blocks.last, journal)


async def apply(
    connection: Connection, chain_id: int, group: Sequence[Projection], blocks: BlockRange, *, journal: bool
) -> list[str]:
    """As ``fold_group``, without noting it: the names of those that hold through ``blocks`` now."""
    work = await busy(connection, chain_id, group, blocks)
    if work and journal:
        await _journal_range(connection, f"{blocks.first},{blocks.last}")
    failed: set[str] = set()
    for one in work:
        if one.own is None:
            await run(connection, chain_id, one, blocks)
        elif not await _run_apart(connection, chain_id, one, blocks):
            failed.add(one.name)
    if work and journal:
        await _journal_range(connection, "")
    return [one.name for one in group if one.name not in failed]


async def begin_step(
    connection: Connection, chain_id: int, projections: Sequence[Projection], blocks: BlockRange, rows: int
) -> BlockRange:
    """The blocks of a step from ``blocks.first`` on (see ``step_end``); the transaction is made fit for so many rows."""
    last = await step_end(connection, chain_id, projections, blocks, rows)
    step = BlockRange(blocks.first, last)
    large = await step_end(connection, chain_id, projections, step, LARGE_ROWS) < last
    await connection.execute(sql("large_fold"), "off" if large else "on")
    return step


async def step_end(
    connection: Connection, chain_id: int, projections: Iterable[Projection], blocks: BlockRange, rows: int
) -> int:
    """The last block of a step from ``blocks.first`` on that reads about ``rows`` rows of each event table at most.

    One block more than that is read where a single block has more rows. Rows are not counted in a table that has hardly
    more than that as a whole: counting takes a tenth of the time of folding.
    """
    named = event_tables(projections)
    counted = await connection.fetch(sql("tables_of_more_rows"), named, rows * 1.25) if named else []
    if not counted:
        return blocks.last
    edges = " UNION ALL ".join(
        f"(SELECT block_number FROM {qualified(row['name'])} WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3"
        " ORDER BY block_number OFFSET $4 LIMIT 1)"
        for row in counted
    )
    edge = await connection.fetchval(
        f"SELECT min(block_number) FROM ({edges}) AS edge", chain_id, blocks.first, blocks.last, rows
    )
    return blocks.last if edge is None else max(int(edge) - 1, blocks.first)


def event_tables(projections: Iterable[Projection]) -> list[str]:
    """The event tables whose rows give any of these something to do."""
    return sorted({table for one in projections for table in one.triggers if table.startswith("event.")})


async def gather_statistics(connection: Connection, projections: Iterable[Projection]) -> None:
    """See to it that the planner knows the event tables that these are about to read much of."""
    await connection.execute(sql("gather_statistics"), event_tables(projections))


async def _journal_range(connection: Connection, blocks: str) -> None:
    """Journal what changes from here on under ``blocks``; an empty text ends it, as does the transaction's end."""
    await connection.execute(sql("journal_on"), blocks)
