"""Which layouts may decode a log (interface rules 4 and 8): by contract, topic0 and, for diamonds, place on the chain.

A batch is grouped in columns: each log gets a profile (its contract, for diamonds also the ABIs active at its place) and
the place of its topic0 among all that are known; the two together name the group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import LogBatch
from indexer.config import ContractSettings
from indexer.decode.catalogue import Catalogue
from indexer.decode.cuts import DIAMOND_CUT_TOPIC, apply_cuts
from indexer.decode.diamonds import FacetTimeline
from indexer.decode.event_tables import FileLayouts
from indexer.decode.profiles import Profiles
from indexer.decode.selection import anonymous_called, files_to_search, selected
from indexer.decode.tables import EventLayout
from indexer.decode.topics import UNKNOWN, TopicIndex

NOBODY = -1
"""Owner of a log that no contract asked for; standards decode it."""


@dataclass(frozen=True, slots=True)
class LayoutGroup:
    """Logs that the same layouts may decode.

    ``indices`` are places in the LogBatch, int64, ascending. ``candidates`` have the logs' topic0 (then come the
    anonymous ones that the contract names), whatever their topic count, in the order in which they are tried; none for
    an unknown topic.
    """

    indices: NDArray[np.int64]
    candidates: tuple[EventLayout, ...]


class Resolver:
    """Finds layouts for the logs of one chain's contracts.

    ``names`` are the contracts' sections in the order of the file; ``timeline`` has the diamonds' facets.
    """

    def __init__(self, catalogue: Catalogue, contracts: Mapping[str, ContractSettings]) -> None:
        """Raises ``ConfigError`` when a contract names an ABI that ``catalogue`` was not loaded for."""
        self.names: tuple[str, ...] = tuple(contracts)
        self.timeline = FacetTimeline(catalogue.functions)
        self._catalogue = catalogue
        self._contracts = dict(contracts)
        self._orders = [_Order(catalogue, contract) for contract in contracts.values()]
        self._nobody = _Order(catalogue, None)
        self._topics = TopicIndex(layout.topic0 for layout in catalogue.layouts if layout.topic0 is not None)
        diamonds = [contract.kind == "diamond" for contract in contracts.values()]
        self._profiles = Profiles(np.array(diamonds, np.bool_), self.timeline)
        self._found: dict[tuple[int, tuple[str, ...], int], tuple[EventLayout, ...]] = {}
        self._same: dict[tuple[int, ...], tuple[EventLayout, ...]] = {}

    def filter_topics(self, name: str) -> frozenset[bytes] | None:
        """The topic0s that a contract asks for; None for every log of its addresses (interface rule 8).

        A diamond that asks for some topics asks for ``DiamondCut`` as well: its facets are not known without. A
        contract that names anonymous events asks for every log, for those have no topic to ask for.
        """
        contract = self._contracts[name]
        addresses = contract.address is not None
        if addresses and (contract.anonymous or (contract.events is None and not contract.discover)):
            return None
        if contract.events is None:
            files = self._catalogue.files_of(contract)
            layouts: Iterable[EventLayout] = (
                layout for file in files for choice in file.choices for layout in choice
            )
        else:
            layouts = chain.from_iterable(
                selected(self._catalogue, contract, event) for event in contract.events
            )
        topics = {layout.topic0 for layout in layouts if layout.topic0 is not None}
        return frozenset(topics | {DIAMOND_CUT_TOPIC} if contract.kind == "diamond" else topics)

    def groups(self, logs: LogBatch, owners: NDArray[np.int32]) -> list[LayoutGroup]:
        """Every log of ``logs`` in exactly one group; ``owners[i]`` is the place in ``names`` of log i's contract, or -1.

        ``DiamondCut`` logs of diamonds in the batch are applied to ``timeline`` first.
        """
        if not len(logs):
            return []
        topics = self._topics.places(logs)
        self._apply_cuts(logs, owners, topics)
        profile = self._profiles.of(logs, owners)
        width = len(self._topics) + 1
        key = profile * width + topics + 1
        present, group_of_key = self._group_keys(key, width)
        return [
            LayoutGroup(indices, candidates)
            for indices, candidates in zip(_split(group_of_key[key], len(present)), present, strict=True)
        ]

    def candidates(
        self, owner: int, active: tuple[str, ...], topic0: bytes | None
    ) -> tuple[EventLayout, ...]:
        """Layouts for a log of the contract at ``owner`` in ``names``, with a diamond's ``active`` ABIs, in order."""
        return self._candidates(owner, active, UNKNOWN if topic0 is None else self._topics.place(topic0))

    def _apply_cuts(self, logs: LogBatch, owners: NDArray[np.int32], topics: NDArray[np.int64]) -> None:
        place = self._topics.place(DIAMOND_CUT_TOPIC)
        cuts = np.flatnonzero((topics == place) & (logs.topic_count == 1))
        cuts = cuts[self._profiles.of_diamond(owners[cuts])]
        if len(cuts):
            apply_cuts(self.timeline, self._catalogue, logs, cuts)

    def _group_keys(
        self, key: NDArray[np.int64], width: int
    ) -> tuple[list[tuple[EventLayout, ...]], NDArray[np.intp]]:
        """The candidates of each group, and for each key that occurs the place of its group."""
        count = np.bincount(key)
        group_of_key = np.zeros(len(count), np.intp)
        places: dict[int, int] = {}
        present: list[tuple[EventLayout, ...]] = []
        for one in np.flatnonzero(count).tolist():
            owner, active = self._profiles.meaning(one // width)
            found = self._candidates(owner, active, one % width - 1)
            if id(found) not in places:
                places[id(found)] = len(present)
                present.append(found)
            group_of_key[one] = places[id(found)]
        return present, group_of_key

    def _candidates(self, owner: int, active: tuple[str, ...], place: int) -> tuple[EventLayout, ...]:
        """As ``candidates``; equal answers are the same object."""
        found = self._found.get((owner, active, place))
        if found is None:
            order = self._nobody if owner == NOBODY else self._orders[owner]
            topic0 = None if place == UNKNOWN else self._topics.topic(place)
            layouts = tuple(order.layouts(active, topic0))
            found = self._same.setdefault(tuple(map(id, layouts)), layouts)
            self._found[owner, active, place] = found
        return found


class _Order:
    """The order in which a contract's logs are held against ABIs. ``contract`` None: only the standards."""

    def __init__(self, catalogue: Catalogue, contract: ContractSettings | None) -> None:
        self._by_stem = catalogue.by_stem
        self._own = catalogue.files_of(contract) if contract else ()
        self._diamond = contract is not None and contract.kind == "diamond"
        self._rest: tuple[FileLayouts, ...] = catalogue.standards
        if self._diamond:
            self._rest += catalogue.named + catalogue.gemforce
        self._rank = {file.source.stem: place for place, file in reversed(list(enumerate(self._own)))}
        files = files_to_search(catalogue, contract) if contract else ()
        names = contract.anonymous if contract else ()
        self._anonymous = tuple(chain.from_iterable(anonymous_called(files, name) for name in names))

    def layouts(self, active: tuple[str, ...], topic0: bytes | None) -> Iterator[EventLayout]:
        """Each layout of ``topic0`` once, then the anonymous ones that the contract names."""
        seen: set[int] = set()
        for layout in chain(self._with_topic(active, topic0), self._anonymous):
            if id(layout) not in seen:
                seen.add(id(layout))
                yield layout

    def _with_topic(self, active: tuple[str, ...], topic0: bytes | None) -> Iterator[EventLayout]:
        if topic0 is None:
            return
        last = len(self._own)
        facets = sorted(active, key=lambda stem: (self._rank.get(stem, last), stem)) if self._diamond else ()
        for file in chain((self._by_stem[stem] for stem in facets), self._own, self._rest):
            for choice in file.choices:
                if choice[0].topic0 == topic0:
                    yield self._chosen(choice)

    def _chosen(self, choice: tuple[EventLayout, ...]) -> EventLayout:
        """Of several standards that declare the event the one that stands first in the contract's ABIs, else the first."""
        return min(choice, key=lambda layout: self._rank.get(layout.abi, len(self._own)))


def _split(group: NDArray[np.intp], count: int) -> Iterator[NDArray[np.int64]]:
    """Ascending places of each group's logs."""
    if count == 1:
        yield np.arange(len(group), dtype=np.int64)
        return
    # Sorting 16-bit numbers stably is a radix sort: it costs nanoseconds a log.
    small = group.astype(np.uint16) if count < 1 << 16 else group
    order = np.argsort(small, kind="stable").astype(np.int64, copy=False)
    ends = np.cumsum(np.bincount(group, minlength=count))
    yield from np.split(order, ends[:-1])
