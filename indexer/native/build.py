"""Compiles the loops when the package is installed; hatchling runs this, nothing imports it.

An editable installation gets them where there is a compiler (``CC``, else ``cc``) and does without elsewhere. A wheel
stays free of them, the same for all machines, unless ``INDEXER_NATIVE=1`` asks for one of this machine.
``INDEXER_NATIVE=0`` never compiles.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FLAGS = ("-O3", "-std=c11", "-shared", "-fPIC", "-fvisibility=default")
_TIMEOUT_SECONDS = 120


class NativeBuild(BuildHookInterface[Any]):
    """See the module."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile where that is wanted. Raises ``RuntimeError`` where it is asked for and does not work."""
        asked = os.environ.get("INDEXER_NATIVE", "")
        editable = version == "editable"
        if self.target_name != "wheel" or asked == "0" or not (editable or asked == "1"):
            return
        problem = compile_loops(Path(self.root) / "indexer" / "native")
        if problem is not None:
            if asked == "1":
                raise RuntimeError(problem)
            sys.stderr.write(f"{problem}; numpy does without\n")
        elif not editable:
            build_data["artifacts"].append("indexer/native/loops.so")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def compile_loops(folder: Path) -> str | None:
    """Compile the C files of ``folder`` into its ``loops.so``; what went wrong, or None."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if not compiler or shutil.which(compiler[0]) is None:
        return "there is no C compiler"
    files = sorted(path for path in folder.iterdir() if path.suffix in {".c", ".h"})
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    flags = [*_FLAGS, f'-DINDEXER_SOURCE="{digest}"', *(str(path) for path in files if path.suffix == ".c")]
    try:
        # A daemon may have the old file mapped: it is replaced, not written over.
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            made = Path(scratch) / "loops.so"
            done = subprocess.run(  # noqa: S603  # the compiler that whoever installs has chosen
                [*compiler, *flags, "-o", str(made)],
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
            if done.returncode:
                return f"the C compiler fails: {done.stderr.strip()[:500]}"
            made.replace(folder / "loops.so")
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the C compiler does not run: {error}"
    return None
