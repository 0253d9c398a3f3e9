"""The catalogue: the built-in files against a written expectation, and a user's ABIs by interface rules 3, 10 and 14."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from indexer.config import DiscoverSettings, load_settings
from indexer.decode.abi_files import STANDARDS, builtin_sources
from indexer.decode.catalogue import Catalogue, load_catalogue
from indexer.decode.event_tables import FileLayouts
from indexer.decode.naming import LEADING_NAMES, RESERVED_WORDS
from indexer.decode.tables import EventLayout
from indexer.errors import ConfigError

EXPECTED = Path(__file__).parents[1] / "data" / "gemforce_topics.csv"
ADDRESS = "0x" + "11" * 20
DOCS = load_catalogue(None, {}, extra=["gemforce-docs"])


def arg(kind: str, name: str, *, indexed: bool = False, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "indexed": indexed, **more}


def event(name: str, *inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "event", "name": name, "inputs": list(inputs), "anonymous": False, **more}


def write_config(folder: Path, *sections: str) -> Path:
    path = folder / "indexer.toml"
    chain = '[chains.local]\nchain_id = 31337\nrpc = ["http://127.0.0.1:8545"]\n'
    path.write_text("\n".join([chain, *sections]))
    return path


def load(
    folder: Path, *abi: str, known: dict[tuple[str, str], str] | None = None, more: str = ""
) -> Catalogue:
    section = f'[contracts.mine]\nchain = "local"\naddress = "{ADDRESS}"\nabi = {json.dumps(abi)}\n{more}'
    return load_catalogue(load_settings(write_config(folder, section)), known or {})


def refused(folder: Path, *abi: str, more: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, *abi, more=more)
    return str(caught.value)


def write_abi(folder: Path, name: str, *entries: dict[str, Any]) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries))
    return f"./{name}"


def mask(layout: EventLayout) -> str:
    return "".join("i" if param.indexed else "-" for param in layout.params)


def own(file: FileLayouts) -> list[EventLayout]:
    return [layout for choice in file.choices for layout in choice if layout.abi == file.source.stem]


def table_of(catalogue: Catalogue, abi: str, signature: str) -> str:
    return next(table.name for table in catalogue.tables if (table.abi, table.signature) == (abi, signature))


# The built-in files -------------------------------------------------------------------------------------------------


def test_every_expected_declaration_is_in_its_file_and_nothing_else() -> None:
    with EXPECTED.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    expected = Counter(
        (row["file"], row["event"], row["signature"], row["topic0"], row["indexed"], row["arguments"])
        for row in rows
    )
    found = Counter(
        (
            name,
            layout.name,
            layout.signature,
            f"0x{(layout.topic0 or b'').hex()}",
            mask(layout),
            ",".join(param.name for param in layout.params),
        )
        for name, file in DOCS.files.items()
        for layout in own(file)
    )
    assert len(rows) == 285
    assert found == expected


def test_the_standards_are_those_of_rule_11() -> None:
    assert [source.name for source in builtin_sources() if source.pack == "standard"] == list(STANDARDS)
    assert set(STANDARDS) == {
        *("erc20", "erc721", "erc1155", "erc2309", "erc4906", "erc5192", "erc7572", "diamond", "ownable"),
        *("access_control", "pausable", "initializable", "erc1967", "erc734", "erc735"),
    }


def test_the_gemforce_files_are_those_of_rule_12() -> None:
    assert {source.stem for source in builtin_sources() if source.pack == "gemforce"} == {
        *(
            "diamond_factory",
            "diamond_timelock",
            "marketplace",
            "trade_deal",
            "collateral_token",
            "carbon_credits",
        ),
        *(
            "identity_factory",
            "identity_registry",
            "identity",
            "claim_topic",
            "trusted_issuer",
            "minter",
            "token",
        ),
        *(
            "nesting",
            "metadata",
            "multi_sale",
            "variable_price",
            "fee_distributor",
            "treasury",
            "svg_template",
        ),
    }


def test_gemforce_files_do_not_repeat_what_standards_declare() -> None:
    shapes = {
        (event.signature, event.indexed)
        for source in builtin_sources()
        if source.pack == "standard"
        for event in source.abi.events
    }
    repeated = [
        (source.name, event.signature)
        for source in builtin_sources()
        if source.pack != "standard"
        for event in source.abi.events
        if (event.signature, event.indexed) in shapes
    ]
    assert repeated == []


def test_the_deployed_declaration_has_the_plain_table_name() -> None:
    created = "TradeDealCreated(uint256,string,string,uint256,uint256,bool,address,address,address,address"
    assert table_of(DOCS, "trade_deal", f"{created},uint8)") == "trade_deal_created"
    assert table_of(DOCS, "trade_deal", f"{created})") == "trade_deal_created_ed0366d8"
    assert (
        table_of(DOCS, "identity_registry", "IdentityAdded(address,address,address)")
        == "identity_registry_identity_added"
    )
    assert table_of(DOCS, "initializable", "Initialized(uint64)") == "initializable_initialized"
    assert table_of(DOCS, "initializable", "Initialized(uint8)") == "initializable_initialized_7f26b83f"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "erc20_transfer",
            "erc721_transfer",
            "erc1155_transfer_single",
            "marketplace_listings",
            "diamond_cut",
        ),
        *(
            "trade_deal_created",
            "carbon_credits_retired",
            "erc721_approval_for_all",
            "erc1155_approval_for_all",
        ),
        *(
            "diamond_factory_diamond_created",
            "trade_deal_usdc_deposited_to_trade_deal",
            "token_erc721_a_transfer",
        ),
        *("identity_factory_identity_created", "fee_distributor_fee_receivers_set", "treasury_withdrawn"),
    ],
)
def test_the_built_in_tables_are_always_there(name: str) -> None:
    assert load_catalogue(None, {}).table(name).name == name


def test_columns_follow_the_rules() -> None:
    catalogue = load_catalogue(None, {})
    columns = {
        column.name: column.sql_type for column in catalogue.table("diamond_factory_diamond_created").columns
    }
    assert columns == {"factory": "bytea", "diamond": "bytea", "symbol_hash": "bytea", "settings": "jsonb"}
    added = catalogue.table("identity_registry_identity_added").columns
    assert [column.name for column in added] == ["trusted_issuer", "address_", "identity"]
    assert [(column.name, column.sql_type) for column in catalogue.table("diamond_cut").columns] == [
        ("diamond_cut", "jsonb"),
        ("init", "bytea"),
        ("calldata", "bytea"),
    ]


def test_names_are_valid_unique_and_commented() -> None:
    names = [table.name for table in DOCS.tables]
    assert len(names) == len(set(names))
    for table in DOCS.tables:
        columns = [column.name for column in table.columns]
        assert len(columns) == len(set(columns))
        assert not {*columns, table.name} & (RESERVED_WORDS | LEADING_NAMES)
        assert all(name.isidentifier() and len(name.encode()) <= 63 for name in (*columns, table.name))
        assert table.event in table.comment
        assert all(column.comment for column in table.columns)


def test_the_deployed_tuples_have_the_component_names_of_rule_13() -> None:
    layouts = {layout.table.name: layout for layout in load_catalogue(None, {}).layouts}

    def names(table: str, argument: int) -> list[str]:
        return [component.name for component in layouts[table].params[argument].components]

    assert names("marketplace_initialized", 0) == ["receiver", "sharePerMillion"]
    assert names("metadata_attribute_set", 2) == ["key", "attributeType", "value"]
    assert names("diamond_factory_diamond_created", 3) == ["owner", "factory", "svgManager", "symbol", "name"]
    assert names("diamond_cut", 0) == ["facetAddress", "action", "functionSelectors"]
    assert names("variable_price_changed", 1) == ["price", "priceModifier", "priceModifierFactor", "maxPrice"]
    assert names("treasury_deposited", 0) == ["tokenId", "amount"]
    assert names("trusted_issuer_updated", 1) == ["issuer", "claimTopics"]
    settings = names("multi_sale_created", 1)
    assert (len(settings), settings[0], settings[5], settings[-1]) == (
        23,
        "tokenType",
        "paymentMethod",
        "price",
    )


def test_impossible_declarations_of_the_documentation_are_left_out_with_a_warning() -> None:
    assert len(DOCS.warnings) == 4
    for name in ("Purchase", "GemforceMinted", "ClaimAdded", "ClaimRemoved"):
        (line,) = [line for line in DOCS.warnings if f"event {name}:" in line]
        assert "4 indexed arguments" in line
        assert line.endswith("left out")
    assert all(layout.topic_count <= 4 for layout in DOCS.layouts)
    assert load_catalogue(None, {}).warnings == ()


def test_documented_layouts_share_the_deployed_table() -> None:
    layouts = [layout for layout in DOCS.layouts if layout.name == "Listings"]
    assert [(mask(layout), layout.table.name) for layout in layouts] == [
        ("ii------", "marketplace_listings"),
        ("iii-----", "marketplace_listings"),
    ]
    assert [column.name for column in layouts[1].table.columns][4] == "owner"


def test_functions_give_selectors_by_stem() -> None:
    functions = load_catalogue(None, {}).functions
    assert bytes.fromhex("a9059cbb") in functions["erc20"]
    assert bytes.fromhex("1f931c1c") in functions["diamond"]
    assert functions["marketplace"]


# A user's ABIs ------------------------------------------------------------------------------------------------------


def test_a_path_is_relative_to_the_configuration_and_its_stem_follows_rule_1(tmp_path: Path) -> None:
    entry = write_abi(tmp_path, "abis/MyNFTSale-v2.json", event("SoldOut", arg("uint256", "saleId")))
    catalogue = load(tmp_path, entry)
    assert catalogue.table("my_nft_sale_v2_sold_out").abi == "my_nft_sale_v2"
    assert [file.source.stem for file in catalogue.named] == ["my_nft_sale_v2"]


def test_a_folder_means_every_abi_in_it(tmp_path: Path) -> None:
    write_abi(tmp_path, "out/A.sol/A.json", event("One"))
    write_abi(tmp_path, "out/B.sol/B.json", event("Two"))
    catalogue = load(tmp_path, "./out")
    assert {"a_one", "b_two"} <= {table.name for table in catalogue.tables}


def test_packs_and_their_files_are_named_without_a_path(tmp_path: Path) -> None:
    catalogue = load(tmp_path, "gemforce/identity", "erc734", "gemforce")
    assert catalogue.entries["gemforce/identity"] == ("gemforce/identity",)
    assert len(catalogue.entries["gemforce"]) == 20
    assert "gemforce-docs/token" not in catalogue.files


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        ("erc21", ["contracts.mine.abi = 'erc21'", "did you mean", "erc20"]),
        ("gemforce/marketplaces", ["gemforce/marketplace"]),
        ("zzz", ["a path ends in .json or begins with . or /"]),
        ("./missing.json", ["missing.json", "no such file or folder"]),
    ],
)
def test_an_unknown_entry_names_file_key_value_and_what_is_close(
    tmp_path: Path, entry: str, parts: list[str]
) -> None:
    message = refused(tmp_path, entry)
    assert str(tmp_path / "indexer.toml") in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    "name", ["erc20.json", "ERC20.json", "Diamond.json", "TradeDeal.json", "sub/Marketplace.json"]
)
def test_a_file_with_the_stem_of_a_built_in_is_refused(tmp_path: Path, name: str) -> None:
    message = refused(tmp_path, write_abi(tmp_path, name, event("Said")))
    assert "built-in" in message
    assert Path(name).name in message
    assert ".json" in message.partition("rename")[2]


def test_a_file_needs_a_letter_or_digit_in_its_name(tmp_path: Path) -> None:
    assert "no letter or digit" in refused(tmp_path, write_abi(tmp_path, "__.json", event("Said")))


def test_further_entries_are_refused_like_those_of_a_contract() -> None:
    with pytest.raises(ConfigError, match="abi = 'erc21': no ABI is called"):
        load_catalogue(None, {}, extra=["erc21", "erc20"])


def test_everything_wrong_in_a_folder_is_told_at_once(tmp_path: Path) -> None:
    write_abi(tmp_path, "out/ERC20.json", event("Said"))
    write_abi(tmp_path, "out/Odd.json", event("Said", arg("uint7", "a")))
    write_abi(tmp_path, "out/Good.json", event("Said"))
    lines = refused(tmp_path, "./out").splitlines()
    assert [part in line for part, line in zip(("ERC20.json", "uint7"), lines, strict=True)] == [True, True]


def test_an_impossible_event_of_a_user_is_an_error(tmp_path: Path) -> None:
    four = [arg("uint256", f"a{place}", indexed=True) for place in range(4)]
    message = refused(tmp_path, write_abi(tmp_path, "Mine.json", event("Big", *four), event("Small")))
    assert "event Big" in message
    assert "at most 3" in message
    assert "contracts.mine.abi" in message


def test_two_files_of_one_stem_contradict_each_other_unless_they_are_alike(tmp_path: Path) -> None:
    one = write_abi(tmp_path, "a/Mine.json", event("One"))
    two = write_abi(tmp_path, "b/Mine.json", event("Two"))
    assert "same stem 'mine'" in refused(tmp_path, one, two)
    again = write_abi(tmp_path, "c/Mine.json", event("One"))
    assert load(tmp_path, one, again).table("mine_one")


def test_what_a_standard_declares_has_no_table_of_its_own(tmp_path: Path) -> None:
    transfer = event(
        "Transfer",
        arg("address", "src", indexed=True),
        arg("address", "dst", indexed=True),
        arg("uint256", "wad"),
    )
    catalogue = load(tmp_path, write_abi(tmp_path, "Mine.json", transfer))
    assert not [table for table in catalogue.tables if table.abi == "mine"]
    assert catalogue.named[0].choices[0][0].table.name == "erc20_transfer"


def test_another_layout_than_the_standards_has_its_own_table(tmp_path: Path) -> None:
    bare = event("Transfer", arg("address", "src"), arg("address", "dst"), arg("uint256", "wad"))
    catalogue = load(tmp_path, write_abi(tmp_path, "Mine.json", bare))
    assert [column.name for column in catalogue.table("mine_transfer").columns] == ["src", "dst", "wad"]


def test_layouts_that_differ_in_what_is_indexed_share_a_table_with_both_columns(tmp_path: Path) -> None:
    plain = event("Named", arg("string", "s"), arg("uint256", "n"))
    hashed = event("Named", arg("string", "title", indexed=True), arg("uint256", "n", indexed=True))
    catalogue = load(tmp_path, write_abi(tmp_path, "Mine.json", plain, hashed))
    table = catalogue.table("mine_named")
    assert [(column.name, column.sql_type) for column in table.columns] == [
        ("s", "text"),
        ("n", "numeric"),
        ("s_hash", "bytea"),
    ]
    first, second = (choice[0] for choice in catalogue.named[0].choices)
    assert first.table is second.table is table
    assert (first.columns, second.columns) == ((0, 1), (2, 1))


def test_two_signatures_of_a_name_are_told_apart_by_topic0(tmp_path: Path) -> None:
    entry = write_abi(
        tmp_path, "Mine.json", event("Paid", arg("uint256", "a")), event("Paid", arg("int8", "a"))
    )
    catalogue = load(tmp_path, entry)
    second = next(layout for layout in catalogue.layouts if layout.signature == "Paid(int8)")
    assert table_of(catalogue, "mine", "Paid(uint256)") == "mine_paid"
    assert second.table.name == f"mine_paid_{(second.topic0 or b'').hex()[:8]}"


def test_a_signature_that_comes_later_never_renames_a_table(tmp_path: Path) -> None:
    old, new = event("Paid", arg("uint256", "a")), event("Paid", arg("int8", "a"))
    before = load(tmp_path, write_abi(tmp_path, "Mine.json", old))
    known = {(table.abi, table.signature): table.name for table in before.tables}
    after = load(tmp_path, write_abi(tmp_path, "Mine.json", new, old), known=known)
    assert table_of(after, "mine", "Paid(uint256)") == "mine_paid"
    assert table_of(after, "mine", "Paid(int8)").startswith("mine_paid_")
    assert {key: name for key, name in known.items() if table_of(after, *key) != name} == {}


def test_names_of_different_files_that_collide_get_underscores_in_order(tmp_path: Path) -> None:
    one = write_abi(tmp_path, "deal.json", event("RoomOpened"))
    two = write_abi(tmp_path, "deal_room.json", event("Opened"))
    both = load(tmp_path, one, two)
    assert table_of(both, "deal", "RoomOpened()") == "deal_room_opened"
    assert table_of(both, "deal_room", "Opened()") == "deal_room_opened_"
    known = {("deal_room", "Opened()"): "deal_room_opened"}
    assert table_of(load(tmp_path, one, two, known=known), "deal", "RoomOpened()") == "deal_room_opened_"


def test_no_event_takes_the_table_of_undecoded_logs(tmp_path: Path) -> None:
    catalogue = load(tmp_path, write_abi(tmp_path, "undecoded.json", event("Undecoded")))
    assert table_of(catalogue, "undecoded", "Undecoded()") == "undecoded_"


# What contracts name ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Transfer", "Transfer(address,address,uint256)", "Transfer(address, address, uint)"]
)
def test_events_are_given_by_name_or_signature(tmp_path: Path, name: str) -> None:
    assert load(tmp_path, "erc20", more=f'events = ["{name}"]')


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("Transfr", "Transfer"),
        ("transfer", "Transfer"),
        ("Transfer(address,uint256)", "Transfer(address,address,uint256)"),
    ],
)
def test_an_event_that_no_abi_has_is_refused_with_what_is_close(
    tmp_path: Path, name: str, close: str
) -> None:
    message = refused(tmp_path, "erc20", more=f'events = ["{name}"]')
    assert f"indexer.toml: contracts.mine.events = '{name}'" in message
    assert f"did you mean {close}" in message


def test_an_event_like_no_other_is_refused(tmp_path: Path) -> None:
    assert "indexer abi list" in refused(tmp_path, "erc20", more='events = ["Xyzzy"]')


def test_anonymous_events_have_to_be_declared_anonymous(tmp_path: Path) -> None:
    note = event("LogNote", arg("bytes4", "sig", indexed=True), arg("bytes", "data"), anonymous=True)
    entry = write_abi(tmp_path, "Vat.json", note)
    assert load(tmp_path, entry, more='anonymous = ["LogNote"]')
    assert "contracts.mine.anonymous = 'Transfer'" in refused(
        tmp_path, "erc20", more='anonymous = ["Transfer"]'
    )
    assert "contracts.mine.events = 'LogNote'" in refused(tmp_path, entry, more='events = ["LogNote"]')


def test_a_wildcard_asks_for_the_events_of_its_abis_so_it_needs_one(tmp_path: Path) -> None:
    settings = load_settings(
        write_config(tmp_path, f'[contracts.a]\nchain = "local"\naddress = "{ADDRESS}"\nabi = ["erc20"]\n')
    )
    every = settings.contracts["a"].model_copy(update={"address": None})
    assert load_catalogue(settings.model_copy(update={"contracts": {"a": every}}), {})
    bare = every.model_copy(update={"abi": ()})
    with pytest.raises(ConfigError, match="name an ABI or events"):
        load_catalogue(settings.model_copy(update={"contracts": {"a": bare}}), {})


def discovering(folder: Path, discover: str) -> Catalogue:
    factory = (
        f'[contracts.factory]\nchain = "local"\naddress = "{ADDRESS}"\nabi = ["gemforce/identity_factory"]\n'
    )
    found = f'[contracts.found]\nchain = "local"\nabi = ["erc734"]\ndiscover = {discover}\n'
    return load_catalogue(load_settings(write_config(folder, factory, found)), {})


def test_a_discovery_names_a_parameter_with_an_address(tmp_path: Path) -> None:
    assert discovering(
        tmp_path, '{ contract = "factory", event = "IdentityCreated", parameter = "identity" }'
    )


@pytest.mark.parametrize(
    ("event_name", "parameter", "parts"),
    [
        ("IdentityCreatd", "identity", ["contracts.found.discover[0].event", "did you mean IdentityCreated"]),
        ("IdentityCreated", "identiti", ["contracts.found.discover[0].parameter", "owner or identity"]),
    ],
)
def test_a_discovery_that_nothing_announces_is_refused(
    tmp_path: Path, event_name: str, parameter: str, parts: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        discovering(
            tmp_path, f'{{ contract = "factory", event = "{event_name}", parameter = "{parameter}" }}'
        )
    for part in parts:
        assert part in str(caught.value)


def test_an_abi_that_two_contracts_name_is_loaded_once(tmp_path: Path) -> None:
    entry = write_abi(tmp_path, "Mine.json", event("Said"))
    sections = [
        f'[contracts.{name}]\nchain = "local"\naddress = "0x{digit * 40}"\nabi = ["{entry}", "erc20"]\n'
        for name, digit in (("one", "1"), ("two", "2"))
    ]
    catalogue = load_catalogue(load_settings(write_config(tmp_path, *sections)), {})
    assert [file.source.stem for file in catalogue.named] == ["mine", "erc20"]


def test_a_discovery_from_a_section_that_is_not_there_is_left_to_the_configuration(tmp_path: Path) -> None:
    settings = load_settings(
        write_config(tmp_path, f'[contracts.a]\nchain = "local"\naddress = "{ADDRESS}"\nabi = ["erc20"]\n')
    )
    discover = DiscoverSettings(contract="b", event="Transfer", parameter="to")
    orphan = settings.contracts["a"].model_copy(update={"discover": (discover,)})
    assert load_catalogue(settings.model_copy(update={"contracts": {"a": orphan}}), {})


def test_a_catalogue_loaded_without_a_configuration_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    settings = load_settings(
        write_config(
            tmp_path, f'[contracts.a]\nchain = "local"\naddress = "{ADDRESS}"\nabi = ["gemforce-docs"]\n'
        )
    )
    with pytest.raises(ConfigError, match="not in the catalogue"):
        load_catalogue(None, {}).files_of(settings.contracts["a"])
    assert load_catalogue(settings, {}).files_of(settings.contracts["a"])
