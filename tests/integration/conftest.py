"""A chain for tests: anvil, and the demo's contracts compiled. Both are installed by ``make setup``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping

import pytest

from indexer.demo.anvil import Anvil, AnvilClient, AnvilOptions
from indexer.demo.deploy import Deployment, deploy
from indexer.demo.tools import Artifact, Tools, prepare


@pytest.fixture(scope="session")
def tools() -> Tools:
    """anvil and the compiled contracts; instant after ``make setup``."""
    return prepare(print)


@pytest.fixture(scope="session")
def contracts(tools: Tools) -> Mapping[str, Artifact]:
    """The compiled contracts by name."""
    return tools.artifacts


@pytest.fixture
def anvil(tools: Tools) -> Iterator[Anvil]:
    """A fresh chain of this test, on a free port; it mines on request only, ``finalized`` is 32 blocks behind."""
    with Anvil(tools.anvil, AnvilOptions(slots=16)) as running:
        yield running


@pytest.fixture
async def anvil_client(anvil: Anvil) -> AsyncIterator[AnvilClient]:
    """JSON-RPC to the test's chain."""
    async with AnvilClient(anvil.url) as client:
        yield client


@pytest.fixture
async def deployment(anvil_client: AnvilClient, contracts: Mapping[str, Artifact]) -> Deployment:
    """The demo's contracts, deployed and set up on the test's chain."""
    return await deploy(anvil_client, contracts)
