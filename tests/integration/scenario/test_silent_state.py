"""What only calls tell, read by the reconciler off the demo's contracts, against web3's own calls at the same block."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from acts import Acts
from chain_state import state_of
from state_rows import Rows, differing, rows_of, silent, state_tables
from web3 import AsyncHTTPProvider, AsyncWeb3

from indexer import app
from indexer.clock import SystemClock
from indexer.config import ReconcileSettings, Settings, load_settings
from indexer.decode.privacy import Privacy
from indexer.demo.anvil import CHAIN_ID, Anvil, AnvilClient, AnvilOptions
from indexer.demo.deploy import deploy
from indexer.demo.state_checks import ContractView, address_of
from indexer.demo.tools import Tools
from indexer.demo.verify import read_chain
from indexer.demo.workspace import CHAIN, write_config
from indexer.projections.runner import Projections
from indexer.rpc.pool import PooledClient
from indexer.sync.reconcile.runner import Reconciler

BOOKS = {"read_block", "updated_block"}
State = dict[str, Rows]


async def token(view: ContractView, told: State) -> Rows:
    found = {}
    for (contract,) in told["token"]:
        answers = [await view.ask(contract, "DemoUSDC", one) for one in ("name", "symbol", "decimals")]
        found[contract,] = dict(zip(("name", "symbol", "decimals"), answers, strict=True)) | {
            "contract_uri": None
        }
    return found


async def token_uri(view: ContractView, told: State) -> Rows:
    found: Rows = {}
    for (contract, number), row in told["nft"].items():
        uri = None if row["burned"] else await view.ask(contract, "DemoCertificates", "tokenURI", int(number))
        if uri is not None:
            found[contract, number] = {"uri": uri or None}
    for contract, number, _ in told["erc1155_balance"]:
        found[contract, number] = {"uri": await view.ask(contract, "DemoItems", "uri", int(number))}
    return found


async def token_attribute(view: ContractView, told: State) -> Rows:
    found: Rows = {}
    for (contract, number), row in told["nft"].items():
        if contract == view.diamond and not row["burned"]:
            for key, kind, value in (
                await view.ask(contract, "MetadataFacet", "getAllTokenMetadata", int(number)) or ()
            ):
                found[contract, number, key] = {"attribute_type": kind, "value": value}
    return found


async def trade_deal(view: ContractView, told: State) -> Rows:
    found: Rows = {}
    names = (
        "funding_target", "current_balance", "is_funded", "is_funding_withdrawn", "total_debt", "repaid_amount", "is_repaid",
    )  # fmt: skip
    for diamond, deal in told["trade_deal"]:
        status = await view.ask(diamond, "TradeDealFacet", "getTradeDealFullStatus", int(deal))
        tokens = await view.ask(diamond, "TradeDealFacet", "getTradeDealTokenAddresses", int(deal))
        addresses = [bytes.fromhex(one[2:]) for one in tokens]
        found[diamond, deal] = dict(zip(names, status, strict=True)) | {"token_addresses": addresses}
    return found


async def claim_topics(view: ContractView, told: State) -> Rows:
    topics = await view.ask(view.diamond, "IdentityRegistryFacet", "getClaimTopics")
    assert told["claim_topic"]
    return {(view.diamond,): {"claim_topics": sorted(topics)}}


async def issuer_topics(view: ContractView, told: State) -> Rows:
    found: Rows = {}
    for (diamond, issuer), row in told["trusted_issuer"].items():
        if row["active"]:
            topics = await view.ask(diamond, "IdentityRegistryFacet", "getTrustedIssuerClaimTopics", issuer)
            found[diamond, issuer] = {"claim_topics": sorted(topics)}
    return found


async def diamond(view: ContractView, told: State) -> Rows:
    found: Rows = {}
    for (address,) in told["diamond"]:
        fees = await view.ask(address, "MarketplaceFacet", "getMarketplaceFeeReceivers")
        found[address,] = {
            "delegated_minter": address_of(await view.ask(address, "TokenFacet", "delegatedMinter")),
            "fee_receivers": [address_of(receiver) for receiver, _ in fees],
            "fee_shares": [share for _, share in fees],
        }
    return found


async def collateral_token(view: ContractView, told: State) -> Rows:
    return {
        key: {"restrictions_enabled": await view.ask(*key, "CollateralToken", "restrictionsEnabled")}
        for key in told["collateral_token"]
    }


async def factory(view: ContractView, told: State) -> Rows:
    (row,) = told["diamond"].values()
    symbols = await view.ask(row["factory"], "DiamondFactory", "symbols")
    return {(row["factory"],): {"symbols": sorted(symbols)}}


async def facet_set(view: ContractView, told: State) -> Rows:
    (row,) = told["diamond"].values()
    facets = await view.ask(row["factory"], "DiamondFactory", "getFacets", "GEMD")
    return {
        (row["factory"], "GEMD"): {
            "known": await view.ask(row["factory"], "DiamondFactory", "exists", "GEMD"),
            "facets": [address_of(facet) for facet, _, _ in facets],
            "selectors": [len(selectors) for _, _, selectors in facets],
        }
    }


async def multi_sale(view: ContractView, told: State) -> Rows:
    found: Rows = {}
    names = ("price", "price_modifier", "price_modifier_factor", "max_price")
    for address, sale in told["multi_sale"]:
        settings = await view.ask(address, "MultiSaleFacet", "getTokenSaleSettings", int(sale))
        found[address, sale] = {"open_state": settings[12], **dict(zip(names, settings[22], strict=True))}
    return found


async def treasury(view: ContractView, told: State) -> Rows:
    return {
        (address,): {"payment_token": address_of(await view.ask(address, "Treasury", "getPaymentToken"))}
        for address in {key[0] for key in told["treasury_balance"]}
    }


ASKED: dict[str, Callable[[ContractView, State], Awaitable[Rows]]] = {
    f"silent_{one.__name__}": one
    for one in (
        token, token_uri, token_attribute, trade_deal, claim_topics, issuer_topics, diamond, collateral_token, factory,
        facet_set, multi_sale, treasury,
    )
}  # fmt: skip


async def reconcile(settings: Settings, url: str) -> int | None:
    client = PooledClient(CHAIN, settings.chains[CHAIN])
    await client.open()
    try:
        return await Reconciler(
            name=CHAIN,
            chain_id=CHAIN_ID,
            settings=ReconcileSettings(calls_per_second=10_000, sample=10_000),
            client=client,
            database_url=url,
            projections=Projections.load(),
            privacy=Privacy(settings.privacy),
            clock=SystemClock(),
            ready=lambda: True,
        ).once()
    finally:
        await client.close()


async def played(client: AnvilClient, tools: Tools) -> Any:
    made = await deploy(client, tools.artifacts)
    acts = Acts(client, made)
    for act in (*acts.all, acts.silent_settings):
        await act()
    return made


async def test_every_silent_table_is_what_the_contracts_answer(
    tools: Tools, migrated_url: str, tmp_path: Path
) -> None:
    """All blocks count as final for the reconciler."""
    with Anvil(tools.anvil, AnvilOptions(slots=16)) as anvil:
        async with AnvilClient(anvil.url) as client:
            made = await played(client, tools)
        config = write_config(tmp_path, anvil, made, "127.0.0.1:0", CHAIN_ID)
        settings = load_settings(config, {"INDEXER__DATABASE__URL": migrated_url})
        await app.run(settings, until="head", serve_http=False, handle_signals=False)
        web3 = AsyncWeb3(AsyncHTTPProvider(anvil.url))
        connection = await asyncpg.connect(migrated_url)
        try:
            await connection.execute("UPDATE sync.chain SET finalized_number = tip_number")
            view = await read_chain(web3, made)
            assert await reconcile(settings, migrated_url) == view.expected.tip
            told = state_of(view.expected)
            tables = silent(await state_tables(connection))
            assert tables.keys() == ASKED.keys()
            for name, (keys, columns) in tables.items():
                held, want = await rows_of(connection, name, keys, columns), await ASKED[name](view, told)
                assert held, f"{name} is empty"
                differences = list(differing(held, want, BOOKS))
                assert differences == [], f"{name}: {differences[:5]}"
            await drift_is_what_was_silent(connection)
        finally:
            await connection.close()
            await web3.provider.disconnect()


async def drift_is_what_was_silent(connection: asyncpg.Connection) -> None:
    """Nothing that events tell was changed in silence but prices, which are not compared."""
    rows = await connection.fetch("SELECT check_name, compared, drift, examples FROM sync.reconciliation")
    assert {row["check_name"]: row["examples"] for row in rows if row["drift"]} == {}
    compared = {row["check_name"] for row in rows if row["compared"]}
    # The first carbon facet, which is in here, has no function for many balances.
    assert {row["check_name"] for row in rows} - compared == {"carbon_balance"}
    prices = await connection.fetchval(
        "SELECT count(*) FROM state.silent_multi_sale AS silent JOIN state.multi_sale AS told"
        " USING (chain_id, diamond, sale_id) WHERE silent.price <> told.price"
    )
    assert prices == 1, "each sale of the acts ends with an update, and one was bought from since"


pytestmark = pytest.mark.timeout(180)
