"""Holds the database against the chain: every row of every event table, and what the state tables say of balances,
owners, supplies and facets, asked of the contracts themselves at the tip.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import asyncpg
from web3 import AsyncHTTPProvider, AsyncWeb3

from indexer.demo.deploy import Deployment
from indexer.demo.expected import Expected, Row, expected_rows
from indexer.demo.identity_checks import IDENTITY_ASPECTS
from indexer.demo.market_checks import MARKET_ASPECTS
from indexer.demo.office_checks import OFFICE_ASPECTS
from indexer.demo.state_checks import ASPECTS, Aspect, ContractView

LEADING_COLUMNS = 8
ALL_ASPECTS: tuple[Aspect, ...] = (*ASPECTS, *MARKET_ASPECTS, *OFFICE_ASPECTS, *IDENTITY_ASPECTS)
_SHOWN_DIFFERENCES = 20
_CALLS_AT_ONCE = 16
_READ_SECONDS = 120


@dataclass(slots=True)
class Verdict:
    """What was compared and what differed. ``rows`` counts rows by event table, ``state`` comparisons by state table.

    ``differences`` holds the first few in words; ``different`` counts them all.
    """

    tip: int = 0
    logs: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    state: dict[str, int] = field(default_factory=dict)
    undecoded: int = 0
    different: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def agree(self) -> bool:
        """Whether the database says what the chain says, and there was something to compare."""
        return self.different == 0 and self.logs > 0

    def differ(self, text: str) -> None:
        """Note a difference."""
        self.different += 1
        if len(self.differences) < _SHOWN_DIFFERENCES:
            self.differences.append(text)


async def verify(database_url: str, rpc_url: str, made: Deployment, chain_id: int) -> Verdict:
    """Compare everything up to the newest block, at which the database has to be. The chain must stand still."""
    web3 = AsyncWeb3(AsyncHTTPProvider(rpc_url))
    try:
        return await compare(database_url, await read_chain(web3, made), chain_id)
    finally:
        await web3.provider.disconnect()


async def read_chain(web3: AsyncWeb3[AsyncHTTPProvider], made: Deployment) -> ContractView:
    """What the chain says up to its newest block, and contracts to ask there."""
    watched = [contract.address for contract in made.contracts.values()]
    tip = int(await web3.eth.block_number)
    multi_token = made.contracts["items"].address
    return ContractView(web3, made, await expected_rows(web3, made.artifacts, watched, multi_token, tip))


async def compare(
    database_url: str, view: ContractView, chain_id: int, aspects: Sequence[Aspect] = ALL_ASPECTS
) -> Verdict:
    """Hold the database, in one snapshot, against what was read from the chain."""
    expected = view.expected
    verdict = Verdict(tip=expected.tip, logs=expected.logs)
    connection = await asyncpg.connect(database_url, timeout=_READ_SECONDS, command_timeout=_READ_SECONDS)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await _check_tip(connection, chain_id, expected, verdict)
            await _check_events(connection, chain_id, expected, verdict)
            await _check_undecoded(connection, chain_id, expected, verdict)
            for aspect in aspects:
                await _check_state(connection, chain_id, aspect, view, verdict)
    finally:
        await connection.close()
    return verdict


async def _check_tip(connection: Any, chain_id: int, expected: Expected, verdict: Verdict) -> None:
    row = await connection.fetchrow(
        "SELECT tip_number, tip_hash FROM sync.chain WHERE chain_id = $1", chain_id
    )
    ours = (row["tip_number"], row["tip_hash"]) if row else None
    if ours != (expected.tip, expected.tip_hash):
        verdict.differ(f"sync.chain: the tip is {ours}, the chain's is {(expected.tip, expected.tip_hash)}")


async def _check_events(connection: Any, chain_id: int, expected: Expected, verdict: Verdict) -> None:
    """Every table of schema event, also those that should be empty."""
    tables = await connection.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'event' AND table_type = 'BASE TABLE' "
        "AND table_name <> 'undecoded' ORDER BY table_name"
    )
    names = {row["table_name"] for row in tables}
    for missing in sorted(set(expected.rows) - names):
        verdict.differ(f"event.{missing}: no such table, {len(expected.rows[missing])} rows missing")
    for name in sorted(names):
        records = await connection.fetch(f'SELECT * FROM event."{name}" WHERE chain_id = $1', chain_id)
        if not records and name not in expected.rows:
            continue
        ours = {(one["block_number"], one["log_index"]): _row(one) for one in records}
        verdict.rows[name] = len(records)
        _compare(f"event.{name}", ours, expected.rows.get(name, {}), verdict)


def _row(record: Any) -> Row:
    """A record of an event table; columns that another layout of the event fills are NULL and left out."""
    leading = (
        record["block_hash"],
        int(record["block_time"].timestamp()),
        record["tx_hash"],
        record["tx_index"],
        record["address"],
    )
    values = tuple(_plain(value) for value in list(record.values())[LEADING_COLUMNS:] if value is not None)
    return Row(leading, values)


def _plain(value: Any) -> object:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dt.datetime):
        return int(value.timestamp())
    return value


def _compare(
    what: str, ours: Mapping[tuple[int, int], Row], theirs: Mapping[tuple[int, int], Row], verdict: Verdict
) -> None:
    for position in sorted(ours.keys() | theirs.keys()):
        have, want = ours.get(position), theirs.get(position)
        if have is None or want is None or not _same(have, want):
            place = f"block {position[0]} log {position[1]}"
            verdict.differ(f"{what}, {place}: the database has {have}, the chain {want}")


def _same(have: Row, want: Row) -> bool:
    if have.leading != want.leading or len(have.values) != len(want.values):
        return False
    return all(_same_value(one, other) for one, other in zip(have.values, want.values, strict=True))


def _same_value(have: object, want: object) -> bool:
    """Whether a column holds an argument. asyncpg hands JSON over as text; a string column is text as well."""
    if isinstance(want, dict) or (isinstance(want, list) and isinstance(have, str)):
        return isinstance(have, str) and bool(json.loads(have) == want)
    return have == want and isinstance(have, bool) == isinstance(want, bool)


async def _check_undecoded(connection: Any, chain_id: int, expected: Expected, verdict: Verdict) -> None:
    records = await connection.fetch(
        "SELECT block_number, log_index, address, topics, data FROM event.undecoded WHERE chain_id = $1",
        chain_id,
    )
    verdict.undecoded = len(records)
    ours = {
        (one["block_number"], one["log_index"]): (one["address"], tuple(one["topics"]), one["data"])
        for one in records
    }
    for position in sorted(ours.keys() | expected.undecoded.keys()):
        if ours.get(position) != expected.undecoded.get(position):
            verdict.differ(
                f"event.undecoded, block {position[0]} log {position[1]}: the database has {ours.get(position)}, "
                f"the chain {expected.undecoded.get(position)}"
            )


async def _check_state(
    connection: Any, chain_id: int, aspect: Aspect, view: ContractView, verdict: Verdict
) -> None:
    """Each key that the chain's logs or the table name: what the table says against what the contract says."""
    records = await connection.fetch(aspect.query, chain_id)
    ours = {
        tuple(_plain(value) for value in list(record.values())[: aspect.keys]): tuple(
            _plain(value) for value in list(record.values())[aspect.keys :]
        )
        for record in records
    }
    keys = sorted(ours.keys() | aspect.known(view), key=repr)
    truths = await _gather([(aspect.truth, view, key) for key in keys])
    for key, truth in zip(keys, truths, strict=True):
        have = ours.get(key, aspect.absent)
        if not aspect.holds(have, truth):
            verdict.differ(
                f"{aspect.name} {_show(key)}: the database has {_show(have)}, the contract {_show(truth)}"
            )
    verdict.state[aspect.name] = len(keys)


async def _gather(calls: Sequence[tuple[Callable[..., Any], ContractView, tuple[Any, ...]]]) -> list[Any]:
    gate = asyncio.Semaphore(_CALLS_AT_ONCE)

    async def one(function: Callable[..., Any], view: ContractView, key: tuple[Any, ...]) -> Any:
        async with gate:
            return await function(view, *key)

    return list(await asyncio.gather(*(one(*call) for call in calls)))


def _show(value: Any) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return "(" + ", ".join(_show(one) for one in value) + ")"
    return str(value)
