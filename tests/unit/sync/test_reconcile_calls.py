"""Answers of contracts are any bytes; calls come at a pace."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.config import PrivacySettings
from indexer.decode.privacy import Privacy
from indexer.sync.reconcile import answers
from indexer.sync.reconcile.calls import Pace, question
from indexer.sync.reconcile.checks import CHECKS
from indexer.sync.reconcile.reads import READS

NOTHING = Privacy(PrivacySettings())
WORDS = st.lists(
    st.one_of(st.integers(0, 200), st.integers(0, 2**256 - 1)).map(lambda one: one.to_bytes(32, "big")),
    max_size=8,
).map(b"".join)
BYTES = st.one_of(st.none(), st.binary(max_size=200), WORDS)


@settings(max_examples=300, deadline=None)
@given(BYTES)
def test_no_answer_whatever_breaks_a_check_or_a_read(answer: bytes | None) -> None:
    for check in CHECKS:
        check.told(answer)
    for read in READS:
        list(read.rows((b"\x01" * 20, 1), [answer] * 4, NOTHING))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (encode(["string"], ["USD Coin"]), "USD Coin"),
        (b"MKR".ljust(32, b"\0"), "MKR"),
        (encode(["bytes"], [b"a\xff\0"]), "a\uf7ff\uf700"),
        (encode(["string"], [""]), None),
        (encode(["string"], ["x" * 70_000]), None),
        (b"", None),
        (None, None),
    ],
)
def test_texts(answer: bytes | None, text: str | None) -> None:
    assert answers.text(answer) == text


def test_addresses_are_bytes_and_zero_is_none() -> None:
    assert answers.address(encode(["address"], ["0x" + "ab" * 20])) == b"\xab" * 20
    assert answers.address(bytes(32)) is None
    assert answers.words_of_addresses(bytes(12) + b"\x01" * 20) == [b"\x01" * 20]
    assert answers.words_of_addresses(b"\x01" * 32) is None


def test_a_question_is_the_call_data_of_its_signature() -> None:
    asked = question(b"\x01" * 20, "balanceOf(address)", b"\x02" * 20)
    assert asked.data.hex() == "70a08231" + "00" * 12 + "02" * 20
    assert question(b"\x01" * 20, "totalSupply()").data.hex() == "18160ddd"


class Still:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_calls_keep_the_pace() -> None:
    clock = Still()
    pace = Pace(clock, 10)
    for _ in range(5):
        await pace.take(50)
    assert clock.now == pytest.approx(20)
    clock.now += 100
    await pace.take(1)
    assert clock.now == pytest.approx(120)
