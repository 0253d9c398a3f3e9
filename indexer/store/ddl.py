"""Event tables made from ABIs: created once, widened when another layout needs a column, never renamed or narrowed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

import asyncpg

from indexer.decode.tables import LEADING_COLUMNS, Column, EventTable
from indexer.errors import ConfigError, SchemaMismatch
from indexer.store.identifiers import check_sql_type, quote_identifier, quote_literal
from indexer.store.queries import sql
from indexer.store.roles import act_as_owner

LEADING_COMMENTS: Mapping[str, str] = {
    "chain_id": "EIP-155 chain id.",
    "block_number": "Number of the block the log is in.",
    "block_hash": "Hash of that block.",
    "block_time": "Timestamp of that block.",
    "tx_hash": "Hash of the transaction that emitted the log.",
    "tx_index": "Place of the transaction in the block.",
    "log_index": "Place of the log in the block.",
    "address": "Contract that emitted the log.",
}
"""What the leading columns hold, for their comments."""

_TABLES_A_TRANSACTION = 200
"""Bounds the locks one transaction takes."""


def create_table_sql(table: EventTable, *, partitioned: bool = False) -> str:
    """The statements that make one event table with all its comments; by block range where ``partitioned``."""
    name = _qualified(table)
    lines = [f"{quote_identifier(column)} {sql_type} NOT NULL" for column, sql_type in LEADING_COLUMNS]
    lines += [_definition(column) for column in table.columns]
    lines.append("PRIMARY KEY (chain_id, block_number, log_index)")
    body = ",\n    ".join(lines)
    comments = [f"COMMENT ON TABLE {name} IS {quote_literal(table.comment or table.signature)}"]
    comments += [_comment(table, column, text) for column, text in LEADING_COMMENTS.items()]
    comments += [_comment(table, column.name, column.comment or column.name) for column in table.columns]
    by = " PARTITION BY RANGE (block_number)" if partitioned else ""
    return ";\n".join([f"CREATE TABLE {name} (\n    {body}\n){by}", *comments]) + ";"


def add_columns_sql(table: EventTable, columns: Sequence[Column]) -> str:
    """The statements that add ``columns`` to a table that is there, with their comments."""
    added = ", ".join(f"ADD COLUMN {_definition(column)}" for column in columns)
    comments = [_comment(table, column.name, column.comment or column.name) for column in columns]
    return ";\n".join([f"ALTER TABLE {_qualified(table)} {added}", *comments]) + ";"


def _qualified(table: EventTable) -> str:
    return f"event.{quote_identifier(table.name)}"


def _definition(column: Column) -> str:
    return f"{quote_identifier(column.name)} {check_sql_type(column.sql_type)}"


def _comment(table: EventTable, column: str, text: str) -> str:
    return f"COMMENT ON COLUMN {_qualified(table)}.{quote_identifier(column)} IS {quote_literal(text)}"


async def known_tables(connection: asyncpg.Connection) -> dict[tuple[str, str], str]:
    """The table of each (ABI stem, signature) that has one."""
    rows = await connection.fetch(sql("known_tables"))
    return {(row["abi"], row["signature"]): row["table_name"] for row in rows}


async def register_tables(
    connection: asyncpg.Connection, tables: Iterable[EventTable], *, partitioned: bool = False
) -> list[str]:
    """Make every table and column that is missing; the names of the tables made or widened.

    ``partitioned`` concerns tables that are made now; those that are there stay as they are.

    When nothing is missing nothing is written and no right to change the schema is needed.

    Raises:
        SchemaMismatch: an event has another table already, or a column another type.
        ConfigError: this role may not make tables.
    """
    wanted = list(tables)
    changed: list[str] = []
    for first in range(0, len(wanted), _TABLES_A_TRANSACTION):
        part = wanted[first : first + _TABLES_A_TRANSACTION]
        if await _missing(connection, part, partitioned=partitioned):
            changed += await _make(connection, part, partitioned=partitioned)
    return changed


async def _make(
    connection: asyncpg.Connection, tables: Sequence[EventTable], *, partitioned: bool
) -> list[str]:
    try:
        async with connection.transaction():
            await connection.execute(sql("lock_migrations"))
            await act_as_owner(connection)
            missing = await _missing(connection, tables, partitioned=partitioned)
            if not missing:
                return []
            await connection.execute("\n".join(statement for _, statement in missing))
            await connection.executemany(
                sql("record_event_table"),
                [
                    (table.abi, table.signature, table.topic0, table.name, _columns_json(table))
                    for table, _ in missing
                ],
            )
    except asyncpg.InsufficientPrivilegeError as error:
        names = ", ".join(table.name for table in tables[:5])
        raise ConfigError(
            f"event tables are missing ({names}, …) and this role may not make them ({error}): run "
            "`indexer db migrate` with one that may"
        ) from error
    return [table.name for table, _ in missing]


async def _missing(
    connection: asyncpg.Connection, tables: Sequence[EventTable], *, partitioned: bool
) -> list[tuple[EventTable, str]]:
    """What is to be done for each table that is not as it should be.

    The ledger is read last: a table made by another process in between is then in the ledger at least.
    """
    existing: dict[str, dict[str, str]] = {}
    for row in await connection.fetch(sql("event_columns")):
        existing.setdefault(row["table_name"], {})[row["name"]] = row["type"]
    known = await known_tables(connection)
    todo: list[tuple[EventTable, str]] = []
    for table in tables:
        _check_name(table, known, existing)
        held = existing.get(table.name)
        if held is None:
            todo.append((table, create_table_sql(table, partitioned=partitioned)))
            continue
        added = [column for column in table.columns if column.name not in held]
        _check_types(table, held)
        if added:
            todo.append((table, add_columns_sql(table, added)))
    return todo


def _check_name(table: EventTable, known: Mapping[tuple[str, str], str], existing: Collection[str]) -> None:
    mine = known.get((table.abi, table.signature))
    if mine is not None and mine != table.name:
        raise SchemaMismatch(
            f"{table.abi}:{table.signature} has the table event.{mine} already, not event.{table.name}"
        )
    if mine is None and table.name in existing:
        raise SchemaMismatch(
            f"event.{table.name} is there already, but not as the table of {table.abi}:{table.signature}"
        )


def _check_types(table: EventTable, held: Mapping[str, str]) -> None:
    for column in table.columns:
        is_type = held.get(column.name, column.sql_type)
        if is_type != column.sql_type:
            raise SchemaMismatch(
                f"event.{table.name}.{column.name} is {is_type}, but {table.signature} needs {column.sql_type}"
            )


def _columns_json(table: EventTable) -> str:
    return json.dumps([{"name": column.name, "type": column.sql_type} for column in table.columns])


async def register_selectors(
    connection: asyncpg.Connection, functions: Mapping[str, frozenset[bytes]]
) -> None:
    """Make the selectors of these ABIs what ``functions`` says; ABIs that are not named keep theirs."""
    wanted = {(abi, selector) for abi, selectors in functions.items() for selector in selectors}
    async with connection.transaction():
        rows = await connection.fetch(sql("selectors"), sorted(functions))
        held = {(row["abi"], row["selector"]) for row in rows}
        for name, pairs in (
            ("remove_selectors", sorted(held - wanted)),
            ("add_selectors", sorted(wanted - held)),
        ):
            if pairs:
                await connection.execute(
                    sql(name), [abi for abi, _ in pairs], [selector for _, selector in pairs]
                )
