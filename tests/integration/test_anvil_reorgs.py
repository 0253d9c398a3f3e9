"""The daemon against anvil and contracts of OpenZeppelin: whatever is reorganised, rows and balances are the chain's.

What has to be in the tables is asked of the chain by web3, log by log and call by call.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from eth_utils import to_checksum_address
from pydantic import SecretStr
from web3 import Web3

from indexer import app
from indexer.config import ChainSettings, ContractSettings, DatabaseSettings, Settings
from indexer.demo.anvil import Anvil, AnvilClient, AnvilOptions
from indexer.demo.calls import ZERO_ADDRESS, Contract, Send, creation
from indexer.demo.deploy import run
from indexer.demo.tools import Artifact, Tools
from indexer.demo.traffic import replayed
from indexer.rpc.client import ChainClient
from indexer.rpc.pool import PooledClient

DEPTHS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 64)
SOME_DEPTHS = (1, 4, 16, 64)
LONGEST_SECONDS = 30.0


class Ground:
    """A chain with an ERC-20 and an ERC-721, and people who use them."""

    def __init__(
        self, anvil: Anvil, client: AnvilClient, artifacts: Mapping[str, Artifact], seed: int
    ) -> None:
        self.anvil = anvil
        self.client = client
        self.artifacts = artifacts
        self.dice = random.Random(seed)
        self.web3 = Web3(Web3.HTTPProvider(anvil.url))
        self.people: list[str] = []
        self.token = Contract(ZERO_ADDRESS, ())
        self.nft = Contract(ZERO_ADDRESS, ())

    async def begin(self, quiet_blocks: int) -> None:
        """Deploy, hand out money, and mine blocks in which nothing happens."""
        accounts = await self.client.accounts()
        self.people = accounts[1:6]
        coin, certificates = self.artifacts["DemoUSDC"], self.artifacts["DemoCertificates"]
        made = await run(self.client, [creation(coin, accounts[0]), creation(certificates, accounts[0])])
        self.token = Contract(made[0]["contractAddress"], (coin,))
        self.nft = Contract(made[1]["contractAddress"], (certificates,))
        await run(
            self.client,
            [self.use(self.token, "mint", person, 10**9, by=accounts[0]) for person in self.people],
        )
        await self.client.mine(quiet_blocks)

    def use(self, contract: Contract, function: str, *arguments: Any, by: str) -> Send:
        return Send(by, contract.address, contract.data(function, *arguments))

    async def live(self, blocks: int) -> None:
        """Blocks with one to three transactions each: payments, mints, burns, certificates."""
        for _ in range(blocks):
            sends = [self._something() for _ in range(self.dice.randrange(1, 4))]
            await self.client.batch([("eth_sendTransaction", (send.request(),)) for send in sends])
            await self.client.mine()

    def _something(self) -> Send:
        who, other = self.dice.sample(self.people, 2)
        amount = self.dice.randrange(1, 1000)
        choice = self.dice.randrange(10)
        if choice < 6:
            return self.use(self.token, "transfer", other, amount, by=who)
        if choice < 7:
            return self.use(self.token, "burn", amount, by=who)
        if choice < 8:
            return self.use(self.token, "mint", other, amount, by=who)
        return self.use(self.nft, "mint", other, by=who)

    async def hashes(self, first: int) -> list[str]:
        """Block hashes from ``first`` to the head."""
        head = await self.client.head()
        found = await self.client.batch(
            [("eth_getBlockByNumber", (hex(number), False)) for number in range(first, head + 1)]
        )
        return [block["hash"] for block in found]

    async def reorg(self, depth: int, fate: str) -> None:
        """Replace the newest blocks: their transactions in another order and in other blocks, or dropped in part."""
        head = await self.client.head()
        queues: dict[str, list[str]] = defaultdict(list)
        for sender, raw in await self.client.transactions_above(head - depth):
            queues[sender].append(raw)
        before = await self.hashes(head - depth)
        await self.another_branch()
        await self.client.reorg(depth, replayed(list(queues.values()), depth, fate, self.dice))  # type: ignore[arg-type]
        after = await self.hashes(head - depth)
        assert before[0] == after[0]
        assert not set(before[1:]) & set(after[1:])

    async def another_branch(self) -> None:
        """Blocks to come have other hashes than any before, also with the same transactions at the same second."""
        await self.client.call("anvil_setCoinbase", "0x" + self.dice.randbytes(20).hex())

    def settings(self, url: str, rpc: Sequence[str], **chain: Any) -> Settings:
        """The two contracts by their addresses."""
        return self._settings(
            url,
            rpc,
            {
                "coin": ContractSettings(chain="local", address=(_raw(self.token.address),), abi=("erc20",)),
                "certificates": ContractSettings(
                    chain="local", address=(_raw(self.nft.address),), abi=("erc721",)
                ),
            },
            **chain,
        )

    def every_token(self, url: str, rpc: Sequence[str], **chain: Any) -> Settings:
        """Every ERC-20 and ERC-721 there is or will be."""
        anybody = ContractSettings(chain="local", address=None, abi=("erc20", "erc721"), events=("Transfer",))
        return self._settings(url, rpc, {"anybody": anybody}, **chain)

    @staticmethod
    def _settings(
        url: str, rpc: Sequence[str], contracts: dict[str, ContractSettings], **chain: Any
    ) -> Settings:
        return Settings(
            path=Path("indexer.toml"),
            database=DatabaseSettings(url=SecretStr(url)),
            chains={
                "local": ChainSettings(
                    chain_id=31337, rpc=tuple(map(SecretStr, rpc)), **{"poll_seconds": 0.05, **chain}
                )
            },
            contracts=contracts,
        )

    async def check(self, url: str, tokens: Sequence[Contract] = ()) -> None:
        """Rows against web3's decoding of every log, balances and owners against calls."""
        said = await asyncio.to_thread(self._said)
        connection = await asyncpg.connect(url)
        try:
            for table, columns in (("erc20_transfer", "value"), ("erc721_transfer", "token_id")):
                rows = await connection.fetch(
                    f"SELECT block_number, block_hash, tx_hash, tx_index, log_index, address, from_, to_, {columns} "
                    f"FROM event.{table} ORDER BY block_number, log_index"
                )
                assert [tuple(row) for row in rows] == said[table], table
            for token in (self.token, *tokens):
                await self._check_balances(connection, token)
            owners = await connection.fetch("SELECT token_id, owner FROM state.nft ORDER BY token_id")
            minted = await self._ask(self.nft, "minted")
            assert [int(row["token_id"]) for row in owners] == list(range(minted))
            for row in owners:
                assert "0x" + row["owner"].hex() == await self._ask(self.nft, "ownerOf", int(row["token_id"]))
        finally:
            await connection.close()

    async def _check_balances(self, connection: asyncpg.Connection, token: Contract) -> None:
        rows = await connection.fetch(
            "SELECT holder, balance FROM state.erc20_balance WHERE token = $1", _raw(token.address)
        )
        held = {"0x" + row["holder"].hex(): int(row["balance"]) for row in rows}
        for holder in {*held, *self.people}:
            assert held.get(holder, 0) == await self._ask(token, "balanceOf", holder)
        supply = await connection.fetchval(
            "SELECT supply FROM state.erc20_supply WHERE token = $1", _raw(token.address)
        )
        assert supply == await self._ask(token, "totalSupply")

    async def _ask(self, contract: Contract, function: str, *arguments: Any) -> Any:
        request = {"to": contract.address, "data": contract.data(function, *arguments)}
        answer = await self.client.call("eth_call", request, "latest")
        return contract.result(function, len(arguments), answer)

    def _said(self) -> dict[str, list[tuple[Any, ...]]]:
        coin = self.web3.eth.contract(abi=self.artifacts["DemoUSDC"].abi).events.Transfer()
        certificate = self.web3.eth.contract(abi=self.artifacts["DemoCertificates"].abi).events.Transfer()
        logs = self.web3.eth.get_logs({"fromBlock": 0, "toBlock": "latest", "topics": [coin.topic]})
        found: dict[str, list[tuple[Any, ...]]] = {"erc20_transfer": [], "erc721_transfer": []}
        for log in logs:
            fungible = len(log["topics"]) == 3
            event = (coin if fungible else certificate).process_log(log)
            args = event["args"]
            found["erc20_transfer" if fungible else "erc721_transfer"].append(
                (
                    event["blockNumber"],
                    bytes(event["blockHash"]),
                    bytes(event["transactionHash"]),
                    event["transactionIndex"],
                    event["logIndex"],
                    _raw(event["address"]),
                    _raw(args["from"]),
                    _raw(args["to"]),
                    args["value" if fungible else "tokenId"],
                )
            )
        return found


