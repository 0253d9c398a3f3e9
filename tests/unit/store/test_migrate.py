from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import asyncpg
import pytest
from store_world import PING_TABLE

from indexer.errors import ConfigError, SchemaMismatch, StoreUnavailable
from indexer.store.connect import connect
from indexer.store.ddl import register_tables
from indexer.store.migrate import MIGRATIONS_DIR, migrate, read_migrations, require_migrated

FIRST = (MIGRATIONS_DIR / "0001_sync.sql").read_text("utf-8")

SLOW = """
CREATE TABLE sync.slow_{number} AS SELECT generate_series(1, 100) AS n;
SELECT pg_sleep(0.15);
INSERT INTO sync.slow_{number} SELECT generate_series(101, 200);
"""

RUN = """
import asyncio, sys
from pathlib import Path
from indexer.store.connect import connect
from indexer.store.migrate import migrate

async def main():
    connection = await connect(sys.argv[1], application_name="killed")
    print("connected", flush=True)
    await migrate(connection, Path(sys.argv[2]))

asyncio.run(main())
"""


@pytest.fixture
async def empty(database_url):
    connection = await connect(database_url)
    yield connection
    await connection.close()


def write(folder: Path, **files: str) -> Path:
    (folder / "0001_sync.sql").write_text(FIRST)
    for name, text in files.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(text)
    return folder


async def test_a_second_run_changes_nothing(empty):
    with pytest.raises(ConfigError, match="indexer db migrate"):
        await require_migrated(empty)
    names = [f"{one.version:04d}_{one.name}" for one in read_migrations()]
    assert names[0] == "0001_sync"
    assert await migrate(empty) == names
    assert await migrate(empty) == []
    await require_migrated(empty)


async def test_several_migrators_at_once_apply_each_once(database_url, tmp_path):
    folder = write(tmp_path, m0002_a=SLOW.format(number=2), m0003_b=SLOW.format(number=3))
    connections = [await connect(database_url) for _ in range(4)]
    done = await asyncio.gather(*(migrate(connection, folder) for connection in connections))
    assert sorted(name for names in done for name in names) == ["0001_sync", "0002_a", "0003_b"]
    assert await connections[0].fetchval("SELECT count(*) FROM sync.migration") == 3
    for connection in connections:
        await connection.close()


async def test_killed_at_any_instant_it_goes_on_where_it_stopped(database_url, tmp_path):
    steps = {f"m{number:04d}_slow": SLOW.format(number=number) for number in range(2, 6)}
    folder = write(tmp_path, **steps)
    kills = 0
    for delay in (0.0, 0.1, 0.2, 0.3):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, database_url, str(folder), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"connected\n"
        await asyncio.sleep(delay)
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        await process.wait()
    assert kills >= 3
    connection = await connect(database_url)
    await migrate(connection, folder)
    assert [row[0] for row in await connection.fetch("SELECT version FROM sync.migration ORDER BY 1")] == [
        1,
        2,
        3,
        4,
        5,
    ]
    for number in range(2, 6):
        assert await connection.fetchval(f"SELECT count(*) FROM sync.slow_{number}") == 200
    await connection.close()


async def test_a_migration_that_fails_leaves_nothing(empty, tmp_path):
    folder = write(tmp_path, m0002_broken="CREATE TABLE sync.half (a int); SELECT 1 / 0;")
    with pytest.raises(Exception, match="division by zero"):
        await migrate(empty, folder)
    assert await empty.fetchval("SELECT to_regclass('sync.half')") is None
    assert await empty.fetchval("SELECT max(version) FROM sync.migration") == 1
    write(tmp_path, m0002_broken="CREATE TABLE sync.half (a int);")
    assert await migrate(empty, folder) == ["0002_broken"]


async def test_a_database_of_another_version_is_refused(empty, tmp_path):
    folder = write(tmp_path, m0002_more="CREATE TABLE sync.more (a int);")
    await migrate(empty, folder)
    (tmp_path / "0002_more.sql").write_text("CREATE TABLE sync.more (a bigint);")
    with pytest.raises(SchemaMismatch, match="0002_more"):
        await migrate(empty, folder)
    (tmp_path / "0002_more.sql").unlink()
    with pytest.raises(SchemaMismatch, match="newer version"):
        await require_migrated(empty, folder)


async def test_an_older_migration_is_never_slipped_in(empty, tmp_path):
    folder = write(tmp_path, m0003_c="SELECT 1;")
    await migrate(empty, folder)
    (tmp_path / "0002_b.sql").write_text("SELECT 1;")
    with pytest.raises(SchemaMismatch, match="0002"):
        await migrate(empty, folder)


async def test_a_lock_is_not_waited_for_for_long(database_url, tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.store.migrate._LOCK_SECONDS", "200ms")
    first, second = await connect(database_url), await connect(database_url)
    await migrate(first, write(tmp_path))
    folder = write(tmp_path, m0002_wide="ALTER TABLE sync.chain ADD COLUMN wide int;")
    async with first.transaction():
        await first.execute("LOCK TABLE sync.chain IN ACCESS SHARE MODE")
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await migrate(second, folder)
        assert time.monotonic() - began < 5
    assert await migrate(second, folder) == ["0002_wide"]
    await first.close()
    await second.close()


async def test_only_utf8_databases_are_taken(postgres_url, url_of):
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(
        "CREATE DATABASE indexer_test_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'"
    )
    try:
        connection = await connect(url_of("indexer_test_latin"))
        with pytest.raises(ConfigError, match="UTF8"):
            await migrate(connection)
        await connection.close()
    finally:
        await admin.execute("DROP DATABASE indexer_test_latin WITH (FORCE)")
        await admin.close()


def test_file_names_are_checked(tmp_path):
    write(tmp_path, m0001_again="SELECT 1;")
    with pytest.raises(ValueError, match="two migrations"):
        read_migrations(tmp_path)
    (tmp_path / "0001_again.sql").rename(tmp_path / "second.sql")
    with pytest.raises(ValueError, match="not a migration's name"):
        read_migrations(tmp_path)


async def test_every_schema_table_and_column_has_a_comment(connection):
    await register_tables(connection, [PING_TABLE])
    silent = await connection.fetch(
        """
        SELECT n.nspname || '.' || c.relname || coalesce('.' || a.attname, '') AS place
        FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm')
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE n.nspname IN ('event', 'state', 'analytics', 'sync', 'partner')
          AND (coalesce(col_description(c.oid, a.attnum), '') = '' OR coalesce(obj_description(c.oid, 'pg_class'), '') = '')
        UNION ALL
        SELECT n.nspname FROM pg_namespace n WHERE n.nspname IN ('event', 'state', 'analytics', 'sync', 'partner')
          AND coalesce(obj_description(n.oid, 'pg_namespace'), '') = ''
        ORDER BY 1
        """
    )
    assert [row["place"] for row in silent] == []
