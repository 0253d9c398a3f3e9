"""Hex values by their places in a text: gathered, checked and converted for many places at once.

The text is seen through views that step one byte and read 2, 8, 64 … bytes at a time; indexing such a view copies
one piece for each place.
"""

from __future__ import annotations

from binascii import unhexlify

import numpy as np
from numpy.typing import NDArray

from indexer.rpc.hex_columns import MAX_INT32, MAX_TIME

_NO_DIGIT = 0xFF
_MOST_LENGTHS = 16
_MOST_DIGITS = 15
"""Longer numbers do not fit int64 for certain; they are left to the usual way."""

_NIBBLE = np.full(256, _NO_DIGIT, np.uint8)
for _value, _digits in enumerate(zip("0123456789abcdef", "0123456789ABCDEF", strict=True)):
    _NIBBLE[[ord(_digit) for _digit in _digits]] = _value


class Text:
    """A text and what to raise when something in it is not as expected.

    Places are int64 (n,): ``starts`` of the first character of each value, which is known to be ``0x``, ``ends`` of the
    quote behind it.
    """

    def __init__(self, raw: bytes, irregular: type[Exception]) -> None:
        self._raw = raw
        self._irregular = irregular

    def expect(self, places: NDArray[np.int64], wanted: bytes) -> None:
        """``wanted`` stands at each of ``places``; the text has to be long enough there."""
        self._require(self._gather(places, len(wanted)) == wanted * len(places))

    def fixed(self, starts: NDArray[np.int64], ends: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
        """Byte strings of ``size`` bytes each, uint8 (n, size)."""
        self._require(bool((ends - starts == 2 * size + 2).all()))
        return self._unhex(self._gather(starts + 2, 2 * size)).reshape(len(starts), size)

    def variable(
        self, starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Byte strings of any lengths as (joined bytes, offsets of shape (n + 1,))."""
        lengths = ends - starts - 2
        self._require(bool(((lengths >= 0) & (lengths & 1 == 0)).all()))
        offset = np.zeros(len(starts) + 1, np.int64)
        np.cumsum(lengths >> 1, out=offset[1:])
        if (lengths == lengths[0]).all():
            return self._unhex(self._gather(starts + 2, int(lengths[0]))), offset
        kinds = np.unique(lengths)
        if len(kinds) > _MOST_LENGTHS:
            raw = self._raw
            pieces = [raw[first:end] for first, end in zip((starts + 2).tolist(), ends.tolist(), strict=True)]
            return self._unhex(b"".join(pieces)), offset
        digits = np.empty(int(2 * offset[-1]), np.uint8)
        for length in kinds.tolist():
            # Values of one length are copied together: each is one element of an overlapping view.
            if length:
                chosen = np.flatnonzero(lengths == length)
                kind = np.dtype((np.void, length))
                places = np.ndarray((len(digits) - length + 1,), kind, digits, strides=(1,))
                places[2 * offset[chosen]] = self._view(kind)[starts[chosen] + 2]
        return self._unhex(digits.data), offset

    def quantities(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers, int64 (n,)."""
        counts = ends - starts - 2
        most = int(counts.max())
        self._require(int(counts.min()) >= 1 and most <= _MOST_DIGITS)
        if int(counts.min()) == most:
            return self._uniform(starts + 2, most)
        numbers = np.zeros(len(starts), np.int64)
        characters = np.frombuffer(self._raw, np.uint8)
        for place in range(most, 0, -1):
            # Digits are aligned at their ends; a shorter number has zeros where its digits have not begun.
            digits = np.where(counts >= place, _NIBBLE[characters[ends - place]], np.uint8(0))
            self._require(not bool((digits == _NO_DIGIT).any()))
            numbers = (numbers << 4) | digits
        return numbers

    def _uniform(self, places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Numbers of ``count`` digits each, that begin at ``places``."""
        digits = np.full((len(places), 2 * 8), ord("0"), np.uint8)
        digits[:, 16 - count :] = np.frombuffer(self._gather(places, count), np.uint8).reshape(-1, count)
        return self._unhex(digits.data).view(">i8").astype(np.int64)

    def indices(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int32]:
        """Numbers below 2**31, int32 (n,)."""
        numbers = self.quantities(starts, ends)
        self._require(int(numbers.max()) <= MAX_INT32)
        return numbers.astype(np.int32)

    def times(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """Seconds that ``timestamptz`` can hold, int64 (n,)."""
        numbers = self.quantities(starts, ends)
        self._require(int(numbers.max()) <= MAX_TIME)
        return numbers

    def _gather(self, starts: NDArray[np.int64], size: int) -> bytes:
        if not size:
            return b""
        return self._view(np.dtype((np.void, size)))[starts].tobytes()

    def _unhex(self, digits: bytes | memoryview) -> NDArray[np.uint8]:
        try:
            return np.frombuffer(unhexlify(digits), np.uint8)
        except ValueError as error:
            raise self._irregular from error

    def _view(self, kind: np.dtype[np.generic]) -> NDArray[np.generic]:
        """The text as overlapping pieces: place p is the piece that begins at byte p."""
        return np.ndarray((len(self._raw) - kind.itemsize + 1,), kind, self._raw, strides=(1,))

    def _require(self, condition: bool) -> None:  # noqa: FBT001  # what has to hold
        if not condition:
            raise self._irregular
