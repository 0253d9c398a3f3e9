"""Diamonds whose deployment lies before the start: their facets are read from the loupe at the start block, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from indexer.errors import RpcRefused
from indexer.rpc.client import ChainClient

log = structlog.get_logger(__name__)

FACETS_SELECTOR = bytes.fromhex("7a0ed627")
"""``facets()`` of ``IDiamondLoupe`` (EIP-2535)."""

Facets = Mapping[bytes, frozenset[bytes]]
"""Facet address to the selectors it serves."""


async def facets_at(client: ChainClient, diamond: bytes, block: int) -> Facets | None:
    """What the loupe says at the end of ``block``; None where there is no loupe, no code, or no history to ask."""
    try:
        answer = await client.call(diamond, FACETS_SELECTOR, block)
    except RpcRefused as refused:
        log.warning("loupe cannot be read", diamond=f"0x{diamond.hex()}", block=block, reason=str(refused))
        return None
    if not answer:
        return None
    try:
        (rows,) = decode(["(address,bytes4[])[]"], answer)
    except (DecodingError, OverflowError) as broken:
        log.warning("loupe answers nonsense", diamond=f"0x{diamond.hex()}", block=block, reason=str(broken))
        return None
    return {bytes.fromhex(facet[2:]): frozenset(selectors) for facet, selectors in rows}


async def seed_diamonds(
    client: ChainClient, diamonds: Iterable[tuple[bytes, int]]
) -> list[tuple[bytes, int, Facets]]:
    """(diamond, start block, facets) for each (diamond, start block) that had code before its start block."""
    seeds: list[tuple[bytes, int, Facets]] = []
    for diamond, start in diamonds:
        if start == 0:
            continue
        facets = await facets_at(client, diamond, start - 1)
        if facets:
            seeds.append((diamond, start, facets))
    return seeds
