"""Every ABI type: encoded by eth_abi, decoded by us, compared with values worked out here from the rules alone."""

from __future__ import annotations

import json
import random
from typing import Any

import eth_abi
import numpy as np
import pytest
from eth_abi.exceptions import DecodingError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.decode.abi_types import type_of
from indexer.decode.column_data import as_list
from indexer.decode.decoder import Decoder
from indexer.decode.generic import read_frame
from indexer.decode.reasons import UNDECODED_REASONS, Undecodable
from indexer.decode.tables import Decoded, EventLayout, EventParam
from indexer.decode.text import text_of_bytes
from indexer.testing.events import Log, TopicResolver, layout_of, log_batch

VALUE_TYPES = [
    "address",
    "bool",
    "function",
    *[f"uint{bits}" for bits in range(8, 257, 8)],
    *[f"int{bits}" for bits in range(8, 257, 8)],
    *[f"bytes{size}" for size in range(1, 33)],
]


# --- values by type, and what is stored for them -------------------------------------------------------------------


def base_value(kind: str, draw: random.Random) -> Any:
    if kind == "string":
        return "".join(draw.choice("aé世\x00\uf701\U0001f600 \\\"'\n") for _ in range(draw.randrange(40)))
    if kind == "bytes":
        return draw.randbytes(draw.randrange(70))
    if kind == "bool":
        return draw.random() < 0.5
    if kind in {"address", "function"} or kind.startswith("bytes"):
        size = {"address": 20, "function": 24}.get(kind) or int(kind[5:])
        raw = draw.choice([bytes(size), b"\xff" * size, draw.randbytes(size)])
        return "0x" + raw.hex() if kind == "address" else raw
    signed, bits = not kind.startswith("u"), int(kind.removeprefix("u")[3:])
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return draw.choice([low, high, 0, max(low, -1), 1, draw.randint(low, high), draw.randint(low, high)])


def value_of(param: EventParam, draw: random.Random) -> Any:
    if param.type.endswith("]"):
        inner, _, size = param.type.rpartition("[")
        count = int(size[:-1]) if size != "]" else draw.choice([0, 1, 2, 5])
        item = EventParam("", inner, "", False, param.components)
        return [value_of(item, draw) for _ in range(count)]
    if param.type == "tuple":
        return tuple(value_of(one, draw) for one in param.components)
    return base_value(param.type, draw)


def plain(param: EventParam, value: Any) -> Any:
    """The value as a column outside jsonb holds it."""
    if param.type.endswith("]"):
        item = EventParam("", param.type.rpartition("[")[0], "", False, param.components)
        return [plain(item, one) for one in value]
    if param.type == "address":
        return bytes.fromhex(value[2:])
    return text_of_bytes(value.encode()) if param.type == "string" else value


def in_json(param: EventParam, value: Any) -> Any:
    """The value as it stands in jsonb, rule 7."""
    if param.type.endswith("]"):
        item = EventParam("", param.type.rpartition("[")[0], "", False, param.components)
        return [in_json(item, one) for one in value]
    if param.type == "tuple":
        return {
            one.name or str(place): in_json(one, value[place]) for place, one in enumerate(param.components)
        }
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if int(param.type.removeprefix("u")[3:]) <= 48 else str(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return value if param.type == "address" else text_of_bytes(value.encode())


def encode_log(layout: EventLayout, values: list[Any], index: int) -> tuple[Log, list[Any]]:
    """The log of an event with these values, and what its row holds."""
    topics = [layout.topic0] if layout.topic0 else []
    stored = []
    data_types, data_values = [], []
    for param, column, value in zip(layout.params, layout.table.columns, values, strict=True):
        hashed = param.indexed and param.type not in VALUE_TYPES
        if hashed:
            topic = random.Random(index).randbytes(32)
            topics.append(topic)
            stored.append(topic)
            continue
        stored.append(in_json(param, value) if column.sql_type == "jsonb" else plain(param, value))
        if param.indexed:
            topics.append(eth_abi.encode([param.canonical], [value]))
        else:
            data_types.append(param.canonical)
            data_values.append(value)
    return Log(topics, eth_abi.encode(data_types, data_values), log_index=index), stored


def decode(layout: EventLayout, logs: list[Log]) -> Decoded:
    batch = log_batch(logs)
    return Decoder(TopicResolver([layout])).decode(batch, np.zeros(len(batch), np.int32))


def rows_of(decoded: Decoded) -> list[list[Any]]:
    if not decoded.rows:
        return []
    (batch,) = decoded.rows
    columns = [as_list(column, len(batch)) for column in batch.columns]
    for place, column in enumerate(batch.table.columns):
        if column.sql_type == "jsonb":
            columns[place] = [json.loads(value) for value in columns[place]]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(len(batch))]


