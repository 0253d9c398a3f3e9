"""A chain in memory, a configuration and a real database: what the simulation's tests drive and hold against each other.

What has to be in the tables is computed here by an independent fold over the canonical chain; nothing of it uses the engine.
"""

from __future__ import annotations

import dataclasses
import hashlib
import random
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from indexer import app
from indexer.config import ChainSettings, ContractSettings, DatabaseSettings, DiscoverSettings, Settings
from indexer.testing.chain import LogSpec, MemoryChain
from indexer.testing.client import Hook, MemoryClient

TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
IDENTITY_CREATED = bytes.fromhex("45afe31e3a48a54e27da1d1f2ec6c6e272ce5838616e0d61071b223bceb5c690")
KEY_ADDED = bytes.fromhex("480000bb1edad8ca1470381cc334b1917fbd51c6531f3a623ea8e0ec7e38a6e9")

TOKEN = bytes.fromhex("aa" * 20)
NFT = bytes.fromhex("bb" * 20)
FACTORY = bytes.fromhex("cc" * 20)
ZERO = bytes(20)


def word(value: int | bytes) -> bytes:
    """32 bytes, big-endian, left-padded."""
    return value.rjust(32, b"\0") if isinstance(value, bytes) else value.to_bytes(32, "big")


def account(number: int) -> bytes:
    """A well-mixed address."""
    return hashlib.sha256(b"account%d" % number).digest()[:20]


def erc20_transfer(sender: bytes, receiver: bytes, value: int, token: bytes = TOKEN) -> LogSpec:
    return token, [TRANSFER, word(sender), word(receiver)], word(value)


def erc721_transfer(sender: bytes, receiver: bytes, token_id: int) -> LogSpec:
    return NFT, [TRANSFER, word(sender), word(receiver), word(token_id)], b""


def identity_created(owner: bytes, identity: bytes) -> LogSpec:
    return FACTORY, [IDENTITY_CREATED, word(owner), word(identity)], b""


def key_added(identity: bytes, key: int) -> LogSpec:
    return identity, [KEY_ADDED, word(key), word(1), word(1)], b""


def random_logs(rng: random.Random, most: int = 4) -> list[LogSpec]:
    """Logs of one block: transfers, mints, burns, NFTs, identities that announce and speak in the same block."""
    logs: list[LogSpec] = []
    for _ in range(rng.randrange(most + 1)):
        kind = rng.randrange(10)
        if kind < 5:
            sender = ZERO if rng.random() < 0.3 else account(rng.randrange(5))
            receiver = ZERO if rng.random() < 0.1 else account(rng.randrange(5))
            logs.append(erc20_transfer(sender, receiver, rng.randrange(1, 1000)))
        elif kind < 7:
            logs.append(
                erc721_transfer(account(rng.randrange(3)), account(rng.randrange(4)), rng.randrange(5))
            )
        elif kind < 9:
            identity = account(100 + rng.randrange(6))
            if rng.random() < 0.5:
                logs.append(key_added(identity, rng.randrange(100)))
            logs.append(identity_created(account(rng.randrange(5)), identity))
        else:
            logs.append(key_added(account(100 + rng.randrange(6)), rng.randrange(100)))
    return logs


def contracts(*, discover: bool = True) -> dict[str, ContractSettings]:
    chosen = {
        "token": ContractSettings(chain="test", address=(TOKEN,), abi=("erc20",)),
        "nft": ContractSettings(chain="test", address=(NFT,), abi=("erc721",)),
        "factory": ContractSettings(chain="test", address=(FACTORY,), abi=("gemforce/identity_factory",)),
    }
    if discover:
        chosen["identities"] = ContractSettings(
            chain="test",
            abi=("erc734", "erc735"),
            discover=(DiscoverSettings(contract="factory", event="IdentityCreated", parameter="identity"),),
        )
    return chosen


def settings(url: str, sections: dict[str, ContractSettings] | None = None, **chain: object) -> Settings:
    """A configuration for the chain in memory on the database at ``url``."""
    return Settings(
        path=Path("indexer.toml"),
        database=DatabaseSettings(url=SecretStr(url)),
        chains={
            "test": ChainSettings(
                chain_id=31337, rpc=(SecretStr("http://memory"),), poll_seconds=0.05, **chain
            )
        },
        contracts=contracts() if sections is None else sections,
    )


async def run(
    configured: Settings,
    chain: MemoryChain,
    *,
    until: str | int = "head",
    hook: Hook | None = None,
    second: MemoryChain | None = None,
    range_blocks: int = 1000,
    patience: float = 20.0,
) -> None:
    """Run the daemon over the chain until its goal."""
    await app.run(
        configured,
        until=until,
        timeout=patience,
        serve_http=False,
        handle_signals=False,
        client_factory=lambda _name, _settings: MemoryClient(
            chain, hook=hook, second=second, range_blocks=range_blocks
        ),
    )


