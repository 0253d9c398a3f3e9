"""The law of projections for identities, and the whole state against a fold in Python, row by row."""

from __future__ import annotations

import random

import pytest
from identity_fold import IdentityFold
from identity_world import IdentitySpeaker
from projection_law import History, hold_to_law

from indexer.projections.runner import Projections

KEYS = {
    "identity_contract": ("identity",),
    "identity": ("wallet", "announcer"),
    "registry_claim": ("diamond", "identity", "claim_topic"),
    "identity_claim": ("identity", "claim_id"),
    "identity_key": ("identity", "key", "purpose"),
    "identity_attribute": ("identity", "attribute_key"),
    "identity_execution": ("block_number", "log_index"),
    "claim_topic": ("diamond", "claim_topic"),
    "trusted_issuer": ("diamond", "issuer"),
    "trusted_issuer_topic": ("diamond", "issuer", "claim_topic"),
}


@pytest.fixture(scope="module")
def projections():
    """Those of this domain only."""
    everything = Projections.load().all
    mine = {f"state.{name}" for name in KEYS}
    chosen = [one for one in everything if mine.intersection(one.tables)]
    assert {table for one in chosen for table in one.tables} == mine
    return Projections(chosen)


async def hold(ledger, history):
    fold = IdentityFold(history.blocks)
    told = {name: getattr(fold, name) for name in KEYS if name != "identity_contract"}
    told["identity_contract"] = {(key,): row for key, row in fold.contract.items()}
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
        assert held == told[name], name


async def many(base, pool, said, new_ledger, projections, seeds):
    reorgs = rows = 0
    for seed in seeds:
        undone, made = await hold_to_law(
            base,
            pool,
            new_ledger,
            projections,
            lambda ledger, seed=seed: History(ledger, IdentitySpeaker(said, random.Random(seed))),
            seed,
            hold,
        )
        reorgs += undone
        rows += made
    assert reorgs > len(seeds)
    assert rows > 20 * len(seeds)


@pytest.mark.parametrize("first", range(0, 100, 50))
async def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass(
    base, pool, said, new_ledger, projections, first
):
    await many(base, pool, said, new_ledger, projections, range(first, first + 50))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(10_000, 30_000, 1_000))
async def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass_many_times(
    base, pool, said, new_ledger, projections, first
):
    await many(base, pool, said, new_ledger, projections, range(first, first + 1_000))
