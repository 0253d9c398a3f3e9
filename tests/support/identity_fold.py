"""The state of identities in plain Python: one event after the other, sharing nothing with the SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Any

from eth_hash.auto import keccak

ZERO = bytes(20)
UNADDED = "removed without having been added"
Row = dict[str, Any]


def known(address: bytes | None) -> bytes | None:
    return None if address == ZERO else address


class IdentityFold:
    """Tables by name, each a dictionary from key to row."""

    def __init__(self, blocks: dict[int, list[Any]]) -> None:
        self.contract: dict[bytes, Row] = {}
        self.identity: dict[tuple[Any, ...], Row] = {}
        self.registry_claim: dict[tuple[Any, ...], Row] = {}
        self.identity_claim: dict[tuple[Any, ...], Row] = {}
        self.identity_key: dict[tuple[Any, ...], Row] = {}
        self.identity_attribute: dict[tuple[Any, ...], Row] = {}
        self.identity_execution: dict[tuple[Any, ...], Row] = {}
        self.claim_topic: dict[tuple[Any, ...], Row] = {}
        self.trusted_issuer: dict[tuple[Any, ...], Row] = {}
        self.trusted_issuer_topic: dict[tuple[Any, ...], Row] = {}
        for number in sorted(blocks):
            for place, event in enumerate(blocks[number]):
                self.block, self.place = number, place
                self.hear(event.table, event.address, event.values)

    def hear(self, table: str, at: bytes, v: Row) -> None:
        if table == "identity_factory_identity_created":
            self.created(at, v["owner"], v["identity"])
        elif table.startswith("identity_registry_identity_added"):
            self.announced(at, v["address_"], v["identity"])
            self.identity[v["address_"], at] |= {
                "registered": True,
                "registered_by": known(v.get("trusted_issuer")),
                "registered_block": self.block,
            }
        elif "identity_removed" in table:
            self.end(
                self.identity, (v.get("owner", v.get("address_")), at), self.no_identity(), registered=False
            )
        elif table.startswith("identity_registry_claim_added"):
            self.registry_claim[at, v["identity"], v["claim_topic"]] = self.row(
                issuer=known(v.get("trusted_issuer")),
                claim=v["claim"],
                added_block=self.block,
                removed_block=None,
            )
        elif table.startswith("identity_registry_claim") and "removed" in table:
            for topic in v.get("claim_topics", [v.get("claim_topic")]):
                blank = {"issuer": None, "claim": None, "added_block": None}
                self.end(self.registry_claim, (at, v["identity"], topic), blank)
        elif table.startswith(("erc735", "identity_claim")):
            self.claim(table, at, v)
        elif table.startswith("erc734_key"):
            self.key(table, at, v)
        elif table == "identity_attribute_set":
            name = v["key"]
            if len(name) > 1000:
                name = f"{name[:100]}…{sha256(name.encode()).hexdigest()}"
            self.identity_attribute[at, name] = {
                "type": v["attribute_type"],
                "value": v["value"],
                "updated_block": self.block,
            }
        elif table in ("erc734_executed", "identity_execution_failed"):
            self.identity_execution[self.block, self.place] = {
                "identity": at, "execution_id": v["execution_id"], "to_": known(v["to_"]), "value": v["value"],
                "success": table == "erc734_executed", "updated_block": self.block,
            }  # fmt: skip
        elif table.startswith("claim_topic"):
            self.standing(self.claim_topic, (at, v["claim_topic"]), table.rpartition("_")[2])
        elif table.startswith("trusted_issuer") and "topic_" not in table:
            self.issuer(table, at, v)

    def row(self, **values: Any) -> Row:
        return {**values, "inconsistent": False, "inconsistency": None, "updated_block": self.block}

    def end(self, table: dict[tuple[Any, ...], Row], key: tuple[Any, ...], blank: Row, **ended: Any) -> None:
        """A removal: closes what is there, does nothing to what has ended, leaves a marked row of what was never seen."""
        if key not in table:
            table[key] = self.row(**blank, removed_block=None)
            table[key] |= {"inconsistent": True, "inconsistency": UNADDED}
        if table[key]["removed_block"] is None:
            table[key] |= {**ended, "removed_block": self.block, "updated_block": self.block}

    # -- wallets ------------------------------------------------------------------------------------------------------

    def no_identity(self) -> Row:
        return {
            "identity": None, "owner": None, "factory_created_block": None,
            "registered": False, "registered_by": None, "registered_block": None,
        }  # fmt: skip

    def creation(self, identity: bytes | None) -> Row:
        contract = self.contract.get(identity or b"", {"owner": None, "created_block": None})
        return {"owner": contract["owner"], "factory_created_block": contract["created_block"]}

    def announced(self, at: bytes, wallet: bytes, identity: bytes) -> None:
        row = self.identity.setdefault((wallet, at), self.row(**self.no_identity(), removed_block=None))
        if row["removed_block"] is not None:
            row |= {"registered": False, "registered_by": None, "registered_block": None}
        row |= {"identity": known(identity), **self.creation(known(identity)), "removed_block": None}
        row |= {"inconsistent": False, "inconsistency": None, "updated_block": self.block}

    def created(self, at: bytes, owner: bytes, identity: bytes) -> None:
        again = identity in self.contract
        if identity != ZERO and not again:
            self.contract[identity] = {
                "factory": at, "owner": known(owner), "created_block": self.block, "created_log_index": self.place,
                "updated_block": self.block,
            }  # fmt: skip
            for row in self.identity.values():
                if row["identity"] == identity:
                    row |= {**self.creation(identity), "updated_block": self.block}
        self.announced(at, owner, identity)
        if again:
            reason = "the identity had been created before"
            self.identity[owner, at] |= {"inconsistent": True, "inconsistency": reason}

    # -- claims and keys ----------------------------------------------------------------------------------------------

    def claim(self, table: str, at: bytes, v: Row) -> None:
        key = (at, v["claim_id"])
        if table.endswith("removed"):
            blank = dict.fromkeys(("topic", "scheme", "issuer", "uri", "data_hash", "added_block"))
            self.end(self.identity_claim, key, {**blank, "active": False}, active=False)
            return
        before = self.identity_claim.get(key, {"active": False, "added_block": None, "inconsistency": None})
        odd = before["inconsistency"] if before["active"] else "changed without having been added"
        if table.endswith("added"):
            odd = None
        self.identity_claim[key] = {
            "topic": v.get("topic", v.get("claim_type")),
            "scheme": v.get("scheme", v.get("signature_type")),
            "issuer": known(v["issuer"]),
            "uri": v["uri"],
            "data_hash": keccak(v.get("data", v.get("claim"))),
            "active": True,
            "added_block": self.block if table.endswith("added") else before["added_block"],
            "removed_block": None,
            "inconsistent": odd is not None,
            "inconsistency": odd,
            "updated_block": self.block,
        }

    def key(self, table: str, at: bytes, v: Row) -> None:
        if table.endswith("added"):
            self.identity_key[at, v["key"], v["purpose"]] = self.row(
                key_type=v["key_type"], active=True, added_block=self.block, removed_block=None
            )
            return
        blank = {"key_type": v["key_type"], "active": False, "added_block": None}
        held = [one for one in self.identity_key if one[:2] == (at, v["key"])]
        for one in held or [(at, v["key"], v["purpose"])]:
            self.end(self.identity_key, one, blank, active=False)

    # -- topics and issuers -------------------------------------------------------------------------------------------

    def standing(self, table: dict[tuple[Any, ...], Row], key: tuple[Any, ...], what: str) -> None:
        if what == "removed":
            self.end(table, key, {"active": False, "since": None}, active=False)
            return
        before = table.get(key, {"active": False})
        odd = before["inconsistency"] if before["active"] else "given topics without having been added"
        odd = None if what == "added" else odd
        since = before["since"] if before["active"] else self.block
        table[key] = self.row(active=True, since=since, removed_block=None)
        table[key] |= {"inconsistent": odd is not None, "inconsistency": odd}

    def issuer(self, table: str, at: bytes, v: Row) -> None:
        issuer = v.get("issuer_address", v["trusted_issuer"])
        self.standing(self.trusted_issuer, (at, issuer), table.rpartition("_")[2])
        for topic in self.topics_of(v):
            key = (at, issuer, topic)
            before = self.trusted_issuer_topic.get(key, {"active": False})
            self.trusted_issuer_topic[key] = {
                "active": True,
                "since": before["since"] if before["active"] else self.block,
                "removed_block": None,
                "updated_block": self.block,
            }
        for key, row in self.trusted_issuer_topic.items():
            if key[:2] == (at, issuer) and row["active"] and key[2] not in set(self.topics_of(v)):
                row |= {"active": False, "removed_block": self.block, "updated_block": self.block}

    def topics_of(self, v: Row) -> Iterator[Decimal]:
        told = v.get("claim_topics")
        if told is None and "issuer_address" in v:
            told = json.loads(v["trusted_issuer"])["claimTopics"]
        return map(Decimal, told or ())
