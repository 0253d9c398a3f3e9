"""What a running daemon tells on ``/metrics`` and the database does not: its endpoints."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from indexer.config_values import split_listen

_SECONDS = 2.0
_MOST_BYTES = 16 * 1024 * 1024


async def read_daemon(listen: str) -> dict[str, dict[str, Any]] | None:
    """Per chain: ``endpoints``, ``lease_held``, ``backfill_blocks_remaining``; None when no daemon answers there."""
    host, port = split_listen(listen)
    if port == 0:
        return None
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session,
            session.get(f"http://{_reachable(host)}:{port}/metrics") as answer,
        ):
            page = await answer.content.read(_MOST_BYTES)
    except (aiohttp.ClientError, OSError, TimeoutError):
        return None
    return parse_page(page.decode("utf-8", "replace"))


def parse_page(page: str) -> dict[str, dict[str, Any]] | None:
    """The same, out of a page of metrics; None when the page is not a daemon's."""
    chains: dict[str, dict[str, Any]] = defaultdict(lambda: {"endpoints": {}})
    try:
        samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    except ValueError:
        return None
    for sample in samples:
        chain, endpoint = sample.labels.get("chain"), sample.labels.get("endpoint")
        if chain is None:
            continue
        if endpoint is not None:
            found = chains[chain]["endpoints"].setdefault(
                endpoint, {"endpoint": endpoint, "up": False, "range_blocks": 0, "requests": 0, "failures": 0}
            )
            _add_endpoint(found, sample.name, sample.labels.get("outcome"), sample.value)
        elif sample.name == "indexer_lease_held":
            chains[chain]["lease_held"] = bool(sample.value)
        elif sample.name == "indexer_backfill_blocks_remaining":
            chains[chain]["backfill_blocks_remaining"] = int(sample.value)
    for chain_data in chains.values():
        chain_data["endpoints"] = list(chain_data["endpoints"].values())
    return dict(chains) or None


def _add_endpoint(found: dict[str, Any], name: str, outcome: str | None, value: float) -> None:
    if name == "indexer_endpoint_up":
        found["up"] = bool(value)
    elif name == "indexer_rpc_range_blocks":
        found["range_blocks"] = int(value)
    elif name == "indexer_rpc_requests_total":
        found["requests"] += int(value)
        found["failures"] += 0 if outcome == "ok" else int(value)


def _reachable(host: str) -> str:
    """The host to ask: a daemon that listens everywhere is asked on the loopback."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return f"[{host}]" if address.version == 6 else host
