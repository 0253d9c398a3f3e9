"""The law for projections of the operator's: counting ones, one whose rows go away, one with two tables."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from ledger import Said
from projection_law import LONG, SHORT, History, Law

TOKENS = (b"\xa1" * 20, b"\xa2" * 20)
PEOPLE = (b"\x01" * 20, b"\x02" * 20, b"\x03" * 20)


class Speaker:
    """Transfers and approvals, a third of which take one back."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def block(self):
        return [
            self.rng.choice((self.transfer, self.approval))() for _ in range(self.rng.choice((0, 1, 2, 4)))
        ]

    def transfer(self):
        ends = {"from_": self.rng.choice(PEOPLE), "to_": self.rng.choice(PEOPLE)}
        return Said(
            "erc20_transfer", self.rng.choice(TOKENS), ends | {"value": Decimal(self.rng.randrange(9))}
        )

    def approval(self):
        ends = {"owner": self.rng.choice(PEOPLE), "spender": self.rng.choice(PEOPLE)}
        return Said(
            "erc20_approval", self.rng.choice(TOKENS), ends | {"value": Decimal(self.rng.choice((0, 1, 5)))}
        )


def hold(held, history):
    activity, approvals, closings = {}, {}, Counter()
    for number, events in sorted(history.blocks.items()):
        for event in events:
            token, values = event.address, event.values
            if event.table == "erc20_transfer":
                transfers, volume, first, _ = activity.get(token, (0, 0, number, 0))
                activity[token] = (transfers + 1, volume + values["value"], first, number)
                continue
            key = (token, values["owner"], values["spender"])
            approvals[key] = (values["value"], number)
            closings[token] += values["value"] == 0
    assert {
        row["token"]: (row["transfers"], row["volume"], row["first_block"], row["last_block"])
        for row in held.tables["custom.token_activity"]
    } == activity
    assert {
        (row["token"], row["owner"], row["spender"]): (row["value"], row["since_block"])
        for row in held.tables["custom.open_approval"]
    } == {key: said for key, said in approvals.items() if said[0] > 0}
    assert {
        row["token"]: row["closings"] for row in held.tables["custom.closed_approval"]
    } == {token: count for token, count in closings.items() if count}  # fmt: skip


def begin(ledger, seed):
    return History(ledger, Speaker(random.Random(seed)))


LAW = Law(
    names=frozenset({"token_activity", "open_approval"}),
    begin=begin,
    check=hold,
    own=Path(__file__).with_name("own"),
    rows=5,
)


@pytest.mark.parametrize("seeds", SHORT)
def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass(event_url, seeds):
    LAW.hold(event_url, seeds)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seeds", LONG)
def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass_many_times(event_url, seeds):
    LAW.hold(event_url, seeds)
