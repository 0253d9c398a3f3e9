"""What must come out of trade deals' events: the traps of the domain, one test each, with the row that must come out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from deal_events import ALICE, BOB, CAROL, COLLATERAL, DIAMOND, FACTORY, MILLION, OWNER, USDC, ZERO, Teller

from indexer.projections.runner import Projections

TERMS = ("deal_id", "name", "symbol", "interest_rate_bps", "ratio", "active", "operation_mode")
ADDRESSES = ("collateral_address", "interest_address", "usdc_address")
STANDING = ("status", "target", "usdc_balance", "total_debt", "repaid_amount")
FLOW = ("kind", "party", "usdc_amount", "net_amount", "collateral_amount")


@pytest.fixture
def tell(said) -> Teller:
    return Teller(said)


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def numbers(*values):
    return tuple(None if value is None else Decimal(value) for value in values)


async def standing(ledger):
    ((status, *amounts),) = await ledger.rows("trade_deal", *STANDING)
    return status, *amounts


async def test_deal_0_is_a_deal_like_any_other_active_at_once_and_without_addresses_of_zeros(ledger, tell):
    await ledger.tell([tell.created(0), tell.topics([1, 7])])
    assert await ledger.rows("trade_deal", *TERMS, *ADDRESSES, "status", "created_block", "inconsistent") == [
        (
            Decimal(0),
            "Deal 0",
            "D0",
            Decimal(500),
            Decimal(4),
            True,
            2,
            COLLATERAL,
            None,
            USDC,
            "created",
            1,
            False,
        )
    ]
    assert await standing(ledger) == ("created", *numbers(0, 0, 0, 0))
    assert await ledger.rows("trade_deal_claim_topic", "diamond", "deal_id", "claim_topic") == [
        (DIAMOND, Decimal(0), Decimal(1)),
        (DIAMOND, Decimal(0), Decimal(7)),
    ]


async def test_deal_of_an_older_build_has_vabb_and_vabi_as_collateral_and_interest_and_no_mode(ledger, tell):
    await ledger.tell([tell.created_before(3)])
    assert await ledger.rows("trade_deal", *TERMS, *ADDRESSES) == [
        (Decimal(3), "Old", "O", Decimal(300), Decimal(2), True, None, COLLATERAL, FACTORY, USDC)
    ]


async def test_deal_update_changes_the_terms_and_keeps_the_mode(ledger, tell):
    await ledger.tell([tell.created(0)], [tell.updated(0, usdc_address=ZERO)])
    assert await ledger.rows("trade_deal", *TERMS, "usdc_address", "created_block", "updated_block") == [
        (Decimal(0), "New name", "NN", Decimal(800), Decimal(5), True, 2, None, 1, 2)
    ]


async def test_deal_is_switched_off_and_on(ledger, tell):
    await ledger.tell([tell.created(0), tell.created(1)], [tell.switched(False, 0), tell.switched(False, 1)],
                      [tell.switched(True, 1)])  # fmt: skip
    assert await ledger.rows("trade_deal", "deal_id", "active") == [(Decimal(0), False), (Decimal(1), True)]


async def test_deal_takes_the_collateral_token_that_was_made_for_it_where_its_own_event_names_none(
    ledger, tell
):
    await ledger.tell([tell.collateral(COLLATERAL, 0), tell.created(0, collateral_address=ZERO)],
                      [tell.created(1, collateral_address=ZERO)], [tell.collateral(FACTORY, 1)])  # fmt: skip
    assert await ledger.rows("trade_deal", "deal_id", "collateral_address") == [
        (Decimal(0), COLLATERAL),
        (Decimal(1), FACTORY),
    ]


async def test_claim_topics_are_replaced_as_a_whole(ledger, tell):
    await ledger.tell([tell.created(0), tell.topics([1, 2, 2])], [tell.topics([9])], [tell.topics([2, 3])])
    assert await ledger.rows("trade_deal_claim_topic", "claim_topic", "updated_block") == [
        (Decimal(2), 3),
        (Decimal(3), 3),
    ]
    await ledger.say(4, [tell.topics([])])
    await ledger.fold(4, 4)
    assert await ledger.rows("trade_deal_claim_topic", "claim_topic") == []


# -- invoices and the target ---------------------------------------------------------------------------------------------


def invoice_in(tell, token, who=ALICE, deal=0, tx=0):
    return [tell.moved(who, DIAMOND, token, tx), tell.invoice(token, deal, tx)]


async def test_invoice_deposit_names_neither_depositor_nor_amount_both_are_found(ledger, tell):
    # 1.7, 1.8.18: the giver is in the forced Transfer; the amount is the digits of a text attribute.
    await ledger.tell(
        [tell.created(0), tell.minted(5, {"totalAmount": "250 000 000 USDC", "amount": "3"})],
        invoice_in(tell, 5),
    )
    assert await ledger.rows(
        "trade_deal_invoice", "token_id", "depositor", "amount", "active", "deposited_block"
    ) == [(Decimal(5), ALICE, Decimal(250_000_000), True, 2)]
    assert (await standing(ledger))[1] == Decimal(250_000_000)


async def test_invoice_without_total_amount_is_worth_its_amount(ledger, tell):
    await ledger.tell([tell.created(0), tell.minted(5, {"amount": "40.5"}), *invoice_in(tell, 5)])
    assert (await standing(ledger))[1] == Decimal(405)


async def test_invoice_is_worth_what_its_attribute_says_at_that_log(ledger, tell):
    await ledger.tell(
        [tell.created(0), tell.minted(5, {"totalAmount": "100"}), tell.minted(6, {"totalAmount": "7"})],
        [
            tell.described(5, "totalAmount", "130"),
            *invoice_in(tell, 5),
            tell.described(5, "totalAmount", "900"),
        ],
        [tell.undescribed(6, "totalAmount"), tell.described(6, "amount", "8"), *invoice_in(tell, 6)],
    )
    assert await ledger.rows("trade_deal_invoice_move", "token_id", "amount") == [
        numbers(5, 130),
        numbers(6, 8),
    ]
    assert (await standing(ledger))[1] == Decimal(138)


async def test_invoice_0_shares_its_attributes_with_the_contract(ledger, tell):
    # 1.8.11 and 1.8.18: metadata of the contract is stored under the key inside the value, as an attribute of token 0.
    await ledger.tell(
        [tell.created(0), tell.contract_described("other", "totalAmount", "75"), *invoice_in(tell, 0)]
    )
    assert (await standing(ledger))[1] == Decimal(75)


async def test_target_is_unknown_from_an_invoice_of_unknown_amount_until_full_funding_tells_it(ledger, tell):
    # setAttribute is silent: an attribute that no event told is not 0.
    await ledger.tell([tell.created(0), tell.deposited(10), *invoice_in(tell, 5)])
    assert (await standing(ledger))[:2] == ("funding", None)
    await ledger.say(2, [tell.funded(10)])
    await ledger.fold(2, 2)
    assert (await standing(ledger))[:2] == ("funded", Decimal(10))


async def test_amount_of_more_digits_than_a_number_has_is_unknown(ledger, tell):
    await ledger.tell([tell.created(0), tell.minted(5, {"totalAmount": "9" * 79}), *invoice_in(tell, 5)])
    assert await standing(ledger) == ("created", None, *numbers(0, 0, 0))


async def test_invoice_withdrawn_by_the_owner_of_the_diamond_goes_to_him_not_to_its_depositor(ledger, tell):
    # 1.8.18
    await ledger.tell(
        [tell.created(0), tell.minted(5, {"totalAmount": "100"}), *invoice_in(tell, 5)],
        [tell.moved(DIAMOND, OWNER, 5), tell.invoice(5, back=True)],
    )
    columns = (
        "depositor",
        "amount",
        "active",
        "deposited_block",
        "withdrawn_block",
        "withdrawn_to",
        "inconsistent",
    )
    assert await ledger.rows("trade_deal_invoice", *columns) == [
        (ALICE, Decimal(100), False, 1, 2, OWNER, False)
    ]
    assert (await standing(ledger))[1] == Decimal(0)


async def test_invoice_deposited_again_has_its_last_depositor_and_lies_there(ledger, tell):
    await ledger.tell(
        [tell.created(0), tell.minted(5, {"totalAmount": "100"}), *invoice_in(tell, 5)],
        [tell.moved(DIAMOND, ALICE, 5), tell.invoice(5, back=True)],
        invoice_in(tell, 5, BOB),
    )
    columns = ("depositor", "active", "deposited_block", "withdrawn_block", "withdrawn_to")
    assert await ledger.rows("trade_deal_invoice", *columns) == [(BOB, True, 3, None, None)]


async def test_invoices_that_contradict_each_other_are_kept_and_marked(ledger, tell):
    await ledger.tell([tell.created(0)], [tell.invoice(5, back=True)], [tell.invoice(6), tell.invoice(6)])
    assert await ledger.rows("trade_deal_invoice", "token_id", "active", "inconsistent", "inconsistency") == [
        (Decimal(5), False, True, "withdrawn while it did not lie there"),
        (Decimal(6), True, True, "deposited while it lay there"),
    ]


# -- deposits and participants -------------------------------------------------------------------------------------------


def money_in(tell, amount, who=ALICE, deal=0, tx=0):
    return [
        tell.moved20(who, DIAMOND, amount, tx),
        tell.moved20(ZERO, who, amount * MILLION, tx, COLLATERAL),
        tell.deposited(amount, who, deal, tx),
    ]


async def test_deposit_makes_a_participant_in_silence_and_its_collateral_is_the_mint_of_the_transaction(
    ledger, tell
):
    await ledger.tell([tell.created(0), tell.joined(BOB)], money_in(tell, 60), money_in(tell, 40, BOB))
    assert await ledger.rows("trade_deal_cashflow", "block_number", *FLOW) == [
        (2, "deposit", ALICE, Decimal(60), None, Decimal(60 * MILLION)),
        (3, "deposit", BOB, Decimal(40), None, Decimal(40 * MILLION)),
    ]
    assert await ledger.rows("trade_deal_participant", "account", "source", "active", "added_block") == [
        (ALICE, "depositor", True, 2),
        (BOB, "explicit", True, 1),
    ]
    assert await standing(ledger) == ("funding", *numbers(0, 100, 0, 0))


async def test_deposit_finds_its_own_mint_among_the_transactions_of_its_block(ledger, tell):
    await ledger.tell(
        [tell.created(0)],
        [
            tell.moved20(ZERO, ALICE, 5, 1, FACTORY),
            *money_in(tell, 60, ALICE, tx=1),
            *money_in(tell, 40, ALICE, tx=2),
            tell.deposited(3, CAROL, tx=3),
        ],
    )
    assert await ledger.rows("trade_deal_cashflow", *FLOW) == [
        ("deposit", ALICE, Decimal(40), None, Decimal(40 * MILLION)),
        ("deposit", ALICE, Decimal(60), None, Decimal(60 * MILLION)),
        ("deposit", CAROL, Decimal(3), None, None),
    ]


@pytest.mark.parametrize("split", [False, True], ids=["in one pass", "block by block"])
async def test_deposit_before_its_deal_knows_the_collateral_that_an_earlier_block_made(ledger, tell, split):
    blocks = [tell.collateral(FACTORY, 0)], money_in(tell, 60)
    for number, events in enumerate(blocks, start=1):
        await ledger.say(number, events)
        if split:
            await ledger.fold(number, number)
    await ledger.fold(0, len(blocks))
    assert await ledger.rows("trade_deal_cashflow", *FLOW) == [("deposit", ALICE, Decimal(60), None, None)]
    assert await ledger.rows("trade_deal", "collateral_address", "inconsistency") == [
        (FACTORY, "events before its TradeDealCreated")
    ]


async def test_several_deposits_of_one_transaction_have_a_mint_each(ledger, tell):
    await ledger.tell([tell.created(0)], [*money_in(tell, 60), *money_in(tell, 40), *money_in(tell, 60, BOB)])
    assert await ledger.rows("trade_deal_cashflow", "log_index", *FLOW[1:]) == [
        (2, ALICE, Decimal(60), None, Decimal(60 * MILLION)),
        (5, ALICE, Decimal(40), None, Decimal(40 * MILLION)),
        (8, BOB, Decimal(60), None, Decimal(60 * MILLION)),
    ]


async def test_deposit_of_an_older_build_has_no_depositor_but_its_transfer_has(ledger, tell):
    await ledger.tell([tell.created(0)], [tell.moved20(ALICE, DIAMOND, 9), tell.deposited_before(9)],
                      [tell.deposited_before(4)])  # fmt: skip
    assert await ledger.rows("trade_deal_cashflow", "party", "usdc_amount") == [
        (ALICE, Decimal(9)),
        (None, Decimal(4)),
    ]
    assert await ledger.rows("trade_deal_participant", "account", "source") == [(ALICE, "depositor")]
    assert (await standing(ledger))[2] == Decimal(13)


async def test_participant_that_was_removed_comes_back_with_a_deposit(ledger, tell):
    # 1.8.7
    await ledger.tell([tell.created(0), tell.joined(ALICE)], [tell.left(ALICE)], money_in(tell, 5))
    columns = ("account", "source", "active", "added_block", "removed_block")
    assert await ledger.rows("trade_deal_participant", *columns) == [(ALICE, "depositor", True, 3, None)]


async def test_participant_that_deposited_and_was_removed_is_gone(ledger, tell):
    await ledger.tell([tell.created(0), *money_in(tell, 5)], [tell.left(ALICE)])
    columns = ("account", "source", "active", "added_block", "removed_block")
    assert await ledger.rows("trade_deal_participant", *columns) == [(ALICE, "depositor", False, 1, 2)]


async def test_participant_removed_without_having_been_added_is_marked(ledger, tell):
    await ledger.tell([tell.created(0), tell.left(CAROL)])
    columns = ("account", "source", "active", "added_block", "inconsistency")
    assert await ledger.rows("trade_deal_participant", *columns) == [
        (CAROL, None, False, None, "removed without having been added")
    ]


async def test_participants_by_claim_are_no_rows(ledger, tell):
    await ledger.tell([tell.created(0), tell.topics([1])])
    assert await ledger.rows("trade_deal_participant", "account") == []


# -- funding, debt, payout -----------------------------------------------------------------------------------------------


async def test_full_funding_sets_the_debt_with_the_rate_of_that_time(ledger, tell):
    await ledger.tell(
        [tell.created(0, rate=1), tell.minted(5, {"totalAmount": "1009"}), *invoice_in(tell, 5)],
        [tell.updated(0, rate=333)],
        [*money_in(tell, 1009), tell.funded(1009)],
        [tell.updated(0, rate=9999)],
    )
    assert await standing(ledger) == ("funded", *numbers(1009, 1009, 1009 + 1009 * 333 // 10_000, 0))
    assert await ledger.rows("trade_deal", "funded_block", "interest_rate_bps") == [(3, Decimal(9999))]


async def test_full_funding_can_come_twice_and_sets_the_debt_anew(ledger, tell):
    # 1.8.6
    await ledger.tell(
        [
            tell.created(0, rate=1000),
            tell.minted(5, {"totalAmount": "100"}),
            tell.minted(6, {"totalAmount": "50"}),
        ],
        [*invoice_in(tell, 5), *money_in(tell, 100), tell.funded(100)],
        invoice_in(tell, 6),
    )
    assert await standing(ledger) == ("funding", *numbers(150, 100, 110, 0))
    await ledger.say(4, [*money_in(tell, 50), tell.funded(150)])
    await ledger.fold(4, 4)
    assert await standing(ledger) == ("funded", *numbers(150, 150, 165, 0))
    assert await ledger.rows("trade_deal", "funded_block", "inconsistent") == [(4, False)]


async def test_full_funding_never_comes_where_money_was_there_before_the_invoice_and_debt_stays_0(
    ledger, tell
):
    # 1.8.6: the deal counts as funded all the same.
    await ledger.tell(
        [tell.created(0), tell.minted(5, {"totalAmount": "100"})],
        money_in(tell, 100),
        invoice_in(tell, 5),
    )
    assert await standing(ledger) == ("funded", *numbers(100, 100, 0, 0))
    assert await ledger.rows("trade_deal", "funded_at", "funded_block") == [(None, None)]


async def test_whether_a_deal_is_funded_flips_as_invoices_move(ledger, tell):
    # 1.8.6
    await ledger.tell(
        [tell.created(0), tell.minted(5, {"totalAmount": "100"}), tell.minted(6, {"totalAmount": "50"})],
        [*invoice_in(tell, 5), *money_in(tell, 100), tell.funded(100)],
    )
    seen = [(await standing(ledger))[0]]
    for number, events in enumerate(
        (
            invoice_in(tell, 6),
            [tell.moved(DIAMOND, ALICE, 6), tell.invoice(6, back=True)],
            [tell.withdrawn(1)],
        ),
        start=3,
    ):
        await ledger.say(number, events)
        await ledger.fold(number, number)
        seen.append((await standing(ledger))[0])
    assert seen == ["funded", "funding", "funded", "funding"]


async def test_fund_withdrawal_carries_the_principal_and_the_net_amount_and_lowers_the_balance_by_the_principal(
    ledger, tell
):
    # 1.7: the event has the net amount only; AmountsDistributed of the same transaction has the rest.
    await ledger.tell(
        [tell.created(0), tell.minted(5, {"totalAmount": "1000"}), *invoice_in(tell, 5), *money_in(tell, 1200),
         tell.funded(1000)],
        [tell.distributed(77, 77, {OWNER: 0}, tx=1), tell.distributed(1000, 970, {OWNER: 10, CAROL: 20}, tx=2),
         tell.paid_out(970, BOB, tx=2)],
    )  # fmt: skip
    assert await ledger.rows("trade_deal_cashflow", "block_number", "log_index", *FLOW) == [
        (1, 6, "deposit", ALICE, Decimal(1200), None, Decimal(1200 * MILLION)),
        (2, 1, "fee", None, Decimal(30), None, None),
        (2, 2, "fund_withdrawal", BOB, Decimal(1000), Decimal(970), None),
    ]
    assert await standing(ledger) == ("withdrawn", *numbers(1000, 200, 1050, 0))


async def test_fee_with_one_receiver_names_him(ledger, tell):
    await ledger.tell(
        [tell.created(0), *money_in(tell, 10)], [tell.distributed(10, 9, {CAROL: 1}), tell.paid_out(9)]
    )
    assert ("fee", CAROL, Decimal(1), None, None) in await ledger.rows("trade_deal_cashflow", *FLOW)


async def test_borrower_gets_the_rounding_rest_where_weights_add_up_to_the_basis(ledger, tell):
    # 1.8.5
    await ledger.tell([tell.created(0), *money_in(tell, 10)],
                      [tell.distributed(10, 0, {CAROL: 5, OWNER: 5}), tell.paid_out(0)])  # fmt: skip
    assert await ledger.rows("trade_deal_cashflow", *FLOW) == [
        ("deposit", ALICE, Decimal(10), None, Decimal(10 * MILLION)),
        ("fee", None, Decimal(10), None, None),
        ("fund_withdrawal", BOB, Decimal(10), Decimal(0), None),
    ]
    assert (await standing(ledger))[2] == Decimal(0)


async def test_fund_withdrawals_of_one_transaction_have_their_own_distributions(ledger, tell):
    await ledger.tell(
        [tell.created(0), tell.created(1), *money_in(tell, 10), *money_in(tell, 20, deal=1)],
        [tell.distributed(10, 9, {CAROL: 1}), tell.paid_out(9), tell.distributed(20, 9, {CAROL: 11}),
         tell.paid_out(9, deal=1)],
    )  # fmt: skip
    assert await ledger.rows("trade_deal", "deal_id", "usdc_balance") == [numbers(0, 0), numbers(1, 0)]


async def test_fund_withdrawal_without_a_distribution_took_the_target(ledger, tell):
    await ledger.tell([tell.created(0), *money_in(tell, 100), tell.funded(100)], [tell.paid_out(90)])
    assert (await ledger.rows("trade_deal_cashflow", *FLOW))[1] == (
        "fund_withdrawal",
        BOB,
        Decimal(100),
        Decimal(90),
        None,
    )
    assert (await standing(ledger))[2] == Decimal(0)


async def test_fund_withdrawal_whose_principal_nobody_tells_keeps_what_is_certain(ledger, tell):
    await ledger.tell([tell.created(0), *money_in(tell, 100), tell.invoice(5)], [tell.paid_out(90)])
    assert await ledger.rows("trade_deal_cashflow", *FLOW, "inconsistent", "inconsistency") == [
        ("deposit", ALICE, Decimal(100), None, Decimal(100 * MILLION), False, None),
        ("fund_withdrawal", BOB, None, Decimal(90), None, True, "no event tells the principal"),
    ]
    assert await ledger.rows("trade_deal", "status", "usdc_balance", "inconsistency") == [
        ("withdrawn", Decimal(10), "the principal of a fund withdrawal is not known")
    ]


async def test_distribution_that_anybody_called_is_no_cash_flow_of_a_deal(ledger, tell):
    # 1.8.5
    await ledger.tell([tell.created(0), tell.distributed(50, 40, {CAROL: 10})])
    assert await ledger.rows("trade_deal_cashflow", "kind") == []


async def test_repayment_is_paid_by_the_sender_of_the_transfer_not_by_the_borrower_it_names(ledger, tell):
    # 1.7: "repay for borrower" names the borrower although the owner paid.
    await ledger.tell(
        [tell.created(0), *money_in(tell, 100), tell.funded(100)],
        [tell.moved20(OWNER, DIAMOND, 30), tell.repaid(30, BOB)],
    )
    assert (await ledger.rows("trade_deal_cashflow", *FLOW))[1] == ("repay", OWNER, Decimal(30), None, None)
    assert await standing(ledger) == ("repaying", *numbers(100, 130, 105, 30))


async def test_repayment_whose_transfer_was_not_seen_has_the_party_it_names(ledger, tell):
    await ledger.tell(
        [tell.created(0)], [tell.moved20(OWNER, DIAMOND, 30, token=FACTORY), tell.repaid(30, BOB)]
    )
    assert await ledger.rows("trade_deal_cashflow", *FLOW) == [("repay", BOB, Decimal(30), None, None)]


async def test_repayments_add_up_until_the_last(ledger, tell):
    await ledger.tell(
        [tell.created(0), *money_in(tell, 100), tell.funded(100)],
        [tell.distributed(100, 100, {}), tell.paid_out(100)],
        [
            tell.moved20(BOB, DIAMOND, 60),
            tell.repaid(60),
            tell.moved20(BOB, DIAMOND, 45),
            tell.repaid(45, fully=True),
        ],
    )
    assert await standing(ledger) == ("repaid", *numbers(100, 105, 105, 105))
    assert await ledger.rows("trade_deal_cashflow", "kind", "fully_repaid") == [
        ("deposit", None),
        ("fund_withdrawal", None),
        ("repay", False),
        ("repay", True),
    ]


async def test_redemption_burns_collateral_and_lowers_the_balance_in_both_builds(ledger, tell):
    await ledger.tell(
        [tell.created(0), *money_in(tell, 100)],
        [tell.moved20(ALICE, ZERO, 7 * MILLION, token=COLLATERAL), tell.redeemed(7 * MILLION, 7)],
        [tell.redeemed_before(3 * MILLION, 4, BOB)],
    )
    assert (await ledger.rows("trade_deal_cashflow", *FLOW))[1:] == [
        ("redeem", ALICE, Decimal(7), None, Decimal(7 * MILLION)),
        ("redeem", BOB, Decimal(4), None, Decimal(3 * MILLION)),
    ]
    assert (await standing(ledger))[2] == Decimal(89)


async def test_withdrawal_goes_to_the_receiver_of_the_transfer(ledger, tell):
    await ledger.tell(
        [tell.created(0), *money_in(tell, 100)], [tell.moved20(DIAMOND, CAROL, 15), tell.withdrawn(15)]
    )
    assert (await ledger.rows("trade_deal_cashflow", *FLOW))[1] == (
        "withdraw",
        CAROL,
        Decimal(15),
        None,
        None,
    )
    assert (await standing(ledger))[2] == Decimal(85)


async def test_what_no_build_means_as_state_changes_nothing(ledger, tell):
    # InterestDistributedForTradeDeal is computed only, CollateralTokensDistributed never emitted (1.1.8, 1.7).
    await ledger.tell([tell.created(0), *money_in(tell, 100)])
    before = await ledger.state()
    await ledger.say(2, [tell.interest(50), tell.handed_out(9)])
    await ledger.fold(2, 2)
    assert await ledger.state() == before


# -- what contradicts itself ---------------------------------------------------------------------------------------------


async def test_events_of_a_deal_that_was_never_created_are_kept_and_marked(ledger, tell):
    await ledger.tell([*money_in(tell, 100, deal=8)])
    columns = ("deal_id", "name", "status", "usdc_balance", "created_block", "inconsistent", "inconsistency")
    assert await ledger.rows("trade_deal", *columns) == [
        (Decimal(8), None, "funding", Decimal(100), None, True, "events before its TradeDealCreated")
    ]


async def test_second_creation_of_a_deal_is_marked_and_its_money_stays(ledger, tell):
    await ledger.tell([tell.created(0), *money_in(tell, 100)], [tell.created(0, rate=9)])
    columns = ("interest_rate_bps", "usdc_balance", "created_block", "inconsistency")
    assert await ledger.rows("trade_deal", *columns) == [(Decimal(9), Decimal(100), 1, "created again")]


async def test_full_funding_with_less_than_its_target_is_believed_and_marked(ledger, tell):
    await ledger.tell([tell.created(0), *money_in(tell, 60), tell.funded(100)])
    assert await standing(ledger) == ("funded", *numbers(100, 60, 105, 0))
    assert await ledger.rows("trade_deal", "inconsistency") == [("fully funded with less than its target",)]


async def test_more_paid_out_than_came_in_is_marked(ledger, tell):
    await ledger.tell([tell.created(0), *money_in(tell, 60), tell.withdrawn(61)])
    assert await ledger.rows("trade_deal", "usdc_balance", "inconsistency") == [
        (Decimal(-1), "more was paid out than came in")
    ]


async def test_deals_of_two_diamonds_with_one_id_are_two(ledger, tell, said):
    other = Teller(said, FACTORY)
    await ledger.tell([tell.created(0), other.created(0)], [tell.deposited(5), other.deposited(7)])
    assert await ledger.rows("trade_deal", "diamond", "usdc_balance") == [
        (DIAMOND, Decimal(5)),
        (FACTORY, Decimal(7)),
    ]


# -- collateral tokens ---------------------------------------------------------------------------------------------------


async def test_collateral_token_is_told_by_factory_and_diamond_and_is_one_row(ledger, tell):
    await ledger.tell(
        [tell.collateral(by=FACTORY), tell.collateral()], [tell.collateral(USDC, 1, by=FACTORY)]
    )
    columns = ("token", "diamond", "factory", "deal_id", "name", "symbol", "created_block", "inconsistent")
    assert await ledger.rows("collateral_token", *columns) == [
        (COLLATERAL, DIAMOND, FACTORY, Decimal(0), "Col", "C", 1, False),
        (USDC, None, FACTORY, Decimal(1), "Col", "C", 2, False),
    ]


async def test_collateral_token_made_for_two_deals_keeps_the_first_and_is_marked(ledger, tell):
    await ledger.tell([tell.collateral(deal=0)], [tell.collateral(deal=4)])
    assert await ledger.rows("collateral_token", "deal_id", "inconsistency") == [
        (Decimal(0), "made for several trade deals")
    ]


# -- variants that are only documented -----------------------------------------------------------------------------------


def test_what_only_documentation_declares_and_what_is_never_emitted_is_not_read():
    read = {name for one in Projections.load().all for name in one.reads}
    never = (
        "trade_deal_collateral_tokens_distributed", "trade_deal_fees_distributed", "multi_sale_open", "multi_sale_closed",
        "variable_price_changed",
    )  # fmt: skip
    assert not read & {f"event.{name}" for name in never}
    assert not {name for name in read if "docs" in name}
