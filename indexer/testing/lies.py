"""The catalogue of wrong and awkward answers, each by name.

A ``lie`` makes an answer false; a ``fault`` is true but hard to live with. The server applies those that are switched
on; everything is deterministic. Sources: behaviour seen on real nodes, and what could be worse.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from indexer.testing.answers import RpcFault, block_json, log_json
from indexer.testing.chain import MemoryChain

Change = Callable[[MemoryChain, str, list[Any], Any], Any]
"""From chain, method, params and the honest result to the one given; may raise ``RpcFault``."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole HTTP answer in place of JSON-RPC."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Lie:
    """One entry of the catalogue.

    ``change`` works on single results, ``whole`` replaces the answer to a request body (given the decoded body and the
    honest answer), ``only_batches`` restricts ``whole`` to batches. What concerns sockets and time is done by the server.
    """

    name: str
    kind: Literal["lie", "fault"]
    change: Change | None = None
    whole: Callable[[Any, Any], HttpAnswer] | None = None
    only_batches: bool = False


def _on_logs(edit: Callable[[MemoryChain, list[dict[str, Any]]], list[dict[str, Any]]]) -> Change:
    def change(chain: MemoryChain, method: str, _: list[Any], result: Any) -> Any:
        return edit(chain, result) if method == "eth_getLogs" else result

    return change


def _on_blocks(edit: Callable[[MemoryChain, dict[str, Any]], Any]) -> Change:
    def change(chain: MemoryChain, method: str, _: list[Any], result: Any) -> Any:
        if method in ("eth_getBlockByNumber", "eth_getBlockByHash") and result is not None:
            return edit(chain, dict(result))
        return result

    return change


