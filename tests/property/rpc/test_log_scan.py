"""The scan of large answers gives what parsing gives, or leaves the answer to the parser."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_answers import dumps, make_logs, mutate, same

from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockRange
from indexer.errors import ProviderLied
from indexer.rpc import log_scan
from indexer.rpc.log_scan import scan_logs
from indexer.rpc.wire import parse_logs

ANY = BlockRange(0, 2**62)


def parsed(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> LogBatch:
    """What the parser gives, without the scan."""
    with monkeypatch.context() as patch:
        patch.setattr("indexer.rpc.wire.WORTH_SCANNING", 1 << 60)
        patch.setattr("indexer.rpc.wire.WORTH_READING", 1 << 60)
        return parse_logs(raw, ANY)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_scan, "_PIECE_BYTES", 4000)


@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("count", [1, 2, 200])
def test_regular_answers_are_scanned(count: int, *, uniform: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = make_logs(random.Random(count), count, uniform=uniform)
    logs.sort(key=lambda one: (int(one["blockNumber"], 16), int(one["logIndex"], 16)))
    raw = dumps(logs)
    scanned = scan_logs(raw, ANY)
    assert scanned is not None
    assert same(scanned, parsed(raw, monkeypatch))


def test_parse_logs_takes_the_short_cut_and_keeps_its_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = make_logs(random.Random(1), 300, uniform=False)
    raw = dumps([*logs, *logs[:7]])
    calls = []
    monkeypatch.setattr("indexer.rpc.wire.read_logs", lambda _raw, _blocks: None)
    monkeypatch.setattr(
        "indexer.rpc.wire.scan_logs", lambda raw, blocks: calls.append(scan_logs(raw, blocks)) or calls[-1]
    )
    batch = parse_logs(raw, ANY)
    assert calls
    assert calls[0] is not None
    assert len(batch) == 300
    assert same(batch, parsed(raw, monkeypatch))
    with pytest.raises(ProviderLied, match="block 1 in the answer for blocks 2"):
        parse_logs(raw, BlockRange(2, 4000))


@pytest.mark.parametrize(
    "change",
    [
        {"blockTimestamp": None},
        {"blockTimestamp": ...},
        {"logIndex": ...},
        {"blockTimestamp": 5},
        {"logIndex": 3},
        {"extra": {"a": "b"}},
        {"extra": "x}{,[]:"},
        {"extra": 'quo"te'},
        {"extra": "\u00e9\u4e16"},
        {"removed": True},
        {"topics": []},
        {"address": "0x" + "AB" * 20},
        {"logIndex": "0x0001"},
    ],
    ids=str,
)
def test_irregular_answers_come_out_the_same(change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (0, 7, 29):
        logs = make_logs(random.Random(2), 30, uniform=True)
        logs[place] |= change
        for one in logs:
            one["blockNumber"] = "0x1"
        logs[place]["blockNumber"] = "0x0"
        logs[place] = {name: value for name, value in logs[place].items() if value is not ...}
        if "logIndex" not in logs[place]:
            assert scan_logs(dumps(logs), ANY) is None
            continue
        for raw in (
            dumps(logs),
            json.dumps(logs).encode(),
            dumps([dict(sorted(one.items())) for one in logs]),
        ):
            scanned = scan_logs(raw, ANY)
            if scanned is not None:
                order = np.lexsort((scanned.log_index, scanned.block_number))
                assert same(scanned.take(order), parsed(raw, monkeypatch))


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**40))
def test_whatever_is_scanned_the_parser_reads_the_same(seed: int) -> None:
    draw = random.Random(seed)
    logs = make_logs(draw, draw.choice([2, 3, 12]), uniform=draw.random() < 0.7)
    raw = mutate(dumps(logs), draw)
    scanned = scan_logs(raw, ANY)
    if scanned is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        batch = parsed(raw, patch)
    order = np.lexsort((scanned.log_index, scanned.block_number))
    assert same(scanned.take(order), batch)


def test_all_times_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = make_logs(random.Random(4), 40, uniform=True)
    for at, one in enumerate(logs):
        one["blockNumber"] = hex(at)
        del one["blockTimestamp"]
    scanned = scan_logs(dumps(logs), ANY)
    assert scanned is not None
    assert (scanned.block_time == -1).all()
    assert same(scanned, parsed(dumps(logs), monkeypatch))


def test_large_irregular_answers_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = make_logs(random.Random(5), 300, uniform=True)
    raw = json.dumps(logs).encode()
    assert scan_logs(raw, ANY) is None
    assert same(parse_logs(raw, ANY), parsed(raw, monkeypatch))
