"""Linked reads of logs from one endpoint: what is asked together, cut smaller when refused, and checked.

A read of a range holds the header of its last block, from the same endpoint and in the same batch: a node that does not
have the block cannot answer with silence. A read of one block goes by its hash.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from indexer import metrics
from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch, concat
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.errors import (
    BlockNotYetKnown,
    ProviderLied,
    RangeTooWide,
    Retryable,
    RpcTimeout,
    TooManyAddresses,
)
from indexer.rpc import validate
from indexer.rpc.aside import aside
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.queries import (
    MOST_ADDRESSES,
    MOST_TOPICS,
    block_call,
    fit,
    halves,
    header_call,
    hexed,
    range_call,
    widest,
)
from indexer.rpc.receipts import read_receipts
from indexer.rpc.wire import parse_header, parse_logs

MOST_CUTS = 60
"""How often one read is cut smaller before its error is given up to."""

MOST_TIMEOUTS = 2

FULL_CHECK_BLOCKS = 128
"""A read that is this short, and far shorter than the endpoint would allow, has every block's bloom checked."""

SPOT_BLOCKS = 6
"""Of longer reads, so many blocks taken at random have hash, time and bloom checked, besides those of the ends."""


SPARSE_BLOCKS = 64
"""With logs in no more blocks than this, each of them has its hash and time held against its header: it costs one request."""

_SECRET = random.SystemRandom().getrandbits(64)


@dataclass(frozen=True, slots=True)
class Part:
    """Logs of ``blocks`` and the header of the last of them; ``checked`` when every block's bloom was looked at."""

    blocks: BlockRange
    logs: LogBatch
    end: BlockHeader
    checked: bool = False


@dataclass(slots=True)
class _Limits:
    """What one query may name at this endpoint."""

    addresses: int = MOST_ADDRESSES
    topics: int = MOST_TOPICS

    def shrink(self, queries: Sequence[LogFilter], error: TooManyAddresses) -> None:
        """Allow half of the most that was asked for: addresses first, then topics."""
        addresses, topics = widest(queries)
        if addresses > 1:
            self.addresses = addresses // 2
        elif topics > 1:
            self.topics = topics // 2
        else:
            raise error


async def read_part(
    endpoint: Endpoint, blocks: BlockRange, filters: Sequence[LogFilter], *, check_bloom: bool
) -> Part:
    """The logs from ``blocks.first`` on, as far as the endpoint goes in one read.

    Raises:
        BlockNotYetKnown: it does not have that far.
        ProviderLied: the answer contradicts itself or the question.
        IndexerError: what the requests raise, after cutting as far as possible.
    """
    limits = _Limits(endpoint.most_addresses or MOST_ADDRESSES)
    size = min(len(blocks), endpoint.ranges.blocks)
    short = check_bloom and len(blocks) <= FULL_CHECK_BLOCKS and 4 * len(blocks) <= endpoint.ranges.blocks
    await _require_head(endpoint, blocks.first + size - 1)
    timeouts = 0
    for _ in range(MOST_CUTS):
        part = BlockRange(blocks.first, blocks.first + size - 1)
        queries = fit(filters, limits.addresses, limits.topics)
        try:
            spots = set(range(part.first, part.last)) if short else _spots(part)
            along = spots | _along(endpoint, part)
            read, headers = await _linked(endpoint, part, queries, filters, sorted(along - {part.last}))
            looked_at = spots | {part.last}
            return await _checked(
                endpoint, read, headers, looked_at, filters, check_bloom=check_bloom, every_block=short
            )
        except TooManyAddresses as error:
            limits.shrink(queries, error)
            endpoint.most_addresses = limits.addresses
        except RangeTooWide as error:
            smaller = endpoint.ranges.refused(size, error)
            if size == 1:
                header = (await read_headers(endpoint, [part.first]))[0]
                return Part(part, await _by_pieces(endpoint, header, filters), header)
            size = max(1, smaller)
        except RpcTimeout as error:
            timeouts += 1
            if size == 1 or timeouts > MOST_TIMEOUTS:
                raise
            size = max(1, endpoint.ranges.refused(size, RangeTooWide(str(error))))
    raise Retryable(f"{endpoint.name}: no log query was small enough after {MOST_CUTS} cuts")


