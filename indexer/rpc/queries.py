"""The calls that are sent, and how a log query is cut into smaller ones.

``null`` stands for "any" (some nodes take ``[]`` for "none"); topics after the first position are never sent, since one
client ignores them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from indexer.chain.filters import LogFilter
from indexer.chain.refs import BlockRange
from indexer.rpc.transport import Call

MOST_ADDRESSES = 1000
"""In one query, until the endpoint says less. Beyond it: by topic at the node, by address here."""

MOST_TOPICS = 500


def hexed(value: bytes) -> str:
    """``0x`` and the bytes in hex."""
    return "0x" + value.hex()


def header_call(block: int | bytes | str) -> Call:
    """The header (with transaction hashes) by number, hash or tag."""
    if isinstance(block, bytes):
        return Call("eth_getBlockByHash", [hexed(block), False])
    return Call("eth_getBlockByNumber", [block if isinstance(block, str) else hex(block), False])


def range_call(wanted: LogFilter, blocks: BlockRange) -> Call:
    """Logs of a range of blocks."""
    where = {"fromBlock": hex(blocks.first), "toBlock": hex(blocks.last)}
    return Call("eth_getLogs", [where | _asked(wanted)], len(blocks))


def block_call(wanted: LogFilter, block_hash: bytes) -> Call:
    """Logs of one block by its hash (EIP-234)."""
    return Call("eth_getLogs", [{"blockHash": hexed(block_hash)} | _asked(wanted)], 1)


def fit(
    filters: Iterable[LogFilter], most_addresses: int = MOST_ADDRESSES, most_topics: int = MOST_TOPICS
) -> list[LogFilter]:
    """Queries that together give at least the logs of ``filters``, none naming more than is allowed.

    More addresses than allowed become "any address" where topics narrow the query; otherwise they are cut into pieces.
    """
    fitted = []
    for one in filters:
        if one.empty:
            continue
        addresses: list[frozenset[bytes] | None] = [one.addresses]
        if one.addresses is not None and len(one.addresses) > most_addresses:
            by_topic = one.topics is not None and most_addresses >= MOST_ADDRESSES
            addresses = [None] if by_topic else list(_pieces(one.addresses, most_addresses))
        topics: list[frozenset[bytes] | None] = [one.topics]
        if one.topics is not None and len(one.topics) > most_topics:
            topics = list(_pieces(one.topics, most_topics))
        fitted += [LogFilter(address, topic) for address in addresses for topic in topics]
    return fitted


def halves(wanted: LogFilter) -> tuple[LogFilter, LogFilter] | None:
    """Two filters that together ask for the same: addresses cut in two, else topics; None when neither can be."""
    if wanted.addresses is not None and len(wanted.addresses) > 1:
        left, right = _pieces(wanted.addresses, (len(wanted.addresses) + 1) // 2)
        return LogFilter(left, wanted.topics), LogFilter(right, wanted.topics)
    if wanted.topics is not None and len(wanted.topics) > 1:
        left, right = _pieces(wanted.topics, (len(wanted.topics) + 1) // 2)
        return LogFilter(wanted.addresses, left), LogFilter(wanted.addresses, right)
    return None


def widest(filters: Sequence[LogFilter]) -> tuple[int, int]:
    """The most addresses and the most topics that one of the filters names."""
    addresses = max((len(one.addresses) for one in filters if one.addresses is not None), default=0)
    topics = max((len(one.topics) for one in filters if one.topics is not None), default=0)
    return addresses, topics


def _asked(wanted: LogFilter) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if wanted.addresses is not None:
        asked["address"] = [hexed(address) for address in sorted(wanted.addresses)]
    if wanted.topics is not None:
        asked["topics"] = [[hexed(topic) for topic in sorted(wanted.topics)]]
    return asked


def _pieces(values: frozenset[bytes], size: int) -> Iterator[frozenset[bytes]]:
    in_order = sorted(values)
    for start in range(0, len(in_order), size):
        yield frozenset(in_order[start : start + size])
