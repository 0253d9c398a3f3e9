"""What must come out of multi-token sales' events: the traps of the domain, one test each, with the row that must come out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from deal_events import ALICE, BOB, CAROL, COLLATERAL, DIAMOND, FACTORY, OWNER, USDC, ZERO, Teller, hexed

PURCHASE = (
    "block_number",
    "log_index",
    "purchaser_or_receiver",
    "token_ids",
    "quantity",
    "paid",
    "payment_token",
)


@pytest.fixture
def tell(said) -> Teller:
    return Teller(said)


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


async def test_sale_has_all_its_settings(ledger, tell):
    await ledger.tell([tell.sale(0)])
    row = dict(
        await ledger.connection.fetchrow(
            "SELECT * FROM state.multi_sale WHERE chain_id = $1", ledger.chain_id
        )
    )
    assert row == {
        "chain_id": ledger.chain_id, "diamond": DIAMOND, "sale_id": Decimal(0), "token_type": 0, "token": COLLATERAL,
        "token_hash": Decimal(7), "whitelist_hash": Decimal(2**256 - 1), "whitelist_only": False, "payment_method": 1,
        "payment_token": USDC, "owner": OWNER, "payee": CAROL, "symbol": "SALE", "name": "A sale",
        "description": "What is sold", "open_state": True, "start_time": Decimal(1700000000),
        "end_time": Decimal(1800000000), "max_quantity": Decimal(1000), "max_quantity_per_sale": Decimal(10),
        "min_quantity_per_sale": Decimal(1), "max_quantity_per_account": Decimal(20), "payment_type": 1,
        "token_address": None, "next_sale_id": Decimal(0), "price": Decimal(250), "price_modifier": 1,
        "price_modifier_factor": Decimal(3), "max_price": Decimal(500), "created_block": 1, "inconsistent": False,
        "inconsistency": None, "updated_block": 1,
    }  # fmt: skip


async def test_sale_opens_and_closes_by_updates_only(ledger, tell):
    await ledger.tell(
        [tell.sale(1)], [tell.sale(1, again=True, openState=False, name="Closed", paymentToken=hexed(ZERO))]
    )
    columns = ("open_state", "name", "payment_token", "created_block", "updated_block")
    assert await ledger.rows("multi_sale", *columns) == [(False, "Closed", None, 1, 2)]


async def test_purchase_of_tokens_counts_them_and_the_payment_of_its_transaction(ledger, tell):
    # No quantity and no price in the event; the named account is the receiver on the plain path (1.8.14).
    await ledger.tell(
        [tell.sale(1)],
        [
            tell.moved20(ALICE, CAROL, 500, tx=1),
            tell.sold([4, 5], BOB, tx=1),
            tell.moved20(ALICE, CAROL, 9, tx=2),
        ],
    )
    assert await ledger.rows("multi_sale_purchase", *PURCHASE) == [
        (2, 1, BOB, [Decimal(4), Decimal(5)], Decimal(2), Decimal(500), USDC)
    ]


async def test_purchase_of_an_erc20_token_has_no_ids_but_a_mint(ledger, tell):
    await ledger.tell(
        [tell.sale(1)],
        [tell.moved20(ZERO, BOB, 3, token=FACTORY), tell.moved20(ALICE, DIAMOND, 750),
         tell.moved20(DIAMOND, CAROL, 750), tell.moved20(ZERO, BOB, 30, token=COLLATERAL), tell.sold([], BOB)],
    )  # fmt: skip
    assert await ledger.rows("multi_sale_purchase", *PURCHASE) == [
        (2, 4, BOB, [], Decimal(30), Decimal(750), USDC)
    ]


@pytest.mark.parametrize("before", [True, False])
async def test_purchases_of_one_transaction_have_their_own_transfers(ledger, tell, before):
    def purchase(who, quantity, paid):
        transfers = [tell.moved20(who, OWNER, paid), tell.moved20(ZERO, who, quantity, token=COLLATERAL)]
        return [*transfers, tell.sold([], who)] if before else [tell.sold([], who), *transfers]

    await ledger.tell([tell.sale(1)], [*purchase(ALICE, 1, 10), *purchase(BOB, 2, 20)])
    rows = await ledger.rows("multi_sale_purchase", "purchaser_or_receiver", "quantity", "paid")
    assert rows == [(ALICE, Decimal(1), Decimal(10)), (BOB, Decimal(2), Decimal(20))]


async def test_purchase_with_native_coin_is_paid_in_nothing_that_events_tell(ledger, tell):
    await ledger.tell([tell.sale(1, paymentMethod=0, paymentToken=hexed(ZERO))], [tell.sold([1], BOB)])
    assert await ledger.rows("multi_sale_purchase", "quantity", "paid", "payment_token") == [
        (Decimal(1), None, None)
    ]


async def test_purchase_is_paid_in_the_token_that_the_settings_named_at_that_log(ledger, tell):
    def pays(token):
        return [
            tell.moved20(ALICE, CAROL, 5, token=USDC),
            tell.moved20(ALICE, CAROL, 7, token=FACTORY),
            tell.sold([token]),
        ]

    await ledger.tell(
        [tell.sale(1), *pays(1), tell.sale(1, again=True, paymentToken=hexed(FACTORY)), *pays(2)],
        pays(3),
    )
    rows = await ledger.rows("multi_sale_purchase", "block_number", "token_ids", "paid", "payment_token")
    assert rows == [
        (1, [Decimal(1)], Decimal(5), USDC),
        (1, [Decimal(2)], Decimal(7), FACTORY),
        (2, [Decimal(3)], Decimal(7), FACTORY),
    ]


async def test_purchase_ignores_the_open_flag_and_the_whitelist(ledger, tell):
    # 1.8.14
    await ledger.tell([tell.sale(1, openState=False, whitelistOnly=True), tell.sold([1], BOB)])
    assert await ledger.rows("multi_sale_purchase", "quantity", "inconsistent") == [(Decimal(1), False)]


async def test_purchase_whose_sale_was_never_seen_is_kept_and_marked(ledger, tell):
    await ledger.tell([tell.sold([1, 2, 3], BOB, 9)], [tell.sale(9)])
    assert await ledger.rows("multi_sale_purchase", "sale_id", "quantity", "paid", "inconsistency") == [
        (Decimal(9), Decimal(3), None, "sold before its settings were seen")
    ]


async def test_sale_that_is_created_again_or_updated_before_is_marked(ledger, tell):
    await ledger.tell([tell.sale(1), tell.sale(2, again=True)], [tell.sale(1, name="Second"), tell.sale(2)])
    assert await ledger.rows("multi_sale", "sale_id", "name", "created_block", "inconsistency") == [
        (Decimal(1), "Second", 1, "created again"),
        (Decimal(2), "A sale", 2, "updated before its MultiSaleCreated"),
    ]
