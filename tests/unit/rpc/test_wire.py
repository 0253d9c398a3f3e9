from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.chain.logs import UNKNOWN_TIME
from indexer.chain.refs import BlockRange
from indexer.errors import ProviderLied, RpcUnavailable
from indexer.rpc.envelopes import parse_envelopes
from indexer.rpc.wire import (
    parse_header,
    parse_logs,
    parse_notification,
    parse_receipt_logs,
    parse_transaction_hashes,
)

ANY = BlockRange(0, 2**40)


def hx(size: int, fill: int) -> str:
    return "0x" + f"{fill:02x}" * size


def log(**changes: Any) -> dict[str, Any]:
    made = {
        "address": hx(20, 1),
        "topics": [hx(32, 2), hx(32, 3)],
        "data": hx(32, 4),
        "blockNumber": "0x10",
        "blockHash": hx(32, 5),
        "transactionHash": hx(32, 6),
        "transactionIndex": "0x1",
        "logIndex": "0x2",
        "blockTimestamp": "0x64",
        "removed": False,
    } | changes
    return {name: value for name, value in made.items() if value is not ...}


def raw(*logs: dict[str, Any]) -> bytes:
    return json.dumps(logs).encode()


def test_a_log_becomes_columns() -> None:
    batch = parse_logs(raw(log()), BlockRange(10, 20))
    assert batch.range == BlockRange(10, 20)
    assert batch.block_number.tolist() == [16]
    assert batch.block_time.tolist() == [100]
    assert batch.tx_index.tolist() == [1]
    assert batch.log_index.tolist() == [2]
    assert batch.block_hash.tobytes() == b"\x05" * 32
    assert batch.tx_hash.tobytes() == b"\x06" * 32
    assert batch.address.tobytes() == b"\x01" * 20
    assert batch.log_topics(0) == [b"\x02" * 32, b"\x03" * 32]
    assert not batch.topics[0, 2:].any()
    assert batch.log_data(0) == b"\x04" * 32


def test_what_nodes_do_differently_is_the_same() -> None:
    variants = [
        log(blockTimestamp=100, transactionIndex=1, logIndex=2, blockNumber=16),
        log(
            blockNumber="0x0010", extra={"anything": [1, None, "x"]}, removed=True, transactionLogIndex="0x0"
        ),
        log(address=hx(20, 0xAB).replace("ab", "aB", 3)),
    ]
    for one in variants:
        batch = parse_logs(raw(one), ANY)
        assert (batch.block_number[0], batch.block_time[0], batch.tx_index[0], batch.log_index[0]) == (
            16,
            100,
            1,
            2,
        )


@pytest.mark.parametrize("absent", [..., None])
def test_a_timestamp_may_be_absent(absent: Any) -> None:
    batch = parse_logs(raw(log(blockTimestamp=absent, logIndex="0x0"), log(logIndex="0x1")), ANY)
    assert batch.block_time.tolist() == [UNKNOWN_TIME, 100]


def test_no_logs() -> None:
    batch = parse_logs(b"[]", BlockRange(3, 5))
    assert len(batch) == 0
    assert batch.range == BlockRange(3, 5)


def test_logs_come_out_ordered_and_once() -> None:
    batch = parse_logs(
        raw(
            log(blockNumber="0x12", logIndex="0x0"),
            log(blockNumber="0x10", logIndex="0xa", data="0x"),
            log(blockNumber="0x10", logIndex="0x9", data=hx(5, 7), topics=[]),
            log(blockNumber="0x10", logIndex="0xa", data="0x"),
        ),
        ANY,
    )
    assert batch.block_number.tolist() == [16, 16, 18]
    assert batch.log_index.tolist() == [9, 10, 0]
    assert [batch.log_data(at) for at in range(3)] == [b"\x07" * 5, b"", b"\x04" * 32]
    assert batch.topic_count.tolist() == [0, 2, 2]
    assert not batch.topics[0].any()


