"""Who takes part in a trade deal by claims (domain.md 1.8.7): no rows of state, a view joins claims and topics."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from indexer.store.connect import connect

CHAIN = 31337
DIAMOND, OTHER, FACTORY = b"\xd1" * 20, b"\xd2" * 20, b"\xfa" * 20
ALICE, BOB, CAROL = b"\x01" * 20, b"\x02" * 20, b"\x03" * 20
SHARED, OWN = b"\x1d" * 20, b"\x2d" * 20


@pytest.fixture
async def state(views_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A database whose deal 0 asks for claims 1 and 2, and where two wallets share an identity that has them."""
    connection = await connect(views_url)
    await connection.execute("INSERT INTO sync.chain (chain_id, name) VALUES ($1, 'one')", CHAIN)
    await connection.executemany(
        "INSERT INTO state.trade_deal_claim_topic (chain_id, diamond, deal_id, claim_topic, updated_block) VALUES ($1, $2, $3, $4, 1)",
        [(CHAIN, DIAMOND, 0, 1), (CHAIN, DIAMOND, 0, 2), (CHAIN, DIAMOND, 1, 3)],
    )
    await vouch(connection, SHARED, 1, 5)
    await vouch(connection, SHARED, 2, 9)
    await register(connection, ALICE, SHARED)
    await register(connection, BOB, SHARED)
    yield connection
    await connection.close()


async def vouch(
    connection: asyncpg.Connection, identity: bytes, topic: int, block: int, diamond: bytes = DIAMOND
) -> None:
    await connection.execute(
        "INSERT INTO state.registry_claim (chain_id, diamond, identity, claim_topic, added_block, updated_block)"
        " VALUES ($1, $2, $3, $4, $5, $5)", CHAIN, diamond, identity, topic, block,
    )  # fmt: skip


async def register(
    connection: asyncpg.Connection,
    wallet: bytes,
    identity: bytes,
    announcer: bytes = DIAMOND,
    *,
    registered: bool = True,
) -> None:
    await connection.execute(
        "INSERT INTO state.identity (chain_id, wallet, announcer, identity, registered, updated_block)"
        " VALUES ($1, $2, $3, $4, $5, 1)", CHAIN, wallet, announcer, identity, registered,
    )  # fmt: skip


async def by_claims(connection: asyncpg.Connection) -> list[tuple[int, str, int]]:
    """Deal, account and the block since which it takes part."""
    rows = await connection.fetch(
        "SELECT deal_id, account, added_block FROM analytics.trade_deal_participant WHERE source = 'claims' ORDER BY 1, 2"
    )
    return [(int(row["deal_id"]), row["account"], row["added_block"]) for row in rows]


def shown(wallet: bytes) -> str:
    return "0x" + wallet.hex()


BOTH = [(0, shown(ALICE), 9), (0, shown(BOB), 9)]


async def test_every_wallet_of_an_identity_that_has_all_claims_takes_part(state):
    assert await by_claims(state) == BOTH


async def test_some_of_the_claims_are_not_enough_and_others_do_not_matter(state):
    await register(state, CAROL, OWN)
    await vouch(state, OWN, 1, 3)
    await vouch(state, OWN, 777, 3)
    assert await by_claims(state) == BOTH
    await vouch(state, OWN, 2, 4)
    assert await by_claims(state) == [*BOTH, (0, shown(CAROL), 4)]


async def test_claims_of_another_registry_and_wallets_of_a_factory_do_not_count(state):
    await register(state, CAROL, OWN, OTHER)
    await vouch(state, OWN, 1, 3, OTHER)
    await vouch(state, OWN, 2, 3, OTHER)
    await register(state, FACTORY, SHARED, FACTORY)
    assert await by_claims(state) == BOTH


async def test_who_lost_a_claim_or_its_registration_takes_part_no_more(state):
    await state.execute(
        "UPDATE state.identity SET registered = false, removed_block = 12 WHERE wallet = $1", BOB
    )
    assert await by_claims(state) == BOTH[:1]
    await state.execute("UPDATE state.registry_claim SET removed_block = 13 WHERE claim_topic = 2")
    assert await by_claims(state) == []


async def test_an_account_may_take_part_for_several_reasons(state):
    await state.execute(
        "INSERT INTO state.trade_deal_participant (chain_id, diamond, deal_id, account, source, active, added_block, updated_block)"
        " VALUES ($1, $2, 0, $3, 'depositor', true, 20, 20)", CHAIN, DIAMOND, ALICE,
    )  # fmt: skip
    rows = await state.fetch(
        "SELECT source, identity FROM analytics.trade_deal_participant WHERE account = $1 ORDER BY 1",
        shown(ALICE),
    )
    assert [tuple(row) for row in rows] == [("claims", shown(SHARED)), ("depositor", None)]


async def test_topics_replaced_by_others_let_others_in(state):
    await vouch(state, OWN, 3, 6)
    await register(state, CAROL, OWN)
    assert await by_claims(state) == [*BOTH, (1, shown(CAROL), 6)]
