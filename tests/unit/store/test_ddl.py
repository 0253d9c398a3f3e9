from __future__ import annotations

import asyncio
import dataclasses
import json

import asyncpg
import pytest
from store_world import CHAIN, PING_TABLE, Log

from indexer.decode.tables import LEADING_COLUMNS, Column, EventTable
from indexer.errors import ConfigError, SchemaMismatch
from indexer.store.connect import connect
from indexer.store.ddl import known_tables, register_selectors, register_tables

SQL_TYPES = ("bytea", "boolean", "integer", "bigint", "numeric", "text", "jsonb")

EVERY_TYPE = EventTable(
    name="demo_every_type",
    abi="demo",
    event="EveryType",
    signature="EveryType(...)",
    topic0=b"\x01" * 32,
    columns=tuple(
        Column(f"c_{sql_type}{'s' if array else ''}", sql_type + array, f"A {sql_type}{array}.")
        for sql_type in SQL_TYPES
        for array in ("", "[]")
    ),
    comment="EveryType",
)


def table(
    name: str, *columns: Column, signature: str = "Odd()", topic0: bytes | None = b"\x02" * 32
) -> EventTable:
    return EventTable(name, "demo", "Odd", signature, topic0, columns, f"Table {name}")


async def columns_of(connection, name):
    rows = await connection.fetch(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS t, col_description(a.attrelid, a.attnum) AS said "
        "FROM pg_attribute a WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 ORDER BY a.attnum",
        f'event."{name}"',
    )
    return [(row["attname"], row["t"], row["said"]) for row in rows]


async def test_a_table_of_every_sql_type(connection):
    assert await register_tables(connection, [EVERY_TYPE]) == ["demo_every_type"]
    made = await columns_of(connection, "demo_every_type")
    leading = [name for name, _ in LEADING_COLUMNS]
    assert [name for name, _, _ in made[: len(leading)]] == leading
    assert [(name, sql_type, said) for name, sql_type, said in made[len(leading) :]] == [
        (column.name, column.sql_type, column.comment) for column in EVERY_TYPE.columns
    ]
    assert all(said for _, _, said in made)
    key = await connection.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'event.demo_every_type'::regclass AND contype = 'p'"
    )
    assert key == "PRIMARY KEY (chain_id, block_number, log_index)"
    recorded = await connection.fetchval(
        "SELECT columns FROM sync.event_table WHERE table_name = 'demo_every_type'"
    )
    assert json.loads(recorded) == [{"name": c.name, "type": c.sql_type} for c in EVERY_TYPE.columns]
    assert await register_tables(connection, [EVERY_TYPE]) == []


async def test_names_and_comments_that_need_quoting(connection):
    odd = table('a "b"; DROP', Column("select", "text", "it's \\ odd"), Column("Grüße", "bytea", "ü"))
    await register_tables(connection, [odd])
    assert (await columns_of(connection, 'a ""b""; DROP'))[-2:] == [
        ("select", "text", "it's \\ odd"),
        ("Grüße", "bytea", "ü"),
    ]


async def test_another_layout_adds_columns_and_keeps_rows(books):
    await books.commit(0, 1, [Log(1, 0, 5)])
    wider = dataclasses.replace(
        PING_TABLE, columns=(*PING_TABLE.columns, Column("note_hash", "bytea", "Hash of note."))
    )
    assert await books.store.register_tables([wider]) == ["demo_ping"]
    assert await books.fetch("SELECT value::int, note_hash FROM event.demo_ping") == [(5, None)]
    await books.commit(2, 2, [Log(2, 0, 6)])  # a batch that knows nothing of the new column
    assert await books.pings() == [(1, 0, 5), (2, 0, 6)]


async def test_what_is_there_is_never_renamed_retyped_or_taken_over(connection):
    await register_tables(connection, [PING_TABLE])
    with pytest.raises(SchemaMismatch, match="has the table"):
        await register_tables(connection, [dataclasses.replace(PING_TABLE, name="ping")])
    with pytest.raises(SchemaMismatch, match="is there already"):
        await register_tables(connection, [dataclasses.replace(PING_TABLE, signature="Ping(uint8)")])
    retyped = dataclasses.replace(PING_TABLE, columns=(Column("value", "text", "."),))
    with pytest.raises(SchemaMismatch, match="value is numeric"):
        await register_tables(connection, [retyped])
    with pytest.raises(SchemaMismatch, match="is there already"):
        await register_tables(connection, [table("undecoded")])
    assert await known_tables(connection) == {("demo", "Ping(uint256,string)"): "demo_ping"}


