"""A short cut for large answers to ``eth_getLogs``: columns straight from the JSON text, without an object per log.

Nodes write all logs of an answer alike: same keys, same order, no white space. So the positions of the quotes say where
every value is. What may be taken for granted is proved, not assumed: logs with the same count of quotes are held, byte
for byte, against the first of them with its values taken out, and that first one is parsed as JSON. Every byte of the
answer is either part of such a frame or inside a value, and every value asked for is converted as strictly as
``hex_columns`` does. Whatever is not exactly so makes ``scan_logs`` return None, and the answer is parsed as usual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import UNKNOWN_TIME, LogBatch
from indexer.chain.refs import BlockRange
from indexer.rpc.hex_scan import Text

WORTH_SCANNING = 1 << 16
"""Answers of fewer bytes are parsed as usual: below this, the fixed cost of the scan is larger than what it saves."""

_PIECE_BYTES = 1 << 20
_LONGEST_LOG = 1 << 14
"""How far behind the end of a piece the next log is looked for; where it is longer, the rest is one piece."""

_MOST_SHAPES = 8
_COLUMNS = (
    "block_number",
    "block_time",
    "tx_index",
    "log_index",
    "block_hash",
    "tx_hash",
    "address",
    "topics",
    "topic_count",
    "data",
)
_SINGLE = ("address", "data", "blockHash", "blockNumber", "transactionHash", "transactionIndex", "logIndex")
_OPTIONAL = "blockTimestamp"
_QUOTE, _BRACE = 0x22, 0x7B

_OBJECT = msgspec.json.Decoder(dict[str, Any])


class _Irregular(Exception):  # it is no error: the answer is parsed in the usual way
    """The answer is not as regular as this module needs it."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """How logs of one count of quotes are written.

    ``frames[i]`` is the text before the i-th string that is a value, with both quotes; the last one ends at the next
    log's brace. ``quotes`` has the places of those strings' opening quotes among the log's quotes. ``fields`` says
    which of them a field is; ``topics`` which ones the topics are.
    """

    frames: tuple[bytes, ...]
    quotes: tuple[int, ...]
    fields: dict[str, int]
    topics: tuple[int, ...]


def scan_logs(raw: bytes | msgspec.Raw, blocks: BlockRange) -> LogBatch | None:
    """The logs of ``raw``, a JSON array, in the order in which they stand there; None when it has to be parsed.

    The blocks' numbers are not held against ``blocks`` here, and nothing is ordered.
    """
    text = memoryview(raw)
    if bytes(text[:3]) != b'[{"' or bytes(text[-2:]) != b"}]":
        return None
    try:
        pieces = [_Scan(piece).batch(blocks) for piece in _pieces(text)]
    except _Irregular:
        return None
    return pieces[0] if len(pieces) == 1 else _joined(pieces, blocks)


def _pieces(text: memoryview) -> Iterator[bytes]:
    """Arrays that together are ``text``, cut between logs, each small enough to stay in the processor's cache."""
    begin = 0
    while len(text) - begin > 2 * _PIECE_BYTES:
        near = begin + _PIECE_BYTES
        cut = bytes(text[near : near + _LONGEST_LOG]).find(b"},{") + 1
        if cut == 0:
            break
        yield (b"[" if begin else b"") + text[begin : near + cut] + b"]"
        begin = near + cut + 1
    yield b"[" + text[begin:] if begin else bytes(text)


def _joined(pieces: list[LogBatch], blocks: BlockRange) -> LogBatch:
    offsets, total = [np.zeros(1, np.int64)], 0
    for piece in pieces:
        offsets.append(piece.data_offset[1:] + total)
        total += int(piece.data_offset[-1])
    columns = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in _COLUMNS}
    return LogBatch(range=blocks, data_offset=np.concatenate(offsets), **columns)


