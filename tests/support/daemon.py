"""The real program as a process of its own: started, listened to, stopped, paused and killed.

Importing the program takes longer than what tests do with it, so processes are forked from one that has imported it
(``multiprocessing``'s fork server, which is no fork of the test's own process).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from indexer.config import ContractSettings

PATIENCE_SECONDS = 45.0
_numbers = itertools.count(1)

Line = dict[str, Any]


async def holds(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so; ``what`` is said when it never is."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        await asyncio.sleep(0.01)


class DaemonFailed(AssertionError):
    """The process did something else than was waited for; its log is in the message."""


_fork_server = multiprocessing.get_context("forkserver")
_fork_server.set_forkserver_preload(["daemon", "indexer.cli.main", "indexer.app", "uvloop"])


def _program(
    folder: Path, streams: tuple[Path | None, Path, Path], arguments: Sequence[str], env: Mapping[str, str]
) -> None:
    """What the forked process does: ``indexer ARGUMENTS`` in a folder; ``streams`` are files for stdin, stdout, stderr."""
    from indexer.cli.main import main  # noqa: PLC0415 - the test's own process need not have it

    given, *said = streams
    for number, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    if given is not None:
        os.dup2(os.open(given, os.O_RDONLY), 0)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - the process's own input
    for name in [name for name in os.environ if name.startswith("INDEXER")]:
        del os.environ[name]
    os.environ.update(env)
    os.chdir(folder)
    sys.argv = ["indexer", *arguments]
    main()


async def run_program(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"", seconds: float
) -> tuple[int, str, str]:
    """``indexer ARGUMENTS`` in a folder from start to end: the exit code, what it printed, what it said beside that."""
    with tempfile.TemporaryDirectory(prefix="program-") as place:
        streams = given, out, err = tuple(Path(place, name) for name in ("in", "out", "err"))
        given.write_bytes(stdin)
        out.touch()
        err.touch()
        process = _fork_server.Process(
            target=_program, args=(folder, streams, arguments, dict(env or {})), daemon=False
        )
        process.start()
        try:
            await holds(lambda: process.exitcode is not None, f"the end of {arguments}", seconds)
            return process.exitcode or 0, out.read_text("utf-8"), err.read_text("utf-8")
        finally:
            process.kill()
            process.join()
            process.close()


class Daemon:
    """``indexer ARGUMENTS`` in a folder that holds an ``indexer.toml``; a context manager that leaves nothing.

    Its log goes to a file beside the configuration, one JSON object a line.
    """

    def __init__(self, folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self._log = folder / f"daemon-{next(_numbers)}.log"
        self._log.touch()
        self._process = _fork_server.Process(
            target=_program,
            args=(folder, (None, self._log, self._log), arguments, dict(env or {})),
            daemon=False,
        )
        self._process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.alive:
            self._process.kill()
        self._process.join()
        self._process.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.exitcode is None

    @property
    def text(self) -> str:
        """All it said so far."""
        return self._log.read_text("utf-8", "replace")

    def lines(self, event: str | None = None) -> list[Line]:
        """Log lines so far, of one event or all; what is no JSON is left out (a line half written by a killed process)."""
        found = []
        for text in self.text.splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if event is None or line.get("event") == event:
                found.append(line)
        return found

    async def says(
        self, event: str, count: int = 1, *, where: Callable[[Line], bool] = lambda _: True
    ) -> list[Line]:
        """Wait until it logged ``event`` that often (only lines that ``where`` likes); those lines."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = [line for line in self.lines(event) if where(line)]
            if len(found) >= count:
                return found
            if not self.alive or time.monotonic() > deadline:
                raise DaemonFailed(
                    f"{count} x {event!r} was waited for, alive: {self.alive}\n{self.text[-6000:]}"
                )
            await asyncio.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL, to a process that is alive; its end is waited for."""
        if not self.alive:
            raise DaemonFailed(f"it had ended by itself with {self._process.exitcode}\n{self.text[-6000:]}")
        self.signal(signal.SIGKILL)
        self._process.join()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    async def ends(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for the end; the exit code (negative: the signal that ended it)."""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                raise DaemonFailed(f"it did not end within {seconds:.0f} s\n{self.text[-6000:]}")
            await asyncio.sleep(0.01)
        assert self._process.exitcode is not None
        return self._process.exitcode

    async def stops(self, within: float = 10.0) -> float:
        """SIGTERM; it must end with 0 in time. Returns the seconds it took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        code = await self.ends(within)
        if code != 0:
            raise DaemonFailed(f"it ended with {code}\n{self.text[-6000:]}")
        return time.monotonic() - began


def write_config(
    folder: Path,
    rpc: Sequence[str],
    contracts: Mapping[str, ContractSettings],
    *,
    database: str | None = None,
    lease_seconds: float = 1.0,
    concurrency: int = 2,
    **chain: Any,
) -> Path:
    """An ``indexer.toml`` for the chain ``test`` (id 31337); without ``database`` the embedded one is used."""
    settings = {
        "chain_id": 31337,
        "rpc": list(rpc),
        "poll_seconds": 0.05,
        "timeout_seconds": 5.0,
        "max_range_blocks": 5,
        **chain,
    }
    sections: list[tuple[str, Mapping[str, Any]]] = [
        ("database", {} if database is None else {"url": database}),
        ("http", {"listen": "127.0.0.1:0"}),
        ("log", {"format": "json"}),
        ("sync", {"lease_seconds": lease_seconds, "concurrency": concurrency}),
        ("chains.test", settings),
        *((f"contracts.{name}", _contract(one)) for name, one in contracts.items()),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "indexer.toml"
    path.write_text("\n".join(f"[{name}]\n{_body(values)}" for name, values in sections), "utf-8")
    return path


def _contract(contract: ContractSettings) -> dict[str, Any]:
    values: dict[str, Any] = {"chain": contract.chain, "abi": list(contract.abi)}
    if contract.address:
        values["address"] = ["0x" + address.hex() for address in contract.address]
    if contract.discover:
        values["discover"] = [
            {"contract": one.contract, "event": one.event, "parameter": one.parameter}
            for one in contract.discover
        ]
    return values


def _body(values: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)