def _on_tag(tag: str, edit: Callable[[MemoryChain], int | None]) -> Change:
    def change(chain: MemoryChain, method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber" and params[0] == tag:
            number = edit(chain)
            return None if number is None else block_json(chain.blocks[max(0, number)])
        return result

    return change


def _refuse_range(limit: int, code: int, wording: str, data: Any = None) -> Change:
    """Refuse log queries over more than ``limit`` blocks. ``wording`` may use {limit}, {asked}, {first}, {good}."""

    def change(_: MemoryChain, method: str, params: list[Any], result: Any) -> Any:
        if method != "eth_getLogs" or "blockHash" in params[0]:
            return result
        first = int(params[0]["fromBlock"], 16)
        asked = int(params[0]["toBlock"], 16) - first + 1
        if asked <= limit:
            return result
        text = wording.format(limit=limit, asked=asked, first=hex(first), good=hex(first + limit - 1))
        raise RpcFault(code, text, data)

    return change


def _refuse(
    method: str, code: int, message: str, *, when: Callable[[list[Any]], bool] = lambda _: True
) -> Change:
    def change(_: MemoryChain, asked: str, params: list[Any], result: Any) -> Any:
        if asked == method and when(params):
            raise RpcFault(code, message)
        return result

    return change


def _foreign_block_hash(_: MemoryChain, logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [dict(log, blockHash="0x" + "ee" * 32) for log in logs]


def _mixed_block_hash(_: MemoryChain, logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*logs[:-1], *(dict(log, blockHash="0x" + "ee" * 32) for log in logs[-1:])]


def _fabricated(_: MemoryChain, logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        *logs,
        *(dict(log, logIndex="0x77", topics=[*log["topics"], "0x" + "77" * 32][:4]) for log in logs[-1:]),
    ]


def _outside(_: MemoryChain, logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [dict(log, blockNumber=hex(int(log["blockNumber"], 16) + 100_000)) for log in logs]


def _ignore(*parts: str) -> Change:
    """Give the logs of the same blocks without looking at these parts of the filter."""

    def change(chain: MemoryChain, method: str, params: list[Any], result: Any) -> Any:
        if method != "eth_getLogs" or not result:
            return result
        numbers = sorted({int(log["blockNumber"], 16) for log in result})
        every = [
            log_json(chain.blocks[number], log) for number in numbers for log in chain.blocks[number].logs
        ]
        if "address" in parts:
            return every
        wanted = {address.lower() for address in params[0].get("address", [log["address"] for log in every])}
        return [log for log in every if log["address"] in wanted]

    return change


def _neighbour(chain: MemoryChain, block: dict[str, Any]) -> dict[str, Any]:
    number = int(block["number"], 16)
    return block_json(chain.blocks[number - 1]) if number else block


def _replaced_logs(chain: MemoryChain, method: str, params: list[Any], result: Any) -> Any:
    """A query by hash is answered with the logs of the block before it."""
    if method != "eth_getLogs" or "blockHash" not in params[0] or not result:
        return result
    before = chain.blocks[int(result[0]["blockNumber"], 16) - 1]
    return [log_json(before, log) for log in before.logs]


def _no_receipts(_: MemoryChain, method: str, __: list[Any], result: Any) -> Any:
    if method == "eth_getBlockReceipts":
        raise RpcFault(-32601, "the method eth_getBlockReceipts does not exist/is not available")
    return result


def _lagging_range(chain: MemoryChain, method: str, params: list[Any], result: Any) -> Any:
    """A backend that has only half of the chain: no logs and no blocks above."""
    half = len(chain.blocks) // 2
    if method == "eth_getLogs":
        return [log for log in result if int(log["blockNumber"], 16) <= half]
    if method == "eth_getBlockByNumber" and result is not None and params[0].startswith("0x"):
        return result if int(result["number"], 16) <= half else None
    return result


def _above_head(chain: MemoryChain, method: str, params: list[Any], result: Any) -> Any:
    if (
        method == "eth_getLogs"
        and "toBlock" in params[0]
        and int(params[0]["toBlock"], 16) > chain.head.number
    ):
        raise RpcFault(-32602, "block range extends beyond current head block")
    return result


def _truncated(_: Any, honest: Any) -> HttpAnswer:
    body = json.dumps(honest).encode()
    return HttpAnswer(body[: len(body) * 2 // 3])


def _swapped(_: Any, honest: Any) -> HttpAnswer:
    if isinstance(honest, list) and len(honest) > 1:
        results = [{key: value for key, value in one.items() if key != "id"} for one in honest]
        honest = [
            {"id": one["id"], **result} for one, result in zip(honest, results[1:] + results[:1], strict=True)
        ]
    return HttpAnswer(json.dumps(honest).encode())


def _edited(edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any, Any], HttpAnswer]:
    def whole(_: Any, honest: Any) -> HttpAnswer:
        edited = [edit(one) for one in honest] if isinstance(honest, list) else edit(honest)
        return HttpAnswer(json.dumps(edited).encode())

    return whole


def _fixed(body: bytes, status: int = 200, content_type: str = "application/json", **headers: str) -> Any:
    def whole(_: Any, __: Any) -> HttpAnswer:
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return HttpAnswer(body, status, named, content_type)

    return whole


@cache
def _compressed_blanks() -> bytes:
    """Sixteen megabytes in sixteen kilobytes."""
    return gzip.compress(b" " * 16_000_000, 1)


def _bomb(_: Any, __: Any) -> HttpAnswer:
    return HttpAnswer(_compressed_blanks(), headers=(("Content-Encoding", "gzip"),))


_HTML = b"<html><head><title>Just a moment</title></head><body>checking your browser</body></html>"
_NULL_ID = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch requests are not supported"}}'
_BUSY = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"too many requests"}}'

RANGE_WORDINGS: tuple[Lie, ...] = (
    Lie(
        "range_max_blocks",
        "fault",
        _refuse_range(10, -32000, "block range is too wide, max is {limit} blocks"),
    ),
    Lie(
        "range_a_over_n",
        "fault",
        _refuse_range(10, -32000, "exceeds the range allowed for your plan ({asked} > {limit})"),
    ),
    Lie(
        "range_pair",
        "fault",
        _refuse_range(
            10, -32602, "query returned more than 10000 results, try this block range: [{first}, {good}]"
        ),
    ),
    Lie("range_no_number", "fault", _refuse_range(10, -32602, "Block range limit exceeded.")),
    Lie("range_invalid_params", "fault", _refuse_range(10, -32602, "Invalid params")),
    Lie(
        "range_in_data",
        "fault",
        _refuse_range(10, -32000, "server error", {"reason": "span of blocks must be at most 10"}),
    ),
    Lie(
        "range_k_suffix", "fault", _refuse_range(10, -32005, "eth_getLogs is limited to a 0.01k block range")
    ),
    Lie("range_bytes", "fault", _refuse_range(10, -32020, "backend response too large")),
)

CATALOGUE: dict[str, Lie] = {
    lie.name: lie
    for lie in (
        Lie("empty_logs", "lie", _on_logs(lambda _, __: [])),
        Lie("missing_log", "lie", _on_logs(lambda _, logs: logs[:-1])),
        Lie("foreign_block_hash", "lie", _on_logs(_foreign_block_hash)),
        Lie("mixed_block_hash", "lie", _on_logs(_mixed_block_hash)),
        Lie("duplicate_log", "lie", _on_logs(lambda _, logs: [*logs, *logs[-1:]])),
        Lie("fabricated_log", "lie", _on_logs(_fabricated)),
        Lie("log_outside_range", "lie", _on_logs(_outside)),
        Lie("unordered_logs", "fault", _on_logs(lambda _, logs: logs[::-1])),
        Lie(
            "no_timestamps",
            "fault",
            _on_logs(
                lambda _, logs: [{k: v for k, v in log.items() if k != "blockTimestamp"} for log in logs]
            ),
        ),
        Lie("wrong_time", "lie", _on_logs(lambda _, logs: [dict(log, blockTimestamp="0x1") for log in logs])),
        Lie("malformed_log", "lie", _on_logs(lambda _, logs: [dict(log, address="0x12") for log in logs])),
        Lie("topics_ignored", "lie", _ignore("topics")),
        Lie("addresses_ignored", "lie", _ignore("topics", "address")),
        Lie("orphan_logs", "lie", _replaced_logs),
        Lie("null_block", "lie", _on_blocks(lambda _, __: None)),
        Lie("wrong_block", "lie", _on_blocks(_neighbour)),
        Lie("broken_parent", "lie", _on_blocks(lambda _, block: dict(block, parentHash="0x" + "dd" * 32))),
        Lie("malformed_block", "lie", _on_blocks(lambda _, block: dict(block, hash="0x12"))),
        Lie("wrong_bloom", "lie", _on_blocks(lambda _, block: dict(block, logsBloom="0x" + "00" * 256))),
        Lie(
            "wrong_chain_id",
            "lie",
            lambda _, method, __, result: "0xdead" if method == "eth_chainId" else result,
        ),
        Lie("head_back", "lie", _on_tag("latest", lambda chain: chain.head.number - 5)),
        Lie("stalled_head", "lie", _on_tag("latest", lambda _: 3)),
        Lie("finalized_back", "lie", _on_tag("finalized", lambda _: 0)),
        Lie("finalized_null", "fault", _on_tag("finalized", lambda _: None)),
        Lie(
            "finalized_error",
            "fault",
            _refuse(
                "eth_getBlockByNumber", -39001, "Unknown block", when=lambda params: params[0] == "finalized"
            ),
        ),
        Lie("lagging_backend", "lie", _lagging_range),
        Lie("above_head_refused", "fault", _above_head),
        Lie("receipts_missing", "fault", _no_receipts),
        Lie(
            "too_many_addresses",
            "fault",
            _refuse(
                "eth_getLogs",
                -32602,
                "exceed max addresses or topics per search position",
                when=lambda params: len(params[0].get("address", [])) > 3,
            ),
        ),
        Lie("truncated_json", "lie", whole=_truncated),
        Lie("html_200", "lie", whole=_fixed(_HTML, content_type="text/html")),
        Lie("mixed_batch", "lie", whole=_swapped, only_batches=True),
        Lie("foreign_id", "lie", whole=_edited(lambda one: dict(one, id=987_654_321))),
        Lie(
            "result_and_error",
            "lie",
            whole=_edited(lambda one: dict(one, error={"code": 1, "message": "both"})),
        ),
        Lie("neither", "lie", whole=_edited(lambda one: {"jsonrpc": "2.0", "id": one["id"]})),
        Lie("id_as_text", "fault", whole=_edited(lambda one: dict(one, id=str(one["id"])))),
        Lie("error_null", "fault", whole=_edited(lambda one: {"error": None, **one})),
        Lie("batch_null_id", "fault", whole=_fixed(_NULL_ID), only_batches=True),
        Lie("batch_html", "fault", whole=_fixed(_HTML, content_type="text/html"), only_batches=True),
        Lie("batch_nothing", "fault", whole=_fixed(b""), only_batches=True),
        Lie(
            "batch_400", "fault", whole=_fixed(b"batching is disabled", 400, "text/plain"), only_batches=True
        ),
        Lie("rate_limited", "fault", whole=_fixed(_BUSY, 429, Retry_After="1")),
        Lie(
            "server_error",
            "fault",
            whole=_fixed(b"<title>503 Backend fetch failed</title>", 503, "text/html"),
        ),
        Lie("bad_gateway", "fault", whole=_fixed(b"Bad Gateway", 502, "text/plain")),
        Lie("redirect", "fault", whole=_fixed(b"", 307, Location="/elsewhere")),
        Lie(
            "huge_answer",
            "fault",
            whole=_bomb,
        ),
        # Done by the server itself, since they concern connections and time.
        Lie("connection_reset", "fault"),
        Lie("no_answer", "fault"),
        Lie("silent_websocket", "lie"),
        Lie("out_of_order_heads", "fault"),
        Lie("repeated_heads", "fault"),
        *RANGE_WORDINGS,
    )
}
"""Every entry by name."""
