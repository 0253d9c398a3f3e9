"""Every error the indexer raises; the class is the policy.

::

    IndexerError
    ├── ConfigError            wrong usage or configuration: exit 2, nothing was changed
    ├── Retryable              try again, with a bound
    │   ├── RpcTimeout             no answer in time
    │   ├── RpcUnavailable         connection refused, 5xx, HTML, truncated JSON
    │   ├── RateLimited            slow down; ``retry_after`` seconds
    │   ├── RangeTooWide           ask for less; ``hint`` blocks
    │   ├── BlockNotYetKnown       the endpoint lags, or never had the block
    │   ├── StoreUnavailable       the database is away; nothing is known to be lost
    │   └── LeaseLost              another daemon writes this chain: stand by
    ├── ProviderLied           drop that endpoint, not the run
    ├── RpcRefused             the endpoint will never answer this (unknown method, pruned, plan exhausted)
    ├── CursorConflict         somebody else moved the cursor: load it again
    └── Halt                   stop this chain, change nothing, tell the operator
        ├── FinalizedReorg         exit 70
        ├── ChainIdMismatch        exit 71
        ├── SchemaMismatch         exit 72
        └── InvariantViolated      exit 73

Messages are for people: what is wrong, where, and what would be right. Nothing in here reads a message text; only
``rpc/classify.py`` may.
"""

from __future__ import annotations

from typing import ClassVar


class IndexerError(Exception):
    """The root of the tree."""

    exit_code: ClassVar[int] = 1


class ConfigError(IndexerError):
    """Wrong usage or configuration. ``problems`` holds one line per finding."""

    exit_code: ClassVar[int] = 2

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Retryable(IndexerError):
    """May go through when tried again; the caller bounds the tries."""


class RpcTimeout(Retryable):
    """The endpoint did not answer in time."""


class RpcUnavailable(Retryable):
    """The endpoint could not be reached, or what it answered was no JSON-RPC."""


class RateLimited(Retryable):
    """The endpoint asks for fewer requests. ``retry_after`` is in seconds, or None when it did not say."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class RangeTooWide(Retryable):
    """A log query spans too many blocks or would answer with too much.

    ``hint`` is how many blocks the endpoint would take, where it said so. ``lasting`` tells a limit on blocks
    (holds for later requests too) from a limit on the size of this one result.
    """

    def __init__(self, message: str, hint: int | None = None, *, lasting: bool = False) -> None:
        self.hint = hint
        self.lasting = lasting
        super().__init__(message)


class TooManyAddresses(Retryable):
    """A log query names more addresses or topics than the endpoint takes."""


class BlockNotYetKnown(Retryable):
    """The endpoint does not have the block (yet); another one may."""


class StoreUnavailable(Retryable):
    """The database cannot be reached. The outcome of a COMMIT under way is unknown until the cursor is read again."""


class LeaseLost(Retryable):
    """Another daemon holds the lease of this chain; nothing was written."""

    def __init__(self, message: str, holder: str | None = None) -> None:
        self.holder = holder
        super().__init__(message)


class ProviderLied(IndexerError):
    """An endpoint's answer contradicts itself, the question, or what is known of the chain."""


class RpcRefused(IndexerError):
    """The endpoint will not answer this request however often it is asked."""


class CursorConflict(IndexerError):
    """The cursor in the database is not the one this commit was made for."""


class Halt(IndexerError):
    """This chain stops: going on would write what cannot be vouched for."""

    exit_code: ClassVar[int] = 79


class FinalizedReorg(Halt):
    """The chain was reorganised below what we hold as finalized."""

    exit_code: ClassVar[int] = 70


class ChainIdMismatch(Halt):
    """An endpoint, or the database, belongs to another chain."""

    exit_code: ClassVar[int] = 71


class SchemaMismatch(Halt):
    """The database was migrated by another version of this program."""

    exit_code: ClassVar[int] = 72


class InvariantViolated(Halt):
    """Something that cannot be, is. Nothing more is written."""

    exit_code: ClassVar[int] = 73
