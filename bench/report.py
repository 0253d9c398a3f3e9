"""What a benchmark found, for people and for machines."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from indexer.native.library import loops

_PACKAGES = ("gemforce-indexer", "numpy", "msgspec", "asyncpg", "aiohttp", "uvloop")


@dataclass(slots=True)
class Machine:
    """Where it was measured. ``compiled_loops``: whether the hot path was compiled code or numpy alone."""

    cpu: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    postgres: str
    date: str
    load_before: float
    compiled_loops: bool
    load_after: float = 0.0
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
    """One load through the daemon: until its events were committed, and until its state had caught up.

    CPU times are microseconds a log from when the daemon served to its end, state included. ``copy_share`` is the part
    of the time until the last commit in which PostgreSQL took rows.
    """

    label: str
    load: str
    logs: int
    blocks: int
    logs_per_second: float
    logs_per_second_with_state: float
    daemon_cpu_micros: float
    postgres_cpu_micros: float
    copy_share: float
    commits: int
    requests: int
    calls: int
    bytes_received: int
    memory_bytes: int
    curve: str = ""
    indexes: int = 0
    logs_per_second_with_indexes: float | None = None
    rounds: int = 1

    @property
    def projection_ratio(self) -> float:
        """How long the projections took after the last event was committed, against the events' time."""
        return self.logs_per_second / self.logs_per_second_with_state - 1


@dataclass(slots=True)
class Follow:
    """Blocks that came at a steady pace, followed with every projection.

    Lag is counted in blocks by looking ten times a second; the last one is the mean of the last twenty looks. Times
    from hearing of a head to its commit are upper bounds of histogram buckets.
    """

    blocks: int
    logs_per_block: int
    every_ms: float
    reorgs: int
    most_lag_blocks: int
    last_lag_blocks: float
    head_to_commit_p50_ms: float
    head_to_commit_p99_ms: float
    daemon_cpu_micros: float
    postgres_cpu_micros: float
    memory_bytes: int


@dataclass(slots=True)
class Workers:
    """One back-fill on a cluster: blocks a second while all workers were at work, and the whole command's seconds."""

    workers: int
    blocks_per_second: float
    whole_seconds: float
    requests: int


@dataclass(slots=True)
class Cluster:
    """The same back-fill by one worker and by more, from an endpoint that answers after ``latency_ms``."""

    blocks: int
    logs: int
    latency_ms: float
    range_blocks: int
    runs: list[Workers]

    @property
    def ratio(self) -> float:
        """How many times as fast as the first run the last one was."""
        return self.runs[-1].blocks_per_second / self.runs[0].blocks_per_second


@dataclass(slots=True)
class Report:
    """All that was measured."""

    machine: Machine
    hot_path: list[HotPath] = field(default_factory=list)
    engine: list[Engine] = field(default_factory=list)
    follow: list[Follow] = field(default_factory=list)
    cluster: list[Cluster] = field(default_factory=list)


def machine(postgres: str) -> Machine:
    """This machine; ``postgres`` is what the server says of itself."""
    return Machine(
        _cpu(),
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        f"{platform.system()} {platform.release()} {platform.machine()}",
        platform.python_version(),
        postgres,
        datetime.now(UTC).date().isoformat(),
        os.getloadavg()[0],
        loops() is not None,
        packages={name: version(name) for name in _PACKAGES},
    )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def text(report: Report) -> str:
    """The report as lines for a terminal."""
    where = report.machine
    packages = ", ".join(f"{name} {number}" for name, number in where.packages.items())
    lines = [
        f"{where.cpu}, {where.cores} cores, {where.memory_bytes / 2**30:.1f} GiB; {where.system}",
        f"Python {where.python}, PostgreSQL {where.postgres}, {packages}; {where.date}",
        f"hot path: {'compiled loops' if where.compiled_loops else 'numpy alone'}",
        f"load of the machine before and after: {where.load_before:.1f}, {where.load_after:.1f}",
    ]
    for result in report.hot_path:
        lines += ["", *_hot_path_lines(result)]
    floors = {result.load: result.floor_logs_per_second for result in report.hot_path}
    for engine in report.engine:
        lines += ["", *engine_lines(engine, floors.get(engine.load))]
    lines += _curve_lines(report.engine)
    for follow in report.follow:
        lines += ["", *_follow_lines(follow)]
    for cluster in report.cluster:
        lines += ["", *_cluster_lines(cluster)]
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