async def read_block(
    endpoint: Endpoint, header: BlockHeader, filters: Sequence[LogFilter], *, check_bloom: bool
) -> LogBatch:
    """The logs of one block by its hash, checked against its bloom and, in doubt, taken from its receipts.

    Raises:
        BlockNotYetKnown: the endpoint does not have this block (any more).
        ProviderLied: the answer is of another block, or receipts show that it was wrong twice.
        IndexerError: what the requests raise.
    """
    within = BlockRange(header.number, header.number)
    limits = _Limits(endpoint.most_addresses or MOST_ADDRESSES)
    for _ in range(MOST_CUTS):
        queries = fit(filters, limits.addresses, limits.topics)
        calls = [header_call(header.hash), *(block_call(one, header.hash) for one in queries)]
        try:
            first, *rest = await endpoint.ask_all(calls)
        except TooManyAddresses as error:
            limits.shrink(queries, error)
            endpoint.most_addresses = limits.addresses
            continue
        except RangeTooWide:
            return await _by_pieces(endpoint, header, filters)
        answered = parse_header(first)
        if answered is None:
            raise BlockNotYetKnown(f"{endpoint.name}: no block {header.ref}")
        validate.check_header(answered, header.hash)
        validate.check_same_block(header, answered)
        logs = validate.matching(concat(within, [parse_logs(raw, within) for raw in rest]), filters)
        if len(logs) and any(row.tobytes() != header.hash for row in logs.block_hash):
            raise ProviderLied(f"{endpoint.name}: logs of another block in answer to block {header.ref}")
        logs = _timed(logs, [header])
        bloom = header.logs_bloom or answered.logs_bloom
        if check_bloom and bloom is not None and validate.doubt(bloom, logs, filters) is not None:
            return await _settled(endpoint, header, filters, logs)
        return logs
    raise Retryable(f"{endpoint.name}: no log query of block {header.ref} was small enough")


async def read_headers(endpoint: Endpoint, numbers: Sequence[int]) -> list[BlockHeader]:
    """Headers by number, in that order. Raises ``BlockNotYetKnown`` when one is missing, ``ProviderLied`` for others."""
    return _headers(endpoint, numbers, await endpoint.ask_all([header_call(number) for number in numbers]))


def _headers(endpoint: Endpoint, numbers: Sequence[int], raws: Sequence[msgspec.Raw]) -> list[BlockHeader]:
    headers = []
    for number, raw in zip(numbers, raws, strict=True):
        header = parse_header(raw)
        if header is None:
            raise BlockNotYetKnown(f"{endpoint.name}: no block {number}")
        headers.append(validate.check_header(header, number))
    return headers


async def _require_head(endpoint: Endpoint, number: int) -> None:
    """Never ask above the endpoint's head: nodes clamp such a range, refuse it, or hang."""
    known = endpoint.health.head_number
    if known is not None and known >= number:
        return
    header = parse_header(await endpoint.ask("eth_getBlockByNumber", ["latest", False]))
    if header is None:
        raise ProviderLied(f"{endpoint.name}: no latest block")
    endpoint.health.saw_head(header.number)
    if header.number < number:
        raise BlockNotYetKnown(f"{endpoint.name}: its newest block is {header.number}, not yet {number}")


async def _linked(
    endpoint: Endpoint,
    part: BlockRange,
    queries: Sequence[LogFilter],
    filters: Sequence[LogFilter],
    along: Sequence[int],
) -> tuple[Part, list[BlockHeader]]:
    """One batch: the queries over ``part``, the header of its end, and those of the blocks ``along``."""
    calls = [range_call(one, part) for one in queries]
    calls += [header_call(number) for number in (part.last, *along)]
    answers = await endpoint.ask_all(calls)
    raws, last = answers[: len(queries)], answers[len(queries)]
    end = parse_header(last)
    if end is None:
        endpoint.behind(part.last)
        raise BlockNotYetKnown(f"{endpoint.name}: no block {part.last}")
    validate.check_header(end, part.last)
    endpoint.health.has(part.last)
    nbytes = sum(memoryview(raw).nbytes for raw in raws)
    found, logs = await aside(nbytes, _parsed, raws, part, filters)
    if queries:
        endpoint.ranges.succeeded(len(part), found, nbytes)
    return Part(part, logs, end), _headers(endpoint, along, answers[len(queries) + 1 :])


def _parsed(
    raws: Sequence[msgspec.Raw], part: BlockRange, filters: Sequence[LogFilter]
) -> tuple[int, LogBatch]:
    """How many logs the answers hold, and those that any filter asks for."""
    logs = concat(part, [parse_logs(raw, part) for raw in raws])
    return len(logs), validate.matching(logs, filters)


