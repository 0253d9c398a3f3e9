"""``indexer rewind``: drop everything above a block, as a reorg would."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.cli.context import ConfigOption, JsonOption, load, print_json, run_async, say


def rewind(
    to_block: Annotated[int, typer.Option("--to-block", min=0, help="The block that becomes the tip.")],
    chain: Annotated[
        str | None, typer.Option(help="The chain's section.", show_default="the only one")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Drop all rows above a block and clear a halt; the daemon then goes on from there.

    Rows are moved to sync.orphan; state is replayed.
    """
    settings = load(config)
    from indexer import app  # noqa: PLC0415 - everything is behind it, and --help need not wait for it

    name = app.one_chain(settings, chain)
    if not yes:
        typer.confirm(f"Drop everything above block {to_block} of chain {name}?", abort=True)
    removed = run_async(app.rewind(settings, name, to_block))
    if json_:
        print_json({"chain": name, "to_block": to_block, "rows_removed": removed})
    else:
        say(f"{name}: the tip is block {to_block}; {removed} rows moved to sync.orphan")
