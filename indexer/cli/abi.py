"""``indexer abi``: what events are known, where they go, and taking in more ABIs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.cli.context import INVOCATION, ConfigOption, JsonOption, config_path, console, print_json, say
from indexer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from indexer.decode.artifacts import Artifact
    from indexer.decode.catalogue import Catalogue
    from indexer.decode.event_tables import FileLayouts
    from indexer.decode.tables import EventLayout

app = typer.Typer(help="Which events are known and which tables they have; add ABIs.", no_args_is_help=True)


@app.command("list")
def list_(
    abi: Annotated[str | None, typer.Argument(help="Only this ABI: a name, a pack or a path.")] = None,
    docs: Annotated[
        bool, typer.Option("--docs", help="Also what only Gemforce's documentation declares (gemforce-docs).")
    ] = False,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """List every event that is known: topic0, topics, table, ABI. Works without a configuration."""
    catalogue = _catalogue(config, [*(["gemforce-docs"] if docs else []), *([abi] if abi else [])])
    files = _files(catalogue, abi) if abi else list(catalogue.files.values())
    layouts = _layouts(files)
    if json_:
        print_json([_described(layout) for layout in layouts])
        return
    _print_list(layouts)
    _warn(catalogue.warnings)


@app.command("show")
def show(
    what: Annotated[
        str,
        typer.Argument(
            help="An ABI (erc20, gemforce/marketplace, a path), an event, a signature, a table or a topic0."
        ),
    ],
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Show events with the columns of their tables. Works without a configuration."""
    catalogue, layouts = _found(config, what)
    if json_:
        print_json([_described(layout) for layout in layouts])
        return
    for layout in layouts:
        _print_layout(layout)
    _warn(catalogue.warnings)


