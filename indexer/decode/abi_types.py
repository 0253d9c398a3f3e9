"""ABI types as a tree: what decoding, column kinds and JSON need to know of a type.

Source: Solidity's contract ABI specification, "Types" and "Formal Specification of the Encoding".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from indexer.decode.tables import EventParam

ValueKind = Literal["address", "bool", "uint", "int", "bytes", "function"]

_INTEGER = re.compile(r"(u?int)([0-9]*)")
_FIXED_BYTES = re.compile(r"bytes([0-9]+)")
_ARRAY = re.compile(r"(.*)\[([0-9]*)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type of one 32-byte word. ``bits`` is its width: 8 to 256, 160 for an address, 192 for a function."""

    kind: ValueKind
    bits: int

    @property
    def left_aligned(self) -> bool:
        """Whether the padding follows the value (bytesN, function)."""
        return self.kind in {"bytes", "function"}


@dataclass(frozen=True, slots=True)
class BytesType:
    """``bytes`` or ``string``."""

    text: bool


@dataclass(frozen=True, slots=True)
class ArrayType:
    """``item[]`` (``length`` None) or ``item[length]``."""

    item: AbiType
    length: int | None


@dataclass(frozen=True, slots=True)
class TupleType:
    """A struct. ``names`` are the keys of its JSON object: unique, by position where the ABI gives none."""

    items: tuple[AbiType, ...]
    names: tuple[str, ...]


_PLAIN = {
    "address": ValueType("address", 160),
    "bool": ValueType("bool", 8),
    "function": ValueType("function", 192),
}

AbiType = ValueType | BytesType | ArrayType | TupleType


def type_of(param: EventParam) -> AbiType:
    """The type of a parameter or component. Raises ``ValueError`` for a type that events cannot have here."""
    return _parse(param.type, param.components)


def _parse(text: str, components: tuple[EventParam, ...]) -> AbiType:
    array = _ARRAY.fullmatch(text)
    if array is not None:
        return ArrayType(_parse(array[1], components), int(array[2]) if array[2] else None)
    if text == "tuple":
        return TupleType(tuple(type_of(item) for item in components), _keys(components))
    if text in {"bytes", "string"}:
        return BytesType(text=text == "string")
    return _value_type(text)


def _value_type(text: str) -> ValueType:
    if text in _PLAIN:
        return _PLAIN[text]
    integer = _INTEGER.fullmatch(text)
    if integer is not None:
        bits = int(integer[2] or 256)
        if 8 <= bits <= 256 and bits % 8 == 0:
            return ValueType("uint" if integer[1] == "uint" else "int", bits)
    fixed = _FIXED_BYTES.fullmatch(text)
    if fixed is not None and 1 <= int(fixed[1]) <= 32:
        return ValueType("bytes", 8 * int(fixed[1]))
    raise ValueError(f"{text!r} is no type that can be decoded")


def _keys(components: tuple[EventParam, ...]) -> tuple[str, ...]:
    keys: list[str] = []
    for position, component in enumerate(components):
        key = component.name or str(position)
        while key in keys:
            key += "_"
        keys.append(key)
    return tuple(keys)


def is_dynamic(kind: AbiType) -> bool:
    """Whether values of the type stand in the tail, behind an offset."""
    match kind:
        case ValueType():
            return False
        case BytesType():
            return True
        case ArrayType(item, length):
            return length is None or is_dynamic(item)
        case _:
            return any(map(is_dynamic, kind.items))


def head_size(kind: AbiType) -> int:
    """Bytes that the type takes in the head of its frame."""
    if is_dynamic(kind):
        return 32
    match kind:
        case ArrayType(item, length):
            return head_size(item) * (length or 0)
        case TupleType(items):
            return sum(map(head_size, items))
        case _:
            return 32
