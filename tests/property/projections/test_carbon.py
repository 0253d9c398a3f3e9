"""What must come out of carbon credits' events: the traps of the domain, one test each, with the row that must come out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from deal_events import ALICE, BOB, CAROL, DIAMOND, ZERO, Teller

CREDIT = ("token_id", "initial_balance", "total_initialized", "total_retired", "remaining", "status", "owner")
RETIREMENT = ("block_number", "log_index", "token_id", "amount", "remaining_after", "retired_by")
BIGGEST = 2**256 - 1


@pytest.fixture
def tell(said) -> Teller:
    return Teller(said)


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def credit(token, initial, initialized, retired, remaining, status, owner):
    return (
        Decimal(token),
        *(None if n is None else Decimal(n) for n in (initial, initialized, retired, remaining)),
        status,
        owner,
    )


async def test_credits_may_be_initialised_again_once_none_are_left_and_totals_add_up(ledger, tell):
    await ledger.tell(
        [tell.moved(ZERO, ALICE, 1), tell.credited(1, 100)],
        [tell.retired(1, 30, 70), tell.retired(1, 70, 0)],
        [tell.credited(1, 40), tell.retired(1, 15, 25)],
    )
    assert await ledger.rows("carbon_credit", *CREDIT) == [credit(1, 40, 140, 115, 25, "active", ALICE)]
    assert await ledger.rows("carbon_credit", "contract", "inconsistent", "updated_block") == [
        (DIAMOND, False, 3)
    ]


async def test_credits_that_are_all_retired_are_retired(ledger, tell):
    await ledger.tell([tell.moved(ZERO, ALICE, 1), tell.credited(1, 5)], [tell.retired(1, 5, 0)])
    assert await ledger.rows("carbon_credit", *CREDIT) == [credit(1, 5, 5, 5, 0, "retired", ALICE)]


async def test_token_0_carries_credits_like_any_other(ledger, tell):
    # The batch form allows it; 1.8.11: 0 is the first token as well.
    await ledger.tell([tell.moved(ZERO, BOB, 0), tell.credited(0, 9), tell.retired(0, 2, 7)])
    assert await ledger.rows("carbon_credit", *CREDIT) == [credit(0, 9, 9, 2, 7, "active", BOB)]


async def test_token_that_never_had_credits_has_no_row(ledger, tell):
    # The view says RETIRED of it (2.3).
    await ledger.tell([tell.moved(ZERO, ALICE, 1), tell.moved(ZERO, ALICE, 2), tell.credited(2, 1)])
    assert await ledger.rows("carbon_credit", "token_id") == [(Decimal(2),)]


async def test_retirement_is_the_owners_at_that_log_whoever_owns_the_token_later(ledger, tell):
    await ledger.tell(
        [tell.moved(ZERO, ALICE, 1), tell.credited(1, 100), tell.retired(1, 10, 90), tell.moved(ALICE, BOB, 1),
         tell.retired(1, 20, 70), tell.moved(BOB, CAROL, 1)],
        [tell.retired(1, 30, 40)],
        [tell.moved(CAROL, ALICE, 1)],
    )  # fmt: skip
    rows = await ledger.rows("carbon_retirement", *RETIREMENT)
    assert [(row[0], row[1], row[-1]) for row in rows] == [(1, 2, ALICE), (1, 4, BOB), (2, 0, CAROL)]
    assert await ledger.rows("carbon_credit", *CREDIT) == [credit(1, 100, 100, 60, 40, "active", ALICE)]


async def test_retirement_folded_with_a_later_transfer_is_still_the_earlier_owners(ledger, tell):
    await ledger.tell([tell.moved(ZERO, ALICE, 1), tell.credited(1, 100)])
    await ledger.say(2, [tell.retired(1, 10, 90), tell.moved(ALICE, BOB, 1)])
    await ledger.say(3, [tell.retired(1, 5, 85), tell.moved(BOB, CAROL, 1)])
    await ledger.fold(2, 3)
    rows = await ledger.rows("carbon_retirement", *RETIREMENT)
    assert [row[-1] for row in rows] == [ALICE, BOB]
    assert await ledger.rows("carbon_credit", "owner", "updated_block") == [(CAROL, 3)]


async def test_retirement_by_the_owner_of_a_forced_transfer_names_the_receiver(ledger, tell):
    # The sender of a forced transfer need not be an owner.
    await ledger.tell(
        [tell.moved(ZERO, ALICE, 1), tell.credited(1, 9), tell.moved(DIAMOND, BOB, 1), tell.retired(1, 9, 0)]
    )
    assert [row[-1] for row in await ledger.rows("carbon_retirement", *RETIREMENT)] == [BOB]


@pytest.mark.parametrize("apart", [False, True])
async def test_owner_of_a_token_of_a_consecutive_transfer_is_its_receiver(ledger, tell, apart):
    # ERC-2309; 20,000 tokens are more than are expanded, and the last of them retires as well.
    mint = [tell.range_moved(0, 19_999, ZERO, ALICE)]
    talk = [tell.credited(3, 5), tell.retired(3, 1, 4), tell.credited(19_999, 5), tell.retired(19_999, 2, 3),
            tell.range_moved(19_990, 19_999, ALICE, BOB), tell.retired(19_999, 1, 2)]  # fmt: skip
    if apart:
        await ledger.tell(mint)
        await ledger.say(2, talk)
        await ledger.fold(2, 2)
    else:
        await ledger.tell(mint, talk)
    rows = await ledger.rows("carbon_retirement", "token_id", "amount", "retired_by")
    assert rows == [
        (Decimal(3), Decimal(1), ALICE),
        (Decimal(19_999), Decimal(1), BOB),
        (Decimal(19_999), Decimal(2), ALICE),
    ]
    assert await ledger.rows("carbon_credit", "token_id", "owner") == [
        (Decimal(3), ALICE),
        (Decimal(19_999), BOB),
    ]


async def test_owner_of_a_token_in_the_unexpanded_part_of_a_range(ledger, tell):
    await ledger.tell([tell.range_moved(0, BIGGEST, ZERO, ALICE), tell.credited(BIGGEST, 5)])
    assert await ledger.rows("carbon_credit", "token_id", "owner") == [(Decimal(BIGGEST), ALICE)]
    await ledger.say(2, [tell.retired(BIGGEST, 5, 0)])
    await ledger.fold(2, 2)
    assert [row[-1] for row in await ledger.rows("carbon_retirement", *RETIREMENT)] == [ALICE]


async def test_retirement_proves_itself_with_transaction_and_time(ledger, tell):
    await ledger.tell([tell.moved(ZERO, ALICE, 1), tell.credited(1, 9), tell.retired(1, 9, 0, tx=3)])
    ((tx_hash, time),) = await ledger.rows("carbon_retirement", "tx_hash", "block_time")
    assert (int.from_bytes(tx_hash, "big"), time.year) == (1003, 2026)


async def test_owner_follows_the_token_and_is_nobody_once_burned(ledger, tell):
    await ledger.tell([tell.moved(ZERO, ALICE, 1), tell.credited(1, 9)], [tell.moved(ALICE, ZERO, 1)])
    assert await ledger.rows("carbon_credit", "owner", "remaining", "updated_block") == [
        (None, Decimal(9), 2)
    ]


# -- what contradicts itself ---------------------------------------------------------------------------------------------


async def test_retirement_above_the_balance_is_kept_and_marked(ledger, tell):
    await ledger.tell([tell.moved(ZERO, ALICE, 1), tell.credited(1, 10)], [tell.retired(1, 30, 0)])
    assert await ledger.rows(
        "carbon_retirement", "amount", "remaining_after", "inconsistent", "inconsistency"
    ) == [(Decimal(30), Decimal(0), True, "retired more than there was")]
    assert await ledger.rows("carbon_credit", "remaining", "total_retired", "status", "inconsistency") == [
        (Decimal(0), Decimal(30), "retired", "retired more than there was")
    ]


async def test_remaining_balance_is_believed_where_it_does_not_follow(ledger, tell):
    await ledger.tell([tell.moved(ZERO, ALICE, 1), tell.credited(1, 10), tell.retired(1, 3, 5)])
    reason = "what remains is not what there was less what was retired"
    assert await ledger.rows("carbon_credit", "remaining", "inconsistency") == [(Decimal(5), reason)]
    assert await ledger.rows("carbon_retirement", "inconsistency") == [(reason,)]


async def test_retirement_of_credits_never_seen_initialised_is_kept_and_marked(ledger, tell):
    await ledger.tell([tell.moved(ZERO, ALICE, 1), tell.retired(1, 3, 5)])
    assert await ledger.rows("carbon_credit", *CREDIT, "inconsistency") == [
        (*credit(1, None, 0, 3, 5, "active", ALICE), "retired without having been initialised")
    ]


async def test_second_initialisation_with_credits_left_is_believed_and_marked(ledger, tell):
    await ledger.tell([tell.moved(ZERO, ALICE, 1), tell.credited(1, 10)], [tell.credited(1, 4)])
    assert await ledger.rows("carbon_credit", *CREDIT, "inconsistency") == [
        (*credit(1, 4, 14, 0, 4, "active", ALICE), "initialised again with credits left")
    ]


async def test_retirement_of_a_token_never_seen_to_move_has_no_retirer(ledger, tell):
    await ledger.tell([tell.credited(1, 10), tell.retired(1, 10, 0)])
    assert await ledger.rows("carbon_retirement", "retired_by", "inconsistent") == [(None, False)]
    assert await ledger.rows("carbon_credit", "owner", "inconsistent") == [(None, False)]


async def test_retirement_of_a_burned_token_is_marked(ledger, tell):
    await ledger.tell(
        [tell.moved(ZERO, ALICE, 1), tell.credited(1, 10), tell.moved(ALICE, ZERO, 1)],
        [tell.retired(1, 1, 9)],
    )
    assert await ledger.rows("carbon_retirement", "retired_by", "inconsistency") == [
        (None, "retired although the token was burned")
    ]
