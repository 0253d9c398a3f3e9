"""Random histories of a chain, applied as commits: what holds projections to the law.

The law: any split into commits, with any reorgs between, ends in the rows of one pass over the canonical events. A speaker
makes random events (``rng`` and ``block()``); a ledger puts them into the database.

Thousands of histories are played, so they are cheap: statements are prepared once and planned once, those without a result
travel together (``queued.py``), a batch of histories takes turns on chains of one database, and what came out is read and
compared for the whole batch.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ledger import LEADING, Ledger
from queued import QueuedConnection

from indexer.projections.runner import Projections
from indexer.store.connect import connect, open_pool

Blocks = dict[int, list[Any]]
Rows = dict[str, list[dict[str, Any]]]

BATCH = 50
"""Histories that are compared together."""

SHORT = [range(first, first + 100) for first in range(0, 1000, 100)]
"""Seeds of the histories of ``make test``, a database for each hundred."""

LONG = [range(first, first + 500) for first in range(10_000, 30_000, 500)]
"""Those of ``make test-long`` beside them."""

REBUILT_OF = 25
"""Every 25th history is rebuilt as well."""

SETTINGS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "synchronous_commit": "off",
}
"""Tables are empty when statements are planned, and that once: without the second the plans would suit empty tables."""


def plain(value: Any) -> Any:
    """A value of an event for JSON."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat()


class LawLedger(Ledger):
    """A ledger that takes many blocks at once. ``documents`` has the jsonb columns of each event table."""

    def __init__(
        self, connection: Any, projections: Projections, chain_id: int, documents: dict[str, set[str]]
    ) -> None:
        super().__init__(connection, projections, chain_id)
        self._documents = documents
        self._spoken: set[str] = set()

    def rows_of(self, blocks: Blocks) -> Rows:
        """The rows of the events of these blocks, by table."""
        rows: Rows = defaultdict(list)
        for number, events in blocks.items():
            for place, event in enumerate(events):
                values = dict(zip(LEADING, self.head(number, place, event), strict=True)) | event.values
                for column in self._documents[event.table] & event.values.keys():
                    if isinstance(values[column], str):
                        values[column] = json.loads(values[column])
                rows[event.table].append(values)
        return rows

    async def open(self) -> None:
        """Also enters the projections into the chain's books, as a daemon does before its first commit."""
        await super().open()
        await self.projections._lock(self.connection, self.chain_id)

    async def say_all(self, blocks: Blocks) -> None:
        """Insert the events of several blocks."""
        rows = self.rows_of(blocks)
        self._spoken |= rows.keys()
        await insert(self.connection, rows)

    async def unsay(self, ancestor: int) -> None:
        await self.remove(ancestor, [f"event.{table}" for table in sorted(self._spoken)])


async def insert(connection: Any, rows: Rows) -> None:
    """Insert rows of event tables."""
    for table, records in rows.items():
        await connection.execute(
            f"INSERT INTO event.{table} SELECT * FROM jsonb_populate_recordset(NULL::event.{table}, $1)",
            json.dumps(records, default=plain),
        )


class History:
    """One random history on one chain: a backfill in random steps, then commits with reorgs of random depth.

    ``blocks`` holds the canonical events by block number, ``reorgs`` how often blocks were replaced.
    """

    def __init__(self, ledger: LawLedger, speaker: Any) -> None:
        self.ledger = ledger
        self.speaker = speaker
        self.rng = speaker.rng
        self.blocks: Blocks = {}
        self.final = -1
        self.reorgs = 0

    @property
    def tip(self) -> int:
        return max(self.blocks, default=-1)

    async def plant(self, ledger: LawLedger) -> None:
        """What is known of a chain beside its events; nothing here."""

    async def run(self) -> None:
        await self.plant(self.ledger)
        await self.mine(self.rng.randrange(1, 10), fold=False)
        self.final = self.tip
        await self.ledger.ends(self.tip, self.final)
        await self.backfill()
        for _ in range(self.rng.randrange(5, 11)):
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
        mined = {number: self.speaker.block() for number in range(first, first + count)}
        self.blocks |= mined
        await self.ledger.say_all(mined)
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


