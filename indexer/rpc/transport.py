"""Requests to one endpoint and what came back, over HTTP: web3's provider underneath, our own reading of answers.

A transport neither retries nor judges: it gives each call a result or a failure, or raises when nothing came at all.
What it enforces are bounds (time, bytes of an answer after decompression, connections) and the frame: every answer
belongs to a request of this exchange by its id, and holds one of result and error.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import aiohttp
import msgspec
from web3.providers.rpc.async_rpc import AsyncHTTPProvider

from indexer.clock import Clock, SystemClock
from indexer.errors import ProviderLied, RangeTooWide, RpcTimeout, RpcUnavailable
from indexer.rpc.classify import Failure
from indexer.rpc.envelopes import Envelope, parse_envelopes
from indexer.rpc.names import Scrubber

MAX_RESPONSE_BYTES = 48 * 1024 * 1024
"""Largest answer that is read, decompressed. Log queries aim far below it (``rpc/ranges.py``)."""

MAX_ERROR_BYTES = 64 * 1024
"""How much of an answer with an HTTP error status is read."""

MAX_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Call:
    """One request: method and params, JSON-ready. ``blocks`` is the span of a log query by range, for classification."""

    method: str
    params: list[Any]
    blocks: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The raw JSON of a result (``b"null"`` when null), or the failure that came instead; never both."""

    result: msgspec.Raw | None = None
    failure: Failure | None = None


class BatchRefused(RpcUnavailable):
    """The endpoint does not take this batch; the same requests one by one may go through.

    ``failure`` is what it said, when it said something.
    """

    def __init__(self, message: str, failure: Failure | None = None) -> None:
        self.failure = failure
        super().__init__(message)


class Transport(Protocol):
    """A way to one endpoint."""

    async def send(self, calls: Sequence[Call]) -> list[Reply]:
        """Replies in the order of ``calls``; several are sent together.

        Raises:
            RpcTimeout: no answer in time.
            RpcUnavailable: no connection, or what came is no JSON-RPC.
            BatchRefused: several were asked and the endpoint did not take them together.
            RangeTooWide: the answer is larger than is ever read.
            ProviderLied: an answer with a foreign id, or both or neither of result and error.
        """

    async def close(self) -> None:
        """Close every connection; safe to call twice."""


