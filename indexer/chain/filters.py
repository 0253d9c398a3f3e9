"""Which logs a source asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Logs whose address is in ``addresses`` and whose topic0 is in ``topics``; None means any.

    An empty set matches nothing. Addresses are 20 bytes, topics 32.
    """

    addresses: frozenset[bytes] | None
    topics: frozenset[bytes] | None

    def matches(self, address: bytes, topic0: bytes | None) -> bool:
        """Whether a log of this address and first topic (None: it has no topics) is asked for."""
        if self.addresses is not None and address not in self.addresses:
            return False
        return self.topics is None or (topic0 is not None and topic0 in self.topics)

    @property
    def empty(self) -> bool:
        """Whether nothing can match."""
        return (self.addresses is not None and not self.addresses) or (
            self.topics is not None and not self.topics
        )


def merge_filters(filters: list[LogFilter]) -> list[LogFilter]:
    """Fewest filters that ask for the same logs (exactly the union: never more).

    Filters with the same topics are joined by address, those with the same addresses by topic, and a filter that
    another one includes is dropped.
    """
    by_topics: dict[frozenset[bytes] | None, frozenset[bytes] | None] = {}
    for item in filters:
        if item.empty:
            continue
        if item.topics in by_topics:
            known = by_topics[item.topics]
            by_topics[item.topics] = (
                None if known is None or item.addresses is None else known | item.addresses
            )
        else:
            by_topics[item.topics] = item.addresses
    by_addresses: dict[frozenset[bytes] | None, frozenset[bytes] | None] = {}
    for topics, addresses in by_topics.items():
        if addresses in by_addresses:
            known = by_addresses[addresses]
            by_addresses[addresses] = None if known is None or topics is None else known | topics
        else:
            by_addresses[addresses] = topics
    joined = [LogFilter(addresses, topics) for addresses, topics in by_addresses.items()]
    return [one for one in joined if not any(other is not one and _includes(other, one) for other in joined)]


def _includes(outer: LogFilter, inner: LogFilter) -> bool:
    wide_addresses = outer.addresses is None or (
        inner.addresses is not None and inner.addresses <= outer.addresses
    )
    wide_topics = outer.topics is None or (inner.topics is not None and inner.topics <= outer.topics)
    return wide_addresses and wide_topics
