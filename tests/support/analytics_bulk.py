"""Big tables for the plans of the example queries: three years of a busy chain, filled by the database itself."""

from __future__ import annotations

import asyncpg
from analytics_world import ALICE, CHAIN, DIAMOND, IDENTITY, USDC

ACCOUNTS = 50_000
FIRST_BLOCK = 1_000

SETUP = f"""
CREATE FUNCTION pg_temp.account(number bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN number % {ACCOUNTS} = 1 THEN '\\x{ALICE.hex()}'::bytea
        ELSE decode(lpad(to_hex(number % {ACCOUNTS} + 4096), 40, '0'), 'hex') END $$;
CREATE FUNCTION pg_temp.hash(number bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT sha256(int8send(number)) $$;
CREATE FUNCTION pg_temp.token(number bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN number % 200 = 1 THEN '\\x{USDC.hex()}'::bytea
        ELSE decode(lpad(to_hex(number % 200 + 512), 40, '0'), 'hex') END $$;
"""

LEADING = "chain_id, block_number, block_hash, block_time, tx_hash, tx_index, log_index, address"
"""Ten logs a block; the newest block is of this minute, and all of them span three years."""


def _leading(count: int, address: str) -> str:
    newest = FIRST_BLOCK + count // 10
    return (
        f"{CHAIN}, {FIRST_BLOCK} + i / 10, pg_temp.hash(i / 10), "
        f"now() - ({newest} - ({FIRST_BLOCK} + i / 10)) * (interval '3 years' / {count // 10}), "
        f"pg_temp.hash(i), 0, (i % 10)::int, {address}"
    )


def _ledger(count: int) -> str:
    newest = FIRST_BLOCK + count // 10
    return (
        f"{CHAIN}, {FIRST_BLOCK} + i / 10, (i % 10)::int, "
        f"now() - ({newest} - ({FIRST_BLOCK} + i / 10)) * (interval '3 years' / {count // 10}), pg_temp.hash(i)"
    )


