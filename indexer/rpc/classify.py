"""What an endpoint's error means: the only place that reads message texts.

The whole error counts: message, data, code, HTTP status and body. The knowledge is data (``errors.toml``), written as
words and numbers rather than exact sentences, so that it holds for wordings nobody has shown us yet.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from indexer.errors import (
    BlockNotYetKnown,
    IndexerError,
    RangeTooWide,
    RateLimited,
    RpcRefused,
    RpcTimeout,
    RpcUnavailable,
    TooManyAddresses,
)
from indexer.rpc.spelling import find_pair, normalise

Kind = Literal[
    "block_range",
    "result_size",
    "response_bytes",
    "address_limit",
    "rate_limit",
    "backend_lag",
    "timeout",
    "plan_limit",
    "pruned",
    "backend",
    "unknown_method",
    "batch_limit",
    "reverted",
    "unknown",
]
"""What an error means. ``unknown``: nothing in the table holds."""

SHRINKING: frozenset[Kind] = frozenset({"block_range", "result_size", "response_bytes"})
"""The kinds that ask for a smaller log query; no other kind ever shrinks one."""

LONGEST_RETRY_AFTER_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Failure:
    """What came instead of a result. ``detail`` is the error's ``data`` or the body, as text.

    ``code`` is the JSON-RPC code, ``http_status`` the status when it was not 200, ``retry_after`` seconds from the
    header of that name.
    """

    message: str = ""
    detail: str = ""
    code: int | None = None
    http_status: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a failure means.

    ``hint`` is how many blocks the endpoint would take, always fewer than were asked for; ``lasting`` whether that
    holds for later requests too; ``retry_after`` in seconds.
    """

    kind: Kind
    hint: int | None = None
    lasting: bool = False
    retry_after: float | None = None


class Refused(RpcRefused):
    """A refusal with its kind, so that callers can tell an unknown method from a pruned block."""

    def __init__(self, message: str, kind: Kind) -> None:
        self.kind = kind
        super().__init__(message)


class Unexplained(RpcUnavailable):
    """The endpoint answered with an error that nothing in the table explains."""


_PLAIN: Mapping[Kind, type[IndexerError]] = {
    "address_limit": TooManyAddresses,
    "backend_lag": BlockNotYetKnown,
    "timeout": RpcTimeout,
    "backend": RpcUnavailable,
    "unknown": Unexplained,
}


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: Kind
    words: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]
    codes: frozenset[int]
    http: frozenset[int]
    pair: bool
    logs: bool
    doubtful: bool

    def holds(self, text: str, failure: Failure, *, logs: bool) -> bool:
        if self.logs and not logs:
            return False
        if self.codes and failure.code not in self.codes:
            return False
        if self.http and failure.http_status not in self.http:
            return False
        if self.pair and find_pair(text) is None:
            return False
        if self.words and not any(pattern.search(text) for pattern in self.words):
            return False
        return not any(pattern.search(text) for pattern in self.unless)


@dataclass(frozen=True, slots=True)
class _Table:
    rules: tuple[_Rule, ...]
    span: tuple[re.Pattern[str], ...]
    not_blocks: tuple[re.Pattern[str], ...]
    retry_after: tuple[re.Pattern[str], ...]


def classify(failure: Failure, asked_blocks: int | None = None) -> Verdict:
    """What ``failure`` means; ``asked_blocks`` is the span of the log query that was refused, if it was one by range."""
    text = normalise(f"{failure.message} {failure.detail}".strip())
    table = _table()
    wide = asked_blocks is not None and asked_blocks > 1
    for rule in table.rules:
        if rule.holds(text, failure, logs=wide):
            return _verdict(rule, text, failure, asked_blocks)
    return Verdict("unknown")


