from __future__ import annotations

import asyncpg
import pytest
from pydantic import SecretStr
from store_world import CHAIN, PING_TABLE, Log, open_books

from indexer.config import DatabaseSettings
from indexer.store.ddl import register_tables
from indexer.store.migrate import migrate
from indexer.store.roles import act_as_owner, apply_roles
from indexer.store.store import Store

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
READ, WRITE = {"SELECT"}, {"SELECT", "INSERT", "UPDATE", "DELETE"}

MATRIX = {
    "indexer_writer": {
        "event": WRITE,
        "state": WRITE,
        "custom": WRITE,
        "sync": WRITE,
        "analytics": READ,
        "parity": READ,
        "partner": READ,
    },
    "indexer_dispatcher": {
        "event": READ,
        "state": READ,
        "custom": READ,
        "sync": READ,
        "analytics": READ,
        "parity": READ,
        "partner": WRITE,
    },
    "indexer_reader": {
        "event": READ,
        "state": READ,
        "custom": READ,
        "sync": READ,
        "analytics": READ,
        "parity": READ,
        "partner": set(),
    },
}
LEDGERS = {
    ("indexer_writer", f"sync.{table}"): READ
    for table in ("migration", "event_table", "custom_statement", "view_file")
}


@pytest.fixture
async def granted(connection):
    """One table in every schema, also of those no migration fills yet, made after the grants."""
    async with connection.transaction():
        await act_as_owner(connection)
        for schema in ("event", "state", "custom", "sync", "analytics", "parity", "partner"):
            await connection.execute(
                f"CREATE TABLE {schema}.made_later (id bigint GENERATED ALWAYS AS IDENTITY, a int)"
            )
    await register_tables(connection, [PING_TABLE])
    return connection


async def test_each_role_may_do_to_each_table_what_the_matrix_says_and_no_more(granted):
    rows = await granted.fetch(
        "SELECT schemaname AS schema, schemaname || '.' || tablename AS place FROM pg_tables "
        "WHERE schemaname IN ('event', 'state', 'custom', 'sync', 'analytics', 'parity', 'partner')"
    )
    cells = [
        (role, row["place"], verb, verb in LEDGERS.get((role, row["place"]), MATRIX[role][row["schema"]]))
        for role in MATRIX
        for row in rows
        for verb in VERBS
    ]
    assert len({place for _, place, _, _ in cells}) > 20
    told = await granted.fetch(
        "SELECT role, place, verb, has_table_privilege(role, place, verb) AS may "
        "FROM unnest($1::text[], $2::text[], $3::text[]) AS cell (role, place, verb)",
        [cell[0] for cell in cells],
        [cell[1] for cell in cells],
        [cell[2] for cell in cells],
    )
    wrong = [
        (cell[:3], "wanted" if cell[3] else "too much")
        for cell, row in zip(cells, told, strict=True)
        if row["may"] != cell[3]
    ]
    assert wrong == []


async def test_schemas_and_database(connection):
    schemas = ("event", "state", "custom", "sync", "analytics", "parity", "partner")
    usage = {
        role: {
            schema
            for schema in schemas
            if await connection.fetchval("SELECT has_schema_privilege($1, $2, 'USAGE')", role, schema)
        }
        for role in MATRIX
    }
    assert usage == {
        "indexer_writer": set(schemas),
        "indexer_dispatcher": set(schemas),
        "indexer_reader": set(schemas) - {"partner"},
    }
    for role in MATRIX:
        for schema in schemas:
            assert not await connection.fetchval(
                "SELECT has_schema_privilege($1, $2, 'CREATE')", role, schema
            )
        assert not await connection.fetchval(
            "SELECT has_database_privilege($1, current_database(), 'CREATE')", role
        )


async def test_the_owner_owns_everything_and_nobody_logs_in_as_it(granted):
    owners = await granted.fetch(
        "SELECT DISTINCT r.rolname, r.rolcanlogin, r.rolsuper FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname IN ('event', 'state', 'custom', 'sync', 'analytics', 'parity', 'partner')"
    )
    assert [tuple(row) for row in owners] == [("indexer_owner", False, False)]


