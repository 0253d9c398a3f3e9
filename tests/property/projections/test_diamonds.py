"""Diamond tables: what must come out of cuts, factories, ownership, the timelock and the loupe."""

from __future__ import annotations

from decimal import Decimal

import pytest
from eth_hash.auto import keccak

from indexer.projections.runner import Projections

ZERO = bytes(20)
DIAMOND, OTHER, FACTORY = b"\xdd" * 20, b"\xd2" * 20, b"\xfa" * 20
ALICE, BOB = b"\x01" * 20, b"\x02" * 20
F1, F2 = b"\xf1" * 20, b"\xf2" * 20
S1, S2, S3, S4 = (bytes([number] * 4) for number in (1, 2, 3, 4))
ADD, REPLACE, REMOVE = 0, 1, 2


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def cut(said, *changes, diamond=DIAMOND, init=ZERO, calldata=b""):
    array = [
        {
            "facetAddress": "0x" + facet.hex(),
            "action": action,
            "functionSelectors": ["0x" + selector.hex() for selector in served],
        }
        for action, facet, served in changes
    ]
    return said("diamond_cut", diamond, {"diamond_cut": array, "init": init, "calldata": calldata})


def owned(said, new_owner, diamond=DIAMOND):
    return said("ownable_ownership_transferred", diamond, {"previous_owner": ZERO, "new_owner": new_owner})


def proposed(said, until, diamond=DIAMOND):
    values = {"proposer": ALICE, "proposal_time": Decimal(1), "execution_time": Decimal(until)}
    return said("diamond_timelock_diamond_cut_proposed", diamond, values)


def created(said, name, diamond=DIAMOND):
    settings = {
        "owner": "0x" + BOB.hex(),
        "factory": "0x" + FACTORY.hex(),
        "svgManager": "0x" + ZERO.hex(),
        "symbol": name[:1],
        "name": name,
    }
    values = {"factory": FACTORY, "diamond": diamond, "symbol_hash": bytes(32), "settings": settings}
    return said("diamond_factory_diamond_created", FACTORY, values)


SELECTOR = ("selector", "added_block", "added_log_index", "facet", "removed_block", "removed_log_index")


async def test_selectors_added_replaced_and_removed_leave_their_history(ledger, said):
    await ledger.tell(
        [cut(said, (ADD, F1, [S1, S2]))],
        [cut(said, (REPLACE, F2, [S1])), cut(said, (REMOVE, ZERO, [S2]))],
        [cut(said, (ADD, F2, [S2]))],
    )
    assert await ledger.rows("diamond_selector", *SELECTOR) == [
        (S1, 1, 0, F1, 2, 0),
        (S1, 2, 0, F2, None, None),
        (S2, 1, 0, F1, 2, 1),
        (S2, 3, 0, F2, None, None),
    ]


async def test_changes_of_one_selector_in_one_log_the_last_holds(ledger, said):
    await ledger.tell(
        [cut(said, (ADD, F1, [S1]), (REPLACE, F2, [S1]), (ADD, F1, [S2]), (REMOVE, ZERO, [S2]))],
        [cut(said, (REMOVE, ZERO, [S1]), (ADD, F1, [S1]))],
    )
    assert await ledger.rows("diamond_selector", *SELECTOR) == [
        (S1, 1, 0, F2, 2, 0),
        (S1, 2, 0, F1, None, None),
    ]


async def test_removing_a_selector_that_was_never_added_is_nothing(ledger, said):
    await ledger.tell([cut(said, (REMOVE, ZERO, [S1]))])
    assert await ledger.rows("diamond_selector", "selector") == []
    assert await ledger.rows("diamond_cut", "action", "facet", "selectors") == [(REMOVE, None, [S1])]


async def test_selectors_from_the_loupe_come_before_the_first_log_of_their_block(ledger, said):
    for selector in (S1, S2):
        await ledger.connection.execute(
            "INSERT INTO sync.diamond_seed (chain_id, diamond, block_number, facet, selector) VALUES ($4, $1, 2, $2, $3)",
            DIAMOND, F1, selector, ledger.chain_id,
        )  # fmt: skip
    await ledger.tell([], [cut(said, (REPLACE, F2, [S2]))])
    assert await ledger.rows("diamond_selector", *SELECTOR) == [
        (S1, 2, -1, F1, None, None),
        (S2, 2, -1, F1, 2, 0),
        (S2, 2, 0, F2, None, None),
    ]
    assert await ledger.rows("diamond", "diamond", "last_cut_block", "updated_block") == [(DIAMOND, 2, 2)]


