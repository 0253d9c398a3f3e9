"""Rows written by compiled code are those that numpy writes, byte for byte."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.decode.tables import Column, ColumnData, EventTable, RowBatch, Undecoded, WordLists, Words
from indexer.errors import InvariantViolated
from indexer.native.library import loops
from indexer.store import copy_format, copy_rows
from indexer.store.copy_rows import encode_rows, encode_undecoded
from indexer.testing.events import Log, log_batch

INTERESTING = [0, 1, 9_999, 10_000, 10**8 - 1, 10**8, 10**16, 2**64, 2**127, 2**255 - 1, 2**255, 2**256 - 1]


def words(draw: random.Random, count: int, *, signed: bool) -> np.ndarray[Any, np.dtype[np.uint8]]:
    bits = draw.choice([8, 33, 64, 90, 256])
    numbers = []
    for _ in range(count):
        number = draw.choice(INTERESTING) if draw.random() < 0.1 else draw.getrandbits(bits)
        number -= (1 << bits - 1) if signed and draw.random() < 0.4 else 0
        numbers.append((number % 2**256).to_bytes(32))
    joined = np.frombuffer(b"".join(numbers), np.uint8).reshape(count, 32)
    # As the decoder gives them: a view into wider rows.
    return np.concatenate([joined, joined], axis=1)[:, 32:] if draw.random() < 0.5 else joined


def column(draw: random.Random, count: int) -> tuple[str, ColumnData]:
    signed = draw.random() < 0.5
    numbers = np.random.default_rng(draw.getrandbits(32))
    offsets = np.concatenate([[0], np.cumsum(numbers.integers(0, 4, count))]).astype(np.int64)
    made: list[tuple[str, ColumnData]] = [
        ("numeric", None),
        ("numeric", Words(words(draw, count, signed=signed), signed)),
        ("numeric", [draw.choice([None, -5, 10**30, *INTERESTING]) for _ in range(count)]),
        ("numeric[]", WordLists(words(draw, int(offsets[-1]), signed=signed), offsets, signed)),
        ("numeric[]", [draw.choice([None, [], [1, 10_000, -(2**255)]]) for _ in range(count)]),
        ("bytea", numbers.integers(0, 256, (count, draw.choice([1, 4, 20, 32])), np.uint8)),
        ("bytea", numbers.integers(0, 256, (count, 32), np.uint8)[:, 12:]),
        ("integer", numbers.integers(-(2**31), 2**31, count, np.int32)),
        ("bigint", numbers.integers(-(2**63), 2**63 - 1, count, np.int64)),
        ("bigint", numbers.integers(-(2**63), 2**63 - 1, (count, 2), np.int64)[:, 1]),
        ("boolean", numbers.integers(0, 2, count).astype(np.bool_)),
        ("text", [draw.choice([None, "", "x" * draw.randrange(300), "\u00e9"]) for _ in range(count)]),
        ("jsonb", [draw.choice([None, "{}"]) for _ in range(count)]),
    ]
    return draw.choice(made)


def both(patch: pytest.MonkeyPatch, work: Any) -> list[bytes]:
    """What numpy writes, after the compiled code's was found to be the same."""
    fast = work()
    patch.setattr(copy_rows, "loops", lambda: None)
    usual: list[bytes] = work()
    patch.setattr(copy_rows, "loops", loops)
    assert b"".join(fast) == b"".join(usual)
    return fast


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**40))
def test_rows_are_the_same_byte_for_byte(seed: int) -> None:
    draw = random.Random(seed)
    total = draw.choice([1, 2, 7, 60])
    logs = log_batch([Log([], draw.randbytes(5), log_index=at, block=1 + at // 3) for at in range(total)])
    whole = draw.random() < 0.3
    places = (
        np.arange(total) if whole else np.array(sorted(draw.sample(range(total), draw.randrange(total + 1))))
    )
    columns = [column(draw, len(places)) for _ in range(draw.randrange(6))]
    table = EventTable(
        "copied",
        "test",
        "Copied",
        "Copied()",
        b"\x01" * 32,
        tuple(Column(f"c{at}", kind, "A test.") for at, (kind, _) in enumerate(columns)),
        "A test.",
    )
    rows = RowBatch(table, places.astype(np.int64), tuple(values for _, values in columns))
    with pytest.MonkeyPatch.context() as patch:
        for module in ("native_rows", "numpy_rows"):
            patch.setattr(f"indexer.store.{module}.CHUNK_BYTES", draw.choice([1, 700, 1 << 20]))
        both(patch, lambda: encode_rows(8453, logs, rows))


def test_undecoded_logs_are_the_same_byte_for_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = log_batch([Log([b"\x07" * 32] * (at % 5), b"\x05" * at, log_index=at) for at in range(40)])
    places = np.arange(1, 40, 2)
    both(monkeypatch, lambda: encode_undecoded(1, logs, Undecoded(places, ["no_topics"] * len(places))))


def test_pieces_hold_whole_rows_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = log_batch([Log([], log_index=at) for at in range(100)])
    table = EventTable("t", "t", "T", "T()", None, (Column("note", "text", "A test."),), "A test.")
    notes: list[object] = ["x" * 5000 if at == 50 else "y" * at for at in range(100)]
    monkeypatch.setattr("indexer.store.native_rows.CHUNK_BYTES", 2000)
    monkeypatch.setattr("indexer.store.numpy_rows.CHUNK_BYTES", 2000)
    pieces = both(monkeypatch, lambda: encode_rows(1, logs, RowBatch(table, np.arange(100), (notes,))))
    assert pieces[0] == copy_format.HEADER
    assert pieces[-1] == copy_format.TRAILER
    assert all(piece[:2] == b"\x00\x09" for piece in pieces[1:-1])
    assert len(pieces) > 5
    assert max(map(len, pieces)) < 7500


def test_places_outside_of_the_logs_are_refused() -> None:
    logs = log_batch([Log([], log_index=at) for at in range(3)])
    table = EventTable("t", "t", "T", "T()", None, (), "A test.")
    for place in (-1, 3):
        with pytest.raises(InvariantViolated, match="not there"):
            encode_rows(1, logs, RowBatch(table, np.array([0, place]), ()))
