"""SQL of the views over all event tables: the feed, the times of blocks, and one class for each event name.

The text follows from the event tables alone, so the same database gives the same text, whatever the configuration.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import asyncpg

from indexer.decode.tables import LEADING_COLUMNS
from indexer.store.identifiers import MAX_IDENTIFIER_BYTES, quote_identifier, quote_literal
from indexer.store.queries import sql

EVENT_VIEWS = "50_events"
"""Where the generated text stands among the files."""

_LEADING = {name for name, _ in LEADING_COLUMNS}
_ARGUMENT = re.compile(r"^Argument \d+ \(([A-Za-z_$][A-Za-z0-9_$]*)\)")
_NUMBERS = ("smallint", "integer", "bigint", "numeric")
_PAIRS = 40
"""Arguments of one jsonb_build_object: a function takes a hundred."""

_CLASS_COLUMNS = (
    ("chainId", "chain_id", "EIP-155 chain id."),
    ("blockNumber", "block_number", "Number of the block the log is in."),
    ("blockHash", "analytics.hex(block_hash)", "Hash of that block."),
    ("blockTime", "block_time", "Timestamp of that block."),
    ("transactionHash", "analytics.hex(tx_hash)", "Hash of the transaction that emitted the log."),
    ("transactionIndex", "tx_index", "Place of the transaction in the block."),
    ("logIndex", "log_index", "Place of the log in the block."),
    ("address", "analytics.hex(address)", "Contract that emitted the log."),
)


@dataclass(frozen=True, slots=True)
class Argument:
    """A column of an event table after the leading ones; ``label`` is the argument's name in the ABI."""

    column: str
    sql_type: str
    label: str


@dataclass(frozen=True, slots=True)
class EventRelation:
    """One event table: its name, ABI stem, the event's signature, and its arguments in order."""

    table: str
    abi: str
    signature: str
    arguments: tuple[Argument, ...]

    @property
    def event(self) -> str:
        """The event's name."""
        return self.signature.partition("(")[0]


async def read_relations(connection: asyncpg.Connection) -> list[EventRelation]:
    """Every event table there is, by name."""
    arguments: defaultdict[str, list[Argument]] = defaultdict(list)
    for row in await connection.fetch(sql("event_arguments")):
        if row["name"] not in _LEADING:
            arguments[row["table_name"]].append(
                Argument(row["name"], row["type"], _label(row["name"], row["comment"]))
            )
    return [
        EventRelation(
            row["table_name"], row["abi"], row["signature"], _distinct(arguments[row["table_name"]])
        )
        for row in await connection.fetch(sql("event_tables_by_name"))
    ]


def _label(column: str, comment: str | None) -> str:
    """The name in the ABI as the column's comment has it, else the column's in camel case."""
    named = _ARGUMENT.match(comment or "")
    if named is not None and not column.endswith("_hash") and len(named[1]) < MAX_IDENTIFIER_BYTES:
        return named[1]
    first, *rest = column.strip("_").split("_")
    return first + "".join(part.capitalize() for part in rest)


def _distinct(arguments: Sequence[Argument]) -> tuple[Argument, ...]:
    """The same with every label once: one that comes again, which only odd ABIs have, gives way to the column's name."""
    seen: set[str] = set()
    labelled: list[Argument] = []
    for one in arguments:
        kept = one if one.label not in seen else replace(one, label=one.column)
        seen.add(kept.label)
        labelled.append(kept)
    return tuple(labelled)


def event_views_sql(relations: Sequence[EventRelation]) -> str:
    """The statements that make all these views, with comments."""
    by_event: defaultdict[str, list[EventRelation]] = defaultdict(list)
    for relation in relations:
        by_event[relation.event].append(relation)
    parts = [_activity(relations), _block_times(relations)]
    parts += [_class(event, same) for event, same in sorted(by_event.items())]
    return "\n\n".join(parts) + "\n"


def _activity(relations: Sequence[EventRelation]) -> str:
    empty = (
        "SELECT NULL::bigint AS chain_id, NULL::bigint AS block_number, NULL::integer AS log_index, "
        "NULL::timestamptz AS block_time, NULL::text AS tx_hash, NULL::text AS contract, NULL::text AS event, "
        "NULL::text AS signature, NULL::text AS abi, NULL::text AS table_name, NULL::jsonb AS args WHERE false"
    )
    branches = [
        "SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash) AS tx_hash, "
        f"analytics.hex(address) AS contract, {quote_literal(one.event)}::text AS event, "
        f"{quote_literal(one.signature)}::text AS signature, {quote_literal(one.abi)}::text AS abi, "
        f"{quote_literal('event.' + one.table)}::text AS table_name, {_args(one.arguments)} AS args "
        f"FROM event.{quote_identifier(one.table)}"
        for one in relations
    ]
    body = "\nUNION ALL ".join(branches or [empty])
    comments = {
        "contract": "Contract that emitted the log.",
        "event": "Name of the event.",
        "signature": "Its canonical signature.",
        "abi": "The ABI file that declares it.",
        "table_name": "The event table the row stands in, with all its columns.",
        "args": "Arguments by the names of the event table's columns; wide integers are strings of digits, bytes and addresses hex.",
    }
    return _view(
        "analytics.activity",
        body,
        "Feed of every decoded event of every contract. Ask for one chain_id, in the order of (block_number, log_index), "
        "with a LIMIT or a range of blocks: then it reads no more than it shows.",
        comments,
    )


