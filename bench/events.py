"""Logs of a synthetic chain, one at a time: topics and data as a node writes them in JSON.

Addresses are drawn from a pool of accounts, as on a real chain, where the same ones trade again and again; a chain whose
every transfer had two new accounts would have nothing but new balances.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

ACCOUNTS = 1_500
TOKENS = 50
NFTS = 1_500
_MULTI_IDS = 10
_MULTI_ACCOUNTS = 150
"""Ids of an ERC-1155 token and who holds them: as many balances as ERC-20 tokens have here, 75,000."""

_PATTERNS = 400
"""Logs of a dynamic type are drawn from so many made beforehand: eth-abi takes longer than all the rest."""

_FACETS = ("trade_deal", "collateral_token", "token")
_ABI_DIR = Path(__file__).parents[1] / "abi" / "gemforce"

Log = tuple[Sequence[str], str]
"""Topics, each with 0x, and data without."""

Maker = Callable[[], Log]


def topic(signature: str) -> str:
    """The first topic of an event."""
    return "0x" + keccak(signature.encode()).hex()


def address(kind: str, number: int) -> str:
    """A made-up address, always the same, with 0x."""
    return "0x" + keccak(f"{kind} {number}".encode())[:20].hex()


def address_word(of: str) -> str:
    """An address as a topic."""
    return "0x" + "00" * 12 + of[2:]


class Tokens:
    """Logs of ERC-20, ERC-721 and ERC-1155 tokens; counts ERC-20 transfers and what they moved.

    ERC-20 tokens move among ``holders`` accounts.
    """

    def __init__(self, draw: random.Random, holders: int = ACCOUNTS) -> None:
        self._holders = holders
        self.transfers = 0
        self.transferred = 0
        self._draw = draw
        self._accounts = [address_word(address("account", number)) for number in range(ACCOUNTS)]

    def transfer(self) -> Log:
        """ERC-20."""
        amount = int(self._draw.random() * 10 ** int(1 + 24 * self._draw.random()))
        self.transfers += 1
        self.transferred += amount
        return (_TRANSFER, self._account(self._holders), self._account(self._holders)), f"{amount:064x}"

    def nft_transfer(self) -> Log:
        """ERC-721."""
        return (_TRANSFER, self._account(), self._account(), f"0x{self._number(NFTS):064x}"), ""

    def single(self) -> Log:
        """ERC-1155, one id."""
        data = f"{self._number(_MULTI_IDS):064x}{self._number(10**6):064x}"
        return (_SINGLE, *(self._account(_MULTI_ACCOUNTS) for _ in range(3))), data

    def batch(self) -> Log:
        """ERC-1155, one to five ids."""
        count = 1 + self._number(5)
        words = [64, 96 + 32 * count, count, *(self._number(_MULTI_IDS) for _ in range(count))]
        words += [count, *(self._number(10**6) for _ in range(count))]
        return (_BATCH, *(self._account(_MULTI_ACCOUNTS) for _ in range(3))), _words(words)

    def numbered(self, events: int) -> Log:
        """One of ``events`` events that differ in nothing but their name; see ``numbered_abi``."""
        event = _numbered_topic(self._number(events))
        return (event, self._account()), f"{self._number(10**18):064x}"

    def created(self, token: str) -> Log:
        """A factory's announcement of a token; see ``FACTORY_ABI``."""
        return (_CREATED, address_word(token)), ""

    def _account(self, below: int = ACCOUNTS) -> str:
        return self._accounts[self._number(below)]

    def _number(self, below: int) -> int:
        return int(self._draw.random() * below)


def dynamic_makers(draw: random.Random) -> list[Maker]:
    """Events with strings, bytes, arrays and a tuple; see ``DYNAMIC_ABI``."""
    return [_drawn(draw, [_encoded(draw, event) for _ in range(_PATTERNS)]) for event in DYNAMIC_ABI]


