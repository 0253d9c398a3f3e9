"""``indexer backfill``: fetch a range again, or for the first time."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from indexer.cli.context import ConfigOption, JsonOption, load, print_json, run_async, say


def backfill(
    first: Annotated[
        int | None, typer.Option("--from", min=0, help="First block.", show_default="start_block")
    ] = None,
    last: Annotated[
        int | None, typer.Option("--to", min=0, help="Last block.", show_default="finalized")
    ] = None,
    contract: Annotated[
        list[str] | None,
        typer.Option(help="Only this section; may be given several times.", show_default="all"),
    ] = None,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Fetch a range of final blocks and put what it holds in place of what the database has there."""
    if first is not None and last is not None and last < first:
        raise typer.BadParameter(f"--to {last} is below --from {first}")
    settings = load(config)
    from indexer import app  # noqa: PLC0415 - everything is behind it, and --help need not wait for it
    from indexer.cli.progress import shown  # noqa: PLC0415 - as above

    with shown(wanted=sys.stderr.isatty() and not json_) as sink:
        logs = run_async(app.backfill(settings, first, last, contract or (), progress=sink))
    if json_:
        print_json({"logs": logs})
    else:
        say(f"{logs} logs in place")