# --- strategies ----------------------------------------------------------------------------------------------------


@st.composite
def params(draw: st.DrawFn, depth: int = 2, name: str = "") -> EventParam:
    shape = draw(
        st.sampled_from(["value", "value", "text", "array", "tuple"] if depth else ["value", "text"])
    )
    if shape == "value":
        kind = draw(st.sampled_from(VALUE_TYPES))
        return EventParam(name, kind, kind, False)
    if shape == "text":
        kind = draw(st.sampled_from(["string", "bytes"]))
        return EventParam(name, kind, kind, False)
    if shape == "tuple":
        count = draw(st.integers(1, 3))
        items = tuple(
            draw(params(depth=depth - 1, name=draw(st.sampled_from(["", f"part{place}"]))))
            for place in range(count)
        )
        return EventParam(name, "tuple", f"({','.join(item.canonical for item in items)})", False, items)
    item = draw(params(depth=depth - 1))
    suffix = draw(st.sampled_from(["[]", "[1]", "[3]"]))
    return EventParam(name, item.type + suffix, item.canonical + suffix, False, item.components)


@st.composite
def layouts(draw: st.DrawFn) -> EventLayout:
    chosen = draw(st.lists(params(), max_size=5))
    anonymous = draw(st.booleans())
    left = 4 if anonymous else 3
    made = []
    for place, one in enumerate(chosen):
        indexed = left > 0 and draw(st.booleans())
        left -= indexed
        made.append(EventParam(f"arg{place}", one.type, one.canonical, indexed, one.components))
    return layout_of("Thing", made, anonymous=anonymous)


# --- tests ---------------------------------------------------------------------------------------------------------


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(layouts(), st.integers(0, 2**32))
def test_any_event_round_trips(layout: EventLayout, seed: int) -> None:
    draw = random.Random(seed)
    pairs = [
        encode_log(layout, [value_of(param, draw) for param in layout.params], index) for index in range(4)
    ]
    decoded = decode(layout, [log for log, _ in pairs])
    assert not len(decoded.undecoded)
    assert not decoded.irregular
    assert rows_of(decoded) == [stored for _, stored in pairs]


@pytest.mark.parametrize("kind", VALUE_TYPES)
def test_columns_generic_and_eth_abi_agree_on_any_word(kind: str) -> None:
    check_words(kind, "few", 200)


@pytest.mark.long
@pytest.mark.parametrize("kind", VALUE_TYPES)
def test_the_three_decoders_agree_on_many_words(kind: str) -> None:
    check_words(kind, "many", 5000)


