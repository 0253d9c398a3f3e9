"""Which block counts as finalized."""

from __future__ import annotations

DEFAULT_CONFIRMATIONS = 64
"""Blocks on top of one that make it final where a chain knows neither ``finalized`` nor ``safe``."""


def finalized_by_depth(head: int, confirmations: int) -> int:
    """The newest block with ``confirmations`` blocks on top of it; -1 while the chain is shorter."""
    return max(head - confirmations, -1)


def advance_finality(known: int | None, reported: int | None) -> int | None:
    """Finality never decreases, whatever a node says."""
    if reported is None or reported < 0:
        return known
    return reported if known is None else max(known, reported)
