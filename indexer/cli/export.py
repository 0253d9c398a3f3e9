"""``indexer export``: final event rows as Parquet files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.context import ConfigOption, JsonOption, console, load, print_json, run_async, say
from indexer.errors import ConfigError

if TYPE_CHECKING:
    from indexer.export.run import ExportProgress


def export(
    to: Annotated[str, typer.Option(help="A folder, or a URL of fsspec such as s3://bucket/path.")],
    table: Annotated[
        list[str] | None,
        typer.Option(help="Only this event table; may be given several times.", show_default="all"),
    ] = None,
    partition_blocks: Annotated[
        int | None,
        typer.Option(min=1, help="Blocks a file spans; fixed by the first export.", show_default="100000"),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Write every file anew.")] = False,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Write final event rows as partitioned Parquet; only what changed since the last time is written."""
    try:
        from indexer.export.run import export as work  # noqa: PLC0415 - needs packages that are not always there
    except ModuleNotFoundError as missing:
        raise ConfigError(
            f"export needs a package that is not installed ({missing.name}): pip install 'gemforce-indexer[export]'"
        ) from missing
    settings = load(config)
    with _shown(wanted=sys.stderr.isatty() and not json_) as progress:
        done = run_async(
            work(
                settings,
                to,
                tables=table or (),
                partition_blocks=partition_blocks,
                again=again,
                progress=progress,
            )
        )
    if json_:
        print_json(asdict(done))
    else:
        say(
            f"{done.rows_written} rows in {done.files_written} files written, {done.files_kept} files were there, "
            f"{done.files_removed} removed"
        )


@contextmanager
def _shown(*, wanted: bool) -> Iterator[ExportProgress | None]:
    """A bar over all rows on stderr; None where no bar is wanted."""
    if not wanted:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - rich takes long to import

    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console(stderr=True), refresh_per_second=4) as bars:
        task = bars.add_task("looking", total=None)
        yield lambda table, rows, total: bars.update(task, description=table, completed=rows, total=total)
