"""How a demo is shown: a table that redraws itself on a terminal, lines elsewhere, JSON for machines."""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from indexer.demo.books import Counts, Standing
from indexer.demo.summary import Summary
from indexer.demo.traffic import ReorgDone, TrafficCount

_LINE_EVERY_SECONDS = 5.0
_TOP_TABLES = 12


class Display(Protocol):
    """What a demo tells whoever watches."""

    def note(self, text: str) -> None:
        """Something that takes time or is worth a line."""

    def ready(self, addresses: dict[str, str]) -> None:
        """Where everything is: ``rpc``, ``database``, ``http`` and ``config``."""

    def update(self, made: TrafficCount, standing: Standing, counts: Counts) -> None:
        """How things are now."""

    def reorg(self, done: ReorgDone) -> None:
        """A reorg was made."""

    def done(self, summary: Summary) -> None:
        """The end."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class LineDisplay:
    """Lines on a stream; with ``as_json`` two JSON documents on it instead, one at the start and one at the end."""

    def __init__(self, *, as_json: bool = False, out: TextIO | None = None) -> None:
        self._as_json = as_json
        self._out = out or sys.stdout
        self._next_line = 0.0

    def note(self, text: str) -> None:
        """Something that takes time or is worth a line."""
        if not self._as_json:
            self._write(text)

    def ready(self, addresses: dict[str, str]) -> None:
        """Where everything is, one ``name: value`` a line."""
        if self._as_json:
            self._write(json.dumps(addresses))
            return
        for name, value in addresses.items():
            self._write(f"{name}: {value}")

    def update(self, made: TrafficCount, standing: Standing, counts: Counts) -> None:
        """A line now and then."""
        if self._as_json or time.monotonic() < self._next_line:
            return
        self._next_line = time.monotonic() + _LINE_EVERY_SECONDS
        self._write(
            f"tip {standing.tip_number}, head {standing.head_number}, {made.transactions} transactions, "
            f"{sum(counts.rows.values())} rows, {len(standing.reorg_depths)} of {len(made.reorgs)} reorgs undone"
        )

    def reorg(self, done: ReorgDone) -> None:
        """A reorg was made."""
        self.note(f"reorg of {done.depth} blocks: {_fate(done)}")

    def done(self, summary: Summary) -> None:
        """The summary."""
        if self._as_json:
            self._write(json.dumps(summary.document()))
            return
        for line in summary.lines():
            self._write(line)

    def _write(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out.flush()


class LiveDisplay:
    """A table on a terminal, redrawn in place."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._live: Live | None = None
        self._last_reorg = Text("none yet", style="dim")

    def note(self, text: str) -> None:
        """Something that takes time or is worth a line."""
        self._console.print(text)

    def ready(self, addresses: dict[str, str]) -> None:
        """Where everything is; from here on the table is drawn."""
        for name, value in addresses.items():
            self._console.print(f"[bold]{name}:[/bold] {value}", soft_wrap=True)
        self._live = Live(console=self._console, auto_refresh=False)
        self._live.start()

    def update(self, made: TrafficCount, standing: Standing, counts: Counts) -> None:
        """Redraw."""
        if self._live is not None:
            self._live.update(self._picture(made, standing, counts), refresh=True)

    def reorg(self, done: ReorgDone) -> None:
        """A reorg was made: shown with the next redraw."""
        self._last_reorg = Text(f"{done.depth} blocks, {_fate(done)}", style="yellow")

    def done(self, summary: Summary) -> None:
        """The summary, below the last table."""
        self._stop()
        failed = bool(summary.problems())
        for line in summary.lines():
            marked = line.startswith(("FAILED", "different"))
            self._console.print(Text(line, style="red" if marked else "green" if line == "OK" else ""))
        if failed:
            self._console.print(Text("the demo failed", style="bold red"))

    def _picture(self, made: TrafficCount, standing: Standing, counts: Counts) -> Group:
        facts = Table.grid(padding=(0, 2))
        facts.add_row("tip", str(standing.tip_number), "head", str(standing.head_number))
        facts.add_row("finalized", str(standing.finalized_number), "transactions", str(made.transactions))
        undone = f"{len(standing.reorg_depths)} of {len(made.reorgs)}"
        facts.add_row("reorgs undone", undone, "last reorg", self._last_reorg)
        facts.add_row("upgrades", str(made.upgrades), "discovered", str(counts.discovered))
        rows = Table("table", "rows", title=None)
        rows.columns[1].justify = "right"
        for name, count in sorted(counts.rows.items(), key=lambda item: -item[1])[:_TOP_TABLES]:
            rows.add_row(f"event.{name}", f"{count:,}")
        rows.add_row(f"{len(counts.rows)} tables", f"{sum(counts.rows.values()):,}", style="bold")
        return Group(facts, rows)

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()


def _fate(done: ReorgDone) -> str:
    if done.fate == "empty":
        return f"all {done.had} transactions dropped"
    if done.kept < done.had:
        return f"{done.kept} of {done.had} transactions again, in another order"
    return f"all {done.had} transactions again, in another order"
