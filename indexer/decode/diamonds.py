"""Which ABIs a diamond (EIP-2535) had at which log, from its cuts and from what its loupe told once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

REMOVE = 2
"""``FacetCutAction.Remove``; 0 adds and 1 replaces."""

NO_FACET = bytes(20)

SEED_LOG_INDEX = -1
"""Where in its block a seed stands: before every log."""


class FacetCut(NamedTuple):
    """One element of a ``DiamondCut``: 20 bytes of facet, the action's number, selectors of 4 bytes each."""

    facet: bytes
    action: int
    selectors: Sequence[bytes]


class FacetMatcher:
    """Finds the ABI that a facet was compiled from by the selectors it serves.

    The database has the same rule (``sync.match_abi``); a test holds the two against each other.
    """

    def __init__(self, functions: Mapping[str, frozenset[bytes]]) -> None:
        self._size = {abi: len(selectors) for abi, selectors in functions.items()}
        self._abis: dict[bytes, list[str]] = {}
        for abi, selectors in functions.items():
            for selector in selectors:
                self._abis.setdefault(selector, []).append(abi)

    def match(self, selectors: Iterable[bytes]) -> str | None:
        """The ABI with most of ``selectors``, and at least half of them; ties go to the fewest functions, then the name."""
        served = frozenset(selectors)
        hits: dict[str, int] = {}
        for selector in served:
            for abi in self._abis.get(selector, ()):
                hits[abi] = hits.get(abi, 0) + 1
        enough = [abi for abi, count in hits.items() if 2 * count >= len(served)]
        return min(enough, key=lambda abi: (-hits[abi], self._size[abi], abi), default=None)


@dataclass(frozen=True, slots=True)
class FacetSteps:
    """A diamond's ABIs over time: from ``positions[i]`` (see ``position``) on, ``active[i]``, sorted by name.

    ``unknown`` are the facets of the last step that match no ABI.
    """

    positions: NDArray[np.int64]
    active: tuple[tuple[str, ...], ...]
    unknown: tuple[bytes, ...]


def position(block: int, log_index: int) -> int:
    """A log's place on the chain as one number, ordered like (block, log index); ``SEED_LOG_INDEX`` is before all logs."""
    return (block << 32) + log_index + 1


class FacetTimeline:
    """Facets of every diamond over block ranges. Safe to use from several threads.

    Cuts may come in any order and more than once: what holds at a log follows from all of them, ordered by (block, log
    index), and the first that was told for a place stays.
    """

    def __init__(self, functions: Mapping[str, frozenset[bytes]]) -> None:
        self._matcher = FacetMatcher(functions)
        self._changes: dict[bytes, dict[tuple[int, int], tuple[FacetCut, ...]]] = {}
        self._steps: dict[bytes, FacetSteps] = {}
        self._lock = Lock()

    def seed(self, diamond: bytes, block: int, facets: Mapping[bytes, Iterable[bytes]]) -> None:
        """What the loupe told of the state before the first log of ``block``: facet -> the selectors it serves."""
        cuts = [FacetCut(facet, 0, tuple(selectors)) for facet, selectors in facets.items()]
        self._add(diamond, block, SEED_LOG_INDEX, cuts)

    def apply(
        self, diamond: bytes, block: int, log_index: int, cuts: Iterable[tuple[bytes, int, Sequence[bytes]]]
    ) -> None:
        """A ``DiamondCut`` log; telling it again changes nothing."""
        self._add(diamond, block, log_index, cuts)

    def told(self) -> list[tuple[bytes, int, int, tuple[FacetCut, ...]]]:
        """Everything it was told, as (diamond, block, log index, cuts): what another timeline has to be told to be equal."""
        with self._lock:
            return [
                (diamond, block, log_index, cuts)
                for diamond, changes in self._changes.items()
                for (block, log_index), cuts in changes.items()
            ]

    def revert(self, above_block: int) -> None:
        """Forget the cuts above a block. Seeds stay: they were read from what is final."""
        with self._lock:
            for diamond, changes in self._changes.items():
                gone = [place for place in changes if place[0] > above_block and place[1] != SEED_LOG_INDEX]
                for place in gone:
                    del changes[place]
                if gone:
                    self._steps.pop(diamond, None)

    def steps(self, diamond: bytes) -> FacetSteps:
        """The diamond's ABIs over time; no step for one that is not known."""
        with self._lock:
            found = self._steps.get(diamond)
            if found is None:
                found = self._steps[diamond] = self._replay(self._changes.get(diamond, {}))
            return found

    def active(self, diamond: bytes, block: int, log_index: int) -> tuple[str, ...]:
        """ABIs (stems, sorted) of the facets that are active at a log; a cut holds from its own log on."""
        steps = self.steps(diamond)
        place = int(np.searchsorted(steps.positions, position(block, log_index), side="right")) - 1
        return steps.active[place] if place >= 0 else ()

    def unknown_facets(self) -> tuple[tuple[bytes, bytes], ...]:
        """(diamond, facet) for each facet that is active now and matches no ABI, sorted."""
        with self._lock:
            diamonds = sorted(self._changes)
        return tuple((diamond, facet) for diamond in diamonds for facet in self.steps(diamond).unknown)

    def _add(
        self, diamond: bytes, block: int, log_index: int, cuts: Iterable[tuple[bytes, int, Sequence[bytes]]]
    ) -> None:
        with self._lock:
            changes = self._changes.setdefault(diamond, {})
            if (block, log_index) not in changes:
                changes[block, log_index] = tuple(FacetCut(*cut) for cut in cuts)
                self._steps.pop(diamond, None)

    def _replay(self, changes: Mapping[tuple[int, int], Sequence[FacetCut]]) -> FacetSteps:
        facet_of: dict[bytes, bytes] = {}
        served: dict[bytes, set[bytes]] = {}
        abi_of: dict[bytes, str | None] = {}
        positions: list[int] = []
        active: list[tuple[str, ...]] = []
        for place in sorted(changes):
            touched = _cut(facet_of, served, changes[place])
            for facet in touched:
                if served[facet]:
                    abi_of[facet] = self._matcher.match(served[facet])
                else:
                    abi_of.pop(facet, None)
            positions.append(position(*place))
            active.append(tuple(sorted({abi for abi in abi_of.values() if abi is not None})))
        unknown = tuple(sorted(facet for facet, abi in abi_of.items() if abi is None))
        return FacetSteps(np.array(positions, np.int64), tuple(active), unknown)


def _cut(
    facet_of: dict[bytes, bytes], served: dict[bytes, set[bytes]], cuts: Iterable[FacetCut]
) -> set[bytes]:
    """Apply the cuts of one log in their order; the facets whose selectors they touched."""
    touched: set[bytes] = set()
    for cut in cuts:
        for selector in cut.selectors:
            before = facet_of.pop(selector, None)
            if before is not None:
                served[before].discard(selector)
                touched.add(before)
            if cut.action != REMOVE and cut.facet != NO_FACET:
                facet_of[selector] = cut.facet
                served.setdefault(cut.facet, set()).add(selector)
                touched.add(cut.facet)
    return touched
