"""The journal gives back rows exactly, on any table that is attached to it."""

from __future__ import annotations

from decimal import Decimal

import asyncpg
import pytest

WIDE = "state.wide"
MAKE = """
CREATE TABLE state.wide (
    chain_id bigint, key bytea, number numeric, place integer,
    amount numeric, raw bytea, words bytea[], amounts numeric[], document jsonb, flag boolean, said timestamptz,
    "Odd name" text, updated_block bigint, PRIMARY KEY (chain_id, key, number, place)
);
SELECT sync.attach_journal('state.wide');
"""
AMOUNTS = [Decimal(2**256 - 1), Decimal(-(2**255)), Decimal("1.500"), Decimal(0), Decimal(10**200 + 1), None]


async def journal(connection, first, last):
    await connection.execute("SELECT set_config('indexer.journal', $1, true)", f"{first},{last}")


async def contents(connection):
    rows = await connection.fetch(
        f"SELECT t::text AS t FROM {WIDE} AS t ORDER BY chain_id, key, number, place"
    )
    return [row["t"] for row in rows]


async def fill(connection, chain, places):
    rows = [
        (
            chain, bytes([0, 255, place]), Decimal(2**256 - 1 - place), place, AMOUNTS[place % 6], b"\x00\x5c\xff" * place,
            [b"\x00", b"\\x", b""], [Decimal(2**256 - 1), None], '{"a": [1, "0x00"], "n": null}', None, None,
            'quote " and \\ and \n', 1,
        )
        for place in places
    ]  # fmt: skip
    await connection.executemany(
        f"INSERT INTO {WIDE} VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)", rows
    )


@pytest.fixture
async def wide(connection: asyncpg.Connection) -> asyncpg.Connection:
    await connection.execute(MAKE)
    await fill(connection, 1, range(8))
    await fill(connection, 2, range(2))
    return connection


@pytest.mark.parametrize("output", ["hex", "escape"])
async def test_inserts_updates_and_deletes_come_back_exactly(wide, output):
    await wide.execute(f"SET bytea_output TO '{output}'")
    await wide.execute("SET timezone TO 'Asia/Kathmandu'")
    before = await contents(wide)
    async with wide.transaction():
        await journal(wide, 10, 12)
        await wide.execute(
            f"UPDATE {WIDE} SET amount = amount + 1, raw = raw || raw, said = now() WHERE place < 5 AND chain_id = 1"
        )
        await wide.execute(f"DELETE FROM {WIDE} WHERE place IN (0, 6) AND chain_id = 1")
        await fill(wide, 1, [20, 21])
    async with wide.transaction():
        await journal(wide, 13, 13)
        await wide.execute(f"UPDATE {WIDE} SET amounts = NULL, flag = true WHERE chain_id = 1")
        await wide.execute(f"DELETE FROM {WIDE} WHERE place = 20")
        await fill(wide, 1, [6])
        await wide.execute(
            f"INSERT INTO {WIDE} SELECT * FROM {WIDE} WHERE chain_id = 1 ON CONFLICT (chain_id, key, number, place) DO UPDATE SET raw = NULL"
        )
    assert await contents(wide) != before
    undone = await wide.fetch("SELECT * FROM sync.journal_undo(1, 9)")
    assert [(row["relation"], row["first_block"]) for row in undone] == [("state.wide", 10)]
    assert await contents(wide) == before
    assert await wide.fetchval("SELECT count(*) FROM sync.journal") == 0


async def test_only_folds_that_went_above_the_ancestor_are_undone(wide):
    async with wide.transaction():
        await journal(wide, 10, 12)
        await wide.execute(f"UPDATE {WIDE} SET amount = 1 WHERE chain_id = 1")
    middle = await contents(wide)
    async with wide.transaction():
        await journal(wide, 13, 15)
        await wide.execute(f"UPDATE {WIDE} SET amount = 2 WHERE chain_id = 1")
    undone = await wide.fetch("SELECT * FROM sync.journal_undo(1, 12)")
    assert [(row["first_block"], row["restored"]) for row in undone] == [(13, 8)]
    assert await contents(wide) == middle


async def test_other_chains_are_left_alone(wide):
    async with wide.transaction():
        await journal(wide, 10, 10)
        await wide.execute(f"UPDATE {WIDE} SET amount = 7")
    await wide.execute("SELECT * FROM sync.journal_undo(1, 9)")
    amounts = await wide.fetch(f"SELECT DISTINCT amount FROM {WIDE} WHERE chain_id = 2")
    assert [row["amount"] for row in amounts] == [Decimal(7)]
    assert await wide.fetchval("SELECT count(*) FROM sync.journal WHERE chain_id = 2") == 2


async def test_nothing_is_journaled_without_the_setting_nor_after_its_transaction(wide):
    await wide.execute(f"UPDATE {WIDE} SET amount = 1")
    async with wide.transaction():
        await journal(wide, 1, 1)
    await wide.execute(f"DELETE FROM {WIDE} WHERE place = 1")
    assert await wide.fetchval("SELECT count(*) FROM sync.journal") == 0


async def test_undoing_is_not_journaled_itself(wide):
    async with wide.transaction():
        await journal(wide, 10, 10)
        await wide.execute(f"DELETE FROM {WIDE} WHERE chain_id = 1")
        await wide.execute("SELECT * FROM sync.journal_undo(1, 9)")
        assert await wide.fetchval("SELECT count(*) FROM sync.journal") == 0
        await wide.execute(f"DELETE FROM {WIDE} WHERE place = 1 AND chain_id = 1")
        assert await wide.fetchval("SELECT count(*) FROM sync.journal") == 1


async def test_what_the_journal_cannot_undo_is_refused(wide):
    with pytest.raises(asyncpg.FeatureNotSupportedError, match=r"TRUNCATE on state\.wide is refused"):
        await wide.execute(f"TRUNCATE {WIDE}")
    with pytest.raises(asyncpg.FeatureNotSupportedError, match="UPDATE of the primary key"):
        await wide.execute(f"UPDATE {WIDE} SET place = place + 100")


async def test_a_table_without_a_chain_in_its_key_cannot_be_attached(connection):
    await connection.execute("CREATE TABLE state.keyless (chain_id bigint, a integer PRIMARY KEY)")
    with pytest.raises(asyncpg.RaiseError, match="primary key has to begin with chain_id"):
        await connection.execute("SELECT sync.attach_journal('state.keyless')")


async def test_every_state_table_is_attached_and_keyed_by_chain(connection):
    rows = await connection.fetch(
        """SELECT class.relname,
               (SELECT count(*) FROM pg_trigger WHERE tgrelid = class.oid AND tgname LIKE 'journal\\_%') AS triggers,
               (SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = class.oid AND attnum > 0) AS columns,
               sync.primary_key(class.oid) AS key
           FROM pg_class AS class WHERE relnamespace = 'state'::regnamespace AND relkind = 'r'
             AND relname NOT LIKE 'silent\\_%'"""  # those are read from the chain, at final blocks
    )
    assert {row["relname"] for row in rows} >= {"erc20_balance", "nft", "diamond_cut"}
    for row in rows:
        assert row["triggers"] == 5, row["relname"]
        assert row["key"][0] == "chain_id"
        assert "updated_block" in row["columns"], row["relname"]
