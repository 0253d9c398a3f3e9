"""Answers to ``eth_getLogs`` as nodes write them, and as they should not."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np

from indexer.chain.logs import LogBatch

COLUMNS = [name for name in LogBatch.__dataclass_fields__ if name != "range"]


def make_logs(draw: random.Random, count: int, *, uniform: bool) -> list[dict[str, Any]]:
    def hx(size: int) -> str:
        return "0x" + draw.randbytes(size).hex()

    return [
        {
            "address": hx(20),
            "topics": [hx(32) for _ in range(3 if uniform else draw.randrange(5))],
            "data": hx(32 if uniform else draw.choice([0, 1, 32, 96])),
            "blockHash": hx(32),
            "blockNumber": hex(draw.choice([1, 5, 4000])),
            "blockTimestamp": hex(draw.randrange(2**33)),
            "transactionHash": hx(32),
            "transactionIndex": hex(draw.randrange(300)),
            "logIndex": hex(at),
            "removed": False,
        }
        for at in range(count)
    ]


def dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def same(one: LogBatch, other: LogBatch) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        and getattr(one, name).dtype == getattr(other, name).dtype
        for name in COLUMNS
    )


def mutate(raw: bytes, draw: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(draw.choice([1, 1, 2, 5])):
        at = draw.randrange(len(changed))
        how = draw.randrange(5)
        if how == 0:
            changed[at] = draw.choice(b'"{}[],:0x1fg \x00\xff\\')
        elif how == 1:
            del changed[at]
        elif how == 2:
            changed.insert(at, draw.choice(b'"{}[],:0x1fg \n\x00\xc3'))
        elif how == 3:
            other = draw.randrange(len(changed))
            changed[at : at + 40] = changed[other : other + 40]
        else:
            del changed[at : at + draw.choice([2, 66, 69])]
    return bytes(changed)
