"""What is learned from an endpoint: how much at once, how often, how wide."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import RangeTooWide, RateLimited, RpcTimeout
from indexer.retry import Backoff, retry
from indexer.rpc.health import Health
from indexer.rpc.limits import Limiter
from indexer.rpc.ranges import START_BLOCKS, RangeControl
from indexer.testing.fast_clock import FastClock


class StillClock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class Server:
    """Takes blocks up to a limit that it does not tell."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def takes(self, blocks: int) -> bool:
        return blocks <= self.limit


@given(limit=st.integers(1, 20_000), hinted=st.booleans(), lasting=st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_range_always_gets_through_and_settles_near_the_limit(limit, hinted, lasting):
    server, control = Server(limit), RangeControl(10_000)
    refused = 0
    for _ in range(300):
        size = control.blocks
        while not server.takes(size):
            refused += 1
            smaller = control.refused(size, RangeTooWide("x", limit if hinted else None, lasting=lasting))
            assert smaller < size
            size = max(1, smaller)
        control.succeeded(size, 0, 0)
        assert 1 <= control.blocks <= 10_000
    if lasting:
        assert refused < 40
        assert control.blocks >= min(limit, 10_000) / 2
        assert server.takes(control.blocks) or not hinted


@given(st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 100_000_000)), max_size=50))
@settings(max_examples=100, deadline=None)
def test_a_range_stays_in_bounds_whatever_comes(answers):
    control = RangeControl(5000)
    for logs, nbytes in answers:
        control.succeeded(control.blocks, logs, nbytes)
        assert 1 <= control.blocks <= 5000


def test_a_dense_range_shrinks_to_the_target_and_a_sparse_one_grows():
    control = RangeControl(10_000)
    control.succeeded(500, 100_000, 0)
    assert control.blocks == 100
    for _ in range(12):
        control.succeeded(control.blocks, 0, 0)
    assert control.blocks == 10_000


def test_one_answer_with_enough_logs_leads_to_a_full_span_and_never_beyond_the_target():
    control = RangeControl(10_000)
    control.succeeded(START_BLOCKS, 1_000, 630_000)
    assert control.blocks == 2_500
    control.succeeded(2_500, 25_000, 15_750_000)
    assert control.blocks == 2_501


def test_a_small_query_says_nothing_about_wider_ones():
    control = RangeControl(10_000)
    control.succeeded(10, 0, 0)
    assert control.blocks == START_BLOCKS


def test_a_result_size_hint_is_for_one_request_only():
    control = RangeControl(10_000)
    assert control.refused(START_BLOCKS, RangeTooWide("x", 19)) == 19
    assert control.ceiling == 10_000
    assert control.blocks > START_BLOCKS / 2


async def test_concurrency_grows_and_halves():
    clock = StillClock()
    limiter = Limiter(clock)
    for _ in range(100):
        async with limiter.slot():
            limiter.succeeded()
    grown = limiter.concurrency
    assert grown > 8
    assert limiter.limited(3.0) == 3.0
    assert limiter.concurrency == grown // 2
    limiter.limited(3.0)
    assert limiter.concurrency == grown // 2, "complaints during a pause are one complaint"
    assert limiter.pause_seconds() == 3.0


async def test_a_rate_is_learned_and_held():
    clock = StillClock()
    limiter = Limiter(clock)
    for _ in range(50):
        async with limiter.slot():
            clock.now += 0.1
    limiter.limited(None)
    assert limiter.rate == pytest.approx(8.0, rel=0.1)
    clock.now += limiter.pause_seconds()
    start = clock.now
    for _ in range(17):
        async with limiter.slot():
            pass
    assert clock.now - start >= 16 / limiter.rate - 0.01
    before = limiter.rate
    clock.now += 100
    limiter.succeeded()
    assert limiter.rate > before


async def test_a_complaint_about_next_to_nothing_only_pauses():
    clock = StillClock()
    limiter = Limiter(clock)
    for _ in range(20):
        async with limiter.slot():
            limiter.limited(1.0)
    assert limiter.rate is None
    clock.now += limiter.pause_seconds()
    start = clock.now
    for _ in range(20):
        async with limiter.slot():
            limiter.succeeded()
    assert clock.now == start


async def test_a_learned_rate_is_soon_forgotten():
    clock = StillClock()
    limiter = Limiter(clock)
    for _ in range(12):
        async with limiter.slot():
            clock.now += 0.4
    limiter.limited(1.0)
    assert limiter.rate == pytest.approx(2.0, rel=0.2)
    for _ in range(7):
        clock.now += 5.1
        limiter.succeeded()
    assert limiter.rate > 10


async def test_too_long_a_pause_is_an_error_and_frees_the_slot():
    limiter = Limiter(StillClock())
    limiter.limited(1000.0)
    for _ in range(20):
        with pytest.raises(RateLimited):
            async with limiter.slot():
                raise AssertionError("not admitted")
    assert limiter.in_flight == 0


async def test_never_more_at_once_than_allowed():
    limiter = Limiter(FastClock(), concurrency=3)
    most = 0

    async def work() -> None:
        nonlocal most
        async with limiter.slot():
            most = max(most, limiter.in_flight)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(work() for _ in range(40)))
    assert most == 3
    assert limiter.in_flight == 0


def test_the_bench_grows_with_lies_and_is_forgotten_with_time():
    clock = StillClock()
    health = Health(clock)
    health.lied("x")
    assert not health.up
    clock.now += 2.5
    assert health.up
    health.lied("x")
    clock.now += 2.5
    assert not health.up
    clock.now += 2
    assert health.up
    health.trusted()
    health.trusted()
    health.lied("x")
    clock.now += 2.5
    assert health.up


def test_failures_in_a_row_take_an_endpoint_down_and_an_answer_brings_it_back():
    clock = StillClock()
    health = Health(clock)
    for _ in range(3):
        health.failed("x", 0.1)
    assert not health.up
    clock.now += 10
    assert not health.up
    health.answered(0.1)
    assert health.up


@given(st.integers(0, 5000), st.one_of(st.none(), st.floats(0, 100)))
def test_waits_are_bounded_and_jittered(attempt, least):
    backoff = Backoff(first_seconds=0.1, most_seconds=10)
    delay = backoff.delay(attempt, least)
    assert 0.05 <= delay <= max(10, least or 0)
    assert delay >= (least or 0)


async def test_retry_is_bounded_and_raises_the_last_error():
    clock, calls = StillClock(), 0

    async def fails() -> None:
        nonlocal calls
        calls += 1
        raise RateLimited(f"number {calls}", 7.0) if calls == 1 else RpcTimeout(f"number {calls}")

    with pytest.raises(RpcTimeout, match="number 4"):
        await retry(fails, tries=4, clock=clock)
    assert calls == 4
    assert clock.now >= 107


async def test_retry_passes_other_errors_at_once():
    async def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await retry(fails, tries=4, clock=StillClock())
