"""One export: plan it in one snapshot, write the files that are missing, then the manifest, then remove what it replaced.

A file's name is a digest of what it holds, so an export that was stopped finds its finished files again, and a range that
did not change is not written anew.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass

import asyncpg
import pyarrow.parquet as pq
import structlog

from indexer.config import Settings
from indexer.errors import ConfigError, StoreUnavailable
from indexer.export.columns import ExportColumn, record_batch, schema_of
from indexer.export.folder import ExportFolder
from indexer.export.manifest import MANIFEST, ExportedFile, Manifest, read_manifest
from indexer.export.plan import Part, Plan, export_sql, make_plan
from indexer.store.connect import connect, store_errors
from indexer.store.identifiers import quote_identifier
from indexer.store.store import Store

log = structlog.get_logger(__name__)

PARTITION_BLOCKS = 100_000
"""Blocks a file spans unless it is said otherwise."""

ROWS_AT_ONCE = 65_536
"""Rows in memory, and in a row group."""

ExportProgress = Callable[[str, int, int], None]
"""Is told the table, and of all rows that are to be written how many are; returns at once."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export did: files and rows written, files that were there already, files removed, and what it holds."""

    files_written: int
    rows_written: int
    files_kept: int
    files_removed: int
    rows: int
    through_blocks: dict[str, int]


async def export(
    settings: Settings,
    place: str,
    *,
    tables: Collection[str] = (),
    partition_blocks: int | None = None,
    again: bool = False,
    progress: ExportProgress | None = None,
) -> ExportResult:
    """Bring the export at ``place`` (a folder or a URL of fsspec) up to the newest final block.

    ``tables`` limits it to some tables, the others stay as they are; ``again`` writes everything anew.

    Raises:
        ConfigError: the place is unknown, holds something else, or has another ``partition_blocks``; no such table.
        StoreUnavailable: another export into the same place is under way, or the database went away.
        IndexerError: the place cannot be read or written.
    """
    folder = await asyncio.to_thread(ExportFolder, place)
    store = await Store.open(settings.database, application_name="indexer export")
    try:
        await store.require_migrated()
        connection = await connect(store.url, application_name="indexer export")
        try:
            with store_errors("exporting"):
                await _prepare(connection, folder)
                return await _export(connection, folder, tables, partition_blocks, again, progress)
        finally:
            await connection.close()
    finally:
        await store.close()


async def _prepare(connection: asyncpg.Connection, folder: ExportFolder) -> None:
    if not await connection.fetchval(export_sql("export_lock"), folder.key):
        raise StoreUnavailable(f"another export into {folder.place} is under way")
    # Every numeric of an event table is an integer; its text is the shortest way to a Python int.
    await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=int, format="text")


async def _export(
    connection: asyncpg.Connection,
    folder: ExportFolder,
    tables: Collection[str],
    partition_blocks: int | None,
    again: bool,  # noqa: FBT001 - handed on by ``export``
    progress: ExportProgress | None,
) -> ExportResult:
    before = read_manifest(await asyncio.to_thread(folder.read, MANIFEST), folder.place)
    blocks = _partition_blocks(folder, before, partition_blocks)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(export_sql("export_patience"))
        plan = await make_plan(connection, blocks, tables, secrets.token_hex(8) if again else "")
        held = {} if before is None else {file.path: file for file in before.files}
        work = _Work(connection, folder, plan, progress)
        files = [held.get(part.path) or await work.file(part) for part in plan.parts]
    others = [file for file in held.values() if file.table not in plan.columns]
    manifest = _manifest(blocks, before, plan, [*files, *others])
    await asyncio.to_thread(folder.write, MANIFEST, manifest.to_json())
    removed = await asyncio.to_thread(_sweep, folder, {file.path for file in manifest.files})
    return ExportResult(
        files_written=work.files,
        rows_written=work.rows,
        files_kept=len(files) - work.files,
        files_removed=removed,
        rows=sum(file.rows for file in files),
        through_blocks={str(chain): last for chain, last in plan.through_blocks.items()},
    )


def _partition_blocks(folder: ExportFolder, before: Manifest | None, asked: int | None) -> int:
    if before is None:
        return asked or PARTITION_BLOCKS
    if asked is not None and asked != before.partition_blocks:
        raise ConfigError(
            f"--partition-blocks {asked}: {folder.place} has files of {before.partition_blocks} blocks; "
            "export to another place, or leave the option out"
        )
    return before.partition_blocks


def _manifest(
    partition_blocks: int, before: Manifest | None, plan: Plan, files: list[ExportedFile]
) -> Manifest:
    shapes = {
        table: [{"name": field.name, "type": str(field.type)} for field in schema_of(columns)]
        for table, columns in plan.columns.items()
    }
    return Manifest(
        partition_blocks,
        {str(chain): last for chain, last in plan.through_blocks.items()},
        {**({} if before is None else before.tables), **shapes},
        tuple(sorted(files, key=lambda file: (file.table, file.chain_id, file.first_block))),
    )


def _sweep(folder: ExportFolder, wanted: Collection[str]) -> int:
    """Remove what no manifest names: replaced files, and what a stopped export left. How many."""
    useless = [path for path in folder.files() if path not in wanted]
    for path in useless:
        folder.remove(path)
    return len(useless)


class _Work:
    """Writes files of a plan, and counts."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        folder: ExportFolder,
        plan: Plan,
        progress: ExportProgress | None,
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._columns = plan.columns
        self._total = sum(part.rows for part in plan.parts)
        self._progress = progress
        self.files = 0
        self.rows = 0

    async def file(self, part: Part) -> ExportedFile:
        """The file of ``part``: one that a stopped export had finished, else written now."""
        size = await asyncio.to_thread(self._folder.size, part.path)
        if size is None:
            await self._write(part, self._columns[part.table])
            self.files += 1
            size = await asyncio.to_thread(self._folder.size, part.path)
            log.info(
                "exported", table=part.table, rows=part.rows, first=part.first_block, last=part.last_block
            )
        return ExportedFile(
            part.path,
            part.table,
            part.chain_id,
            part.first_block,
            part.last_block,
            part.rows,
            size or 0,
            part.digest,
        )

    async def _write(self, part: Part, columns: tuple[ExportColumn, ...]) -> None:
        """The rows of a part into its file; the next batch is read while one is encoded and compressed."""
        names = ", ".join(quote_identifier(column.name) for column in columns)
        statement = export_sql("export_rows").format(columns=names, table=quote_identifier(part.table))
        cursor = await self._connection.cursor(statement, part.chain_id, part.first_block, part.last_block)
        with (
            self._folder.writing(part.path) as file,
            pq.ParquetWriter(file, schema_of(columns), compression="zstd") as writer,
        ):
            records = await cursor.fetch(ROWS_AT_ONCE)
            while records:
                count = len(records)
                reading = asyncio.ensure_future(cursor.fetch(ROWS_AT_ONCE))
                try:
                    await asyncio.to_thread(_append, self._folder, writer, columns, records)
                finally:
                    records = await reading  # also after a failure: the connection has to be free again
                self.rows += count
                if self._progress is not None:
                    self._progress(part.table, self.rows, self._total)


def _append(
    folder: ExportFolder,
    writer: pq.ParquetWriter,
    columns: tuple[ExportColumn, ...],
    records: list[asyncpg.Record],
) -> None:
    batch = record_batch(columns, records)
    with folder.errors():
        writer.write_batch(batch)
