"""Random histories of a chain, applied as commits: what holds projections to the law.

The law: any split into commits, with any reorgs between, ends in the rows of one pass over the canonical events. A speaker
makes random events (``rng`` and ``block()``); a ledger holds them (tests/property/projections/conftest.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from indexer.projections.runner import Projections

Blocks = dict[int, list[Any]]


class History:
    """One random history on one chain: a backfill in random steps, then commits with reorgs of random depth.

    ``blocks`` holds the canonical events by block number, ``reorgs`` how often blocks were replaced.
    """

    def __init__(self, ledger: Any, speaker: Any) -> None:
        self.ledger = ledger
        self.speaker = speaker
        self.rng = speaker.rng
        self.blocks: Blocks = {}
        self.final = -1
        self.reorgs = 0

    @property
    def tip(self) -> int:
        return max(self.blocks, default=-1)

    async def plant(self, ledger: Any) -> None:
        """What is known of a chain beside its events; nothing here."""

    async def run(self) -> None:
        await self.plant(self.ledger)
        await self.mine(self.rng.randrange(1, 12), fold=False)
        self.final = self.tip
        await self.ledger.ends(self.tip, self.final)
        await self.backfill()
        for _ in range(self.rng.randrange(5, 13)):
            await self.rng.choice(
                (self.extend, self.extend, self.reorg, self.reorg, self.finalize, self.late)
            )()
        await self.ledger.fold(self.tip, self.tip)

    async def backfill(self) -> None:
        first = 0
        while first <= self.tip:
            last = min(first + self.rng.randrange(6), self.tip)
            await self.ledger.fold(first, last, journal=False)
            first = last + 1

    async def mine(self, count: int, *, fold: bool = True) -> None:
        first = self.tip + 1
        for number in range(first, first + count):
            self.blocks[number] = self.speaker.block()
            await self.ledger.say(number, self.blocks[number])
        await self.ledger.ends(self.tip, self.final)
        if fold:
            await self.ledger.fold(first, self.tip)

    async def extend(self) -> None:
        async with self.ledger.connection.transaction():
            await self.mine(self.rng.randrange(1, 4))

    async def late(self) -> None:
        """Commits without a fold: the projections trail, and the next commit takes them along."""
        await self.mine(self.rng.randrange(1, 3), fold=False)

    async def finalize(self) -> None:
        self.final = self.rng.randrange(max(self.final, 0), self.tip + 1)
        await self.ledger.ends(self.tip, self.final)
        if self.rng.random() < 0.5:
            await self.ledger.projections.forget(self.ledger.connection, self.ledger.chain_id, self.final)

    async def reorg(self) -> None:
        if self.tip <= self.final:
            return
        self.reorgs += 1
        ancestor = self.rng.randrange(max(self.final, 0), self.tip)
        async with self.ledger.connection.transaction():
            await self.ledger.unsay(ancestor)
            await self.ledger.projections.unfold(self.ledger.connection, self.ledger.chain_id, ancestor)
            self.blocks = {number: said for number, said in self.blocks.items() if number <= ancestor}
            await self.mine(self.rng.randrange(1, 5))


async def hold_to_law(
    base: Any,
    pool: Any,
    new_ledger: Any,
    projections: Projections,
    make_history: Callable[[Any], History],
    seed: int,
    check: Callable[[Any, History], Awaitable[None]],
) -> tuple[int, int]:
    """Play one history and compare its end with one pass, with ``check``, and now and then with a rebuild.

    Args:
        make_history: a history over a ledger.
        seed: gives the two chains their numbers; every tenth is rebuilt.
        check: holds the ledger of the history against folds that share nothing with the SQL.

    Returns:
        The number of reorgs, and of rows at the end.
    """
    ledger, once = new_ledger(base, projections, 2 * seed + 1), new_ledger(base, projections, 2 * seed + 2)
    await ledger.open()
    await once.open()
    history = make_history(ledger)
    await history.run()
    await history.plant(once)
    for number, block in history.blocks.items():
        await once.say(number, block)
    await once.ends(history.tip, -1)
    await once.fold(0, history.tip, journal=False)
    split, whole = await ledger.state(), await once.state()
    for table, rows in whole.items():
        assert split[table] == rows, f"seed {seed}: {table}"
    await check(ledger, history)
    if seed % 10 == 0:
        await projections.rebuild(pool, None, chain_id=ledger.chain_id)
        assert await ledger.state() == whole, f"seed {seed}: rebuilt"
    return history.reorgs, sum(map(len, whole.values()))
