"""The real command line, in processes of its own, against a JSON-RPC server over a chain in memory and a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import time
import tomllib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from daemon import run_program

from indexer import __version__
from indexer.config_values import checksum_address
from indexer.testing.chain import MemoryChain
from indexer.testing.rpc_server import KEY, RpcServer

TOKEN, EMPTY = b"\x11" * 20, b"\x22" * 20
TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
LONGEST_SECONDS = 90


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Coroutine[Any, Any, Done]]


@pytest.fixture
def indexer(tmp_path: Path) -> Run:
    """Runs the command in an empty folder and waits for its end."""

    async def run(*arguments: str, env: dict[str, str] | None = None, stdin: bytes = b"") -> Done:
        done = Done(*await run_program(tmp_path, *arguments, env=env, stdin=stdin, seconds=LONGEST_SECONDS))
        assert "Traceback" not in done.err, done.err
        assert KEY not in done.out + done.err
        return done

    return run


def transfer(amount: int) -> tuple[bytes, list[bytes], bytes]:
    return TOKEN, [TRANSFER, bytes(12) + b"\x0a" * 20, bytes(12) + b"\x0b" * 20], amount.to_bytes(32)


@pytest.fixture
async def server() -> AsyncIterator[RpcServer]:
    """A chain whose token exists from block 20 on, with a transfer in every tenth block."""
    chain = MemoryChain(31337, finalized_depth=10, safe_depth=5)
    for number in range(1, 101):
        codes = {TOKEN: b"\x60\x60"} if number == 20 else {}
        logs = [transfer(number)] if number >= 20 and number % 10 == 0 else []
        chain.mine(logs, timestamp=int(time.time()) - 101 + number, codes=codes)
    chain.answer(TOKEN, bytes.fromhex("313ce567"), (6).to_bytes(32))
    chain.answer(TOKEN, bytes.fromhex("18160ddd"), (10**12).to_bytes(32))
    running = await RpcServer(chain).start()
    yield running
    await running.stop()


@pytest.fixture
def configured(tmp_path: Path, server: RpcServer, database_url: str) -> dict[str, str]:
    """A configuration for that server and a fresh database; the environment that completes it."""
    (tmp_path / "indexer.toml").write_text(
        f"""
