"""CPU seconds and memory of processes, as the system counts them (``/proc``); nothing where there is no ``/proc``."""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pid: int) -> int:
    """Memory that a process holds now; 0 when it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, with its children that ended; 0 when it has ended."""
    fields = _stat(pid)
    return sum(int(field) for field in fields[11:15]) / _TICK if fields else 0.0


async def postmaster_of(database: asyncpg.Connection) -> int | None:
    """The server's first process; None where it is not on this machine."""
    backend = await database.fetchval("SELECT pg_backend_pid()")
    fields = _stat(backend)
    return int(fields[1]) if fields and "postgres" in _name(backend) else None


def family_cpu_seconds(parent: int | None) -> float:
    """CPU time of a process, of its children that live, and of those that ended."""
    if parent is None:
        return 0.0
    while True:
        before = cpu_seconds(parent)
        living = 0.0
        for entry in Path("/proc").iterdir():
            fields = _stat(int(entry.name)) if entry.name.isdecimal() else []
            if fields and int(fields[1]) == parent:
                living += (int(fields[11]) + int(fields[12])) / _TICK
        # A child that ended meanwhile would count twice or not at all.
        if cpu_seconds(parent) == before:
            return before + living


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the name; the first is the state, the second the parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
