"""Columns out of lists of JSON-RPC hex values: each column is joined and converted in one go.

JSON-RPC writes byte strings as ``0x`` and an even number of hex digits, and numbers ("quantities") as ``0x`` and at
least one digit (Ethereum execution API, "hex value encoding"). Nodes differ in details that carry no information, so
leading zeros and JSON integers are taken as numbers too; everything else raises ``ProviderLied``.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import ProviderLied

MAX_INT32 = 2**31 - 1
MAX_INT64 = 2**63 - 1

MAX_TIME = 946_684_800 + 9_223_371_331_200 - 1
"""The last second that PostgreSQL's ``timestamptz`` holds (in the year 294276), in seconds since 1970."""

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)
_SHOWN = 40


def shown(value: object) -> str:
    """A value from the wire for an error message: quoted and cut to a readable length."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def quantity(value: object, field: str, limit: int = MAX_INT64) -> int:
    """A number from 0 to ``limit`` out of a hex quantity or a JSON integer."""
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        number = int(value, 16)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise ProviderLied(f"{field} is {shown(value)}, not a number")
    if not 0 <= number <= limit:
        raise ProviderLied(f"{field} is {number}, out of 0 to {limit}")
    return number


def fixed_bytes(value: object, field: str, size: int) -> bytes:
    """``size`` bytes out of one ``0x…`` string."""
    if not isinstance(value, str) or len(value) != 2 * size + 2 or not value.startswith("0x"):
        raise ProviderLied(f"{field} is {shown(value)}, not 0x and {2 * size} hex digits")
    return _unhex(value[2:].encode("ascii", "replace"), field)


class QuantityCache(dict[Any, int]):
    """Numbers by their text: block numbers, times and indices repeat within a batch.

    ``cache[text]`` is the number, checked once for each text that occurs. Raises ``ProviderLied``.
    """

    def __init__(self, field: str, limit: int) -> None:
        super().__init__()
        self._field = field
        self._limit = limit

    def __missing__(self, value: object) -> int:
        number = quantity(value, self._field, self._limit)
        self[value] = number
        return number


def quantity_column(values: Sequence[object], field: str, limit: int = MAX_INT64) -> NDArray[np.int64]:
    """Numbers from 0 to ``limit`` as int64 of shape (n,)."""
    cache = QuantityCache(field, limit)
    return np.fromiter(map(cache.__getitem__, values), np.int64, len(values))


def fixed_column(values: Sequence[str], field: str, size: int) -> NDArray[np.uint8]:
    """Byte strings of ``size`` bytes each as uint8 of shape (n, size)."""
    width = 2 * size + 2
    if values and set(map(len, values)) != {width}:
        wrong = next(value for value in values if len(value) != width)
        raise ProviderLied(f"{field} is {shown(wrong)}, not 0x and {2 * size} hex digits")
    text = np.frombuffer(_ascii("".join(values), field), np.uint8).reshape(len(values), width)
    if (text[:, :2] != (0x30, 0x78)).any():
        raise ProviderLied(f"{field} does not begin with 0x")
    return np.frombuffer(_unhex(text[:, 2:].tobytes(), field), np.uint8).reshape(len(values), size)


def variable_column(values: Sequence[str], field: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Byte strings of any lengths as (joined bytes, offsets of shape (n + 1,))."""
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    if ((lengths < 2) | (lengths & 1)).any():
        wrong = next(value for value in values if len(value) < 2 or len(value) % 2)
        raise ProviderLied(f"{field} is {shown(wrong)}, not 0x and pairs of hex digits")
    text = np.frombuffer(_ascii("".join(values), field), np.uint8)
    starts = np.zeros(len(values) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    if (text[starts[:-1]] != 0x30).any() or (text[starts[:-1] + 1] != 0x78).any():
        raise ProviderLied(f"{field} does not begin with 0x")
    offset = (starts - 2 * np.arange(len(starts), dtype=np.int64)) >> 1
    digits = _without_prefixes(text, lengths, starts)
    return np.frombuffer(_unhex(digits, field), np.uint8), offset


def _without_prefixes(
    text: NDArray[np.uint8], lengths: NDArray[np.int64], starts: NDArray[np.int64]
) -> bytes:
    if len(lengths) and (lengths == lengths[0]).all():
        return text.reshape(len(lengths), int(lengths[0]))[:, 2:].tobytes()
    keep = np.ones(len(text), np.bool_)
    keep[starts[:-1]] = False
    keep[starts[:-1] + 1] = False
    return text[keep].tobytes()


def _ascii(text: str, field: str) -> bytes:
    try:
        return text.encode("ascii")
    except UnicodeEncodeError:
        raise ProviderLied(f"{field} holds something else than hex digits") from None


def _unhex(digits: bytes, field: str) -> bytes:
    try:
        return unhexlify(digits)
    except ValueError:
        raise ProviderLied(f"{field} holds something else than hex digits") from None
