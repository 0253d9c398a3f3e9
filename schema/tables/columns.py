"""PostgreSQL column types that several tables share. Each call makes a new column, as SQLAlchemy needs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB
from sqlmodel import Field


def bigint(*, key: bool = False, optional: bool = False) -> Any:
    """A ``bigint``."""
    return Field(sa_column=Column(BigInteger, primary_key=key, nullable=optional))


def integer(*, key: bool = False, optional: bool = False) -> Any:
    """An ``integer``."""
    return Field(sa_column=Column(Integer, primary_key=key, nullable=optional))


def raw(*, key: bool = False, optional: bool = False) -> Any:
    """A ``bytea``: hashes, addresses, selectors, data."""
    return Field(sa_column=Column(LargeBinary, primary_key=key, nullable=optional))


def raw_array(*, optional: bool = False) -> Any:
    """A ``bytea[]``."""
    return Field(sa_column=Column(ARRAY(LargeBinary), nullable=optional))


def instant(*, optional: bool = False) -> Any:
    """A ``timestamptz``."""
    return Field(sa_column=Column(DateTime(timezone=True), nullable=optional))


def document(*, optional: bool = False) -> Any:
    """A ``jsonb``."""
    return Field(sa_column=Column(JSONB, nullable=optional))


def multirange() -> Any:
    """An ``int8multirange``."""
    return Field(sa_column=Column(INT8MULTIRANGE, nullable=False))


def texts(*, optional: bool = False) -> Any:
    """A ``text[]``."""
    return Field(sa_column=Column(ARRAY(Text), nullable=optional))
