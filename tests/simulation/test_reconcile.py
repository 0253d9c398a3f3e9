"""The reconciler over a chain in memory whose contracts answer, lie, revert and babble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
import world
from eth_abi.abi import decode, encode
from eth_hash.auto import keccak
from pydantic import SecretStr

from indexer import app, metrics
from indexer.clock import SystemClock
from indexer.config import ContractSettings, PrivacySettings, ReconcileSettings, Settings
from indexer.decode.privacy import Privacy
from indexer.errors import RpcUnavailable
from indexer.projections.runner import Projections
from indexer.sync.reconcile.calls import AGGREGATE, MULTICALL
from indexer.sync.reconcile.checks import CHECKS
from indexer.sync.reconcile.runner import ATTRIBUTES, Reconciler
from indexer.testing.chain import LogSpec, MemoryChain
from indexer.testing.client import MemoryClient

DIAMOND = bytes.fromhex("dd" * 20)
FACET = bytes.fromhex("fa" * 20)
ALICE, BOB = world.account(1), world.account(2)
Answer = Callable[[bytes], bytes | None]


class Contracts(MemoryChain):
    """A chain whose contracts answer by function: ``views[address, selector]`` is given the arguments' bytes."""

    def __init__(self) -> None:
        super().__init__(finalized_depth=3)
        self.views: dict[tuple[bytes, bytes], Answer] = {}
        self.asked: list[tuple[bytes, bytes, int]] = []
        self.poison: bytes | None = None

    def says(self, address: bytes, signature: str, types: list[str], *values: Any) -> None:
        """The function gives these values whatever it is asked."""
        self.views[address, selector(signature)] = lambda _: encode(types, values)

    def call_at(self, to: bytes, data: bytes, block: int) -> bytes | None:
        self.asked.append((to, data[:4], block))
        if to == MULTICALL and data[:4] == AGGREGATE and self.code_at(MULTICALL, block):
            (questions,) = decode(["(address,bool,bytes)[]"], data[4:])
            if any(one[2] == self.poison for one in questions):
                return None
            answers = [self._answer(bytes.fromhex(one[0][2:]), one[2]) for one in questions]
            told = [(answer is not None, answer or b"") for answer in answers]
            return encode(["(bool,bytes)[]"], [told])
        return self._answer(to, data)

    def _answer(self, to: bytes, data: bytes) -> bytes | None:
        found = self.views.get((to, data[:4]))
        if found is None:
            return None if any(address == to for address, _ in self.views) else b""
        return found(data[4:])


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def said(address: bytes, signature: str, topics: list[bytes], types: list[str], values: list[Any]) -> LogSpec:
    return address, [keccak(signature.encode()), *topics], encode(types, values)


def cut() -> LogSpec:
    facets = [("0x" + FACET.hex(), 0, [selector("one()"), selector("two()")])]
    return said(
        DIAMOND,
        "DiamondCut((address,uint8,bytes4[])[],address,bytes)",
        [],
        ["(address,uint8,bytes4[])[]", "address", "bytes"],
        [facets, "0x" + "00" * 20, b""],
    )


def transfer721(sender: bytes, receiver: bytes, token: int, contract: bytes = DIAMOND) -> LogSpec:
    return contract, [world.TRANSFER, world.word(sender), world.word(receiver), world.word(token)], b""


def minted(token: int) -> LogSpec:
    return said(
        DIAMOND,
        "GemforceMinted(uint256,address,(string,uint8,string)[])",
        [world.word(token), world.word(ALICE)],
        ["(string,uint8,string)[]"],
        [[("vintage", 0, "2024"), ("owner name", 0, "Alice")]],
    )


def initialized(token: int, amount: int) -> LogSpec:
    return said(
        DIAMOND, "CarbonCreditsInitialized(uint256,uint256)", [world.word(token)], ["uint256"], [amount]
    )


