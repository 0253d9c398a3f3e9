"""What COPY is given, read back from a real PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import eth_abi
import numpy as np
import pytest

from indexer.chain.logs import UNKNOWN_TIME, LogBatch
from indexer.decode.decoder import Decoder
from indexer.decode.tables import LEADING_COLUMNS, Column, EventTable, RowBatch, Undecoded, Words
from indexer.errors import InvariantViolated
from indexer.store.copy_rows import CHUNK_BYTES, encode_rows, encode_undecoded
from indexer.testing.events import Log, TopicResolver, event_layout, log_batch

CHAIN = 8453


async def copy(connection: asyncpg.Connection, table: str, pieces: list[bytes]) -> None:
    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    await connection.copy_to_table(table, source=source(), format="binary", schema_name="event")


async def create(connection: asyncpg.Connection, table: EventTable) -> None:
    columns = [*LEADING_COLUMNS, *[(column.name, column.sql_type) for column in table.columns]]
    body = ", ".join(f'"{name}" {kind}' for name, kind in columns)
    await connection.execute(
        f'CREATE TABLE event."{table.name}" ({body}, PRIMARY KEY (chain_id, block_number, log_index))'
    )


def table_of(*columns: tuple[str, str]) -> EventTable:
    made = tuple(Column(name, kind, "A test.") for name, kind in columns)
    return EventTable("copied", "test", "Copied", "Copied()", b"\x01" * 32, made, "A test.")


def logs_of(count: int) -> LogBatch:
    return log_batch([Log([], log_index=at, block=1 + at // 3, tx_index=at) for at in range(count)])


async def round_trip(connection: asyncpg.Connection, logs: LogBatch, rows: RowBatch) -> list[asyncpg.Record]:
    await create(connection, rows.table)
    await copy(connection, rows.table.name, encode_rows(CHAIN, logs, rows))
    return await connection.fetch(f'SELECT * FROM event."{rows.table.name}" ORDER BY block_number, log_index')


def words_of(values: list[int], *, signed: bool) -> Words:
    joined = b"".join(value.to_bytes(32, signed=signed) for value in values)
    return Words(np.frombuffer(joined, np.uint8).reshape(-1, 32), signed)


async def test_the_leading_columns(connection: asyncpg.Connection) -> None:
    logs = logs_of(3)
    rows = RowBatch(table_of(), np.array([0, 2]), ())
    found = await round_trip(connection, logs, rows)
    assert [list(row) for row in found] == [
        [
            CHAIN,
            1,
            logs.block_hash[at].tobytes(),
            datetime.fromtimestamp(1_700_000_001, UTC),
            logs.tx_hash[at].tobytes(),
            at,
            at,
            b"\xaa" * 20,
        ]
        for at in (0, 2)
    ]


@pytest.mark.parametrize("signed", [False, True])
async def test_numeric_columns_are_exact_over_the_whole_range(
    connection: asyncpg.Connection, *, signed: bool
) -> None:
    draw = random.Random(5)
    values = [0, 1, 9999, 10_000, 10**8, 10**20 - 1, 2**64, 2**128 - 1, 2**255 - 1]
    values += [10**power for power in range(77)] + [2**power for power in range(255)]
    values += [draw.getrandbits(draw.randrange(1, 255)) for _ in range(300)]
    values += [-value for value in values] + [-(2**255)] if signed else [2**256 - 1, 2**256 - 2**16]
    for name, chosen in {"all": values, "small": [v for v in values if abs(v) < 2**60]}.items():
        table = EventTable(name, "t", "E", "E()", None, (Column("n", "numeric", "A test."),), "A test.")
        rows = RowBatch(table, np.arange(len(chosen)), (words_of(chosen, signed=signed),))
        found = await round_trip(connection, logs_of(len(chosen)), rows)
        assert [row["n"] for row in found] == [Decimal(value) for value in chosen]
        text = await connection.fetch(f"SELECT n::text FROM event.{name} ORDER BY block_number, log_index")
        assert [row["n"] for row in text] == [str(value) for value in chosen]


async def test_fixed_columns_of_every_kind(connection: asyncpg.Connection) -> None:
    table = table_of(
        ("a", "bytea"),
        ("b", "boolean"),
        ("c", "integer"),
        ("d", "bigint"),
        ("e", "numeric"),
        ("f", "bytea"),
        ("g", "text"),
    )
    columns = (
        np.array([[1, 2], [3, 4]], np.uint8),
        np.array([True, False]),
        np.array([-(2**31), 2**31 - 1], np.int32),
        np.array([-(2**63), 2**63 - 1], np.int64),
        words_of([-1, 7], signed=True),
        np.zeros((2, 0), np.uint8),
        None,
    )
    found = await round_trip(connection, logs_of(2), RowBatch(table, np.arange(2), columns))
    assert [list(row)[8:] for row in found] == [
        [b"\x01\x02", True, -(2**31), -(2**63), Decimal(-1), b"", None],
        [b"\x03\x04", False, 2**31 - 1, 2**63 - 1, Decimal(7), b"", None],
    ]


VARYING: dict[str, list[Any]] = {
    "bytea": [b"", b"\x00\xff", None, b"x" * 5000],
    "text": ["", "h\u00e9llo", None, "\uf700\U0001f600"],
    "boolean": [True, False, None, True],
    "integer": [0, -(2**31), None, 2**31 - 1],
    "bigint": [0, -(2**63), None, 2**63 - 1],
    "numeric": [0, -(2**255), None, 2**256 - 1],
    "jsonb": ["{}", '{"a": ["1", 2, true]}', None, "[]"],
    "bytea[]": [[], [b"", b"\x01"], None, [b"\x02" * 20]],
    "text[]": [[], ["", 'a,b"{}'], None, ["NULL"]],
    "boolean[]": [[], [True, False], None, [True]],
    "integer[]": [[], [1, -2, 3], None, [2**31 - 1]],
    "bigint[]": [[], [2**63 - 1], None, [-(2**63), 0]],
    "numeric[]": [[], [0, 10_000, 2**256 - 1], None, [-(2**255)]],
}


async def test_columns_of_varying_width_and_null(connection: asyncpg.Connection) -> None:
    fixed = np.array([5, 6, 7, 8], np.int32)
    names = [f"c{place}" for place in range(len(VARYING))]
    table = table_of(*zip(names, VARYING, strict=True), ("tail", "integer"))
    rows = RowBatch(table, np.arange(4), (*VARYING.values(), fixed))
    found = await round_trip(connection, logs_of(4), rows)
    for name, (kind, values) in zip(names, VARYING.items(), strict=True):
        assert [row[name] for row in found] == [
            Decimal(value) if kind == "numeric" and value is not None else value for value in values
        ], kind
    assert [row["tail"] for row in found] == [5, 6, 7, 8]
    dims = await connection.fetchval("SELECT array_ndims(c7) FROM event.copied WHERE log_index = 0")
    assert dims is None


async def test_decoded_events_of_mixed_types_arrive(connection: asyncpg.Connection) -> None:
    layout = event_layout(
        "Mixed(address indexed who, string indexed label, uint256 amount, string note, int64 low,"
        " bytes32[] ids, (uint8 kind, uint256 worth)[] parts, bool ok)"
    )
    types = ["uint256", "string", "int64", "bytes32[]", "(uint8,uint256)[]", "bool"]
    values = [
        [2**256 - 1, "a\x00b", -5, [], [], True],
        [0, "", 5, [b"\x01" * 32], [(1, 2**200)], False],
    ]
    topics = [layout.topic0 or b"", b"\x00" * 12 + b"\x07" * 20, b"\x09" * 32]
    logs = log_batch([Log(topics, eth_abi.encode(types, one), log_index=at) for at, one in enumerate(values)])
    decoded = Decoder(TopicResolver([layout])).decode(logs, np.zeros(2, np.int32))
    found = await round_trip(connection, logs, decoded.rows[0])
    assert [list(row)[8:] for row in found] == [
        [b"\x07" * 20, b"\x09" * 32, Decimal(2**256 - 1), "a\uf700b", -5, [], "[]", True],
        [
            b"\x07" * 20,
            b"\x09" * 32,
            Decimal(0),
            "",
            5,
            [b"\x01" * 32],
            f'[{{"kind": 1, "worth": "{2**200}"}}]',
            False,
        ],
    ]
    raw = await connection.fetchval("SELECT event.text_bytes(note) FROM event.test_mixed WHERE log_index = 0")
    assert raw == b"a\x00b"


async def test_event_text_bytes_is_the_way_back(connection: asyncpg.Connection) -> None:
    draw = random.Random(3)
    pieces = [
        b"\x00",
        b"\xff",
        b"\xc3",
        "\uf700".encode(),
        "\uf7ff".encode(),
        "\u00e9".encode(),
        b"plain",
        b"\\x00",
        b"'",
    ]
    raws = [b"", *pieces, *[b"".join(draw.choices(pieces, k=5)) for _ in range(200)]]
    raws += [draw.randbytes(draw.randrange(12)) for _ in range(300)]
    layout = event_layout("Said(string text)")
    logs = log_batch(
        [
            Log([layout.topic0 or b""], eth_abi.encode(["bytes"], [raw]), log_index=at)
            for at, raw in enumerate(raws)
        ]
    )
    decoded = Decoder(TopicResolver([layout])).decode(logs, np.zeros(len(logs), np.int32))
    await create(connection, layout.table)
    await copy(connection, layout.table.name, encode_rows(CHAIN, logs, decoded.rows[0]))
    found = await connection.fetch(
        "SELECT event.text_bytes(text) AS raw FROM event.test_said ORDER BY log_index"
    )
    assert [row["raw"] for row in found] == raws


async def test_undecoded_logs_arrive_whole(connection: asyncpg.Connection) -> None:
    logs = log_batch(
        [
            Log([bytes([place]) * 32 for place in range(count)], b"\x05" * count, log_index=count)
            for count in range(5)
        ]
    )
    undecoded = Undecoded(np.array([0, 1, 4]), ["no_topics", "unknown_topic", "short_data"])
    await copy(connection, "undecoded", encode_undecoded(CHAIN, logs, undecoded))
    found = await connection.fetch("SELECT * FROM event.undecoded ORDER BY log_index")
    assert [(row["log_index"], row["topics"], row["data"], row["reason"]) for row in found] == [
        (at, [bytes([place]) * 32 for place in range(at)], b"\x05" * at, reason)
        for at, reason in ((0, "no_topics"), (1, "unknown_topic"), (4, "short_data"))
    ]


async def test_many_rows_come_in_bounded_pieces(connection: asyncpg.Connection) -> None:
    count = 9000
    table = table_of(("note", "text"), ("n", "integer"))
    notes: list[object] = ["x" * (at % 400) for at in range(count)]
    rows = RowBatch(table, np.arange(count), (notes, np.arange(count, dtype=np.int32)))
    logs = logs_of(count)
    pieces = encode_rows(CHAIN, logs, rows)
    assert len(pieces) > 4
    assert max(map(len, pieces)) < CHUNK_BYTES + 1000
    fixed = encode_rows(
        CHAIN, logs, RowBatch(table_of(("n", "integer")), np.arange(count), (rows.columns[1],))
    )
    assert max(map(len, fixed)) <= CHUNK_BYTES
    found = await round_trip(connection, logs, rows)
    assert [(row["note"], row["n"]) for row in found] == list(zip(notes, range(count), strict=True))


def test_no_rows_are_only_header_and_trailer() -> None:
    for kind, columns in (
        ("integer", (np.zeros(0, np.int32),)),
        ("integer", ([],)),
        ("numeric", (words_of([], signed=False),)),
    ):
        table = table_of(("n", kind))
        joined = b"".join(encode_rows(CHAIN, logs_of(0), RowBatch(table, np.zeros(0, np.int64), columns)))
        assert joined == b"PGCOPY\n\xff\r\n\x00" + bytes(8) + b"\xff\xff"


def test_what_cannot_be_written_is_an_error() -> None:
    logs = logs_of(1)
    one = np.arange(1)
    with pytest.raises(InvariantViolated, match="column n "):
        encode_rows(CHAIN, logs, RowBatch(table_of(("n", "integer")), one, ([2**31],)))
    with pytest.raises(InvariantViolated, match="column n "):
        encode_rows(CHAIN, logs, RowBatch(table_of(("n", "text")), one, ([5],)))
    with pytest.raises(InvariantViolated, match="2 values for 1 rows"):
        encode_rows(CHAIN, logs, RowBatch(table_of(("n", "text")), one, (["a", "b"],)))
    with pytest.raises(InvariantViolated, match="int64"):
        encode_rows(CHAIN, logs, RowBatch(table_of(("n", "integer")), one, (np.zeros(1, np.int64),)))
    with pytest.raises(InvariantViolated, match="money"):
        encode_rows(CHAIN, logs, RowBatch(table_of(("n", "money")), one, ([5],)))
    with pytest.raises(InvariantViolated, match="array of money"):
        encode_rows(CHAIN, logs, RowBatch(table_of(("n", "money[]")), one, ([[5]],)))
    logs.block_time[:] = UNKNOWN_TIME
    with pytest.raises(InvariantViolated, match="time"):
        encode_rows(CHAIN, logs, RowBatch(table_of(), one, ()))
