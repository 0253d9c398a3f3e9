"""What a right configuration becomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.config import ChainSettings, ContractSettings, load_settings
from indexer.config_values import checksum_address, parse_address, split_listen

FULL = """
[database]
url = "postgresql://indexer:${TEST_PASSWORD}@localhost/indexer"
data_dir = "data"
[http]
listen = "[::1]:0"
[chains.base]
chain_id = 8453
rpc = ["https://node.example/${TEST_KEY}", "wss://node.example/ws"]
finality = 12
[chains.Local-Net]
chain_id = 31337
rpc = "http://127.0.0.1:8545"
[contracts.gemforce]
chain = "base"
kind = "diamond"
address = "0x52908400098527886E0F7030069857D2E4169EE7"
abi = ["gemforce", "erc721"]
start_block = 26013628
[contracts.identity_factory]
chain = "base"
address = ["0x27b1fdb04752bbc536007a920d24acb045561c26"]
[contracts.identities]
chain = "base"
discover = { contract = "identity_factory", event = "IdentityCreated", parameter = "identity" }
abi = "erc734"
[contracts.transfers]
chain = "base"
address = "*"
events = "Transfer"
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEST_PASSWORD", "hunter2")
    monkeypatch.setenv("TEST_KEY", "abc")
    file = tmp_path / "indexer.toml"
    file.write_text(FULL)
    return file


def test_a_full_file(path: Path) -> None:
    found = load_settings(path, {})
    assert found.path == path
    assert found.database.url is not None
    assert found.database.url.get_secret_value() == "postgresql://indexer:hunter2@localhost/indexer"
    assert found.database.data_dir == path.parent / "data"
    assert split_listen(found.http.listen) == ("::1", 0)
    base = found.chains["base"]
    assert [url.get_secret_value() for url in base.rpc] == [
        "https://node.example/abc",
        "wss://node.example/ws",
    ]
    assert base.finality == 12
    assert found.contracts["gemforce"].address == (bytes.fromhex("52908400098527886e0f7030069857d2e4169ee7"),)
    assert found.contracts["identities"].address == ()
    assert found.contracts["identities"].discover[0].since == "announcement"
    assert found.contracts["transfers"].address is None
    assert found.contracts["transfers"].events == ("Transfer",)
    assert list(found.contracts) == ["gemforce", "identity_factory", "identities", "transfers"]


def test_no_secret_in_any_rendering(path: Path) -> None:
    found = load_settings(path, {})
    for text in (repr(found), str(found), found.model_dump_json(), repr(found.chains["base"])):
        assert "hunter2" not in text
        assert "abc" not in text.replace(str(path.parent), "")


def test_the_environment_is_over_the_file_whatever_its_case(path: Path) -> None:
    found = load_settings(
        path,
        {
            "INDEXER__CHAINS__BASE__RPC": "http://a.example, ws://b.example",
            "indexer__chains__local_net__rpc": '["http://c.example"]',
            "INDEXER__CHAINS__LOCAL_NET__FINALITY": "safe",
            "INDEXER__CHAINS__BASE__POLL_SECONDS": "0.25",
            "INDEXER__CHAINS__BASE__CHECK_BLOOM": "false",
            "INDEXER__CHAINS__BASE__FINALITY": "3",
            "INDEXER__CONTRACTS__GEMFORCE__ABI": "erc20,erc721",
            "INDEXER__CONTRACTS__IDENTITIES__DISCOVER": (
                '{"contract": "gemforce", "event": "IdentityCreated", "parameter": "identity"}'
            ),
            "INDEXER__HTTP__LISTEN": "[::]:9",
            "INDEXER__LOG__LEVEL": "debug",
            "INDEXER__SYNC__CONCURRENCY": "",
            "OTHER": "x",
        },
    )
    base, local = found.chains["base"], found.chains["Local-Net"]
    assert [url.get_secret_value() for url in base.rpc] == ["http://a.example", "ws://b.example"]
    assert [url.get_secret_value() for url in local.rpc] == ["http://c.example"]
    assert (local.finality, base.finality, base.poll_seconds, base.check_bloom) == ("safe", 3, 0.25, False)
    assert found.contracts["gemforce"].abi == ("erc20", "erc721")
    assert found.contracts["gemforce"].kind == "diamond"
    assert found.contracts["identities"].discover[0].contract == "gemforce"
    assert (found.http.listen, found.log.level, found.sync.concurrency) == ("[::]:9", "debug", 4)