@dataclass(frozen=True)
class Held:
    """The state tables of one chain, as read back: records by table (with its schema)."""

    tables: dict[str, list[Any]]

    def records(self, table: str) -> list[Any]:
        """The records of a table of schema state."""
        return self.tables[f"state.{table}"]

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Some columns of these records, in PostgreSQL's order (nothing comes last)."""
        rows = [tuple(record[column] for column in columns) for record in self.records(table)]
        return sorted(rows, key=lambda row: [(value is None, value) for value in row])


def assert_rows(
    held: Held,
    table: str,
    keys: tuple[str, ...],
    told: dict[tuple[Any, ...], dict[str, Any]],
    without: tuple[str, ...] = (),
) -> None:
    """Every row of a table, with every column but ``without``, is what was ``told``, by its key.

    Raises:
        AssertionError: naming what differs: key, column, what SQL made, what Python made.
    """
    ours = {"chain_id", *keys, *without}
    found = {
        tuple(row[key] for key in keys): {
            column: value for column, value in row.items() if column not in ours
        }
        for row in held.records(table)
    }
    if found == told:
        return
    differ = [
        (key, "only in SQL" if key in found else "only in Python") for key in found.keys() ^ told.keys()
    ]
    differ += [
        (key, column, found[key].get(column, "none"), told[key].get(column, "none"))
        for key in found.keys() & told.keys()
        for column in found[key].keys() | told[key].keys()
        if found[key].get(column, "none") != told[key].get(column, "none")
    ]
    raise AssertionError(f"{table}: {differ[:10]}")


Check = Callable[[Held, History], None]


@dataclass(frozen=True)
class Law:
    """What is held to the law together.

    ``names`` are the projections, ``begin`` makes a history of a ledger and a seed, ``check`` holds what came out against
    folds that share nothing with the SQL, ``prepare`` puts into a fresh database what belongs to no chain. Tables ``elsewhere``
    get no rows of what its speaker says; another law is about them. ``own`` is a folder of the operator's files; ``rows`` is how many each
    history makes at least, on average.
    """

    names: frozenset[str]
    begin: Callable[[LawLedger, int], History]
    check: Check
    prepare: Callable[[Any], Awaitable[None]] | None = None
    elsewhere: frozenset[str] = frozenset()
    own: Path | None = None
    rows: int = 10

    @property
    def tables(self) -> frozenset[str]:
        """The tables that this law is about."""
        return frozenset(table for one in self.projections().all for table in one.tables) - self.elsewhere

    def projections(self) -> Projections:
        """Those of the names."""
        folders = [] if self.own is None else [self.own]
        return Projections([one for one in Projections.load(own=folders).all if one.name in self.names])

    def hold(self, url: str, seeds: Sequence[int]) -> None:
        """Play a history for each seed in the fresh database ``url``."""
        asyncio.run(self._hold(url, seeds))

    async def _hold(self, url: str, seeds: Sequence[int]) -> None:
        projections = self.projections()
        connection, pool = await connect(url), await open_pool(url, size=3)
        try:
            for name, value in SETTINGS.items():
                await connection.execute(f"SET {name} = {value}")
            await projections.make_tables(connection)
            if self.prepare is not None:
                await self.prepare(connection)
            trial = Trial(self, QueuedConnection(connection), pool, projections, await documents(connection))
            for first in range(0, len(seeds), BATCH):
                await trial.batch(seeds[first : first + BATCH])
            trial.was_worth_it(len(seeds))
        finally:
            await pool.close()
            await connection.close()


