"""The database: version, encoding, our role, the indexer's roles, pending migrations."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import asyncpg

from indexer.cli.db import database_url, opened_store
from indexer.cli.doctor.findings import Finding, Level
from indexer.cli.sql import ROLES, sql
from indexer.config import DatabaseSettings
from indexer.errors import IndexerError
from indexer.store.connect import describe
from indexer.store.migrate import pending_migrations, read_migrations

OLDEST, NEWEST = 15, 18
"""PostgreSQL versions that are tested."""


async def check_database(database: DatabaseSettings) -> list[Finding]:
    """Findings about the database. An embedded one that does not exist yet is not made."""
    if database.url is None and not (database.data_dir / "postgres" / "PG_VERSION").exists():
        return [_not_made_yet(database.data_dir)]
    subject = "embedded" if database.url is None else describe(database_url(database))
    found: list[Finding] = []
    try:
        async with (
            opened_store(database, "check") as store,
            store.session("looking at the database") as connection,
            aclosing(_look(connection)) as looks,
        ):
            async for level, message in looks:
                found.append(Finding(level, "database", subject, message))
    except IndexerError as error:
        found.append(Finding("fail", "database", subject, str(error)))
    except asyncpg.PostgresError as error:
        found.append(Finding("fail", "database", subject, f"{type(error).__name__}: {error}"))
    return found


def _not_made_yet(folder: Path) -> Finding:
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(place, os.W_OK):
        return Finding("fail", "database", "embedded", f"{place} is not writable, so {folder} cannot be made")
    return Finding("ok", "database", "embedded", f"none yet; the first run makes it under {folder}")


async def _look(connection: asyncpg.Connection) -> AsyncGenerator[tuple[Level, str], None]:
    me = await connection.fetchrow(sql("who_am_i"))
    if me is None:
        raise IndexerError("the server does not say who it is")
    yield _version(me["version"], me["number"] // 10_000)
    if me["encoding"] != "UTF8":
        yield "fail", f"its encoding is {me['encoding']}; a database in UTF8 is needed"
    if me["standby"]:
        yield "fail", "it is a read-only standby; name the primary"
    names = [
        f"{one.version:04d}_{one.name}" for one in await pending_migrations(connection, read_migrations())
    ]
    if not names:
        yield "ok", "every migration is applied"
    elif me["may_create"]:
        yield "warn", f"migrations to apply: {', '.join(names)}; the next run does it, or indexer db migrate"
    else:
        yield (
            "fail",
            f"migrations to apply, and role {me['role']} may not: {', '.join(names)}; run indexer db migrate",
        )
    yield await _roles(connection, me["role"])


def _version(text: str, major: int) -> tuple[Level, str]:
    if major < OLDEST:
        return "fail", f"PostgreSQL {text}; at least {OLDEST} is needed"
    if major > NEWEST:
        return "warn", f"PostgreSQL {text}; tested up to {NEWEST}"
    return "ok", f"PostgreSQL {text}"


async def _roles(connection: asyncpg.Connection, role: str) -> tuple[Level, str]:
    there = {row["role"] for row in await connection.fetch(sql("roles"), ROLES)}
    missing = [name for name in ROLES if name not in there]
    if missing:
        return "warn", f"role {role}; missing roles: {', '.join(missing)}; indexer db roles makes them"
    return "ok", f"role {role}; the indexer's roles are there"
