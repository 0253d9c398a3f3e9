"""Names and SQL types of event tables and columns: a pure function of the ABI and of the names already taken.

The rules, in the order they apply:

1. snake case (``snake_case``);
2. keywords that PostgreSQL reserves, and columns that every event table has, get a trailing underscore;
3. names longer than 63 bytes are cut and end in eight hex digits of a hash;
4. of names that are still equal, each later one gets one more trailing underscore.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from eth_hash.auto import keccak

from indexer.decode.tables import LEADING_COLUMNS, EventParam

MAX_IDENTIFIER_BYTES = 63
"""PostgreSQL's NAMEDATALEN - 1: longer names are cut silently, so we cut them ourselves, by a rule that keeps them apart."""

_KEPT_BYTES = 54
_HASH_DIGITS = 8

RESERVED_WORDS: frozenset[str] = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true union
    unique user using variadic verbose when where window with
    """.split()  # noqa: SIM905 - a hundred words read and compare better as text than as a list of one a line
)
"""Keywords of category R or T in ``pg_get_keywords()`` of PostgreSQL 18: a fixed list, so that a server's version never
changes a name."""

LEADING_NAMES: frozenset[str] = frozenset(name for name, _ in LEADING_COLUMNS)

TAKEN_TABLES: frozenset[str] = frozenset({"undecoded"})
"""Tables of schema ``event`` that no event may take."""

_ACRONYM_THEN_WORD = re.compile(r"([A-Z]+)([A-Z][a-z])")
_LOWER_THEN_UPPER = re.compile(r"([a-z0-9])([A-Z])")
_INTEGER = re.compile(r"(u?)int(\d+)")
_ARRAY_SUFFIX = re.compile(r"\[\d*\]$")


def snake_case(name: str) -> str:
    """``name`` in snake case; empty when nothing but ``$`` and underscores is in it.

    ``ERC721ATransfer`` becomes ``erc721_a_transfer``, ``tokenURI`` ``token_uri``, ``_diamondCut`` ``diamond_cut``.
    """
    text = name.replace("$", "_")
    text = _ACRONYM_THEN_WORD.sub(r"\1_\2", text)
    text = _LOWER_THEN_UPPER.sub(r"\1_\2", text)
    return text.strip("_").lower()


def cut(name: str, digits: str) -> str:
    """``name`` where it fits into 63 bytes, else its first 54 bytes, ``_`` and the eight hex ``digits``.

    A character that the cut would split is left out whole.
    """
    encoded = name.encode()
    if len(encoded) <= MAX_IDENTIFIER_BYTES:
        return name
    return f"{encoded[:_KEPT_BYTES].decode(errors='ignore')}_{digits}"


def hash_digits(digest: bytes) -> str:
    """The eight hex digits of a hash that go into a name."""
    return digest.hex()[:_HASH_DIGITS]


def column_name(name: str, taken: Collection[str]) -> str:
    """The column for a name already in snake case, unlike every one in ``taken``."""
    if name in RESERVED_WORDS or name in LEADING_NAMES:
        name += "_"
    return _first_free(name, taken, lambda text: hash_digits(keccak(text.encode())))


def table_name(plain: str, topic0: bytes, taken: Collection[str]) -> str:
    """The table for ``plain`` (see ``plain_table_name``), unlike every one in ``taken``."""
    if plain in RESERVED_WORDS:
        plain += "_"
    return _first_free(
        plain, taken, lambda text: hash_digits(topic0 if text == plain else keccak(text.encode()))
    )


def plain_table_name(stem: str, event: str) -> str:
    """``<stem>_<event>`` in snake case; the stem is left out where the event's name already begins with it."""
    snake = snake_case(event) or "event"
    return snake if snake == stem or snake.startswith(f"{stem}_") else f"{stem}_{snake}"


def argument_name(param: EventParam, position: int) -> str:
    """Snake case of a parameter's name, ``argN`` for one without a name, ``_hash`` added where only a hash is logged."""
    base = snake_case(param.name) or f"arg{position}"
    return f"{base}_hash" if is_hashed(param) else base


def is_hashed(param: EventParam) -> bool:
    """Whether the log holds keccak-256 of the argument instead of the argument: indexed string, bytes, array, tuple."""
    return param.indexed and (
        param.type in ("string", "bytes") or param.type.startswith("tuple") or is_array(param.type)
    )


def is_array(abi_type: str) -> bool:
    """Whether an ABI type ends in ``[]`` or ``[n]``."""
    return abi_type.endswith("]")


def sql_type(param: EventParam) -> str:
    """The PostgreSQL type of a parameter's column."""
    return "bytea" if is_hashed(param) else sql_type_of(param.type)


def sql_type_of(abi_type: str) -> str:
    """The PostgreSQL type of values of a canonical ABI type (``tuple`` written out).

    Raises:
        ValueError: there is no column for such a type (fixed-point numbers, or no ABI type at all).
    """
    if is_array(abi_type):
        element = _ARRAY_SUFFIX.sub("", abi_type)
        return "jsonb" if is_array(element) or element == "tuple" else f"{sql_type_of(element)}[]"
    if abi_type == "tuple":
        return "jsonb"
    if abi_type in ("address", "function") or abi_type.startswith("bytes"):
        return "bytea"
    if abi_type == "bool":
        return "boolean"
    if abi_type == "string":
        return "text"
    match = _INTEGER.fullmatch(abi_type)
    if match is None:
        raise ValueError(f"no column holds the ABI type {abi_type!r}")
    return _integer_type(signed=not match[1], bits=int(match[2]))


def _integer_type(*, signed: bool, bits: int) -> str:
    # An unsigned integer needs one bit more of a signed SQL type, and widths go in steps of eight.
    needed = bits if signed else bits + 8
    if needed <= 32:
        return "integer"
    return "bigint" if needed <= 64 else "numeric"


def _first_free(name: str, taken: Collection[str], digits: Callable[[str], str]) -> str:
    candidate = cut(name, digits(name))
    while candidate in taken:
        name += "_"
        candidate = cut(name, digits(name))
    return candidate
