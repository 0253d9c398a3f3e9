"""The law of projections for identities, and the whole state against a fold in Python, row by row."""

from __future__ import annotations

import random

import pytest
from identity_fold import IdentityFold
from identity_world import IdentitySpeaker
from ledger import Said
from projection_law import LONG, SHORT, History, Law, assert_rows

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


def hold(found, history):
    fold = IdentityFold(history.blocks)
    told = {name: getattr(fold, name) for name in KEYS if name != "identity_contract"}
    told["identity_contract"] = {(key,): row for key, row in fold.contract.items()}
    for name, keys in KEYS.items():
        assert_rows(found, name, keys, told[name])


def begin(ledger, seed):
    return History(ledger, IdentitySpeaker(Said, random.Random(seed)))


LAW = Law(
    names=frozenset(
        {
            "identity",
            "identity_attribute",
            "identity_claim",
            "identity_execution",
            "identity_key",
            "claim_topic",
        }
        | {"registry_claim", "trusted_issuer", "trusted_issuer_topic"}
    ),
    begin=begin,
    check=hold,
)


@pytest.mark.parametrize("seeds", SHORT)
def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass(event_url, seeds):
    LAW.hold(event_url, seeds)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seeds", LONG)
def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass_many_times(event_url, seeds):
    LAW.hold(event_url, seeds)
