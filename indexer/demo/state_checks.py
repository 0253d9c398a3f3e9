"""What a state table claims, and how to ask the contracts whether it is so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import ContractLogicError

from indexer.demo.deploy import Deployment
from indexer.demo.expected import Expected

_ZERO = bytes(20)
_EXPANDED = 10_000
"""Tokens of one ConsecutiveTransfer that get rows of their own."""
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ContractView:
    """Contracts to ask at the tip, and the logs that say whom to ask about."""

    web3: AsyncWeb3[AsyncHTTPProvider]
    made: Deployment
    expected: Expected

    async def ask(self, address: bytes, artifact: str, function: str, *arguments: Any) -> Any:
        """A view function at the tip; None where it reverts."""
        abi = self.made.artifacts[artifact].abi
        contract = self.web3.eth.contract(to_checksum_address(address), abi=abi)
        checked = [to_checksum_address(one) if _is_address(one) else one for one in arguments]
        try:
            return await contract.functions[function](*checked).call(block_identifier=self.expected.tip)
        except ContractLogicError:
            return None

    @property
    def diamond(self) -> bytes:
        """The diamond's address."""
        return bytes.fromhex(self.made.diamond.address[2:])

    def is_plain(self, address: bytes) -> bool:
        """Whether an address is one of the plain NFT contracts rather than the diamond."""
        return address != self.diamond


def _is_address(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) == 20


@dataclass(frozen=True, slots=True)
class Aspect:
    """One table: ``query`` gives ``keys`` key columns and then what is claimed of each; ``known`` adds keys from the logs,
    ``truth`` asks a contract, ``holds`` compares. ``absent`` is what a missing row amounts to.
    """

    name: str
    query: str
    keys: int
    known: Callable[[ContractView], set[Key]]
    truth: Callable[..., Awaitable[tuple[Any, ...]]]
    absent: tuple[Any, ...] | None = None
    holds: Callable[[Any, Any], bool] = lambda have, truth: bool(have == truth)


def _erc20_holders(view: ContractView) -> set[Key]:
    moves = view.expected.arguments("erc20_transfer")
    return {(token, who) for token, move in moves for who in move[:2] if who != _ZERO}


def _erc20_tokens(view: ContractView) -> set[Key]:
    return {(token,) for token, _ in view.expected.arguments("erc20_transfer")}


def _nfts(view: ContractView) -> set[Key]:
    found = {(contract, move[2]) for contract, move in view.expected.arguments("erc721_transfer")}
    for contract, (first, last, _, _) in view.expected.arguments("erc2309_consecutive_transfer"):
        found |= {(contract, token) for token in range(first, min(last, first + _EXPANDED - 1) + 1)}
    return found


def _operators(view: ContractView) -> set[Key]:
    return {
        (contract, said[0], said[1])
        for table in ("erc721_approval_for_all", "erc1155_approval_for_all")
        for contract, said in view.expected.arguments(table)
    }


def _item_holders(view: ContractView) -> set[Key]:
    found: set[Key] = set()
    for contract, (_, giver, taker, token, _) in view.expected.arguments("erc1155_transfer_single"):
        found |= {(contract, token, who) for who in (giver, taker) if who != _ZERO}
    for contract, (_, giver, taker, tokens, _) in view.expected.arguments("erc1155_transfer_batch"):
        found |= {(contract, token, who) for token in tokens for who in (giver, taker) if who != _ZERO}
    return found


async def _erc20_balance(view: ContractView, token: bytes, holder: bytes) -> tuple[Any, ...]:
    return (await view.ask(token, "DemoUSDC", "balanceOf", holder),)


async def _erc20_supply(view: ContractView, token: bytes) -> tuple[Any, ...]:
    return (await view.ask(token, "DemoUSDC", "totalSupply"),)


async def _erc20_allowance(view: ContractView, token: bytes, owner: bytes, spender: bytes) -> tuple[Any, ...]:
    return (await view.ask(token, "DemoUSDC", "allowance", owner, spender),)


async def _nft(view: ContractView, contract: bytes, token: int) -> tuple[Any, ...]:
    """Owner, approved address and whether it is burned, as the contract says."""
    artifact = "DemoCertificates" if view.is_plain(contract) else "TokenFacet"
    owner = await view.ask(contract, artifact, "ownerOf", token)
    if owner is None or int(owner, 16) == 0:
        return (None, None, True)
    approved = await view.ask(contract, artifact, "getApproved", token)
    return (address_of(owner), address_of(approved), False)


def address_of(text: str | None) -> bytes | None:
    """The bytes of an address as web3 gives it; None for the zero address, as in the tables."""
    return bytes.fromhex(text[2:]) if text is not None and int(text, 16) else None


async def _operator(view: ContractView, contract: bytes, owner: bytes, operator: bytes) -> tuple[Any, ...]:
    return (await view.ask(contract, "DemoCertificates", "isApprovedForAll", owner, operator),)


async def _item_balance(view: ContractView, contract: bytes, token: int, holder: bytes) -> tuple[Any, ...]:
    return (await view.ask(contract, "DemoItems", "balanceOf", holder, token),)


async def _diamond_owner(view: ContractView, diamond: bytes) -> tuple[Any, ...]:
    return (address_of(await view.ask(diamond, "GemforceDiamond", "owner")),)


