"""Reads a contract's JSON ABI: the events with their layouts, the selectors of its functions.

Source: Solidity's contract ABI specification, "JSON", "Function Selector" and "Events".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from indexer.decode.tables import EventParam
from indexer.errors import ConfigError

MAX_INDEXED = 3
"""The EVM's LOG4 takes four topics; the first is the event's own, so an anonymous event may index one more."""

_MAX_DEPTH = 16
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_TYPE = re.compile(r"(?P<base>[a-z]+)(?P<size>\d*(?:x\d+)?)(?P<array>(?:\[\d*\])*)")
_PLAIN_TYPES = frozenset({"address", "bool", "string", "function"})


@dataclass(frozen=True, slots=True)
class EventDeclaration:
    """An event as an ABI declares it. ``topic0`` is None for an anonymous one."""

    name: str
    signature: str
    topic0: bytes | None
    params: tuple[EventParam, ...]

    @property
    def indexed(self) -> tuple[bool, ...]:
        """Which parameters are topics; with the signature it names the layout."""
        return tuple(param.indexed for param in self.params)

    def __str__(self) -> str:
        inner = ", ".join(_param_text(param) for param in self.params)
        return f"{self.name}({inner}){' anonymous' if self.topic0 is None else ''}"


@dataclass(frozen=True, slots=True)
class Abi:
    """What an ABI file declares.

    ``functions`` maps 4-byte selectors to signatures. ``impossible`` has one line for each event that no chain can log
    or no column can hold; these are not among ``events``.
    """

    events: tuple[EventDeclaration, ...]
    functions: Mapping[bytes, str]
    impossible: tuple[str, ...]


class _TypeProblem(Exception):
    """Why a parameter's type cannot be used. Never leaves this module."""

    def __init__(self, text: str, *, impossible: bool = False) -> None:
        self.impossible = impossible
        super().__init__(text)


def parse_abi(entries: Sequence[object], source: str) -> Abi:
    """Events and functions of a JSON ABI.

    Args:
        entries: the ABI's array, as parsed from JSON.
        source: the file's name, for messages.

    Raises:
        ConfigError: an event entry is malformed; one line per finding, with file, event and what would be right.
    """
    events: dict[tuple[str, tuple[bool, ...], bool], EventDeclaration] = {}
    functions: dict[bytes, str] = {}
    problems: list[str] = []
    impossible: list[str] = []
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict):
            problems.append(f"{source}: entry {place} is {entry!r:.60}; an ABI is an array of objects")
        elif entry.get("type") == "event":
            try:
                event = _event(entry)
            except _TypeProblem as problem:
                line = f"{source}: event {entry.get('name', f'at entry {place}')!s:.80}: {problem}"
                (impossible if problem.impossible else problems).append(line)
            else:
                events.setdefault((event.signature, event.indexed, event.topic0 is None), event)
        elif entry.get("type", "function") == "function":
            _add_function(functions, entry)
    if problems:
        raise ConfigError(*problems)
    return Abi(tuple(events.values()), functions, tuple(impossible))


def canonical_signature(text: str) -> str:
    """A signature as a person writes it in canonical form: no spaces, ``uint`` and ``int`` with their 256 bits."""
    return re.sub(r"\b(u?int)(?!\d)", r"\g<1>256", re.sub(r"\s+", "", text))


def selector(signature: str) -> bytes:
    """The 4-byte selector of a function's canonical signature."""
    return keccak(signature.encode())[:4]


def _event(entry: Mapping[str, object]) -> EventDeclaration:
    name = entry.get("name")
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise _TypeProblem(f"its name is {name!r:.60}; a name is letters, digits, _ and $")
    anonymous = entry.get("anonymous", False)
    if not isinstance(anonymous, bool):
        raise _TypeProblem(f"anonymous is {anonymous!r:.60}; true or false would be right")
    params = _params(entry.get("inputs", []), "inputs", depth=0)
    signature = f"{name}({','.join(param.canonical for param in params)})"
    indexed = sum(param.indexed for param in params)
    allowed = MAX_INDEXED + anonymous
    if indexed > allowed:
        raise _TypeProblem(
            f"{signature} has {indexed} indexed arguments; {'an anonymous' if anonymous else 'an'} event has at most "
            f"{allowed}, so no contract can log this one",
            impossible=True,
        )
    return EventDeclaration(name, signature, None if anonymous else keccak(signature.encode()), params)