class HttpTransport(AsyncHTTPProvider):
    """JSON-RPC over HTTP with a session of our own: bounded, kept alive, compressed, without redirects.

    Args:
        url: Where; never shown.
        timeout_seconds: For a whole exchange.
        max_response_bytes: See ``MAX_RESPONSE_BYTES``.
        clock: For ``Retry-After`` given as a date.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float,
        max_response_bytes: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(url, exception_retry_configuration=None)
        # Ids begin with 1: a 0 is lost where somebody tests it for truth.
        self.request_counter = itertools.count(1)
        self._url = url
        self._scrub = Scrubber(url)
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(10.0, timeout_seconds))
        self._max_bytes = max_response_bytes or MAX_RESPONSE_BYTES
        self._clock = clock or SystemClock()
        self._session: aiohttp.ClientSession | None = None

    def __str__(self) -> str:
        return "HTTP transport"  # web3 would show the URL

    @staticmethod
    def encode_rpc_dict(rpc_dict: Any) -> bytes:
        """JSON of one request."""
        return msgspec.json.encode(rpc_dict)

    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> Any:
        """The envelopes in a body, without building objects of what is in them."""
        return parse_envelopes(raw_response)

    async def send(self, calls: Sequence[Call]) -> list[Reply]:
        """See ``Transport.send``."""
        requests = [self.form_request(call.method, call.params) for call in calls]  # type: ignore[arg-type]  # web3 types method names as a NewType
        single = len(requests) == 1
        body = self.encode_rpc_dict(requests[0]) if single else self.encode_batch_request_dicts(requests)
        status, headers, answer = await self._exchange(body)
        try:
            envelopes = parse_envelopes(answer)
        except RpcUnavailable:
            if status == 200 and not single:
                raise BatchRefused("a batch was answered with something that is no JSON-RPC") from None
            if status == 200:
                raise RpcUnavailable(
                    self._scrub(f"no JSON-RPC in the answer: {_text(answer)[:120]!r}")
                ) from None
            envelopes = []
        outer = _http_failure(status, headers, answer, self._clock.wall())
        if outer is not None and not any(present(one.error) or present(one.result) for one in envelopes):
            return [Reply(failure=outer)] * len(calls)
        return match_replies([int(request["id"] or 0) for request in requests], envelopes, outer)

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, body: bytes) -> tuple[int, Any, bytes | bytearray]:
        session = self._open_session()
        try:
            async with session.post(self._url, data=body, allow_redirects=False) as response:
                limit = self._max_bytes if response.status == 200 else MAX_ERROR_BYTES
                answer = await _read_bounded(response, limit)
                return response.status, response.headers, answer
        except TimeoutError:
            raise RpcTimeout(f"no answer within {self._timeout.total:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The cause is cut off: it quotes the URL with its key.
            raise RpcUnavailable(self._scrub(f"{type(error).__name__}: {error}")) from None

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, ttl_dns_cache=60, keepalive_timeout=30),
                timeout=self._timeout,
                headers={
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                    "User-Agent": "gemforce-indexer",
                },
                auto_decompress=True,
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=1 << 20,
            )
        return self._session


def match_replies(
    ids: Sequence[int], envelopes: Sequence[Envelope], outer: Failure | None = None
) -> list[Reply]:
    """Bring the envelopes of one exchange into the order of its request ids.

    Args:
        ids: Of the requests, in order.
        envelopes: What came.
        outer: The failure of the HTTP exchange, merged into each error.

    Raises:
        BatchRefused: several were asked, and one object without an id, or nothing, came.
        ProviderLied: an id that was not asked for, twice the same, or one missing.
    """
    if len(ids) > 1 and (not envelopes or (len(envelopes) == 1 and envelopes[0].id is None)):
        said = _failure_of(envelopes[0], outer) if envelopes else outer
        raise BatchRefused("a batch was not answered one by one", said)
    if len(ids) == 1 and len(envelopes) == 1 and envelopes[0].id is None and present(envelopes[0].error):
        return [_reply(envelopes[0], outer)]  # an error that came before the request was understood
    found: dict[int | str | None, Envelope] = {}
    for envelope in envelopes:
        key = _integer(envelope.id)
        if key in found:
            raise ProviderLied(f"two answers to request {key!r}")
        found[key] = envelope
    if set(found) != set(ids):
        raise ProviderLied(f"answers to requests {_some(found)} where {_some(ids)} were asked")
    return [_reply(found[one], outer) for one in ids]


def _integer(answered: int | str | None) -> int | str | None:
    """Some nodes give a numeric id back as text."""
    return (
        int(answered)
        if isinstance(answered, str) and answered.isdecimal() and len(answered) < 19
        else answered
    )


def _some(ids: Any) -> str:
    shown = [repr(one)[:20] for one in itertools.islice(ids, 4)]
    return ", ".join(shown) + (", …" if len(ids) > 4 else "")


def present(raw: msgspec.Raw) -> bool:
    """Whether the field was there and not null; large ones are not copied to find out."""
    size = memoryview(raw).nbytes
    return size > 4 or (size > 0 and bytes(raw) != b"null")


def _reply(envelope: Envelope, outer: Failure | None) -> Reply:
    # A null result beside an error is an error; real nodes send both fields.
    if present(envelope.error):
        if present(envelope.result):
            raise ProviderLied("an answer with both a result and an error")
        return Reply(failure=_failure_of(envelope, outer))
    if memoryview(envelope.result).nbytes == 0:
        raise ProviderLied("an answer with neither result nor error")
    if outer is not None:
        return Reply(failure=outer)
    return Reply(result=envelope.result)


def _failure_of(envelope: Envelope, outer: Failure | None) -> Failure:
    try:
        error = msgspec.json.decode(envelope.error) if present(envelope.error) else {}
    except (msgspec.MsgspecError, UnicodeDecodeError):
        error = str(bytes(envelope.error)[:1000])
    status = None if outer is None else outer.http_status
    waiting = None if outer is None else outer.retry_after
    if not isinstance(error, dict):
        return Failure(str(error)[:2000], http_status=status, retry_after=waiting)
    code = error.get("code")
    data = error.get("data")
    detail = data if isinstance(data, str) else "" if data is None else msgspec.json.encode(data).decode()
    number = (
        code if isinstance(code, int) else int(code) if isinstance(code, str) and _is_number(code) else None
    )
    return Failure(str(error.get("message", ""))[:4000], detail[:4000], number, status, waiting)


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdecimal() and len(text) < 10


def _http_failure(status: int, headers: Any, body: bytes | bytearray, now: float) -> Failure | None:
    if status == 200:
        return None
    return Failure(
        "", _text(body)[:4000], http_status=status, retry_after=_retry_after(headers.get("Retry-After"), now)
    )


def _retry_after(value: str | None, now: float) -> float | None:
    """Seconds out of a ``Retry-After`` header (RFC 9110, section 10.2.3: seconds or a date)."""
    if value is None:
        return None
    if value.strip().replace(".", "", 1).isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError):
        return None


def _text(body: bytes | bytearray) -> str:
    return body[:8000].decode("utf-8", "replace")


async def _read_bounded(response: aiohttp.ClientResponse, limit: int) -> bytes | bytearray:
    """The body, decompressed. Beyond ``limit`` bytes: an error's rest is left unread, a result is ``RangeTooWide``."""
    # Where the length is told, pieces are put in their place while they are in the processor's cache.
    whole = bytearray(_told_length(response, limit))
    pieces: list[bytes] = []
    size = count = 0
    async for chunk in response.content.iter_any():
        size, count, first = size + len(chunk), count + 1, size
        if size <= len(whole):
            whole[first:size] = chunk
        else:
            pieces.append(chunk)
        if size > limit:
            response.close()
            if response.status != 200:
                break
            raise RangeTooWide(f"the answer is larger than {limit} bytes")
        if count % 64 == 0:
            await asyncio.sleep(0)  # a fast endpoint must not keep other tasks waiting
    if not pieces and size == len(whole):
        return whole
    return bytes(memoryview(whole)[: size - sum(map(len, pieces))]) + b"".join(pieces)


def _told_length(response: aiohttp.ClientResponse, limit: int) -> int:
    """Bytes of the body by its header, at most ``limit``; 0 where none are told, or of the compressed body."""
    told = response.content_length
    compressed = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    return 0 if told is None or told < 0 or compressed else min(told, limit)
