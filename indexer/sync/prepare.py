"""From raw logs to what a commit needs: owned, decoded, with every address they announce followed to the end.

One path for backfill, follow and late sources alike. It runs in the order of blocks: what a range announces changes what
the ranges after it have to ask for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.chain.filters import LogFilter, merge_filters
from indexer.chain.logs import LogBatch, concat
from indexer.chain.refs import BlockRange
from indexer.decode.decoder import Decoder
from indexer.decode.privacy import Privacy
from indexer.decode.tables import Decoded
from indexer.errors import InvariantViolated
from indexer.rpc.client import ChainClient
from indexer.store.commit import DiscoveredAddress
from indexer.sync.discovery import AnnouncementRule, announcements, members_of
from indexer.sync.ownership import Ownership, Wanted

MAX_NESTING = 64
"""Most rounds of discovery within one range: how deep announced addresses may announce others there."""

Fetch = Callable[[Sequence[LogFilter]], Awaitable[LogBatch]]
"""Fetches the logs of a fixed range for filters."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Logs of a range as fetched, with the filters they were fetched by and a way to fetch more of the same range."""

    logs: LogBatch
    asked: tuple[LogFilter, ...]
    fetch: Fetch


@dataclass(frozen=True, slots=True)
class Prepared:
    """Logs that belong to a contract, decoded, and the addresses they announced."""

    logs: LogBatch
    decoded: Decoded
    discovered: tuple[DiscoveredAddress, ...]
    asked: tuple[LogFilter, ...]


class Preparer:
    """Decodes ranges in order for one chain."""

    def __init__(
        self,
        client: ChainClient,
        decoder: Decoder,
        ownership: Ownership,
        rules: Sequence[AnnouncementRule],
        privacy: Privacy | None = None,
    ) -> None:
        self._client = client
        self._decoder = decoder
        self._ownership = ownership
        self._rules = tuple(rules)
        self._privacy = privacy

    async def prepare(self, raw: Raw, wanted: Wanted, blocks: BlockRange) -> Prepared:
        """Decode what of ``raw`` is ``wanted``; addresses announced in it, or since it was fetched, are fetched and decoded too.

        Raises ``InvariantViolated`` when announcements nest deeper than ``MAX_NESTING`` within the range.
        """
        logs, asked = raw.logs, list(raw.asked)
        for _ in range(MAX_NESTING):
            logs = await self._complete(logs, asked, raw.fetch, wanted, blocks)
            mine, owners = self._owned(logs, wanted)
            decoded = await asyncio.to_thread(self._decoder.decode, mine, owners)
            found = announcements(self._rules, mine, owners, decoded)
            unknown = [
                item
                for item in found
                if not self._ownership.knows(item.rule.contract, item.address, item.block, item.log_index)
            ]
            if not self._ownership.admit(await members_of(self._client, unknown)):
                if self._privacy is not None and self._privacy.active:
                    mine, decoded = await asyncio.to_thread(self._privacy.apply, mine, decoded)
                return Prepared(mine, decoded, self._ownership.announced_by(found), tuple(asked))
        raise InvariantViolated(
            f"blocks {blocks}: addresses announce addresses more than {MAX_NESTING} levels deep"
        )

    async def _complete(
        self,
        logs: LogBatch,
        asked: list[LogFilter],
        fetch: Fetch,
        wanted: Wanted,
        blocks: BlockRange,
    ) -> LogBatch:
        """Fetch what is wanted by now and was not asked for when ``logs`` were fetched."""
        missing = not_asked(self._ownership.filters(wanted, blocks.last), asked)
        if not missing:
            return logs
        more = await fetch(missing)
        asked.extend(missing)
        return concat(blocks, [logs, more])

    def _owned(self, logs: LogBatch, wanted: Wanted) -> tuple[LogBatch, NDArray[np.int32]]:
        owners, counts = self._ownership.assign(logs, wanted)
        return (logs, owners) if bool(counts.all()) else (logs.take(counts), owners[counts])


def not_asked(wanted: Sequence[LogFilter], asked: Sequence[LogFilter]) -> list[LogFilter]:
    """What of ``wanted`` no filter of ``asked`` includes; address sets shrink to the addresses still to ask for."""
    missing: list[LogFilter] = []
    for item in wanted:
        rest = item
        for known in asked:
            if rest.topics is None:
                wide = known.topics is None
            else:
                wide = known.topics is None or rest.topics <= known.topics
            if not wide:
                continue
            if known.addresses is None:
                rest = LogFilter(frozenset(), rest.topics)
                break
            if rest.addresses is not None:
                rest = LogFilter(rest.addresses - known.addresses, rest.topics)
        if not rest.empty:
            missing.append(rest)
    return merge_filters(missing)
