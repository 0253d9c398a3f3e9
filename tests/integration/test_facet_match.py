"""Facets are matched to ABIs by one rule, in SQL and in Python."""

from __future__ import annotations

import random

import asyncpg

from indexer.decode.catalogue import load_catalogue
from indexer.decode.diamonds import FacetMatcher


async def test_sql_and_python_agree(connection: asyncpg.Connection) -> None:
    functions = {
        **load_catalogue(None, {}).functions,
        "aa": frozenset({b"0001", b"0002"}),
        "ab": frozenset({b"0001", b"0002"}),
        "a_longer": frozenset({b"0001", b"0002", b"0003"}),
    }
    rows = [(abi, selector) for abi, selectors in functions.items() for selector in selectors]
    await connection.executemany("INSERT INTO sync.abi_selector (abi, selector) VALUES ($1, $2)", rows)
    matcher = FacetMatcher(functions)
    dice = random.Random(2535)
    known = sorted({selector for _, selector in rows})
    facets = [list(selectors) for selectors in functions.values()]
    facets += [dice.sample(known, dice.randint(1, 6)) + [b"none"] * dice.randint(0, 2) for _ in range(150)]
    facets += [
        dice.sample(sorted(selectors), dice.randint(1, len(selectors)))
        + [b"none", b"nil!"][: dice.randint(0, 2)]
        for selectors in functions.values()
        for _ in range(5)
    ]
    found = set()
    for served in facets:
        from_sql = await connection.fetchval("SELECT sync.match_abi($1)", sorted(set(served)))
        assert from_sql == matcher.match(served), served
        found.add(from_sql)
    assert {"aa", "a_longer", "erc20", None} <= found
