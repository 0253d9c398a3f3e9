"""Privacy switches: what is hashed or dropped between decoding and the database (``[privacy]``).

Claims, signatures, identity attributes and chosen token attributes are personal data on a public chain; an index of them need
not hold them in clear. A hash is HMAC-SHA256 with the operator's secret over the bytes as emitted: equal values stay equal,
so that claims can still be compared and joined, and nobody without the secret can try values out. A ``bytea`` becomes the
32 bytes, a text ``hmac:`` and 64 hex digits. An empty value says nothing about anybody and stays empty.

What no ABI decodes is kept raw elsewhere; of the events concerned the data is hashed or dropped there as well, so such a log
cannot be decoded later from the database: it has to be fetched again.
"""

from __future__ import annotations

import dataclasses
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np

from indexer.chain.logs import LogBatch
from indexer.config import PrivacyMode, PrivacySettings
from indexer.decode.column_data import as_list
from indexer.decode.tables import Column, ColumnData, Decoded, EventTable, RowBatch

Kind = Literal["claim_data", "claim_signatures", "claim_uris", "identity_attributes", "token_attributes"]

EMPTY_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
"""Keccak-256 of nothing: an indexed text or bytes that was empty."""

_CLAIMS = ("ClaimAdded", "ClaimChanged", "ClaimRemoved", "ClaimRequested", "ClaimRevoked")
_CLAIM_COLUMNS: Mapping[str, Kind] = {
    "signature": "claim_signatures",
    "data": "claim_data",
    "claim": "claim_data",
    "uri": "claim_uris",
}
# What an identity executes may be a call that adds a claim to it, with everything the claim says.
_EXECUTIONS = ("Executed", "ExecutionFailed", "ExecutionRequested")
_TOKEN_ATTRIBUTES = (
    "AttributeSet",
    "ContractMetadataSet",
    "TokenMetadataSet",
    "GemforceMinted",
    "CustomerMinted",
)


