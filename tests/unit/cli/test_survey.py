"""What ``init`` finds out, on a chain in memory; and that what it writes can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_abi.abi import encode

from indexer.cli.survey import Survey, Surveyed, chain_name, survey
from indexer.cli.template import render
from indexer.config import ChainSettings, load_settings
from indexer.decode.catalogue import load_catalogue
from indexer.errors import ConfigError, RpcRefused
from indexer.sync.diamonds import FACETS_SELECTOR
from indexer.testing.chain import MemoryChain
from indexer.testing.client import MemoryClient

ERC20, ERC721, ERC1155, DIAMOND, OTHER = (bytes([number]) * 20 for number in range(1, 6))
TRUE, FALSE = (1).to_bytes(32), bytes(32)


def supports(code: str) -> bytes:
    return bytes.fromhex("01ffc9a7") + bytes.fromhex(code).ljust(32, b"\0")


def answer_interfaces(chain: MemoryChain, address: bytes, *codes: str) -> None:
    for code in ("01ffc9a7", "ffffffff", "80ac58cd", "d9b67a26", "49064906", "b45a3c0e"):
        chain.answer(address, supports(code), TRUE if code in {"01ffc9a7", *codes} else FALSE)


@pytest.fixture
def chain() -> MemoryChain:
    chain = MemoryChain(8453)
    chain.mine_empty(200)
    for block, address in ((7, ERC20), (100, ERC721), (150, ERC1155), (1, DIAMOND), (200, OTHER)):
        chain.set_code(address, b"\x60\x60", block)
    chain.answer(ERC20, bytes.fromhex("313ce567"), (6).to_bytes(32))
    chain.answer(ERC20, bytes.fromhex("18160ddd"), (10**12).to_bytes(32))
    chain.answer(ERC20, bytes.fromhex("95d89b41"), encode(["string"], ["USD Coin!"]))
    answer_interfaces(chain, ERC721, "80ac58cd", "49064906")
    chain.answer(ERC721, bytes.fromhex("95d89b41"), b"OLD".ljust(32, b"\0"))
    answer_interfaces(chain, ERC1155, "d9b67a26")
    answer_interfaces(chain, DIAMOND, "80ac58cd")
    chain.answer(DIAMOND, bytes.fromhex("95d89b41"), encode(["string"], ["OLD"]))
    return chain


async def look(chain: MemoryChain, *addresses: bytes, client: MemoryClient | None = None) -> Survey:
    catalogue = load_catalogue(None, {})
    stems = frozenset(file.source.stem for file in catalogue.gemforce)
    settings = ChainSettings.model_validate({"chain_id": 8453, "rpc": ["http://a.example"]})
    return await survey(client or MemoryClient(chain), settings, addresses, catalogue.functions, stems)


async def test_tokens_and_first_blocks_are_found(chain: MemoryChain) -> None:
    found = await look(chain, ERC20, ERC721, ERC1155, OTHER)
    assert (found.name, found.chain_id, found.finality) == ("base", 8453, "finalized")
    assert [(one.name, one.abi, one.start_block, one.kind) for one in found.contracts] == [
        ("usd_coin", ("erc20",), 7, "contract"),
        ("old", ("erc721", "erc4906"), 100, "contract"),
        ("contract", ("erc1155",), 150, "contract"),
        ("contract_2", (), 200, "contract"),
    ]


async def test_a_diamond_is_known_by_its_loupe_and_gemforce_by_its_functions(chain: MemoryChain) -> None:
    functions = load_catalogue(None, {}).functions
    facets = [("0x" + "44" * 20, sorted(functions["marketplace"])), ("0x" + "55" * 20, [b"\x01\x02\x03\x04"])]
    chain.answer(DIAMOND, FACETS_SELECTOR, encode(["(address,bytes4[])[]"], [facets]))
    (one,) = (await look(chain, DIAMOND)).contracts
    assert (one.kind, one.abi, one.start_block, one.note) == (
        "diamond",
        ("gemforce", "erc721"),
        1,
        "a diamond of 2 facets",
    )
    chain.answer(DIAMOND, FACETS_SELECTOR, encode(["(address,bytes4[])[]"], [facets[1:]]))
    (one,) = (await look(chain, DIAMOND)).contracts
    assert one.abi == ("erc721",)


async def test_who_says_yes_to_everything_is_no_token(chain: MemoryChain) -> None:
    for code in ("01ffc9a7", "ffffffff", "80ac58cd", "d9b67a26", "49064906", "b45a3c0e"):
        chain.answer(OTHER, supports(code), TRUE)
    (one,) = (await look(chain, OTHER)).contracts
    assert one.abi == ()


async def test_an_address_without_code_is_refused(chain: MemoryChain) -> None:
    with pytest.raises(ConfigError, match="no code there at block 200"):
        await look(chain, b"\x99" * 20)


async def test_without_history_nothing_can_be_missed(chain: MemoryChain) -> None:
    client = MemoryClient(chain)
    client.fail_at[4] = RpcRefused("pruned")
    (one,) = (await look(chain, ERC20, client=client)).contracts
    assert one.start_block == 0
    assert "no history" in one.note


@pytest.mark.parametrize(
    ("depths", "expected"),
    [
        ({"finalized_depth": None, "safe_depth": 5}, "safe"),
        ({"finalized_depth": 0, "safe_depth": 0}, 12),
        ({"finalized_depth": None, "safe_depth": None}, 12),
    ],
)
async def test_finality_is_what_the_chain_has(depths: dict[str, int | None], expected: str | int) -> None:
    chain = MemoryChain(8453, **depths)
    chain.mine_empty(20)
    assert (await look(chain)).finality == expected


def test_unknown_chains_get_a_name() -> None:
    assert (chain_name(8453), chain_name(4242)) == ("base", "chain_4242")


@pytest.mark.parametrize("with_contracts", [True, False])
def test_what_is_written_can_be_read(with_contracts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_KEY", "k")
    contracts = (
        Surveyed(ERC20, "usd", "contract", ("erc20",), 7, "a token"),
        Surveyed(DIAMOND, "gem", "diamond", (), 0, "a diamond"),
    )
    found = Survey("base", 8453, 12, contracts if with_contracts else ())
    path = tmp_path / "indexer.toml"
    path.write_text(render(found, ["https://h.example/${NODE_KEY}", "ws://h.example"]))
    settings = load_settings(path, {})
    assert settings.chains["base"].finality == 12
    assert settings.chains["base"].rpc[0].get_secret_value() == "https://h.example/k"
    assert set(settings.contracts) == ({"usd", "gem"} if with_contracts else set())


def test_commented_keys_of_the_template_are_the_real_defaults(tmp_path: Path) -> None:
    text = render(Survey("local", 31337, "finalized"), ["http://127.0.0.1:8545"])
    defaults = load_settings(_written(tmp_path / "a.toml", text), {})
    lines = [line for line in text.splitlines() if "=" in line and not line.startswith("# [")]
    wanted = (
        "data_dir",
        "listen",
        "level",
        "format",
        "lease_seconds",
        "concurrency",
        "commit_bytes",
        "queue_bytes",
    )
    wanted += (
        "start_block",
        "poll_seconds",
        "timeout_seconds",
        "check_bloom",
        "max_range_blocks",
        "ready_lag_blocks",
    )
    wanted += ("stall_seconds",)
    for key in wanted:
        (line, *_rest) = [line for line in lines if line.startswith(f"# {key} =")]
        text = text.replace(line, line.removeprefix("# "), 1)
    spoken = load_settings(_written(tmp_path / "b.toml", text), {})
    assert spoken.model_copy(update={"path": defaults.path}) == defaults


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
