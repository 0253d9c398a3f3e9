"""Which projections are folded together, and which are behind."""

from __future__ import annotations

from pathlib import Path

from indexer.projections.books import Standing
from indexer.projections.files import Projection, load_projections
from indexer.projections.lanes import lagging, units_of


def projection(name: str, *after: str) -> Projection:
    return Projection(name, Path(f"{name}.sql"), (f"state.{name}",), (), after, (), "")


def names(units):
    return sorted("".join(one.name for one in unit) for unit in units)


def test_what_runs_after_one_another_is_one_unit_in_the_order_it_runs_in():
    a, b, c, d = projection("a"), projection("b", "a"), projection("c"), projection("d", "b", "c")
    assert names(units_of([a, b, c, d])) == ["abcd"]
    assert names(units_of([a, b, c])) == ["ab", "c"]
    assert names(units_of([c, a, b, d])) == ["cabd"]
    assert names(units_of([a, projection("b", "a"), projection("c", "a")])) == ["abc"]


def test_each_projection_is_in_one_unit():
    known = load_projections()
    assert sorted(one.name for unit in units_of(known) for one in unit) == sorted(one.name for one in known)


def test_behind_are_those_of_the_current_version_below_the_end():
    known = [projection("a"), projection("b"), projection("c"), projection("d"), projection("e")]
    through = {"a": 4, "b": 9, "c": 4, "d": 2}
    standings = {
        name: Standing(name, "old" if name == "c" else "new", last, -1, stale=False, revision=0)
        for name, last in through.items()
    }
    versions = dict.fromkeys("abcde", "new")
    behind = [(first, [one.name for one in group]) for first, group in lagging(known, standings, versions, 9)]
    assert behind == [(3, ["d"]), (5, ["a"])]
