"""What must come out of tokens' events: the traps of the domain, one test each, with the row that must come out."""

from __future__ import annotations

from decimal import Decimal

import pytest

ZERO = bytes(20)
TOKEN, DIAMOND = b"\xaa" * 20, b"\xdd" * 20
ALICE, BOB, CAROL = b"\x01" * 20, b"\x02" * 20, b"\x03" * 20
BIGGEST = Decimal(2**256 - 1)


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def transfer20(said, source, target, value, token=TOKEN):
    return said("erc20_transfer", token, {"from_": source, "to_": target, "value": Decimal(value)})


def transfer721(said, source, target, token_id, contract=TOKEN, tx=0):
    values = {"from_": source, "to_": target, "token_id": Decimal(token_id)}
    return said("erc721_transfer", contract, values, tx)


def approval721(said, owner, approved, token_id):
    return said(
        "erc721_approval", TOKEN, {"owner": owner, "approved": approved, "token_id": Decimal(token_id)}
    )


def consecutive(said, first, last, source, target):
    values = {"from_token_id": Decimal(first), "to_token_id": Decimal(last), "from_": source, "to_": target}
    return said("erc2309_consecutive_transfer", TOKEN, values)


async def test_erc20_zero_balances_stay_and_the_zero_address_holds_nothing(ledger, said):
    await ledger.tell(
        [transfer20(said, ZERO, ALICE, 10)],
        [transfer20(said, ALICE, BOB, 10), transfer20(said, BOB, ZERO, 4)],
    )
    assert await ledger.rows("erc20_balance", "token", "holder", "balance", "updated_block") == [
        (TOKEN, ALICE, Decimal(0), 2),
        (TOKEN, BOB, Decimal(6), 2),
    ]
    assert await ledger.rows("erc20_supply", "token", "supply", "updated_block") == [(TOKEN, Decimal(6), 2)]


async def test_erc20_transfer_to_oneself_changes_no_balance(ledger, said):
    await ledger.tell([transfer20(said, ZERO, ALICE, 5), transfer20(said, ALICE, ALICE, 3)])
    assert await ledger.rows("erc20_balance", "holder", "balance") == [(ALICE, Decimal(5))]


async def test_erc20_sums_beyond_uint256_do_not_overflow(ledger, said):
    await ledger.tell([transfer20(said, ZERO, ALICE, BIGGEST)] * 3)
    assert await ledger.rows("erc20_balance", "balance") == [(Decimal(3 * (2**256 - 1)),)]
    assert await ledger.rows("erc20_supply", "supply") == [(Decimal(3 * (2**256 - 1)),)]


async def test_erc20_supply_that_was_burned_stays_as_zero(ledger, said):
    await ledger.tell([transfer20(said, ZERO, ALICE, 5)], [transfer20(said, ALICE, ZERO, 5)])
    assert await ledger.rows("erc20_supply", "supply", "updated_block") == [(Decimal(0), 2)]


async def test_erc20_supply_is_unknown_where_no_mint_or_burn_was_seen(ledger, said):
    await ledger.tell([transfer20(said, ALICE, BOB, 5)])
    assert await ledger.rows("erc20_supply", "supply") == []
    assert await ledger.rows("erc20_balance", "holder", "balance") == [
        (ALICE, Decimal(-5)),
        (BOB, Decimal(5)),
    ]


async def test_erc20_allowance_is_what_was_last_approved(ledger, said):
    def approve(value):
        return said("erc20_approval", TOKEN, {"owner": ALICE, "spender": BOB, "value": Decimal(value)})

    await ledger.tell([approve(9), approve(BIGGEST)], [approve(3), transfer20(said, ALICE, CAROL, 2)])
    assert await ledger.rows("erc20_allowance", "owner", "spender", "allowance", "updated_block") == [
        (ALICE, BOB, Decimal(3), 2)
    ]


