"""``indexer redecode``: bring home what could not be decoded before."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.cli.context import ConfigOption, JsonOption, load, print_json, run_async, say


def redecode(
    chain: Annotated[str | None, typer.Option(help="Only this chain's section.", show_default="all")] = None,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Decode what lies in event.undecoded with today's ABIs, without RPC."""
    settings = load(config)
    from indexer import app  # noqa: PLC0415 - everything is behind it, and --help need not wait for it

    moved = run_async(app.redecode(settings, chain))
    if json_:
        print_json({"logs": moved})
    else:
        say(f"{moved} logs decoded")