def diamond_makers(draw: random.Random) -> list[Maker]:
    """Events of three facets, whatever can be written without hashing a dynamic argument."""
    events = [entry for entries in _facet_abis().values() for entry in entries if entry["type"] == "event"]
    plain = [event for event in events if not any(_unfit(one) for one in event["inputs"])]
    return [_drawn(draw, [_encoded(draw, event) for _ in range(_PATTERNS // 10)]) for event in plain]


def diamond_cut() -> Log:
    """The cut that adds the facets of ``diamond_makers``."""
    cuts = []
    for number, entries in enumerate(_facet_abis().values()):
        functions = [entry for entry in entries if entry["type"] == "function"]
        selectors = [keccak(_signature(entry).encode())[:4] for entry in functions]
        cuts.append((address("facet", number), 0, selectors))
    nobody = "0x" + "00" * 20
    return (_CUT,), encode(["(address,uint8,bytes4[])[]", "address", "bytes"], [cuts, nobody, b""]).hex()


def numbered_abi(events: int) -> list[dict[str, Any]]:
    """``events`` events, each of which gets a table of its own."""
    return [
        _event(f"Numbered{number}", ("address", "who", True), ("uint256", "value", False))
        for number in range(events)
    ]


def _facet_abis() -> dict[str, list[dict[str, Any]]]:
    return {name: json.loads((_ABI_DIR / f"{name}.json").read_text()) for name in _FACETS}


def _drawn(draw: random.Random, patterns: Sequence[Log]) -> Maker:
    return lambda: patterns[int(draw.random() * len(patterns))]


def _unfit(parameter: dict[str, Any]) -> bool:
    return parameter["indexed"] and (
        "[" in parameter["type"] or parameter["type"] in {"string", "bytes", "tuple"}
    )


def _encoded(draw: random.Random, event: dict[str, Any]) -> Log:
    topics = [topic(_signature(event))]
    plain: list[dict[str, Any]] = []
    for parameter in event["inputs"]:
        if parameter["indexed"]:
            topics.append("0x" + encode([parameter["type"]], [_value(draw, parameter)]).hex())
        else:
            plain.append(parameter)
    return topics, encode([_type(one) for one in plain], [_value(draw, one) for one in plain]).hex()


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_type(one) for one in entry['inputs'])})"


def _type(parameter: dict[str, Any]) -> str:
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(one) for one in parameter['components'])}){kind[5:]}"


def _value(draw: random.Random, parameter: dict[str, Any]) -> Any:
    kind = str(parameter["type"])
    if kind.endswith("]"):
        item = parameter | {"type": kind[: kind.rindex("[")]}
        return [_value(draw, item) for _ in range(draw.randrange(1, 4))]
    if kind == "tuple":
        return tuple(_value(draw, one) for one in parameter["components"])
    if kind.startswith(("uint", "int")):
        return draw.randrange(1 << min(int(kind.lstrip("uint") or 256) - 1, 80))
    made = {
        "string": lambda: f"ipfs://token/{draw.randrange(10**9)}.json",
        "bytes": lambda: draw.randbytes(draw.randrange(1, 70)),
        "address": lambda: address("account", draw.randrange(ACCOUNTS)),
        "bool": lambda: draw.random() < 0.5,
    }
    return made[kind]() if kind in made else draw.randbytes(int(kind.removeprefix("bytes")))


def _words(numbers: Sequence[int]) -> str:
    return "".join(f"{number:064x}" for number in numbers)


def _event(name: str, *parameters: tuple[str, str, bool]) -> dict[str, Any]:
    inputs = [{"type": kind, "name": called, "indexed": indexed} for kind, called, indexed in parameters]
    return {"type": "event", "name": name, "anonymous": False, "inputs": inputs}


def _order() -> dict[str, Any]:
    components = [{"type": "address", "name": "maker"}, {"type": "string", "name": "memo"}]
    components += [{"type": "uint256[]", "name": "amounts"}]
    order = {"type": "tuple", "name": "order", "components": components, "indexed": False}
    event = _event("Ordered", ("uint256", "id", True))
    event["inputs"].append(order)
    return event


def _numbered_topic(number: int) -> str:
    found = _NUMBERED.get(number)
    if found is None:
        found = _NUMBERED[number] = topic(f"Numbered{number}(address,uint256)")
    return found


DYNAMIC_ABI = [
    _event("Noted", ("address", "author", True), ("string", "text", False), ("bytes", "payload", False)),
    _order(),
    _event("Tagged", ("uint256", "id", True), ("string[]", "tags", False), ("uint256", "weight", False)),
]
FACTORY_ABI = [_event("TokenMade", ("address", "token", True))]

_NUMBERED: dict[int, str] = {}
_TRANSFER = topic("Transfer(address,address,uint256)")
_SINGLE = topic("TransferSingle(address,address,address,uint256,uint256)")
_BATCH = topic("TransferBatch(address,address,address,uint256[],uint256[])")
_CREATED = topic("TokenMade(address)")
_CUT = topic("DiamondCut((address,uint8,bytes4[])[],address,bytes)")
