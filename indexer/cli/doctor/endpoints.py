"""Each RPC endpoint by itself: who it is, how far it is, and how well it answers log queries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from indexer.chain.bloom import may_hold
from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.cli.doctor.findings import Finding, Level
from indexer.config import ChainSettings
from indexer.errors import ChainIdMismatch, IndexerError
from indexer.rpc.client import ChainClient

SMALL_RANGE_BLOCKS = 1_000
"""Endpoints that take fewer blocks in one log query make a backfill slow."""

_BLOOM_BLOCKS = 3
_NOBODY = frozenset({bytes.fromhex("6e6f626f64792068617320746869732061646472")})
"""An address without logs: what is measured is the range, not the answer's size."""

ClientFactory = Callable[[str, ChainSettings], ChainClient]


async def check_endpoint(
    chain: str, settings: ChainSettings, number: int, factory: ClientFactory
) -> list[Finding]:
    """Findings about endpoint ``number`` of a chain; whatever goes wrong is a finding too.

    Args:
        chain: the section's name.
        settings: the section.
        number: which URL of ``rpc``.
        factory: makes a client for a chain that has this endpoint only.
    """
    client = factory(chain, settings.model_copy(update={"rpc": (settings.rpc[number],)}))
    subject = f"{chain} {client.status()[0].name}"
    found: list[Finding] = []
    try:
        async with asyncio.timeout(4 * settings.timeout_seconds), aclosing(_look(client, settings)) as looks:
            async for level, message in looks:
                found.append(Finding(level, "endpoint", subject, message))
    except TimeoutError:
        message = f"gave no full picture within {4 * settings.timeout_seconds:.0f} s"
        found.append(Finding("fail", "endpoint", subject, message))
    except ChainIdMismatch as error:
        told = client.status()[0].last_error
        found.append(Finding("fail", "endpoint", subject, told or str(error)))
    except IndexerError as error:
        found.append(Finding("fail", "endpoint", subject, str(error)))
    finally:
        await client.close()
    return found


async def _look(client: ChainClient, settings: ChainSettings) -> AsyncGenerator[tuple[Level, str], None]:
    await client.open()
    yield "ok", f"chain id {settings.chain_id}"
    head = await client.head()
    yield _height(head, settings)
    level, message, settled = await _finality(client, head, settings)
    yield level, message
    block = settled if settled is not None else head
    yield await _bloom(client, block, settings)
    yield await _range(client, block, settings)


def _height(head: BlockHeader, settings: ChainSettings) -> tuple[Level, str]:
    age = max(time.time() - head.timestamp, 0)
    if age > settings.stall_seconds:
        return (
            "warn",
            f"its newest block {head.number} is {age:.0f} s old: it lags, or the chain stands still",
        )
    return "ok", f"its newest block is {head.number}, {age:.0f} s old"


async def _finality(
    client: ChainClient, head: BlockHeader, settings: ChainSettings
) -> tuple[Level, str, BlockHeader | None]:
    if isinstance(settings.finality, int):
        return "ok", f"finality is {settings.finality} confirmations, as configured", None
    tag = settings.finality
    named = await client.finalized(tag)
    if named is None:
        other = await client.finalized("safe") if tag == "finalized" else None
        advice = 'set finality = "safe"' if other else "set finality to a number of confirmations"
        return "warn", f"does not know the tag {tag}; {advice}", other
    if head.number > 0 and named.number >= head.number:
        message = (
            f"calls its newest block {tag}: it has no finality of its own; set a number of confirmations"
        )
        return "warn", message, named
    return "ok", f"{tag} is block {named.number}, {head.number - named.number} behind its newest", named


async def _bloom(client: ChainClient, block: BlockHeader, settings: ChainSettings) -> tuple[Level, str]:
    anything = [LogFilter(None, None)]
    for number in range(block.number, max(block.number - _BLOOM_BLOCKS, -1), -1):
        header = await client.header(number)
        if header is None or header.logs_bloom is None:
            continue
        logs = (await client.logs_in_range(BlockRange(number, number), anything)).logs
        if len(logs) and not _covers(header.logs_bloom, logs):
            advice = "" if not settings.check_bloom else "; set check_bloom = false"
            return "warn", f"the bloom of block {number} lacks some of its logs{advice}"
        if len(logs):
            return "ok", f"the bloom of block {number} fits its {len(logs)} logs"
    return "ok", "no logs in its newest blocks to hold against their blooms"


def _covers(bloom: bytes, logs: LogBatch) -> bool:
    values = {logs.address[index].tobytes() for index in range(len(logs))}
    values |= {topic for index in range(len(logs)) for topic in logs.log_topics(index)}
    return all(may_hold(bloom, value) for value in values)


async def _range(client: ChainClient, block: BlockHeader, settings: ChainSettings) -> tuple[Level, str]:
    wanted = min(settings.max_range_blocks, block.number + 1)
    span = BlockRange(block.number + 1 - wanted, block.number)
    await client.logs_in_range(span, [LogFilter(_NOBODY, None)])
    learned = client.status()[0].range_blocks
    takes = wanted if learned is None else min(learned, wanted)
    if takes < min(SMALL_RANGE_BLOCKS, wanted):
        return "warn", f"takes {takes} blocks in one log query: a backfill will be slow"
    return "ok", f"takes {takes} blocks in one log query"
