"""The columnar resolver against one that looks at each log by itself, and the facets' timeline against a replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import eth_abi
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.config import ContractSettings
from indexer.decode.catalogue import Catalogue, load_catalogue
from indexer.decode.cuts import DIAMOND_CUT_TOPIC
from indexer.decode.diamonds import FacetMatcher, FacetTimeline
from indexer.decode.resolve import Resolver
from indexer.decode.tables import EventLayout
from indexer.testing.events import Log, log_batch

CATALOGUE = load_catalogue(None, {}, extra=["erc1155", "gemforce-docs"])
STANDARDS = [source.source.name for source in CATALOGUE.standards]
ADDRESSES = [bytes([value]) * 20 for value in (0xD1, 0xD2, 0xD3)]
FACETS = [bytes([value]) * 20 for value in (0xF1, 0xF2, 0xF3)]
TOPICS = [
    *{
        table.topic0
        for table in CATALOGUE.tables
        if table.event in ("Transfer", "ApprovalForAll", "Listings", "Locked")
    },
    DIAMOND_CUT_TOPIC,
    b"\x07" * 32,
]
STEMS = ["erc20", "erc721", "marketplace", "token"]
SELECTORS = [selector for stem in STEMS for selector in sorted(CATALOGUE.functions[stem])[:3]] + [b"none"]
ENTRIES = ["erc20", "erc721", "erc1155", "gemforce", "gemforce/token", "gemforce-docs"]

Cut = tuple[bytes, int, list[bytes]]
CUTS = st.lists(
    st.tuples(
        st.sampled_from([*FACETS, bytes(20)]),
        st.integers(0, 2),
        st.lists(st.sampled_from(SELECTORS), max_size=5, unique=True),
    ),
    max_size=3,
)
PLACES = st.tuples(st.integers(1, 4), st.integers(0, 6))


@st.composite
def logs(draw: st.DrawFn) -> list[Log]:
    places = draw(st.lists(PLACES, max_size=14, unique=True))
    made = []
    for block, log_index in places:
        address = draw(st.sampled_from(ADDRESSES))
        if draw(st.integers(0, 3)) == 0:
            cuts = [("0x" + facet.hex(), action, served) for facet, action, served in draw(CUTS)]
            kinds = ["(address,uint8,bytes4[])[]", "address", "bytes"]
            data = eth_abi.encode(kinds, [cuts, "0x" + "00" * 20, b""])
            made.append(Log([DIAMOND_CUT_TOPIC], data, block, log_index, address))
        else:
            topics = [draw(st.sampled_from(TOPICS)), *[bytes(32)] * draw(st.integers(0, 3))]
            made.append(Log(topics if draw(st.booleans()) else topics[:1], b"", block, log_index, address))
    return made


CONTRACTS = st.lists(
    st.builds(
        lambda kind, abi: ContractSettings(chain="local", kind=kind, abi=abi),
        st.sampled_from(["contract", "diamond"]),
        st.lists(st.sampled_from(ENTRIES), max_size=3, unique=True),
    ),
    min_size=1,
    max_size=3,
)


class Replay:
    """Facets, replayed from the start for every question."""

    def __init__(self) -> None:
        self.told: list[tuple[bytes, tuple[int, int], Sequence[Cut]]] = []

    def active(self, diamond: bytes, place: tuple[int, int]) -> tuple[str, ...]:
        served: dict[bytes, bytes] = {}
        matches: dict[bytes, str | None] = {}
        for whose, at, cuts in sorted(self.told, key=lambda one: one[1]):
            if whose != diamond or at > place:
                continue
            for facet, action, selectors in cuts:
                for selector in selectors:
                    served.pop(selector, None)
                    if action != 2 and any(facet):
                        served[selector] = facet
            matches = {
                facet: best_abi({one for one, owner in served.items() if owner == facet})
                for facet in set(served.values())
            }
        return tuple(sorted({abi for abi in matches.values() if abi}))


def best_abi(selectors: set[bytes]) -> str | None:
    scored = [
        (-len(selectors & functions), len(functions), abi)
        for abi, functions in CATALOGUE.functions.items()
        if selectors and 2 * len(selectors & functions) >= len(selectors)
    ]
    return min(scored)[2] if scored else None


def one_by_one(contract: ContractSettings | None, active: tuple[str, ...], log: Log) -> list[EventLayout]:
    """Rule 4 in plain words, for one log."""
    own = [name for entry in (contract.abi if contract else ()) for name in names_of(CATALOGUE, entry)]
    stems = [name.rpartition("/")[2] for name in own]
    order = list(own)
    if contract and contract.kind == "diamond":
        ranked = sorted(active, key=lambda stem: (stems.index(stem) if stem in stems else len(stems), stem))
        first = [next(name for name in CATALOGUE.files if name.rpartition("/")[2] == stem) for stem in ranked]
        pack = [name for name in CATALOGUE.files if name.startswith("gemforce/")]
        named = [name for names in CATALOGUE.entries.values() for name in names]
        order = [*first, *own, *STANDARDS, *named, *pack]
    else:
        order += STANDARDS
    found: list[EventLayout] = []
    for name in order:
        for choice in CATALOGUE.files[name].choices:
            preferred = [layout for stem in stems for layout in choice if layout.abi == stem]
            layout = (preferred or list(choice))[0]
            if log.topics and layout.topic0 == log.topics[0] and all(layout is not other for other in found):
                found.append(layout)
    return found


def names_of(catalogue: Catalogue, entry: str) -> list[str]:
    if entry in catalogue.files:
        return [entry]
    return [name for name in catalogue.files if name.startswith(f"{entry}/")]


@settings(max_examples=100, deadline=None)
@given(CONTRACTS, logs(), st.data())
def test_every_log_is_in_the_group_that_looking_at_it_alone_gives(
    contracts: list[ContractSettings], written: list[Log], data: st.DataObject
) -> None:
    batch = log_batch(written)
    written = sorted(written, key=lambda log: (log.block, log.log_index))
    owners = [data.draw(st.integers(-1, len(contracts) - 1)) for _ in written]
    replay = Replay()
    for owner, log in zip(owners, written, strict=True):
        if (
            owner >= 0
            and contracts[owner].kind == "diamond"
            and log.topics == [DIAMOND_CUT_TOPIC]
            and log.data
        ):
            (cuts, _, _) = eth_abi.decode(["(address,uint8,bytes4[])[]", "address", "bytes"], log.data)
            plain = [(bytes.fromhex(facet[2:]), action, list(served)) for facet, action, served in cuts]
            replay.told.append((log.address, (log.block, log.log_index), plain))
    resolver = Resolver(CATALOGUE, {f"c{place}": contract for place, contract in enumerate(contracts)})
    for _ in range(2):
        groups = resolver.groups(batch, np.array(owners, np.int32))
        assert sorted(index for group in groups for index in group.indices.tolist()) == list(
            range(len(written))
        )
        assert len({tuple(map(id, group.candidates)) for group in groups}) == len(groups)
        for group in groups:
            assert group.indices.tolist() == sorted(group.indices.tolist())
            for index in group.indices.tolist():
                log, owner = written[index], owners[index]
                contract = contracts[owner] if owner >= 0 else None
                active = replay.active(log.address, (log.block, log.log_index))
                expected = one_by_one(contract, active, log)
                assert [layout.table.name for layout in group.candidates] == [
                    one.table.name for one in expected
                ]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(ADDRESSES[:2]), PLACES, CUTS), max_size=10, unique_by=lambda one: one[:2]
    ),
    st.integers(0, 4),
    st.randoms(use_true_random=False),
)
def test_the_timeline_is_the_replay_of_what_is_not_reverted(
    told: list[tuple[bytes, tuple[int, int], list[Cut]]], ancestor: int, random: Any
) -> None:
    times, replay = FacetTimeline(CATALOGUE.functions), Replay()
    shuffled = [*told, *told]
    random.shuffle(shuffled)
    for diamond, (block, log_index), cuts in shuffled:
        times.apply(diamond, block, log_index, cuts)
        if random.random() < 0.3:
            times.steps(diamond)
    replay.told = list(told)
    questions = [(block, log_index) for block in range(6) for log_index in (0, 3, 7)]
    for diamond in ADDRESSES[:2]:
        for question in questions:
            assert times.active(diamond, *question) == replay.active(diamond, question)
    times.revert(ancestor)
    replay.told = [one for one in told if one[1][0] <= ancestor]
    for diamond in ADDRESSES[:2]:
        for question in questions:
            assert times.active(diamond, *question) == replay.active(diamond, question)


@settings(max_examples=200, deadline=None)
@given(st.sets(st.sampled_from(SELECTORS), max_size=8))
def test_a_facet_is_matched_like_by_counting(selectors: set[bytes]) -> None:
    assert FacetMatcher(CATALOGUE.functions).match(selectors) == best_abi(selectors)
