"""A synthetic chain that is the same for the same seed: blocks, and their logs as a node writes them in JSON."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

FIRST_BLOCK = 18_000_000
FIRST_TIME = 1_700_000_000
TOKENS = 50
"""How many contracts emit the logs."""


@dataclass(frozen=True, slots=True)
class Load:
    """``blocks[i]`` is the JSON of the logs of block ``FIRST_BLOCK + i``, comma-separated; never empty."""

    name: str
    blocks: Sequence[bytes]
    logs: int
    transfers: int
    transferred: int
    tokens: Sequence[str]

    @property
    def last_block(self) -> int:
        """The newest block."""
        return FIRST_BLOCK + len(self.blocks) - 1

    def logs_json(self, first: int, last: int) -> bytes:
        """The array that ``eth_getLogs`` gives for blocks ``first`` to ``last``."""
        chosen = self.blocks[max(first - FIRST_BLOCK, 0) : max(last - FIRST_BLOCK + 1, 0)]
        return b"[" + b",".join(chosen) + b"]"

    def header_json(self, number: int) -> bytes:
        """The block object of ``number``, without transactions; the bloom has every bit set."""
        return (
            b'{"number":"0x%x","hash":"%b","parentHash":"%b","timestamp":"0x%x","logsBloom":"0x%b","transactions":[]}'
            % (number, block_hash(number), block_hash(number - 1), block_time(number), b"ff" * 256)
        )


def block_hash(number: int) -> bytes:
    """The made-up hash of a block, as JSON text."""
    return b"0x" + hashlib.sha256(b"block %d" % number).hexdigest().encode()


def block_time(number: int) -> int:
    """The timestamp of a block in seconds: one every twelve."""
    return FIRST_TIME + 12 * (number - FIRST_BLOCK)


def make_load(name: str, logs: int, logs_per_block: int, seed: int = 1) -> Load:
    """``logs`` logs of the kind that ``name`` says: ``erc20`` or ``mixed``."""
    writer = _Writer(random.Random(seed), name)
    blocks: list[bytes] = []
    left = logs
    while left:
        count = min(left, logs_per_block)
        blocks.append(writer.block(FIRST_BLOCK + len(blocks), count))
        left -= count
    return Load(name, blocks, logs, writer.transfers, writer.transferred, writer.tokens)


class _Writer:
    """Writes logs one after the other and keeps count of what a check needs."""

    def __init__(self, draw: random.Random, name: str) -> None:
        self.transfers = 0
        self.transferred = 0
        self._draw = draw
        self.tokens = [self._hex(20) for _ in range(TOKENS)]
        self._kinds: list[tuple[Callable[[], tuple[list[str], str]], int]] = [(self._transfer, 100)]
        if name == "mixed":
            self._kinds = [
                (self._transfer, 60),
                (self._approval, 10),
                (self._nft_transfer, 10),
                (self._transfer_batch, 8),
                (self._uri, 7),
                (self._unknown, 5),
            ]
        elif name != "erc20":
            raise ValueError(f"no load is called {name!r}")

    def block(self, number: int, count: int) -> bytes:
        """The logs of one block; two in three begin a new transaction."""
        head = f'"blockHash":"{block_hash(number).decode()}","blockNumber":"0x{number:x}","blockTimestamp":"0x{block_time(number):x}"'
        makers = self._draw.choices(
            [maker for maker, _ in self._kinds], [weight for _, weight in self._kinds], k=count
        )
        logs = []
        transaction, place = self._hex(32), 0
        for index, maker in enumerate(makers):
            if index % 3:
                transaction, place = self._hex(32), place + 1
            topics, data = maker()
            quoted = '","'.join(topics)
            logs.append(
                f'{{"address":"{self._draw.choice(self.tokens)}","topics":["{quoted}"],"data":"0x{data}",{head},'
                f'"transactionHash":"{transaction}","transactionIndex":"0x{place:x}","logIndex":"0x{index:x}",'
                f'"removed":false}}'
            )
        return ",".join(logs).encode()

    def _hex(self, size: int) -> str:
        return "0x" + self._draw.randbytes(size).hex()

    def _address_word(self) -> str:
        return "0x" + "00" * 12 + self._draw.randbytes(20).hex()

    def _transfer(self) -> tuple[list[str], str]:
        amount = self._draw.randrange(10 ** self._draw.randrange(1, 25))
        self.transfers += 1
        self.transferred += amount
        return [_TRANSFER, self._address_word(), self._address_word()], f"{amount:064x}"

    def _approval(self) -> tuple[list[str], str]:
        return [_APPROVAL, self._address_word(), self._address_word()], "ff" * 32

    def _nft_transfer(self) -> tuple[list[str], str]:
        return [
            _TRANSFER,
            self._address_word(),
            self._address_word(),
            f"0x{self._draw.randrange(9999):064x}",
        ], ""

    def _transfer_batch(self) -> tuple[list[str], str]:
        count = self._draw.randrange(1, 6)
        words = [64, 96 + 32 * count]
        for _ in range(2):
            words += [count, *(self._draw.randrange(10**6) for _ in range(count))]
        topics = [_TRANSFER_BATCH, self._address_word(), self._address_word(), self._address_word()]
        return topics, "".join(f"{word:064x}" for word in words)

    def _uri(self) -> tuple[list[str], str]:
        text = f"ipfs://token/{self._draw.randrange(10**9)}.json".encode()
        data = f"{32:064x}{len(text):064x}{text.hex().ljust(-(-len(text) // 32) * 64, '0')}"
        return [_URI, f"0x{self._draw.randrange(9999):064x}"], data

    def _unknown(self) -> tuple[list[str], str]:
        return [_UNKNOWN], self._draw.randbytes(64).hex()


def _topic(signature: str) -> str:
    return "0x" + keccak(signature.encode()).hex()


_TRANSFER = _topic("Transfer(address,address,uint256)")
_APPROVAL = _topic("Approval(address,address,uint256)")
_TRANSFER_BATCH = _topic("TransferBatch(address,address,address,uint256[],uint256[])")
_URI = _topic("URI(string,uint256)")
_UNKNOWN = _topic("NobodyKnows(uint256,uint256)")
