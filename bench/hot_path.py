"""JSON bytes to committed rows: what each stage costs, how fast they are together, and how near that is to the floor.

A chunk is fetched over HTTP, parsed into columns, decoded, encoded, and copied into its event table (which has its
primary key) in a transaction of its own. First the stages are run one after the other and timed; then all at once, as
the engine does; then the floor: the same transactions with the same rows ready-made, so that nothing is left but
PostgreSQL. Tables are emptied between rounds, and the rows are counted and summed at the end.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiohttp
import asyncpg
import numpy as np

from bench.load import configuration
from bench.replay_server import CHAIN_ID, replay_server
from bench.report import HotPath
from bench.rpc import Summary, post, summary_of
from indexer.chain.logs import LogBatch
from indexer.chain.refs import BlockRange
from indexer.config import load_settings
from indexer.decode.catalogue import Catalogue, load_catalogue
from indexer.decode.decoder import Decoder
from indexer.decode.resolve import Resolver
from indexer.decode.tables import LEADING_COLUMNS, Decoded
from indexer.rpc.envelopes import parse_envelopes
from indexer.rpc.wire import parse_logs
from indexer.store.copy_rows import UNDECODED_COLUMNS, encode_rows, encode_undecoded
from indexer.store.ddl import create_table_sql

LOGS_PER_BLOCK = 10
CHUNK_LOGS = 20_000
_QUEUE_CHUNKS = 2
_UNDECODED = "undecoded"
_Result = TypeVar("_Result")

Encoded = list[tuple[str, list[bytes]]]
"""Tables of a chunk and the pieces of their COPY."""


@dataclass(slots=True)
class HotPathBench:
    """One load, one server, one database."""

    http: aiohttp.ClientSession
    url: str
    database: asyncpg.Connection
    decoder: Decoder
    summary: Summary

    def chunks(self) -> list[BlockRange]:
        """The ranges that are fetched and committed together."""
        whole = BlockRange(self.summary.first_block, self.summary.last_block)
        return list(whole.split(CHUNK_LOGS // LOGS_PER_BLOCK))

    async def fetch(self, blocks: BlockRange) -> bytes:
        """The body of the answer for a range."""
        wanted = {"fromBlock": hex(blocks.first), "toBlock": hex(blocks.last)}
        return await post(self.http, self.url, "eth_getLogs", wanted)

    def decode(self, logs: LogBatch) -> Decoded:
        """All logs belong to the one contract section there is."""
        return self.decoder.decode(logs, np.zeros(len(logs), np.int32))

    def process(self, body: bytes, blocks: BlockRange) -> Encoded:
        """Body to COPY bytes."""
        logs = parse(body, blocks)
        return encode(logs, self.decode(logs))

    async def copy(self, encoded: Encoded) -> None:
        """One transaction."""
        async with self.database.transaction():
            for table, pieces in encoded:
                await self.database.copy_to_table(
                    table, schema_name="event", source=_stream(pieces), format="binary"
                )

    async def one_after_the_other(self) -> dict[str, float]:
        """Seconds that each stage took in all."""
        spent: dict[str, float] = defaultdict(float)
        for blocks in self.chunks():
            began = time.perf_counter()
            body = await self.fetch(blocks)
            spent["fetch"] += time.perf_counter() - began
            logs = _timed(spent, "parse", lambda body=body, blocks=blocks: parse(body, blocks))
            decoded = _timed(spent, "decode", lambda logs=logs: self.decode(logs))
            encoded = _timed(spent, "encode", lambda logs=logs, decoded=decoded: encode(logs, decoded))
            began = time.perf_counter()
            await self.copy(encoded)
            spent["copy"] += time.perf_counter() - began
        return dict(spent)

    async def all_at_once(self) -> float:
        """Seconds from the first request to the last commit, fetching, working and copying at the same time."""
        fetched: asyncio.Queue[tuple[BlockRange, bytes] | None] = asyncio.Queue(_QUEUE_CHUNKS)
        encoded: asyncio.Queue[Encoded | None] = asyncio.Queue(_QUEUE_CHUNKS)

        async def fetch_all() -> None:
            for blocks in self.chunks():
                await fetched.put((blocks, await self.fetch(blocks)))
            await fetched.put(None)

        async def process_all() -> None:
            while (item := await fetched.get()) is not None:
                await encoded.put(await asyncio.to_thread(self.process, item[1], item[0]))
            await encoded.put(None)

        async def copy_all() -> None:
            while (item := await encoded.get()) is not None:
                await self.copy(item)

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            group.create_task(fetch_all())
            group.create_task(process_all())
            group.create_task(copy_all())
        return time.perf_counter() - began

    async def floor(self, ready: Sequence[Encoded]) -> float:
        """Seconds that PostgreSQL takes for the same transactions with nothing to wait for."""
        began = time.perf_counter()
        for encoded in ready:
            await self.copy(encoded)
        return time.perf_counter() - began

    async def empty(self) -> None:
        """Empty the tables and let the server write out what it has."""
        names = await self.database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'event'")
        await self.database.execute("TRUNCATE " + ", ".join(f'event."{row["tablename"]}"' for row in names))
        await self.database.execute("CHECKPOINT")

    async def check(self) -> None:
        """Every log has a row, and the transfers add up to what was generated."""
        names = await self.database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'event'")
        rows = 0
        for row in names:
            rows += await self.database.fetchval(f'SELECT count(*) FROM event."{row["tablename"]}"')
        found: tuple[object, ...] = (rows, 0, "0")
        if "erc20_transfer" in {row["tablename"] for row in names}:
            found = (
                rows,
                *await self.database.fetchrow("SELECT count(*), sum(value)::text FROM event.erc20_transfer"),
            )
        wanted = (self.summary.logs, self.summary.transfers, self.summary.transferred)
        if found != wanted:
            raise RuntimeError(f"rows, transfers and their sum are {found}, but the load has {wanted}")


def parse(body: bytes, blocks: BlockRange) -> LogBatch:
    """The answer's body as columns."""
    return parse_logs(parse_envelopes(body)[0].result, blocks)


