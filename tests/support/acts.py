"""A life of each domain on the demo's contracts, step by step: every transaction has to succeed, each step is a block."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

from eth_utils.crypto import keccak

from indexer.demo.actions import People
from indexer.demo.anvil import AnvilClient
from indexer.demo.calls import ZERO_ADDRESS, Contract, Send
from indexer.demo.deploy import Deployment, run
from indexer.demo.offices import EVERYBODY, GUARD, KEEPER
from indexer.demo.sales import BY_TOKEN, ERC721_TOKENS, FIXED, NATIVE, NO_MODIFIER, sale_settings

UNIT = 10**12
TARGET = 900_000


class Acts:
    """Plays one domain after the other; ids are asked of the chain, so that each can be played any number of times."""

    def __init__(self, client: AnvilClient, made: Deployment) -> None:
        self.client = client
        self.made = made
        self.people = People(client, made, random.Random(1))
        self.alice, self.bob, self.carol, self.dave = made.actors[:4]
        self.diamond, self.usdc = made.diamond, made.contracts["usdc"]

    @property
    def all(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """Every domain, in an order."""
        return (
            self.market, self.deal, self.odd_deals, self.carbon, self.identity, self.registry, self.sales, self.money, self.offices,
            self.tokens, self.passes, self.attributes, self.fees,
        )  # fmt: skip

    async def does(self, *sends: Send) -> None:
        """A block with these transactions; raises unless all succeed."""
        await run(self.client, sends)

    def on(self, sender: str, function: str, *arguments: Any, value: int = 0) -> Send:
        return self.people.on_diamond(sender, function, *arguments, value=value)

    def at(self, name: str, sender: str, function: str, *arguments: Any) -> Send:
        return self.people.on(name, sender, function, *arguments)

    async def ask(self, contract: Contract, function: str, *arguments: Any) -> Any:
        return await self.people.ask(contract, function, *arguments)

    async def minted(self, owner: str, amount: str = "900 000 USDC") -> int:
        """A new token of the diamond with attributes; its id."""
        attributes = [("totalAmount", 1, amount), ("name", 1, "Wald, 森")]
        await self.does(self.on(owner, "gemforceMint", attributes))
        return int(await self.ask(self.diamond, "totalSupply")) - 1

    async def keeper(self) -> str:
        """Who owns the treasury; a reorg may have left it in other hands."""
        return str(await self.ask(self.made.contracts["treasury"], "owner"))

    # -- what is traded ------------------------------------------------------------------------------------------------

    async def market(self) -> None:
        """Listed and sold for ERC-20 and for coin, delisted, superseded, delisted without a listing and by another owner."""
        sold, gone, again = [await self.minted(self.alice) for _ in range(3)]
        here = self.diamond.address
        await self.does(
            self.on(self.alice, "listItem", self.alice, sold, 1_000_000, True, self.usdc.address),
            self.on(self.alice, "listItem", self.carol, gone, 10**12, True, ZERO_ADDRESS),
            self.on(self.alice, "listItem", self.alice, again, 5, False, ZERO_ADDRESS),
        )
        await self.does(self.on(self.bob, "purchaseItem", here, sold))
        await self.does(self.on(self.alice, "listItem", self.alice, again, 6, False, ZERO_ADDRESS))
        await self.does(
            self.on(self.alice, "delistItem", here, again), self.on(self.alice, "delistItem", here, again)
        )
        await self.does(self.on(self.dave, "purchaseItem", here, gone, value=10**12))
        await self.does(self.on(self.dave, "listItem", self.dave, gone, 2, False, ZERO_ADDRESS))
        await self.does(self.on(self.carol, "forcedTransfer", self.bob, self.alice, sold))
        await self.does(
            self.on(self.alice, "listItem", self.alice, sold, 3, False, ZERO_ADDRESS),
            self.on(self.alice, "safeTransferFrom", self.alice, self.carol, sold, b""),
            self.on(self.carol, "delistItem", here, sold),
        )

    async def deal(self) -> None:
        """Created, funded in two parts, withdrawn, repaid by another, redeemed; money and invoices out again."""
        deal = await self.ask(self.diamond, "getTradeDealCount")
        invoice, spare = await self.minted(self.alice), await self.minted(self.alice, "7 USDC")
        await self.does(
            self.on(self.alice, "createTradeDeal", f"Deal {deal}", "D", 500, self.usdc.address, [1, 2])
        )
        await self.does(
            self.on(self.made.admin, "addTradeDealParticipant", deal, self.bob),
            self.on(self.made.admin, "addTradeDealParticipant", deal, self.carol),
            self.on(self.made.admin, "removeTradeDealParticipant", deal, self.carol),
            self.on(self.alice, "tdDepositInvoice", deal, invoice),
            self.on(self.alice, "tdDepositInvoice", deal, spare),
        )
        await self.does(self.on(self.alice, "tdWithdrawInvoice", deal, spare))
        await self.does(self.on(self.bob, "tdDepositUSDC", deal, 400_000))
        await self.does(self.on(self.bob, "tdWithdrawUSDC", deal, 100_000))
        await self.does(self.on(self.dave, "tdDepositUSDC", deal, TARGET - 300_000))
        await self.does(self.on(self.alice, "withdrawTradeDealFunding", deal))
        await self.does(self.on(self.carol, "repayTradeDeal", deal, 45_000, True))
        await self.does(self.on(self.alice, "repayTradeDeal", deal, TARGET, False))
        await self.does(self.on(self.dave, "redeemCollateralTokens", deal, 600_000 * UNIT))
        await self.does(
            self.on(self.made.admin, "updateTradeDeal", deal, 700),
            self.on(self.made.admin, "setTradeDealActive", deal, False),
            self.on(self.made.admin, "setTradeDealActive", deal, True),
        )

    async def odd_deals(self) -> None:
        """A deal that is fully funded twice, and one that never is, since the money came before the invoice."""
        twice = await self.ask(self.diamond, "getTradeDealCount")
        first, more, late = [await self.minted(self.alice, amount) for amount in ("1 000", "70 USDC", "500")]
        for _ in range(2):
            await self.does(self.on(self.alice, "createTradeDeal", "Odd", "O", 500, self.usdc.address, []))
        await self.does(
            self.on(self.alice, "tdDepositInvoice", twice, first),
            self.on(self.bob, "tdDepositUSDC", twice, 1_000),
            self.on(self.bob, "tdDepositUSDC", twice + 1, 900),
        )
        await self.does(
            self.on(self.alice, "tdDepositInvoice", twice, more),
            self.on(self.alice, "tdDepositInvoice", twice + 1, late),
        )
        await self.does(
            self.on(self.carol, "tdDepositUSDC", twice, 70),
            self.on(self.carol, "tdDepositUSDC", twice + 1, 1),
        )

    async def carbon(self) -> None:
        """Initialised, retired by two owners, initialised again; two events of one token in a block."""
        token = await self.minted(self.alice)
        await self.does(self.on(self.made.admin, "initializeCarbonBalance", token, 100))
        await self.does(
            self.on(self.alice, "retireCarbonCredits", token, 30),
            self.on(self.alice, "safeTransferFrom", self.alice, self.bob, token, b""),
            self.on(self.bob, "retireCarbonCredits", token, 70),
        )
        await self.does(
            self.on(self.made.admin, "initializeCarbonBalance", token, 7),
            self.on(self.bob, "retireCarbonCredits", token, 2),
        )

    async def sales(self) -> None:
        """Sales of each kind of token for coin and for ERC-20; bought plainly and with a proof; opened and closed."""
        for token_type in range(3):
            for payment in (NATIVE, BY_TOKEN):
                sale = len(await self.ask(self.diamond, "listTokenSales"))
                modifier = FIXED if token_type == ERC721_TOKENS else NO_MODIFIER
                price = (10, modifier, 3, 100)
                draft = sale_settings(self.people, token_type, payment, price, is_open=False)
                opened = sale_settings(self.people, token_type, payment, price, is_open=True)
                await self.does(
                    self.on(self.made.admin, "createTokenSale", draft),
                    self.on(self.made.admin, "updateTokenSaleSettings", sale, opened),
                )
                value, later = (20, 13) if payment == NATIVE else (0, 0)
                later = 10 if later and modifier == NO_MODIFIER else later
                await self.does(
                    self.on(self.alice, "purchase", sale, self.bob, 2, b"\x01", value=value),
                    self.on(self.carol, "purchaseProof", sale, self.dave, 1, [bytes(32)], b"", value=later),
                )
                await self.does(self.on(self.made.admin, "updateTokenSaleSettings", sale, draft))

    # -- who somebody is -----------------------------------------------------------------------------------------------

    async def identity(self) -> None:
        """Created; keys, claims and attributes added, changed and removed; calls that work and that fail."""
        wallet = "0x" + keccak(text=f"wallet {await self.client.head()}")[:20].hex()
        await self.does(self.at("identity_factory", self.made.admin, "createIdentity", wallet))
        await self.does(self.at("identity_factory", self.made.admin, "createIdentity", self.carol))
        address = await self.ask(self.made.contracts["identity_factory"], "getIdentity", self.carol)
        identity = self.made.identity(address)
        key, gone = keccak(text="key"), keccak(text="gone")
        claims = {
            topic: keccak(bytes(12) + bytes.fromhex(self.carol[2:]) + topic.to_bytes(32, "big"))
            for topic in (1, 2)
        }
        supply = bytes.fromhex(self.usdc.data("totalSupply")[2:])
        steps: tuple[tuple[tuple[str, tuple[Any, ...]], ...], ...] = (
            (
                ("addKey", (key, 2, 1)), ("addKey", (key, 3, 1)), ("addKey", (gone, 2, 1)), ("addKey", (gone, 4, 1)),
                ("addClaim", (1, 1, b"s", b"first", "ipfs://1")), ("addClaim", (2, 1, b"s", b"kept", "ipfs://2")),
                ("setAttribute", ("country", 1, "CL")), ("setAttribute", ("vacío", 1, "")),
            ),
            (
                ("addClaim", (1, 1, b"t", b"again", "ipfs://1b")), ("changeClaim", (claims[2], 3, b"changed", "ipfs://3")),
                ("removeKey", (gone, 2)), ("setAttribute", ("country", 1, "DE")),
                ("execute", (self.usdc.address, 0, supply)),
                ("tryExecute", (self.diamond.address, 0, b"\xde\xad\xbe\xef")),
            ),
            (("removeClaim", (claims[1],)),),
        )  # fmt: skip
        for calls in steps:
            await self.does(
                *(Send(self.carol, address, identity.data(name, *arguments)) for name, arguments in calls)
            )

    async def registry(self) -> None:
        """Wallets, claims and issuers in the diamond's registry: added, changed and removed, with what is not stored."""
        head = await self.client.head()
        wallet, other, identity = (
            "0x" + keccak(text=f"{one} {head}")[:20].hex() for one in ("wallet", "other", "identity")
        )
        issuer, admin = self.made.accounts[8], self.made.admin
        await self.does(
            self.on(issuer, "addIdentity", wallet, identity),
            self.on(issuer, "addIdentity", other, identity),
            self.on(issuer, "setClaims", identity, [1, 777, 2, 10001]),
            self.on(issuer, "addClaim", identity, 4242, b"outside the registry"),
        )
        await self.does(
            self.on(issuer, "addClaim", identity, 2, b"changed"),
            self.on(issuer, "removeClaim", identity, 1),
            self.on(issuer, "removeClaims", identity, [10001, 5]),
            self.on(issuer, "removeIdentity", wallet),
        )
        await self.does(
            self.on(admin, "addTrustedIssuer", self.dave, [1, 2]),
            self.on(admin, "updateIssuerClaimTopics", self.dave, [2, 3]),
            self.on(admin, "removeTrustedIssuerClaimTopic", self.dave, 3),
            self.on(admin, "addTrustedIssuer", self.bob, [1]),
        )
        await self.does(
            self.on(admin, "removeTrustedIssuer", self.bob), self.on(admin, "addClaimTopic", 31_000)
        )

    # -- offices -------------------------------------------------------------------------------------------------------

    async def money(self) -> None:
        """The treasury: deposits for several tokens, one of them twice, and a withdrawal of some."""
        token = await self.client.head()
        await self.does(self.at("treasury", self.alice, "deposit", [(token, 5), (token + 1, 7), (token, 1)]))
        await self.does(
            self.at("treasury", self.bob, "deposit", [(token, 10)]),
            self.at("treasury", await self.keeper(), "withdraw", [token, token + 2]),
        )
        await self.does(self.at("treasury", self.alice, "deposit", [(token, 3)]))

    async def offices(self) -> None:
        """Roles, pauses, ownership in one step and in two, templates, cuts announced and taken back."""
        admin, vault = self.made.admin, self.made.contracts["vault"]
        owner = await self.ask(vault, "owner")
        await self.does(
            self.at("vault", admin, "grantRole", KEEPER, self.alice),
            self.at("vault", admin, "grantRole", KEEPER, self.dave),
            self.at("vault", owner, "setRoleAdmin", GUARD, KEEPER),
        )
        paused = await self.ask(vault, "paused")
        await self.does(
            self.at("vault", admin, "revokeRole", KEEPER, self.dave),
            self.at("vault", owner, "setRoleAdmin", GUARD, EVERYBODY),
            self.at("vault", self.alice, "unpause" if paused else "pause"),
        )
        keeper = await self.keeper()
        next_keeper = self.carol if keeper == admin else admin
        heir = self.bob if owner == self.alice else self.alice
        await self.does(
            self.at("vault", owner, "transferOwnership", heir), self.at("vault", heir, "acceptOwnership")
        )
        await self.does(
            self.at("vault", heir, "transferOwnership", owner),
            self.at("treasury", keeper, "transferOwnership", next_keeper),
            self.at("svg_manager", self.dave, "createTemplate", "card"),
            self.at("svg_manager", self.dave, "createTemplate", "card"),
            self.on(admin, "proposeDiamondCut"),
        )
        await self.does(self.on(admin, "cancelDiamondCut"))

    async def fees(self) -> None:
        """A distribution that anybody calls, between two sets of receivers."""
        admin, eight, nine = self.made.admin, self.made.accounts[8], self.made.accounts[9]
        await self.does(
            self.at("usdc", self.alice, "transfer", self.diamond.address, 10_000),
            self.on(self.dave, "distributeAmounts", self.bob, 9_999),
            self.on(admin, "setFeeReceivers", [eight, self.carol], [70, 30]),
        )
        await self.does(self.on(admin, "setFeeReceivers", [eight, nine], [150, 50]))

    async def silent_settings(self) -> None:
        """What changes without an event: after this the events no longer tell it all.

        The purchase moves the price of the first sale whose price is modified.
        """
        factory, admin = self.made.contracts["diamond_factory"], self.made.admin
        status = await self.ask(self.diamond, "getTradeDeal", 0)
        collateral = self.made.collateral(status[3])
        facet = (self.made.facets["CarbonFacet"], 0, self.made.artifacts["CarbonFacet"].selectors)
        await self.does(
            self.on(admin, "setDelegatedMinter", self.bob),
            self.on(self.alice, "purchase", 2, self.bob, 1, b"", value=10),
            Send(admin, collateral.address, collateral.data("setRestrictions", True)),
            Send(admin, factory.address, factory.data("addFacet", "GEMD", facet)),
            Send(admin, factory.address, factory.data("addFacet", "GEMD", facet)),
        )

    # -- tokens --------------------------------------------------------------------------------------------------------

    async def tokens(self) -> None:
        """ERC-20, ERC-721 of two libraries and ERC-1155: minted, approved, moved by others, in batches, burned."""
        head, certificates = await self.client.head(), self.made.contracts["certificates"]
        token, ticket = (
            await self.ask(certificates, "minted"),
            await self.ask(self.made.contracts["tickets"], "totalSupply"),
        )
        await self.does(
            self.at("usdc", self.alice, "approve", self.bob, 500),
            self.at("usdc", self.bob, "transferFrom", self.alice, self.carol, 200),
            self.at("usdc", self.carol, "burn", 100),
            self.at("certificates", self.made.admin, "mint", self.alice),
            self.at("certificates", self.alice, "setApprovalForAll", self.dave, True),
            self.at("certificates", self.dave, "transferFrom", self.alice, self.bob, token),
            self.at("certificates", self.bob, "approve", self.carol, token),
            self.at("items", self.made.admin, "mintBatch", self.alice, [head, head + 1, head], [10, 20, 30]),
            self.at("items", self.made.admin, "mint", self.bob, head, 4),
        )
        await self.does(
            self.at("tickets", self.made.admin, "mint", self.carol, 3),
            self.at(
                "items",
                self.alice,
                "safeBatchTransferFrom",
                self.alice,
                self.bob,
                [head, head + 1],
                [1, 2],
                b"",
            ),
            self.at("items", self.alice, "burnBatch", [head, head + 1], [3, 18]),
            self.at("items", self.made.admin, "setUri", head, "ipfs://item"),
            self.at("items", self.alice, "setApprovalForAll", self.bob, True),
            self.at("items", self.alice, "setApprovalForAll", self.bob, False),
            self.at("certificates", self.made.admin, "mint", self.alice),
            self.at("certificates", self.alice, "burn", token + 1),
        )
        await self.does(self.at("tickets", self.carol, "transferFrom", self.carol, self.dave, ticket + 1))

    async def passes(self) -> None:
        """A range of tokens that then move one by one; refreshes and locks."""
        passes = self.made.contracts["passes"]
        first = await self.ask(passes, "totalSupply")
        await self.does(self.at("passes", self.made.admin, "mintRange", self.alice, 6))
        await self.does(
            self.at("passes", self.alice, "approve", self.bob, first),
            self.at("passes", self.bob, "transferFrom", self.alice, self.carol, first),
            self.at("passes", self.alice, "approve", self.bob, first + 1),
            self.at("passes", self.alice, "burn", first + 2),
            self.at("passes", self.made.admin, "refresh", first + 1),
            self.at("passes", self.made.admin, "refreshRange", first, first + 5),
            self.at("passes", self.made.admin, "setLocked", first + 3, True),
            self.at("passes", self.made.admin, "renewContract"),
        )

    async def wide_passes(self) -> None:
        """A range that is longer than what is expanded, and a token beyond that moves."""
        first = await self.ask(self.made.contracts["passes"], "totalSupply")
        await self.does(self.at("passes", self.made.admin, "mintRange", self.alice, 10_050))
        await self.does(self.at("passes", self.alice, "transferFrom", self.alice, self.bob, first + 10_040))

    async def attributes(self) -> None:
        """Attributes of a token and of the contract: set, set again, deleted; one that is set without a word."""
        token = await self.minted(self.alice)
        await self.does(
            self.on(self.alice, "setTokenMetadata", token, "grade", ("grade", 1, "A")),
            self.on(self.alice, "setTokenMetadata", token, "grade", ("grade", 1, "B")),
            self.on(self.alice, "setTokenMetadata", token, "vintage", ("vintage", 3, "2020")),
            self.on(self.made.admin, "setContractMetadata", "key", ("theme", 1, "dark")),
            self.on(self.made.admin, "setContractMetadata", "key", ("colour", 1, "green")),
        )
        await self.does(
            self.on(self.alice, "deleteTokenMetadata", token, "grade"),
            self.on(self.made.admin, "deleteContractMetadata", "theme"),
            self.on(
                self.alice, "setAttribute", await self.minted(self.bob), ("silent", 1, "said by no event")
            ),
        )
