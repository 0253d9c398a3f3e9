"""What must come out of identity events: the traps of the domain, one test each, with the row that must come out."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from eth_hash.auto import keccak

ZERO = bytes(20)
DIAMOND, OTHER, FACTORY = b"\xdd" * 20, b"\xd2" * 20, b"\xfa" * 20
ALICE, BOB = b"\x01" * 20, b"\x02" * 20
IDENTITY, SECOND = b"\x1d" * 20, b"\x2d" * 20
ISSUER, RIVAL = b"\x71" * 20, b"\x72" * 20
CLAIM = b"\xc1" * 32
KEY, OTHER_KEY = b"\x6b" * 32, b"\x6c" * 32
KYC, AML, ACCREDITED = Decimal(10001), Decimal(10002), Decimal(10003)
BIGGEST = Decimal(2**256 - 1)


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


@pytest.fixture
def say(said):
    """``say(table, emitter, column=value, …)``."""
    return lambda table, address, **values: said(table, address, values)


def created(say, owner=ALICE, identity=IDENTITY, factory=FACTORY):
    return say("identity_factory_identity_created", factory, owner=owner, identity=identity)


def registered(say, wallet=ALICE, identity=IDENTITY, issuer=ISSUER, diamond=DIAMOND):
    return say(
        "identity_registry_identity_added", diamond, trusted_issuer=issuer, address_=wallet, identity=identity
    )


def unregistered(say, wallet=ALICE, diamond=DIAMOND):
    """As the deployed registry says it: the wallet in both fields."""
    return say(
        "identity_registry_identity_removed",
        diamond,
        trusted_issuer=ISSUER,
        address_=wallet,
        identity=wallet,
    )


def vouched(say, topic=KYC, claim=b"yes", issuer=ISSUER, identity=IDENTITY, diamond=DIAMOND):
    return say(
        "identity_registry_claim_added",
        diamond, trusted_issuer=issuer, identity=identity, claim_topic=topic, claim=claim,
    )  # fmt: skip


def withdrawn(say, topic=KYC, identity=IDENTITY):
    return say(
        "identity_registry_claim_removed",
        DIAMOND,
        trusted_issuer=ISSUER,
        identity=identity,
        claim_topic=topic,
    )


def claim(say, what="added", topic=KYC, issuer=ISSUER, data=b"data", uri="ipfs://a", holder=IDENTITY):
    return say(
        f"erc735_claim_{what}",
        holder, claim_id=CLAIM, topic=topic, scheme=Decimal(1), issuer=issuer, signature=b"s", data=data, uri=uri,
    )  # fmt: skip


def claim_removed(say, holder=IDENTITY, claim_id=CLAIM):
    """As the deployed identity says it: zeros but for the id, since the claim is deleted first."""
    zero = Decimal(0)
    return say(
        "erc735_claim_removed",
        holder, claim_id=claim_id, topic=zero, scheme=zero, issuer=ZERO, signature=b"", data=b"", uri="",
    )  # fmt: skip


def key(say, what, purpose, key=KEY, key_type=1, identity=IDENTITY):
    return say(f"erc734_key_{what}", identity, key=key, purpose=Decimal(purpose), key_type=Decimal(key_type))


def trusted(say, topics, what="added", issuer=ISSUER):
    return say(f"trusted_issuer_{what}", DIAMOND, trusted_issuer=issuer, claim_topics=topics)


def distrusted(say, issuer=ISSUER):
    return say("trusted_issuer_removed", DIAMOND, trusted_issuer=issuer)


# -- identity ---------------------------------------------------------------------------------------------------------

IDENTITY_ROW = ("wallet", "announcer", "identity", "owner", "factory_created_block", "registered", "registered_by",
                "registered_block", "removed_block", "inconsistency", "updated_block")  # fmt: skip


async def test_identity_has_a_row_for_its_factory_and_one_for_each_registry(ledger, say):
    await ledger.tell(
        [created(say)], [registered(say)], [registered(say, issuer=RIVAL, diamond=OTHER), created(say, BOB, SECOND)]
    )  # fmt: skip
    assert await ledger.rows("identity", *IDENTITY_ROW) == [
        (ALICE, OTHER, IDENTITY, ALICE, 1, True, RIVAL, 3, None, None, 3),
        (ALICE, DIAMOND, IDENTITY, ALICE, 1, True, ISSUER, 2, None, None, 2),
        (ALICE, FACTORY, IDENTITY, ALICE, 1, False, None, None, None, None, 1),
        (BOB, FACTORY, SECOND, BOB, 3, False, None, None, None, None, 3),
    ]


async def test_identity_removed_carries_the_wallet_in_both_fields_and_the_identity_stays(ledger, say):
    await ledger.tell([registered(say), registered(say, BOB, SECOND)], [unregistered(say)])
    assert await ledger.rows("identity", *IDENTITY_ROW) == [
        (ALICE, DIAMOND, IDENTITY, None, None, False, ISSUER, 1, 2, None, 2),
        (BOB, DIAMOND, SECOND, None, None, True, ISSUER, 1, None, None, 1),
    ]


async def test_identity_removed_within_one_block_goes_by_log_order(ledger, say):
    await ledger.tell(
        [registered(say), unregistered(say), registered(say, identity=SECOND)],
        [unregistered(say), registered(say), unregistered(say)],
    )
    assert await ledger.rows("identity", "identity", "registered", "registered_block", "removed_block") == [
        (IDENTITY, False, 2, 2)
    ]


async def test_identity_registered_again_overwrites_and_is_no_longer_removed(ledger, say):
    await ledger.tell(
        [registered(say)], [unregistered(say)], [registered(say, identity=SECOND, issuer=RIVAL)]
    )
    assert await ledger.rows("identity", *IDENTITY_ROW) == [
        (ALICE, DIAMOND, SECOND, None, None, True, RIVAL, 3, None, None, 3)
    ]


async def test_identity_of_older_builds_feeds_the_same_rows(ledger, say):
    def older(what, wallet, identity):
        table = {"added": "identity_added_5e698032", "removed": "identity_removed_59d6590e"}[what]
        return say(f"identity_registry_{table}", DIAMOND, address_=wallet, identity=identity)

    await ledger.tell(
        [older("added", ALICE, IDENTITY), older("added", BOB, SECOND)],
        [older("removed", BOB, BOB)],
    )
    assert await ledger.rows(
        "identity", "wallet", "announcer", "identity", "registered", "registered_by", "removed_block"
    ) == [
        (ALICE, DIAMOND, IDENTITY, True, None, None),
        (BOB, DIAMOND, SECOND, False, None, 2),
    ]


async def test_identity_removed_by_an_older_factory_ends_the_row_of_the_factory_only(ledger, say):
    await ledger.tell(
        [created(say), registered(say)], [say("identity_factory_identity_removed", FACTORY, owner=ALICE)]
    )
    assert await ledger.rows("identity", "announcer", "identity", "registered", "removed_block") == [
        (DIAMOND, IDENTITY, True, None),
        (FACTORY, IDENTITY, False, 2),
    ]


async def test_identity_owner_is_whom_the_factory_created_it_for_whenever_that_is_seen(ledger, say):
    # Several wallets share an identity whose creation is told after one registration and one removal, before another.
    carol = b"\x03" * 20
    await ledger.say(1, [registered(say), registered(say, carol), unregistered(say, carol)])
    await ledger.say(2, [created(say, BOB)])
    await ledger.say(3, [registered(say, BOB)])
    await ledger.ends(3, -1)
    for number in (1, 2, 3):
        await ledger.fold(number, number)
    columns = ("wallet", "announcer", "owner", "factory_created_block", "removed_block", "updated_block")
    assert await ledger.rows("identity", *columns) == [
        (ALICE, DIAMOND, BOB, 2, None, 2),
        (BOB, DIAMOND, BOB, 2, None, 3),
        (BOB, FACTORY, BOB, 2, None, 2),
        (carol, DIAMOND, BOB, 2, 1, 2),
    ]


async def test_identity_created_twice_keeps_its_first_owner_and_is_marked(ledger, say):
    await ledger.tell([created(say)], [created(say, BOB)])
    assert await ledger.rows("identity", "wallet", "owner", "factory_created_block", "inconsistency") == [
        (ALICE, ALICE, 1, None),
        (BOB, ALICE, 1, "the identity had been created before"),
    ]
    assert await ledger.rows("identity_contract", "identity", "factory", "owner", "created_block") == [
        (IDENTITY, FACTORY, ALICE, 1)
    ]


async def test_identity_removed_without_having_been_added_is_a_marked_row(ledger, say):
    await ledger.tell([unregistered(say)], [unregistered(say)])
    assert await ledger.rows("identity", *IDENTITY_ROW, "inconsistent") == [
        (ALICE, DIAMOND, None, None, None, False, None, None, 1, "removed without having been added", 1, True)
    ]


async def test_identity_that_was_marked_is_settled_by_an_addition(ledger, say):
    await ledger.tell([unregistered(say)], [registered(say)])
    assert await ledger.rows("identity", "identity", "registered", "removed_block", "inconsistent") == [
        (IDENTITY, True, None, False)
    ]


async def test_identity_zero_addresses_are_null(ledger, say):
    await ledger.tell([registered(say, identity=ZERO, issuer=ZERO)])
    assert await ledger.rows("identity", "identity", "registered", "registered_by") == [(None, True, None)]


# -- claims in registries ---------------------------------------------------------------------------------------------

REGISTRY_ROW = ("identity", "claim_topic", "issuer", "claim", "added_block", "removed_block", "inconsistency")


async def test_registry_claims_set_is_informational(ledger, say):
    # Two topics were asked for; one is known to the topic registry and has a ClaimAdded of its own, with empty bytes.
    asked = say(
        "identity_registry_claims_set",
        DIAMOND,
        trusted_issuer=ISSUER,
        identity=IDENTITY,
        claims=[KYC, AML],
    )
    await ledger.tell([vouched(say, claim=b""), asked], [asked])
    assert await ledger.rows("registry_claim", *REGISTRY_ROW, "updated_block") == [
        (IDENTITY, KYC, ISSUER, b"", 1, None, None, 1)
    ]


async def test_registry_claim_added_again_overwrites(ledger, say):
    await ledger.tell([vouched(say)], [vouched(say, claim=b"more", issuer=RIVAL)])
    assert await ledger.rows("registry_claim", *REGISTRY_ROW) == [
        (IDENTITY, KYC, RIVAL, b"more", 2, None, None)
    ]


async def test_registry_claim_removed_takes_one_topic_and_claims_removed_its_list(ledger, say):
    several = say(
        "identity_registry_claims_removed",
        DIAMOND,
        trusted_issuer=ISSUER,
        identity=IDENTITY,
        claim_topics=[AML, ACCREDITED, AML],
    )
    await ledger.tell(
        [vouched(say, topic) for topic in (KYC, AML, ACCREDITED, BIGGEST)], [withdrawn(say)], [several]
    )
    assert await ledger.rows("registry_claim", "claim_topic", "claim", "removed_block", "inconsistent") == [
        (KYC, b"yes", 2, False),
        (AML, b"yes", 3, False),
        (ACCREDITED, b"yes", 3, False),
        (BIGGEST, b"yes", None, False),
    ]


async def test_registry_claim_removed_twice_keeps_the_first_block(ledger, say):
    both = say(
        "identity_registry_claims_removed",
        DIAMOND,
        trusted_issuer=ISSUER,
        identity=IDENTITY,
        claim_topics=[KYC],
    )
    await ledger.tell([vouched(say)], [withdrawn(say)], [both])
    assert await ledger.rows("registry_claim", "removed_block", "inconsistent", "updated_block") == [
        (2, False, 2)
    ]


async def test_registry_claims_survive_the_removal_of_the_identity(ledger, say):
    await ledger.tell([registered(say), registered(say, BOB), vouched(say)], [unregistered(say)])
    assert await ledger.rows("registry_claim", *REGISTRY_ROW) == [
        (IDENTITY, KYC, ISSUER, b"yes", 1, None, None)
    ]
    # Bob shares the identity and with it the claim.
    assert await ledger.rows("identity", "wallet", "identity", "registered") == [
        (ALICE, IDENTITY, False),
        (BOB, IDENTITY, True),
    ]


async def test_registry_claims_may_have_topics_outside_the_registry(ledger, say):
    await ledger.tell([say("claim_topic_added", DIAMOND, claim_topic=KYC), vouched(say, AML)])
    assert await ledger.rows("registry_claim", "claim_topic") == [(AML,)]
    assert await ledger.rows("claim_topic", "claim_topic") == [(KYC,)]


async def test_registry_claims_of_two_diamonds_are_two(ledger, say):
    await ledger.tell([vouched(say), vouched(say, diamond=OTHER)], [withdrawn(say)])
    assert await ledger.rows("registry_claim", "diamond", "removed_block") == [(OTHER, None), (DIAMOND, 2)]


async def test_registry_claims_of_older_builds_feed_the_same_rows(ledger, say):
    def added(topic):
        return say(
            "identity_registry_claim_added_a1a7a6cf",
            DIAMOND,
            identity=IDENTITY,
            claim_topic=topic,
            claim=b"old",
        )

    removed = say("identity_registry_claim_removed_45749df3", DIAMOND, identity=IDENTITY, claim_topic=KYC)
    await ledger.tell([added(KYC), added(AML)], [removed])
    assert await ledger.rows("registry_claim", *REGISTRY_ROW) == [
        (IDENTITY, KYC, None, b"old", 1, 2, None),
        (IDENTITY, AML, None, b"old", 1, None, None),
    ]


async def test_registry_claim_removed_without_having_been_added_is_a_marked_row(ledger, say):
    await ledger.tell([withdrawn(say)])
    assert await ledger.rows("registry_claim", *REGISTRY_ROW) == [
        (IDENTITY, KYC, None, None, None, 1, "removed without having been added")
    ]


# -- ERC-735 claims ---------------------------------------------------------------------------------------------------

CLAIM_ROW = ("identity", "claim_id", "topic", "scheme", "issuer", "uri", "data_hash", "active", "added_block",
             "removed_block", "inconsistency")  # fmt: skip


async def test_identity_claim_removed_is_matched_by_its_id_alone(ledger, say):
    await ledger.tell([claim(say)], [claim_removed(say)])
    assert await ledger.rows("identity_claim", *CLAIM_ROW) == [
        (IDENTITY, CLAIM, KYC, Decimal(1), ISSUER, "ipfs://a", keccak(b"data"), False, 1, 2, None)
    ]


async def test_identity_claim_added_again_overwrites_without_a_change(ledger, say):
    await ledger.tell([claim(say)], [claim(say, data=b"newer", uri="")])
    assert await ledger.rows("identity_claim", *CLAIM_ROW) == [
        (IDENTITY, CLAIM, KYC, Decimal(1), ISSUER, "", keccak(b"newer"), True, 2, None, None)
    ]


async def test_identity_claim_changed_keeps_the_id_while_topic_and_issuer_change(ledger, say):
    await ledger.tell([claim(say)], [claim(say, "changed", AML, RIVAL)])
    assert await ledger.rows("identity_claim", *CLAIM_ROW) == [
        (IDENTITY, CLAIM, AML, Decimal(1), RIVAL, "ipfs://a", keccak(b"data"), True, 1, None, None)
    ]


async def test_identity_claim_added_after_its_removal_is_active_again(ledger, say):
    await ledger.tell([claim(say), claim_removed(say), claim(say, topic=AML)])
    assert await ledger.rows("identity_claim", "topic", "active", "removed_block") == [(AML, True, None)]


async def test_identity_claims_of_a_diamond_with_the_token_claims_facet(ledger, say):
    added = say(
        "identity_claim_added",
        DIAMOND, claim_id=CLAIM, claim_type=KYC, issuer=ISSUER, signature_type=Decimal(2), signature=bytes(32),
        claim=b"token", uri="u",
    )  # fmt: skip
    await ledger.tell([added, claim(say)], [claim_removed(say, DIAMOND)])
    assert await ledger.rows("identity_claim", *CLAIM_ROW) == [
        (IDENTITY, CLAIM, KYC, Decimal(1), ISSUER, "ipfs://a", keccak(b"data"), True, 1, None, None),
        (DIAMOND, CLAIM, KYC, Decimal(2), ISSUER, "u", keccak(b"token"), False, 1, 2, None),
    ]


async def test_identity_claim_changed_without_having_been_added_is_marked(ledger, say):
    await ledger.tell([claim(say, "changed")], [claim(say, "changed", AML)])
    assert await ledger.rows("identity_claim", "topic", "active", "added_block", "inconsistency") == [
        (AML, True, None, "changed without having been added")
    ]


async def test_identity_claim_removed_without_having_been_added_is_marked(ledger, say):
    await ledger.tell([claim_removed(say)])
    assert await ledger.rows("identity_claim", *CLAIM_ROW) == [
        (IDENTITY, CLAIM, None, None, None, None, None, False, None, 1, "removed without having been added")
    ]


async def test_identity_claim_survives_the_removal_of_the_wallet(ledger, say):
    await ledger.tell([registered(say), claim(say)], [unregistered(say)])
    assert await ledger.rows("identity_claim", "active", "removed_block") == [(True, None)]


# -- keys, attributes, executions -------------------------------------------------------------------------------------

KEY_ROW = ("key", "purpose", "key_type", "active", "added_block", "removed_block", "inconsistency")


async def test_identity_key_removed_deletes_all_of_its_purposes(ledger, say):
    await ledger.tell(
        [key(say, "added", 1), key(say, "added", 3, key_type=2), key(say, "added", 1, OTHER_KEY)],
        [key(say, "added", 1, identity=SECOND)],
        [key(say, "removed", 3)],
    )
    assert await ledger.rows("identity_key", "identity", *KEY_ROW) == [
        (IDENTITY, KEY, Decimal(1), Decimal(1), False, 1, 3, None),
        (IDENTITY, KEY, Decimal(3), Decimal(2), False, 1, 3, None),
        (IDENTITY, OTHER_KEY, Decimal(1), Decimal(1), True, 1, None, None),
        (SECOND, KEY, Decimal(1), Decimal(1), True, 2, None, None),
    ]


async def test_identity_key_removed_naming_a_purpose_it_never_had_makes_no_row(ledger, say):
    await ledger.tell([key(say, "added", 1)], [key(say, "removed", 4)])
    assert await ledger.rows("identity_key", "purpose", "active", "removed_block") == [(Decimal(1), False, 2)]


async def test_identity_key_added_after_its_removal_has_the_new_purpose_only(ledger, say):
    await ledger.tell(
        [key(say, "added", 1), key(say, "added", 2), key(say, "removed", 1), key(say, "added", 2)]
    )
    assert await ledger.rows("identity_key", "purpose", "active", "removed_block") == [
        (Decimal(1), False, 1),
        (Decimal(2), True, None),
    ]


async def test_identity_key_removed_without_having_been_added_is_marked(ledger, say):
    await ledger.tell([key(say, "removed", 1)], [key(say, "removed", 2)])
    assert await ledger.rows("identity_key", *KEY_ROW) == [
        (KEY, Decimal(1), Decimal(1), False, None, 1, "removed without having been added")
    ]


async def test_identity_attributes_the_last_one_holds(ledger, say):
    def attribute(key, kind, value, identity=IDENTITY):
        return say("identity_attribute_set", identity, key=key, attribute_type=kind, value=value)

    await ledger.tell(
        [attribute("country", 1, "CH"), attribute("country", 1, "DE", SECOND), attribute("", 0, "")],
        [attribute("country", 1, "AT"), attribute("country", 2, "FR")],
    )
    assert await ledger.rows(
        "identity_attribute", "identity", "attribute_key", "type", "value", "updated_block"
    ) == [
        (IDENTITY, "", 0, "", 1),
        (IDENTITY, "country", 2, "FR", 2),
        (SECOND, "country", 1, "DE", 1),
    ]


async def test_identity_attribute_keys_of_any_length_are_kept(ledger, say):
    # Random characters: nothing compresses them into an index row.
    text = "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(30_000))

    def attribute(key, value):
        return say("identity_attribute_set", IDENTITY, key=key, attribute_type=1, value=value)

    await ledger.tell([attribute(text, "one"), attribute(text + "!", "two"), attribute("k" * 1000, text)])
    rows = dict(await ledger.rows("identity_attribute", "attribute_key", "value"))
    assert rows.pop("k" * 1000) == text
    assert sorted(rows.values()) == ["one", "two"]
    assert {name[:101] for name in rows} == {text[:100] + "…"}
    assert {len(name) for name in rows} == {165}


async def test_identity_executions_say_whether_they_succeeded(ledger, say):
    def execution(table, number):
        return say(
            table,
            IDENTITY,
            execution_id=Decimal(number),
            to_=ZERO if number else BOB,
            value=BIGGEST,
            data=b"",
        )

    await ledger.tell([execution("erc734_executed", 0), execution("identity_execution_failed", 1)])
    columns = ("block_number", "log_index", "identity", "execution_id", "to_", "value", "success")
    assert await ledger.rows("identity_execution", *columns) == [
        (1, 0, IDENTITY, Decimal(0), BOB, BIGGEST, True),
        (1, 1, IDENTITY, Decimal(1), None, BIGGEST, False),
    ]


# -- topics and issuers -----------------------------------------------------------------------------------------------


async def test_claim_topic_stays_since_it_was_first_added_without_a_break(ledger, say):
    def topic(what, number, diamond=DIAMOND):
        return say(f"claim_topic_{what}", diamond, claim_topic=number)

    await ledger.tell(
        [topic("added", KYC), topic("added", AML), topic("added", KYC, OTHER)],
        [topic("added", KYC), topic("removed", AML)],
        [topic("removed", AML), topic("removed", ACCREDITED)],
        [topic("removed", KYC, OTHER), topic("added", KYC, OTHER)],
    )
    assert await ledger.rows(
        "claim_topic", "diamond", "claim_topic", "active", "since", "removed_block", "inconsistency"
    ) == [
        (OTHER, KYC, True, 4, None, None),
        (DIAMOND, KYC, True, 1, None, None),
        (DIAMOND, AML, False, 1, 2, None),
        (DIAMOND, ACCREDITED, False, None, 3, "removed without having been added"),
    ]


TOPIC_ROW = ("issuer", "claim_topic", "active", "since", "removed_block")


async def test_claim_topic_removed_of_an_issuer_is_not_applied(ledger, say):
    # It changes no view of the contract, and comes for topics that the issuer never had.
    def removed(topic):
        return say("trusted_issuer_claim_topic_removed", DIAMOND, issuer=ISSUER, claim_topic=topic)

    await ledger.tell([trusted(say, [KYC, AML])], [removed(KYC), removed(ACCREDITED)])
    assert await ledger.rows("trusted_issuer_topic", *TOPIC_ROW, "updated_block") == [
        (ISSUER, KYC, True, 1, None, 1),
        (ISSUER, AML, True, 1, None, 1),
    ]


async def test_claim_topic_added_to_an_issuer_is_not_applied(ledger, say):
    one_more = say("trusted_issuer_claim_topic_added", DIAMOND, issuer=ISSUER, claim_topic=AML)
    await ledger.tell([trusted(say, [KYC])], [one_more])
    assert await ledger.rows("trusted_issuer_topic", *TOPIC_ROW) == [(ISSUER, KYC, True, 1, None)]


async def test_claim_topics_updated_replaces_the_whole_set(ledger, say):
    await ledger.tell(
        [trusted(say, [KYC, AML, AML])],
        [trusted(say, [AML, ACCREDITED], "claim_topics_updated")],
        [trusted(say, [KYC, AML], "claim_topics_updated"), trusted(say, [KYC], issuer=RIVAL)],
    )
    assert await ledger.rows("trusted_issuer_topic", *TOPIC_ROW) == [
        (ISSUER, KYC, True, 3, None),
        (ISSUER, AML, True, 1, None),
        (ISSUER, ACCREDITED, False, 2, 3),
        (RIVAL, KYC, True, 3, None),
    ]


async def test_claim_topics_updated_to_nothing_leaves_the_issuer_trusted(ledger, say):
    await ledger.tell([trusted(say, [KYC])], [trusted(say, [], "claim_topics_updated")])
    assert await ledger.rows("trusted_issuer", "issuer", "active", "since", "updated_block") == [
        (ISSUER, True, 1, 2)
    ]
    assert await ledger.rows("trusted_issuer_topic", *TOPIC_ROW) == [(ISSUER, KYC, False, 1, 2)]


async def test_trusted_issuer_updated_of_older_builds_replaces_the_whole_set(ledger, say):
    told = {"issuer": "0x" + ISSUER.hex(), "claimTopics": [str(AML), str(BIGGEST)]}
    updated = say("trusted_issuer_updated", DIAMOND, issuer_address=ISSUER, trusted_issuer=json.dumps(told))
    await ledger.tell([trusted(say, [KYC])], [updated])
    assert await ledger.rows("trusted_issuer_topic", *TOPIC_ROW) == [
        (ISSUER, KYC, False, 1, 2),
        (ISSUER, AML, True, 2, None),
        (ISSUER, BIGGEST, True, 2, None),
    ]
    assert await ledger.rows("trusted_issuer", "issuer", "active", "inconsistent") == [(ISSUER, True, False)]


async def test_trusted_issuer_removed_ends_the_issuer_and_its_topics(ledger, say):
    await ledger.tell([trusted(say, [KYC])], [distrusted(say)], [distrusted(say)])
    assert await ledger.rows("trusted_issuer", "active", "since", "removed_block", "inconsistent") == [
        (False, 1, 2, False)
    ]
    assert await ledger.rows("trusted_issuer_topic", *TOPIC_ROW) == [(ISSUER, KYC, False, 1, 2)]


async def test_trusted_issuer_added_again_starts_anew(ledger, say):
    await ledger.tell([trusted(say, [KYC])], [distrusted(say)], [trusted(say, [AML])])
    assert await ledger.rows("trusted_issuer", "active", "since", "removed_block") == [(True, 3, None)]
    assert await ledger.rows("trusted_issuer_topic", *TOPIC_ROW) == [
        (ISSUER, KYC, False, 1, 2),
        (ISSUER, AML, True, 3, None),
    ]


async def test_trusted_issuer_given_topics_or_removed_without_having_been_added_is_marked(ledger, say):
    await ledger.tell([trusted(say, [KYC], "claim_topics_updated")], [distrusted(say, RIVAL)])
    assert await ledger.rows(
        "trusted_issuer", "issuer", "active", "since", "removed_block", "inconsistency"
    ) == [
        (ISSUER, True, 1, None, "given topics without having been added"),
        (RIVAL, False, None, 2, "removed without having been added"),
    ]
    assert await ledger.rows("trusted_issuer_topic", *TOPIC_ROW) == [(ISSUER, KYC, True, 1, None)]
