"""Python values as fields of binary COPY, one value at a time.

A field is its length (int32, big-endian; -1 for NULL) and the type's binary form: the ``*_send`` functions of
PostgreSQL. Arrays: dimensions, whether there are NULLs, element type, then length and lower bound of each dimension,
then the elements as fields; an empty array has no dimension.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any

from indexer.errors import InvariantViolated

NULL = b"\xff\xff\xff\xff"

Encoder = Callable[[Any], bytes]

ELEMENT_OIDS = {
    "boolean": 16,
    "bytea": 17,
    "bigint": 20,
    "integer": 23,
    "text": 25,
    "numeric": 1700,
}
"""Object ids of the types that arrays are made of (``pg_type``; they never change)."""

_LENGTH = Struct(">i")
_INT4 = Struct(">ii")
_INT8 = Struct(">iq")
_NUMERIC = Struct(">ihhHh")
_NUMERIC_1 = Struct(">ihhHhH")
_NUMERIC_2 = Struct(">ihhHhHH")
_ARRAY = Struct(">iiiiii")
_EMPTY_ARRAY = Struct(">iiii")
_TRUE, _FALSE = b"\x00\x00\x00\x01\x01", b"\x00\x00\x00\x01\x00"


EMPTY_BYTEA_ARRAY = _EMPTY_ARRAY.pack(12, 0, 0, ELEMENT_OIDS["bytea"])


def field_encoder(sql_type: str) -> Encoder:
    """What turns a value of ``sql_type`` into a field; None becomes NULL.

    Raises ``InvariantViolated`` for a type that event tables do not have.
    """
    if sql_type.endswith("[]"):
        return _array_encoder(sql_type.removesuffix("[]"))
    encoder = _ENCODERS.get(sql_type)
    if encoder is None:
        raise InvariantViolated(f"no binary form is known for a column of type {sql_type}")
    return encoder


def array_head(element_type: str, count: int, size: int, *, nulls: bool = False) -> bytes:
    """What stands before the fields of an array's ``count`` elements, which take ``size`` bytes together."""
    return _ARRAY.pack(20 + size, 1, nulls, ELEMENT_OIDS[element_type], count, 1)


def _bytea(value: bytes | None) -> bytes:
    return NULL if value is None else _LENGTH.pack(len(value)) + value


def _text(value: str | None) -> bytes:
    return NULL if value is None else _bytea(value.encode("utf-8"))


def _jsonb(value: str | None) -> bytes:
    return NULL if value is None else _bytea(b"\x01" + value.encode("utf-8"))


def _boolean(value: bool | None) -> bytes:  # noqa: FBT001  # the value itself, not a switch
    if value is None:
        return NULL
    return _TRUE if value else _FALSE


def _integer(value: int | None) -> bytes:
    return NULL if value is None else _INT4.pack(4, value)


def _bigint(value: int | None) -> bytes:
    return NULL if value is None else _INT8.pack(8, value)


def _numeric(value: int | None) -> bytes:
    if value is None:
        return NULL
    # Most ids and amounts in arrays are small; these two are the bulk of ERC-1155's batches.
    if 0 < value < 10_000:
        return _NUMERIC_1.pack(10, 1, 0, 0, 0, value)
    if 0 < value < 100_000_000:
        return _NUMERIC_2.pack(12, 2, 1, 0, 0, value // 10_000, value % 10_000)
    digits: list[int] = []
    rest = abs(value)
    while rest:
        rest, digit = divmod(rest, 10_000)
        digits.append(digit)
    digits.reverse()
    body = b"".join(digit.to_bytes(2) for digit in digits)
    return (
        _NUMERIC.pack(8 + len(body), len(digits), max(len(digits) - 1, 0), 0x4000 if value < 0 else 0, 0)
        + body
    )


def _array_encoder(element_type: str) -> Encoder:
    oid = ELEMENT_OIDS.get(element_type)
    if oid is None:
        raise InvariantViolated(f"no binary form is known for an array of {element_type}")
    encode = _ENCODERS[element_type]
    empty = _EMPTY_ARRAY.pack(12, 0, 0, oid)

    def encode_array(value: list[Any] | None) -> bytes:
        if value is None:
            return NULL
        if not value:
            return empty
        body = b"".join(map(encode, value))
        return array_head(element_type, len(value), len(body), nulls=None in value) + body

    return encode_array


_ENCODERS: dict[str, Encoder] = {
    "boolean": _boolean,
    "bytea": _bytea,
    "bigint": _bigint,
    "integer": _integer,
    "text": _text,
    "numeric": _numeric,
    "jsonb": _jsonb,
}
