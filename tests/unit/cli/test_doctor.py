"""The doctor against a chain in memory: each wrong thing is one finding."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from eth_abi.abi import encode

from indexer.chain.filters import LogFilter
from indexer.chain.refs import BlockRange
from indexer.cli.doctor.contracts import check_contracts
from indexer.cli.doctor.endpoints import check_endpoint
from indexer.cli.doctor.findings import Finding, exit_code
from indexer.config import ChainSettings, ContractSettings, Settings
from indexer.errors import RpcTimeout
from indexer.rpc.client import EndpointStatus, RangeLogs
from indexer.sync.diamonds import FACETS_SELECTOR
from indexer.testing.chain import MemoryChain
from indexer.testing.client import MemoryClient

TOKEN, EMPTY, DIAMOND = b"\x11" * 20, b"\x22" * 20, b"\x33" * 20
TOPIC = b"\xaa" * 32


def chain_of(blocks: int = 100, **more: int | None) -> MemoryChain:
    chain = MemoryChain(**more)
    chain.mine_empty(blocks)
    chain.mine([(TOKEN, [TOPIC], b"")], timestamp=int(time.time()))
    return chain


def settings_of(**more: object) -> ChainSettings:
    return ChainSettings.model_validate({"chain_id": 31337, "rpc": ["http://a.example"], **more})


async def endpoint_findings(
    chain: MemoryChain, settings: ChainSettings, client: MemoryClient | None = None
) -> list[Finding]:
    asked = client or MemoryClient(chain, chain_id=settings.chain_id)
    return await check_endpoint("local", settings, 0, lambda _name, _settings: asked)


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level for finding in findings]


def message_of(findings: list[Finding], fragment: str) -> Finding:
    (found,) = [finding for finding in findings if fragment in finding.message]
    return found


async def test_a_good_endpoint_is_all_ok() -> None:
    findings = await endpoint_findings(chain_of(), settings_of())
    assert levels(findings) == ["ok"] * 5
    assert exit_code(findings) == 0
    assert message_of(findings, "chain id 31337").subject == "local memory"
    assert message_of(findings, "finalized is block 37").level == "ok"


async def test_another_chain_fails() -> None:
    findings = await endpoint_findings(chain_of(), settings_of(chain_id=1))
    assert levels(findings) == ["fail"]
    assert exit_code(findings) == 1


async def test_an_error_on_the_way_is_a_finding() -> None:
    client = MemoryClient(chain_of())
    client.fail_at[2] = RpcTimeout("no answer within 30 s")
    findings = await endpoint_findings(client.chain, settings_of(), client)
    assert levels(findings) == ["ok", "fail"]
    assert "no answer" in findings[-1].message


async def test_a_chain_that_stands_still_is_a_warning() -> None:
    chain = MemoryChain()
    chain.mine_empty(100)
    assert message_of(await endpoint_findings(chain, settings_of()), "stands still").level == "warn"


@pytest.mark.parametrize(
    ("depths", "settings", "fragment"),
    [
        ({"finalized_depth": None}, {}, 'set finality = "safe"'),
        ({"finalized_depth": None, "safe_depth": None}, {}, "set finality to a number"),
        ({"finalized_depth": 0}, {}, "calls its newest block finalized"),
        ({"safe_depth": 0}, {"finality": "safe"}, "calls its newest block safe"),
    ],
)
async def test_doubtful_finality_is_a_warning(
    depths: dict[str, int | None], settings: dict[str, object], fragment: str
) -> None:
    findings = await endpoint_findings(chain_of(**depths), settings_of(**settings))
    assert message_of(findings, fragment).level == "warn"
    assert exit_code(findings) == 0


async def test_confirmations_need_no_tag() -> None:
    findings = await endpoint_findings(chain_of(finalized_depth=None), settings_of(finality=3))
    assert message_of(findings, "3 confirmations").level == "ok"


class WrongBloom(MemoryClient):
    """The headers of a chain without logs, and the logs of another."""

    async def logs_in_range(self, blocks: BlockRange, filters: Sequence[LogFilter]) -> RangeLogs:
        return await MemoryClient(chain_of()).logs_in_range(blocks, filters)


async def test_a_wrong_bloom_is_a_warning() -> None:
    bare = MemoryChain(finalized_depth=0)
    bare.mine_empty(101)
    findings = await endpoint_findings(bare, settings_of(), WrongBloom(bare))
    assert "set check_bloom = false" in message_of(findings, "the bloom of block 101 lacks").message
    findings = await endpoint_findings(bare, settings_of(check_bloom=False), WrongBloom(bare))
    assert "set check_bloom" not in message_of(findings, "the bloom of block 101 lacks").message


class SmallRange(MemoryClient):
    def status(self) -> list[EndpointStatus]:
        return [EndpointStatus("memory", True, 1.0, 100, 10, None)]


async def test_a_small_range_is_a_warning() -> None:
    chain = chain_of()
    findings = await endpoint_findings(chain, settings_of(), SmallRange(chain))
    assert message_of(findings, "takes 10 blocks").level == "warn"


async def test_addresses_without_code_fail_and_diamonds_tell_their_facets() -> None:
    chain = chain_of()
    chain.set_code(TOKEN, b"\x60")
    chain.set_code(DIAMOND, b"\x60")
    contracts = {
        "token": ContractSettings(chain="local", address=(TOKEN,)),
        "typo": ContractSettings(chain="local", address=(EMPTY,)),
        "late": ContractSettings(chain="local", address=(TOKEN,), start_block=10_000, events=("X",)),
        "diamond": ContractSettings(chain="local", kind="diamond", address=(DIAMOND,)),
        "bare": ContractSettings(chain="local", kind="diamond", address=(TOKEN,)),
        "elsewhere": ContractSettings(chain="other", address=(EMPTY,)),
        "all": ContractSettings(chain="local", address=None, events=("X",)),
    }
    facets = [("0x" + "44" * 20, [b"\x01\x02\x03\x04"])]
    chain.answer(DIAMOND, FACETS_SELECTOR, encode(["(address,bytes4[])[]"], [facets]))
    settings = Settings(path=Path("x.toml"), chains={"local": settings_of()}, contracts=contracts)
    findings = await check_contracts(settings, "local", lambda _name, _settings: MemoryClient(chain))
    by_name = {finding.subject.split()[0]: finding for finding in findings}
    assert {name: finding.level for name, finding in by_name.items()} == {
        "token": "ok",
        "typo": "fail",
        "late": "warn",
        "diamond": "ok",
        "bare": "warn",
    }
    assert "no code at block" in by_name["typo"].message
    assert by_name["diamond"].message == "a diamond of 1 facets"


async def test_addresses_of_an_unreachable_chain_are_one_finding() -> None:
    client = MemoryClient(chain_of())
    client.fail_at[1] = RpcTimeout("no answer")
    contracts = {"token": ContractSettings(chain="local", address=(TOKEN, EMPTY))}
    settings = Settings(path=Path("x.toml"), chains={"local": settings_of()}, contracts=contracts)
    findings = await check_contracts(settings, "local", lambda _name, _settings: client)
    assert [finding.subject for finding in findings] == ["local"]
    assert exit_code(findings) == 1


def test_findings_hold_no_secret_and_configuration_decides_the_code() -> None:
    finding = Finding("fail", "configuration", "https://u:p@h/KEY", "at https://u:p@h/KEY")
    assert finding.as_dict()["subject"] == "https://h"
    assert exit_code([finding, Finding("fail", "endpoint", "x", "y")]) == 2
    assert exit_code([Finding("warn", "abi", "x", "y")]) == 0
