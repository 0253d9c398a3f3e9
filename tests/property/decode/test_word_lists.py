"""Arrays of wide integers read all at once are what the general decoder reads one by one, or are left to it."""

from __future__ import annotations

import random

import eth_abi
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.decode.column_data import as_list
from indexer.decode.layout import layout_decoder
from indexer.decode.tables import WordLists
from indexer.testing.events import Log, event_layout, log_batch

KINDS = [
    ["uint256[]", "uint256[]"],
    ["uint256", "int256[]", "address"],
    ["uint128[]", "int128[]", "bool"],
]


def values(draw: random.Random, kind: str) -> object:
    if kind.endswith("[]"):
        return [values(draw, kind[:-2]) for _ in range(draw.randrange(4))]
    if kind == "address":
        return "0x" + draw.randbytes(20).hex()
    if kind == "bool":
        return draw.random() < 0.5
    bits = int(kind.lstrip("uint"))
    number = draw.getrandbits(draw.randrange(1, bits))
    return -number if kind[0] == "i" and draw.random() < 0.5 else number


def damaged(data: bytes, draw: random.Random) -> bytes:
    if draw.random() < 0.7:
        return data
    changed = bytearray(data)
    how = draw.randrange(4)
    if how == 0 and changed:
        changed[draw.randrange(len(changed))] = draw.choice([0, 1, 0x20, 0x40, 0xFF])
    elif how == 1:
        del changed[-draw.randrange(1, 70) :]
    elif how == 2:
        changed += draw.randbytes(draw.choice([1, 32, 64]))
    else:
        at = 32 * draw.randrange(len(changed) // 32)
        changed[at : at + 32] = draw.choice([2**256 - 1, 2**63, 2**64, 0, 64, 96, 160]).to_bytes(32)
    return bytes(changed)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**40))
def test_lists_read_at_once_are_those_read_one_by_one(seed: int) -> None:
    draw = random.Random(seed)
    kinds = draw.choice(KINDS)
    hurt = draw.random() < 0.5
    made = [
        eth_abi.encode(kinds, [values(draw, kind) for kind in kinds]) for _ in range(draw.randrange(1, 6))
    ]
    logs = log_batch(
        [
            Log([b"\x01" * 32], damaged(data, draw) if hurt else data, log_index=at)
            for at, data in enumerate(made)
        ]
    )
    decoder = layout_decoder(event_layout(f"Listed({','.join(kinds)})"))
    long_enough = np.flatnonzero(logs.data_length() >= 32 * len(kinds))
    at_once = decoder._read_lists(logs, long_enough)
    columns, reached, code = decoder._read_one_by_one(logs, long_enough)
    if at_once is None:
        assert hurt
        return
    assert not code.any()
    assert (at_once[1] == reached).all()
    assert not at_once[2].any()
    lists = [column for column in at_once[0] if column is not None]
    assert all(isinstance(column, WordLists) for column in lists)
    assert [as_list(column, len(long_enough)) for column in lists] == [
        one for one in columns if one is not None
    ]
