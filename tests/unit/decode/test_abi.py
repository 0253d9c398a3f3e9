"""Reading JSON ABIs: what is taken, what is refused and how the message helps."""

from __future__ import annotations

from typing import Any

import pytest
from eth_hash.auto import keccak

from indexer.decode.abi import canonical_signature, parse_abi, selector
from indexer.decode.tables import EventParam
from indexer.errors import ConfigError


def event(name: Any = "Said", *inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "event", "name": name, "inputs": list(inputs), **more}


def arg(kind: Any, name: Any = "a", *, indexed: Any = False, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "indexed": indexed, **more}


def problem(entry: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_abi([entry], "my.json")
    return str(caught.value)


def test_tuples_are_written_out_in_the_signature() -> None:
    cut = arg(
        "tuple[]",
        "cuts",
        components=[arg("address", "facet"), arg("uint8", "action"), arg("bytes4[]", "selectors")],
    )
    (declared,) = parse_abi([event("DiamondCut", cut, arg("address"), arg("bytes"))], "my.json").events
    assert declared.signature == "DiamondCut((address,uint8,bytes4[])[],address,bytes)"
    assert declared.topic0 == keccak(declared.signature.encode())
    assert declared.params[0].type == "tuple[]"
    assert declared.params[0].canonical == "(address,uint8,bytes4[])[]"
    assert [component.name for component in declared.params[0].components] == ["facet", "action", "selectors"]


def test_short_integers_have_256_bits() -> None:
    (declared,) = parse_abi([event("E", arg("uint"), arg("int[2]"))], "my.json").events
    assert declared.signature == "E(uint256,int256[2])"
    assert declared.params[1] == EventParam("a", "int256[2]", "int256[2]", indexed=False)


def test_functions_give_selectors() -> None:
    abi = parse_abi(
        [
            {"type": "function", "name": "transfer", "inputs": [arg("address"), arg("uint256")]},
            {"name": "facets", "inputs": []},
            {"type": "function", "name": "store", "inputs": [{"type": "Lib.Data storage", "name": "d"}]},
            {"type": "function", "inputs": []},
            {"type": "constructor", "inputs": []},
            {"type": "receive"},
        ],
        "my.json",
    )
    assert abi.functions == {
        bytes.fromhex("a9059cbb"): "transfer(address,uint256)",
        bytes.fromhex("7a0ed627"): "facets()",
    }
    assert selector("transfer(address,uint256)").hex() == "a9059cbb"


def test_the_same_declaration_twice_counts_once_and_another_layout_counts() -> None:
    same = event("E", arg("uint256"))
    other = event("E", arg("uint256", indexed=True))
    events = parse_abi([same, same, other], "my.json").events
    assert [one.indexed for one in events] == [(False,), (True,)]


def test_four_indexed_arguments_are_impossible_unless_anonymous() -> None:
    four = [arg("uint256", f"a{place}", indexed=True) for place in range(4)]
    abi = parse_abi(
        [event("E", *four), event("Note", *four, anonymous=True), event("F", *four[:3])], "my.json"
    )
    assert [one.name for one in abi.events] == ["Note", "F"]
    assert abi.events[0].topic0 is None
    (line,) = abi.impossible
    assert "my.json: event E: E(uint256,uint256,uint256,uint256) has 4 indexed arguments" in line
    assert "at most 3" in line


def test_five_indexed_arguments_are_impossible_for_anonymous_events() -> None:
    five = [arg("uint256", f"a{place}", indexed=True) for place in range(5)]
    (line,) = parse_abi([event("Note", *five, anonymous=True)], "my.json").impossible
    assert "at most 4" in line


@pytest.mark.parametrize("kind", ["fixed", "ufixed128x18", "fixed168x10[]"])
def test_fixed_point_numbers_are_refused(kind: str) -> None:
    abi = parse_abi([event("E", arg(kind))], "my.json")
    assert abi.events == ()
    assert "fixed-point" in abi.impossible[0]


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        ("Transfer", ["entry 0", "array of objects"]),
        (event(None), ["my.json", "its name is None"]),
        (event("has space"), ["has space", "letters, digits"]),
        (event("E", arg("uint7")), ["event E", "inputs[0]", "uint7", "steps of 8"]),
        (event("E", arg("uint264")), ["uint264", "8 to 256"]),
        (event("E", arg("uint08")), ["uint08"]),
        (event("E", arg("bytes33")), ["bytes33", "bytes1 to bytes32"]),
        (event("E", arg("bytes0")), ["bytes0"]),
        (event("E", arg("contract IIdentity")), ["contract IIdentity", "contracts are address"]),
        (event("E", arg("Role")), ["Role", "no ABI type"]),
        (event("E", arg("byte")), ["byte", "no ABI type"]),
        (event("E", arg("uint256[0]")), ["at least one element"]),
        (event("E", arg(None)), ["the type of inputs[0] is None"]),
        (event("E", arg("tuple")), ["inputs[0].components is None"]),
        (event("E", arg("tuple", components=[arg("x")])), ["inputs[0].components[0]"]),
        (event("E", "uint256"), ["inputs[0]", "object with name and type"]),
        (event("E", arg("uint256", "a b")), ["the name of inputs[0]"]),
        (event("E", arg("uint256", indexed="yes")), ["indexed of inputs[0] is 'yes'", "true or false"]),
        (event("E", anonymous="no"), ["anonymous is 'no'", "true or false"]),
        ({"type": "event", "name": "E", "inputs": {}}, ["inputs is {}", "array of parameters"]),
    ],
)
def test_malformed_entries_name_file_event_and_what_would_be_right(entry: Any, parts: list[str]) -> None:
    message = problem(entry)
    assert message.startswith("my.json: ")
    for part in parts:
        assert part in message


def test_endless_nesting_is_refused() -> None:
    nested: dict[str, Any] = arg("uint256")
    for _ in range(40):
        nested = arg("tuple", components=[nested])
    assert "nested more than" in problem(event("E", nested))


def test_every_problem_of_a_file_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_abi([event("A", arg("uint7")), event("B"), event("C", arg("int3"))], "my.json")
    assert [line.split(":")[1] for line in caught.value.problems] == [" event A", " event C"]


def test_signatures_are_brought_into_canonical_form() -> None:
    assert (
        canonical_signature(" Paid( uint , int8, uint[2], (uint,int)[] ) ")
        == "Paid(uint256,int8,uint256[2],(uint256,int256)[])"
    )
    assert canonical_signature("Transfer") == "Transfer"
