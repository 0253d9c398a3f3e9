"""NUMERIC as binary COPY wants it, for whole columns of 256-bit integers.

A NUMERIC is a header (count of digits, weight of the first, sign, scale after the point) and digits to the base of
10000, all 16-bit big-endian (PostgreSQL, ``numeric_recv``). Leading zero digits are accepted and dropped, so that all
values of a column can be sent with the same count of digits and rows keep one width.

The digits come out of a matrix product: a 256-bit integer is 16 limbs of 16 bits, and the k-th limb adds limb times
the digits of 2**(16 k). To the base of 10**8 every sum stays below 16 * 65535 * 10**8 < 2**53, so that float64 is exact;
then carries are moved up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.decode.tables import Words

_LIMBS = 16
_BIG_DIGITS = 10
_BIG_BASE = 10**8
_BASE = 10_000
_NEGATIVE = 0x4000
_BLOCK_ROWS = 1024


def _digits_of_limbs() -> NDArray[np.float64]:
    """Row k: the digits of 2**(16 k) to the base of 10**8, least significant first."""
    table = np.zeros((_LIMBS, _BIG_DIGITS), np.float64)
    for limb in range(_LIMBS):
        rest = 1 << (16 * limb)
        for place in range(_BIG_DIGITS):
            rest, digit = divmod(rest, _BIG_BASE)
            table[limb, place] = digit
    return table


_TABLE = _digits_of_limbs()


def numeric_dtype(values: Words) -> np.dtype[np.void]:
    """The packed record of one value of this column: as many digits as the largest needs, two at least."""
    digits = digits_of_limbs(_most_limbs(values))
    return np.dtype(
        [("count", ">i2"), ("weight", ">i2"), ("sign", ">u2"), ("scale", ">i2"), ("digits", ">u2", (digits,))]
    )


def fill_numeric(records: NDArray[np.void], values: Words) -> None:
    """Write ``values`` into ``records``, an array of ``numeric_dtype(values)`` of the same length."""
    digits = records["digits"].shape[1]
    records["count"] = digits
    records["weight"] = digits - 1
    records["scale"] = 0
    limbs = np.ascontiguousarray(values.words).view(">u2").astype(np.uint16)[:, ::-1]
    negative = limbs[:, -1] >> 15 != 0 if values.signed else np.zeros(len(limbs), np.bool_)
    if negative.any():
        limbs = _magnitudes(limbs, negative)
    records["sign"] = np.where(negative, _NEGATIVE, 0)
    used = _limbs_of_digits(digits)
    for first in range(0, len(limbs), _BLOCK_ROWS):
        block = slice(first, first + _BLOCK_ROWS)
        records["digits"][block] = _base_10000(limbs[block, :used], digits // 2)


def used_limbs(joined: NDArray[np.uint8], *, signed: bool) -> int:
    """How many 16-bit limbs the magnitudes of a column take, at least one.

    ``joined`` is all of its words joined by OR, those of negative numbers inverted: uint8 (32,).
    """
    used = np.flatnonzero(joined.view(">u2"))
    limbs = _LIMBS - int(used[0]) if len(used) else 0
    # Negation can carry into one limb more: -2**16 has the words of a one-limb number.
    return min(_LIMBS, limbs + 1) if signed else max(limbs, 1)


def digits_of_limbs(limbs: int) -> int:
    """How many base-10000 digits numbers of so many 16-bit limbs are written with; it is even."""
    return 2 * _big_digits(limbs)


def _most_limbs(values: Words) -> int:
    words = np.ascontiguousarray(values.words)
    if values.signed:
        words = words ^ np.where(words[:, :1] & 0x80, np.uint8(0xFF), np.uint8(0))
    return used_limbs(np.bitwise_or.reduce(words, axis=0), signed=values.signed)


def _big_digits(limbs: int) -> int:
    return -(-len(str((1 << 16 * limbs) - 1)) // 8)


def _limbs_of_digits(digits: int) -> int:
    """The most limbs that numbers of this many base-10000 digits come from, as ``numeric_dtype`` chose it."""
    return max(limbs for limbs in range(1, _LIMBS + 1) if 2 * _big_digits(limbs) <= digits)


def _magnitudes(limbs: NDArray[np.uint16], negative: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Two's complement to magnitude where ``negative``; limbs least significant first."""
    result = limbs.copy()
    inverted = (~limbs[negative]).astype(np.uint32)
    carry = np.ones(len(inverted), np.uint32)
    for place in range(_LIMBS):
        carry += inverted[:, place]
        inverted[:, place] = carry & 0xFFFF
        carry >>= 16
    result[negative] = inverted.astype(np.uint16)
    return result


def _base_10000(limbs: NDArray[np.uint16], big_digits: int) -> NDArray[np.int64]:
    """Digits to the base of 10000, most significant first, int64 (n, 2 * big_digits)."""
    product = limbs.astype(np.float64) @ _TABLE[: limbs.shape[1], :big_digits]
    sums = np.ascontiguousarray(product.T).astype(np.int64)
    carry = np.zeros(sums.shape[1], np.int64)
    digits = np.empty((sums.shape[1], 2 * big_digits), np.int64)
    for place in range(big_digits):
        carry += sums[place]
        above = carry // _BIG_BASE
        digit = carry - above * _BIG_BASE
        upper = digit // _BASE
        digits[:, 2 * (big_digits - place) - 2] = upper
        digits[:, 2 * (big_digits - place) - 1] = digit - upper * _BASE
        carry = above
    return digits