async def test_nft_owner_is_the_receiver_whatever_sender_a_forced_transfer_names(ledger, said):
    # Delisting emits Transfer(diamond -> seller) although the token was never escrowed.
    await ledger.tell(
        [transfer721(said, ZERO, ALICE, 7)],
        [transfer721(said, DIAMOND, BOB, 7)],
        [transfer721(said, CAROL, ALICE, 8)],
    )
    assert await ledger.rows("nft", "token_id", "owner", "minted_block", "last_transfer_block") == [
        (Decimal(7), BOB, 1, 2),
        (Decimal(8), ALICE, None, 3),
    ]


async def test_nft_of_several_transfers_in_one_block_the_last_log_holds(ledger, said):
    await ledger.tell(
        [
            transfer721(said, ZERO, ALICE, 7),
            transfer721(said, ALICE, BOB, 7),
            transfer721(said, BOB, CAROL, 7),
        ]
    )
    assert await ledger.rows("nft", "owner", "minter", "minted_block") == [(CAROL, ALICE, 1)]


async def test_nft_burned_has_no_owner_and_keeps_its_mint(ledger, said):
    await ledger.tell(
        [transfer721(said, ZERO, ALICE, 0), approval721(said, ALICE, BOB, 0)],
        [approval721(said, ALICE, ZERO, 0), transfer721(said, ALICE, ZERO, 0)],
    )
    columns = ("token_id", "owner", "approved", "minter", "minted_block", "burned", "last_transfer_block")
    assert await ledger.rows("nft", *columns) == [(Decimal(0), None, None, ALICE, 1, True, 2)]


async def test_nft_minted_again_after_a_burn_is_not_burned(ledger, said):
    await ledger.tell(
        [transfer721(said, ZERO, ALICE, 1)],
        [transfer721(said, ALICE, ZERO, 1)],
        [transfer721(said, ZERO, BOB, 1)],
    )
    assert await ledger.rows("nft", "owner", "minter", "minted_block", "burned") == [(BOB, BOB, 3, False)]


async def test_nft_approval_is_cleared_by_a_transfer_and_by_approving_nobody(ledger, said):
    await ledger.tell(
        [transfer721(said, ZERO, ALICE, token) for token in (1, 2, 3, 4)],
        [approval721(said, ALICE, BOB, token) for token in (1, 2, 3)],
        [
            transfer721(said, ALICE, CAROL, 1),
            approval721(said, ALICE, ZERO, 2),
            transfer721(said, ALICE, CAROL, 4),
            approval721(said, CAROL, BOB, 4),
        ],
    )
    assert await ledger.rows("nft", "token_id", "approved", "updated_block") == [
        (Decimal(1), None, 3),
        (Decimal(2), None, 3),
        (Decimal(3), BOB, 2),
        (Decimal(4), BOB, 3),
    ]


async def test_nft_approval_of_a_token_never_seen_makes_no_row(ledger, said):
    await ledger.tell([approval721(said, ALICE, BOB, 5)])
    assert await ledger.rows("nft", "token_id") == []


async def test_nft_minter_is_the_account_that_gemforce_minted_names(ledger, said):
    # GemforceMinted comes before the Transfer; another token of the same block has none.
    minted = said(
        "minter_gemforce_minted", TOKEN, {"token_id": Decimal(3), "owner": CAROL, "attributes": []}, 1
    )
    await ledger.tell(
        [minted, transfer721(said, ZERO, ALICE, 3, tx=1), transfer721(said, ZERO, BOB, 4, tx=2)]
    )
    assert await ledger.rows("nft", "token_id", "owner", "minter") == [
        (Decimal(3), ALICE, CAROL),
        (Decimal(4), BOB, BOB),
    ]


async def test_nft_token_ids_reach_2_256_less_1(ledger, said):
    await ledger.tell([transfer721(said, ZERO, ALICE, BIGGEST)])
    assert await ledger.rows("nft", "token_id") == [(BIGGEST,)]