def _params(value: object, where: str, *, depth: int) -> tuple[EventParam, ...]:
    if not isinstance(value, list):
        raise _TypeProblem(f"{where} is {value!r:.60}; an array of parameters would be right")
    if depth > _MAX_DEPTH:
        raise _TypeProblem(f"{where} is nested more than {_MAX_DEPTH} tuples deep")
    return tuple(_param(item, f"{where}[{place}]", depth=depth) for place, item in enumerate(value))


def _param(item: object, where: str, *, depth: int) -> EventParam:
    if not isinstance(item, dict):
        raise _TypeProblem(f"{where} is {item!r:.60}; an object with name and type would be right")
    name, text, indexed = item.get("name", ""), item.get("type"), item.get("indexed", False)
    if not isinstance(name, str) or (name and not _IDENTIFIER.fullmatch(name)):
        raise _TypeProblem(f"the name of {where} is {name!r:.60}; a name is letters, digits, _ and $")
    if not isinstance(indexed, bool):
        raise _TypeProblem(f"indexed of {where} is {indexed!r:.60}; true or false would be right")
    if not isinstance(text, str):
        raise _TypeProblem(f"the type of {where} is {text!r:.60}; an ABI type would be right")
    base, array = _split_type(text, where)
    if base != "tuple":
        return EventParam(name, base + array, base + array, indexed)
    components = _params(item.get("components"), f"{where}.components", depth=depth + 1)
    inner = ",".join(component.canonical for component in components)
    return EventParam(name, f"tuple{array}", f"({inner}){array}", indexed, components)


def _split_type(text: str, where: str) -> tuple[str, str]:
    match = _TYPE.fullmatch(text)
    if match is None:
        raise _TypeProblem(
            f"the type of {where} is {text!r:.60}, which is no ABI type (contracts are address, enums uint8)"
        )
    if match["base"] in ("fixed", "ufixed"):
        raise _TypeProblem(
            f"the type of {where} is {text}; no compiler emits fixed-point numbers", impossible=True
        )
    if "[0]" in match["array"]:
        raise _TypeProblem(f"the type of {where} is {text}; an array holds at least one element")
    return _base_type(match["base"], match["size"], f"the type of {where} is {text!r:.60}"), match["array"]


def _base_type(base: str, size: str, what: str) -> str:
    if not size and (base in _PLAIN_TYPES or base in ("bytes", "tuple")):
        return base
    if base in ("uint", "int"):
        bits = size or "256"
        if bits.isdecimal() and bits == str(int(bits)) and 8 <= int(bits) <= 256 and int(bits) % 8 == 0:
            return base + bits
        raise _TypeProblem(f"{what}; integers have 8 to 256 bits in steps of 8")
    if base == "bytes" and size.isdecimal():
        if size == str(int(size)) and 1 <= int(size) <= 32:
            return base + size
        raise _TypeProblem(f"{what}; fixed bytes are bytes1 to bytes32")
    raise _TypeProblem(f"{what}, which is no ABI type (contracts are address, enums uint8, structs tuple)")


def _add_function(functions: dict[bytes, str], entry: Mapping[str, object]) -> None:
    # The ABI of a library names storage pointers and enums, which have no selector that a facet could serve.
    name = entry.get("name")
    try:
        params = _params(entry.get("inputs", []), "inputs", depth=0)
    except _TypeProblem:
        return
    if isinstance(name, str):
        signature = f"{name}({','.join(param.canonical for param in params)})"
        functions.setdefault(selector(signature), signature)


def _param_text(param: EventParam) -> str:
    return " ".join(filter(None, (param.canonical, "indexed" if param.indexed else "", param.name)))
