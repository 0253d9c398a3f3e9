"""A small world for the store: blocks of named branches, one event table, and commits made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockHeader, BlockRange, BlockRef
from indexer.decode.tables import Column, Decoded, EventTable, RowBatch, Undecoded
from indexer.store.commit import Commit, CommitResult, Revert, Source, SourceSpec
from indexer.store.store import Store

CHAIN = 31337
HOLDER = "writer-1"
CONTRACT = bytes.fromhex("c0" * 20)
PING = hashlib.sha256(b"Ping(uint256,string)").digest()

PING_TABLE = EventTable(
    name="demo_ping",
    abi="demo",
    event="Ping",
    signature="Ping(uint256,string)",
    topic0=PING,
    columns=(Column("value", "numeric", "Argument value."), Column("note", "text", "Argument note.")),
    comment="Ping(uint256 value, string note)",
)


@dataclass(frozen=True)
class Log:
    """A log of the small world: decoded into ``demo_ping`` if ``known``, else raw."""

    block: int
    index: int
    value: int = 1
    address: bytes = CONTRACT
    known: bool = True


def header(number: int, branch: str = "a", fork: int | None = None) -> BlockHeader:
    """Block ``number`` of a branch; below ``fork`` a branch is the same as branch ``a``."""
    return BlockHeader(
        number, _hash(number, branch, fork), _hash(number - 1, branch, fork), 1_700_000_000 + number
    )


def _hash(number: int, branch: str, fork: int | None) -> bytes:
    name = "a" if fork is not None and number <= fork else branch
    return hashlib.sha256(f"{name}:{number}".encode()).digest()


def batch(
    blocks: BlockRange, logs: Sequence[Log], header_of: Callable[[int], BlockHeader] = header
) -> LogBatch:
    """The logs as columns; ``header_of`` says which block has a number."""
    logs = sorted(logs, key=lambda log: (log.block, log.index))
    count = len(logs)
    topics = np.zeros((count, 4, 32), np.uint8)
    for place, log in enumerate(logs):
        topics[place, 0] = np.frombuffer(PING if log.known else hashlib.sha256(b"?").digest(), np.uint8)
    data = b"".join(log.value.to_bytes(32, "big") for log in logs)
    hashes = [header_of(log.block).hash for log in logs]
    tx = [
        hashlib.sha256(block + bytes([log.index])).digest() for block, log in zip(hashes, logs, strict=True)
    ]
    return LogBatch(
        blocks,
        np.array([log.block for log in logs], np.int64),
        np.array([1_700_000_000 + log.block for log in logs], np.int64),
        np.zeros(count, np.int32),
        np.array([log.index for log in logs], np.int32),
        np.frombuffer(b"".join(hashes), np.uint8).reshape(count, 32),
        np.frombuffer(b"".join(tx), np.uint8).reshape(count, 32),
        np.frombuffer(b"".join(log.address for log in logs), np.uint8).reshape(count, 20),
        topics,
        np.ones(count, np.uint8),
        np.frombuffer(data, np.uint8),
        np.arange(count + 1, dtype=np.int64) * 32,
    )


def decode(logs: LogBatch) -> Decoded:
    """Pings into rows, the rest raw."""
    known = np.flatnonzero((logs.topics[:, 0] == np.frombuffer(PING, np.uint8)).all(axis=1)).astype(np.int64)
    other = np.setdiff1d(np.arange(len(logs), dtype=np.int64), known)
    values: list[object] = [int.from_bytes(logs.log_data(int(place)), "big") for place in known]
    notes: list[object] = [f"note {value}" for value in values]
    rows = (RowBatch(PING_TABLE, known, (values, notes)),) if len(known) else ()
    return Decoded(rows, Undecoded(other, ["unknown_topic"] * len(other)))


@dataclass
class Books:
    """A store with one registered chain, source and lease; it follows the tip of what it committed."""

    store: Store
    epoch: int
    source: Source
    tip: BlockRef | None = None
    branch: str = "a"
    fork: int | None = None
    tags: dict[int, str] = field(default_factory=dict)

    def header(self, number: int) -> BlockHeader:
        """Our block of a number: of the branch, or of its own tag where it has one."""
        if not self.tags:
            return header(number, self.branch, self.fork)
        ours, before = (header(one, self.tags.get(one, "a")) for one in (number, number - 1))
        return BlockHeader(number, ours.hash, before.hash, ours.timestamp)

    def make(self, first: int, last: int, logs: Iterable[Log] = (), **changes: Any) -> Commit:
        """A commit that moves the tip to ``last``."""
        blocks = BlockRange(first, last)
        logs_batch = batch(blocks, list(logs), self.header)
        links = tuple(self.header(number) for number in range(first, last + 1))
        values: dict[str, Any] = {
            "chain_id": CHAIN,
            "epoch": self.epoch,
            "expected": self.tip,
            "next": links[-1].ref,
            "logs": logs_batch,
            "decoded": decode(logs_batch),
            "sources": (self.source.id,),
            "replaces": (self.source.spec.filter,),
            "links": links,
        }
        return Commit(**{**values, **changes})

    async def commit(self, first: int, last: int, logs: Iterable[Log] = (), **changes: Any) -> CommitResult:
        """Commit and follow."""
        commit = self.make(first, last, logs, **changes)
        result = await self.store.commit(commit)
        if commit.next is not None:
            self.tip = commit.next
        return result

    async def reorg(
        self, ancestor: int, last: int, logs: Iterable[Log], branch: str, **changes: Any
    ) -> CommitResult:
        """Replace everything above ``ancestor`` by blocks of ``branch`` up to ``last``."""
        assert self.tip is not None
        kept = header(ancestor, self.branch, self.fork).ref
        self.branch, self.fork = branch, ancestor
        revert = Revert(kept, self.tip, header(last, branch, ancestor).ref)
        return await self.commit(ancestor + 1, last, logs, revert=revert, **changes)

    async def fetch(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Rows as tuples."""
        async with self.store.pool.acquire() as connection:
            return [tuple(row) for row in await connection.fetch(query, *arguments)]

    async def value(self, query: str, *arguments: Any) -> Any:
        """One value."""
        async with self.store.pool.acquire() as connection:
            return await connection.fetchval(query, *arguments)

    async def pings(self) -> list[tuple[int, int, int]]:
        """(block, log index, value) of every decoded row."""
        rows = await self.fetch(
            "SELECT block_number, log_index, value FROM event.demo_ping ORDER BY block_number, log_index"
        )
        return [(block, index, int(value)) for block, index, value in rows]

    async def raws(self) -> list[tuple[int, int]]:
        """(block, log index) of every raw row."""
        rows = await self.fetch("SELECT block_number, log_index FROM event.undecoded ORDER BY 1, 2")
        return [(block, index) for block, index in rows]

    async def coverage(self) -> list[str]:
        """Coverage of each source, as PostgreSQL writes it."""
        return [row[0] for row in await self.fetch("SELECT coverage::text FROM sync.source ORDER BY id")]


def source_spec(key: str = "demo:*", **changes: Any) -> SourceSpec:
    """A source of every log."""
    values: dict[str, Any] = {
        "key": key,
        "contract": "demo",
        "start_block": 0,
        "filter": LogFilter(None, None),
    }
    return SourceSpec(**{**values, **changes})


async def open_books(store: Store) -> Books:
    """Register chain, table, source and lease."""
    await store.register_tables([PING_TABLE])
    await store.register_chain(CHAIN, "test")
    (source,) = await store.register_sources(CHAIN, [source_spec()])
    epoch = await store.acquire_lease(CHAIN, HOLDER, 15)
    assert epoch is not None
    return Books(store, epoch, source)
