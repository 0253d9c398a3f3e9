"""Which configured contract a log belongs to, and what has to be asked for so that none is missed.

A log belongs to the first contract that names its address (and topic); then to the first discovered contract whose member
emitted it at or after the block the member joined; then to the first wildcard. The whole configuration decides, never what
was fetched together: so rows do not depend on how they came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.chain.filters import LogFilter, merge_filters
from indexer.chain.logs import LogBatch
from indexer.config import ContractSettings
from indexer.store.commit import DiscoveredAddress, SourceSpec
from indexer.sync.claims import NOTHING, ClaimTable

NOBODY = -1
"""The owner of a log that no contract asked for."""

_KNOWN_TOPICS = 10_000
"""For so many first topics it is kept which scopes ask for them."""

ADDRESS_FILTER_LIMIT = 400
"""With more discovered addresses than this, the node filters by topic and we filter by address."""


@dataclass(frozen=True, slots=True)
class ContractScope:
    """What one contract of the configuration asks for. ``place`` is its index in the resolver's names.

    ``addresses`` is None for the wildcard and empty for a discovered contract; ``topics`` None means every log.
    """

    name: str
    place: int
    addresses: frozenset[bytes] | None
    topics: frozenset[bytes] | None
    discovered: bool
    start_block: int

    def wants(self, topic0: bytes | None) -> bool:
        """Whether logs of this first topic are asked for."""
        return self.topics is None or (topic0 is not None and topic0 in self.topics)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a read is for: these contracts or, with ``specs``, only what these sources of theirs ask for."""

    contracts: frozenset[str]
    specs: tuple[SourceSpec, ...] | None = None

    def includes(self, contract: str, address: bytes, topic0: bytes | None) -> bool:
        """Whether a log that the contract asks for is wanted."""
        if contract not in self.contracts:
            return False
        return self.specs is None or any(
            spec.contract == contract
            and (spec.discovered or spec.filter.addresses is None or address in spec.filter.addresses)
            and (spec.filter.topics is None or topic0 in spec.filter.topics)
            for spec in self.specs
        )


class Announced(Protocol):
    """An announcement: ``address`` joins ``contract``, by the log at (block, log index)."""

    @property
    def contract(self) -> str:
        """The section that is joined."""

    @property
    def address(self) -> bytes:
        """The announced address."""

    @property
    def block(self) -> int:
        """The announcing log's block."""

    @property
    def log_index(self) -> int:
        """The announcing log's index."""


def scopes_of(
    contracts: Mapping[str, ContractSettings],
    places: Mapping[str, int],
    topics: Mapping[str, frozenset[bytes] | None],
    chain: str,
    chain_start: int,
) -> tuple[ContractScope, ...]:
    """The scopes of one chain's contracts, in the order of the file."""
    return tuple(
        ContractScope(
            name=name,
            place=places[name],
            addresses=None if contract.address is None else frozenset(contract.address),
            topics=topics[name],
            discovered=bool(contract.discover),
            start_block=chain_start if contract.start_block is None else contract.start_block,
        )
        for name, contract in contracts.items()
        if contract.chain == chain
    )


