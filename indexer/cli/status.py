"""``indexer status``: how far every chain is."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from indexer.cli.context import ConfigOption, JsonOption, load, print_json, quiet_log, run_async
from indexer.errors import IndexerError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from rich.console import RenderableType

    from indexer.config import DatabaseSettings, Settings

_RATE_SECONDS = 1.0

ResultT = TypeVar("ResultT")


def status(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Redraw until interrupted.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="With --watch: seconds between two looks.")] = 2.0,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Show head, tip, finality, lag, coverage, rate, last reorgs, endpoints and what could not be decoded."""
    settings = load(config)
    quiet_log()
    run_async(_watch(settings, every, as_json=json_) if watch else _once(settings, as_json=json_))


async def _once(settings: Settings, *, as_json: bool) -> None:
    from indexer.cli.db import opened_store  # noqa: PLC0415 - keeps --help fast
    from indexer.cli.report import Rates, gather  # noqa: PLC0415 - as above

    _require_database(settings.database)
    rates = Rates()
    async with opened_store(settings.database, "status") as store:
        await store.require_migrated()
        found = await gather(store, settings, rates)
        if any(chain["holder"] and chain["lag_blocks"] for chain in found["chains"]):
            await asyncio.sleep(_RATE_SECONDS)  # a rate needs two looks
            found = await gather(store, settings, rates)
    _show(found, as_json=as_json)


async def _watch(settings: Settings, every: float, *, as_json: bool) -> None:
    from indexer.cli.db import opened_store  # noqa: PLC0415 - as above
    from indexer.cli.report import Rates, gather  # noqa: PLC0415 - as above

    _require_database(settings.database)
    rates, interrupted = Rates(), _Interrupted()
    async with opened_store(settings.database, "status") as store:
        await store.require_migrated()
        with _shown(as_json=as_json) as show:
            while True:
                show(await interrupted.unless(gather(store, settings, rates)))
                await interrupted.unless(asyncio.sleep(every))


class _Interrupted:
    """Whether Ctrl-C was pressed. One that came while something else was being cancelled is not lost, as it can be in asyncio."""

    def __init__(self) -> None:
        self._pressed = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._pressed.set)

    async def unless(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """What ``work`` gives; ``KeyboardInterrupt`` instead, at once, when it was pressed."""
        working = asyncio.create_task(work)
        pressed = asyncio.create_task(self._pressed.wait())
        try:
            await asyncio.wait({working, pressed}, return_when=asyncio.FIRST_COMPLETED)
            if self._pressed.is_set():
                raise KeyboardInterrupt
            return working.result()
        finally:
            working.cancel()
            pressed.cancel()
            await asyncio.gather(working, pressed, return_exceptions=True)


@contextlib.contextmanager
def _shown(*, as_json: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """What shows a report: one document after another, or the same place on the screen."""
    if as_json:
        yield print_json
        return
    from rich.live import Live  # noqa: PLC0415 - rich takes long to import

    with Live(auto_refresh=False) as live:
        yield lambda found: live.update(render(found), refresh=True)


def _require_database(database: DatabaseSettings) -> None:
    if database.url is None and not (database.data_dir / "postgres" / "PG_VERSION").exists():
        raise IndexerError(f"no database under {database.data_dir} yet; indexer run makes it")


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    from indexer.cli.context import console  # noqa: PLC0415 - as above

    console().print(render(found))


def render(found: dict[str, Any]) -> RenderableType:
    """The report for people: a table of chains, and per chain what is worth a line."""
    from rich.console import Group  # noqa: PLC0415 - as above

    parts: list[RenderableType] = [_heights(found["chains"])]
    for chain in found["chains"]:
        parts += _details(chain)
    size = found["database"]["bytes"] / 1024 / 1024
    daemon = "answers" if found["daemon"] else "does not answer"
    parts.append(f"database {found['database']['address']}, {size:,.0f} MiB; daemon {daemon} at http.listen")
    return Group(*parts)


def _heights(chains: list[dict[str, Any]]) -> RenderableType:
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table("chain", "head", "tip", "finalized", "lag", "blocks/s", "ETA", "undecoded", "state")
    for chain in chains:
        table.add_row(
            chain["chain"],
            *(_number(chain[key]) for key in ("head", "tip", "finalized", "lag_blocks")),
            _number(chain["rate_blocks_per_second"]),
            _duration(chain["eta_seconds"]),
            _number(chain["undecoded"]["logs"]),
            _state(chain),
        )
    return table


def _state(chain: dict[str, Any]) -> str:
    if chain["halted"]:
        return "[bold red]halted[/]"
    if chain["tip"] is None:
        return "not begun"
    return "[green]running[/]" if chain["holder"] else "[yellow]nobody writes[/]"


def _details(chain: dict[str, Any]) -> list[RenderableType]:
    from rich.text import Text  # noqa: PLC0415 - as above

    lines: list[RenderableType] = []
    if chain["halted"]:
        lines.append(Text(f"{chain['chain']} is halted: {chain['halted']}", style="bold red"))
    if chain["contracts"]:
        lines.append(_coverage(chain))
    if chain["endpoints"]:
        lines.append(_endpoints(chain["endpoints"]))
    lines += [
        f"{one['kind']} at {one['detected_at']}: {one['depth']} blocks above {one['common_ancestor']}, "
        f"{one['rows_removed']} rows removed"
        for one in chain["reorgs"][:5]
    ]
    lines += [
        f"[yellow]unknown facet {one['facet']} of {one['diamond']}: {one['selectors']} functions[/]"
        for one in chain["unknown_facets"]
    ]
    return lines


def _coverage(chain: dict[str, Any]) -> RenderableType:
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table("contract", "from", "covered", "missing", "sources", "discovered", title=chain["chain"])
    for one in chain["contracts"]:
        covered = ", ".join(f"{first}..{last}" for first, last in one["coverage"][:4])
        more = ", …" if len(one["coverage"]) > 4 else ""
        counts = (_number(one[key]) for key in ("missing_blocks", "sources", "discovered_addresses"))
        table.add_row(one["contract"], str(one["start_block"]), (covered + more) or "nothing", *counts)
    return table


def _endpoints(endpoints: list[dict[str, Any]]) -> RenderableType:
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table("endpoint", "up", "range", "requests", "failures")
    for one in endpoints:
        counts = (_number(one[key]) for key in ("range_blocks", "requests", "failures"))
        table.add_row(one["endpoint"], "yes" if one["up"] else "[red]no[/]", *counts)
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return (
        f"{hours} h {minutes:02} min" if hours else f"{minutes} min {left:02} s" if minutes else f"{left} s"
    )