def _raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


@pytest.fixture
async def ground(tools: Tools, contracts: Mapping[str, Artifact]) -> AsyncIterator[Ground]:
    """``finalized`` is 128 blocks behind: every reorg here is above it."""
    with Anvil(tools.anvil, AnvilOptions(slots=64)) as anvil:
        async with AnvilClient(anvil.url) as client:
            made = Ground(anvil, client, contracts, seed=1)
            await made.begin(quiet_blocks=140)
            yield made


class Follower:
    """A daemon in this process, and its database seen from outside."""

    def __init__(self, ground: Ground, work: asyncio.Task[None], connection: asyncpg.Connection) -> None:
        self._ground = ground
        self._work = work
        self._connection = connection

    async def caught_up(self) -> None:
        """Wait until the tip is the chain's head."""
        async with asyncio.timeout(LONGEST_SECONDS):
            while not self._work.done():
                block = await self._ground.client.call("eth_getBlockByNumber", "latest", False)
                if await self.tip() == (int(block["number"], 16), _raw(block["hash"])):
                    return
                await asyncio.sleep(0.01)
        self._work.result()

    async def tip(self) -> tuple[int, bytes] | None:
        row = await self._connection.fetchrow("SELECT tip_number, tip_hash FROM sync.chain")
        return None if row is None else (row["tip_number"], row["tip_hash"])

    async def depths(self) -> list[int]:
        """The depths of all reorgs undone so far, oldest first."""
        return [
            row["depth"] for row in await self._connection.fetch("SELECT depth FROM sync.reorg ORDER BY id")
        ]


