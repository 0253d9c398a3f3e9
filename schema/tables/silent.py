"""Tables of schema ``state`` that hold what only calls can tell, read at final blocks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Column, Integer, Numeric, Text
from sqlmodel import Field, SQLModel

from indexer.schema.tables.columns import bigint, integer, raw, raw_array
from indexer.schema.tables.state import numeric, smallint

_STATE = {"schema": "state"}


def numerics(*, optional: bool = False) -> Any:
    """A ``numeric[]``."""
    return Field(sa_column=Column(ARRAY(Numeric), nullable=optional))


class SilentToken(SQLModel, table=True):
    """What a token contract answers about itself."""

    __tablename__ = "silent_token"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    name: str | None = None
    symbol: str | None = None
    decimals: int | None = integer(optional=True)
    contract_uri: str | None = None
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentTokenUri(SQLModel, table=True):
    """A token's URI."""

    __tablename__ = "silent_token_uri"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    token_id: Decimal = numeric(key=True)
    uri: str | None = None
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentTokenAttribute(SQLModel, table=True):
    """An attribute of a token."""

    __tablename__ = "silent_token_attribute"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    token_id: Decimal = numeric(key=True)
    key: str = Field(primary_key=True)
    attribute_type: int = smallint()
    value: str | None = None
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentTradeDeal(SQLModel, table=True):
    """A trade deal as its diamond tells it."""

    __tablename__ = "silent_trade_deal"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    deal_id: Decimal = numeric(key=True)
    funding_target: Decimal | None = numeric(optional=True)
    current_balance: Decimal | None = numeric(optional=True)
    is_funded: bool | None = None
    is_funding_withdrawn: bool | None = None
    total_debt: Decimal | None = numeric(optional=True)
    repaid_amount: Decimal | None = numeric(optional=True)
    is_repaid: bool | None = None
    token_addresses: list[bytes] | None = raw_array(optional=True)
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentClaimTopics(SQLModel, table=True):
    """The claim topics of a diamond's registry."""

    __tablename__ = "silent_claim_topics"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    claim_topics: list[Decimal] = numerics()
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentIssuerTopics(SQLModel, table=True):
    """The claim topics of a trusted issuer."""

    __tablename__ = "silent_issuer_topics"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    issuer: bytes = raw(key=True)
    claim_topics: list[Decimal] = numerics()
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentDiamond(SQLModel, table=True):
    """What a diamond answers about itself."""

    __tablename__ = "silent_diamond"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    delegated_minter: bytes | None = raw(optional=True)
    fee_receivers: list[bytes] | None = raw_array(optional=True)
    fee_shares: list[Decimal] | None = numerics(optional=True)
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentCollateralToken(SQLModel, table=True):
    """Whether a collateral token is restricted."""

    __tablename__ = "silent_collateral_token"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    token: bytes = raw(key=True)
    restrictions_enabled: bool
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentFactory(SQLModel, table=True):
    """The symbols that a diamond factory knows."""

    __tablename__ = "silent_factory"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    factory: bytes = raw(key=True)
    symbols: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentFacetSet(SQLModel, table=True):
    """The facets of a symbol."""

    __tablename__ = "silent_facet_set"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    factory: bytes = raw(key=True)
    symbol: str = Field(primary_key=True)
    known: bool | None = None
    facets: list[bytes] | None = raw_array(optional=True)
    selectors: list[int] | None = Field(sa_column=Column(ARRAY(Integer), nullable=True))
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentMultiSale(SQLModel, table=True):
    """A multi-token sale as its diamond tells it."""

    __tablename__ = "silent_multi_sale"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    sale_id: Decimal = numeric(key=True)
    open_state: bool
    price: Decimal = numeric()
    price_modifier: int = integer()
    price_modifier_factor: Decimal = numeric()
    max_price: Decimal = numeric()
    read_block: int = bigint()
    updated_block: int = bigint()


class SilentTreasury(SQLModel, table=True):
    """In which token a treasury is paid."""

    __tablename__ = "silent_treasury"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    payment_token: bytes | None = raw(optional=True)
    read_block: int = bigint()
    updated_block: int = bigint()
