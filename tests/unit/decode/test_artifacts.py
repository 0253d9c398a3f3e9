"""ABIs as tools leave them on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.decode import artifacts
from indexer.decode.artifacts import read_artifact, read_artifacts
from indexer.errors import ConfigError

ABI = [{"type": "event", "name": "Said", "inputs": [], "anonymous": False}]


def write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    "document",
    [
        ABI,
        {"abi": ABI},
        {"abi": ABI, "bytecode": {"object": "0x"}, "methodIdentifiers": {}, "id": 3},
        {"_format": "hh-sol-artifact-1", "contractName": "A", "abi": ABI, "bytecode": "0x"},
        {"status": "1", "message": "OK", "result": json.dumps(ABI)},
    ],
    ids=["array", "abi", "foundry", "hardhat", "explorer"],
)
def test_each_form_of_file_is_read(tmp_path: Path, document: object) -> None:
    assert read_artifact(write(tmp_path / "A.json", document)).entries == ABI


def test_a_deployment_tells_address_and_block(tmp_path: Path) -> None:
    address = "0x" + "Ab" * 20
    file = write(tmp_path / "A.json", {"address": address, "abi": ABI, "receipt": {"blockNumber": 77}})
    artifact = read_artifact(file)
    assert (artifact.address, artifact.block) == (address, 77)


def test_a_deployment_without_receipt_or_with_nonsense_tells_nothing(tmp_path: Path) -> None:
    artifact = read_artifact(
        write(tmp_path / "A.json", {"address": "here", "abi": ABI, "receipt": {"blockNumber": "7"}})
    )
    assert (artifact.address, artifact.block) == (None, None)


def test_a_hardhat_deploy_folder_is_read_without_what_is_no_contract(tmp_path: Path) -> None:
    write(tmp_path / "B.json", {"abi": ABI})
    write(tmp_path / "A.json", {"abi": ABI})
    write(tmp_path / ".migrations.json", {"abi": ABI})
    (tmp_path / ".chainId").write_text("84532")
    write(tmp_path / "solcInputs" / "0a.json", {"abi": ABI})
    assert [artifact.path.name for artifact in read_artifacts(tmp_path)] == ["A.json", "B.json"]


def test_a_foundry_out_and_a_hardhat_artifacts_folder_are_read(tmp_path: Path) -> None:
    write(tmp_path / "Sale.sol" / "Sale.json", {"abi": ABI})
    write(tmp_path / "Sale.sol" / "Sale.dbg.json", {"abi": ABI})
    write(tmp_path / "build-info" / "0a.json", {"abi": ABI})
    write(tmp_path / "empty.json", {"abi": []})
    write(tmp_path / "settings.json", {"solc": "0.8.30"})
    assert [str(artifact.path.relative_to(tmp_path)) for artifact in read_artifacts(tmp_path)] == [
        "Sale.sol/Sale.json"
    ]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("\x00", "no JSON"),
        ("{}", "no ABI in it"),
        ('{"abi": {}}', "no ABI in it"),
        ('{"result": "Contract source code not verified"}', "no ABI in it"),
        ("[1, 2]", "no ABI in it"),
        ('"abi"', "no ABI in it"),
    ],
)
def test_what_is_no_abi_is_refused_by_name(tmp_path: Path, content: str, part: str) -> None:
    file = tmp_path / "A.json"
    file.write_text(content)
    with pytest.raises(ConfigError) as caught:
        read_artifact(file)
    assert str(file) in str(caught.value)
    assert part in str(caught.value)


def test_missing_files_and_empty_folders_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or folder"):
        read_artifacts(tmp_path / "nothing.json")
    with pytest.raises(ConfigError, match="no file with an ABI"):
        read_artifacts(tmp_path)


def test_what_cannot_be_read_is_told_with_the_cause(tmp_path: Path) -> None:
    (tmp_path / "A.json").mkdir()
    with pytest.raises(ConfigError, match=r"A\.json: cannot be read: "):
        read_artifact(tmp_path / "A.json")


def test_files_too_large_and_folders_too_full_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("A.json", "B.json", "C.json"):
        write(tmp_path / name, ABI)
    monkeypatch.setattr(artifacts, "MAX_FILES", 2)
    with pytest.raises(ConfigError, match="more than 2 JSON files"):
        read_artifacts(tmp_path)
    monkeypatch.setattr(artifacts, "_MAX_BYTES", 10)
    with pytest.raises(ConfigError, match=r"A\.json: larger than"):
        read_artifact(tmp_path / "A.json")
