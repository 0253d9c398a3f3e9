"""Many view functions at one block, asked of one endpoint in batches."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from indexer.errors import ProviderLied
from indexer.rpc.classify import Refused
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.queries import hexed
from indexer.rpc.transport import Call


async def read_calls(
    endpoint: Endpoint, questions: Sequence[tuple[bytes, bytes]], block: int
) -> list[bytes | None]:
    """What each (address, call data) gives at the end of ``block``, in that order; None where it reverts.

    Raises:
        IndexerError: what a failure other than a revert stands for.
    """
    calls = [Call("eth_call", [{"to": hexed(to), "data": hexed(data)}, hex(block)]) for to, data in questions]
    answers: list[bytes | None] = []
    for call, reply in zip(calls, await endpoint.replies(calls), strict=True):
        if reply.result is not None:
            answers.append(bytes_of(reply.result))
            continue
        error = endpoint.error_of(call, reply)
        if not (isinstance(error, Refused) and error.kind == "reverted"):
            raise error
        answers.append(None)
    return answers


def bytes_of(raw: msgspec.Raw) -> bytes:
    """The bytes of a result in hex; raises ``ProviderLied`` for anything else."""
    try:
        return bytes.fromhex(msgspec.json.decode(raw, type=str).removeprefix("0x"))
    except (msgspec.MsgspecError, ValueError):
        raise ProviderLied("an answer that is no bytes in hex") from None