class _Scan:
    """One answer under way."""

    def __init__(self, raw: bytes) -> None:
        if b"\\" in raw:
            raise _Irregular
        self._raw = raw
        self._text = Text(raw, _Irregular)
        characters = np.frombuffer(raw, np.uint8)
        self._quotes = np.flatnonzero(characters == _QUOTE)
        # A brace that opens a log stands before a quote; any other one would be in a frame that does not agree.
        self._braces = self._quotes[characters[self._quotes - 1] == _BRACE] - 1
        count = len(self._braces)
        self._topics = np.zeros((count, 4, 32), np.uint8)
        self._topic_count = np.zeros(count, np.uint8)
        self._starts = {name: np.zeros(count, np.int64) for name in (*_SINGLE, _OPTIONAL)}
        self._ends = {name: np.zeros(count, np.int64) for name in (*_SINGLE, _OPTIONAL)}

    def batch(self, blocks: BlockRange) -> LogBatch:
        """The columns; raises ``_Irregular``."""
        first = np.searchsorted(self._quotes, self._braces)
        counts = np.diff(first, append=len(self._quotes))
        shapes = np.unique(counts)
        if len(shapes) > _MOST_SHAPES:
            raise _Irregular
        for quotes in shapes:
            logs = np.flatnonzero(counts == quotes)
            self._read(logs, first[logs])
        text, starts, ends = self._text, self._starts, self._ends
        data, data_offset = text.variable(starts["data"], ends["data"])
        return LogBatch(
            range=blocks,
            block_number=text.quantities(starts["blockNumber"], ends["blockNumber"]),
            block_time=self._times(),
            tx_index=text.indices(starts["transactionIndex"], ends["transactionIndex"]),
            log_index=text.indices(starts["logIndex"], ends["logIndex"]),
            block_hash=text.fixed(starts["blockHash"], ends["blockHash"], 32),
            tx_hash=text.fixed(starts["transactionHash"], ends["transactionHash"], 32),
            address=text.fixed(starts["address"], ends["address"], 20),
            topics=self._topics,
            topic_count=self._topic_count,
            data=data,
            data_offset=data_offset,
        )

    def _times(self) -> NDArray[np.int64]:
        starts, ends = self._starts[_OPTIONAL], self._ends[_OPTIONAL]
        known = starts > 0
        if known.all():
            return self._text.times(starts, ends)
        times = np.full(len(starts), UNKNOWN_TIME, np.int64)
        if known.any():
            times[known] = self._text.times(starts[known], ends[known])
        return times

    def _read(self, logs: NDArray[np.int64], first: NDArray[np.int64]) -> None:
        """Note where the values of ``logs`` are; ``first`` says which of all quotes is the first of each."""
        last = len(self._braces) - 1
        end = int(self._braces[logs[0] + 1]) if logs[0] < last else len(self._raw) - 1
        shape = _shape(self._raw[int(self._braces[logs[0]]) : end].removesuffix(b","))
        starts = [self._quotes[first + place] + 1 for place in shape.quotes]
        ends = [self._quotes[first + place + 1] for place in shape.quotes]
        self._check_frames(shape, logs, starts, ends)
        # Assigning to a slice is a copy; assigning to places is several times slower.
        chosen = slice(None) if len(logs) == len(self._braces) else logs
        for name, at in shape.fields.items():
            self._starts[name][chosen] = starts[at]
            self._ends[name][chosen] = ends[at]
        self._topic_count[chosen] = len(shape.topics)
        for number, at in enumerate(shape.topics):
            self._topics[chosen, number] = self._text.fixed(starts[at], ends[at], 32)

    def _check_frames(
        self,
        shape: _Shape,
        logs: NDArray[np.int64],
        starts: list[NDArray[np.int64]],
        ends: list[NDArray[np.int64]],
    ) -> None:
        begin = self._braces[logs]
        wanted = {*shape.fields.values(), *shape.topics}
        for at, (start, end, frame) in enumerate(zip(starts, ends, shape.frames, strict=False)):
            if (start - begin != len(frame)).any():
                raise _Irregular
            # Every value that is read begins with 0x: one look serves both.
            self._text.expect(begin, frame + b"0x" if at in wanted else frame)
            begin = end
        tail = shape.frames[-1] + b",{"
        inner = logs < len(self._braces) - 1
        after = self._braces[logs[inner] + 1] + 1
        if (after - begin[inner] != len(tail)).any():
            raise _Irregular
        self._text.expect(begin[inner], tail)
        if not inner[-1] and self._raw[int(begin[-1]) :] != shape.frames[-1] + b"]":
            raise _Irregular


def _shape(log: bytes) -> _Shape:
    """The shape of one log, given as the text of a JSON object whose strings have no escapes."""
    try:
        parsed = _OBJECT.decode(log)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _Irregular from error
    pieces = log.split(b'"')
    frames: list[bytes] = []
    quotes: list[int] = []
    keys: list[str] = []
    owners: list[str] = []
    frame = pieces[0]
    for at in range(1, len(pieces), 2):
        between = pieces[at + 1]
        if between.startswith(b":"):
            keys.append(pieces[at].decode("utf-8", "replace"))
            frame += b'"' + pieces[at] + b'"' + between
        else:
            frames.append(frame + b'"')
            quotes.append(2 * (at // 2))
            owners.append(keys[-1] if keys else "")
            frame = b'"' + between
    frames.append(frame)
    fields = {name: owners.index(name) for name in (*_SINGLE, _OPTIONAL) if owners.count(name) == 1}
    topics = tuple(at for at, name in enumerate(owners) if name == "topics")
    values = [pieces[place + 1].decode("utf-8", "replace") for place in quotes]
    _prove(parsed, keys, {name: values[at] for name, at in fields.items()}, [values[at] for at in topics])
    return _Shape(tuple(frames), tuple(quotes), fields, topics)


def _prove(parsed: dict[str, Any], keys: list[str], fields: dict[str, str], topics: list[str]) -> None:
    """Hold what was found by its quotes against what the JSON says."""
    required = all(name in fields for name in _SINGLE)
    once = len(keys) == len(parsed) == len(set(keys))
    same = all(parsed.get(name) == value for name, value in fields.items())
    time_known = _OPTIONAL in fields or parsed.get(_OPTIONAL) is None
    if not (
        required and once and same and time_known and parsed.get("topics") == topics and len(topics) <= 4
    ):
        raise _Irregular