async def test_nft_batch_of_erc721a_is_one_transfer_a_token(ledger, said):
    await ledger.tell([transfer721(said, ZERO, ALICE, token) for token in range(50)])
    rows = await ledger.rows("nft", "token_id", "owner")
    assert rows == [(Decimal(token), ALICE) for token in range(50)]


async def test_nft_range_of_erc2309_is_every_token_of_it(ledger, said):
    await ledger.tell([consecutive(said, 5, 9, ZERO, ALICE), transfer721(said, ALICE, BOB, 7)])
    assert await ledger.rows("nft", "token_id", "owner", "minter", "minted_block") == [
        (Decimal(token), BOB if token == 7 else ALICE, ALICE, 1) for token in range(5, 10)
    ]
    assert await ledger.rows("nft_unexpanded", "contract") == []


async def test_nft_range_of_2_256_tokens_is_applied_up_to_the_bound_and_reported(ledger, said):
    await ledger.tell([consecutive(said, 1, BIGGEST, ZERO, ALICE)])
    assert len(await ledger.rows("nft", "token_id")) == 10_000
    assert await ledger.rows(
        "nft_unexpanded", "contract", "block_number", "log_index", "first_token_id", "last_token_id", "owner"
    ) == [(TOKEN, 1, 0, Decimal(10_001), BIGGEST, ALICE)]


async def test_nft_range_that_ends_before_it_begins_is_nothing(ledger, said):
    await ledger.tell([consecutive(said, 9, 5, ZERO, ALICE)])
    assert await ledger.rows("nft", "token_id") == []


async def test_nft_operators_of_both_standards_last_word_holds(ledger, said):
    def say(standard, operator, approved):
        values = {"owner": ALICE, "operator": operator, "approved": approved}
        return said(f"{standard}_approval_for_all", TOKEN, values)

    await ledger.tell(
        [say("erc721", BOB, True), say("erc1155", CAROL, True)],
        [say("erc721", BOB, False), say("erc721", BOB, True), say("erc721", BOB, False)],
    )
    assert await ledger.rows(
        "nft_operator", "contract", "owner", "operator", "approved", "updated_block"
    ) == [
        (TOKEN, ALICE, BOB, False, 2),
        (TOKEN, ALICE, CAROL, True, 1),
    ]


async def test_erc1155_batches_of_unequal_length_apply_their_pairs_only(ledger, said):
    def batch(source, target, ids, values):
        return said(
            "erc1155_transfer_batch",
            TOKEN,
            {"operator": CAROL, "from_": source, "to_": target, "ids": ids, "values": values},
        )

    one, two, three = Decimal(1), Decimal(2), Decimal(3)
    await ledger.tell(
        [batch(ZERO, ALICE, [one, two, one], [Decimal(10), Decimal(20), Decimal(5)])],
        [
            batch(ALICE, BOB, [one, two, three], [Decimal(4)]),
            batch(ALICE, ZERO, [two], [Decimal(20), Decimal(1)]),
        ],
        [batch(ALICE, BOB, [], [])],
    )
    assert await ledger.rows(
        "erc1155_balance", "contract", "token_id", "holder", "balance", "updated_block"
    ) == [
        (TOKEN, one, ALICE, Decimal(11), 2),
        (TOKEN, one, BOB, Decimal(4), 2),
        (TOKEN, two, ALICE, Decimal(0), 2),
    ]


async def test_erc1155_single_transfers_add_to_batches(ledger, said):
    def single(source, target, value):
        values = {
            "operator": CAROL,
            "from_": source,
            "to_": target,
            "id": Decimal(1),
            "value": Decimal(value),
        }
        return said("erc1155_transfer_single", TOKEN, values)

    await ledger.tell([single(ZERO, ALICE, 5), single(ALICE, ALICE, 2), single(ALICE, BOB, 1)])
    assert await ledger.rows("erc1155_balance", "holder", "balance") == [
        (ALICE, Decimal(4)),
        (BOB, Decimal(1)),
    ]
