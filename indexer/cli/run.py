"""``indexer run``: the daemon."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.context import ConfigOption, load, run_async

if TYPE_CHECKING:
    from indexer.app import Running


def parse_until(text: str) -> str | int:
    """``head``, ``finalized`` or a block number."""
    word = text.strip().lower()
    if word in {"head", "finalized"}:
        return word
    if word.isascii() and word.isdigit():
        return int(word)
    raise typer.BadParameter(f'{text!r} should be "head", "finalized" or a block number')


def run(
    config: ConfigOption = None,
    until: Annotated[
        str | None,
        typer.Option(
            help="Stop there with exit code 0: head, finalized, or a block number.", metavar="WHERE"
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0, help="With --until: give up after so many seconds without progress.")
    ] = 300.0,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve /livez, /readyz and /metrics at http.listen.")
    ] = True,
) -> None:
    """Follow every configured chain: back-fill what is missing, then keep up with its head until SIGTERM."""
    goal = None if until is None else parse_until(until)
    settings = load(config)
    from indexer import app  # noqa: PLC0415 - everything is behind it, and --help need not wait for it
    from indexer.cli.progress import shown  # noqa: PLC0415 - as above

    with shown(wanted=sys.stderr.isatty()) as sink:
        run_async(
            app.run(settings, until=goal, timeout=timeout, serve_http=serve, progress=sink, on_ready=_settle)
        )


def _settle(_ready: Running) -> None:
    """What is loaded by now stays: the garbage collector need not look through it again and again."""
    gc.freeze()
