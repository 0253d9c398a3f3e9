"""Schema ``state``: marketplaces, fees, what tokens say of themselves, treasuries, and who may do what."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Column, Numeric
from sqlmodel import Field, SQLModel

from indexer.schema.tables.columns import bigint, instant, integer, raw, raw_array
from indexer.schema.tables.state import numeric, smallint

_STATE = {"schema": "state"}


def numerics() -> Any:
    """A ``numeric[]``."""
    return Field(sa_column=Column(ARRAY(Numeric), nullable=False))


class Listing(SQLModel, table=True):
    """Listings of diamonds' marketplaces, one row for each Listings event; of one token at most the newest is open."""

    __tablename__ = "listing"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    token_id: Decimal = numeric(key=True)
    opened_block: int = bigint(key=True)
    opened_log_index: int = integer(key=True)
    seller: bytes | None = raw(optional=True)
    receiver: bytes | None = raw(optional=True)
    price: Decimal = numeric()
    payment_token: bytes | None = raw(optional=True)
    status: str
    escrowed: bool
    buyer: bytes | None = raw(optional=True)
    closed_block: int | None = bigint(optional=True)
    closed_log_index: int | None = integer(optional=True)
    updated_block: int = bigint()


class Sale(SQLModel, table=True):
    """Sales of diamonds' marketplaces, one row for each Sales event, with what the listing, the transfer and the payouts say."""

    __tablename__ = "sale"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    block_number: int = bigint(key=True)
    log_index: int = integer(key=True)
    block_time: datetime = instant()
    tx_hash: bytes = raw()
    diamond: bytes = raw()
    token_id: Decimal = numeric()
    buyer: bytes | None = raw(optional=True)
    seller: bytes | None = raw(optional=True)
    price: Decimal | None = numeric(optional=True)
    payment_token: bytes | None = raw(optional=True)
    fee_total: Decimal = numeric()
    seller_net: Decimal = numeric()
    listing_block: int | None = bigint(optional=True)
    listing_log_index: int | None = integer(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class SalePayout(SQLModel, table=True):
    """What marketplaces paid out for sales, one row for each PaymentDistributed event."""

    __tablename__ = "sale_payout"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    block_number: int = bigint(key=True)
    log_index: int = integer(key=True)
    block_time: datetime = instant()
    tx_hash: bytes = raw()
    diamond: bytes = raw()
    sale_log_index: int | None = integer(optional=True)
    receiver: bytes | None = raw(optional=True)
    token: bytes | None = raw(optional=True)
    amount: Decimal = numeric()
    kind: str | None = None
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class FeeReceiver(SQLModel, table=True):
    """Who gets which part of the fees of marketplaces and fee distributors."""

    __tablename__ = "fee_receiver"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    source: str = Field(primary_key=True)
    receiver: bytes = raw(key=True)
    position: int = integer()
    weight: Decimal = numeric()
    basis: Decimal | None = numeric(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class FeeDistribution(SQLModel, table=True):
    """What fee distributors paid out, one row for each AmountsDistributed event."""

    __tablename__ = "fee_distribution"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    block_number: int = bigint(key=True)
    log_index: int = integer(key=True)
    block_time: datetime = instant()
    tx_hash: bytes = raw()
    contract: bytes = raw()
    token: bytes | None = raw(optional=True)
    principal_receiver: bytes | None = raw(optional=True)
    principal_amount: Decimal = numeric()
    adjusted_receiver: bytes | None = raw(optional=True)
    adjusted_amount: Decimal = numeric()
    receivers: list[bytes] = raw_array()
    amounts: list[Decimal] = numerics()
    fee_total: Decimal = numeric()
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class Token(SQLModel, table=True):
    """Token contracts, from the first transfer that was seen on."""

    __tablename__ = "token"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    kind: str
    name: str | None = None
    symbol: str | None = None
    decimals: int | None = integer(optional=True)
    read_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class TokenUri(SQLModel, table=True):
    """Metadata URIs of ERC-1155 tokens as last said by URI events."""

    __tablename__ = "token_uri"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    token_id: Decimal = numeric(key=True)
    uri: str
    updated_block: int = bigint()


class MetadataRefresh(SQLModel, table=True):
    """Ranges of tokens whose metadata changed by ERC-4906: what was read of them before is out of date."""

    __tablename__ = "metadata_refresh"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    first_token_id: Decimal = numeric(key=True)
    last_token_id: Decimal = numeric(key=True)
    updated_block: int = bigint()


class TokenAttribute(SQLModel, table=True):
    """Attributes of Gemforce tokens as far as events carry them; those of token 0 are the metadata of the contract, too."""

    __tablename__ = "token_attribute"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    token_id: Decimal = numeric(key=True)
    key: str = Field(primary_key=True)
    attribute_type: int = smallint()
    value: str
    set_block: int = bigint()
    removed: bool
    removed_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class TreasuryBalance(SQLModel, table=True):
    """What treasuries hold for each token: deposits add, a withdrawal takes all of every token it lists."""

    __tablename__ = "treasury_balance"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    token_id: Decimal = numeric(key=True)
    balance: Decimal = numeric()
    total_deposited: Decimal = numeric()
    total_withdrawn: Decimal = numeric()
    last_withdrawal_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class SvgTemplate(SQLModel, table=True):
    """SVG templates by name, from SVGTemplateCreated."""

    __tablename__ = "svg_template"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    manager: bytes = raw(key=True)
    name: str = Field(primary_key=True)
    template: bytes | None = raw(optional=True)
    updated_block: int = bigint()


class Ownership(SQLModel, table=True):
    """Owners of contracts (EIP-173 and the two-step transfer)."""

    __tablename__ = "ownership"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    owner: bytes | None = raw(optional=True)
    pending_owner: bytes | None = raw(optional=True)
    owner_since_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class RoleMember(SQLModel, table=True):
    """Members of roles (AccessControl) of contracts; those that left stay as inactive."""

    __tablename__ = "role_member"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    role: bytes = raw(key=True)
    account: bytes = raw(key=True)
    active: bool
    granted_block: int | None = bigint(optional=True)
    granted_by: bytes | None = raw(optional=True)
    revoked_block: int | None = bigint(optional=True)
    revoked_by: bytes | None = raw(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class RoleAdmin(SQLModel, table=True):
    """Which role administers a role (AccessControl), where an event said so; else it is the default admin role."""

    __tablename__ = "role_admin"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    role: bytes = raw(key=True)
    admin_role: bytes = raw()
    updated_block: int = bigint()


class PauseFlag(SQLModel, table=True):
    """Whether contracts are paused (Pausable)."""

    __tablename__ = "pause_flag"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    paused: bool
    account: bytes | None = raw(optional=True)
    updated_block: int = bigint()
