"""What the database has to hold, worked out from the chain by web3 alone.

Nothing of the indexer's own reading, decoding or naming is used here: receipts are read block by block, logs are decoded
by web3 with the ABIs that the Solidity compiler wrote, and the tables are named in full in ``event_tables``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.contract.async_contract import AsyncContractEvent
from web3.types import LogReceipt

from indexer.demo.event_tables import EVENT_TABLES
from indexer.demo.tools import Artifact

_PART_NAMES = {"DiamondCut": ("facetAddress", "action", "functionSelectors")}
"""Names that the standard gives to the parts of a tuple where the compiled contracts have others."""

_ANNOUNCEMENTS = {"IdentityCreated": "identity", "CollateralTokenCreated": "tokenAddress"}
_SMALL_BITS = 48

Position = tuple[int, int]
"""Block number and log index."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an event table: ``leading`` is block hash, block time, tx hash, tx index and address; then the arguments."""

    leading: tuple[object, ...]
    values: tuple[object, ...]


@dataclass(slots=True)
class Expected:
    """All rows by table and position, raw logs that nothing decodes, and what was seen on the way.

    ``names`` has the arguments of each table's event as the contracts call them, in the order of a row's values.
    """

    tip: int
    tip_hash: bytes
    logs: int = 0
    rows: dict[str, dict[Position, Row]] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    undecoded: dict[Position, tuple[bytes, tuple[bytes, ...], bytes]] = field(default_factory=dict)

    def arguments(self, table: str) -> list[tuple[bytes, tuple[Any, ...]]]:
        """Address and arguments of every row of a table, in the order of the chain."""
        rows = self.rows.get(table, {})
        return [(bytes(rows[at].leading[4]), rows[at].values) for at in sorted(rows)]  # type: ignore[call-overload]  # an address


async def expected_rows(
    web3: AsyncWeb3[AsyncHTTPProvider],
    artifacts: Mapping[str, Artifact],
    watched: Sequence[str],
    multi_token: str,
    tip: int,
) -> Expected:
    """Read every block up to ``tip`` and say which rows there should be.

    ``watched`` are the addresses of the configuration; those that they announce join from the block of the announcement.
    ``multi_token`` is the ERC-1155 contract, whose ApprovalForAll goes to that standard's table.
    """
    events = _events(web3, artifacts)
    found = Expected(tip, bytes(32))
    members = {_raw(address) for address in watched}
    async for block_hash, time, logs in _blocks(web3, tip):
        found.tip_hash = block_hash
        members |= _announced(logs, members, events)
        for log in logs:
            if _raw(log["address"]) in members:
                _add(found, log, time, events.get(_dispatch(log)), multi_token)
    return found


@dataclass(frozen=True, slots=True)
class _Event:
    """An event of the compiler's ABI: its declaration, web3's decoder, its signature and number of topics."""

    entry: Mapping[str, Any]
    decoder: AsyncContractEvent
    key: tuple[str, int]

    def arguments(self, log: LogReceipt) -> Mapping[str, Any]:
        """The log's arguments by name."""
        return dict(self.decoder.process_log(log)["args"])


def _events(
    web3: AsyncWeb3[AsyncHTTPProvider], artifacts: Mapping[str, Artifact]
) -> dict[tuple[bytes, int], _Event]:
    found: dict[tuple[bytes, int], _Event] = {}
    for artifact in artifacts.values():
        for entry in artifact.abi:
            if entry["type"] == "event" and _key(entry) in EVENT_TABLES:
                signature, topics = _key(entry)
                decoder = web3.eth.contract(abi=[entry]).events[entry["name"]]()
                found[keccak(text=signature), topics] = _Event(_standard(entry), decoder, (signature, topics))
    return found


