"""The 2048-bit log bloom of a header (Ethereum yellow paper, section 4.3.1): what a block can and cannot hold."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from eth_hash.auto import keccak

from indexer.chain.filters import LogFilter

BLOOM_BYTES = 256


@lru_cache(maxsize=65_536)
def bloom_bits(value: bytes) -> int:
    """The three bits that an address (20 bytes) or topic (32 bytes) sets, as an integer of 2048 bits."""
    digest = keccak(value)
    bits = 0
    for start in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") & 2047)
    return bits


def build_bloom(values: Iterable[bytes]) -> bytes:
    """The bloom (256 bytes, big-endian) of these addresses and topics."""
    bits = 0
    for value in values:
        bits |= bloom_bits(value)
    return bits.to_bytes(BLOOM_BYTES, "big")


def may_hold(bloom: bytes, value: bytes) -> bool:
    """False when no log of the block has this address or topic; True when one may have it."""
    bits = bloom_bits(value)
    return int.from_bytes(bloom, "big") & bits == bits


def may_match(bloom: bytes, wanted: LogFilter) -> bool:
    """False when no log of the block can match the filter; True when one may."""
    whole = int.from_bytes(bloom, "big")
    if wanted.empty or whole == 0:
        return False

    def any_set(values: frozenset[bytes] | None) -> bool:
        return values is None or any(whole & bloom_bits(value) == bloom_bits(value) for value in values)

    return any_set(wanted.addresses) and any_set(wanted.topics)
