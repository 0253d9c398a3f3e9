"""The composition root: puts the parts of a daemon together, runs it, and takes it apart again.

Everything a command does beyond printing goes through one function here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import cast

import structlog
from asyncpg import Connection

from indexer import metrics
from indexer.chain.refs import BlockHeader
from indexer.clock import Clock, SystemClock
from indexer.config import Settings
from indexer.decode.catalogue import Catalogue, load_catalogue
from indexer.decode.privacy import Privacy
from indexer.errors import ConfigError, Halt, IndexerError, ProviderLied, Retryable, RpcRefused
from indexer.progress import ProgressSink
from indexer.projections.runner import Projections
from indexer.rpc.client import ChainClient
from indexer.rpc.pool import PooledClient
from indexer.serve.http import Health, HealthServer
from indexer.store.store import Store
from indexer.sync.engine import ChainEngine
from indexer.sync.goal import Goal, Patience
from indexer.sync.health import problems_of
from indexer.sync.opening import Opening
from indexer.sync.reconcile.runner import Reconciler
from indexer.sync.redecode import redecode_chain
from indexer.sync.span import Spread, backfill_span

log = structlog.get_logger(__name__)

ClientFactory = Callable[[str, Settings], ChainClient]

STOP_SECONDS = 6.0
"""How long after SIGTERM the database may keep us waiting; then its connections are dropped."""


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that is up: where its database is and, when it serves, on which port."""

    database_url: str
    http_port: int | None


@dataclass(slots=True)
class Parts:
    """What every command that works on the database shares."""

    settings: Settings
    clock: Clock
    store: Store
    catalogue: Catalogue
    projections: Projections
    holder: str
    privacy: Privacy | None = None

    def opening(self, chain: str, client: ChainClient) -> Opening:
        """One chain, ready to be opened."""
        return Opening(
            name=chain,
            settings=self.settings.chains[chain],
            limits=self.settings.sync,
            contracts={
                name: contract
                for name, contract in self.settings.contracts.items()
                if contract.chain == chain
            },
            clock=self.clock,
            client=client,
            store=self.store,
            projections=self.projections,
            catalogue=self.catalogue,
            holder=self.holder,
            privacy=self.privacy,
        )


def holder_name() -> str:
    """Who this process is in ``sync.lease``: host and process id, told to operators who find the lease taken."""
    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(3).hex()}"


def pooled_client(chain: str, settings: Settings) -> ChainClient:
    """The endpoint pool of a chain."""
    client: ChainClient = PooledClient(chain, settings.chains[chain])
    return client


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    migrate: bool = True,
    clock: Clock | None = None,
    on_store: Callable[[Store], None] | None = None,
) -> AsyncIterator[Parts]:
    """Database, catalogue and projections, closed at the end. ``on_store`` is given the store before anything else.

    Raises ``ConfigError`` for what is wrong with ABIs or the database, and for pending migrations that this role may not
    apply (it names ``indexer db migrate``).
    """
    store = await Store.open(settings.database)
    try:
        if on_store is not None:
            on_store(store)
        if migrate:
            for applied in await store.migrate():
                log.info("migrated", migration=applied)
        else:
            await store.require_migrated()
        catalogue = load_catalogue(settings, await store.known_tables())
        for warning in catalogue.warnings:
            log.warning("abi", warning=warning)
        store.want_indexes(catalogue.layouts)
        await store.register_tables(catalogue.tables)
        await store.apply_views()
        await store.register_selectors(catalogue.functions)
        projections = Projections.load(own=settings.projections.folder)
        async with store.session("checking projections") as connection:
            for name in await projections.make_tables(connection):
                log.info("tables made", projection=name)
            await projections.verify(connection)
        privacy = Privacy(settings.privacy, catalogue.tables)
        yield Parts(settings, clock or SystemClock(), store, catalogue, projections, holder_name(), privacy)
    finally:
        await store.close()