@dataclasses.dataclass
class Expected:
    """What must be in the tables after the canonical chain up to a block."""

    erc20: list[tuple]
    erc721: list[tuple]
    created: list[tuple]
    keys: list[tuple]
    balances: dict[bytes, int]
    supply: int
    owners: dict[int, bytes | None]


def expected(chain: MemoryChain, upto: int | None = None, start: int = 0) -> Expected:
    """Fold the canonical chain by hand."""
    found = Expected([], [], [], [], {}, 0, {})
    members: dict[bytes, int] = {}
    blocks = [
        block for block in chain.blocks if start <= block.number and (upto is None or block.number <= upto)
    ]
    for block in blocks:
        for log in block.logs:
            if log.address == FACTORY:
                members.setdefault(log.topics[2][12:], block.number)
        for log in block.logs:
            place = (block.number, block.hash, log.log_index)
            if log.address == TOKEN:
                sender, receiver, value = (
                    log.topics[1][12:],
                    log.topics[2][12:],
                    int.from_bytes(log.data, "big"),
                )
                found.erc20.append((*place, sender, receiver, value))
                for holder, change in ((sender, -value), (receiver, value)):
                    if holder == ZERO:
                        found.supply -= change
                    else:
                        found.balances[holder] = found.balances.get(holder, 0) + change
            elif log.address == NFT:
                receiver, token = log.topics[2][12:], int.from_bytes(log.topics[3], "big")
                found.erc721.append((*place, log.topics[1][12:], receiver, token))
                found.owners[token] = None if receiver == ZERO else receiver
            elif log.address == FACTORY:
                found.created.append((*place, log.topics[1][12:], log.topics[2][12:]))
            elif log.address in members and members[log.address] <= block.number:
                found.keys.append((*place, log.address, log.topics[1]))
    return found


async def actual(url: str, chain_id: int = 31337) -> Expected:
    """The same, read from the database."""
    connection = await asyncpg.connect(url)
    try:
        return await read(connection, chain_id)
    finally:
        await connection.close()


async def read(connection: asyncpg.Connection, chain_id: int) -> Expected:
    """What the database holds of a chain, as this connection (or its transaction) sees it."""
    place = "block_number, block_hash, log_index"
    order = "ORDER BY block_number, log_index"

    async def rows(columns: str, table: str) -> list[tuple]:
        return [
            tuple(row)
            for row in await connection.fetch(
                f"SELECT {place}, {columns} FROM event.{table} WHERE chain_id = $1 {order}", chain_id
            )
        ]

    balances = await connection.fetch(
        "SELECT holder, balance FROM state.erc20_balance WHERE token = $1 AND chain_id = $2",
        TOKEN,
        chain_id,
    )
    supply = await connection.fetchval(
        "SELECT supply FROM state.erc20_supply WHERE token = $1 AND chain_id = $2", TOKEN, chain_id
    )
    owners = await connection.fetch(
        "SELECT token_id, owner FROM state.nft WHERE contract = $1 AND chain_id = $2", NFT, chain_id
    )
    return Expected(
        [(*row[:-1], int(row[-1])) for row in await rows("from_, to_, value", "erc20_transfer")],
        [(*row[:-1], int(row[-1])) for row in await rows("from_, to_, token_id", "erc721_transfer")],
        await rows("owner, identity", "identity_factory_identity_created"),
        await rows("address, key", "erc734_key_added"),
        {row["holder"]: int(row["balance"]) for row in balances},
        int(supply or 0),
        {int(row["token_id"]): row["owner"] for row in owners},
    )


async def check(
    url: str, chain: MemoryChain, upto: int | None = None, start: int = 0, *, chain_id: int = 31337
) -> None:
    """Assert that the database holds exactly what the canonical chain says up to ``upto``."""
    want, have = expected(chain, upto, start), await actual(url, chain_id)
    for name in ("erc20", "erc721", "created", "keys", "balances", "supply", "owners"):
        assert getattr(have, name) == getattr(want, name), name
    await check_books(url, chain, upto, chain_id=chain_id)


async def check_books(
    url: str, chain: MemoryChain, upto: int | None = None, *, chain_id: int = 31337
) -> None:
    """Assert that cursor and links are the chain's."""
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow(
            "SELECT tip_number, tip_hash FROM sync.chain WHERE chain_id = $1", chain_id
        )
        tip = chain.head if upto is None else chain.blocks[upto].header
        assert (row["tip_number"], row["tip_hash"]) == (tip.number, tip.hash)
        links = await connection.fetch(
            "SELECT number, hash, parent_hash FROM sync.block WHERE chain_id = $1 ORDER BY number", chain_id
        )
        for link in links:
            assert chain.blocks[link["number"]].hash == link["hash"]
        assert links[-1]["number"] == tip.number
    finally:
        await connection.close()
