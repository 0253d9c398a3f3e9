"""A diamond indexed from a block after its deployment: its facets come from the loupe, and logs are decoded by them."""

from __future__ import annotations

import json
from pathlib import Path

import asyncpg
from eth_utils import to_canonical_address, to_checksum_address
from pydantic import SecretStr
from web3 import Web3

from indexer import app
from indexer.config import ChainSettings, ContractSettings, DatabaseSettings, Settings
from indexer.demo.anvil import Anvil, AnvilClient
from indexer.demo.deploy import Deployment


async def test_facets_come_from_the_loupe_at_the_start_block(
    anvil: Anvil, anvil_client: AnvilClient, deployment: Deployment, migrated_url: str, tmp_path: Path
) -> None:
    await anvil_client.mine(5)
    start = await anvil_client.head() + 1
    await anvil_client.mine(5)
    abi = tmp_path / "demo_carbon.json"
    abi.write_text(json.dumps(list(deployment.artifacts["CarbonFacet"].abi)))
    diamond = to_canonical_address(deployment.diamond.address)
    settings = Settings(
        path=tmp_path / "indexer.toml",
        database=DatabaseSettings(url=SecretStr(migrated_url)),
        chains={
            "anvil": ChainSettings(chain_id=31337, rpc=(SecretStr(anvil.url),), finality=2, poll_seconds=0.1)
        },
        contracts={
            "diamond": ContractSettings(
                chain="anvil",
                kind="diamond",
                address=(diamond,),
                abi=("gemforce", "erc721", "./demo_carbon.json"),
                start_block=start,
            )
        },
    )
    await app.run(settings, until="head", timeout=30, serve_http=False, handle_signals=False)
    connection = await asyncpg.connect(migrated_url)
    try:
        rows = await connection.fetch(
            "SELECT selector, facet, abi, added_block, added_log_index, removed_block FROM state.diamond_selector"
        )
    finally:
        await connection.close()
    web3 = Web3(Web3.HTTPProvider(anvil.url))
    told = web3.eth.contract(
        address=to_checksum_address(deployment.diamond.address),
        abi=deployment.artifacts["GemforceDiamond"].abi,
    ).functions.facets()
    served = {
        (to_canonical_address(facet), bytes(selector))
        for facet, selectors in told.call()
        for selector in selectors
    }
    assert {(row["facet"], row["selector"]) for row in rows} == served
    assert {(row["added_block"], row["added_log_index"], row["removed_block"]) for row in rows} == {
        (start, -1, None)
    }
    carbon = to_canonical_address(deployment.facets["CarbonFacet"])
    assert {row["abi"] for row in rows if row["facet"] == carbon} == {"demo_carbon"}
