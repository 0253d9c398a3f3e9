"""The database as the engine sees it: one object, thin over the modules that do the work."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import uuid4

import asyncpg
import structlog

from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockHeader
from indexer.config import DatabaseSettings
from indexer.decode.tables import Decoded, EventLayout, EventTable
from indexer.errors import InvariantViolated
from indexer.store import (
    announced,
    coverage,
    cursor,
    ddl,
    diamonds,
    indexes,
    lease,
    migrate,
    roles,
    status,
    undecoded,
    views,
)
from indexer.store.commit import (
    ChainState,
    Commit,
    CommitResult,
    DiscoveredAddress,
    Source,
    SourceSpec,
    Unfold,
)
from indexer.store.connect import connect, open_pool, store_errors
from indexer.store.embedded import EmbeddedServer
from indexer.store.outcome import run_settled
from indexer.store.partitions import Partitions, partition_tables
from indexer.store.queries import sql
from indexer.store.rewind import RewindResult, apply_rewind
from indexer.store.transaction import apply_commit
from indexer.store.writer import TableRows, encode_aside

log = structlog.get_logger(__name__)

EMBEDDED_DATABASE = "indexer"


class Store:
    """PostgreSQL behind a pool. Every method raises only errors of ``indexer.errors``.

    Commits of one chain wait for each other. Safe to use from several tasks of one event loop.
    """

    def __init__(
        self, url: str, pool: asyncpg.Pool, server: EmbeddedServer | None, partition_blocks: int | None = None
    ) -> None:
        self.url = url
        self.pool = pool
        self._server = server
        self._partitioned = partition_blocks is not None
        self._partitions = Partitions(partition_blocks)
        self._commits: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._declared: Mapping[str, Sequence[Sequence[str]]] = {}
        self._indexes: tuple[indexes.EventIndex, ...] = ()

    @classmethod
    async def open(cls, settings: DatabaseSettings, *, application_name: str = "indexer") -> Self:
        """Connect; without ``url`` start (or find) the embedded server under ``data_dir`` first.

        Raises:
            ConfigError: the server refuses the URL, or the data directory is unusable.
            StoreUnavailable: the server cannot be reached.
        """
        if settings.url is not None:
            url = settings.url.get_secret_value()
            pool = await open_pool(url, application_name=application_name)
            return cls._opened(url, pool, None, settings)
        server = EmbeddedServer(settings.data_dir)
        await asyncio.to_thread(server.start)
        try:
            url = await _embedded_database(server)
            pool = await open_pool(url, application_name=application_name)
            return cls._opened(url, pool, server, settings)
        except BaseException:
            await asyncio.to_thread(server.stop)
            raise

    @classmethod
    def _opened(
        cls, url: str, pool: asyncpg.Pool, server: EmbeddedServer | None, settings: DatabaseSettings
    ) -> Self:
        store = cls(url, pool, server, settings.partition_blocks)
        store._declared = settings.indexes
        return store

    async def close(self) -> None:
        """Close the pool, and stop the embedded server if nobody else uses it. Safe to call twice."""
        try:
            await asyncio.wait_for(self.pool.close(), timeout=5)
        except TimeoutError:
            self.pool.terminate()
        if self._server is not None:
            server, self._server = self._server, None
            await asyncio.to_thread(server.stop)

    def abandon(self) -> None:
        """Drop every connection without waiting: the server does not answer, and we have to end. What waits for it fails."""
        self.pool.terminate()

    @asynccontextmanager
    async def session(self, doing: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the pool; ``doing`` names the work in errors."""
        with store_errors(doing):
            async with self.pool.acquire() as connection:
                yield connection

    async def migrate(self) -> list[str]:
        """Apply missing migrations, roles and grants; the names of those applied."""
        async with self.session("migrating") as connection:
            return await migrate.migrate(connection)

    async def require_migrated(self) -> None:
        """Raises ``ConfigError`` (naming ``indexer db migrate``) or ``SchemaMismatch`` unless the schema is this program's."""
        async with self.session("reading the migration ledger") as connection:
            await migrate.require_migrated(connection)

    async def apply_roles(self) -> roles.RolesReport:
        """Make roles and grants what ``schema/roles.sql`` says, where this connection may."""
        async with self.session("granting roles") as connection:
            return await roles.apply_roles(connection)

    async def known_tables(self) -> dict[tuple[str, str], str]:
        """The table of each (ABI stem, signature) that has one."""
        async with self.session("reading the event tables") as connection:
            return await ddl.known_tables(connection)

    async def register_tables(self, tables: Iterable[EventTable]) -> list[str]:
        """Make missing event tables and columns; see ``ddl.register_tables``."""
        async with self.session("making event tables") as connection:
            self._partitions.forget()
            return await ddl.register_tables(connection, tables, partitioned=self._partitioned)

    async def partition_tables(self, tables: Sequence[str], blocks: int) -> dict[str, int]:
        """Partition event tables that were made without; see ``partitions.partition_tables``."""
        async with self.session("partitioning event tables") as connection:
            self._partitions.forget()
            return await partition_tables(connection, tables, blocks)

    def want_indexes(self, layouts: Iterable[EventLayout]) -> None:
        """Hold ``[database.indexes]`` against the events there are; raises ``ConfigError``. See ``indexes``."""
        self._indexes = indexes.wanted_indexes(self._declared, layouts)

    async def build_indexes(self) -> list[str]:
        """Make the wanted indexes that are missing, which may take long; see ``indexes.build_indexes``."""
        if not self._indexes:
            return []
        async with self.session("making indexes") as connection:
            return await indexes.build_indexes(connection, self._indexes)

    async def drop_indexes_of_empty_tables(self) -> list[str]:
        """Before a back-fill: the wanted indexes of tables without rows go, and ``build_indexes`` makes them afterwards."""
        if not self._indexes:
            return []
        async with self.session("dropping indexes of empty tables") as connection:
            return await indexes.drop_indexes_of_empty_tables(connection, self._indexes)

    async def apply_views(self) -> list[str]:
        """Make the views what this program and the event tables want; call it after ``register_tables``.

        See ``views.apply_views``.
        """
        async with self.session("making views") as connection:
            return await views.apply_views(connection)

    async def register_selectors(self, functions: Mapping[str, frozenset[bytes]]) -> None:
        """Make ``sync.abi_selector`` what ``functions`` (ABI stem to selectors) says."""
        async with self.session("writing the ABIs' selectors") as connection:
            await ddl.register_selectors(connection, functions)

    async def register_chain(self, chain_id: int, name: str) -> ChainState:
        """The chain's row, made if there is none."""
        async with self.session("registering a chain") as connection:
            return await cursor.register_chain(connection, chain_id, name)

    async def chain_state(self, chain_id: int) -> ChainState:
        """The chain's row."""
        async with self.session("reading the cursor") as connection:
            return await cursor.read_chain(connection, chain_id)

    async def links(self, chain_id: int) -> list[BlockHeader]:
        """Our blocks that may be reverted and the one below them, ascending."""
        async with self.session("reading the links") as connection:
            return await cursor.read_links(connection, chain_id)

    async def set_head(self, chain_id: int, head_number: int | None, finalized_number: int | None) -> None:
        """Note the newest head and finality without a commit. Finality never goes down by it."""
        async with self.session("noting the head") as connection:
            await connection.execute(sql("set_head"), chain_id, head_number, finalized_number)

    async def register_sources(self, chain_id: int, specs: Sequence[SourceSpec]) -> list[Source]:
        """Make these sources if they are new; as the database knows them, in the same order."""
        async with self.session("registering sources") as connection:
            return await coverage.register_sources(connection, chain_id, specs)

    async def sources(self, chain_id: int) -> list[Source]:
        """All sources that were ever configured, oldest first."""
        async with self.session("reading sources") as connection:
            return await coverage.read_sources(connection, chain_id)

    async def discovered(self, chain_id: int) -> list[DiscoveredAddress]:
        """All announced addresses, in the order of their announcements."""
        async with self.session("reading discovered addresses") as connection:
            return await coverage.read_discovered(connection, chain_id)

    async def commit(self, commit: Commit, encoded: Sequence[TableRows] | None = None) -> CommitResult:
        """Write one commit, all of it or nothing; a lost COMMIT is found out about before this returns.

        ``encoded`` are the rows of ``commit`` where ``encode_aside`` was called for them before.

        Raises:
            LeaseLost, CursorConflict, FinalizedReorg, Halt: nothing was written; see ``transaction.apply_commit``.
            StoreUnavailable: nothing was written, unless the message says that the outcome is unknown; load the cursor.
        """
        if encoded is None:
            encoded = await encode_aside(commit.chain_id, commit.logs, commit.decoded)
        await self._make_partitions(commit.logs, commit.decoded)
        async with self._commits[commit.chain_id]:
            try:
                return await self._settled(commit, encoded)
            except InvariantViolated as refused:
                # Coverage that somebody took back by hand says nothing of the rows that are there.
                if commit.next is not None or not isinstance(refused.__cause__, asyncpg.UniqueViolationError):
                    raise
                log.warning("rows are there that no coverage tells of", blocks=str(commit.logs.range))
            return await self._settled(commit, encoded, unbooked=True)

    async def _settled(
        self, commit: Commit, encoded: Sequence[TableRows], *, unbooked: bool = False
    ) -> CommitResult:
        async def work(connection: asyncpg.Connection) -> CommitResult:
            return await apply_commit(connection, commit, encoded, unbooked=unbooked)

        async def extend_lease(connection: asyncpg.Connection) -> None:
            await connection.execute(sql("extend_lease"), commit.chain_id, commit.epoch)

        doing = f"committing {commit.logs.range}"
        return await run_settled(
            self.pool, commit.chain_id, commit.id, work, doing=doing, before=extend_lease
        )

    async def _make_partitions(self, logs: LogBatch, decoded: Decoded) -> None:
        """Before rows are written: the partitions they belong to, and the next ones."""
        if self._partitions.settled(logs, decoded.rows):
            return
        async with self.session("making partitions") as connection:
            missing = await self._partitions.missing(connection, logs, decoded.rows)
            if missing:
                await self._partitions.make(connection, missing)

    async def halt(self, chain_id: int, epoch: int, reason: str) -> None:
        """Refuse every later commit of the chain until ``clear_halt`` or a rewind; ``LeaseLost`` by a stale epoch."""
        await self._set_halted(chain_id, epoch, reason)

    async def clear_halt(self, chain_id: int, epoch: int) -> None:
        """Let a halted chain go on; ``LeaseLost`` by a stale epoch."""
        await self._set_halted(chain_id, epoch, None)

    async def _set_halted(self, chain_id: int, epoch: int, reason: str | None) -> None:
        async with self._commits[chain_id], self.session("halting a chain") as connection:  # noqa: SIM117 - the transaction needs the connection
            async with connection.transaction():
                await lease.hold_lease(connection, chain_id, epoch)
                await connection.execute(sql("set_halted"), chain_id, reason)

    async def rewind(
        self,
        chain_id: int,
        epoch: int,
        to_block: int,
        unfold: Unfold | None = None,
        *,
        header: BlockHeader | None = None,
    ) -> RewindResult:
        """Drop everything above ``to_block``, final or not, and end a halt; see ``rewind.apply_rewind``."""
        commit_id = uuid4()

        async def work(connection: asyncpg.Connection) -> RewindResult:
            return await apply_rewind(
                connection, chain_id, epoch, to_block, commit_id, header=header, unfold=unfold
            )

        async with self._commits[chain_id]:
            return await run_settled(self.pool, chain_id, commit_id, work, doing=f"rewinding to {to_block}")

    async def acquire_lease(self, chain_id: int, holder: str, seconds: float) -> int | None:
        """Take the chain's lease: its new epoch, or None while another daemon holds it."""
        async with self.session("taking the lease") as connection:
            return await lease.acquire_lease(connection, chain_id, holder, float(seconds))

    async def renew_lease(self, chain_id: int, holder: str, epoch: int, seconds: float) -> bool:
        """Keep the lease; False when another daemon has taken it."""
        async with self.session("renewing the lease") as connection:
            return await lease.renew_lease(connection, chain_id, holder, epoch, float(seconds))

    async def release_lease(self, chain_id: int, holder: str, epoch: int) -> None:
        """Give the lease back."""
        async with self.session("releasing the lease") as connection:
            await lease.release_lease(connection, chain_id, holder, epoch)

    async def lease(self, chain_id: int) -> lease.Lease | None:
        """The lease as it stands."""
        async with self.session("reading the lease") as connection:
            return await lease.read_lease(connection, chain_id)

    async def undecoded(
        self, chain_id: int, after: tuple[int, int] = undecoded.BEFORE_ALL, limit: int = 10_000
    ) -> tuple[LogBatch, list[str]]:
        """A page of raw logs after (block number, log index) and their reasons; empty when there are no more."""
        async with self.session("reading raw logs") as connection:
            return await undecoded.read_undecoded(connection, chain_id, after, limit)

    async def redecode(self, chain_id: int, epoch: int, logs: LogBatch, decoded: Decoded) -> dict[str, int]:
        """Move what ``decoded`` has rows for from ``event.undecoded`` to its tables; rows by table."""
        async with self.session("reading event tables") as connection:
            decoded = await undecoded.without_taken(connection, chain_id, logs, decoded)
        encoded = await encode_aside(chain_id, logs, decoded)
        await self._make_partitions(logs, decoded)
        async with self._commits[chain_id], self.session("moving decoded logs") as connection:  # noqa: SIM117 - the transaction needs the connection
            async with connection.transaction():
                return await undecoded.apply_redecode(connection, chain_id, epoch, logs, decoded, encoded)

    async def announced(
        self, chain_id: int, table: EventTable, column: int
    ) -> list[announced.AnnouncedAddress]:
        """Addresses that rows of an event table announced in one of its columns."""
        async with self.session("reading announced addresses") as connection:
            return await announced.read_announced(connection, chain_id, table, column)

    async def diamond_cuts(self, chain_id: int) -> list[diamonds.DiamondCut]:
        """Every decoded cut of the chain's diamonds, in order."""
        async with self.session("reading diamond cuts") as connection:
            return await diamonds.read_cuts(connection, chain_id)

    async def seed_diamond(
        self, chain_id: int, diamond: bytes, block: int, facets: Mapping[bytes, Collection[bytes]]
    ) -> None:
        """Keep what a diamond's loupe told at ``block``: facet to selectors."""
        async with self.session("seeding a diamond") as connection:
            await diamonds.write_seed(connection, chain_id, diamond, block, facets)

    async def diamond_seeds(self, chain_id: int) -> list[diamonds.DiamondSeed]:
        """What the loupes of the chain's diamonds told."""
        async with self.session("reading diamond seeds") as connection:
            return await diamonds.read_seeds(connection, chain_id)

    async def status(self) -> status.StoreStatus:
        """What ``indexer status`` shows of the database."""
        async with self.session("reading the status") as connection:
            return await status.read_status(connection)


async def _embedded_database(server: EmbeddedServer) -> str:
    """The URL of our database on the embedded server, made if there is none."""
    connection: Any = await connect(server.url())
    try:
        with store_errors("making the embedded database"):
            try:
                await connection.execute(f"CREATE DATABASE {EMBEDDED_DATABASE}")
            except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
                return server.url(EMBEDDED_DATABASE)
    finally:
        await connection.close()
    return server.url(EMBEDDED_DATABASE)