async def run(
    settings: Settings,
    *,
    until: str | int | None = None,
    timeout: float = 300.0,  # noqa: ASYNC109 - how long without progress, not how long in all
    serve_http: bool = True,
    progress: ProgressSink | None = None,
    on_ready: Callable[[Running], None] | None = None,
    handle_signals: bool = True,
    client_factory: ClientFactory = pooled_client,
) -> None:
    """The daemon: every chain backfilled, then followed; health and metrics served.

    Returns when ``until`` is reached on every chain or a SIGTERM or SIGINT came; raises ``Halt`` when no chain goes on and
    one of them halted, ``NoProgress`` when ``until`` is given up.
    """
    loop = asyncio.get_running_loop()
    stores: list[Store] = []
    work = asyncio.ensure_future(
        _run(settings, until, timeout, serve_http, progress, on_ready, client_factory, stores.append)
    )
    stopped: asyncio.TimerHandle | None = None

    def stop() -> None:
        nonlocal stopped
        if stopped is None:
            log.info("stopping")
            stopped = loop.call_later(STOP_SECONDS, _abandon, stores)
            work.cancel()

    signals = (signal.SIGTERM, signal.SIGINT) if handle_signals else ()
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        await work
    except asyncio.CancelledError:
        if stopped is None:
            raise
        log.info("stopped")
    finally:
        if stopped is not None:
            stopped.cancel()
        for number in signals:
            loop.remove_signal_handler(number)


def _abandon(stores: Iterable[Store]) -> None:
    for store in stores:
        log.warning("the database does not answer; its connections are dropped")
        store.abandon()


async def _run(
    settings: Settings,
    until: str | int | None,
    timeout_seconds: float,
    serve_http: bool,  # noqa: FBT001 - handed on by keyword in ``run``
    progress: ProgressSink | None,
    on_ready: Callable[[Running], None] | None,
    client_factory: ClientFactory,
    on_store: Callable[[Store], None],
) -> None:
    if not settings.chains:
        raise ConfigError(f"{settings.path}: chains: none is configured; add a section [chains.NAME]")
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(opened(settings, on_store=on_store))
        patience_seconds = timeout_seconds if until is not None else float("inf")
        engines: list[ChainEngine] = []
        for name in settings.chains:
            client = client_factory(name, settings)
            stack.push_async_callback(client.close)
            metrics.prepare(
                name,
                [endpoint.name for endpoint in client.status()],
                [table.name for table in parts.catalogue.tables],
            )
            opening = parts.opening(name, client)
            engines.append(
                ChainEngine(opening, Goal(until), Patience(parts.clock, patience_seconds), progress)
            )
        port = None
        if serve_http:
            server = HealthServer(settings.http.listen, lambda: _health(engines, parts.clock))
            await server.start()
            stack.push_async_callback(server.stop)
            port = server.port
        if on_ready is not None:
            on_ready(Running(parts.store.url, port))
        async with _reconciled(parts, engines):
            await _run_engines(engines)


