"""Connections to PostgreSQL, and what their errors mean.

asyncpg raises the same errors whether a socket died before or after COMMIT arrived, and inside a transaction block the
cause of a lost backend is only in ``__context__``; ``store_errors`` gives every loss of connection one class, with that
cause named.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import asyncpg

from indexer.errors import ConfigError, InvariantViolated, SchemaMismatch, StoreUnavailable

CONNECT_SECONDS = 10.0
"""How long one connection may take to come up."""

COMMAND_SECONDS = 3600.0
"""No statement of ours runs longer; a server that went silent is noticed by the socket much earlier."""

PREPARED_STATEMENTS = 512
"""Statements that stay prepared on a connection: more than a commit with the folds of all projections has."""

SILENCE_SECONDS = 30
"""How long a TCP connection may be dead before the kernel says so."""

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
    OSError,
    TimeoutError,
)
"""Errors after which the same work may go through later: the server, the network or another session was in the way."""

DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""All the driver raises. A server that ends a session between two statements can leave asyncpg's protocol out of step, which
it reports as ``InternalClientError``."""

_WRONG_SCHEMA = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
)

_WRONG_ROWS = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)

_WRONG_ADDRESS = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidCatalogNameError,
)


def true_cause(error: BaseException) -> BaseException:
    """The error a driver error stands for: the first of its chain of contexts that says what happened.

    ``InterfaceError`` ("connection is closed") hides the reason in ``__context__``.
    """
    seen: set[int] = set()
    current = error
    while isinstance(current, asyncpg.InterfaceError) and id(current) not in seen:
        seen.add(id(current))
        hidden: BaseException | None = current.__cause__ or current.__context__
        if hidden is None:
            break
        current = hidden
    return current


def describe(url: str) -> str:
    """A database URL without its secrets: host (or socket folder) and database name."""
    parts = urlsplit(url)
    host = parts.hostname or "local socket"
    port = f":{parts.port}" if parts.port else ""
    return f"{host}{port}/{parts.path.lstrip('/') or 'postgres'}"


def _is_loss(error: BaseException) -> bool:
    return isinstance(error, (*_LOST, asyncpg.InterfaceError, asyncpg.InternalClientError))


@contextmanager
def store_errors(doing: str) -> Iterator[None]:
    """Turn driver errors raised inside into the indexer's own; ``doing`` says what was tried.

    Raises:
        StoreUnavailable: the server went away, is starting or stopping, or another session was in the way.
        ConfigError: the server does not know this role, password or database, or the role may not do this.
        SchemaMismatch: a table, column or function is missing.
        InvariantViolated: the database refuses the rows.
    """
    try:
        yield
    except _WRONG_ADDRESS as error:
        raise ConfigError(f"[database] url: the server refused it while {doing}: {error}") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigError(f"[database] url: this role has not the rights for {doing}: {error}") from error
    except _WRONG_SCHEMA as error:
        raise SchemaMismatch(f"the database's schema is not this program's ({doing}): {error}") from error
    except _WRONG_ROWS as error:
        raise InvariantViolated(f"the database refuses the rows while {doing}: {error}") from error
    except DRIVER_ERRORS as error:
        cause = true_cause(error)
        if not _is_loss(cause) and not _is_loss(error):
            raise
        raise StoreUnavailable(
            f"the database was lost while {doing}: {type(cause).__name__}: {cause}"
        ) from error


def watch_socket(connected: socket.socket) -> None:
    """Let the kernel notice a peer that went silent, also while we wait for an answer. Only TCP needs it."""
    if connected.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", SILENCE_SECONDS // 3),
        ("TCP_KEEPINTVL", SILENCE_SECONDS // 6),
        ("TCP_KEEPCNT", 4),
        ("TCP_USER_TIMEOUT", SILENCE_SECONDS * 1000),
    ):
        if hasattr(socket, option):  # macOS has other names for some
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


async def _prepare(connection: asyncpg.Connection) -> None:
    watch_socket(connection._transport.get_extra_info("socket"))  # noqa: SLF001 - asyncpg offers no other way to it


def _server_settings(application_name: str) -> dict[str, str]:
    return {
        "application_name": application_name,
        "jit": "off",
        "timezone": "UTC",
        "idle_in_transaction_session_timeout": "120000",
        "search_path": "pg_catalog",
    }


async def connect(url: str, *, application_name: str = "indexer") -> asyncpg.Connection:
    """One connection with the indexer's session settings.

    Raises:
        StoreUnavailable: the server cannot be reached.
        ConfigError: it refuses the URL.
    """
    with store_errors(f"connecting to {describe(url)}"):
        connection = await asyncpg.connect(
            url,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings=_server_settings(application_name),
            statement_cache_size=PREPARED_STATEMENTS,
        )
    await _prepare(connection)
    return connection


async def open_pool(url: str, *, application_name: str = "indexer", size: int = 8) -> asyncpg.Pool:
    """A pool of up to ``size`` connections with the indexer's session settings.

    Raises:
        StoreUnavailable: the server cannot be reached.
        ConfigError: it refuses the URL.
    """
    with store_errors(f"connecting to {describe(url)}"):
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            init=_prepare,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings=_server_settings(application_name),
            statement_cache_size=PREPARED_STATEMENTS,
        )
