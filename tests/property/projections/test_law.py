"""The law of projections: any split into commits, with any reorgs between, ends in the rows of one pass.

Random histories: a backfill in random steps, then commits of random ranges with reorgs of random depth (other events on each
branch), finality moving up, the projections let trail and catch up. The end is held against one pass over the canonical events,
and against folds written here in a few lines of Python that share nothing with the SQL.
"""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal

import pytest
from ledger import Said
from projection_law import LONG, SHORT, History, Law

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

    def approval20(self):
        return self.one(
            "erc20_approval", self.token(), owner=self.who(), spender=self.who(), value=self.amount()
        )

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
        approved = self.rng.random() < 0.5
        return self.one(table, self.token(), owner=self.who(), operator=self.who(), approved=approved)

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


# -- the folds in Python -----------------------------------------------------------------------------------------------


def events(blocks, *tables):
    for number in sorted(blocks):
        for place, event in enumerate(blocks[number]):
            if event.table in tables:
                yield number, place, event.address, event.values


def balances20(blocks):
    held: dict[tuple, int] = defaultdict(int)
    for _, _, token, v in events(blocks, "erc20_transfer"):
        for who, sign in ((v["from_"], -1), (v["to_"], 1)):
            if who != ZERO:
                held[token, who] += sign * int(v["value"])
    return dict(held)


def supplies20(blocks):
    supply: dict[bytes, int] = defaultdict(int)
    for _, _, token, v in events(blocks, "erc20_transfer"):
        if ZERO in (v["from_"], v["to_"]):
            supply[token] += int(v["value"]) * ((v["from_"] == ZERO) - (v["to_"] == ZERO))
    return dict(supply)


def balances1155(blocks):
    held: dict[tuple, int] = defaultdict(int)
    for _, _, token, v in events(blocks, "erc1155_transfer_single", "erc1155_transfer_batch"):
        pairs = [(v["id"], v["value"])] if "id" in v else zip(v["ids"], v["values"], strict=False)
        for token_id, value in pairs:
            for who, sign in ((v["from_"], -1), (v["to_"], 1)):
                if who != ZERO:
                    held[token, token_id, who] += sign * int(value)
    return dict(held)


def nfts(blocks):
    owners: dict[tuple, bytes] = {}
    approved: dict[tuple, bytes] = {}
    tables = ("erc721_transfer", "erc2309_consecutive_transfer", "erc721_approval")
    for _, _, token, v in events(blocks, *tables):
        if "approved" in v:
            approved[token, v["token_id"]] = v["approved"]
            continue
        first = v.get("token_id", v.get("from_token_id"))
        last = min(v.get("token_id", v.get("to_token_id")), first + 9999)
        for token_id in range(int(first), int(last) + 1):
            owners[token, Decimal(token_id)] = v["to_"]
            approved[token, Decimal(token_id)] = ZERO
    return {
        key: (owner if owner != ZERO else None, approved[key] if approved[key] != ZERO else None)
        for key, owner in owners.items()
    }


def selectors(blocks, seeds):
    serving: dict[tuple, tuple] = {}
    spoken = [(number, place, a, v) for number, place, a, v in events(blocks, "diamond_cut")]
    spoken += [(number, -1, diamond, None) for number, diamond in seeds if number in blocks]
    for number, place, diamond, v in sorted(spoken, key=lambda item: item[:2]):
        if v is None:
            serving.update({(diamond, s): (f, number, -1) for s, f in seeds[number, diamond].items()})
            continue
        for change in v["diamond_cut"]:
            for text in change["functionSelectors"]:
                facet = bytes.fromhex(change["facetAddress"][2:])
                key = (diamond, bytes.fromhex(text[2:]))
                serving.pop(key, None)
                if change["action"] != 2 and facet != ZERO:
                    serving[key] = (facet, number, place)
    return serving


def abi_of(served):
    """The rule in words: most of the selectors, at least half of them, then fewest functions, then the name."""
    ranked = sorted(
        (-len(served & set(abi)), len(abi), name) for name, abi in ABIS.items() if served & set(abi)
    )
    return ranked[0][2] if ranked and -ranked[0][0] * 2 >= len(served) else None


def hold(held, history):
    blocks, seeds = history.blocks, history.seeds

    def table(name, keys, *values):
        rows = held.rows(name, *keys, *values)
        return {row[: len(keys)] if len(keys) > 1 else row[0]: row[len(keys) :] for row in rows}

    def whole(rows):
        return {key: int(row[0]) for key, row in rows.items()}

    assert whole(table("erc20_balance", ("token", "holder"), "balance")) == balances20(blocks)
    assert whole(table("erc20_supply", ("token",), "supply")) == supplies20(blocks)
    assert whole(table("erc1155_balance", ("contract", "token_id", "holder"), "balance")) == balances1155(
        blocks
    )
    assert table("nft", ("contract", "token_id"), "owner", "approved") == nfts(blocks)
    serving = selectors(blocks, seeds)
    columns = ("diamond", "selector", "facet", "abi", "added_block", "added_log_index", "removed_block")
    active = [row for row in held.rows("diamond_selector", *columns) if row[-1] is None]
    assert {row[:2]: (row[2], row[4], row[5]) for row in active} == serving
    for diamond, _, facet, abi, *_ in active:
        assert abi == abi_of(
            {key[1] for key, value in serving.items() if key[0] == diamond and value[0] == facet}
        )


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