@asynccontextmanager
async def following(
    ground: Ground, settings: Settings, client: app.ClientFactory = app.pooled_client
) -> AsyncIterator[Follower]:
    assert settings.database.url is not None
    connection = await asyncpg.connect(settings.database.url.get_secret_value())
    work = asyncio.create_task(
        app.run(settings, serve_http=False, handle_signals=False, client_factory=client)
    )
    try:
        yield Follower(ground, work, connection)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await connection.close()


async def undo_every_depth(
    ground: Ground, url: str, rpc: Sequence[str], depths: Sequence[int], **chain: Any
) -> None:
    fates = ("reorder", "drop", "reorder", "empty")
    async with following(ground, ground.settings(url, rpc, **chain)) as daemon:
        await ground.live(max(depths))
        await daemon.caught_up()
        for turn, depth in enumerate(depths):
            await ground.live(3)
            await daemon.caught_up()
            await ground.reorg(depth, fates[turn % len(fates)])
            await daemon.caught_up()
            assert await daemon.depths() == list(depths[: turn + 1])
            await ground.check(url)


async def test_reorgs_over_websocket(ground: Ground, event_url: str) -> None:
    await undo_every_depth(ground, event_url, [ground.anvil.ws_url], DEPTHS)


async def test_reorgs_over_http_with_confirmations(ground: Ground, event_url: str) -> None:
    await undo_every_depth(ground, event_url, [ground.anvil.url], SOME_DEPTHS, finality=100)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", ["ws", "http"])
