"""An anvil of our own: started on a free port, asked over JSON-RPC, mined and reorganised on command."""

from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import aiohttp

from indexer.demo.tools import ToolFailed
from indexer.errors import IndexerError

CHAIN_ID = 31337
USUAL_PORT = 8545
_START_SECONDS = 30.0
_SETTLE_SECONDS = 0.05
_STOP_SECONDS = 5.0
_START_TRIES = 3
_CALL_SECONDS = 30.0


class AnvilRefused(IndexerError):
    """anvil answered a request with an error."""


@dataclass(frozen=True, slots=True)
class AnvilOptions:
    """How a chain behaves.

    ``slots`` is the length of an epoch: ``safe`` is the head less one epoch, ``finalized`` less two. ``block_seconds``
    mines by the clock; None mines only on request.
    """

    slots: int = 16
    block_seconds: float | None = None
    chain_id: int = CHAIN_ID
    gas_limit: int = 200_000_000


class Anvil:
    """A running anvil process. Use as a context manager, or call ``start`` and ``stop``.

    Args:
        binary: The anvil to run.
        options: How the chain behaves.
        port: The port to prefer; None, or a port that is taken, means any free one.
    """

    def __init__(self, binary: Path, options: AnvilOptions | None = None, port: int | None = None) -> None:
        self._binary = binary
        self._options = options or AnvilOptions()
        self._preferred = port
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where JSON-RPC is served over HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Where JSON-RPC is served over WebSocket."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> Self:
        """Start and wait until the port answers.

        Raises:
            ToolFailed: It did not come up within 30 seconds, in three tries (a port can be taken in between).
        """
        problem = ""
        for attempt in range(_START_TRIES):
            self.port = free_port(self._preferred if attempt == 0 else None)
            self._launch()
            if self._wait():
                return self
            problem = self._complaint()
            self.stop()
        raise ToolFailed(f"anvil ({self._binary}) did not start: {problem or 'it gave no reason'}")

    def stop(self) -> None:
        """End the process, kindly first; safe to call twice."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            if process.poll() is None:
                process.kill()
                process.wait(_STOP_SECONDS)
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self) -> None:
        options = self._options
        command = [str(self._binary), "--quiet", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--chain-id", str(options.chain_id), "--slots-in-an-epoch", str(options.slots)]
        command += ["--gas-limit", str(options.gas_limit), "--order", "fifo", "--base-fee", "0"]
        if options.block_seconds is None:
            command += ["--no-mining"]
        else:
            command += ["--block-time", str(options.block_seconds)]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by stop
        self._process = subprocess.Popen(  # noqa: S603  # the binary that tools.py found
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            start_new_session=True,
        )

    def _wait(self) -> bool:
        """Whether the port answers before the process ends or the time is up."""
        deadline = time.monotonic() + _START_SECONDS
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                # Were it somebody else who listens there, ours would be ending about now.
                time.sleep(_SETTLE_SECONDS)
                return self._process.poll() is None
            time.sleep(0.02)
        return False

    def _complaint(self) -> str:
        if self._errors is None:
            return ""
        self._errors.seek(0)
        return self._errors.read(4000).decode("utf-8", "replace").strip()


def free_port(preferred: int | None = None) -> int:
    """``preferred`` if nobody listens there, else a port that was free a moment ago."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ToolFailed("no port is free on 127.0.0.1")


class AnvilClient:
    """JSON-RPC to an anvil, with what only anvil can do. An async context manager."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ids = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_CALL_SECONDS))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(self, method: str, *params: Any) -> Any:
        """The result of one request.

        Raises:
            AnvilRefused: anvil answered with an error.
        """
        return (await self.batch([(method, params)]))[0]

    async def call_or_none(self, method: str, *params: Any) -> Any:
        """The result of one request, or None where anvil refuses it (a view function that reverts)."""
        try:
            return await self.call(method, *params)
        except AnvilRefused:
            return None

    async def batch(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """The results of several requests, in their order; raises ``AnvilRefused`` for the first that failed."""
        if self._session is None:
            raise AnvilRefused("the client is not open")
        if not requests:
            return []
        bodies = [
            {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}
            for method, params in requests
        ]
        async with self._session.post(self._url, json=bodies) as response:
            answers = {answer["id"]: answer for answer in await response.json(content_type=None)}
        return [_result(body, answers.get(body["id"])) for body in bodies]

    async def head(self) -> int:
        """The number of the newest block."""
        return int(await self.call("eth_blockNumber"), 16)

    async def accounts(self) -> list[str]:
        """The development accounts, whose transactions anvil signs itself."""
        found: list[str] = await self.call("eth_accounts")
        return found

    async def mine(self, blocks: int = 1) -> None:
        """Mine that many blocks; what waits goes into the first."""
        if blocks == 1:
            await self.call("evm_mine")
        elif blocks > 1:
            await self.call("anvil_mine", hex(blocks))

    async def transactions_above(self, number: int) -> list[tuple[str, str]]:
        """Sender and raw transaction of everything in blocks above ``number``, in the order of the chain."""
        head = await self.head()
        wanted = [("eth_getBlockByNumber", (hex(block), True)) for block in range(number + 1, head + 1)]
        found = [one for block in await self.batch(wanted) for one in block["transactions"]]
        raw = await self.batch([("eth_getRawTransactionByHash", (one["hash"],)) for one in found])
        return [(one["from"], signed) for one, signed in zip(found, raw, strict=True)]

    async def reorg(self, depth: int, transactions: Sequence[tuple[str, int]]) -> None:
        """Replace the last ``depth`` blocks by as many new ones.

        ``transactions`` are raw ones, each with the offset of the new block that it goes into; those not given again
        are dropped.
        """
        await self.call("anvil_reorg", depth, [[raw, offset] for raw, offset in transactions])


def _result(body: dict[str, Any], answer: dict[str, Any] | None) -> Any:
    if answer is None:
        raise AnvilRefused(f"{body['method']}: no answer")
    if "error" in answer:
        raise AnvilRefused(f"{body['method']}: {answer['error'].get('message', answer['error'])}")
    return answer.get("result")
