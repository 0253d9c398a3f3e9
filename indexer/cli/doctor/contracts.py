"""Each configured address: has it code, and does a diamond tell its facets?"""

from __future__ import annotations

import asyncio

from indexer.cli.doctor.endpoints import ClientFactory
from indexer.cli.doctor.findings import Finding
from indexer.config import ContractSettings, Settings
from indexer.config_values import checksum_address
from indexer.errors import IndexerError
from indexer.rpc.client import ChainClient
from indexer.sync.diamonds import facets_at

_AT_ONCE = 8


async def check_contracts(settings: Settings, chain: str, factory: ClientFactory) -> list[Finding]:
    """Findings about every address of the contracts on one chain; one finding when the chain cannot be asked."""
    mine = {name: one for name, one in settings.contracts.items() if one.chain == chain and one.address}
    if not mine:
        return []
    client = factory(chain, settings.chains[chain])
    try:
        await client.open()
        head = (await client.head()).number
    except IndexerError as error:
        await client.close()
        return [Finding("fail", "contract", chain, f"addresses cannot be looked at: {error}")]
    turn = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(name: str, one: ContractSettings, address: bytes) -> Finding:
        async with turn:
            return await _check_address(client, name, one, address, head)

    try:
        return await asyncio.gather(
            *(in_turn(name, one, address) for name, one in mine.items() for address in one.address or ())
        )
    finally:
        await client.close()


async def _check_address(
    client: ChainClient, name: str, contract: ContractSettings, address: bytes, head: int
) -> Finding:
    subject = f"{name} {checksum_address(address)}"
    try:
        code = await client.code(address, head)
        if not code:
            return Finding(
                "fail", "contract", subject, f"no code at block {head}: wrong address, or wrong chain"
            )
        if contract.start_block is not None and contract.start_block > head:
            message = f"start_block {contract.start_block} lies above the newest block {head}"
            return Finding("warn", "contract", subject, message)
        if contract.kind == "diamond":
            facets = await facets_at(client, address, head)
            if not facets:
                message = "no loupe: facets are known from cuts only; start at its deployment"
                return Finding("warn", "contract", subject, message)
            return Finding("ok", "contract", subject, f"a diamond of {len(facets)} facets")
    except IndexerError as error:
        return Finding("fail", "contract", subject, f"cannot be looked at: {error}")
    return Finding("ok", "contract", subject, f"{len(code)} bytes of code")
