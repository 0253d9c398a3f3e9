"""More of what people do: trade deals from invoice to redemption, and identities that are found by their announcement."""

from __future__ import annotations

from eth_utils.crypto import keccak

from indexer.demo.actions import (
    Action,
    People,
    buy,
    certificates,
    describe_gems,
    items,
    measure,
    mint_gems,
    move_gems,
    offer,
    pay,
    register,
    retire,
    spend_allowance,
    tickets,
)
from indexer.demo.calls import ZERO_ADDRESS, Send
from indexer.demo.deploy import CLAIM_TOPICS
from indexer.demo.offices import announce, draw, govern, passes
from indexer.demo.sales import buy_many, keep_treasury, open_sale

_MOST_DEALS = 12
_UNIT = 10**12


async def open_deal(people: People) -> list[Send]:
    """A new deal (the first has id 0), which makes a collateral token, with an explicit participant."""
    deal = await people.ask(people.made.diamond, "getTradeDealCount")
    if deal >= _MOST_DEALS:
        return []
    usdc = people.made.contracts["usdc"].address
    rate, topics = people.dice.randrange(100, 1500), list(people.dice.sample(CLAIM_TOPICS, 2))
    return [
        people.on_diamond(people.actor(), "createTradeDeal", f"Deal {deal}", f"D{deal}", rate, usdc, topics),
        people.on_diamond(people.made.admin, "addTradeDealParticipant", deal, people.actor()),
    ]


async def fund_deal(people: People) -> list[Send]:
    """Invoices into deals and out again, deposits by anybody, which may complete the funding."""
    deal = await _some_deal(people)
    if deal is None:
        return []
    sends = []
    for token, owner in (await people.own_tokens())[:1]:
        sends.append(people.on_diamond(owner, "tdDepositInvoice", deal, token))
        if people.dice.random() < 0.2:
            sends.append(people.on_diamond(owner, "tdWithdrawInvoice", deal, token))
    amount = people.dice.randrange(1, 600_000)
    sends.append(people.on_diamond(people.actor(), "tdDepositUSDC", deal, amount))
    return sends


async def settle_deal(people: People) -> list[Send]:
    """Funding withdrawn less fees, repayments by the borrower or for him, redemption of collateral."""
    deal = await _some_deal(people)
    if deal is None:
        return []
    status = await people.ask(people.made.diamond, "getTradeDeal", deal)
    collateral, target, balance, debt = status[3], status[7], status[8], status[9]
    sends = []
    if debt and 0 < target <= balance:
        sends.append(people.on_diamond(people.actor(), "withdrawTradeDealFunding", deal))
    if debt:
        payer, for_borrower = people.actor(), people.dice.random() < 0.5
        amount = people.dice.randrange(1, debt + 1)
        sends.append(people.on_diamond(payer, "repayTradeDeal", deal, amount, for_borrower))
    holder = people.actor()
    held = await people.ask(people.made.collateral(collateral), "balanceOf", holder)
    if balance and people.dice.random() < 0.2:
        amount = people.dice.randrange(1, balance + 1)
        sends.append(people.on_diamond(people.actor(), "tdWithdrawUSDC", deal, amount))
    if held >= _UNIT and balance:
        part = people.dice.randrange(1, held // _UNIT + 1) * _UNIT
        sends.append(people.on_diamond(holder, "redeemCollateralTokens", deal, part))
    return sends


async def manage_deal(people: People) -> list[Send]:
    """Rates, participants and the active flag of a deal."""
    deal = await _some_deal(people)
    if deal is None:
        return []
    admin, kind = people.made.admin, people.dice.randrange(4)
    if kind == 0:
        return [people.on_diamond(admin, "updateTradeDeal", deal, people.dice.randrange(100, 1500))]
    if kind == 1:
        return [people.on_diamond(admin, "removeTradeDealParticipant", deal, people.actor())]
    if kind == 2:
        return [people.on_diamond(admin, "addTradeDealParticipant", deal, people.anybody())]
    return [people.on_diamond(admin, "setTradeDealActive", deal, active) for active in (False, True)]


async def create_identity(people: People) -> list[Send]:
    """A new identity, for an actor or a stranger; a collateral token moves on the side."""
    return [people.on("identity_factory", people.made.admin, "createIdentity", people.anybody())]


async def use_identity(people: People) -> list[Send]:
    """Keys, claims (added again, removed) and attributes of an identity, all said at its own address."""
    wallet = people.actor()
    address = await people.ask(people.made.contracts["identity_factory"], "getIdentity", wallet)
    if address == ZERO_ADDRESS:
        return []
    identity = people.made.identity(address)
    key, topic = keccak(people.dice.randbytes(4)), people.dice.choice(CLAIM_TOPICS)
    calls = [
        identity.data("addKey", key, people.dice.randrange(1, 4), 1),
        identity.data("addClaim", topic, 1, b"\x00\x01", people.dice.randbytes(40), "ipfs://claim"),
        identity.data("setAttribute", "country", 1, people.dice.choice(("DE", "CL", "日本", ""))),
    ]
    if people.dice.random() < 0.4:
        calls.append(identity.data("removeKey", key, 1))
    claim = keccak(bytes(12) + bytes.fromhex(wallet[2:]) + topic.to_bytes(32, "big"))
    if people.dice.random() < 0.3:
        calls.append(identity.data("changeClaim", claim, 10002, b"\x02", "ipfs://changed"))
    if people.dice.random() < 0.4:
        calls.append(identity.data("removeClaim", claim))
    if people.dice.random() < 0.2:
        calls.append(identity.data("tryExecute", people.made.diamond.address, 0, b"\xde\xad\xbe\xef"))
    if people.dice.random() < 0.3:
        supply = people.made.contracts["usdc"]
        calls.append(
            identity.data("execute", supply.address, 0, bytes.fromhex(supply.data("totalSupply")[2:]))
        )
    return [Send(wallet, address, data) for data in calls]


async def _some_deal(people: People) -> int | None:
    count = await people.ask(people.made.diamond, "getTradeDealCount")
    return people.dice.randrange(count) if count else None


ACTIONS: tuple[tuple[Action, int], ...] = (
    (pay, 6),
    (spend_allowance, 2),
    (certificates, 2),
    (tickets, 2),
    (items, 3),
    (mint_gems, 4),
    (move_gems, 3),
    (describe_gems, 1),
    (offer, 3),
    (buy, 3),
    (retire, 3),
    (measure, 1),
    (register, 3),
    (open_deal, 1),
    (fund_deal, 3),
    (settle_deal, 3),
    (manage_deal, 2),
    (create_identity, 2),
    (use_identity, 3),
    (open_sale, 3),
    (buy_many, 3),
    (keep_treasury, 2),
    (govern, 3),
    (draw, 1),
    (passes, 3),
    (announce, 1),
)
"""Everything people do, and how often compared with the rest."""
