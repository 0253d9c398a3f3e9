"""The law of projections: any split into commits, with any reorgs between, ends in the rows of one pass.

Random histories: a backfill in random steps, then commits of random ranges with reorgs of random depth (other events on each
branch), finality moving up, the projections let trail and catch up. The end is held against one pass over the canonical events,
and every row against a fold in Python that shares nothing with the SQL.
"""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal

import pytest
from ledger import NOW, Said
from projection_law import LONG, SHORT, History, Law, assert_rows
from token_fold import TokenFold

ZERO = bytes(20)
TOKENS = (b"\xa1" * 20, b"\xa2" * 20)
PEOPLE = (b"\x01" * 20, b"\x02" * 20, b"\x03" * 20, b"\x04" * 20)
DIAMONDS = (b"\xd1" * 20, b"\xd2" * 20, b"\xd3" * 20)
FACETS = (b"\xf1" * 20, b"\xf2" * 20, b"\xf3" * 20)
SELECTORS = tuple(bytes([number] * 4) for number in range(1, 7))
ABIS = {"alpha": SELECTORS[:3], "beta": SELECTORS[2:5], "gamma": SELECTORS[:1], "zeta": SELECTORS}
AMOUNTS = tuple(Decimal(number) for number in (0, 1, 1, 2, 10**18 + 7, 2**256 - 1))


def hexed(raw: bytes) -> str:
    return "0x" + raw.hex()


class Speaker:
    """Random events; few accounts and tokens, so that they meet.

    With ``endless`` the first block has a ConsecutiveTransfer of more tokens than are expanded; else such a one is rare,
    since it makes 10,000 rows.
    """

    def __init__(self, said, rng: random.Random, *, endless: bool) -> None:
        self.said = said
        self.rng = rng
        self.endless = endless
        self.trusting = TOKENS[0], PEOPLE[0], PEOPLE[1]
        self.kinds = [
            self.transfer20, self.approval20, self.transfer721, self.transfer721, self.approval721, self.consecutive,
            self.operator, self.minted, self.single, self.batch, self.cut, self.cut, self.owner, self.created,
            self.proposed, self.cancelled,
        ]  # fmt: skip

    def block(self):
        events = [self.rng.choice(self.kinds)() for _ in range(self.rng.choice((0, 0, 1, 2, 4, 8)))]
        if self.endless:
            self.endless = False
            events.append(self.consecutive(Decimal(10**30)))
        return events

    def one(self, table, address, **values):
        return self.said(table, address, values, self.rng.randrange(2))

    def token(self):
        return self.rng.choice(TOKENS)

    def who(self):
        return self.rng.choice((*PEOPLE, ZERO))

    def number(self):
        return Decimal(self.rng.randrange(5))

    def amount(self):
        return self.rng.choice(AMOUNTS)

    def transfer20(self):
        return self.one("erc20_transfer", self.token(), from_=self.who(), to_=self.who(), value=self.amount())

    def pair(self):
        """A token, an account and whom it trusts; half of the time those of last time, so that blocks speak of one twice."""
        if self.rng.random() < 0.5:
            self.trusting = self.token(), self.who(), self.who()
        return self.trusting

    def approval20(self):
        token, owner, spender = self.pair()
        return self.one("erc20_approval", token, owner=owner, spender=spender, value=self.amount())

    def transfer721(self):
        return self.one(
            "erc721_transfer", self.token(), from_=self.who(), to_=self.who(), token_id=self.number()
        )

    def approval721(self):
        return self.one(
            "erc721_approval", self.token(), owner=self.who(), approved=self.who(), token_id=self.number()
        )

    def consecutive(self, last=None):
        first = self.number()
        if last is None:
            last = first + self.rng.choice((-1, 0, 1, 1, 2)) if self.rng.random() < 0.999 else Decimal(10**30)
        return self.one(
            "erc2309_consecutive_transfer",
            self.token(), from_token_id=first, to_token_id=last, from_=self.who(), to_=self.who(),
        )  # fmt: skip

    def operator(self):
        table = self.rng.choice(("erc721_approval_for_all", "erc1155_approval_for_all"))
        token, owner, operator = self.pair()
        return self.one(table, token, owner=owner, operator=operator, approved=self.rng.random() < 0.5)

    def minted(self):
        return self.one(
            "minter_gemforce_minted", self.token(), token_id=self.number(), owner=self.who(), attributes=[]
        )

    def single(self):
        return self.one(
            "erc1155_transfer_single",
            self.token(), operator=self.who(), from_=self.who(), to_=self.who(), id=self.number(), value=self.amount(),
        )  # fmt: skip

    def batch(self):
        ids = [self.number() for _ in range(self.rng.randrange(4))]
        values = [self.amount() for _ in range(self.rng.randrange(4))]
        return self.one(
            "erc1155_transfer_batch",
            self.token(), operator=self.who(), from_=self.who(), to_=self.who(), ids=ids, values=values,
        )  # fmt: skip

    def cut(self):
        changes = [
            {
                "facetAddress": hexed(self.rng.choice((*FACETS, *FACETS, ZERO))),
                "action": self.rng.randrange(3),
                "functionSelectors": [hexed(s) for s in self.rng.choices(SELECTORS, k=self.rng.randrange(5))],
            }
            for _ in range(self.rng.randrange(4))
        ]
        calldata = self.rng.choice((b"", b"\x01\x02"))
        return self.one(
            "diamond_cut", self.rng.choice(DIAMONDS), diamond_cut=changes, init=self.who(), calldata=calldata
        )

    def owner(self):
        values = {"previous_owner": self.who(), "new_owner": self.who()}
        return self.one("ownable_ownership_transferred", self.rng.choice((*DIAMONDS, TOKENS[0])), **values)

    def created(self):
        name = f"name {self.rng.randrange(9)}"
        return self.one(
            "diamond_factory_diamond_created",
            PEOPLE[0], factory=self.who(), diamond=self.rng.choice(DIAMONDS), symbol_hash=bytes(32),
            settings={"owner": hexed(PEOPLE[0]), "name": name, "symbol": name[-1]},
        )  # fmt: skip

    def proposed(self):
        return self.one(
            "diamond_timelock_diamond_cut_proposed",
            self.rng.choice(DIAMONDS), proposer=self.who(), proposal_time=Decimal(1), execution_time=self.amount(),
        )  # fmt: skip

    def cancelled(self):
        return self.one(
            "diamond_timelock_diamond_cut_cancelled", self.rng.choice(DIAMONDS), canceller=self.who()
        )


