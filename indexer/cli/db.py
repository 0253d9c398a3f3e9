"""``indexer db``: migrations, the connection string, a shell, role grants, the data dictionary."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import typer

from indexer.cli.context import ConfigOption, JsonOption, console, load, print_json, quiet_log, run_async, say
from indexer.errors import ConfigError

if TYPE_CHECKING:
    from indexer.config import DatabaseSettings, Settings
    from indexer.store.store import Store

app = typer.Typer(
    help="Migrations, the connection string, a shell, role grants, the data dictionary.", no_args_is_help=True
)


@app.command("migrate")
def migrate(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Bring the database's schema and event tables up to this version, and print what was applied."""
    settings = load(config)
    quiet_log()
    applied, tables, views = run_async(_migrate(settings))
    if json_:
        print_json({"applied": applied, "event_tables": tables, "views": views})
        return
    for name in applied:
        say(f"applied {name}")
    if tables:
        say(f"made or widened {len(tables)} event tables")
    if views:
        say(f"made the views of {', '.join(views)}")
    if not applied and not tables and not views:
        say("nothing to apply; the database is up to date")


@app.command("url")
def url(
    show_password: Annotated[
        bool, typer.Option("--show-password", help="Print the password as well.")
    ] = False,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Print the connection string. An embedded server answers while some command of ours runs."""
    address = database_url(load(config).database)
    shown = address if show_password else without_password(address)
    if json_:
        print_json({"url": shown})
    else:
        say(shown)


@app.command(
    "psql",
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
)
def psql(context: typer.Context, config: ConfigOption = None) -> None:
    """Open a psql shell; what follows the command goes to psql, such as: indexer db psql -- -c 'select 1'."""
    settings = load(config)
    quiet_log()
    raise typer.Exit(run_async(_psql(settings.database, list(context.args))))


@app.command("roles")
def roles(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Make the roles, grant each what it needs and nothing more, and print the grants."""
    found = run_async(_roles(load(config).database))
    if json_:
        print_json(found)
    else:
        _print_roles(found)
    if not found["applied"]:
        raise typer.Exit(1)


@app.command("partition")
def partition(
    blocks: Annotated[
        int | None,
        typer.Option(min=1, help="Blocks of a partition.", show_default="[database] partition_blocks"),
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(help="Only this event table; may be given several times.", show_default="all"),
    ] = None,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Partition event tables that were made without, in place. A daemon may be running."""
    settings = load(config)
    wanted = blocks or settings.database.partition_blocks
    if wanted is None:
        raise ConfigError(f"{settings.path}: database.partition_blocks is not set; set it, or say --blocks")
    quiet_log()
    done = run_async(_partition(settings.database, table or [], wanted))
    if json_:
        print_json({"partitioned": done})
        return
    for name, start in done.items():
        say(f"event.{name}: new partitions begin at block {start}")
    if not done:
        say("every event table is partitioned already")


@app.command("dictionary")
def dictionary(config: ConfigOption = None) -> None:
    """Print the data dictionary as Markdown: every schema, table and column, source events, queries to begin with."""
    settings = load(config)
    quiet_log()
    typer.echo(run_async(_dictionary(settings.database)), nl=False)


def database_url(database: DatabaseSettings) -> str:
    """The configured URL, or that of our database on the embedded server."""
    if database.url is not None:
        return database.url.get_secret_value()
    from indexer.store.embedded import EmbeddedServer  # noqa: PLC0415 - not needed where a server is configured
    from indexer.store.store import EMBEDDED_DATABASE  # noqa: PLC0415 - as above

    return EmbeddedServer(database.data_dir).url(EMBEDDED_DATABASE)


def without_password(address: str, placeholder: str = "***") -> str:
    """The URL with its password replaced, or left out where the placeholder is empty."""
    parts = urlsplit(address)
    user, colon, _password = parts.netloc.rpartition("@")[0].partition(":")
    query = "&".join(item for item in parts.query.split("&") if not item.lower().startswith("password="))
    if not colon:
        return urlunsplit(parts._replace(query=query))
    host = parts.netloc.rpartition("@")[2]
    hidden = f":{quote(placeholder, safe='*')}" if placeholder else ""
    return urlunsplit(parts._replace(netloc=f"{user}{hidden}@{host}", query=query))


def find_psql() -> str:
    """The psql on PATH, else the one that comes with the embedded server; raises ``ConfigError``."""
    on_path = shutil.which("psql")
    if on_path:
        return on_path
    from indexer.store.embedded import program_path  # noqa: PLC0415 - not needed where psql is installed

    found = program_path("psql")
    if not found.exists():
        raise ConfigError("psql: neither on PATH nor beside the embedded server; install PostgreSQL's client")
    return str(found)


@asynccontextmanager
async def opened_store(database: DatabaseSettings, doing: str) -> AsyncIterator[Store]:
    """The database, its embedded server started where there is one; closed at the end."""
    from indexer.store.store import Store  # noqa: PLC0415 - asyncpg takes long to import

    store = await Store.open(database, application_name=f"indexer {doing}")
    try:
        yield store
    finally:
        await store.close()


async def _psql(database: DatabaseSettings, arguments: list[str]) -> int:
    """Run psql with the embedded server up, if there is one; returns psql's exit code."""
    async with opened_store(database, "db psql") as store:
        environ = dict(os.environ)
        password = urlsplit(store.url).password
        if password:  # among the arguments every user of the machine could read it
            environ["PGPASSWORD"] = unquote(password)
        command = [find_psql(), without_password(store.url, ""), *arguments]
        with _interrupts_left_to_psql():
            done = await asyncio.to_thread(subprocess.run, command, env=environ, check=False)
    return done.returncode


@contextmanager
def _interrupts_left_to_psql() -> Iterator[None]:
    """Ctrl-C cancels a statement in psql; it must not end us meanwhile."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


async def _migrate(settings: Settings) -> tuple[list[str], list[str], list[str]]:
    from indexer.decode.catalogue import load_catalogue  # noqa: PLC0415 - numpy takes long to import
    from indexer.projections.runner import Projections  # noqa: PLC0415 - as above

    async with opened_store(settings.database, "db migrate") as store:
        applied = await store.migrate()
        catalogue = load_catalogue(settings, await store.known_tables())
        store.want_indexes(catalogue.layouts)
        made = await store.register_tables(catalogue.tables)
        await store.register_selectors(catalogue.functions)
        projections = Projections.load(own=settings.projections.folder)
        async with store.session("making the tables of projections") as connection:
            await projections.make_tables(connection)
        views = await store.apply_views()
        await store.build_indexes()
        return applied, made, views


async def _dictionary(database: DatabaseSettings) -> str:
    from indexer.store.dictionary import dictionary as written  # noqa: PLC0415 - as above

    async with opened_store(database, "db dictionary") as store:
        await store.require_migrated()
        async with store.session("reading the dictionary") as connection:
            return await written(connection)


async def _roles(database: DatabaseSettings) -> dict[str, Any]:
    from indexer.cli.sql import ROLES, SCHEMAS, sql  # noqa: PLC0415 - as above

    async with opened_store(database, "db roles") as store:
        await store.require_migrated()
        report = await store.apply_roles()
        async with store.session("reading grants") as connection:
            there = await connection.fetch(sql("roles"), ROLES)
            grants = await connection.fetch(sql("table_grants"), ROLES, SCHEMAS)
    return {
        "applied": report.applied,
        "reason": report.reason,
        "roles": [dict(row) for row in there],
        "grants": [dict(row) for row in grants],
    }


def _print_roles(found: dict[str, Any]) -> None:
    from rich.table import Table  # noqa: PLC0415 - rich takes long to import

    members = Table("role", "log-in", "members")
    for row in found["roles"]:
        members.add_row(row["role"], "yes" if row["login"] else "no", ", ".join(row["members"]))
    grants = Table("role", "schema", "privileges (tables)")
    for row in found["grants"]:
        grants.add_row(row["role"], row["schema"], row["privileges"])
    out = console()
    out.print(members)
    out.print(grants)
    if not found["applied"]:
        console(stderr=True).print(f"not applied: {found['reason']}", style="red")


async def _partition(database: DatabaseSettings, tables: list[str], blocks: int) -> dict[str, int]:
    async with opened_store(database, "db partition") as store:
        await store.require_migrated()
        return await store.partition_tables(tables, blocks)
