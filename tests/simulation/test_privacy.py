"""Privacy switches: what is to be hidden is nowhere in the database, whatever the chain and the operator do to it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import asyncpg
import pytest
import world
from eth_abi.abi import encode
from eth_hash.auto import keccak
from pydantic import SecretStr

from indexer import app
from indexer.config import ContractSettings, PrivacySettings, Settings
from indexer.testing.chain import LogSpec, MemoryChain

SECRET = "a secret of the operator"
IDENTITY = bytes.fromhex("1d" * 20)
REGISTRY = bytes.fromhex("dd" * 20)
PLAIN = bytes.fromhex("ee" * 20)
ISSUER = bytes.fromhex("15" * 20)

DATA = b"passport no. 7731"
SIGNATURE = b"a signature of sixty-five bytes, or so they say; it is one of us."
URI = "https://claims.example/alice"
VALUE = "alice@example.org"
ATTRIBUTE = "born 1 January 1970"
OPEN = "a colour anybody may know"
ALL_OF = (DATA, SIGNATURE, URI.encode(), VALUE.encode(), ATTRIBUTE.encode())


def said(address: bytes, signature: str, topics: list[bytes], types: list[str], values: list[Any]) -> LogSpec:
    return address, [keccak(signature.encode()), *topics], encode(types, values)


def claim(name: str, address: bytes = IDENTITY, extra: bytes = b"") -> LogSpec:
    signature = f"{name}(bytes32,uint256,uint256,address,bytes,bytes,string)"
    topics = [world.word(1), world.word(7), world.word(ISSUER)]
    where, found, data = said(
        address, signature, topics, ["uint256", "bytes", "bytes", "string"], [1, SIGNATURE, DATA, URI]
    )
    return where, found, extra + data


def attribute_set(address: bytes) -> LogSpec:
    return said(
        address, "AttributeSet(string,uint8,string)", [], ["string", "uint8", "string"], ["mail", 0, VALUE]
    )


def minted(token: int) -> LogSpec:
    return said(
        REGISTRY,
        "GemforceMinted(uint256,address,(string,uint8,string)[])",
        [world.word(token), world.word(ISSUER)],
        ["(string,uint8,string)[]"],
        [[("birth", 0, ATTRIBUTE), ("colour", 0, OPEN)]],
    )


def metadata(token: int) -> LogSpec:
    return said(
        REGISTRY,
        "TokenMetadataSet(uint256,string,(string,uint8,string))",
        [world.word(token)],
        ["string", "(string,uint8,string)"],
        ["birth", ("birth", 0, ATTRIBUTE)],
    )


def everything() -> list[LogSpec]:
    """Every way in which the private texts reach a log, decodable and not."""
    signature = "ClaimAdded(address,address,uint256,bytes)"
    registry = said(
        REGISTRY, signature, [world.word(IDENTITY), world.word(7)], ["address", "bytes"], [ISSUER, DATA]
    )
    older = said(
        REGISTRY,
        "ClaimAdded(address,uint256,bytes)",
        [world.word(IDENTITY), world.word(8)],
        ["bytes"],
        [DATA],
    )
    executed = said(
        IDENTITY,
        "Executed(uint256,address,uint256,bytes)",
        [world.word(1), world.word(ISSUER), world.word(0)],
        ["bytes"],
        [b"addClaim" + DATA + SIGNATURE],
    )
    revoked = (IDENTITY, [keccak(b"ClaimRevoked(bytes)"), keccak(SIGNATURE)], b"")
    return [
        claim("ClaimAdded"),
        claim("ClaimChanged"),
        claim("ClaimAdded", extra=b"\xff" * 32),
        attribute_set(IDENTITY),
        attribute_set(PLAIN),
        registry,
        older,
        executed,
        revoked,
        minted(1),
        metadata(1),
    ]


def configured(url: str, mode: str, **changes: Any) -> Settings:
    gemforce = ("gemforce/identity_registry", "gemforce/minter", "gemforce/metadata", "erc721")
    contracts = {
        "identity": ContractSettings(
            chain="test", address=(IDENTITY,), abi=("erc734", "erc735", "gemforce/identity")
        ),
        "registry": ContractSettings(chain="test", address=(REGISTRY,), abi=gemforce),
        "plain": ContractSettings(chain="test", address=(PLAIN,), abi=changes.pop("plain", ("erc20",))),
    }
    privacy = PrivacySettings(
        secret=SecretStr(SECRET),
        claim_data=mode,
        claim_signatures=mode,
        claim_uris=mode,
        identity_attributes=mode,
        token_attributes=mode,
        token_attribute_keys=("birth",),
    )
    return world.settings(url, contracts).model_copy(update={"privacy": privacy, **changes})


async def places_of(url: str, needle: bytes) -> list[str]:
    """Tables in which a text stands, as text, as bytea, or as bytes in jsonb."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        assert len(tables) > 100
        found = []
        for schema, table in tables:
            held = await connection.fetchval(
                f'SELECT count(*) FROM "{schema}"."{table}" AS held '
                "WHERE position($1 IN held::text) > 0 OR position($2 IN held::text) > 0",
                needle.decode("latin1"),
                needle.hex(),
            )
            if held:
                found.append(f"{schema}.{table}")
        return found
    finally:
        await connection.close()


