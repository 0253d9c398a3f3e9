"""Schema ``state``: trade deals and their collateral."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlmodel import SQLModel

from indexer.schema.tables.columns import bigint, instant, integer, raw
from indexer.schema.tables.state import numeric

_STATE = {"schema": "state"}


class TradeDeal(SQLModel, table=True):
    """Trade deals of diamonds: their terms, and where they stand as far as events tell."""

    __tablename__ = "trade_deal"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    deal_id: Decimal = numeric(key=True)
    name: str | None = None
    symbol: str | None = None
    interest_rate_bps: Decimal | None = numeric(optional=True)
    ratio: Decimal | None = numeric(optional=True)
    active: bool | None = None
    operation_mode: int | None = integer(optional=True)
    collateral_address: bytes | None = raw(optional=True)
    interest_address: bytes | None = raw(optional=True)
    usdc_address: bytes | None = raw(optional=True)
    status: str
    funded_at: datetime | None = instant(optional=True)
    funded_block: int | None = bigint(optional=True)
    target: Decimal | None = numeric(optional=True)
    usdc_balance: Decimal = numeric()
    total_debt: Decimal | None = numeric(optional=True)
    repaid_amount: Decimal = numeric()
    created_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class TradeDealParticipant(SQLModel, table=True):
    """Accounts that were added to a trade deal, or that deposited without being in it; who takes part by claims is not here."""

    __tablename__ = "trade_deal_participant"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    deal_id: Decimal = numeric(key=True)
    account: bytes = raw(key=True)
    source: str | None = None
    active: bool
    added_block: int | None = bigint(optional=True)
    removed_block: int | None = bigint(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class TradeDealInvoice(SQLModel, table=True):
    """Invoices (tokens of the diamond itself) that were deposited to trade deals."""

    __tablename__ = "trade_deal_invoice"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    deal_id: Decimal = numeric(key=True)
    token_id: Decimal = numeric(key=True)
    depositor: bytes | None = raw(optional=True)
    amount: Decimal | None = numeric(optional=True)
    active: bool
    deposited_block: int | None = bigint(optional=True)
    withdrawn_block: int | None = bigint(optional=True)
    withdrawn_to: bytes | None = raw(optional=True)
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class TradeDealInvoiceMove(SQLModel, table=True):
    """Every deposit and withdrawal of an invoice, with the amount that moved the target of its trade deal."""

    __tablename__ = "trade_deal_invoice_move"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    block_number: int = bigint(key=True)
    log_index: int = integer(key=True)
    diamond: bytes = raw()
    deal_id: Decimal = numeric()
    token_id: Decimal = numeric()
    deposited: bool
    amount: Decimal | None = numeric(optional=True)
    party: bytes | None = raw(optional=True)
    tx_hash: bytes = raw()
    block_time: datetime = instant()
    updated_block: int = bigint()


class TradeDealInvoiceValue(SQLModel, table=True):
    """Tokens whose attributes say an invoice amount, as last told by events."""

    __tablename__ = "trade_deal_invoice_value"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    contract: bytes = raw(key=True)
    token_id: Decimal = numeric(key=True)
    total_amount: str | None = None
    amount: str | None = None
    updated_block: int = bigint()


class TradeDealCashflow(SQLModel, table=True):
    """The ledger of trade deals: one row for each log that moved money."""

    __tablename__ = "trade_deal_cashflow"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    block_number: int = bigint(key=True)
    log_index: int = integer(key=True)
    diamond: bytes = raw()
    deal_id: Decimal = numeric()
    kind: str
    party: bytes | None = raw(optional=True)
    usdc_amount: Decimal | None = numeric(optional=True)
    net_amount: Decimal | None = numeric(optional=True)
    collateral_amount: Decimal | None = numeric(optional=True)
    fully_repaid: bool | None = None
    tx_hash: bytes = raw()
    block_time: datetime = instant()
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()


class TradeDealClaimTopic(SQLModel, table=True):
    """Claim topics that make an identity a participant of a trade deal, as last set."""

    __tablename__ = "trade_deal_claim_topic"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    diamond: bytes = raw(key=True)
    deal_id: Decimal = numeric(key=True)
    claim_topic: Decimal = numeric(key=True)
    updated_block: int = bigint()


class CollateralToken(SQLModel, table=True):
    """Collateral tokens that were made for trade deals."""

    __tablename__ = "collateral_token"
    __table_args__ = _STATE

    chain_id: int = bigint(key=True)
    token: bytes = raw(key=True)
    diamond: bytes | None = raw(optional=True)
    factory: bytes | None = raw(optional=True)
    deal_id: Decimal = numeric()
    name: str
    symbol: str
    created_block: int = bigint()
    inconsistent: bool
    inconsistency: str | None = None
    updated_block: int = bigint()
