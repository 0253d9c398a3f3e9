"""Numbers for what, besides the topic, decides which layouts a log has: its contract and a diamond's active ABIs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import LogBatch
from indexer.decode.diamonds import FacetTimeline

Meaning = tuple[int, tuple[str, ...]]
"""Place of the contract (-1: nobody's) and, for diamonds, the ABIs active at the log."""


class Profiles:
    """Gives each log a profile. Profile 0 is nobody's, 1 + i the contract i; those of diamonds with ABIs come after.

    ``diamonds`` says which contracts are diamonds, bool (contracts,).
    """

    def __init__(self, diamonds: NDArray[np.bool_], timeline: FacetTimeline) -> None:
        self._diamonds = diamonds
        self._timeline = timeline
        self._meanings: list[Meaning] = [(owner, ()) for owner in range(-1, len(diamonds))]
        self._numbers: dict[Meaning, int] = {meaning: number for number, meaning in enumerate(self._meanings)}

    def meaning(self, profile: int) -> Meaning:
        """What a profile stands for."""
        return self._meanings[profile]

    def of_diamond(self, owners: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether each owner is a diamond; nobody is none."""
        return (
            (owners >= 0) & self._diamonds[owners] if len(self._diamonds) else np.zeros(len(owners), np.bool_)
        )

    def of(self, logs: LogBatch, owners: NDArray[np.int32]) -> NDArray[np.int64]:
        """The profile of each log, int64 (n,)."""
        profile = owners.astype(np.int64) + 1
        if self._diamonds.any():
            places = np.flatnonzero(self.of_diamond(owners))
            for same in _by_address(logs, places):
                self._of_one_diamond(logs, owners, same, profile)
        return profile

    def _of_one_diamond(
        self, logs: LogBatch, owners: NDArray[np.int32], places: NDArray[np.int64], profile: NDArray[np.int64]
    ) -> None:
        steps = self._timeline.steps(logs.address[places[0]].tobytes())
        if not steps.active:
            return
        at = (logs.block_number[places] << 32) + logs.log_index[places] + 1
        step = np.searchsorted(steps.positions, at, side="right") - 1
        owner = owners[places]
        for contract in np.unique(owner).tolist():
            # One column more than steps: place -1 is the last, and stands for logs before the first step.
            numbers = np.array([self._number(contract, active) for active in (*steps.active, ())], np.int64)
            mine = owner == contract
            profile[places[mine]] = numbers[step[mine]]

    def _number(self, owner: int, active: tuple[str, ...]) -> int:
        meaning = (owner, active)
        number = self._numbers.setdefault(meaning, len(self._meanings))
        if number == len(self._meanings):
            self._meanings.append(meaning)
        return number


def _by_address(logs: LogBatch, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The places of each address's logs, ascending."""
    if not len(places):
        return []
    address = logs.address[places]
    if bool((address == address[0]).all()):
        return [places]
    # Addresses are compared as 20 bytes; numpy sorts such strings without looking at Python objects.
    keys = np.ascontiguousarray(address).view("V20").ravel()
    _, group = np.unique(keys, return_inverse=True)
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group))
    return np.split(places[order], ends[:-1])