MALFORMED = [
    {"address": hx(19, 1)},
    {"address": hx(21, 1)},
    {"address": "0X" + "11" * 20},
    {"address": None},
    {"address": ...},
    {"address": "0x" + "1g" * 20},
    {"address": "0x" + "1\u00e9" * 20},
    {"address": 5},
    {"topics": None},
    {"topics": [hx(31, 1)]},
    {"topics": [hx(32, 1)] * 5},
    {"topics": [1]},
    {"topics": ["1" * 66]},
    {"data": "0x123"},
    {"data": ""},
    {"data": "1234"},
    {"data": "0x12 4"},
    {"data": "0x0x"},
    {"data": None},
    {"data": "0x\u0661\u0661"},
    {"blockHash": None},
    {"blockHash": hx(32, 1) + "00"},
    {"blockNumber": None},
    {"blockNumber": "16"},
    {"blockNumber": "0x"},
    {"blockNumber": "0x1_0"},
    {"blockNumber": "0x-1"},
    {"blockNumber": " 0x1"},
    {"blockNumber": "0x8000000000000000"},
    {"blockNumber": -1},
    {"blockNumber": True},
    {"blockNumber": 1.5},
    {"logIndex": "0x80000000"},
    {"logIndex": None},
    {"transactionIndex": -1},
    {"transactionHash": "0x"},
    {"blockTimestamp": "soon"},
    {"blockTimestamp": -5},
    {"blockTimestamp": 2**62},
]


@pytest.mark.parametrize("change", MALFORMED, ids=str)
@pytest.mark.parametrize("others", [0, 2])
def test_a_malformed_log_is_a_lie(change: dict[str, Any], others: int) -> None:
    good = [log(logIndex=hex(10 + at)) for at in range(others)]
    with pytest.raises(ProviderLied):
        parse_logs(raw(*good, log(**change)), ANY)


def test_wrong_lengths_that_add_up_are_noticed() -> None:
    with pytest.raises(ProviderLied, match="address"):
        parse_logs(raw(log(address=hx(19, 1), logIndex="0x0"), log(address=hx(21, 1), logIndex="0x1")), ANY)


