"""``indexer rebuild``: replay projections from the event tables."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.cli.context import ConfigOption, JsonOption, load, print_json, run_async, say


def rebuild(
    projection: Annotated[
        str | None, typer.Argument(help="One projection by name.", show_default="all", metavar="[PROJECTION]")
    ] = None,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Replay projections from the event tables, without RPC, and swap the result in within one transaction."""
    settings = load(config)
    from indexer import app  # noqa: PLC0415 - everything is behind it, and --help need not wait for it

    names = run_async(app.rebuild(settings, projection))
    if json_:
        print_json({"projections": names})
    else:
        say(f"rebuilt: {', '.join(names) or 'nothing'}")
