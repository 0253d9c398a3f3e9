"""What binary COPY asks of rows, whoever writes them: the frame, and which arrays fit which column."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from indexer.decode.tables import ColumnData, WordLists, Words
from indexer.errors import InvariantViolated
from indexer.store.copy_values import field_encoder

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
CHUNK_BYTES = 1 << 20
"""About how large the pieces are that COPY is given."""

_ARRAY_TYPES: dict[str, np.dtype[Any]] = {
    "bytea": np.dtype(np.uint8),
    "bigint": np.dtype(np.int64),
    "boolean": np.dtype(np.bool_),
    "integer": np.dtype(np.int32),
    "timestamptz": np.dtype(np.int64),
}
"""What an array's values are, by the type of their column."""


def check_column(name: str, sql_type: str, values: ColumnData, rows: int) -> None:
    """Raise ``InvariantViolated`` unless there is a value for each of ``rows`` rows, and an array fits the type."""
    if values is None:
        return
    if len(values) != rows:
        raise InvariantViolated(f"column {name} has {len(values)} values for {rows} rows")
    if isinstance(values, np.ndarray) and values.dtype != _ARRAY_TYPES.get(sql_type):
        raise InvariantViolated(f"column {name} of type {sql_type} has values of type {values.dtype}")
    if isinstance(values, Words | WordLists):
        wanted = "numeric" if isinstance(values, Words) else "numeric[]"
        if sql_type != wanted:
            raise InvariantViolated(f"column {name} of type {sql_type} has wide integers")


def encode_list(name: str, sql_type: str, values: list[object]) -> list[bytes]:
    """A field for each value. Raises ``InvariantViolated`` for one that does not fit the column's type."""
    encode = field_encoder(sql_type)
    try:
        return [encode(value) for value in values]
    except (struct.error, TypeError, ValueError, AttributeError) as error:
        raise InvariantViolated(f"a value does not fit column {name} of type {sql_type}: {error}") from error
