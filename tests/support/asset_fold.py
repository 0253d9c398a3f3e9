"""Carbon credits and multi-token sales folded log by log in Python; shares nothing with the SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from deal_events import ZERO
from deal_world import settings_of
from log_fold import LogFold, known

_ALL_TIME = 10**9


def from_hex(text: str) -> bytes | None:
    """An address in jsonb; None for the zero address."""
    return known(bytes.fromhex(text[2:]))


def snake(name: str) -> str:
    """The column of a setting."""
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


class AssetFold(LogFold):
    """The tables of carbon credits and multi-token sales."""

    names = ("carbon_credit", "carbon_retirement", "multi_sale", "multi_sale_purchase")

    def __init__(self, blocks: dict[int, list[Any]], moment: Any) -> None:
        self._owners: dict[tuple[bytes, Decimal], tuple[bytes | None, int]] = {}
        super().__init__(blocks, moment)

    # -- tokens and credits --------------------------------------------------------------------------------------------

    def _on_erc721_transfer(self, contract: bytes, v: dict[str, Any]) -> None:
        self._own(contract, v["token_id"], known(v["to_"]))

    def _on_erc2309_consecutive_transfer(self, contract: bytes, v: dict[str, Any]) -> None:
        for token in range(int(v["from_token_id"]), int(v["to_token_id"]) + 1):
            self._own(contract, Decimal(token), known(v["to_"]))

    def _own(self, contract: bytes, token: Decimal, owner: bytes | None) -> None:
        self._owners[contract, token] = owner, self._number
        credit = self.tables["carbon_credit"].get((contract, token))
        if credit is not None:
            credit.update(owner=owner, updated_block=self._number)

    def _credit(
        self, contract: bytes, token: Decimal, reason: str | None, remaining: Decimal
    ) -> dict[str, Any]:
        fresh = {"initial_balance": None, "total_initialized": Decimal(0), "total_retired": Decimal(0)}
        row = self.tables["carbon_credit"].setdefault((contract, token), fresh)
        owner, _ = self._owners.get((contract, token), (None, -_ALL_TIME))
        status = "active" if remaining > 0 else "retired"
        row.update(remaining=remaining, status=status, owner=owner, updated_block=self._number)
        self._doubt(row, reason)
        return row

    def _on_carbon_credits_initialized(self, contract: bytes, v: dict[str, Any]) -> None:
        before = self.tables["carbon_credit"].get((contract, v["token_id"]), {}).get("remaining", 0)
        reason = "initialised again with credits left" if before > 0 else None
        row = self._credit(contract, v["token_id"], reason, v["initial_balance"])
        row["initial_balance"] = v["initial_balance"]
        row["total_initialized"] += v["initial_balance"]

    def _on_carbon_credits_retired(self, contract: bytes, v: dict[str, Any]) -> None:
        token, amount, left = v["token_id"], v["amount"], v["remaining_balance"]
        before = self.tables["carbon_credit"].get((contract, token), {}).get("remaining")
        reason = None
        if before is None:
            reason = "retired without having been initialised"
        elif amount > before:
            reason = "retired more than there was"
        elif before - amount != left:
            reason = "what remains is not what there was less what was retired"
        self._credit(contract, token, reason, left)["total_retired"] += amount
        owner, _ = self._owners.get((contract, token), (ZERO, 0))
        row = {
            "contract": contract, "token_id": token, "amount": amount, "remaining_after": left, "retired_by": known(owner),
        } | self._proof()  # fmt: skip
        self._doubt(row, reason or ("retired although the token was burned" if owner is None else None))
        self.tables["carbon_retirement"][self._log()] = row

    # -- sales ---------------------------------------------------------------------------------------------------------

    def _on_multi_sale_created(self, diamond: bytes, v: dict[str, Any]) -> None:
        created = "settings" in v
        settings = settings_of(v["settings"] if created else v["token_sale"])
        sales, key = self.tables["multi_sale"], (diamond, v["token_sale_id"])
        reason = None if created or key in sales else "updated before its MultiSaleCreated"
        row = sales.setdefault(key, {"created_block": None})
        if created and row["created_block"] is not None:
            reason = "created again"
        if created and row["created_block"] is None:
            row["created_block"] = self._number
        row.update(dict(self._columns(settings)), updated_block=self._number)
        self._doubt(row, reason)

    _on_multi_sale_updated = _on_multi_sale_created

    @staticmethod
    def _columns(settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        words = {"symbol", "name", "description"}
        addresses = {"token", "paymentToken", "owner", "payee", "tokenAddress"}
        for key, value in {**settings, **settings["price"]}.items():
            if key in addresses:
                yield snake(key), from_hex(value)
            else:
                exact = isinstance(value, str) and key not in words
                yield snake(key), Decimal(value) if exact else value

    def _on_multi_sale_sold(self, diamond: bytes, v: dict[str, Any]) -> None:
        sale = self.tables["multi_sale"].get((diamond, v["token_sale_id"]))
        told = sale or dict.fromkeys(("token", "token_address", "payment_token", "payee", "owner"))
        tokens = {told["token"], told["token_address"]} - {None}
        receivers = {diamond, told["payee"], told["owner"]} - {None}

        def mint(event: Any) -> bool:
            fits = event.address in tokens if tokens else event.values["to_"] == v["purchaser"]
            return fits and event.values["from_"] == ZERO

        def payment(event: Any) -> bool:
            giver, taker = event.values["from_"], event.values["to_"]
            return (
                event.address == told["payment_token"] and giver not in {ZERO, diamond} and taker in receivers
            )

        row = {
            "diamond": diamond, "sale_id": v["token_sale_id"], "purchaser_or_receiver": known(v["purchaser"]),
            "token_ids": v["token_ids"], "paid": self._share(diamond, payment), "payment_token": told["payment_token"],
            "quantity": Decimal(len(v["token_ids"])) if v["token_ids"] else self._share(diamond, mint),
        } | self._proof()  # fmt: skip
        self._doubt(row, "sold before its settings were seen" if sale is None else None)
        self.tables["multi_sale_purchase"][self._log()] = row

    def _share(self, diamond: bytes, fits: Callable[[Any], bool]) -> Decimal | None:
        """What transfers between this purchase and its neighbours in the transaction add up to."""
        mine = [(place, e) for place, e in enumerate(self._events) if e.tx == self._event.tx]
        sold = [place for place, e in mine if e.table == "multi_sale_sold" and e.address == diamond]
        moved = [(place, e.values["value"]) for place, e in mine if e.table == "erc20_transfer" and fits(e)]
        if any(place < sold[0] for place, _ in moved):
            first = max((place for place in sold if place < self._place), default=-1)
            parts = [value for place, value in moved if first < place < self._place]
        else:
            last = min((place for place in sold if place > self._place), default=_ALL_TIME)
            parts = [value for place, value in moved if self._place < place < last]
        return sum(parts, Decimal(0)) if parts else None