class Ownership:
    """Assigns logs to contracts and knows every discovered address. Not thread-safe: the engine's loop owns it."""

    def __init__(self, scopes: Sequence[ContractScope]) -> None:
        self.scopes = tuple(scopes)
        self._members: dict[str, dict[bytes, DiscoveredAddress]] = {
            scope.name: {} for scope in scopes if scope.discovered
        }
        self._scope_of = {scope.name: scope for scope in scopes}
        self._named: dict[bytes, list[int]] = {}
        for number, scope in enumerate(scopes):
            for address in scope.addresses or ():
                self._named.setdefault(address, []).append(number)
        self._sets: dict[str, frozenset[bytes]] = {}
        self._wanting: dict[bytes | None, NDArray[np.bool_]] = {}
        self._claims = self._table()

    def admit(self, found: Iterable[DiscoveredAddress]) -> list[DiscoveredAddress]:
        """Take in announcements; returns those that are new or begin earlier than was known, first by block."""
        fresh: list[DiscoveredAddress] = []
        for member in found:
            members = self._members[member.contract]
            known = members.get(member.address)
            if known is not None and _precedes(known, member):
                continue
            members[member.address] = member
            fresh.append(member)
        self._noticed(fresh)
        return fresh

    def knows(self, contract: str, address: bytes, block: int, log_index: int) -> bool:
        """Whether the address is a member already by this announcement or an earlier one."""
        member = self._members[contract].get(address)
        return member is not None and (member.announced_block, member.announced_log_index) <= (
            block,
            log_index,
        )

    def announced_by(self, found: Iterable[Announced]) -> tuple[DiscoveredAddress, ...]:
        """The members that these announcements made, each once; also when an earlier try admitted them already."""
        made: dict[tuple[str, bytes], DiscoveredAddress] = {}
        for item in found:
            member = self._members[item.contract].get(item.address)
            if member is not None and (member.announced_block, member.announced_log_index) == (
                item.block,
                item.log_index,
            ):
                made[item.contract, item.address] = member
        return tuple(made.values())

    def forget_above(self, block: int) -> None:
        """Drop members that were announced above ``block`` (they went with a reorg)."""
        for members in self._members.values():
            for address in [a for a, member in members.items() if member.announced_block > block]:
                del members[address]
        self._sets.clear()
        self._claims = self._table()

    def members(self, contract: str) -> Mapping[bytes, DiscoveredAddress]:
        """Discovered addresses of a contract."""
        return self._members.get(contract, {})

    def member_addresses(self, contract: str) -> frozenset[bytes]:
        """The addresses that a contract discovered; the same object as long as no other joins."""
        found = self._sets.get(contract)
        if found is None:
            found = self._sets[contract] = frozenset(self.members(contract))
        return found

    def filters(self, wanted: Wanted, last: int) -> list[LogFilter]:
        """What to ask a node for, for blocks up to ``last``: the fewest filters that ask for no more than is wanted."""
        if wanted.specs is None:
            scopes = [self._scope_of[name] for name in sorted(wanted.contracts)]
            asked = [LogFilter(scope.addresses, scope.topics) for scope in scopes]
            asked += [
                self._member_filter(scope.name, scope.topics, last) for scope in scopes if scope.discovered
            ]
        else:
            asked = [
                self._member_filter(spec.contract, spec.filter.topics, last)
                if spec.discovered
                else spec.filter
                for spec in wanted.specs
            ]
        return merge_filters(asked)

    def _member_filter(self, contract: str, topics: frozenset[bytes] | None, last: int) -> LogFilter:
        members = self._members[contract]
        if len(members) > ADDRESS_FILTER_LIMIT and topics is not None:
            return LogFilter(None, topics)
        addresses = frozenset(address for address, member in members.items() if member.from_block <= last)
        return LogFilter(addresses, topics)

    def assign(self, logs: LogBatch, wanted: Wanted) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Each log's contract, and whether it is wanted; both of shape (n,).

        The contract (its place, or ``NOBODY``) is found in the whole configuration. A log is wanted when any of the
        wanted contracts asks for it, whoever it belongs to.
        """
        count = len(logs)
        if wanted.specs is None and self._single(logs):
            return np.full(count, self.scopes[0].place, np.int32), np.ones(count, np.bool_)
        owners = np.full(count, NOBODY, np.int32)
        counts = np.zeros(count, np.bool_)
        if not count or not self.scopes:
            return owners, counts
        topics, topic_of = _topics(logs)
        wants = np.stack([self._wants(topic0) for topic0 in topics], axis=1)
        counting = self._counting(logs, wanted)
        places = np.array([scope.place for scope in self.scopes], np.int32)
        # The claim that wins comes last, so that a stronger one overwrites a weaker one where both hold.
        for scopes, from_block in self._all_claims(logs):
            held = (scopes != NOTHING) & wants[scopes, topic_of] & (logs.block_number >= from_block)
            mine = scopes[held]
            owners[held] = places[mine]
            counts[held] |= counting(mine, held)
        return owners, counts

    def _single(self, logs: LogBatch) -> bool:
        """Whether all logs belong to the only contract there is (they were filtered by it when they were fetched)."""
        return (
            len(self.scopes) == 1
            and not self.scopes[0].discovered
            and self.scopes[0].start_block <= logs.range.first
        )

    def _all_claims(self, logs: LogBatch) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64] | int]]:
        """Claims to each log by its address, the weakest first: which scope (or ``NOTHING``) and from which block on."""
        for number in reversed(range(len(self.scopes))):
            scope = self.scopes[number]
            if scope.addresses is None:
                yield np.full(len(logs), number, np.int32), scope.start_block
        yield from self._claims.of(logs.address)

    def _wants(self, topic0: bytes | None) -> NDArray[np.bool_]:
        """For each scope whether it asks for logs of a first topic."""
        found = self._wanting.get(topic0)
        if found is None:
            found = np.array([scope.wants(topic0) for scope in self.scopes], np.bool_)
            if len(self._wanting) < _KNOWN_TOPICS:
                self._wanting[topic0] = found
        return found

    def _counting(
        self, logs: LogBatch, wanted: Wanted
    ) -> Callable[[NDArray[np.int32], NDArray[np.bool_]], NDArray[np.bool_]]:
        """Tells of some of the logs (a mask), given a scope that asks for each, whether that is wanted."""
        if wanted.specs is None:
            active = np.array([scope.name in wanted.contracts for scope in self.scopes], np.bool_)
            return lambda scopes, _: active[scopes]
        firsts, groups = _group(logs)
        kinds = [(logs.address[first].tobytes(), _topic0(logs, first)) for first in firsts]
        known: dict[int, NDArray[np.bool_]] = {}

        def by_specs(scopes: NDArray[np.int32], held: NDArray[np.bool_]) -> NDArray[np.bool_]:
            mine = groups[held]
            counted = np.zeros(len(mine), np.bool_)
            for number in np.unique(scopes).tolist():
                if number not in known:
                    name = self.scopes[number].name
                    known[number] = np.array([wanted.includes(name, *kind) for kind in kinds], np.bool_)
                here = scopes == number
                counted[here] = known[number][mine[here]]
            return counted

        return by_specs

    def _noticed(self, fresh: Sequence[DiscoveredAddress]) -> None:
        """Bring what is derived from the members up to date."""
        for member in fresh:
            self._sets.pop(member.contract, None)
            self._claims.put(member.address, self._claims_to(member.address))

    def _table(self) -> ClaimTable:
        table = ClaimTable()
        for address in {*self._named, *(one for members in self._members.values() for one in members)}:
            table.put(address, self._claims_to(address))
        return table

    def _claims_to(self, address: bytes) -> list[tuple[int, int]]:
        """Who names or discovered an address, as (place in ``scopes``, first block); the strongest claim first."""
        named = [(number, self.scopes[number].start_block) for number in self._named.get(address, ())]
        joined = [
            (number, self._members[scope.name][address].from_block)
            for number, scope in enumerate(self.scopes)
            if scope.discovered and address in self._members[scope.name]
        ]
        return [*named, *joined]


def _precedes(known: DiscoveredAddress, other: DiscoveredAddress) -> bool:
    return (known.from_block, known.announced_block, known.announced_log_index) <= (
        other.from_block,
        other.announced_block,
        other.announced_log_index,
    )


def _topic0(logs: LogBatch, place: int) -> bytes | None:
    return logs.topics[place, 0].tobytes() if logs.topic_count[place] else None


def _topics(logs: LogBatch) -> tuple[list[bytes | None], NDArray[np.intp]]:
    """The first topics that occur, and each log's place among them."""
    packed = np.zeros((len(logs), 40), np.uint8)
    packed[:, :32] = logs.topics[:, 0]
    packed[:, 32] = logs.topic_count > 0
    firsts, groups = _distinct(packed)
    return [_topic0(logs, first) for first in firsts], groups


