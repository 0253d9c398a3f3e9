"""As of any block the functions say what state said when that block was the newest."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import asyncpg
import pytest
from analytics_world import ZERO, Said, fold, nft, open_chain, said, say, transfer

from indexer.store.connect import connect

PEOPLE = tuple(bytes([number]) * 20 for number in range(1, 5))
TOKEN, MULTI, DIAMOND, RANGED = (bytes([number]) * 20 for number in (0x20, 0x21, 0x22, 0x23))

STATE = {
    "erc20": "SELECT analytics.hex(holder), balance FROM state.erc20_balance WHERE chain_id = $1 AND token = $2",
    "nft": "SELECT token_id, analytics.hex(owner) FROM state.nft WHERE chain_id = $1 AND contract = $2 AND owner IS NOT NULL",
    "erc1155": """SELECT token_id, analytics.hex(holder), balance FROM state.erc1155_balance
        WHERE chain_id = $1 AND contract = $2""",
    "carbon": """SELECT token_id, remaining, total_initialized, total_retired, analytics.hex(owner) FROM state.carbon_credit
        WHERE chain_id = $1 AND contract = $2""",
    "listing": """SELECT token_id, analytics.hex(seller), price, analytics.hex(payment_token), opened_block, opened_log_index
        FROM state.listing WHERE chain_id = $1 AND diamond = $2 AND status = 'open'""",
}
AS_OF = {
    "erc20": "SELECT * FROM analytics.erc20_balances_as_of($1, analytics.hex($2::bytea), $3)",
    "nft": "SELECT * FROM analytics.nft_owners_as_of($1, analytics.hex($2::bytea), $3)",
    "erc1155": "SELECT * FROM analytics.erc1155_balances_as_of($1, analytics.hex($2::bytea), $3)",
    "carbon": "SELECT * FROM analytics.carbon_credits_as_of($1, analytics.hex($2::bytea), $3)",
    "listing": "SELECT * FROM analytics.open_listings_as_of($1, analytics.hex($2::bytea), $3)",
}
SUBJECTS = {
    "erc20": (TOKEN,),
    "nft": (DIAMOND, RANGED),
    "erc1155": (MULTI,),
    "carbon": (DIAMOND,),
    "listing": (DIAMOND,),
}


class Speaker:
    """Random blocks of few accounts and tokens."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def block(self) -> list[Said]:
        return [self.one() for _ in range(self.rng.randrange(5))]

    def one(self) -> Said:
        rng = self.rng
        ends = rng.choice([*PEOPLE, ZERO]), rng.choice([*PEOPLE, ZERO])
        some = rng.randrange(3)
        amount = rng.randrange(1, 100)
        ids = [rng.randrange(3) for _ in range(rng.randrange(4))]
        first = rng.randrange(5)
        return rng.choice(
            [
                transfer(0, *ends, amount, TOKEN),
                nft(0, *ends, some, DIAMOND),
                nft(0, *ends, rng.randrange(10), RANGED),
                said("erc2309_consecutive_transfer", RANGED, from_token_id=first, to_token_id=first + 4, from_=ZERO, to_=ends[1]),
                said("erc1155_transfer_single", MULTI, operator=ZERO, from_=ends[0], to_=ends[1], id=some, value=amount),
                said("erc1155_transfer_batch", MULTI, operator=ZERO, from_=ends[0], to_=ends[1], ids=ids,
                     values=[amount + place for place in range(len(ids))]),
                said("carbon_credits_initialized", DIAMOND, token_id=some, initial_balance=amount),
                said("carbon_credits_retired", DIAMOND, token_id=some, amount=amount, remaining_balance=rng.randrange(100)),
                said("marketplace_listings", DIAMOND, nft_contract=DIAMOND, token_id=some, seller=ends[0], receiver=ends[0],
                     owner=ZERO, price=amount, sold=False, payment_token=rng.choice([TOKEN, ZERO])),
                said("marketplace_sales", DIAMOND, token_address=DIAMOND, token_id=some, owner=ends[1]),
                said("marketplace_delisted", DIAMOND, item_id=some),
            ]
        )  # fmt: skip


@pytest.fixture
async def writer(views_url: str) -> AsyncIterator[asyncpg.Connection]:
    made = await connect(views_url)
    yield made
    await made.close()


async def rows(connection, query, *arguments):
    return sorted((tuple(row) for row in await connection.fetch(query, *arguments)), key=repr)


async def snapshot(connection, chain):
    return {
        (name, subject): await rows(connection, STATE[name], chain, subject)
        for name, subjects in SUBJECTS.items()
        for subject in subjects
    }


@pytest.mark.parametrize("seed", range(6))
async def test_every_past_block_is_as_state_was_then(writer, seed):
    chain, speaker = 100 + seed, Speaker(random.Random(seed))
    await open_chain(writer, 30, chain)
    then = {}
    for number in range(30):
        await say(writer, number, speaker.block(), chain)
        await fold(writer, number, number, chain)
        then[number] = await snapshot(writer, chain)
    assert all(any(told[key] for told in then.values()) for key in then[0])
    for number, told in then.items():
        for (name, subject), expected in told.items():
            assert await rows(writer, AS_OF[name], chain, subject, number) == expected, (name, number)
    for number in (5, 17, 29):
        balances = dict(then[number]["erc20", TOKEN])
        owners = dict(then[number]["nft", DIAMOND])
        for person in PEOPLE:
            shown = "0X" + person.hex().upper()
            assert await writer.fetchval(
                "SELECT analytics.erc20_balance_as_of($1, analytics.hex($2::bytea), $3, $4)",
                chain,
                TOKEN,
                shown,
                number,
            ) == balances.get("0x" + person.hex(), 0)
        for token_id in range(3):
            assert await writer.fetchval(
                "SELECT analytics.nft_owner_as_of($1, analytics.hex($2::bytea), $3, $4)",
                chain,
                DIAMOND,
                token_id,
                number,
            ) == owners.get(token_id)
