from __future__ import annotations

import asyncpg
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from indexer.schema import tables

CLASSES = [getattr(tables, name) for name in tables.__all__]


def described(model: type[SQLModel]) -> list[tuple[str, str, bool, bool]]:
    """(column, type, nullable, in the key) of a class, as PostgreSQL would name the types."""
    dialect = postgresql.dialect()
    rows = []
    for column in model.__table__.columns:  # type: ignore[attr-defined]
        sql_type = column.type.compile(dialect).lower()
        names = {
            "varchar": "text",
            "timestamp with time zone": "timestamp with time zone",
            "float": "double precision",
        }
        rows.append((column.name, names.get(sql_type, sql_type), bool(column.nullable), column.primary_key))
    return rows


async def actual(connection: asyncpg.Connection, name: str) -> list[tuple[str, str, bool, bool]]:
    rows = await connection.fetch(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, "
        "coalesce(a.attnum = ANY (i.indkey), false) "
        "FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary "
        "WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        name,
    )
    return [tuple(row) for row in rows]


async def test_every_class_says_what_its_table_has(connection):
    for model in CLASSES:
        assert described(model) == await actual(connection, model.__table__.fullname)


async def test_every_fixed_table_of_schema_sync_has_a_class(connection):
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'sync'")
    known = {model.__tablename__ for model in CLASSES if model.__table__.schema == "sync"}
    assert {row["tablename"] for row in rows} == known