def _args(arguments: Sequence[Argument]) -> str:
    pairs = [f"{quote_literal(one.column)}, {_json_value(one)}" for one in arguments]
    chunks = [pairs[first : first + _PAIRS] for first in range(0, len(pairs), _PAIRS)] or [[]]
    return " || ".join(f"jsonb_build_object({', '.join(chunk)})" for chunk in chunks)


def _json_value(argument: Argument) -> str:
    column = quote_identifier(argument.column)
    if argument.sql_type in {"bytea", "bytea[]"}:
        return f"analytics.hex({column})"
    if argument.sql_type in {"numeric", "numeric[]"}:
        return f"{column}::text{'[]' if argument.sql_type.endswith('[]') else ''}"
    return column


def _block_times(relations: Sequence[EventRelation]) -> str:
    tables = ["event.undecoded", *(f"event.{quote_identifier(one.table)}" for one in relations)]
    branches = [f"SELECT chain_id, block_number, block_time FROM {table}" for table in tables]
    branches.append("SELECT chain_id, number AS block_number, block_time FROM sync.block")
    return _view(
        "analytics.block_times",
        "\nUNION ALL ".join(branches),
        "Times of the blocks that have rows, once for each row: what analytics.block_at searches.",
        {},
    )


def _class(event: str, relations: Sequence[EventRelation]) -> str:
    """One view over all signatures of an event name; arguments that one of them lacks are NULL."""
    taken = {name for name, _, _ in _CLASS_COLUMNS}
    types: dict[str, set[str]] = {}
    for one in relations:
        for argument in one.arguments:
            types.setdefault(_free(argument.label, taken), set()).add(argument.sql_type)
    shared = {label: _common(found) for label, found in types.items()}
    branches = [_class_branch(one, shared, taken) for one in relations]
    name = f"parity.{quote_identifier(_class_name(event))}"
    signatures = ", ".join(one.signature for one in relations)
    comments = {label: comment for label, _, comment in _CLASS_COLUMNS}
    comments["eventSignature"] = "Canonical signature: an event name may have several."
    comments |= {label: f"Argument {label}; NULL for signatures without it." for label in shared}
    return _view(name, "\nUNION ALL ".join(branches), f"Logs of {event}: {signatures}.", comments)


def _class_name(event: str) -> str:
    """``<EventName>__e``, cut as long table names are: 54 bytes and eight digits of a hash."""
    name = f"{event}__e"
    if len(name.encode()) <= 63:
        return name
    return f"{event[:50]}_{hashlib.sha256(event.encode()).hexdigest()[:8]}__e"


def _free(label: str, taken: Iterable[str]) -> str:
    return f"{label}_" if label in taken or label == "eventSignature" else label


def _common(found: set[str]) -> str:
    """The type that holds all of these: hex text for bytes, numeric for numbers, else text."""
    shown = {kind.replace("bytea", "text") for kind in found}
    if len(shown) == 1:
        return shown.pop()
    return "numeric" if shown <= set(_NUMBERS) else "text"


def _class_branch(relation: EventRelation, shared: dict[str, str], taken: set[str]) -> str:
    have = {_free(one.label, taken): one for one in relation.arguments}
    columns = [f"{expression} AS {quote_identifier(label)}" for label, expression, _ in _CLASS_COLUMNS]
    columns.append(f'{quote_literal(relation.signature)}::text AS "eventSignature"')
    columns += [
        f"{_as(have.get(label), kind)} AS {quote_identifier(label)}" for label, kind in shared.items()
    ]
    return f"SELECT {', '.join(columns)} FROM event.{quote_identifier(relation.table)}"


def _as(argument: Argument | None, kind: str) -> str:
    if argument is None:
        return f"NULL::{kind}"
    column = quote_identifier(argument.column)
    shown = f"analytics.hex({column})" if argument.sql_type.startswith("bytea") else column
    return f"{shown}::{kind}"


def _view(name: str, body: str, comment: str, columns: dict[str, str]) -> str:
    lines = [
        f"CREATE OR REPLACE VIEW {name} AS\n{body};",
        f"COMMENT ON VIEW {name} IS {quote_literal(comment)};",
    ]
    lines += [
        f"COMMENT ON COLUMN {name}.{quote_identifier(column)} IS {quote_literal(text)};"
        for column, text in columns.items()
    ]
    return "\n".join(lines)
