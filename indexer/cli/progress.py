"""A bar per chain on a terminal: rate and time left in a backfill, the tip while following."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from indexer.progress import ProgressSink, ProgressUpdate

_NOTHING: dict[str, Any] = {"phase": "", "block": "", "logs": "0", "rate": "0"}


class _Left(ProgressColumn):
    """Time left while there is an end; nothing while following."""

    def __init__(self) -> None:
        super().__init__()
        self._inner = TimeRemainingColumn(compact=True)

    def render(self, task: Task) -> Text:
        """The column's text for one chain."""
        return (
            Text("at the tip", style="green")
            if task.fields["phase"] == "follow"
            else self._inner.render(task)
        )


class ProgressBars:
    """Turns updates into bars. ``update`` is a ``ProgressSink``."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def update(self, update: ProgressUpdate) -> None:
        """Show one chain's update."""
        total = max(update.last - update.first + 1, 1)
        done = min(max(update.current - update.first + 1, 0), total)
        task = self._tasks.get(update.chain)
        if task is None:
            task = self._tasks[update.chain] = self._progress.add_task(update.chain, **_NOTHING)
        self._progress.update(
            task,
            total=total,
            completed=done,
            phase=update.phase,
            block=f"{update.current:,}",
            logs=f"{update.logs:,}",
            rate=f"{update.logs_per_second:,.0f}",
        )


@contextmanager
def shown(*, wanted: bool, console: Console | None = None) -> Iterator[ProgressSink | None]:
    """A sink whose updates are drawn on stderr while the block runs; None where no bars are wanted."""
    if not wanted:
        yield None
        return
    columns = (
        TextColumn("[bold]{task.description}"),
        TextColumn("{task.fields[phase]}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("block {task.fields[block]}"),
        TextColumn("{task.fields[logs]} logs"),
        TextColumn("{task.fields[rate]}/s"),
        _Left(),
    )
    with Progress(*columns, console=console or Console(stderr=True), refresh_per_second=4) as progress:
        yield ProgressBars(progress).update
