"""Every command's usage, in this process; what they do is shown in tests/acceptance."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from indexer.cli.context import INVOCATION
from indexer.cli.main import app
from indexer.errors import ConfigError

COMMANDS = (
    "init",
    "check",
    "run",
    "backfill",
    "status",
    "rewind",
    "rebuild",
    "redecode",
    "export",
    "demo",
    "db",
    "db migrate",
    "db url",
    "db psql",
    "db roles",
    "db partition",
    "db dictionary",
    "abi",
    "abi list",
    "abi add",
    "abi show",
)
WITHOUT_CONFIG = {"demo", "db", "abi", "db psql"}
MAY_PRINT_JSON = set(COMMANDS) - {"run", "db", "db psql", "db dictionary", "abi"}


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Commands set the log of their process up; this process goes on."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def call(*arguments: str, **environ: str) -> tuple[int, str, BaseException | None]:
    done = CliRunner(env={"COLUMNS": "200", "INDEXER_CONFIG": None, **environ}).invoke(app, arguments)
    INVOCATION.config = None
    return done.exit_code, done.output, done.exception


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    code, told, _error = call(*command.split(), "--help")
    assert code == 0
    assert "Usage: " in told
    if command not in WITHOUT_CONFIG:
        assert "--config" in told
    assert ("--json" in told) == (command in MAY_PRINT_JSON)


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "status",
        "backfill",
        "rewind --to-block 1 --yes",
        "rebuild",
        "redecode",
        "export --to x",
        "db url",
        "db migrate",
        "db roles",
        "db partition",
        "db dictionary",
        "db psql",
    ],
)
def test_every_command_refuses_a_wrong_configuration(command: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text("[chains.base]\nchain_id = 1\nrpc = 'htps://h/x'\n")
    for arguments in (["-c", str(path), *command.split()], [*command.split(), "--config", str(path)]):
        _code, _told, error = call(*arguments)
        assert isinstance(error, ConfigError)
        assert "chains.base.rpc" in str(error)
    _code, _told, error = call(*command.split(), INDEXER_CONFIG=str(path))
    assert isinstance(error, ConfigError)


@pytest.mark.parametrize(
    "command",
    [
        "run --until yesterday",
        "run --until -5",
        "run --timeout -1",
        "backfill --from 9 --to 3",
        "backfill --from -1",
        "rewind",
        "rewind --to-block x",
        "init --address 0x1111111111111111111111111111111111111111",
        "status --every 0",
        "frobnicate",
        "db frobnicate",
        "run --frobnicate",
    ],
)
def test_wrong_usage_is_exit_code_2(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, told, _error = call(*command.split())
    assert code == 2
    assert "Usage: " in told


@pytest.mark.parametrize(
    ("command", "fragment"),
    [
        ("init --rpc http://127.0.0.1:1 --address 0x12", "--address 0x12"),
        ("init --rpc ftp://x --rpc http://h", "--rpc number 1"),
    ],
)
def test_init_names_what_is_wrong(
    command: str, fragment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _code, _told, error = call(*command.split())
    assert isinstance(error, ConfigError)
    assert fragment in str(error)
    assert not list(tmp_path.iterdir())


def test_a_missing_configuration_names_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _code, _told, error = call("run")
    assert isinstance(error, ConfigError)
    assert "indexer init" in str(error)