async def test_several_daemons_may_register_the_same_tables_at_once(migrated_url):
    connections = [await connect(migrated_url) for _ in range(3)]
    made = await asyncio.gather(*(register_tables(one, [PING_TABLE, EVERY_TYPE]) for one in connections))
    assert sorted(name for names in made for name in names) == ["demo_every_type", "demo_ping"]
    for one in connections:
        await one.close()


async def test_a_writer_needs_no_right_to_make_tables_while_none_is_missing(connection):
    await register_tables(connection, [PING_TABLE])
    await connection.execute("SET ROLE indexer_writer")
    assert await register_tables(connection, [PING_TABLE]) == []
    with pytest.raises(ConfigError, match="indexer db migrate"):
        await register_tables(connection, [EVERY_TYPE])


async def test_selectors_become_what_they_are_told(connection):
    one, two, three = b"\x01" * 4, b"\x02" * 4, b"\x03" * 4
    await register_selectors(connection, {"a": frozenset((one, two)), "b": frozenset((one,))})
    await register_selectors(connection, {"a": frozenset((two, three))})
    rows = await connection.fetch("SELECT abi, selector FROM sync.abi_selector ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [("a", two), ("a", three), ("b", one)]


async def test_rows_of_anonymous_events_are_replaced_by_place(books):
    hidden = table("demo_hidden", Column("value", "numeric", "."), signature="Hidden(uint256)", topic0=None)
    await books.store.register_tables([hidden])
    await books.commit(0, 3, [Log(1, 0), Log(2, 0)])
    await books.fetch(
        "INSERT INTO event.demo_hidden (chain_id, block_number, block_hash, block_time, tx_hash, tx_index, log_index, address) "
        "SELECT chain_id, block_number, block_hash, block_time, tx_hash, tx_index, log_index, address FROM event.demo_ping "
        "RETURNING 1"
    )
    topic_only = dataclasses.replace(
        books.source.spec.filter, addresses=None, topics=frozenset((PING_TABLE.topic0,))
    )
    await books.commit(0, 3, [Log(1, 0)], next=None, links=(), replaces=(topic_only,))
    assert await books.fetch("SELECT block_number FROM event.demo_hidden") == [(2,)]
    assert await books.pings() == [(1, 0, 1)]


async def test_diamond_cuts_and_seeds_are_read_back(store):
    cut = EventTable(
        "diamond_cut",
        "diamond",
        "DiamondCut",
        "DiamondCut((address,uint8,bytes4[])[],address,bytes)",
        b"\x03" * 32,
        (Column("diamond_cut", "jsonb", "."), Column("init", "bytea", "."), Column("calldata", "bytea", ".")),
        "DiamondCut",
    )
    assert await store.diamond_cuts(CHAIN) == []
    await store.register_tables([cut])
    facets = [
        {"facetAddress": "0x" + "aa" * 20, "action": 0, "functionSelectors": ["0x01020304", "0xdeadbeef"]}
    ]
    async with store.session("planting a cut") as connection:
        await connection.execute(
            "INSERT INTO event.diamond_cut VALUES ($1, 7, $2, now(), $2, 0, 3, $3, $4::jsonb, $3, '')",
            CHAIN,
            bytes(32),
            b"\xdd" * 20,
            json.dumps(facets),
        )
    (read,) = await store.diamond_cuts(CHAIN)
    assert (read.diamond, read.block_number, read.log_index) == (b"\xdd" * 20, 7, 3)
    (entry,) = read.cuts
    assert (entry.facet, entry.action, entry.selectors) == (
        b"\xaa" * 20,
        0,
        (bytes.fromhex("01020304"), bytes.fromhex("deadbeef")),
    )
    await store.seed_diamond(CHAIN, b"\xdd" * 20, 5, {b"\xaa" * 20: {b"\x01" * 4}})
    await store.seed_diamond(CHAIN, b"\xdd" * 20, 6, {b"\xbb" * 20: {b"\x01" * 4, b"\x02" * 4}})
    (seed,) = await store.diamond_seeds(CHAIN)
    assert (seed.block_number, seed.facets) == (6, {b"\xbb" * 20: frozenset((b"\x01" * 4, b"\x02" * 4))})


async def test_a_column_type_that_is_none_is_refused(connection):
    with pytest.raises(ValueError, match="not a type name"):
        await register_tables(
            connection, [table("bad", Column("x", "text); DROP TABLE sync.chain; --", "."))]
        )
    with pytest.raises(asyncpg.UndefinedObjectError):
        await register_tables(connection, [table("bad", Column("x", "nonsense", "."))])
