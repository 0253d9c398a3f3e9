"""Where the files of ``schema/`` and ``abi/`` are, in a checkout and in a built wheel alike.

Both folders are reachable as ``indexer/schema`` and ``indexer/abi``: in a checkout by a link, in a wheel as files.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

SCHEMA_DIR: Path = _PACKAGE / "schema"
ABI_DIR: Path = _PACKAGE / "abi"
