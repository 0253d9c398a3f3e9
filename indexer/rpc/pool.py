"""The endpoints of one chain as one client: reads that are checked, failed over and bounded.

``PooledClient`` is what ``sync`` holds; it joins selection (who is asked), reader (what is asked and how it is checked)
and heads (what is new). It writes metrics through its endpoints and never shows more of a URL than host and port.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from typing import Literal

import msgspec

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch, concat
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.clock import Clock, SystemClock
from indexer.config import ChainSettings
from indexer.errors import (
    BlockNotYetKnown,
    ChainIdMismatch,
    IndexerError,
    ProviderLied,
    Retryable,
    RpcRefused,
    RpcUnavailable,
)
from indexer.retry import Backoff
from indexer.rpc import validate
from indexer.rpc.classify import Refused, Unexplained
from indexer.rpc.client import EndpointStatus, RangeLogs
from indexer.rpc.crosscheck import settle_difference
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.heads import HeadStream
from indexer.rpc.names import endpoint_names
from indexer.rpc.queries import header_call, hexed
from indexer.rpc.reader import Part, read_block, read_headers, read_part
from indexer.rpc.selection import Selection
from indexer.rpc.socket import SocketTransport
from indexer.rpc.transport import HttpTransport, Transport
from indexer.rpc.view_calls import bytes_of, read_calls
from indexer.rpc.wire import parse_header

OTHERS_EVERY = 10
"""Every so many polls, the other endpoints are asked for their head too."""

CROSS_CHECK = 1 / 64
"""Share of range reads that a second endpoint, where there is one, has to confirm."""

DIFFERENCES = 2
"""How often two endpoints may differ about a range before that is an error."""

_AGAIN = Backoff(first_seconds=0.2, most_seconds=2.0)


class PooledClient:
    """``ChainClient`` over the endpoints of a chain.

    Args:
        name: The chain's name in the configuration; a label.
        settings: URLs, chain id, timeouts and limits.
        clock: For durations and waits.
        cross_check: Share of range reads that a second endpoint confirms, 0 to 1; empty answers always are.
    """

    def __init__(
        self,
        name: str,
        settings: ChainSettings,
        *,
        clock: Clock | None = None,
        cross_check: float = CROSS_CHECK,
    ) -> None:
        self._name = name
        self._settings = settings
        self._clock = clock or SystemClock()
        self._cross_check = cross_check
        urls = [url.get_secret_value() for url in settings.rpc]
        self._endpoints = [
            Endpoint(name, label, url, self._transport(url), self._clock, settings.max_range_blocks)
            for label, url in zip(endpoint_names(urls), urls, strict=True)
        ]
        self._selection = Selection(name, self._endpoints, self._clock, self._verify)
        self._polls = 0
        self._others: asyncio.Task[None] | None = None

    def share(self, parts: int) -> None:
        """Keep to one of ``parts`` equal shares of each endpoint: other processes of the same work have the others."""
        for endpoint in self._endpoints:
            endpoint.limiter.share(parts)

    async def open(self) -> None:
        """Ask every endpoint for its chain id.

        Raises:
            ChainIdMismatch: every endpoint serves another chain.
            RpcUnavailable: none could be asked; ``open`` may be tried again.
        """
        results = await asyncio.gather(*map(self._verify, self._endpoints), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, IndexerError):
                raise result
        if any(endpoint.verified for endpoint in self._selection.usable):
            return
        reasons = "; ".join(str(result) for result in results if isinstance(result, IndexerError))
        raise RpcUnavailable(f"chain {self._name}: no endpoint answers: {reasons}")

    async def close(self) -> None:
        """Close every connection; safe to call twice."""
        if self._others is not None:
            self._others.cancel()
            await asyncio.gather(self._others, return_exceptions=True)
            self._others = None
        await asyncio.gather(*(endpoint.transport.close() for endpoint in self._endpoints))

    async def head(self) -> BlockHeader:
        """The newest header of the best endpoint; the others' heads are looked at now and then."""
        self._polls += 1
        if self._polls % OTHERS_EVERY == 1 and len(self._endpoints) > 1:
            self._look_at_others()
        newest = max(
            (one.health.head_number or 0 for one in self._selection.usable if one.health.up), default=0
        )
        return await self._selection.read(self._latest, block=newest or None)

    async def heads(self) -> AsyncIterator[BlockHeader]:
        """New heads as they come; see ``rpc/heads.py``. Never ends, may repeat; raises only a Halt."""
        sockets = [
            (endpoint, endpoint.transport)
            for endpoint in self._selection.usable
            if isinstance(endpoint.transport, SocketTransport)
        ]
        stream = HeadStream(sockets, self.head, self._settings.poll_seconds, self._clock)
        async with aclosing(stream.stream()) as heads:  # type: ignore[type-var]  # an async generator, typed as an iterator
            async for header in heads:
                yield header

    async def finalized(self, tag: Literal["finalized", "safe"]) -> BlockHeader | None:
        """The header the tag names, or None where no endpoint knows the tag."""

        async def ask(endpoint: Endpoint) -> BlockHeader | None:
            if tag in endpoint.unknown_tags:
                raise Refused(f"{endpoint.name}: no block is called {tag}", "unknown_method")
            try:
                found = parse_header(await endpoint.ask("eth_getBlockByNumber", [tag, False]))
            except (Refused, Unexplained, BlockNotYetKnown):
                found = None
            if found is None:
                # Not for good: before the merge, or just after its start, a node may have none yet.
                raise Refused(f"{endpoint.name}: no block is called {tag}", "unknown_method")
            return found

        try:
            return await self._selection.read(ask)
        except Refused:
            return None

    async def header(self, block: int | bytes, *, second: bool = False) -> BlockHeader | None:
        """A header by number or hash, or None when no endpoint has it.

        ``second`` asks another endpoint than the last read came from, where there is one.
        """

        async def ask(endpoint: Endpoint) -> BlockHeader:
            call = header_call(block)
            found = parse_header(await endpoint.ask(call.method, call.params))
            if found is None:
                if isinstance(block, int):
                    endpoint.behind(block)
                raise BlockNotYetKnown(
                    f"{endpoint.name}: no block {block if isinstance(block, int) else hexed(block)}"
                )
            endpoint.health.has(found.number)
            return validate.check_header(found, block)

        number = block if isinstance(block, int) else None
        try:
            return await self._selection.read(
                ask, block=number, avoid=self._selection.last_used if second else None
            )
        except BlockNotYetKnown:
            return None

    async def headers(self, numbers: Sequence[int]) -> list[BlockHeader]:
        """Headers of these blocks in that order, from one endpoint; raises ``BlockNotYetKnown`` when one is missing."""
        if not numbers:
            return []
        return await self._selection.read(
            lambda endpoint: read_headers(endpoint, numbers), block=max(numbers)
        )

    async def logs_in_range(self, blocks: BlockRange, filters: Sequence[LogFilter]) -> RangeLogs:
        """All logs of ``blocks`` that any filter matches, checked, with every block's time.

        Each part of the range is one linked read; an endpoint that fails is replaced for a whole part.
        """
        parts: list[LogBatch] = []
        first = blocks.first
        while True:
            part, endpoint = await self._part(BlockRange(first, blocks.last), filters)
            parts.append(part.logs)
            if part.blocks.last == blocks.last:
                logs = parts[0] if len(parts) == 1 else concat(blocks, parts)
                return RangeLogs(logs, part.end, endpoint.name)
            first = part.blocks.last + 1

    async def logs_of_block(self, header: BlockHeader, filters: Sequence[LogFilter]) -> LogBatch:
        """All logs of one block, by its hash; see ``ChainClient``."""
        return await self._selection.read(
            lambda endpoint: read_block(endpoint, header, filters, check_bloom=self._settings.check_bloom),
            block=header.number,
        )

    async def code(self, address: bytes, block: int) -> bytes:
        """The code at an address at the end of a block; empty where there is none."""

        async def ask(endpoint: Endpoint) -> bytes:
            return bytes_of(await endpoint.ask("eth_getCode", [hexed(address), hex(block)]))

        return await self._selection.read(ask, block=block)

    async def call(self, to: bytes, data: bytes, block: int) -> bytes | None:
        """``eth_call`` at the end of a block; None when it reverts."""
        return (await self.call_many([(to, data)], block))[0]

    async def call_many(self, questions: Sequence[tuple[bytes, bytes]], block: int) -> list[bytes | None]:
        """Several ``eth_call`` (address, data) at the end of one block, from one endpoint; None where one reverts."""
        if not questions:
            return []
        return await self._selection.read(
            lambda endpoint: read_calls(endpoint, questions, block), block=block
        )

    def suggested_blocks(self) -> int:
        """How many blocks a range read should ask for now: what the best endpoint takes at once."""
        return self._selection.ordered()[0].ranges.blocks

    def status(self) -> list[EndpointStatus]:
        """All endpoints, in the order of the configuration."""
        return [
            EndpointStatus(
                endpoint.name,
                up=endpoint.health.up and not endpoint.dropped,
                score=0.0 if endpoint.dropped else endpoint.health.score,
                head_number=endpoint.health.head_number,
                range_blocks=endpoint.ranges.blocks,
                last_error=endpoint.health.last_error,
            )
            for endpoint in self._endpoints
        ]

    def _transport(self, url: str) -> Transport:
        if url.lower().startswith("ws"):
            return SocketTransport(url, timeout_seconds=self._settings.timeout_seconds)
        return HttpTransport(url, timeout_seconds=self._settings.timeout_seconds, clock=self._clock)

    async def _verify(self, endpoint: Endpoint) -> None:
        raw = await endpoint.ask("eth_chainId", [])
        found = _number(raw)
        if found == self._settings.chain_id:
            endpoint.verified = True
            return
        endpoint.drop(f"{endpoint.name} serves chain {found}, configured is {self._settings.chain_id}")
        if not self._selection.usable:
            raise ChainIdMismatch(f"chain {self._name}: {endpoint.health.last_error}")
        raise ProviderLied(f"{endpoint.health.last_error}")

    async def _latest(self, endpoint: Endpoint) -> BlockHeader:
        header = parse_header(await endpoint.ask("eth_getBlockByNumber", ["latest", False]))
        if header is None:
            raise ProviderLied(f"{endpoint.name}: no latest block")
        endpoint.health.saw_head(header.number)
        return header

    def _look_at_others(self) -> None:
        """Ask the endpoints that are not asked otherwise for their head, without making anybody wait."""
        if self._others is None or self._others.done():
            self._others = asyncio.create_task(self._ask_others())

    async def _ask_others(self) -> None:
        others = [one for one in self._endpoints if one is not self._selection.last_used and not one.dropped]
        # Whatever goes wrong is in the endpoint's health by then.
        await asyncio.gather(*map(self._look_at, others), return_exceptions=True)

    async def _look_at(self, endpoint: Endpoint) -> None:
        if not endpoint.verified:
            await self._verify(endpoint)
        await self._latest(endpoint)

    async def _part(self, blocks: BlockRange, filters: Sequence[LogFilter]) -> tuple[Part, Endpoint]:
        """One linked read, confirmed by a second endpoint where it is empty or was chosen to be.

        A difference that cannot be settled may come from a moment of change; it is looked at again, then raised.
        """
        for attempt in range(DIFFERENCES - 1):
            try:
                return await self._confirmed_part(blocks, filters)
            except ProviderLied:
                await self._clock.sleep(_AGAIN.delay(attempt))
        return await self._confirmed_part(blocks, filters)

    async def _confirmed_part(
        self, blocks: BlockRange, filters: Sequence[LogFilter]
    ) -> tuple[Part, Endpoint]:
        check_bloom = self._settings.check_bloom

        async def ask(endpoint: Endpoint) -> tuple[Part, Endpoint]:
            return await read_part(endpoint, blocks, filters, check_bloom=check_bloom), endpoint

        part, endpoint = await self._selection.read(ask, block=blocks.first)
        sampled = random.random() < self._cross_check  # noqa: S311 - a sample, not a secret
        if part.checked or all(one.empty for one in filters) or (len(part.logs) and not sampled):
            return part, endpoint
        second = await self._second(endpoint, part.end.number)
        if second is None:
            return part, endpoint
        return await settle_difference(part, endpoint, second, filters, check_bloom=check_bloom)

    async def _second(self, first: Endpoint, block: int) -> Endpoint | None:
        """Another endpoint that is well, serves our chain and can be expected to have ``block``; None without one."""
        for one in self._selection.ordered(block):
            if one is first or not one.health.up or one.health.surely_lacks(block):
                continue
            # One that cannot be verified now is no second opinion; its health knows why.
            with suppress(Retryable, ProviderLied, RpcRefused):
                if not one.verified:
                    await self._verify(one)
                return one
        return None


def _number(raw: msgspec.Raw) -> int:
    try:
        return int(msgspec.json.decode(raw, type=str), 16)
    except (msgspec.MsgspecError, ValueError):
        raise ProviderLied("an answer that is no number in hex") from None
