"""Projection files: SQL with a header that says what it writes and reads.

A file begins with comment lines ``-- projection: name``, ``-- tables: state.a, state.b``, ``-- reads: event.c, state.d``
and, where another projection has to run first, ``-- after: name``. ``-- beside: event.e`` names those of the tables it reads
whose rows it only looks up beside other events of their block: blocks with nothing else are nothing to do for it.
``-- hashes: event.e.column`` names columns whose Keccak-256 it asks of ``sync.keccak256_of``. Its statements end with ``;`` and take three parameters: ``$1`` chain id, ``$2`` first block, ``$3`` last block. They write the
forward direction only and give the same rows however a range is cut into smaller ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from indexer.errors import ConfigError
from indexer.resources import SCHEMA_DIR

PROJECTIONS_DIR = SCHEMA_DIR / "projections"

_HEADER = re.compile(r"^--\s*(projection|tables|reads|after|beside|hashes):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<quoted> '(?:[^']|'')*' | \$\$.*?\$\$ | \$(?P<tag>[A-Za-z_]\w*)\$.*?\$(?P=tag)\$ )
    | (?P<end> ; )
    | (?P<code> "(?:[^"]|"")*" | [^-/'$;"]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_RELATION = re.compile(r"\b(?:event|state|sync)\.[a-z_][a-z0-9_]*\b(?!\s*\()")
WRITTEN = re.compile(
    r"\b(?:insert\s+into|update|delete\s+from|merge\s+into)\s+(?:only\s+)?([a-z_][a-z0-9_.]*)", re.IGNORECASE
)
PARAMETERS = ("$1", "$2", "$3")


@dataclass(frozen=True, slots=True)
class Definition:
    """A statement of an operator's file that makes or widens ``table``; ``line`` is where it begins."""

    table: str
    text: str
    line: int
    creates: bool


