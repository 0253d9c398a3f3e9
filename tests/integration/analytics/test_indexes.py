"""Every index that is no key has a reader: an example query, a view, a projection or a statement of the engine."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from analytics_bulk import fill

from indexer.store.connect import connect
from indexer.store.dictionary import read_examples

ROWS = 20_000

BY_EXAMPLES = {
    "erc20_balance_holder", "nft_owner", "erc1155_balance_holder", "erc20_transfer_account", "erc721_transfer_token",
    "erc721_transfer_account", "erc1155_transfer_single_account", "erc1155_transfer_batch_account", "listing_open", "sale_token",
    "sale_day", "trade_deal_cashflow_deal", "trade_deal_cashflow_party", "carbon_retirement_retired_by",
    "identity_registry_claim_added_identity", "identity_registry_claim_added_a1a7a6cf_identity",
    "identity_registry_claim_removed_identity", "identity_registry_claim_removed_45749df3_identity",
    "identity_registry_claims_removed_identity", "erc735_claim_added_address", "erc735_claim_changed_address",
    "erc735_claim_removed_address", "identity_claim_added_address",
}  # fmt: skip
"""Read by queries of schema/examples."""

SMALL = {
    "erc1155_transfer_single_account", "erc1155_transfer_batch_account",
    "identity_registry_claim_added_a1a7a6cf_identity", "identity_registry_claim_removed_identity",
    "identity_registry_claim_removed_45749df3_identity", "identity_registry_claims_removed_identity",
    "erc735_claim_added_address", "erc735_claim_changed_address", "erc735_claim_removed_address",
    "identity_claim_added_address",
}  # fmt: skip
"""Of those, the ones whose tables are empty here: siblings, by layout, of a table that is filled and whose index is read."""

BY_OTHERS = {
    "multi_sale_purchase_sale": (
        "analytics.multi_sale",
        "SELECT FROM state.multi_sale_purchase WHERE chain_id = 1 AND diamond = '\\x01' AND sale_id = 1",
    ),
    "identity_identity": (
        "projection identity",
        "SELECT FROM state.identity WHERE chain_id = 1 AND identity = '\\x01' AND factory_created_block IS NULL",
    ),
    "discovered_address_announced": (
        "a revert",
        "SELECT FROM sync.discovered_address WHERE chain_id = 1 AND announced_block > 5",
    ),
    "abi_selector_selector": (
        "sync.match_abi",
        "SELECT abi FROM sync.abi_selector WHERE selector = ANY ('{\\\\x01020304}'::bytea[])",
    ),
    "journal_chain": ("a revert", "SELECT FROM sync.journal WHERE chain_id = 1 AND last_block > 5"),
}
"""Who reads the others, and how."""


async def secondary(connection: asyncpg.Connection) -> set[str]:
    """The names of all indexes that hold no key and nothing unique."""
    rows = await connection.fetch(
        """SELECT class.relname FROM pg_index AS made JOIN pg_class AS class ON class.oid = made.indexrelid
        WHERE class.relnamespace::regnamespace::text IN ('event', 'state', 'sync', 'analytics', 'custom')
        AND NOT made.indisprimary AND NOT made.indisunique"""
    )
    return {row["relname"] for row in rows}


async def test_every_index_has_a_reader_and_each_reader_its_index(views_url: str) -> None:
    connection = await connect(views_url)
    try:
        assert await secondary(connection) == BY_EXAMPLES | BY_OTHERS.keys()
        await connection.execute("SET enable_seqscan = off")
        for index, (reader, query) in BY_OTHERS.items():
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}"))
            assert index in plan, f"{reader}: {plan}"
    finally:
        await connection.close()


@pytest.mark.timeout(180)
async def test_the_examples_read_the_indexes_that_are_there_for_them(views_url: str) -> None:
    connection = await connect(views_url)
    try:
        await fill(connection, ROWS)
        for example in read_examples():
            await connection.fetch(example.sql)
        async with asyncio.timeout(30):
            while unread := BY_EXAMPLES - SMALL - await read(connection):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.2)
        assert not unread
    finally:
        await connection.close()


async def read(connection: asyncpg.Connection) -> set[str]:
    """Indexes that were scanned, as far as this session has told the statistics."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    rows = await connection.fetch("SELECT indexrelname FROM pg_stat_user_indexes WHERE idx_scan > 0")
    return {row["indexrelname"] for row in rows}
