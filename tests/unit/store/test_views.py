"""Views are made after the event tables, replaced when they change, and never at the cost of other people's."""

from __future__ import annotations

import re

import asyncpg
import pytest
from pydantic import SecretStr
from store_world import PING_TABLE

from indexer.config import DatabaseSettings
from indexer.decode.tables import Column, EventTable
from indexer.errors import ConfigError, InvariantViolated, StoreUnavailable
from indexer.store.connect import connect
from indexer.store.ddl import register_tables
from indexer.store.event_views import Argument, EventRelation, event_views_sql
from indexer.store.store import Store
from indexer.store.views import VIEWS_DIR, apply_views, read_view_files

BASE = """
CREATE OR REPLACE FUNCTION analytics.hex(raw bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT '0x' || encode(raw, 'hex') $$;
COMMENT ON FUNCTION analytics.hex(bytea) IS 'Hex.';
"""
FIRST = "CREATE OR REPLACE VIEW analytics.first AS SELECT chain_id FROM sync.chain;\n"
WIDER = "CREATE OR REPLACE VIEW analytics.first AS SELECT chain_id, name FROM sync.chain;\n"
OTHER = "CREATE OR REPLACE VIEW analytics.first AS SELECT name FROM sync.chain;\n"
SECOND = "CREATE OR REPLACE VIEW analytics.second AS SELECT * FROM analytics.first;\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "00_base.sql").write_text(BASE)
    (tmp_path / "10_first.sql").write_text(FIRST)
    (tmp_path / "20_second.sql").write_text(SECOND)
    return tmp_path


async def columns(connection, view):
    rows = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 ORDER BY attnum",
        view,
    )
    return [row[0] for row in rows]


async def test_a_second_run_changes_nothing_and_only_what_changed_is_applied(connection, folder):
    assert await apply_views(connection, folder) == ["00_base", "10_first", "20_second", "50_events"]
    assert await apply_views(connection, folder) == []
    (folder / "10_first.sql").write_text(WIDER)
    assert await apply_views(connection, folder) == ["10_first"]
    assert await columns(connection, "analytics.first") == ["chain_id", "name"]
    assert await apply_views(connection, folder) == []


async def test_views_over_events_follow_the_tables(connection, folder):
    await apply_views(connection, folder)
    await register_tables(connection, [PING_TABLE])
    assert await apply_views(connection, folder) == ["50_events"]
    name = f'parity."{PING_TABLE.event}__e"'
    before = await columns(connection, name)
    assert before[:8] == [
        "chainId", "blockNumber", "blockHash", "blockTime", "transactionHash", "transactionIndex", "logIndex", "address",
    ]  # fmt: skip
    more = EventTable(
        "late_ping", "late", PING_TABLE.event, f"{PING_TABLE.event}(bytes)", b"\x07" * 32,
        (Column("extra_data", "bytea", "Argument 0 (extraData) of type bytes."),), "Event.",
    )  # fmt: skip
    await register_tables(connection, [more])
    assert await apply_views(connection, folder) == ["50_events"]
    assert await columns(connection, name) != before
    assert "extraData" in await columns(connection, name)


async def test_views_of_other_people_stay_where_ours_can_be_replaced_in_place(connection, folder):
    await apply_views(connection, folder)
    await connection.execute("CREATE SCHEMA mine; CREATE VIEW mine.report AS SELECT * FROM analytics.second")
    (folder / "10_first.sql").write_text(WIDER)
    await apply_views(connection, folder)
    assert await columns(connection, "mine.report") == ["chain_id"]


async def test_where_columns_go_all_are_made_anew(connection, folder):
    await apply_views(connection, folder)
    (folder / "10_first.sql").write_text(OTHER)
    await apply_views(connection, folder)
    assert await columns(connection, "analytics.second") == ["name"]


async def test_where_columns_go_under_other_peoples_views_nothing_changes_and_they_are_named(
    connection, folder
):
    await apply_views(connection, folder)
    await connection.execute("CREATE SCHEMA mine; CREATE VIEW mine.report AS SELECT * FROM analytics.second")
    (folder / "10_first.sql").write_text(OTHER)
    with pytest.raises(ConfigError, match=r"view mine\.report depends on"):
        await apply_views(connection, folder)
    assert await columns(connection, "analytics.second") == ["chain_id"]
    await connection.execute("DROP VIEW mine.report")
    await apply_views(connection, folder)
    assert await columns(connection, "analytics.second") == ["name"]


async def test_a_file_that_went_takes_its_views_along(connection, folder):
    await apply_views(connection, folder)
    (folder / "20_second.sql").unlink()
    assert await apply_views(connection, folder)
    assert await columns(connection, "analytics.second") == []
    assert await columns(connection, "analytics.first") == ["chain_id"]
    assert await apply_views(connection, folder) == []


async def test_a_broken_file_leaves_the_old_views(connection, folder):
    await apply_views(connection, folder)
    (folder / "10_first.sql").write_text(WIDER + "SELECT 1 / 0;")
    with pytest.raises(InvariantViolated, match="division by zero"):
        await apply_views(connection, folder)
    assert await columns(connection, "analytics.first") == ["chain_id"]


