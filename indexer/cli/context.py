"""What every command shares: its options, the configuration they lead to, and how it prints."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from indexer.config import Settings

DEFAULT_CONFIG = Path("indexer.toml")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="The configuration file.", envvar="INDEXER_CONFIG", show_default="indexer.toml"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class Invocation:
    """What was said before the command's name."""

    config: Path | None = None
    debug: bool = False


INVOCATION = Invocation()
"""Of this process: one command runs in it."""


def config_path(given: Path | None) -> Path:
    """The file a command works with: its own ``--config``, else the one before the command, else ``indexer.toml``."""
    return given or INVOCATION.config or DEFAULT_CONFIG


def load(given: Path | None) -> Settings:
    """Read and check the configuration, and set up the log as it says; raises ``ConfigError``."""
    from indexer.config import load_settings  # noqa: PLC0415 - pydantic takes longer to import than --help may take
    from indexer.logging import configure  # noqa: PLC0415 - as above

    settings = load_settings(config_path(given))
    configure("debug" if INVOCATION.debug else settings.log.level, settings.log.format)
    return settings


def quiet_log() -> None:
    """Log warnings and worse only: for commands whose output is a report."""
    from indexer.logging import configure  # noqa: PLC0415 - structlog takes long to import

    configure("debug" if INVOCATION.debug else "warning")


def run_async(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a coroutine to its end on a fresh event loop."""
    # Decoding threads hold the interpreter for this long at most, so that COPY and requests hardly wait for them.
    sys.setswitchinterval(0.001)
    with contextlib.suppress(ImportError):  # uvloop does not exist on Windows
        import uvloop  # noqa: PLC0415 - only commands that do I/O need a loop

        return uvloop.run(work)
    return asyncio.run(work)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def console(*, stderr: bool = False) -> Console:
    """Where people read: plain where it is no terminal."""
    from rich.console import Console  # noqa: PLC0415 - rich takes long to import

    return Console(stderr=stderr, highlight=False, soft_wrap=not sys.stdout.isatty())


def say(text: str) -> None:
    """One line on stdout."""
    typer.echo(text)
