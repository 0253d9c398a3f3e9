"""The five roles of ``schema/roles.sql``: made and granted where the connection may, reported where it may not."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from indexer.resources import SCHEMA_DIR
from indexer.store.queries import parse_queries, sql

ROLES_FILE = SCHEMA_DIR / "roles.sql"
_TRIES = 5


@dataclass(frozen=True, slots=True)
class RolesReport:
    """Whether roles and grants are as ``schema/roles.sql`` wants them; ``reason`` says why not."""

    applied: bool
    reason: str | None


def _statement(name: str) -> str:
    return parse_queries(ROLES_FILE.read_text("utf-8"), ROLES_FILE.name)[name].sql


async def create_roles(connection: asyncpg.Connection) -> RolesReport:
    """Make the roles that are missing on the server and let the owner create in this database."""
    if not await connection.fetchval(sql("may_create_roles")):
        return RolesReport(applied=False, reason="this role may not create roles")
    return await _try(connection, "create_roles")


async def apply_grants(connection: asyncpg.Connection) -> RolesReport:
    """Grant each role what ``schema/roles.sql`` says, on what is there and on what its owner will make."""
    missing = await connection.fetch(sql("missing_roles"))
    if missing:
        names = ", ".join(row["wanted"] for row in missing)
        return RolesReport(
            applied=False, reason=f"the server has no {names}, and this role may not create them"
        )
    return await _try(connection, "grant_roles")


async def apply_roles(connection: asyncpg.Connection) -> RolesReport:
    """Both of the above: what ``indexer db roles`` does."""
    created = await create_roles(connection)
    granted = await apply_grants(connection)
    return (
        granted if created.applied or granted.applied else RolesReport(applied=False, reason=granted.reason)
    )


async def act_as_owner(connection: asyncpg.Connection) -> None:
    """For the rest of the transaction, make objects as ``indexer_owner`` where the database is that role's."""
    if await connection.fetchval(sql("may_act_as_owner")):
        await connection.execute("SET LOCAL ROLE indexer_owner")


async def _try(connection: asyncpg.Connection, statement: str) -> RolesReport:
    """Run one statement of the file. Roles are the whole server's: a run for another database may be in the way."""
    for attempt in range(_TRIES):
        try:
            async with connection.transaction():
                await connection.execute(sql("lock_migrations"))
                if statement == "grant_roles":
                    await act_as_owner(connection)
                await connection.execute(_statement(statement))
        except asyncpg.InsufficientPrivilegeError as error:
            return RolesReport(applied=False, reason=str(error))
        except asyncpg.InternalServerError:  # "tuple concurrently updated" has no class of its own
            if attempt == _TRIES - 1:
                raise
        else:
            break
    return RolesReport(applied=True, reason=None)
