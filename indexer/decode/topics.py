"""Looks topic0s up in columns."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import LogBatch
from indexer.errors import InvariantViolated

UNKNOWN = -1
"""Place of a topic0 that no layout has, and of a log without topics."""


class TopicIndex:
    """Every topic0 that some layout has; its place is a number from 0 up."""

    def __init__(self, topics: Iterable[bytes]) -> None:
        unique = sorted(set(topics))
        words = np.frombuffer(b"".join(unique), np.uint64).reshape(len(unique), 4)
        # One of the four words tells all topics apart, so that one comparison a log finds the only place to compare.
        chosen = next((word for word in range(4) if len(np.unique(words[:, word])) == len(unique)), None)
        if chosen is None:
            raise InvariantViolated("no eight bytes tell the topics of the catalogue apart")
        order = np.argsort(words[:, chosen])
        self._word = chosen
        self._words = words[order]
        self._keys = np.ascontiguousarray(self._words[:, chosen])
        self._topics: list[bytes] = [unique[place] for place in order.tolist()]
        self._places = {topic: place for place, topic in enumerate(self._topics)}

    def __len__(self) -> int:
        return len(self._topics)

    def place(self, topic0: bytes) -> int:
        """Where a topic0 stands, or ``UNKNOWN``."""
        return self._places.get(topic0, UNKNOWN)

    def topic(self, place: int) -> bytes:
        """The topic0 at a place."""
        return self._topics[place]

    def places(self, logs: LogBatch) -> NDArray[np.int64]:
        """The place of each log's topic0, int64 (n,); ``UNKNOWN`` where there is none."""
        if not self._topics:
            return np.full(len(logs), UNKNOWN, np.int64)
        words = np.ascontiguousarray(logs.topics).view(np.uint64)[:, 0]
        first = self.place(logs.topics[0, 0].tobytes())
        if first != UNKNOWN and bool(np.all(words == self._words[first])):
            places = np.full(len(logs), first, np.int64)
        else:
            places = np.searchsorted(self._keys, words[:, self._word]).astype(np.int64, copy=False)
            np.minimum(places, len(self._keys) - 1, out=places)
            same = self._keys[places] == words[:, self._word]
            for word in range(4):
                if word != self._word:
                    same &= self._words[places, word] == words[:, word]
            places[~same] = UNKNOWN
        places[logs.topic_count == 0] = UNKNOWN
        return places
