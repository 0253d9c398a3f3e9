"""Opening a lease period: everything the engine needs, loaded from the database and held against the configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from indexer import metrics
from indexer.chain.local import LocalChain
from indexer.clock import Clock
from indexer.config import ChainSettings, ContractSettings, SyncSettings
from indexer.decode.catalogue import Catalogue
from indexer.decode.decoder import Decoder
from indexer.decode.diamonds import FacetCut
from indexer.decode.privacy import Privacy
from indexer.decode.resolve import Resolver
from indexer.errors import FinalizedReorg, Halt, InvariantViolated
from indexer.projections.runner import Projections
from indexer.rpc.client import ChainClient
from indexer.store.commit import DiscoveredAddress, SourceSpec
from indexer.store.store import Store
from indexer.sync.diamonds import seed_diamonds
from indexer.sync.discovery import (
    ZERO_ADDRESS,
    Announcement,
    AnnouncementRule,
    announcement_rules,
    members_of,
)
from indexer.sync.lease import LeaseKeeper, take_lease
from indexer.sync.ownership import ContractScope, Ownership, scopes_of
from indexer.sync.prepare import Preparer
from indexer.sync.session import Session
from indexer.sync.sources import spec_of_older_member, specs_of

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Opening:
    """The parts of one chain that outlive a lease period. ``contracts`` are this chain's sections only."""

    name: str
    settings: ChainSettings
    limits: SyncSettings
    contracts: Mapping[str, ContractSettings]
    clock: Clock
    client: ChainClient
    store: Store
    projections: Projections
    catalogue: Catalogue
    holder: str
    privacy: Privacy | None = None
    scopes: tuple[ContractScope, ...] = field(init=False)
    rules: tuple[AnnouncementRule, ...] = field(init=False)

    def __post_init__(self) -> None:
        resolver = Resolver(self.catalogue, self.contracts)
        places = {name: place for place, name in enumerate(resolver.names)}
        topics = {name: resolver.filter_topics(name) for name in self.contracts}
        self.scopes = scopes_of(self.contracts, places, topics, self.name, self.settings.start_block)
        self.rules = announcement_rules(self.contracts, places, self.catalogue.layouts, self.name)

    @asynccontextmanager
    async def lease(self, standing_by: Callable[[str], None] | None = None) -> AsyncIterator[LeaseKeeper]:
        """The chain's lease, given back at the end.

        With ``standing_by`` a lease that another daemon holds is waited for (it is told the holder's name once); without
        it ``LeaseLost`` names the holder.
        """
        keeper = await take_lease(
            self.store,
            self.clock,
            self.name,
            self.settings.chain_id,
            self.holder,
            self.limits.lease_seconds,
            standing_by,
        )
        try:
            yield keeper
        finally:
            await keeper.release()

    async def session(self, epoch: int) -> Session:
        """Load the chain as the database has it, and ask the chain what has to be known besides. Opens the client."""
        await self.client.open()
        session = await self.offline_session(epoch)
        await self._admit_announced_before(session)
        await self._register(session, [spec for scope in self.scopes for spec in specs_of(scope)])
        await self._seed_diamonds(session)
        metrics.CHAIN_HALTED.labels(self.name).set(0)
        return session

    async def joining_session(self, epoch: int) -> Session:
        """Load a chain whose lease another process holds in ``epoch``: it opened the chain, this one helps it fill ranges."""
        await self.client.open()
        session = await self.offline_session(epoch)
        await self._register(session, [spec for scope in self.scopes for spec in specs_of(scope)])
        return session

    async def offline_session(self, epoch: int) -> Session:
        """Load the chain as the database has it, without asking the chain anything."""
        chain_id = self.settings.chain_id
        state = await self.store.register_chain(chain_id, self.name)
        if state.halted is not None:
            raise _halt_again(state.halted)
        links = await self.store.links(chain_id)
        ownership = Ownership(self.scopes)
        resolver = Resolver(self.catalogue, self.contracts)
        session = Session(
            name=self.name,
            settings=self.settings,
            limits=self.limits,
            clock=self.clock,
            client=self.client,
            store=self.store,
            projections=self.projections,
            resolver=resolver,
            ownership=ownership,
            preparer=Preparer(self.client, Decoder(resolver), ownership, self.rules, self.privacy),
            epoch=epoch,
            sources=[],
            local=LocalChain(links) if links else None,
            finalized=state.finalized_number,
        )
        known = {scope.name for scope in self.scopes if scope.discovered}
        ownership.admit(
            member for member in await self.store.discovered(chain_id) if member.contract in known
        )
        await self._load_diamonds(session)
        return session

    async def _register(self, session: Session, specs: Sequence[SourceSpec]) -> None:
        older = self._history_specs(session)
        session.ends = {spec.key: last for spec, last in older}
        session.sources = await self.store.register_sources(
            session.chain_id, [*specs, *(spec for spec, _ in older)]
        )
        session.late_work = True

    def _history_specs(self, session: Session) -> list[tuple[SourceSpec, int]]:
        """Sources for the history of members older than their announcement, each with its last block."""
        return [
            (spec_of_older_member(scope, member), member.announced_block - 1)
            for scope in self.scopes
            if scope.discovered
            for member in session.ownership.members(scope.name).values()
            if member.from_block < member.announced_block
        ]

    async def admit_older_members(self, session: Session, discovered: Sequence[DiscoveredAddress]) -> None:
        """Register the history of members that were just discovered and are older than their announcement."""
        if any(member.from_block < member.announced_block for member in discovered):
            await self._register(
                session, [source.spec for source in session.sources if source.spec.key not in session.ends]
            )

    async def _admit_announced_before(self, session: Session) -> None:
        """Take in what event rows announced before this discovery was configured."""
        tables = {table.name: table for table in self.catalogue.tables}
        for rule in self.rules:
            for table, column in rule.columns.items():
                found = [
                    Announcement(rule, one.address, one.block_number, one.log_index)
                    for one in await self.store.announced(session.chain_id, tables[table], column)
                    if one.address != ZERO_ADDRESS
                    and self._emitted_by(session, rule, one.emitter)
                    and not session.ownership.knows(
                        rule.contract, one.address, one.block_number, one.log_index
                    )
                ]
                session.ownership.admit(await members_of(self.client, found))

    def _emitted_by(self, session: Session, rule: AnnouncementRule, emitter: bytes) -> bool:
        scope = next(scope for scope in self.scopes if scope.name == rule.announcer)
        if scope.addresses is None or emitter in scope.addresses:
            return True
        return emitter in session.ownership.members(scope.name)

    async def _load_diamonds(self, session: Session) -> None:
        timeline = session.resolver.timeline
        for seed in await self.store.diamond_seeds(session.chain_id):
            timeline.seed(seed.diamond, seed.block_number, seed.facets)
        for log_ in await self.store.diamond_cuts(session.chain_id):
            cuts = [FacetCut(cut.facet, cut.action, cut.selectors) for cut in log_.cuts]
            timeline.apply(log_.diamond, log_.block_number, log_.log_index, cuts)

    async def _seed_diamonds(self, session: Session) -> None:
        """Read the loupe of every diamond that begins later than its deployment, once."""
        timeline = session.resolver.timeline
        have = {seed.diamond for seed in await self.store.diamond_seeds(session.chain_id)}
        wanted = [
            (address, scope.start_block)
            for scope in self.scopes
            if self.contracts[scope.name].kind == "diamond"
            for address in sorted(scope.addresses or ())
            if address not in have and scope.start_block > session.tip_number
        ]
        for diamond, block, facets in await seed_diamonds(self.client, wanted):
            await self.store.seed_diamond(session.chain_id, diamond, block, facets)
            timeline.seed(diamond, block, facets)
            log.info("facets read from the loupe", chain=self.name, block=block, facets=len(facets))

    async def record_halt(self, epoch: int, halt: Halt) -> None:
        """Write down a halt that only a rewind ends; others are found again as long as their cause lasts."""
        if isinstance(halt, FinalizedReorg | InvariantViolated):
            await self.store.halt(self.settings.chain_id, epoch, f"{type(halt).__name__}: {halt}")


def _halt_again(recorded: str) -> Halt:
    """The halt that was written down, as it was raised."""
    kind, _, reason = recorded.partition(": ")
    return FinalizedReorg(reason) if kind == FinalizedReorg.__name__ else InvariantViolated(reason)
