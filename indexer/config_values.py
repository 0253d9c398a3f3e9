"""Single values of the configuration: what each may be, and the sentence that says so when it is not.

Every function here takes a raw value and returns the checked one or raises ``ValueError`` whose text ends a line that
already names file, key and value. Values that are right already (from Python code) pass unchanged.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from eth_hash.auto import keccak
from pydantic import SecretStr

RPC_SCHEMES = ("http", "https", "ws", "wss")
DATABASE_SCHEMES = ("postgresql", "postgres")
LEAST_SECRET = 16
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def checksum_address(address: bytes) -> str:
    """The 20 bytes as ``0x`` and hex in the mixed case of EIP-55."""
    digits = address.hex()
    digest = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit
        for digit, nibble in zip(digits, digest, strict=False)
    )


def parse_address(value: Any) -> bytes:
    """20 bytes of an address written as ``0x`` and 40 hex digits; mixed case has to be the checksum of EIP-55."""
    if isinstance(value, bytes):
        if len(value) != 20:
            raise ValueError(f"an address has 20 bytes, this has {len(value)}")
        return value
    if not isinstance(value, str):
        raise ValueError('an address is a string: "0x" and 40 hex digits')  # noqa: TRY004 - pydantic reports ValueError
    digits = value[2:]
    if value[:2] not in {"0x", "0X"}:
        raise ValueError('an address begins with "0x"')
    if not re.fullmatch(r"[0-9a-fA-F]*", digits):
        raise ValueError('an address is "0x" and 40 hex digits; this has other characters')
    if len(digits) != 40:
        raise ValueError(f"an address has 20 bytes (40 hex digits), this has {len(digits)} digits")
    address = bytes.fromhex(digits)
    right = checksum_address(address)
    if digits not in {digits.lower(), digits.upper(), right[2:]}:
        raise ValueError(f"the checksum (EIP-55) is wrong: a digit may be mistyped; if not, write {right}")
    return address


def parse_addresses(value: Any) -> Any:
    """What ``address`` may be: None for ``"*"``, else a list of addresses, each still to be parsed."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        return value
    if "*" in value:
        if len(value) > 1:
            raise ValueError('"*" means every address; it cannot stand beside others')
        return None
    seen: set[str] = set()
    for item in value:
        if isinstance(item, str) and item.lower() in seen:
            raise ValueError(f"{item} is listed twice; once is enough")
        seen.add(item.lower() if isinstance(item, str) else repr(item))
    return list(value)


def one_or_list(value: Any) -> Any:
    """A string or a table alone stands for a list of one."""
    return [value] if isinstance(value, str | dict | SecretStr) else value


def no_boolean(value: Any) -> Any:
    """Refuse ``true`` and ``false`` where a number is expected (Python would take them for 1 and 0)."""
    if isinstance(value, bool):
        raise ValueError("should be a number, not true or false")  # noqa: TRY004 - pydantic reports ValueError
    return value


def parse_finality(value: Any) -> str | int:
    """``"finalized"``, ``"safe"`` or a number of confirmations of at least 0."""
    hint = 'should be "finalized", "safe" or a number of confirmations'
    if isinstance(value, str) and not re.fullmatch(r"-?\d+", value):
        if value in {"finalized", "safe"}:
            return value
        raise ValueError(hint + did_you_mean(value, ("finalized", "safe")))
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(hint)  # noqa: TRY004 - pydantic reports ValueError
    if int(value) < 0:
        raise ValueError("a number of confirmations is not negative")
    return int(value)


def parse_rpc_url(value: Any) -> SecretStr:
    """An endpoint's URL: http, https, ws or wss, with a host; ``${VAR}`` is replaced from the environment."""
    url = expand_variables(_text(value))
    _check_url(url, RPC_SCHEMES, "https://host/path or wss://host/path")
    return SecretStr(url)


def parse_database_url(value: Any) -> SecretStr:
    """A PostgreSQL URL; ``${VAR}`` is replaced from the environment."""
    url = expand_variables(_text(value))
    scheme = url.partition("://")[0].lower()
    if scheme not in DATABASE_SCHEMES or "://" not in url:
        raise ValueError("should be a URL: postgresql://user:password@host:5432/database")
    _parts(url)
    return SecretStr(url)


def parse_listen(value: Any) -> str:
    """``host:port``, a port of 0 meaning any free one; IPv6 addresses stand in brackets."""
    text = _text(value)
    host, colon, port = text.rpartition(":")
    hint = 'should be host:port, such as "127.0.0.1:8080" or "[::1]:8080"'
    if not colon or not port.isascii() or not port.isdigit():
        raise ValueError(hint)
    if not host:
        raise ValueError(f'{hint}; "0.0.0.0:{port}" listens on every interface')
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError(hint)
    if int(port) > 65535:
        raise ValueError("a port is at most 65535")
    return text


def parse_secret(value: Any) -> SecretStr:
    """A secret of at least 16 characters, ``${VAR}`` replaced; its text never stands in an error."""
    text = expand_variables(_text(value))
    if len(text) < LEAST_SECRET:
        raise ValueError(
            f"a secret has at least {LEAST_SECRET} characters; make one with: openssl rand -hex 32"
        )
    return SecretStr(text)


def split_listen(listen: str) -> tuple[str, int]:
    """Host (without brackets) and port of a checked ``host:port``."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def expand_variables(text: str) -> str:
    """The text with each ``${VAR}`` replaced by that environment variable."""

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError("${…} has to name an environment variable: letters, digits and underscores")
        if name not in os.environ:
            raise ValueError(f"the environment variable {name} is not set")
        return os.environ[name]

    return _VARIABLE.sub(value_of, text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` for the nearest known words, or nothing when none is near."""
    by_lower = {one.lower(): one for one in known}
    near = [by_lower[one] for one in get_close_matches(word.lower(), by_lower, n=2, cutoff=0.6)]
    return f"; did you mean {' or '.join(repr_word(one) for one in near)}?" if near else ""


def repr_word(word: str) -> str:
    """A word in the quotes that TOML has."""
    return f'"{word}"'


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if not isinstance(value, str):
        raise ValueError("should be a string")  # noqa: TRY004 - pydantic reports ValueError
    return value.strip()


def _check_url(url: str, schemes: tuple[str, ...], example: str) -> None:
    scheme, separator, _rest = url.partition("://")
    if not separator:
        raise ValueError(f"should be a URL: {example}")
    if scheme.lower() not in schemes:
        raise ValueError(
            f"the scheme {repr_word(scheme)} is not one of {', '.join(schemes)}"
            + did_you_mean(scheme, schemes)
        )
    if not _parts(url):
        raise ValueError(f"names no host; should be {example}")


def _parts(url: str) -> str | None:
    """The host of a well-formed URL; None where it names none."""
    if re.search(r"\s", url):
        raise ValueError("is no well-formed URL: it holds white space")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        if _names_many_hosts(url):
            return url
        raise ValueError(f"is no well-formed URL: {_reason(error)}") from None
    if port == 0:
        raise ValueError("is no well-formed URL: a port is 1 to 65535")
    return parts.hostname


def _names_many_hosts(url: str) -> bool:
    """Whether the URL lists several hosts (``h1:5432,h2:5432``), which PostgreSQL allows."""
    return "," in url.partition("://")[2].partition("/")[0]


def _reason(error: ValueError) -> str:
    text = str(error)
    return (
        "the port is no number"
        if "cast" in text
        else "a port is 1 to 65535"
        if "ort" in text
        else "check the host"
    )
