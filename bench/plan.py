"""What is measured: which loads, how many logs, served how. Quick runs take the same with less of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from bench.engine import Scenario

HOT_LOADS = ("erc20", "mixed", "dynamic")
PARTS = ("stages", "daemon", "cost", "latency", "many", "follow", "cluster", "indexes")

SEVEN_INDEXES = (
    'erc20_transfer = ["from_", "to_", "address"]',
    'erc721_transfer = ["from_", "to_"]',
    'erc1155_transfer_single = ["from_", "to_"]',
)

_QUICK = {"erc20": 100_000, "mixed": 100_000, "dynamic": 10_000}
_FULL = {"erc20": 1_000_000, "mixed": 1_000_000, "dynamic": 100_000}


def _wanted(given: argparse.Namespace, part: str) -> bool:
    if given.load is not None:
        return part in (given.only or ("stages", "daemon"))
    return given.only is None or part in given.only


def _sizes(given: argparse.Namespace) -> list[tuple[str, int]]:
    sizes = _QUICK if given.quick else _FULL
    return [(load, given.logs or logs) for load, logs in sizes.items() if given.load in {None, load}]


def hot_paths(given: argparse.Namespace) -> list[tuple[str, int]]:
    """Loads whose stages are timed one by one, beside the floor."""
    if not _wanted(given, "stages"):
        return []
    return [(load, min(logs, 300_000)) for load, logs in _sizes(given)]


def engines(given: argparse.Namespace) -> Iterator[Scenario]:
    """Runs of the daemon."""
    few = 10_000 if given.quick else 100_000
    if _wanted(given, "daemon"):
        for load, logs in _sizes(given):
            yield Scenario(load, logs, rounds=given.rounds)
    if _wanted(given, "indexes"):
        logs = _QUICK["mixed"] if given.quick else _FULL["mixed"]
        yield Scenario("mixed", given.logs or logs, label="mixed, seven more indexes", indexes=SEVEN_INDEXES)
    if _wanted(given, "cost"):
        yield from _costs(20_000 if given.quick else 1_000_000)
    if _wanted(given, "latency"):
        for wait in (0, 30):
            label = f"mixed, {wait} ms a request"
            served = (f"--latency-ms={wait}",)
            yield Scenario("mixed", 50_000, served=served, label=label, rounds=given.rounds)
    if _wanted(given, "many"):
        yield Scenario("diamond", few)
        yield from _curves(few, quick=given.quick)


def follows(given: argparse.Namespace) -> list[tuple[int, int]]:
    """Runs at the tip: how many blocks, and after how many the newest are replaced (0: never)."""
    if not _wanted(given, "follow"):
        return []
    return [(30, 10)] if given.quick else [(300, 0), (150, 25)]


def clusters(given: argparse.Namespace) -> list[int]:
    """Back-fills on a cluster: how many blocks."""
    if not _wanted(given, "cluster"):
        return []
    return [6_000] if given.quick else [30_000]


def _costs(logs: int) -> Iterator[Scenario]:
    narrow = ("max_range_blocks = 2000",)
    yield Scenario("erc20", logs, chain=narrow, label="erc20, ranges of 2,000 blocks")
    less = min(logs, 100_000)
    yield Scenario("erc20", less, 10, ("--no-times",), label="erc20 without blockTimestamp")
    strict = ("--most-blocks=700", "--most-logs=4000")
    yield Scenario("erc20", less, 10, strict, label="erc20, at most 700 blocks and 4,000 logs an answer")


def _curves(logs: int, *, quick: bool) -> Iterator[Scenario]:
    """The cost has to grow with the logs, not with addresses, tables or blocks."""
    for addresses in (10, 2_000) if quick else (10, 100, 1_000, 10_000):
        label = f"{addresses:,} discovered addresses"
        yield Scenario(f"factory:{addresses}", logs, label=label, curve="addresses")
    for tables in (1, 200) if quick else (1, 20, 200):
        yield Scenario(f"tables:{tables}", logs, label=f"{tables} event tables", curve="tables")
    for blocks in (5_000, 50_000) if quick else (50_000, 500_000):
        label = f"{blocks:,} blocks, nearly all empty"
        yield Scenario(f"empty:{blocks}", 1_000, label=label, curve="empty blocks")
