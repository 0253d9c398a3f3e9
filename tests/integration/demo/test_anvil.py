"""anvil under our control."""

from __future__ import annotations

import socket
from itertools import chain
from pathlib import Path

import pytest

from indexer.demo.anvil import Anvil, AnvilClient, AnvilOptions, AnvilRefused, free_port
from indexer.demo.calls import Send
from indexer.demo.tools import ToolFailed, Tools


async def transfers(client: AnvilClient, blocks: int) -> list[list[str]]:
    """Blocks with one payment from each of four accounts; returns the hashes."""
    accounts = await client.accounts()
    made = []
    for block in range(blocks):
        sends = [Send(accounts[i], accounts[9], "0x", block + 1) for i in range(4)]
        made.append(await client.batch([("eth_sendTransaction", (send.request(),)) for send in sends]))
        await client.mine()
    return made


async def block_of(client: AnvilClient, number: int | str) -> dict[str, object]:
    tag = number if isinstance(number, str) else hex(number)
    return await client.call("eth_getBlockByNumber", tag, False)


async def test_finality_follows_the_length_of_an_epoch(tools: Tools):
    with Anvil(tools.anvil, AnvilOptions(slots=4)) as anvil:
        async with AnvilClient(anvil.url) as client:
            await client.mine(20)
            assert await client.head() == 20
            assert int((await block_of(client, "safe"))["number"], 16) == 16
            assert int((await block_of(client, "finalized"))["number"], 16) == 12


async def test_a_reorg_keeps_the_height_and_moves_transactions(anvil_client: AnvilClient):
    hashes = await transfers(anvil_client, 3)
    before = [await block_of(anvil_client, number) for number in range(4)]
    found = await anvil_client.transactions_above(0)
    assert len(found) == 12
    raw = {tx: signed for tx, (_, signed) in zip(chain.from_iterable(hashes), found, strict=True)}
    first, second = hashes[1][2], hashes[1][0]
    await anvil_client.reorg(2, [(raw[first], 1), (raw[second], 1)])
    after = [await block_of(anvil_client, number) for number in range(4)]
    assert await anvil_client.head() == 3
    assert [one["hash"] == other["hash"] for one, other in zip(before, after, strict=True)] == [
        True,
        True,
        False,
        False,
    ]
    assert after[2]["transactions"] == []
    assert after[3]["transactions"] == [first, second]


async def test_a_refusal_is_an_error_with_the_method(anvil_client: AnvilClient):
    with pytest.raises(AnvilRefused, match="eth_noSuchThing"):
        await anvil_client.call("eth_noSuchThing")
    assert await anvil_client.call_or_none("eth_noSuchThing") is None


def test_a_taken_port_is_passed_over(tools: Tools):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
        with Anvil(tools.anvil, port=port) as anvil:
            assert anvil.port not in {0, port}
            assert anvil.pid is not None


def test_stopping_twice_is_harmless_and_ends_the_process(tools: Tools):
    anvil = Anvil(tools.anvil).start()
    pid = anvil.pid
    assert pid is not None
    assert Path(f"/proc/{pid}").exists() or not Path("/proc").exists()
    anvil.stop()
    anvil.stop()
    assert anvil.pid is None
    assert not Path(f"/proc/{pid}").exists()


def test_a_binary_that_does_not_start_says_why(tmp_path: Path):
    broken = tmp_path / "anvil"
    broken.write_text("#!/bin/sh\necho 'this machine is too old' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(ToolFailed, match="this machine is too old"):
        Anvil(broken).start()
