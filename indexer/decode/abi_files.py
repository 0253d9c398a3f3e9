"""Finds the ABI files that entries of ``abi = [...]`` mean: built-in ones by name, a user's by path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from indexer.decode.abi import Abi, parse_abi
from indexer.decode.artifacts import Artifact, read_artifact, read_artifacts
from indexer.decode.naming import snake_case
from indexer.errors import ConfigError
from indexer.resources import ABI_DIR

STANDARDS: tuple[str, ...] = (
    "erc20",
    "erc721",
    "erc1155",
    "erc2309",
    "erc4906",
    "erc5192",
    "erc7572",
    "diamond",
    "ownable",
    "access_control",
    "pausable",
    "initializable",
    "erc1967",
    "erc734",
    "erc735",
)
"""The standards' files in the order in which they are tried: of two that declare the same event, the first has it."""

GEMFORCE = "gemforce"
DOCS = "gemforce-docs"
PACKS: tuple[str, ...] = (GEMFORCE, DOCS)

_NO_WORD = re.compile(r"[^A-Za-z0-9$]+")


@dataclass(frozen=True, slots=True)
class AbiSource:
    """One ABI file. ``name`` is how configuration calls it (``erc20``, ``gemforce/identity``, a path).

    ``stem`` is the file's stem in snake case, which begins its tables' names; ``pack`` is ``standard``, one of
    ``PACKS``, or None for a user's file.
    """

    name: str
    stem: str
    pack: str | None
    abi: Abi


@cache
def builtin_sources() -> tuple[AbiSource, ...]:
    """Every file of ``abi/``: standards first, then Gemforce's, then the documentation-only pack."""
    sources = [_builtin(stem, ABI_DIR / f"{stem}.json", "standard") for stem in STANDARDS]
    for pack in PACKS:
        files = sorted((ABI_DIR / pack).glob("*.json"))
        sources.extend(_builtin(f"{pack}/{file.stem}", file, pack) for file in files)
    return tuple(sources)


@cache
def builtin_names() -> dict[str, tuple[AbiSource, ...]]:
    """What each name of ``abi/`` means: a standard, a pack, or a file of one (``gemforce/identity``, also ``identity``)."""
    names: dict[str, tuple[AbiSource, ...]] = {source.name: (source,) for source in builtin_sources()}
    for pack in PACKS:
        names[pack] = tuple(source for source in builtin_sources() if source.pack == pack)
    for source in names[GEMFORCE]:
        names.setdefault(source.stem, (source,))
    return names


def is_path(entry: str) -> bool:
    """Whether an entry of ``abi`` is a path; otherwise it is a name of ``abi/``."""
    return entry.endswith(".json") or entry.startswith((".", "/"))


def sources_of(entry: str, folder: Path) -> tuple[AbiSource, ...]:
    """The files that an entry of ``abi`` means, in order; paths are relative to ``folder``.

    Raises:
        ConfigError: no such name or file, a malformed or impossible event, or a stem that a built-in file has.
    """
    if is_path(entry):
        return _user_sources(read_artifacts(folder / entry))
    found = builtin_names().get(entry)
    if found is None:
        raise ConfigError(
            unknown(
                f"no ABI is called {entry!r}",
                entry,
                builtin_names(),
                "a path ends in .json or begins with . or /",
            )
        )
    return found


def stem_of(path: Path) -> str:
    """The stem of an ABI file in snake case; whatever is no letter or digit counts as an underscore."""
    return snake_case(_NO_WORD.sub("_", path.stem))


def unknown(problem: str, value: str, known: Iterable[str], otherwise: str) -> str:
    """A message for a value that is not among ``known``: the closest ones are named, or what else would be right."""
    by_lower: dict[str, str] = {}
    for name in known:
        by_lower.setdefault(name.lower(), name)
    close = [by_lower[match] for match in get_close_matches(value.lower(), list(by_lower), n=3, cutoff=0.6)]
    right = f"did you mean {' or '.join(close)}?" if close else otherwise
    return f"{problem}; {right}"


def _builtin(name: str, file: Path, pack: str) -> AbiSource:
    return AbiSource(name, file.stem, pack, parse_abi(read_artifact(file).entries, f"abi/{name}.json"))


def _user_sources(artifacts: Iterable[Artifact]) -> tuple[AbiSource, ...]:
    """All files of an entry; what is wrong with any of them is told at once."""
    sources: list[AbiSource] = []
    problems: list[str] = []
    for artifact in artifacts:
        try:
            sources.append(_user_source(artifact))
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(*problems)
    return tuple(sources)


def _user_source(artifact: Artifact) -> AbiSource:
    path, stem = artifact.path, stem_of(artifact.path)
    if not stem:
        raise ConfigError(
            f"{path}: the file's name has no letter or digit, and tables are named after it; rename the file"
        )
    if any(source.stem == stem for source in builtin_sources()):
        raise ConfigError(
            f"{path}: its stem {stem!r} is the name of a built-in ABI, whose tables it would take; rename the file, "
            f"for instance to my_{stem}.json"
        )
    abi = parse_abi(artifact.entries, str(path))
    if abi.impossible:
        raise ConfigError(*(f"{line}; remove the event or correct it" for line in abi.impossible))
    return AbiSource(str(path), stem, None, abi)
