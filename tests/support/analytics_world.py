"""A small history of every domain on chain 31337, for the views and the example queries: who is who stands in the constants."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from indexer.chain.refs import BlockRange
from indexer.projections.runner import Projections

CHAIN = 31337
ZERO = bytes(20)
ALICE = bytes.fromhex("a11ce00000000000000000000000000000000001")
BOB = bytes.fromhex("b0b0000000000000000000000000000000000002")
ISSUER = bytes.fromhex("155e000000000000000000000000000000000003")
USDC = bytes.fromhex("70ce000000000000000000000000000000000020")
MULTI = bytes.fromhex("1155000000000000000000000000000000000021")
RANGED = bytes.fromhex("2309000000000000000000000000000000000022")
COLLATERAL = bytes.fromhex("c011000000000000000000000000000000000023")
DIAMOND = bytes.fromhex("d1a0000000000000000000000000000000000035")
IDENTITY = bytes.fromhex("1de0000000000000000000000000000000000073")
FACTORY = bytes.fromhex("fac7000000000000000000000000000000000040")
JSON = {"diamond_cut", "settings", "attributes", "value", "deposits", "token_sale", "fee_receivers"}
LEADING = (
    "chain_id",
    "block_number",
    "block_hash",
    "block_time",
    "tx_hash",
    "tx_index",
    "log_index",
    "address",
)


@dataclass(frozen=True)
class Said:
    """One event: its table, emitter, transaction in the block, and arguments."""

    table: str
    address: bytes
    tx: int
    values: dict[str, Any]


def said(table: str, address: bytes, tx: int = 0, **values: Any) -> Said:
    return Said(table, address, tx, values)


def block_hash(number: int) -> bytes:
    return b"\xbb" + number.to_bytes(31, "big")


def tx_hash(number: int, tx: int = 0) -> bytes:
    return b"\xee" + (number * 1000 + tx).to_bytes(31, "big")


def time_of(number: int) -> datetime:
    """Blocks are six hours apart; block 40 is that of today's midnight."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(hours=6 * (40 - number))


async def say(
    connection: asyncpg.Connection, number: int, events: Sequence[Said], chain: int = CHAIN
) -> None:
    """Write the events of a block into their tables."""
    for place, event in enumerate(events):
        head = (
            chain, number, block_hash(number), time_of(number), tx_hash(number, event.tx), event.tx, place, event.address,
        )  # fmt: skip
        values = tuple(
            json.dumps(value) if key in JSON and isinstance(value, (dict, list)) else value
            for key, value in event.values.items()
        )
        await connection.copy_records_to_table(
            event.table, schema_name="event", columns=[*LEADING, *event.values], records=[(*head, *values)]
        )


async def fold(connection: asyncpg.Connection, first: int, last: int, chain: int = CHAIN) -> None:
    async with connection.transaction():
        await Projections.load().fold(connection, chain, BlockRange(first, last), journal=False)


async def open_chain(connection: asyncpg.Connection, tip: int, chain: int = CHAIN) -> None:
    await connection.execute(
        "INSERT INTO sync.chain (chain_id, name, tip_number, tip_hash) VALUES ($1, $2, $3, $4)",
        chain,
        f"chain{chain}",
        tip,
        block_hash(tip),
    )


async def tell_all(connection: asyncpg.Connection) -> None:
    """The whole history, folded in one pass."""
    await open_chain(connection, max(HISTORY))
    await connection.executemany(
        "INSERT INTO state.silent_token (chain_id, contract, name, symbol, decimals, read_block, updated_block) "
        "VALUES ($1, $2, $3, $4, $5, 1, 1)",
        [(CHAIN, USDC, "USD Coin", "USDC", 6), (CHAIN, COLLATERAL, "Collateral", "COL", 18)],
    )
    for number, events in HISTORY.items():
        await say(connection, number, events)
    await fold(connection, 0, max(HISTORY))


def transfer(tx: int, from_: bytes, to_: bytes, value: int, token: bytes = USDC) -> Said:
    return said("erc20_transfer", token, tx, from_=from_, to_=to_, value=value)


def nft(tx: int, from_: bytes, to_: bytes, token_id: int, contract: bytes = DIAMOND) -> Said:
    return said("erc721_transfer", contract, tx, from_=from_, to_=to_, token_id=token_id)


CUT = [{"facetAddress": "0x" + "fa" * 20, "action": 0, "functionSelectors": ["0x12345678"]}]
ATTRIBUTES = [
    {"key": "projectId", "attributeType": 1, "value": "forest-7"},
    {"key": "amount", "attributeType": 1, "value": "1000"},
]

