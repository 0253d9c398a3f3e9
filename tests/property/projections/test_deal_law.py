"""The law of projections for trade deals, carbon credits and sales, and every row against a fold in Python."""

from __future__ import annotations

import random

import pytest
from asset_fold import AssetFold
from deal_fold import DealFold
from deal_world import DealSpeaker
from ledger import NOW, Said
from projection_law import LONG, SHORT, History, Law, assert_rows

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


def hold(found, history):
    told = DealFold(history.blocks, NOW).tables | AssetFold(history.blocks, NOW).tables
    assert told.keys() == KEYS.keys()
    for name, keys in KEYS.items():
        assert_rows(found, name, keys, told[name])


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
