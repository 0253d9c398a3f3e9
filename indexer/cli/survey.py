"""What ``indexer init`` finds out from a chain: its id, its finality, and what stands at an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from indexer.config import ChainSettings
from indexer.config_values import checksum_address
from indexer.errors import ConfigError, IndexerError, ProviderLied
from indexer.rpc.client import ChainClient
from indexer.rpc.socket import SocketTransport
from indexer.rpc.transport import Call, HttpTransport
from indexer.sync.diamonds import facets_at
from indexer.sync.discovery import creation_block

CONFIRMATIONS = 12
"""What is proposed where a chain has no finality of its own."""

_SUPPORTS_INTERFACE = bytes.fromhex("01ffc9a7")
_NAME, _SYMBOL = bytes.fromhex("06fdde03"), bytes.fromhex("95d89b41")
_DECIMALS, _TOTAL_SUPPLY = bytes.fromhex("313ce567"), bytes.fromhex("18160ddd")
_ERC165 = bytes.fromhex("01ffc9a7")
_NO_INTERFACE = bytes.fromhex("ffffffff")
_INTERFACES = {
    "erc721": bytes.fromhex("80ac58cd"),
    "erc1155": bytes.fromhex("d9b67a26"),
    "erc4906": bytes.fromhex("49064906"),
    "erc5192": bytes.fromhex("b45a3c0e"),
}
"""ERC-165 ids of the standards whose events follow from them."""

_NAMES = {
    1: "ethereum",
    10: "optimism",
    56: "bnb",
    100: "gnosis",
    137: "polygon",
    8453: "base",
    31337: "local",
    42161: "arbitrum",
    43114: "avalanche",
    84532: "base_sepolia",
    11155111: "sepolia",
}


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What stands at one address; ``note`` is for the person who reads the file."""

    address: bytes
    name: str
    kind: str
    abi: tuple[str, ...]
    start_block: int
    note: str

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {
            "name": self.name,
            "address": checksum_address(self.address),
            "kind": self.kind,
            "abi": list(self.abi),
            "start_block": self.start_block,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Survey:
    """A chain and the contracts that were asked about."""

    name: str
    chain_id: int
    finality: str | int
    contracts: tuple[Surveyed, ...] = field(default=())


async def read_chain_id(url: str, timeout_seconds: float) -> int:
    """``eth_chainId`` of an endpoint whose chain is not known yet; raises errors of ``indexer.errors``."""
    kind = SocketTransport if url.lower().startswith("ws") else HttpTransport
    transport = kind(url, timeout_seconds=timeout_seconds)
    try:
        (reply,) = await transport.send([Call("eth_chainId", [])])
    finally:
        await transport.close()
    if reply.failure is not None or reply.result is None:
        said = "" if reply.failure is None else reply.failure.message
        raise IndexerError(f"the endpoint does not tell its chain id: {said or 'no reason given'}")
    try:
        return int(msgspec.json.decode(reply.result, type=str), 16)
    except (ValueError, msgspec.MsgspecError):
        raise ProviderLied("the endpoint's chain id is no hexadecimal number") from None


def chain_name(chain_id: int) -> str:
    """A section's name for a chain."""
    return _NAMES.get(chain_id, f"chain_{chain_id}")


async def find_finality(client: ChainClient, head: int) -> str | int:
    """The tag to configure, or a number of confirmations where the chain has no finality that trails its head."""
    for tag in ("finalized", "safe"):
        named = await client.finalized("finalized" if tag == "finalized" else "safe")
        if named is not None and (named.number < head or head == 0):
            return tag
    return CONFIRMATIONS


async def survey(
    client: ChainClient,
    settings: ChainSettings,
    addresses: tuple[bytes, ...],
    functions: Mapping[str, frozenset[bytes]],
    gemforce: frozenset[str],
) -> Survey:
    """Look at a chain and at addresses on it.

    Args:
        client: opened.
        settings: of that chain.
        addresses: to look at, at the newest block.
        functions: ABI stem to the selectors of its functions.
        gemforce: which of those stems are Gemforce's.

    Raises:
        ConfigError: an address has no code.
    """
    head = (await client.head()).number
    found: list[Surveyed] = []
    taken: set[str] = set()
    for address in addresses:
        one = await _look_at(client, address, head, functions, gemforce, taken)
        taken.add(one.name)
        found.append(one)
    finality = await find_finality(client, head)
    return Survey(chain_name(settings.chain_id), settings.chain_id, finality, tuple(found))


async def _look_at(
    client: ChainClient,
    address: bytes,
    head: int,
    functions: Mapping[str, frozenset[bytes]],
    gemforce: frozenset[str],
    taken: set[str],
) -> Surveyed:
    if not await client.code(address, head):
        raise ConfigError(
            f"--address {checksum_address(address)}: no code there at block {head}; wrong address or wrong chain"
        )
    start, history = await _start(client, address, head)
    facets = await facets_at(client, address, head)
    token = await _token_standards(client, address, head)
    if facets:
        served = frozenset().union(*facets.values())
        ours = any(
            len(served & functions[stem]) * 2 > len(functions[stem]) for stem in gemforce & set(functions)
        )
        abi = (*(("gemforce",) if ours else ()), *token)
        kind, note = "diamond", f"a diamond of {len(facets)} facets"
    else:
        abi, kind = token, "contract"
        note = (
            f"a token: {', '.join(token)}"
            if token
            else "no token by ERC-165 or probing; add its ABI, see: indexer abi add"
        )
    symbol = await _text(client, address, _SYMBOL, head)
    name = _section_name(symbol or (await _text(client, address, _NAME, head)), kind, taken)
    return Surveyed(address, name, kind, abi, start, note + history)


async def _start(client: ChainClient, address: bytes, head: int) -> tuple[int, str]:
    try:
        return await creation_block(client, address, head), ""
    except (
        IndexerError
    ):  # an endpoint without the history of code: from the first block on nothing can be missed
        return 0, "; the endpoint keeps no history of code, so its first block is not known"


async def _token_standards(client: ChainClient, address: bytes, block: int) -> tuple[str, ...]:
    """Standards by ERC-165; an ERC-20, which has none, by whether it tells decimals and supply."""
    if await _supports(client, address, _ERC165, block) and not await _supports(
        client, address, _NO_INTERFACE, block
    ):
        found = [name for name, code in _INTERFACES.items() if await _supports(client, address, code, block)]
        if found:
            return tuple(found)
    decimals = await client.call(address, _DECIMALS, block)
    supply = await client.call(address, _TOTAL_SUPPLY, block)
    if decimals and supply and len(decimals) == len(supply) == 32 and int.from_bytes(decimals) < 256:
        return ("erc20",)
    return ()


async def _supports(client: ChainClient, address: bytes, interface: bytes, block: int) -> bool:
    answer = await client.call(address, _SUPPORTS_INTERFACE + interface.ljust(32, b"\0"), block)
    return bool(answer) and len(answer or b"") == 32 and int.from_bytes(answer or b"") == 1


async def _text(client: ChainClient, address: bytes, selector: bytes, block: int) -> str:
    """A string, also where it is a bytes32 as in old tokens; empty where there is none."""
    answer = await client.call(address, selector, block)
    if not answer:
        return ""
    if len(answer) == 32:
        return answer.rstrip(b"\0").decode("utf-8", "replace")
    try:
        (text,) = decode(["string"], answer)
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return ""
    return str(text)


def _section_name(text: str, kind: str, taken: set[str]) -> str:
    word = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:40] or kind
    name, count = word, 1
    while name in taken:
        count += 1
        name = f"{word}_{count}"
    return name
