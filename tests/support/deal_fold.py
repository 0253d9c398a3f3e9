"""Trade deals and collateral tokens folded log by log in Python; shares nothing with the SQL."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from deal_events import MILLION, OLD_CREATED, OLD_DEPOSIT, ZERO
from log_fold import LogFold, known

COLUMNS = {"totalAmount": "total_amount", "amount": "amount"}


def worth(attributes: dict[str, str | None]) -> Decimal | None:
    text = attributes.get("totalAmount") or attributes.get("amount")
    if text is None:
        return None
    digits = "".join(re.findall("[0-9]", text))
    return Decimal(digits or "0") if len(digits) <= 78 else None


class DealFold(LogFold):
    """The tables of trade deals."""

    names = (
        "trade_deal", "trade_deal_participant", "trade_deal_invoice", "trade_deal_invoice_move",
        "trade_deal_invoice_value", "trade_deal_cashflow", "trade_deal_claim_topic", "collateral_token",
    )  # fmt: skip

    def __init__(self, blocks: dict[int, list[Any]], moment: Any) -> None:
        self._named: dict[tuple[bytes, Decimal], bytes] = {}
        self._paid_in: set[tuple[bytes, Decimal]] = set()
        self._phase: dict[tuple[bytes, Decimal], str] = {}
        super().__init__(blocks, moment)

    # -- deals ---------------------------------------------------------------------------------------------------------

    def _deal(self, diamond: bytes, deal_id: Decimal, *, creation: bool = False) -> dict[str, Any]:
        deals, key = self.tables["trade_deal"], (diamond, deal_id)
        if key not in deals:
            deals[key] = dict.fromkeys(
                ("name", "symbol", "interest_rate_bps", "ratio", "active", "operation_mode", "interest_address",
                 "usdc_address", "funded_at", "funded_block", "created_block")
            ) | {
                "collateral_address": self._named.get(key), "target": Decimal(0) if creation else None,
                "usdc_balance": Decimal(0), "total_debt": Decimal(0), "repaid_amount": Decimal(0),
            }  # fmt: skip
            self._doubt(deals[key], None if creation else "events before its TradeDealCreated")
        deals[key]["updated_block"] = self._number
        return deals[key]

    def _settle(self, diamond: bytes, deal_id: Decimal, reason: str | None = None) -> None:
        """Contradictions of the log just applied, then the status that follows."""
        deal, key = self.tables["trade_deal"][diamond, deal_id], (diamond, deal_id)
        self._doubt(deal, reason)
        if deal["usdc_balance"] < 0:
            self._doubt(deal, "more was paid out than came in")
        phase, target = self._phase.get(key), deal["target"]
        if phase in {"withdrawn", "repaying", "repaid"}:
            deal["status"] = phase
        elif (phase == "funded" and (target is None or deal["inconsistent"])) or (
            target is not None and 0 < target <= deal["usdc_balance"]
        ):
            deal["status"] = "funded"
        else:
            deal["status"] = "funding" if key in self._paid_in or phase == "funded" else "created"

    def _on_trade_deal_created(self, diamond: bytes, v: dict[str, Any]) -> None:
        deal = self._deal(diamond, v["trade_deal_id"], creation=True)
        again = deal["created_block"] is not None
        deal.update(
            name=v["name"], symbol=v["symbol"], interest_rate_bps=v["interest_rate"], active=v["active"],
            ratio=v.get("collateral_to_interest_ratio", v.get("vabb_to_vabi_ratio")),
            interest_address=known(v.get("interest_address", v.get("vabi_address"))),
            usdc_address=known(v["usdc_address"]),
            operation_mode=v.get("operation_mode", deal["operation_mode"]),
            collateral_address=known(v.get("collateral_address", v.get("vabb_address"))) or deal["collateral_address"],
        )  # fmt: skip
        if not again:
            deal["created_block"] = self._number
        self._settle(diamond, v["trade_deal_id"], "created again" if again else None)

    def _on_trade_deal_updated(self, diamond: bytes, v: dict[str, Any]) -> None:
        deal = self._deal(diamond, v["trade_deal_id"])
        deal.update(
            name=v["name"], symbol=v["symbol"], interest_rate_bps=v["interest_rate"], active=v["active"],
            ratio=v["collateral_to_interest_ratio"], interest_address=known(v["interest_address"]),
            usdc_address=known(v["usdc_address"]), collateral_address=known(v["collateral_address"]),
        )  # fmt: skip
        self._settle(diamond, v["trade_deal_id"])

    def _on_trade_deal_activated(self, diamond: bytes, v: dict[str, Any]) -> None:
        self._deal(diamond, v["trade_deal_id"])["active"] = self._event.table == "trade_deal_activated"
        self._settle(diamond, v["trade_deal_id"])

    _on_trade_deal_deactivated = _on_trade_deal_activated

    def _on_trade_deal_fully_funded(self, diamond: bytes, v: dict[str, Any]) -> None:
        deal, target = self._deal(diamond, v["trade_deal_id"]), v["funding_target"]
        rate = deal["interest_rate_bps"]
        deal.update(
            target=target, funded_at=self.moment, funded_block=self._number,
            total_debt=None if rate is None else target + Decimal(int(target) * int(rate) // 10_000),
        )  # fmt: skip
        self._phase[diamond, v["trade_deal_id"]] = "funded"
        short = deal["usdc_balance"] < target
        self._settle(diamond, v["trade_deal_id"], "fully funded with less than its target" if short else None)

    def _on_collateral_token_created(self, diamond: bytes, v: dict[str, Any]) -> None:
        key = (diamond, v["trade_deal_id"])
        self._named[key] = v["token_address"]
        if key in self.tables["trade_deal"]:
            self.tables["trade_deal"][key].update(
                collateral_address=known(v["token_address"]), updated_block=self._number
            )
        self._token(v, diamond=diamond)

    def _on_collateral_token_token_created(self, factory: bytes, v: dict[str, Any]) -> None:
        self._token(v, factory=factory)

    def _token(
        self, v: dict[str, Any], *, diamond: bytes | None = None, factory: bytes | None = None
    ) -> None:
        fresh = {
            "diamond": None, "factory": None, "deal_id": v["trade_deal_id"], "name": v["name"], "symbol": v["symbol"],
            "created_block": self._number,
        }  # fmt: skip
        row = self.tables["collateral_token"].setdefault((v["token_address"],), fresh)
        row["diamond"], row["factory"] = row["diamond"] or diamond, row["factory"] or factory
        row["updated_block"] = self._number
        self._doubt(row, "made for several trade deals" if row["deal_id"] != v["trade_deal_id"] else None)

    # -- money ---------------------------------------------------------------------------------------------------------

    def _terms(self, diamond: bytes, deal_id: Decimal) -> tuple[bytes | None, bytes | None]:
        """The tokens that the deal pays in and hands out, as last named."""
        deal = self.tables["trade_deal"].get((diamond, deal_id))
        return (
            (deal["usdc_address"], deal["collateral_address"])
            if deal
            else (None, known(self._named.get((diamond, deal_id))))
        )

    def _payment(
        self, diamond: bytes, deal_id: Decimal, amount: Decimal, *, out: bool = False
    ) -> bytes | None:
        usdc, _ = self._terms(diamond, deal_id)
        mine, theirs = ("from_", "to_") if out else ("to_", "from_")
        _, found = self._beside(
            "erc20_transfer",
            lambda e: e.values["value"] == amount and e.values[mine] == diamond and usdc in {None, e.address},
        )
        return None if found is None else known(found.values[theirs])

    def _mint(self, diamond: bytes, deal_id: Decimal, amount: Decimal, who: bytes | None) -> Decimal | None:
        usdc, collateral = self._terms(diamond, deal_id)
        _, found = self._beside(
            "erc20_transfer",
            lambda e: (
                e.values["from_"] == ZERO
                and e.values["to_"] == who
                and (e.address == collateral if collateral else e.address != usdc)
            ),
            lambda e: e.values["value"] != amount * MILLION,
        )
        return None if found is None else found.values["value"]

    def _flow(self, kind: str, diamond: bytes, deal_id: Decimal, party: bytes | None, usdc: Decimal | None, change: Decimal,
              **other: Any) -> dict[str, Any]:  # fmt: skip
        deal = self._deal(diamond, deal_id)
        deal["usdc_balance"] += change
        row = {
            "diamond": diamond, "deal_id": deal_id, "kind": kind, "party": party, "usdc_amount": usdc,
            "net_amount": None, "collateral_amount": None, "fully_repaid": None,
        } | other | self._proof()  # fmt: skip
        self._doubt(row, None)
        self.tables["trade_deal_cashflow"][self._log()] = row
        return row

    def _on_trade_deal_usdc_deposited_to_trade_deal(self, diamond: bytes, v: dict[str, Any]) -> None:
        deal_id, amount = v["trade_deal_id"], v["amount"]
        raw = self._payment(diamond, deal_id, amount) if known(v.get("depositor")) is None else v["depositor"]
        minted = self._mint(diamond, deal_id, amount, raw)
        self._paid_in.add((diamond, deal_id))
        self._flow("deposit", diamond, deal_id, raw, amount, amount, collateral_amount=minted)
        self._settle(diamond, deal_id)
        if raw is not None:
            self._join(diamond, deal_id, raw, "depositor")

    def _on_trade_deal_usdc_withdrawn_from_trade_deal(self, diamond: bytes, v: dict[str, Any]) -> None:
        party = self._payment(diamond, v["trade_deal_id"], v["amount"], out=True)
        self._flow("withdraw", diamond, v["trade_deal_id"], party, v["amount"], -v["amount"])
        self._settle(diamond, v["trade_deal_id"])

    def _on_trade_deal_repaid(self, diamond: bytes, v: dict[str, Any]) -> None:
        deal_id, amount, fully = v["trade_deal_id"], v["amount"], v["fully_repaid"]
        party = self._payment(diamond, deal_id, amount) or known(v["repayer"])
        self._flow("repay", diamond, deal_id, party, amount, amount, fully_repaid=fully)
        self.tables["trade_deal"][diamond, deal_id]["repaid_amount"] += amount
        self._phase[diamond, deal_id] = "repaid" if fully else "repaying"
        self._settle(diamond, deal_id)

    def _on_trade_deal_collateral_tokens_redeemed(self, diamond: bytes, v: dict[str, Any]) -> None:
        collateral = v.get("collateral_amount", v.get("vabb_amount"))
        party, usdc = known(v["redeemer"]), v["usdc_amount"]
        self._flow("redeem", diamond, v["trade_deal_id"], party, usdc, -usdc, collateral_amount=collateral)
        self._settle(diamond, v["trade_deal_id"])

    _on_trade_deal_vabb_tokens_redeemed = _on_trade_deal_collateral_tokens_redeemed

    def _on_trade_deal_funding_withdrawn(self, diamond: bytes, v: dict[str, Any]) -> None:
        deal_id, net = v["trade_deal_id"], v["amount"]
        place, told = self._beside(
            "fee_distributor_amounts_distributed",
            lambda e: e.address == diamond,
            lambda e: e.values["adjusted_amount"] != net,
        )
        target = self._deal(diamond, deal_id)["target"]
        principal = target if told is None else told.values["principal_amount"]
        row = self._flow("fund_withdrawal", diamond, deal_id, known(v["recipient"]), principal,
                         -(net if principal is None else principal), net_amount=net)  # fmt: skip
        unknown = principal is None
        self._doubt(row, "no event tells the principal" if unknown else None)
        self._phase[diamond, deal_id] = "withdrawn"
        self._settle(diamond, deal_id, "the principal of a fund withdrawal is not known" if unknown else None)
        if told is not None and (self._number, place) not in self.tables["trade_deal_cashflow"]:
            self._fee(diamond, deal_id, place, told.values)

    def _fee(self, diamond: bytes, deal_id: Decimal, place: int, v: dict[str, Any]) -> None:
        fees = sum(v["fee_amounts"])
        if fees > 0:
            row = {
                "diamond": diamond, "deal_id": deal_id, "kind": "fee", "usdc_amount": fees, "net_amount": None,
                "party": v["fee_receivers"][0] if len(v["fee_receivers"]) == 1 else None, "collateral_amount": None,
                "fully_repaid": None,
            } | self._proof()  # fmt: skip
            self._doubt(row, None)
            self.tables["trade_deal_cashflow"][self._number, place] = row

    # -- participants and topics ---------------------------------------------------------------------------------------

    def _on_trade_deal_participant_added(self, diamond: bytes, v: dict[str, Any]) -> None:
        if v["participant"] != ZERO:
            self._join(diamond, v["trade_deal_id"], v["participant"], "explicit")

    def _join(self, diamond: bytes, deal_id: Decimal, who: bytes, source: str) -> None:
        row = self.tables["trade_deal_participant"].setdefault((diamond, deal_id, who), {"active": False})
        if not row["active"]:
            row.update(active=True, source=source, added_block=self._number, removed_block=None)
        elif source == "explicit":
            row["source"] = source
        row["updated_block"] = self._number
        self._doubt(row, None)

    def _on_trade_deal_participant_removed(self, diamond: bytes, v: dict[str, Any]) -> None:
        if v["participant"] == ZERO:
            return
        fresh = {"active": False, "source": None, "added_block": None}
        row = self.tables["trade_deal_participant"].setdefault(
            (diamond, v["trade_deal_id"], v["participant"]), fresh
        )
        self._doubt(row, None if row["active"] else "removed without having been added")
        row.update(active=False, removed_block=self._number, updated_block=self._number)

    def _on_trade_deal_required_claim_topics_set(self, diamond: bytes, v: dict[str, Any]) -> None:
        rows, deal = self.tables["trade_deal_claim_topic"], (diamond, v["trade_deal_id"])
        for key in [key for key in rows if key[:2] == deal]:
            del rows[key]
        rows.update({(*deal, topic): {"updated_block": self._number} for topic in v["claim_topics"]})

    # -- invoices ------------------------------------------------------------------------------------------------------

    def _attribute(self, contract: bytes, token: Decimal, key: str, text: str | None) -> None:
        if key in COLUMNS:
            fresh = {"total_amount": None, "amount": None}
            row = self.tables["trade_deal_invoice_value"].setdefault((contract, token), fresh)
            row[COLUMNS[key]], row["updated_block"] = text, self._number

    def _on_minter_gemforce_minted(self, contract: bytes, v: dict[str, Any]) -> None:
        for attribute in json.loads(v["attributes"]):
            self._attribute(contract, v["token_id"], attribute["key"], attribute["value"])

    def _on_metadata_token_metadata_set(self, contract: bytes, v: dict[str, Any]) -> None:
        self._attribute(contract, v["token_id"], v["key"], json.loads(v["value"])["value"])

    def _on_metadata_token_metadata_deleted(self, contract: bytes, v: dict[str, Any]) -> None:
        self._attribute(contract, v["token_id"], v["key"], None)

    def _on_metadata_contract_metadata_set(self, contract: bytes, v: dict[str, Any]) -> None:
        inner = json.loads(v["value"])
        self._attribute(contract, Decimal(0), inner["key"], inner["value"])

    def _on_trade_deal_invoice_deposited_to_trade_deal(self, diamond: bytes, v: dict[str, Any]) -> None:
        deposited = "deposited" in self._event.table
        deal_id, token = v["trade_deal_id"], v["token_id"]
        told = self.tables["trade_deal_invoice_value"].get((diamond, token), {})
        amount = worth({"totalAmount": told.get("total_amount"), "amount": told.get("amount")})
        _, move = self._beside(
            "erc721_transfer",
            lambda e: e.address == diamond and e.values["token_id"] == token,
            lambda e: (e.values["to_"] == diamond) != deposited,
        )
        party = None if move is None else known(move.values["from_" if deposited else "to_"])
        self.tables["trade_deal_invoice_move"][self._log()] = {
            "diamond": diamond, "deal_id": deal_id, "token_id": token, "deposited": deposited, "amount": amount,
            "party": party,
        } | self._proof()  # fmt: skip
        self._lay(diamond, deal_id, token, amount, party, deposited=deposited)
        deal = self._deal(diamond, deal_id)
        if deal["target"] is not None:
            deal["target"] = None if amount is None else deal["target"] + (amount if deposited else -amount)
        self._settle(diamond, deal_id)

    _on_trade_deal_invoice_withdrawn_from_trade_deal = _on_trade_deal_invoice_deposited_to_trade_deal

    def _lay(
        self, diamond: bytes, deal_id: Decimal, token: Decimal, amount: Any, party: Any, *, deposited: bool
    ) -> None:
        fresh = {"active": False, "depositor": None, "amount": None, "deposited_block": None}
        row = self.tables["trade_deal_invoice"].setdefault((diamond, deal_id, token), fresh)
        if deposited == row["active"]:
            self._doubt(
                row, "deposited while it lay there" if deposited else "withdrawn while it did not lie there"
            )
        self._doubt(row, None)
        row.update(active=deposited, withdrawn_block=None, withdrawn_to=None, updated_block=self._number)
        if deposited:
            row.update(depositor=party, amount=amount, deposited_block=self._number)
        else:
            row.update(withdrawn_block=self._number, withdrawn_to=party)


setattr(DealFold, f"_on_{OLD_CREATED}", DealFold._on_trade_deal_created)
setattr(DealFold, f"_on_{OLD_DEPOSIT}", DealFold._on_trade_deal_usdc_deposited_to_trade_deal)
