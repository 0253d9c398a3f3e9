"""Decodes many logs with one event layout: words in columns, whatever stands behind an offset log by log."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import LogBatch
from indexer.decode.abi_types import ValueType, head_size, type_of
from indexer.decode.columnar import WordDecoder, data_words
from indexer.decode.generic import Codec, Reading, codec_of, first_tail, follow
from indexer.decode.reasons import DIRTY_PADDING, SHORT_DATA, UNDECODED_REASONS, Undecodable
from indexer.decode.tables import ColumnData, EventLayout
from indexer.decode.word_lists import list_item, read_word_lists

OK = 0
"""In ``LayoutResult.code``: decoded. Any other number is 1 + the place of the reason in ``UNDECODED_REASONS``."""

_CODE_OF_REASON = {reason: place + 1 for place, reason in enumerate(UNDECODED_REASONS)}


def code_of(reason: str) -> int:
    """The number that stands for ``reason`` in ``LayoutResult.code``."""
    return _CODE_OF_REASON[reason]


def reason_of(code: int) -> str:
    """The reason that a number of ``LayoutResult.code`` stands for."""
    return UNDECODED_REASONS[code - 1]


@dataclass(frozen=True, slots=True)
class LayoutResult:
    """What one layout makes of n logs.

    ``code`` uint8 (n,): ``OK`` or a reason. ``surplus`` bool (n,): decoded, with bytes left over. ``columns``: values of
    the logs that decoded, in their order, one for each column of the layout's table.
    """

    code: NDArray[np.uint8]
    surplus: NDArray[np.bool_]
    columns: tuple[ColumnData, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    """A parameter of one word: topic ``index``, or the data's word ``index``; its value goes to ``column``."""

    column: int
    topic: bool
    index: int
    decoder: WordDecoder


@dataclass(frozen=True, slots=True)
class _Part:
    """A parameter of the data that is no single word: its head is at ``at`` bytes."""

    column: int
    at: int
    codec: Codec
    json: bool
    item: ValueType | None
    """Of an array of wide integers, what it is made of."""


