"""Views and their functions: the files of ``schema/views`` and what is written from ``sync.event_table``, kept up to date.

They read event tables, so they are applied after those are made. A file is applied again when its text changed: in place
where PostgreSQL can, which keeps other people's views on top of them; else all of ours are dropped and made anew. Either
way in one transaction, so that a reader sees the old ones or the new ones.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from indexer.errors import ConfigError
from indexer.resources import SCHEMA_DIR
from indexer.store.connect import store_errors
from indexer.store.event_views import EVENT_VIEWS, event_views_sql, read_relations
from indexer.store.queries import sql
from indexer.store.roles import act_as_owner

VIEWS_DIR = SCHEMA_DIR / "views"
_MADE = re.compile(
    r'^CREATE OR REPLACE (VIEW|FUNCTION) ((?:analytics|parity)\.(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*))',
    re.MULTILINE,
)
_FILE_NAME = re.compile(r"^\d\d_[a-z0-9_]+\.sql$")
_QUEUE_SECONDS = "120s"
_LOCK_SECONDS = "5s"
_APPLY_SECONDS = 86_400

_CANNOT_REPLACE = (asyncpg.InvalidTableDefinitionError, asyncpg.InvalidFunctionDefinitionError)
"""What PostgreSQL answers where columns of a view, or the result of a function, are others than before."""


@dataclass(frozen=True, slots=True)
class ViewFile:
    """One file: its name without suffix, its text, and what it makes, in order and with the schema."""

    name: str
    text: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def views(self) -> list[str]:
        """The views it makes."""
        return list(dict.fromkeys(name for kind, name in _MADE.findall(self.text) if kind == "VIEW"))

    @property
    def functions(self) -> list[str]:
        """The functions it makes, by name."""
        return list(dict.fromkeys(name for kind, name in _MADE.findall(self.text) if kind == "FUNCTION"))


def read_view_files(folder: Path = VIEWS_DIR) -> list[ViewFile]:
    """The files of a folder, in the order of their names.

    Raises:
        ValueError: a file name that is no ``10_what_about.sql``.
    """
    paths = sorted(folder.glob("*.sql"))
    for path in paths:
        if _FILE_NAME.match(path.name) is None:
            raise ValueError(f"not a view file's name: {path.name} (wanted: 10_what_about.sql)")
    return [ViewFile(path.stem, path.read_text("utf-8")) for path in paths]


async def wanted_views(connection: asyncpg.Connection, folder: Path = VIEWS_DIR) -> list[ViewFile]:
    """What should be there: the files, and among them by name the views over the event tables there are."""
    generated = ViewFile(EVENT_VIEWS, event_views_sql(await read_relations(connection)))
    return sorted([*read_view_files(folder), generated], key=lambda file: file.name)


async def apply_views(connection: asyncpg.Connection, folder: Path = VIEWS_DIR) -> list[str]:
    """Bring views and functions up to date; the names of the files applied.

    When nothing changed nothing is written and no right to change the schema is needed.

    Raises:
        ConfigError: this role may not make views, or views of other people stand in the way (the message names them).
        StoreUnavailable: a lock was not to be had in time, or the server went away; nothing was changed.
    """
    with store_errors("making views"):
        if not await _changed(connection, await wanted_views(connection, folder)):
            return []
        try:
            async with connection.transaction():
                return await _apply(connection, folder)
        except asyncpg.InsufficientPrivilegeError as error:
            raise ConfigError(
                f"views are missing or old, and this role may not make them ({error}): run `indexer db migrate` with "
                "one that may"
            ) from error
        except asyncpg.DependentObjectsStillExistError as error:
            raise ConfigError(
                f"views of this version differ from those in the database, and other views stand on them: drop "
                f"those and start again. {error.detail}"
            ) from error


async def drop_views(connection: asyncpg.Connection) -> bool:
    """Inside a transaction: drop all our views, so that what they read can be replaced; whether there were any."""
    if not await connection.fetch(sql("applied_views")):
        return False
    await connection.execute(sql("drop_views"))
    return True


async def make_views(connection: asyncpg.Connection, folder: Path = VIEWS_DIR) -> None:
    """Inside a transaction: make all our views where there are none."""
    await _make(connection, await wanted_views(connection, folder))


async def _apply(connection: asyncpg.Connection, folder: Path) -> list[str]:
    await connection.execute(sql("migration_limits"), _QUEUE_SECONDS)
    await connection.execute(sql("lock_migrations"))
    files = await wanted_views(connection, folder)
    changed = await _changed(connection, files)
    await connection.execute(sql("migration_limits"), _LOCK_SECONDS)
    await act_as_owner(connection)
    try:
        async with connection.transaction():
            await _drop_vanished(connection, files)
            await _make(connection, changed)
    except _CANNOT_REPLACE:
        await drop_views(connection)
        await _make(connection, files)
    return [file.name for file in changed]


async def _changed(connection: asyncpg.Connection, files: list[ViewFile]) -> list[ViewFile]:
    """The files whose text is not the one that was applied; all names that went count as a change of the first."""
    applied = {row["name"]: row["digest"] for row in await connection.fetch(sql("applied_views"))}
    changed = [file for file in files if applied.get(file.name) != file.digest]
    if not changed and applied.keys() - {file.name for file in files}:
        return files[:1]
    return changed


async def _drop_vanished(connection: asyncpg.Connection, files: list[ViewFile]) -> None:
    """Drop views that no file makes any more, and forget files that are gone."""
    wanted = {view for file in files for view in file.views}
    for row in reversed(await connection.fetch(sql("applied_views"))):
        for view in reversed(row["views"]):
            if view not in wanted:
                await connection.execute(f"DROP VIEW IF EXISTS {view}")
    await connection.execute(sql("forget_view_files"), [file.name for file in files])


async def _make(connection: asyncpg.Connection, files: list[ViewFile]) -> None:
    for file in files:
        await connection.execute(file.text, timeout=_APPLY_SECONDS)
        await connection.execute(sql("record_view_file"), file.name, file.digest, file.views, file.functions)
    await connection.execute(sql("comment_common_columns"))
