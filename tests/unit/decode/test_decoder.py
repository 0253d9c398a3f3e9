"""Interface rules 4, 5, 7 and 16 by example."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import eth_abi
import numpy as np
import pytest

from indexer.decode.column_data import as_list
from indexer.decode.decoder import Decoder
from indexer.decode.tables import Column, Decoded, EventLayout
from indexer.errors import InvariantViolated
from indexer.testing.events import FixedGroup, Log, TopicResolver, event_layout, log_batch

TRANSFER = event_layout("Transfer(address indexed from, address indexed to, uint256 value)", stem="erc20")
NFT_TRANSFER = event_layout(
    "Transfer(address indexed from, address indexed to, uint256 indexed tokenId)", stem="erc721"
)
NOTE = event_layout("Note(string text, uint256[] amounts)")
A, B = eth_abi.encode(["address"], ["0x" + "11" * 20]), eth_abi.encode(["address"], ["0x" + "22" * 20])


def topic0(layout: EventLayout) -> bytes:
    assert layout.topic0 is not None
    return layout.topic0


def word(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32) for number in numbers)


def decode(layouts: list[EventLayout], logs: list[Log]) -> Decoded:
    batch = log_batch(logs)
    return Decoder(TopicResolver(layouts)).decode(batch, np.zeros(len(batch), np.int32))


def note(data: bytes) -> Decoded:
    return decode([NOTE], [Log([topic0(NOTE)], data)])


def values(decoded: Decoded, column: str, table: str | None = None) -> list[Any]:
    rows = [one for one in decoded.rows if table in {None, one.table.name}]
    (batch,) = rows
    place = [one.name for one in batch.table.columns].index(column)
    return as_list(batch.columns[place], len(batch))


def test_a_transfer_becomes_a_row() -> None:
    decoded = decode([TRANSFER], [Log([topic0(TRANSFER), A, B], word(5))])
    assert values(decoded, "from_") == [b"\x11" * 20]
    assert values(decoded, "to_") == [b"\x22" * 20]
    assert values(decoded, "value") == [5]
    assert not decoded.undecoded.reasons
    assert not decoded.irregular


def test_the_number_of_topics_tells_erc20_from_erc721() -> None:
    logs = [
        Log([topic0(TRANSFER), A, B], word(5), log_index=0),
        Log([topic0(TRANSFER), A, B, word(7)], log_index=1),
        Log([topic0(TRANSFER), A], word(7), log_index=2),
    ]
    decoded = decode([TRANSFER, NFT_TRANSFER], logs)
    assert values(decoded, "value", TRANSFER.table.name) == [5]
    assert values(decoded, "token_id", NFT_TRANSFER.table.name) == [7]
    assert decoded.undecoded.logs.tolist() == [2]
    assert list(decoded.undecoded.reasons) == ["topic_count"]


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (Log([]), "no_topics"),
        (Log([b"\x01" * 32]), "unknown_topic"),
        (Log([topic0(TRANSFER), A, B]), "short_data"),
        (Log([topic0(TRANSFER), A, B], word(5)[:31]), "short_data"),
        (Log([topic0(TRANSFER), word(2**160), B], word(5)), "dirty_padding"),
        (Log([topic0(TRANSFER), A, word(2**255)], word(5)), "dirty_padding"),
    ],
)
def test_what_does_not_decode_is_kept_with_its_reason(log: Log, reason: str) -> None:
    decoded = decode([TRANSFER], [log])
    assert not decoded.rows
    assert decoded.undecoded.logs.tolist() == [0]
    assert list(decoded.undecoded.reasons) == [reason]


GOOD = eth_abi.encode(["string", "uint256[]"], ["héllo", [1, 2]])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "short_data"),
        (GOOD[:63], "short_data"),
        (word(2**256 - 1, 64), "bad_offset"),
        (word(64, len(GOOD)) + GOOD[64:], "bad_offset"),
        (word(0, 64) + GOOD[64:], "bad_offset"),  # into the head
        (word(64, 128, 2**255) + GOOD[96:], "bad_length"),
        (word(64, 128, 500) + GOOD[96:], "bad_length"),
        (word(64, 128, 1) + b"ab" + bytes(30) + word(0), "dirty_padding"),
        (word(64, 128, 0, 0), "bad_offset"),
        (word(96, 64, 0, 1) + b"a" + bytes(30), "short_data"),
        (word(64, 96, 0, 2**200), "bad_length"),
        (word(64, 96, 0, 3, 1, 2), "bad_length"),
    ],
)
def test_dynamic_data_that_cannot_be(data: bytes, reason: str) -> None:
    decoded = note(data)
    assert list(decoded.undecoded.reasons) == [reason]
    assert not decoded.rows


def test_surplus_bytes_decode_and_are_counted() -> None:
    logs = [
        Log([topic0(TRANSFER), A, B], word(5) + b"x", log_index=0),
        Log([topic0(NOTE)], GOOD + word(0), log_index=1),
        Log([topic0(NOTE)], GOOD, log_index=2),
    ]
    decoded = decode([TRANSFER, NOTE], logs)
    assert values(decoded, "value", TRANSFER.table.name) == [5]
    assert values(decoded, "text", NOTE.table.name) == ["héllo", "héllo"]
    assert decoded.irregular == {"surplus_data": 2}


def test_offsets_in_another_order_gaps_and_shared_tails_decode() -> None:
    swapped = word(160, 64, 2, 1, 2, 3) + b"abc" + bytes(29)
    gap = word(96, 160, 99, 3) + b"abc" + bytes(29) + word(2, 1, 2)
    for data in (swapped, gap):
        decoded = note(data)
        assert values(decoded, "text") == ["abc"]
        assert values(decoded, "amounts") == [[1, 2]]
        assert not decoded.irregular
    shared = note(word(64, 64, 0))
    assert values(shared, "text") == [""]
    assert values(shared, "amounts") == [[]]


def test_among_layouts_of_one_topic_count_the_exact_one_wins() -> None:
    short = event_layout("Thing(uint256 a)", stem="first")
    long = event_layout("Thing(uint256 a)", stem="second")
    wide = EventLayout(
        "second",
        "Thing",
        short.signature,
        short.topic0,
        event_layout("Thing(uint256 a, uint256 b)").params,
        event_layout("Thing(uint256 a, uint256 b)", stem="second").table,
        (0, 1),
    )
    logs = [
        Log([topic0(short)], word(1), log_index=0),
        Log([topic0(short)], word(1, 2), log_index=1),
        Log([topic0(short)], word(1, 2, 3), log_index=2),
    ]
    decoded = decode([short, wide], logs)
    assert {one.table.name: one.logs.tolist() for one in decoded.rows} == {
        short.table.name: [0, 2],
        wide.table.name: [1],
    }
    assert decoded.irregular == {"surplus_data": 1}
    twins = decode([short, long], logs[:1])
    assert [one.table.name for one in twins.rows] == [short.table.name]


def test_anonymous_layouts_come_last() -> None:
    named = event_layout("Ping(uint256 a)")
    anonymous = event_layout("LogNote(bytes4 indexed sig, address indexed guy)", anonymous=True)
    sig = b"\xab\xcd\xef\x01" + bytes(28)
    logs = [
        Log([sig, A], word(9), log_index=0),
        Log([topic0(named)], word(1, 2), log_index=1),
        Log([sig], b"", log_index=2),
        Log([sig, word(2**200)], b"", log_index=3),
        Log([], b"", log_index=4),
    ]
    decoded = decode([anonymous, named], logs)
    assert values(decoded, "sig", anonymous.table.name) == [sig[:4]]
    assert values(decoded, "a", named.table.name) == [1]
    assert dict(zip(decoded.undecoded.logs.tolist(), decoded.undecoded.reasons, strict=True)) == {
        2: "unknown_topic",
        3: "dirty_padding",
        4: "no_topics",
    }
    assert decoded.irregular == {"surplus_data": 2}


def test_a_named_layout_that_refuses_leaves_the_log_to_an_anonymous_one() -> None:
    named = event_layout("Ping(uint256 a)")
    anonymous = event_layout("Raw(bytes32 indexed sig)", anonymous=True)
    decoded = decode([named, anonymous], [Log([topic0(named)], b"")])
    assert values(decoded, "sig") == [topic0(named)]


def test_the_second_log_of_one_index_is_kept_undecoded() -> None:
    logs = [
        Log([topic0(TRANSFER), A, B], word(1), log_index=3, tx_index=0),
        Log([topic0(TRANSFER), B, A], word(2), log_index=3, tx_index=1),
        Log([topic0(TRANSFER), B, A], word(3), log_index=4),
        Log([topic0(TRANSFER), B, A], word(4), log_index=4, block=2),
    ]
    decoded = decode([TRANSFER], logs)
    assert len(values(decoded, "value")) == 3
    assert list(decoded.undecoded.reasons) == ["duplicate_log_index"]
    assert decoded.irregular == {"duplicate_log_index": 1}


def test_indexed_dynamic_arguments_are_their_hash() -> None:
    layout = event_layout(
        "Named(string indexed name, uint8[2] indexed pair, (uint8 a) indexed one, string text)"
    )
    hashes = [bytes([n]) * 32 for n in (1, 2, 3)]
    data = eth_abi.encode(["string"], ["x"])
    decoded = decode([layout], [Log([topic0(layout), *hashes], data)])
    assert [column.name for column in layout.table.columns] == ["name_hash", "pair_hash", "one_hash", "text"]
    assert [values(decoded, f"{name}_hash")[0] for name in ("name", "pair", "one")] == hashes


def test_jsonb_follows_rule_7() -> None:
    layout = event_layout(
        "Deal((address who, (uint48 small, uint56 wide, int48 low, bool ok, bytes4, string note, bytes raw)[] parts) d)"
    )
    value = (
        "0x" + "Ab" * 20,
        [(2**48 - 1, 2**56 - 1, -(2**47), True, b"\x01\x02\x03\x04", 'a\x00"', b"\xff")],
    )
    data = eth_abi.encode([layout.params[0].canonical], [value])
    (text,) = values(decode([layout], [Log([topic0(layout)], data)]), "d")
    assert json.loads(text) == {
        "who": "0x" + "ab" * 20,
        "parts": [
            {
                "small": 2**48 - 1,
                "wide": str(2**56 - 1),
                "low": -(2**47),
                "ok": True,
                "4": "0x01020304",
                "note": 'a\uf700"',
                "raw": "0xff",
            }
        ],
    }
    assert "\\u0000" not in text


def test_nested_arrays_are_jsonb_with_wide_numbers_as_text() -> None:
    layout = event_layout("Grid(uint256[2][] cells)")
    data = eth_abi.encode(["uint256[2][]"], [[[1, 2**256 - 1], [3, 4]]])
    (text,) = values(decode([layout], [Log([topic0(layout)], data)]), "cells")
    assert json.loads(text) == [["1", str(2**256 - 1)], ["3", "4"]]


def test_a_log_that_unfolds_to_gigabytes_is_refused_at_once() -> None:
    layout = event_layout("Bomb(bytes[][][] everything)")
    count = 400
    # Every offset of every level leads to the same next level; the last one to 20 kB.
    leaf = word(20_000) + bytes(20_000)
    level = word(count) + word(*[32 * count] * count)
    data = word(32) + level + level + level + leaf
    began = time.perf_counter()
    decoded = decode([layout], [Log([topic0(layout)], data)])
    assert list(decoded.undecoded.reasons) == ["too_large"]
    assert time.perf_counter() - began < 1


def test_arrays_of_nothing_are_bounded() -> None:
    layout = event_layout("Void(()[] nothing)")
    decoded = decode([layout], [Log([topic0(layout)], word(32, 2**40))])
    assert list(decoded.undecoded.reasons) == ["too_large"]
    decoded = decode([layout], [Log([topic0(layout)], word(32, 3))])
    assert values(decoded, "nothing") == ["[{},{},{}]"]


def test_layouts_that_share_a_table_leave_the_other_column_null() -> None:
    plain = event_layout("Said(string s, uint256 n)")
    table = event_layout("Said(string s, uint256 n, string indexed hashed)").table
    first = EventLayout("test", "Said", plain.signature, plain.topic0, plain.params, table, (0, 1))
    hashed = event_layout("Said(string indexed s, uint256 n)")
    second = EventLayout("test", "Said", plain.signature, plain.topic0, hashed.params, table, (2, 1))
    logs = [
        Log([topic0(plain), b"\x07" * 32], word(1), log_index=0),
        Log([topic0(plain)], eth_abi.encode(["string", "uint256"], ["x", 2]), log_index=1),
        Log([topic0(plain), b"\x08" * 32], word(3), log_index=2),
    ]
    decoded = decode([first, second], logs)
    assert len(decoded.rows) == 1
    assert decoded.rows[0].logs.tolist() == [0, 1, 2]
    assert values(decoded, "s") == [None, "x", None]
    assert values(decoded, "n") == [1, 2, 3]
    assert values(decoded, "hashed_hash") == [b"\x07" * 32, None, b"\x08" * 32]


def test_a_resolver_that_loses_a_log_is_an_error() -> None:
    class Losing:
        def groups(self, logs: Any, owners: Any) -> list[FixedGroup]:  # noqa: ARG002  # the seam
            return []

    with pytest.raises(InvariantViolated, match="of 1 logs 0"):
        Decoder(Losing()).decode(log_batch([Log([])]), np.zeros(1, np.int32))


def test_an_empty_batch() -> None:
    decoded = decode([TRANSFER], [])
    assert not decoded.rows
    assert not len(decoded.undecoded)


def test_many_logs_of_mixed_lengths_keep_their_order() -> None:
    logs = []
    for at in range(200):
        data = word(at) if at % 3 else word(at) + bytes(at)
        logs.append(Log([topic0(TRANSFER), A, B], b"" if at % 7 == 0 else data, log_index=at))
    decoded = decode([TRANSFER], logs)
    kept = [at for at in range(200) if at % 7]
    assert values(decoded, "value") == kept
    assert decoded.rows[0].logs.tolist() == kept
    assert decoded.undecoded.logs.tolist() == [at for at in range(200) if at % 7 == 0]
    assert decoded.irregular == {"surplus_data": sum(at % 3 == 0 for at in kept)}


def test_rows_of_one_table_from_several_groups_become_one_batch() -> None:
    layout = event_layout(
        "All(address indexed who, int256 low, int32 small, bool ok, bytes4 tag, string text, uint8[] parts)"
    )

    table = replace(
        layout.table, columns=(*layout.table.columns, Column("other", "bytea", "Another layout's."))
    )
    layout = replace(layout, table=table)

    class ByParity:
        def groups(self, logs: Any, owners: Any) -> list[FixedGroup]:  # noqa: ARG002  # the seam
            places = np.arange(len(logs))
            return [FixedGroup(places[places % 2 == odd], (layout,)) for odd in (1, 0)]

    types = ["int256", "int32", "bool", "bytes4", "string", "uint8[]"]
    rows = [[-at, at, at % 3 == 0, bytes([at] * 4), str(at), [at]] for at in range(7)]
    logs = [Log([topic0(layout), A], eth_abi.encode(types, row), log_index=at) for at, row in enumerate(rows)]
    decoded = Decoder(ByParity()).decode(log_batch(logs), np.zeros(7, np.int32))
    assert len(decoded.rows) == 1
    assert decoded.rows[0].logs.tolist() == list(range(7))
    assert values(decoded, "other") == [None] * 7
    names = ["low", "small", "ok", "tag", "text", "parts"]
    assert [list(row) for row in zip(*[values(decoded, name) for name in names], strict=True)] == rows
