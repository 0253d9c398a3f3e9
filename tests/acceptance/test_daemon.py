"""A running daemon as its operator sees it: probes, metrics, status beside it, and its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from indexer.testing.chain import MemoryChain
from indexer.testing.rpc_server import KEY, RpcServer

PROMISED = Path(__file__).parents[1] / "unit" / "data" / "metric_names.txt"
LONGEST_SECONDS = 60


@pytest.fixture
async def server() -> AsyncIterator[RpcServer]:
    chain = MemoryChain(31337, finalized_depth=10)
    for number in range(100):
        chain.mine(timestamp=int(time.time()) - 100 + number)
    running = await RpcServer(chain).start()
    yield running
    await running.stop()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def config(tmp_path: Path, server: RpcServer, database_url: str, port: int) -> Path:
    path = tmp_path / "indexer.toml"
    path.write_text(
        f'[database]\nurl = "{database_url}"\n[http]\nlisten = "127.0.0.1:{port}"\n'
        f'[chains.local]\nchain_id = 31337\nrpc = ["{server.url}", "{server.ws_url}"]\npoll_seconds = 0.1\n'
        f'[contracts.token]\nchain = "local"\naddress = "0x{"11" * 20}"\n'
    )
    return path


async def start(config: Path, *arguments: str) -> asyncio.subprocess.Process:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INDEXER")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "indexer", "-c", str(config), *arguments),
        env=clean,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def end(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    out, err = await asyncio.wait_for(process.communicate(), LONGEST_SECONDS)
    assert KEY not in (out + err).decode()
    return process.returncode or 0, out.decode(), err.decode()


async def get(session: aiohttp.ClientSession, port: int, path: str) -> tuple[int, str]:
    try:
        async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()
    except aiohttp.ClientConnectionError:
        return 0, ""


async def until_ready(session: aiohttp.ClientSession, port: int) -> None:
    for _look in range(10 * LONGEST_SECONDS):
        if (await get(session, port, "/readyz"))[0] == 200:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not ready: {await get(session, port, '/readyz')}")


async def test_a_daemon_is_probed_measured_watched_and_ended(
    config: Path, port: int, server: RpcServer
) -> None:
    daemon = await start(config, "run")
    async with aiohttp.ClientSession() as session:
        await until_ready(session, port)
        assert (await get(session, port, "/livez"))[0] == 200
        body = json.loads((await get(session, port, "/readyz"))[1])
        assert (body["ready"], body["problems"]) == (True, [])
        _status, page = await get(session, port, "/metrics")
    assert KEY not in page
    families = {family.name: family for family in text_string_to_metric_families(page)}
    for line in PROMISED.read_text().splitlines():
        name, kind, *_labels = line.split()
        assert families[name.removesuffix("_total")].type == kind
        assert families[name.removesuffix("_total")].samples, f"{name} has no series from the start"
    endpoints = {sample.labels["endpoint"] for sample in families["indexer_endpoint_up"].samples}
    assert endpoints == {server.url.split("/")[2], f"{server.url.split('/')[2]}#2"}

    code, out, _err = await end(await start(config, "status", "--json"))
    found = json.loads(out)
    assert (code, found["daemon"]) == (0, True)
    (chain,) = found["chains"]
    assert chain["holder"]
    assert {endpoint["endpoint"] for endpoint in chain["endpoints"]} == endpoints

    watching = await start(config, "status", "--watch", "--json", "--every", "0.2")
    assert watching.stdout is not None
    await asyncio.wait_for(watching.stdout.readline(), LONGEST_SECONDS)
    watching.send_signal(signal.SIGINT)
    code, _out, err = await end(watching)
    assert code == 130
    assert "Traceback" not in err

    began = time.monotonic()
    daemon.terminate()
    code, _out, err = await end(daemon)
    assert code == 0, err
    assert time.monotonic() - began < 10
    lines = [json.loads(line) for line in err.splitlines()]
    commits = [line for line in lines if line["event"] == "committed"]
    assert {"chain", "first", "last", "logs", "rows", "total_ms"} <= set(commits[0])


async def test_a_taken_port_is_exit_code_2(config: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        code, _out, err = await end(await start(config, "run"))
    assert code == 2
    assert f'http.listen = "127.0.0.1:{port}": the port is in use' in err


async def test_a_foreign_chain_is_exit_code_71(config: Path, server: RpcServer) -> None:
    server.chain.chain_id = 5
    code, _out, err = await end(await start(config, "run", "--until", "head", "--no-serve"))
    assert code == 71
    assert "halted: " in err
    assert "Traceback" not in err
