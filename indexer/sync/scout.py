"""Ahead of a back-fill whose ranges are done in no order: what ranges need to know of those before them.

Two things depend on order: which addresses events announced, and which facets a diamond had. Both follow from few events,
so these alone are read first, in order; nothing is committed but the announced addresses.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from indexer.chain.filters import LogFilter
from indexer.chain.refs import BlockRange
from indexer.decode.cuts import DIAMOND_CUT_TOPIC
from indexer.decode.tables import Decoded, Undecoded
from indexer.store.commit import SourceSpec
from indexer.sync.backfill import fetch_ahead
from indexer.sync.committer import Committer
from indexer.sync.opening import Opening
from indexer.sync.ownership import ContractScope, Wanted
from indexer.sync.session import Session

_NOTHING = Decoded((), Undecoded(np.zeros(0, np.int64), ()))


async def scout(
    opening: Opening, session: Session, committer: Committer, contracts: frozenset[str], blocks: BlockRange
) -> None:
    """Read the announcements and diamond cuts of ``contracts`` in ``blocks`` into session and database."""
    specs = tuple(
        spec for scope in opening.scopes if scope.name in contracts for spec in _specs(opening, scope)
    )
    first = max(blocks.first, min((spec.start_block for spec in specs), default=blocks.last + 1))
    if first > blocks.last:
        return
    wanted = Wanted(frozenset(spec.contract for spec in specs), specs)
    async for chunk in fetch_ahead(session, wanted, BlockRange(first, blocks.last)):
        prepared = await session.preparer.prepare(chunk.raw, wanted, chunk.blocks)
        if prepared.discovered:
            none = prepared.logs.take(np.zeros(0, np.int64))
            await committer.fill(replace(prepared, logs=none, decoded=_NOTHING), ())
            await opening.admit_older_members(session, prepared.discovered)


def _specs(opening: Opening, scope: ContractScope) -> list[SourceSpec]:
    """What of a contract has to be read in order; nothing of most."""
    topics = {
        opening.catalogue.table(table).topic0
        for rule in opening.rules
        if rule.announcer == scope.name
        for table in rule.columns
    }
    if opening.contracts[scope.name].kind == "diamond":
        topics.add(DIAMOND_CUT_TOPIC)
    named = frozenset(topic for topic in topics if topic is not None)
    if None in topics:
        asked: frozenset[bytes] | None = (
            scope.topics
        )  # an event without a topic announces: everything may be one
    else:
        asked = named
    if not topics:
        return []
    where = LogFilter(scope.addresses, asked)
    return [SourceSpec(f"{scope.name}:scout", scope.name, scope.start_block, where, scope.discovered)]