# -- what must come out ------------------------------------------------------------------------------------------------


KEYS = {
    "erc20_balance": ("token", "holder"),
    "erc20_supply": ("token",),
    "erc20_allowance": ("token", "owner", "spender"),
    "erc1155_balance": ("contract", "token_id", "holder"),
    "nft": ("contract", "token_id"),
    "nft_unexpanded": ("contract", "block_number", "log_index"),
    "nft_operator": ("contract", "owner", "operator"),
    "diamond": ("diamond",),
    "diamond_cut": ("block_number", "log_index", "position"),
    "diamond_selector": ("diamond", "selector", "added_block", "added_log_index"),
}


def abi_of(served):
    """The rule in words: most of the selectors, at least half of them, then fewest functions, then the name."""
    ranked = sorted(
        (-len(served & set(abi)), len(abi), name) for name, abi in ABIS.items() if served & set(abi)
    )
    return ranked[0][2] if ranked and -ranked[0][0] * 2 >= len(served) else None


def hold(found, history):
    told = TokenFold(history.blocks, NOW, history.seeds).tables
    assert told.keys() == KEYS.keys()
    for name, keys in KEYS.items():
        assert_rows(
            found,
            name,
            keys,
            told[name],
            without=("abi", "updated_block") if name == "diamond_selector" else (),
        )
    active = [row for row in found.records("diamond_selector") if row["removed_block"] is None]
    served = defaultdict(set)
    for row in active:
        served[row["diamond"], row["facet"]].add(row["selector"])
    for row in active:
        assert row["abi"] == abi_of(served[row["diamond"], row["facet"]])


# -- histories ---------------------------------------------------------------------------------------------------------


class SeededHistory(History):
    """A history in which now and then a diamond's loupe was read."""

    def __init__(self, ledger, seed):
        super().__init__(ledger, Speaker(Said, random.Random(seed), endless=seed % 100 == 3))
        self.seeds = (
            {(3, DIAMONDS[2]): {SELECTORS[0]: FACETS[0], SELECTORS[1]: FACETS[0]}} if seed % 3 == 0 else {}
        )

    async def plant(self, ledger):
        for (number, diamond), served in self.seeds.items():
            for selector, facet in served.items():
                await ledger.connection.execute(
                    "INSERT INTO sync.diamond_seed VALUES ($1, $2, $3, $4, $5)",
                    ledger.chain_id,
                    diamond,
                    number,
                    facet,
                    selector,
                )


async def plant_abis(connection):
    await connection.execute("DELETE FROM sync.abi_selector")
    pairs = [(abi, selector) for abi, served in ABIS.items() for selector in served]
    await connection.executemany("INSERT INTO sync.abi_selector (abi, selector) VALUES ($1, $2)", pairs)


LAW = Law(
    names=frozenset(
        {"erc20_balance", "erc20_supply", "erc20_allowance", "erc1155_balance", "nft", "nft_operator"}
        | {"diamond", "diamond_cut", "diamond_selector"}
    ),
    begin=SeededHistory,
    check=hold,
    prepare=plant_abis,
    elsewhere=frozenset({"state.carbon_credit", "state.carbon_retirement"}),
)


@pytest.mark.parametrize("seeds", SHORT)
def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass(event_url, seeds):
    LAW.hold(event_url, seeds)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seeds", LONG)
def test_any_split_with_any_reorgs_ends_in_the_rows_of_one_pass_many_times(event_url, seeds):
    LAW.hold(event_url, seeds)