@dataclass(frozen=True, slots=True)
class OwnFile:
    """What only an operator's file has: the statements that define its tables, and the lines its other statements are at."""

    definitions: tuple[Definition, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Projection:
    """One file.

    ``tables`` are the state tables it writes, ``reads`` whatever else it reads, both with their schema; ``after`` names
    projections that run before it, ``beside`` those of ``reads`` whose rows alone give it nothing to do, ``hashes`` columns of
    them (``event.table.column``) that it hashes. ``digest`` is the SHA-256 of the file, in hex. ``own`` is None for the built-in ones.
    """

    name: str
    path: Path
    tables: tuple[str, ...]
    reads: tuple[str, ...]
    after: tuple[str, ...]
    statements: tuple[str, ...]
    digest: str
    own: OwnFile | None = None
    beside: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()

    def place(self, number: int, position: int = 1) -> str:
        """Where its statement ``number`` (from 1) stands, for errors; ``position`` is a character of it, from 1."""
        if self.own is None:
            return f"{self.path.name}, statement {number}"
        before = self.statements[number - 1][: position - 1]
        return f"{self.path}:{self.own.lines[number - 1] + before.count(chr(10))}"

    @property
    def triggers(self) -> tuple[str, ...]:
        """The tables whose rows, by block number, give this projection something to do."""
        return tuple(
            name
            for name in self.reads
            if (name.startswith("event.") or name == "sync.diamond_seed") and name not in self.beside
        )

    def written_elsewhere(self, schema: str) -> tuple[str, ...]:
        """The statements with its own tables in another schema, such as ``pg_temp``."""
        pattern = re.compile("|".join(rf"\b{re.escape(table)}\b" for table in self.tables))
        return tuple(
            pattern.sub(lambda match: f"{schema}.{match[0].partition('.')[2]}", statement)
            for statement in self.statements
        )


def load_projections(
    folders: Iterable[Path] = (PROJECTIONS_DIR,), own: Iterable[Projection] = ()
) -> tuple[Projection, ...]:
    """The projections of these folders, and the operator's ``own`` after them, in an order in which they can run.

    Raises:
        ConfigError: one line for everything wrong with the files.
    """
    paths = [path for folder in folders for path in sorted(folder.glob("*.sql"))]
    problems: list[str] = []
    found = [_read(path, problems) for path in paths]
    _check_together(found, problems)
    if problems:
        raise ConfigError(*problems)
    by_name = {projection.name: projection for projection in found}
    try:
        order = list(TopologicalSorter({one.name: one.after for one in found}).static_order())
    except CycleError as error:
        raise ConfigError(
            f"projections run after each other in a circle: {' -> '.join(error.args[1])}"
        ) from error
    return (*(by_name[name] for name in order), *own)


def _read(path: Path, problems: list[str]) -> Projection:
    raw = path.read_bytes()
    text = raw.decode("utf-8")
    header = header_of(text)
    projection = Projection(
        name=path.stem,
        path=path,
        tables=header.get("tables", ()),
        reads=header.get("reads", ()),
        after=header.get("after", ()),
        statements=split_statements(text),
        digest=hashlib.sha256(raw).hexdigest(),
        beside=header.get("beside", ()),
        hashes=header.get("hashes", ()),
    )
    problems.extend(f"{path.name}: {problem}" for problem in _problems(projection, header))
    return projection


def _names(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def header_of(text: str) -> dict[str, tuple[str, ...]]:
    """What the comment lines at a file's beginning say, by word: ``projection``, ``tables``, ``reads`` and so on."""
    return {key: _names(value) for key, value in _HEADER.findall(text)}


def statements_at(text: str) -> list[tuple[int, str]]:
    """The statements of a file as they stand, comments inside them included, each with the line it begins at."""
    found: list[tuple[int, str]] = []
    start: int | None = None
    for token in _TOKEN.finditer(text):
        ends = token["end"] is not None
        if start is None and not ends and token["comment"] is None and token[0].strip():
            start = token.start() + len(token[0]) - len(token[0].lstrip())
        elif ends and start is not None:
            found.append((text.count("\n", 0, start) + 1, text[start : token.start()].rstrip()))
            start = None
    if start is not None:
        found.append((text.count("\n", 0, start) + 1, text[start:].rstrip()))
    return found


def split_statements(text: str) -> tuple[str, ...]:
    """The statements of a file without comments and without the ``;`` they end with."""
    statements = [""]
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "end" or token["end"]:
            statements.append("")
        elif token["comment"] is None:
            statements[-1] += token[0]
    return tuple(statement.strip() for statement in statements if statement.strip())


def code_of(statement: str) -> str:
    """A statement without comments and without what stands in quotes."""
    return "".join(
        token[0]
        for token in _TOKEN.finditer(statement)
        if token["quoted"] is None and token["comment"] is None
    )


def _problems(projection: Projection, header: dict[str, tuple[str, ...]]) -> Iterable[str]:
    if header.get("projection") != (projection.name,):
        yield f"has to begin with `-- projection: {projection.name}`, the name of the file"
    if not projection.tables:
        yield "has to say in `-- tables:` which state tables it writes"
    if not projection.statements:
        yield "has no statement"
    for place, statement in enumerate(projection.statements, start=1):
        missing = [name for name in PARAMETERS if not re.search(re.escape(name) + r"\b", code_of(statement))]
        if missing:
            yield f"statement {place} does not use {', '.join(missing)} ($1 chain, $2 first block, $3 last block)"
    code = "\n".join(code_of(statement) for statement in projection.statements)
    yield from _undeclared(projection, code)


def _undeclared(projection: Projection, code: str) -> Iterable[str]:
    written = {name.lower() for name in WRITTEN.findall(code) if name.lower() not in {"set", "of"}}
    for name in sorted(written - set(projection.tables)):
        yield f"writes {name}, which `-- tables:` does not name"
    for name in sorted(set(projection.tables) - written):
        yield f"names {name} in `-- tables:` and does not write it"
    if not all(table.startswith("state.") for table in projection.tables):
        yield "may write tables of schema state only"
    used = set(_RELATION.findall(code)) - set(projection.tables)
    for name in sorted(used - set(projection.reads)):
        yield f"reads {name}, which `-- reads:` does not name"
    for name in sorted(set(projection.beside) - set(projection.reads)):
        yield f"names {name} in `-- beside:` and not in `-- reads:`"
    for name in projection.hashes:
        if name.rpartition(".")[0] not in projection.reads:
            yield f"names {name} in `-- hashes:`, whose table `-- reads:` does not name"
    # What a function of schema sync reads for it (sync.match_abi) does not show in the file.
    unused = {name for name in projection.reads if not name.startswith("sync.")} - used
    for name in sorted(unused):
        yield f"names {name} in `-- reads:` and does not read it"


def _check_together(found: list[Projection], problems: list[str]) -> None:
    writers: dict[str, Projection] = {}
    names: dict[str, Projection] = {}
    for projection in found:
        if (other := names.setdefault(projection.name, projection)) is not projection:
            problems.append(f"{projection.path} and {other.path} are projections of one name")
        problems.extend(
            f"{projection.path.name}: {table} is written by {writers[table].path.name} already"
            for table in projection.tables
            if writers.setdefault(table, projection) is not projection
        )
    for projection in found:
        problems.extend(
            f"{projection.path.name}: `-- after:` names {name}, which is no projection"
            for name in projection.after
            if name not in names
        )
        problems.extend(
            f"{projection.path.name}: reads {table}, so `-- after:` has to name {writers[table].name}"
            for table in projection.reads
            if table in writers and writers[table].name not in projection.after
        )
