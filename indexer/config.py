"""``indexer.toml``: what an operator may say, checked before anything runs.

Precedence: environment (``INDEXER__SECTION__KEY``) over the file over the defaults written here. Everything wrong is
collected and raised as one ``ConfigError`` whose lines name file, key, value and what would be right.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from indexer.config_checks import check_privacy, check_together
from indexer.config_problems import Problem, Reporter
from indexer.config_sources import merge_sources
from indexer.config_values import (
    no_boolean,
    one_or_list,
    parse_address,
    parse_addresses,
    parse_database_url,
    parse_finality,
    parse_listen,
    parse_rpc_url,
    parse_secret,
)
from indexer.errors import ConfigError

Whole = Annotated[int, BeforeValidator(no_boolean), Field(ge=0, le=2**63 - 1)]
Positive = Annotated[int, BeforeValidator(no_boolean), Field(gt=0, le=2**63 - 1)]
Seconds = Annotated[float, BeforeValidator(no_boolean), Field(gt=0, le=86_400 * 365, allow_inf_nan=False)]
Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(one_or_list)]
RpcUrl = Annotated[SecretStr, BeforeValidator(parse_rpc_url)]
Address = Annotated[bytes, BeforeValidator(parse_address)]

PrivacyMode = Literal["keep", "hash", "drop"]

SectionT = TypeVar("SectionT", bound="_Section")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_bytes="hex")


class DatabaseSettings(_Section):
    """``[database]``. Without ``url`` an embedded PostgreSQL runs under ``data_dir``.

    With ``partition_blocks`` event tables that are made from now on are partitioned by ranges of so many blocks.
    ``indexes`` has for event tables the columns, or lists of columns, that are to have an index.
    """

    url: Annotated[SecretStr, BeforeValidator(parse_database_url)] | None = None
    data_dir: Path = Path(".indexer")
    partition_blocks: Positive | None = None
    indexes: dict[str, tuple[Words, ...]] = {}


class HttpSettings(_Section):
    """``[http]``: where health and metrics are served, as ``host:port``."""

    listen: Annotated[str, BeforeValidator(parse_listen)] = "127.0.0.1:8080"


class LogSettings(_Section):
    """``[log]``: the least severe level printed, and the form (``auto``: lines on a terminal, JSON elsewhere)."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class SyncSettings(_Section):
    """``[sync]``: limits of the engine. ``concurrency`` is chunks fetched at once, the others are bytes of logs."""

    lease_seconds: Seconds = 15.0
    concurrency: Annotated[Positive, Field(le=256)] = 4
    commit_bytes: Positive = 32 * 1024 * 1024
    queue_bytes: Positive = 96 * 1024 * 1024


class ReconcileSettings(_Section):
    """``[reconcile]``: reads of view functions beside the event path, at a finalized block.

    A pass begins ``every_seconds`` after the one before; ``calls_per_second`` bounds its requests (a multicall is one);
    ``sample`` is how many rows one pass reads or compares for each check.
    """

    enabled: bool = True
    every_seconds: Seconds = 600.0
    calls_per_second: Annotated[float, BeforeValidator(no_boolean), Field(gt=0, le=10_000)] = 10.0
    sample: Annotated[Positive, Field(le=10_000)] = 200


class ProjectionsSettings(_Section):
    """``[projections]``: folders with the operator's own SQL files, relative to the configuration file."""

    folder: Annotated[tuple[Path, ...], BeforeValidator(one_or_list)] = ()


class PrivacySettings(_Section):
    """``[privacy]``: what is hashed with ``secret`` (HMAC-SHA256) or dropped (NULL) before it reaches the database.

    ``token_attributes`` concerns the values of the attributes whose keys ``token_attribute_keys`` names (``"*"``: all).
    """

    secret: Annotated[SecretStr, BeforeValidator(parse_secret)] | None = None
    claim_data: PrivacyMode = "keep"
    claim_signatures: PrivacyMode = "keep"
    claim_uris: PrivacyMode = "keep"
    identity_attributes: PrivacyMode = "keep"
    token_attributes: PrivacyMode = "keep"  # noqa: S105 - a mode, no password
    token_attribute_keys: Words = ()


class ChainSettings(_Section):
    """``[chains.NAME]``."""

    chain_id: Positive
    rpc: Annotated[tuple[RpcUrl, ...], BeforeValidator(one_or_list)]
    finality: Annotated[Literal["finalized", "safe"] | int, BeforeValidator(parse_finality)] = "finalized"
    start_block: Whole = 0
    poll_seconds: Seconds = 1.0
    timeout_seconds: Seconds = 30.0
    check_bloom: bool = True
    max_range_blocks: Positive = 10_000
    ready_lag_blocks: Whole = 10
    stall_seconds: Seconds = 300.0


