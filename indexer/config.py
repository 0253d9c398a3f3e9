"""``indexer.toml``: what an operator may say, checked before anything runs.

Precedence: environment (``INDEXER__SECTION__KEY``) over the file over the defaults written here. Everything wrong is
collected and raised as one ``ConfigError`` whose lines name file, key, value and what would be right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Section):
    """``[database]``. Without ``url`` an embedded PostgreSQL runs under ``data_dir``."""

    url: SecretStr | None = None
    data_dir: Path = Path(".indexer")


class HttpSettings(_Section):
    """``[http]``: where health and metrics are served, as ``host:port``."""

    listen: str = "127.0.0.1:8080"


class SyncSettings(_Section):
    """``[sync]``: limits of the engine."""

    lease_seconds: float = 15.0
    concurrency: int = 4
    commit_bytes: int = 32 * 1024 * 1024
    queue_bytes: int = 96 * 1024 * 1024


class ChainSettings(_Section):
    """``[chains.NAME]``."""

    chain_id: int
    rpc: tuple[SecretStr, ...]
    finality: Literal["finalized", "safe"] | int = "finalized"
    start_block: int = 0
    poll_seconds: float = 1.0
    timeout_seconds: float = 30.0
    check_bloom: bool = True
    max_range_blocks: int = 10_000
    ready_lag_blocks: int = 10
    stall_seconds: float = 300.0


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
    address: tuple[bytes, ...] | None = ()
    abi: tuple[str, ...] = ()
    events: tuple[str, ...] | None = None
    anonymous: tuple[str, ...] = ()
    start_block: int | None = None
    discover: tuple[DiscoverSettings, ...] = ()


class Settings(_Section):
    """The whole file. ``path`` is where it was read from; relative paths in it are relative to its folder."""

    path: Path
    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    sync: SyncSettings = SyncSettings()
    chains: dict[str, ChainSettings]
    contracts: dict[str, ContractSettings] = {}
