"""Every domain on anvil through the real daemon, with reorgs between; every state table against the chain each time.

The chain is read by web3 and decoded by the ABIs that the Solidity compiler wrote. A table of schema ``state`` is held, row by row
and column by column, against a fold of those logs in Python, and where the contracts have a view function against its answer.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from acts import Acts
from chain_state import state_of
from state_rows import differing, folded, rows_of, state_tables
from web3 import AsyncHTTPProvider, AsyncWeb3

from indexer import app
from indexer.config import load_settings
from indexer.demo.anvil import CHAIN_ID, Anvil, AnvilClient, AnvilOptions
from indexer.demo.deploy import Deployment, deploy
from indexer.demo.state_checks import Aspect, ContractView
from indexer.demo.tools import Tools
from indexer.demo.traffic import Fate, Traffic
from indexer.demo.verify import ALL_ASPECTS, compare, read_chain
from indexer.demo.workspace import write_config

REORGS: tuple[tuple[int, Fate], ...] = (
    (1, "reorder"), (3, "drop"), (8, "reorder"), (13, "drop"), (5, "empty"), (21, "reorder"), (34, "drop"), (2, "empty"),
    (48, "reorder"), (10, "drop"), (4, "reorder"), (27, "drop"), (16, "reorder"),
)  # fmt: skip
"""Depth and fate of the transactions, one after each domain; ``finalized`` is 64 blocks behind."""

WITHOUT_WORDS = (
    "sale", "sale_payout", "fee_distribution", "token_attribute", "treasury_balance", "ownership", "role_member",
)  # fmt: skip
UNTOLD = {table: {"inconsistency"} for table in WITHOUT_WORDS} | {
    "diamond_selector": {"abi", "updated_block"},
    "token": {"name", "symbol", "decimals", "read_block", "inconsistency"},
}
"""Columns that no fold tells. Which ABI a facet matches, and when that was looked for last, depends on the configuration
(test_verify.py and test_facet_match.py hold it); names come from calls (test_silent_state.py); of some tables the folds tell that
a row contradicts itself, but not in which words."""


class Stage:
    """A chain, a daemon that follows it, and everything that is compared."""

    def __init__(
        self, anvil: Anvil, client: AnvilClient, made: Deployment, url: str, connection: asyncpg.Connection,
        daemon: asyncio.Task[None],
    ) -> None:  # fmt: skip
        self.client = client
        self.acts = Acts(client, made)
        self.traffic = Traffic(client, made, seed=3)
        self.connection = connection
        self._anvil = anvil
        self._made = made
        self._url = url
        self._daemon = daemon

    async def caught_up(self) -> None:
        """Wait until the daemon's tip is the chain's newest block."""
        async with asyncio.timeout(60):
            while not self._daemon.done():
                block = await self.client.call("eth_getBlockByNumber", "latest", False)
                row = await self.connection.fetchrow("SELECT tip_number, tip_hash FROM sync.chain")
                if row and tuple(row) == (int(block["number"], 16), bytes.fromhex(block["hash"][2:])):
                    return
                await asyncio.sleep(0.02)
        self._daemon.result()

    async def reorg(self, depth: int, fate: Fate) -> None:
        """Replace the newest blocks; with another coinbase, so that not even an empty one is what it was."""
        await self.client.call("anvil_setCoinbase", f"0x{depth:040x}")
        await self.traffic.reorg(depth, fate)

    async def agrees(self, aspects: tuple[Aspect, ...] = ALL_ASPECTS) -> set[str]:
        """Hold every table against the chain; the tables that have rows."""
        await self.caught_up()
        web3 = AsyncWeb3(AsyncHTTPProvider(self._anvil.url))
        try:
            view = await read_chain(web3, self._made)
            verdict = await compare(self._url, view, CHAIN_ID, aspects)
            assert verdict.differences == []
            return await self._folds_agree(view)
        finally:
            await web3.provider.disconnect()

    async def _folds_agree(self, view: ContractView) -> set[str]:
        told = state_of(view.expected)
        tables = folded(await state_tables(self.connection))
        assert tables.keys() == told.keys(), "each table of schema state has a fold, and each fold a table"
        for table, (keys, columns) in tables.items():
            held = await rows_of(self.connection, table, keys, columns)
            differences = list(differing(held, told[table], UNTOLD.get(table, set())))
            assert differences == [], f"{table}: {differences[:5]}"
        return {table for table, rows in told.items() if rows}


@asynccontextmanager
async def playing(tools: Tools, url: str, folder: Path) -> AsyncIterator[Stage]:
    with Anvil(tools.anvil, AnvilOptions(slots=32)) as anvil:
        async with AnvilClient(anvil.url) as client:
            made = await deploy(client, tools.artifacts)
            config = write_config(folder, anvil, made, "127.0.0.1:0", CHAIN_ID)
            settings = load_settings(config, {"INDEXER__DATABASE__URL": url})
            connection = await asyncpg.connect(url)
            daemon = asyncio.create_task(app.run(settings, serve_http=False, handle_signals=False))
            try:
                yield Stage(anvil, client, made, url, connection, daemon)
            finally:
                daemon.cancel()
                await asyncio.gather(daemon, return_exceptions=True)
                await connection.close()


def sampled(aspects: tuple[Aspect, ...]) -> tuple[Aspect, ...]:
    """Ask about every hundredth token of a long range only, and about those that moved: the fold tells them all."""

    def known(view: ContractView) -> set[tuple[Any, ...]]:
        return {(contract, move[2]) for contract, move in view.expected.arguments("erc721_transfer")}

    where = "WHERE (token_id < 1000 OR token_id % 100 = 0 OR minted_block IS DISTINCT FROM last_transfer_block) AND chain_id = $1"
    return tuple(
        dataclasses.replace(one, query=one.query.replace("WHERE chain_id = $1", where), known=known)
        if one.name == "state.nft"
        else one
        for one in aspects
    )


@pytest.mark.timeout(300)
async def test_every_table_is_the_chains_after_every_reorg(
    tools: Tools, migrated_url: str, tmp_path: Path
) -> None:
    async with playing(tools, migrated_url, tmp_path) as stage:
        await stage.client.mine(50)
        assert len(REORGS) == len(stage.acts.all)
        for turn, (act, (depth, fate)) in enumerate(zip(stage.acts.all, REORGS, strict=True)):
            await act()
            await stage.traffic.block()
            await stage.caught_up()
            await stage.reorg(depth, fate)
            # Contracts are asked after some of the reorgs, rows are held against the logs after all of them.
            await stage.agrees(ALL_ASPECTS if turn % 4 == 0 else ())
            await stage.traffic.block()
        for act in (*stage.acts.all, stage.traffic.upgrade, stage.acts.wide_passes):
            await act()
        filled = await stage.agrees(sampled(ALL_ASPECTS))
        empty = folded(await state_tables(stage.connection)).keys() - filled
        assert empty == set(), "a domain was not driven"
        depths = await stage.connection.fetch("SELECT depth FROM sync.reorg WHERE kind = 'reorg' ORDER BY id")
        assert [row["depth"] for row in depths] == [depth for depth, _ in REORGS]


def test_what_differs_is_seen() -> None:
    held = {(1,): {"a": 1, "words": "x"}, (2,): {"a": 2, "words": None}, (3,): {"a": 3, "words": None}}
    told = {(1,): {"a": 1}, (2,): {"a": 5}, (4,): {"a": 4}}
    assert sorted(differing(held, told, {"words"})) == [
        ((2,), "a", 2, 5), ((3,), "only in the database"), ((4,), "only in the fold"),
    ]  # fmt: skip
    assert ((1,), "words", "x", "not told") in list(differing(held, told, set()))