async def test_a_reader_cannot_write_or_run_for_long(granted):
    settings = await granted.fetchval("SELECT rolconfig FROM pg_roles WHERE rolname = 'indexer_reader'")
    assert set(settings) >= {"statement_timeout=60s", "default_transaction_read_only=on"}
    await granted.execute("SET ROLE indexer_reader")
    assert await granted.fetchval("SELECT count(*) FROM event.demo_ping") == 0
    for statement in (
        "DELETE FROM event.demo_ping",
        "CREATE TABLE event.mine (a int)",
        "TRUNCATE sync.chain",
        "SELECT * FROM partner.made_later",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await granted.execute(statement)


async def test_the_writer_has_all_the_daemon_needs(migrated_url, granted):
    await granted.execute(
        "DROP ROLE IF EXISTS test_daemon; CREATE ROLE test_daemon LOGIN PASSWORD 'x' IN ROLE indexer_writer"
    )
    try:
        url = migrated_url.replace("//postgres", "//test_daemon:x", 1)
        if "test_daemon" not in url:
            url = migrated_url.replace("//", "//test_daemon:x@", 1)
        store = await Store.open(DatabaseSettings(url=SecretStr(url)))
        try:
            await store.require_migrated()
            assert await store.migrate() == []
            books = await open_books(store)
            await books.commit(0, 3, [Log(1, 0), Log(3, 0), Log(3, 1, known=False)])
            await books.reorg(2, 4, [Log(4, 0)], "b")
            await books.commit(0, 1, [Log(1, 0)], next=None, links=())
            await store.register_selectors({"demo": frozenset((b"\x01" * 4,))})
            await store.rewind(CHAIN, books.epoch, 1)
            assert await books.pings() == [(1, 0, 1)]
            assert (await store.status()).chains[0].tip is not None
        finally:
            await store.close()
    finally:
        await granted.execute("DROP ROLE test_daemon")


async def test_a_reader_logs_in_with_a_timeout_and_read_only(migrated_url, connection):
    reader = await asyncpg.connect(migrated_url, user="indexer_reader", password="set by the test")
    try:
        assert await reader.fetchval("SHOW statement_timeout") == "1min"
        assert await reader.fetchval("SELECT count(*) FROM sync.chain") == 0
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reader.execute("CREATE TEMP TABLE mine (a int)")
    finally:
        await reader.close()
    logins = await connection.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'indexer\\_%' AND NOT rolcanlogin"
    )
    assert [row["rolname"] for row in logins] == ["indexer_owner"]


async def test_a_plain_owner_of_a_database_can_do_without_making_roles(postgres_url, url_of, connection):
    """The roles are there, but this role may neither make roles nor act as their owner."""
    admin = await asyncpg.connect(postgres_url)
    await admin.execute("CREATE ROLE test_plain LOGIN PASSWORD 'x'")
    await admin.execute("CREATE DATABASE indexer_test_plain OWNER test_plain TEMPLATE template0")
    try:
        url = url_of("indexer_test_plain")
        plain = await asyncpg.connect(url, user="test_plain", password="x")
        assert "0001_sync" in await migrate(plain)
        assert await register_tables(plain, [PING_TABLE]) == ["demo_ping"]
        for role, verb in (("indexer_reader", "SELECT"), ("indexer_writer", "INSERT")):
            assert await plain.fetchval("SELECT has_table_privilege($1, 'event.demo_ping', $2)", role, verb)
        await plain.close()
    finally:
        await admin.execute("DROP DATABASE indexer_test_plain WITH (FORCE)")
        await admin.execute("DROP ROLE test_plain")
        await admin.close()


async def test_the_roles_file_may_be_applied_again_and_again(connection):
    for _ in range(2):
        report = await apply_roles(connection)
        assert (report.applied, report.reason) == (True, None)


async def test_where_roles_cannot_be_made_it_is_reported(connection):
    await connection.execute("SET ROLE indexer_writer")
    report = await apply_roles(connection)
    assert not report.applied
    assert report.reason
