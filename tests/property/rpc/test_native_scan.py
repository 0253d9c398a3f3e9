"""The compiled reader of answers gives what parsing gives, or leaves the answer to it; so does numpy's."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_answers import dumps, make_logs, mutate, same

from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockRange
from indexer.errors import ProviderLied
from indexer.native.library import loops
from indexer.rpc import native_scan
from indexer.rpc.log_scan import scan_logs
from indexer.rpc.native_scan import read_logs
from indexer.rpc.wire import parse_logs

ANY = BlockRange(0, 2**62)
Reader = Callable[[bytes, BlockRange], LogBatch | None]
# Where the loops are not compiled, what stands in for them is held to the same.
READERS: list[Reader] = [read_logs] if loops() is not None else [scan_logs]


def outcome(raw: bytes, blocks: BlockRange = ANY, *, short_cuts: bool) -> LogBatch | str:
    """What ``parse_logs`` makes of an answer, or what it says."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("WORTH_SCANNING", "WORTH_READING"):
            patch.setattr(f"indexer.rpc.wire.{name}", 0 if short_cuts else sys.maxsize)
        try:
            return parse_logs(raw, blocks)
        except ProviderLied as error:
            return f"{type(error).__name__}: {error}"


def agree(raw: bytes, blocks: BlockRange = ANY) -> LogBatch | str:
    """Every way says the same: the same columns, or the same words."""
    usual = outcome(raw, blocks, short_cuts=False)
    quick = outcome(raw, blocks, short_cuts=True)
    if isinstance(usual, str) or isinstance(quick, str):
        assert usual == quick
    else:
        assert same(usual, quick)
    return usual


def in_order(logs: LogBatch) -> LogBatch:
    return logs.take(np.lexsort((logs.log_index, logs.block_number)))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("count", [1, 2, 200])
def test_what_nodes_write_is_read(read: Reader, count: int, *, uniform: bool) -> None:
    logs = make_logs(random.Random(count), count, uniform=uniform)
    found = read(dumps(logs), ANY)
    assert found is not None
    usual = outcome(dumps(logs), short_cuts=False)
    assert isinstance(usual, LogBatch)
    assert same(in_order(found), usual)


def changed(logs: list[dict[str, Any]], place: int, change: dict[str, Any]) -> list[dict[str, Any]]:
    made = [dict(one) for one in logs]
    made[place] = {name: value for name, value in (made[place] | change).items() if value is not ...}
    return made


CHANGES: list[dict[str, Any]] = [
    {"blockTimestamp": None},
    {"blockTimestamp": ...},
    {"blockTimestamp": 5},
    {"blockTimestamp": "0x" + "f" * 12},
    {"blockTimestamp": "0x" + "f" * 16},
    {"blockTimestamp": ""},
    *({name: ...} for name in ("address", "topics", "data", "blockHash", "blockNumber", "logIndex")),
    *({name: None} for name in ("address", "topics", "data", "transactionHash", "transactionIndex")),
    {"logIndex": 3},
    {"logIndex": "0x"},
    {"logIndex": "0x80000000"},
    {"logIndex": "0x7fffffff"},
    {"logIndex": "0x0001"},
    {"logIndex": "1"},
    {"logIndex": "0xg"},
    {"logIndex": "-0x1"},
    {"transactionIndex": "0X1"},
    {"transactionIndex": 2.0},
    {"blockNumber": "0x" + "f" * 15},
    {"blockNumber": "0x" + "f" * 16},
    {"blockNumber": "0x" + "0" * 40 + "5"},
    {"address": "0x" + "AB" * 20},
    {"address": "0x" + "ab" * 19},
    {"address": "0x" + "ab" * 21},
    {"address": "0x" + "ab" * 19 + "a"},
    {"address": "0x" + "ab" * 19 + "ag"},
    {"address": "00" + "ab" * 20},
    {"data": "0x"},
    {"data": "0"},
    {"data": ""},
    {"data": "0x1"},
    {"data": "0x" + "1" * 35},
    {"data": "0x" + "1f" * 17},
    {"data": "0x" + "1f" * 16 + "1:"},
    {"data": "0x" + "1f" * 16 + "@f"},
    {"data": "0x" + "1f" * 8 + "/" + "f" * 30 + "1"},
    {"data": "0x" + "Fe" * 300},
    {"topics": []},
    {"topics": ["0x" + "12" * 32] * 4},
    {"topics": ["0x" + "12" * 32] * 5},
    {"topics": ["0x" + "12" * 31]},
    {"topics": [None]},
    {"topics": {}},
    {"removed": True},
    {"extra": {"a": ["b", {}, [], -0.5e3, None, True]}},
    {"extra": [[[[[[[[[[[[1]]]]]]]]]]]]},
    {"extra": "x}{,[]:"},
    {"extra": 'quo"te'},
    {"extra": "\u00e9\u4e16"},
    {"e\u00e9": 1},
    {"log\\Index": "0x5"},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change)[:40])