@pytest.mark.parametrize("number", [9, 21])
def test_a_log_outside_the_range_is_a_lie(number: int) -> None:
    with pytest.raises(ProviderLied, match=f"block {number} in the answer for blocks 10..20"):
        parse_logs(raw(log(), log(blockNumber=hex(number))), BlockRange(10, 20))


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"[", b"[1]", b"[null]", b'["x"]', b"[\xff]"])
def test_what_is_no_array_of_logs_is_a_lie(body: bytes) -> None:
    with pytest.raises(ProviderLied, match="malformed logs"):
        parse_logs(body, ANY)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_any_batch_is_read_as_python_reads_it(seed: int, count: int) -> None:
    draw = random.Random(seed)
    uniform = draw.random() < 0.5
    logs = [
        log(
            logIndex=hex(at),
            topics=["0x" + draw.randbytes(32).hex() for _ in range(3 if uniform else draw.randrange(5))],
            data="0x" + draw.randbytes(32 if uniform else draw.randrange(100)).hex(),
            address="0x" + draw.randbytes(20).hex(),
            transactionHash="0x" + draw.randbytes(32).hex(),
            blockTimestamp=draw.choice([hex(at), at, None]),
        )
        for at in range(count)
    ]
    batch = parse_logs(raw(*logs), ANY)
    for at, one in enumerate(logs):
        assert batch.log_data(at) == bytes.fromhex(one["data"][2:])
        assert batch.log_topics(at) == [bytes.fromhex(topic[2:]) for topic in one["topics"]]
        assert batch.address[at].tobytes() == bytes.fromhex(one["address"][2:])
        assert batch.tx_hash[at].tobytes() == bytes.fromhex(one["transactionHash"][2:])
        assert batch.block_time[at] == (at if one["blockTimestamp"] is not None else UNKNOWN_TIME)
    assert np.array_equal(batch.data_length(), [len(one["data"]) // 2 - 1 for one in logs])


# --- headers, receipts, envelopes ----------------------------------------------------------------------------------


def header(**changes: Any) -> bytes:
    made = {
        "number": "0x10",
        "hash": hx(32, 1),
        "parentHash": hx(32, 2),
        "timestamp": "0x64",
        "logsBloom": hx(256, 3),
        "transactions": [hx(32, 9)],
        "difficulty": "0x0",
    } | changes
    return json.dumps({name: value for name, value in made.items() if value is not ...}).encode()


def test_a_header() -> None:
    found = parse_header(header())
    assert found is not None
    assert (found.number, found.hash, found.parent_hash) == (16, b"\x01" * 32, b"\x02" * 32)
    assert (found.timestamp, found.logs_bloom) == (100, b"\x03" * 256)
    bare = parse_header(header(timestamp=100, logsBloom=...))
    assert bare is not None
    assert (bare.timestamp, bare.logs_bloom) == (100, None)
    assert parse_header(b"null") is None


@pytest.mark.parametrize(
    "change",
    [
        {"number": None},
        {"hash": None},
        {"hash": "0x12"},
        {"hash": "0x" + "zz" * 32},
        {"parentHash": ...},
        {"timestamp": "x"},
        {"logsBloom": "0x00"},
    ],
    ids=str,
)
def test_a_malformed_header_is_a_lie(change: dict[str, Any]) -> None:
    with pytest.raises(ProviderLied):
        parse_header(header(**change))


def test_transaction_hashes_of_a_block() -> None:
    assert parse_transaction_hashes(header()) == [b"\x09" * 32]
    assert parse_transaction_hashes(b"null") is None
    with pytest.raises(ProviderLied):
        parse_transaction_hashes(header(transactions=[{"hash": hx(32, 1)}]))


def test_receipts_of_a_block_and_one_alone() -> None:
    receipts = [
        {"logs": [log(logIndex="0x1")], "status": "0x1"},
        {"logs": [], "root": "0x"},
        {"logs": [log(logIndex=0)]},
    ]
    batch = parse_receipt_logs(json.dumps(receipts).encode(), ANY)
    assert batch is not None
    assert batch.log_index.tolist() == [0, 1]
    alone = parse_receipt_logs(json.dumps(receipts[0]).encode(), ANY)
    assert alone is not None
    assert alone.log_index.tolist() == [1]
    assert parse_receipt_logs(b"null", ANY) is None
    with pytest.raises(ProviderLied):
        parse_receipt_logs(b"[{}]", ANY)


def test_envelopes() -> None:
    one = parse_envelopes(b'{"jsonrpc":"2.0","id":7,"result":{"a":[1]}}')
    assert [(item.id, bytes(item.result), bytes(item.error)) for item in one] == [(7, b'{"a":[1]}', b"")]
    both = parse_envelopes(b'[{"id":1,"result":null,"error":{"code":-3}},{"id":null,"result":5}]')
    assert [(item.id, bytes(item.result), bytes(item.error)) for item in both] == [
        (1, b"null", b'{"code":-3}'),
        (None, b"5", b""),
    ]
    (message,) = parse_envelopes(
        b'{"method":"eth_subscription","params":{"subscription":"0x1","result":[2]}}'
    )
    assert message.method == "eth_subscription"
    note = parse_notification(message.params)
    assert (note.subscription, bytes(note.result)) == ("0x1", b"[2]")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"id":1', b"5", b'"x"', b'{"id":[1]}', b"\xff\xfe", b"[1]"]
)
def test_what_is_no_json_rpc(body: bytes) -> None:
    with pytest.raises(RpcUnavailable, match="no JSON-RPC"):
        parse_envelopes(body)
