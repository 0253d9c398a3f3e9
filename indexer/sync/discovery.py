"""Addresses announced by events: found in decoded rows, joined from the block of their announcement or creation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.chain.logs import LogBatch
from indexer.config import ContractSettings
from indexer.decode.tables import Decoded, EventLayout, RowBatch
from indexer.errors import ConfigError
from indexer.rpc.client import ChainClient
from indexer.store.commit import DiscoveredAddress

ZERO_ADDRESS = bytes(20)


@dataclass(frozen=True, slots=True)
class AnnouncementRule:
    """Which column of which event tables announces members of ``contract``.

    ``announcer`` is the announcing section, ``place`` its index in the resolver's names; ``columns`` maps a table's name to
    the place of the announcing column. ``since_creation`` asks for the members' history from their creation on.
    """

    contract: str
    announcer: str
    place: int
    columns: Mapping[str, int]
    since_creation: bool


def announcement_rules(
    contracts: Mapping[str, ContractSettings],
    places: Mapping[str, int],
    layouts: Iterable[EventLayout],
    chain: str,
) -> tuple[AnnouncementRule, ...]:
    """The rules of one chain. Raises ``ConfigError`` when no ABI has the announcing event or parameter."""
    known = list(layouts)
    rules: list[AnnouncementRule] = []
    for name, contract in contracts.items():
        if contract.chain != chain:
            continue
        for discover in contract.discover:
            columns = {
                layout.table.name: layout.columns[place]
                for layout in known
                if discover.event in (layout.name, layout.signature)
                for place, param in enumerate(layout.params)
                if param.name == discover.parameter
                and param.canonical in ("address", "address[]")
                and not (param.indexed and param.canonical == "address[]")
            }
            if not columns:
                raise ConfigError(
                    f"contracts.{name}.discover: no ABI has an event {discover.event} with a parameter "
                    f"{discover.parameter} of type address or address[]"
                )
            rules.append(
                AnnouncementRule(
                    name,
                    discover.contract,
                    places[discover.contract],
                    columns,
                    discover.since == "creation",
                )
            )
    return tuple(rules)


@dataclass(frozen=True, slots=True)
class Announcement:
    """An address as an event announced it, before it is known from when on it counts."""

    rule: AnnouncementRule
    address: bytes
    block: int
    log_index: int

    @property
    def contract(self) -> str:
        """The section that the address joins."""
        return self.rule.contract


def announcements(
    rules: Sequence[AnnouncementRule], logs: LogBatch, owners: NDArray[np.int32], decoded: Decoded
) -> list[Announcement]:
    """Every announcement in a decoded batch, by (block, log index). The zero address announces nothing."""
    found: list[Announcement] = []
    for rows in decoded.rows:
        for rule in rules:
            column = rule.columns.get(rows.table.name)
            if column is None:
                continue
            for place, addresses in _addresses(rows, column):
                log = int(rows.logs[place])
                if owners[log] != rule.place:
                    continue
                found.extend(
                    Announcement(rule, address, int(logs.block_number[log]), int(logs.log_index[log]))
                    for address in addresses
                    if address != ZERO_ADDRESS
                )
    found.sort(key=lambda item: (item.block, item.log_index))
    return found


def _addresses(rows: RowBatch, column: int) -> Iterator[tuple[int, list[bytes]]]:
    values = rows.columns[column]
    if values is None:
        return
    if isinstance(values, np.ndarray):
        for place in range(len(rows)):
            yield place, [values[place].tobytes()]
    elif isinstance(values, list):
        for place, value in enumerate(values):
            if isinstance(value, bytes):
                yield place, [value]
            elif isinstance(value, list):
                yield place, [item for item in value if isinstance(item, bytes)]


async def creation_block(client: ChainClient, address: bytes, known_by: int) -> int:
    """The block in which code appeared at ``address``, which has some at ``known_by``; by bisection of ``eth_getCode``.

    ``known_by`` itself when the address has no code there (an account, or an endpoint without history).
    """
    if not await client.code(address, known_by):
        return known_by
    low, high = 0, known_by
    while low < high:
        middle = (low + high) // 2
        if await client.code(address, middle):
            high = middle
        else:
            low = middle + 1
    return low


async def members_of(client: ChainClient, found: Sequence[Announcement]) -> list[DiscoveredAddress]:
    """Announcements with the block from which each address counts."""
    members: list[DiscoveredAddress] = []
    created: dict[bytes, int] = {}
    for item in found:
        from_block = item.block
        if item.rule.since_creation:
            if item.address not in created:
                created[item.address] = await creation_block(client, item.address, item.block)
            from_block = created[item.address]
        members.append(
            DiscoveredAddress(item.rule.contract, item.address, from_block, item.block, item.log_index)
        )
    return members
