"""Who holds what of tokens of all kinds, folded log by log in Python, every column; shares nothing with the SQL."""

from __future__ import annotations

from typing import Any

from log_fold import LogFold, known

EXPANDED = 10_000
FALSE_SENDER = "a transfer named a sender that did not own it"


class HoldingFold(LogFold):
    """Balances, supplies, allowances, owners, approvals and operators."""

    names = (
        "erc20_balance", "erc20_supply", "erc20_allowance", "nft", "nft_unexpanded", "nft_operator", "erc1155_balance",
    )  # fmt: skip

    def _add(self, table: str, key: tuple[Any, ...], column: str, change: int) -> None:
        row = self.tables[table].setdefault(key, {column: 0})
        row.update({column: row[column] + change, "updated_block": self._number})

    # -- fungible ------------------------------------------------------------------------------------------------------

    def _on_erc20_transfer(self, token: bytes, v: dict[str, Any]) -> None:
        value = int(v["value"])
        giver, taker = known(v["from_"]), known(v["to_"])
        for who, change in ((giver, -value), (taker, value)):
            if who is not None:
                self._add("erc20_balance", (token, who), "balance", change)
        if giver is None or taker is None:
            self._add("erc20_supply", (token,), "supply", value * ((giver is None) - (taker is None)))

    def _on_erc20_approval(self, token: bytes, v: dict[str, Any]) -> None:
        row = {"allowance": v["value"], "updated_block": self._number}
        self.tables["erc20_allowance"][token, v["owner"], v["spender"]] = row

    def _on_erc1155_transfer_single(self, contract: bytes, v: dict[str, Any]) -> None:
        pairs = zip(v["ids"], v["values"], strict=False) if "ids" in v else [(v["id"], v["value"])]
        for token, value in pairs:
            for who, sign in ((v["from_"], -1), (v["to_"], 1)):
                if known(who) is not None:
                    self._add("erc1155_balance", (contract, token, who), "balance", sign * int(value))

    _on_erc1155_transfer_batch = _on_erc1155_transfer_single

    # -- one by one ----------------------------------------------------------------------------------------------------

    def _on_erc721_transfer(self, contract: bytes, v: dict[str, Any]) -> None:
        self._move(contract, v["token_id"], v["from_"], v["to_"])

    def _on_erc2309_consecutive_transfer(self, contract: bytes, v: dict[str, Any]) -> None:
        first, last = int(v["from_token_id"]), int(v["to_token_id"])
        for token in range(first, min(last, first + EXPANDED - 1) + 1):
            self._move(contract, token, v["from_"], v["to_"])
        if last >= first + EXPANDED:
            self.tables["nft_unexpanded"][contract, *self._log()] = {
                "first_token_id": first + EXPANDED, "last_token_id": last, "owner": known(v["to_"]),
                "updated_block": self._number,
            }  # fmt: skip

    def _move(self, contract: bytes, token: Any, giver: bytes, taker: bytes) -> None:
        fresh = {"owner": None, "minter": None, "minted_block": None}
        rows, key = self.tables["nft"], (contract, token)
        odd = key in rows and rows[key]["owner"] != known(giver)
        row = rows.setdefault(key, fresh)
        if known(giver) is None and known(taker) is not None:
            row.update(minter=self._minter(contract, token) or taker, minted_block=self._number)
        row.update(
            owner=known(taker), approved=None, burned=known(taker) is None, last_transfer_block=self._number,
            updated_block=self._number,
        )  # fmt: skip
        self._doubt(row, FALSE_SENDER if odd else None)

    def _minter(self, contract: bytes, token: Any) -> bytes | None:
        """Whom the last GemforceMinted of the token in this transaction names."""
        named = [
            event.values["owner"]
            for event in self._events
            if event.table == "minter_gemforce_minted" and event.tx == self._event.tx
            and event.address == contract and event.values["token_id"] == token
        ]  # fmt: skip
        return known(named[-1]) if named else None

    def _on_erc721_approval(self, contract: bytes, v: dict[str, Any]) -> None:
        row = self.tables["nft"].get((contract, v["token_id"]))
        if row is not None:
            row.update(approved=known(v["approved"]), updated_block=self._number)

    def _on_erc721_approval_for_all(self, contract: bytes, v: dict[str, Any]) -> None:
        row = {"approved": v["approved"], "updated_block": self._number}
        self.tables["nft_operator"][contract, v["owner"], v["operator"]] = row

    _on_erc1155_approval_for_all = _on_erc721_approval_for_all
