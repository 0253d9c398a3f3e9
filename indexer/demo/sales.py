"""Sales of many tokens and the treasury: more of what people do on the demo's chain."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from indexer.demo.actions import People
from indexer.demo.calls import ZERO_ADDRESS, Send

ERC20_TOKENS, ERC721_TOKENS, ERC1155_TOKENS = 0, 1, 2
NATIVE, BY_TOKEN = 0, 1
NO_MODIFIER, FIXED = 0, 1
_MOST_SALES = 8
_SOLD_ITEM = 7


def sale_settings(
    people: People, token_type: int, payment_method: int, price: tuple[int, int, int, int], *, is_open: bool
) -> tuple[Any, ...]:
    """All settings of a sale; ``price`` is the price, its modifier, the modifier's factor and the highest price."""
    contracts = people.made.contracts
    sold = {ERC20_TOKENS: "points", ERC721_TOKENS: "diamond", ERC1155_TOKENS: "items"}[token_type]
    token_hash = _SOLD_ITEM if token_type == ERC1155_TOKENS else 0
    paid_in = ZERO_ADDRESS if payment_method == NATIVE else contracts["usdc"].address
    whitelist = int.from_bytes(keccak(text="whitelist"), "big")
    what = (token_type, contracts[sold].address, token_hash, whitelist, is_open)
    who = (payment_method, paid_in, people.made.admin, people.made.accounts[9])
    words = ("SALE", f"Sale of {sold}", "Verkauf, 販売", is_open, 1_700_000_000, 2_000_000_000)
    limits = (1_000_000, 50, 1, 1_000)
    return (*what, *who, *words, *limits, payment_method, contracts[sold].address, 0, price)


async def open_sale(people: People) -> list[Send]:
    """A new sale, of each kind of token and payment in turn; later on new settings for one of them."""
    number = len(await people.ask(people.made.diamond, "listTokenSales"))
    token_type, payment_method = number % 3, number // 3 % 2
    modifier = people.dice.choice((NO_MODIFIER, FIXED))
    price = (people.dice.randrange(1, 500), modifier, people.dice.randrange(1, 9), 1_000)
    if number < _MOST_SALES:
        settings = sale_settings(people, token_type, payment_method, price, is_open=False)
        return [people.on_diamond(people.made.admin, "createTokenSale", settings)]
    sale = people.dice.randrange(number)
    settings = sale_settings(people, sale % 3, sale // 3 % 2, price, is_open=people.dice.random() < 0.5)
    return [people.on_diamond(people.made.admin, "updateTokenSaleSettings", sale, settings)]


async def buy_many(people: People) -> list[Send]:
    """A purchase for oneself or another, plainly or with a proof; the event names the receiver or the purchaser."""
    sales = await people.ask(people.made.diamond, "listTokenSales")
    if not sales:
        return []
    sale, buyer = people.dice.choice(sales), people.actor()
    told = await people.ask(people.made.diamond, "getTokenSaleSettings", sale)
    payment_method, price, quantity = told[5], told[-1][0], people.dice.randrange(1, 5)
    value = price * quantity if payment_method == NATIVE else 0
    # An ERC-1155 is handed to people only: a stranger's address is one, too.
    receiver = people.anybody()
    if people.dice.random() < 0.5:
        return [people.on_diamond(buyer, "purchase", sale, receiver, quantity, b"\x01", value=value)]
    proof: list[bytes] = [bytes(32)]
    return [people.on_diamond(buyer, "purchaseProof", sale, receiver, quantity, proof, b"", value=value)]


async def keep_treasury(people: People) -> list[Send]:
    """Deposits for several tokens at once, and withdrawals of everything that some tokens have."""
    tokens = people.dice.sample(range(6), people.dice.randrange(1, 4))
    deposits = [(token, people.dice.randrange(1, 10_000)) for token in tokens]
    sends = [people.on("treasury", people.actor(), "deposit", deposits)]
    if people.dice.random() < 0.3:
        sends.append(people.on("treasury", people.made.admin, "withdraw", tokens[:2]))
    return sends
