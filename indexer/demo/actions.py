"""What people do on the demo's chain: each action looks at the chain and makes transactions that usually succeed.

Some fail, as on any chain: two of them may want the same token within one block, and a reorg may have changed what an
earlier look showed. All choices come from one seeded generator.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

from indexer.demo.anvil import AnvilClient
from indexer.demo.calls import ZERO_ADDRESS, Contract, Send
from indexer.demo.deploy import CLAIM_TOPICS, Deployment

_LOOKS = 6

Action = Callable[["People"], Awaitable[list[Send]]]


class People:
    """The actors, what they know of the chain, and the dice."""

    def __init__(self, client: AnvilClient, made: Deployment, dice: random.Random) -> None:
        self.client = client
        self.made = made
        self.dice = dice
        self.upgraded = False

    def actor(self) -> str:
        """Somebody who sends transactions."""
        return self.dice.choice(self.made.actors)

    def anybody(self) -> str:
        """An actor, or an address that never was seen before."""
        return self.actor() if self.dice.random() < 0.7 else self.stranger()

    def stranger(self) -> str:
        """A new address."""
        return "0x" + self.dice.randbytes(20).hex()

    async def ask(self, contract: Contract, function: str, *arguments: Any) -> Any:
        """The answer of a view function at the newest block."""
        request = {"to": contract.address, "data": contract.data(function, *arguments)}
        answer = await self.client.call("eth_call", request, "latest")
        return contract.result(function, len(arguments), answer)

    async def owners(self, contract: Contract, count: int) -> list[tuple[int, str]]:
        """A few random tokens below ``count`` that belong to actors, with their owners."""
        tokens = sorted({self.dice.randrange(count) for _ in range(_LOOKS)}) if count else []
        found = []
        for token in tokens:
            answer = await self.client.call_or_none(
                "eth_call", {"to": contract.address, "data": contract.data("ownerOf", token)}, "latest"
            )
            owner = contract.result("ownerOf", 1, answer) if answer else None
            if owner in self.made.actors:
                found.append((token, owner))
        self.dice.shuffle(found)
        return found

    async def own_tokens(self) -> list[tuple[int, str]]:
        """A few of the diamond's tokens that actors own."""
        return await self.owners(self.made.diamond, await self.ask(self.made.diamond, "totalSupply"))

    def on_diamond(self, sender: str, function: str, *arguments: Any, value: int = 0) -> Send:
        """A transaction to the diamond."""
        diamond = self.made.diamond
        return Send(sender, diamond.address, diamond.data(function, *arguments), value)

    def on(self, name: str, sender: str, function: str, *arguments: Any) -> Send:
        """A transaction to one of the plain contracts."""
        contract = self.made.contracts[name]
        return Send(sender, contract.address, contract.data(function, *arguments))


async def pay(people: People) -> list[Send]:
    """ERC-20: transfers, sometimes of nothing or to oneself; mints and burns."""
    sender, amount = people.actor(), people.dice.randrange(1, 5_000_000)
    sends = [people.on("usdc", sender, "transfer", people.anybody(), amount)]
    kind = people.dice.randrange(6)
    if kind == 0:
        sends.append(people.on("usdc", sender, "transfer", sender, 0))
    elif kind == 1:
        sends.append(people.on("usdc", people.made.admin, "mint", people.actor(), amount * 10))
    elif kind == 2:
        sends.append(people.on("usdc", sender, "burn", amount))
    return sends


async def spend_allowance(people: People) -> list[Send]:
    """ERC-20: an approval, and a transfer that spends part of it without another event."""
    owner, spender = people.dice.sample(people.made.actors, 2)
    amount = people.dice.randrange(1, 1_000_000)
    return [
        people.on("usdc", owner, "approve", spender, amount * 2),
        people.on("usdc", spender, "transferFrom", owner, people.anybody(), amount),
    ]


async def certificates(people: People) -> list[Send]:
    """OpenZeppelin's ERC-721: mint, transfer, approve, burn."""
    contract = people.made.contracts["certificates"]
    sends = [people.on("certificates", people.made.admin, "mint", people.actor())]
    for token, owner in (await people.owners(contract, await people.ask(contract, "minted")))[:2]:
        if people.dice.random() < 0.15:
            sends.append(people.on("certificates", owner, "burn", token))
        elif people.dice.random() < 0.3:
            sends.append(people.on("certificates", owner, "approve", people.anybody(), token))
        else:
            sends.append(people.on("certificates", owner, "transferFrom", owner, people.actor(), token))
    return sends