@asynccontextmanager
async def _reconciled(parts: Parts, engines: Iterable[ChainEngine]) -> AsyncIterator[None]:
    """While inside, the state of each chain whose lease is held is now and then held against its contracts."""
    settings = parts.settings.reconcile
    tasks = [
        asyncio.create_task(
            Reconciler(
                name=engine.name,
                chain_id=parts.settings.chains[engine.name].chain_id,
                settings=settings,
                client=engine.client,
                database_url=parts.store.url,
                projections=parts.projections,
                privacy=parts.privacy or Privacy(parts.settings.privacy),
                clock=parts.clock,
                ready=engine.writes,
            ).run(),
            name=f"{engine.name}-reconcile",
        )
        for engine in engines
        if settings.enabled
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _health(engines: list[ChainEngine], clock: Clock) -> Health:
    chains = [engine.health for engine in engines]
    problems = problems_of(chains, clock)
    return Health(not problems, problems, {chain.name: chain.figures() for chain in chains})


async def _run_engines(engines: list[ChainEngine]) -> None:
    """All chains at once. One that halts leaves the others alone; any other error ends all."""
    tasks = [asyncio.create_task(engine.run(), name=engine.name) for engine in engines]
    try:
        waiting = set(tasks)
        halts: list[Halt] = []
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if isinstance(error, Halt):
                    halts.append(error)
                elif error is not None:
                    raise error
        if halts:
            raise halts[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def backfill(
    settings: Settings,
    first: int | None,
    last: int | None,
    contracts: Iterable[str] = (),
    *,
    progress: ProgressSink | None = None,
    client_factory: ClientFactory = pooled_client,
    spread: Callable[[Parts], Spread] | None = None,
) -> int:
    """Fetch a range (again) for the named contracts, or all; returns how many logs it holds.

    Raises ``ConfigError`` for an unknown contract or a range that reaches beyond finality, ``LeaseLost`` naming the holder
    when another process writes the chain. ``spread`` has other processes do it (``indexer.cluster``).
    """
    chosen = frozenset(contracts)
    unknown = chosen - set(settings.contracts)
    if unknown:
        raise ConfigError(
            f"{settings.path}: contracts: there is no section {min(unknown)!r}; "
            f"there are {', '.join(sorted(settings.contracts)) or 'none'}"
        )
    logs = 0
    async with opened(settings) as parts:
        for chain in settings.chains:
            names = frozenset(
                name
                for name, contract in settings.contracts.items()
                if contract.chain == chain and (not chosen or name in chosen)
            )
            if not names:
                continue
            client = client_factory(chain, settings)
            try:
                logs += await backfill_span(
                    parts.opening(chain, client),
                    names,
                    first,
                    last,
                    progress,
                    None if spread is None else spread(parts),
                )
            finally:
                await client.close()
    return logs


async def rewind(
    settings: Settings, chain: str | None, to_block: int, *, client_factory: ClientFactory = pooled_client
) -> int:
    """Drop everything above ``to_block`` as a reorg would; returns how many rows were moved to ``sync.orphan``.

    The chain is asked for that block's header where it answers; without it the newest block at or below whose hash the
    database has becomes the tip.
    """
    name = one_chain(settings, chain)
    chain_id = settings.chains[name].chain_id
    async with opened(settings) as parts:
        state = await parts.store.register_chain(chain_id, name)
        if state.tip is None:
            raise ConfigError(f"chain {name} has nothing to rewind: no block is committed")
        if to_block >= state.tip.number:
            raise ConfigError(
                f"--to-block {to_block}: the tip of chain {name} is {state.tip.number}; name a block below it"
            )
        header = await _header_if_reachable(client_factory(name, settings), to_block)

        async def unfold(connection: Connection, ancestor: int) -> None:
            await parts.projections.unfold(connection, chain_id, ancestor)

        async with _leased(parts, name) as epoch:
            result = await parts.store.rewind(chain_id, epoch, to_block, unfold, header=header)
        log.info("rewound", chain=name, tip=None if result.tip is None else result.tip.number)
        return result.rows_removed


async def _header_if_reachable(client: ChainClient, number: int) -> BlockHeader | None:
    try:
        await client.open()
        return await client.header(number)
    except (Retryable, ProviderLied, RpcRefused) as failed:
        log.warning("rewinding without the chain", block=number, reason=str(failed))
        return None
    finally:
        await client.close()


async def redecode(settings: Settings, chain: str | None = None) -> int:
    """Decode what lies in ``event.undecoded`` with today's ABIs, without RPC; returns how many logs came home."""
    names = [one_chain(settings, chain)] if chain is not None else list(settings.chains)
    moved = 0
    async with opened(settings) as parts:
        for name in names:
            async with _leased(parts, name) as epoch:
                moved += await redecode_chain(parts.opening(name, no_client()), epoch)
    return moved


async def rebuild(settings: Settings, projection: str | None = None) -> list[str]:
    """Replay projections from the event tables and swap them in; returns their names.

    Raises ``ConfigError`` when there is none of this name, ``LeaseLost`` naming the holder when a chain is being written.
    """
    names = None if projection is None else {projection}
    rebuilt: dict[str, None] = {}
    async with opened(settings) as parts:
        for chain, section in settings.chains.items():
            await parts.store.register_chain(section.chain_id, chain)
            async with _leased(parts, chain) as epoch:
                rebuilt |= dict.fromkeys(
                    await parts.projections.rebuild(
                        parts.store.pool, names, chain_id=section.chain_id, epoch=epoch
                    )
                )
    return list(rebuilt)


@asynccontextmanager
async def _leased(parts: Parts, chain: str) -> AsyncIterator[int]:
    """The chain's lease, kept alive; ``LeaseLost`` names the holder when another process has it."""
    opening = parts.opening(chain, no_client())
    async with opening.lease() as keeper, keeper.kept():
        yield keeper.epoch


class _NoClient:
    """Stands where a command must not ask the chain: any use is a mistake of ours and says so."""

    def __getattr__(self, name: str) -> object:
        raise IndexerError(f"this command works without RPC, yet asked for {name}")


def no_client() -> ChainClient:
    """A client for commands that work without RPC."""
    return cast("ChainClient", _NoClient())


def one_chain(settings: Settings, chain: str | None) -> str:
    """The named chain, or the only one. Raises ``ConfigError`` when that is not clear."""
    if chain is None and len(settings.chains) == 1:
        return next(iter(settings.chains))
    if chain is None:
        raise ConfigError(f"--chain: say which of {', '.join(sorted(settings.chains))}")
    if chain not in settings.chains:
        raise ConfigError(
            f"--chain {chain}: there is none of this name; there are {', '.join(settings.chains)}"
        )
    return chain
