"""The books of the projections: ``sync.projection``, and where a chain's rows end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from asyncpg import Connection

from indexer.projections.files import Projection
from indexer.store.cursor import lock_chain
from indexer.store.queries import load_queries

_QUERIES_DIR = Path(__file__).with_name("queries")


@cache
def _queries() -> dict[str, str]:
    return {name: query.sql for name, query in load_queries(_QUERIES_DIR).items()}


def sql(name: str) -> str:
    """The text of one of the runner's own statements; KeyError when there is none of that name."""
    return _queries()[name]


@dataclass(frozen=True, slots=True)
class Standing:
    """A projection's row in ``sync.projection`` for one chain.

    Its tables hold through block ``through`` (-1: nothing folded yet); the journal can take them back to ``floor``.
    """

    name: str
    version: str
    through: int
    floor: int
    stale: bool
    revision: int


@dataclass(frozen=True, slots=True)
class ChainEnds:
    """The last block in the event tables and the last final one; -1 where there is none."""

    tip: int
    finalized: int


async def versions(connection: Connection, projections: Iterable[Projection]) -> dict[str, str]:
    """What makes the rows of each projection: the digest of its file and, where facets are matched, of the known ABIs."""
    selectors: str = await connection.fetchval(sql("selectors_digest"))
    return {one.name: _version(one, selectors) for one in projections}


def _version(one: Projection, selectors: str) -> str:
    if one.own is not None:
        return f"own-{one.digest[:32]}"
    return f"{one.digest[:32]}-{selectors[:16]}" if "sync.abi_selector" in one.reads else one.digest[:32]


async def lock(connection: Connection, chain_id: int, wanted: Mapping[str, str]) -> dict[str, Standing]:
    """The standings of a chain's projections, held until the transaction ends; missing ones are entered first.

    Args:
        connection: in a transaction.
        chain_id: the chain; nothing is entered while it has no row in ``sync.chain``.
        wanted: the versions of all projections, by name.
    """
    found = _standings(await connection.fetch(sql("lock_projections"), chain_id))
    if missing := sorted(wanted.keys() - found.keys()):
        fresh = [wanted[name] for name in missing]
        await connection.execute(sql("register_projections"), chain_id, missing, fresh)
        found = _standings(await connection.fetch(sql("lock_projections"), chain_id))
    return found


async def lock_some(connection: Connection, chain_id: int, names: Sequence[str]) -> dict[str, Standing]:
    """The standings of the projections ``names`` that have one, held until the transaction ends."""
    return _standings(await connection.fetch(sql("lock_some_projections"), chain_id, names))


async def read(connection: Connection, chain_id: int) -> dict[str, Standing]:
    """The standings of a chain's projections, without holding them."""
    return _standings(await connection.fetch(sql("read_projections"), chain_id))


def _standings(rows: Sequence[Mapping[str, object]]) -> dict[str, Standing]:
    return {
        str(row["name"]): Standing(
            name=str(row["name"]),
            version=str(row["version"]),
            through=_integer(row["through_block"]),
            floor=_integer(row["journal_floor"]),
            stale=bool(row["stale"]),
            revision=_integer(row["revision"]),
        )
        for row in rows
    }


async def set_version(connection: Connection, chain_id: int, name: str, version: str) -> None:
    """Note that a projection's rows are not to be built on: ``version`` says why (own-new, own-failed)."""
    await connection.execute(sql("set_version"), chain_id, name, version)


def _integer(value: object) -> int:
    return -1 if value is None else int(str(value))


async def chain_ends(connection: Connection, chain_id: int) -> ChainEnds:
    """Where a chain's rows end, as of now."""
    row = await connection.fetchrow(sql("read_chain"), chain_id)
    return ChainEnds(-1, -1) if row is None else _ends(row)


async def hold_chain(connection: Connection, chain_id: int) -> ChainEnds:
    """Where a chain's rows end; no commit moves them before the transaction ends.

    Raises:
        InvariantViolated: the chain was never registered.
    """
    return _ends(await lock_chain(connection, chain_id))


async def hold_folds(connection: Connection, chain_id: int) -> ChainEnds:
    """Where a chain's rows end; commits and other folds may go on, but whoever takes the lease ends this transaction if it hangs."""
    await connection.execute(sql("fold_limits"))
    await connection.execute(sql("lock_folds"), chain_id)
    return await chain_ends(connection, chain_id)


def _ends(row: Mapping[str, object]) -> ChainEnds:
    return ChainEnds(_integer(row["tip_number"]), _integer(row["finalized_number"]))