async def tickets(people: People) -> list[Send]:
    """ERC721A: several tokens in one mint, and their transfers."""
    contract = people.made.contracts["tickets"]
    sends = [people.on("tickets", people.made.admin, "mint", people.actor(), people.dice.randrange(1, 6))]
    for token, owner in (await people.owners(contract, await people.ask(contract, "totalSupply")))[:2]:
        if people.dice.random() < 0.2:
            sends.append(people.on("tickets", owner, "burn", token))
        else:
            sends.append(people.on("tickets", owner, "transferFrom", owner, people.actor(), token))
    return sends


async def items(people: People) -> list[Send]:
    """ERC-1155: batch mints, batch and single transfers, batch burns, URIs, operators."""
    owner, other = people.dice.sample(people.made.actors, 2)
    ids = sorted(people.dice.sample(range(8), people.dice.randrange(2, 5)))
    amounts = [people.dice.randrange(2, 100) for _ in ids]
    part = [max(1, amount // 3) for amount in amounts]
    sends = [
        people.on("items", people.made.admin, "mintBatch", owner, ids, amounts),
        people.on("items", owner, "safeBatchTransferFrom", owner, other, ids, part, b""),
        people.on("items", owner, "safeTransferFrom", owner, people.anybody(), ids[0], 1, b"\x01"),
    ]
    kind = people.dice.randrange(4)
    if kind == 0:
        sends.append(people.on("items", other, "burnBatch", ids, part))
    elif kind == 1:
        sends.append(people.on("items", people.made.admin, "setUri", ids[0], f"ipfs://item/{ids[0]}/ünïcode"))
    elif kind == 2:
        sends.append(people.on("items", owner, "setApprovalForAll", other, people.dice.random() < 0.5))
    return sends


async def mint_gems(people: People) -> list[Send]:
    """The diamond's tokens: minted with attributes (an invoice or carbon credits), or several plainly."""
    owner = people.actor()
    amount = people.dice.randrange(1, 900)
    attributes = [
        ("totalAmount", 1, f"{amount} 000 USDC"),
        ("vintage", 3, str(people.dice.randrange(2015, 2026))),
        ("name", 1, people.dice.choice(("Aufforstung Süd", "Mangrove", "風力発電", ""))),
    ]
    sends = [people.on_diamond(owner, "gemforceMint", attributes)]
    if people.dice.random() < 0.3:
        sends.append(people.on_diamond(owner, "mint", people.actor(), people.dice.randrange(1, 4)))
    return sends


async def move_gems(people: People) -> list[Send]:
    """Transfers that may be forced by a stranger, approvals, operators, burns by an operator."""
    sends = []
    for token, owner in (await people.own_tokens())[:3]:
        kind, other = people.dice.randrange(6), people.actor()
        if kind == 0:
            sends.append(people.on_diamond(other, "forcedTransfer", owner, people.actor(), token))
        elif kind == 1:
            sends.append(people.on_diamond(owner, "approve", other, token))
            sends.append(people.on_diamond(other, "transferFrom", owner, other, token))
        elif kind == 2:
            sends.append(people.on_diamond(owner, "setApprovalForAll", other, True))
            sends.append(people.on_diamond(other, "burn", token))
        else:
            sends.append(
                people.on_diamond(owner, "safeTransferFrom", owner, people.anybody(), token, b"\xfe")
            )
    return sends


async def describe_gems(people: People) -> list[Send]:
    """Attributes of tokens and of the contract: set and deleted."""
    sends = []
    for token, owner in (await people.own_tokens())[:2]:
        value = ("grade", 1, people.dice.choice("ABC"))
        sends.append(people.on_diamond(owner, "setTokenMetadata", token, "grade", value))
        if people.dice.random() < 0.4:
            sends.append(people.on_diamond(owner, "deleteTokenMetadata", token, "grade"))
    sends.append(people.on_diamond(people.made.admin, "setContractMetadata", "k", ("theme", 1, "dark")))
    if people.dice.random() < 0.3:
        sends.append(people.on_diamond(people.made.admin, "deleteContractMetadata", "theme"))
    return sends


async def offer(people: People) -> list[Send]:
    """Listings with and without escrow, superseded ones, and delistings whose ``from`` is false."""
    sends = []
    for token, owner in (await people.own_tokens())[:2]:
        native = people.dice.random() < 0.4
        price = people.dice.randrange(0, 10**15) if native else people.dice.randrange(1, 10**8)
        currency = ZERO_ADDRESS if native else people.made.contracts["usdc"].address
        escrow = people.dice.random() < 0.5
        sends.append(people.on_diamond(owner, "listItem", owner, token, price, escrow, currency))
        if people.dice.random() < 0.3:
            sends.append(people.on_diamond(owner, "delistItem", people.made.diamond.address, token))
        elif not escrow and people.dice.random() < 0.2:
            sends.append(people.on_diamond(owner, "listItem", owner, token, price + 1, escrow, currency))
    return sends


async def buy(people: People) -> list[Send]:
    """Purchases of what is listed, in native coin or ERC-20."""
    count = await people.ask(people.made.diamond, "totalSupply")
    tokens = {people.dice.randrange(count) for _ in range(2 * _LOOKS)} if count else set()
    for token in sorted(tokens):
        _, _, price, currency, _, is_open = await people.ask(people.made.diamond, "fetchItem", token)
        if is_open:
            value = price if currency == ZERO_ADDRESS else 0
            target = people.made.diamond.address
            return [people.on_diamond(people.actor(), "purchaseItem", target, token, value=value)]
    return []


async def retire(people: People) -> list[Send]:
    """Carbon credits: set once, retired in parts by the owner; many at once after the upgrade."""
    sends = []
    for token, owner in (await people.own_tokens())[:2]:
        left = await people.ask(people.made.diamond, "getCarbonCreditBalance", token)
        if left == 0:
            amount = people.dice.randrange(10, 10_000)
            sends.append(people.on_diamond(people.made.admin, "initializeCarbonBalance", token, amount))
        else:
            amount = left if people.dice.random() < 0.3 else people.dice.randrange(1, left + 1)
            if people.upgraded:
                sends.append(people.on_diamond(owner, "retireCarbonCreditsBatch", [token], [amount]))
            else:
                sends.append(people.on_diamond(owner, "retireCarbonCredits", token, amount))
    return sends


async def measure(people: People) -> list[Send]:
    """A reading of a device, in an event that no ABI has."""
    if people.dice.random() < 0.7:
        return []
    device, value = people.dice.randbytes(32), people.dice.randrange(-20_000, 45_000)
    return [people.on_diamond(people.actor(), "report", device, value)]


async def register(people: People) -> list[Send]:
    """Claims in the diamond's registry; topics it does not know are listed but not stored."""
    wallet = people.actor()
    identity = await people.ask(people.made.contracts["identity_factory"], "getIdentity", wallet)
    if identity == ZERO_ADDRESS:
        return []
    issuer = people.made.accounts[8]
    topics = [*people.dice.sample(CLAIM_TOPICS, 2), 777]
    sends = [
        people.on_diamond(issuer, "addIdentity", wallet, identity),
        people.on_diamond(issuer, "setClaims", identity, topics),
    ]
    if people.dice.random() < 0.4:
        sends.append(people.on_diamond(issuer, "removeClaim", identity, topics[0]))
    if people.dice.random() < 0.2:
        sends.append(people.on_diamond(issuer, "addClaim", identity, people.dice.choice(topics), b"\x05"))
    if people.dice.random() < 0.2:
        sends.append(people.on_diamond(issuer, "removeClaims", identity, topics))
    if people.dice.random() < 0.2:
        sends.append(people.on_diamond(issuer, "removeIdentity", wallet))
    if people.dice.random() < 0.2:
        gone = people.dice.choice(topics)
        sends.append(people.on_diamond(people.made.admin, "removeTrustedIssuerClaimTopic", issuer, gone))
    if people.dice.random() < 0.2:
        sends.append(people.on_diamond(people.made.admin, "updateIssuerClaimTopics", issuer, topics))
    if people.dice.random() < 0.2:
        sends.append(people.on_diamond(people.made.admin, "addTrustedIssuer", wallet, topics[:1]))
        sends.append(people.on_diamond(people.made.admin, "removeTrustedIssuer", wallet))
    return sends