async def documents(connection: Any) -> dict[str, set[str]]:
    """The jsonb columns of each event table."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in await connection.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'event' AND data_type = 'jsonb'"
    ):
        found[row["table_name"]].add(row["column_name"])
    return found


class Trial:
    """Histories of one law in one database, batch after batch."""

    def __init__(
        self,
        law: Law,
        connection: QueuedConnection,
        pool: Any,
        projections: Projections,
        columns: dict[str, set[str]],
    ) -> None:
        self._law = law
        self._connection = connection
        self._pool = pool
        self._projections = projections
        self._documents = columns
        self._tables = sorted({table for one in projections.all for table in one.tables})
        self._reorgs = 0
        self._made: Counter[str] = Counter()

    def _ledger(self, chain_id: int) -> LawLedger:
        return LawLedger(self._connection, self._projections, chain_id, self._documents)

    async def batch(self, seeds: Sequence[int]) -> None:
        """Play these histories, each on the chain 2 * seed + 1, and hold them against one pass on 2 * seed + 2."""
        histories = {seed: await self._play(seed) for seed in seeds}
        await self._pass_once(histories)
        await self._compare(histories)
        held = await self._read(histories)
        for seed, history in histories.items():
            try:
                self._law.check(held[2 * seed + 1], history)
            except AssertionError as error:
                error.add_note(f"seed {seed}")
                raise
            self._reorgs += history.reorgs
        for rows in held.values():
            self._made.update({table: len(records) for table, records in rows.tables.items()})
        await self._rebuild(seed for seed in seeds if seed % REBUILT_OF == 0)

    def was_worth_it(self, count: int) -> None:
        """Blocks were replaced, and every table got rows."""
        assert self._reorgs > count, f"{self._reorgs} reorgs"
        assert {table for table, rows in self._made.items() if rows} == set(
            self._tables
        ) - self._law.elsewhere
        assert sum(self._made.values()) > self._law.rows * count, f"{sum(self._made.values())} rows"

    async def _play(self, seed: int) -> History:
        ledger = self._ledger(2 * seed + 1)
        await ledger.open()
        history = self._law.begin(ledger, seed)
        await history.run()
        return history

    async def _pass_once(self, histories: dict[int, History]) -> None:
        ledgers = {seed: self._ledger(2 * seed + 2) for seed in histories}
        rows: Rows = defaultdict(list)
        for seed, ledger in ledgers.items():
            await ledger.open()
            await histories[seed].plant(ledger)
            for table, records in ledger.rows_of(histories[seed].blocks).items():
                rows[table] += records
        await insert(self._connection, rows)
        for seed, ledger in ledgers.items():
            await ledger.ends(histories[seed].tip, -1)
            await ledger.fold(0, histories[seed].tip, journal=False)

    async def _compare(self, seeds: Iterable[int]) -> None:
        """Fail with the rows that only one of the two chains of a seed has."""
        parts = " UNION ALL ".join(
            f"SELECT '{table}' AS place, chain_id, (to_jsonb(t) - 'chain_id')::text AS row FROM {table} AS t WHERE chain_id = ANY ($1)"
            for table in self._tables
        )
        chains = list(itertools.chain.from_iterable((2 * seed + 1, 2 * seed + 2) for seed in seeds))
        found = await self._connection.fetch(
            "SELECT place, (chain_id - 1) / 2 AS seed, min(chain_id % 2) = 1 AS split, row"
            f" FROM ({parts}) AS every GROUP BY place, (chain_id - 1) / 2, row HAVING count(*) <> 2 ORDER BY seed, place, row",
            chains,
        )
        said = [
            f"seed {one['seed']}: {one['place']}, only {'split' if one['split'] else 'in one pass'}: {one['row']}"
            for one in found
        ]
        assert not said, "\n".join([f"{len(said)} rows differ", *said[:20]])

    async def _read(self, seeds: Iterable[int]) -> dict[int, Held]:
        chains = [2 * seed + 1 for seed in seeds]
        held = {chain: Held({table: [] for table in self._tables}) for chain in chains}
        for table in self._tables:
            for row in await self._connection.fetch(
                f"SELECT * FROM {table} WHERE chain_id = ANY ($1)", chains
            ):
                held[row["chain_id"]].tables[table].append(row)
        return held

    async def _rebuild(self, seeds: Iterable[int]) -> None:
        chosen = list(seeds)
        for seed in chosen:
            await self._connection.flush()
            await self._projections.rebuild(self._pool, None, chain_id=2 * seed + 1)
        await self._compare(chosen)
