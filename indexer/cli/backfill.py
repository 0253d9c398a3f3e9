"""``indexer backfill``: fetch a range again, or for the first time."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType
from typing import Annotated

import typer

from indexer.cli.context import ConfigOption, JsonOption, load, print_json, run_async, say
from indexer.errors import ConfigError


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
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Where ranges are filled: local:N (processes here) or tcp://HOST:PORT (Dask).",
            show_default="this process",
        ),
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
        if cluster is None:
            logs = run_async(app.backfill(settings, first, last, contract or (), progress=sink))
        else:
            on = _clustered()
            place = on.Place.parse(cluster)
            logs = asyncio.run(on.backfill_on(place, settings, first, last, contract or (), progress=sink))
    if json_:
        print_json({"logs": logs})
    else:
        say(f"{logs} logs in place")


def _clustered() -> ModuleType:
    """``indexer.cluster.run``; raises ``ConfigError`` where the packages for it are missing."""
    try:
        from indexer.cluster import run  # noqa: PLC0415 - needs packages that are not always there
    except ModuleNotFoundError as missing:
        raise ConfigError(
            f"--cluster needs a package that is not installed ({missing.name}): pip install 'gemforce-indexer[cluster]'"
        ) from missing
    return run
