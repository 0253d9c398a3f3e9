"""The proof at the end of a demo: silent when the database is right, and never when it is not."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
from pydantic import SecretStr
from web3 import AsyncHTTPProvider, AsyncWeb3

from indexer import app
from indexer.clock import SystemClock
from indexer.config import ChainSettings, DatabaseSettings, ReconcileSettings, Settings, load_settings
from indexer.decode.privacy import Privacy
from indexer.demo.anvil import CHAIN_ID, Anvil, AnvilClient, AnvilOptions
from indexer.demo.calls import Send
from indexer.demo.deploy import FACETS, Deployment, deploy, run, upgrade
from indexer.demo.expected import Expected
from indexer.demo.state_checks import ContractView
from indexer.demo.tools import Tools
from indexer.demo.traffic import Traffic
from indexer.demo.verify import ALL_ASPECTS, Verdict, compare, read_chain, verify
from indexer.demo.workspace import write_config
from indexer.projections.runner import Projections
from indexer.rpc.pool import PooledClient
from indexer.sync.reconcile.runner import Reconciler


class Indexed(NamedTuple):
    """A chain that stands still, and a database that the daemon has brought to its head."""

    anvil: Anvil
    made: Deployment
    expected: Expected
    database_url: str

    async def verdict(self, table: str) -> Verdict:
        """The verdict on all event tables and on one state table."""
        web3 = AsyncWeb3(AsyncHTTPProvider(self.anvil.url))
        aspects = [one for one in ALL_ASPECTS if one.name.partition(" ")[0] == table]
        try:
            return await compare(
                self.database_url, ContractView(web3, self.made, self.expected), CHAIN_ID, aspects
            )
        finally:
            await web3.provider.disconnect()


async def chain(anvil: Anvil, tools: Tools) -> tuple[Deployment, Expected]:
    async with AnvilClient(anvil.url) as client:
        made = await deploy(client, tools.artifacts)
        await Traffic(client, made, seed=11).history(120)
        reading = made.diamond.data("report", bytes(32), -1)
        await run(client, [Send(made.actors[0], made.diamond.address, reading), upgrade(made)])
        web3 = AsyncWeb3(AsyncHTTPProvider(anvil.url))
        view = await read_chain(web3, made)
        await web3.provider.disconnect()
        return made, view.expected


async def administer(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def indexed(tools: Tools, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexed]:
    name = f"demo_verify_{secrets.token_hex(4)}"
    head, _, query = postgres_url.partition("?")
    url = f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    asyncio.run(administer(postgres_url, f'CREATE DATABASE "{name}"'))
    try:
        with Anvil(tools.anvil, AnvilOptions(slots=16)) as anvil:
            made, expected = asyncio.run(chain(anvil, tools))
            config = write_config(tmp_path_factory.mktemp("demo"), anvil, made, "127.0.0.1:0", CHAIN_ID)
            settings = load_settings(config, {"INDEXER__DATABASE__URL": url})
            asyncio.run(app.run(settings, until="head", serve_http=False, handle_signals=False))
            yield Indexed(anvil, made, expected, url)
    finally:
        asyncio.run(administer(postgres_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def test_a_database_that_is_right_agrees(indexed: Indexed):
    verdict = await verify(indexed.database_url, indexed.anvil.url, indexed.made, CHAIN_ID)
    assert verdict.differences == []
    assert verdict.agree
    assert verdict.logs == sum(verdict.rows.values()) + verdict.undecoded > 300
    assert len(verdict.rows) > 30
    assert all(count > 0 for count in verdict.state.values())


async def test_every_facet_is_recognised_by_its_functions_also_after_the_upgrade(indexed: Indexed):
    connection = await asyncpg.connect(indexed.database_url)
    try:
        rows = await connection.fetch(
            "SELECT facet, abi, count(*) FILTER (WHERE removed_block IS NULL) AS active FROM state.diamond_selector "
            "GROUP BY facet, abi"
        )
    finally:
        await connection.close()
    found = {row["facet"]: (row["abi"], row["active"] > 0) for row in rows}
    facets = {name: bytes.fromhex(address[2:]) for name, address in indexed.made.facets.items()}
    assert len(found) == len(FACETS) + 2
    assert found[facets["CarbonFacet"]] == ("demo_carbon_facet", False)
    assert found[facets["CarbonFacetV2"]] == ("demo_carbon_facet_v2", True)
    assert found[facets["TradeDealFacet"]] == ("demo_trade_deal_facet", True)
    assert all(abi is not None for abi, _ in found.values())


async def test_every_sale_has_its_listing_its_buyer_and_payouts_that_add_up_to_the_price(indexed: Indexed):
    connection = await asyncpg.connect(indexed.database_url)
    try:
        sales = await connection.fetch(
            "SELECT sale.*, said.owner AS caller, (SELECT sum(amount) FROM state.sale_payout AS payout "
            "WHERE payout.block_number = sale.block_number AND payout.sale_log_index = sale.log_index) AS paid "
            "FROM state.sale AS sale JOIN event.marketplace_sales AS said USING (chain_id, block_number, log_index)"
        )
        loose = await connection.fetchval(
            "SELECT count(*) FROM state.sale_payout WHERE sale_log_index IS NULL"
        )
        statuses = await connection.fetch("SELECT DISTINCT status FROM state.listing")
    finally:
        await connection.close()
    assert len(sales) >= 3
    assert loose == 0
    assert {row["status"] for row in statuses} >= {"open", "sold", "delisted"}
    for sale in sales:
        assert not sale["inconsistent"]
        assert sale["buyer"] == sale["caller"]
        assert sale["seller"] is not None
        assert sale["price"] == sale["fee_total"] + sale["seller_net"] == (sale["paid"] or 0)


class Plant(NamedTuple):
    """Something wrong: what it is, where it shows, and the statement that plants it."""

    name: str
    table: str
    statement: str


PLANTS = (
    Plant(
        "a row is gone",
        "event.erc20_transfer",
        """DELETE FROM event.erc20_transfer WHERE (block_number, log_index) =
        (SELECT block_number, log_index FROM event.erc20_transfer ORDER BY 1, 2 LIMIT 1)""",
    ),
    Plant(
        "a value is off by one",
        "event.erc20_transfer",
        "UPDATE event.erc20_transfer SET value = value + 1 WHERE value = (SELECT max(value) FROM event.erc20_transfer)",
    ),
    Plant(
        "a text differs",
        "event.trade_deal_created",
        "UPDATE event.trade_deal_created SET name = name || ' ' WHERE trade_deal_id = 0",
    ),
    Plant(
        "a member of a tuple differs",
        "event.minter_gemforce_minted",
        """UPDATE event.minter_gemforce_minted SET attributes = jsonb_set(attributes, '{0,value}', '"x"')
        WHERE token_id = 0""",
    ),
    Plant(
        "a row too many",
        "event.erc1155_uri",
        """INSERT INTO event.erc1155_uri (chain_id, block_number, block_hash, block_time, tx_hash, tx_index, log_index,
        address, value, id) SELECT chain_id, block_number, block_hash, block_time, tx_hash, tx_index, 9999, address,
        'x', 1 FROM event.erc20_transfer LIMIT 1""",
    ),
    Plant(
        "a block hash of another branch",
        "event.diamond_cut",
        "UPDATE event.diamond_cut SET block_hash = decode(repeat('ab', 32), 'hex')",
    ),
    Plant(
        "a raw log differs",
        "event.undecoded",
        r"UPDATE event.undecoded SET data = data || '\x00'::bytea",
    ),
    Plant(
        "a balance is wrong",
        "state.erc20_balance",
        """UPDATE state.erc20_balance SET balance = balance + 1
        WHERE holder = (SELECT max(holder) FROM state.erc20_balance)""",
    ),
    Plant(
        "a holder is missing",
        "state.erc1155_balance",
        """DELETE FROM state.erc1155_balance
        WHERE balance = (SELECT max(balance) FROM state.erc1155_balance)""",
    ),
    Plant(
        "an owner is wrong",
        "state.nft",
        "UPDATE state.nft SET owner = decode(repeat('00', 19) || '01', 'hex') WHERE NOT burned",
    ),
    Plant("a burned token lives", "state.nft", "UPDATE state.nft SET burned = false WHERE burned"),
    Plant(
        "a deal's balance is off by one",
        "state.trade_deal",
        "UPDATE state.trade_deal SET usdc_balance = usdc_balance + 1",
    ),
    Plant("a deal has another target", "state.trade_deal", "UPDATE state.trade_deal SET target = 1"),
    Plant(
        "a participant is gone",
        "state.trade_deal_participant",
        "DELETE FROM state.trade_deal_participant WHERE active",
    ),
    Plant(
        "credits were never retired",
        "state.carbon_credit",
        "UPDATE state.carbon_credit SET remaining = total_initialized + 1",
    ),
    Plant("a listing is still open", "state.listing", "UPDATE state.listing SET status = 'open'"),
    Plant("an open listing is gone", "state.listing", "UPDATE state.listing SET status = 'sold'"),
    Plant(
        "an attribute has another value",
        "state.token_attribute",
        "UPDATE state.token_attribute SET value = value || '!' WHERE NOT removed",
    ),
    Plant(
        "a fee weight is off by one",
        "state.fee_receiver",
        "UPDATE state.fee_receiver SET weight = weight + 1",
    ),
    Plant("a contract has no owner", "state.ownership", "UPDATE state.ownership SET owner = NULL"),
    Plant("a supply is wrong", "state.erc20_supply", "UPDATE state.erc20_supply SET supply = supply - 1"),
    Plant(
        "an allowance is too low", "state.erc20_allowance", "UPDATE state.erc20_allowance SET allowance = 0"
    ),
    Plant(
        "a selector is still with its old facet",
        "state.diamond_selector",
        "UPDATE state.diamond_selector SET facet = diamond WHERE removed_block IS NULL",
    ),
    Plant(
        "a marketplace's share is off by one",
        "state.fee_receiver",
        "UPDATE state.fee_receiver SET weight = weight - 1 WHERE source = 'marketplace'",
    ),
    Plant(
        "a withdrawal is missing",
        "state.treasury_balance",
        "UPDATE state.treasury_balance SET balance = total_deposited WHERE total_withdrawn > 0",
    ),
    Plant(
        "a template is the one before",
        "state.svg_template",
        "UPDATE state.svg_template SET template = manager",
    ),
    Plant(
        "a role is held by everybody",
        "state.role_member",
        "UPDATE state.role_member SET active = true WHERE NOT active",
    ),
    Plant(
        "a role administers itself",
        "state.role_admin",
        "UPDATE state.role_admin SET admin_role = role",
    ),
    Plant("a pause is over", "state.pause_flag", "UPDATE state.pause_flag SET paused = NOT paused"),
    Plant(
        "an ownership was never offered",
        "state.ownership",
        "UPDATE state.ownership SET pending_owner = contract",
    ),
    Plant(
        "a sale is cheaper than it was",
        "state.multi_sale",
        "UPDATE state.multi_sale SET price = price + 1000000",
    ),
    Plant(
        "a sale is of something else",
        "state.multi_sale",
        "UPDATE state.multi_sale SET token = payee",
    ),
    Plant("a wallet has another identity", "state.identity", "UPDATE state.identity SET identity = wallet"),
    Plant(
        "a claim was never taken back",
        "state.registry_claim",
        "UPDATE state.registry_claim SET removed_block = NULL WHERE removed_block IS NOT NULL",
    ),
    Plant(
        "a claim's data is other data",
        "state.identity_claim",
        "UPDATE state.identity_claim SET data_hash = claim_id WHERE active",
    ),
    Plant(
        "a key is good no more",
        "state.identity_key",
        "UPDATE state.identity_key SET active = NOT active",
    ),
    Plant(
        "an attribute of an identity has another value",
        "state.identity_attribute",
        "UPDATE state.identity_attribute SET value = value || '!'",
    ),
    Plant("a topic is gone", "state.claim_topic", "UPDATE state.claim_topic SET active = false"),
    Plant(
        "an issuer is trusted no more",
        "state.trusted_issuer",
        "UPDATE state.trusted_issuer SET active = NOT active",
    ),
    Plant(
        "an issuer may say something else",
        "state.trusted_issuer_topic",
        "UPDATE state.trusted_issuer_topic SET active = NOT active",
    ),
    Plant(
        "a collateral token is another diamond's",
        "state.collateral_token",
        "UPDATE state.collateral_token SET diamond = token",
    ),
    Plant("the tip is another block", "sync.chain", "UPDATE sync.chain SET tip_number = tip_number - 1"),
)


@pytest.mark.parametrize("plant", PLANTS, ids=[one.name for one in PLANTS])
async def test_what_is_wrong_is_found(indexed: Indexed, plant: Plant):
    kept = "keep_" + plant.table.replace(".", "_")
    connection = await asyncpg.connect(indexed.database_url)
    try:
        # The triggers of the state tables and the foreign keys of sync.chain are not what is tested here.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(f"CREATE TEMP TABLE {kept} AS TABLE {plant.table}")
        changed = await connection.execute(plant.statement)
        assert not changed.endswith(" 0"), "the plant changed nothing"
        verdict = await indexed.verdict(plant.table)
        await connection.execute(f"DELETE FROM {plant.table}")
        await connection.execute(f"INSERT INTO {plant.table} TABLE {kept}")
    finally:
        await connection.close()
    assert not verdict.agree
    assert any(plant.table in one for one in verdict.differences)


async def test_the_reconciler_reads_the_real_contracts_and_finds_no_drift(indexed: Indexed):
    """Through the endpoint pool, in batches: anvil has no multicall contract. All blocks count as final for it."""
    chain = ChainSettings(chain_id=CHAIN_ID, rpc=(SecretStr(indexed.anvil.url),))
    settings = Settings(
        path=Path("indexer.toml"),
        database=DatabaseSettings(url=SecretStr(indexed.database_url)),
        chains={"demo": chain},
    )
    connection = await asyncpg.connect(indexed.database_url)
    client = PooledClient("demo", chain)
    try:
        before = await connection.fetchval("SELECT finalized_number FROM sync.chain")
        await connection.execute("UPDATE sync.chain SET finalized_number = tip_number")
        await client.open()
        reconciler = Reconciler(
            name="demo",
            chain_id=CHAIN_ID,
            settings=ReconcileSettings(calls_per_second=10_000, sample=1000),
            client=client,
            database_url=indexed.database_url,
            projections=Projections.load(),
            privacy=Privacy(settings.privacy),
            clock=SystemClock(),
            ready=lambda: True,
        )
        assert await reconciler.once() == indexed.expected.tip
        rows = await connection.fetch("SELECT check_name, compared, drift, examples FROM sync.reconciliation")
        found = {row["check_name"]: row for row in rows}
        assert {name: row["examples"] for name, row in found.items() if row["drift"]} == {}
        for name in (
            "erc20_supply",
            "erc20_balance",
            "erc20_allowance",
            "nft_owner",
            "erc1155_balance",
            "diamond_selectors",
        ):
            assert found[name]["compared"] > 0, name
        usdc = bytes.fromhex(indexed.made.contracts["usdc"].address[2:])
        token = await connection.fetchrow("SELECT * FROM state.token WHERE contract = $1", usdc)
        assert (token["symbol"], token["decimals"], token["read_block"]) == ("USDC", 6, indexed.expected.tip)
    finally:
        await client.close()
        await connection.execute("UPDATE sync.chain SET finalized_number = $1", before)
        await connection.close()