def deal_created(deal: int) -> LogSpec:
    zero = "0x" + "00" * 20
    return said(
        DIAMOND,
        "TradeDealCreated(uint256,string,string,uint256,uint256,bool,address,address,address,address,uint8)",
        [world.word(deal)],
        [
            "string",
            "string",
            "uint256",
            "uint256",
            "bool",
            "address",
            "address",
            "address",
            "address",
            "uint8",
        ],
        ["Deal", "D", 500, 1, True, zero, zero, zero, "0x" + world.TOKEN.hex(), 0],
    )


def marketplace() -> LogSpec:
    fees = [("0x" + ALICE.hex(), 20_000), ("0x" + BOB.hex(), 5_000)]
    return said(DIAMOND, "MarketplaceInitialized((address,uint256)[])", [], ["(address,uint256)[]"], [fees])


def topic_added(topic: int) -> LogSpec:
    return DIAMOND, [keccak(b"ClaimTopicAdded(uint256)"), world.word(topic)], b""


def honest() -> Contracts:
    """A chain whose contracts say what its events say."""
    chain = Contracts()
    chain.mine([cut(), marketplace(), topic_added(7), topic_added(9), deal_created(0)])
    chain.mine([world.erc20_transfer(world.ZERO, ALICE, 1000), world.erc20_transfer(ALICE, BOB, 300)])
    chain.mine([minted(1), transfer721(world.ZERO, ALICE, 1), minted(2), transfer721(world.ZERO, BOB, 2)])
    chain.mine([initialized(1, 50), transfer721(BOB, world.ZERO, 2)])
    chain.mine_empty(6)
    balances = {ALICE: 700, BOB: 300}
    chain.says(world.TOKEN, "totalSupply()", ["uint256"], 1000)
    chain.views[world.TOKEN, selector("balanceOf(address)")] = lambda data: encode(
        ["uint256"], [balances[data[12:32]]]
    )
    chain.says(world.TOKEN, "name()", ["string"], "USD Coin")
    chain.views[world.TOKEN, selector("symbol()")] = lambda _: b"USDC".ljust(32, b"\0")
    chain.says(world.TOKEN, "decimals()", ["uint8"], 6)
    chain.says(
        DIAMOND,
        "facets()",
        ["(address,bytes4[])[]"],
        [("0x" + FACET.hex(), [selector("two()"), selector("one()")])],
    )
    chain.views[DIAMOND, selector("ownerOf(uint256)")] = lambda data: (
        encode(["address"], ["0x" + ALICE.hex()]) if int.from_bytes(data, "big") == 1 else None
    )
    chain.says(DIAMOND, "name()", ["string"], "Gemforce")
    chain.says(DIAMOND, "contractURI()", ["string"], "ipfs://contract")
    chain.says(DIAMOND, "tokenURI(uint256)", ["string"], "ipfs://token")
    held = [("vintage", 0, "2024"), ("owner name", 0, "Alice"), ("silent", 1, "set without an event")]
    chain.says(DIAMOND, "getAllTokenMetadata(uint256)", ["(string,uint8,string)[]"], held)
    chain.says(DIAMOND, "getAllCarbonCreditBalances(uint256[])", ["uint256[]"], [50])
    chain.says(
        DIAMOND,
        "getTradeDealFullStatus(uint256)",
        ["uint256", "uint256", "bool", "bool", "uint256", "uint256", "bool"],
        0,
        0,
        False,
        False,
        0,
        0,
        False,
    )
    chain.says(
        DIAMOND,
        "getTradeDealTokenAddresses(uint256)",
        ["address", "address"],
        "0x" + BOB.hex(),
        "0x" + world.TOKEN.hex(),
    )
    fees = [("0x" + BOB.hex(), 5_000), ("0x" + ALICE.hex(), 20_000)]
    chain.says(DIAMOND, "getMarketplaceFeeReceivers()", ["(address,uint256)[]"], fees)
    chain.says(DIAMOND, "getClaimTopics()", ["uint256[]"], [9, 7])
    return chain  # fmt: skip