class Privacy:
    """The switches of one configuration, ready to be applied.

    Args:
        settings: ``[privacy]``.
        tables: every event table there is; they tell which topics have something to hide.
    """

    def __init__(self, settings: PrivacySettings, tables: Iterable[EventTable] = ()) -> None:
        self._modes: dict[Kind, PrivacyMode] = {
            "claim_data": settings.claim_data,
            "claim_signatures": settings.claim_signatures,
            "claim_uris": settings.claim_uris,
            "identity_attributes": settings.identity_attributes,
            "token_attributes": settings.token_attributes,
        }
        self._keys = frozenset(settings.token_attribute_keys)
        self._secret = b"" if settings.secret is None else settings.secret.get_secret_value().encode()
        self.active = any(mode != "keep" for mode in self._modes.values())
        known = list(tables) if self.active else []
        by_topic = {table.topic0: table for table in reversed(known) if table.topic0 is not None}
        self._widths = {topic0: len(table.columns) for topic0, table in by_topic.items()}
        self._kinds = {topic0: _kinds(table) for topic0, table in by_topic.items()}
        self._plans: dict[str, dict[int, Kind]] = {table.name: self._plan(table) for table in known}
        self._topics = {
            topic0: self._strictest(kinds.values())
            for topic0, kinds in self._kinds.items()
            if any(self._modes[kind] != "keep" for kind in kinds.values())
        }
        self._indexed = frozenset(
            topic0
            for topic0, table in by_topic.items()
            if any(table.columns[place].name.endswith("_hash") for place in self._plan(table))
        )

    def apply(self, logs: LogBatch, decoded: Decoded) -> tuple[LogBatch, Decoded]:
        """The same logs and rows with everything that is to be hidden hashed or NULL; the arguments stay as they are."""
        if not self.active:
            return logs, decoded
        rows = tuple(self._rows(batch) for batch in decoded.rows)
        return self._raw(logs, decoded.undecoded.logs), dataclasses.replace(decoded, rows=rows)

    def text(self, kind: Kind, value: str | None) -> str | None:
        """A text of this kind as it may be stored."""
        mode = self._modes[kind]
        if value is None or mode == "keep" or not value:
            return value
        return None if mode == "drop" else f"hmac:{self._hash(value.encode()).hex()}"

    def octets(self, kind: Kind, value: bytes | None) -> bytes | None:
        """Bytes of this kind as they may be stored."""
        mode = self._modes[kind]
        if value is None or mode == "keep" or not value or value == EMPTY_HASH:
            return value
        return None if mode == "drop" else self._hash(value)

    def attribute(self, key: str, value: str | None) -> str | None:
        """The value of a token attribute as it may be stored."""
        return self.text("token_attributes", value) if self.hides_attribute(key) else value

    def hides_attribute(self, key: str) -> bool:
        """Whether values of token attributes of this key are hidden."""
        hidden = self._modes["token_attributes"] in {"hash", "drop"}
        return hidden and ("*" in self._keys or key in self._keys)

    def token_uri(self, uri: str | None) -> str | None:
        """A token URI as it may be stored: one that holds its content (``data:``) may hold the attributes too."""
        if uri is not None and uri[:5].lower() == "data:":
            return self.text("token_attributes", uri)
        return uri

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _plan(self, table: EventTable) -> dict[int, Kind]:
        """Places of the columns of a table that may hold something to hide, each with what it is."""
        found = _kinds(table)
        twin = self._kinds.get(table.topic0 or b"", {})
        if not found and twin:
            # A user's ABI declares the event with names of its own: the parameters are the same, in the same order.
            same = len(table.columns) == self._widths[table.topic0 or b""]
            found = twin if same else dict.fromkeys(range(len(table.columns)), next(iter(twin.values())))
        return {place: kind for place, kind in found.items() if self._modes[kind] != "keep"}

    def _rows(self, batch: RowBatch) -> RowBatch:
        plan = self._plans.get(batch.table.name)
        if plan is None:
            plan = self._plans[batch.table.name] = self._plan(batch.table)
        if not plan:
            return batch
        columns = list(batch.columns)
        for place, kind in plan.items():
            columns[place] = self._column(kind, batch.table.columns[place], columns[place], len(batch))
        return RowBatch(batch.table, batch.logs, tuple(columns))

    def _column(self, kind: Kind, column: Column, values: ColumnData, count: int) -> ColumnData:
        if values is None:
            return None
        if column.sql_type == "jsonb":
            return [self._json(value) for value in as_list(values, count)]
        if self._modes[kind] == "drop":
            return None
        return [
            self.text(kind, value) if isinstance(value, str) else self.octets(kind, _octets(value))
            for value in as_list(values, count)
        ]

    def _json(self, value: object) -> str | None:
        """Attributes in a JSON text, one or a list of them."""
        if not isinstance(value, str):
            return None
        held: Any = json.loads(value)
        for attribute in held if isinstance(held, list) else [held]:
            if isinstance(attribute, dict) and self.hides_attribute(str(attribute.get("key"))):
                attribute["value"] = self.attribute(str(attribute.get("key")), attribute.get("value"))
        return json.dumps(held, ensure_ascii=False, separators=(",", ":"))

    # -- raw logs ------------------------------------------------------------------------------------------------------

    def _raw(self, logs: LogBatch, undecoded: np.ndarray[Any, np.dtype[np.int64]]) -> LogBatch:
        """The logs with the data of undecoded ones that have something to hide hashed or emptied."""
        hidden = {
            place: mode
            for place in undecoded.tolist()
            if logs.topic_count[place] and (mode := self._topics.get(logs.topics[place, 0].tobytes()))
        }
        if not hidden:
            return logs
        pieces = [
            self._raw_data(hidden[place], logs.log_data(place)) if place in hidden else logs.log_data(place)
            for place in range(len(logs))
        ]
        offsets = np.zeros(len(logs) + 1, np.int64)
        np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
        topics = logs.topics.copy()
        for place in hidden:
            if logs.topics[place, 0].tobytes() in self._indexed:
                topics[place, 1:] = 0
        data = np.frombuffer(b"".join(pieces), np.uint8)
        return dataclasses.replace(logs, data=data, data_offset=offsets, topics=topics)

    def _raw_data(self, mode: PrivacyMode, data: bytes) -> bytes:
        return self._hash(data) if mode == "hash" and data else b""

    def _strictest(self, kinds: Iterable[Kind]) -> PrivacyMode:
        modes = {self._modes[kind] for kind in kinds}
        return "drop" if "drop" in modes else "hash"

    def _hash(self, value: bytes) -> bytes:
        return hmac.digest(self._secret, value, "sha256")


def _kinds(table: EventTable) -> dict[int, Kind]:
    """Places of the columns of a table that hold something personal, each with what it is."""
    found: dict[int, Kind] = {}
    for place, column in enumerate(table.columns):
        kind = _kind(table, column)
        if kind is not None:
            found[place] = kind
    return found


def _kind(table: EventTable, column: Column) -> Kind | None:
    name = column.name.removesuffix("_hash").rstrip("_")
    if table.event in _CLAIMS:
        return _CLAIM_COLUMNS.get(name)
    if table.event in _EXECUTIONS and name == "data":
        return "claim_data"
    if table.event == "AttributeSet" and name == "value" and column.sql_type == "text":
        return "identity_attributes"
    if table.event in _TOKEN_ATTRIBUTES and column.sql_type == "jsonb":
        return "token_attributes"
    return None


def _octets(value: object) -> bytes | None:
    return value if isinstance(value, bytes) else None
