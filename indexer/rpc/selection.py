"""Which endpoint is asked, in which order, and how often before a read gives up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from indexer.clock import Clock
from indexer.errors import (
    BlockNotYetKnown,
    ChainIdMismatch,
    IndexerError,
    ProviderLied,
    RateLimited,
    Retryable,
    RpcRefused,
    RpcUnavailable,
)
from indexer.retry import Backoff
from indexer.rpc.endpoint import Endpoint

Result = TypeVar("Result")
Operation = Callable[[Endpoint], Awaitable[Result]]

MOST_TRIES = 8
LONGEST_PAUSE_SECONDS = 15.0

_ELSEWHERE = (Retryable, ProviderLied, RpcRefused)
"""Errors after which the same read is tried at another endpoint: all but a Halt."""


class Selection:
    """The endpoints of one chain and the order in which a read goes through them.

    A read is done by one endpoint from beginning to end; when that fails, another one does all of it again.

    Args:
        chain: The chain's name, for messages.
        endpoints: All of them.
        clock: For waits.
        verify: Checks an endpoint's chain id before its first read; drops it when it is another chain's.
    """

    def __init__(
        self,
        chain: str,
        endpoints: Sequence[Endpoint],
        clock: Clock,
        verify: Callable[[Endpoint], Awaitable[None]],
    ) -> None:
        self._chain = chain
        self._endpoints = list(endpoints)
        self._clock = clock
        self._verify = verify
        self._backoff = Backoff(first_seconds=0.1, most_seconds=5.0)
        self.last_used: Endpoint | None = None
        """The endpoint that the newest read came from."""

    @property
    def usable(self) -> list[Endpoint]:
        """Endpoints that are not dropped; raises ``ChainIdMismatch`` when none is left."""
        kept = [endpoint for endpoint in self._endpoints if not endpoint.dropped]
        if not kept:
            told = "; ".join(f"{one.name}: {one.health.last_error}" for one in self._endpoints)
            raise ChainIdMismatch(f"chain {self._chain}: every endpoint serves another chain ({told})")
        return kept

    def ordered(self, block: int | None = None, avoid: Endpoint | None = None) -> list[Endpoint]:
        """Usable endpoints, best first: trusted before benched, those that have ``block`` before those that may not.

        Endpoints that surely lack the block are left out while there is another; ``avoid`` comes last.
        """
        usable = self.usable
        having = [one for one in usable if block is None or not one.health.surely_lacks(block)]

        def rank(one: Endpoint) -> tuple[bool, bool, bool, float]:
            head = one.health.head_number
            unproven = block is not None and (head is None or head < block)
            return one is avoid, not one.health.up, unproven, one.cost

        return sorted(having or usable, key=rank)

    async def read(
        self,
        operation: Operation[Result],
        *,
        block: int | None = None,
        avoid: Endpoint | None = None,
        tries: int = MOST_TRIES,
    ) -> Result:
        """Do ``operation`` at the best endpoint, else at the next one, and so on in rounds, ``tries`` times at most.

        A block that no endpoint has, or a request that all refuse, is not asked for in a second round.

        Raises:
            IndexerError: the last error, once there is no try left; at once, what another endpoint would not change.
        """
        last: IndexerError | None = None
        tried = 0
        for attempt in range(tries):
            errors: list[IndexerError] = []
            for endpoint in self.ordered(block, avoid):
                if tried >= tries:
                    break
                tried += 1
                try:
                    return await self._once(endpoint, operation)
                except _ELSEWHERE as error:
                    errors.append(error)
            last = errors[-1] if errors else last
            final = [error for error in errors if isinstance(error, BlockNotYetKnown | RpcRefused)]
            if tried >= tries or (errors and len(final) == len(errors)):
                break
            await self._pause(attempt, errors)
        if last is None:
            raise RpcUnavailable(f"chain {self._chain}: no endpoint was asked")
        raise last

    async def _once(self, endpoint: Endpoint, operation: Operation[Result]) -> Result:
        if not endpoint.verified:
            await self._verify(endpoint)
        try:
            result = await operation(endpoint)
        except ProviderLied as error:
            endpoint.lied(error)
            raise
        endpoint.health.trusted()
        self.last_used = endpoint
        return result

    async def _pause(self, attempt: int, errors: Sequence[IndexerError]) -> None:
        """Wait before the next round; raises a rate limit that asks for more patience than a read has."""
        limits = [error for error in errors if isinstance(error, RateLimited)]
        pauses = [endpoint.limiter.pause_seconds() for endpoint in self.usable]
        shortest = min(pauses)
        if limits and len(limits) == len(errors) and shortest > LONGEST_PAUSE_SECONDS:
            raise limits[-1]
        await self._clock.sleep(self._backoff.delay(attempt, min(shortest, LONGEST_PAUSE_SECONDS)))
