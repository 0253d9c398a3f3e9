"""What a benchmark found, for people and for machines."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("gemforce-indexer", "numpy", "msgspec", "asyncpg", "aiohttp", "uvloop")


@dataclass(slots=True)
class Machine:
    """Where it was measured."""

    cpu: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    postgres: str
    packages: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class HotPath:
    """One load through the hot path. Times are microseconds of a log; ``stages`` were run one after the other."""

    load: str
    logs: int
    json_bytes_per_log: float
    stages: dict[str, float]
    logs_per_second: float
    floor_logs_per_second: float
    rounds: int

    @property
    def ratio(self) -> float:
        """How many times as long as the floor it takes; 1 would be PostgreSQL and nothing else."""
        return self.floor_logs_per_second / self.logs_per_second


@dataclass(slots=True)
class Engine:
    """One load through the daemon: until its events were committed, and until its state had caught up."""

    load: str
    logs: int
    logs_per_second: float
    logs_per_second_with_state: float
    memory_bytes: int


def machine(postgres: str) -> Machine:
    """This machine; ``postgres`` is what the server says of itself."""
    return Machine(
        _cpu(),
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        f"{platform.system()} {platform.release()} {platform.machine()}",
        platform.python_version(),
        postgres,
        {name: version(name) for name in _PACKAGES},
    )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def text(where: Machine, results: list[HotPath], engines: list[Engine]) -> str:
    """The report as lines for a terminal."""
    packages = ", ".join(f"{name} {number}" for name, number in where.packages.items())
    lines = [
        f"{where.cpu}, {where.cores} cores, {where.memory_bytes / 2**30:.1f} GiB; {where.system}",
        f"Python {where.python}, PostgreSQL {where.postgres}, {packages}",
    ]
    for result in results:
        lines += ["", *_hot_path_lines(result)]
    for engine in engines:
        lines += ["", *_engine_lines(engine)]
    return "\n".join(lines)


def _hot_path_lines(result: HotPath) -> list[str]:
    total = sum(result.stages.values())
    size = f"{result.logs:,} logs of {result.json_bytes_per_log:.0f} bytes of JSON"
    return [
        f"{result.load}: {size}, median of {result.rounds} rounds",
        "  one stage after the other:",
        *[
            f"    {stage:<8}{micros:8.2f} µs a log {100 * micros / total:5.1f} %"
            for stage, micros in result.stages.items()
        ],
        f"    {'sum':<8}{total:8.2f} µs a log",
        f"  all at once, JSON bytes over HTTP to committed rows: {result.logs_per_second:>10,.0f} logs a second",
        f"  floor, COPY of the same ready-made rows:             {result.floor_logs_per_second:>10,.0f} logs a second",
        f"  ratio to the floor: {result.ratio:.2f}",
    ]


def _engine_lines(engine: Engine) -> list[str]:
    return [
        f"{engine.load} through `indexer run`: {engine.logs:,} logs",
        f"  events committed:            {engine.logs_per_second:>10,.0f} logs a second",
        f"  with state caught up:        {engine.logs_per_second_with_state:>10,.0f} logs a second",
        f"  most memory of the daemon:   {engine.memory_bytes / 2**20:>10,.0f} MiB",
    ]


def as_json(where: Machine, results: list[HotPath], engines: list[Engine]) -> str:
    """The report as one JSON object."""
    body: dict[str, Any] = {
        "machine": asdict(where),
        "hot_path": [asdict(result) | {"ratio": result.ratio} for result in results],
        "engine": [asdict(engine) for engine in engines],
    }
    return json.dumps(body, indent=2)
