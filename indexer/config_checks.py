"""What has to hold between sections of the configuration: chains, addresses, discovery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from indexer.config_problems import Problem, Reporter
from indexer.config_values import checksum_address, did_you_mean, repr_word

if TYPE_CHECKING:
    from indexer.config import (
        ChainSettings,
        ContractSettings,
        DiscoverSettings,
        PrivacySettings,
        SyncSettings,
    )

Chains = Mapping[str, "ChainSettings | None"]
Contracts = Mapping[str, "ContractSettings | None"]


def check_together(
    chains: Chains,
    contracts: Contracts,
    sync: SyncSettings | None,
    merged: Mapping[str, Any],
    reporter: Reporter,
) -> None:
    """Report every contradiction between sections; a section that is None was already found wrong by itself.

    ``merged`` holds the raw tables, so that a section that is wrong itself still counts as defined.
    """
    _check_names(chains, contracts, merged, reporter)
    _check_chains(chains, merged, reporter)
    for name, contract in contracts.items():
        _check_references(name, merged["contracts"][name], chains, contracts, reporter)
        if contract is not None:
            _check_contract(name, contract, contracts, reporter)
    _check_overlaps(chains, contracts, reporter)
    _check_reachable(contracts, reporter)
    if sync is not None and sync.commit_bytes > sync.queue_bytes:
        reporter.add(
            Problem(
                ("sync", "commit_bytes"),
                sync.commit_bytes,
                f"should not exceed sync.queue_bytes ({sync.queue_bytes}), or no commit could ever fill",
            )
        )


def check_privacy(privacy: PrivacySettings, reporter: Reporter) -> None:
    """Report a hash without a secret, and token attributes without keys."""
    modes = {name: getattr(privacy, name) for name in type(privacy).model_fields}
    hashed = [name for name, mode in modes.items() if mode == "hash"]
    if hashed and privacy.secret is None:
        message = (
            f"{hashed[0]} is hashed with it; set it to ${{VARIABLE}} or as INDEXER__PRIVACY__SECRET, and keep it: "
            "another secret gives other hashes"
        )
        reporter.add(Problem.missing(("privacy", "secret"), message))
    if modes["token_attributes"] in {"hash", "drop"} and not privacy.token_attribute_keys:
        message = 'token_attributes needs the keys it is about, such as ["passport"], or "*" for all'
        reporter.add(Problem.missing(("privacy", "token_attribute_keys"), message))


def _check_names(chains: Chains, contracts: Contracts, merged: Mapping[str, Any], reporter: Reporter) -> None:
    for group, names in (("chains", chains), ("contracts", contracts)):
        seen: dict[str, str] = {}
        for name in names:
            if not name or not all(char.isascii() and (char.isalnum() or char in "_-") for char in name):
                message = "a name has only letters, digits, _ and -"
                reporter.add(Problem((group, name), _brief(merged, group, name), message))
            other = seen.setdefault(name.lower().replace("-", "_"), name)
            if other != name:
                message = f"differs from {group}.{other} only in case or in - for _; the environment could not tell them apart"
                reporter.add(Problem((group, name), _brief(merged, group, name), message))


def _brief(merged: Mapping[str, Any], group: str, name: str) -> Any:
    table = merged.get(group, {}).get(name)
    return "{…}" if isinstance(table, Mapping) else table


def _check_chains(chains: Chains, merged: Mapping[str, Any], reporter: Reporter) -> None:
    if not chains and isinstance(merged.get("chains", {}), Mapping):
        reporter.add(Problem.missing(("chains",), "at least one [chains.NAME] section is needed"))
    by_id: dict[int, str] = {}
    for name, chain in chains.items():
        if chain is None:
            continue
        other = by_id.setdefault(chain.chain_id, name)
        if other != name:
            message = (
                f"chains.{other} has this chain_id already; list all endpoints of a chain in one section"
            )
            reporter.add(Problem(("chains", name, "chain_id"), chain.chain_id, message))
        _check_endpoints(name, chain, reporter)


def _check_endpoints(name: str, chain: ChainSettings, reporter: Reporter) -> None:
    if not chain.rpc:
        reporter.add(Problem(("chains", name, "rpc"), [], "at least one URL is needed"))
    seen: set[str] = set()
    for index, url in enumerate(chain.rpc):
        if url.get_secret_value() in seen:
            reporter.add(Problem(("chains", name, "rpc", index), url, "is listed twice; once is enough"))
        seen.add(url.get_secret_value())


def _check_references(
    name: str, table: Any, chains: Chains, contracts: Contracts, reporter: Reporter
) -> None:
    """Names of other sections, read from the raw table: the section may be wrong otherwise."""
    if not isinstance(table, Mapping):
        return
    chain = table.get("chain")
    if isinstance(chain, str) and chain not in chains:
        hint = did_you_mean(chain, chains) or f"; there is {', '.join(chains) or 'none'}"
        reporter.add(Problem(("contracts", name, "chain"), chain, f"no such section [chains.{chain}]{hint}"))
    entries = table.get("discover", ())
    for index, entry in enumerate(entries if isinstance(entries, list | tuple) else [entries]):
        target = entry.get("contract") if isinstance(entry, Mapping) else None
        if isinstance(target, str) and target not in contracts:
            place = (index,) if isinstance(entries, list | tuple) else ()
            hint = did_you_mean(target, contracts) or f"; there is {', '.join(contracts)}"
            key = ("contracts", name, "discover", *place, "contract")
            reporter.add(Problem(key, target, f"no such section [contracts.{target}]{hint}"))


def _check_contract(name: str, contract: ContractSettings, contracts: Contracts, reporter: Reporter) -> None:
    key = ("contracts", name)
    if contract.address is None:
        _check_wildcard(name, contract, reporter)
    elif not contract.address and not contract.discover:
        message = 'one address, a list of them, "*", or discover = { contract, event, parameter }'
        reporter.add(Problem.missing((*key, "address"), message))
    if contract.events is not None and not contract.events:
        reporter.add(
            Problem((*key, "events"), [], "asks for nothing; leave it out for all events of the ABIs")
        )
    for entry in contract.discover:
        _check_discover((*key, "discover"), contract, entry, contracts, reporter)


def _check_wildcard(name: str, contract: ContractSettings, reporter: Reporter) -> None:
    key = ("contracts", name)
    if contract.kind == "diamond":
        message = 'a diamond needs its address: "*" cannot follow the cuts of every contract on the chain'
        reporter.add(Problem((*key, "address"), "*", message))
    if contract.events is None and not contract.abi:
        message = (
            'with address = "*", name the events, such as ["Transfer"], or the abi whose events are meant; '
            "all logs of a chain are too many"
        )
        reporter.add(Problem.missing((*key, "events"), message))
    if contract.discover:
        reporter.add(
            Problem((*key, "address"), "*", "means every address already; leave out address or discover")
        )
    if contract.anonymous:
        message = 'anonymous events have no topic to ask for; they need addresses, not "*"'
        reporter.add(Problem((*key, "anonymous"), list(contract.anonymous), message))


def _check_discover(
    key: tuple[str | int, ...],
    contract: ContractSettings,
    entry: DiscoverSettings,
    contracts: Contracts,
    reporter: Reporter,
) -> None:
    announcer = contracts.get(entry.contract)
    if announcer is None:
        return
    if announcer.chain != contract.chain:
        message = (
            f"that section is on chain {repr_word(announcer.chain)}, this one on {repr_word(contract.chain)}"
        )
        reporter.add(Problem((*key, "contract"), entry.contract, message))
    if announcer.events is not None and _word(entry.event) not in {
        _word(event) for event in announcer.events
    }:
        message = f"contracts.{entry.contract}.events does not fetch it; add {repr_word(entry.event)} there"
        reporter.add(Problem((*key, "event"), entry.event, message))


def _word(event: str) -> str:
    return event.partition("(")[0].strip()


def _check_overlaps(chains: Chains, contracts: Contracts, reporter: Reporter) -> None:
    owners: dict[tuple[str, bytes], list[str]] = defaultdict(list)
    for name, contract in contracts.items():
        if contract is None:
            continue
        for index, address in enumerate(contract.address or ()):
            for other in owners[contract.chain, address]:
                message = _contradiction(chains, contracts, name, other)
                if message:
                    key = ("contracts", name, "address", index)
                    reporter.add(Problem(key, checksum_address(address), message))
            owners[contract.chain, address].append(name)


def _contradiction(chains: Chains, contracts: Contracts, name: str, other: str) -> str | None:
    """Why two sections cannot both have an address, or None where they agree and ask for different events."""
    one, two = contracts[name], contracts[other]
    if one is None or two is None:
        return None
    if name == other:
        return "is listed twice; once is enough"
    different = [
        key
        for key, mine, theirs in (
            ("kind", one.kind, two.kind),
            ("abi", one.abi, two.abi),
            ("start_block", _start(chains, one), _start(chains, two)),
        )
        if mine != theirs
    ]
    if different:
        return f"contracts.{other} has this address too, with another {' and '.join(different)}; keep it in one section"
    if one.events is None or two.events is None or set(one.events) & set(two.events):
        return f"contracts.{other} has this address too and asks for the same events; keep it in one section"
    return None


def _start(chains: Chains, contract: ContractSettings) -> int:
    chain = chains.get(contract.chain)
    default = chain.start_block if chain is not None else 0
    return default if contract.start_block is None else contract.start_block


def _check_reachable(contracts: Contracts, reporter: Reporter) -> None:
    """Report sections that no chain of announcements ever gives an address."""
    grounded = {name for name, one in contracts.items() if one is None or one.address is None or one.address}
    while True:
        more = {
            name
            for name, one in contracts.items()
            if one is not None
            and name not in grounded
            and any(entry.contract in grounded or entry.contract not in contracts for entry in one.discover)
        }
        if not more:
            break
        grounded |= more
    for name, one in contracts.items():
        if name not in grounded and one is not None and one.discover:
            sources = ", ".join(dict.fromkeys(entry.contract for entry in one.discover))
            message = f"never gets an address: it is announced by {sources} only, which has none itself; give one an address"
            reporter.add(
                Problem(("contracts", name, "discover"), [entry.contract for entry in one.discover], message)
            )
