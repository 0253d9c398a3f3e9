"""What the state of the marketplace, attributes, fee receivers and owners claims, and what the contracts say of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from indexer.demo.state_checks import Aspect, ContractView, Key, address_of

_CLOSED = (None, None, None, None)
_UNSET = (None, None)


def _listed(view: ContractView) -> set[Key]:
    return {(diamond, said[1]) for diamond, said in view.expected.arguments("marketplace_listings")}


def _attributes(view: ContractView) -> set[Key]:
    found: set[Key] = set()
    for diamond, (token, _, attributes) in view.expected.arguments("minter_gemforce_minted"):
        found |= {(diamond, token, one["key"]) for one in attributes}
    for diamond, (token, key, _) in view.expected.arguments("metadata_token_metadata_set"):
        found.add((diamond, token, key))
    for diamond, (_, value) in view.expected.arguments("metadata_contract_metadata_set"):
        found.add((diamond, 0, value["key"]))
    return found


def _owned(view: ContractView) -> set[Key]:
    return {(contract,) for contract, _ in view.expected.arguments("ownable_ownership_transferred")}


def _distributors(view: ContractView) -> set[Key]:
    return {(contract,) for contract, _ in view.expected.arguments("fee_distributor_fee_receivers_set")}


def _marketplaces(view: ContractView) -> set[Key]:
    return {(contract,) for contract, _ in view.expected.arguments("marketplace_initialized")}


async def _open_listing(view: ContractView, diamond: bytes, token: int) -> tuple[Any, ...]:
    """Seller, receiver, price and payment token of the token's open listing; nothing when it is not for sale."""
    told = await view.ask(diamond, "MarketplaceFacet", "fetchItem", token)
    seller, receiver, price, payment_token, _, is_open = told
    return (
        (address_of(seller), address_of(receiver), price, address_of(payment_token)) if is_open else _CLOSED
    )


async def _attribute(view: ContractView, diamond: bytes, token: int, key: str) -> tuple[Any, ...]:
    """Type and value of an attribute; nothing when it was deleted."""
    stored, kind, value = await view.ask(diamond, "MetadataFacet", "getTokenMetadata", token, key)
    return (kind, value) if stored else _UNSET


async def _receivers(view: ContractView, contract: bytes) -> tuple[Any, ...]:
    """The receivers in order of their addresses, and their weights."""
    weights: Counter[bytes] = Counter()
    for receiver, weight in zip(*await view.ask(contract, "FeeFacet", "getFeeReceivers"), strict=True):
        weights[bytes.fromhex(receiver[2:])] += weight
    return (sorted(weights), [weights[one] for one in sorted(weights)])


async def _marketplace(view: ContractView, contract: bytes) -> tuple[Any, ...]:
    """The marketplace's receivers in order of their addresses, and their shares."""
    told = dict(await view.ask(contract, "MarketplaceFacet", "getMarketplaceFeeReceivers"))
    shares = {bytes.fromhex(receiver[2:]): share for receiver, share in told.items()}
    return (sorted(shares), [shares[one] for one in sorted(shares)])


async def _owner(view: ContractView, contract: bytes) -> tuple[Any, ...]:
    return (address_of(await view.ask(contract, "GemforceDiamond", "owner")),)


MARKET_ASPECTS: tuple[Aspect, ...] = (
    Aspect(
        "state.listing",
        "SELECT diamond, token_id, seller, receiver, price, payment_token FROM state.listing "
        "WHERE chain_id = $1 AND status = 'open'",
        2,
        _listed,
        _open_listing,
        absent=_CLOSED,
    ),
    Aspect(
        "state.token_attribute",
        "SELECT contract, token_id, key, attribute_type, value FROM state.token_attribute "
        "WHERE chain_id = $1 AND NOT removed",
        3,
        _attributes,
        _attribute,
        absent=_UNSET,
    ),
    Aspect(
        "state.fee_receiver",
        "SELECT contract, array_agg(receiver ORDER BY receiver), array_agg(weight ORDER BY receiver) "
        "FROM state.fee_receiver WHERE chain_id = $1 AND source = 'distributor' GROUP BY contract",
        1,
        _distributors,
        _receivers,
    ),
    Aspect(
        "state.fee_receiver (marketplace)",
        "SELECT contract, array_agg(receiver ORDER BY receiver), array_agg(weight ORDER BY receiver) "
        "FROM state.fee_receiver WHERE chain_id = $1 AND source = 'marketplace' GROUP BY contract",
        1,
        _marketplaces,
        _marketplace,
    ),
    Aspect(
        "state.ownership",
        "SELECT contract, owner FROM state.ownership WHERE chain_id = $1",
        1,
        _owned,
        _owner,
    ),
)
"""What the contracts can confirm of these tables."""