def statements(count: int) -> list[str]:
    """Inserts of ``count`` rows each."""
    diamond, usdc, identity = (f"'\\x{raw.hex()}'::bytea" for raw in (DIAMOND, USDC, IDENTITY))
    series = f"FROM generate_series(0::bigint, {count - 1}) AS i"
    newest = FIRST_BLOCK + count // 10
    return [
        (
            f"INSERT INTO event.erc20_transfer ({LEADING}, from_, to_, value) SELECT {_leading(count, 'pg_temp.token(i / 7)')}, "
            f"CASE WHEN i % 9 = 0 THEN decode(repeat('00', 20), 'hex') ELSE pg_temp.account(i * 7919) END, pg_temp.account(i * 104729), i {series}"
        ),
        (
            f"INSERT INTO event.erc721_transfer ({LEADING}, from_, to_, token_id) SELECT {_leading(count, diamond)}, "
            f"pg_temp.account(i * 7919), pg_temp.account(i * 104729), i % {count // 5} {series}"
        ),
        (
            f"INSERT INTO event.erc721_approval ({LEADING}, owner, approved, token_id) SELECT {_leading(count, diamond)}, "
            f"pg_temp.account(i * 7919), decode(repeat('00', 20), 'hex'), i % {count // 5} {series}"
        ),
        (
            f"INSERT INTO event.identity_registry_claim_added ({LEADING}, trusted_issuer, identity, claim_topic, claim) "
            f"SELECT {_leading(count, diamond)}, pg_temp.account(7), "
            f"CASE WHEN i % 20000 = 5 THEN {identity} ELSE pg_temp.account(i * 7919) END, i % 9, '\\x' {series}"
        ),
        (
            f"INSERT INTO state.erc20_balance SELECT {CHAIN}, decode(lpad(to_hex(i / 1000 + 512), 40, '0'), 'hex'), "
            f"pg_temp.account((i % 1000) * 50 + 1 + i / 1000), i + 1, {newest} {series}"
        ),
        f"INSERT INTO state.erc20_balance SELECT {CHAIN}, {usdc}, pg_temp.account(i), i + 1, {newest} FROM generate_series(0::bigint, 999) AS i",
        (
            f"INSERT INTO state.nft (chain_id, contract, token_id, owner, burned, last_transfer_block, updated_block) "
            f"SELECT {CHAIN}, {diamond}, i, pg_temp.account(i * 7919), false, {newest}, {newest} {series}"
        ),
        f"INSERT INTO state.erc1155_balance SELECT {CHAIN}, {diamond}, i, pg_temp.account(i * 7919), 1, {newest} {series}",
        (
            f"INSERT INTO state.listing (chain_id, diamond, token_id, opened_block, opened_log_index, seller, price, payment_token, status, escrowed, updated_block) "
            f"SELECT {CHAIN}, {diamond}, i % {count // 5}, {FIRST_BLOCK} + i / 10, (i % 10)::int, pg_temp.account(i), i, {usdc}, "
            f"CASE WHEN i % 200 = 0 THEN 'open' ELSE 'sold' END, false, {newest} {series}"
        ),
        (
            f"INSERT INTO state.sale (chain_id, block_number, log_index, block_time, tx_hash, diamond, token_id, buyer, seller, price, payment_token, fee_total, seller_net, updated_block) "
            f"SELECT {_ledger(count)}, {diamond}, i % {count // 5}, pg_temp.account(i * 7919), pg_temp.account(i), i, {usdc}, 0, i, {newest} {series}"
        ),
        (
            f"INSERT INTO state.trade_deal_cashflow (chain_id, block_number, log_index, block_time, tx_hash, diamond, deal_id, kind, party, usdc_amount, updated_block) "
            f"SELECT {_ledger(count)}, {diamond}, i % 2000, 'deposit', pg_temp.account(i * 7919), i, {newest} {series}"
        ),
        (
            f"INSERT INTO state.carbon_retirement (chain_id, block_number, log_index, block_time, tx_hash, contract, token_id, amount, remaining_after, retired_by, updated_block) "
            f"SELECT {_ledger(count)}, {diamond}, i, 1, 0, pg_temp.account(i * 7919), {newest} {series}"
        ),
        (
            f"INSERT INTO state.identity (chain_id, wallet, announcer, identity, registered, updated_block) "
            f"SELECT {CHAIN}, CASE WHEN i = 5 THEN '\\x{ALICE.hex()}'::bytea ELSE pg_temp.hash(i) END, {diamond}, "
            f"CASE WHEN i = 5 THEN {identity} ELSE pg_temp.hash(-i) END, true, {newest} {series}"
        ),
        (
            f"INSERT INTO state.registry_claim (chain_id, diamond, identity, claim_topic, added_block, updated_block) "
            f"SELECT {CHAIN}, {diamond}, CASE WHEN i = 5 THEN {identity} ELSE pg_temp.hash(-i) END, 1, {FIRST_BLOCK}, {newest} {series}"
        ),
        (
            f"INSERT INTO event.ownable_ownership_transferred ({LEADING}, previous_owner, new_owner) "
            f"SELECT {_leading(count, 'pg_temp.account(i)')}, pg_temp.account(i), pg_temp.account(i + 1) {series}"
        ),
    ]


async def fill(connection: asyncpg.Connection, count: int) -> None:
    """Fill each table that an example query reads with ``count`` rows, and let the planner know them."""
    await connection.execute(SETUP)
    await connection.execute("INSERT INTO sync.chain (chain_id, name) VALUES ($1, 'big')", CHAIN)
    await connection.execute(
        "INSERT INTO state.silent_token (chain_id, contract, symbol, decimals, read_block, updated_block) "
        "VALUES ($1, $2, 'USDC', 6, 1, 1)", CHAIN, USDC,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO state.token (chain_id, contract, kind, updated_block) VALUES ($1, $2, 'erc20', 1)",
        CHAIN,
        USDC,
    )
    await connection.execute(
        "INSERT INTO state.trade_deal (chain_id, diamond, deal_id, name, usdc_address, status, usdc_balance, repaid_amount, updated_block) "
        "SELECT $1, $2, i, 'Deal ' || i, $3, 'funding', 0, 0, 1 FROM generate_series(0, 1999) AS i",
        CHAIN, DIAMOND, USDC,
    )  # fmt: skip
    for statement in statements(count):
        await connection.execute(statement, timeout=600)
    await connection.execute("VACUUM (ANALYZE)", timeout=600)
