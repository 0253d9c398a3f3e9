"""The documents agree with the program: links, commands, options, configuration keys, exit codes, examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from indexer import __version__, config, errors
from indexer.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
FOLDERS = ("", "abi", "bench", "deploy", "docs", "schema", "tests")
DOCUMENTS = sorted(
    {path for folder in FOLDERS for path in (ROOT / folder).glob("*.md" if folder == "" else "**/*.md")}
)
SHARED_OPTIONS = {"--config", "--help"}


def _section(title: str) -> str:
    return re.split(r"^## ", README.split(f"\n## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def _rows(text: str) -> list[list[str]]:
    """The cells of every table row below a header."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    # An escaped bar inside a cell is no border.
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines][1:]


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def _anchors(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", _without_code(document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", _without_code(document.read_text()))
    for target in targets:
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), f"{document.name}: {target} is not there"
        assert file.is_relative_to(ROOT)
        if anchor:
            assert anchor in _anchors(file), f"{document.name}: {target} has no such heading"


def test_each_promise_links_to_a_test() -> None:
    promises = re.findall(
        r"^\d+\. .*?(?=^\d+\. |^\S)", _section("What it promises"), re.MULTILINE | re.DOTALL
    )
    assert len(promises) == 10
    for promise in promises:
        links = re.findall(r"\]\(([^)]+)\)", promise)
        assert [link for link in links if "test" in link], promise


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Every command below a group. Typer has a click of its own, so a group is told by what it has."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def _options(command: Any) -> set[str]:
    names = [name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)]
    return {name for name in names if name.startswith("--")} - SHARED_OPTIONS


def test_the_command_reference_is_what_help_says() -> None:
    root = typer.main.get_command(app)
    there = {name: _options(command) for name, command in _commands(root, "indexer")}
    told = {}
    for name, options, what in _rows(_section("Commands")):
        assert what, name
        words = re.fullmatch(r"`(indexer(?: [a-z]+)+)[^`]*`", name)
        assert words is not None, name
        told[words[1]] = set(re.findall(r"--[a-z-]+", options))
    assert told == there


def test_the_options_before_a_command_are_told() -> None:
    root = typer.main.get_command(app)
    for name in _options(root) - {"--install-completion", "--show-completion"}:
        assert f"`{name}`" in _section("Commands")


def test_every_exit_code_is_told() -> None:
    told = {int(code) for code in re.findall(r"(\d+) ", _section("Commands").split("Exit codes:")[1])}
    kinds = [errors.IndexerError, errors.ConfigError, *errors.Halt.__subclasses__()]
    assert {0, *(kind.exit_code for kind in kinds)} <= told


def _keys(prefix: str, model: type[BaseModel]) -> set[str]:
    return {f"{prefix}.{name}" for name in model.model_fields}


def test_the_configuration_reference_has_every_key() -> None:
    told = {key.strip("`") for key, _, _ in _rows(_section("Configuration"))}
    assert told == (
        _keys("database", config.DatabaseSettings)
        | _keys("http", config.HttpSettings)
        | _keys("log", config.LogSettings)
        | _keys("sync", config.SyncSettings)
        | _keys("reconcile", config.ReconcileSettings)
        | _keys("projections", config.ProjectionsSettings)
        | _keys("privacy", config.PrivacySettings)
        | _keys("chains.NAME", config.ChainSettings)
        | _keys("contracts.NAME", config.ContractSettings)
    )


def test_the_defaults_told_are_the_defaults() -> None:
    models = {
        "http": config.HttpSettings,
        "log": config.LogSettings,
        "sync": config.SyncSettings,
        "reconcile": config.ReconcileSettings,
        "chains.NAME": config.ChainSettings,
    }
    checked = 0
    for key, default, _ in _rows(_section("Configuration")):
        section, _, name = key.strip("`").rpartition(".")
        field = models[section].model_fields[name] if section in models else None
        if field is None or field.is_required():
            continue
        told = default.strip("`").replace(" MiB", " * 1048576")
        value = str(field.default).lower()
        factors = [float(part) for part in told.split(" * ")] if re.match(r"\d+( |$)", told) else None
        if factors is None:
            assert told == value, key
        else:
            assert factors[0] * (factors[1] if factors[1:] else 1) == float(value), key
        checked += 1
    assert checked > 10


def test_the_examples_are_valid_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "indexer.toml").write_text("\n".join(blocks))
    monkeypatch.setenv("API_KEY", "key")
    settings = config.load_settings(tmp_path / "indexer.toml", {})
    assert set(settings.contracts) == {"gemforce", "identities"}


@pytest.mark.parametrize("document", ["privacy.md", "projections.md"])
def test_the_examples_of_other_documents_are_valid_configuration(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INDEXER_PRIVACY_SECRET", "0123456789abcdef")
    blocks = re.findall(
        r"^```toml\n(.*?)^```$", (ROOT / "docs" / document).read_text(), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "indexer.toml").write_text(
        "\n".join((*blocks, '[chains.x]\nchain_id = 1\nrpc = "http://h"\n'))
    )
    config.load_settings(tmp_path / "indexer.toml", {})


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), re.MULTILINE))
        assert named <= targets, document.name


def test_the_changelog_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[{re.escape(__version__)}\]", text, re.MULTILINE)