class LayoutDecoder:
    """A layout, prepared. Immutable, so that any thread may use it."""

    def __init__(self, layout: EventLayout) -> None:
        self.layout = layout
        self._words: list[_Word] = []
        self._parts: list[_Part] = []
        self._head = 0
        topic = 0 if layout.anonymous else 1
        for param, column in zip(layout.params, layout.columns, strict=True):
            kind = type_of(param)
            if param.indexed:
                self._words.append(_Word(column, True, topic, _topic_decoder(kind)))
                topic += 1
                continue
            if isinstance(kind, ValueType):
                self._words.append(_Word(column, False, self._head // 32, WordDecoder(kind)))
            else:
                sql_type = layout.table.columns[column].sql_type
                item = list_item(kind, sql_type)
                self._parts.append(_Part(column, self._head, codec_of(kind), sql_type == "jsonb", item))
            self._head += head_size(kind)
        self._first_tail = first_tail([type_of(param) for param in layout.params if not param.indexed])

    def decode(self, logs: LogBatch, indices: NDArray[np.int64]) -> LayoutResult:
        """Decode the logs at ``indices`` (ascending), whose topic count is the layout's."""
        lengths = logs.data_offset[indices + 1] - logs.data_offset[indices]
        code = np.where(lengths < self._head, np.uint8(code_of(SHORT_DATA)), np.uint8(OK))
        chosen = _accepted(indices, code)
        words = self._read_words(logs, chosen)
        dirty = _dirty(self._words, words, len(chosen))
        if dirty.any():
            code[np.flatnonzero(code == OK)[dirty]] = code_of(DIRTY_PADDING)
            words = [one[~dirty] for one in words]
            chosen = chosen[~dirty]
        columns: list[ColumnData] = [None] * len(self.layout.table.columns)
        if self._parts:
            columns, ends, part_code = self._read_parts(logs, chosen)
            kept = part_code == OK
            if not kept.all():
                code[code == OK] = part_code
                words = [one[kept] for one in words]
            reached = ends[kept]
        else:
            reached = np.full(len(chosen), self._head, np.int64)
        for word, values in zip(self._words, words, strict=True):
            columns[word.column] = word.decoder.column(values)
        surplus = np.zeros(len(indices), np.bool_)
        surplus[code == OK] = lengths[code == OK] > reached
        return LayoutResult(code, surplus, tuple(columns))

    def _read_words(self, logs: LogBatch, chosen: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
        whole = len(chosen) == len(logs)
        topics = logs.topics if whole else logs.topics[chosen]
        used = 1 + max((word.index for word in self._words if not word.topic), default=-1)
        data = data_words(logs.data, logs.data_offset[chosen], used)
        return [(topics if word.topic else data)[:, word.index] for word in self._words]

    def _read_parts(
        self, logs: LogBatch, chosen: NDArray[np.int64]
    ) -> tuple[list[ColumnData], NDArray[np.int64], NDArray[np.uint8]]:
        """Columns of the parts, how far each log's encoding reached, and a code for each of ``chosen``."""
        return self._read_lists(logs, chosen) or self._read_one_by_one(logs, chosen)

    def _read_lists(
        self, logs: LogBatch, chosen: NDArray[np.int64]
    ) -> tuple[list[ColumnData], NDArray[np.int64], NDArray[np.uint8]] | None:
        """As ``_read_parts``, where all parts are arrays of wide integers in the usual encoding."""
        items = [(part.at, part.item) for part in self._parts if part.item is not None]
        if len(items) < len(self._parts):
            return None
        starts = logs.data_offset[chosen]
        lengths = logs.data_offset[chosen + 1] - starts
        found = read_word_lists(logs.data, starts, lengths, self._head, items)
        if found is None:
            return None
        lists, reached = found
        columns: list[ColumnData] = [None] * len(self.layout.table.columns)
        for part, values in zip(self._parts, lists, strict=True):
            columns[part.column] = values
        return columns, reached, np.zeros(len(chosen), np.uint8)

    def _read_one_by_one(
        self, logs: LogBatch, chosen: NDArray[np.int64]
    ) -> tuple[list[ColumnData], NDArray[np.int64], NDArray[np.uint8]]:
        starts, ends = logs.data_offset[chosen].tolist(), logs.data_offset[chosen + 1].tolist()
        code = np.zeros(len(chosen), np.uint8)
        reached = np.zeros(len(chosen), np.int64)
        rows: list[list[Any]] = []
        for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
            reading = Reading(logs.data[start:end].tobytes())
            try:
                rows.append(self._read_row(reading))
            except Undecodable as error:
                code[place] = code_of(error.reason)
            reached[place] = reading.end
        columns: list[ColumnData] = [None] * len(self.layout.table.columns)
        for place, part in enumerate(self._parts):
            columns[part.column] = [row[place] for row in rows]
        return columns, reached, code

    def _read_row(self, reading: Reading) -> list[Any]:
        reading.claim(0, self._head, SHORT_DATA)
        values = []
        for part in self._parts:
            at = follow(reading, part.at, 0, self._first_tail) if part.codec.dynamic else part.at
            value = part.codec.read(reading, at)
            values.append(msgspec.json.encode(part.codec.json(value)).decode() if part.json else value)
        return values


def _topic_decoder(kind: object) -> WordDecoder:
    """An indexed value type stands in its topic as a word; of everything else the topic is a hash."""
    return WordDecoder(kind if isinstance(kind, ValueType) else None)


def _accepted(indices: NDArray[np.int64], code: NDArray[np.uint8]) -> NDArray[np.int64]:
    accepted = code == OK
    return indices if accepted.all() else indices[accepted]


def _dirty(words: list[_Word], values: list[NDArray[np.uint8]], count: int) -> NDArray[np.bool_]:
    dirty = np.zeros(count, np.bool_)
    for word, value in zip(words, values, strict=True):
        found = word.decoder.dirty(value)
        if found is not None:
            dirty |= found
    return dirty


@lru_cache(maxsize=8192)
def layout_decoder(layout: EventLayout) -> LayoutDecoder:
    """The prepared decoder of a layout; layouts come from the catalogue, so there are only so many."""
    return LayoutDecoder(layout)
