"""What a fold asks Keccak of is hashed ahead where it is a lot, with the same outcome."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from eth_hash.auto import keccak

from indexer.projections.hashing import FEWEST, TOGETHER

IDENTITY, ISSUER = b"\x1d" * 20, b"\x71" * 20
SHOUT = """CREATE OR REPLACE FUNCTION sync.keccak256(message bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT
AS $$ BEGIN RAISE 'hashed by the database'; END $$"""


def claims(said, data: list[bytes]):
    """A claim with each of these data."""
    return [
        said(
            "erc735_claim_added", IDENTITY,
            {"claim_id": number.to_bytes(32, "big"), "topic": Decimal(1), "scheme": Decimal(1), "issuer": ISSUER,
             "signature": b"", "data": one, "uri": ""},
        )
        for number, one in enumerate(data)
    ]  # fmt: skip


def some(count: int) -> list[bytes]:
    """Data of all lengths that matter, the same again now and then."""
    rng = random.Random(7)
    lengths = (0, 1, 32, 135, 136, 137, 271, 272, 500)
    return [rng.randbytes(lengths[n % 9]) if n % 11 else b"the same" for n in range(count)]


async def hashes(ledger) -> list[bytes]:
    rows = await ledger.rows("identity_claim", "claim_id", "data_hash")
    return [digest for _, digest in rows]


@pytest.mark.parametrize("count", [1, FEWEST - 1, FEWEST, TOGETHER + 3])
async def test_few_and_many_have_their_hashes_and_nothing_is_left_behind(ledger, said, count):
    data = some(count)
    await ledger.tell(claims(said, data))
    assert await hashes(ledger) == [keccak(one) for one in data]
    assert await ledger.connection.fetchval("SELECT count(*) FROM sync.hashed") == 0


@pytest.mark.parametrize("count", [FEWEST, TOGETHER + 3])
async def test_the_database_hashes_nothing_of_what_was_told_ahead(ledger, said, count):
    await ledger.connection.execute(SHOUT)
    data = some(count)
    await ledger.tell(claims(said, data))
    assert await hashes(ledger) == [keccak(one) for one in data]


async def test_a_fold_that_fails_leaves_nothing_behind(ledger, said):
    await ledger.say(1, claims(said, some(FEWEST)))
    await ledger.ends(1, -1)
    await ledger.connection.execute("ALTER TABLE state.identity_claim ADD CHECK (uri <> '')")
    with pytest.raises(Exception, match="identity_claim"):
        await ledger.fold(0, 1, journal=False)
    assert await ledger.connection.fetchval("SELECT count(*) FROM sync.hashed") == 0


async def test_a_rebuild_hashes_ahead_too(ledger, said, pool):
    data = some(FEWEST + 5)
    await ledger.tell(claims(said, data))
    await ledger.connection.execute("UPDATE state.identity_claim SET data_hash = NULL")
    await ledger.connection.execute(SHOUT)
    await ledger.projections.rebuild(pool, ["identity_claim"], chain_id=1)
    assert await hashes(ledger) == [keccak(one) for one in data]
