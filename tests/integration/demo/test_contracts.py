"""The demo's contracts say what Gemforce's say, in the order and with the oddities of the originals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from eth_utils import to_checksum_address
from web3 import Web3

from indexer.decode.catalogue import load_catalogue
from indexer.demo.anvil import AnvilClient, AnvilRefused
from indexer.demo.calls import ZERO_ADDRESS, Contract, Send
from indexer.demo.deploy import Deployment, run, upgrade
from indexer.demo.event_tables import EVENT_TABLES
from indexer.demo.expected import _key
from indexer.demo.tools import Artifact

W3 = Web3()


class Scene:
    """Sends one transaction at a time and tells the events it made, by name and arguments."""

    def __init__(self, client: AnvilClient, made: Deployment) -> None:
        self.client = client
        self.made = made
        self.decoders = {}
        for artifact in made.artifacts.values():
            for entry in artifact.abi:
                if entry["type"] == "event":
                    event = W3.eth.contract(abi=[entry]).events[entry["name"]]()
                    topics = 1 + sum(one["indexed"] for one in entry["inputs"])
                    self.decoders[event.topic, topics] = event

    async def does(self, sender: str, contract: Contract, function: str, *arguments: Any, value: int = 0):
        send = Send(sender, contract.address, contract.data(function, *arguments), value)
        (receipt,) = await run(self.client, [send])
        return [self._event(log) for log in receipt["logs"]]

    async def asks(self, contract: Contract, function: str, *arguments: Any) -> Any:
        request = {"to": contract.address, "data": contract.data(function, *arguments)}
        answer = await self.client.call("eth_call", request, "latest")
        return contract.result(function, len(arguments), answer)

    def _event(self, log: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        decoder = self.decoders[log["topics"][0], len(log["topics"])]
        prepared = {
            **log,
            "topics": [bytes.fromhex(topic[2:]) for topic in log["topics"]],
            "data": bytes.fromhex(log["data"][2:]),
        }
        args = decoder.process_log(prepared)["args"]
        return decoder.abi["name"], {
            key: value.lower() if isinstance(value, str) and value[:2] == "0x" else value
            for key, value in args.items()
        }

    @property
    def diamond(self) -> Contract:
        return self.made.diamond

    async def minted(self, owner: str, amount: str = "1 000 USDC") -> int:
        """A new token of the diamond; returns its id."""
        await self.does(owner, self.diamond, "gemforceMint", [("totalAmount", 1, amount)])
        return await self.asks(self.diamond, "totalSupply") - 1


@pytest.fixture
async def scene(anvil_client: AnvilClient, deployment: Deployment) -> Scene:
    return Scene(anvil_client, deployment)


def names(events: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [name for name, _ in events]


async def test_gemforce_minted_comes_before_the_transfer_of_the_mint(scene: Scene):
    owner = scene.made.actors[0]
    events = await scene.does(owner, scene.diamond, "gemforceMint", [("name", 1, "Wald")])
    assert names(events) == ["GemforceMinted", "Transfer"]
    assert events[0][1]["tokenId"] == events[1][1]["tokenId"] == 0
    assert events[0][1]["owner"] == owner
    assert events[1][1]["from"] == ZERO_ADDRESS


async def test_mint_and_erc721_minted_do_not_tell_the_token(scene: Scene):
    events = await scene.does(scene.made.admin, scene.diamond, "mint", scene.made.actors[0], 3)
    assert names(events) == ["Transfer", "Mint"] * 3 + ["ERC721Minted"]
    assert [said["tokenId"] for name, said in events if name == "Transfer"] == [0, 1, 2]
    assert [said["tokenId"] for name, said in events if name == "Mint"] == [1, 2, 3]
    assert events[-1][1]["tokenId"] == 3


async def test_a_transfer_clears_the_approval_first_and_names_the_true_owner(scene: Scene):
    owner, other = scene.made.actors[:2]
    token = await scene.minted(owner)
    await scene.does(owner, scene.diamond, "approve", other, token)
    events = await scene.does(other, scene.diamond, "transferFrom", owner, other, token)
    assert names(events) == ["Approval", "Transfer", "ERC721ATransfer"]
    assert events[0][1] == {"owner": owner, "approved": ZERO_ADDRESS, "tokenId": token}
    assert await scene.asks(scene.diamond, "getApproved", token) == ZERO_ADDRESS


async def test_delisting_what_was_never_escrowed_moves_it_with_a_false_from(scene: Scene):
    owner = scene.made.actors[0]
    token = await scene.minted(owner)
    await scene.does(owner, scene.diamond, "listItem", owner, token, 5, False, ZERO_ADDRESS)
    events = await scene.does(owner, scene.diamond, "delistItem", scene.diamond.address, token)
    assert names(events) == ["Approval", "Transfer", "Delisted"]
    assert events[0][1]["owner"] == owner
    assert events[1][1]["from"] == scene.diamond.address
    assert events[1][1]["to"] == await scene.asks(scene.diamond, "ownerOf", token) == owner
    # The counter of `from`, unchecked, went below zero.
    assert await scene.asks(scene.diamond, "balanceOf", scene.diamond.address) == 2**256 - 1


async def test_a_sale_pays_fees_then_the_seller_then_says_so(scene: Scene):
    seller, buyer = scene.made.actors[:2]
    usdc = scene.made.contracts["usdc"].address
    token = await scene.minted(seller)
    listed = await scene.does(seller, scene.diamond, "listItem", seller, token, 1_000_000, True, usdc)
    assert names(listed) == ["Approval", "Transfer", "Listings"]
    assert listed[-1][1]["owner"] == ZERO_ADDRESS
    assert listed[-1][1]["sold"] is False
    events = await scene.does(buyer, scene.diamond, "purchaseItem", scene.diamond.address, token)
    paid = [said for name, said in events if name == "PaymentDistributed"]
    assert [one["amount"] for one in paid] == [25_000, 10_000, 965_000]
    assert paid[-1]["receiver"] == seller
    without_payments = [name for name in names(events)[6:] if name != "PaymentDistributed"]
    assert names(events)[:6] == ["Transfer", "PaymentDistributed"] * 3
    assert without_payments == ["Approval", "Transfer", "Sales"]
    assert events[-1][1]["owner"] == buyer == await scene.asks(scene.diamond, "ownerOf", token)


async def test_the_first_deal_has_id_0_and_goes_through_its_life(scene: Scene):
    borrower, lender = scene.made.actors[:2]
    usdc = scene.made.contracts["usdc"]
    events = await scene.does(
        borrower, scene.diamond, "createTradeDeal", "Deal", "D", 500, usdc.address, [1, 2]
    )
    assert names(events) == [
        "TokenCreated",
        "CollateralTokenCreated",
        "TradeDealCreated",
        "TradeDealRequiredClaimTopicsSet",
    ]
    created = events[2][1]
    assert created["tradeDealId"] == 0
    assert created["nftAddress"] == ZERO_ADDRESS
    assert created["active"] is True
    token = await scene.minted(borrower, "1 000 000 USDC")
    deposited = await scene.does(borrower, scene.diamond, "tdDepositInvoice", 0, token)
    assert names(deposited) == ["Approval", "Transfer", "ERC721ATransfer", "InvoiceDepositedToTradeDeal"]
    funded = await scene.does(lender, scene.diamond, "tdDepositUSDC", 0, 1_000_000)
    assert names(funded) == ["Transfer", "Transfer", "USDCDepositedToTradeDeal", "TradeDealFullyFunded"]
    assert funded[1][1]["value"] == 1_000_000 * 10**12
    withdrawn = await scene.does(borrower, scene.diamond, "withdrawTradeDealFunding", 0)
    assert names(withdrawn)[-2:] == ["AmountsDistributed", "TradeDealFundingWithdrawn"]
    assert withdrawn[-1][1]["amount"] == 980_000
    repaid = await scene.does(lender, scene.diamond, "repayTradeDeal", 0, 1_050_000, True)
    assert repaid[-1][1]["repayer"] == borrower
    assert repaid[-1][1]["fullyRepaid"] is True
    assert repaid[0][1]["from"] == lender
    collateral = scene.made.collateral(created["collateralAddress"])
    held = await scene.asks(collateral, "balanceOf", lender)
    redeemed = await scene.does(lender, scene.diamond, "redeemCollateralTokens", 0, held)
    assert redeemed[-1][1]["usdcAmount"] == 1_050_000
    assert await scene.asks(collateral, "totalSupply") == 0


async def test_carbon_credits_start_again_after_full_retirement(scene: Scene):
    owner = scene.made.actors[0]
    token = await scene.minted(owner)
    await scene.does(owner, scene.diamond, "initializeCarbonBalance", token, 10)
    with pytest.raises(AnvilRefused):
        await scene.asks(scene.diamond, "initializeCarbonBalance", token, 5)
    events = await scene.does(owner, scene.diamond, "retireCarbonCredits", token, 10)
    assert events == [("CarbonCreditsRetired", {"tokenId": token, "amount": 10, "remainingBalance": 0})]
    again = await scene.does(owner, scene.diamond, "initializeCarbonBalance", token, 7)
    assert again == [("CarbonCreditsInitialized", {"tokenId": token, "initialBalance": 7})]


async def test_an_identity_speaks_before_it_is_announced_and_forgets_before_it_tells(scene: Scene):
    wallet = scene.made.actors[0]
    events = await scene.does(
        scene.made.admin, scene.made.contracts["identity_factory"], "createIdentity", wallet
    )
    assert names(events) == ["Initialized", "KeyAdded", "IdentityCreated"]
    assert events[0][1]["version"] == 2**64 - 1
    identity = scene.made.identity(events[2][1]["identity"])
    added = await scene.does(wallet, identity, "addClaim", 1, 1, b"s", b"d", "uri")
    again = await scene.does(wallet, identity, "addClaim", 1, 1, b"s", b"other", "uri")
    assert names(added + again) == ["ClaimAdded", "ClaimAdded"]
    assert added[0][1]["claimId"] == again[0][1]["claimId"]
    removed = await scene.does(wallet, identity, "removeClaim", added[0][1]["claimId"])
    assert removed[0][1]["claimId"] == added[0][1]["claimId"]
    assert (removed[0][1]["topic"], removed[0][1]["issuer"], removed[0][1]["data"]) == (0, ZERO_ADDRESS, b"")


async def test_the_registry_lists_more_than_it_stores_and_removes_by_wallet(scene: Scene):
    issuer, wallet, identity = scene.made.accounts[8], scene.made.actors[0], scene.made.actors[1]
    await scene.does(issuer, scene.diamond, "addIdentity", wallet, identity)
    events = await scene.does(issuer, scene.diamond, "setClaims", identity, [1, 777, 2])
    assert names(events) == ["ClaimAdded", "ClaimAdded", "ClaimsSet"]
    assert events[-1][1]["claims"] == [1, 777, 2]
    removed = await scene.does(issuer, scene.diamond, "removeIdentity", wallet)
    assert removed[0][1]["_address"] == removed[0][1]["identity"] == wallet


async def test_the_upgrade_replaces_adds_and_removes(scene: Scene):
    old, new = (scene.made.facets[name] for name in ("CarbonFacet", "CarbonFacetV2"))
    assert await scene.asks(scene.diamond, "getCarbonCreditStatus", 0) == 1
    (receipt,) = await run(scene.client, [upgrade(scene.made)])
    name, said = scene._event(receipt["logs"][0])
    assert name == "DiamondCut"
    assert sorted(cut["action"] for cut in said["facetCuts"]) == [0, 1, 2]
    removal = next(cut for cut in said["facetCuts"] if cut["action"] == 2)
    assert removal["target"] == ZERO_ADDRESS
    facets = await scene.asks(scene.diamond, "facetAddresses")
    assert new in facets
    assert old not in facets
    with pytest.raises(AnvilRefused):
        await scene.asks(scene.diamond, "getCarbonCreditStatus", 0)


async def test_tokens_of_the_libraries_move_in_batches(scene: Scene):
    owner, other = scene.made.actors[:2]
    tickets, items = scene.made.contracts["tickets"], scene.made.contracts["items"]
    minted = await scene.does(owner, tickets, "mint", owner, 4)
    assert names(minted) == ["Transfer"] * 4
    await scene.does(owner, items, "mintBatch", owner, [1, 2, 3], [10, 20, 30])
    moved = await scene.does(owner, items, "safeBatchTransferFrom", owner, other, [1, 3], [4, 5], b"")
    assert names(moved) == ["TransferBatch"]
    assert (moved[0][1]["ids"], moved[0][1]["values"]) == ([1, 3], [4, 5])
    assert await scene.asks(items, "balanceOf", other, 3) == 5
    assert to_checksum_address(owner) != to_checksum_address(other)


def test_every_event_but_one_is_in_the_built_in_abis_and_in_the_table_we_expect(
    contracts: Mapping[str, Artifact],
):
    layouts = load_catalogue(None, {}).layouts
    known = {
        (one.signature, tuple(param.indexed for param in one.params)): one.table.name
        for one in reversed(layouts)
    }
    unknown = set()
    for artifact in contracts.values():
        for entry in (one for one in artifact.abi if one["type"] == "event"):
            signature, topics = _key(entry)
            table = known.get((signature, tuple(one["indexed"] for one in entry["inputs"])))
            if table is None or (signature, topics) not in EVENT_TABLES:
                unknown.add(entry["name"])
            else:
                assert EVENT_TABLES[signature, topics] == table
    assert unknown == {"SensorReading"}
