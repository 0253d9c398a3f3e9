"""Schema ``state``: carbon credits and multi-token sales."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlmodel import SQLModel

from indexer.schema.tables.columns import bigint, instant, integer, raw
from indexer.schema.tables.state import numbers, numeric

_STATE = {"schema": "state"}


class CarbonCredit(SQLModel, table=True):
    """Carbon credits of tokens: what was initialised, what was retired, what remains."""

    __tablename__ = "carbon_credit"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    token_id: Decimal = numeric(key=True)
    initial_balance: Decimal | None = numeric(optional=True)
    total_initialized: Decimal = numeric()
    total_retired: Decimal = numeric()
    remaining: Decimal = numeric()
    status: str
    owner: bytes | None = raw(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class CarbonRetirement(SQLModel, table=True):
    """The ledger of retired carbon credits: one row for each CarbonCreditsRetired."""

    __tablename__ = "carbon_retirement"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    block_number: int = bigint(key=True)
    log_index: int = integer(key=True)
    contract: bytes = raw()
    token_id: Decimal = numeric()
    amount: Decimal = numeric()
    remaining_after: Decimal = numeric()
    retired_by: bytes | None = raw(optional=True)
    tx_hash: bytes = raw()
    block_time: datetime = instant()
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class MultiSale(SQLModel, table=True):
    """Multi-token sales with all their settings, as last created or updated; opening and closing show in no other event."""

    __tablename__ = "multi_sale"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    sale_id: Decimal = numeric(key=True)
    token_type: int | None = integer(optional=True)
    token: bytes | None = raw(optional=True)
    token_hash: Decimal | None = numeric(optional=True)
    whitelist_hash: Decimal | None = numeric(optional=True)
    whitelist_only: bool | None = None
    payment_method: int | None = integer(optional=True)
    payment_token: bytes | None = raw(optional=True)
    owner: bytes | None = raw(optional=True)
    payee: bytes | None = raw(optional=True)
    symbol: str | None = None
    name: str | None = None
    description: str | None = None
    open_state: bool | None = None
    start_time: Decimal | None = numeric(optional=True)
    end_time: Decimal | None = numeric(optional=True)
    max_quantity: Decimal | None = numeric(optional=True)
    max_quantity_per_sale: Decimal | None = numeric(optional=True)
    min_quantity_per_sale: Decimal | None = numeric(optional=True)
    max_quantity_per_account: Decimal | None = numeric(optional=True)
    payment_type: int | None = integer(optional=True)
    token_address: bytes | None = raw(optional=True)
    next_sale_id: Decimal | None = numeric(optional=True)
    price: Decimal | None = numeric(optional=True)
    price_modifier: int | None = integer(optional=True)
    price_modifier_factor: Decimal | None = numeric(optional=True)
    max_price: Decimal | None = numeric(optional=True)
    created_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class MultiSalePurchase(SQLModel, table=True):
    """The ledger of multi-token sales: one row for each MultiSaleSold."""

    __tablename__ = "multi_sale_purchase"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    block_number: int = bigint(key=True)
    log_index: int = integer(key=True)
    diamond: bytes = raw()
    sale_id: Decimal = numeric()
    purchaser_or_receiver: bytes | None = raw(optional=True)
    token_ids: list[Decimal] = numbers()
    quantity: Decimal | None = numeric(optional=True)
    paid: Decimal | None = numeric(optional=True)
    payment_token: bytes | None = raw(optional=True)
    tx_hash: bytes = raw()
    block_time: datetime = instant()
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()
