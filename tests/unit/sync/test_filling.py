"""A backfill's stages beside each other: commits keep their order, a failure is never skipped, folds trail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from indexer.chain.refs import BlockHeader, BlockRange
from indexer.sync import filling
from indexer.sync.backfill import Chunk
from indexer.sync.filling import Filling
from indexer.sync.ownership import Wanted

BLOCKS = BlockRange(0, 9)


class Work:
    """Stands for session, committer and store: what happened, in order, and what is made to happen."""

    def __init__(self) -> None:
        self.committed: list[int] = []
        self.told: list[int] = []
        self.prepared: list[int] = []
        self.folds: list[int] = []
        self.fails_at: int | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.fold_gate = asyncio.Event()
        self.fold_gate.set()
        self.logs_committed = 0
        self.under_way = 0
        self.cancelled = 0

    def filling(self) -> Filling:
        session: Any = _Session(self)
        committer: Any = self
        return Filling(session, committer, self.note)

    async def prepare(self, raw: int, _wanted: Wanted, _blocks: BlockRange) -> Any:
        self.prepared.append(raw)
        return SimpleNamespace(logs=raw, decoded=None)

    async def extend(self, prepared: Any, *_: Any, **_more: Any) -> None:
        assert not self.under_way, "one commit at a time"
        self.under_way += 1
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            if prepared.logs == self.fails_at:
                raise ConnectionError("gone")
            self.committed.append(prepared.logs)
            self.logs_committed += 1
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1

    async def note(self, prepared: Any, _blocks: BlockRange) -> None:
        self.told.append(prepared.logs)

    async def trail(self, _pool: None, _chain: int, through: int, _epoch: int) -> None:
        await self.fold_gate.wait()
        self.folds.append(through)


class _Session:
    chain_id = epoch = 1
    store = SimpleNamespace(pool=None)

    def __init__(self, work: Work) -> None:
        self.preparer = self.projections = work

    @property
    def logs_committed(self) -> int:
        return self.preparer.logs_committed

    @property
    def tip_number(self) -> int:
        return len(self.preparer.committed) - 1

    def active(self, _block: int) -> Wanted:
        return Wanted(frozenset({"token"}))

    def sources_of(self, _wanted: Wanted) -> list[Any]:
        return []


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    async def ahead(_session: Any, _wanted: Wanted, blocks: BlockRange) -> AsyncIterator[Chunk]:
        for number in range(blocks.first, blocks.last + 1):
            raw: Any = number
            yield Chunk(BlockRange(number, number), raw, BlockHeader(number, bytes(32), bytes(32), 1))

    async def encoded(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(filling, "fetch_ahead", ahead)
    monkeypatch.setattr(filling, "encode_aside", encoded)
    monkeypatch.setattr(filling, "FOLD_LOGS", 2)
    monkeypatch.setattr(filling, "TRAIL_LOGS", 5)
    return Work()


async def until_idle() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


async def test_everything_is_committed_once_and_in_order(work: Work) -> None:
    await work.filling().run(BLOCKS)
    assert work.committed == work.told == list(range(10))
    assert work.folds == sorted(work.folds)
    assert work.folds


async def test_a_slow_database_holds_up_preparing(work: Work) -> None:
    work.gate.clear()
    running = asyncio.ensure_future(work.filling().run(BLOCKS))
    await until_idle()
    assert work.prepared == [0, 1, 2], "one is committed, one is ready, one waits to be"
    work.gate.set()
    await running
    assert work.committed == list(range(10))


async def test_nothing_is_committed_after_what_failed(work: Work) -> None:
    work.fails_at = 3
    with pytest.raises(ConnectionError):
        await work.filling().run(BLOCKS)
    await until_idle()
    assert work.committed == [0, 1, 2]


async def test_a_commit_under_way_ends_when_the_work_is_stopped_and_no_other_begins(work: Work) -> None:
    work.gate.clear()
    running = asyncio.ensure_future(work.filling().run(BLOCKS))
    await until_idle()
    running.cancel()
    await until_idle()
    work.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert work.committed == [0]
    assert not work.cancelled


async def test_commits_go_on_beside_a_fold_until_it_trails_too_far(work: Work) -> None:
    work.fold_gate.clear()
    running = asyncio.ensure_future(work.filling().run(BLOCKS))
    await until_idle()
    assert 5 < len(work.committed) < 10
    work.fold_gate.set()
    await running
    assert work.committed == list(range(10))
