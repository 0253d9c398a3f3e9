"""Events of trade deals, collateral, carbon credits and multi-token sales, as rows of the event tables.

Each function makes one event with the ``Said`` of tests/property/projections/conftest.py; ``tx`` tells the transactions of a
block apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

ZERO = bytes(20)
DIAMOND, USDC, COLLATERAL, FACTORY = b"\xdd" * 20, b"\xcc" * 20, b"\xc0" * 20, b"\xfa" * 20
ALICE, BOB, CAROL, OWNER = b"\x01" * 20, b"\x02" * 20, b"\x03" * 20, b"\x0f" * 20
MILLION = 10**12

OLD_CREATED = "trade_deal_created_ed0366d8"
OLD_DEPOSIT = "trade_deal_usdc_deposited_to_trade_deal_da3f953f"


def hexed(raw: bytes) -> str:
    """Bytes as they stand in jsonb."""
    return "0x" + raw.hex()


class Teller:
    """Makes the events, with what ``said`` needs filled in."""

    def __init__(self, said: type, diamond: bytes = DIAMOND) -> None:
        self._said = said
        self.diamond = diamond

    def _one(self, table: str, values: Mapping[str, Any], tx: int, address: bytes | None = None) -> Any:
        exact = {
            key: Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
            for key, value in values.items()
        }
        return self._said(table, address or self.diamond, exact, tx)

    # -- deals -----------------------------------------------------------------------------------------------------

    def created(self, deal: int = 0, tx: int = 0, *, rate: int = 500, **other: Any) -> Any:
        """TradeDealCreated of the deployed build; its nftAddress is always zero."""
        values = {
            "trade_deal_id": deal, "name": f"Deal {deal}", "symbol": f"D{deal}", "interest_rate": rate,
            "collateral_to_interest_ratio": 4, "active": True, "nft_address": ZERO,
            "collateral_address": COLLATERAL, "interest_address": ZERO, "usdc_address": USDC,
        } | other  # fmt: skip
        made = self._one("trade_deal_created", values, tx)
        made.values["operation_mode"] = other.get("operation_mode", 2)
        return made

    def created_before(self, deal: int = 0, tx: int = 0, **other: Any) -> Any:
        """TradeDealCreated of older builds."""
        values = {
            "trade_deal_id": deal, "name": "Old", "symbol": "O", "interest_rate": 300, "vabb_to_vabi_ratio": 2,
            "active": True, "nft_address": ZERO, "vabb_address": COLLATERAL, "vabi_address": FACTORY,
            "usdc_address": USDC,
        } | other  # fmt: skip
        return self._one(OLD_CREATED, values, tx)

    def updated(self, deal: int = 0, tx: int = 0, *, rate: int = 800, **other: Any) -> Any:
        values = {
            "trade_deal_id": deal, "name": "New name", "symbol": "NN", "interest_rate": rate,
            "collateral_to_interest_ratio": 5, "active": True, "collateral_address": COLLATERAL,
            "interest_address": ZERO, "usdc_address": USDC,
        } | other  # fmt: skip
        return self._one("trade_deal_updated", values, tx)

    def switched(self, active: bool, deal: int = 0, tx: int = 0) -> Any:  # noqa: FBT001 - what it says
        return self._one(
            "trade_deal_activated" if active else "trade_deal_deactivated", {"trade_deal_id": deal}, tx
        )

    def topics(self, topics: Sequence[int], deal: int = 0, tx: int = 0) -> Any:
        values = {"trade_deal_id": deal, "claim_topics": [Decimal(topic) for topic in topics]}
        return self._one("trade_deal_required_claim_topics_set", values, tx)

    def joined(self, who: bytes, deal: int = 0, tx: int = 0) -> Any:
        return self._one("trade_deal_participant_added", {"trade_deal_id": deal, "participant": who}, tx)

    def left(self, who: bytes, deal: int = 0, tx: int = 0) -> Any:
        return self._one("trade_deal_participant_removed", {"trade_deal_id": deal, "participant": who}, tx)

    def invoice(self, token: int, deal: int = 0, tx: int = 0, *, back: bool = False) -> Any:
        table = (
            "trade_deal_invoice_withdrawn_from_trade_deal"
            if back
            else "trade_deal_invoice_deposited_to_trade_deal"
        )
        return self._one(table, {"trade_deal_id": deal, "token_id": token}, tx)

    def deposited(self, amount: int, who: bytes = ALICE, deal: int = 0, tx: int = 0) -> Any:
        values = {"trade_deal_id": deal, "amount": amount, "depositor": who}
        return self._one("trade_deal_usdc_deposited_to_trade_deal", values, tx)

    def deposited_before(self, amount: int, deal: int = 0, tx: int = 0) -> Any:
        return self._one(OLD_DEPOSIT, {"trade_deal_id": deal, "amount": amount}, tx)

    def withdrawn(self, amount: int, deal: int = 0, tx: int = 0) -> Any:
        return self._one(
            "trade_deal_usdc_withdrawn_from_trade_deal", {"trade_deal_id": deal, "amount": amount}, tx
        )

    def funded(self, target: int, deal: int = 0, tx: int = 0) -> Any:
        return self._one("trade_deal_fully_funded", {"trade_deal_id": deal, "funding_target": target}, tx)

    def paid_out(self, net: int, who: bytes = BOB, deal: int = 0, tx: int = 0) -> Any:
        values = {"trade_deal_id": deal, "recipient": who, "amount": net}
        return self._one("trade_deal_funding_withdrawn", values, tx)

    def repaid(
        self, amount: int, named: bytes = BOB, deal: int = 0, tx: int = 0, *, fully: bool = False
    ) -> Any:
        values = {"trade_deal_id": deal, "repayer": named, "amount": amount, "fully_repaid": fully}
        return self._one("trade_deal_repaid", values, tx)

    def redeemed(self, collateral: int, usdc: int, who: bytes = ALICE, deal: int = 0, tx: int = 0) -> Any:
        values = {
            "trade_deal_id": deal,
            "redeemer": who,
            "collateral_amount": collateral,
            "usdc_amount": usdc,
        }
        return self._one("trade_deal_collateral_tokens_redeemed", values, tx)

    def redeemed_before(self, vabb: int, usdc: int, who: bytes = ALICE, deal: int = 0, tx: int = 0) -> Any:
        values = {"trade_deal_id": deal, "redeemer": who, "vabb_amount": vabb, "usdc_amount": usdc}
        return self._one("trade_deal_vabb_tokens_redeemed", values, tx)

    def interest(self, amount: int, deal: int = 0, tx: int = 0) -> Any:
        """InterestDistributedForTradeDeal: informational."""
        values = {
            "trade_deal_id": deal, "total_interest": amount, "invoice_pool_interest": amount, "interest_interest": 0,
            "interest_tokens_minted": 0,
        }  # fmt: skip
        return self._one("trade_deal_interest_distributed_for_trade_deal", values, tx)

    def handed_out(self, amount: int, deal: int = 0, tx: int = 0) -> Any:
        """CollateralTokensDistributed: no build emits it."""
        values = {"trade_deal_id": deal, "recipient": ALICE, "amount": amount}
        return self._one("trade_deal_collateral_tokens_distributed", values, tx)

    def distributed(
        self, principal: int, net: int, fees: Mapping[bytes, int], tx: int = 0, who: bytes = BOB
    ) -> Any:
        values = {
            "principal_amount_receiver": who, "principal_amount": principal, "adjusted_amount_receiver": who,
            "adjusted_amount": net, "fee_receivers": list(fees), "fee_amounts": [Decimal(fee) for fee in fees.values()],
        }  # fmt: skip
        return self._one("fee_distributor_amounts_distributed", values, tx)

    def collateral(
        self, token: bytes = COLLATERAL, deal: int = 0, tx: int = 0, *, by: bytes | None = None
    ) -> Any:
        """CollateralTokenCreated of the diamond, or TokenCreated of the factory ``by``."""
        values = {"trade_deal_id": deal, "token_address": token, "name": "Col", "symbol": "C"}
        table = "collateral_token_created" if by is None else "collateral_token_token_created"
        return self._one(table, values, tx, by)

    # -- tokens ----------------------------------------------------------------------------------------------------

    def moved20(self, source: bytes, target: bytes, value: int, tx: int = 0, token: bytes = USDC) -> Any:
        return self._one("erc20_transfer", {"from_": source, "to_": target, "value": value}, tx, token)

    def moved(self, source: bytes, target: bytes, token: int, tx: int = 0) -> Any:
        return self._one("erc721_transfer", {"from_": source, "to_": target, "token_id": token}, tx)

    def range_moved(self, first: int, last: int, source: bytes, target: bytes, tx: int = 0) -> Any:
        values = {"from_token_id": first, "to_token_id": last, "from_": source, "to_": target}
        return self._one("erc2309_consecutive_transfer", values, tx)

    def minted(self, token: int, attributes: Mapping[str, str], tx: int = 0, who: bytes = ALICE) -> Any:
        """GemforceMinted with attributes of type 1 (string)."""
        listed = [{"key": key, "attributeType": 1, "value": value} for key, value in attributes.items()]
        return self._one(
            "minter_gemforce_minted", {"token_id": token, "owner": who, "attributes": json.dumps(listed)}, tx
        )

    def described(self, token: int, key: str, value: str, tx: int = 0) -> Any:
        attribute = json.dumps({"key": key, "attributeType": 1, "value": value})
        return self._one(
            "metadata_token_metadata_set", {"token_id": token, "key": key, "value": attribute}, tx
        )

    def undescribed(self, token: int, key: str, tx: int = 0) -> Any:
        return self._one("metadata_token_metadata_deleted", {"token_id": token, "key": key}, tx)

    def contract_described(self, key: str, inner: str, value: str, tx: int = 0) -> Any:
        attribute = json.dumps({"key": inner, "attributeType": 1, "value": value})
        return self._one("metadata_contract_metadata_set", {"key": key, "value": attribute}, tx)

    # -- carbon ----------------------------------------------------------------------------------------------------

    def credited(self, token: int, balance: int, tx: int = 0) -> Any:
        return self._one("carbon_credits_initialized", {"token_id": token, "initial_balance": balance}, tx)

    def retired(self, token: int, amount: int, remaining: int, tx: int = 0) -> Any:
        values = {"token_id": token, "amount": amount, "remaining_balance": remaining}
        return self._one("carbon_credits_retired", values, tx)

    # -- sales -----------------------------------------------------------------------------------------------------

    def sale(self, sale: int = 1, tx: int = 0, *, again: bool = False, **other: Any) -> Any:
        """MultiSaleCreated, or with ``again`` MultiSaleUpdated, with all 23 settings."""
        settings = json.dumps(SETTINGS | other)
        if again:
            return self._one("multi_sale_updated", {"token_sale_id": sale, "token_sale": settings}, tx)
        return self._one("multi_sale_created", {"token_sale_id": sale, "settings": settings}, tx)

    def sold(self, tokens: Sequence[int], who: bytes = ALICE, sale: int = 1, tx: int = 0) -> Any:
        values = {
            "token_sale_id": sale, "purchaser": who, "token_ids": [Decimal(token) for token in tokens], "data": b"",
        }  # fmt: skip
        return self._one("multi_sale_sold", values, tx)


SETTINGS: dict[str, Any] = {
    "tokenType": 0, "token": hexed(COLLATERAL), "tokenHash": "7", "whitelistHash": str(2**256 - 1),
    "whitelistOnly": False, "paymentMethod": 1, "paymentToken": hexed(USDC), "owner": hexed(OWNER),
    "payee": hexed(CAROL), "symbol": "SALE", "name": "A sale", "description": "What is sold", "openState": True,
    "startTime": "1700000000", "endTime": "1800000000", "maxQuantity": "1000", "maxQuantityPerSale": "10",
    "minQuantityPerSale": "1", "maxQuantityPerAccount": "20", "paymentType": 1, "tokenAddress": hexed(ZERO),
    "nextSaleId": "0",
    "price": {"price": "250", "priceModifier": 1, "priceModifierFactor": "3", "maxPrice": "500"},
}  # fmt: skip
