"""What an honest node says: JSON-RPC results over a chain in memory.

Shapes follow the Ethereum execution API; extra fields are there because real nodes send them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from indexer.chain.filters import LogFilter
from indexer.testing.chain import MemoryBlock, MemoryChain, MemoryLog


class RpcFault(Exception):
    """An error object to answer with."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        self.code = code
        self.message = message
        self.data = data
        super().__init__(message)


def answer(chain: MemoryChain, method: str, params: list[Any]) -> Any:
    """The result of one call; raises ``RpcFault`` for an error."""
    handler = _METHODS.get(method)
    if handler is None:
        raise RpcFault(-32601, f"the method {method} does not exist/is not available")
    return handler(chain, params)


def find(chain: MemoryChain, name: Any) -> MemoryBlock | None:
    """The block that a number in hex or a tag names, or None."""
    if name in ("latest", "pending"):
        return chain.blocks[-1]
    if name == "earliest":
        return chain.blocks[0]
    if name in ("finalized", "safe"):
        tag: Literal["finalized", "safe"] = name
        header = chain.tagged(tag)
        return None if header is None else chain.at(header.number)
    if isinstance(name, str) and name.startswith("0x"):
        return chain.at(int(name, 16))
    raise RpcFault(-32602, f"invalid argument: {name!r}")


def block_json(block: MemoryBlock) -> dict[str, Any]:
    """A block as ``eth_getBlockBy…`` gives it, with transaction hashes."""
    header = block.header
    return {
        "number": hex(header.number),
        "hash": _hex(header.hash),
        "parentHash": _hex(header.parent_hash),
        "timestamp": hex(header.timestamp),
        "logsBloom": _hex(header.logs_bloom or bytes(256)),
        "gasLimit": "0x1c9c380",
        "baseFeePerGas": "0x7",
        "transactions": [_hex(log.tx_hash) for log in block.logs],
        "uncles": [],
    }


def log_json(block: MemoryBlock, log: MemoryLog) -> dict[str, Any]:
    """A log as ``eth_getLogs`` gives it."""
    return {
        "address": _hex(log.address),
        "topics": [_hex(topic) for topic in log.topics],
        "data": _hex(log.data),
        "blockHash": _hex(block.hash),
        "blockNumber": hex(block.number),
        "blockTimestamp": hex(block.header.timestamp),
        "transactionHash": _hex(log.tx_hash),
        "transactionIndex": hex(log.tx_index),
        "logIndex": hex(log.log_index),
        "removed": False,
    }


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _raw(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("0x"))


def _by_number(chain: MemoryChain, params: list[Any]) -> Any:
    block = find(chain, params[0])
    return None if block is None else block_json(block)


def _by_hash(chain: MemoryChain, params: list[Any]) -> Any:
    block = chain.canonical(_raw(params[0]))
    return None if block is None else block_json(block)


def _logs(chain: MemoryChain, params: list[Any]) -> Any:
    query = params[0]
    if "blockHash" in query:
        block = chain.canonical(_raw(query["blockHash"]))
        if block is None:
            raise RpcFault(-32000, "unknown block")
        blocks = [block]
    else:
        first, last = (
            find(chain, query.get("fromBlock", "latest")),
            find(chain, query.get("toBlock", "latest")),
        )
        if first is None:
            return []
        blocks = chain.blocks[first.number : (last or chain.blocks[-1]).number + 1]
    wanted = _filter(query)
    return [
        log_json(block, log)
        for block in blocks
        for log in block.logs
        if wanted.matches(log.address, log.topics[0] if log.topics else None)
    ]


def _filter(query: dict[str, Any]) -> LogFilter:
    addresses = query.get("address")
    if isinstance(addresses, str):
        addresses = [addresses]
    first = (query.get("topics") or [None])[0]
    topics = [first] if isinstance(first, str) else first
    return LogFilter(
        None if addresses is None else frozenset(map(_raw, addresses)),
        None if topics is None else frozenset(map(_raw, topics)),
    )


def _receipt_json(block: MemoryBlock, log: MemoryLog) -> dict[str, Any]:
    return {
        "transactionHash": _hex(log.tx_hash),
        "transactionIndex": hex(log.tx_index),
        "blockHash": _hex(block.hash),
        "blockNumber": hex(block.number),
        "status": "0x1",
        "logs": [log_json(block, log)],
    }


def _block_receipts(chain: MemoryChain, params: list[Any]) -> Any:
    name = params[0]
    block = chain.canonical(_raw(name)) if len(name) == 66 else find(chain, name)
    return None if block is None else [_receipt_json(block, log) for log in block.logs]


def _receipt(chain: MemoryChain, params: list[Any]) -> Any:
    wanted = _raw(params[0])
    for block in reversed(chain.blocks):
        for log in block.logs:
            if log.tx_hash == wanted:
                return _receipt_json(block, log)
    return None


def _code(chain: MemoryChain, params: list[Any]) -> Any:
    block = find(chain, params[1])
    if block is None:
        raise RpcFault(-32000, "header not found")
    return _hex(chain.code_at(_raw(params[0]), block.number))


def _call(chain: MemoryChain, params: list[Any]) -> Any:
    block = find(chain, params[1])
    if block is None:
        raise RpcFault(-32000, "header not found")
    result = chain.call_at(_raw(params[0]["to"]), _raw(params[0].get("data", "0x")), block.number)
    if result is None:
        raise RpcFault(3, "execution reverted", "0x")
    return _hex(result)


_METHODS: dict[str, Callable[[MemoryChain, list[Any]], Any]] = {
    "eth_chainId": lambda chain, _: hex(chain.chain_id),
    "net_version": lambda chain, _: str(chain.chain_id),
    "web3_clientVersion": lambda _, __: "memory/1",
    "eth_blockNumber": lambda chain, _: hex(chain.head.number),
    "eth_syncing": lambda _, __: False,
    "eth_getBlockByNumber": _by_number,
    "eth_getBlockByHash": _by_hash,
    "eth_getLogs": _logs,
    "eth_getBlockReceipts": _block_receipts,
    "eth_getTransactionReceipt": _receipt,
    "eth_getCode": _code,
    "eth_call": _call,
}
