"""Migrations: plain SQL files, forward only, each in a transaction of its own with the line that records it.

A process killed at any instant leaves whole migrations behind and nothing of the one under way, so running again goes
on where it stopped. Several processes may run it at once: an advisory lock lets one through at a time.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from indexer.errors import ConfigError, SchemaMismatch
from indexer.resources import SCHEMA_DIR
from indexer.store.connect import store_errors
from indexer.store.queries import sql
from indexer.store.roles import act_as_owner, apply_grants, create_roles

MIGRATIONS_DIR = SCHEMA_DIR / "migrations"
_FILE_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_QUEUE_SECONDS = "120s"
_LOCK_SECONDS = "5s"
_MIGRATION_SECONDS = 86_400
_OLDEST_VERSION = 150000


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name, text and the SHA-256 of its bytes."""

    version: int
    name: str
    text: str
    checksum: bytes


def read_migrations(folder: Path = MIGRATIONS_DIR) -> list[Migration]:
    """The migrations of a folder, ascending.

    Raises:
        ValueError: a file name that is no ``0001_name.sql``, or a number that comes twice.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.match(path.name)
        if match is None:
            raise ValueError(f"not a migration's name: {path.name} (wanted: 0001_what_it_does.sql)")
        raw = path.read_bytes()
        version = int(match[1])
        if version in found:
            raise ValueError(f"two migrations have the number {version}")
        found[version] = Migration(version, match[2], raw.decode("utf-8"), hashlib.sha256(raw).digest())
    return [found[version] for version in sorted(found)]


async def migrate(connection: asyncpg.Connection, folder: Path = MIGRATIONS_DIR) -> list[str]:
    """Apply what is missing; returns the names of the migrations applied, oldest first.

    Roles and grants are brought up to date as well where this connection may do so.

    Raises:
        ConfigError: the server is too old, not UTF-8, or the role may not do this.
        SchemaMismatch: the database has migrations this program does not know, or other ones.
        StoreUnavailable: the server went away, or a lock was not to be had in time; run it again.
    """
    migrations = read_migrations(folder)
    applied: list[str] = []
    with store_errors("migrating"):
        await _check_server(connection)
        if await pending_migrations(connection, migrations):
            await create_roles(connection)
            while (done := await _apply_next(connection, migrations)) is not None:
                applied.append(f"{done.version:04d}_{done.name}")
            await apply_grants(connection)
    return applied


async def pending_migrations(connection: asyncpg.Connection, migrations: list[Migration]) -> list[Migration]:
    """Which of ``migrations`` the database lacks.

    Raises:
        SchemaMismatch: the database has one this program does not know, or another text under its number, or lacks one
            older than its newest.
    """
    known = {migration.version: migration for migration in migrations}
    rows = await _applied(connection)
    for row in rows:
        mine = known.get(row["version"])
        label = f"{row['version']:04d}_{row['name']}"
        if mine is None:
            raise SchemaMismatch(
                f"the database was migrated by a newer version of this program: it has {label}; install that version"
            )
        if mine.checksum != row["checksum"]:
            raise SchemaMismatch(f"migration {label} in the database is not the one of this program")
    have = {row["version"] for row in rows}
    pending = [migration for migration in migrations if migration.version not in have]
    if have and pending and pending[0].version < max(have):
        raise SchemaMismatch(f"the database lacks migration {pending[0].version:04d}, but has newer ones")
    return pending


async def require_migrated(connection: asyncpg.Connection, folder: Path = MIGRATIONS_DIR) -> None:
    """Return if the database has every migration of this program.

    Raises:
        ConfigError: some are missing; the message names ``indexer db migrate``.
        SchemaMismatch: see ``pending_migrations``.
    """
    with store_errors("reading the migration ledger"):
        pending = await pending_migrations(connection, read_migrations(folder))
    if pending:
        names = ", ".join(f"{one.version:04d}_{one.name}" for one in pending)
        raise ConfigError(
            f"the database lacks {names}: run `indexer db migrate` with a role that may change it"
        )


async def _check_server(connection: asyncpg.Connection) -> None:
    facts = await connection.fetchrow(sql("server_facts"))
    if facts["version_num"] < _OLDEST_VERSION:
        raise ConfigError(f"[database] url: PostgreSQL {facts['version']} is too old; 15 to 18 will do")
    if facts["encoding"] != "UTF8":
        raise ConfigError(
            f"[database] url: database {facts['database_name']} is encoded {facts['encoding']}; create one with "
            "ENCODING 'UTF8'"
        )


async def _applied(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    if not await connection.fetchval(sql("ledger_exists")):
        return []
    try:
        return list(await connection.fetch(sql("applied_migrations")))
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigError(f"[database] url: this role may not read sync.migration: {error}") from error


async def _apply_next(connection: asyncpg.Connection, migrations: list[Migration]) -> Migration | None:
    async with connection.transaction():
        await connection.execute(sql("migration_limits"), _QUEUE_SECONDS)
        await connection.execute(sql("lock_migrations"))
        pending = await pending_migrations(connection, migrations)
        if not pending:
            return None
        migration = pending[0]
        await connection.execute(sql("migration_limits"), _LOCK_SECONDS)
        await act_as_owner(connection)
        try:
            await connection.execute(migration.text, timeout=_MIGRATION_SECONDS)
            await connection.execute(
                sql("record_migration"), migration.version, migration.name, migration.checksum
            )
        except asyncpg.InsufficientPrivilegeError as error:
            raise ConfigError(
                f"[database] url: this role may not migrate ({error}); run `indexer db migrate` with one that may"
            ) from error
    return migration
