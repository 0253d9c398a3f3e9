"""The law of projections for trade deals, carbon credits and sales, and every row against a fold in Python."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from asset_fold import AssetFold
from deal_fold import DealFold
from deal_world import DealSpeaker
from projection_law import History, hold_to_law

from indexer.projections.runner import Projections

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = {"trade_deal", "collateral_token", "multi_sale", "nft"}
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


@pytest.fixture(scope="module")
def projections():
    """Those of this domain only."""
    return Projections([one for one in Projections.load().all if one.name in NAMES])


def differences(held, told):
    """Key, column, what SQL made, what Python made."""
    missing = [(key, "only in SQL" if key in held else "only in Python") for key in held.keys() ^ told.keys()]
    return missing + [
        (key, column, held[key].get(column), told[key].get(column))
        for key in held.keys() & told.keys()
        for column in held[key].keys() | told[key].keys()
        if held[key].get(column, "none") != told[key].get(column, "none")
    ]


async def hold(ledger, history):
    told = DealFold(history.blocks, MOMENT).tables | AssetFold(history.blocks, MOMENT).tables
    assert told.keys() == KEYS.keys()
    for name, keys in KEYS.items():
        rows = await ledger.connection.fetch(
            f"SELECT * FROM state.{name} WHERE chain_id = $1", ledger.chain_id
        )
        held = {
            tuple(row[key] for key in keys): {
                column: value for column, value in row.items() if column not in (*keys, "chain_id")
            }
            for row in rows
        }
        assert held == told[name], f"chain {ledger.chain_id}: {name}: {differences(held, told[name])}"


# Planning these statements anew for each fold of a few rows takes longer than running them.
async def many(base, pool, said, new_ledger, projections, seeds):
    await base.execute("SET plan_cache_mode = force_generic_plan")
    reorgs = rows = 0
    for seed in seeds:
        undone, made = await hold_to_law(
            base, pool, new_ledger, projections,
            lambda ledger, seed=seed: History(ledger, DealSpeaker(said, random.Random(seed))), seed, hold,
        )  # fmt: skip
        reorgs += undone
        rows += made
    assert reorgs > len(seeds)
    assert rows > 20 * len(seeds)


@pytest.mark.parametrize("first", [0, 50])
async def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass_and_of_python(
    base, pool, said, new_ledger, projections, first
):
    await many(base, pool, said, new_ledger, projections, range(first, first + 50))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(10_000, 30_000, 2_000))
async def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass_and_of_python_many_times(
    base, pool, said, new_ledger, projections, first
):
    await many(base, pool, said, new_ledger, projections, range(first, first + 2_000))
