"""Tokens and diamonds folded log by log in Python; shares nothing with the SQL."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from deal_events import ZERO
from eth_hash.auto import keccak
from log_fold import LogFold, known

EXPANDED = 10_000
FALSE_SENDER = "a transfer named a sender that did not own it"

Seeds = dict[tuple[int, bytes], dict[bytes, bytes]]


@cache
def digest(calldata: bytes) -> bytes:
    return keccak(calldata)


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text[2:])


class TokenFold(LogFold):
    """The tables of fungible and other tokens, of their approvals, and of diamonds.

    ``seeds`` are what loupes said: selectors and their facets by block and diamond, before the block's first log.
    """

    names = (
        "erc20_balance", "erc20_supply", "erc20_allowance", "erc1155_balance", "nft", "nft_unexpanded", "nft_operator",
        "diamond", "diamond_cut", "diamond_selector",
    )  # fmt: skip

    def __init__(self, blocks: dict[int, list[Any]], moment: Any, seeds: Seeds) -> None:
        self._seeds = seeds
        self._owners: dict[bytes, bytes | None] = {}
        self._serving: dict[tuple[bytes, bytes], tuple[bytes, bytes, int, int]] = {}
        super().__init__(blocks, moment)

    def _fold_block(self) -> None:
        for (number, diamond), served in self._seeds.items():
            if number == self._number:
                if (diamond,) not in self.tables["diamond"]:
                    self._diamond(diamond)
                for selector, facet in served.items():
                    self._serve(diamond, selector, facet, -1)
        super()._fold_block()

    # -- fungible and multi tokens -------------------------------------------------------------------------------------

    def _add(self, table: str, key: tuple[Any, ...], amount: Decimal) -> None:
        column = "supply" if table == "erc20_supply" else "balance"
        row = self.tables[table].setdefault(key, {column: Decimal(0)})
        row[column] += amount
        row["updated_block"] = self._number

    def _move(self, table: str, key: tuple[Any, ...], v: dict[str, Any], amount: Decimal) -> None:
        for who, change in ((v["from_"], -amount), (v["to_"], amount)):
            if who != ZERO:
                self._add(table, (*key, who), change)

    def _on_erc20_transfer(self, token: bytes, v: dict[str, Any]) -> None:
        self._move("erc20_balance", (token,), v, v["value"])
        for who, change in ((v["from_"], v["value"]), (v["to_"], -v["value"])):
            if who == ZERO:
                self._add("erc20_supply", (token,), change)

    def _on_erc20_approval(self, token: bytes, v: dict[str, Any]) -> None:
        row = {"allowance": v["value"], "updated_block": self._number}
        self.tables["erc20_allowance"][token, v["owner"], v["spender"]] = row

    def _on_erc1155_transfer_single(self, contract: bytes, v: dict[str, Any]) -> None:
        self._move("erc1155_balance", (contract, v["id"]), v, v["value"])

    def _on_erc1155_transfer_batch(self, contract: bytes, v: dict[str, Any]) -> None:
        for token, value in zip(v["ids"], v["values"], strict=False):
            self._move("erc1155_balance", (contract, token), v, value)

    def _on_erc721_approval_for_all(self, contract: bytes, v: dict[str, Any]) -> None:
        row = {"approved": v["approved"], "updated_block": self._number}
        self.tables["nft_operator"][contract, v["owner"], v["operator"]] = row

    _on_erc1155_approval_for_all = _on_erc721_approval_for_all

    # -- single tokens -------------------------------------------------------------------------------------------------

    def _on_erc721_transfer(self, contract: bytes, v: dict[str, Any]) -> None:
        self._give(contract, v["token_id"], v)

    def _on_erc2309_consecutive_transfer(self, contract: bytes, v: dict[str, Any]) -> None:
        first, last = int(v["from_token_id"]), int(v["to_token_id"])
        for token in range(first, min(last, first + EXPANDED - 1) + 1):
            self._give(contract, Decimal(token), v)
        if last >= first + EXPANDED:
            self.tables["nft_unexpanded"][contract, self._number, self._place] = {
                "first_token_id": Decimal(first + EXPANDED), "last_token_id": v["to_token_id"], "owner": known(v["to_"]),
                "updated_block": self._number,
            }  # fmt: skip

    def _give(self, contract: bytes, token: Decimal, v: dict[str, Any]) -> None:
        row = self.tables["nft"].get((contract, token))
        reason = None if row is None or row["owner"] == known(v["from_"]) else FALSE_SENDER
        if row is None:
            row = self.tables["nft"][contract, token] = {"minter": None, "minted_block": None}
        row.update(
            owner=known(v["to_"]), approved=None, burned=v["to_"] == ZERO, last_transfer_block=self._number,
            updated_block=self._number,
        )  # fmt: skip
        if v["from_"] == ZERO and v["to_"] != ZERO:
            row.update(minter=self._named(contract, token) or v["to_"], minted_block=self._number)
        self._doubt(row, reason)

    def _named(self, contract: bytes, token: Decimal) -> bytes | None:
        """Whom the transaction's last GemforceMinted of this token names."""
        owners = [
            event.values["owner"]
            for event in self._events
            if event.table == "minter_gemforce_minted" and event.tx == self._event.tx
            and event.address == contract and event.values["token_id"] == token
        ]  # fmt: skip
        return known(owners[-1]) if owners else None

    def _on_erc721_approval(self, contract: bytes, v: dict[str, Any]) -> None:
        row = self.tables["nft"].get((contract, v["token_id"]))
        if row is not None:
            row.update(approved=known(v["approved"]), updated_block=self._number)

    # -- diamonds ------------------------------------------------------------------------------------------------------

    def _diamond(self, diamond: bytes) -> dict[str, Any]:
        nothing = ("factory", "name", "symbol", "created_block", "upgrade_pending_until", "last_cut_block")
        row = self.tables["diamond"].setdefault(
            (diamond,), dict.fromkeys(nothing) | {"owner": self._owners.get(diamond)}
        )
        row["updated_block"] = self._number
        return row

    def _on_ownable_ownership_transferred(self, contract: bytes, v: dict[str, Any]) -> None:
        self._owners[contract] = known(v["new_owner"])
        if (contract,) in self.tables["diamond"]:
            self._diamond(contract)["owner"] = known(v["new_owner"])

    def _on_diamond_factory_diamond_created(self, _: bytes, v: dict[str, Any]) -> None:
        before = self.tables["diamond"].get((v["diamond"],))
        if before is not None and before["created_block"] is not None:
            return
        self._diamond(v["diamond"]).update(
            factory=known(v["factory"]), name=v["settings"]["name"], symbol=v["settings"]["symbol"],
            created_block=self._number,
        )  # fmt: skip

    def _on_diamond_timelock_diamond_cut_proposed(self, diamond: bytes, v: dict[str, Any]) -> None:
        self._diamond(diamond)["upgrade_pending_until"] = v["execution_time"]

    def _on_diamond_timelock_diamond_cut_cancelled(self, diamond: bytes, _: dict[str, Any]) -> None:
        if (diamond,) in self.tables["diamond"]:
            self._diamond(diamond)["upgrade_pending_until"] = None

    def _on_diamond_cut(self, diamond: bytes, v: dict[str, Any]) -> None:
        self._diamond(diamond).update(upgrade_pending_until=None, last_cut_block=self._number)
        last: dict[bytes, bytes | None] = {}
        for position, change in enumerate(v["diamond_cut"]):
            facet, served = known(from_hex(change["facetAddress"])), change["functionSelectors"]
            self.tables["diamond_cut"][self._number, self._place, position] = {
                "diamond": diamond, "action": change["action"], "facet": facet,
                "selectors": [from_hex(one) for one in served], "init": known(v["init"]),
                "calldata_hash": digest(v["calldata"]), "updated_block": self._number,
            }  # fmt: skip
            last |= dict.fromkeys(map(from_hex, served), None if change["action"] == 2 else facet)
        for selector, facet in last.items():
            self._serve(diamond, selector, facet, self._place)

    def _serve(self, diamond: bytes, selector: bytes, facet: bytes | None, place: int) -> None:
        """Close what served the selector, and open a row where a facet does from now on."""
        rows = self.tables["diamond_selector"]
        active = self._serving.pop((diamond, selector), None)
        if active is not None:
            rows[active].update(removed_block=self._number, removed_log_index=place)
        if facet is not None:
            key = (diamond, selector, self._number, place)
            rows[key] = {"facet": facet, "removed_block": None, "removed_log_index": None}
            self._serving[diamond, selector] = key