HISTORY: dict[int, list[Said]] = {
    1: [
        said("diamond_cut", DIAMOND, diamond_cut=CUT, init=ZERO, calldata=b""),
        said("ownable_ownership_transferred", DIAMOND, previous_owner=ZERO, new_owner=BOB),
        said("claim_topic_added", DIAMOND, claim_topic=1),
        said("trusted_issuer_added", DIAMOND, trusted_issuer=ISSUER, claim_topics=[1, 7]),
    ],
    2: [
        transfer(0, ZERO, ALICE, 5_000_000_000),
        transfer(1, ZERO, BOB, 1_000_000_000),
        transfer(2, BOB, ALICE, 250_000_000),
        said("erc20_approval", USDC, 3, owner=ALICE, spender=DIAMOND, value=10_000_000),
    ],
    3: [
        said("erc1155_transfer_single", MULTI, operator=BOB, from_=ZERO, to_=ALICE, id=5, value=100),
        said(
            "erc1155_transfer_batch",
            MULTI,
            1,
            operator=ALICE,
            from_=ALICE,
            to_=BOB,
            ids=[5, 6, 5],
            values=[10, 0, 1],
        ),
        said(
            "erc2309_consecutive_transfer", RANGED, 2, from_token_id=10, to_token_id=14, from_=ZERO, to_=BOB
        ),
        nft(3, BOB, ALICE, 12, RANGED),
    ],
    4: [
        said("minter_gemforce_minted", DIAMOND, token_id=0, owner=ALICE, attributes=[]),
        nft(0, ZERO, ALICE, 0),
        said("minter_gemforce_minted", DIAMOND, 1, token_id=1, owner=ALICE, attributes=ATTRIBUTES),
        nft(1, ZERO, ALICE, 1),
        said("carbon_credits_initialized", DIAMOND, 1, token_id=1, initial_balance=1000),
    ],
    5: [
        said("identity_factory_identity_created", FACTORY, owner=ALICE, identity=IDENTITY),
        said(
            "identity_registry_identity_added",
            DIAMOND,
            1,
            trusted_issuer=ISSUER,
            address_=ALICE,
            identity=IDENTITY,
        ),
        said(
            "identity_registry_claim_added",
            DIAMOND,
            2,
            trusted_issuer=ISSUER,
            identity=IDENTITY,
            claim_topic=1,
            claim=b"\x01",
        ),
        said(
            "identity_registry_claim_added",
            DIAMOND,
            2,
            trusted_issuer=ISSUER,
            identity=IDENTITY,
            claim_topic=7,
            claim=b"",
        ),
    ],
    6: [
        said(
            "identity_registry_claims_removed",
            DIAMOND,
            trusted_issuer=ISSUER,
            identity=IDENTITY,
            claim_topics=[7],
        ),
        said(
            "erc735_claim_added",
            IDENTITY,
            1,
            claim_id=b"\x0c" * 32,
            topic=1,
            scheme=1,
            issuer=ISSUER,
            signature=b"\x51",
            data=b"\xda",
            uri="ipfs://claim",
        ),
    ],
    8: [
        said("carbon_credits_retired", DIAMOND, token_id=1, amount=300, remaining_balance=700),
        said(
            "marketplace_listings",
            DIAMOND,
            1,
            nft_contract=DIAMOND,
            token_id=1,
            seller=ALICE,
            receiver=ALICE,
            owner=ZERO,
            price=90_000_000,
            sold=False,
            payment_token=USDC,
        ),
        said(
            "marketplace_listings",
            DIAMOND,
            2,
            nft_contract=DIAMOND,
            token_id=0,
            seller=ALICE,
            receiver=ALICE,
            owner=ZERO,
            price=2 * 10**18,
            sold=False,
            payment_token=ZERO,
        ),
    ],
    10: [
        transfer(0, BOB, ISSUER, 2_000_000),
        said("marketplace_payment_distributed", DIAMOND, token=USDC, receiver=ISSUER, amount=2_000_000),
        transfer(0, BOB, ALICE, 88_000_000),
        said("marketplace_payment_distributed", DIAMOND, token=USDC, receiver=ALICE, amount=88_000_000),
        said("erc721_approval", DIAMOND, owner=ALICE, approved=ZERO, token_id=1),
        nft(0, ALICE, BOB, 1),
        said("marketplace_sales", DIAMOND, token_address=DIAMOND, token_id=1, owner=BOB),
    ],
    12: [
        said("carbon_credits_retired", DIAMOND, token_id=1, amount=200, remaining_balance=500),
        said(
            "trade_deal_created",
            DIAMOND,
            1,
            trade_deal_id=0,
            name="Coffee",
            symbol="COF",
            interest_rate=500,
            collateral_to_interest_ratio=4,
            active=True,
            nft_address=ZERO,
            collateral_address=COLLATERAL,
            interest_address=ZERO,
            usdc_address=USDC,
            operation_mode=1,
        ),
        said("trade_deal_required_claim_topics_set", DIAMOND, 1, trade_deal_id=0, claim_topics=[1]),
    ],
    14: [
        transfer(0, ALICE, DIAMOND, 400_000_000),
        said(
            "trade_deal_usdc_deposited_to_trade_deal",
            DIAMOND,
            trade_deal_id=0,
            amount=400_000_000,
            depositor=ALICE,
        ),
        transfer(0, ZERO, ALICE, 400 * 10**18, COLLATERAL),
    ],
    16: [
        transfer(0, ALICE, ZERO, 100 * 10**18, COLLATERAL),
        said(
            "trade_deal_collateral_tokens_redeemed",
            DIAMOND,
            trade_deal_id=0,
            redeemer=ALICE,
            collateral_amount=100 * 10**18,
            usdc_amount=105_000_000,
        ),
        transfer(0, DIAMOND, ALICE, 105_000_000),
    ],
    20: [
        said("access_control_role_granted", USDC, role=bytes(32), account=BOB, sender=ALICE),
        transfer(1, ALICE, ZERO, 1_000_000),
        said("treasury_deposited", DIAMOND, 2, deposits=[{"tokenId": "1", "amount": "7"}]),
        said("treasury_withdrawn", DIAMOND, 3, token_ids=[1], amount=7),
    ],
    22: [
        said("erc721_approval", DIAMOND, owner=ALICE, approved=ZERO, token_id=0),
        nft(0, BOB, BOB, 0),
        said("token_erc721_a_transfer", DIAMOND, from_=BOB, to_=BOB, token_id=0, data=b""),
    ],
}
