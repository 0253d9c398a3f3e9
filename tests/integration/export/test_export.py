"""What is exported is what PostgreSQL holds, read back by DuckDB; stopped exports show nothing half."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
import fsspec
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from indexer.cli.main import app
from indexer.config import ChainSettings, DatabaseSettings, Settings
from indexer.errors import ConfigError, IndexerError, StoreUnavailable
from indexer.export import run
from indexer.export.folder import ExportFolder
from indexer.export.plan import export_sql
from indexer.export.run import export
from indexer.store.connect import connect

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs/export.md").read_text()
STATEMENTS = re.findall(r"^```sql\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
CHAIN = 8453
BIGGEST = 2**256 - 1


@pytest.fixture
async def database(event_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(event_url)
    await connection.execute(
        "INSERT INTO sync.chain (chain_id, name, tip_number, tip_hash, finalized_number) "
        "VALUES ($1, 'base', 350, $2, 340)",
        CHAIN,
        bytes(32),
    )
    yield connection
    await connection.close()


@pytest.fixture
def settings(event_url: str) -> Settings:
    return Settings(
        path=Path("indexer.toml"),
        database=DatabaseSettings(url=SecretStr(event_url)),
        chains={"base": ChainSettings(chain_id=CHAIN, rpc=(SecretStr("http://node"),))},
    )


LEADING = "chain_id, block_number, block_hash, block_time, tx_hash, tx_index, log_index, address"


async def transfers(connection: asyncpg.Connection, first: int, last: int, values: list[int]) -> None:
    """One transfer of each value, spread over the blocks."""
    width = last - first + 1
    await connection.executemany(
        f"INSERT INTO event.erc20_transfer ({LEADING}, from_, to_, value) "
        "VALUES ($1, $2, $3, to_timestamp($2::bigint), $3, 0, $4, $5, $5, $5, $6::text::numeric)",
        [
            (CHAIN, first + place % width, bytes([place % 256]) * 32, place, b"\xaa" * 20, str(value))
            for place, value in enumerate(values)
        ],
    )


def amounts(count: int, seed: int = 4) -> list[int]:
    """Values of up to 256 bits; those that 38 digits hold add up to less than DECIMAL(38) ends at."""
    rng = random.Random(seed)
    bits = [*range(1, 110), *range(130, 257)]
    random_ones = [rng.getrandbits(top) | 1 << top for top in rng.choices(bits[:-1], k=count)]
    return [BIGGEST, 2**255, 10**38, 10**37, 0, *random_ones]


def manifest(place: Path) -> dict[str, Any]:
    return json.loads((place / "manifest.json").read_text())


def found(place: Path, pattern: str) -> list[Path]:
    return list(place.rglob(pattern))


def duck(place: Path, table: str = "erc20_transfer") -> duckdb.DuckDBPyConnection:
    """A connection with the documented view over the documented list of files."""
    connection = duckdb.connect()
    text = STATEMENTS[0].replace("PLACE", str(place)).replace("erc20_transfer", table)
    for statement in text.strip().rstrip(";").split(";\n"):
        connection.execute(statement)
    return connection


def exact_sum(
    connection: duckdb.DuckDBPyConnection, *, signed: bool = False, view: str = "erc20_transfer"
) -> int:
    macro, query = STATEMENTS[2].strip().rstrip(";").replace("erc20_transfer", view).split(";\n")
    connection.execute(macro.replace("CREATE MACRO", "CREATE OR REPLACE MACRO"))
    s0, s1, s2, s3, high = connection.execute(query).fetchone()
    total = s0 + (s1 << 64) + (s2 << 128) + (s3 << 192)
    return total - (high << 256) if signed else total


async def test_duckdb_gets_the_sums_that_postgresql_gets(
    database: asyncpg.Connection, settings: Settings, tmp_path: Path
) -> None:
    await transfers(database, 1, 340, amounts(2000))
    done = await export(settings, str(tmp_path), partition_blocks=100)
    assert (done.rows_written, done.rows, done.through_blocks) == (2005, 2005, {str(CHAIN): 340})
    connection = duck(tmp_path)
    assert exact_sum(connection) == int(
        await database.fetchval("SELECT sum(value) FROM event.erc20_transfer")
    )
    total, left_out = connection.execute(STATEMENTS[1]).fetchone()
    fitting = "FROM event.erc20_transfer WHERE value < 1e38::numeric"
    assert int(total) == int(await database.fetchval(f"SELECT sum(value) {fitting}"))
    assert left_out == 2005 - await database.fetchval(f"SELECT count(*) {fitting}")
    ours = await database.fetch(
        "SELECT block_number, log_index, block_hash, block_time, from_, value FROM event.erc20_transfer ORDER BY 1, 2"
    )
    theirs = connection.execute(
        "SELECT block_number, log_index, block_hash, block_time, from_, value, chain_id FROM erc20_transfer ORDER BY 1, 2"
    ).fetchall()
    assert [(*row[:5], int.from_bytes(row[5], "big"), row[6]) for row in theirs] == [
        (*tuple(row)[:5], int(row["value"]), CHAIN) for row in ours
    ]


async def test_every_kind_of_column_comes_through(
    database: asyncpg.Connection, settings: Settings, tmp_path: Path
) -> None:
    await database.execute(
        "CREATE TABLE event.odd (LIKE event.erc20_transfer INCLUDING ALL); "
        "ALTER TABLE event.odd ADD balance numeric, ADD amounts numeric[], ADD note text, ADD body jsonb, "
        "ADD flag boolean, ADD names text[], ADD keys bytea[], ADD value_decimal bytea"
    )
    await database.execute("COMMENT ON COLUMN event.odd.balance IS 'Argument 3 (balance) of type int256.'")
    await database.execute(
        "INSERT INTO sync.event_table (abi, signature, topic0, table_name, columns) VALUES ('odd', 'Odd()', NULL, 'odd', '[]')"
    )
    row = (CHAIN, 5, bytes(32), b"\xaa" * 20)
    for place, (balance, listed, note) in enumerate(
        [(-7, [BIGGEST, 3], 'Zürich "x"'), (2**255 - 1, [], None), (None, None, "")]
    ):
        await database.execute(
            f"INSERT INTO event.odd ({LEADING}, from_, to_, value, balance, amounts, note, body, flag, names, keys) "
            "VALUES ($1, $2, $3, to_timestamp(1), $3, 0, $5, $4, $4, $4, 1, $6::text::numeric, $7::text[]::numeric[], $8, "
            "'{\"a\": 1}', true, '{x,NULL}', ARRAY[$4::bytea])",
            *row,
            place,
            None if balance is None else str(balance),
            None if listed is None else [str(one) for one in listed],
            note,
        )
    await export(settings, str(tmp_path), tables=["odd"])
    connection = duck(tmp_path, "odd")
    (first, second, third) = connection.execute(
        "SELECT balance, balance_decimal, amounts, amounts_decimal, note, body, flag, names, keys, value_decimal, value_decimal_ "
        "FROM odd ORDER BY log_index"
    ).fetchall()
    assert int.from_bytes(first[0], "big", signed=True) == int(first[1]) == -7
    assert first[2] == [BIGGEST.to_bytes(32, "big"), (3).to_bytes(32, "big")]
    assert first[3] == [None, 3]
    assert first[4:] == ('Zürich "x"', '{"a": 1}', True, ["x", None], [b"\xaa" * 20], None, 1)
    assert (second[1], second[2], second[4]) == (None, [], None)
    assert (third[0], third[1], third[2], third[3], third[4]) == (None, None, None, None, "")
    connection.execute("CREATE VIEW balances AS SELECT balance AS value FROM odd WHERE balance IS NOT NULL")
    assert exact_sum(connection, signed=True, view="balances") == 2**255 - 8
    (file,) = [one["path"] for one in manifest(tmp_path)["files"]]
    schema = pq.read_schema(tmp_path / file)
    assert schema.field("balance").metadata == {b"encoding": b"int256"}
    assert pq.read_metadata(tmp_path / file).row_group(0).column(0).compression == "ZSTD"


async def test_only_what_changed_is_written_again(
    database: asyncpg.Connection, settings: Settings, tmp_path: Path
) -> None:
    await transfers(database, 1, 350, amounts(695))
    first = await export(settings, str(tmp_path), partition_blocks=100)
    assert (first.files_written, first.rows) == (4, 680), "blocks above finality are not exported"
    again = await export(settings, str(tmp_path))
    assert (again.files_written, again.files_kept, again.files_removed) == (0, 4, 0)
    await database.execute("UPDATE sync.chain SET tip_number = 500, finalized_number = 420")
    await transfers(database, 351, 420, amounts(95, seed=5))
    onward = await export(settings, str(tmp_path))
    assert (onward.files_written, onward.files_kept, onward.files_removed) == (2, 3, 1)
    await database.execute("DELETE FROM event.erc20_transfer WHERE block_number = 150")
    late = await export(settings, str(tmp_path))
    assert (late.files_written, late.files_kept, late.files_removed) == (1, 4, 1)
    await database.execute(
        "INSERT INTO sync.reorg (chain_id, kind, common_ancestor, depth, old_tip, new_tip, old_tip_number, new_tip_number) "
        "VALUES ($1, 'rewind', 250, 250, '', '', 500, 250)",
        CHAIN,
    )
    rewound = await export(settings, str(tmp_path))
    assert (rewound.files_written, rewound.files_kept) == (3, 2), "same keys, perhaps other rows"
    everything = await export(settings, str(tmp_path), again=True)
    assert (everything.files_written, everything.files_removed) == (5, 5)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in found(tmp_path, "*.parquet*"))
    assert files == sorted(one["path"] for one in manifest(tmp_path)["files"])
    assert exact_sum(duck(tmp_path)) == int(
        await database.fetchval("SELECT sum(value) FROM event.erc20_transfer WHERE block_number <= 420")
    )


async def test_a_stopped_export_changes_nothing_and_is_taken_up(
    database: asyncpg.Connection, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await transfers(database, 1, 150, amounts(295))
    await export(settings, str(tmp_path), partition_blocks=100)
    before = (tmp_path / "manifest.json").read_bytes()
    expected = exact_sum(duck(tmp_path))
    await transfers(database, 151, 340, amounts(395, seed=6))
    append, batches = run._append, 0

    def full_disk(*arguments: Any) -> None:
        nonlocal batches
        batches += 1
        append(*arguments)
        if batches == 3:
            raise IndexerError("No space left on device")

    monkeypatch.setattr(run, "_append", full_disk)
    with pytest.raises(IndexerError, match="No space left"):
        await export(settings, str(tmp_path))
    monkeypatch.undo()
    assert (tmp_path / "manifest.json").read_bytes() == before
    assert exact_sum(duck(tmp_path)) == expected
    for path in found(tmp_path, "*.parquet"):
        assert pq.read_table(path).num_rows, "whatever bears the name is whole"
    assert len(found(tmp_path, "*.part")) == 1
    done = await export(settings, str(tmp_path))
    assert done.files_written == 1, "two of three had been finished"
    assert not found(tmp_path, "*.part")
    assert exact_sum(duck(tmp_path)) == int(
        await database.fetchval("SELECT sum(value) FROM event.erc20_transfer")
    )


async def test_any_file_system_of_fsspec_will_do(database: asyncpg.Connection, settings: Settings) -> None:
    await transfers(database, 1, 340, amounts(100))
    await export(settings, "memory://lake/export", partition_blocks=100)
    done = await export(settings, "memory://lake/export")
    assert (done.files_written, done.files_kept) == (0, 2)
    fs = fsspec.filesystem("memory")
    files = json.loads(fs.cat("/lake/export/manifest.json"))["files"]
    assert sum(pq.read_table(fs.open(f"/lake/export/{one['path']}")).num_rows for one in files) == 105


async def test_what_cannot_be_is_refused(
    database: asyncpg.Connection, settings: Settings, tmp_path: Path
) -> None:
    await transfers(database, 1, 10, [1])
    await export(settings, str(tmp_path), partition_blocks=100)
    with pytest.raises(ConfigError, match="has files of 100 blocks"):
        await export(settings, str(tmp_path), partition_blocks=200)
    with pytest.raises(ConfigError, match="no event table"):
        await export(settings, str(tmp_path), tables=["no_such"])
    with pytest.raises(ConfigError, match="nowhere"):
        await export(settings, "nowhere://x")
    with pytest.raises(IndexerError, match=r"cannot be used: (FileExists|NotADirectory)Error"):
        await export(settings, str(tmp_path / "manifest.json"))
    other = await connect(settings.database.url.get_secret_value())
    await other.execute(export_sql("export_lock").replace("$1", f"'{ExportFolder(str(tmp_path)).key}'"))
    with pytest.raises(StoreUnavailable, match="under way"):
        await export(settings, str(tmp_path))
    await other.close()
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(ConfigError, match=r"manifest\.json"):
        await export(settings, str(tmp_path))


def test_the_command_says_what_it_did(event_url: str, tmp_path: Path) -> None:
    config = tmp_path / "indexer.toml"
    config.write_text(
        f'[database]\nurl = "{event_url}"\n[chains.base]\nchain_id = 1\nrpc = ["http://node"]\n'
    )
    done = CliRunner().invoke(app, ["export", "-c", str(config), "--to", str(tmp_path / "lake"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows_written"] == 0


def test_a_missing_package_is_named() -> None:
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from indexer.cli.main import main\n"
        "sys.argv = ['indexer', 'export', '--to', 'x']\nmain()"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 2
    assert "gemforce-indexer[export]" in result.stderr
