"""Schema ``state``: identities and who vouches for them."""

from __future__ import annotations

from decimal import Decimal

from sqlmodel import Field, SQLModel

from indexer.schema.tables.columns import bigint, integer, raw
from indexer.schema.tables.state import numeric

_STATE = {"schema": "state"}


class IdentityContract(SQLModel, table=True):
    """Identity contracts as factories announced them; the first announcement of a contract holds."""

    __tablename__ = "identity_contract"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    identity: bytes = raw(key=True)
    factory: bytes = raw()
    owner: bytes | None = raw(optional=True)
    created_block: int = bigint()
    created_log_index: int = integer()
    updated_block: int = bigint()


class Identity(SQLModel, table=True):
    """Which identity contract a wallet has, by each factory or diamond that said so."""

    __tablename__ = "identity"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    wallet: bytes = raw(key=True)
    announcer: bytes = raw(key=True)
    identity: bytes | None = raw(optional=True)
    owner: bytes | None = raw(optional=True)
    factory_created_block: int | None = bigint(optional=True)
    registered: bool
    registered_by: bytes | None = raw(optional=True)
    registered_block: int | None = bigint(optional=True)
    removed_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class RegistryClaim(SQLModel, table=True):
    """Claims in the identity registries of diamonds; they belong to the identity contract and outlive the removal of its wallets."""

    __tablename__ = "registry_claim"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    identity: bytes = raw(key=True)
    claim_topic: Decimal = numeric(key=True)
    issuer: bytes | None = raw(optional=True)
    claim: bytes | None = raw(optional=True)
    added_block: int | None = bigint(optional=True)
    removed_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class IdentityClaim(SQLModel, table=True):
    """ERC-735 claims by the contract that holds them: identities, and diamonds with the token-claims facet."""

    __tablename__ = "identity_claim"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    identity: bytes = raw(key=True)
    claim_id: bytes = raw(key=True)
    topic: Decimal | None = numeric(optional=True)
    scheme: Decimal | None = numeric(optional=True)
    issuer: bytes | None = raw(optional=True)
    uri: str | None = None
    data_hash: bytes | None = raw(optional=True)
    active: bool
    added_block: int | None = bigint(optional=True)
    removed_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class IdentityKey(SQLModel, table=True):
    """ERC-734 keys of identities, one row for each purpose; removing a key ends all of its purposes."""

    __tablename__ = "identity_key"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    identity: bytes = raw(key=True)
    key: bytes = raw(key=True)
    purpose: Decimal = numeric(key=True)
    key_type: Decimal | None = numeric(optional=True)
    active: bool
    added_block: int | None = bigint(optional=True)
    removed_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class IdentityAttribute(SQLModel, table=True):
    """Attributes of identity contracts as last set."""

    __tablename__ = "identity_attribute"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    identity: bytes = raw(key=True)
    attribute_key: str = Field(primary_key=True)
    type: int = integer()
    value: str | None = None
    updated_block: int = bigint()


class IdentityExecution(SQLModel, table=True):
    """What identity contracts executed, and failed to."""

    __tablename__ = "identity_execution"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    block_number: int = bigint(key=True)
    log_index: int = integer(key=True)
    identity: bytes = raw()
    execution_id: Decimal = numeric()
    to_: bytes | None = raw(optional=True)
    value: Decimal = numeric()
    success: bool
    updated_block: int = bigint()


class ClaimTopic(SQLModel, table=True):
    """Claim topics that diamonds have registered; the deployed build removes them without an event."""

    __tablename__ = "claim_topic"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    claim_topic: Decimal = numeric(key=True)
    active: bool
    since: int | None = bigint(optional=True)
    removed_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class TrustedIssuer(SQLModel, table=True):
    """Issuers that diamonds trust."""

    __tablename__ = "trusted_issuer"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    issuer: bytes = raw(key=True)
    active: bool
    since: int | None = bigint(optional=True)
    removed_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class TrustedIssuerTopic(SQLModel, table=True):
    """Topics that trusted issuers may speak on, as last set for the issuer as a whole."""

    __tablename__ = "trusted_issuer_topic"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    issuer: bytes = raw(key=True)
    claim_topic: Decimal = numeric(key=True)
    active: bool
    since: int = bigint()
    removed_block: int | None = bigint(optional=True)
    updated_block: int = bigint()
