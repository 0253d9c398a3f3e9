"""Fetching ahead: in order, several at once, within the bounds on requests and bytes, small chunks joined."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from indexer.chain.filters import LogFilter
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.rpc.client import RangeLogs
from indexer.sync.backfill import Chunk, fetch_ahead
from indexer.sync.ownership import Wanted

WANTED = Wanted(frozenset({"token"}))


def one_log_a_block(blocks: BlockRange) -> LogBatch:
    count = len(blocks)
    return LogBatch(
        range=blocks,
        block_number=np.arange(blocks.first, blocks.last + 1, dtype=np.int64),
        block_time=np.ones(count, np.int64),
        tx_index=np.zeros(count, np.int32),
        log_index=np.zeros(count, np.int32),
        block_hash=np.zeros((count, 32), np.uint8),
        tx_hash=np.zeros((count, 32), np.uint8),
        address=np.zeros((count, 20), np.uint8),
        topics=np.zeros((count, 4, 32), np.uint8),
        topic_count=np.ones(count, np.uint8),
        data=np.zeros(0, np.uint8),
        data_offset=np.zeros(count + 1, np.int64),
    )


class Client:
    """Answers after ``gate`` opens, or at once; notes how many requests were under way."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.gate = asyncio.Event()
        self.under_way = 0
        self.most = 0
        self.asked: list[BlockRange] = []
        self.fails_at: int | None = None

    def suggested_blocks(self) -> int:
        return self.size

    async def logs_in_range(self, blocks: BlockRange, _filters: Any) -> RangeLogs:
        self.asked.append(blocks)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.gate.wait()
            if self.fails_at is not None and self.fails_at in blocks:
                raise ConnectionError("gone")
        finally:
            self.under_way -= 1
        end = BlockHeader(blocks.last, bytes(32), bytes(32), 1)
        return RangeLogs(one_log_a_block(blocks), end, "here")


def session(client: Client, **limits: int) -> Any:
    asked = [LogFilter(None, None)]
    given = {"concurrency": 4, "commit_bytes": 1 << 30, "queue_bytes": 1 << 30} | limits
    return SimpleNamespace(
        client=client,
        limits=SimpleNamespace(**given),
        ownership=SimpleNamespace(filters=lambda _wanted, _last: asked),
        answer_bytes=None,
    )


async def all_of(client: Client, blocks: BlockRange, **limits: int) -> list[Chunk]:
    return [chunk async for chunk in fetch_ahead(session(client, **limits), WANTED, blocks)]


async def until_idle() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.mark.parametrize("commit_bytes", [1, 20_000, 1 << 30])
async def test_chunks_come_in_order_without_gap_or_overlap_whatever_is_joined(commit_bytes: int) -> None:
    client = Client(10)
    client.gate.set()
    chunks = await all_of(client, BlockRange(5, 504), commit_bytes=commit_bytes)
    assert [
        number for chunk in chunks for number in range(chunk.blocks.first, chunk.blocks.last + 1)
    ] == list(range(5, 505))
    for chunk in chunks:
        assert chunk.end.number == chunk.blocks.last
        assert chunk.raw.logs.range == chunk.blocks
        assert chunk.raw.logs.block_number.tolist() == list(range(chunk.blocks.first, chunk.blocks.last + 1))
        assert chunk.raw.logs.nbytes <= max(commit_bytes, one_log_a_block(BlockRange(1, 10)).nbytes)
    assert len(client.asked) == 50, "nothing is asked for twice"


async def test_small_chunks_that_wait_come_out_as_one_and_can_fetch_more_of_all_their_blocks() -> None:
    client = Client(10)
    client.gate.set()
    chunks = fetch_ahead(session(client), WANTED, BlockRange(0, 99))
    first = await anext(chunks)
    await until_idle()
    joined = await anext(chunks)
    assert joined.blocks == BlockRange(first.blocks.last + 1, 99)
    assert (await joined.raw.fetch([])).range == joined.blocks


async def test_requests_begin_as_soon_as_others_end_though_nobody_takes_anything() -> None:
    client = Client(10)
    chunks = fetch_ahead(session(client), WANTED, BlockRange(0, 10_000))
    taking = asyncio.ensure_future(anext(chunks))
    await until_idle()
    assert len(client.asked) == 1, "the first answer tells how much to ask for"
    client.gate.set()
    await asyncio.sleep(0)
    client.gate.clear()
    await until_idle()
    assert client.under_way == 4
    client.gate.set()
    await taking
    await until_idle()
    assert client.most == 4
    assert 60 <= len(client.asked) <= 70, "chunks that wait are bounded in number"
    await chunks.aclose()


async def test_the_next_range_of_a_session_need_not_find_out_how_much_to_ask_for() -> None:
    client = Client(10)
    client.gate.set()
    here = session(client)
    assert [chunk async for chunk in fetch_ahead(here, WANTED, BlockRange(0, 99))]
    client.gate.clear()
    client.asked.clear()
    chunks = fetch_ahead(here, WANTED, BlockRange(100, 999))
    taking = asyncio.ensure_future(anext(chunks))
    await until_idle()
    assert len(client.asked) == 4
    client.gate.set()
    await taking
    await chunks.aclose()


async def test_what_waits_is_bounded_in_bytes() -> None:
    client = Client(10)
    client.gate.set()
    size = one_log_a_block(BlockRange(1, 10)).nbytes
    chunks = fetch_ahead(session(client, queue_bytes=10 * size), WANTED, BlockRange(0, 10_000))
    await anext(chunks)
    await until_idle()
    assert len(client.asked) <= 15
    await chunks.aclose()


async def test_an_error_comes_in_its_turn_and_ends_everything() -> None:
    client = Client(10)
    client.fails_at = 35
    client.gate.set()
    chunks = fetch_ahead(session(client, commit_bytes=1), WANTED, BlockRange(0, 999))
    assert [(await anext(chunks)).blocks.last for _ in range(3)] == [9, 19, 29]
    with pytest.raises(ConnectionError):
        await anext(chunks)
    assert client.under_way == 0
