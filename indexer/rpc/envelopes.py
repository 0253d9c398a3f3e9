"""JSON-RPC responses out of a body, without looking through large results.

Where compiled code is installed (``indexer/native/skip.c``), a large array that is a result is held out of the body
while msgspec reads the rest. Whether it is JSON is then for whoever reads the result to say.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from indexer.errors import RpcUnavailable
from indexer.native.library import address_of, loops

WORTH_HOLDING_OUT = 1 << 16
"""Shorter bodies are parsed as they are."""

_RESULT = b'"result":['
_FAR = 256
"""How far before a large result its key is looked for: members of an envelope and small answers stand there."""

_MOST = 64
_STAND_IN_JSON = b'"held out"'


class Envelope(msgspec.Struct, gc=False):
    """A JSON-RPC response, or a subscription's notification (``method`` and ``params``).

    ``result`` and ``error`` are the raw JSON of the field: empty when the field is absent, ``b"null"`` when null.
    """

    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw()


_ENVELOPES = msgspec.json.Decoder(Envelope | list[Envelope])


def parse_envelopes(body: bytes | bytearray) -> list[Envelope]:
    """The responses in a body: one for an object, any number for a batch's array.

    Raises:
        RpcUnavailable: when the body is no JSON-RPC (HTML, truncated, another shape).
    """
    held_out = list(_large_results(body)) if len(body) >= WORTH_HOLDING_OUT else []
    if held_out:
        found = _without(body, held_out)
        if found is not None:
            return found
    return _decode(body)


def _large_results(body: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """First byte and end of each large array that is a ``result``, as far as they are near each other."""
    library = loops()
    if library is None:
        return
    text = np.frombuffer(body, np.uint8)
    end = 0
    for _ in range(_MOST):
        key = body.find(_RESULT, end, end + _FAR)
        if key < 0:
            return
        first = key + len(_RESULT) - 1
        size = library.indexer_skip_array(address_of(text) + first, len(text) - first)
        if size < 0:
            return
        end = first + size
        if size >= WORTH_HOLDING_OUT:
            yield first, end


def _without(body: bytes | bytearray, held_out: list[tuple[int, int]]) -> list[Envelope] | None:
    """The envelopes with these results put back; None where they are not results after all."""
    view = memoryview(body)
    rest = bytearray()
    begin = 0
    for first, end in held_out:
        rest += view[begin:first]
        rest += _STAND_IN_JSON
        begin = end
    rest += view[begin:]
    envelopes = _decode(bytes(rest))
    waiting = [one for one in envelopes if _is_stand_in(one.result)]
    if len(waiting) != len(held_out):
        return None
    for envelope, (first, end) in zip(waiting, held_out, strict=True):
        envelope.result = msgspec.Raw(view[first:end])
    return envelopes


def _is_stand_in(result: msgspec.Raw) -> bool:
    return memoryview(result).nbytes == len(_STAND_IN_JSON) and bytes(result) == _STAND_IN_JSON


def _decode(body: bytes | bytearray) -> list[Envelope]:
    try:
        answer = _ENVELOPES.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RpcUnavailable(f"the answer is no JSON-RPC: {error}") from error
    return answer if isinstance(answer, list) else [answer]
