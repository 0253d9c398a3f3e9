"""A proxy between the store and PostgreSQL that cuts a connection at COMMIT, before or after the server has it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

COMMIT_MESSAGE = b"Q\x00\x00\x00\x0cCOMMIT;\x00"
"""The simple query that asyncpg ends a transaction with."""

Cut = Literal["before", "after"]


class CutAtCommit:
    """Listens on a Unix socket and forwards to the server of ``url``.

    While ``cuts`` holds something, the next COMMIT takes one: ``before`` drops the connection without forwarding it,
    ``after`` forwards it, waits until the server has answered, and drops the connection without passing the answer on.
    """

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._folder = Path(tempfile.mkdtemp(prefix="cut-"))
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self.cuts: list[Cut] = []
        self.done: list[Cut] = []

    @property
    def url(self) -> str:
        """Where the store connects."""
        user = f"{self._parts.username or 'postgres'}" + (
            f":{self._parts.password}" if self._parts.password else ""
        )
        return f"postgresql://{user}@/{self._parts.path.lstrip('/')}?host={self._folder}&port=5432"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._folder / ".s.PGSQL.5432")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self._server.wait_closed()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        query = parse_qs(self._parts.query)
        if "host" in query:
            return await asyncio.open_unix_connection(
                f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}"
            )
        return await asyncio.open_connection(self._parts.hostname or "127.0.0.1", self._parts.port or 5432)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await self._open()
        back = asyncio.create_task(self._pump(server_reader, writer))
        task = asyncio.current_task()
        assert task is not None
        self._pumps |= {back, task}
        try:
            while piece := await reader.read(65536):
                if self.cuts and piece.endswith(COMMIT_MESSAGE):
                    cut = self.cuts.pop(0)
                    if cut == "after":
                        back.cancel()
                        await asyncio.gather(back, return_exceptions=True)
                        server_writer.write(piece)
                        await server_reader.read(65536)
                    self.done.append(cut)
                    return
                server_writer.write(piece)
                await server_writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            back.cancel()
            for one in (writer, server_writer):
                one.close()
                with contextlib.suppress(ConnectionError):
                    await one.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
            writer.close()