@app.command("add")
def add(
    path: Annotated[
        Path,
        typer.Argument(
            help="A JSON ABI, a Foundry or Hardhat artifact, or a folder of them (hardhat-deploy, out)."
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Call the ABI so, and its tables; only for a single file.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder to write to; default: abi beside the configuration.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that differ.")] = False,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Check ABIs and write them as plain JSON ABIs beside the configuration; print what to put into it."""
    from indexer.decode.artifacts import read_artifacts  # noqa: PLC0415 - only this command reads artifacts

    artifacts = read_artifacts(path)
    if name is not None and len(artifacts) != 1:
        raise ConfigError(f"--name {name}: {path} holds {len(artifacts)} ABIs; name one file")
    base = config_path(config).parent
    folder = to or base / "abi"
    plan = _plan(artifacts, name, folder, alone=not path.is_dir())
    _refuse_overwriting(plan, force=force)
    folder.mkdir(parents=True, exist_ok=True)
    added = [_write(artifact, target, base) for target, artifact in plan.items()]
    if json_:
        print_json(added)
    else:
        _print_added(added)


def _catalogue(config: Path | None, extra: list[str]) -> Catalogue:
    """The configuration's catalogue; the built-in one where no configuration was named and none is there."""
    from indexer.config import load_settings  # noqa: PLC0415 - pydantic takes longer to import than --help may take
    from indexer.decode.catalogue import load_catalogue  # noqa: PLC0415 - as above

    asked = config is not None or INVOCATION.config is not None
    there = asked or config_path(config).exists()
    return load_catalogue(load_settings(config_path(config)) if there else None, {}, extra=extra)


def _files(catalogue: Catalogue, abi: str) -> list[FileLayouts]:
    return [catalogue.files[name] for name in catalogue.entries[abi]]


def _layouts(files: Iterable[FileLayouts]) -> list[EventLayout]:
    """The layout of each event of the files: the file's own, or that of the standard which declares the same."""
    found: dict[int, EventLayout] = {}
    for file in files:
        for choice in file.choices:
            layout = next((one for one in choice if one.abi == file.source.stem), choice[0])
            found[id(layout)] = layout
    return list(found.values())


def _found(config: Path | None, what: str) -> tuple[Catalogue, list[EventLayout]]:
    from indexer.decode.abi import canonical_signature  # noqa: PLC0415 - as above
    from indexer.decode.abi_files import builtin_names, is_path, unknown  # noqa: PLC0415 - as above

    if is_path(what) or what in builtin_names():
        catalogue = _catalogue(config, [what])
        return catalogue, _layouts(_files(catalogue, what))
    catalogue = _catalogue(config, [])
    wanted = canonical_signature(what).removeprefix("event.")
    layouts = [layout for layout in catalogue.layouts if wanted in _names(layout)]
    if (
        not layouts
    ):  # the documentation's events are told from a typing error, though no table is made for them
        catalogue = _catalogue(config, ["gemforce-docs"])
        layouts = [layout for layout in catalogue.layouts if wanted in _names(layout)]
    if not layouts:
        names = [name for layout in catalogue.layouts for name in _names(layout)] + list(builtin_names())
        raise ConfigError(
            unknown(f"nothing is called {what!r}", what, names, "indexer abi list shows what is known")
        )
    return catalogue, layouts


def _names(layout: EventLayout) -> tuple[str, ...]:
    return layout.name, layout.signature, layout.table.name, _hex(layout.topic0)


def _described(layout: EventLayout) -> dict[str, Any]:
    columns = [
        {
            "name": layout.table.columns[place].name,
            "type": layout.table.columns[place].sql_type,
            "argument": param.name,
            "abi_type": param.canonical,
            "indexed": param.indexed,
        }
        for param, place in zip(layout.params, layout.columns, strict=True)
    ]
    return {
        "event": layout.name,
        "signature": layout.signature,
        "topic0": _hex(layout.topic0) or None,
        "topics": layout.topic_count,
        "anonymous": layout.anonymous,
        "table": f"event.{layout.table.name}",
        "abi": layout.abi,
        "columns": columns,
    }


def _print_list(layouts: Iterable[EventLayout]) -> None:
    """A table on a terminal; elsewhere lines of fields parted by tabs, nothing cut."""
    from rich.table import Table  # noqa: PLC0415 - rich takes long to import

    rows = [
        (
            layout.signature,
            _hex(layout.topic0),
            str(layout.topic_count),
            f"event.{layout.table.name}",
            layout.abi,
        )
        for layout in layouts
    ]
    out = console()
    if not out.is_terminal:
        for row in rows:
            say("\t".join(row))
        return
    table = Table()
    for heading in ("event", "topic0", "topics", "table", "abi"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _print_layout(layout: EventLayout) -> None:
    from rich.table import Table  # noqa: PLC0415 - rich takes long to import

    title = f"event.{layout.table.name}"
    say(f"{title}  {layout.signature}")
    say(
        f"  abi {layout.abi}, {layout.topic_count} topics, topic0 {_hex(layout.topic0) or 'none (anonymous)'}"
    )
    table = Table("column", "type", "argument", "ABI type", "indexed")
    for row in _described(layout)["columns"]:
        table.add_row(
            row["name"], row["type"], row["argument"], row["abi_type"], "yes" if row["indexed"] else ""
        )
    console().print(table)


def _plan(artifacts: list[Artifact], name: str | None, folder: Path, *, alone: bool) -> dict[Path, Artifact]:
    """Which file each ABI goes to. Of a folder, what declares nothing is left out, and the names of built-in ABIs are
    avoided; a single file that would take one is refused, for its tables would be surprising.
    """
    from indexer.decode.abi import parse_abi  # noqa: PLC0415 - as above
    from indexer.decode.abi_files import builtin_sources, stem_of  # noqa: PLC0415 - as above

    taken = {source.stem for source in builtin_sources()}
    plan: dict[Path, Artifact] = {}
    problems: list[str] = []
    for artifact in artifacts:
        abi = parse_abi(artifact.entries, str(artifact.path))
        problems.extend(abi.impossible)
        stem = stem_of(Path(name)) if name else stem_of(artifact.path)
        if not stem or (alone and stem in taken):
            problems.append(
                f"{artifact.path}: {stem!r} is the name of a built-in ABI; choose another with --name"
            )
        target = folder / f"{f'my_{stem}' if stem in taken else stem}.json"
        if not alone and not abi.events and not abi.functions:
            continue
        if target in plan and plan[target].entries != artifact.entries:
            problems.append(
                f"{artifact.path}: {plan[target].path} has the same name; add one of them with --name"
            )
        plan.setdefault(target, artifact)
    if problems:
        raise ConfigError(*problems)
    return plan


def _refuse_overwriting(plan: dict[Path, Artifact], *, force: bool) -> None:
    differing = [
        path for path, artifact in plan.items() if path.exists() and path.read_text() != _plain(artifact)
    ]
    if differing and not force:
        raise ConfigError(
            *(f"{path}: is there already and differs; --force writes over it" for path in differing)
        )


def _plain(artifact: Artifact) -> str:
    return json.dumps(artifact.entries, indent=2) + "\n"


def _write(artifact: Artifact, target: Path, base: Path) -> dict[str, Any]:
    from indexer.decode.abi import parse_abi  # noqa: PLC0415 - as above

    target.write_text(_plain(artifact))
    entry = str(target.relative_to(base)) if target.is_relative_to(base) else str(target.resolve())
    abi = parse_abi(artifact.entries, str(artifact.path))
    return {
        "abi": entry,
        "file": str(target),
        "from": str(artifact.path),
        "events": [event.signature for event in abi.events],
        "functions": len(abi.functions),
        "address": artifact.address,
        "block": artifact.block,
    }


def _print_added(added: list[dict[str, Any]]) -> None:
    for one in added:
        say(f"wrote {one['file']}: {len(one['events'])} events, {one['functions']} functions")
    say("")
    say("put into a contract's section of the configuration:")
    say(f"abi = {json.dumps([one['abi'] for one in added])}")
    for one in added:
        if one["address"]:
            start = "" if one["block"] is None else f", start_block = {one['block']}"
            say(f'# {one["abi"]} was deployed at address = "{one["address"]}"{start}')


def _warn(warnings: Iterable[str]) -> None:
    for line in warnings:
        console(stderr=True).print(f"warning: {line}", style="yellow", markup=False)


def _hex(value: bytes | None) -> str:
    return "" if value is None else f"0x{value.hex()}"
