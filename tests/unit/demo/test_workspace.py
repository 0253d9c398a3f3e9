"""The demo's folder and configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.config import load_settings
from indexer.demo.anvil import CHAIN_ID, Anvil
from indexer.demo.calls import Contract
from indexer.demo.deploy import FACETS, PLAIN, UPGRADE, Deployment
from indexer.demo.tools import Artifact
from indexer.demo.workspace import workspace, write_config
from indexer.errors import ConfigError


def deployment() -> Deployment:
    names = [*PLAIN, "diamond"]
    contracts = {name: Contract("0x" + f"{place:040x}", ()) for place, name in enumerate(names, 1)}
    function = {"type": "function", "name": "ping", "inputs": [], "outputs": [], "stateMutability": "view"}
    event = {"type": "event", "name": "Ping", "inputs": [], "anonymous": False}
    artifacts = {name: Artifact(name, [function, event], b"\x60", ()) for name in (*FACETS, UPGRADE)}
    return Deployment(artifacts, contracts, {}, (), 1)


def test_the_configuration_is_one_that_the_daemon_takes(tmp_path: Path):
    anvil = Anvil(Path("/unused"))
    anvil.port = 12345
    settings = load_settings(write_config(tmp_path, anvil, deployment(), "127.0.0.1:0", CHAIN_ID), {})
    (chain,) = settings.chains.values()
    assert chain.chain_id == CHAIN_ID
    assert [url.get_secret_value() for url in chain.rpc] == ["ws://127.0.0.1:12345", "http://127.0.0.1:12345"]
    assert settings.database.data_dir == tmp_path / "data"
    assert settings.database.url is None
    assert settings.contracts["diamond"].kind == "diamond"
    assert settings.contracts["identities"].discover[0].event == "IdentityCreated"
    written = (tmp_path / "abi" / "demo_carbon_facet_v2.json").read_text()
    assert "ping" in written
    assert "Ping" not in written


def test_a_folder_of_its_own_goes_away_and_a_given_one_stays(tmp_path: Path):
    with workspace(None) as folder:
        assert folder.is_dir()
    assert not folder.exists()
    with workspace(tmp_path / "new" / "one") as given:
        assert given == tmp_path / "new" / "one"
    assert given.is_dir()


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path):
    (tmp_path / "old").write_text("")
    with pytest.raises(ConfigError, match="is not empty"), workspace(tmp_path):
        pass
    with pytest.raises(ConfigError, match="name a folder that can be written"), workspace(tmp_path / "old"):
        pass
