"""What the daemon has written so far, read as any analyst would: for the display and the summary."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import asyncpg

_CONNECT_SECONDS = 30
_READ_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the daemon stands: its tip, the newest head it saw, and the depths of the reorgs it undid, oldest first."""

    tip_number: int | None = None
    tip_hash: bytes | None = None
    head_number: int | None = None
    finalized_number: int | None = None
    halted: str | None = None
    reorg_depths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by event table (empty ones left out), raw logs kept, and addresses found by announcements."""

    rows: dict[str, int] = field(default_factory=dict)
    undecoded: int = 0
    discovered: int = 0


class Books:
    """A reader's connection to the demo's database. An async context manager."""

    def __init__(self, url: str, chain_id: int) -> None:
        self._url = url
        self._chain_id = chain_id
        self._connection: Any = None

    async def __aenter__(self) -> Self:
        self._connection = await asyncpg.connect(
            self._url, timeout=_CONNECT_SECONDS, command_timeout=_READ_SECONDS
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def standing(self) -> Standing:
        """Cursor and reorgs, as they are now."""
        row = await self._connection.fetchrow(
            "SELECT tip_number, tip_hash, head_number, finalized_number, halted FROM sync.chain WHERE chain_id = $1",
            self._chain_id,
        )
        depths = await self._connection.fetch(
            "SELECT depth FROM sync.reorg WHERE chain_id = $1 AND kind = 'reorg' ORDER BY id", self._chain_id
        )
        return Standing(**dict(row or {}), reorg_depths=tuple(one["depth"] for one in depths))

    async def counts(self) -> Counts:
        """Rows by table, all in one snapshot."""
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            tables = await self._connection.fetch(
                "SELECT table_name FROM sync.event_table ORDER BY table_name"
            )
            rows = {}
            for table in tables:
                name = table["table_name"]
                count = await self._count(f'event."{name}"')
                if count:
                    rows[name] = count
            undecoded = await self._count("event.undecoded")
            return Counts(rows, undecoded, await self._count("sync.discovered_address"))

    async def _count(self, table: str) -> int:
        return int(
            await self._connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE chain_id = $1", self._chain_id
            )
        )
