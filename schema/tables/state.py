"""Schema ``state``: what holds now."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Column, Numeric, SmallInteger
from sqlmodel import Field, SQLModel

from indexer.schema.tables.columns import bigint, integer, raw, raw_array

_STATE = {"schema": "state"}


def numeric(*, key: bool = False, optional: bool = False) -> Any:
    """A ``numeric`` of any size: amounts and token ids up to 256 bits."""
    return Field(sa_column=Column(Numeric, primary_key=key, nullable=optional))


def numbers() -> Any:
    """A ``numeric[]``."""
    return Field(sa_column=Column(ARRAY(Numeric), nullable=False))


def smallint() -> Any:
    """A ``smallint``."""
    return Field(sa_column=Column(SmallInteger, nullable=False))


class Erc20Balance(SQLModel, table=True):
    """What an account holds of an ERC-20 token."""

    __tablename__ = "erc20_balance"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    token: bytes = raw(key=True)
    holder: bytes = raw(key=True)
    balance: Decimal = numeric()
    updated_block: int = bigint()


class Erc20Supply(SQLModel, table=True):
    """What there is of an ERC-20 token."""

    __tablename__ = "erc20_supply"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    token: bytes = raw(key=True)
    supply: Decimal = numeric()
    updated_block: int = bigint()


class Erc20Allowance(SQLModel, table=True):
    """What a spender may take at most of an owner's ERC-20 tokens."""

    __tablename__ = "erc20_allowance"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    token: bytes = raw(key=True)
    owner: bytes = raw(key=True)
    spender: bytes = raw(key=True)
    allowance: Decimal = numeric()
    updated_block: int = bigint()


class Nft(SQLModel, table=True):
    """A token of an ERC-721 contract."""

    __tablename__ = "nft"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    token_id: Decimal = numeric(key=True)
    owner: bytes | None = raw(optional=True)
    approved: bytes | None = raw(optional=True)
    minter: bytes | None = raw(optional=True)
    minted_block: int | None = bigint(optional=True)
    burned: bool
    last_transfer_block: int = bigint()
    updated_block: int = bigint()
    inconsistent: bool
    inconsistency: str | None = None


class NftUnexpanded(SQLModel, table=True):
    """The part of an ERC-2309 range that has no rows in ``state.nft``."""

    __tablename__ = "nft_unexpanded"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    block_number: int = bigint(key=True)
    log_index: int = integer(key=True)
    first_token_id: Decimal = numeric()
    last_token_id: Decimal = numeric()
    owner: bytes | None = raw(optional=True)
    updated_block: int = bigint()


class NftOperator(SQLModel, table=True):
    """Whether an operator may move an owner's tokens."""

    __tablename__ = "nft_operator"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    owner: bytes = raw(key=True)
    operator: bytes = raw(key=True)
    approved: bool
    updated_block: int = bigint()


class Erc1155Balance(SQLModel, table=True):
    """What an account holds of an ERC-1155 token."""

    __tablename__ = "erc1155_balance"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    token_id: Decimal = numeric(key=True)
    holder: bytes = raw(key=True)
    balance: Decimal = numeric()
    updated_block: int = bigint()


class Diamond(SQLModel, table=True):
    """A diamond (EIP-2535)."""

    __tablename__ = "diamond"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    factory: bytes | None = raw(optional=True)
    owner: bytes | None = raw(optional=True)
    name: str | None = None
    symbol: str | None = None
    created_block: int | None = bigint(optional=True)
    upgrade_pending_until: Decimal | None = numeric(optional=True)
    last_cut_block: int | None = bigint(optional=True)
    updated_block: int = bigint()


class DiamondSelector(SQLModel, table=True):
    """Which facet served a selector from which log to which log."""

    __tablename__ = "diamond_selector"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    selector: bytes = raw(key=True)
    added_block: int = bigint(key=True)
    added_log_index: int = integer(key=True)
    facet: bytes = raw()
    abi: str | None = None
    removed_block: int | None = bigint(optional=True)
    removed_log_index: int | None = integer(optional=True)
    updated_block: int = bigint()


class DiamondCut(SQLModel, table=True):
    """One change of a DiamondCut event."""

    __tablename__ = "diamond_cut"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    block_number: int = bigint(key=True)
    log_index: int = integer(key=True)
    position: int = integer(key=True)
    diamond: bytes = raw()
    action: int = smallint()
    facet: bytes | None = raw(optional=True)
    selectors: list[bytes] = raw_array()
    init: bytes | None = raw(optional=True)
    calldata_hash: bytes = raw()
    updated_block: int = bigint()
