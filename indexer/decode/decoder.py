"""Logs to rows: which layout decodes a log, and what becomes of those that none does (interface rules 4 and 5)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import LogBatch
from indexer.decode.column_data import merge_rows, take_column
from indexer.decode.layout import OK, LayoutResult, code_of, layout_decoder, reason_of
from indexer.decode.reasons import (
    DUPLICATE_LOG_INDEX,
    NO_TOPICS,
    SURPLUS_DATA,
    TOPIC_COUNT,
    UNKNOWN_TOPIC,
)
from indexer.decode.tables import Decoded, EventLayout, RowBatch, Undecoded
from indexer.errors import InvariantViolated


class Group(Protocol):
    """Logs with the same candidates: ``indices`` ascending, ``candidates`` in the order of rule 4."""

    @property
    def indices(self) -> NDArray[np.int64]:
        """Places in the LogBatch."""

    @property
    def candidates(self) -> tuple[EventLayout, ...]:
        """Layouts that may decode them; none for an unknown topic."""


class Grouping(Protocol):
    """What the decoder asks of the resolver."""

    def groups(self, logs: LogBatch, owners: NDArray[np.int32]) -> Sequence[Group]:
        """Every log in exactly one group."""


class Decoder:
    """Decodes log batches with the layouts that ``resolver`` names. CPU only; one batch at a time per resolver."""

    def __init__(self, resolver: Grouping) -> None:
        self._resolver = resolver

    def decode(self, logs: LogBatch, owners: NDArray[np.int32]) -> Decoded:
        """Rows and undecoded logs of ``logs``; ``owners[i]`` is the contract section that log i belongs to.

        Of several logs with one log index in a block the first is decoded, the others are kept undecoded, because
        the key of the event tables has room for one. Raises ``InvariantViolated`` when the resolver loses a log.
        """
        work = _Work(logs)
        duplicates = _duplicates(logs)
        work.refuse(np.flatnonzero(duplicates), code_of(DUPLICATE_LOG_INDEX))
        for group in self._resolver.groups(logs, owners):
            indices = group.indices
            work.seen += len(indices)
            if duplicates.any():
                indices = indices[~duplicates[indices]]
            work.decode(indices, group.candidates)
        if work.seen != len(logs):
            raise InvariantViolated(f"of {len(logs)} logs {work.seen} were given to the decoder")
        return work.decoded()


class _Work:
    """One batch under way."""

    def __init__(self, logs: LogBatch) -> None:
        self.seen = 0
        self._logs = logs
        self._code = np.zeros(len(logs), np.uint8)
        self._rows: dict[str, list[RowBatch]] = defaultdict(list)
        self._surplus = 0

    def refuse(self, indices: NDArray[np.int64], code: int | NDArray[np.uint8]) -> None:
        """Keep these logs undecoded."""
        self._code[indices] = code

    def decode(self, indices: NDArray[np.int64], candidates: Sequence[EventLayout]) -> None:
        """Decode logs with the first candidate that fits, or refuse them with what the first one objected to."""
        named = [layout for layout in candidates if not layout.anonymous]
        anonymous = [layout for layout in candidates if layout.anonymous]
        for count in np.unique(self._logs.topic_count[indices]):
            left = indices[self._logs.topic_count[indices] == count]
            code = np.full(len(left), _no_layout(int(count), named=bool(named)), np.uint8)
            judged = False
            for layouts in (named, anonymous):
                fitting = [layout for layout in layouts if layout.topic_count == count]
                if fitting:
                    tried = self._try(left, fitting)
                    refused = tried != OK
                    code = code[refused] if judged else tried[refused]
                    left = left[refused]
                    judged = True
            self.refuse(left, code)

    def _try(self, indices: NDArray[np.int64], layouts: Sequence[EventLayout]) -> NDArray[np.uint8]:
        """Decode logs with layouts of their topic count; the code for each: ``OK``, or the first layout's objection.

        A layout that fits the data exactly wins over an earlier one that leaves bytes over.
        """
        results = [(layout, layout_decoder(layout).decode(self._logs, indices)) for layout in layouts]
        winner = np.full(len(indices), -1, np.int64)
        for exact in (True, False):
            for place, (_, result) in enumerate(results):
                fits = (result.code == OK) & (winner < 0)
                winner[fits & ~result.surplus if exact else fits] = place
        for place, (layout, result) in enumerate(results):
            self._accept(layout, result, indices, winner == place)
        return np.where(winner < 0, results[0][1].code, np.uint8(OK))

    def _accept(
        self,
        layout: EventLayout,
        result: LayoutResult,
        indices: NDArray[np.int64],
        won: NDArray[np.bool_],
    ) -> None:
        if not won.any():
            return
        self._surplus += int((result.surplus & won).sum())
        columns = result.columns
        decoded = result.code == OK
        if not won[decoded].all():
            places = np.flatnonzero(won[decoded])
            columns = tuple(take_column(column, places) for column in columns)
        table = layout.table
        self._rows[table.name].append(RowBatch(table, indices if won.all() else indices[won], columns))

    def decoded(self) -> Decoded:
        """All of it, one RowBatch for each table, by the table's name."""
        places = np.flatnonzero(self._code)
        undecoded = Undecoded(places, [reason_of(int(code)) for code in self._code[places]])
        irregular = Counter(
            {
                SURPLUS_DATA: self._surplus,
                DUPLICATE_LOG_INDEX: int((self._code == code_of(DUPLICATE_LOG_INDEX)).sum()),
            }
        )
        rows = tuple(merge_rows(self._rows[name]) for name in sorted(self._rows))
        return Decoded(rows, undecoded, +irregular)


def _duplicates(logs: LogBatch) -> NDArray[np.bool_]:
    """Logs whose block and log index are those of the log before."""
    same = np.zeros(len(logs), np.bool_)
    same[1:] = (np.diff(logs.block_number) == 0) & (np.diff(logs.log_index) == 0)
    return same


def _no_layout(topic_count: int, *, named: bool) -> int:
    """The code for logs without any layout of their topic count."""
    if topic_count == 0:
        return code_of(NO_TOPICS)
    return code_of(TOPIC_COUNT if named else UNKNOWN_TOPIC)
