"""The law for marketplaces, fees, tokens, attributes, treasuries and access, and their folds in plain Python."""

from __future__ import annotations

import random

import market_fold
import pytest
from market_events import MarketSpeaker
from projection_law import History, hold_to_law

from indexer.projections.files import load_projections
from indexer.projections.runner import Projections

MINE = {
    "market", "fee_receiver", "fee_distribution", "token", "token_uri", "metadata_refresh", "token_attribute",
    "treasury_balance", "svg_template", "ownership", "role_member", "pause_flag", "nft",
}  # fmt: skip
LISTING = (
    "diamond", "token_id", "opened_block", "opened_log_index", "seller", "receiver", "price", "payment_token", "status",
    "escrowed", "buyer", "closed_block", "closed_log_index", "updated_block",
)  # fmt: skip
SALE = (
    "block_number", "log_index", "diamond", "token_id", "buyer", "seller", "price", "payment_token", "fee_total",
    "seller_net", "listing_block", "listing_log_index", "inconsistent", "updated_block",
)  # fmt: skip
PAYOUT = (
    "block_number", "log_index", "diamond", "sale_log_index", "receiver", "token", "amount", "kind", "inconsistent",
)  # fmt: skip


async def keyed(ledger, table, keys, *values):
    rows = await ledger.rows(table, *keys, *values)
    return {row[: len(keys)] if len(keys) > 1 else row[0]: row[len(keys) :] for row in rows}


async def hold_market(ledger, blocks):
    market = market_fold.Market(blocks)
    listings = sorted(tuple(one.values()) for one in (dict(row) for row in market.listings))
    assert sorted(await ledger.rows("listing", *LISTING), key=lambda row: row[:4]) == sorted(
        listings, key=lambda row: row[:4]
    )
    assert await ledger.rows("sale_payout", *PAYOUT) == [tuple(row.values()) for row in market.payouts]
    found = await ledger.rows("sale", *SALE)
    assert len(found) == len(market.sales)
    for row, sale in zip(found, market.sales, strict=True):
        named = dict(zip(SALE, row, strict=True))
        assert named.pop("payment_token") in sale["payment_token"]
        assert named == {key: value for key, value in sale.items() if key != "payment_token"}


async def hold_against_python(ledger, history):
    blocks = history.blocks
    await hold_market(ledger, blocks)
    receivers, paid = market_fold.fees(blocks)
    assert (
        await keyed(
            ledger, "fee_receiver", ("contract", "source", "receiver"),
            "position", "weight", "basis", "inconsistency", "updated_block",
        ) == receivers
    )  # fmt: skip
    assert (
        await keyed(
            ledger, "fee_distribution", ("block_number", "log_index"), "contract", "token", "fee_total", "inconsistent"
        ) == paid
    )  # fmt: skip
    assert await keyed(
        ledger, "token", ("contract",), "kind", "inconsistent", "updated_block"
    ) == market_fold.tokens(blocks)
    assert {
        key: row[0]
        for key, row in (await keyed(ledger, "nft", ("contract", "token_id"), "inconsistent")).items()
    } == market_fold.false_senders(blocks)
    assert (
        await keyed(
            ledger, "token_attribute", ("contract", "token_id", "key"),
            "attribute_type", "value", "set_block", "removed", "removed_block", "inconsistent", "updated_block",
        ) == market_fold.attributes(blocks)
    )  # fmt: skip
    assert (
        await keyed(
            ledger, "treasury_balance", ("contract", "token_id"),
            "balance", "total_deposited", "total_withdrawn", "last_withdrawal_block", "inconsistent", "updated_block",
        ) == market_fold.treasuries(blocks)
    )  # fmt: skip
    await hold_access(ledger, blocks)


async def hold_access(ledger, blocks):
    assert await keyed(
        ledger, "ownership", ("contract",), "owner", "pending_owner", "owner_since_block", "inconsistent", "updated_block"
    ) == market_fold.owners(blocks)  # fmt: skip
    assert (
        await keyed(
            ledger, "role_member", ("contract", "role", "account"),
            "active", "granted_block", "granted_by", "revoked_block", "revoked_by", "inconsistent", "updated_block",
        ) == market_fold.members(blocks)
    )  # fmt: skip
    said = market_fold.last_words(blocks)
    for table, keys, values in (
        ("token_uri", ("contract", "token_id"), ("uri",)),
        ("metadata_refresh", ("contract", "first_token_id", "last_token_id"), ()),
        ("svg_template", ("manager", "name"), ("template",)),
        ("role_admin", ("contract", "role"), ("admin_role",)),
        ("pause_flag", ("contract",), ("paused", "account")),
    ):
        assert await keyed(ledger, table, keys, *values, "updated_block") == said[table], table


async def many_histories(base, pool, said, new_ledger, seeds):
    projections = Projections([one for one in load_projections() if one.name in MINE])
    assert {one.name for one in projections.all} == MINE
    reorgs = rows = 0
    for seed in seeds:

        def begin(ledger, seed=seed):
            return History(ledger, MarketSpeaker(said, random.Random(seed)))

        undone, made = await hold_to_law(
            base, pool, new_ledger, projections, begin, seed, hold_against_python
        )
        reorgs += undone
        rows += made
    assert reorgs > len(seeds)
    assert rows > 20 * len(seeds)


@pytest.mark.parametrize("first", range(0, 100, 50))
async def test_market_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass(
    base, pool, said, new_ledger, first
):
    await many_histories(base, pool, said, new_ledger, range(first, first + 50))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(10_000, 30_000, 1000))
async def test_market_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass_many_times(
    base, pool, said, new_ledger, first
):
    await many_histories(base, pool, said, new_ledger, range(first, first + 1000))
