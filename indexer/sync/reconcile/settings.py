"""Settings that contracts change without an event: reads like those of ``reads``, of diamonds, factories and sales.

The functions are those that domain.md names. Where a contract answers in another form than the one known here, nothing is
stored of that answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from indexer.decode.privacy import Privacy
from indexer.decode.text import text_of_bytes
from indexer.sync.reconcile import answers
from indexer.sync.reconcile.calls import question
from indexer.sync.reconcile.read import Answers, Read, Row

LONGEST_SYMBOL = 200
"""Bytes of a symbol; longer ones are no symbols, and an index has no room for much longer ones."""

MOST_SYMBOLS = 1000


def _diamond(row: Row, told: Answers, _privacy: Privacy) -> Iterable[tuple[object, ...]]:
    fees = answers.single("(address,uint256)[]", told[1])
    if told[0] or fees is not None:
        receivers, shares = ([], []) if not fees else zip(*fees, strict=True)
        both = (None, None) if fees is None else (list(receivers), list(shares))
        yield (row[0], answers.address(told[0]), *both)


def _collateral(row: Row, told: Answers, _privacy: Privacy) -> Iterable[tuple[object, ...]]:
    restricted = answers.single("bool", told[0])
    if restricted is not None:
        yield (row[0], restricted)


def _factory(row: Row, told: Answers, _privacy: Privacy) -> Iterable[tuple[object, ...]]:
    found = answers.single("bytes[]", told[0])
    if found is not None:
        symbols = {text_of_bytes(one) for one in found if 0 < len(one) <= LONGEST_SYMBOL}
        yield (row[0], sorted(symbols)[:MOST_SYMBOLS])


def _facet_set(row: Row, told: Answers, _privacy: Privacy) -> Iterable[tuple[object, ...]]:
    known, facets = answers.single("bool", told[0]), answers.single("(address,uint8,bytes4[])[]", told[1])
    if known is not None or facets is not None:
        addresses = None if facets is None else [facet for facet, _, _ in facets]
        counts = None if facets is None else [len(selectors) for _, _, selectors in facets]
        yield (*row, known, addresses, counts)


def _sale(row: Row, told: Answers, _privacy: Privacy) -> Iterable[tuple[object, ...]]:
    settings = answers.sale(told[0])
    if settings is not None:
        yield (*row, settings.is_open, *settings.price)


def _treasury(row: Row, told: Answers, _privacy: Privacy) -> Iterable[tuple[object, ...]]:
    if answers.single("address", told[0]) is not None:
        yield (row[0], answers.address(told[0]))


SETTINGS: tuple[Read, ...] = (
    Read(
        "diamond",
        "state.diamond",
        ("diamond",),
        "state.silent_diamond",
        ("diamond",),
        ("diamond", "delegated_minter", "fee_receivers", "fee_shares"),
        lambda row: [question(row[0], one) for one in ("delegatedMinter()", "getMarketplaceFeeReceivers()")],
        _diamond,
    ),
    Read(
        "collateral_token",
        "state.collateral_token",
        ("token",),
        "state.silent_collateral_token",
        ("token",),
        ("token", "restrictions_enabled"),
        lambda row: [question(row[0], "restrictionsEnabled()")],
        _collateral,
    ),
    Read(
        "factory",
        "(SELECT chain_id, factory, max(updated_block) AS updated_block FROM state.diamond WHERE factory IS NOT NULL"
        " GROUP BY chain_id, factory)",
        ("factory",),
        "state.silent_factory",
        ("factory",),
        ("factory", "symbols"),
        lambda row: [question(row[0], "symbols()")],
        _factory,
    ),
    Read(
        "facet_set",
        "(SELECT chain_id, factory, symbol, read_block AS updated_block FROM state.silent_factory, unnest(symbols) AS symbol)",
        ("factory", "symbol"),
        "state.silent_facet_set",
        ("factory", "symbol"),
        ("factory", "symbol", "known", "facets", "selectors"),
        lambda row: [question(row[0], one, row[1]) for one in ("exists(string)", "getFacets(string)")],
        _facet_set,
    ),
    Read(
        "multi_sale",
        "state.multi_sale",
        ("diamond", "sale_id"),
        "state.silent_multi_sale",
        ("diamond", "sale_id"),
        ("diamond", "sale_id", "open_state", "price", "price_modifier", "price_modifier_factor", "max_price"),
        lambda row: [question(row[0], "getTokenSaleSettings(uint256)", row[1])],
        _sale,
    ),
    Read(
        "treasury",
        "(SELECT chain_id, contract, max(updated_block) AS updated_block FROM state.treasury_balance"
        " GROUP BY chain_id, contract)",
        ("contract",),
        "state.silent_treasury",
        ("contract",),
        ("contract", "payment_token"),
        lambda row: [question(row[0], "getPaymentToken()")],
        _treasury,
    ),
)  # fmt: skip
"""All of it."""
