"""Facets over time: what holds at a log, reorgs, seeds, and which ABI a facet is taken for."""

from __future__ import annotations

from indexer.decode.diamonds import FacetMatcher, FacetTimeline

D, E = b"\xd1" * 20, b"\xe1" * 20
F1, F2, F3 = b"\xf1" * 20, b"\xf2" * 20, b"\xf3" * 20
NONE = bytes(20)
ADD, REPLACE, REMOVE = 0, 1, 2
A, B, C, X = b"aaaa", b"bbbb", b"cccc", b"xxxx"
FUNCTIONS = {"sale": frozenset({A, B}), "token": frozenset({C})}


def timeline() -> FacetTimeline:
    return FacetTimeline(FUNCTIONS)


def test_a_cut_holds_from_its_own_log_on() -> None:
    times = timeline()
    times.apply(D, 10, 5, [(F1, ADD, [A, B])])
    assert times.active(D, 10, 4) == ()
    assert times.active(D, 10, 5) == ("sale",)
    assert times.active(D, 11, 0) == ("sale",)
    assert times.active(E, 11, 0) == ()


def test_replacing_and_removing_selectors_ends_an_abi() -> None:
    times = timeline()
    times.apply(D, 10, 0, [(F1, ADD, [A, B]), (F2, ADD, [C])])
    times.apply(D, 20, 0, [(F3, REPLACE, [A, B])])
    times.apply(D, 30, 0, [(NONE, REMOVE, [A])])
    times.apply(D, 40, 0, [(NONE, REMOVE, [B])])
    assert times.active(D, 10, 0) == ("sale", "token")
    assert times.active(D, 20, 0) == ("sale", "token")
    assert times.active(D, 30, 0) == ("sale", "token")
    assert times.active(D, 40, 0) == ("token",)


def test_of_two_changes_of_a_selector_in_one_log_the_last_holds() -> None:
    times = timeline()
    times.apply(D, 10, 0, [(F1, ADD, [C]), (NONE, REMOVE, [C]), (F2, ADD, [A]), (F2, ADD, [X])])
    assert times.active(D, 10, 0) == ("sale",)
    times.apply(D, 11, 0, [(NONE, REMOVE, [A]), (F1, ADD, [C])])
    assert times.active(D, 11, 0) == ("token",)


def test_cuts_come_in_any_order_and_more_than_once() -> None:
    times, again = timeline(), timeline()
    cuts = [(10, 0, [(F1, ADD, [A, B])]), (20, 3, [(NONE, REMOVE, [A, B])]), (20, 7, [(F2, ADD, [C])])]
    for block, log_index, cut in cuts:
        times.apply(D, block, log_index, cut)
    for block, log_index, cut in [*reversed(cuts), *cuts]:
        again.apply(D, block, log_index, cut)
    for block, log_index in [(9, 0), (10, 0), (20, 2), (20, 3), (20, 6), (20, 7), (99, 0)]:
        assert times.active(D, block, log_index) == again.active(D, block, log_index)


def test_a_place_that_was_told_keeps_what_was_told_first() -> None:
    times = timeline()
    times.apply(D, 10, 0, [(F1, ADD, [A, B])])
    times.apply(D, 10, 0, [(F1, ADD, [C])])
    assert times.active(D, 10, 0) == ("sale",)


def test_a_revert_forgets_the_cuts_above_a_block_and_lets_others_come() -> None:
    times = timeline()
    times.apply(D, 10, 0, [(F1, ADD, [A, B])])
    times.apply(D, 20, 0, [(F2, ADD, [C])])
    assert times.active(D, 20, 0) == ("sale", "token")
    times.revert(10)
    assert times.active(D, 20, 0) == ("sale",)
    times.apply(D, 20, 0, [(NONE, REMOVE, [A, B])])
    assert times.active(D, 20, 0) == ()
    times.revert(9)
    assert times.active(D, 99, 0) == ()


def test_a_seed_holds_before_the_first_log_of_its_block_and_survives_a_revert() -> None:
    times = timeline()
    times.seed(D, 10, {F1: frozenset({A, B}), F2: frozenset({C})})
    times.apply(D, 10, 0, [(NONE, REMOVE, [C])])
    assert times.active(D, 9, 500) == ()
    assert times.active(D, 10, 0) == ("sale",)
    times.revert(0)
    assert times.active(D, 10, 0) == ("sale", "token")


def test_facets_without_an_abi_are_told_while_they_are_active() -> None:
    times = timeline()
    times.apply(D, 10, 0, [(F1, ADD, [A]), (F2, ADD, [X])])
    times.apply(E, 10, 1, [(F3, ADD, [X, A, X])])
    assert times.unknown_facets() == ((D, F2),)
    times.apply(D, 11, 0, [(NONE, REMOVE, [X])])
    assert times.unknown_facets() == ()


def test_the_zero_address_and_unknown_actions() -> None:
    times = timeline()
    times.apply(D, 10, 0, [(NONE, ADD, [A, B]), (F2, 7, [C])])
    assert times.active(D, 10, 0) == ("token",)


def test_a_facet_is_the_abi_that_holds_most_of_its_selectors_and_half_of_them() -> None:
    matcher = FacetMatcher(
        {
            "wide": frozenset({A, B, C, X}),
            "small": frozenset({A, B}),
            "zoo": frozenset({A, B, b"1111"}),
            "ant": frozenset({C, b"1111", b"2222"}),
            "bee": frozenset({C, b"1111", b"3333"}),
        }
    )
    assert matcher.match([A, B, C]) == "wide"
    assert matcher.match([A, B]) == "small"
    assert matcher.match([A, b"yyyy"]) == "small"
    assert matcher.match([A, b"yyyy", b"zzzz"]) is None
    assert matcher.match([b"1111", b"yyyy"]) == "ant"
    assert matcher.match([A, A, A, b"yyyy", b"zzzz"]) is None
    assert matcher.match([b"yyyy"]) is None
    assert matcher.match([]) is None