async def test_a_reader_in_the_way_is_not_waited_for_for_long(connection, migrated_url, folder, monkeypatch):
    await apply_views(connection, folder)
    (folder / "10_first.sql").write_text(WIDER)
    monkeypatch.setattr("indexer.store.views._LOCK_SECONDS", "100ms")
    other = await connect(migrated_url)
    async with other.transaction():
        await other.fetch("SELECT * FROM analytics.first")
        with pytest.raises(StoreUnavailable):
            await apply_views(connection, folder)
    assert await apply_views(connection, folder) == ["10_first"]
    await other.close()


async def test_a_column_that_views_read_can_be_changed_after_drop_views(connection, folder):
    (folder / "10_first.sql").write_text(WIDER)
    await apply_views(connection, folder)
    with pytest.raises(asyncpg.PostgresError):
        await connection.execute("ALTER TABLE sync.chain ALTER COLUMN name TYPE varchar")
    assert await connection.fetchval("SELECT sync.drop_views()") == 4
    await connection.execute("ALTER TABLE sync.chain ALTER COLUMN name TYPE varchar")
    assert await apply_views(connection, folder) == ["00_base", "10_first", "20_second", "50_events"]


async def test_all_views_of_this_version_can_be_dropped_and_made_again(views_url):
    made = await connect(views_url)
    count = "SELECT count(*) FROM pg_views WHERE schemaname IN ('analytics', 'parity')"
    functions = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'analytics'::regnamespace"
    before = (await made.fetchval(count), await made.fetchval(functions))
    assert await made.fetchval("SELECT sync.drop_views()") == before[0] > 150
    assert (await made.fetchval(count), await made.fetchval(functions)) == (0, 0)
    assert len(await apply_views(made)) == len(read_view_files()) + 1
    assert (await made.fetchval(count), await made.fetchval(functions)) == before
    await made.close()


async def test_readers_may_read_them_and_writers_may_not_make_them(views_url):
    made = await connect(views_url)
    await made.execute("SET ROLE indexer_reader")
    for view in ("analytics.activity", "analytics.token_transfer", 'parity."Token"', 'parity."Transfer__e"'):
        assert await made.fetch(f"SELECT * FROM {view}") == []
    assert await made.fetch("SELECT * FROM analytics.portfolio('0x00')") == []
    await made.execute(
        "RESET ROLE; DELETE FROM sync.view_file WHERE name = '20_tokens'; SET ROLE indexer_writer"
    )
    with pytest.raises(ConfigError, match="indexer db migrate"):
        await apply_views(made)
    await made.close()


async def test_the_store_makes_them(event_url):
    store = await Store.open(DatabaseSettings(url=SecretStr(event_url)))
    assert "50_events" in await store.apply_views()
    assert await store.apply_views() == []
    await store.close()


def test_files_have_names_in_order(tmp_path):
    assert len(read_view_files()) == len(list(VIEWS_DIR.glob("*.sql")))
    (tmp_path / "views.sql").write_text("")
    with pytest.raises(ValueError, match="10_what_about"):
        read_view_files(tmp_path)


def test_every_object_of_a_file_is_known_to_the_ledger():
    for file in read_view_files():
        made = re.findall(r"^CREATE (?!INDEX)(.*)$", file.text, re.MULTILINE)
        assert all(line.startswith(("OR REPLACE VIEW", "OR REPLACE FUNCTION")) for line in made), file.name
        assert len(made) >= len(file.views) + len(file.functions)


async def test_odd_abis_have_classes_too(connection, folder):
    long = "E" * 60
    odd = [
        EventTable(f"odd_{place}", "odd", event, f"{event}({kind})", bytes([place]) * 32, columns, "Event.")
        for place, (event, kind, columns) in enumerate(
            [
                (long, "uint256", (Column("a", "numeric", "Argument 0 (a) of type uint256."),)),
                ("transfer", "uint8", (Column("address_", "integer", "Argument 0 (address) of type uint8."),)),
                ("Same", "bytes32", (Column("x", "bytea", "Argument 0 (x) of type bytes32."),)),
                ("Same", "uint256", (Column("x", "numeric", "Argument 0 (x) of type uint256."),)),
                ("Same", "uint8,uint8", (
                    Column("x", "integer", "Argument 0 (x) of type uint8."),
                    Column("x_", "integer", "Argument 1 (x) of type uint8."),
                )),
                ("Bare", "", ()),
                ("Wide", "uint256", tuple(Column(f"c{n}", "numeric", f"Argument {n} (c{n}) of type uint256.") for n in range(90))),
            ],
            start=1,
        )
    ]  # fmt: skip
    await register_tables(connection, odd)
    assert "50_events" in await apply_views(connection, folder)
    assert (await columns(connection, 'parity."transfer__e"'))[-2:] == ["eventSignature", "address_"]
    assert (await columns(connection, 'parity."Same__e"'))[-2:] == ["x", "x_"]
    assert await connection.fetchval("SELECT count(*) FROM analytics.activity") == 0
    names = await connection.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'parity'")
    assert max(len(row[0]) for row in names) <= 63
    assert len(names) == 5


def test_the_text_follows_from_the_tables_alone():
    one = EventRelation("a", "abi", "A(uint8)", (Argument("x", "integer", "x"),))
    two = EventRelation("b", "abi", "B(uint8)", (Argument("x", "integer", "x"),))
    assert event_views_sql([one, two]) == event_views_sql([one, two])
    assert event_views_sql([one]) != event_views_sql([one, two])
