"""Which events a contract's configuration means: ``events``, ``anonymous`` and ``discover`` held against its ABIs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from indexer.config import ContractSettings, DiscoverSettings, Settings
from indexer.decode.abi import canonical_signature
from indexer.decode.abi_files import unknown
from indexer.decode.event_tables import FileLayouts
from indexer.decode.tables import EventLayout, EventParam

if TYPE_CHECKING:
    from indexer.decode.catalogue import Catalogue


def files_to_search(catalogue: Catalogue, contract: ContractSettings) -> tuple[FileLayouts, ...]:
    """The files whose events a contract may name: its own, the standards, for diamonds also all that are named and Gemforce's."""
    files = {file.source.name: file for file in catalogue.files_of(contract)}
    more: list[FileLayouts] = list(catalogue.standards)
    if contract.kind == "diamond":
        more += [*catalogue.named, *catalogue.gemforce]
    for file in more:
        files.setdefault(file.source.name, file)
    return tuple(files.values())


def layouts_called(files: Sequence[FileLayouts], event: str) -> tuple[EventLayout, ...]:
    """Layouts with topic0 that a name or a full signature means, in the order of the files."""
    return tuple(layout for layout in _called(files, event) if not layout.anonymous)


def anonymous_called(files: Sequence[FileLayouts], event: str) -> tuple[EventLayout, ...]:
    """Anonymous layouts that a name or a full signature means."""
    return tuple(layout for layout in _called(files, event) if layout.anonymous)


def selected(catalogue: Catalogue, contract: ContractSettings, event: str) -> tuple[EventLayout, ...]:
    """What an entry of ``events`` means: in the contract's own ABIs, or, when none has it, in the others it may decode with."""
    return layouts_called(catalogue.files_of(contract), event) or layouts_called(
        files_to_search(catalogue, contract), event
    )


def check_contract(catalogue: Catalogue, settings: Settings, name: str) -> Iterator[str]:
    """One line for everything wrong with the events that a contract's section names."""
    contract = settings.contracts[name]
    files = files_to_search(catalogue, contract)
    key = f"{settings.path}: contracts.{name}"
    for event in contract.events or ():
        if not selected(catalogue, contract, event):
            yield _no_event(
                f"{key}.events = {event!r}: none of its ABIs has this event", event, files, anonymous=False
            )
    for event in contract.anonymous:
        if not anonymous_called(files, event):
            problem = f"{key}.anonymous = {event!r}: none of its ABIs has this anonymous event"
            yield _no_event(problem, event, files, anonymous=True)
    if contract.address is None and contract.events is None and not contract.abi:
        yield f'{key}.abi is empty: with address = "*" the events of its ABIs are asked for; name an ABI or events'
    for place, discover in enumerate(contract.discover):
        yield from _check_discover(catalogue, settings, discover, f"{key}.discover[{place}]")


def _check_discover(
    catalogue: Catalogue, settings: Settings, discover: DiscoverSettings, key: str
) -> Iterator[str]:
    announcer = settings.contracts.get(discover.contract)
    if announcer is None:  # the configuration has told so before any ABI was read
        return
    layouts = selected(catalogue, announcer, discover.event)
    if not layouts:
        files = files_to_search(catalogue, announcer)
        problem = f"{key}.event = {discover.event!r}: none of the ABIs of contracts.{discover.contract} has this event"
        yield _no_event(problem, discover.event, files, anonymous=False)
        return
    fitting = list(
        dict.fromkeys(param.name for layout in layouts for param in layout.params if _announces(param))
    )
    if discover.parameter not in fitting:
        yield (
            f"{key}.parameter = {discover.parameter!r}: {layouts[0].signature} has no such parameter with an address "
            f"(or an array of addresses that is not indexed); right would be {' or '.join(fitting) or 'another event'}"
        )


def _announces(param: EventParam) -> bool:
    """Whether a log has addresses in this parameter: one, or an array that is not indexed and so more than a hash."""
    return bool(param.name) and (param.type == "address" or (param.type == "address[]" and not param.indexed))


def _called(files: Sequence[FileLayouts], event: str) -> Iterator[EventLayout]:
    wanted = canonical_signature(event)
    field = "signature" if "(" in wanted else "name"
    seen: set[int] = set()
    for file in files:
        for choice in file.choices:
            for layout in choice:
                if getattr(layout, field) == wanted and id(layout) not in seen:
                    seen.add(id(layout))
                    yield layout


def _no_event(problem: str, event: str, files: Sequence[FileLayouts], *, anonymous: bool) -> str:
    layouts = [
        layout
        for file in files
        for choice in file.choices
        for layout in choice
        if layout.anonymous == anonymous
    ]
    names = [layout.signature if "(" in event else layout.name for layout in layouts]
    return unknown(problem, event, names, "indexer abi list shows every event that is known")
