"""The logs of a block out of its receipts: what settles a doubt about ``eth_getLogs``.

``eth_getBlockReceipts`` where the endpoint has it, else one receipt per transaction. Receipts have to be complete (one
per transaction of the block), of that block, and to explain the header's bloom; a bloom that they contradict is
reported, and only believed to be wrong when the receipts are complete.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from indexer.chain.logs import LogBatch, concat
from indexer.chain.refs import BlockHeader, BlockRange
from indexer.errors import BlockNotYetKnown, IndexerError, ProviderLied, RpcRefused, RpcUnavailable
from indexer.rpc.classify import Unexplained
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.queries import header_call, hexed
from indexer.rpc.transport import Call
from indexer.rpc.validate import bloom_of_logs, check_header
from indexer.rpc.wire import parse_header, parse_receipt_logs, parse_transaction_hashes

_BY_BLOCK = "eth_getBlockReceipts"
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class ReceiptLogs:
    """All logs of a block by its receipts; ``explains_bloom`` is None where the header has no bloom."""

    logs: LogBatch
    explains_bloom: bool | None


async def read_receipts(endpoint: Endpoint, header: BlockHeader) -> ReceiptLogs:
    """All logs of the block ``header``.

    Raises:
        BlockNotYetKnown: the endpoint does not have the block.
        ProviderLied: receipts are of another block, or not one for each transaction.
        IndexerError: whatever the requests raise.
    """
    raw = (await endpoint.ask_all([header_call(header.hash)]))[0]
    answered = parse_header(raw)
    hashes = parse_transaction_hashes(raw)
    if answered is None or hashes is None:
        raise BlockNotYetKnown(f"{endpoint.name}: no block {header.ref}")
    check_header(answered, header.hash)
    logs = await _by_block(endpoint, header, len(hashes))
    if logs is None:
        logs = await _one_by_one(endpoint, header, hashes)
    if len(logs) and any(row.tobytes() != header.hash for row in logs.block_hash):
        raise ProviderLied(f"receipts of another block in answer to block {header.ref}")
    bloom = header.logs_bloom or answered.logs_bloom
    explains = None if bloom is None else bloom_of_logs(logs) == int.from_bytes(bloom, "big")
    return ReceiptLogs(logs, explains)


async def _by_block(endpoint: Endpoint, header: BlockHeader, transactions: int) -> LogBatch | None:
    """All receipts at once, or None where the endpoint cannot do that."""
    if _BY_BLOCK in endpoint.unknown_methods:
        return None
    try:
        raw = await endpoint.ask(_BY_BLOCK, [hexed(header.hash)])
        return _complete(raw, header, transactions)
    except (RpcRefused, Unexplained, ProviderLied):
        # Missing on some nodes and broken by hash on others; the receipts themselves may still be had.
        endpoint.unknown_methods.add(_BY_BLOCK)
    except (RpcUnavailable, BlockNotYetKnown):
        return None  # perhaps only this time
    return None


def _complete(raw: msgspec.Raw, header: BlockHeader, transactions: int) -> LogBatch:
    within = BlockRange(header.number, header.number)
    logs = parse_receipt_logs(raw, within)
    if logs is None:
        raise BlockNotYetKnown(f"no receipts of block {header.ref}")
    try:
        found = len(_ITEMS.decode(raw))
    except msgspec.MsgspecError:
        raise ProviderLied(f"the receipts of block {header.ref} are no list") from None
    if found != transactions:
        raise ProviderLied(f"{found} receipts for {transactions} transactions of block {header.ref}")
    return logs


async def _one_by_one(endpoint: Endpoint, header: BlockHeader, hashes: list[bytes]) -> LogBatch:
    within = BlockRange(header.number, header.number)
    calls = [Call("eth_getTransactionReceipt", [hexed(one)]) for one in hashes]
    batches = []
    for raw in await endpoint.ask_all(calls):
        logs = parse_receipt_logs(raw, within)
        if logs is None:
            raise _missing(endpoint, header)
        batches.append(logs)
    return concat(within, batches)


def _missing(endpoint: Endpoint, header: BlockHeader) -> IndexerError:
    return BlockNotYetKnown(f"{endpoint.name}: a receipt of block {header.ref} is missing")
