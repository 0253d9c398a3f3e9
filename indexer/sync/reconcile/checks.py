"""Which rows are compared with which view function.

A check says where its rows are, what to ask about one, and what the row would be if the contract is right. Rows come with
the columns of ``keys`` first, then those of ``claims``. ``told`` makes of an answer what ``claims`` should be; None means that the
contract does not answer, which is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.sync.reconcile import answers
from indexer.sync.reconcile.calls import Question, question

Row = Sequence[Any]
Claim = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison. ``where`` narrows the rows, ``relation`` is a table or a query in parentheses."""

    name: str
    relation: str
    keys: tuple[str, ...]
    claims: tuple[str, ...]
    ask: Callable[[Row], Question]
    told: Callable[[bytes | None], Claim | None]
    where: str = "true"
    agrees: Callable[[Claim, Claim], bool] = lambda claim, told: claim == told


def _number(answer: bytes | None) -> Claim | None:
    found = answers.single("uint256", answer)
    return None if found is None else (found,)


def _flag(answer: bytes | None) -> Claim | None:
    found = answers.single("bool", answer)
    return None if found is None else (found,)


def _address(answer: bytes | None) -> Claim | None:
    return (answers.address(answer),) if answer else None


def _owner(answer: bytes | None) -> Claim | None:
    """A token without an owner: the function reverts, or gives the zero address."""
    if answer is None:
        return (None,)
    return (answers.address(answer),) if answer else None


def _facets(answer: bytes | None) -> Claim | None:
    found = answers.single("(address,bytes4[])[]", answer)
    if found is None:
        return None
    return (sorted(selector + facet for facet, selectors in found for selector in selectors),)


def _carbon(answer: bytes | None) -> Claim | None:
    found = answers.single("uint256[]", answer)
    return (found[0],) if found is not None and len(found) == 1 else None


def _deal(answer: bytes | None) -> Claim | None:
    found = answers.values(answers.DEAL, answer)
    return None if found is None else (found[0], found[1], found[4], found[5])


def _known_part(claim: Claim, told: Claim) -> bool:
    """What the events do not tell (NULL) contradicts nothing."""
    return all(ours is None or ours == theirs for ours, theirs in zip(claim, told, strict=True))


def _receivers(answer: bytes | None) -> Claim | None:
    found = answers.single("(address,uint256)[]", answer)
    if found is None:
        return None
    return (sorted(f"{receiver.hex()}:{weight}" for receiver, weight in found),)


def _topics(answer: bytes | None) -> Claim | None:
    found = answers.topics(answer)
    return None if found is None else (found,)


def _sale(answer: bytes | None) -> Claim | None:
    found = answers.sale(answer)
    return None if found is None else (found.is_open, *found.limits)


def _at_least(claim: Claim, told: Claim) -> bool:
    return bool(claim[0] >= told[0])


