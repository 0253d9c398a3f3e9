"""Every example query gives rows of the small history."""

from __future__ import annotations

import pytest

from indexer.store.dictionary import Example, read_examples

EXAMPLES = read_examples()


def test_there_are_fifteen_with_titles():
    assert len(EXAMPLES) == 15
    assert all(example.title.endswith("?") for example in EXAMPLES)
    assert [example.path.stem[:2] for example in EXAMPLES] == [f"{number:02d}" for number in range(1, 16)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.path.stem)
async def test_an_example_gives_rows(world, example: Example):
    rows = await world.fetch(example.sql)
    assert rows
    for row in rows:
        assert any(value is not None for value in row.values())