async def _checked(
    endpoint: Endpoint,
    read: Part,
    along: Sequence[BlockHeader],
    looked_at: set[int],
    filters: Sequence[LogFilter],
    *,
    check_bloom: bool,
    every_block: bool,
) -> Part:
    """Hashes and times against headers, blooms against logs: of every block, or of those to be ``looked_at`` closely.

    Blocks whose logs came without a time have their headers read, where they did not come ``along``.
    """
    headers = [*along, read.end]
    if every_block:
        _check_links(endpoint, headers)
    seen = {header.number for header in headers}
    more = (_unseen(read.logs, looked_at) | set(validate.numbers_without_time(read.logs))) - seen
    if more:
        headers += await read_headers(endpoint, sorted(more))
    validate.check_hashes(read.logs, headers)
    logs = _timed(read.logs, headers)
    for header in headers if check_bloom else ():
        if header.logs_bloom is None or header.number not in looked_at:
            continue
        mine = validate.of_block(logs, header.number)
        small = every_block or header is read.end
        if validate.doubt(header.logs_bloom, mine, filters, small=small) is None:
            continue
        settled = await _settled(endpoint, header, filters, mine)
        if not validate.same_logs(mine, settled):
            raise ProviderLied(
                f"{endpoint.name}: the logs of block {header.ref} are not those of its receipts"
            )
    return Part(read.blocks, logs, read.end, checked=every_block)


def _spots(blocks: BlockRange) -> set[int]:
    """A few blocks of a range to look at more closely, asked for together with its logs.

    Nobody outside this process can tell which; a read that is tried again looks at the same ones, so that a lie is not
    let through by trying often enough.
    """
    chance = random.Random(f"{_SECRET} {blocks}")  # noqa: S311 - repeatable on purpose
    return set(chance.sample(range(blocks.first, blocks.last + 1), min(SPOT_BLOCKS, len(blocks) - 1)))


def _along(endpoint: Endpoint, blocks: BlockRange) -> set[int]:
    """Blocks whose headers are asked for together with the logs: those that would else cost a request of their own.

    That is so where a range is short and most of its blocks are likely to have logs.
    """
    if len(blocks) > SPARSE_BLOCKS or not endpoint.ranges.dense(len(blocks)):
        return set()
    return set(range(blocks.first, blocks.last + 1))


def _unseen(logs: LogBatch, looked_at: set[int]) -> set[int]:
    """Blocks with logs whose headers have to be read too: all where they are few, else the ends where none was looked at."""
    if not len(logs):
        return set()
    numbers = np.unique(logs.block_number)
    unseen = numbers[~np.isin(numbers, sorted(looked_at))]
    if len(unseen) <= SPARSE_BLOCKS:
        return set(unseen.tolist())
    if len(unseen) < len(numbers):
        return set()
    return {int(numbers[0]), int(numbers[-1])}


async def _by_pieces(endpoint: Endpoint, header: BlockHeader, filters: Sequence[LogFilter]) -> LogBatch:
    """One block that is too much at once: by half the addresses, half the topics, and so on; at last by receipts."""
    within = BlockRange(header.number, header.number)
    pending = fit(filters)
    batches: list[LogBatch] = []
    for _ in range(MOST_CUTS):
        if not pending:
            logs = validate.matching(concat(within, batches), filters)
            validate.check_hashes(logs, [header])
            return _timed(logs, [header])
        query = pending.pop()
        parts = halves(query)
        try:
            batches.append(parse_logs(await endpoint.ask(*_plain(query, header)), within))
        except (RangeTooWide, TooManyAddresses):
            if parts is None:
                break
            pending += parts
    return await _settled(endpoint, header, filters, None)


def _plain(query: LogFilter, header: BlockHeader) -> tuple[str, list[object], int | None]:
    call = block_call(query, header.hash)
    return call.method, call.params, call.blocks


async def _settled(
    endpoint: Endpoint, header: BlockHeader, filters: Sequence[LogFilter], logs: LogBatch | None
) -> LogBatch:
    """The matching logs of a block by its receipts, where ``logs`` (None: there are none) are in doubt.

    A bloom that complete receipts contradict is wrong, as it is on some chains: that is counted, and the receipts hold.
    """
    found = await read_receipts(endpoint, header)
    kept = _timed(validate.matching(found.logs, filters), [header])
    if found.explains_bloom is False:
        if logs is None or not validate.same_logs(logs, kept):
            raise ProviderLied(f"{endpoint.name}: logs, receipts and bloom of block {header.ref} all differ")
        metrics.IRREGULAR_LOGS.labels(endpoint.chain, "wrong_bloom").inc()
    elif logs is not None and not validate.same_logs(logs, kept):
        endpoint.lied(
            ProviderLied(f"{endpoint.name}: logs of block {hexed(header.hash)} contradict its receipts")
        )
    return kept


def _timed(logs: LogBatch, headers: Sequence[BlockHeader]) -> LogBatch:
    if not validate.numbers_without_time(logs):
        return logs
    return validate.with_times(logs, {header.number: header for header in headers})


def _check_links(endpoint: Endpoint, headers: Sequence[BlockHeader]) -> None:
    for before, after in itertools.pairwise(headers):
        if after.parent_hash != before.hash:
            raise ProviderLied(f"{endpoint.name}: block {after.ref} does not follow block {before.ref}")
