"""Blocks of transactions, upgrades and reorgs: what happens on the demo's chain, and when."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from indexer.demo.actions import Action, People
from indexer.demo.anvil import AnvilClient
from indexer.demo.calls import Send
from indexer.demo.dealings import ACTIONS
from indexer.demo.deploy import Deployment, run, upgrade

REORG_EVERY_BLOCKS = 6
UPGRADE_AT_BLOCK = 14
UPGRADE_EVERY_BLOCKS = 60
DEPTHS = (2, 5, 1, 9, 3, 14, 7, 24)
DEEPEST = max(DEPTHS)
Fate = Literal["reorder", "drop", "empty"]
FATES: tuple[Fate, ...] = ("drop", "reorder", "reorder", "reorder", "empty")


@dataclass(frozen=True, slots=True)
class ReorgDone:
    """A reorg that was made: the last ``depth`` blocks, with ``kept`` of ``had`` transactions in them again."""

    depth: int
    fate: Fate
    had: int
    kept: int


@dataclass(slots=True)
class TrafficCount:
    """What was made so far."""

    blocks: int = 0
    transactions: int = 0
    upgrades: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    reorgs: list[ReorgDone] = field(default_factory=list)


class Traffic:
    """Makes the chain live. With one seed, the same transactions in the same order.

    ``reorg_every`` is how many live blocks lie between reorgs.
    """

    def __init__(
        self, client: AnvilClient, made: Deployment, seed: int, reorg_every: int = REORG_EVERY_BLOCKS
    ) -> None:
        self._client = client
        self._reorg_every = reorg_every
        self._steps = 0
        self._made = made
        self._dice = random.Random(seed)  # noqa: S311  # a demonstration wants to be repeatable
        self._people = People(client, made, self._dice)
        self.count = TrafficCount()

    async def history(self, blocks: int, stopped: Callable[[], bool] = lambda: False) -> None:
        """Blocks for a backfill: everything there is but reorgs, as fast as anvil takes it, unless ``stopped``."""
        for _ in range(blocks):
            if stopped():
                return
            await self.block()

    async def step(self) -> ReorgDone | None:
        """One step of live traffic: a block, at times after an upgrade or after a reorg of the blocks before it."""
        done = None
        if self._steps and self._steps % self._reorg_every == 0:
            made = len(self.count.reorgs)
            done = await self.reorg(DEPTHS[made % len(DEPTHS)], FATES[made % len(FATES)])
        self._steps += 1
        if self._steps % UPGRADE_EVERY_BLOCKS == UPGRADE_AT_BLOCK:
            await self.upgrade()
        await self.block()
        return done

    async def block(self) -> None:
        """Mine one block with what a few people do."""
        sends: list[Send] = []
        for action in self._choice():
            made = await action(self._people)
            self.count.actions[action.__name__] += bool(made)
            sends += made
        await self._client.batch([("eth_sendTransaction", (send.request(),)) for send in sends])
        await self._client.mine()
        self.count.blocks += 1
        self.count.transactions += len(sends)

    async def upgrade(self) -> None:
        """Mine a block with a cut that replaces, adds and removes functions; the next one takes it back."""
        await run(self._client, [upgrade(self._made, back=self._people.upgraded)])
        self._people.upgraded = not self._people.upgraded
        self.count.upgrades += 1
        self.count.blocks += 1

    async def reorg(self, depth: int, fate: Fate) -> ReorgDone:
        """Replace the last ``depth`` blocks; ``fate`` says what becomes of their transactions."""
        head = await self._client.head()
        had = await self._client.transactions_above(head - depth)
        queues: dict[str, list[str]] = defaultdict(list)
        for sender, raw in had:
            queues[sender].append(raw)
        again = replayed(list(queues.values()), depth, fate, self._dice)
        await self._client.reorg(depth, again)
        await self._look_again()
        done = ReorgDone(depth, fate, len(had), len(again))
        self.count.reorgs.append(done)
        return done

    async def _look_again(self) -> None:
        """Whether the second carbon facet is still in: the cut itself may have been dropped."""
        facets = await self._people.ask(self._made.diamond, "facetAddresses")
        self._people.upgraded = self._made.facets["CarbonFacetV2"] in facets

    def _choice(self) -> Sequence[Action]:
        actions, weights = zip(*ACTIONS, strict=True)
        return self._dice.choices(actions, weights, k=self._dice.randrange(3, 6))


def replayed(queues: list[list[str]], depth: int, fate: Fate, dice: random.Random) -> list[tuple[str, int]]:
    """Transactions for the new branch, each with the offset of its block.

    ``queues`` holds each sender's transactions in the order of their nonces, which stays; across senders and blocks
    everything is shuffled. With ``drop`` each sender loses some of the last ones, with ``empty`` all are lost.
    """
    if fate == "empty":
        return []
    kept = [queue[: dice.randrange(len(queue) + 1)] if fate == "drop" else list(queue) for queue in queues]
    turns = [place for place, queue in enumerate(kept) for _ in queue]
    dice.shuffle(turns)
    offsets = sorted(dice.randrange(depth) for _ in turns)
    taken = [iter(queue) for queue in kept]
    return [(next(taken[place]), offset) for place, offset in zip(turns, offsets, strict=True)]