async def _facets(view: ContractView, diamond: bytes) -> tuple[Any, ...]:
    """All pairs of selector and facet that the loupe tells."""
    told = await view.ask(diamond, "GemforceDiamond", "facets")
    return (sorted((bytes(one), address_of(facet)) for facet, selectors in told for one in selectors),)


def _same_facets(have: Any, truth: Any) -> bool:
    if have is None:
        return False
    (selectors, facets), (told,) = have, truth
    return bool(sorted(zip(selectors, facets, strict=True)) == told)


def _deals(view: ContractView) -> set[Key]:
    return {(diamond, said[0]) for diamond, said in view.expected.arguments("trade_deal_created")}


async def _deal(view: ContractView, diamond: bytes, deal: int) -> tuple[Any, ...]:
    """Terms and amounts of a deal, as the contract says."""
    told = await view.ask(diamond, "TradeDealFacet", "getTradeDeal", deal)
    name, symbol, rate, collateral, usdc, _, active, target, balance, debt, repaid, _ = told
    return (
        name,
        symbol,
        rate,
        address_of(collateral),
        address_of(usdc),
        active,
        balance,
        debt,
        repaid,
        target,
    )


def _same_deal(have: Any, truth: Any) -> bool:
    """The target may be unknown: an invoice may have no attribute that an event told."""
    if have is None:
        return False
    *held, target = have
    *told, told_target = truth
    return held == told and target in (None, told_target)


def _participants(view: ContractView) -> set[Key]:
    spoken = [(at, said[0], said[1]) for at, said in view.expected.arguments("trade_deal_participant_added")]
    spoken += [
        (at, said[0], said[1]) for at, said in view.expected.arguments("trade_deal_participant_removed")
    ]
    spoken += [
        (at, said[0], said[2])
        for at, said in view.expected.arguments("trade_deal_usdc_deposited_to_trade_deal")
    ]
    return set(spoken)


async def _participant(view: ContractView, diamond: bytes, deal: int, who: bytes) -> tuple[Any, ...]:
    return (await view.ask(diamond, "TradeDealFacet", "isTradeDealParticipant", deal, who),)


def _credits(view: ContractView) -> set[Key]:
    return {(diamond, said[0]) for diamond, said in view.expected.arguments("carbon_credits_initialized")}


async def _credit(view: ContractView, diamond: bytes, token: int) -> tuple[Any, ...]:
    """What remains of a token's credits, and who owns the token."""
    remaining = await view.ask(diamond, "CarbonFacet", "getCarbonCreditBalance", token)
    return (remaining, address_of(await view.ask(diamond, "TokenFacet", "ownerOf", token)))


ASPECTS: tuple[Aspect, ...] = (
    Aspect(
        "state.erc20_balance",
        "SELECT token, holder, balance FROM state.erc20_balance WHERE chain_id = $1",
        2,
        _erc20_holders,
        _erc20_balance,
        absent=(0,),
    ),
    Aspect(
        "state.erc20_supply",
        "SELECT token, supply FROM state.erc20_supply WHERE chain_id = $1",
        1,
        _erc20_tokens,
        _erc20_supply,
    ),
    Aspect(
        "state.erc20_allowance",
        "SELECT token, owner, spender, allowance FROM state.erc20_allowance WHERE chain_id = $1",
        3,
        lambda view: {(token, said[0], said[1]) for token, said in view.expected.arguments("erc20_approval")},
        _erc20_allowance,
        holds=lambda have, truth: have is not None and have[0] >= truth[0],
    ),
    Aspect(
        "state.nft",
        "SELECT contract, token_id, owner, approved, burned FROM state.nft WHERE chain_id = $1",
        2,
        _nfts,
        _nft,
    ),
    Aspect(
        "state.nft_operator",
        "SELECT contract, owner, operator, approved FROM state.nft_operator WHERE chain_id = $1",
        3,
        _operators,
        _operator,
    ),
    Aspect(
        "state.erc1155_balance",
        "SELECT contract, token_id, holder, balance FROM state.erc1155_balance WHERE chain_id = $1",
        3,
        _item_holders,
        _item_balance,
        absent=(0,),
    ),
    Aspect(
        "state.diamond",
        "SELECT diamond, owner FROM state.diamond WHERE chain_id = $1",
        1,
        lambda view: {(view.diamond,)},
        _diamond_owner,
    ),
    Aspect(
        "state.diamond_selector",
        "SELECT diamond, array_agg(selector ORDER BY selector), array_agg(facet ORDER BY selector) "
        "FROM state.diamond_selector WHERE chain_id = $1 AND removed_block IS NULL GROUP BY diamond",
        1,
        lambda view: {(view.diamond,)},
        _facets,
        holds=_same_facets,
    ),
    Aspect(
        "state.trade_deal",
        "SELECT diamond, deal_id, name, symbol, interest_rate_bps, collateral_address, usdc_address, active, "
        "usdc_balance, total_debt, repaid_amount, target FROM state.trade_deal WHERE chain_id = $1",
        2,
        _deals,
        _deal,
        holds=_same_deal,
    ),
    Aspect(
        "state.trade_deal_participant",
        "SELECT diamond, deal_id, account, active FROM state.trade_deal_participant WHERE chain_id = $1",
        3,
        _participants,
        _participant,
    ),
    Aspect(
        "state.carbon_credit",
        "SELECT contract, token_id, remaining, owner FROM state.carbon_credit WHERE chain_id = $1",
        2,
        _credits,
        _credit,
    ),
)
"""Everything of schema state that the contracts themselves can confirm."""
