"""What the traffic makes: everything there is to index, the same for one seed, with reorgs that move transactions."""

from __future__ import annotations

from collections.abc import Mapping

from web3 import AsyncHTTPProvider, AsyncWeb3

from indexer.demo.anvil import Anvil, AnvilClient, AnvilOptions
from indexer.demo.deploy import Deployment, deploy
from indexer.demo.event_tables import EVENT_TABLES
from indexer.demo.expected import expected_rows
from indexer.demo.tools import Artifact, Tools
from indexer.demo.traffic import Traffic


async def test_a_few_minutes_of_traffic_say_everything_that_the_contracts_can(
    anvil: Anvil, anvil_client: AnvilClient, deployment: Deployment, contracts: Mapping[str, Artifact]
):
    traffic = Traffic(anvil_client, deployment, seed=7)
    await traffic.history(200)
    for _ in range(31):
        await traffic.step()
    assert traffic.count.upgrades == 1
    assert len(traffic.count.reorgs) == 5
    assert {one.fate for one in traffic.count.reorgs} == {"drop", "reorder", "empty"}
    web3 = AsyncWeb3(AsyncHTTPProvider(anvil.url))
    watched = [one.address for one in deployment.contracts.values()]
    items = deployment.contracts["items"].address
    found = await expected_rows(web3, contracts, watched, items, await anvil_client.head())
    await web3.provider.disconnect()
    assert set(EVENT_TABLES.values()) - set(found.rows) == set()
    assert found.undecoded
    assert found.logs == sum(map(len, found.rows.values())) + len(found.undecoded)


async def replay(tools: Tools, seed: int) -> list[tuple[str, str]]:
    with Anvil(tools.anvil, AnvilOptions(slots=16)) as anvil:
        async with AnvilClient(anvil.url) as client:
            traffic = Traffic(client, await deploy(client, tools.artifacts), seed)
            for _ in range(20):
                await traffic.step()
            return await client.transactions_above(0)


async def test_one_seed_makes_the_same_transactions_again_and_another_makes_others(tools: Tools):
    first = await replay(tools, 3)
    assert first == await replay(tools, 3)
    assert first != await replay(tools, 4)


async def test_a_reorg_keeps_the_height_and_what_was_not_dropped(
    anvil_client: AnvilClient, deployment: Deployment
):
    traffic = Traffic(anvil_client, deployment, seed=5)
    await traffic.history(20)
    head = await anvil_client.head()
    for depth, fate in ((3, "reorder"), (9, "drop"), (5, "empty")):
        before = await anvil_client.transactions_above(head - depth)
        done = await traffic.reorg(depth, fate)
        after = await anvil_client.transactions_above(head - depth)
        assert await anvil_client.head() == head
        assert (done.had, done.kept) == (len(before), len(after))
        assert set(after) <= set(before)
        if fate == "reorder":
            assert sorted(after) == sorted(before)
            assert after != before
