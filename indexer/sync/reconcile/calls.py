"""Questions to contracts: many in one request, at a pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak

from indexer.clock import Clock
from indexer.rpc.client import ChainClient

MULTICALL = bytes.fromhex("ca11bde05977b3631167028862be2a173976ca11")
"""Multicall3, which has this address on nearly every chain."""

AGGREGATE = bytes.fromhex("82ad56cb")
"""``aggregate3((address,bool,bytes)[])``."""

TOGETHER = 50
"""Questions in one request: far below what a node's gas limit for calls allows."""


@dataclass(frozen=True, slots=True)
class Question:
    """Call data for one contract."""

    to: bytes
    data: bytes


def question(to: bytes, signature: str, *arguments: object) -> Question:
    """A view function by its signature, such as ``balanceOf(address)``, with its arguments."""
    data = keccak(signature.encode())[:4]
    inner = signature.partition("(")[2].removesuffix(")")
    if inner:
        data += encode(inner.split(","), arguments)
    return Question(to, data)


class Pace:
    """Lets through so many calls a second on the average, and never a burst of more than one request."""

    def __init__(self, clock: Clock, calls_per_second: float) -> None:
        self._clock = clock
        self._seconds = 1.0 / calls_per_second
        self._free_at = clock.monotonic()

    async def take(self, calls: int) -> None:
        """Wait until ``calls`` more may be sent."""
        now = self._clock.monotonic()
        start = max(now, self._free_at)
        self._free_at = start + calls * self._seconds
        if start > now:
            await self._clock.sleep(start - now)


class Views:
    """View functions at one block.

    Args:
        client: the chain.
        block: the block, final.
        pace: bounds the calls.
        multicall: whether ``MULTICALL`` has code at that block; a multicall counts as one call.
    """

    def __init__(self, client: ChainClient, block: int, pace: Pace, *, multicall: bool) -> None:
        self.block = block
        self._client = client
        self._pace = pace
        self._multicall = multicall

    @classmethod
    async def at(cls, client: ChainClient, block: int, pace: Pace) -> Views:
        """Views at ``block``; asks whether there is a multicall contract."""
        await pace.take(1)
        return cls(client, block, pace, multicall=bool(await client.code(MULTICALL, block)))

    async def ask(self, questions: Sequence[Question]) -> list[bytes | None]:
        """The answers, in order; None where a call reverts, empty where there is no contract.

        Raises what the client raises; nothing is known then.
        """
        answers: list[bytes | None] = []
        for start in range(0, len(questions), TOGETHER):
            answers += await self._together(questions[start : start + TOGETHER])
        return answers

    async def _together(self, questions: Sequence[Question]) -> list[bytes | None]:
        if not self._multicall or len(questions) == 1:
            await self._pace.take(len(questions))
            return await self._client.call_many([(one.to, one.data) for one in questions], self.block)
        await self._pace.take(1)
        answer = await self._client.call(MULTICALL, _aggregate(questions), self.block)
        found = None if answer is None else _results(answer, len(questions))
        if found is not None:
            return found
        # One of them takes more gas than a call may: found by halving.
        half = len(questions) // 2
        return await self._together(questions[:half]) + await self._together(questions[half:])


def _aggregate(questions: Sequence[Question]) -> bytes:
    return AGGREGATE + encode(
        ["(address,bool,bytes)[]"], [[("0x" + one.to.hex(), True, one.data) for one in questions]]
    )


def _results(answer: bytes, count: int) -> list[bytes | None] | None:
    """What each call of a multicall gave; None when the answer is not that of a multicall."""
    try:
        (found,) = decode(["(bool,bytes)[]"], answer)
    except (DecodingError, OverflowError):
        return None
    return [data if success else None for success, data in found] if len(found) == count else None
