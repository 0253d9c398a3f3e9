"""What is asked for, and whose it is: discovery in all its forms, late sources, wildcards, several chains, raw logs."""

from __future__ import annotations

import json
from pathlib import Path

import asyncpg
import pytest
import world
from eth_hash.auto import keccak

from indexer import app
from indexer.config import ContractSettings, DiscoverSettings, Settings
from indexer.errors import FinalizedReorg
from indexer.testing.chain import LogSpec, MemoryChain
from indexer.testing.client import MemoryClient

OWNER = world.account(1)
IDENTITY_CREATED = "gemforce/identity_factory"


async def fetch(url: str, query: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


def identities(since: str = "announcement", **more: object) -> ContractSettings:
    rule = DiscoverSettings(contract="factory", event="IdentityCreated", parameter="identity", since=since)
    return ContractSettings(chain="test", abi=("erc734",), discover=(rule,), **more)


def factory() -> ContractSettings:
    return ContractSettings(chain="test", address=(world.FACTORY,), abi=(IDENTITY_CREATED,))


async def keys(url: str) -> list[tuple[int, bytes]]:
    rows = await fetch(
        url, "SELECT block_number, address FROM event.erc734_key_added ORDER BY block_number, log_index"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("members", [30, 900])
async def test_thousands_of_members_are_filtered_here_as_few_are_at_the_node(
    event_url: str, members: int
) -> None:
    chain = MemoryChain(finalized_depth=20)
    want = []
    known = [world.account(1000 + number) for number in range(members)]
    for start in range(0, members, 30):
        chain.mine([world.identity_created(OWNER, one) for one in known[start : start + 30]])
        stranger = world.account(50_000 + start)
        speaking = [*known[max(0, start - 2) : start + 1], stranger]
        chain.mine([world.key_added(one, start) for one in speaking])
        want += [(chain.head.number, one) for one in speaking[:-1]]
    chain.mine_empty(30)
    await world.run(
        world.settings(event_url, {"factory": factory(), "identities": identities()}), chain, range_blocks=13
    )
    assert await keys(event_url) == want


async def test_members_announce_members_in_the_same_block(event_url: str) -> None:
    chain = MemoryChain(finalized_depth=5)
    first, second, third = (world.account(number) for number in (201, 202, 203))

    def announced_by(emitter: bytes, identity: bytes) -> LogSpec:
        return (emitter, *world.identity_created(OWNER, identity)[1:])

    chain.mine(
        [
            world.key_added(third, 3),
            announced_by(second, third),
            announced_by(first, second),
            world.identity_created(OWNER, first),
        ]
    )
    chain.mine_empty(10)
    nested = DiscoverSettings(contract="factories", event="IdentityCreated", parameter="identity")
    from_factory = DiscoverSettings(contract="factory", event="IdentityCreated", parameter="identity")
    sections = {
        "factory": factory(),
        "factories": ContractSettings(
            chain="test", abi=("erc734", IDENTITY_CREATED), discover=(from_factory, nested)
        ),
    }
    await world.run(world.settings(event_url, sections), chain)
    assert await keys(event_url) == [(1, third)]
    rows = await fetch(
        event_url, "SELECT identity FROM event.identity_factory_identity_created ORDER BY log_index"
    )
    assert [row["identity"] for row in rows] == [third, second, first]


async def test_members_older_than_their_announcement_bring_their_history(event_url: str) -> None:
    chain = MemoryChain(finalized_depth=10)
    old = world.account(301)
    chain.mine_empty(5)
    chain.set_code(old, b"\x60")
    for number in range(40):
        chain.mine([world.key_added(old, number)])
    chain.mine([world.identity_created(OWNER, old)])
    chain.mine([world.key_added(old, 99)])
    chain.mine_empty(12)
    for since, count in (("announcement", 1), ("creation", 41)):
        await world.run(
            world.settings(event_url, {"factory": factory(), "identities": identities(since)}),
            chain,
            range_blocks=7,
        )
        if since == "announcement":
            assert len(await keys(event_url)) == count
            await fetch(event_url, "DELETE FROM sync.discovered_address")
            await fetch(event_url, "UPDATE sync.source SET coverage = '{}' WHERE discovered")
    assert [block for block, _ in await keys(event_url)] == [*range(6, 46), 47]


async def test_an_event_added_to_a_contract_is_back_filled_alone(event_url: str) -> None:
    chain = MemoryChain(finalized_depth=10)
    for number in range(40):
        chain.mine(
            [
                world.erc20_transfer(world.ZERO, world.account(1), number + 1),
                (
                    world.TOKEN,
                    [
                        bytes.fromhex("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"),
                        world.word(world.account(1)),
                        world.word(world.account(2)),
                    ],
                    world.word(number),
                ),
            ]
        )
    token = {"chain": "test", "address": (world.TOKEN,), "abi": ("erc20",)}
    await world.run(
        world.settings(event_url, {"token": ContractSettings(**token, events=("Transfer",))}), chain
    )
    assert (await fetch(event_url, "SELECT count(*) FROM event.erc20_approval"))[0][0] == 0
    await world.run(
        world.settings(event_url, {"token": ContractSettings(**token, events=("Transfer", "Approval"))}),
        chain,
    )
    assert (await fetch(event_url, "SELECT count(*) FROM event.erc20_approval"))[0][0] == 40
    assert (await fetch(event_url, "SELECT count(*) FROM event.erc20_transfer"))[0][0] == 40
    (row,) = await fetch(event_url, "SELECT allowance FROM state.erc20_allowance")
    assert row["allowance"] == 39
    rows = await fetch(event_url, "SELECT coverage::text FROM sync.source ORDER BY id")
    assert len(rows) == 2
    assert len({row["coverage"] for row in rows}) == 1


async def test_a_wildcard_added_later_shares_rows_with_a_named_contract(event_url: str) -> None:
    chain = MemoryChain(finalized_depth=10)
    for number in range(30):
        chain.mine(
            [
                world.erc20_transfer(world.ZERO, world.account(1), number + 1),
                world.erc20_transfer(world.ZERO, world.account(1), number + 1, token=world.account(7)),
            ]
        )
    named = ContractSettings(chain="test", address=(world.TOKEN,), abi=("erc20",))
    every = ContractSettings(chain="test", address=None, abi=("erc20",), events=("Transfer",))
    await world.run(world.settings(event_url, {"token": named}), chain)
    await world.run(world.settings(event_url, {"token": named, "every": every}), chain)
    rows = await fetch(event_url, "SELECT address, count(*) FROM event.erc20_transfer GROUP BY 1")
    assert dict(map(tuple, rows)) == {world.TOKEN: 30, world.account(7): 30}
    (row,) = await fetch(
        event_url, "SELECT supply FROM state.erc20_supply WHERE token = $1", world.account(7)
    )
    assert row["supply"] == sum(range(1, 31))


async def test_what_no_abi_decodes_is_kept_raw_and_comes_home(event_url: str, tmp_path: Path) -> None:
    chain = MemoryChain(finalized_depth=10)
    meter = world.account(400)
    topic = bytes.fromhex("0a0a0a0a") + bytes(28)
    reading = keccak(b"Reading(uint256,string)")
    text = world.word(64) + world.word(5) + b"hello".ljust(32, b"\0")
    for number in range(20):
        chain.mine([(meter, [reading], world.word(number) + text), (meter, [topic], b"")])
    section = {"chain": "test", "address": (meter,)}
    plain = world.settings(event_url, {"meter": ContractSettings(**section, abi=("erc20",))})
    await world.run(plain, chain)
    rows = await fetch(event_url, "SELECT reason, count(*) FROM event.undecoded GROUP BY 1")
    assert dict(map(tuple, rows)) == {"unknown_topic": 40}
    abi = tmp_path / "meter.json"
    inputs = [
        {"name": "value", "type": "uint256", "indexed": False},
        {"name": "label", "type": "string", "indexed": False},
    ]
    abi.write_text(json.dumps([{"type": "event", "name": "Reading", "inputs": inputs}]))
    known = world.settings(event_url, {"meter": ContractSettings(**section, abi=(str(abi),))})
    assert await app.redecode(known) == 20
    assert (await fetch(event_url, "SELECT count(*) FROM event.undecoded"))[0][0] == 20
    rows = await fetch(event_url, "SELECT value, label FROM event.meter_reading ORDER BY block_number")
    assert [(int(row["value"]), row["label"]) for row in rows] == [(number, "hello") for number in range(20)]
    assert await app.redecode(known) == 0
    await world.run(known, chain)
    assert (await fetch(event_url, "SELECT count(*) FROM event.meter_reading"))[0][0] == 20


def two_chains(url: str) -> Settings:
    one = world.settings(url, {})
    other = one.chains["test"].model_copy(update={"chain_id": 5})
    sections = {
        name: ContractSettings(chain=name, address=(world.TOKEN,), abi=("erc20",))
        for name in ("test", "other")
    }
    return one.model_copy(
        update={
            "chains": {"test": one.chains["test"], "other": other},
            "contracts": {
                "token": sections["test"],
                "other_token": sections["other"],
            },
        }
    )


async def test_one_chain_halts_and_the_other_goes_on(event_url: str) -> None:
    chains = {"test": MemoryChain(finalized_depth=10), "other": MemoryChain(chain_id=5, finalized_depth=10)}
    for chain in chains.values():
        for number in range(40):
            chain.mine([world.erc20_transfer(world.ZERO, world.account(1), number + 1)])
    settings = two_chains(event_url)

    async def run() -> None:
        await app.run(
            settings,
            until="head",
            timeout=20,
            serve_http=False,
            handle_signals=False,
            client_factory=lambda name, _settings: MemoryClient(chains[name]),
        )

    await run()
    chains["test"].fork(25, [[] for _ in range(30)])
    for number in range(20):
        chains["other"].mine([world.erc20_transfer(world.ZERO, world.account(2), number + 1)])
    with pytest.raises(FinalizedReorg):
        await run()
    rows = await fetch(event_url, "SELECT chain_id, count(*) FROM event.erc20_transfer GROUP BY 1")
    assert dict(map(tuple, rows)) == {31337: 40, 5: 60}
    rows = await fetch(event_url, "SELECT chain_id, halted IS NOT NULL FROM sync.chain")
    assert dict(map(tuple, rows)) == {31337: True, 5: False}


async def test_a_range_is_fetched_again_without_moving_the_tip(event_url: str) -> None:
    chain = MemoryChain(finalized_depth=10)
    for number in range(60):
        chain.mine([world.erc20_transfer(world.ZERO, world.account(1), number + 1)])
    settings = world.settings(
        event_url, {"token": ContractSettings(chain="test", address=(world.TOKEN,), abi=("erc20",))}
    )
    await world.run(settings, chain)
    await fetch(event_url, "DELETE FROM event.erc20_transfer WHERE block_number = 33")
    await app.backfill(settings, 30, 40, client_factory=lambda _n, _s: MemoryClient(chain))
    rows = await fetch(event_url, "SELECT count(*) AS logs, sum(value) AS total FROM event.erc20_transfer")
    assert (rows[0]["logs"], int(rows[0]["total"])) == (60, sum(range(1, 61)))
    await world.check_books(event_url, chain)
    (row,) = await fetch(event_url, "SELECT balance FROM state.erc20_balance")
    assert int(row["balance"]) == sum(range(1, 61))
