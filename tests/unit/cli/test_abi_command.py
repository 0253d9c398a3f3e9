"""``indexer abi``, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from indexer.cli.abi import app
from indexer.cli.context import INVOCATION
from indexer.errors import ConfigError

ADDRESS = "0x" + "Ab" * 20
SAID = {
    "type": "event",
    "name": "Said",
    "anonymous": False,
    "inputs": [{"name": "text", "type": "string", "indexed": True}],
}
FUNCTION = {"type": "function", "name": "say", "inputs": [{"name": "text", "type": "string"}], "outputs": []}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INDEXER_CONFIG", raising=False)
    monkeypatch.setattr(INVOCATION, "config", None)
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def printed(*arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(run(*arguments, "--json")))


def refused(*arguments: str) -> str:
    with pytest.raises(ConfigError) as caught:
        CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return str(caught.value)


def write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def write_config(folder: Path, abi: str) -> None:
    (folder / "indexer.toml").write_text(
        '[chains.local]\nchain_id = 31337\nrpc = ["http://127.0.0.1:8545"]\n'
        f'[contracts.mine]\nchain = "local"\naddress = "0x{"11" * 20}"\nabi = ["{abi}"]\n'
    )


def test_list_works_without_a_configuration() -> None:
    rows = printed("list")
    assert len(rows) >= 150
    (transfer,) = [row for row in rows if row["table"] == "event.erc20_transfer"]
    assert transfer["event"] == "Transfer"
    assert transfer["signature"] == "Transfer(address,address,uint256)"
    assert transfer["topic0"] == "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    assert transfer["topics"] == 3
    assert transfer["abi"] == "erc20"
    assert [column["name"] for column in transfer["columns"]] == ["from_", "to_", "value"]


def test_list_takes_one_abi_and_the_documentation_pack() -> None:
    assert {row["abi"] for row in printed("list", "gemforce/marketplace")} == {"marketplace"}
    assert len(printed("list", "--docs")) > len(printed("list"))
    result = CliRunner().invoke(app, ["list", "gemforce-docs"], catch_exceptions=False)
    assert result.stderr.count("warning: ") == 4


def test_list_prints_whole_lines_where_there_is_no_terminal() -> None:
    lines = run("list", "erc20").splitlines()
    assert lines[0].split("\t") == [
        "Transfer(address,address,uint256)",
        "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
        "3",
        "event.erc20_transfer",
        "erc20",
    ]


def test_list_draws_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = run("list", "erc20")
    assert "┃" in text
    assert "erc20" in text


def test_list_and_show_know_the_abis_of_the_configuration(folder: Path) -> None:
    write(folder / "Talk.json", [SAID, FUNCTION])
    write_config(folder, "./Talk.json")
    assert [row["table"] for row in printed("list") if row["abi"] == "talk"] == ["event.talk_said"]
    (said,) = printed("show", "Said")
    assert said["columns"] == [
        {"name": "text_hash", "type": "bytea", "argument": "text", "abi_type": "string", "indexed": True}
    ]


@pytest.mark.parametrize(
    "what",
    [
        "Listings",
        "marketplace_listings",
        "event.marketplace_listings",
        "Listings(address,uint256,address,address,address,uint256,bool,address)",
        "0x1c4bace53786c697521915d51679b39d96c6ae3e735ddabf362ee3d3ebe1cdff",
    ],
)
def test_show_finds_an_event_by_any_of_its_names(what: str) -> None:
    (listings,) = printed("show", what)
    assert listings["table"] == "event.marketplace_listings"
    text = run("show", what)
    assert "payment_token" in text
    assert "numeric" in text


def test_show_finds_abis_packs_and_what_only_the_documentation_declares() -> None:
    assert len(printed("show", "gemforce/treasury")) == 2
    assert len(printed("show", "erc721")) == 3
    assert [row["abi"] for row in printed("show", "SalePaused")] == ["multi_sale"]


def test_show_tells_what_is_close() -> None:
    assert "did you mean" in refused("show", "Transferr")
    assert "indexer abi list" in refused("show", "Xyzzyxyzzy")


def test_a_configuration_that_was_named_has_to_be_there() -> None:
    assert "nowhere.toml" in refused("list", "--config", "nowhere.toml")


def test_add_writes_a_plain_abi_and_tells_what_to_configure(folder: Path) -> None:
    source = write(
        folder / "out" / "Talk.sol" / "Talk.json", {"abi": [SAID, FUNCTION], "bytecode": {"object": "0x"}}
    )
    text = run("add", str(source))
    assert 'abi = ["abi/talk.json"]' in text
    assert json.loads((folder / "abi" / "talk.json").read_text()) == [SAID, FUNCTION]
    write_config(folder, "abi/talk.json")
    assert [row["abi"] for row in printed("show", "talk_said")] == ["talk"]
    run("add", str(source))


def test_add_reads_a_hardhat_deploy_folder(folder: Path) -> None:
    deployments = folder / "deployments" / "base"
    write(deployments / "Talk.json", {"address": ADDRESS, "abi": [SAID], "receipt": {"blockNumber": 77}})
    write(deployments / "Diamond.json", {"address": ADDRESS, "abi": [FUNCTION]})
    write(deployments / "EmptyLib.json", {"address": ADDRESS, "abi": []})
    write(deployments / "solcInputs" / "0a.json", {"language": "Solidity"})
    (deployments / ".chainId").write_text("8453")
    added = printed("add", str(deployments), "--to", "contracts")
    assert [(one["abi"], one["address"], one["block"]) for one in added] == [
        ("contracts/my_diamond.json", ADDRESS, None),
        ("contracts/talk.json", ADDRESS, 77),
    ]
    assert "start_block = 77" in run("add", str(deployments), "--to", "contracts")


def test_add_writes_beside_the_configuration_that_is_named(folder: Path) -> None:
    source = write(folder / "Talk.json", [SAID])
    (folder / "here").mkdir()
    (one,) = printed("add", str(source), "--config", "here/indexer.toml")
    assert one["abi"] == "abi/talk.json"
    assert (folder / "here" / "abi" / "talk.json").exists()


def test_add_refuses_the_name_of_a_built_in_and_takes_another(folder: Path) -> None:
    source = write(folder / "ERC20.json", [SAID])
    message = refused("add", str(source))
    assert "built-in" in message
    assert "--name" in message
    assert not (folder / "abi").exists()
    assert run("add", str(source), "--name", "OurCoin")
    assert (folder / "abi" / "our_coin.json").exists()


def test_add_names_one_file_only_and_tells_two_of_one_name(folder: Path) -> None:
    write(folder / "out" / "A.sol" / "Talk.json", [SAID])
    write(folder / "out" / "B.sol" / "Talk.json", [FUNCTION])
    write(folder / "out" / "C.sol" / "Empty.json", [{"type": "receive", "stateMutability": "payable"}])
    assert "holds 3 ABIs" in refused("add", "out", "--name", "Talk")
    assert "has the same name" in refused("add", "out")
    assert not (folder / "abi").exists()


def test_add_does_not_write_over_another_abi(folder: Path) -> None:
    run("add", str(write(folder / "Talk.json", [SAID])))
    changed = write(folder / "Talk.json", [SAID, FUNCTION])
    assert "--force" in refused("add", str(changed))
    assert json.loads((folder / "abi" / "talk.json").read_text()) == [SAID]
    run("add", str(changed), "--force")
    assert json.loads((folder / "abi" / "talk.json").read_text()) == [SAID, FUNCTION]


@pytest.mark.parametrize(
    ("entries", "part"),
    [
        (
            [
                {
                    **SAID,
                    "inputs": [{"name": f"a{place}", "type": "uint8", "indexed": True} for place in range(4)],
                }
            ],
            "4 indexed",
        ),
        ([{**SAID, "inputs": [{"name": "a", "type": "uint9", "indexed": False}]}], "uint9"),
        ([{**SAID, "inputs": [{"name": "a", "type": "fixed", "indexed": False}]}], "fixed-point"),
        ({"solc": "0.8.30"}, "no ABI in it"),
    ],
)
def test_add_refuses_what_cannot_be_decoded(folder: Path, entries: object, part: str) -> None:
    source = write(folder / "Talk.json", entries)
    assert part in refused("add", str(source))
    assert not (folder / "abi").exists()
