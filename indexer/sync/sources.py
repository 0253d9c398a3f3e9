"""Sources: the smallest things whose coverage is kept, and what of them is missing.

A contract is split into one source for each address (or the wildcard, or its discovered members) and each topic it asks for,
so that an address or event added to the configuration is back-filled alone. Very large products are kept as one source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from indexer.chain.coverage import missing_ranges
from indexer.chain.filters import LogFilter
from indexer.chain.refs import BlockRange
from indexer.store.commit import DiscoveredAddress, Source, SourceSpec
from indexer.sync.ownership import ContractScope

MAX_SOURCES_PER_CONTRACT = 2_000
"""Above this many (address, topic) pairs a contract is one source, named by a digest of them."""


def specs_of(scope: ContractScope) -> list[SourceSpec]:
    """The sources of one contract."""
    addresses: Sequence[bytes | None] = (
        [None] if scope.addresses is None or scope.discovered else sorted(scope.addresses)
    )
    topics: Sequence[bytes | None] = [None] if scope.topics is None else sorted(scope.topics)
    if len(addresses) * len(topics) > MAX_SOURCES_PER_CONTRACT:
        return [_spec(scope, f"{scope.name}:{_digest(scope)}", scope.addresses, scope.topics)]
    place = "discovered" if scope.discovered else "*"
    return [
        _spec(
            scope,
            f"{scope.name}:{place if address is None else address.hex()}:{'*' if topic is None else topic.hex()}",
            _one(scope, address),
            None if topic is None else frozenset((topic,)),
        )
        for address in addresses
        for topic in topics
    ]


def _one(scope: ContractScope, address: bytes | None) -> frozenset[bytes] | None:
    if address is not None:
        return frozenset((address,))
    return frozenset() if scope.discovered else None


def _spec(
    scope: ContractScope, key: str, addresses: frozenset[bytes] | None, topics: frozenset[bytes] | None
) -> SourceSpec:
    return SourceSpec(key, scope.name, scope.start_block, LogFilter(addresses, topics), scope.discovered)


def _digest(scope: ContractScope) -> str:
    digest = hashlib.sha256()
    for part in (scope.addresses, scope.topics):
        digest.update(b"*" if part is None else b"".join(sorted(part)))
        digest.update(b"|")
    return digest.hexdigest()[:32]


def spec_of_older_member(scope: ContractScope, member: DiscoveredAddress) -> SourceSpec:
    """The history of a discovered address before its announcement (``since = "creation"``)."""
    return SourceSpec(
        f"{scope.name}:{member.address.hex()}:history",
        scope.name,
        member.from_block,
        LogFilter(frozenset((member.address,)), scope.topics),
        discovered=False,
    )


def late_gaps(
    sources: Iterable[Source], tip: int, ends: Mapping[str, int]
) -> dict[int, Sequence[BlockRange]]:
    """What is missing at or below ``tip`` of each source that misses anything, by its id; ``ends`` bounds some below the tip."""
    missing: dict[int, Sequence[BlockRange]] = {}
    for source in sources:
        start, covered = source.spec.start_block, source.coverage
        last = min(tip, ends.get(source.spec.key, tip)) if ends else tip
        if start > last or (len(covered) == 1 and covered[0].first <= start and last <= covered[0].last):
            continue
        gaps = missing_ranges(BlockRange(start, last), covered)
        if gaps:
            missing[source.id] = gaps
    return missing
