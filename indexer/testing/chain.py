"""A chain in memory: blocks with hashes, parents, times, blooms and logs, that can fork, go back and finalize.

It is the truth that tests hold the program against, so it is kept simple and knows nothing of the engine. The same
calls in the same order make the same hashes.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from indexer.chain.bloom import build_bloom
from indexer.chain.refs import BlockHeader

LogSpec = tuple[bytes, Sequence[bytes], bytes]
"""What a test writes for a log: (address of 20 bytes, topics of 32 bytes each, data)."""

CallAnswer = bytes | None | Callable[[int], bytes | None]
"""What ``eth_call`` gives: bytes, None for a revert, or a function of the block number that gives either."""


@dataclass(frozen=True, slots=True)
class MemoryLog:
    """A log in its block. Each log is in a transaction of its own."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    tx_hash: bytes
    tx_index: int
    log_index: int


@dataclass(frozen=True, slots=True)
class MemoryBlock:
    """A block: header, logs in order, and the code that came to be in it by address."""

    header: BlockHeader
    logs: tuple[MemoryLog, ...] = ()
    codes: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The block's number."""
        return self.header.number

    @property
    def hash(self) -> bytes:
        """The block's hash."""
        return self.header.hash


class MemoryChain:
    """The canonical chain and every block that was ever part of it.

    Args:
        chain_id: What ``eth_chainId`` says.
        block_seconds: Between the timestamps of a block and its parent.
        finalized_depth: Blocks between head and ``finalized``; None where the chain has no such tag.
        safe_depth: Likewise for ``safe``.
    """

    def __init__(
        self,
        chain_id: int = 31337,
        *,
        block_seconds: int = 1,
        finalized_depth: int | None = 64,
        safe_depth: int | None = 32,
    ) -> None:
        self.chain_id = chain_id
        self.block_seconds = block_seconds
        self.finalized_depth = finalized_depth
        self.safe_depth = safe_depth
        self.finalized_number: int | None = None
        """Where set, ``finalized`` names this block whatever the head is."""
        self.safe_number: int | None = None
        """Where set, ``safe`` names this block whatever the head is."""
        self.answers: dict[tuple[bytes, bytes], CallAnswer] = {}
        """What ``eth_call`` gives, by (to, data)."""
        self._contents: dict[bytes, int] = {}
        self._branch = 0
        self._listeners: set[asyncio.Event] = set()
        self._codes: dict[bytes, list[tuple[BlockHeader, bytes]]] = {}
        genesis = BlockHeader(0, _digest(b"genesis", chain_id), bytes(32), 1_700_000_000, build_bloom(()))
        self.blocks: list[MemoryBlock] = [MemoryBlock(genesis)]
        """The canonical chain; the index is the block number."""
        self.known: dict[bytes, MemoryBlock] = {genesis.hash: self.blocks[0]}
        """Every block ever mined, orphaned ones too, by hash."""

    @property
    def head(self) -> BlockHeader:
        """The newest canonical header."""
        return self.blocks[-1].header

    def mine(
        self,
        logs: Sequence[LogSpec] = (),
        *,
        timestamp: int | None = None,
        codes: Mapping[bytes, bytes] | None = None,
    ) -> BlockHeader:
        """Add one block with these logs and code, and return its header."""
        block = self._build(self.head, logs, timestamp, codes or {})
        self._append(block)
        self._notify()
        return block.header

    def mine_empty(self, count: int) -> BlockHeader:
        """Add ``count`` blocks without logs; returns the last header."""
        for _ in range(count):
            self._append(self._build(self.head, (), None, {}))
        self._notify()
        return self.head

    def fork(self, depth: int, blocks: Sequence[Sequence[LogSpec]] | None = None) -> list[BlockHeader]:
        """Replace the newest ``depth`` blocks by others with these logs (default: as many, empty, and one more).

        Blocks with the logs of the replaced ones have other hashes nevertheless; their transactions keep theirs.
        Returns the new headers, ascending.
        """
        if not 0 <= depth < len(self.blocks):
            raise ValueError(f"cannot fork {depth} blocks off a chain of {len(self.blocks)}")
        self._drop_above(len(self.blocks) - 1 - depth)
        self._branch += 1
        fresh = [()] * (depth + 1) if blocks is None else blocks
        for logs in fresh:
            self._append(self._build(self.head, logs, None, {}))
        self._notify()
        return [block.header for block in self.blocks[len(self.blocks) - len(fresh) :]]

    def lower_head(self, count: int) -> list[BlockHeader]:
        """Take the newest ``count`` blocks away, as ``evm_revert`` does; returns their headers, ascending.

        They stay in ``known``; ``switch`` to the last of them brings them back.
        """
        if not 0 <= count < len(self.blocks):
            raise ValueError(f"cannot take {count} blocks off a chain of {len(self.blocks)}")
        gone = [block.header for block in self.blocks[len(self.blocks) - count :]]
        self._drop_above(len(self.blocks) - 1 - count)
        self._branch += 1
        self._notify()
        return gone

    def switch(self, tip: bytes) -> BlockHeader:
        """Make the branch that ends in the known block ``tip`` the canonical one, e.g. for a flip A-B-A."""
        branch = [self.known[tip]]
        while branch[-1].number > 0:
            parent = self.known[branch[-1].header.parent_hash]
            if parent.number < len(self.blocks) and self.blocks[parent.number].hash == parent.hash:
                break
            branch.append(parent)
        branch.reverse()
        self._drop_above(branch[0].number - 1)
        for block in branch:
            self._append(block)
        self._branch += 1
        self._notify()
        return self.head

    def tagged(self, tag: Literal["finalized", "safe"]) -> BlockHeader | None:
        """The header the tag names, or None where the chain has no such tag."""
        fixed = self.finalized_number if tag == "finalized" else self.safe_number
        depth = self.finalized_depth if tag == "finalized" else self.safe_depth
        if fixed is not None:
            return self.blocks[min(fixed, len(self.blocks) - 1)].header
        if depth is None:
            return None
        return self.blocks[max(0, len(self.blocks) - 1 - depth)].header

    def at(self, number: int) -> MemoryBlock | None:
        """The canonical block of that number, or None above the head."""
        return self.blocks[number] if 0 <= number < len(self.blocks) else None

    def canonical(self, block_hash: bytes) -> MemoryBlock | None:
        """The canonical block of that hash, or None where it is unknown or orphaned."""
        block = self.known.get(block_hash)
        if block is None or self.at(block.number) is not block:
            return None
        return block

    def set_code(self, address: bytes, code: bytes, block: int | None = None) -> None:
        """Let an address have this code from a canonical block on (default: the head)."""
        header = self.head if block is None else self.blocks[block].header
        self._codes.setdefault(address, []).append((header, code))

    def code_at(self, address: bytes, block: int) -> bytes:
        """The code at an address at the end of a block; empty where there is none."""
        found = b""
        best = -1
        for header, code in self._codes.get(address, ()):
            if best <= header.number <= block and self.canonical(header.hash) is not None:
                found, best = code, header.number
        return found

    def answer(self, to: bytes, data: bytes, result: CallAnswer) -> None:
        """Let ``eth_call`` of this data at this address give ``result``."""
        self.answers[to, data] = result

    def call_at(self, to: bytes, data: bytes, block: int) -> bytes | None:
        """What ``eth_call`` gives: without an answer, empty where there is no code, and a revert (None) where there is."""
        if (to, data) not in self.answers:
            return None if self.code_at(to, block) else b""
        result = self.answers[to, data]
        return result(block) if callable(result) else result

    def listen(self) -> asyncio.Event:
        """An event that is set whenever the canonical chain changes, until ``unlisten``."""
        event = asyncio.Event()
        self._listeners.add(event)
        return event

    def unlisten(self, event: asyncio.Event) -> None:
        """Forget an event that ``listen`` gave."""
        self._listeners.discard(event)

    def _append(self, block: MemoryBlock) -> None:
        self.blocks.append(block)
        for log in block.logs:
            content = _content(log.address, log.topics, log.data)
            self._contents[content] = self._contents.get(content, 0) + 1
        if block.hash not in self.known:
            self.known[block.hash] = block
            for address, code in block.codes.items():
                self._codes.setdefault(address, []).append((block.header, code))

    def _drop_above(self, number: int) -> None:
        for block in self.blocks[number + 1 :]:
            for log in block.logs:
                self._contents[_content(log.address, log.topics, log.data)] -= 1
        del self.blocks[number + 1 :]

    def _notify(self) -> None:
        for event in self._listeners:
            event.set()

    def _build(
        self,
        parent: BlockHeader,
        specs: Sequence[LogSpec],
        timestamp: int | None,
        codes: Mapping[bytes, bytes],
    ) -> MemoryBlock:
        number = parent.number + 1
        logs = tuple(self._logs(specs))
        digest = _digest(parent.hash, number, self._branch, *(log.tx_hash for log in logs))
        time = parent.timestamp + self.block_seconds if timestamp is None else timestamp
        bloom = build_bloom(value for log in logs for value in (log.address, *log.topics))
        return MemoryBlock(BlockHeader(number, digest, parent.hash, time, bloom), logs, dict(codes))

    def _logs(self, specs: Sequence[LogSpec]) -> list[MemoryLog]:
        """The logs with transaction hashes that no other canonical transaction has, and that survive re-inclusion."""
        fresh: dict[bytes, int] = {}
        logs = []
        for index, (address, topics, data) in enumerate(specs):
            content = _content(address, topics, data)
            fresh[content] = fresh.get(content, self._contents.get(content, 0)) + 1
            tx_hash = _digest(content, fresh[content])
            logs.append(MemoryLog(address, tuple(topics), data, tx_hash, index, index))
        return logs


def _content(address: bytes, topics: Sequence[bytes], data: bytes) -> bytes:
    return _digest(address, *topics, data)


def _digest(*parts: bytes | int) -> bytes:
    hasher = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else part.to_bytes(8, "big")
        hasher.update(len(raw).to_bytes(4, "big") + raw)
    return hasher.digest()
