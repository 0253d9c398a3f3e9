"""Every way to write a wrong configuration, and what the message has to hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.config import load_settings
from indexer.errors import ConfigError

CHAIN = '[chains.base]\nchain_id = 8453\nrpc = "https://node.example/key"\n'
ADDRESS = "0x52908400098527886e0f7030069857d2e4169ee7"
RIGHT = "0x52908400098527886E0F7030069857D2E4169EE7"
WRONG = "0x52908400098527886E0F7030069857D2E4169Ee7"
OTHER = "0x27b1fdb04752bbc536007a920d24acb045561c26"


def contract(name: str, lines: str, chain: str = "base") -> str:
    return f'[contracts.{name}]\nchain = "{chain}"\n{lines}\n'


def token(name: str, more: str = "", address: str = ADDRESS) -> str:
    return contract(name, f'address = "{address}"\n{more}')


BAD: dict[str, tuple[str, tuple[str, ...]]] = {
    "syntax": ("[chains.base\nchain_id = 1", ("no valid TOML", "line 1")),
    "same key twice": (CHAIN + "chain_id = 1\n", ("no valid TOML", "line")),
    "empty": ("", ("chains is missing", "[chains.NAME]")),
    "unknown section": (CHAIN + "[contract.x]\n", ("contract", "unknown key", '"contracts"')),
    "unknown section without a near one": (CHAIN + "[zzz]\n", ("zzz", "database, http, log, sync")),
    "unknown chain key": (CHAIN + "poll_second = 1\n", ("chains.base.poll_second", '"poll_seconds"')),
    "unknown contract key": (CHAIN + token("t", "event = 'X'"), ("contracts.t.event", '"events"')),
    "unknown database key": (CHAIN + "[database]\nuri = 'x'\n", ("database.uri", '"url"')),
    "section is a value": ("chains = 5\n", ("chains = 5", "[chains.NAME]")),
    "chain is a value": ("[chains]\nbase = 5\n", ("chains.base = 5", "[chains.base]")),
    "database is a value": ("database = 'x'\n" + CHAIN, ('database = "x"', "[database]")),
    "no chain id": (
        '[chains.base]\nrpc = "https://x.y"\n',
        ("chains.base.chain_id is missing", "eth_chainId"),
    ),
    "chain id text": (CHAIN.replace("8453", "'base'"), ('chains.base.chain_id = "base"', "whole number")),
    "chain id true": (CHAIN.replace("8453", "true"), ("chains.base.chain_id = true", "number")),
    "chain id zero": (CHAIN.replace("8453", "0"), ("chains.base.chain_id = 0", "greater than 0")),
    "chain id twice": (
        CHAIN + CHAIN.replace("base", "other"),
        ("chains.other.chain_id = 8453", "chains.base has this chain_id"),
    ),
    "no rpc": ("[chains.base]\nchain_id = 1\n", ("chains.base.rpc is missing", "https://host/path")),
    "empty rpc": ("[chains.base]\nchain_id = 1\nrpc = []\n", ("chains.base.rpc", "at least one URL")),
    "rpc scheme": (
        "[chains.base]\nchain_id = 1\nrpc = ['https://a.b', 'htps://c.d/KEY']\n",
        ('chains.base.rpc[1] = "htps://c.d"', "http, https, ws, wss", '"https"'),
    ),
    "rpc without scheme": (
        "[chains.base]\nchain_id = 1\nrpc = 'node.example'\n",
        ("chains.base.rpc", "a URL"),
    ),
    "rpc without host": ("[chains.base]\nchain_id = 1\nrpc = 'https://'\n", ("chains.base.rpc", "no host")),
    "rpc port": ("[chains.base]\nchain_id = 1\nrpc = 'http://h:99999'\n", ("chains.base.rpc", "1 to 65535")),
    "rpc port text": ("[chains.base]\nchain_id = 1\nrpc = 'http://h:x1'\n", ("chains.base.rpc", "no number")),
    "rpc number": ("[chains.base]\nchain_id = 1\nrpc = [5]\n", ("chains.base.rpc[0]", "should be a string")),
    "rpc twice": (
        "[chains.base]\nchain_id = 1\nrpc = ['http://h', 'http://h']\n",
        ("chains.base.rpc[1]", "listed twice"),
    ),
    "rpc variable": (
        "[chains.base]\nchain_id = 1\nrpc = 'https://h/${SURELY_NOT_SET}'\n",
        ("chains.base.rpc", "environment variable SURELY_NOT_SET is not set"),
    ),
    "rpc variable malformed": (
        "[chains.base]\nchain_id = 1\nrpc = 'https://h/${NOT-A-NAME}'\n",
        ("chains.base.rpc", "${…}", "letters, digits"),
    ),
    "finality word": (
        CHAIN + "finality = 'finalised'\n",
        ("chains.base.finality", 'did you mean "finalized"'),
    ),
    "finality negative": (CHAIN + "finality = -1\n", ("chains.base.finality = -1", "not negative")),
    "finality list": (CHAIN + "finality = [1]\n", ("chains.base.finality", '"safe"', "confirmations")),
    "start negative": (CHAIN + "start_block = -5\n", ("chains.base.start_block = -5", "at least 0")),
    "poll zero": (CHAIN + "poll_seconds = 0\n", ("chains.base.poll_seconds = 0", "greater than 0")),
    "timeout nan": (CHAIN + "timeout_seconds = nan\n", ("chains.base.timeout_seconds", "should be")),
    "bloom word": (CHAIN + "check_bloom = 'maybe'\n", ("chains.base.check_bloom", "true or false")),
    "range zero": (CHAIN + "max_range_blocks = 0\n", ("chains.base.max_range_blocks = 0", "greater than 0")),
    "chain name": (CHAIN.replace("base]", '"ba.se"]'), ('chains."ba.se"', "letters, digits")),
    "names alike": (
        CHAIN + CHAIN.replace("base", "Base").replace("8453", "1"),
        ("chains.Base", "differs from chains.base only in case"),
    ),
    "listen": (CHAIN + "[http]\nlisten = '8080'\n", ('http.listen = "8080"', "host:port")),
    "listen without host": (CHAIN + "[http]\nlisten = ':8080'\n", ("http.listen", "0.0.0.0:8080")),
    "listen port": (CHAIN + "[http]\nlisten = 'h:70000'\n", ("http.listen", "65535")),
    "listen v6": (CHAIN + "[http]\nlisten = '::1:80'\n", ("http.listen", "[::1]:8080")),
    "log level": (CHAIN + "[log]\nlevel = 'warn'\n", ("log.level", '"warning"', "did you mean")),
    "database scheme": (CHAIN + "[database]\nurl = 'mysql://u:pw@h/d'\n", ('"mysql://h"', "postgresql://")),
    "database dsn": (CHAIN + "[database]\nurl = 'host=x password=pw'\n", ("database.url", "postgresql://")),
    "lease": (CHAIN + "[sync]\nlease_seconds = -1\n", ("sync.lease_seconds = -1", "greater than 0")),
    "concurrency": (CHAIN + "[sync]\nconcurrency = 1000\n", ("sync.concurrency = 1000", "at most 256")),
    "commit over queue": (CHAIN + "[sync]\nqueue_bytes = 5\n", ("sync.commit_bytes", "sync.queue_bytes (5)")),
    "privacy mode": (
        CHAIN + "[privacy]\nclaim_data = 'hide'\n",
        ("privacy.claim_data", '"keep" or "hash" or "drop"'),
    ),
    "privacy without secret": (
        CHAIN + "[privacy]\nclaim_data = 'hash'\n",
        ("privacy.secret is missing", "claim_data is hashed with it", "INDEXER__PRIVACY__SECRET"),
    ),
    "privacy secret short": (
        CHAIN + "[privacy]\nsecret = 'hunter2'\n",
        ("privacy.secret", "at least 16 characters"),
    ),
    "privacy without keys": (
        CHAIN + "[privacy]\ntoken_attributes = 'drop'\n",
        ("privacy.token_attribute_keys is missing", '["passport"]'),
    ),
    "reconcile calls": (
        CHAIN + "[reconcile]\ncalls_per_second = 0\n",
        ("reconcile.calls_per_second = 0", "greater than 0"),
    ),
    "reconcile sample": (
        CHAIN + "[reconcile]\nsample = 1000000\n",
        ("reconcile.sample = 1000000", "at most 10000"),
    ),
    "projections folder": (
        CHAIN + "[projections]\nfolder = 5\n",
        ("projections.folder = 5", "string"),
    ),
    "no contract chain": (
        CHAIN + f"[contracts.t]\naddress = '{ADDRESS}'\n",
        ("contracts.t.chain is missing", "[chains.NAME]"),
    ),
    "contract chain": (
        CHAIN + contract("t", f"address = '{ADDRESS}'", chain="bsae"),
        ('contracts.t.chain = "bsae"', "no such section", 'did you mean "base"'),
    ),
    "kind": (CHAIN + token("t", "kind = 'diamant'"), ("contracts.t.kind", '"diamond"')),
    "no address": (CHAIN + contract("t", ""), ("contracts.t.address is missing", "discover")),
    "address short": (
        CHAIN + token("t", address="0x1234"),
        ('contracts.t.address = "0x1234"', "20 bytes", "4 digits"),
    ),
    "address long": (CHAIN + token("t", address=ADDRESS + "00"), ("contracts.t.address", "42 digits")),
    "address prefix": (CHAIN + token("t", address=ADDRESS[2:]), ("contracts.t.address", 'begins with "0x"')),
    "address letters": (
        CHAIN + token("t", address="0x" + "g" * 40),
        ("contracts.t.address", "other characters"),
    ),
    "address checksum": (CHAIN + token("t", address=WRONG), ("contracts.t.address", "checksum", RIGHT)),
    "address number": (CHAIN + contract("t", "address = [5]"), ("contracts.t.address[0] = 5", "string")),
    "address in list": (
        CHAIN + contract("t", f'address = ["{ADDRESS}", "0x12"]'),
        ('contracts.t.address[1] = "0x12"', "20 bytes"),
    ),
    "address twice in a list": (
        CHAIN + contract("t", f'address = ["{ADDRESS}", "{RIGHT}"]'),
        ("contracts.t.address", "listed twice"),
    ),
    "star beside others": (
        CHAIN + contract("t", f'address = ["*", "{ADDRESS}"]\nevents = ["Transfer"]'),
        ("contracts.t.address", "cannot stand beside others"),
    ),
    "star without events": (
        CHAIN + contract("t", 'address = "*"'),
        ("contracts.t.events is missing", "Transfer"),
    ),
    "star diamond": (
        CHAIN + contract("t", 'address = "*"\nkind = "diamond"\nevents = ["Transfer"]'),
        ('contracts.t.address = "*"', "a diamond needs its address"),
    ),
    "star anonymous": (
        CHAIN + contract("t", 'address = "*"\nevents = ["Transfer"]\nanonymous = ["LogNote"]'),
        ("contracts.t.anonymous", "no topic"),
    ),
    "no events": (CHAIN + token("t", "events = []"), ("contracts.t.events = []", "leave it out")),
    "events number": (CHAIN + token("t", "events = [1]"), ("contracts.t.events[0] = 1", "string")),
    "abi number": (CHAIN + token("t", "abi = 1"), ("contracts.t.abi = 1", "list of strings")),
    "same address, other kind": (
        CHAIN + token("a") + token("b", "kind = 'diamond'"),
        ("contracts.b.address", RIGHT, "contracts.a has this address", "kind"),
    ),
    "same address, other abi": (
        CHAIN + token("a", "abi = 'erc20'\nevents='A'") + token("b", "abi = 'erc721'\nevents='B'"),
        ("contracts.b.address", "another abi"),
    ),
    "same address, other start": (
        CHAIN + token("a", "events = 'A'") + token("b", "start_block = 7\nevents = 'B'"),
        ("contracts.b.address", "another start_block"),
    ),
    "same address, same events": (
        CHAIN + token("a", "events = ['A', 'B']") + token("b", "events = ['B']"),
        ("contracts.b.address", "same events"),
    ),
    "discover word": (
        CHAIN + contract("t", "discover = 'factory'"),
        ("contracts.t.discover", "{ contract, event"),
    ),
    "discover unknown": (
        CHAIN + token("factory") + contract("t", 'discover = {contract="factry", event="E", parameter="p"}'),
        ("contracts.t.discover.contract", "[contracts.factry]", 'did you mean "factory"'),
    ),
    "discover incomplete": (
        CHAIN + token("f") + contract("t", 'discover = [{contract="f", event="E"}]'),
        ("contracts.t.discover[0].parameter is missing", "holds the address"),
    ),
    "discover unknown key": (
        CHAIN + token("f") + contract("t", 'discover = {contract="f", event="E", parameter="p", form="x"}'),
        ("contracts.t.discover.form", "unknown key"),
    ),
    "discover since": (
        CHAIN
        + token("f")
        + contract("t", 'discover = {contract="f", event="E", parameter="p", since="birth"}'),
        ("contracts.t.discover.since", '"announcement" or "creation"'),
    ),
    "discover itself": (
        CHAIN + contract("t", 'discover = {contract="t", event="E", parameter="p"}'),
        ("contracts.t.discover", "never gets an address"),
    ),
    "discover in a ring": (
        CHAIN
        + contract("a", 'discover = {contract="b", event="E", parameter="p"}')
        + contract("b", 'discover = {contract="a", event="E", parameter="p"}'),
        ("contracts.a.discover", "contracts.b.discover", "never gets an address"),
    ),
    "discover across chains": (
        CHAIN
        + CHAIN.replace("base", "op").replace("8453", "10")
        + token("f")
        + contract("t", 'discover = {contract="f", event="E", parameter="p"}', chain="op"),
        ("contracts.t.discover.contract", 'on chain "base"', '"op"'),
    ),
    "discover an event not fetched": (
        CHAIN
        + token("f", "events = ['A']")
        + contract("t", 'discover = {contract="f", event="E", parameter="p"}'),
        ("contracts.t.discover.event", "contracts.f.events does not fetch it"),
    ),
    "discover and star": (
        CHAIN
        + token("f")
        + contract("t", 'address="*"\nevents="A"\ndiscover = {contract="f", event="E", parameter="p"}'),
        ("contracts.t.address", "every address already"),
    ),
}


def problems_of(path: Path, environ: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ or {})
    return caught.value


@pytest.mark.parametrize("case", BAD, ids=str)
def test_each_mistake_is_named_with_file_key_and_remedy(case: str, tmp_path: Path) -> None:
    text, fragments = BAD[case]
    path = tmp_path / "indexer.toml"
    path.write_text(text)
    message = str(problems_of(path))
    assert str(path) in message
    for fragment in fragments:
        assert fragment in message


def test_the_table_is_long_enough() -> None:
    assert len(BAD) >= 40


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "indexer.toml"
    path.write_text(
        "[databse]\n[chains.base]\nchain_id = 0\nrpc = 'ftp://x'\n"
        + contract("t", "address = '0x1'\nkind = 'x'", chain="nope")
        + contract("u", "")
    )
    error = problems_of(path)
    keys = [
        "databse",
        "chain_id",
        "rpc",
        "contracts.t.address",
        "contracts.t.kind",
        "contracts.t.chain",
        "contracts.u",
    ]
    assert len(error.problems) == len(keys)
    for key in keys:
        assert sum(key in line for line in error.problems) == 1, key


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    assert "indexer init" in str(problems_of(tmp_path / "none.toml"))


def test_a_folder_and_broken_utf8_are_no_tracebacks(tmp_path: Path) -> None:
    assert "cannot be read" in str(problems_of(tmp_path))
    path = tmp_path / "indexer.toml"
    path.write_bytes(b"# \xff\n")
    assert "UTF-8" in str(problems_of(path))


@pytest.mark.parametrize(
    ("lines", "secret"),
    [
        ("rpc = 'htps://user:hunter2@h.example/v2/KEY123'", "hunter2"),
        ("rpc = 'htps://h.example/v2/KEY123?k=KEY123'", "KEY123"),
        ("rpc = 'h.example/v2/KEY123'", "KEY123"),
        ("rpc = ['https://h.example/KEY123', 'https://h.example/KEY123']", "KEY123"),
        ("rpc = {a = 'KEY123'}", "KEY123"),
        ("rpc = 'https://u:KEY123/x@h.example:port/'", "KEY123"),
    ],
)
def test_secrets_of_wrong_urls_are_not_shown(lines: str, secret: str, tmp_path: Path) -> None:
    path = tmp_path / "indexer.toml"
    path.write_text(f"[chains.base]\nchain_id = 1\n{lines}\n")
    assert secret not in str(problems_of(path))


def test_an_environment_variable_is_named_as_the_culprit(tmp_path: Path) -> None:
    path = tmp_path / "indexer.toml"
    path.write_text(CHAIN)
    environ = {"INDEXER__CHAINS__BASE__RPC": "ftp://x/KEY", "INDEXER__HTTP__LISTEN": "x", "INDEXER__FOO": "1"}
    message = str(problems_of(path, environ))
    assert 'environment INDEXER__CHAINS__BASE__RPC: chains.base.rpc = "ftp://x"' in message
    assert "environment INDEXER__HTTP__LISTEN: http.listen" in message
    assert "environment INDEXER__FOO: foo" in message
    assert "KEY" not in message


def test_broken_json_in_the_environment_is_named(tmp_path: Path) -> None:
    path = tmp_path / "indexer.toml"
    path.write_text(CHAIN)
    message = str(problems_of(path, {"INDEXER__CHAINS__BASE__RPC": '["http://x'}))
    assert "INDEXER__CHAINS__BASE__RPC" in message
    assert "JSON" in message


def test_the_secret_of_privacy_never_stands_in_an_error(tmp_path: Path) -> None:
    path = tmp_path / "indexer.toml"
    path.write_text(CHAIN + "[privacy]\nsecret = 'hunter2hunter'\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {})
    assert "hunter2" not in str(caught.value)
