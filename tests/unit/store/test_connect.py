from __future__ import annotations

import asyncio
import socket

import asyncpg
import pytest

from indexer.errors import ConfigError, InvariantViolated, SchemaMismatch, StoreUnavailable
from indexer.store.connect import SILENCE_SECONDS, connect, describe, store_errors, true_cause, watch_socket


def test_a_url_is_described_without_its_secrets():
    assert describe("postgresql://me:secret@db.example:5433/books?sslmode=require") == "db.example:5433/books"
    assert describe("postgresql://me@/books?host=/tmp/x") == "local socket/books"


def test_the_true_cause_is_found_behind_the_drivers_error():
    error = asyncpg.InterfaceError("connection is closed")
    error.__context__ = ConnectionResetError("reset by peer")
    assert isinstance(true_cause(error), ConnectionResetError)
    with pytest.raises(StoreUnavailable, match="reset by peer"), store_errors("testing"):
        raise error


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (ConnectionRefusedError("no"), StoreUnavailable),
        (TimeoutError(), StoreUnavailable),
        (asyncpg.AdminShutdownError("bye"), StoreUnavailable),
        (asyncpg.DiskFullError("full"), StoreUnavailable),
        (asyncpg.DeadlockDetectedError("locked"), StoreUnavailable),
        (asyncpg.SerializationError("again"), StoreUnavailable),
        (asyncpg.ReadOnlySQLTransactionError("failover"), StoreUnavailable),
        (asyncpg.TooManyConnectionsError("full"), StoreUnavailable),
        (asyncpg.InternalClientError("out of step"), StoreUnavailable),
        (asyncpg.UndefinedTableError("gone"), SchemaMismatch),
        (asyncpg.InsufficientPrivilegeError("no"), ConfigError),
        (asyncpg.InvalidPasswordError("no"), ConfigError),
        (asyncpg.InvalidCatalogNameError("no"), ConfigError),
        (asyncpg.UniqueViolationError("twice"), InvariantViolated),
        (asyncpg.NumericValueOutOfRangeError("big"), InvariantViolated),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_what_each_error_means(error, becomes):
    with pytest.raises(becomes, match="testing"), store_errors("testing"):
        raise error


def test_a_mistake_of_ours_stays_what_it_is():
    with pytest.raises(asyncpg.PostgresSyntaxError), store_errors("testing"):
        raise asyncpg.PostgresSyntaxError("near x")


async def test_a_value_that_cannot_be_sent_is_no_loss(connection):
    with pytest.raises(InvariantViolated, match="no number"), store_errors("testing"):
        await connection.fetchval("SELECT $1::int", "no number")


async def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(StoreUnavailable, match="connecting to local socket/x"):
        await connect(f"postgresql://me@/x?host={tmp_path}")


async def test_a_database_that_is_not_there(url_of):
    with pytest.raises(ConfigError, match="no_such_database"):
        await connect(url_of("no_such_database"))


def test_a_dead_tcp_peer_is_noticed_by_the_kernel():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        watch_socket(client)
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == SILENCE_SECONDS * 1000


async def test_sessions_have_the_indexers_settings(connection):
    settings = {
        name: await connection.fetchval(f"SHOW {name}")
        for name in (
            "application_name",
            "jit",
            "timezone",
            "search_path",
            "idle_in_transaction_session_timeout",
        )
    }
    assert settings == {
        "application_name": "indexer",
        "jit": "off",
        "timezone": "UTC",
        "search_path": "pg_catalog",
        "idle_in_transaction_session_timeout": "2min",
    }


async def test_a_session_ended_by_the_server_is_a_loss_and_the_store_goes_on(store):
    async def ended():
        async with store.session("testing") as connection:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(StoreUnavailable, match="terminating connection"):
        await ended()
    assert await asyncio.wait_for(store.known_tables(), 10) == {}
