"""What a back-fill asks of an endpoint: one request a range, and no block twice, also after a restart."""

from __future__ import annotations

import itertools

import pytest
import world
from aiohttp import web
from pydantic import SecretStr

from indexer import app
from indexer.config import ReconcileSettings, Settings
from indexer.testing.chain import MemoryChain
from indexer.testing.rpc_server import RpcServer

BLOCKS = 6_000
RANGE = 200
BESIDES = 8
"""Requests a run makes besides its ranges: chain id, head, finality, the first block, the step up to the full range."""


class CountingServer(RpcServer):
    """Counts bodies, batches or not."""

    bodies = 0

    async def _http(self, request: web.Request) -> web.StreamResponse:
        self.bodies += 1
        return await super()._http(request)

    def ranges(self) -> list[tuple[int, int]]:
        """Blocks of every log query by range, ascending."""
        asked = [params[0] for method, params in self.requests if method == "eth_getLogs"]
        return sorted(
            (int(one["fromBlock"], 16), int(one["toBlock"], 16)) for one in asked if "fromBlock" in one
        )


@pytest.fixture(scope="module")
def chain() -> MemoryChain:
    made = MemoryChain(finalized_depth=0)
    for number in range(BLOCKS):
        made.mine([world.erc20_transfer(world.account(1), world.account(2), number)])
    return made


@pytest.fixture
async def server(chain: MemoryChain):
    served = CountingServer(chain)
    await served.start()
    yield served
    await served.stop()


def settings(url: str, rpc: str) -> Settings:
    made = world.settings(url, max_range_blocks=RANGE, check_bloom=False)
    of_chain = made.chains["test"].model_copy(update={"rpc": (SecretStr(rpc),)})
    return made.model_copy(
        update={"chains": {"test": of_chain}, "reconcile": ReconcileSettings(enabled=False)}
    )


async def run(configured: Settings, until: str | int) -> None:
    await app.run(configured, until=until, serve_http=False, handle_signals=False)


async def test_a_back_fill_takes_one_request_a_range(event_url: str, server: CountingServer) -> None:
    """A million logs in 100,000 blocks are 50 ranges of 2,000 blocks: by this bound at most 60 requests."""
    await run(settings(event_url, server.url), "finalized")
    assert server.ranges()[-1][1] == BLOCKS
    assert server.bodies <= BLOCKS // RANGE + BESIDES


async def test_no_block_is_asked_for_twice_also_after_a_restart(
    event_url: str, server: CountingServer
) -> None:
    configured = settings(event_url, server.url)
    await run(configured, 2_900)
    await run(configured, "finalized")
    before = server.bodies
    await run(configured, "finalized")
    ranges = server.ranges()
    assert all(first[1] < second[0] for first, second in itertools.pairwise(ranges)), ranges
    assert sum(last - first + 1 for first, last in ranges) == BLOCKS + 1
    assert server.bodies - before <= 4, "there is nothing left to ask for but the head"


async def test_times_that_logs_lack_cost_one_header_a_block_in_batches(
    event_url: str, server: CountingServer
) -> None:
    with server.lying("no_timestamps"):
        await run(settings(event_url, server.url), "finalized")
    asked = [params[0] for method, params in server.requests if method == "eth_getBlockByNumber"]
    numbers = [number for number in asked if number.startswith("0x")]
    # The end of a range and its spots come with the logs; the anchor, tip and our own look at them are a few more.
    assert len(numbers) <= BLOCKS + 2 * BESIDES
    # 200 headers are two batches.
    assert server.bodies <= 3 * (BLOCKS // RANGE + 1) + BESIDES