async def test_reorgs_of_every_depth(kind: str, ground: Ground, event_url: str) -> None:
    rpc = [ground.anvil.ws_url] if kind == "ws" else [ground.anvil.url]
    await undo_every_depth(ground, event_url, rpc, range(1, 65))


async def test_a_contract_created_in_an_orphaned_block(ground: Ground, event_url: str) -> None:
    """It exists, then never did, then exists from another block on, with the same address."""
    admin = (await ground.client.accounts())[0]
    coin = ground.artifacts["DemoUSDC"]
    async with following(ground, ground.every_token(event_url, [ground.anvil.ws_url])) as daemon:
        await ground.live(2)
        (made,) = await run(ground.client, [creation(coin, admin)])
        other = Contract(made["contractAddress"], (coin,))
        await run(ground.client, [ground.use(other, "mint", ground.people[0], 77, by=admin)])
        await ground.live(1)
        await daemon.caught_up()
        await ground.check(event_url, [other])
        head = await ground.client.head()
        had = await ground.client.transactions_above(head - 3)

        await ground.another_branch()
        await ground.client.reorg(4, [])
        await daemon.caught_up()
        assert await ground.client.call("eth_getCode", other.address, "latest") == "0x"
        await ground.check(event_url)

        await ground.live(1)
        await daemon.caught_up()
        again = [
            (raw, 1 + place)
            for place, (sender, raw) in enumerate(had)
            if to_checksum_address(sender) == to_checksum_address(admin)
        ]
        assert len(again) == 2
        await ground.another_branch()
        await ground.client.reorg(5, again)
        await daemon.caught_up()
        await ground.check(event_url, [other])
        assert await daemon.depths() == [4, 5]


class Tripwire(PooledClient):
    """Reorganises the chain just before the first read of a block by its hash: at the hand-over to following."""

    def __init__(self, name: str, settings: ChainSettings, ground: Ground, depth: int) -> None:
        super().__init__(name, settings)
        self._ground = ground
        self._depth = depth
        self.tripped = False

    async def logs_of_block(self, *arguments: Any) -> Any:
        if not self.tripped:
            self.tripped = True
            await self._ground.reorg(self._depth, "reorder")
        return await super().logs_of_block(*arguments)


@pytest.mark.parametrize("depth", [1, 30, 64])
async def test_a_reorg_at_the_hand_over_from_backfill_to_follow(
    depth: int, ground: Ground, event_url: str
) -> None:
    await ground.live(70)
    wires: list[Tripwire] = []

    def wired(name: str, settings: Settings) -> ChainClient:
        wires.append(Tripwire(name, settings.chains[name], ground, depth))
        return wires[-1]

    settings = ground.settings(event_url, [ground.anvil.ws_url, ground.anvil.url])
    async with following(ground, settings, wired) as daemon:
        await daemon.caught_up()
        assert [wire.tripped for wire in wires] == [True]
        await ground.check(event_url)
        await ground.live(2)
        await daemon.caught_up()
        await ground.check(event_url)


@pytest.mark.parametrize("blocks", [4, 9, 12])
async def test_a_head_that_goes_back_and_then_another_branch(
    blocks: int, ground: Ground, event_url: str
) -> None:
    """evm_revert takes nine blocks away. That alone is no reorg; another block at a height that we hold is one."""
    async with following(ground, ground.settings(event_url, [ground.anvil.ws_url])) as daemon:
        await ground.live(3)
        snapshot = await ground.client.call("evm_snapshot")
        await ground.live(9)
        await daemon.caught_up()
        held = await daemon.tip()
        assert await ground.client.call("evm_revert", snapshot)
        await asyncio.sleep(0.5)
        assert await daemon.tip() == held
        assert await daemon.depths() == []
        await ground.another_branch()
        await ground.live(blocks)
        await daemon.caught_up()
        assert await daemon.depths() == [9]
        await ground.check(event_url)