SALE = (
    1,
    DIAMOND,
    0,
    0,
    False,
    1,
    world.TOKEN,
    ALICE,
    BOB,
    "S",
    "Sale",
    "of many",
    True,
    10,
    20,
    30,
    4,
    1,
    5,
    1,
    DIAMOND,
    0,
)
SETTINGS = (
    "(uint8,address,uint256,uint256,bool,uint8,address,address,address,string,string,string,bool,uint256,uint256,uint256,"
    "uint256,uint256,uint256,uint8,address,uint256,(uint256,uint8,uint256,uint256))"
)
FACTORY, COLLATERAL, TREASURY = bytes.fromhex("f0" * 20), bytes.fromhex("c0" * 20), bytes.fromhex("e0" * 20)


def sale_settings(price: int, *, is_open: bool = True) -> tuple[Any, ...]:
    """Settings of a sale at a price."""
    plain = tuple("0x" + one.hex() if isinstance(one, bytes) else one for one in SALE)
    return (*plain[:12], is_open, *plain[13:], (price, 1, 3, 100))


def with_settings() -> Contracts:
    """A chain of more contracts, whose settings change without an event."""
    chain = honest()
    diamond_settings = tuple("0x" + one.hex() for one in (ALICE, FACTORY, world.ZERO))
    created = said(
        FACTORY,
        "DiamondCreated(address,address,string,(address,address,address,string,string))",
        [world.word(FACTORY), world.word(DIAMOND), keccak(b"GEM")],
        ["(address,address,address,string,string)"],
        [(*diamond_settings, "GEM", "Gemforce")],
    )
    collateral = said(
        DIAMOND,
        "CollateralTokenCreated(uint256,address,string,string)",
        [world.word(0), world.word(COLLATERAL)],
        ["string", "string"],
        ["Collateral", "C"],
    )
    sold = said(
        DIAMOND, f"MultiSaleCreated(uint256,{SETTINGS})", [world.word(0)], [SETTINGS], [sale_settings(7)]
    )
    joined = said(
        DIAMOND, "TradeDealParticipantAdded(uint256,address)", [world.word(0), world.word(ALICE)], [], []
    )
    deposited = said(
        TREASURY, "TreasuryDeposited((uint256,uint256)[])", [], ["(uint256,uint256)[]"], [[(1, 5)]]
    )
    chain.mine([created, collateral, sold, joined, deposited])
    chain.mine_empty(6)
    chain.says(DIAMOND, "delegatedMinter()", ["address"], "0x" + BOB.hex())
    chain.says(DIAMOND, "getTokenSaleSettings(uint256)", [SETTINGS], sale_settings(10))
    chain.says(DIAMOND, "isTradeDealParticipant(uint256,address)", ["bool"], True)
    chain.says(COLLATERAL, "restrictionsEnabled()", ["bool"], True)
    chain.says(FACTORY, "symbols()", ["string[]"], ["GEM", "ALT", "GEM"])
    chain.views[FACTORY, selector("exists(string)")] = lambda data: encode(["bool"], [b"GEM" in data])
    chain.says(
        FACTORY,
        "getFacets(string)",
        ["(address,uint8,bytes4[])[]"],
        [("0x" + FACET.hex(), 0, [selector("one()"), selector("two()")])],
    )
    chain.says(TREASURY, "balances(uint256)", ["uint256"], 5)
    chain.says(TREASURY, "getPaymentToken()", ["address"], "0x" + world.TOKEN.hex())
    return chain


def configured(url: str, **changes: Any) -> Settings:
    contracts = {
        "token": ContractSettings(chain="test", address=(world.TOKEN,), abi=("erc20",)),
        "diamond": ContractSettings(
            chain="test", address=(DIAMOND,), kind="diamond", abi=("gemforce", "erc721")
        ),
    }
    return world.settings(url, contracts).model_copy(update=changes)


