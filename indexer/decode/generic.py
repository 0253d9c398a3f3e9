"""The general decoder: strings, bytes, arrays and tuples of any nesting, one log at a time.

It accepts what ``eth_abi`` accepts when it decodes strictly (a test holds the two against each other), and besides
strings that are not UTF-8. Offsets in another order, gaps, and two offsets to one place decode. What does not: an
offset that leads out of the data or into the head that it stands in, a length that the data cannot hold, padding that
is not zero.

A log of a few kilobytes can be written such that arrays of offsets point to the same bytes over and over and unfold to
gigabytes; so the bytes visited are bounded by a multiple of the bytes there are.

Source: Solidity's contract ABI specification, "Formal Specification of the Encoding".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from indexer.decode.abi_types import (
    AbiType,
    ArrayType,
    BytesType,
    TupleType,
    ValueType,
    head_size,
    is_dynamic,
)
from indexer.decode.reasons import (
    BAD_LENGTH,
    BAD_OFFSET,
    DIRTY_PADDING,
    SHORT_DATA,
    TOO_LARGE,
    Undecodable,
)
from indexer.decode.text import text_of_bytes

JSON_NUMBER_BITS = 48
"""The widest integers that JSON holds as numbers; wider ones are decimal strings."""

_VISITS_PER_BYTE = 8
_VISITS_FREE = 65_536


class Reading:
    """One log's data while it is decoded. ``end`` is how far the encoding reached, in bytes."""

    __slots__ = ("_left", "data", "end", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.end = 0
        self._left = _VISITS_FREE + _VISITS_PER_BYTE * self.size

    def claim(self, at: int, size: int, reason: str) -> int:
        """Where ``size`` bytes at ``at`` end; raises ``Undecodable(reason)`` where there are not so many."""
        end = at + size
        if end > self.size:
            raise Undecodable(reason)
        self._left -= size
        if self._left < 0:
            raise Undecodable(TOO_LARGE)
        self.end = max(self.end, end)
        return end

    def word(self, at: int) -> int:
        """The word at ``at``, which was claimed before, as an unsigned number."""
        return int.from_bytes(self.data[at : at + 32])

    def spend(self, visits: int) -> None:
        """Account for elements that take no bytes."""
        self._left -= visits
        if self._left < 0:
            raise Undecodable(TOO_LARGE)


class Codec(Protocol):
    """Reads values of one type."""

    dynamic: bool
    head_size: int

    def read(self, reading: Reading, at: int) -> Any:
        """The value whose encoding begins at ``at``.

        Of a static type, the bytes were claimed by the frame around it. Raises ``Undecodable``.
        """

    def json(self, value: Any) -> Any:
        """``value`` as it stands in ``jsonb`` (interface rule 7)."""


class ValueCodec:
    """One word: ``int``, ``bool`` or ``bytes`` (address, bytesN, function)."""

    dynamic = False
    head_size = 32

    def __init__(self, kind: ValueType) -> None:
        self._kind = kind.kind
        self._bits = kind.bits
        self._size = kind.bits // 8
        self._padding = bytes(32 - self._size)
        self._json_number = kind.bits <= JSON_NUMBER_BITS

    def read(self, reading: Reading, at: int) -> int | bool | bytes:
        """See ``Codec``."""
        kind = self._kind
        if kind == "uint":
            number = int.from_bytes(reading.data[at : at + 32])
            if number >> self._bits:
                raise Undecodable(DIRTY_PADDING)
            return number
        if kind == "address":
            return self._padded(reading.data[at : at + 12], reading.data[at + 12 : at + 32])
        if kind in {"bytes", "function"}:
            middle = at + self._size
            return self._padded(reading.data[middle : at + 32], reading.data[at:middle])
        number = int.from_bytes(reading.data[at : at + 32], signed=kind == "int")
        if kind == "bool":
            if number > 1:
                raise Undecodable(DIRTY_PADDING)
            return number == 1
        if not -(1 << self._bits - 1) <= number < 1 << self._bits - 1:
            raise Undecodable(DIRTY_PADDING)
        return number

    def _padded(self, padding: bytes, value: bytes) -> bytes:
        if padding != self._padding:
            raise Undecodable(DIRTY_PADDING)
        return value

    def json(self, value: Any) -> Any:
        """See ``Codec``."""
        if isinstance(value, bytes):
            return f"0x{value.hex()}"
        return value if isinstance(value, bool) or self._json_number else str(value)


class BytesCodec:
    """``bytes`` (as ``bytes``) or ``string`` (as text that PostgreSQL holds, rule 6)."""

    dynamic = True
    head_size = 32

    def __init__(self, kind: BytesType) -> None:
        self._text = kind.text

    def read(self, reading: Reading, at: int) -> bytes | str:
        """See ``Codec``."""
        first = reading.claim(at, 32, BAD_OFFSET)
        length = reading.word(at)
        if length > reading.size - first:
            raise Undecodable(BAD_LENGTH)
        end = first + length
        padded = reading.claim(first, length + -length % 32, SHORT_DATA)
        if padded != end and reading.data[end:padded].strip(b"\x00"):
            raise Undecodable(DIRTY_PADDING)
        value = reading.data[first:end]
        return text_of_bytes(value) if self._text else value

    def json(self, value: Any) -> Any:
        """See ``Codec``."""
        return value if self._text else f"0x{value.hex()}"


class TupleCodec:
    """A frame of heads and tails: a struct, or the data of an event. Values are tuples."""

    def __init__(self, kind: TupleType) -> None:
        self._items = tuple(codec_of(item) for item in kind.items)
        self._names = kind.names
        self.dynamic = is_dynamic(kind)
        self.frame_size = sum(item.head_size for item in self._items)
        self._first_tail = first_tail(kind.items)
        self.head_size = head_size(kind)

    def read(self, reading: Reading, at: int) -> tuple[Any, ...]:
        """See ``Codec``."""
        if self.dynamic:
            reading.claim(at, self.frame_size, SHORT_DATA)
        tails = at + self._first_tail
        values = []
        place = at
        for item in self._items:
            target = follow(reading, place, at, tails) if item.dynamic else place
            values.append(item.read(reading, target))
            place += item.head_size
        return tuple(values)

    def json(self, value: Any) -> Any:
        """See ``Codec``."""
        return {
            name: item.json(part) for name, item, part in zip(self._names, self._items, value, strict=True)
        }


class ArrayCodec:
    """``item[]`` or ``item[length]``. Values are lists."""

    def __init__(self, kind: ArrayType) -> None:
        self._item = codec_of(kind.item)
        self._length = kind.length
        self._plain = isinstance(kind.item, ValueType) and (kind.item.kind, kind.item.bits) == ("uint", 256)
        self.dynamic = is_dynamic(kind)
        self.head_size = head_size(kind)

    def read(self, reading: Reading, at: int) -> list[Any]:
        """See ``Codec``."""
        length, first = self._length, at
        if length is None:
            first = reading.claim(at, 32, BAD_OFFSET)
            length = reading.word(at)
        return self._read_items(reading, first, length)

    def _read_items(self, reading: Reading, first: int, length: int) -> list[Any]:
        item = self._item
        step = item.head_size
        tails = first + step * length
        if self.dynamic:
            reading.claim(first, step * length, BAD_LENGTH if self._length is None else SHORT_DATA)
        if step == 0:
            reading.spend(length)
            return [item.read(reading, first) for _ in range(length)]
        if self._plain:
            # Any 32 bytes are a uint256: nothing to check word by word.
            number, data = int.from_bytes, reading.data
            return [number(data[place : place + 32]) for place in range(first, tails, 32)]
        if not item.dynamic:
            return [item.read(reading, place) for place in range(first, tails, step)]
        return [
            item.read(reading, follow(reading, place, first, tails)) for place in range(first, tails, step)
        ]

    def json(self, value: Any) -> Any:
        """See ``Codec``."""
        return [self._item.json(part) for part in value]


def follow(reading: Reading, at: int, frame: int, tails: int) -> int:
    """Where the offset at ``at`` leads in the frame that begins at ``frame`` and whose tails begin at ``tails``."""
    target = frame + reading.word(at)
    if not tails <= target <= reading.size:
        raise Undecodable(BAD_OFFSET)
    return target


def first_tail(items: Sequence[AbiType]) -> int:
    """The least offset, in bytes, that is taken in a frame of these types."""
    words = 0
    for item in items:
        in_place = isinstance(item, ArrayType) and not is_dynamic(item)
        words += (item.length or 0) if isinstance(item, ArrayType) and in_place else 1
    return 32 * words


def codec_of(kind: AbiType) -> Codec:
    """What reads values of ``kind``."""
    match kind:
        case ValueType():
            return ValueCodec(kind)
        case BytesType():
            return BytesCodec(kind)
        case ArrayType():
            return ArrayCodec(kind)
        case _:
            return TupleCodec(kind)


def read_frame(kinds: Sequence[AbiType], data: bytes) -> tuple[tuple[Any, ...], int]:
    """The values of ``data``, encoded as a tuple of these types, and how many bytes the encoding reached.

    Raises ``Undecodable``.
    """
    codecs = [codec_of(kind) for kind in kinds]
    reading = Reading(data)
    reading.claim(0, sum(codec.head_size for codec in codecs), SHORT_DATA)
    values = []
    place = 0
    for codec in codecs:
        target = follow(reading, place, 0, first_tail(kinds)) if codec.dynamic else place
        values.append(codec.read(reading, target))
        place += codec.head_size
    return tuple(values), reading.end
