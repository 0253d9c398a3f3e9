"""Columns of event tables as Arrow arrays.

``bytea`` stays binary (addresses and hashes of fixed width where the table fixes it), times are microseconds UTC. A
``numeric`` becomes two columns: the value itself as 32 bytes, big-endian, two's complement (no integer of the EVM is
wider), and ``<name>_decimal``, a decimal(38, 0) that every engine can sum, NULL where 38 digits do not hold the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from indexer.errors import SchemaMismatch

WORD_BYTES = 32
_WORD_RANGE = 1 << 256
_DECIMAL_LIMIT = 10**38
_DECIMAL = pa.decimal128(38, 0)
_SIGNED = re.compile(r"\bof type int\d*\b")

PARTITION_COLUMN = "chain_id"
"""Is in the path of every file, as Hive has it, and so not in the file."""

_FIXED: Mapping[str, pa.DataType] = {
    "block_hash": pa.binary(32),
    "tx_hash": pa.binary(32),
    "address": pa.binary(20),
}

_PLAIN: Mapping[str, pa.DataType] = {
    "bytea": pa.binary(),
    "text": pa.string(),
    "jsonb": pa.string(),
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
}

Values = Sequence[Any]
_Encode = Callable[[Values], list[pa.Array]]


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column of a table: its name and type in PostgreSQL, and the Arrow fields it becomes (two for a ``numeric``)."""

    name: str
    sql_type: str
    fields: tuple[pa.Field, ...]
    encode: _Encode


def export_columns(rows: Sequence[Mapping[str, str]]) -> tuple[ExportColumn, ...]:
    """The columns of one table from rows of ``export_columns``, without ``chain_id``.

    Raises:
        SchemaMismatch: a column has a type that event tables do not have.
    """
    taken = {row["name"] for row in rows}
    return tuple(
        _column(row["name"], row["type"], row["comment"], taken)
        for row in rows
        if row["name"] != PARTITION_COLUMN
    )


def _column(name: str, sql_type: str, comment: str, taken: set[str]) -> ExportColumn:
    element = sql_type.removesuffix("[]")
    listed = sql_type.endswith("[]")
    if element == "numeric":
        beside = f"{name}_decimal"
        while beside in taken:
            beside += "_"
        taken.add(beside)
        word, decimal = pa.binary(WORD_BYTES), _DECIMAL
        note = {"encoding": "int256" if _SIGNED.search(comment) else "uint256"}
        kinds = (pa.list_(word), pa.list_(decimal)) if listed else (word, decimal)
        fields = (pa.field(name, kinds[0], metadata=note), pa.field(beside, kinds[1]))
        return ExportColumn(name, sql_type, fields, _numeric_lists if listed else _numerics)
    if element not in _PLAIN:
        raise SchemaMismatch(f"column {name} is {sql_type}, which no event table has")
    kind = _FIXED.get(name, _PLAIN[element]) if element == "bytea" and not listed else _PLAIN[element]
    arrow = pa.list_(kind) if listed else kind
    return ExportColumn(name, sql_type, (pa.field(name, arrow),), lambda values: [pa.array(values, arrow)])


def schema_of(columns: Sequence[ExportColumn]) -> pa.Schema:
    """The Arrow schema of a table's files."""
    return pa.schema([field for column in columns for field in column.fields])


def record_batch(columns: Sequence[ExportColumn], records: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """Rows as PostgreSQL gave them (``numeric`` as ``int``) in the order of ``columns``."""
    arrays: list[pa.Array] = []
    for place, column in enumerate(columns):
        arrays += column.encode([record[place] for record in records])
    return pa.RecordBatch.from_arrays(arrays, schema=schema_of(columns))


def words(values: Sequence[int | None]) -> pa.Array:
    """Integers as 32 bytes each, big-endian, two's complement; None is NULL."""
    data = b"".join(
        bytes(WORD_BYTES) if value is None else (value % _WORD_RANGE).to_bytes(WORD_BYTES, "big")
        for value in values
    )
    return _fixed_width(pa.binary(WORD_BYTES), data, [value is not None for value in values])


def decimals(values: Sequence[int | None]) -> pa.Array:
    """Integers as decimal(38, 0); NULL where there is none or 38 digits do not hold it."""
    held = [value is not None and -_DECIMAL_LIMIT < value < _DECIMAL_LIMIT for value in values]
    data = b"".join(
        value.to_bytes(16, "little", signed=True) if fits and value is not None else bytes(16)
        for value, fits in zip(values, held, strict=True)
    )
    return _fixed_width(_DECIMAL, data, held)


def _fixed_width(kind: pa.DataType, data: bytes, held: Sequence[bool]) -> pa.Array:
    valid = np.packbits(np.array(held, np.bool_), bitorder="little").tobytes()
    return pa.Array.from_buffers(kind, len(held), [pa.py_buffer(valid), pa.py_buffer(data)])


def _numerics(values: Values) -> list[pa.Array]:
    return [words(values), decimals(values)]


def _numeric_lists(values: Values) -> list[pa.Array]:
    flat = [one for value in values if value is not None for one in value]
    ends = np.cumsum([0, *(0 if value is None else len(value) for value in values)])
    offsets = pa.array(
        ends, pa.int32(), mask=np.array([*(value is None for value in values), False], np.bool_)
    )
    return [pa.ListArray.from_arrays(offsets, made) for made in (words(flat), decimals(flat))]
