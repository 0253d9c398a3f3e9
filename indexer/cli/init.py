"""``indexer init``: a commented configuration, filled in from a chain where one is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.context import ConfigOption, JsonOption, config_path, print_json, quiet_log, run_async, say
from indexer.errors import ConfigError

if TYPE_CHECKING:
    from indexer.cli.survey import Survey

LOCAL_URL = "http://127.0.0.1:8545"
_TIMEOUT_SECONDS = 20.0


def init(
    rpc: Annotated[
        list[str] | None, typer.Option(help="An endpoint's URL; may be given several times.", metavar="URL")
    ] = None,
    address: Annotated[
        list[str] | None,
        typer.Option(help="A contract to look at; may be given several times.", metavar="0x…"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Write a commented configuration.

    With --rpc it has the chain's id and finality; with --address also the contract's first block (found by bisection),
    whether it is a diamond (by its loupe), and which token standards it follows (by ERC-165 and probing).
    """
    path = config_path(config)
    if path.exists() and not force:
        raise ConfigError(f"{path}: is there already; --force overwrites it, --config names another")
    if address and not rpc:
        raise typer.BadParameter("--address needs --rpc: an endpoint that can be asked about it")
    quiet_log()
    urls = rpc or [LOCAL_URL]
    found = run_async(_survey(urls, address or [])) if rpc else _blank()
    from indexer.cli.template import render  # noqa: PLC0415 - keeps --help fast

    _write(path, render(found, urls))
    if json_:
        print_json({"path": str(path), **_as_dict(found)})
    else:
        _tell(path, found, asked=bool(rpc))


def _blank() -> Survey:
    from indexer.cli.survey import Survey  # noqa: PLC0415 - as above

    return Survey("local", 31337, "finalized")


async def _survey(urls: list[str], addresses: list[str]) -> Survey:
    from pydantic import SecretStr  # noqa: PLC0415 - as above

    from indexer.cli.survey import read_chain_id, survey  # noqa: PLC0415 - as above
    from indexer.config import ChainSettings  # noqa: PLC0415 - as above
    from indexer.decode.catalogue import load_catalogue  # noqa: PLC0415 - as above
    from indexer.rpc.pool import PooledClient  # noqa: PLC0415 - as above

    expanded, wanted = _checked(urls, addresses)
    chain_id = await read_chain_id(expanded[0], _TIMEOUT_SECONDS)
    settings = ChainSettings(
        chain_id=chain_id,
        rpc=tuple(SecretStr(url) for url in expanded),
        timeout_seconds=_TIMEOUT_SECONDS,
    )
    catalogue = load_catalogue(None, {})
    gemforce = frozenset(file.source.stem for file in catalogue.gemforce)
    client = PooledClient("init", settings)
    try:
        await client.open()
        return await survey(client, settings, wanted, catalogue.functions, gemforce)
    finally:
        await client.close()


def _checked(urls: list[str], addresses: list[str]) -> tuple[list[str], tuple[bytes, ...]]:
    """URLs with their variables replaced, and addresses; every mistake in one ``ConfigError``."""
    from indexer.config_values import parse_address, parse_rpc_url  # noqa: PLC0415 - as above

    problems: list[str] = []
    good_urls: list[str] = []
    good_addresses: list[bytes] = []
    for place, url in enumerate(urls, 1):
        try:
            good_urls.append(parse_rpc_url(url).get_secret_value())
        except ValueError as error:
            problems.append(f"--rpc number {place}: {error}")
    for text in addresses:
        try:
            good_addresses.append(parse_address(text))
        except ValueError as error:
            problems.append(f"--address {text}: {error}")
    if problems:
        raise ConfigError(*problems)
    return good_urls, tuple(dict.fromkeys(good_addresses))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


def _as_dict(found: Survey) -> dict[str, object]:
    return {
        "chain": {"name": found.name, "chain_id": found.chain_id, "finality": found.finality},
        "contracts": [one.as_dict() for one in found.contracts],
    }


def _tell(path: Path, found: Survey, *, asked: bool) -> None:
    say(f"wrote {path}")
    if asked:
        say(f"chain {found.name}: id {found.chain_id}, finality {found.finality}")
    for one in found.contracts:
        say(f"contract {one.name}: {one.note}; from block {one.start_block}")
    say(
        "next: indexer check, then indexer run"
        if asked
        else "next: set chain and contracts, then indexer check"
    )