def engine_lines(engine: Engine, floor: float | None = None) -> list[str]:
    """One run of the daemon; ``floor`` is what COPY of such rows reached alone, in logs a second."""
    indexes = []
    if engine.logs_per_second_with_indexes is not None:
        rate = f"{engine.logs_per_second_with_indexes:>10,.0f} logs a second"
        indexes = [f"  indexes made:        {rate}, {engine.indexes} of them, after the events"]
    rounds = f", median of {engine.rounds} rounds" if engine.rounds > 1 else ""
    apart = f"; projections took {engine.projection_ratio:.2f} of the events' time"
    projections = "" if engine.indexes else apart
    ratio = "" if floor is None else f"; the floor is {floor / engine.logs_per_second:.1f} times as fast"
    return [
        f"{engine.label} through `indexer run`: {engine.logs:,} logs in {engine.blocks:,} blocks{rounds}",
        f"  events committed:    {engine.logs_per_second:>10,.0f} logs a second, {engine.commits} commits{ratio}",
        *indexes,
        f"  state caught up:     {engine.logs_per_second_with_state:>10,.0f} logs a second{projections}",
        f"  CPU of the indexer:  {engine.daemon_cpu_micros:>10.2f} µs a log",
        (
            f"  CPU of PostgreSQL:   {engine.postgres_cpu_micros:>10.2f} µs a log, state included; "
            f"COPY {100 * engine.copy_share:.0f} % of the time"
        ),
        (
            f"  asked of the node:   {engine.requests:>10,} requests ({engine.calls:,} calls), "
            f"{engine.bytes_received / 2**20:,.0f} MiB"
        ),
        f"  most memory:         {engine.memory_bytes / 2**20:>10,.0f} MiB",
    ]


def _curve_lines(runs: list[Engine]) -> list[str]:
    """What runs of the same logs cost against the first of their curve, in CPU time."""
    curves: dict[str, list[Engine]] = {}
    for run in runs:
        if run.curve:
            curves.setdefault(run.curve, []).append(run)
    lines = []
    for curve, found in curves.items():
        first = found[0]
        lines += ["", f"{curve}: CPU a log of the indexer and of PostgreSQL, against the first"]
        for run in found:
            ours, theirs = (
                run.daemon_cpu_micros / first.daemon_cpu_micros,
                run.postgres_cpu_micros / first.postgres_cpu_micros,
            )
            lines.append(
                f"  {run.label:<32}{run.daemon_cpu_micros:>9.2f} µs {ours:>6.2f} {run.postgres_cpu_micros:>9.2f} µs {theirs:>6.2f}"
            )
    return lines


def _follow_lines(follow: Follow) -> list[str]:
    return [
        (
            f"following {follow.blocks} blocks of {follow.logs_per_block:,} logs, one each {follow.every_ms:.0f} ms, "
            f"{follow.reorgs} reorgs, all projections"
        ),
        f"  lag:                 {follow.most_lag_blocks:>10} blocks at most, {follow.last_lag_blocks:.1f} at the end",
        (
            f"  head to commit:      {follow.head_to_commit_p50_ms:>10,.0f} ms or less (median), "
            f"{follow.head_to_commit_p99_ms:,.0f} ms or less (p99)"
        ),
        f"  CPU:                 {follow.daemon_cpu_micros:>10.1f} µs a log, PostgreSQL {follow.postgres_cpu_micros:.1f}",
        f"  most memory:         {follow.memory_bytes / 2**20:>10,.0f} MiB",
    ]


def _cluster_lines(cluster: Cluster) -> list[str]:
    where = f"{cluster.latency_ms:.0f} ms a request, ranges of {cluster.range_blocks} blocks"
    return [
        f"back-fill on local workers: {cluster.logs:,} logs in {cluster.blocks:,} blocks, {where}",
        *[
            f"  {run.workers} worker{'s' if run.workers > 1 else ' '}: {run.blocks_per_second:>10,.0f} blocks a second; "
            f"the whole command {run.whole_seconds:.1f} s, {run.requests:,} requests"
            for run in cluster.runs
        ],
        f"  {cluster.runs[-1].workers} to {cluster.runs[0].workers}: {cluster.ratio:.2f}",
    ]


def as_json(report: Report) -> str:
    """The report as one JSON object."""
    body = asdict(report)
    for found, result in zip(body["hot_path"], report.hot_path, strict=True):
        found["ratio"] = result.ratio
    for found, cluster in zip(body["cluster"], report.cluster, strict=True):
        found["ratio"] = cluster.ratio
    return json.dumps(body, indent=2)
