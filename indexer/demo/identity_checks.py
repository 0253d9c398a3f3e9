"""What the state of identities, claims, keys, topics and issuers claims, and what the contracts say of it."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from indexer.demo.state_checks import Aspect, ContractView, Key, address_of

_NO_CLAIM = (None, None, None, None, None, False)


def _wallets(view: ContractView) -> set[Key]:
    created = view.expected.arguments("identity_factory_identity_created")
    added = view.expected.arguments("identity_registry_identity_added")
    return {(said[0], at) for at, said in created} | {(said[1], at) for at, said in added}


def _registry_claims(view: ContractView) -> set[Key]:
    told = view.expected.arguments("identity_registry_claim_added")
    return {(at, said[1], said[2]) for at, said in told}


def _claims(view: ContractView) -> set[Key]:
    return {(at, said[0]) for at, said in view.expected.arguments("erc735_claim_added")}


def _held_keys(view: ContractView) -> set[Key]:
    return {(at, said[0], said[1]) for at, said in view.expected.arguments("erc734_key_added")}


def _attributes(view: ContractView) -> set[Key]:
    return {(at, said[0]) for at, said in view.expected.arguments("identity_attribute_set")}


def _topic_keepers(view: ContractView) -> set[Key]:
    return {(at,) for at, _ in view.expected.arguments("claim_topic_added")}


def _issuers(view: ContractView) -> set[Key]:
    return {(at, said[0]) for at, said in view.expected.arguments("trusted_issuer_added")}


def _collateral(view: ContractView) -> set[Key]:
    return {(said[1],) for _, said in view.expected.arguments("collateral_token_created")}


async def _identity(view: ContractView, wallet: bytes, announcer: bytes) -> tuple[Any, ...]:
    """The wallet's identity, as whoever announced it says."""
    return (address_of(await view.ask(announcer, "IdentityFactory", "getIdentity", wallet)),)


async def _registry_claim(view: ContractView, diamond: bytes, identity: bytes, topic: int) -> tuple[Any, ...]:
    return (await view.ask(diamond, "IdentityRegistryFacet", "hasClaim", identity, topic),)


async def _claim(view: ContractView, identity: bytes, claim_id: bytes) -> tuple[Any, ...]:
    topic, scheme, issuer, _, data, uri = await view.ask(identity, "Identity", "getClaim", claim_id)
    if address_of(issuer) is None:
        return _NO_CLAIM
    return (topic, scheme, address_of(issuer), uri, keccak(data), True)


async def _key(view: ContractView, identity: bytes, key: bytes, purpose: int) -> tuple[Any, ...]:
    return (await view.ask(identity, "Identity", "keyHasPurpose", key, purpose),)


async def _attribute(view: ContractView, identity: bytes, key: str) -> tuple[Any, ...]:
    return (await view.ask(identity, "Identity", "getAttribute", key),)


async def _topics(view: ContractView, diamond: bytes) -> tuple[Any, ...]:
    return (sorted(await view.ask(diamond, "IdentityRegistryFacet", "getClaimTopics")),)


async def _issuer(view: ContractView, diamond: bytes, issuer: bytes) -> tuple[Any, ...]:
    return (await view.ask(diamond, "IdentityRegistryFacet", "isTrustedIssuer", issuer),)


async def _issuer_topics(view: ContractView, diamond: bytes, issuer: bytes) -> tuple[Any, ...]:
    told = await view.ask(diamond, "IdentityRegistryFacet", "getTrustedIssuerClaimTopics", issuer)
    return (sorted(set(told)),)


async def _collateral_token(view: ContractView, token: bytes) -> tuple[Any, ...]:
    """Name, symbol and the diamond that may mint."""
    asked = [await view.ask(token, "CollateralToken", one) for one in ("name", "symbol", "diamond")]
    return (asked[0], asked[1], address_of(asked[2]))


IDENTITY_ASPECTS: tuple[Aspect, ...] = (
    Aspect(
        "state.identity",
        "SELECT wallet, announcer, CASE WHEN removed_block IS NULL THEN identity END FROM state.identity "
        "WHERE chain_id = $1",
        2,
        _wallets,
        _identity,
    ),
    Aspect(
        "state.registry_claim",
        "SELECT diamond, identity, claim_topic, removed_block IS NULL FROM state.registry_claim WHERE chain_id = $1",
        3,
        _registry_claims,
        _registry_claim,
    ),
    Aspect(
        "state.identity_claim",
        "SELECT identity, claim_id, CASE WHEN active THEN topic END, CASE WHEN active THEN scheme END, "
        "CASE WHEN active THEN issuer END, CASE WHEN active THEN uri END, CASE WHEN active THEN data_hash END, active "
        "FROM state.identity_claim WHERE chain_id = $1",
        2,
        _claims,
        _claim,
    ),
    Aspect(
        "state.identity_key",
        "SELECT identity, key, purpose, active FROM state.identity_key WHERE chain_id = $1",
        3,
        _held_keys,
        _key,
    ),
    Aspect(
        "state.identity_attribute",
        "SELECT identity, attribute_key, value FROM state.identity_attribute WHERE chain_id = $1",
        2,
        _attributes,
        _attribute,
    ),
    Aspect(
        "state.claim_topic",
        "SELECT diamond, coalesce(array_agg(claim_topic ORDER BY claim_topic) FILTER (WHERE active), '{}') "
        "FROM state.claim_topic WHERE chain_id = $1 GROUP BY diamond",
        1,
        _topic_keepers,
        _topics,
    ),
    Aspect(
        "state.trusted_issuer",
        "SELECT diamond, issuer, active FROM state.trusted_issuer WHERE chain_id = $1",
        2,
        _issuers,
        _issuer,
    ),
    Aspect(
        "state.trusted_issuer_topic",
        "SELECT diamond, issuer, coalesce(array_agg(claim_topic ORDER BY claim_topic) FILTER (WHERE active), '{}') "
        "FROM state.trusted_issuer_topic WHERE chain_id = $1 GROUP BY diamond, issuer",
        2,
        _issuers,
        _issuer_topics,
        absent=([],),
    ),
    Aspect(
        "state.collateral_token",
        "SELECT token, name, symbol, diamond FROM state.collateral_token WHERE chain_id = $1",
        1,
        _collateral,
        _collateral_token,
    ),
)
"""What the contracts can confirm of these tables."""