async def test_a_seed_alone_makes_the_diamond(ledger, said):
    await ledger.connection.execute(
        "INSERT INTO sync.diamond_seed (chain_id, diamond, block_number, facet, selector) VALUES ($4, $1, 1, $2, $3)",
        DIAMOND, F1, S1, ledger.chain_id,
    )  # fmt: skip
    await ledger.tell([], [owned(said, ALICE)])
    assert await ledger.rows("diamond", "diamond", "owner", "created_block", "last_cut_block") == [
        (DIAMOND, ALICE, None, None)
    ]


async def test_a_facet_is_named_by_what_it_serves_after_its_last_change(base, said, new_ledger):
    ledger = new_ledger(base, Projections.load(), 1)
    await ledger.open()
    pairs = [("one", S1), ("one", S2), ("two", S1), ("two", S3), ("two", S4), ("none", b"none")]
    await ledger.connection.executemany("INSERT INTO sync.abi_selector VALUES ($1, $2)", pairs)
    await ledger.tell([cut(said, (ADD, F1, [S1, S2])), cut(said, (ADD, F2, [b"zzzz"]))])
    assert await ledger.rows("diamond_selector", "selector", "abi") == [
        (S1, "one"),
        (S2, "one"),
        (b"zzzz", None),
    ]
    await ledger.say(2, [cut(said, (ADD, F1, [S3, S4])), cut(said, (REMOVE, ZERO, [S2]))])
    await ledger.fold(2, 2)
    # S2 left with the second cut and keeps what held before it: two of four, as many as "one" has of fewer functions.
    assert await ledger.rows("diamond_selector", "selector", "abi") == [
        (S1, "two"), (S2, "two"), (S3, "two"), (S4, "two"), (b"zzzz", None),
    ]  # fmt: skip


async def test_cut_rows_keep_position_action_and_the_hash_of_the_calldata(ledger, said):
    calldata = bytes(range(256)) * 3
    await ledger.tell(
        [cut(said, (ADD, F1, [S2, S1]), (REMOVE, ZERO, [S3]), init=BOB, calldata=calldata), cut(said)],
        [cut(said, (REPLACE, F2, []))],
    )
    columns = (
        "block_number",
        "log_index",
        "position",
        "diamond",
        "action",
        "facet",
        "selectors",
        "init",
        "calldata_hash",
    )
    assert await ledger.rows("diamond_cut", *columns) == [
        (1, 0, 0, DIAMOND, ADD, F1, [S2, S1], BOB, keccak(calldata)),
        (1, 0, 1, DIAMOND, REMOVE, None, [S3], BOB, keccak(calldata)),
        (2, 0, 0, DIAMOND, REPLACE, F2, [], None, keccak(b"")),
    ]


async def test_keccak_in_the_database_is_ethereums(ledger):
    for size in (0, 1, 31, 32, 134, 135, 136, 137, 271, 272, 273, 1000):
        message = bytes(range(256)) * 4
        assert await ledger.connection.fetchval("SELECT sync.keccak256($1)", message[:size]) == keccak(
            message[:size]
        )


async def test_the_owner_is_what_ownership_transferred_says_also_before_the_first_cut(ledger, said):
    # A constructor transfers ownership before it cuts; the owner in DiamondCreated is only a claim.
    await ledger.tell(
        [owned(said, ALICE), owned(said, BOB, diamond=OTHER)],
        [cut(said, (ADD, F1, [S1])), created(said, "Gems")],
        [created(said, "Impostor")],
    )
    columns = (
        "diamond",
        "factory",
        "owner",
        "name",
        "symbol",
        "created_block",
        "last_cut_block",
        "updated_block",
    )
    assert await ledger.rows("diamond", *columns) == [(DIAMOND, FACTORY, ALICE, "Gems", "G", 2, 2, 2)]


async def test_a_renounced_diamond_has_no_owner(ledger, said):
    await ledger.tell([cut(said), owned(said, ALICE)], [owned(said, ZERO)])
    assert await ledger.rows("diamond", "owner", "updated_block") == [(None, 2)]


async def test_an_upgrade_is_pending_until_it_is_cut_or_cancelled(ledger, said):
    cancelled = said("diamond_timelock_diamond_cut_cancelled", OTHER, {"canceller": ALICE})
    third = b"\xd3" * 20
    biggest = Decimal(2**256 - 1)
    await ledger.tell(
        [proposed(said, 100), proposed(said, 200, OTHER), proposed(said, 300, third)],
        [cut(said), cancelled, proposed(said, biggest, third)],
    )
    assert await ledger.rows("diamond", "diamond", "upgrade_pending_until", "last_cut_block") == [
        (OTHER, None, None),
        (third, biggest, None),
        (DIAMOND, None, 2),
    ]
    await ledger.say(3, [cut(said), proposed(said, 5)])
    await ledger.fold(3, 3)
    rows = await ledger.rows("diamond", "diamond", "upgrade_pending_until", "last_cut_block")
    assert rows[2] == (DIAMOND, Decimal(5), 3)
