"""Deploys the demo's contracts: tokens of real libraries, a diamond with facets, and the factories it lives with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.demo.anvil import AnvilClient
from indexer.demo.calls import ZERO_ADDRESS, Contract, Send, creation
from indexer.demo.tools import Artifact, ToolFailed

FACETS = (
    "TokenFacet",
    "MinterFacet",
    "MetadataFacet",
    "MarketplaceFacet",
    "CarbonFacet",
    "FeeFacet",
    "TradeDealFacet",
    "IdentityRegistryFacet",
    "TelemetryFacet",
    "MultiSaleFacet",
    "TimelockFacet",
)
UPGRADE = "CarbonFacetV2"
PLAIN = {
    "usdc": "DemoUSDC",
    "certificates": "DemoCertificates",
    "tickets": "DemoTickets",
    "items": "DemoItems",
    "points": "DemoPoints",
    "passes": "DemoPasses",
    "treasury": "Treasury",
    "svg_manager": "SvgManager",
    "vault": "Vault",
    "identity_factory": "IdentityFactory",
    "collateral_factory": "CollateralTokenFactory",
    "diamond_factory": "DiamondFactory",
}
CLAIM_TOPICS = (1, 2, 10001)
ADD, REPLACE, REMOVE = 0, 1, 2
NATIVE_DISTRIBUTION = 1_000
FUNDS = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Deployment:
    """What stands on the chain. ``facets`` maps a facet's name to its address; ``admin`` owns the diamond."""

    artifacts: Mapping[str, Artifact]
    contracts: Mapping[str, Contract]
    facets: Mapping[str, str]
    accounts: tuple[str, ...]
    first_block: int

    @property
    def admin(self) -> str:
        """The account that deployed everything."""
        return self.accounts[0]

    @property
    def actors(self) -> tuple[str, ...]:
        """The accounts that traffic comes from."""
        return self.accounts[1:8]

    @property
    def diamond(self) -> Contract:
        """The diamond, callable by all its facets' functions."""
        return self.contracts["diamond"]

    def identity(self, address: str) -> Contract:
        """An identity at an address."""
        return Contract(address, (self.artifacts["Identity"],))

    def collateral(self, address: str) -> Contract:
        """A collateral token at an address."""
        return Contract(address, (self.artifacts["CollateralToken"],))


async def deploy(client: AnvilClient, artifacts: Mapping[str, Artifact]) -> Deployment:
    """Deploy and set up everything in a few blocks.

    Raises:
        ToolFailed: A transaction of the deployment failed.
    """
    accounts = tuple(await client.accounts())
    names = [*PLAIN.values(), *FACETS, UPGRADE]
    first = await client.head() + 1
    receipts = await run(client, [creation(artifacts[name], accounts[0]) for name in names])
    at = {name: receipt["contractAddress"] for name, receipt in zip(names, receipts, strict=True)}
    contracts = {key: Contract(at[name], (artifacts[name],)) for key, name in PLAIN.items()}
    contracts["diamond"] = await _diamond(client, contracts["diamond_factory"], accounts[0], artifacts)
    facets = {name: at[name] for name in (*FACETS, UPGRADE)}
    made = Deployment(artifacts, contracts, facets, accounts, first)
    await run(client, [cut(made, [(facets[name], ADD, _selectors(artifacts, name)) for name in FACETS])])
    await run(client, _setup(made))
    return made


async def run(client: AnvilClient, sends: Iterable[Send]) -> list[dict[str, Any]]:
    """Send, mine one block, and return the receipts; raises ``ToolFailed`` when a transaction failed."""
    hashes = await client.batch([("eth_sendTransaction", (send.request(),)) for send in sends])
    await client.mine()
    receipts = await client.batch([("eth_getTransactionReceipt", (one,)) for one in hashes])
    for receipt in receipts:
        if receipt is None or int(receipt["status"], 16) != 1:
            raise ToolFailed(f"a transaction of the demo's deployment failed: {receipt}")
    return receipts


def cut(made: Deployment, changes: Sequence[tuple[str, int, Sequence[bytes]]]) -> Send:
    """A DiamondCut without initialiser: (facet, action, selectors) each."""
    return Send(made.admin, made.diamond.address, made.diamond.data("diamondCut", changes, ZERO_ADDRESS, b""))


def upgrade(made: Deployment, *, back: bool = False) -> Send:
    """The cut that brings the second carbon facet: shared functions replaced, new ones added, one removed.

    ``back`` is the cut that undoes it.
    """
    old, new = ("CarbonFacet", UPGRADE) if not back else (UPGRADE, "CarbonFacet")
    had, gets = (_selectors(made.artifacts, name) for name in (old, new))
    return cut(
        made,
        [
            (made.facets[new], REPLACE, [one for one in gets if one in had]),
            (made.facets[new], ADD, [one for one in gets if one not in had]),
            (ZERO_ADDRESS, REMOVE, [one for one in had if one not in gets]),
        ],
    )


def _selectors(artifacts: Mapping[str, Artifact], facet: str) -> tuple[bytes, ...]:
    return artifacts[facet].selectors


async def _diamond(
    client: AnvilClient, factory: Contract, owner: str, artifacts: Mapping[str, Artifact]
) -> Contract:
    settings = (owner, factory.address, ZERO_ADDRESS, "GEMD", "Gemforce Demo")
    receipts = await run(client, [Send(owner, factory.address, factory.data("create", settings))])
    announced = receipts[0]["logs"][-1]["topics"][2]
    parts = ("GemforceDiamond", *FACETS, UPGRADE)
    return Contract("0x" + announced[-40:], tuple(artifacts[name] for name in parts))


def _setup(made: Deployment) -> list[Send]:
    """The first words of the diamond, and money for everybody."""
    diamond, usdc, treasury = made.diamond, made.contracts["usdc"], made.contracts["treasury"]

    def say(function: str, *arguments: Any) -> Send:
        return Send(made.admin, diamond.address, diamond.data(function, *arguments))

    sends = [
        # Before there is a distribution token, native coin is paid.
        Send(
            made.admin,
            diamond.address,
            diamond.data("distributeAmounts", made.accounts[9], NATIVE_DISTRIBUTION),
            NATIVE_DISTRIBUTION,
        ),
        say("initializeMarketplace", [(made.accounts[8], 25_000), (made.accounts[9], 10_000)]),
        say("initializeFeeDistributor", usdc.address, 10_000),
        say("setFeeReceivers", [made.accounts[8], made.accounts[9]], [150, 50]),
        say("initializeCollateralTokenFactory", made.contracts["collateral_factory"].address),
        say("addTrustedIssuer", made.accounts[8], list(CLAIM_TOPICS)),
        *(say("addClaimTopic", topic) for topic in CLAIM_TOPICS),
    ]
    for actor in made.actors:
        sends.append(Send(made.admin, usdc.address, usdc.data("mint", actor, FUNDS)))
        sends.append(Send(actor, usdc.address, usdc.data("approve", diamond.address, 2**256 - 1)))
        sends.append(Send(actor, usdc.address, usdc.data("approve", treasury.address, 2**256 - 1)))
    sends.append(Send(made.admin, treasury.address, treasury.data("setPaymentToken", usdc.address)))
    return sends