class DiscoverSettings(_Section):
    """One entry of ``discover``."""

    contract: str
    event: str
    parameter: str
    since: Literal["announcement", "creation"] = "announcement"


class ContractSettings(_Section):
    """``[contracts.NAME]``. ``address`` is empty for discovered contracts and None for the wildcard ``"*"``."""

    chain: str
    kind: Literal["contract", "diamond"] = "contract"
    address: Annotated[tuple[Address, ...] | None, BeforeValidator(parse_addresses)] = ()
    abi: Words = ()
    events: Words | None = None
    anonymous: Words = ()
    start_block: Whole | None = None
    discover: Annotated[tuple[DiscoverSettings, ...], BeforeValidator(one_or_list)] = ()


class Settings(_Section):
    """The whole file. ``path`` is where it was read from; relative paths in it are relative to its folder."""

    path: Path
    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    sync: SyncSettings = SyncSettings()
    reconcile: ReconcileSettings = ReconcileSettings()
    projections: ProjectionsSettings = ProjectionsSettings()
    privacy: PrivacySettings = PrivacySettings()
    chains: dict[str, ChainSettings]
    contracts: dict[str, ContractSettings] = {}


_SINGLE: dict[str, type[_Section]] = {
    "database": DatabaseSettings,
    "http": HttpSettings,
    "log": LogSettings,
    "sync": SyncSettings,
    "reconcile": ReconcileSettings,
    "projections": ProjectionsSettings,
    "privacy": PrivacySettings,
}


def load_settings(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the configuration.

    Args:
        path: the TOML file. It may be absent when the environment defines the chains.
        environ: the environment to read ``INDEXER__…`` from; the process's own when None.

    Raises:
        ConfigError: with one line per problem, all of them at once.
    """
    tables = _read_toml(path)
    merged, environment = merge_sources(tables or {}, environ)
    if tables is None and "chains" not in merged:
        raise ConfigError(f'{path}: no such file; "indexer init" writes one, --config names another')
    reporter = Reporter(path, environment.origins, environment.problems)
    sections = _check_sections(merged, reporter)
    check_together(sections["chains"], sections["contracts"], sections["sync"], merged, reporter)
    if sections["privacy"] is not None:
        check_privacy(sections["privacy"], reporter)
    if reporter.lines:
        raise ConfigError(*reporter.lines)
    sections["database"] = _anchor(sections["database"], path)
    sections["projections"] = _anchor_folders(sections["projections"], path)
    return Settings(path=path, **sections)


def _read_toml(path: Path) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is no valid TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8: byte {error.start} cannot be read") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def _check_sections(merged: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    for key in merged:
        if key not in Settings.model_fields or key == "path":
            reporter.unknown_key((key,), merged[key], [*_SINGLE, "chains", "contracts"])
    sections: dict[str, Any] = {
        name: _check_section((name,), merged.get(name, {}), model, reporter)
        for name, model in _SINGLE.items()
    }
    sections["chains"] = _check_named("chains", merged, ChainSettings, reporter)
    sections["contracts"] = _check_named("contracts", merged, ContractSettings, reporter)
    return sections


def _check_named(
    group: str, merged: Mapping[str, Any], model: type[SectionT], reporter: Reporter
) -> dict[str, SectionT | None]:
    tables = merged.get(group, {})
    if not isinstance(tables, Mapping):
        reporter.add(Problem((group,), tables, f"should be tables: [{group}.NAME]"))
        return {}
    return {name: _check_section((group, name), table, model, reporter) for name, table in tables.items()}


def _check_section(
    key: tuple[str, ...], table: Any, model: type[SectionT], reporter: Reporter
) -> SectionT | None:
    if not isinstance(table, Mapping):
        reporter.add(Problem(key, table, f"should be a table: [{'.'.join(key)}]"))
        return None
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        reporter.validation(key, error, table, list(model.model_fields))
        return None


def _anchor(database: DatabaseSettings, path: Path) -> DatabaseSettings:
    folder = path.resolve().parent
    return database.model_copy(update={"data_dir": folder / database.data_dir.expanduser()})


def _anchor_folders(projections: ProjectionsSettings, path: Path) -> ProjectionsSettings:
    anchor = path.resolve().parent
    folders = tuple(anchor / folder.expanduser() for folder in projections.folder)
    return projections.model_copy(update={"folder": folders})
