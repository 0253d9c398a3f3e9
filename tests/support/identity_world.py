"""Random events about identities: wallets, claims, keys, topics and issuers."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

ZERO = bytes(20)
SPEAKERS = (b"\xd1" * 20, b"\xd2" * 20)
WALLETS = (b"\x01" * 20, b"\x02" * 20, ZERO)
IDENTITIES = (b"\x1d" * 20, b"\x2d" * 20, b"\x3d" * 20)
ISSUERS = (b"\x71" * 20, b"\x72" * 20)
IDS = (b"\xc1" * 32, b"\xc2" * 32)
KEYS = (b"\x6b" * 32, b"\x6c" * 32)
TEXTS = ("", "country", "k" * 1001)


class IdentitySpeaker:
    """Random blocks; few accounts, ids and topics, so that they meet."""

    def __init__(self, said: Any, rng: random.Random) -> None:
        self.said = said
        self.rng = rng
        self.kinds = [
            self.created, self.created, self.identity_added, self.identity_added, self.identity_removed,
            self.registry_claim, self.registry_claim, self.registry_claim_removed, self.claims_set,
            self.claim, self.claim, self.claim_removed, self.key_added, self.key_added, self.key_removed,
            self.attribute, self.executed, self.topic, self.issuer, self.issuer, self.issuer_topic,
        ]  # fmt: skip

    def block(self) -> list[Any]:
        return [self.rng.choice(self.kinds)() for _ in range(self.rng.choice((0, 1, 2, 4, 10)))]

    def one(self, table: str, address: bytes, **values: Any) -> Any:
        return self.said(table, address, values)

    def pick(self, *choices: Any) -> Any:
        return self.rng.choice(choices)

    def topics(self) -> list[Decimal]:
        return [self.topic_id() for _ in range(self.rng.randrange(4))]

    def topic_id(self) -> Decimal:
        return self.pick(Decimal(0), Decimal(1), Decimal(2**256 - 1))

    def created(self) -> Any:
        return self.one(
            "identity_factory_identity_created",
            self.pick(*SPEAKERS), owner=self.pick(*WALLETS), identity=self.pick(*IDENTITIES, *IDENTITIES, ZERO),
        )  # fmt: skip

    def identity_added(self) -> Any:
        values = {"address_": self.pick(*WALLETS), "identity": self.pick(*IDENTITIES, *IDENTITIES, ZERO)}
        if self.rng.random() < 0.3:
            return self.one("identity_registry_identity_added_5e698032", self.pick(*SPEAKERS), **values)
        values["trusted_issuer"] = self.pick(*ISSUERS, ZERO)
        return self.one("identity_registry_identity_added", self.pick(*SPEAKERS), **values)

    def identity_removed(self) -> Any:
        wallet, speaker = self.pick(*WALLETS), self.pick(*SPEAKERS)
        kind = self.rng.randrange(3)
        if kind == 0:
            return self.one("identity_factory_identity_removed", speaker, owner=wallet)
        if kind == 1:
            return self.one(
                "identity_registry_identity_removed_59d6590e", speaker, address_=wallet, identity=wallet
            )
        return self.one(
            "identity_registry_identity_removed",
            speaker, trusted_issuer=self.pick(*ISSUERS), address_=wallet, identity=wallet,
        )  # fmt: skip

    def registry_claim(self) -> Any:
        values = {
            "identity": self.pick(*IDENTITIES[:2]),
            "claim_topic": self.topic_id(),
            "claim": self.pick(b"", b"\x01"),
        }
        if self.rng.random() < 0.3:
            return self.one("identity_registry_claim_added_a1a7a6cf", self.pick(*SPEAKERS), **values)
        values["trusted_issuer"] = self.pick(*ISSUERS, ZERO)
        return self.one("identity_registry_claim_added", self.pick(*SPEAKERS), **values)

    def registry_claim_removed(self) -> Any:
        speaker, identity = self.pick(*SPEAKERS), self.pick(*IDENTITIES[:2])
        issuer = self.pick(*ISSUERS)
        kind = self.rng.randrange(3)
        if kind == 0:
            return self.one(
                "identity_registry_claims_removed",
                speaker,
                trusted_issuer=issuer,
                identity=identity,
                claim_topics=self.topics(),
            )
        if kind == 1:
            return self.one(
                "identity_registry_claim_removed_45749df3",
                speaker,
                identity=identity,
                claim_topic=self.topic_id(),
            )
        return self.one(
            "identity_registry_claim_removed",
            speaker,
            trusted_issuer=issuer,
            identity=identity,
            claim_topic=self.topic_id(),
        )

    def claims_set(self) -> Any:
        return self.one(
            "identity_registry_claims_set",
            self.pick(*SPEAKERS), trusted_issuer=ISSUERS[0], identity=self.pick(*IDENTITIES[:2]), claims=self.topics(),
        )  # fmt: skip

    def claim(self) -> Any:
        holder = self.pick(*IDENTITIES[:2], SPEAKERS[0])
        claim_id, topic, scheme = self.pick(*IDS), self.topic_id(), self.topic_id()
        issuer, data, uri = (
            self.pick(*ISSUERS, ZERO),
            self.pick(b"", b"\x01\x02", b"d" * 200),
            self.pick(*TEXTS),
        )
        if self.rng.random() < 0.3:
            return self.one(
                "identity_claim_added",
                holder, claim_id=claim_id, claim_type=topic, issuer=issuer, signature_type=scheme, signature=bytes(32),
                claim=data, uri=uri,
            )  # fmt: skip
        return self.one(
            self.pick("erc735_claim_added", "erc735_claim_changed"),
            holder, claim_id=claim_id, topic=topic, scheme=scheme, issuer=issuer, signature=b"s", data=data, uri=uri,
        )  # fmt: skip

    def claim_removed(self) -> Any:
        zero = Decimal(0)
        return self.one(
            "erc735_claim_removed",
            self.pick(*IDENTITIES[:2], SPEAKERS[0]), claim_id=self.pick(*IDS), topic=zero, scheme=zero, issuer=ZERO,
            signature=b"", data=b"", uri="",
        )  # fmt: skip

    def key_added(self) -> Any:
        return self.key("erc734_key_added")

    def key_removed(self) -> Any:
        return self.key("erc734_key_removed")

    def key(self, table: str) -> Any:
        return self.one(
            table,
            self.pick(*IDENTITIES[:2]), key=self.pick(*KEYS), purpose=self.topic_id(), key_type=Decimal(self.pick(1, 2)),
        )  # fmt: skip

    def attribute(self) -> Any:
        return self.one(
            "identity_attribute_set",
            self.pick(*IDENTITIES[:2]), key=self.pick(*TEXTS), attribute_type=self.pick(0, 6, 255), value=self.pick(*TEXTS),
        )  # fmt: skip

    def executed(self) -> Any:
        return self.one(
            self.pick("erc734_executed", "identity_execution_failed"),
            self.pick(*IDENTITIES), execution_id=self.topic_id(), to_=self.pick(*WALLETS), value=self.topic_id(), data=b"",
        )  # fmt: skip

    def topic(self) -> Any:
        table = self.pick("claim_topic_added", "claim_topic_added", "claim_topic_removed")
        return self.one(table, self.pick(*SPEAKERS), claim_topic=self.topic_id())

    def issuer(self) -> Any:
        speaker, issuer = self.pick(*SPEAKERS), self.pick(*ISSUERS)
        kind = self.rng.randrange(4)
        if kind == 0:
            return self.one("trusted_issuer_removed", speaker, trusted_issuer=issuer)
        if kind == 1:
            told = {"issuer": "0x" + issuer.hex(), "claimTopics": [str(topic) for topic in self.topics()]}
            return self.one(
                "trusted_issuer_updated", speaker, issuer_address=issuer, trusted_issuer=json.dumps(told)
            )
        table = ("trusted_issuer_added", "trusted_issuer_claim_topics_updated")[kind - 2]
        return self.one(table, speaker, trusted_issuer=issuer, claim_topics=self.topics())

    def issuer_topic(self) -> Any:
        table = self.pick("trusted_issuer_claim_topic_added", "trusted_issuer_claim_topic_removed")
        return self.one(table, self.pick(*SPEAKERS), issuer=self.pick(*ISSUERS), claim_topic=self.topic_id())
