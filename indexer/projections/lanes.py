"""Folds what is final, beside commits that go on: several projections at a time, each in transactions of its own.

Projections that run after one another stay together in one transaction, since the later one reads what the earlier one has
just written. All others know nothing of each other, and one that has little to do does not wait for one that has much.
A step holds the lease's row and the books of what it folds, and nothing else: two of them never wait for each other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from asyncpg import Connection, Pool

from indexer.chain.refs import BlockRange
from indexer.projections import books, folding
from indexer.projections.books import Standing, sql
from indexer.projections.files import Projection
from indexer.store.lease import hold_lease

LANES = 2
"""Steps at the same time: more would take the database's processors from the commits beside them."""

Unit = tuple[Projection, ...]
"""Projections that are folded in one transaction, in the order they run in."""


@dataclass(frozen=True, slots=True)
class FinalFolds:
    """The folds of one chain up to its last final block, under ``epoch`` of its lease.

    ``versions`` names what makes the rows of each projection; one whose rows another version made is left alone.
    ``step_rows`` bounds a step, as in ``folding.step_end``.
    """

    projections: Sequence[Projection]
    versions: Mapping[str, str]
    chain_id: int
    epoch: int
    step_rows: int

    async def run(self, pool: Pool, through: int) -> None:
        """Fold everything final up to block ``through``.

        Raises:
            LeaseLost: another daemon writes the chain now.
            ConfigError, InvariantViolated: see ``folding.run``.
        """
        waiting = deque(await self._pass_over_idle(pool, through))
        lanes = [
            asyncio.create_task(self._lane(pool, waiting, through)) for _ in range(min(LANES, len(waiting)))
        ]
        if not lanes:
            return
        try:
            await asyncio.wait(lanes, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for lane in lanes:
                lane.cancel()
            ends = await asyncio.gather(*lanes, return_exceptions=True)
        for failed in ends:
            if isinstance(failed, Exception):  # the others were cancelled because of it
                raise failed

    async def _pass_over_idle(self, pool: Pool, through: int) -> list[Unit]:
        """Advance, at once, the projections that have nothing to fold; the units that have something."""
        idle: dict[str, int] = {}
        busy: set[str] = set()
        async with pool.acquire() as connection, connection.transaction():
            end = await self._hold(connection, through)
            standings = await books.lock(connection, self.chain_id, self.versions)
            for first, group in lagging(self.projections, standings, self.versions, end):
                blocks = BlockRange(first, end)
                work = {one.name for one in await folding.busy(connection, self.chain_id, group, blocks)}
                busy |= work
                idle |= {one.name: end for one in group if one.name not in work}
            units = [unit for unit in units_of(self.projections) if not busy.isdisjoint(_names(unit))]
            together = {name for unit in units for name in _names(unit)}
            await self._advance(connection, sorted(idle.keys() - together), end)
            await folding.gather_statistics(connection, [one for unit in units for one in unit])
        return units

    async def _lane(self, pool: Pool, waiting: deque[Unit], through: int) -> None:
        while waiting:
            unit = waiting.popleft()
            while await self._step(pool, unit, through):
                pass

    async def _step(self, pool: Pool, unit: Unit, through: int) -> bool:
        """Fold one step of those of ``unit`` that are furthest behind; False when none is behind."""
        async with pool.acquire() as connection, connection.transaction():
            end = await self._hold(connection, through)
            standings = await books.lock_some(connection, self.chain_id, _names(unit))
            first, group = next(lagging(unit, standings, self.versions, end), (0, []))
            if not group:
                return False
            blocks = await folding.begin_step(
                connection, self.chain_id, group, BlockRange(first, end), self.step_rows
            )
            folded = await folding.apply(connection, self.chain_id, group, blocks, journal=False)
            await self._advance(connection, folded, blocks.last)
            return True

    async def _hold(self, connection: Connection, through: int) -> int:
        """The last block to fold: what is final does not change while the lease is held."""
        await hold_lease(connection, self.chain_id, self.epoch)
        ends = await books.hold_folds(connection, self.chain_id)
        return min(through, ends.finalized, ends.tip)

    async def _advance(self, connection: Connection, names: Sequence[str], last: int) -> None:
        await connection.execute(sql("advance_final"), self.chain_id, names, last)


def lagging(
    projections: Iterable[Projection],
    standings: Mapping[str, Standing],
    versions: Mapping[str, str],
    last: int,
) -> Iterator[tuple[int, list[Projection]]]:
    """Projections that hold through less than ``last`` and are of today's version, by their next block."""
    groups: dict[int, list[Projection]] = {}
    for one in projections:
        standing = standings.get(one.name)
        if (
            standing is not None
            and standing.through < last
            and versions.get(standing.name) == standing.version
        ):
            groups.setdefault(standing.through + 1, []).append(one)
    yield from sorted(groups.items())


def units_of(projections: Sequence[Projection]) -> list[Unit]:
    """The projections in groups that nothing runs between: those that run after one another are in one group."""
    unit_of: dict[str, list[Projection]] = {}
    for one in projections:  # what it runs after comes before it
        merged = [one]
        for joined in {id(unit_of[name]): unit_of[name] for name in one.after}.values():
            merged = [*joined, *merged]
        unit_of |= dict.fromkeys((member.name for member in merged), merged)
    order = {one.name: place for place, one in enumerate(projections)}
    distinct = {id(unit): unit for unit in unit_of.values()}.values()
    return [tuple(sorted(unit, key=lambda one: order[one.name])) for unit in distinct]


def _names(unit: Unit) -> list[str]:
    return [one.name for one in unit]