[database]
url = "${{TEST_DATABASE}}"
[http]
listen = "127.0.0.1:0"
[chains.local]
chain_id = 31337
rpc = ["{server.url}"]
poll_seconds = 0.1
[contracts.token]
chain = "local"
address = "{checksum_address(TOKEN)}"
abi = ["erc20"]
start_block = 20
"""
    )
    return {"TEST_DATABASE": database_url}


async def test_version_help_and_wrong_usage(indexer: Run) -> None:
    version, told, nothing, unknown = await asyncio.gather(
        indexer("--version"), indexer("--help"), indexer(), indexer("frobnicate")
    )
    assert (version.code, version.out.strip()) == (0, f"indexer {__version__}")
    assert told.code == 0
    assert "Exit codes" in told.out
    assert (nothing.code, unknown.code) == (2, 2)
    assert "frobnicate" in unknown.err


async def test_wrong_configuration_is_exit_code_2(indexer: Run, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text("[chains.base]\nchain_id = 1\nrpc = 'htps://h/x'\npoll = 1\n")
    for command in (("run",), ("db", "url")):
        done = await indexer(*command, "-c", str(path))
        assert done.code == 2
        assert f"{path}: chains.base.poll = 1: unknown key" in done.err
        assert 'chains.base.rpc = "htps://h"' in done.err
    done = await indexer("check", "--json", env={"INDEXER_CONFIG": str(path)})
    assert done.code == done.json["exit_code"] == 2
    assert {finding["area"] for finding in done.json["findings"]} == {"configuration"}
    assert len(done.json["findings"]) == 2


async def test_init_writes_what_check_accepts_and_refuses_to_overwrite(indexer: Run, tmp_path: Path) -> None:
    done = await indexer("init")
    assert done.code == 0
    text = (tmp_path / "indexer.toml").read_text()
    assert "[chains.local]" in text
    again = await indexer("init")
    assert again.code == 2
    assert "--force" in again.err
    assert (tmp_path / "indexer.toml").read_text() == text
    assert (await indexer("init", "--force", "--json")).json["chain"]["chain_id"] == 31337


async def test_init_fills_itself_from_a_chain(indexer: Run, tmp_path: Path, server: RpcServer) -> None:
    done = await indexer(
        "init", "--rpc", server.url.replace(KEY, "${NODE_KEY}"), "--rpc", server.ws_url, "--address", "0x" + TOKEN.hex(),
        env={"NODE_KEY": KEY},
    )  # fmt: skip
    assert done.code == 0, done
    written = tomllib.loads((tmp_path / "indexer.toml").read_text())
    assert written["chains"]["local"]["chain_id"] == 31337
    assert written["chains"]["local"]["finality"] == "finalized"
    assert "${NODE_KEY}" in written["chains"]["local"]["rpc"][0]
    (contract,) = written["contracts"].values()
    assert contract == {
        "chain": "local",
        "address": checksum_address(TOKEN),
        "abi": ["erc20"],
        "start_block": 20,
    }


async def test_init_says_when_there_is_nothing(indexer: Run, server: RpcServer, tmp_path: Path) -> None:
    nothing = await indexer("init", "--rpc", server.url, "--address", "0x" + EMPTY.hex())
    assert nothing.code == 2
    assert "no code there" in nothing.err
    away = await indexer("init", "--rpc", "http://127.0.0.1:1/" + KEY)
    assert away.code == 1
    assert not (tmp_path / "indexer.toml").exists()


async def test_check_is_content_with_what_is_right(indexer: Run, configured: dict[str, str]) -> None:
    done = await indexer("check", "--json", env=configured)
    assert done.code == 0, done
    findings = done.json["findings"]
    assert {finding["area"] for finding in findings} == {
        "configuration",
        "abi",
        "endpoint",
        "contract",
        "database",
    }
    assert not [finding for finding in findings if finding["level"] == "fail"]
    told = " ".join(finding["message"] for finding in findings)
    for fragment in (
        "chain id 31337",
        "newest block is 100",
        "finalized is block 90",
        "PostgreSQL",
        "migrations",
    ):
        assert fragment in told


async def test_check_fails_on_what_is_wrong(indexer: Run, configured: dict[str, str]) -> None:
    environ = {
        **configured,
        "INDEXER__CHAINS__LOCAL__CHAIN_ID": "1",
        "INDEXER__DATABASE__URL": "postgresql://u:hunter2@127.0.0.1:1/x",
        "COLUMNS": "200",
    }
    done = await indexer("check", env=environ)
    assert done.code == 1
    assert "31337" in done.out
    assert "fail" in done.out
    assert "hunter2" not in done.out + done.err
    environ["INDEXER__CONTRACTS__TOKEN__ABI"] = "erc2"
    assert (await indexer("check", env=environ)).code == 2


async def test_a_life_of_a_database(indexer: Run, configured: dict[str, str], server: RpcServer) -> None:
    before = await indexer("status", env=configured)
    assert before.code == 2
    assert "indexer db migrate" in before.err
    migrated = await indexer("db", "migrate", "--json", env=configured)
    assert migrated.json["applied"][0] == "0001_sync"
    assert "erc20_transfer" in " ".join(migrated.json["event_tables"])

    done = await indexer("run", "--until", "head", "--timeout", "60", env=configured)
    assert done.code == 0, done
    lines = [json.loads(line) for line in done.err.splitlines()]
    assert {"event", "level", "timestamp"} <= set(lines[0])

    (chain,) = (await indexer("status", "--json", env=configured)).json["chains"]
    assert (chain["chain"], chain["tip"], chain["finalized"], chain["lag_blocks"]) == ("local", 100, 90, 0)
    (contract,) = chain["contracts"]
    assert contract["missing_blocks"] == 0
    assert contract["coverage"][0][0] <= 20
    assert chain["halted"] is None
    table = await indexer("status", env={**configured, "COLUMNS": "160"})
    assert "token" in table.out

    connection = await asyncpg.connect(configured["TEST_DATABASE"])
    try:
        count = "SELECT count(*) FROM event.erc20_transfer"
        assert await connection.fetchval(count) == 9
        again = await indexer("backfill", "--from", "20", "--to", "60", "--json", env=configured)
        assert again.json == {"logs": 5}
        assert await connection.fetchval(count) == 9
        asked = await indexer("rewind", "--to-block", "95", stdin=b"n\n", env=configured)
        assert asked.code == 1
        assert await connection.fetchval(count) == 9
        done = await indexer("rewind", "--to-block", "95", "--yes", "--json", env=configured)
        assert done.code == 0, done
        assert done.json["rows_removed"] == 1
        assert await connection.fetchval(count) == 8
        assert (await indexer("rebuild", "--json", env=configured)).json["projections"]
        assert (await indexer("redecode", "--json", env=configured)).json == {"logs": 0}
        assert (await indexer("run", "--until", "100", "--no-serve", env=configured)).code == 0
        assert await connection.fetchval(count) == 9
    finally:
        await connection.close()


async def test_another_writer_is_named(indexer: Run, configured: dict[str, str], migrated_url: str) -> None:
    connection = await asyncpg.connect(migrated_url)
    try:
        await connection.execute(
            "INSERT INTO sync.lease (chain_id, holder, epoch, seconds, expires_at) "
            "VALUES (31337, 'somebody', 1, 15, clock_timestamp() + interval '1 hour')"
        )
    finally:
        await connection.close()
    environ = {**configured, "TEST_DATABASE": migrated_url}
    done = await indexer("redecode", env=environ)
    assert done.code == 1
    assert "somebody" in done.err


async def test_db_url_hides_the_password_and_psql_runs(
    indexer: Run, configured: dict[str, str], tmp_path: Path
) -> None:
    secret = {"TEST_DATABASE": "postgresql://u:hunter2@h/d"}
    assert (await indexer("db", "url", env=secret)).out.strip() == "postgresql://u:***@h/d"
    assert "hunter2" in (await indexer("db", "url", "--show-password", env=secret)).out
    done = await indexer("db", "psql", "--", "-Atc", "select 6 * 7", env=configured)
    assert (done.code, done.out.strip()) == (0, "42")
    failed = await indexer("db", "psql", "--", "-Atc", "select 1/0", env=configured)
    assert failed.code == 1


async def test_db_roles_prints_the_grants(indexer: Run, configured: dict[str, str]) -> None:
    assert (await indexer("db", "migrate", env=configured)).code == 0
    done = await indexer("db", "roles", "--json", env=configured)
    assert done.code == 0, done
    assert {row["role"] for row in done.json["roles"]} >= {"indexer_reader", "indexer_writer"}
    reader = {
        row["schema"]: row["privileges"] for row in done.json["grants"] if row["role"] == "indexer_reader"
    }
    assert reader["event"].startswith("SELECT")
    assert "INSERT" not in " ".join(reader.values())


async def test_without_a_database_status_says_what_to_do(indexer: Run, tmp_path: Path) -> None:
    assert (await indexer("init")).code == 0
    done = await indexer("status")
    assert done.code == 1
    assert "indexer run makes it" in done.err
    assert not (tmp_path / ".indexer").exists()
