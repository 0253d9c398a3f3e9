"""What the bytes of an answer mean. Contracts answer what they like: everything here gives None for what is no answer."""

from __future__ import annotations

from typing import Any, NamedTuple

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from indexer.decode.text import text_of_bytes

LONGEST_TEXT = 64 * 1024
"""Bytes of a text that are stored; longer ones are no answer."""


def values(types: list[str], answer: bytes | None) -> tuple[Any, ...] | None:
    """The values of these ABI types; addresses as bytes."""
    if not answer:
        return None
    try:
        found = decode(types, answer)
    except (DecodingError, OverflowError, UnicodeDecodeError, ValueError):
        return None
    return tuple(_plain(one) for one in found)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return bytes.fromhex(value[2:])  # only addresses come as text: strings are asked for as bytes
    if isinstance(value, list | tuple):
        return tuple(_plain(one) for one in value)
    return value


def single(kind: str, answer: bytes | None) -> Any:
    """The one value of an ABI type."""
    found = values([kind], answer)
    return None if found is None else found[0]


def text(answer: bytes | None) -> str | None:
    """A ``string``; also a ``bytes32`` padded with zeros, as old tokens have."""
    if answer is None or len(answer) > LONGEST_TEXT + 96:
        return None
    raw = single("bytes", answer)
    if raw is None and len(answer) == 32:
        raw = answer.rstrip(b"\0")
    return text_of_bytes(raw) if raw else None


def address(answer: bytes | None) -> bytes | None:
    """An address; the zero address is None, as in the tables."""
    found = single("address", answer)
    return found if found and any(found) else None


def attributes(answer: bytes | None) -> dict[str, tuple[int, str]] | None:
    """Attributes (key, type, value) by key."""
    found = single("(bytes,uint8,bytes)[]", answer)
    if found is None or sum(len(key) + len(value) for key, _, value in found) > LONGEST_TEXT:
        return None
    return {text_of_bytes(key): (kind, text_of_bytes(value)) for key, kind, value in found}


def topics(answer: bytes | None) -> list[int] | None:
    """Claim topics, ascending, each once."""
    found = single("uint256[]", answer)
    return None if found is None else sorted(set(found))


DEAL = ["uint256", "uint256", "bool", "bool", "uint256", "uint256", "bool"]
"""What ``getTradeDealFullStatus(uint256)`` returns: target, balance, funded, withdrawn, debt, repaid, repaid in full."""


def words_of_addresses(answer: bytes | None) -> list[bytes] | None:
    """An answer that is nothing but addresses, in order."""
    if not answer or len(answer) % 32:
        return None
    words = [answer[start : start + 32] for start in range(0, len(answer), 32)]
    return None if any(any(word[:12]) for word in words) else [word[12:] for word in words]


_SALE = (
    "(uint8,address,uint256,uint256,bool,uint8,address,address,address,bytes,bytes,bytes,bool,uint256,uint256,uint256,"
    "uint256,uint256,uint256,uint8,address,uint256,(uint256,uint8,uint256,uint256))"
)


class Sale(NamedTuple):
    """Of a sale's settings: whether it is open, its start, end and greatest quantity, its price.

    ``price`` is the price of one token, the number of its modifier, the modifier's factor and the highest price.
    """

    is_open: bool
    limits: tuple[int, int, int]
    price: tuple[int, int, int, int]


def sale(answer: bytes | None) -> Sale | None:
    """What ``getTokenSaleSettings(uint256)`` returns."""
    found = single(_SALE, answer)
    return None if found is None else Sale(found[12], found[13:16], found[22])
