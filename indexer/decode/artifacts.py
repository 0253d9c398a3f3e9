"""Reads ABIs from the files that tools write, as they are.

A file may be a plain array, ``{"abi": [...]}`` (Foundry's ``out``, Hardhat's ``artifacts``, a hardhat-deploy
deployment) or an explorer's answer whose ``result`` is the ABI as text. A folder is read with everything below it;
what is not a contract's ABI there (build info, compiler input, debug links) is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from indexer.errors import ConfigError

MAX_FILES = 20_000
"""More files than this below one folder is a wrong folder (somebody's home), not a set of ABIs."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_MAX_BYTES = 64 * 1024 * 1024
_MAX_NESTING = 1_000
_PASSED_OVER = frozenset({"build-info", "solcInputs", "cache", "node_modules"})


@dataclass(frozen=True, slots=True)
class Artifact:
    """An ABI as found in a file. ``entries`` is the ABI's array.

    ``address`` (``0x`` and hex) and ``block`` say where the contract was deployed, where the file tells.
    """

    path: Path
    entries: Sequence[object]
    address: str | None = None
    block: int | None = None


def read_artifact(path: Path) -> Artifact:
    """The ABI in one file.

    Raises:
        ConfigError: the file is missing, unreadable, no JSON, or holds no ABI; the message names it.
    """
    document = _load(path)
    entries = abi_entries(document)
    if entries is None:
        raise ConfigError(
            f"{path}: no ABI in it; right would be a JSON array of events and functions, or an artifact with a key "
            '"abi" (Foundry, Hardhat, hardhat-deploy)'
        )
    return Artifact(path, entries, *_deployment(document))


def read_artifacts(path: Path) -> list[Artifact]:
    """The ABI of a file, or those of all files below a folder, ordered by path; files of a folder without ABI are left out.

    Raises:
        ConfigError: nothing is there, a file cannot be read, or a folder holds no ABI.
    """
    if not path.is_dir():
        return [read_artifact(path)]
    found = []
    for file in _json_files(path):
        document = _load(file)
        entries = abi_entries(document)
        if entries:
            found.append(Artifact(file, entries, *_deployment(document)))
    if not found:
        raise ConfigError(f"{path}: no file with an ABI below this folder")
    return found


def abi_entries(document: object) -> Sequence[object] | None:
    """The ABI's array in a parsed JSON document; None where there is none."""
    if isinstance(document, dict):
        inner = document.get("abi", document.get("result"))
        if isinstance(inner, str):
            try:
                inner = json.loads(inner)
            except ValueError:
                return None
        document = inner
    if not isinstance(document, list):
        return None
    if document and not any(isinstance(entry, dict) and "type" in entry for entry in document):
        return None
    return cast("list[object]", document)


def _deployment(document: object) -> tuple[str | None, int | None]:
    """Address and block of a hardhat-deploy file, each None where the document does not tell."""
    if not isinstance(document, dict):
        return None, None
    address, receipt = document.get("address"), document.get("receipt")
    block = receipt.get("blockNumber") if isinstance(receipt, dict) else None
    found = address if isinstance(address, str) and _ADDRESS.fullmatch(address) else None
    return found, block if isinstance(block, int) else None


def _json_files(folder: Path) -> list[Path]:
    files: list[Path] = []
    for file in folder.rglob("*.json"):
        parts = file.relative_to(folder).parts
        hidden = any(part.startswith(".") or part in _PASSED_OVER for part in parts)
        if not hidden and not file.name.endswith(".dbg.json") and file.is_file():
            files.append(file)
        if len(files) > MAX_FILES:
            raise ConfigError(
                f"{folder}: more than {MAX_FILES} JSON files; name the folder that holds the ABIs"
            )
    return sorted(files)


def _load(path: Path) -> object:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_BYTES // 1024**2} MB, which no ABI is")
        content = path.read_bytes()
        if _too_nested(content):
            raise ConfigError(f"{path}: no JSON that an ABI could be: nested more than {_MAX_NESTING} deep")
        return json.loads(content)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file or folder") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: no JSON: {error}") from error


def _too_nested(content: bytes) -> bool:
    """Whether brackets open deeper than any ABI's do.

    json's own bound is Python's recursion limit, which py_ecc (imported by web3) raises so far that the C stack ends first.
    """
    depth = 0
    for bracket in re.finditer(rb"[\[\]{}]", content):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > _MAX_NESTING:
            return True
    return False
