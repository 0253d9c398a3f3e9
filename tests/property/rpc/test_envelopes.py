"""Bodies whose large results are held out give the envelopes that parsing all of it gives."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_answers import make_logs, mutate

from indexer.chain.refs import BlockRange
from indexer.errors import ProviderLied, RpcUnavailable
from indexer.rpc import envelopes
from indexer.rpc.envelopes import Envelope, parse_envelopes
from indexer.rpc.wire import parse_logs

ANY = BlockRange(0, 2**62)


def fields(found: list[Envelope]) -> list[tuple[object, ...]]:
    return [(one.id, bytes(one.result), bytes(one.error), one.method, bytes(one.params)) for one in found]


def outcome(body: bytes, threshold: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]] | str:
    """What is found, or the class of what is raised; of a result that is no JSON, by reading it."""
    with monkeypatch.context() as patch:
        patch.setattr(envelopes, "WORTH_HOLDING_OUT", threshold)
        try:
            found = parse_envelopes(bytearray(body))
        except RpcUnavailable as error:
            return type(error).__name__
        return fields(found)


def is_broken(result: object) -> bool:
    assert isinstance(result, bytes)
    try:
        parse_logs(result, ANY)
    except ProviderLied:
        return True
    return False


def agree(body: bytes, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]] | str:
    usual = outcome(body, 1 << 60, monkeypatch)
    quick = outcome(body, 1, monkeypatch)
    if usual == "RpcUnavailable" and isinstance(quick, list):
        # Something is broken in what was held out: its reader says so.
        assert any(is_broken(one[1]) for one in quick)
        return usual
    assert quick == usual
    return usual


BODIES: list[Any] = [
    {"id": 1, "result": [1, [2, "]"], {"a": ["["]}]},
    [
        {"id": 1, "result": ["a"] * 30},
        {"id": 2, "result": ["b"] * 30},
        {"id": 3, "result": {"number": "0x1"}},
    ],
    {"id": 1, "result": ['a"b\\']},
    {"id": 1, "result": ["\u00e9\u4e16"]},
    {"id": 1, "error": {"code": 5, "data": {"result": ["x"] * 9}}},
    {"method": "eth_subscription", "params": {"subscription": "0x1", "result": ["x"] * 40}},
    [{"id": 1, "result": "held out"}, {"id": 2, "result": ["x"] * 40}],
    [{"id": 1, "result": ["x"] * 40}, {"id": 2, "result": "held out"}],
    {"id": 1, "result": []},
    {"id": 1, "result": [[[[[[]]]]]]},
    {"jsonrpc": "2.0", "id": 1, "extra": "y" * 400, "result": ["x"] * 40},
]


@pytest.mark.parametrize("value", BODIES, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_what_is_held_out_is_put_back(
    value: Any, separators: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for ascii_only in (True, False):
        body = json.dumps(value, separators=separators, ensure_ascii=ascii_only).encode()
        assert isinstance(agree(body, monkeypatch), list)
        for size in range(len(body)):
            assert agree(body[:size], monkeypatch) == "RpcUnavailable"


@pytest.mark.parametrize("size", range(40, 200, 7))
def test_an_array_may_end_anywhere_in_a_block(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for rest in ("", ',"more":"\\\\]"'):
        body = ('{"id":1,"result":["' + "x" * size + '"]' + rest + "}").encode()
        assert isinstance(agree(body, monkeypatch), list)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**40))
def test_fuzzed_bodies_give_the_same_envelopes(seed: int) -> None:
    draw = random.Random(seed)
    answers = [
        {"jsonrpc": "2.0", "id": at, "result": make_logs(draw, draw.randrange(3), uniform=False)}
        for at in range(draw.randrange(1, 4))
    ]
    body = json.dumps(answers, separators=(",", ":")).encode()
    with pytest.MonkeyPatch.context() as patch:
        agree(mutate(body.ljust(400), draw), patch)


def test_what_is_broken_inside_of_a_large_result_is_said_by_its_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = b'{"id":1,"result":[{"a" 1}]}'
    monkeypatch.setattr(envelopes, "WORTH_HOLDING_OUT", 1)
    with pytest.raises((RpcUnavailable, ProviderLied)):
        parse_logs(parse_envelopes(body)[0].result, ANY)