def _group(logs: LogBatch) -> tuple[list[int], NDArray[np.intp]]:
    """Groups of equal (address, topic0, has topics): the first log of each, and each log's group."""
    count = len(logs)
    packed = np.zeros((count, 56), np.uint8)
    packed[:, :20] = logs.address
    packed[:, 20:52] = logs.topics[:, 0]
    packed[:, 52] = logs.topic_count > 0
    return _distinct(packed)


def _distinct(packed: NDArray[np.uint8]) -> tuple[list[int], NDArray[np.intp]]:
    """Groups of equal rows (of whole 64-bit words): the first row of each, and each row's group."""
    words = packed.view(np.uint64)
    mixed = words[:, 0].copy()
    for column in range(1, words.shape[1]):
        # 64-bit mixing (multiply, rotate) is wrapped on purpose; collisions are caught below.
        mixed = (mixed << np.uint64(7) | mixed >> np.uint64(57)) ^ (
            words[:, column] * np.uint64(0x9E3779B97F4A7C15)
        )
    _, firsts, groups = np.unique(mixed, return_index=True, return_inverse=True)
    if not np.array_equal(packed, packed[firsts][groups]):
        _, firsts, groups = np.unique(packed, axis=0, return_index=True, return_inverse=True)
        groups = groups.reshape(-1)
    return [int(first) for first in firsts], groups
