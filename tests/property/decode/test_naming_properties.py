"""What holds for every name that an ABI may have."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.decode.abi import Abi, EventDeclaration, parse_abi
from indexer.decode.abi_files import AbiSource
from indexer.decode.event_tables import build_layouts
from indexer.decode.naming import (
    LEADING_NAMES,
    MAX_IDENTIFIER_BYTES,
    RESERVED_WORDS,
    TAKEN_TABLES,
    argument_name,
    column_name,
    snake_case,
)
from indexer.decode.tables import EventParam, EventTable

IDENTIFIERS = st.from_regex(r"[A-Za-z_$][A-Za-z0-9_$]{0,90}", fullmatch=True) | st.sampled_from(
    ["from", "From", "_from", "$to", "_", "select", "chainId", "blockNumber", "x" * 63, "x" * 64, "tokenURI"]
)
TYPES = st.sampled_from(["uint256", "string", "bytes", "address", "uint8[]", "bool"])
PARAMS = st.lists(st.tuples(IDENTIFIERS | st.just(""), TYPES, st.booleans()), max_size=6)
NAMES = st.sampled_from(["Paid", "paid", "PAID", "Order", "select", "Undecoded"]) | IDENTIFIERS
EVENTS = st.lists(st.tuples(NAMES, PARAMS), min_size=1, max_size=8)


def parsed(events: list[tuple[str, list[tuple[str, str, bool]]]]) -> list[EventDeclaration]:
    entries = []
    for name, params in events:
        indexed = 0
        inputs = []
        for argument, kind, topic in params:
            indexed += topic
            inputs.append({"name": argument, "type": kind, "indexed": topic and indexed <= 3})
        entries.append({"type": "event", "name": name, "inputs": inputs})
    return list(parse_abi(entries, "test.json").events)


def tables(
    events: list[EventDeclaration], known: dict[tuple[str, str], str] | None = None
) -> list[EventTable]:
    source = AbiSource("./test.json", "test", None, Abi(tuple(events), {}, ()))
    (file,) = build_layouts([source], known or {})
    found = {layout.table.name: layout.table for choice in file.choices for layout in choice}
    return list(found.values())


@settings(max_examples=200, deadline=None)
@given(IDENTIFIERS)
def test_snake_case_is_lower_case_without_outer_underscores(name: str) -> None:
    snake = snake_case(name)
    assert snake == snake.lower()
    assert snake == snake.strip("_")
    assert snake_case(snake) == snake
    assert snake.replace("_", "") == name.replace("$", "").replace("_", "").lower()


@settings(max_examples=200, deadline=None)
@given(PARAMS)
def test_columns_are_valid_unreserved_unique_and_short(params: list[tuple[str, str, bool]]) -> None:
    taken: list[str] = []
    for position, (name, kind, indexed) in enumerate(params):
        column = column_name(argument_name(EventParam(name, kind, kind, indexed), position), taken)
        assert column not in taken
        assert column not in RESERVED_WORDS | LEADING_NAMES
        assert 0 < len(column.encode()) <= MAX_IDENTIFIER_BYTES
        assert set(column) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
        taken.append(column)


@settings(max_examples=70, deadline=None)
@given(EVENTS)
def test_tables_are_valid_unreserved_unique_and_one_a_signature(
    events: list[tuple[str, list[tuple[str, str, bool]]]],
) -> None:
    declared = parsed(events)
    made = tables(declared)
    assert len(made) == len({event.signature for event in declared})
    assert sorted(table.signature for table in made) == sorted({event.signature for event in declared})
    for table in made:
        assert table.name not in RESERVED_WORDS | TAKEN_TABLES
        assert 0 < len(table.name.encode()) <= MAX_IDENTIFIER_BYTES


@settings(max_examples=70, deadline=None)
@given(EVENTS, EVENTS, st.sampled_from(["before", "after"]))
def test_tables_that_exist_keep_their_names_whatever_is_added(
    old: list[tuple[str, list[tuple[str, str, bool]]]],
    new: list[tuple[str, list[tuple[str, str, bool]]]],
    where: str,
) -> None:
    before = {("test", table.signature): table.name for table in tables(parsed(old))}
    after = {
        ("test", table.signature): table.name
        for table in tables(parsed(new + old if where == "before" else old + new), before)
    }
    assert {key: after[key] for key in before} == before
    assert len(set(after.values())) == len(after)


@settings(max_examples=50, deadline=None)
@given(EVENTS)
def test_names_do_not_depend_on_what_comes_later_in_a_file(
    events: list[tuple[str, list[tuple[str, str, bool]]]],
) -> None:
    declared = parsed(events)
    whole = {table.signature: table.name for table in tables(declared)}
    for count in range(1, len(declared)):
        for table in tables(declared[:count]):
            assert whole[table.signature] == table.name
