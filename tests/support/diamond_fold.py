"""Diamonds, their cuts and selectors folded log by log in Python; shares nothing with the SQL."""

from __future__ import annotations

import json
from typing import Any

from eth_hash.auto import keccak
from log_fold import LogFold, known

REMOVE = 2


def raw(text: str) -> bytes:
    """Bytes as they stand in jsonb."""
    return bytes.fromhex(text[2:])


class DiamondFold(LogFold):
    """The tables of diamonds; which ABI a facet matches is left to the tests of that rule."""

    names = ("diamond", "diamond_selector", "diamond_cut")

    def __init__(self, blocks: dict[int, list[Any]], moment: Any) -> None:
        self._owners: dict[bytes, bytes | None] = {}
        self._serving: dict[tuple[bytes, bytes], tuple[Any, ...]] = {}
        super().__init__(blocks, moment)

    def _diamond(self, diamond: bytes) -> dict[str, Any]:
        fresh = dict.fromkeys(
            ("factory", "name", "symbol", "created_block", "upgrade_pending_until", "last_cut_block")
        )
        row = self.tables["diamond"].setdefault(
            (diamond,), {"owner": self._owners.get(diamond), **fresh, "updated_block": self._number}
        )
        row["updated_block"] = self._number
        return row

    def _on_ownable_ownership_transferred(self, contract: bytes, v: dict[str, Any]) -> None:
        self._owners[contract] = known(v["new_owner"])
        if (contract,) in self.tables["diamond"]:
            self._diamond(contract)["owner"] = known(v["new_owner"])

    def _on_diamond_factory_diamond_created(self, _factory: bytes, v: dict[str, Any]) -> None:
        settings, row = json.loads(v["settings"]), self._diamond(v["diamond"])
        if row["created_block"] is None:
            row.update(
                factory=known(v["factory"]), name=settings["name"], symbol=settings["symbol"],
                created_block=self._number,
            )  # fmt: skip

    def _on_diamond_timelock_diamond_cut_proposed(self, diamond: bytes, v: dict[str, Any]) -> None:
        self._diamond(diamond)["upgrade_pending_until"] = v["execution_time"]

    def _on_diamond_timelock_diamond_cut_cancelled(self, diamond: bytes, _values: dict[str, Any]) -> None:
        if (diamond,) in self.tables["diamond"]:
            self._diamond(diamond)["upgrade_pending_until"] = None

    def _on_diamond_cut(self, diamond: bytes, v: dict[str, Any]) -> None:
        self._diamond(diamond).update(upgrade_pending_until=None, last_cut_block=self._number)
        settled: dict[bytes, bytes | None] = {}
        for position, change in enumerate(json.loads(v["diamond_cut"])):
            facet = known(raw(change["facetAddress"]))
            selectors = [raw(one) for one in change["functionSelectors"]]
            self.tables["diamond_cut"][*self._log(), position] = {
                "diamond": diamond, "action": change["action"], "facet": facet, "selectors": selectors,
                "init": known(v["init"]), "calldata_hash": keccak(v["calldata"]), "updated_block": self._number,
            }  # fmt: skip
            settled |= dict.fromkeys(selectors, None if change["action"] == REMOVE else facet)
        self._serve(diamond, settled)

    def _serve(self, diamond: bytes, settled: dict[bytes, bytes | None]) -> None:
        """Close what served these selectors, open what serves them now, and look at the facets concerned anew."""
        rows, concerned = self.tables["diamond_selector"], set()
        for selector, facet in settled.items():
            before = self._serving.pop((diamond, selector), None)
            if before is not None:
                concerned.add(rows[before]["facet"])
                rows[before].update(
                    removed_block=self._number, removed_log_index=self._place, updated_block=self._number
                )
            if facet is not None:
                concerned.add(facet)
                key = (diamond, selector, *self._log())
                self._serving[diamond, selector] = key
                rows[key] = {"facet": facet, "removed_block": None, "removed_log_index": None}
        for (owner, _), key in self._serving.items():
            if owner == diamond and rows[key]["facet"] in concerned:
                rows[key]["updated_block"] = self._number
