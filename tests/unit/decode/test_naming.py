"""Interface rules 1 and 2 and the table of SQL types."""

from __future__ import annotations

import pytest
from eth_hash.auto import keccak

from indexer.decode.naming import (
    MAX_IDENTIFIER_BYTES,
    RESERVED_WORDS,
    argument_name,
    column_name,
    plain_table_name,
    snake_case,
    sql_type,
    sql_type_of,
    table_name,
)
from indexer.decode.tables import EventParam

TOPIC = bytes.fromhex("4f2c5a087f1c980b963a6e3e4265622b6c0d2df4ad839a8394a4e68bdf814a93")


def param(name: str, kind: str, *, indexed: bool = False) -> EventParam:
    return EventParam(name, kind, kind, indexed)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ERC721ATransfer", "erc721_a_transfer"),
        ("USDCDepositedToTradeDeal", "usdc_deposited_to_trade_deal"),
        ("tokenURI", "token_uri"),
        ("x2Y", "x2_y"),
        ("_diamondCut", "diamond_cut"),
        ("_address", "address"),
        ("$fee$Rate", "fee_rate"),
        ("URI", "uri"),
        ("VABBTokensRedeemed", "vabb_tokens_redeemed"),
        ("already_snake", "already_snake"),
        ("__", ""),
        ("$", ""),
        ("a__b", "a__b"),
        ("ABc", "a_bc"),
    ],
)
def test_snake_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("from", "from_"),
        ("to", "to_"),
        ("address", "address_"),
        ("chain_id", "chain_id_"),
        ("values", "values"),
        ("user", "user_"),
    ],
)
def test_reserved_words_and_leading_columns_get_an_underscore(name: str, expected: str) -> None:
    assert column_name(name, ()) == expected


def test_each_later_column_of_a_name_gets_one_more_underscore() -> None:
    taken: list[str] = []
    for name in ("value", "value", "value", "from", "from", "value_"):
        taken.append(column_name(name, taken))
    assert taken == ["value", "value_", "value__", "from_", "from__", "value___"]


def test_a_long_column_is_cut_by_the_hash_of_its_snake_case_form() -> None:
    name = "a_very_long_argument_name_that_goes_on_and_on_until_it_is_longer_than_63"
    expected = f"{name[:54]}_{keccak(name.encode()).hex()[:8]}"
    assert column_name(name, ()) == expected
    assert len(expected) == MAX_IDENTIFIER_BYTES


def test_names_of_63_bytes_stay_and_collide_within_63_bytes() -> None:
    name = "x" * 63
    assert column_name(name, ()) == name
    again = column_name(name, (name,))
    assert again == f"{name[:54]}_{keccak((name + '_').encode()).hex()[:8]}"


def test_a_long_table_is_cut_by_topic0() -> None:
    plain = plain_table_name("registry", "AnEventWithAVeryLongNameThatNobodyWouldWriteButSomebodyMight")
    assert table_name(plain, TOPIC, ()) == f"{plain[:54]}_4f2c5a08"


@pytest.mark.parametrize(
    ("stem", "event", "expected"),
    [
        ("erc20", "Transfer", "erc20_transfer"),
        ("erc1155", "TransferSingle", "erc1155_transfer_single"),
        ("marketplace", "Listings", "marketplace_listings"),
        ("diamond", "DiamondCut", "diamond_cut"),
        ("trade_deal", "TradeDealCreated", "trade_deal_created"),
        ("carbon_credits", "CarbonCreditsRetired", "carbon_credits_retired"),
        ("diamond_factory", "DiamondCreated", "diamond_factory_diamond_created"),
        ("mint", "Minted", "mint_minted"),
        ("order", "Order", "order"),
        ("vault", "_", "vault_event"),
    ],
)
def test_the_stem_begins_a_table_unless_the_event_begins_with_it(
    stem: str, event: str, expected: str
) -> None:
    assert plain_table_name(stem, event) == expected


def test_reserved_and_taken_tables_get_an_underscore() -> None:
    assert table_name("order", TOPIC, ()) == "order_"
    assert table_name("undecoded", TOPIC, {"undecoded"}) == "undecoded_"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("address", "bytea"),
        ("bytes", "bytea"),
        ("bytes1", "bytea"),
        ("bytes32", "bytea"),
        ("function", "bytea"),
        ("bool", "boolean"),
        ("string", "text"),
        ("int8", "integer"),
        ("int32", "integer"),
        ("int40", "bigint"),
        ("int64", "bigint"),
        ("int72", "numeric"),
        ("int256", "numeric"),
        ("uint8", "integer"),
        ("uint24", "integer"),
        ("uint32", "bigint"),
        ("uint56", "bigint"),
        ("uint64", "numeric"),
        ("uint256", "numeric"),
        ("uint8[]", "integer[]"),
        ("address[3]", "bytea[]"),
        ("string[]", "text[]"),
        ("uint256[][]", "jsonb"),
        ("bool[2][]", "jsonb"),
        ("tuple", "jsonb"),
        ("tuple[]", "jsonb"),
    ],
)
def test_sql_types(kind: str, expected: str) -> None:
    assert sql_type_of(kind) == expected


@pytest.mark.parametrize("kind", ["fixed128x18", "ufixed", "uint", "varint", ""])
def test_other_types_have_no_column(kind: str) -> None:
    with pytest.raises(ValueError, match="no column holds"):
        sql_type_of(kind)


@pytest.mark.parametrize("kind", ["string", "bytes", "uint256[]", "uint256[2]", "tuple", "tuple[]"])
def test_indexed_dynamic_arguments_are_hashes(kind: str) -> None:
    one = param("symbol", kind, indexed=True)
    assert (argument_name(one, 0), sql_type(one)) == ("symbol_hash", "bytea")
    assert argument_name(param("symbol", kind), 0) == "symbol"


@pytest.mark.parametrize("kind", ["address", "bytes32", "uint256", "bool", "function"])
def test_indexed_words_are_values(kind: str) -> None:
    one = param("symbol", kind, indexed=True)
    assert argument_name(one, 0) == "symbol"
    assert sql_type(one) == sql_type_of(kind)


def test_arguments_without_a_name_are_numbered_by_position() -> None:
    assert argument_name(param("", "uint256"), 0) == "arg0"
    assert argument_name(param("_", "uint256"), 3) == "arg3"
    assert argument_name(param("", "string", indexed=True), 1) == "arg1_hash"


def test_reserved_words_are_lower_case_words() -> None:
    assert len(RESERVED_WORDS) == 101
    assert all(word == word.lower() and word.isidentifier() for word in RESERVED_WORDS)
