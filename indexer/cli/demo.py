"""``indexer demo``: the whole thing on this machine, with nothing configured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.context import INVOCATION, JsonOption, run_async

if TYPE_CHECKING:
    from indexer.demo.display import Display

_FAILED = 1
_INTERRUPTED = 130


def demo(
    duration: Annotated[
        float | None,
        typer.Option(
            min=1, help="Seconds of live traffic, then verify and end.", show_default="until interrupted"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all that happens on the chain: the same again.")] = 1,
    block_seconds: Annotated[float, typer.Option(min=0.1, max=60, help="From one block to the next.")] = 1.0,
    history_blocks: Annotated[
        int, typer.Option(min=50, max=100_000, help="Blocks before the daemon starts, to be backfilled.")
    ] = 120,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="A new folder for the database, which stays.", show_default="one that goes"),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Run anvil, a Gemforce-like diamond with live traffic and reorgs, PostgreSQL and the daemon.

    With --duration it ends by comparing the database with the chain: exit code 0 only if they agree.
    """
    from indexer.demo.run import DemoOptions, run_demo  # noqa: PLC0415 - everything is behind it, and --help need not wait
    from indexer.logging import configure  # noqa: PLC0415 - as above

    terminal = sys.stdout.isatty() and not json_
    configure("debug" if INVOCATION.debug else "warning" if terminal else "info")
    options = DemoOptions(duration, seed, block_seconds, history_blocks, data_dir)
    summary = run_async(run_demo(options, _display(terminal=terminal, as_json=json_)))
    if summary.duration is not None and summary.verdict is None:
        raise typer.Exit(_INTERRUPTED)
    if summary.problems():
        raise typer.Exit(_FAILED)


def _display(*, terminal: bool, as_json: bool) -> Display:
    from indexer.demo.display import LineDisplay, LiveDisplay  # noqa: PLC0415 - rich takes long to import

    return LiveDisplay() if terminal else LineDisplay(as_json=as_json)
