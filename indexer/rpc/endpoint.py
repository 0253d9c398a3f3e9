"""One endpoint: its transport, limits, health and habits.

It turns replies into results or errors of ``indexer.errors``, learns from each, and never retries: whether and where
something is asked again is the pool's business. Its messages name method and endpoint, never a URL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from indexer import metrics
from indexer.clock import Clock
from indexer.errors import (
    BlockNotYetKnown,
    IndexerError,
    ProviderLied,
    RangeTooWide,
    RateLimited,
    RpcRefused,
    RpcTimeout,
    RpcUnavailable,
    TooManyAddresses,
)
from indexer.rpc.classify import Refused, Unexplained, classify, to_error
from indexer.rpc.health import Health
from indexer.rpc.limits import Limiter
from indexer.rpc.names import Scrubber
from indexer.rpc.ranges import RangeControl
from indexer.rpc.transport import BatchRefused, Call, Reply, Transport

MOST_PER_BATCH = 100

_OUTCOMES: tuple[tuple[type[IndexerError], str], ...] = (
    (RpcTimeout, "timeout"),
    (RateLimited, "rate_limited"),
    (RangeTooWide, "range_too_wide"),
    (TooManyAddresses, "too_many_addresses"),
    (BlockNotYetKnown, "not_yet_known"),
    (RpcRefused, "refused"),
    (ProviderLied, "lied"),
    (RpcUnavailable, "unavailable"),
)


class Endpoint:
    """See the module.

    Args:
        chain: The chain's name, a label.
        name: Host and port.
        url: Used only to know what to scrub.
        transport: The way there.
        clock: For durations and waits.
        most_blocks: See ``RangeControl``.
    """

    def __init__(
        self, chain: str, name: str, url: str, transport: Transport, clock: Clock, most_blocks: int
    ) -> None:
        self.chain = chain
        self.name = name
        self.transport = transport
        self.limiter = Limiter(clock)
        self.health = Health(clock)
        self.ranges = RangeControl(most_blocks)
        self.most_addresses: int | None = None
        """How many addresses a log query may name, once the endpoint has refused more."""
        self.unknown_methods: set[str] = set()
        self.unknown_tags: set[str] = set()
        self.verified = False
        """Whether its chain id was seen to be ours."""
        self.dropped = False
        """Whether it serves another chain: never asked again."""
        self._clock = clock
        self._scrub = Scrubber(url)
        self._per_batch = MOST_PER_BATCH
        self._show()

    @property
    def cost(self) -> float:
        """Expected wait for one more request here, in seconds made worse by failures; the smallest is asked first."""
        queue = (self.limiter.in_flight + 1) / self.limiter.concurrency
        return (
            max(queue, 1.0 if self.limiter.in_flight else queue) * self.health.expected_seconds
            + self.limiter.pause_seconds()
        )

    async def ask(self, method: str, params: list[Any], blocks: int | None = None) -> msgspec.Raw:
        """The raw result of one call; raises the error that its failure stands for."""
        return (await self.ask_all([Call(method, params, blocks)]))[0]

    async def ask_all(self, calls: Sequence[Call]) -> list[msgspec.Raw]:
        """Raw results of several calls, together where the endpoint takes batches; the first failure is raised."""
        results: list[msgspec.Raw] = []
        for call, reply in zip(calls, await self.replies(calls), strict=True):
            if reply.result is None:
                raise self.error_of(call, reply)
            results.append(reply.result)
        return results

    async def replies(self, calls: Sequence[Call]) -> list[Reply]:
        """Replies to several calls, failures included; raises only where there was no reply at all."""
        done: list[Reply] = []
        while len(done) < len(calls):
            part = calls[len(done) : len(done) + self._per_batch]
            done += await self._exchange(part) if len(part) == 1 else await self._batch(part)
        return done

    def error_of(self, call: Call, reply: Reply) -> IndexerError:
        """The error that a failed reply stands for."""
        failure = reply.failure
        if failure is None:
            raise AssertionError("a reply without failure has no error")
        verdict = classify(failure, call.blocks)
        said = failure.message or failure.detail or f"HTTP {failure.http_status}"
        return to_error(verdict, f"{self.name}: {call.method}: {self._scrub(said)}")

    def lied(self, error: ProviderLied) -> None:
        """Bench the endpoint: what it said was wrong."""
        self.health.lied(str(error))
        self.verified = False
        self._show()

    def subscribed(self, error: IndexerError | None) -> None:
        """A subscription began to speak, or ended with an error: counted like a request."""
        outcome = "ok" if error is None else _outcome(error)
        metrics.RPC_REQUESTS.labels(self.chain, self.name, "eth_subscribe", outcome).inc()

    def behind(self, number: int) -> None:
        """It did not have a block of that number."""
        self.health.lacks(number)

    def drop(self, reason: str) -> None:
        """Never ask it again."""
        self.dropped = True
        self.health.note(reason)
        self._show()

    async def _batch(self, calls: Sequence[Call]) -> list[Reply]:
        """One batch; where it is not taken, the same calls one by one, and smaller batches or none from now on."""
        try:
            replies = await self._exchange(calls)
        except BatchRefused:
            replies = None
        if replies is not None and not self._batch_refused(calls, replies):
            return replies
        singly = [(await self._exchange([call]))[0] for call in calls]
        # Only now is it known that the batch was the trouble, and not the endpoint.
        self._per_batch = 1 if len(calls) <= 4 else len(calls) // 4
        return singly

    def _batch_refused(self, calls: Sequence[Call], replies: Sequence[Reply]) -> bool:
        """Whether all calls failed alike for what is the batch's fault and not theirs."""
        first = replies[0].failure
        if first is None or any(reply.failure != first for reply in replies):
            return False
        kind = classify(first, calls[0].blocks).kind
        return kind == "batch_limit" or (kind == "unknown" and first.http_status is not None)

    async def _exchange(self, calls: Sequence[Call]) -> list[Reply]:
        started = self._clock.monotonic()
        try:
            async with self.limiter.slot():
                started = self._clock.monotonic()
                replies = await self.transport.send(calls)
        except BatchRefused:
            raise
        except IndexerError as error:
            named = _renamed(error, f"{self.name}: {calls[0].method}: ")
            self._record(calls, [named] * len(calls), started)
            raise named from None
        errors = [
            None if reply.failure is None else self.error_of(call, reply)
            for call, reply in zip(calls, replies, strict=True)
        ]
        self._record(calls, errors, started)
        return replies

    def _record(self, calls: Sequence[Call], errors: Sequence[IndexerError | None], started: float) -> None:
        seconds = self._clock.monotonic() - started
        for call, error in zip(calls, errors, strict=True):
            outcome = "ok" if error is None else _outcome(error)
            metrics.RPC_REQUESTS.labels(self.chain, self.name, call.method, outcome).inc()
            metrics.RPC_REQUEST_DURATION_SECONDS.labels(self.chain, self.name, call.method).observe(seconds)
            self._learn(call, error)
        worst = next((error for error in errors if error is not None), None)
        if isinstance(worst, RateLimited):
            self.limiter.limited(worst.retry_after)
            self.health.note(str(worst))
        elif worst is None or _is_an_answer(worst):
            self.limiter.succeeded()
            self.health.answered(seconds)
        else:
            self.health.failed(str(worst), seconds)
            # What comes back after an outage may be another node: its chain id is asked for again.
            self.verified = self.verified and self.health.up
        self._show()

    def _learn(self, call: Call, error: IndexerError | None) -> None:
        if isinstance(error, Refused) and error.kind == "unknown_method":
            self.unknown_methods.add(call.method)

    def _show(self) -> None:
        up = not self.dropped and self.health.up
        metrics.ENDPOINT_UP.labels(self.chain, self.name).set(1 if up else 0)
        metrics.RPC_RANGE_BLOCKS.labels(self.chain, self.name).set(self.ranges.blocks)


def _outcome(error: IndexerError) -> str:
    return next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), "unavailable")


def _is_an_answer(error: IndexerError) -> bool:
    """Whether the endpoint is well and merely said no."""
    return isinstance(error, (RangeTooWide, TooManyAddresses, BlockNotYetKnown, RpcRefused, Unexplained))


def _renamed(error: IndexerError, prefix: str) -> IndexerError:
    """The same error with the endpoint's name before its message."""
    if isinstance(error, RateLimited):
        return RateLimited(f"{prefix}{error}", error.retry_after)
    if isinstance(error, RangeTooWide):
        return RangeTooWide(f"{prefix}{error}", error.hint, lasting=error.lasting)
    return type(error)(f"{prefix}{error}")
