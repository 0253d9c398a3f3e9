"""What must come out of the marketplace's events: its traps, one test each, with the row that must come out."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

ZERO = bytes(20)
DIAMOND, OTHER, USDC = b"\xdd" * 20, b"\xde" * 20, b"\xcc" * 20
ALICE, BOB, CAROL = b"\x01" * 20, b"\x02" * 20, b"\x03" * 20
FEES, MORE_FEES = b"\xf1" * 20, b"\xf2" * 20
LISTING = (
    "token_id",
    "opened_block",
    "opened_log_index",
    "status",
    "buyer",
    "closed_block",
    "closed_log_index",
)
SALE = ("block_number", "log_index", "buyer", "seller", "price", "payment_token", "fee_total", "seller_net")
PAYOUT = ("block_number", "log_index", "sale_log_index", "receiver", "amount", "kind")


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


@pytest.fixture
def speak(said):
    return Market(said)


class Market:
    """Events of a marketplace, as the deployed contracts emit them."""

    def __init__(self, said) -> None:
        self.said = said

    def listed(self, token=7, price=100, seller=ALICE, receiver=None, payment=USDC, tx=0, diamond=DIAMOND):
        values = {
            "nft_contract": diamond, "token_id": Decimal(token), "seller": seller, "receiver": receiver or seller,
            "owner": ZERO, "price": Decimal(price), "sold": False, "payment_token": payment,
        }  # fmt: skip
        return self.said("marketplace_listings", diamond, values, tx)

    def sold(self, token=7, caller=BOB, tx=0, diamond=DIAMOND):
        values = {"token_address": diamond, "token_id": Decimal(token), "owner": caller}
        return self.said("marketplace_sales", diamond, values, tx)

    def delisted(self, token=7, tx=0):
        return self.said("marketplace_delisted", DIAMOND, {"item_id": Decimal(token)}, tx)

    def paid(self, receiver, amount, token=USDC, tx=0, diamond=DIAMOND):
        values = {"token": token, "receiver": receiver, "amount": Decimal(amount)}
        return self.said("marketplace_payment_distributed", diamond, values, tx)

    def moved(self, source, target, token=7, tx=0, contract=DIAMOND):
        values = {"from_": source, "to_": target, "token_id": Decimal(token)}
        return self.said("erc721_transfer", contract, values, tx)

    def opened(self, *shares, diamond=DIAMOND):
        receivers = [{"receiver": "0x" + who.hex(), "sharePerMillion": str(share)} for who, share in shares]
        return self.said("marketplace_initialized", diamond, {"fee_receivers": json.dumps(receivers)})


async def test_sale_takes_price_token_and_seller_from_the_open_listing_and_the_buyer_from_the_transfer(
    ledger, speak
):
    await ledger.tell(
        [speak.moved(ZERO, ALICE), speak.listed(receiver=CAROL)],
        [speak.paid(FEES, 5), speak.paid(CAROL, 95), speak.moved(ALICE, BOB), speak.sold(caller=BOB)],
    )
    assert await ledger.rows("sale", *SALE) == [
        (2, 3, BOB, ALICE, Decimal(100), USDC, Decimal(5), Decimal(95))
    ]
    assert await ledger.rows("sale", "listing_block", "listing_log_index", "inconsistent", "tx_hash") == [
        (1, 1, False, (2000).to_bytes(32, "big"))
    ]
    assert await ledger.rows("listing", *LISTING) == [(Decimal(7), 1, 1, "sold", BOB, 2, 3)]


async def test_sale_through_the_diamond_names_the_diamond_and_the_buyer_is_who_got_the_token(ledger, speak):
    # The purchase comes back in through the diamond: Sales says the diamond, which hands the token on or never had it.
    await ledger.tell(
        [speak.listed(7), speak.listed(8), speak.listed(9)],
        [speak.moved(ALICE, DIAMOND, 7), speak.sold(7, DIAMOND), speak.moved(DIAMOND, BOB, 7)],
        [speak.moved(ALICE, CAROL, 8), speak.sold(8, DIAMOND)],
        [speak.moved(ALICE, DIAMOND, 9), speak.sold(9, DIAMOND)],
    )
    assert await ledger.rows("sale", "block_number", "buyer", "inconsistent") == [
        (2, BOB, False),
        (3, CAROL, False),
        (4, DIAMOND, False),
    ]
    assert [row[:2] for row in await ledger.rows("listing", "token_id", "buyer")] == [
        (Decimal(7), BOB),
        (Decimal(8), CAROL),
        (Decimal(9), DIAMOND),
    ]


async def test_sale_whose_transfer_comes_after_it_takes_the_buyer_from_there(ledger, speak):
    await ledger.tell([speak.listed()], [speak.sold(caller=CAROL), speak.moved(ALICE, BOB)])
    assert await ledger.rows("sale", "buyer", "inconsistent") == [(BOB, False)]


async def test_sale_does_not_take_the_transfer_of_another_transaction_token_or_contract(ledger, speak):
    await ledger.tell(
        [speak.listed()],
        [
            speak.moved(ALICE, CAROL, tx=0),
            speak.moved(ALICE, CAROL, token=8, tx=1),
            speak.moved(ALICE, CAROL, contract=OTHER, tx=1),
            speak.moved(ALICE, BOB, tx=1),
            speak.sold(caller=ALICE, tx=1),
            speak.moved(BOB, CAROL, tx=2),
        ],
    )
    assert await ledger.rows("sale", "buyer") == [(BOB,)]


async def test_two_sales_of_one_token_in_one_transaction_have_their_own_buyers_prices_and_payouts(
    ledger, speak
):
    await ledger.tell(
        [
            speak.listed(price=100),
            speak.paid(FEES, 10), speak.paid(ALICE, 90), speak.moved(ALICE, BOB), speak.sold(caller=BOB),
            speak.listed(price=300, seller=BOB, payment=ZERO),
            speak.paid(FEES, 30, ZERO), speak.paid(BOB, 270, ZERO), speak.moved(BOB, CAROL), speak.sold(caller=CAROL),
        ],
    )  # fmt: skip
    assert await ledger.rows("sale", *SALE) == [
        (1, 4, BOB, ALICE, Decimal(100), USDC, Decimal(10), Decimal(90)),
        (1, 9, CAROL, BOB, Decimal(300), None, Decimal(30), Decimal(270)),
    ]
    assert await ledger.rows("listing", *LISTING) == [
        (Decimal(7), 1, 0, "sold", BOB, 1, 4),
        (Decimal(7), 1, 5, "sold", CAROL, 1, 9),
    ]


async def test_payouts_come_before_their_sale_in_its_transaction_and_the_last_is_the_sellers(ledger, speak):
    await ledger.tell(
        [speak.listed(7), speak.listed(8, seller=CAROL, price=50)],
        [
            speak.paid(FEES, 3, tx=1), speak.paid(MORE_FEES, 2, tx=1), speak.paid(ALICE, 95, tx=1),
            speak.moved(ALICE, BOB, 7, tx=1), speak.sold(7, tx=1),
            speak.paid(FEES, 1, tx=1), speak.paid(CAROL, 49, tx=1), speak.moved(CAROL, BOB, 8, tx=1), speak.sold(8, tx=1),
        ],
    )  # fmt: skip
    assert await ledger.rows("sale_payout", *PAYOUT) == [
        (2, 0, 4, FEES, Decimal(3), "fee"),
        (2, 1, 4, MORE_FEES, Decimal(2), "fee"),
        (2, 2, 4, ALICE, Decimal(95), "seller"),
        (2, 5, 8, FEES, Decimal(1), "fee"),
        (2, 6, 8, CAROL, Decimal(49), "seller"),
    ]
    assert await ledger.rows("sale", "log_index", "fee_total", "seller_net") == [
        (4, Decimal(5), Decimal(95)),
        (8, Decimal(1), Decimal(49)),
    ]


async def test_payouts_of_another_diamond_or_transaction_are_not_the_sales(ledger, speak):
    await ledger.tell(
        [speak.listed(), speak.listed(diamond=OTHER)],
        [
            speak.paid(CAROL, 8, tx=0),
            speak.paid(ALICE, 100, tx=1),
            speak.paid(CAROL, 9, tx=1, diamond=OTHER),
            speak.moved(ALICE, BOB, tx=1),
            speak.sold(tx=1),
            speak.sold(tx=1, diamond=OTHER),
        ],
    )
    assert await ledger.rows(
        "sale_payout", "log_index", "diamond", "sale_log_index", "kind", "inconsistent", "inconsistency"
    ) == [
        (0, DIAMOND, None, None, True, "no sale follows in its transaction"),
        (1, DIAMOND, 4, "seller", False, None),
        (2, OTHER, 5, "seller", False, None),
    ]
    assert await ledger.rows("sale", "diamond", "fee_total", "seller_net") == [
        (DIAMOND, Decimal(0), Decimal(100)),
        (OTHER, Decimal(0), Decimal(9)),
    ]


async def test_the_last_payout_is_a_fee_where_the_fees_leave_the_seller_nothing(ledger, speak):
    # Payouts of nothing are not emitted. At a price of 3 rounding leaves the seller 1, at 100 nothing.
    await ledger.tell(
        [speak.opened((FEES, 500_000), (MORE_FEES, 500_000)), speak.listed(7, 100), speak.listed(8, 3)],
        [speak.paid(FEES, 50), speak.paid(MORE_FEES, 50), speak.moved(ALICE, BOB), speak.sold()],
        [
            speak.paid(FEES, 1), speak.paid(MORE_FEES, 1), speak.paid(ALICE, 1),
            speak.moved(ALICE, BOB, 8), speak.sold(8),
        ],
    )  # fmt: skip
    assert await ledger.rows("sale", "block_number", "fee_total", "seller_net") == [
        (2, Decimal(100), Decimal(0)),
        (3, Decimal(2), Decimal(1)),
    ]
    assert await ledger.rows("sale_payout", "block_number", "log_index", "kind") == [
        (2, 0, "fee"),
        (2, 1, "fee"),
        (3, 0, "fee"),
        (3, 1, "fee"),
        (3, 2, "seller"),
    ]


async def test_sale_for_nothing_has_no_payouts_and_pays_nothing(ledger, speak):
    await ledger.tell([speak.listed(price=0)], [speak.moved(ALICE, BOB), speak.sold()])
    assert await ledger.rows("sale", "price", "fee_total", "seller_net", "inconsistent") == [
        (Decimal(0), Decimal(0), Decimal(0), False)
    ]


async def test_native_coin_is_no_token(ledger, speak):
    await ledger.tell(
        [speak.listed(payment=ZERO)], [speak.paid(ALICE, 100, ZERO), speak.moved(ALICE, BOB), speak.sold()]
    )
    assert await ledger.rows("listing", "payment_token") == [(None,)]
    assert await ledger.rows("sale", "payment_token", "seller_net") == [(None, Decimal(100))]
    assert await ledger.rows("sale_payout", "token", "kind") == [(None, "seller")]


async def test_sale_without_a_listing_is_kept_and_marked(ledger, speak):
    await ledger.tell([speak.paid(FEES, 5), speak.paid(ALICE, 95), speak.moved(ALICE, BOB), speak.sold()])
    assert await ledger.rows("sale", *SALE) == [
        (1, 3, BOB, None, None, USDC, Decimal(5), Decimal(95)),
    ]
    assert await ledger.rows("sale", "inconsistent", "inconsistency", "listing_block") == [
        (True, "no open listing", None)
    ]
    assert await ledger.rows("listing", "status") == []


async def test_second_sale_of_a_listing_is_kept_and_marked(ledger, speak):
    await ledger.tell(
        [speak.listed()],
        [speak.moved(ALICE, BOB), speak.sold(caller=BOB)],
        [speak.moved(BOB, CAROL), speak.sold(caller=CAROL)],
    )
    assert await ledger.rows("sale", "block_number", "price", "inconsistency") == [
        (2, Decimal(100), None),
        (3, None, "no open listing"),
    ]
    assert await ledger.rows("listing", *LISTING) == [(Decimal(7), 1, 0, "sold", BOB, 2, 1)]


async def test_sale_without_a_transfer_names_the_caller_and_is_marked(ledger, speak):
    await ledger.tell([speak.listed(8)], [speak.sold(7, BOB), speak.sold(8, CAROL)])
    assert await ledger.rows("sale", "token_id", "buyer", "inconsistency") == [
        (Decimal(7), BOB, "no open listing; no transfer of the token in its transaction"),
        (Decimal(8), CAROL, "no transfer of the token in its transaction"),
    ]


async def test_delisted_closes_the_open_listing_of_the_token_after_its_forced_transfer(ledger, speak):
    # Transfer(diamond -> seller) comes first although the token was never escrowed.
    await ledger.tell(
        [speak.moved(ZERO, ALICE), speak.listed(), speak.listed(8)],
        [speak.moved(DIAMOND, ALICE), speak.delisted()],
    )
    assert await ledger.rows("listing", *LISTING) == [
        (Decimal(7), 1, 1, "delisted", None, 2, 1),
        (Decimal(8), 1, 2, "open", None, None, None),
    ]
    assert await ledger.rows("nft", "token_id", "owner", "inconsistent", "inconsistency") == [
        (Decimal(7), ALICE, True, "a transfer named a sender that did not own it")
    ]


async def test_delisted_without_an_open_listing_or_by_a_new_owner_disturbs_nothing(ledger, speak):
    await ledger.tell(
        [speak.delisted(5), speak.listed()],
        [speak.moved(ALICE, BOB)],
        [speak.moved(DIAMOND, BOB), speak.delisted()],
        [speak.moved(DIAMOND, BOB), speak.delisted()],
    )
    assert await ledger.rows("listing", *LISTING) == [(Decimal(7), 1, 1, "delisted", None, 3, 1)]
    assert await ledger.rows("listing", "seller", "updated_block") == [(ALICE, 3)]
    assert await ledger.rows("nft", "owner") == [(BOB,)]


async def test_a_newer_listing_supersedes_the_open_one_and_its_block_closes_it(ledger, speak):
    await ledger.tell([speak.listed(price=1)], [speak.listed(price=2), speak.listed(price=3)])
    assert await ledger.rows("listing", *LISTING) == [
        (Decimal(7), 1, 0, "superseded", None, 2, 0),
        (Decimal(7), 2, 0, "superseded", None, 2, 1),
        (Decimal(7), 2, 1, "open", None, None, None),
    ]
    await ledger.say(3, [speak.moved(ALICE, BOB), speak.sold()])
    await ledger.fold(3, 3)
    assert await ledger.rows("sale", "price", "listing_block", "listing_log_index") == [(Decimal(3), 2, 1)]


async def test_a_token_can_be_listed_again_after_a_sale(ledger, speak):
    await ledger.tell(
        [speak.listed()],
        [speak.moved(ALICE, BOB), speak.sold()],
        [speak.listed(seller=BOB, price=5)],
    )
    assert await ledger.rows("listing", "opened_block", "seller", "status") == [
        (1, ALICE, "sold"),
        (3, BOB, "open"),
    ]


async def test_listings_of_one_token_id_on_two_diamonds_are_apart(ledger, speak):
    await ledger.tell(
        [speak.listed(), speak.listed(diamond=OTHER, price=9)],
        [speak.moved(ALICE, BOB, contract=OTHER), speak.sold(diamond=OTHER)],
    )
    assert await ledger.rows("listing", "diamond", "status") == [(DIAMOND, "open"), (OTHER, "sold")]
    assert await ledger.rows("sale", "diamond", "price") == [(OTHER, Decimal(9))]


async def test_listing_knows_whether_its_transaction_escrowed_the_token(ledger, speak):
    await ledger.tell(
        [speak.moved(ALICE, DIAMOND, 1), speak.listed(1)],
        [speak.listed(2), speak.moved(ALICE, DIAMOND, 2)],
        [speak.listed(3), speak.moved(ALICE, DIAMOND, 3, tx=1)],
        [speak.listed(4), speak.moved(ALICE, BOB, 4), speak.sold(4)],
    )
    assert await ledger.rows("listing", "token_id", "escrowed") == [
        (Decimal(1), True),
        (Decimal(2), True),
        (Decimal(3), False),
        (Decimal(4), False),
    ]


async def test_token_zero_is_listed_and_sold_like_any_other(ledger, speak):
    await ledger.tell([speak.listed(0)], [speak.moved(ALICE, BOB, 0), speak.sold(0)])
    assert await ledger.rows("sale", "token_id", "buyer", "price") == [(Decimal(0), BOB, Decimal(100))]


async def test_one_block_alone_and_one_pass_over_all_give_the_same_rows(ledger, speak):
    blocks = [
        [speak.listed(), speak.moved(ALICE, CAROL), speak.sold(caller=CAROL), speak.listed(seller=CAROL)],
        [speak.paid(CAROL, 100), speak.moved(CAROL, BOB), speak.sold(), speak.listed(seller=BOB, price=4)],
        [speak.moved(DIAMOND, BOB), speak.delisted(), speak.listed(seller=BOB, price=5)],
    ]
    await ledger.tell(*blocks)
    whole = await ledger.state()
    await ledger.projections.unfold(ledger.connection, ledger.chain_id, 0)
    for number in (1, 2, 3):
        await ledger.fold(number, number)
    assert await ledger.state() == whole
    assert [row[3] for row in await ledger.rows("listing", *LISTING)] == ["sold", "sold", "delisted", "open"]


# -- fees ------------------------------------------------------------------------------------------------------------------

RECEIVER = ("source", "receiver", "position", "weight", "basis", "inconsistency")


class Distributor:
    """Events of a fee distributor."""

    def __init__(self, said) -> None:
        self.said = said

    def opened(self, token, basis=1000):
        values = {"distribution_token": token, "total_weight_basis": Decimal(basis)}
        return self.said("fee_distributor_initialized", DIAMOND, values)

    def receivers(self, *pairs, cut=0):
        values = {
            "fee_receivers": [who for who, _ in pairs],
            "fee_weights": [Decimal(weight) for _, weight in pairs][: len(pairs) - cut],
        }
        return self.said("fee_distributor_fee_receivers_set", DIAMOND, values)

    def paid(self, receivers, amounts, principal=100):
        values = {
            "principal_amount_receiver": CAROL, "principal_amount": Decimal(principal),
            "adjusted_amount_receiver": ZERO, "adjusted_amount": Decimal(principal - sum(amounts)),
            "fee_receivers": receivers, "fee_amounts": [Decimal(amount) for amount in amounts],
        }  # fmt: skip
        return self.said("fee_distributor_amounts_distributed", DIAMOND, values)


@pytest.fixture
def fees(said):
    return Distributor(said)


async def test_marketplace_receivers_have_parts_of_a_million_and_lists_with_one_twice_add_up(ledger, speak):
    await ledger.tell([speak.opened((FEES, 20_000), (MORE_FEES, 5_000), (FEES, 1_000))])
    assert await ledger.rows("fee_receiver", *RECEIVER) == [
        ("marketplace", FEES, 0, Decimal(21_000), Decimal(1_000_000), None),
        ("marketplace", MORE_FEES, 1, Decimal(5_000), Decimal(1_000_000), None),
    ]


async def test_marketplace_initialised_twice_keeps_all_receivers_and_marks_them(ledger, speak):
    await ledger.tell(
        [speak.opened((FEES, 20_000), (MORE_FEES, 5_000))], [speak.opened((ALICE, 7), (FEES, 8))]
    )
    again = "initialised more than once"
    assert await ledger.rows("fee_receiver", *RECEIVER) == [
        ("marketplace", ALICE, 0, Decimal(7), Decimal(1_000_000), again),
        ("marketplace", FEES, 1, Decimal(8), Decimal(1_000_000), again),
        ("marketplace", MORE_FEES, 1, Decimal(5_000), Decimal(1_000_000), again),
    ]
    assert {row[0] for row in await ledger.rows("fee_receiver", "inconsistent")} == {True}


async def test_distributor_receivers_are_replaced_and_their_basis_comes_from_the_initialisation(
    ledger, fees, speak
):
    await ledger.tell(
        [fees.receivers((FEES, 600), (MORE_FEES, 400)), speak.opened((FEES, 1))],
        [fees.opened(USDC, 1000)],
        [fees.receivers((ALICE, 250), (FEES, 750))],
    )
    assert await ledger.rows("fee_receiver", *RECEIVER) == [
        ("distributor", ALICE, 0, Decimal(250), Decimal(1000), None),
        ("distributor", FEES, 1, Decimal(750), Decimal(1000), None),
        ("marketplace", FEES, 0, Decimal(1), Decimal(1_000_000), None),
    ]
    await ledger.say(4, [fees.receivers()])
    await ledger.fold(4, 4)
    assert [row[0] for row in await ledger.rows("fee_receiver", "source")] == ["marketplace"]


async def test_distributor_lists_of_unequal_length_apply_their_pairs_and_are_marked(ledger, fees):
    await ledger.tell(
        [fees.receivers((FEES, 1), (MORE_FEES, 2))], [fees.receivers((ALICE, 3), (FEES, 4), cut=1)]
    )
    assert await ledger.rows("fee_receiver", "receiver", "weight", "basis", "inconsistency") == [
        (ALICE, Decimal(3), None, "receivers and weights of unequal number")
    ]


async def test_distribution_before_the_initialisation_pays_native_coin_and_after_it_the_token(ledger, fees):
    await ledger.tell(
        [fees.paid([FEES], [4]), fees.opened(USDC), fees.paid([FEES, MORE_FEES], [1, 2])],
        [fees.paid([], [])],
    )
    assert await ledger.rows(
        "fee_distribution", "block_number", "log_index", "token", "receivers", "amounts", "fee_total"
    ) == [
        (1, 0, None, [FEES], [Decimal(4)], Decimal(4)),
        (1, 2, USDC, [FEES, MORE_FEES], [Decimal(1), Decimal(2)], Decimal(3)),
        (2, 0, USDC, [], [], Decimal(0)),
    ]
    assert (
        await ledger.rows("fee_distribution", "principal_receiver", "adjusted_receiver", "inconsistent")
        == [(CAROL, None, False)] * 3
    )


async def test_distribution_after_a_second_initialisation_is_marked(ledger, fees):
    await ledger.tell(
        [fees.opened(USDC, 10), fees.receivers((FEES, 10))],
        [fees.opened(OTHER, 20), fees.paid([FEES], [1, 1])],
    )
    assert await ledger.rows("fee_distribution", "token", "inconsistency") == [
        (OTHER, "receivers and amounts of unequal number; initialised more than once")
    ]
    assert await ledger.rows("fee_receiver", "basis", "inconsistency", "updated_block") == [
        (Decimal(20), "initialised more than once", 2)
    ]
