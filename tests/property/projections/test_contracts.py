"""What must come out of events about tokens, attributes, treasuries, templates, owners, roles and pauses: one test a trap."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

import pytest

ZERO = bytes(20)
DIAMOND, OTHER, TEMPLATE = b"\xdd" * 20, b"\xde" * 20, b"\xee" * 20
ALICE, BOB, CAROL = b"\x01" * 20, b"\x02" * 20, b"\x03" * 20
BIGGEST = Decimal(2**256 - 1)
ROLE, ADMIN = b"\x05" * 32, bytes(32)
NEVER_OWNED = "a transfer named a sender that did not own it"


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


# -- kinds of token, URIs ----------------------------------------------------------------------------------------------


def transfer(said, kind, contract=DIAMOND, token=1, source=ZERO, target=ALICE):
    if kind == "erc20":
        return said("erc20_transfer", contract, {"from_": source, "to_": target, "value": Decimal(token)})
    if kind == "erc721":
        return said("erc721_transfer", contract, {"from_": source, "to_": target, "token_id": Decimal(token)})
    values = {"operator": ALICE, "from_": source, "to_": target, "id": Decimal(token), "value": Decimal(1)}
    return said("erc1155_transfer_single", contract, values)


def uri(said, token, text):
    return said("erc1155_uri", DIAMOND, {"id": Decimal(token), "value": text})


async def test_token_is_what_its_first_transfer_makes_it_and_later_ones_leave_the_row_alone(ledger, said):
    batch = said(
        "erc1155_transfer_batch",
        CAROL,
        {"operator": ALICE, "from_": ZERO, "to_": ALICE, "ids": [], "values": []},
    )
    consecutive = said(
        "erc2309_consecutive_transfer",
        BOB,
        {"from_token_id": Decimal(0), "to_token_id": Decimal(3), "from_": ZERO, "to_": ALICE},
    )
    await ledger.tell(
        [transfer(said, "erc20", OTHER), transfer(said, "erc721"), batch, consecutive],
        [transfer(said, "erc20", OTHER), transfer(said, "erc721", token=2)],
    )
    columns = (
        "contract",
        "kind",
        "name",
        "symbol",
        "decimals",
        "read_block",
        "inconsistent",
        "updated_block",
    )
    assert await ledger.rows("token", *columns) == [
        (BOB, "erc721", None, None, None, None, False, 1),
        (CAROL, "erc1155", None, None, None, None, False, 1),
        (DIAMOND, "erc721", None, None, None, None, False, 1),
        (OTHER, "erc20", None, None, None, None, False, 1),
    ]


@pytest.mark.parametrize("split", [True, False])
async def test_token_with_transfers_of_two_standards_keeps_its_kind_and_is_marked(ledger, said, split):
    blocks = [
        [transfer(said, "erc721")],
        [transfer(said, "erc20")],
        [transfer(said, "erc1155")],
        [transfer(said, "erc20")],
    ]
    for number, block in enumerate(blocks, start=1):
        await ledger.say(number, block)
        if split:
            await ledger.fold(number, number)
    await ledger.fold(0, 4)
    assert await ledger.rows("token", "contract", "kind", "inconsistency", "updated_block") == [
        (DIAMOND, "erc721", "transfers of another token standard, too", 2)
    ]


async def test_token_uri_is_what_was_said_last_and_stays_verbatim(ledger, said):
    await ledger.tell(
        [uri(said, 0, "ipfs://a"), uri(said, BIGGEST, "https://x/{id}.json")],
        [uri(said, 0, "b"), uri(said, 0, "")],
    )
    assert await ledger.rows("token_uri", "contract", "token_id", "uri", "updated_block") == [
        (DIAMOND, Decimal(0), "", 2),
        (DIAMOND, BIGGEST, "https://x/{id}.json", 1),
    ]


async def test_metadata_refresh_of_all_tokens_is_one_row(ledger, said):
    whole = said(
        "erc4906_batch_metadata_update", DIAMOND, {"from_token_id": Decimal(0), "to_token_id": BIGGEST}
    )
    one = said("erc4906_metadata_update", DIAMOND, {"token_id": Decimal(4)})
    await ledger.tell([whole, one], [one], [one])
    assert await ledger.rows(
        "metadata_refresh", "contract", "first_token_id", "last_token_id", "updated_block"
    ) == [
        (DIAMOND, Decimal(0), BIGGEST, 1),
        (DIAMOND, Decimal(4), Decimal(4), 3),
    ]


# -- ERC-721: senders that do not own ------------------------------------------------------------------------------------


async def test_nft_transfer_from_someone_who_does_not_own_it_moves_it_and_marks_the_row(ledger, said):
    await ledger.tell(
        [transfer(said, "erc721", token=token) for token in (1, 2, 3)],
        [
            transfer(said, "erc721", token=1, source=CAROL, target=BOB),
            transfer(said, "erc721", token=2, source=ALICE, target=BOB),
        ],
        [transfer(said, "erc721", token=1, source=BOB, target=CAROL)],
    )
    assert await ledger.rows("nft", "token_id", "owner", "inconsistent", "inconsistency") == [
        (Decimal(1), CAROL, True, NEVER_OWNED),
        (Decimal(2), BOB, False, None),
        (Decimal(3), ALICE, False, None),
    ]


async def test_nft_minted_twice_is_marked_and_minted_again_after_a_burn_is_not(ledger, said):
    await ledger.tell(
        [transfer(said, "erc721", token=token) for token in (1, 2)],
        [transfer(said, "erc721", token=2, source=ALICE, target=ZERO)],
        [transfer(said, "erc721", token=token, target=BOB) for token in (1, 2)],
    )
    assert await ledger.rows("nft", "token_id", "owner", "inconsistent") == [
        (Decimal(1), BOB, True),
        (Decimal(2), BOB, False),
    ]


async def test_nft_burned_and_moved_again_by_its_last_owner_is_marked(ledger, said):
    await ledger.tell(
        [transfer(said, "erc721")],
        [transfer(said, "erc721", source=ALICE, target=ZERO)],
        [transfer(said, "erc721", source=ALICE, target=BOB)],
    )
    assert await ledger.rows("nft", "owner", "burned", "inconsistency") == [(BOB, False, NEVER_OWNED)]


async def test_nft_whose_history_was_not_seen_is_not_marked(ledger, said):
    await ledger.tell([transfer(said, "erc721", source=BOB, target=CAROL)])
    assert await ledger.rows("nft", "owner", "inconsistent") == [(CAROL, False)]


# -- attributes --------------------------------------------------------------------------------------------------------

ATTRIBUTE = (
    "token_id", "key", "attribute_type", "value", "set_block", "removed", "removed_block", "updated_block",
)  # fmt: skip


class Metadata:
    """Events of minter and metadata facets."""

    def __init__(self, said) -> None:
        self.said = said

    def minted(self, token, *pairs):
        attributes = [{"key": key, "attributeType": 1, "value": value} for key, value in pairs]
        values = {"token_id": Decimal(token), "owner": ALICE, "attributes": attributes}
        return self.said("minter_gemforce_minted", DIAMOND, values)

    def put(self, token, key, value, inner=None, kind=1):
        inside = json.dumps({"key": inner or key, "attributeType": kind, "value": value})
        return self.said(
            "metadata_token_metadata_set", DIAMOND, {"token_id": Decimal(token), "key": key, "value": inside}
        )

    def put_contract(self, key, value, inner=None):
        inside = json.dumps({"key": inner or key, "attributeType": 1, "value": value})
        return self.said("metadata_contract_metadata_set", DIAMOND, {"key": key, "value": inside})

    def deleted(self, token, key):
        """Both events that a deletion emits."""
        removed = {"token_address": DIAMOND, "token_id": Decimal(token), "attribute_key": key}
        return [
            self.said("metadata_attribute_removed", DIAMOND, removed),
            self.said("metadata_token_metadata_deleted", DIAMOND, {"token_id": Decimal(token), "key": key}),
        ]

    def deleted_contract(self, key):
        removed = {"token_address": DIAMOND, "token_id": Decimal(0), "attribute_key": key}
        return [
            self.said("metadata_attribute_removed", DIAMOND, removed),
            self.said("metadata_contract_metadata_deleted", DIAMOND, {"key": key}),
        ]


@pytest.fixture
def metadata(said):
    return Metadata(said)


async def test_attributes_come_with_gemforce_minted_which_precedes_the_transfer(ledger, said, metadata):
    await ledger.tell(
        [metadata.minted(3, ("amount", "250 000 000 USDC"), ("vintage", "2024")), transfer(said, "erc721", token=3)]
    )  # fmt: skip
    assert await ledger.rows("token_attribute", *ATTRIBUTE) == [
        (Decimal(3), "amount", 1, "250 000 000 USDC", 1, False, None, 1),
        (Decimal(3), "vintage", 1, "2024", 1, False, None, 1),
    ]
    assert await ledger.rows("nft", "token_id", "owner", "minted_block") == [(Decimal(3), ALICE, 1)]


async def test_attribute_that_a_list_has_twice_holds_the_later_one(ledger, metadata):
    await ledger.tell([metadata.minted(3, ("a", "first"), ("a", "second"))])
    assert await ledger.rows("token_attribute", "key", "value") == [("a", "second")]


async def test_token_zero_holds_the_contracts_metadata_and_its_own_attributes(ledger, metadata):
    await ledger.tell(
        [metadata.minted(0, ("title", "first token"), ("colour", "red"))],
        [metadata.put_contract("title", "the contract")],
    )
    assert await ledger.rows("token_attribute", "token_id", "key", "value", "set_block") == [
        (Decimal(0), "colour", "red", 1),
        (Decimal(0), "title", "the contract", 2),
    ]


async def test_contract_metadata_stands_under_the_key_inside_the_value(ledger, metadata):
    await ledger.tell([metadata.put_contract("passed", "x", inner="inside")])
    assert await ledger.rows("token_attribute", "key", "value", "inconsistent") == [("inside", "x", False)]


async def test_token_metadata_whose_value_has_another_key_stands_under_its_own_and_is_marked(
    ledger, metadata
):
    await ledger.tell([metadata.put(1, "passed", "x", inner="inside")])
    assert await ledger.rows("token_attribute", "key", "value", "inconsistency") == [
        ("passed", "x", "the key inside the value is another one")
    ]


async def test_deletion_emits_two_events_and_removes_once(ledger, metadata):
    await ledger.tell(
        [metadata.put(1, "a", "x"), metadata.put_contract("b", "y"), metadata.put(2, "a", "z")],
        [*metadata.deleted(1, "a"), *metadata.deleted_contract("b")],
    )
    assert await ledger.rows("token_attribute", *ATTRIBUTE) == [
        (Decimal(0), "b", 1, "y", 1, True, 2, 2),
        (Decimal(1), "a", 1, "x", 1, True, 2, 2),
        (Decimal(2), "a", 1, "z", 1, False, None, 1),
    ]


async def test_attribute_set_again_after_its_removal_is_there(ledger, metadata):
    await ledger.tell(
        [metadata.put(1, "a", "x"), *metadata.deleted(1, "a"), metadata.put(1, "a", "y", kind=3)],
        [metadata.put(2, "a", "x")],
        metadata.deleted(2, "a"),
        [metadata.minted(2, ("a", "z"))],
    )
    assert await ledger.rows("token_attribute", *ATTRIBUTE) == [
        (Decimal(1), "a", 3, "y", 1, False, None, 1),
        (Decimal(2), "a", 1, "z", 4, False, None, 4),
    ]


async def test_removal_of_what_no_event_set_leaves_nothing_and_a_second_one_keeps_the_first_block(
    ledger, metadata
):
    await ledger.tell(
        [*metadata.deleted(1, "silent"), metadata.put(1, "a", "x")],
        metadata.deleted(1, "a"),
        metadata.deleted(1, "a"),
    )
    assert await ledger.rows("token_attribute", *ATTRIBUTE) == [(Decimal(1), "a", 1, "x", 1, True, 2, 3)]


async def test_attribute_removed_by_another_contract_is_not_ours(ledger, said, metadata):
    spoof = {"token_address": DIAMOND, "token_id": Decimal(1), "attribute_key": "a"}
    await ledger.tell([metadata.put(1, "a", "x"), said("metadata_attribute_removed", OTHER, spoof)])
    assert await ledger.rows("token_attribute", "contract", "removed") == [(DIAMOND, False)]


async def test_keys_of_any_length_are_kept_apart_and_stop_nothing(ledger, said, metadata):
    long = "ké" * 30_000
    await ledger.tell(
        [
            metadata.put(1, long, "x"),
            metadata.put(1, long + "!", "y"),
            metadata.put(1, "k" * 1024, "z"),
            said("svg_template_created", DIAMOND, {"name": long, "template": TEMPLATE}),
        ],
        metadata.deleted(1, long),
    )
    digest = hashlib.sha256(long.encode()).hexdigest()
    cut = f"{long[:200]}…{digest}"
    rows = await ledger.rows("token_attribute", "value", "key", "removed")
    assert [(row[0], row[2]) for row in rows] == [("x", True), ("y", False), ("z", False)]
    assert rows[0][1] == cut
    assert rows[2][1] == "k" * 1024
    assert await ledger.rows("svg_template", "name") == [(cut,)]


# -- treasury ------------------------------------------------------------------------------------------------------------

TREASURY = (
    "token_id", "balance", "total_deposited", "total_withdrawn", "last_withdrawal_block", "inconsistency", "updated_block",
)  # fmt: skip


def deposited(said, *pairs, treasury=DIAMOND):
    deposits = [{"tokenId": str(token), "amount": str(amount)} for token, amount in pairs]
    return said("treasury_deposited", treasury, {"deposits": json.dumps(deposits)})


def withdrawn(said, tokens, amount, treasury=DIAMOND):
    values = {"token_ids": [Decimal(token) for token in tokens], "amount": Decimal(amount)}
    return said("treasury_withdrawn", treasury, values)


async def test_treasury_withdrawal_zeroes_every_token_it_lists(ledger, said):
    await ledger.tell(
        [deposited(said, (0, 10), (1, 20), (2, 5), (1, 1))],
        [withdrawn(said, [0, 1], 31), deposited(said, (1, 4))],
    )
    assert await ledger.rows("treasury_balance", *TREASURY) == [
        (Decimal(0), Decimal(0), Decimal(10), Decimal(10), 2, None, 2),
        (Decimal(1), Decimal(4), Decimal(25), Decimal(21), 2, None, 2),
        (Decimal(2), Decimal(5), Decimal(5), Decimal(0), None, None, 1),
    ]


async def test_treasury_withdrawals_between_deposits_each_take_what_there_is(ledger, said):
    big = 2**256 - 1
    await ledger.tell(
        [
            deposited(said, (7, big)), withdrawn(said, [7, 7], big), deposited(said, (7, 3)),
            withdrawn(said, [7], 3), deposited(said, (7, 2)),
        ],
        [withdrawn(said, [], 0)],
    )  # fmt: skip
    assert await ledger.rows("treasury_balance", *TREASURY) == [
        (Decimal(7), Decimal(2), Decimal(big + 5), Decimal(big + 3), 1, None, 1)
    ]


async def test_treasury_withdrawal_of_another_sum_zeroes_and_marks(ledger, said):
    odd = "the withdrawal of block 2 paid another amount"
    await ledger.tell(
        [deposited(said, (1, 10), (2, 10)), deposited(said, (1, 9), treasury=OTHER)],
        [withdrawn(said, [1, 5], 99)],
        [withdrawn(said, [1, 2], 11), withdrawn(said, [1], 9, treasury=OTHER)],
    )
    assert await ledger.rows("treasury_balance", "contract", *TREASURY) == [
        (DIAMOND, Decimal(1), Decimal(0), Decimal(10), Decimal(10), 3, odd, 3),
        (
            DIAMOND, Decimal(2), Decimal(0), Decimal(10), Decimal(10), 3,
            "the withdrawal of block 3 paid another amount", 3,
        ),
        (DIAMOND, Decimal(5), Decimal(0), Decimal(0), Decimal(0), 2, odd, 2),
        (OTHER, Decimal(1), Decimal(0), Decimal(9), Decimal(9), 3, None, 3),
    ]  # fmt: skip


# -- templates, owners, roles, pauses --------------------------------------------------------------------------------------


async def test_svg_template_announced_last_under_a_name_holds(ledger, said):
    def made(name, template, manager=DIAMOND):
        return said("svg_template_created", manager, {"name": name, "template": template})

    await ledger.tell([made("gem", TEMPLATE), made("gem", OTHER, OTHER)], [made("gem", BOB), made("", ZERO)])
    assert await ledger.rows("svg_template", "manager", "name", "template", "updated_block") == [
        (DIAMOND, "", None, 2),
        (DIAMOND, "gem", BOB, 2),
        (OTHER, "gem", OTHER, 1),
    ]


OWNER = ("contract", "owner", "pending_owner", "owner_since_block", "inconsistent", "updated_block")


def owned(said, before, after, contract=DIAMOND):
    values = {"previous_owner": before, "new_owner": after}
    return said("ownable_ownership_transferred", contract, values)


def started(said, before, after, contract=DIAMOND):
    values = {"previous_owner": before, "new_owner": after}
    return said("ownable_ownership_transfer_started", contract, values)


async def test_owner_of_any_contract_is_what_the_last_transfer_says(ledger, said):
    await ledger.tell(
        [owned(said, ZERO, ALICE), owned(said, ALICE, BOB), owned(said, ZERO, CAROL, OTHER)],
        [owned(said, CAROL, ZERO, OTHER)],
    )
    assert await ledger.rows("ownership", *OWNER) == [
        (DIAMOND, BOB, None, 1, False, 1),
        (OTHER, None, None, 2, False, 2),
    ]


async def test_owner_of_two_steps_is_pending_until_the_second(ledger, said):
    await ledger.tell(
        [owned(said, ZERO, ALICE), started(said, ALICE, BOB), started(said, BOB, CAROL, OTHER)],
        [started(said, ALICE, CAROL)],
    )
    assert await ledger.rows("ownership", *OWNER) == [
        (DIAMOND, ALICE, CAROL, 1, False, 2),
        (OTHER, None, CAROL, None, False, 1),
    ]
    await ledger.say(
        3, [owned(said, ALICE, CAROL), owned(said, BOB, CAROL, OTHER), started(said, CAROL, ZERO, OTHER)]
    )
    await ledger.fold(3, 3)
    assert await ledger.rows("ownership", *OWNER) == [
        (DIAMOND, CAROL, None, 3, False, 3),
        (OTHER, CAROL, None, 3, False, 3),
    ]


async def test_ownership_taken_from_someone_who_was_not_the_owner_is_marked_until_the_next_transfer(
    ledger, said
):
    await ledger.tell([owned(said, ZERO, ALICE)], [owned(said, BOB, CAROL)])
    assert await ledger.rows("ownership", "owner", "inconsistency") == [
        (CAROL, "the previous owner it names was not the owner")
    ]
    await ledger.say(3, [owned(said, CAROL, BOB)])
    await ledger.fold(3, 3)
    assert await ledger.rows("ownership", "owner", "inconsistent", "inconsistency") == [(BOB, False, None)]


def role(said, verb, account, sender=ALICE, name=ROLE):
    return said(f"access_control_role_{verb}", DIAMOND, {"role": name, "account": account, "sender": sender})


async def test_role_members_that_left_stay_as_inactive(ledger, said):
    await ledger.tell(
        [role(said, "granted", BOB), role(said, "granted", CAROL), role(said, "granted", BOB, name=ADMIN)],
        [role(said, "revoked", BOB, sender=CAROL)],
        [role(said, "revoked", CAROL), role(said, "granted", CAROL, sender=BOB)],
    )
    columns = (
        "role",
        "account",
        "active",
        "granted_block",
        "granted_by",
        "revoked_block",
        "revoked_by",
        "inconsistent",
    )
    assert await ledger.rows("role_member", *columns) == [
        (ADMIN, BOB, True, 1, ALICE, None, None, False),
        (ROLE, BOB, False, 1, ALICE, 2, CAROL, False),
        (ROLE, CAROL, True, 3, BOB, None, None, False),
    ]


async def test_role_revoked_without_a_grant_is_kept_and_marked(ledger, said):
    await ledger.tell([role(said, "revoked", BOB)])
    assert await ledger.rows("role_member", "account", "active", "granted_block", "inconsistency") == [
        (BOB, False, None, "revoked without a grant")
    ]
    await ledger.say(2, [role(said, "granted", BOB)])
    await ledger.fold(2, 2)
    assert await ledger.rows("role_member", "active", "inconsistent", "inconsistency") == [
        (True, False, None)
    ]


async def test_role_admin_is_what_was_said_last(ledger, said):
    def changed(before, after):
        values = {"role": ROLE, "previous_admin_role": before, "new_admin_role": after}
        return said("access_control_role_admin_changed", DIAMOND, values)

    await ledger.tell([changed(ADMIN, ROLE)], [changed(ROLE, b"\x09" * 32)])
    assert await ledger.rows("role_admin", "contract", "role", "admin_role", "updated_block") == [
        (DIAMOND, ROLE, b"\x09" * 32, 2)
    ]


async def test_pause_flag_is_the_last_word(ledger, said):
    def say(verb, contract, account):
        return said(f"pausable_{verb}", contract, {"account": account})

    await ledger.tell(
        [say("paused", DIAMOND, ALICE), say("unpaused", DIAMOND, BOB), say("paused", OTHER, ALICE)],
        [say("paused", DIAMOND, CAROL), say("unpaused", OTHER, ZERO)],
    )
    assert await ledger.rows("pause_flag", "contract", "paused", "account", "updated_block") == [
        (DIAMOND, True, CAROL, 2),
        (OTHER, False, None, 2),
    ]


async def test_events_that_never_change_state_do_not(ledger, said, metadata):
    # Mint's id is one too high, Burn names the caller, ERC721Minted has the quantity in the id's place, ERC721ATransfer
    # repeats Transfer, Bids and AttributeSet are declared and never emitted.
    await ledger.tell([transfer(said, "erc721", token=1), metadata.put(1, "a", "x")])
    whole = await ledger.state()
    reads = {name for one in ledger.projections.all for name in one.reads}
    silent = {
        "event.token_mint", "event.token_burn", "event.minter_erc721_minted", "event.token_erc721_a_transfer",
        "event.marketplace_bids", "event.metadata_attribute_set", "event.minter_customer_minted",
        "event.token_transfer_forced", "event.token_freeze",
    }  # fmt: skip
    assert reads.isdisjoint(silent)
    assert len(whole["state.nft"]) == len(whole["state.token_attribute"]) == 1
