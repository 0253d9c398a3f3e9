"""What the database knows of diamonds' facets: the cuts that were decoded, and what loupes told at a start block."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import asyncpg

from indexer.store.queries import sql


@dataclass(frozen=True, slots=True)
class FacetCut:
    """One entry of a ``DiamondCut`` log (EIP-2535). ``action`` is 0 add, 1 replace, 2 remove."""

    facet: bytes
    action: int
    selectors: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class DiamondCut:
    """One ``DiamondCut`` log."""

    diamond: bytes
    block_number: int
    log_index: int
    cuts: tuple[FacetCut, ...]


@dataclass(frozen=True, slots=True)
class DiamondSeed:
    """Facets and the selectors they served at ``block_number``."""

    diamond: bytes
    block_number: int
    facets: Mapping[bytes, frozenset[bytes]]


async def read_cuts(connection: asyncpg.Connection, chain_id: int) -> list[DiamondCut]:
    """Every cut of every diamond of the chain, by (block, log index); none before event tables exist."""
    if not await connection.fetchval(sql("diamond_cut_exists")):
        return []
    return [
        DiamondCut(row["address"], row["block_number"], row["log_index"], _cuts(row["diamond_cut"]))
        for row in await connection.fetch(sql("diamond_cuts"), chain_id)
    ]


def _cuts(text: str) -> tuple[FacetCut, ...]:
    return tuple(
        FacetCut(
            _bytes(item["facetAddress"]),
            int(item["action"]),
            tuple(_bytes(selector) for selector in item["functionSelectors"]),
        )
        for item in json.loads(text)
    )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


async def write_seed(
    connection: asyncpg.Connection,
    chain_id: int,
    diamond: bytes,
    block: int,
    facets: Mapping[bytes, Collection[bytes]],
) -> None:
    """Keep what the loupe told, in place of what was kept before."""
    pairs = [(facet, selector) for facet, selectors in facets.items() for selector in sorted(selectors)]
    async with connection.transaction():
        await connection.execute(sql("clear_diamond_seed"), chain_id, diamond)
        await connection.execute(
            sql("add_diamond_seed"),
            chain_id,
            diamond,
            block,
            [facet for facet, _ in pairs],
            [selector for _, selector in pairs],
        )


async def read_seeds(connection: asyncpg.Connection, chain_id: int) -> list[DiamondSeed]:
    """What the loupes of the chain's diamonds told, one seed per diamond."""
    blocks: dict[bytes, int] = {}
    facets: dict[bytes, dict[bytes, set[bytes]]] = {}
    for row in await connection.fetch(sql("diamond_seeds"), chain_id):
        blocks[row["diamond"]] = row["block_number"]
        facets.setdefault(row["diamond"], {}).setdefault(row["facet"], set()).add(row["selector"])
    return [
        DiamondSeed(
            diamond,
            blocks[diamond],
            {facet: frozenset(selectors) for facet, selectors in served.items()},
        )
        for diamond, served in facets.items()
    ]
