"""The law of projections for trade deals, carbon credits and sales, and every row against a fold in Python."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from asset_fold import AssetFold
from deal_fold import DealFold
from deal_world import DealSpeaker
from ledger import Said
from projection_law import LONG, SHORT, History, Law

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = {
    "trade_deal": ("diamond", "deal_id"),
    "trade_deal_participant": ("diamond", "deal_id", "account"),
    "trade_deal_invoice": ("diamond", "deal_id", "token_id"),
    "trade_deal_invoice_move": ("block_number", "log_index"),
    "trade_deal_invoice_value": ("contract", "token_id"),
    "trade_deal_cashflow": ("block_number", "log_index"),
    "trade_deal_claim_topic": ("diamond", "deal_id", "claim_topic"),
    "collateral_token": ("token",),
    "carbon_credit": ("contract", "token_id"),
    "carbon_retirement": ("block_number", "log_index"),
    "multi_sale": ("diamond", "sale_id"),
    "multi_sale_purchase": ("block_number", "log_index"),
}


def differences(held, told):
    """Key, column, what SQL made, what Python made."""
    missing = [(key, "only in SQL" if key in held else "only in Python") for key in held.keys() ^ told.keys()]
    return missing + [
        (key, column, held[key].get(column), told[key].get(column))
        for key in held.keys() & told.keys()
        for column in held[key].keys() | told[key].keys()
        if held[key].get(column, "none") != told[key].get(column, "none")
    ]


def hold(found, history):
    told = DealFold(history.blocks, MOMENT).tables | AssetFold(history.blocks, MOMENT).tables
    assert told.keys() == KEYS.keys()
    for name, keys in KEYS.items():
        rows = found.records(name)
        held = {
            tuple(row[key] for key in keys): {
                column: value for column, value in row.items() if column not in (*keys, "chain_id")
            }
            for row in rows
        }
        assert held == told[name], f"{name}: {differences(held, told[name])}"


def begin(ledger, seed):
    return History(ledger, DealSpeaker(Said, random.Random(seed)))


LAW = Law(
    names=frozenset({"trade_deal", "collateral_token", "multi_sale", "nft"}),
    begin=begin,
    check=hold,
    elsewhere=frozenset({"state.nft_unexpanded"}),
)


@pytest.mark.parametrize("seeds", SHORT)
def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass(event_url, seeds):
    LAW.hold(event_url, seeds)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seeds", LONG)
def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass_many_times(event_url, seeds):
    LAW.hold(event_url, seeds)
