"""Event layouts and logs written down in a test, and a resolver double that hands them to the decoder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from eth_hash.auto import keccak
from numpy.typing import NDArray

from indexer.chain.logs import LogBatch, concat
from indexer.chain.refs import BlockRange
from indexer.decode.naming import argument_name, column_name, sql_type, table_name
from indexer.decode.tables import Column, EventLayout, EventParam, EventTable

_TOKEN = re.compile(r"\s*([A-Za-z0-9_$]+|\[\d*\]|[(),])")


def event_layout(declaration: str, *, anonymous: bool = False, stem: str = "test") -> EventLayout:
    """The layout of an event written as in Solidity, with tuples in parentheses.

    ``event_layout("Paid(address indexed from, (uint8 kind, string note)[] parts)")``
    """
    name, _, rest = declaration.partition("(")
    tokens = [match[1] for match in _TOKEN.finditer(f"({rest}")]
    params, left = _params(tokens[1:])
    if left:
        raise ValueError(f"{declaration!r} goes on after its closing parenthesis")
    return layout_of(name, params, anonymous=anonymous, stem=stem)


def layout_of(
    name: str, params: Sequence[EventParam], *, anonymous: bool = False, stem: str = "test"
) -> EventLayout:
    """A layout with a table of its own."""
    signature = f"{name}({','.join(param.canonical for param in params)})"
    topic0 = keccak(signature.encode())
    columns: list[Column] = []
    for position, param in enumerate(params):
        taken = {column.name for column in columns}
        columns.append(Column(column_name(argument_name(param, position), taken), sql_type(param), "A test."))
    table = EventTable(
        table_name(f"{stem}_{name.lower()}", topic0, ()),
        stem,
        name,
        signature,
        None if anonymous else topic0,
        tuple(columns),
        "A test.",
    )
    return EventLayout(stem, name, signature, table.topic0, tuple(params), table, tuple(range(len(params))))


def _params(tokens: list[str]) -> tuple[list[EventParam], list[str]]:
    """Parameters up to the closing parenthesis, and the tokens after it."""
    params = []
    while tokens[0] != ")":
        param, tokens = _param(tokens)
        params.append(param)
        if tokens[0] == ",":
            tokens = tokens[1:]
    return params, tokens[1:]


def _param(tokens: list[str]) -> tuple[EventParam, list[str]]:
    components: list[EventParam] = []
    base = canonical = tokens[0]
    tokens = tokens[1:]
    if base == "(":
        components, tokens = _params(tokens)
        base, canonical = "tuple", f"({','.join(item.canonical for item in components)})"
    arrays = ""
    while tokens[0].startswith("["):
        arrays += tokens[0]
        tokens = tokens[1:]
    indexed = tokens[0] == "indexed"
    tokens = tokens[1:] if indexed else tokens
    name = "" if tokens[0] in {",", ")"} else tokens[0]
    tokens = tokens[1:] if name else tokens
    return EventParam(name, base + arrays, canonical + arrays, indexed, tuple(components)), tokens


@dataclass(frozen=True, slots=True)
class Log:
    """One log. Its block's hash and transaction follow from the numbers."""

    topics: Sequence[bytes]
    data: bytes = b""
    block: int = 1
    log_index: int = 0
    address: bytes = b"\xaa" * 20
    tx_index: int = 0


def log_batch(logs: Sequence[Log]) -> LogBatch:
    """Logs as a batch, ordered; block n has the timestamp 1,700,000,000 + n."""
    blocks = [log.block for log in logs] or [0]
    within = BlockRange(min(blocks), max(blocks))
    return concat(within, [_one(log, within) for log in logs])


def _one(log: Log, within: BlockRange) -> LogBatch:
    topics = np.zeros((1, 4, 32), np.uint8)
    for place, topic in enumerate(log.topics):
        topics[0, place] = np.frombuffer(topic, np.uint8)
    return LogBatch(
        within,
        np.array([log.block], np.int64),
        np.array([1_700_000_000 + log.block], np.int64),
        np.array([log.tx_index], np.int32),
        np.array([log.log_index], np.int32),
        _row(keccak(b"block %d" % log.block)),
        _row(keccak(b"transaction %d %d" % (log.block, log.tx_index))),
        _row(log.address),
        topics,
        np.array([len(log.topics)], np.uint8),
        np.frombuffer(log.data, np.uint8),
        np.array([0, len(log.data)], np.int64),
    )


def _row(value: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(value, np.uint8)[None, :]


@dataclass(frozen=True, slots=True)
class FixedGroup:
    """Logs at ``indices`` with these candidates."""

    indices: NDArray[np.int64]
    candidates: tuple[EventLayout, ...]


@dataclass(slots=True)
class TopicResolver:
    """Candidates by topic0 alone, in the order given; anonymous layouts stand after them for every log."""

    layouts: Sequence[EventLayout]
    calls: int = field(default=0)

    def groups(self, logs: LogBatch, owners: NDArray[np.int32]) -> list[FixedGroup]:  # noqa: ARG002  # the seam's signature
        """One group for each topic0 in ``logs``; ``owners`` makes no difference."""
        self.calls += 1
        members: dict[bytes, list[int]] = {}
        for place in range(len(logs)):
            key = logs.topics[place, 0].tobytes() if logs.topic_count[place] else b""
            members.setdefault(key, []).append(place)
        anonymous = [layout for layout in self.layouts if layout.anonymous]
        return [
            FixedGroup(
                np.array(places, np.int64),
                tuple([layout for layout in self.layouts if layout.topic0 == key and key] + anonymous),
            )
            for key, places in members.items()
        ]