CHECKS: tuple[Check, ...] = (
    Check(
        "erc20_supply",
        "state.erc20_supply",
        ("token",),
        ("supply",),
        lambda row: question(row[0], "totalSupply()"),
        _number,
    ),
    Check(
        "erc20_balance",
        "state.erc20_balance",
        ("token", "holder"),
        ("balance",),
        lambda row: question(row[0], "balanceOf(address)", row[1]),
        _number,
    ),
    # Spending an allowance needs no event: what events say is an upper bound.
    Check(
        "erc20_allowance",
        "state.erc20_allowance",
        ("token", "owner", "spender"),
        ("allowance",),
        lambda row: question(row[0], "allowance(address,address)", row[1], row[2]),
        _number,
        agrees=_at_least,
    ),
    Check(
        "nft_owner",
        "state.nft",
        ("contract", "token_id"),
        ("owner",),
        lambda row: question(row[0], "ownerOf(uint256)", row[1]),
        _owner,
    ),
    Check(
        "nft_operator",
        "state.nft_operator",
        ("contract", "owner", "operator"),
        ("approved",),
        lambda row: question(row[0], "isApprovedForAll(address,address)", row[1], row[2]),
        _flag,
    ),
    Check(
        "erc1155_balance",
        "state.erc1155_balance",
        ("contract", "token_id", "holder"),
        ("balance",),
        lambda row: question(row[0], "balanceOf(address,uint256)", row[2], row[1]),
        _number,
    ),
    Check(
        "diamond_selectors",
        "(SELECT chain_id, diamond, array_agg(selector || facet ORDER BY selector || facet)"
        " FILTER (WHERE removed_block IS NULL) AS served, max(updated_block) AS updated_block"
        " FROM state.diamond_selector GROUP BY chain_id, diamond)",
        ("diamond",),
        ("served",),
        lambda row: question(row[0], "facets()"),
        _facets,
    ),
    Check(
        "contract_owner",
        "state.ownership",
        ("contract",),
        ("owner",),
        lambda row: question(row[0], "owner()"),
        _address,
    ),
    Check(
        "pause_flag",
        "state.pause_flag",
        ("contract",),
        ("paused",),
        lambda row: question(row[0], "paused()"),
        _flag,
    ),
    Check(
        "role_member",
        "state.role_member",
        ("contract", "role", "account"),
        ("active",),
        lambda row: question(row[0], "hasRole(bytes32,address)", row[1], row[2]),
        _flag,
    ),
    Check(
        "carbon_balance",
        "state.carbon_credit",
        ("contract", "token_id"),
        ("remaining",),
        lambda row: question(row[0], "getAllCarbonCreditBalances(uint256[])", [row[1]]),
        _carbon,
    ),
    Check(
        "trade_deal",
        "state.trade_deal",
        ("diamond", "deal_id"),
        ("target", "usdc_balance", "total_debt", "repaid_amount"),
        lambda row: question(row[0], "getTradeDealFullStatus(uint256)", row[1]),
        _deal,
        agrees=_known_part,
    ),
    # Who is no participant by an event may be one by claims; who is one by an event is one.
    Check(
        "trade_deal_participant",
        "state.trade_deal_participant",
        ("diamond", "deal_id", "account"),
        ("active",),
        lambda row: question(row[0], "isTradeDealParticipant(uint256,address)", row[1], row[2]),
        _flag,
        where="active",
    ),
    # The price is not compared: purchases move it without an event.
    Check(
        "multi_sale",
        "state.multi_sale",
        ("diamond", "sale_id"),
        ("open_state", "start_time", "end_time", "max_quantity"),
        lambda row: question(row[0], "getTokenSaleSettings(uint256)", row[1]),
        _sale,
    ),
    Check(
        "fee_receivers",
        "(SELECT chain_id, contract, max(updated_block) AS updated_block,"
        " array_agg(encode(receiver, 'hex') || ':' || weight ORDER BY encode(receiver, 'hex') COLLATE \"C\") AS fees"
        " FROM state.fee_receiver WHERE source = 'marketplace' GROUP BY chain_id, contract)",
        ("contract",),
        ("fees",),
        lambda row: question(row[0], "getMarketplaceFeeReceivers()"),
        _receivers,
    ),
    Check(
        "treasury_balance",
        "state.treasury_balance",
        ("contract", "token_id"),
        ("balance",),
        lambda row: question(row[0], "balances(uint256)", row[1]),
        _number,
    ),
    Check(
        "claim_topics",
        "(SELECT chain_id, diamond, coalesce(array_agg(claim_topic ORDER BY claim_topic) FILTER (WHERE active), '{}')"
        " AS topics, max(updated_block) AS updated_block FROM state.claim_topic GROUP BY chain_id, diamond)",
        ("diamond",),
        ("topics",),
        lambda row: question(row[0], "getClaimTopics()"),
        _topics,
    ),
    Check(
        "issuer_topics",
        "(SELECT chain_id, diamond, issuer, coalesce(array_agg(claim_topic ORDER BY claim_topic) FILTER (WHERE active), '{}')"
        " AS topics, max(updated_block) AS updated_block FROM state.trusted_issuer_topic GROUP BY chain_id, diamond, issuer)",
        ("diamond", "issuer"),
        ("topics",),
        lambda row: question(row[0], "getTrustedIssuerClaimTopics(address)", row[1]),
        _topics,
    ),
    # A factory takes an identity away without an event.
    Check(
        "factory_identity",
        "state.identity",
        ("announcer", "wallet"),
        ("identity",),
        lambda row: question(row[0], "getIdentity(address)", row[1]),
        _address,
        where="factory_created_block IS NOT NULL AND removed_block IS NULL",
    ),
)
"""Every comparison but that of attributes, which are read to be stored; see ``reads``."""
