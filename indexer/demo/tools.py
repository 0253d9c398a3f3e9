"""What the demo needs besides Python: anvil and compiled contracts, fetched once into a cache.

``python -m indexer.demo.tools`` (and ``make setup``) prepares everything; afterwards it is instant. What is installed is
pinned by ``npm/package-lock.json``; the cache folder is named by that file's digest and the artifacts by the digest of
our sources as well, so another version never sees these. Folders and files appear complete or not at all, so that two
runs at once, or one that is killed, do no harm.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.demo.node import Node, find_nodes
from indexer.errors import ConfigError, IndexerError

NPM_DIR = Path(__file__).resolve().parent / "npm"
CONTRACTS_DIR = Path(__file__).resolve().parent / "contracts"
_INSTALL_SECONDS = 600
_COMPILE_SECONDS = 300
_LEFT_BEHIND_SECONDS = 86_400
_NPM_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")

Say = Callable[[str], None]


class ToolFailed(IndexerError):
    """A tool of the demo could not be installed or started."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract: ``abi`` as solc wrote it, creation ``bytecode``, 4-byte ``selectors`` of its functions."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    selectors: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything the demo runs on."""

    anvil: Path
    artifacts: Mapping[str, Artifact]


def prepare(say: Say) -> Tools:
    """Install and compile what is missing; ``say`` receives a line for each thing that takes time.

    Raises:
        ConfigError: No usable Node.js, or a cache folder that cannot be written.
        ToolFailed: npm or the compiler failed; the message has what it said.
    """
    installed = _installed(say)
    return Tools(_anvil(installed), load_artifacts(_compiled(installed, say)))


def cache_dir() -> Path:
    """Where tools are kept: ``$XDG_CACHE_HOME/gemforce-indexer``, else ``~/.cache/gemforce-indexer``."""
    configured = os.environ.get("XDG_CACHE_HOME")
    root = Path(configured) if configured and Path(configured).is_absolute() else Path.home() / ".cache"
    return root / "gemforce-indexer"


def load_artifacts(path: Path) -> dict[str, Artifact]:
    """Read an ``artifacts.json``, by contract name."""
    content = json.loads(path.read_text("utf-8"))
    return {name: _artifact(name, entry) for name, entry in content.items()}


def _artifact(name: str, entry: dict[str, Any]) -> Artifact:
    selectors = tuple(bytes.fromhex(selector[2:]) for selector in entry["selectors"])
    return Artifact(name, entry["abi"], bytes.fromhex(entry["bytecode"][2:]), selectors)


def _digest(*files: Path) -> str:
    total = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        total.update(f"{file.name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()[:16]


def _installed(say: Say) -> Path:
    """The folder with ``node_modules`` as the lock file says; installed now if it is not there."""
    lock = (NPM_DIR / "package.json", NPM_DIR / "package-lock.json")
    folder = cache_dir() / _digest(*lock)
    if folder.is_dir():
        return folder
    partial = _partial(folder)
    try:
        for file in lock:
            shutil.copy(file, partial)
        say("installing anvil, solc and the reference contracts from npm (once, about 60 MB)")
        _install(partial)
        _appear(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    say(f"installed into {folder}")
    return folder


def _partial(folder: Path) -> Path:
    """A folder of our own beside the final one; what killed runs left there long ago is removed."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left in folder.parent.glob("*.partial-*"):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{folder.name}.partial-", dir=folder.parent))
    except OSError as error:
        raise ConfigError(
            f"the tools' cache {folder.parent} cannot be written ({error.strerror}); set XDG_CACHE_HOME to a folder that can"
        ) from error


def _install(folder: Path) -> None:
    """``npm ci`` with the first Node.js that manages it (an npm on PATH may answer and yet be broken)."""
    failures = []
    for node in find_nodes():
        problem = _run((*node.npm, "ci", *_NPM_OPTIONS), node, folder, _INSTALL_SECONDS)
        if problem is None:
            return
        failures.append(problem)
    raise ToolFailed("npm could not install the demo's tools:\n" + "\n".join(failures))


def _run(command: tuple[str, ...], node: Node, folder: Path, seconds: float) -> str | None:
    """Run to the end in ``folder``; None when it went well, else what it said."""
    try:
        done = subprocess.run(  # noqa: S603  # programs found by find_nodes, with fixed arguments
            command,
            cwd=folder,
            env=node.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not finish within {seconds:.0f} s"
    if done.returncode == 0:
        return None
    return (done.stderr.strip() or done.stdout.strip() or f"{command[0]} ended with {done.returncode}")[
        -4000:
    ]


def _appear(partial: Path, final: Path) -> None:
    """Rename into place; where another run was faster, its result is as good as ours."""
    try:
        partial.rename(final)
    except OSError:
        if not final.exists():
            raise


def _anvil(installed: Path) -> Path:
    on_path = shutil.which("anvil")
    if on_path:
        return Path(on_path)
    binary = installed / "node_modules" / "@foundry-rs" / f"anvil-{_platform()}" / "bin" / "anvil"
    if not binary.is_file():
        raise ToolFailed(
            f"{binary} is missing: npm has no anvil for {_platform()}, or the cache was damaged; put an anvil on PATH, "
            f"or remove {installed} and try again"
        )
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary


def _platform() -> str:
    machines = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{machines.get(machine, machine)}"


def _compiled(installed: Path, say: Say) -> Path:
    """The ``artifacts.json`` of our sources as they are now; compiled now if it is not there."""
    sources = sorted(CONTRACTS_DIR.glob("*.sol"))
    file = installed / f"artifacts-{_digest(NPM_DIR / 'compile.cjs', *sources)}.json"
    if file.is_file():
        return file
    say("compiling the demo's contracts")
    partial = _partial(file)
    try:
        _compile(installed, partial / file.name)
        _appear(partial / file.name, file)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return file


def _compile(installed: Path, output: Path) -> None:
    node = find_nodes()[0]
    script = str(NPM_DIR / "compile.cjs")
    command = (*node.node, script, str(installed), str(CONTRACTS_DIR), str(output))
    problem = _run(command, node, output.parent, _COMPILE_SECONDS)
    if problem is not None:
        raise ToolFailed(f"the demo's contracts did not compile:\n{problem}")


def main() -> int:
    """Prepare the tools and say where they are; the exit code of ``python -m indexer.demo.tools``."""
    try:
        tools = prepare(lambda line: print(line, flush=True))  # noqa: T201  # a command line program
    except IndexerError as error:
        print(error, file=sys.stderr)  # noqa: T201  # likewise
        return error.exit_code
    print(f"anvil: {tools.anvil}\ncontracts: {len(tools.artifacts)}")  # noqa: T201  # likewise
    return 0


if __name__ == "__main__":
    sys.exit(main())
