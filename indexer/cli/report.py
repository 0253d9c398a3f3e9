"""What ``indexer status`` shows, gathered from the database and a running daemon."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg

from indexer import __version__
from indexer.chain.refs import BlockRange
from indexer.cli.daemon import read_daemon
from indexer.cli.sql import sql
from indexer.config import Settings
from indexer.store.connect import describe
from indexer.store.status import ChainStatus, ContractStatus, ProjectionStatus
from indexer.store.store import Store

WINDOW_SECONDS = 30.0
"""Rates are taken over at most this long."""


@dataclass(slots=True)
class Rates:
    """Blocks a second of each chain, from the tips seen so far."""

    _seen: dict[int, list[tuple[float, int]]] = field(default_factory=dict)

    def note(self, chain_id: int, tip: int | None, now: float) -> float | None:
        """Take in a tip; returns the mean rate over the window, or None while only one is known."""
        if tip is None:
            return None
        seen = [(at, block) for at, block in self._seen.get(chain_id, []) if now - at <= WINDOW_SECONDS]
        seen.append((now, tip))
        self._seen[chain_id] = seen
        elapsed = now - seen[0][0]
        return (tip - seen[0][1]) / elapsed if elapsed > 0 else None


async def gather(store: Store, settings: Settings, rates: Rates) -> dict[str, Any]:
    """The whole report, JSON-ready."""
    found = await store.status()
    daemon = await read_daemon(settings.http.listen)
    chains = [await _chain(store, settings, status, rates, daemon or {}) for status in found.chains]
    known = {chain["chain_id"] for chain in chains}
    chains += [
        _not_begun(name, chain.chain_id)
        for name, chain in settings.chains.items()
        if chain.chain_id not in known
    ]
    return {
        "version": __version__,
        "at": datetime.now(UTC).isoformat(),
        "database": {"address": describe(store.url), "bytes": found.bytes, "event_rows": found.event_rows},
        "daemon": daemon is not None,
        "chains": chains,
    }


async def _chain(
    store: Store,
    settings: Settings,
    status: ChainStatus,
    rates: Rates,
    daemon: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    tip = None if status.tip is None else status.tip.number
    lag = None if tip is None or status.head_number is None else max(status.head_number - tip, 0)
    rate = rates.note(status.chain_id, tip, time.monotonic())
    live = daemon.get(status.name, {})
    async with store.session("reading facets") as connection:
        facets = await _unknown_facets(connection, status.chain_id)
    return {
        "chain": status.name,
        "chain_id": status.chain_id,
        "head": status.head_number,
        "tip": tip,
        "tip_hash": None if status.tip is None else _hex(status.tip.hash),
        "finalized": status.finalized_number,
        "lag_blocks": lag,
        "halted": status.halted,
        "committed_at": None if status.committed_at is None else status.committed_at.isoformat(),
        "holder": status.lease.holder
        if status.lease and not status.lease.expired and status.lease.holder
        else None,
        "rate_blocks_per_second": None if rate is None else round(rate, 2),
        "eta_seconds": round(lag / rate) if lag and rate and rate > 0 else None,
        "backfill_blocks_remaining": live.get("backfill_blocks_remaining"),
        "contracts": [_contract(one, tip) for one in _all_contracts(settings, status)],
        "projections": [_projection(one) for one in status.projections],
        "reorgs": [_reorg(one) for one in status.reorgs],
        "undecoded": {"logs": sum(status.undecoded.values()), "by_reason": status.undecoded},
        "unknown_facets": facets,
        "endpoints": live.get("endpoints"),
    }


def _projection(one: ProjectionStatus) -> dict[str, Any]:
    """``state`` of one of the operator's: building until its rows are those of its file, failed, or absent."""
    own = one.version.startswith("own-")
    word = {"own-new": "building", "own-failed": "failed", "own-absent": "absent"}.get(one.version, "current")
    return {"name": one.name, "own": own, "state": word, "through_block": one.through_block}


def _not_begun(name: str, chain_id: int) -> dict[str, Any]:
    """A chain that is configured and that the database does not know yet."""
    empty: dict[str, Any] = dict.fromkeys(
        (
            "head",
            "tip",
            "tip_hash",
            "finalized",
            "lag_blocks",
            "halted",
            "committed_at",
            "holder",
            "rate_blocks_per_second",
            "eta_seconds",
            "backfill_blocks_remaining",
            "endpoints",
        )
    )
    lists: dict[str, Any] = {"contracts": [], "projections": [], "reorgs": [], "unknown_facets": []}
    return {"chain": name, "chain_id": chain_id, **empty, **lists, "undecoded": {"logs": 0, "by_reason": {}}}


def _all_contracts(settings: Settings, status: ChainStatus) -> list[ContractStatus]:
    """What the database knows, and after it the configured sections of which it knows nothing yet."""
    known = {one.contract for one in status.contracts}
    chains = {name for name, chain in settings.chains.items() if chain.chain_id == status.chain_id}
    default = next((settings.chains[name].start_block for name in chains), 0)
    new = [
        ContractStatus(name, 0, default if one.start_block is None else one.start_block, (), 0)
        for name, one in settings.contracts.items()
        if one.chain in chains and name not in known
    ]
    return [*status.contracts, *new]


def _contract(one: ContractStatus, tip: int | None) -> dict[str, Any]:
    wanted = 0 if tip is None else max(tip - one.start_block + 1, 0)
    covered = sum(_within(part, one.start_block, tip) for part in one.coverage) if tip is not None else 0
    return {
        "contract": one.contract,
        "sources": one.sources,
        "start_block": one.start_block,
        "coverage": [[part.first, part.last] for part in one.coverage],
        "missing_blocks": max(wanted - covered, 0),
        "discovered_addresses": one.discovered,
    }


def _within(part: BlockRange, first: int, last: int) -> int:
    return max(min(part.last, last) - max(part.first, first) + 1, 0)


def _reorg(one: Any) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "detected_at": one.detected_at.isoformat(),
        "common_ancestor": one.common_ancestor,
        "depth": one.depth,
        "old_tip": _hex(one.old_tip),
        "new_tip": _hex(one.new_tip),
        "rows_removed": one.rows_removed,
    }


async def _unknown_facets(connection: asyncpg.Connection, chain_id: int) -> list[dict[str, Any]]:
    return [
        {"diamond": _hex(row["diamond"]), "facet": _hex(row["facet"]), "selectors": row["selectors"]}
        for row in await connection.fetch(sql("unknown_facets"), chain_id)
    ]


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