def wider(url: str) -> Settings:
    """The contracts of ``with_settings``."""
    more = {
        "factory": ContractSettings(chain="test", address=(FACTORY,), abi=("gemforce/diamond_factory",)),
        "treasury": ContractSettings(chain="test", address=(TREASURY,), abi=("gemforce/treasury",)),
    }
    settings = configured(url)
    return settings.model_copy(update={"contracts": {**settings.contracts, **more}})


def reconciler(url: str, client: MemoryClient, **changes: Any) -> Reconciler:
    limits = {"every_seconds": 1.0, "calls_per_second": 10_000, "sample": 100, **changes}
    return Reconciler(
        name="test",
        chain_id=31337,
        settings=ReconcileSettings(**limits),
        client=client,
        database_url=url,
        projections=Projections.load(),
        privacy=Privacy(PrivacySettings()),
        clock=SystemClock(),
        ready=lambda: True,
    )


async def fetch(url: str, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def results(url: str) -> dict[str, tuple[int, int, int]]:
    found = await fetch(url, "SELECT check_name, compared, drift, unanswered FROM sync.reconciliation")
    return {row[0]: row[1:] for row in found}


@pytest.mark.parametrize("multicall", [False, True])
async def test_what_only_calls_tell_is_stored_and_what_both_know_agrees(
    event_url: str, *, multicall: bool
) -> None:
    chain = honest()
    if multicall:
        chain.set_code(MULTICALL, b"\x01", 1)
    await world.run(configured(event_url), chain)
    assert await reconciler(event_url, MemoryClient(chain)).once() == 7
    assert {block for _, _, block in chain.asked} == {7}
    assert any(to == MULTICALL for to, _, _ in chain.asked) is multicall
    found = await results(event_url)
    assert set(found) == {check.name for check in CHECKS} | {ATTRIBUTES}
    assert {name: one[1] for name, one in found.items() if one[1]} == {}
    for name in ("erc20_supply", "nft_owner", "diamond_selectors", "carbon_balance", "trade_deal", "fee_receivers", "claim_topics"):  # fmt: skip
        assert found[name][0] > 0, name
    assert found["erc20_balance"] == (2, 0, 0)
    assert found[ATTRIBUTES] == (2, 0, 0)
    tokens = "SELECT name, symbol, decimals, read_block FROM state.token ORDER BY kind"
    assert await fetch(event_url, tokens) == [("USD Coin", "USDC", 6, 7), ("Gemforce", None, None, 7)]
    assert await fetch(event_url, "SELECT uri FROM state.silent_token_uri") == [("ipfs://token",)]
    attributes = "SELECT key, value FROM state.silent_token_attribute WHERE token_id = 1 ORDER BY key"
    assert ("silent", "set without an event") in await fetch(event_url, attributes)
    deal = "SELECT deal_id, funding_target, is_funded, token_addresses FROM state.silent_trade_deal"
    assert await fetch(event_url, deal) == [(0, 0, False, [BOB, world.TOKEN])]
    assert await fetch(event_url, "SELECT claim_topics FROM state.silent_claim_topics") == [([7, 9],)]


async def test_settings_that_no_event_tells_are_stored(event_url: str) -> None:
    chain = with_settings()
    await world.run(wider(event_url), chain)
    block = await reconciler(event_url, MemoryClient(chain)).once()
    for table, columns, rows in (
        ("diamond", "diamond, delegated_minter, fee_receivers, fee_shares", [(DIAMOND, BOB, [BOB, ALICE], [5_000, 20_000])]),
        ("collateral_token", "token, restrictions_enabled", [(COLLATERAL, True)]),
        ("factory", "factory, symbols", [(FACTORY, ["ALT", "GEM"])]),
        (
            "facet_set", "factory, symbol, known, facets, selectors",
            [(FACTORY, "ALT", False, [FACET], [2]), (FACTORY, "GEM", True, [FACET], [2])],
        ),
        (
            "multi_sale", "sale_id, open_state, price, price_modifier, price_modifier_factor, max_price",
            [(0, True, 10, 1, 3, 100)],
        ),
        ("treasury", "contract, payment_token", [(TREASURY, world.TOKEN)]),
    ):  # fmt: skip
        found = await fetch(
            event_url, f"SELECT {columns}, read_block FROM state.silent_{table} ORDER BY 1, 2"
        )
        assert found == [(*row, block) for row in rows], table
    found = await results(event_url)
    assert found["multi_sale"] == found["trade_deal_participant"] == (1, 0, 0)
    assert {name: one[1] for name, one in found.items() if one[1]} == {}


async def test_a_sale_that_was_closed_in_silence_and_a_participant_that_is_none_are_drift(
    event_url: str,
) -> None:
    chain = with_settings()
    await world.run(wider(event_url), chain)
    chain.says(DIAMOND, "getTokenSaleSettings(uint256)", [SETTINGS], sale_settings(7, is_open=False))
    chain.says(DIAMOND, "isTradeDealParticipant(uint256,address)", ["bool"], False)
    await reconciler(event_url, MemoryClient(chain)).once()
    found = await results(event_url)
    assert found["multi_sale"] == found["trade_deal_participant"] == (1, 1, 0)


async def test_settings_told_in_another_form_are_not_stored_and_do_no_harm(event_url: str) -> None:
    chain = with_settings()
    await world.run(wider(event_url), chain)
    for function in ("getTokenSaleSettings(uint256)", "delegatedMinter()", "getMarketplaceFeeReceivers()"):
        chain.views[DIAMOND, selector(function)] = lambda _: b"\xff" * 31
    chain.views[COLLATERAL, selector("restrictionsEnabled()")] = lambda _: b"\xff" * 32
    chain.says(FACTORY, "symbols()", ["string[]"], ["x" * 5000, ""])
    chain.views[TREASURY, selector("getPaymentToken()")] = lambda _: b"\xff" * 32
    await reconciler(event_url, MemoryClient(chain)).once()
    for table in ("collateral_token", "facet_set", "multi_sale", "treasury"):
        assert await fetch(event_url, f"SELECT * FROM state.silent_{table}") == [], table
    assert await fetch(event_url, "SELECT symbols FROM state.silent_factory") == [([],)]
    assert (await results(event_url))["multi_sale"] == (0, 0, 1)


async def test_drift_is_told_and_nothing_is_corrected(event_url: str) -> None:
    chain = honest()
    await world.run(configured(event_url), chain)
    chain.says(world.TOKEN, "totalSupply()", ["uint256"], 999)
    chain.views[DIAMOND, selector("ownerOf(uint256)")] = lambda _: encode(["address"], ["0x" + BOB.hex()])
    chain.says(DIAMOND, "facets()", ["(address,bytes4[])[]"], [])
    chain.says(DIAMOND, "getAllTokenMetadata(uint256)", ["(string,uint8,string)[]"], [("vintage", 0, "2023")])
    before = await fetch(event_url, "SELECT * FROM state.erc20_supply")
    owners = await fetch(event_url, "SELECT token_id, owner FROM state.nft ORDER BY 1")
    await reconciler(event_url, MemoryClient(chain)).once()
    found = await results(event_url)
    assert {name: one[1] for name, one in found.items() if one[1]} == {
        "erc20_supply": 1,
        "nft_owner": 2,
        "diamond_selectors": 1,
        ATTRIBUTES: 2,
    }
    assert await fetch(event_url, "SELECT * FROM state.erc20_supply") == before
    assert await fetch(event_url, "SELECT token_id, owner FROM state.nft ORDER BY 1") == owners
    assert metrics.RECONCILIATION_DRIFT.labels("test", "nft_owner")._value.get() == 2
    ((examples,),) = await fetch(
        event_url, "SELECT examples FROM sync.reconciliation WHERE check_name = 'erc20_supply'"
    )
    assert json.loads(examples) == [
        {"key": ["0x" + world.TOKEN.hex()], "events": ["1000"], "contract": ["999"]}
    ]


async def test_what_changed_above_the_final_block_is_left_for_later(event_url: str) -> None:
    chain = honest()
    chain.mine([world.erc20_transfer(ALICE, BOB, 100)])
    await world.run(configured(event_url), chain)
    await reconciler(event_url, MemoryClient(chain)).once()
    assert (await results(event_url))["erc20_balance"] == (0, 0, 0)
    assert (await results(event_url))["erc20_supply"] == (1, 0, 0)


async def test_names_outlive_rebuilds_and_reorgs(event_url: str) -> None:
    chain = honest()
    await world.run(configured(event_url), chain)
    await reconciler(event_url, MemoryClient(chain)).once()
    tokens = "SELECT contract, name, symbol, decimals, read_block FROM state.token ORDER BY 1"
    before = await fetch(event_url, tokens)
    assert [row[1] for row in before] == ["USD Coin", "Gemforce"]
    assert "token" in await app.rebuild(configured(event_url))
    assert await fetch(event_url, tokens) == before
    chain.fork(2, [[world.erc20_transfer(ALICE, BOB, 1)], [], []])
    await world.run(configured(event_url), chain)
    assert await fetch(event_url, tokens) == before


async def test_a_read_that_finds_the_same_moves_only_the_block_it_was_read_at(event_url: str) -> None:
    chain = honest()
    await world.run(configured(event_url), chain)
    mine = reconciler(event_url, MemoryClient(chain))
    await mine.once()
    chain.mine_empty(5)
    await world.run(configured(event_url), chain)
    chain.says(DIAMOND, "name()", ["string"], "Gemforce II")
    await mine.once()
    tokens = "SELECT name, read_block, updated_block FROM state.silent_token ORDER BY contract"
    assert await fetch(event_url, tokens) == [("USD Coin", 12, 7), ("Gemforce II", 12, 12)]
    assert ("Gemforce II", 12) in await fetch(event_url, "SELECT name, read_block FROM state.token")


async def test_a_removed_attribute_goes_and_an_unanswered_question_removes_nothing(event_url: str) -> None:
    chain = honest()
    await world.run(configured(event_url), chain)
    mine = reconciler(event_url, MemoryClient(chain))
    await mine.once()
    keys = "SELECT key FROM state.silent_token_attribute WHERE token_id = 1 ORDER BY 1"
    assert len(await fetch(event_url, keys)) == 3
    view = chain.views.pop((DIAMOND, selector("getAllTokenMetadata(uint256)")))
    await mine.once()
    assert len(await fetch(event_url, keys)) == 3
    chain.views[DIAMOND, selector("getAllTokenMetadata(uint256)")] = view
    chain.says(DIAMOND, "getAllTokenMetadata(uint256)", ["(string,uint8,string)[]"], [("vintage", 0, "2024")])
    await mine.once()
    assert await fetch(event_url, keys) == [("vintage",)]


async def test_a_call_that_breaks_the_multicall_costs_only_itself(event_url: str) -> None:
    chain = honest()
    chain.set_code(MULTICALL, b"\x01", 1)
    chain.poison = selector("name()")
    await world.run(configured(event_url), chain)
    await reconciler(event_url, MemoryClient(chain)).once()
    assert ("USD Coin", "USDC") in await fetch(event_url, "SELECT name, symbol FROM state.token")
    assert {name: one[1] for name, one in (await results(event_url)).items() if one[1]} == {}


async def test_a_table_larger_than_the_sample_is_walked_through(event_url: str) -> None:
    chain = honest()
    chain.mine([world.erc20_transfer(world.ZERO, world.account(100 + n), 5) for n in range(25)])
    chain.says(world.TOKEN, "totalSupply()", ["uint256"], 1125)
    chain.says(world.TOKEN, "balanceOf(address)", ["uint256"], 5)
    chain.mine_empty(5)
    await world.run(configured(event_url), chain)
    mine = reconciler(event_url, MemoryClient(chain), sample=10)
    seen = [(await mine.once(), (await results(event_url))["erc20_balance"])[1] for _ in range(4)]
    assert [one[0] for one in seen] == [10, 10, 7, 10]
    assert sum(one[1] for one in seen[:3]) == 2  # Alice and Bob hold something else than 5


async def test_privacy_holds_for_what_is_read(event_url: str) -> None:
    privacy = PrivacySettings(
        secret=SecretStr("0123456789abcdef"), token_attributes="hash", token_attribute_keys=("owner name",)
    )
    chain = honest()
    chain.says(DIAMOND, "tokenURI(uint256)", ["string"], "data:application/json,Alice")
    await world.run(configured(event_url, privacy=privacy), chain)
    mine = reconciler(event_url, MemoryClient(chain))
    mine.privacy = Privacy(privacy)
    await mine.once()
    held = dict(
        await fetch(event_url, "SELECT key, value FROM state.silent_token_attribute WHERE token_id = 1")
    )
    assert held["owner name"].startswith("hmac:")
    assert held["vintage"] == "2024"
    assert (await results(event_url))[ATTRIBUTES] == (2, 0, 0)
    ((uri,),) = await fetch(event_url, "SELECT uri FROM state.silent_token_uri")
    assert uri.startswith("hmac:")


async def test_the_chain_is_followed_whatever_becomes_of_the_calls(event_url: str) -> None:
    chain = honest()
    tried = asyncio.Event()

    def broken(_number: int, method: str) -> None:
        if method in {"call", "call_many", "code"}:
            tried.set()
            raise RpcUnavailable("the endpoint is away")

    limits = ReconcileSettings(every_seconds=0.05, calls_per_second=10_000)
    running = asyncio.create_task(
        world.run(configured(event_url, reconcile=limits), chain, until=60, hook=broken)
    )
    await asyncio.wait_for(tried.wait(), 20)
    chain.mine_empty(60)
    await asyncio.wait_for(running, 30)
    ((tip,),) = await fetch(event_url, "SELECT tip_number FROM sync.chain")
    assert tip == 60


async def test_the_daemon_reconciles_by_itself_and_not_when_told_not_to(event_url: str) -> None:
    chain = honest()
    for enabled in (False, True):
        limits = ReconcileSettings(enabled=enabled, every_seconds=0.05, calls_per_second=10_000)
        running = asyncio.create_task(
            world.run(configured(event_url, reconcile=limits), chain, until=len(chain.blocks) + 5)
        )
        await asyncio.sleep(1.5 if not enabled else 0)
        if enabled:
            async with asyncio.timeout(20):
                while not await results(event_url):  # noqa: ASYNC110 - the database tells nobody
                    await asyncio.sleep(0.05)
        else:
            assert await results(event_url) == {}
        chain.mine_empty(8)
        await asyncio.wait_for(running, 30)


async def test_rows_that_contradict_each_other_are_counted(event_url: str) -> None:
    chain = honest()
    chain.mine([transfer721(BOB, ALICE, 1)])
    await world.run(configured(event_url), chain)
    await reconciler(event_url, MemoryClient(chain)).once()
    assert metrics.INCONSISTENT_ROWS.labels("test", "nft")._value.get() == 1
    marking = await fetch(
        event_url,
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'state' AND column_name = 'inconsistent'",
    )
    assert sorted(row[0] for row in marking) == sorted(metrics.INCONSISTENT_TABLES)


def test_names_of_checks_are_those_of_the_metric() -> None:
    assert {check.name for check in CHECKS} | {ATTRIBUTES} == set(metrics.RECONCILIATION_CHECKS)
