"""Turns what is wrong with a configuration into lines: file (or variable), key, value, and what would be right."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from indexer.config_values import did_you_mean, repr_word
from indexer.redaction import redact

Key = tuple[str | int, ...]
_MISSING = object()
_LONGEST_VALUE = 80
_PHRASES: dict[str, str] = {
    "int_parsing": "should be a whole number",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_parsing": "should be a number",
    "float_type": "should be a number",
    "finite_number": "should be a finite number",
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "string_type": "should be a string",
    "string_too_short": "is empty",
    "tuple_type": "should be a string or a list of strings",
    "path_type": "should be a path",
    "greater_than": "should be greater than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
    "value_error": "{error}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. ``value`` is what stands at ``key``; ``message`` says what would be right."""

    key: Key
    value: Any
    message: str

    @classmethod
    def missing(cls, key: Key, message: str) -> Problem:
        """A key that should be there and is not."""
        return cls(key, _MISSING, message)


class Reporter:
    """Collects findings as ``lines``, in the order in which they are added.

    Args:
        path: the file that was read.
        origins: dotted key to the environment variable that set it.
        lines: findings that were made before.
    """

    def __init__(self, path: Path, origins: Mapping[str, str], lines: Sequence[str] = ()) -> None:
        self._path = path
        self._origins = origins
        self.lines = list(lines)

    def add(self, problem: Problem) -> None:
        """Add one finding."""
        where = f"{self._where(problem.key)}: {dotted(problem.key)}"
        middle = " is missing" if problem.value is _MISSING else f" = {_show(problem.key, problem.value)}"
        self.lines.append(f"{where}{middle}: {problem.message}")

    def unknown_key(self, key: Key, value: Any, known: Sequence[str]) -> None:
        """Add that a key is not known, with the nearest known one or, failing that, all of them."""
        near = did_you_mean(str(key[-1]), known) or f"; known here: {', '.join(known)}"
        self.add(Problem(key, value, f"unknown key{near}"))

    def validation(
        self, key: Key, error: ValidationError, table: Mapping[str, Any], known: Sequence[str]
    ) -> None:
        """Add what pydantic found in the section ``key`` that held ``table``, whose keys are ``known``."""
        for item in error.errors(include_url=False):
            self._add_item((*key, *_written(item["loc"], table)), item, known)

    def _add_item(self, key: Key, item: ErrorDetails, known: Sequence[str]) -> None:
        kind, location = item["type"], item["loc"]
        if kind == "extra_forbidden":
            self.unknown_key(key, item["input"], known if len(location) == 1 else _DISCOVER_KEYS)
        elif kind == "missing":
            self.add(Problem.missing(key, _NEEDED.get(str(location[-1]), "has to be given")))
        elif kind in {"model_type", "model_attributes_type"} or location == ("discover",):
            self.add(
                Problem(
                    key, item["input"], "should be a table { contract, event, parameter } or a list of them"
                )
            )
        elif kind == "literal_error":
            self.add(Problem(key, item["input"], _choice(item)))
        else:
            context = {name: str(value) for name, value in item.get("ctx", {}).items()}
            message = _PHRASES.get(kind, "{msg}").format_map({"msg": item["msg"], "error": "", **context})
            self.add(Problem(key, item["input"], message))

    def _where(self, key: Key) -> str:
        names = [str(part) for part in key if isinstance(part, str)]
        for length in range(len(names), 0, -1):
            variable = self._origins.get(".".join(names[:length]))
            if variable:
                return f"environment {variable}"
        return str(self._path)


_DISCOVER_KEYS = ("contract", "event", "parameter", "since")
_NEEDED = {
    "chain_id": "the number that eth_chainId answers, such as 8453",
    "rpc": 'one URL or a list of them, such as ["https://host/path", "wss://host/path"]',
    "chain": "the NAME of a [chains.NAME] section",
    "contract": "the NAME of the [contracts.NAME] section whose event announces addresses",
    "event": "the name of the announcing event",
    "parameter": "the event's parameter that holds the address",
}


def dotted(key: Key) -> str:
    """``chains.base.rpc[1]``: the key as it is found in the file."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            quoted = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part)
            text += f".{quoted}" if text else quoted
    return text


def _written(location: Key, table: Any) -> Key:
    """The location without places in a list where the file has a single value instead of one."""
    written: list[str | int] = []
    for part in location:
        if isinstance(part, int) and not isinstance(table, list | tuple):
            continue
        written.append(part)
        try:
            table = table[part]
        except (KeyError, IndexError, TypeError):
            table = None
    return tuple(written)


def _choice(item: ErrorDetails) -> str:
    words = re.findall(r"'([^']*)'", item["msg"])
    return f"should be {' or '.join(repr_word(word) for word in words)}" + did_you_mean(
        str(item["input"]), words
    )


def _show(key: Key, value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if _secret(key):
        return _show_secret(value)
    text = redact(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _secret(key: Key) -> bool:
    return "rpc" in key[2:3] or key[:2] in {("database", "url"), ("privacy", "secret")}


def _show_secret(value: Any) -> str:
    """A URL that may be malformed: only what is surely no secret, which is its scheme and, if plain, its host."""
    if not isinstance(value, str):
        return f"({type(value).__name__})"
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]{0,20})://", value)
    if not match:
        return repr_word("${…}" if value.startswith("${") else "(no URL)") if value else '""'
    rest = re.split(r"[/?#]", value[match.end() :], maxsplit=1)[0].rpartition("@")[2]
    host = rest if re.fullmatch(r"[A-Za-z0-9.,-]*(:\d{0,9})?|\[[0-9a-fA-F:]+\](:\d{0,9})?", rest) else "…"
    return repr_word(f"{match.group(1)}://{host}")