def encode(logs: LogBatch, decoded: Decoded) -> Encoded:
    """COPY bytes of every table."""
    encoded = [(rows.table.name, encode_rows(CHAIN_ID, logs, rows)) for rows in decoded.rows]
    if len(decoded.undecoded):
        encoded.append((_UNDECODED, encode_undecoded(CHAIN_ID, logs, decoded.undecoded)))
    return encoded


def _timed(spent: dict[str, float], stage: str, work: Callable[[], _Result]) -> _Result:
    began = time.perf_counter()
    result = work()
    spent[stage] += time.perf_counter() - began
    return result


async def _stream(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def make_decoder(load: str) -> tuple[Decoder, Catalogue]:
    """The real catalogue and the contract sections of a load, as the daemon would read them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "indexer.toml"
        head = f'[chains.bench]\nchain_id = {CHAIN_ID}\nrpc = ["http://127.0.0.1:1"]\n'
        path.write_text(head + configuration(load, Path(folder)))
        settings = load_settings(path)
        catalogue = load_catalogue(settings, {})
    return Decoder(Resolver(catalogue, settings.contracts)), catalogue


async def create_tables(database: asyncpg.Connection, catalogue: Catalogue, wanted: Collection[str]) -> None:
    """The tables that a load fills, in an empty database."""
    await database.execute("CREATE SCHEMA event")
    columns = ", ".join(f"{name} {kind} NOT NULL" for name, kind in (*LEADING_COLUMNS, *UNDECODED_COLUMNS))
    await database.execute(
        f"CREATE TABLE event.undecoded ({columns}, PRIMARY KEY (chain_id, block_number, log_index))"
    )
    for table in catalogue.tables:
        if table.name in wanted:
            await database.execute(create_table_sql(table))


async def run(database_url: str, load: str, logs: int, rounds: int) -> HotPath:
    """Measure one load in an empty database."""
    decoder, catalogue = make_decoder(load)
    database = await asyncpg.connect(database_url)
    with replay_server(load, logs, LOGS_PER_BLOCK) as url:
        try:
            async with aiohttp.ClientSession() as http:
                summary = await summary_of(http, url)
                bench = HotPathBench(http, url, database, decoder, summary)
                return await _measure(bench, catalogue, load, rounds)
        finally:
            await database.close()


async def _measure(bench: HotPathBench, catalogue: Catalogue, load: str, rounds: int) -> HotPath:
    stages: dict[str, list[float]] = defaultdict(list)
    together, floor = [], []
    ready = [bench.process(await bench.fetch(blocks), blocks) for blocks in bench.chunks()]
    tables = {table for encoded in ready for table, _ in encoded}
    await create_tables(bench.database, catalogue, tables)
    for _ in range(rounds):
        await bench.empty()
        for stage, seconds in (await bench.one_after_the_other()).items():
            stages[stage].append(seconds)
        await bench.empty()
        floor.append(await bench.floor(ready))
        await bench.empty()
        together.append(await bench.all_at_once())
        await bench.check()
    logs = bench.summary.logs
    return HotPath(
        load,
        logs,
        bench.summary.json_bytes / logs,
        {stage: 1e6 * statistics.median(seconds) / logs for stage, seconds in stages.items()},
        logs / statistics.median(together),
        logs / statistics.median(floor),
        rounds,
    )