def check_words(kind: str, seed: str, rounds: int) -> None:
    """The three decoders on three words a round: valid, almost valid, and random."""
    draw = random.Random(f"{seed} {kind}")
    words = []
    for _ in range(rounds):
        valid = bytearray(eth_abi.encode([kind], [base_value(kind, draw)]))
        words.append(bytes(valid))
        valid[draw.randrange(32)] ^= 1 << draw.randrange(8)
        words.append(bytes(valid))
        words.append(draw.choice([draw.randbytes(32), b"\xff" * 32, bytes(31) + draw.randbytes(1)]))
    param = EventParam("value", kind, kind, False)
    layout = layout_of("One", [param])
    decoded = decode(
        layout, [Log([layout.topic0 or b""], word, log_index=at) for at, word in enumerate(words)]
    )
    ours = dict(zip(decoded.rows[0].logs.tolist(), rows_of(decoded), strict=True))
    assert set(decoded.undecoded.reasons) <= {"dirty_padding"}
    abi_type = type_of(param)
    for at, word in enumerate(words):
        try:
            expected = plain(param, eth_abi.decode([kind], word)[0])
        except DecodingError:
            assert at not in ours
            with pytest.raises(Undecodable):
                read_frame([abi_type], word)
        else:
            assert ours[at] == [expected]
            assert read_frame([abi_type], word) == ((expected,), 32)


def mutate(data: bytes, draw: random.Random) -> bytes:
    """Data that is nearly an encoding: the ways in which logs go wrong."""
    raw = bytearray(data)
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        how = draw.randrange(7)
        if how == 0:
            raw = raw[: draw.randrange(len(raw) + 1)]
        elif how == 1:
            raw += draw.randbytes(draw.choice([1, 31, 32, 64]))
        elif how == 2:
            raw += bytes(32)
        elif raw:
            at = draw.randrange(len(raw))
            word = at - at % 32
            if how == 3:
                raw[at] ^= 1 << draw.randrange(8)
            elif how == 4:
                raw[word : word + 32] = draw.choice([0, 1, 2, 3, 31, 33, 2**255, 2**256 - 1]).to_bytes(32)
            elif how == 5:
                raw[word : word + 32] = (32 * draw.randrange(len(raw) // 32 + 2)).to_bytes(32)
            else:
                other = draw.randrange(len(raw)) // 32 * 32
                raw[word : word + 32] = raw[other : other + 32]
    return bytes(raw)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(params(), min_size=1, max_size=4), st.integers(0, 2**32))
def test_fuzzed_data_decodes_as_eth_abi_does_or_is_kept(chosen: list[EventParam], seed: int) -> None:
    check_fuzzed(chosen, seed, 24)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(params(), min_size=1, max_size=4), st.integers(0, 2**32))
def test_a_hundred_thousand_fuzzed_logs(chosen: list[EventParam], seed: int) -> None:
    check_fuzzed(chosen, seed, 50)


def check_fuzzed(chosen: list[EventParam], seed: int, count: int) -> None:
    """``count`` logs that are nearly encodings of these types, against eth_abi."""
    draw = random.Random(seed)
    layout = layout_of(
        "Thing",
        [
            EventParam(f"arg{place}", one.type, one.canonical, False, one.components)
            for place, one in enumerate(chosen)
        ],
    )
    types = [param.canonical for param in layout.params]
    datas = []
    for _ in range(count):
        valid = eth_abi.encode(types, [value_of(param, draw) for param in layout.params])
        datas.append(mutate(valid, draw))
    decoded = decode(
        layout, [Log([layout.topic0 or b""], data, log_index=at) for at, data in enumerate(datas)]
    )
    rows = dict(zip(decoded.rows[0].logs.tolist(), rows_of(decoded), strict=True)) if decoded.rows else {}
    assert sorted([*rows, *decoded.undecoded.logs.tolist()]) == list(range(len(datas)))
    assert set(decoded.undecoded.reasons) <= set(UNDECODED_REASONS)
    for at, data in enumerate(datas):
        try:
            expected = eth_abi.decode(types, data)
        except (DecodingError, OverflowError):
            assert at not in rows
        except UnicodeDecodeError:
            continue  # eth_abi has no answer for strings that are not UTF-8; ours is tested in test_text.py
        else:
            assert rows[at] == [
                in_json(param, value) if column.sql_type == "jsonb" else as_lists(plain(param, value))
                for param, column, value in zip(layout.params, layout.table.columns, expected, strict=True)
            ]


def as_lists(value: Any) -> Any:
    return [as_lists(one) for one in value] if isinstance(value, (list, tuple)) else value
