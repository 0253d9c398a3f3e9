"""``indexer check``: the doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from indexer.cli.context import (
    ConfigOption,
    JsonOption,
    config_path,
    console,
    load,
    print_json,
    quiet_log,
    run_async,
)
from indexer.errors import ConfigError

if TYPE_CHECKING:
    from indexer.cli.doctor.findings import Finding
    from indexer.config import Settings

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def check(config: ConfigOption = None, json_: JsonOption = False) -> None:
    """Look at configuration, ABIs, endpoints, addresses and database; change nothing.

    Exit code 0 when there is nothing worse than a warning, 1 when something fails, 2 when the configuration is wrong.
    """
    from indexer.cli.doctor.findings import exit_code  # noqa: PLC0415 - keeps --help fast

    findings, settings = _check_files(config)
    if settings is not None:
        quiet_log()
        findings += run_async(_check_parts(settings))
    if json_:
        print_json(
            {"exit_code": exit_code(findings), "findings": [finding.as_dict() for finding in findings]}
        )
    else:
        _print_table(findings)
    raise typer.Exit(exit_code(findings))


def _check_files(config: ConfigOption) -> tuple[list[Finding], Settings | None]:
    """Configuration and ABIs; settings only when both are right."""
    from indexer.cli.doctor.findings import Finding  # noqa: PLC0415 - as above
    from indexer.decode.catalogue import load_catalogue  # noqa: PLC0415 - as above

    path = str(config_path(config))
    try:
        settings = load(config)
    except ConfigError as error:
        return [Finding("fail", "configuration", path, problem) for problem in error.problems], None
    summary = f"{len(settings.chains)} chains, {len(settings.contracts)} contracts"
    findings = [Finding("ok", "configuration", path, summary)]
    try:
        catalogue = load_catalogue(settings, {})
    except ConfigError as error:
        return [*findings, *(Finding("fail", "abi", path, problem) for problem in error.problems)], None
    findings += [Finding("warn", "abi", "catalogue", warning) for warning in catalogue.warnings]
    findings.append(Finding("ok", "abi", "catalogue", f"{len(catalogue.tables)} event tables"))
    return findings, settings


async def _check_parts(settings: Settings) -> list[Finding]:
    """Endpoints, addresses and database, all at once."""
    import asyncio  # noqa: PLC0415 - as above

    from indexer.cli.doctor.contracts import check_contracts  # noqa: PLC0415 - as above
    from indexer.cli.doctor.database import check_database  # noqa: PLC0415 - as above
    from indexer.cli.doctor.endpoints import check_endpoint  # noqa: PLC0415 - as above
    from indexer.rpc.pool import PooledClient  # noqa: PLC0415 - as above

    looks = [
        check_endpoint(name, chain, number, PooledClient)
        for name, chain in settings.chains.items()
        for number in range(len(chain.rpc))
    ]
    looks += [check_contracts(settings, name, PooledClient) for name in settings.chains]
    looks.append(check_database(settings.database))
    return [finding for found in await asyncio.gather(*looks) for finding in found]


def _print_table(findings: list[Finding]) -> None:
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table("", "part", "where", "finding", expand=False)
    for finding in findings:
        line = finding.as_dict()
        level = Text(finding.level, style=_STYLES[finding.level])
        table.add_row(level, line["area"], Text(line["subject"]), Text(line["message"]))
    console().print(table)
