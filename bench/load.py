"""A synthetic chain that is the same for the same seed: blocks, and their logs as a node writes them in JSON.

Loads:
    erc20: ``Transfer`` of ERC-20 tokens.
    mixed: 70 % ERC-20, 15 % ERC-721, 10 % ``TransferSingle``, 5 % ``TransferBatch``.
    dynamic: events with strings, bytes, arrays and a tuple.
    diamond: a cut that adds three facets, then their events.
    factory:N: a factory announces N tokens, which then emit ERC-20 transfers.
    tables:N: N events, each with a table of its own.
    empty:N: the logs lie in N blocks, nearly all of them empty.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.events import (
    ACCOUNTS,
    DYNAMIC_ABI,
    FACTORY_ABI,
    TOKENS,
    Maker,
    Tokens,
    address,
    diamond_cut,
    diamond_makers,
    dynamic_makers,
    numbered_abi,
)

FIRST_BLOCK = 18_000_000
FIRST_TIME = 1_700_000_000
LOADS = ("erc20", "mixed", "dynamic", "diamond", "factory", "tables", "empty")
BALANCES = 15_000
"""Balances of ERC-20 tokens that a factory made, all together."""

HASH = b"HASH"
"""Stands in a block's text where its hash belongs."""

_FACTORY = address("factory", 0)
_DIAMOND = address("diamond", 0)


@dataclass(frozen=True, slots=True)
class Load:
    """``blocks[i]`` is the JSON of the logs of block ``FIRST_BLOCK + i``, comma-separated; empty where there are none.

    ``HASH`` stands in the text where the block's hash belongs.
    """

    name: str
    blocks: Sequence[bytes]
    logs: int
    transfers: int
    transferred: int


def split_name(name: str) -> tuple[str, int]:
    """A load's kind and its number. Raises ``ValueError`` when there is no such load."""
    kind, _, number = name.partition(":")
    if kind not in LOADS:
        raise ValueError(f"no load is called {name!r}; there are {', '.join(LOADS)}")
    return kind, int(number or 0)


def make_load(name: str, logs: int, logs_per_block: int, seed: int = 1, *, times: bool = True) -> Load:
    """``logs`` logs of a load; without ``times`` they have no ``blockTimestamp``."""
    writer = _Writer(random.Random(seed), name, times=times)
    kind, number = split_name(name)
    count = number if kind == "empty" else -(-logs // logs_per_block)
    blocks: list[bytes] = []
    for place in range(count):
        here = (place + 1) * logs // count - place * logs // count
        if kind != "empty":
            here = min(logs_per_block, logs - place * logs_per_block)
        blocks.append(writer.block(FIRST_BLOCK + place, here))
    return Load(name, blocks, logs, writer.events.transfers, writer.events.transferred)


def configuration(name: str, folder: Path) -> str:
    """The sections ``[contracts.*]`` that index a load; ABI files are written to ``folder``."""
    kind, number = split_name(name)
    tokens = json.dumps([address("token", place) for place in range(TOKENS)])
    match kind:
        case "dynamic":
            return _section("notes", f"address = {tokens}\nabi = {_abi(folder, 'notes', DYNAMIC_ABI)}")
        case "tables":
            return _section(
                "numbers", f"address = {tokens}\nabi = {_abi(folder, 'numbers', numbered_abi(number))}"
            )
        case "diamond":
            return _section("platform", f'kind = "diamond"\naddress = "{_DIAMOND}"')
        case "factory":
            factory = _section(
                "factory", f'address = "{_FACTORY}"\nabi = {_abi(folder, "maker", FACTORY_ABI)}'
            )
            found = '{ contract = "factory", event = "TokenMade", parameter = "token" }'
            return factory + _section(
                "tokens", f'abi = ["erc20"]\nevents = ["Transfer"]\ndiscover = [{found}]'
            )
    return _section("tokens", f'address = {tokens}\nabi = ["erc20", "erc721", "erc1155"]')


def block_time(number: int) -> int:
    """The timestamp of a block in seconds: one every twelve."""
    return FIRST_TIME + 12 * (number - FIRST_BLOCK)


def _section(name: str, body: str) -> str:
    return f'\n[contracts.{name}]\nchain = "bench"\n{body}\n'


def _abi(folder: Path, name: str, entries: Sequence[object]) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(entries))
    return json.dumps([str(path)])


class _Writer:
    """Writes logs one after the other."""

    def __init__(self, draw: random.Random, name: str, *, times: bool) -> None:
        kind, number = split_name(name)
        # However many tokens there are, there are as many balances: what is compared is the cost of addresses.
        holders = max(2, min(ACCOUNTS, BALANCES // number)) if kind == "factory" else ACCOUNTS
        self.events = Tokens(draw, holders)
        self._draw = draw
        self._times = times
        self._emitters = [address("token", place) for place in range(TOKENS)]
        self._announced: list[str] = []
        self._cut = kind == "diamond"
        self._makers, self._weights = self._kinds(draw, kind, number)
        if kind == "diamond":
            self._emitters = [_DIAMOND]
        elif kind == "factory":
            self._announced = [address("made", place) for place in range(number)]
            self._emitters = list(self._announced)

    def _kinds(self, draw: random.Random, kind: str, number: int) -> tuple[list[Maker], list[int]]:
        events = self.events
        match kind:
            case "mixed":
                return [events.transfer, events.nft_transfer, events.single, events.batch], [70, 15, 10, 5]
            case "dynamic":
                makers = dynamic_makers(draw)
            case "diamond":
                makers = diamond_makers(draw)
            case "tables":
                makers = [lambda: events.numbered(number)]
            case _:
                makers = [events.transfer]
        return makers, [1] * len(makers)

    def block(self, number: int, count: int) -> bytes:
        """The logs of one block; two in three begin a new transaction."""
        when = f',"blockTimestamp":"0x{block_time(number):x}"' if self._times else ""
        head = f'"blockHash":"{HASH.decode()}","blockNumber":"0x{number:x}"{when}'
        draw = self._draw
        logs = []
        transaction, place = "0x" + draw.randbytes(32).hex(), 0
        for index, maker in enumerate(draw.choices(self._makers, self._weights, k=count) if count else ()):
            if index % 3:
                transaction, place = "0x" + draw.randbytes(32).hex(), place + 1
            emitter, (topics, data) = self._next(maker)
            quoted = '","'.join(topics)
            logs.append(
                f'{{"address":"{emitter}","topics":["{quoted}"],"data":"0x{data}",{head},'
                f'"transactionHash":"{transaction}","transactionIndex":"0x{place:x}","logIndex":"0x{index:x}",'
                f'"removed":false}}'
            )
        return ",".join(logs).encode()

    def _next(self, maker: Maker) -> tuple[str, tuple[Sequence[str], str]]:
        if self._cut:
            self._cut = False
            return _DIAMOND, diamond_cut()
        if self._announced:
            return _FACTORY, self.events.created(self._announced.pop())
        return self._emitters[int(self._draw.random() * len(self._emitters))], maker()
