"""Which contracts ask for the logs of an address, for whole batches: addresses are looked up as columns, never one by one.

The table grows as addresses are announced; what a batch costs depends on its logs, not on how many addresses are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

NOTHING = -1
"""No claim, or no place in the table."""

_FIRST_ROOM = 64
_MIX = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


class ClaimTable:
    """For each known address the claims to its logs: which scope (any number from 0 on) and from which block on."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}
        self._addresses = np.zeros((_FIRST_ROOM, 20), np.uint8)
        self._scopes = np.full((_FIRST_ROOM, 1), NOTHING, np.int32)
        self._from_block = np.zeros((_FIRST_ROOM, 1), np.int64)
        self._sorted: tuple[NDArray[np.uint64], NDArray[np.intp]] | None = None

    def put(self, address: bytes, claims: Sequence[tuple[int, int]]) -> None:
        """Make ``claims`` (scope, first block), the strongest first, those of ``address``."""
        place = self._places.get(address)
        if place is None:
            place = self._places[address] = len(self._places)
            self._grow(place + 1)
            self._addresses[place] = np.frombuffer(address, np.uint8)
            self._sorted = None
        self._widen(len(claims))
        self._scopes[place] = NOTHING
        for rank, (scope, from_block) in enumerate(claims):
            self._scopes[place, rank] = scope
            self._from_block[place, rank] = from_block

    def of(self, addresses: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64]]]:
        """The claims to each of ``addresses`` (n, 20), the weakest first: scope (or ``NOTHING``) and first block, both (n,)."""
        places = self._find(addresses)
        unknown = places == NOTHING
        for rank in reversed(range(self._scopes.shape[1])):
            scopes = self._scopes[places, rank]
            scopes[unknown] = NOTHING
            yield scopes, self._from_block[places, rank]

    def _find(self, addresses: NDArray[np.uint8]) -> NDArray[np.intp]:
        """The place of each address, or ``NOTHING``."""
        if not self._places:
            return np.full(len(addresses), NOTHING, np.intp)
        if self._sorted is None:
            mixed = _mixed(self._addresses[: len(self._places)])
            order = np.argsort(mixed, kind="stable")
            self._sorted = mixed[order], order
        keys, order = self._sorted
        asked = _mixed(addresses)
        found = order[np.minimum(np.searchsorted(keys, asked), len(keys) - 1)]
        wrong = (self._addresses[found] != addresses).any(axis=1)
        found[wrong] = NOTHING
        # Two addresses may share a key, and only one of them was looked at.
        for place in np.flatnonzero(wrong & np.isin(asked, keys)).tolist():
            found[place] = self._places.get(addresses[place].tobytes(), NOTHING)
        return found

    def _grow(self, count: int) -> None:
        room = len(self._addresses)
        if count > room:
            self._addresses = np.concatenate([self._addresses, np.zeros_like(self._addresses)])
            self._scopes = np.concatenate([self._scopes, np.full_like(self._scopes, NOTHING)])
            self._from_block = np.concatenate([self._from_block, np.zeros_like(self._from_block)])

    def _widen(self, count: int) -> None:
        more = count - self._scopes.shape[1]
        if more > 0:
            self._scopes = np.pad(self._scopes, ((0, 0), (0, more)), constant_values=NOTHING)
            self._from_block = np.pad(self._from_block, ((0, 0), (0, more)))


def _mixed(addresses: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A 64-bit key of each address; equal ones have equal keys."""
    padded = np.zeros((len(addresses), 24), np.uint8)
    padded[:, :20] = addresses
    words = padded.view(np.uint64)
    mixed = words[:, 0] * _MIX[0]
    for column in (1, 2):
        # 64-bit multiplication wraps on purpose.
        mixed = (mixed << np.uint64(7) | mixed >> np.uint64(57)) ^ (words[:, column] * _MIX[column])
    return mixed
