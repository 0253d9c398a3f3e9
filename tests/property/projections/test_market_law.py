"""The law for marketplaces, fees, tokens, attributes, treasuries and access, and their folds in plain Python."""

from __future__ import annotations

import random

import market_fold
import pytest
from ledger import Said
from market_events import MarketSpeaker
from projection_law import LONG, SHORT, History, Law

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


def keyed(held, table, keys, *values):
    rows = held.rows(table, *keys, *values)
    return {row[: len(keys)] if len(keys) > 1 else row[0]: row[len(keys) :] for row in rows}


def hold_market(held, blocks):
    market = market_fold.Market(blocks)
    listings = sorted(tuple(one.values()) for one in (dict(row) for row in market.listings))
    assert sorted(held.rows("listing", *LISTING), key=lambda row: row[:4]) == sorted(
        listings, key=lambda row: row[:4]
    )
    assert held.rows("sale_payout", *PAYOUT) == [tuple(row.values()) for row in market.payouts]
    found = held.rows("sale", *SALE)
    assert len(found) == len(market.sales)
    for row, sale in zip(found, market.sales, strict=True):
        named = dict(zip(SALE, row, strict=True))
        assert named.pop("payment_token") in sale["payment_token"]
        assert named == {key: value for key, value in sale.items() if key != "payment_token"}


def hold_against_python(held, history):
    blocks = history.blocks
    hold_market(held, blocks)
    receivers, paid = market_fold.fees(blocks)
    assert (
        keyed(
            held, "fee_receiver", ("contract", "source", "receiver"),
            "position", "weight", "basis", "inconsistency", "updated_block",
        ) == receivers
    )  # fmt: skip
    assert (
        keyed(
            held, "fee_distribution", ("block_number", "log_index"), "contract", "token", "fee_total", "inconsistent"
        ) == paid
    )  # fmt: skip
    assert keyed(held, "token", ("contract",), "kind", "inconsistent", "updated_block") == market_fold.tokens(
        blocks
    )
    assert {
        key: row[0] for key, row in (keyed(held, "nft", ("contract", "token_id"), "inconsistent")).items()
    } == market_fold.false_senders(blocks)
    assert (
        keyed(
            held, "token_attribute", ("contract", "token_id", "key"),
            "attribute_type", "value", "set_block", "removed", "removed_block", "inconsistent", "updated_block",
        ) == market_fold.attributes(blocks)
    )  # fmt: skip
    assert (
        keyed(
            held, "treasury_balance", ("contract", "token_id"),
            "balance", "total_deposited", "total_withdrawn", "last_withdrawal_block", "inconsistent", "updated_block",
        ) == market_fold.treasuries(blocks)
    )  # fmt: skip
    hold_access(held, blocks)


def hold_access(held, blocks):
    assert keyed(
        held, "ownership", ("contract",), "owner", "pending_owner", "owner_since_block", "inconsistent", "updated_block"
    ) == market_fold.owners(blocks)  # fmt: skip
    assert (
        keyed(
            held, "role_member", ("contract", "role", "account"),
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
        assert keyed(held, table, keys, *values, "updated_block") == said[table], table


def begin(ledger, seed):
    return History(ledger, MarketSpeaker(Said, random.Random(seed)))


LAW = Law(
    names=frozenset(MINE),
    begin=begin,
    check=hold_against_python,
    elsewhere=frozenset({"state.nft_unexpanded", "state.carbon_credit", "state.carbon_retirement"}),
)


@pytest.mark.parametrize("seeds", SHORT)
def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass(event_url, seeds):
    LAW.hold(event_url, seeds)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seeds", LONG)
def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass_many_times(event_url, seeds):
    LAW.hold(event_url, seeds)