def test_whatever_is_unusual_comes_out_the_same(change: dict[str, Any]) -> None:
    logs = make_logs(random.Random(2), 30, uniform=True)
    for place in (0, 7, 29):
        made = changed(logs, place, change)
        turned = [dict(reversed(one.items())) for one in made]
        for raw in (
            dumps(made),
            json.dumps(made).encode(),
            dumps(turned),
            json.dumps(made, indent=1).encode(),
        ):
            agree(raw)
        agree(dumps(made), BlockRange(2, 4000))


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b" [ ] ",
        b"null",
        b"{}",
        b"",
        b"[",
        b"[{}]",
        b"[{]",
        b"[{},]",
        b'[{"a":1,}]',
        b'[{"a"}]',
        b'[{"a":}]',
        b'[{"a":01}]',
        b"[null]",
        b"[[]]",
    ],
)
def test_what_is_no_array_of_logs_is_judged_as_usual(raw: bytes) -> None:
    agree(raw)


WRITTEN = dumps(make_logs(random.Random(3), 3, uniform=False))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"removed":false', b'"removed":false,"logIndex":"0x5"'),
        (b'"removed":false', b'"removed":false,"removed":true'),
        (b'"removed":false', b'"removed":fals'),
        (b'"removed":false', b'"removed":falsey'),
        (b'"removed":false', b'"removed":-'),
        (b'"removed":false', b'"removed":1.'),
        (b'"removed":false', b'"removed":1e'),
        (b'"removed":false', b'"removed":"\x01"'),
        (b'"removed":false', b'"removed":"\xc3"'),
        (b'"removed":false', b'"removed":{"a":"\\u0041"}'),
        (b'"logIndex"', b'"log\\u0049ndex"'),
        (b'"data":"0x', b'"data":"\\u0030x'),
        (b"}]", b"}]x"),
        (b"}]", b"},]"),
        (b"}]", b"}"),
        (b"}]", b"}] \n"),
        (b"},{", b"} ,\t{"),
        (b"},{", b"}{"),
        (b"},{", b",{"),
    ],
)
def test_broken_or_odd_text_is_judged_as_usual(old: bytes, new: bytes) -> None:
    assert old in WRITTEN
    agree(WRITTEN.replace(old, new, 1))
    agree(WRITTEN[: WRITTEN.rindex(old)] + new + WRITTEN[WRITTEN.rindex(old) + len(old) :])


def test_every_beginning_of_an_answer_is_judged_as_usual() -> None:
    for size in range(len(WRITTEN)):
        agree(WRITTEN[:size])


@settings(max_examples=600, deadline=None)
@given(st.integers(0, 2**40))
def test_fuzzed_answers_come_out_the_same(seed: int) -> None:
    draw = random.Random(seed)
    logs = make_logs(draw, draw.choice([1, 2, 3, 12]), uniform=draw.random() < 0.5)
    for one in logs:
        if draw.random() < 0.3:
            one.update(draw.choice(CHANGES))
    kept = [{name: value for name, value in one.items() if value is not ...} for one in logs]
    spaced = draw.random() < 0.3
    raw = json.dumps(kept, indent=1).encode() if spaced else dumps(kept)
    agree(mutate(raw, draw) if draw.random() < 0.8 else raw)


def test_no_log_is_shorter_than_room_is_made_for() -> None:
    least = {
        "address": "0x" + "00" * 20,
        "topics": [],
        "data": "0x",
        "blockHash": "0x" + "00" * 32,
        "blockNumber": "0x0",
        "transactionHash": "0x" + "00" * 32,
        "transactionIndex": "0x0",
        "logIndex": "0x0",
    }
    assert len(dumps(least)) >= native_scan._LEAST_LOG_BYTES
    agree(dumps([least] * 40))


def test_more_logs_than_the_beginning_promises_are_all_read() -> None:
    large, small = (make_logs(random.Random(9), count, uniform=True) for count in (20, 400))
    for one in large:
        one["data"] = "0x" + "5a" * 4000
    logs = large + small
    for at, one in enumerate(logs):
        one |= {"blockNumber": "0x1", "logIndex": hex(at)}
    found = agree(dumps(logs))
    assert isinstance(found, LogBatch)
    assert len(found) == 420
