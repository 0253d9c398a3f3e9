"""A second endpoint's opinion about a range: always for an empty answer, now and then for any.

Where two endpoints differ, the block they differ about is settled by receipts that explain its bloom; the one that was
wrong is benched, and the right answer is given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from indexer.chain.filters import LogFilter
from indexer.errors import IndexerError, ProviderLied
from indexer.rpc import validate
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.reader import Part, read_headers, read_part
from indexer.rpc.receipts import read_receipts


async def settle_difference(
    part: Part, first: Endpoint, second: Endpoint, filters: Sequence[LogFilter], *, check_bloom: bool
) -> tuple[Part, Endpoint]:
    """``part`` by ``first``, unless ``second`` shows that it was wrong; then the part by ``second``.

    A second endpoint that cannot be asked now, or goes less far, confirms nothing and stops nothing.

    Raises:
        ProviderLied: the two differ and it cannot be settled who is right.
    """
    try:
        other = await read_part(second, part.blocks, filters, check_bloom=check_bloom)
    except ProviderLied as error:
        second.lied(error)
        return part, first
    except IndexerError:
        return part, first  # its health has the reason
    if other.blocks != part.blocks:
        return _compared_in_part(part, other, first), first
    if other.end.hash != part.end.hash:
        raise ProviderLied(f"{first.name} and {second.name} have different blocks {part.end.number}")
    if validate.same_logs(part.logs, other.logs):
        return part, first
    number = _first_difference(part, other)
    if await _is_right(second, other, number, filters):
        first.lied(ProviderLied(f"{first.name}: logs of block {number} contradict its receipts"))
        return other, second
    if await _is_right(first, part, number, filters):
        second.lied(ProviderLied(f"{second.name}: logs of block {number} contradict its receipts"))
        return part, first
    raise ProviderLied(f"{first.name} and {second.name} differ about the logs of block {number}")


def _compared_in_part(part: Part, other: Part, first: Endpoint) -> Part:
    """The second went less far: compare what it gave, and raise where that differs."""
    last = int(np.searchsorted(part.logs.block_number, other.blocks.last, side="right"))
    mine = part.logs.take(np.arange(last), other.blocks)
    if not validate.same_logs(mine, other.logs):
        raise ProviderLied(f"{first.name} and another endpoint differ about the logs of {other.blocks}")
    return part


def _first_difference(part: Part, other: Part) -> int:
    """The lowest block about which two parts differ; they do differ."""
    numbers = np.union1d(part.logs.block_number, other.logs.block_number)
    for number in numbers:
        mine, theirs = (validate.of_block(one.logs, int(number)) for one in (part, other))
        if not validate.same_logs(mine, theirs):
            return int(number)
    raise AssertionError("two parts that differ have a block that differs")


async def _is_right(endpoint: Endpoint, part: Part, number: int, filters: Sequence[LogFilter]) -> bool:
    """Whether receipts that explain the block's bloom show the logs that the endpoint gave."""
    try:
        header = (await read_headers(endpoint, [number]))[0]
        receipts = await read_receipts(endpoint, header)
    except IndexerError:
        return False
    told = validate.matching(receipts.logs, filters)
    return receipts.explains_bloom is not False and validate.same_logs(
        told, validate.of_block(part.logs, number)
    )
