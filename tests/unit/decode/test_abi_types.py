from __future__ import annotations

import pytest

from indexer.decode.abi_types import (
    ArrayType,
    BytesType,
    TupleType,
    ValueType,
    head_size,
    is_dynamic,
    type_of,
)
from indexer.decode.tables import EventParam


def param(kind: str, name: str = "", components: tuple[EventParam, ...] = ()) -> EventParam:
    return EventParam(name, kind, kind, False, components)


def test_types_become_trees() -> None:
    assert type_of(param("uint")) == ValueType("uint", 256)
    assert type_of(param("bytes7")) == ValueType("bytes", 56)
    assert type_of(param("string[3][]")) == ArrayType(ArrayType(BytesType(text=True), 3), None)


def test_keys_of_a_tuple_are_unique() -> None:
    kind = type_of(
        param("tuple", "", (param("bool", "a"), param("bool"), param("bool", "a"), param("bool", "a")))
    )
    assert isinstance(kind, TupleType)
    assert kind.names == ("a", "1", "a_", "a__")


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "uint7",
        "uint0",
        "uint264",
        "int1",
        "bytes0",
        "bytes33",
        "fixed128x18",
        "tuple2",
        "uint8[x]",
        "address1",
    ],
)
def test_what_is_no_type_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="no type"):
        type_of(param(kind))


def test_sizes_in_the_head() -> None:
    pair = param("tuple[3]", "", (param("bool"), param("uint8[2]")))
    assert not is_dynamic(type_of(pair))
    assert head_size(type_of(pair)) == 3 * 3 * 32
    for kind in ("bytes", "uint8[]", "string[2]"):
        assert is_dynamic(type_of(param(kind)))
        assert head_size(type_of(param(kind))) == 32
