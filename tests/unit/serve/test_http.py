"""Health and metrics over real sockets."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from indexer import metrics
from indexer.errors import ConfigError
from indexer.serve.http import Health, HealthServer


@pytest.fixture
async def state() -> dict[str, Health]:
    return {"health": Health(ready=True, problems=[])}


@pytest.fixture
async def server(state: dict[str, Health]) -> AsyncIterator[HealthServer]:
    running = HealthServer("127.0.0.1:0", lambda: state["health"])
    await running.start()
    yield running
    await running.stop()


async def get(server: HealthServer, path: str) -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}{path}") as answer,
    ):
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_livez_answers_whatever_the_state(server: HealthServer, state: dict[str, Health]) -> None:
    state["health"] = Health(ready=False, problems=["all is lost"])
    assert (await get(server, "/livez"))[0] == 200


async def test_readyz_says_what_is_wrong_without_secrets(
    server: HealthServer, state: dict[str, Health]
) -> None:
    assert (await get(server, "/readyz"))[0] == 200
    state["health"] = Health(
        ready=False,
        problems=["base: no endpoint answers (https://h.example/KEY)"],
        chains={"base": {"lag_blocks": 7}},
    )
    status, kind, body = await get(server, "/readyz")
    assert status == 503
    assert kind.startswith("application/json")
    assert "no endpoint answers (https://h.example" in body
    assert "KEY" not in body
    assert '"lag_blocks": 7' in body


async def test_metrics_are_served_in_the_text_format(server: HealthServer) -> None:
    metrics.prepare("served")
    status, kind, body = await get(server, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert 'indexer_lag_blocks{chain="served"} 0.0' in body


async def test_unknown_paths_are_404(server: HealthServer) -> None:
    assert (await get(server, "/v1"))[0] == 404


async def test_a_taken_port_is_a_configuration_error(server: HealthServer) -> None:
    second = HealthServer(f"127.0.0.1:{server.port}", lambda: Health(ready=True, problems=[]))
    with pytest.raises(ConfigError, match="port is in use"):
        await second.start()
    await second.stop()


async def test_a_foreign_address_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="address of this machine"):
        await HealthServer("192.0.2.1:0", lambda: Health(ready=True, problems=[])).start()


async def test_stopping_is_fast_though_a_client_holds_its_connection(server: HealthServer) -> None:
    address = f"http://127.0.0.1:{server.port}/livez"
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as answer:
            await answer.read()
        began = time.monotonic()
        await server.stop()
        assert time.monotonic() - began < 3
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(address)


async def test_the_port_is_unknown_before_the_start() -> None:
    server = HealthServer("127.0.0.1:0", lambda: Health(ready=True, problems=[]))
    with pytest.raises(RuntimeError):
        _ = server.port
