"""What is stored because only calls can tell it: which rows to ask about, what to ask, and the row that comes of it.

A read walks a relation in the order of its keys, ``sample`` rows a pass. ``asks`` gives the questions of one row; ``rows`` makes of
their answers the rows of ``table``, in the order of ``columns``. No row comes of a contract that answers nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from indexer.decode.privacy import Privacy
from indexer.sync.reconcile import answers
from indexer.sync.reconcile.calls import question
from indexer.sync.reconcile.read import Answers, Read, Row
from indexer.sync.reconcile.settings import SETTINGS


def _token(row: Row, told: Answers, _privacy: Privacy) -> Iterable[tuple[Any, ...]]:
    decimals = answers.single("uint256", told[2])
    decimals = decimals if decimals is not None and decimals < 256 else None
    yield (row[0], answers.text(told[0]), answers.text(told[1]), decimals, answers.text(told[3]))


def _uri(row: Row, told: Answers, privacy: Privacy) -> Iterable[tuple[Any, ...]]:
    uri = answers.text(told[0])
    if told[0]:
        yield (row[0], row[1], privacy.token_uri(uri))


def _attributes(row: Row, told: Answers, privacy: Privacy) -> Iterable[tuple[Any, ...]]:
    for key, (kind, value) in (answers.attributes(told[0]) or {}).items():
        if len(key.encode()) <= 1000:  # an index has no room for longer ones
            yield (row[0], row[1], key, kind, privacy.attribute(key, value))


def _deal(row: Row, told: Answers, _privacy: Privacy) -> Iterable[tuple[Any, ...]]:
    status = answers.values(answers.DEAL, told[0])
    if status is not None:
        yield (row[0], row[1], *status, answers.words_of_addresses(told[1]))


def _topics(row: Row, told: Answers, _privacy: Privacy) -> Iterable[tuple[Any, ...]]:
    found = answers.topics(told[0])
    if found is not None:
        yield (*row, found)


READS: tuple[Read, ...] = (
    Read(
        "token",
        "state.token",
        ("contract",),
        "state.silent_token",
        ("contract",),
        ("contract", "name", "symbol", "decimals", "contract_uri"),
        lambda row: [
            question(row[0], one) for one in ("name()", "symbol()", "decimals()", "contractURI()")
        ],
        _token,
    ),
    Read(
        "token_uri",
        "(SELECT * FROM state.nft WHERE NOT burned)",
        ("contract", "token_id"),
        "state.silent_token_uri",
        ("contract", "token_id"),
        ("contract", "token_id", "uri"),
        lambda row: [question(row[0], "tokenURI(uint256)", row[1])],
        _uri,
    ),
    Read(
        "erc1155_uri",
        "(SELECT chain_id, contract, token_id, max(updated_block) AS updated_block FROM state.erc1155_balance"
        " GROUP BY chain_id, contract, token_id)",
        ("contract", "token_id"),
        "state.silent_token_uri",
        ("contract", "token_id"),
        ("contract", "token_id", "uri"),
        lambda row: [question(row[0], "uri(uint256)", row[1])],
        _uri,
    ),
    Read(
        "token_attribute",
        "(SELECT nft.* FROM state.nft JOIN state.diamond ON diamond.chain_id = nft.chain_id AND diamond.diamond = nft.contract"
        " WHERE NOT burned)",
        ("contract", "token_id"),
        "state.silent_token_attribute",
        ("contract", "token_id", "key"),
        ("contract", "token_id", "key", "attribute_type", "value"),
        lambda row: [question(row[0], "getAllTokenMetadata(uint256)", row[1])],
        _attributes,
        replaces=True,
    ),
    Read(
        "trade_deal",
        "state.trade_deal",
        ("diamond", "deal_id"),
        "state.silent_trade_deal",
        ("diamond", "deal_id"),
        ("diamond", "deal_id", "funding_target", "current_balance", "is_funded", "is_funding_withdrawn", "total_debt",
         "repaid_amount", "is_repaid", "token_addresses"),
        lambda row: [
            question(row[0], "getTradeDealFullStatus(uint256)", row[1]),
            question(row[0], "getTradeDealTokenAddresses(uint256)", row[1]),
        ],
        _deal,
    ),
    Read(
        "claim_topics",
        "state.diamond",
        ("diamond",),
        "state.silent_claim_topics",
        ("diamond",),
        ("diamond", "claim_topics"),
        lambda row: [question(row[0], "getClaimTopics()")],
        _topics,
    ),
    Read(
        "issuer_topics",
        "(SELECT * FROM state.trusted_issuer WHERE active)",
        ("diamond", "issuer"),
        "state.silent_issuer_topics",
        ("diamond", "issuer"),
        ("diamond", "issuer", "claim_topics"),
        lambda row: [question(row[0], "getTrustedIssuerClaimTopics(address)", row[1])],
        _topics,
    ),
    *SETTINGS,
)  # fmt: skip
"""All of it."""
