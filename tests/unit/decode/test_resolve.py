"""Interface rules 4 and 8 by example: which ABI decodes a log, and what is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import eth_abi
import numpy as np
import pytest

from indexer.config import ContractSettings, load_settings
from indexer.decode.catalogue import Catalogue, load_catalogue
from indexer.decode.cuts import DIAMOND_CUT_TOPIC
from indexer.decode.decoder import Decoder
from indexer.decode.resolve import Resolver
from indexer.decode.topics import TopicIndex
from indexer.errors import InvariantViolated
from indexer.testing.events import Log, log_batch

BUILT_IN = load_catalogue(None, {})
TRANSFER = BUILT_IN.table("erc20_transfer").topic0 or b""
APPROVAL_FOR_ALL = BUILT_IN.table("erc721_approval_for_all").topic0 or b""
LISTINGS = BUILT_IN.table("marketplace_listings").topic0 or b""
WORD = bytes(31) + b"\x01"
DIAMOND, OTHER, FACET = b"\xd0" * 20, b"\x0d" * 20, b"\xfa" * 20


def contract(*abi: str, **more: Any) -> ContractSettings:
    return ContractSettings(**{"chain": "local", "address": "0x" + "d0" * 20, "abi": abi, **more})


def tables(
    *abi: str,
    topic0: bytes = TRANSFER,
    catalogue: Catalogue = BUILT_IN,
    active: tuple[str, ...] = (),
    **more: Any,
) -> list[str]:
    resolver = Resolver(catalogue, {"mine": contract(*abi, **more)})
    return [layout.table.name for layout in resolver.candidates(0, active, topic0)]


def arg(kind: str, name: str, *, indexed: bool = False) -> dict[str, Any]:
    return {"type": kind, "name": name, "indexed": indexed}


def user_catalogue(folder: Path, abi: Sequence[str] = (), **files: list[dict[str, Any]]) -> Catalogue:
    for name, entries in files.items():
        (folder / f"{name}.json").write_text(json.dumps(entries))
    named = json.dumps([*abi, *(f"./{name}.json" for name in files)])
    path = folder / "indexer.toml"
    path.write_text(
        '[chains.local]\nchain_id = 31337\nrpc = ["http://127.0.0.1:8545"]\n[contracts.all]\nchain = "local"\n'
        f'address = "0x{"11" * 20}"\nabi = {named}\n'
    )
    return load_catalogue(load_settings(path), {})


def event(name: str, *inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "event", "name": name, "inputs": list(inputs), **more}


def cut_log(
    block: int, log_index: int, cuts: Iterable[tuple[bytes, int, list[bytes]]], address: bytes = DIAMOND
) -> Log:
    written = [("0x" + facet.hex(), action, selectors) for facet, action, selectors in cuts]
    data = eth_abi.encode(
        ["(address,uint8,bytes4[])[]", "address", "bytes"], [written, "0x" + "00" * 20, b""]
    )
    return Log([DIAMOND_CUT_TOPIC], data, block, log_index, address)


# Rule 4 -------------------------------------------------------------------------------------------------------------


def test_without_abis_the_standards_decode() -> None:
    assert tables() == ["erc20_transfer", "erc721_transfer"]
    assert tables(topic0=LISTINGS) == []


def test_a_contracts_abis_are_tried_in_their_order_before_the_standards() -> None:
    assert tables("erc721") == ["erc721_transfer", "erc20_transfer"]
    assert tables("erc20", "erc721") == ["erc20_transfer", "erc721_transfer"]


def test_approval_for_all_is_of_the_standard_that_stands_first() -> None:
    assert tables(topic0=APPROVAL_FOR_ALL) == ["erc721_approval_for_all"]
    assert tables("erc20", topic0=APPROVAL_FOR_ALL) == ["erc721_approval_for_all"]
    assert tables("erc1155", topic0=APPROVAL_FOR_ALL) == ["erc1155_approval_for_all"]
    assert tables("erc1155", "erc721", topic0=APPROVAL_FOR_ALL) == ["erc1155_approval_for_all"]
    assert tables("erc721", "erc1155", topic0=APPROVAL_FOR_ALL) == ["erc721_approval_for_all"]
    assert tables("gemforce", topic0=APPROVAL_FOR_ALL, kind="diamond") == ["erc721_approval_for_all"]


def test_what_a_user_declares_like_a_standard_goes_to_the_standards_table(tmp_path: Path) -> None:
    mine = [
        event(
            "Transfer",
            arg("address", "a", indexed=True),
            arg("address", "b", indexed=True),
            arg("uint256", "c"),
        ),
        event(
            "ApprovalForAll",
            arg("address", "a", indexed=True),
            arg("address", "b", indexed=True),
            arg("bool", "c"),
        ),
    ]
    catalogue = user_catalogue(tmp_path, ["erc1155"], mine=mine)
    assert tables("./mine.json", catalogue=catalogue)[0] == "erc20_transfer"
    both = tables("./mine.json", "erc1155", topic0=APPROVAL_FOR_ALL, catalogue=catalogue)
    assert both == ["erc1155_approval_for_all"]


def test_a_users_layout_of_a_standards_signature_comes_first_where_it_is_named_first(tmp_path: Path) -> None:
    odd = event(
        "Transfer", arg("address", "a", indexed=True), arg("address", "b"), arg("uint256", "c", indexed=True)
    )
    catalogue = user_catalogue(tmp_path, odd=[odd])
    assert tables("./odd.json", catalogue=catalogue) == ["odd_transfer", "erc20_transfer", "erc721_transfer"]
    assert tables("erc20", "./odd.json", catalogue=catalogue)[:2] == ["erc20_transfer", "odd_transfer"]


def test_only_diamonds_are_held_against_every_named_abi_and_the_gemforce_pack(tmp_path: Path) -> None:
    listings = event(
        "Listings",
        *(
            arg(kind, f"a{place}")
            for place, kind in enumerate(
                ["address", "uint256", "address", "address", "address", "uint256", "bool", "address"]
            )
        ),
    )
    catalogue = user_catalogue(tmp_path, mine=[listings])
    assert tables("erc721", topic0=LISTINGS, catalogue=catalogue) == []
    assert tables("erc721", topic0=LISTINGS, catalogue=catalogue, kind="diamond") == [
        "mine_listings",
        "marketplace_listings",
    ]
    assert tables("gemforce", topic0=LISTINGS, catalogue=catalogue) == ["marketplace_listings"]


def test_active_facets_come_before_the_rest(tmp_path: Path) -> None:
    one, two = (
        [event("Paid", arg("uint256", "a")), function] for function in map(selector_entry, ("one", "two"))
    )
    catalogue = user_catalogue(tmp_path, one=one, two=two)
    paid = catalogue.table("one_paid").topic0 or b""
    abis = ("./one.json", "./two.json")
    assert tables(*abis, topic0=paid, catalogue=catalogue, kind="diamond") == ["one_paid", "two_paid"]
    found = tables(*abis, topic0=paid, catalogue=catalogue, kind="diamond", active=("two",))
    assert found == ["two_paid", "one_paid"]


def selector_entry(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name, "inputs": []}


def test_the_facets_are_those_at_the_log_from_the_cut_on(tmp_path: Path) -> None:
    one, two = (
        [event("Paid", arg("uint256", "a")), function] for function in map(selector_entry, ("one", "two"))
    )
    catalogue = user_catalogue(tmp_path, one=one, two=two)
    selectors = {stem: list(catalogue.functions[stem]) for stem in ("one", "two")}
    paid = [catalogue.table("one_paid").topic0 or b""]
    settings = {
        "plain": contract("./one.json", "./two.json"),
        "diamond": contract("./one.json", "./two.json", kind="diamond"),
    }
    logs = log_batch(
        [
            Log(paid, WORD, 5, 0, DIAMOND),
            cut_log(5, 1, [(FACET, 0, selectors["two"])]),
            Log(paid, WORD, 5, 2, DIAMOND),
            Log(paid, WORD, 5, 3, OTHER),
            cut_log(6, 0, [(bytes(20), 2, selectors["two"])]),
            Log(paid, WORD, 6, 1, DIAMOND),
            Log(paid, WORD, 6, 2, DIAMOND),
        ]
    )
    resolver = Resolver(catalogue, settings)
    owners = np.array([1, 1, 1, 1, 1, 1, 0], np.int32)
    decoded = Decoder(resolver).decode(logs, owners)
    rows = {batch.table.name: batch.logs.tolist() for batch in decoded.rows}
    assert rows == {"one_paid": [0, 3, 5, 6], "two_paid": [2], "diamond_cut": [1, 4]}
    again = Decoder(resolver).decode(logs, owners)
    assert {batch.table.name: batch.logs.tolist() for batch in again.rows} == rows


def test_cuts_of_contracts_that_are_no_diamonds_change_nothing() -> None:
    resolver = Resolver(BUILT_IN, {"plain": contract("gemforce")})
    selectors = sorted(BUILT_IN.functions["erc721"])
    resolver.groups(log_batch([cut_log(5, 0, [(FACET, 0, selectors)])]), np.zeros(1, np.int32))
    assert resolver.timeline.active(DIAMOND, 9, 0) == ()


def test_a_cut_that_does_not_decode_changes_nothing() -> None:
    resolver = Resolver(BUILT_IN, {"diamond": contract(kind="diamond")})
    good = cut_log(5, 1, [(FACET, 0, sorted(BUILT_IN.functions["erc721"]))])
    broken = Log([DIAMOND_CUT_TOPIC], good.data[:-64], 5, 0, DIAMOND)
    resolver.groups(log_batch([broken, good]), np.zeros(2, np.int32))
    assert resolver.timeline.active(DIAMOND, 5, 0) == ()
    assert resolver.timeline.active(DIAMOND, 5, 1) == ("erc721",)


def test_anonymous_events_come_last_and_only_when_named(tmp_path: Path) -> None:
    note = event("LogNote", arg("bytes4", "sig", indexed=True), arg("bytes", "data"), anonymous=True)
    catalogue = user_catalogue(tmp_path, vat=[note])
    assert tables("./vat.json", catalogue=catalogue) == ["erc20_transfer", "erc721_transfer"]
    named = tables("./vat.json", catalogue=catalogue, anonymous=["LogNote"])
    assert named == ["erc20_transfer", "erc721_transfer", "vat_log_note"]
    assert tables("./vat.json", topic0=b"\x01" * 32, catalogue=catalogue, anonymous=["LogNote"]) == [
        "vat_log_note"
    ]
    resolver = Resolver(catalogue, {"mine": contract("./vat.json", anonymous=["LogNote(bytes4,bytes)"])})
    assert [layout.table.name for layout in resolver.candidates(0, (), None)] == ["vat_log_note"]


# Grouping -----------------------------------------------------------------------------------------------------------


def test_logs_with_the_same_candidates_are_one_group() -> None:
    resolver = Resolver(BUILT_IN, {"a": contract("erc20"), "b": contract("erc20"), "c": contract("erc721")})
    logs = log_batch([Log([TRANSFER], block=block) for block in range(6)])
    groups = resolver.groups(logs, np.array([0, 1, 2, -1, 0, 2], np.int32))
    found = {tuple(group.indices.tolist()): group.candidates[0].table.name for group in groups}
    assert found == {(0, 1, 3, 4): "erc20_transfer", (2, 5): "erc721_transfer"}
    assert all(group.indices.dtype == np.int64 for group in groups)


def test_unknown_topics_and_logs_without_topics_have_no_candidates() -> None:
    almost = TRANSFER[:31] + bytes([TRANSFER[31] ^ 1])
    resolver = Resolver(BUILT_IN, {"a": contract("erc20")})
    logs = log_batch([Log([]), Log([almost], block=2), Log([bytes(32)], block=3)])
    (group,) = resolver.groups(logs, np.zeros(3, np.int32))
    assert (group.indices.tolist(), group.candidates) == ([0, 1, 2], ())


def test_an_empty_batch_has_no_groups() -> None:
    assert Resolver(BUILT_IN, {}).groups(log_batch([]), np.zeros(0, np.int32)) == []


def test_logs_of_nobody_are_grouped_without_any_contract() -> None:
    (group,) = Resolver(BUILT_IN, {}).groups(log_batch([Log([TRANSFER])]), np.array([-1], np.int32))
    assert [layout.table.name for layout in group.candidates] == ["erc20_transfer", "erc721_transfer"]


def test_topics_that_no_eight_bytes_tell_apart_are_refused() -> None:
    words = [bytes(8), bytes([1]) * 8]
    topics = [b"".join(words[bit] for bit in bits) for bits in ((0, 0, 0, 0), (0, 1, 1, 1), (1, 0, 1, 1))]
    with pytest.raises(InvariantViolated, match="apart"):
        TopicIndex(topics)


def test_topics_that_differ_in_a_later_word_are_told_apart() -> None:
    one, two = bytes(31) + b"\x01", bytes(31) + b"\x02"
    index = TopicIndex([two, one, one])
    found = index.places(
        log_batch([Log([one]), Log([two], block=2), Log([bytes(32)], block=3), Log([], block=4)])
    )
    assert [index.topic(place) if place >= 0 else None for place in found.tolist()] == [one, two, None, None]
    assert TopicIndex([]).places(log_batch([Log([one])])).tolist() == [-1]


# Rule 8 -------------------------------------------------------------------------------------------------------------


def topics(*abi: str, catalogue: Catalogue = BUILT_IN, **more: Any) -> frozenset[bytes] | None:
    return Resolver(catalogue, {"mine": contract(*abi, **more)}).filter_topics("mine")


def test_addresses_without_events_ask_for_every_log() -> None:
    assert topics("erc20") is None
    assert topics("gemforce", kind="diamond") is None


def test_events_ask_for_their_topics() -> None:
    assert topics("erc20", events=["Transfer"]) == {TRANSFER}
    assert topics("erc721", events=["Transfer(address,address,uint256)", "ApprovalForAll"]) == {
        TRANSFER,
        APPROVAL_FOR_ALL,
    }
    created = topics("gemforce", events=["TradeDealCreated"])
    assert created is not None
    assert len(created) == 2


def test_a_diamond_with_events_asks_for_its_cuts_too() -> None:
    assert topics("gemforce", kind="diamond", events=["Listings"]) == {LISTINGS, DIAMOND_CUT_TOPIC}


def test_a_wildcard_asks_for_the_events_of_its_abis() -> None:
    every = topics("erc20", address="*")
    assert every == {table.topic0 for table in BUILT_IN.tables if table.abi == "erc20"}
    assert topics("erc20", address="*", events=["Transfer"]) == {TRANSFER}


@pytest.mark.parametrize("more", [{}, {"events": ["KeyAdded", "Initialized"]}])
def test_discovered_contracts_ask_for_topics(more: dict[str, Any]) -> None:
    discover = [{"contract": "factory", "event": "IdentityCreated", "parameter": "identity"}]
    found = topics("erc734", address=[], discover=discover, **more)
    if more:
        names = {"erc734_key_added", "initializable_initialized", "initializable_initialized_7f26b83f"}
        assert found == {BUILT_IN.table(name).topic0 for name in names}
    else:
        assert found == {table.topic0 for table in BUILT_IN.tables if table.abi == "erc734"}


def test_a_contract_that_names_anonymous_events_asks_for_every_log(tmp_path: Path) -> None:
    catalogue = user_catalogue(tmp_path, vat=[event("LogNote", anonymous=True)])
    assert topics("./vat.json", catalogue=catalogue, events=["Transfer"], anonymous=["LogNote"]) is None