def to_error(verdict: Verdict, message: str) -> IndexerError:
    """The error of ``indexer.errors`` that stands for a verdict; ``message`` is for people."""
    if verdict.kind in SHRINKING:
        return RangeTooWide(message, verdict.hint, lasting=verdict.lasting)
    if verdict.kind == "rate_limit":
        return RateLimited(message, verdict.retry_after)
    if verdict.kind in _PLAIN:
        return _PLAIN[verdict.kind](message)
    return Refused(message, verdict.kind)


def _verdict(rule: _Rule, text: str, failure: Failure, asked: int | None) -> Verdict:
    match rule.kind:
        case "block_range":
            return Verdict("block_range", _span(text, asked), lasting=not rule.doubtful)
        case "result_size":
            return Verdict("result_size", _pair_span(text, asked))
        case "rate_limit":
            return Verdict("rate_limit", retry_after=_retry_after(text, failure))
        case _:
            return Verdict(rule.kind)


def _span(text: str, asked: int | None) -> int | None:
    """Blocks to ask for instead: of an explicit pair, of "A > N", of a limit word with a number; else None."""
    pair = _pair_span(text, asked)
    if pair is not None:
        return pair
    table = _table()
    without = text
    for pattern in table.not_blocks:
        without = pattern.sub(" # ", without)
    named = [int(match.groups()[-1]) for pattern in table.span for match in pattern.finditer(without)]
    # A number that is our own span, however it is counted, is the complaint and not the limit.
    foreign = [number for number in named if asked is None or 0 < number < asked - 1]
    for number in foreign or named:
        # One less than the number: some count both ends, some do not, some mean "less than".
        blocks = max(1, number - 1)
        if _shrinks(blocks, asked):
            return blocks
    return None


def _pair_span(text: str, asked: int | None) -> int | None:
    """The length of a range the endpoint named, one block less; its position is not used, it need not be ours."""
    pair = find_pair(text)
    if pair is None:
        return None
    if not _shrinks(pair[1] - pair[0] + 1, asked):
        return None
    return max(1, pair[1] - pair[0])


def _shrinks(blocks: int, asked: int | None) -> bool:
    return asked is None or blocks < asked


def _retry_after(text: str, failure: Failure) -> float | None:
    if failure.retry_after is not None:
        return min(max(failure.retry_after, 0.0), LONGEST_RETRY_AFTER_SECONDS)
    for pattern in _table().retry_after:
        if match := pattern.search(text):
            return min(float(match[1]), LONGEST_RETRY_AFTER_SECONDS)
    return None


@cache
def _table() -> _Table:
    raw = tomllib.loads(Path(__file__).with_name("errors.toml").read_text(encoding="utf-8"))
    words = {"n": r"(?<![\w.])(\d{1,20})(?![\d])", **raw["words"]}
    words["subject"] = _fill(words["subject"], words)

    def compiled(patterns: list[str]) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(_fill(pattern, words)) for pattern in patterns)

    rules = tuple(_rule(entry, compiled) for entry in raw["rule"])
    return _Table(
        rules,
        compiled(raw["span"]["patterns"]),
        compiled(raw["span"]["not_blocks"]),
        compiled(raw["retry_after"]["patterns"]),
    )


def _rule(entry: Mapping[str, Any], compiled: Any) -> _Rule:
    unknown = set(entry) - {"kind", "words", "unless", "codes", "http", "pair", "logs", "doubtful"}
    if unknown or entry["kind"] not in get_args(Kind):
        raise ValueError(f"errors.toml: no such kind or key: {entry['kind']} {sorted(unknown)}")
    return _Rule(
        entry["kind"],
        compiled(entry.get("words", [])),
        compiled(entry.get("unless", [])),
        frozenset(entry.get("codes", [])),
        frozenset(entry.get("http", [])),
        entry.get("pair", False),
        entry.get("logs", False),
        entry.get("doubtful", False),
    )


def _fill(pattern: str, words: Mapping[str, str]) -> str:
    """Replace ``{name}`` by the named pattern; other braces (``{0,60}``) stay."""
    return re.sub(r"\{([a-z]+)\}", lambda match: words[match[1]], pattern)
