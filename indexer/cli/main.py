"""The ``indexer`` command: puts its commands together and turns errors into exit codes.

0 done; 1 failed; 2 wrong usage or configuration; 70 to 79 a chain was halted (``errors.py``); 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from indexer import __version__
from indexer.cli import (
    abi,
    backfill,
    check,
    db,
    demo,
    export,
    init,
    rebuild,
    redecode,
    rewind,
    run,
    status,
)
from indexer.cli.context import INVOCATION
from indexer.errors import ConfigError, Halt, IndexerError
from indexer.redaction import redact

EXIT_CODES = (
    "Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 70 the chain was reorganised below finality; "
    "71 an endpoint or the database belongs to another chain; 72 the database was migrated by another version; "
    "73 an invariant is broken; 130 interrupted."
)

app = typer.Typer(
    name="indexer",
    help="Keeps a PostgreSQL database equal to what contracts on EVM chains have said.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"indexer {__version__}")
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="The configuration file.", envvar="INDEXER_CONFIG"),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Log everything; show tracebacks.", envvar="INDEXER_DEBUG")
    ] = False,
    _version_wanted: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Keeps a PostgreSQL database equal to what contracts on EVM chains have said."""
    INVOCATION.config = config
    INVOCATION.debug = debug


app.command("init")(init.init)
app.command("check")(check.check)
app.command("run")(run.run)
app.command("backfill")(backfill.backfill)
app.command("status")(status.status)
app.command("rewind")(rewind.rewind)
app.command("rebuild")(rebuild.rebuild)
app.command("redecode")(redecode.redecode)
app.command("export")(export.export)
app.add_typer(db.app, name="db")
app.add_typer(abi.app, name="abi")
app.command("demo")(demo.demo)


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    try:
        app(prog_name="indexer")
    except Exception as error:  # noqa: BLE001 - the last place: what is not ours becomes one line and exit code 1
        sys.exit(report(error))
    sys.exit(0)


def report(error: Exception) -> int:
    """Tell an error on stderr, without secrets and without a traceback unless ``--debug``; return the exit code."""
    if INVOCATION.debug:
        sys.stderr.write(redact("".join(traceback.format_exception(error))))
    worst = gravest(error)
    if isinstance(worst, ConfigError):
        lines = [f"error: {problem}" for problem in worst.problems]
    elif isinstance(worst, Halt):
        lines = [f"halted: {worst}"]
    elif isinstance(worst, IndexerError):
        lines = [f"error: {worst}"]
    else:
        lines = [f"unexpected {type(worst).__name__}: {worst}", "run with --debug for the traceback"]
    sys.stderr.write(redact("\n".join(lines)) + "\n")
    return worst.exit_code if isinstance(worst, IndexerError) else 1


def gravest(error: Exception) -> Exception:
    """The error that decides: of a group, a halt before a configuration error before anything else."""
    if not isinstance(error, ExceptionGroup):
        return error
    members = [gravest(member) for member in error.exceptions]
    for kind in (Halt, ConfigError, IndexerError):
        for member in members:
            if isinstance(member, kind):
                return member
    return members[0]
