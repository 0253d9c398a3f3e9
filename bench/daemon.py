"""The daemon as a user runs it, in a process of its own, with an eye on its log, its CPU time and its memory."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.processes import cpu_seconds, family_cpu_seconds, resident_bytes

_TIMEOUT_SECONDS = 900
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Moment:
    """CPU seconds spent when something happened: by the daemon and by PostgreSQL."""

    daemon: float
    postgres: float


@dataclass(slots=True)
class DaemonRun:
    """What is seen of one run. ``lines`` are its log; CPU time counts from when it served."""

    process: asyncio.subprocess.Process
    postmaster: int | None
    reading: asyncio.Task[None] = field(init=False)
    lines: list[dict[str, Any]] = field(default_factory=list)
    memory_bytes: int = 0
    began: Moment = Moment(0, 0)
    ended: Moment = Moment(0, 0)
    port: int = 0

    async def read(self) -> None:
        """Take in the log until the daemon ends."""
        while self.process.stderr is not None and (text := await self.process.stderr.readline()):
            self._take(text.decode())

    async def look(self) -> None:
        """Note the most memory it holds."""
        while True:
            self.memory_bytes = max(self.memory_bytes, resident_bytes(self.process.pid))
            await asyncio.sleep(_LOOK_SECONDS)

    def now(self) -> Moment:
        """What was spent by now."""
        return Moment(cpu_seconds(self.process.pid), family_cpu_seconds(self.postmaster))

    def mark_end(self) -> None:
        """What is spent later does not count."""
        self.ended = self.now()

    def _take(self, text: str) -> None:
        if not text.startswith("{"):
            self.lines.append({"event": text.strip(), "timestamp": ""})
            return
        line = json.loads(text)
        self.lines.append(line)
        if line["event"] == "http listens":
            self.port = int(line["address"].rpartition(":")[2])
            self.began = self.now()
        elif line["event"] == "goal reached":
            self.mark_end()

    def first(self, event: str) -> dict[str, Any]:
        """The first line of an event; raises ``RuntimeError`` when there is none."""
        for line in self.lines:
            if line["event"] == event:
                return line
        raise RuntimeError(f"the daemon never logged {event!r}")

    @property
    def commits(self) -> list[dict[str, Any]]:
        """Commits that wrote rows."""
        return [line for line in self.lines if line["event"] == "committed" and line["rows"]]

    @property
    def daemon_cpu_seconds(self) -> float:
        """CPU time of the daemon."""
        return self.ended.daemon - self.began.daemon

    @property
    def postgres_cpu_seconds(self) -> float:
        """CPU time of PostgreSQL, all of its processes."""
        return self.ended.postgres - self.began.postgres


def time_of(line: dict[str, Any]) -> float:
    """When a line was logged, in seconds since 1970."""
    return datetime.fromisoformat(line["timestamp"]).timestamp()


async def run_daemon(configuration: Path, postmaster: int | None, *, until: str = "finalized") -> DaemonRun:
    """Run it until its goal. Raises ``RuntimeError`` when it fails."""
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        async with daemon_running(configuration, postmaster, "--until", until) as seen:
            await seen.reading
            await seen.process.wait()
    if seen.process.returncode:
        raise RuntimeError(f"the daemon ended with {seen.process.returncode}: {seen.lines[-3:]}")
    return seen


@asynccontextmanager
async def daemon_running(
    configuration: Path, postmaster: int | None, *arguments: str
) -> AsyncIterator[DaemonRun]:
    """The daemon, ended with SIGTERM afterwards if it still runs. Raises ``RuntimeError`` when it never serves."""
    command = [sys.executable, "-m", "indexer", "-c", str(configuration), "run", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    seen = DaemonRun(process, postmaster)
    seen.reading = asyncio.create_task(seen.read())
    looking = asyncio.create_task(seen.look())
    try:
        while not seen.port:
            await asyncio.sleep(_LOOK_SECONDS)
            if seen.reading.done():
                raise RuntimeError(f"the daemon ended early: {seen.lines[-3:]}")
        yield seen
    finally:
        looking.cancel()
        if process.returncode is None:
            process.terminate()
        await seen.reading
        await process.wait()