async def value(url: str, query: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def lived(url: str, mode: str) -> MemoryChain:
    """A chain that says everything below finality and above it, and a reorg of what is above."""
    chain = MemoryChain(finalized_depth=5)
    chain.mine(everything())
    chain.mine_empty(10)
    chain.mine(everything())
    await world.run(configured(url, mode), chain)
    chain.fork(2, [everything(), [], everything()])
    await world.run(configured(url, mode), chain)
    return chain


async def test_without_switches_the_texts_are_found(event_url: str) -> None:
    await lived(event_url, "keep")
    for text in ALL_OF:
        assert await places_of(event_url, text), text
    assert "sync.orphan" in await places_of(event_url, DATA)
    assert "event.undecoded" in await places_of(event_url, DATA)


@pytest.mark.parametrize("mode", ["hash", "drop"])
async def test_with_switches_they_are_nowhere_also_after_reorgs_and_redecode(
    event_url: str, mode: str
) -> None:
    await lived(event_url, mode)
    assert await value(event_url, "SELECT count(*) FROM sync.orphan") > 8
    assert await value(event_url, "SELECT count(*) FROM event.undecoded WHERE reason = 'unknown_topic'") == 3
    known = configured(event_url, mode, plain=("gemforce/identity",))
    await app.redecode(known)
    await app.rebuild(known)
    for text in (*ALL_OF, keccak(SIGNATURE)):
        assert await places_of(event_url, text) == [], text
    assert await places_of(event_url, OPEN.encode())
    assert await value(event_url, "SELECT count(*) FROM event.erc735_claim_added") == 3
    assert await value(event_url, "SELECT count(*) FROM event.identity_attribute_set") == 3


async def test_a_hash_is_keyed_and_equal_values_stay_equal(event_url: str) -> None:
    await lived(event_url, "hash")
    wanted = hmac.digest(SECRET.encode(), DATA, hashlib.sha256)
    for table, column in (
        ("erc735_claim_added", "data"),
        ("erc735_claim_changed", "data"),
        ("identity_registry_claim_added", "claim"),
        ("identity_registry_claim_added_a1a7a6cf", "claim"),
    ):
        assert await value(event_url, f"SELECT min({column}) FROM event.{table}") == wanted, table
        assert await value(event_url, f"SELECT max({column}) FROM event.{table}") == wanted, table
    mail = hmac.digest(SECRET.encode(), VALUE.encode(), hashlib.sha256).hex()
    assert await value(event_url, "SELECT max(value) FROM state.identity_attribute") == f"hmac:{mail}"
    birth = hmac.digest(SECRET.encode(), ATTRIBUTE.encode(), hashlib.sha256).hex()
    kept = "SELECT attributes->{}->>'value' FROM event.minter_gemforce_minted"
    assert await value(event_url, kept.format(0)) == f"hmac:{birth}"
    assert await value(event_url, kept.format(1)) == OPEN


async def test_dropped_values_are_null_and_the_rest_of_the_row_stays(event_url: str) -> None:
    await lived(event_url, "drop")
    query = "SELECT count(*) FROM event.erc735_claim_added WHERE signature IS NULL AND data IS NULL AND uri IS NULL"
    assert await value(event_url, query) == 3
    assert await value(event_url, "SELECT min(topic) FROM event.erc735_claim_added") == 7
    assert await value(event_url, "SELECT count(*) FROM state.identity_attribute WHERE value IS NULL") == 1


async def test_a_users_abi_with_names_of_its_own_is_hidden_too(event_url: str, tmp_path) -> None:
    (tmp_path / "mine.json").write_text(
        '[{"type": "event", "name": "AttributeSet", "inputs": ['
        '{"name": "a", "type": "string"}, {"name": "b", "type": "uint8"}, {"name": "c", "type": "string"}]}]'
    )
    chain = MemoryChain(finalized_depth=2)
    chain.mine([attribute_set(PLAIN)])
    chain.mine_empty(4)
    settings = configured(event_url, "drop", plain=(str(tmp_path / "mine.json"),))
    await world.run(settings, chain)
    assert await value(event_url, "SELECT a FROM event.mine_attribute_set") == "mail"
    assert await places_of(event_url, VALUE.encode()) == []