def _standard(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The declaration with the standard's names for the parts of its first argument, where it has any."""
    names = _PART_NAMES.get(entry["name"])
    if names is None:
        return entry
    first, *others = entry["inputs"]
    parts = [{**part, "name": name} for part, name in zip(first["components"], names, strict=True)]
    return {**entry, "inputs": [{**first, "components": parts}, *others]}


def _key(entry: Mapping[str, Any]) -> tuple[str, int]:
    types = ",".join(collapse_if_tuple(one) for one in entry["inputs"])
    return f"{entry['name']}({types})", 1 + sum(one["indexed"] for one in entry["inputs"])


def _dispatch(log: LogReceipt) -> tuple[bytes, int]:
    topics = log["topics"]
    return (bytes(topics[0]) if topics else b"", len(topics))


def _raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


async def _blocks(
    web3: AsyncWeb3[AsyncHTTPProvider], tip: int
) -> AsyncIterator[tuple[bytes, int, list[LogReceipt]]]:
    parent = b""
    for number in range(tip + 1):
        block = await web3.eth.get_block(number)
        if number and bytes(block["parentHash"]) != parent:
            raise LookupError(
                f"block {number} does not follow block {number - 1}: the chain moved while it was read"
            )
        parent = bytes(block["hash"])
        receipts = await web3.eth.get_block_receipts(number) if block["transactions"] else []
        logs = [log for receipt in receipts for log in receipt["logs"]]
        yield parent, int(block["timestamp"]), logs


def _announced(
    logs: Sequence[LogReceipt], members: set[bytes], events: Mapping[tuple[bytes, int], _Event]
) -> set[bytes]:
    found = set()
    for log in logs:
        event = events.get(_dispatch(log))
        if event is not None and event.entry["name"] in _ANNOUNCEMENTS and _raw(log["address"]) in members:
            address = event.arguments(log)[_ANNOUNCEMENTS[event.entry["name"]]]
            found.add(_raw(address))
    return found


def _add(found: Expected, log: LogReceipt, time: int, event: _Event | None, multi_token: str) -> None:
    found.logs += 1
    position = (int(log["blockNumber"]), int(log["logIndex"]))
    address = _raw(log["address"])
    if event is None:
        topics = tuple(bytes(topic) for topic in log["topics"])
        found.undecoded[position] = (address, topics, bytes(log["data"]))
        return
    arguments = event.arguments(log)
    values = tuple(_column(one, arguments[one["name"]]) for one in event.entry["inputs"])
    table = EVENT_TABLES[event.key]
    if table == "erc721_approval_for_all" and address == _raw(multi_token):
        table = "erc1155_approval_for_all"
    leading = (
        bytes(log["blockHash"]),
        time,
        bytes(log["transactionHash"]),
        int(log["transactionIndex"]),
        address,
    )
    found.names[table] = tuple(one["name"] for one in event.entry["inputs"])
    found.rows.setdefault(table, {})[position] = Row(leading, values)


def _column(parameter: Mapping[str, Any], value: Any) -> object:
    """A decoded argument as the column of its type holds it: raw bytes, whole numbers, text, lists, JSON."""
    kind = parameter["type"]
    if parameter["indexed"] and (kind in ("string", "bytes") or "[" in kind or kind.startswith("tuple")):
        return bytes(value)
    if kind.startswith("tuple") or kind.count("[") > 1:
        return _json(parameter, value)
    if kind.endswith("]"):
        return [_scalar(kind[: kind.index("[")], one) for one in value]
    return _scalar(kind, value)


def _scalar(kind: str, value: Any) -> object:
    if kind == "address":
        return _raw(value)
    return bytes(value) if kind.startswith("bytes") else value


def _json(parameter: Mapping[str, Any], value: Any) -> object:
    kind = parameter["type"]
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return [_json(inner, one) for one in value]
    if kind == "tuple":
        inside = value.values() if isinstance(value, Mapping) else value
        return {
            part["name"]: _json(part, one) for part, one in zip(parameter["components"], inside, strict=True)
        }
    if kind == "address":
        return str(value).lower()
    if kind.startswith("bytes"):
        return "0x" + bytes(value).hex()
    wide = kind.startswith(("int", "uint")) and int(kind.removeprefix("u").removeprefix("int")) > _SMALL_BITS
    return str(value) if wide else value