def test_without_a_file_the_environment_alone_is_enough(tmp_path: Path) -> None:
    environ = {
        "INDEXER__CHAINS__BASE__CHAIN_ID": "8453",
        "INDEXER__CHAINS__BASE__RPC": "https://node.example",
        "INDEXER__CONTRACTS__USDC__CHAIN": "base",
        "INDEXER__CONTRACTS__USDC__ADDRESS": "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
    }
    found = load_settings(tmp_path / "none.toml", environ)
    assert found.chains["base"].chain_id == 8453
    assert found.contracts["usdc"].address is not None


def test_the_same_address_twice_is_fine_where_the_sections_agree(tmp_path: Path) -> None:
    file = tmp_path / "indexer.toml"
    sections = "".join(
        f'[contracts.{name}]\nchain="c"\naddress="0x{"11" * 20}"\nevents="{event}"\n'
        for name, event in (("a", "Transfer"), ("b", "Approval"))
    )
    file.write_text('[chains.c]\nchain_id=1\nrpc="http://h"\n' + sections)
    assert set(load_settings(file, {}).contracts) == {"a", "b"}


def test_discovery_may_nest_and_start_from_a_wildcard(tmp_path: Path) -> None:
    file = tmp_path / "indexer.toml"
    file.write_text(
        '[chains.c]\nchain_id=1\nrpc="http://h"\n'
        '[contracts.a]\nchain="c"\naddress="*"\nevents="Made(address)"\n'
        '[contracts.b]\nchain="c"\ndiscover=[{contract="a",event="Made",parameter="x"},'
        '{contract="b",event="Child",parameter="y"}]\n'
        '[contracts.d]\nchain="c"\ndiscover={contract="b",event="Grand",parameter="y",since="creation"}\n'
    )
    assert load_settings(file, {}).contracts["d"].discover[0].since == "creation"


def test_settings_can_be_made_in_python() -> None:
    chain = ChainSettings.model_validate({"chain_id": 1, "rpc": ()})
    assert (chain.rpc, chain.finality) == ((), "finalized")
    assert ContractSettings(chain="c", address=(b"\x01" * 20,)).address == (b"\x01" * 20,)
    assert ContractSettings(chain="c", address=None).address is None


def test_a_file_that_begins_with_a_byte_order_mark_is_read(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + FULL.encode())
    assert "base" in load_settings(path, {}).chains


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=20, max_size=20))
def test_a_checksummed_address_is_read_back(address: bytes) -> None:
    assert parse_address(checksum_address(address)) == address
    assert parse_address("0x" + address.hex()) == address


def test_checksums_of_the_standard() -> None:
    for text in (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    ):
        assert checksum_address(bytes.fromhex(text[2:])) == text


def test_folders_of_projections_are_relative_to_the_file_and_may_be_several(tmp_path: Path) -> None:
    path = tmp_path / "indexer.toml"
    path.write_text(
        '[chains.base]\nchain_id = 1\nrpc = "http://h"\n[projections]\nfolder = ["sql", "/abs"]\n', "utf-8"
    )
    assert load_settings(path, {}).projections.folder == (tmp_path / "sql", Path("/abs"))
    found = load_settings(path, {"INDEXER__PROJECTIONS__FOLDER": "one,two"})
    assert found.projections.folder == (tmp_path / "one", tmp_path / "two")


def test_the_secret_of_privacy_may_come_from_a_variable(tmp_path: Path) -> None:
    path = tmp_path / "indexer.toml"
    path.write_text(
        '[chains.base]\nchain_id = 1\nrpc = "http://h"\n[privacy]\nclaim_data = "hash"\n', "utf-8"
    )
    found = load_settings(path, {"INDEXER__PRIVACY__SECRET": "0123456789abcdef"}).privacy
    assert found.secret is not None
    assert found.secret.get_secret_value() == "0123456789abcdef"
    assert "0123456789" not in repr(found)
