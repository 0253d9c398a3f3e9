"""Makes event tables and layouts of ABI files: which signature has which table, and which argument which column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from indexer.decode.abi import EventDeclaration
from indexer.decode.abi_files import AbiSource
from indexer.decode.naming import (
    TAKEN_TABLES,
    argument_name,
    column_name,
    hash_digits,
    is_hashed,
    plain_table_name,
    sql_type,
    table_name,
)
from indexer.decode.tables import Column, EventLayout, EventParam, EventTable

TableKey = tuple[str, str]
"""Stem of the ABI file and canonical signature: what a table is kept for."""

_TITLES: Mapping[str, str] = {
    "erc20": "ERC-20",
    "erc721": "ERC-721",
    "erc1155": "ERC-1155",
    "erc2309": "ERC-2309",
    "erc4906": "ERC-4906",
    "erc5192": "ERC-5192",
    "erc7572": "ERC-7572",
    "diamond": "EIP-2535 diamonds",
    "ownable": "EIP-173 ownership",
    "access_control": "access control by roles",
    "pausable": "pausable contracts",
    "initializable": "initializable contracts",
    "erc1967": "EIP-1967 proxies",
    "erc734": "ERC-734 key managers",
    "erc735": "ERC-735 claim holders",
}


@dataclass(frozen=True, slots=True)
class FileLayouts:
    """An ABI file with, for each of its events, the layouts that may decode it.

    An event that standards declare with the same signature and layout has theirs (two where two standards declare
    it), every other one its own.
    """

    source: AbiSource
    choices: tuple[tuple[EventLayout, ...], ...]


def build_layouts(sources: Sequence[AbiSource], known: Mapping[TableKey, str]) -> list[FileLayouts]:
    """Layouts of every file; ``sources`` has the standards first, then what comes first has the plain names.

    ``known`` are the tables that exist: they keep their names.
    """
    standard: dict[tuple[str, tuple[bool, ...], bool], list[EventLayout]] = {}
    own: dict[TableKey, list[EventDeclaration]] = {}
    shared = {_shape(event) for source in sources if source.pack == "standard" for event in source.abi.events}
    for source in sources:
        for event in source.abi.events:
            if source.pack == "standard" or _shape(event) not in shared:
                own.setdefault((source.stem, event.signature), []).append(event)
    layouts = _layouts(own, _table_names(own, known))
    for source in sources:
        if source.pack == "standard":
            for event in source.abi.events:
                standard.setdefault(_shape(event), []).append(layouts[source.stem, *_shape(event)])
    return [
        FileLayouts(
            source,
            tuple(
                tuple(standard[_shape(event)])
                if _shape(event) in shared
                else (layouts[source.stem, *_shape(event)],)
                for event in source.abi.events
            ),
        )
        for source in sources
    ]


def _shape(event: EventDeclaration) -> tuple[str, tuple[bool, ...], bool]:
    return event.signature, event.indexed, event.topic0 is None


def _digest(event: EventDeclaration) -> bytes:
    return event.topic0 or keccak(event.signature.encode())


def _table_names(
    own: Mapping[TableKey, Sequence[EventDeclaration]], known: Mapping[TableKey, str]
) -> dict[TableKey, str]:
    names: dict[TableKey, str] = {}
    taken = {*TAKEN_TABLES, *known.values()}
    named = {(stem, signature.partition("(")[0]) for stem, signature in known}
    for key, events in own.items():
        if key in known:
            names[key] = known[key]
            continue
        stem, event = key[0], events[0]
        plain = plain_table_name(stem, event.name)
        if (stem, event.name) in named:
            plain = f"{plain}_{hash_digits(_digest(event))}"
        named.add((stem, event.name))
        names[key] = table_name(plain, _digest(event), taken)
        taken.add(names[key])
    return names


def _layouts(
    own: Mapping[TableKey, Sequence[EventDeclaration]], names: Mapping[TableKey, str]
) -> dict[tuple[str, str, tuple[bool, ...], bool], EventLayout]:
    layouts = {}
    for key, events in own.items():
        stem = key[0]
        columns, places = _columns(events)
        table = EventTable(
            names[key], stem, events[0].name, key[1], events[0].topic0, columns, _table_comment(stem, events)
        )
        for event, place in zip(events, places, strict=True):
            layout = EventLayout(stem, event.name, event.signature, event.topic0, event.params, table, place)
            layouts[stem, *_shape(event)] = layout
    return layouts


def _columns(events: Sequence[EventDeclaration]) -> tuple[tuple[Column, ...], list[tuple[int, ...]]]:
    """The columns of a table that all layouts of a signature share, and each layout's places in them.

    Names are those of the first layout. A later one adds a column only where it logs a hash and the first a value, or
    the other way round.
    """
    columns: list[Column] = []
    place_of: dict[tuple[int, bool], int] = {}
    places = []
    first = events[0].params
    for event in events:
        for position, param in enumerate(event.params):
            slot = position, is_hashed(param)
            if slot not in place_of:
                named = EventParam(
                    first[position].name, param.type, param.canonical, param.indexed, param.components
                )
                taken = {column.name for column in columns}
                place_of[slot] = len(columns)
                name = column_name(argument_name(named, position), taken)
                columns.append(Column(name, sql_type(param), _column_comment(named, position)))
        places.append(
            tuple(place_of[position, is_hashed(param)] for position, param in enumerate(event.params))
        )
    return tuple(columns), places


def _table_comment(stem: str, events: Sequence[EventDeclaration]) -> str:
    of = f"of {_TITLES[stem]}" if stem in _TITLES else f"of ABI {stem}"
    layouts = " or ".join(dict.fromkeys(str(event) for event in events))
    topic0 = events[0].topic0
    mark = f"topic0 0x{topic0.hex()}" if topic0 else "anonymous, so without topic0"
    return f"Event {events[0].name} {of}, one row for each log of it. Declared as {layouts}; {mark}."


def _column_comment(param: EventParam, position: int) -> str:
    what = f"Argument {position} ({param.name or 'without a name'}) of type {_type_text(param)}"
    if is_hashed(param):
        return f"{what}: keccak-256 of its value, which is all that the log holds, because it is indexed."
    if param.components and sql_type(param) == "jsonb":
        return f"{what}, as JSON with the keys of the ABI."
    return f"{what}{', as JSON' if sql_type(param) == 'jsonb' else ''}."


def _type_text(param: EventParam) -> str:
    if not param.components:
        return param.canonical
    inner = ", ".join(f"{_type_text(component)} {component.name}".strip() for component in param.components)
    return f"tuple({inner}){param.type.removeprefix('tuple')}"
