"""The operator's own projections: SQL files of folders named in ``[projections]``, read and checked.

A file has the header of a built-in one (``-- projection:``, ``-- tables:``, ``-- reads:``), then the statements that make its
tables in schema ``custom``, then its fold. It reads tables of schema ``event`` and its own, and writes its own only. What
can be seen in the text is checked here; that the database knows what it names is checked at every start.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.errors import ConfigError
from indexer.projections.files import (
    PARAMETERS,
    WRITTEN,
    Definition,
    OwnFile,
    Projection,
    code_of,
    header_of,
    statements_at,
)

SCHEMA = "custom"

LONGEST_NAME = 40
"""Characters of the name of a projection or table, so that the names made of it fit."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TABLE = r"(custom\.[a-z_][a-z0-9_]*)\b"
_DEFINES = re.compile(r"(?:create|alter|comment|drop|truncate|grant|revoke)\b", re.IGNORECASE)
_DEFINITIONS = (
    re.compile(rf"(?P<create>create)\s+table\s+{_TABLE}", re.IGNORECASE),
    re.compile(rf"create\s+(?:unique\s+)?index\s+(?:[a-z_]\w*\s+)?on\s+{_TABLE}", re.IGNORECASE),
    re.compile(rf"comment\s+on\s+(?:table|column)\s+{_TABLE}", re.IGNORECASE),
    re.compile(rf"alter\s+table\s+{_TABLE}\s+add\s+column\b", re.IGNORECASE),
)
_FOLD = re.compile(r"(?:with|insert|update|delete|merge)\b", re.IGNORECASE)
_RELATION = re.compile(
    r"\b((?:event|state|sync|custom|analytics|parity|partner|public|pg_catalog|information_schema)\.[a-z_]\w*)\b(?!\s*\()",
    re.IGNORECASE,
)
_SCHEMA_WORD = re.compile(r"\bcustom\b", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"(?<![\w\".])custom\.[a-z_][a-z0-9_]*\b(?!\")")
_UNSTEADY = re.compile(
    r"\b(now|random|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|gen_random_uuid|uuidv7|nextval"
    r"|set_config|current_setting|pg_\w+)\s*\(|\b(current_timestamp|current_date|current_time|localtime|localtimestamp"
    r"|current_user|session_user)\b",
    re.IGNORECASE,
)


def load_own(folders: Iterable[Path], built_in: Sequence[Projection]) -> tuple[Projection, ...]:
    """The projections of the operator's folders, by name.

    Args:
        folders: what ``[projections] folder`` names.
        built_in: the projections of this program; no name and no table may be one of theirs.

    Raises:
        ConfigError: one line for everything wrong with the files, each with file and line.
    """
    problems: list[str] = []
    found: list[Projection] = []
    for folder in folders:
        if not folder.is_dir():
            problems.append(f"{folder}: projections.folder names it, and there is no such folder")
            continue
        found += [_read(path, problems) for path in sorted(folder.glob("*.sql"))]
    _check_together(found, built_in, problems)
    if problems:
        raise ConfigError(*problems)
    return tuple(sorted(found, key=lambda one: one.name))


def _check_together(found: Sequence[Projection], built_in: Sequence[Projection], problems: list[str]) -> None:
    names: dict[str, str] = {one.name: "a built-in projection" for one in built_in}
    tables = {
        table.partition(".")[2]: f"{table} is a table of ours" for one in built_in for table in one.tables
    }
    for one in found:
        other = names.setdefault(one.name, str(one.path))
        if other != str(one.path):
            problems.append(f"{one.path}:1: the name {one.name} is taken by {other}")
        for table in one.tables:
            taken = tables.setdefault(table.partition(".")[2], f"{one.path} has it")
            if taken != f"{one.path} has it":
                problems.append(f"{one.path}:1: the name of {table} is taken: {taken}")


@dataclass(slots=True)
class _Reading:
    """One file being read; ``found`` collects what is wrong, as (line, what)."""

    path: Path
    text: str
    tables: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    found: list[tuple[int, str]] = field(default_factory=list)

    def say(self, line: int, problem: str) -> None:
        self.found.append((line, problem))

    def header_line(self, word: str) -> int:
        match = re.search(rf"^--\s*{word}:", self.text, re.MULTILINE)
        return 1 if match is None else self.text.count("\n", 0, match.start()) + 1


def _read(path: Path, problems: list[str]) -> Projection:
    raw = path.read_bytes()
    text = raw.decode("utf-8", "replace")
    header = header_of(text)
    reading = _Reading(path, text, header.get("tables", ()), header.get("reads", ()))
    _check_header(reading, header)
    definitions: list[Definition] = []
    folds: list[tuple[int, str]] = []
    for line, statement in statements_at(text):
        if _DEFINES.match(statement):
            definitions += _definition(reading, line, statement, late=bool(folds))
        else:
            _check_fold(reading, line, statement)
            folds.append((line, statement))
    _check_whole(reading, definitions, folds)
    problems.extend(f"{path}:{line}: {problem}" for line, problem in sorted(reading.found))
    return Projection(
        name=path.stem,
        path=path,
        tables=reading.tables,
        reads=reading.reads,
        after=(),
        statements=tuple(statement for _, statement in folds),
        digest=hashlib.sha256(raw).hexdigest(),
        own=OwnFile(tuple(definitions), tuple(line for line, _ in folds)),
    )


def _check_header(reading: _Reading, header: dict[str, tuple[str, ...]]) -> None:
    name = reading.path.stem
    if header.get("projection") != (name,):
        reading.say(1, f"has to begin with `-- projection: {name}`, the name of the file")
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        reading.say(1, f"its name has lower-case letters, digits and _ only, at most {LONGEST_NAME} of them")
    if not reading.tables:
        reading.say(1, "has to say in `-- tables:` which tables of schema custom it writes")
    for table in reading.tables:
        schema, _, bare = table.partition(".")
        if schema != SCHEMA or not _NAME.fullmatch(bare) or len(bare) > LONGEST_NAME:
            reading.say(
                reading.header_line("tables"),
                f"{table}: its tables are custom.NAME, in lower case and at most {LONGEST_NAME} characters",
            )
    for table in reading.reads:
        if not table.startswith("event."):
            reading.say(reading.header_line("reads"), f"{table}: only tables of schema event may be read")
    if "after" in header:
        reading.say(
            reading.header_line("after"), "`-- after:` is for built-in projections; read event tables only"
        )


def _definition(reading: _Reading, line: int, statement: str, *, late: bool) -> Iterator[Definition]:
    code = code_of(statement).strip()
    match = next((found for one in _DEFINITIONS if (found := one.match(code))), None)
    if match is None:
        reading.say(
            line,
            "its tables are made by CREATE TABLE custom.NAME, CREATE INDEX ON, COMMENT ON and ALTER TABLE … ADD COLUMN alone",
        )
        return
    table = match[match.lastindex or 1].lower()
    creates = match.groupdict().get("create") is not None
    if table not in reading.tables:
        reading.say(line, f"defines {table}, which `-- tables:` does not name")
    if creates and re.search(r"\bas\s+(?:select|with|table|values)\b|\breferences\b", code, re.IGNORECASE):
        reading.say(line, "a table is made empty and refers to no other: leave out AS and REFERENCES")
    if late:
        reading.say(line, "stands after the fold; what defines tables comes first")
    yield Definition(table, statement, line, creates)


def _check_fold(reading: _Reading, line: int, statement: str) -> None:
    code = code_of(statement)
    if not _FOLD.match(code.strip()):
        reading.say(
            line, "is neither a definition nor an INSERT, UPDATE, DELETE or MERGE, with or without WITH"
        )
        return
    missing = [name for name in PARAMETERS if not re.search(re.escape(name) + r"\b", code)]
    if missing:
        reading.say(line, f"does not use {', '.join(missing)} ($1 chain, $2 first block, $3 last block)")
    for name in sorted({one.lower() for one in WRITTEN.findall(code)} - {"set", "of"} - set(reading.tables)):
        reading.say(line, f"writes {name}; it may write its own tables only, those in `-- tables:`")
    allowed = {*reading.tables, *reading.reads}
    for name in sorted({one.lower() for one in _RELATION.findall(code)} - allowed):
        hint = (
            "which `-- reads:` does not name"
            if name.startswith("event.")
            else "and may read schema event only"
        )
        reading.say(line, f"reads {name}, {hint}")
    if len(_SCHEMA_WORD.findall(code)) != len(_PLAIN_NAME.findall(code)):
        reading.say(
            line, "has to write the names of its tables as they are: custom.NAME, lower case, without quotes"
        )
    for match in _UNSTEADY.finditer(code):
        reading.say(
            line, f"uses {match[1] or match[2]}: its rows would depend on more than the events of the range"
        )


def _check_whole(
    reading: _Reading, definitions: Sequence[Definition], folds: Sequence[tuple[int, str]]
) -> None:
    made = {one.table for one in definitions if one.creates}
    for table in reading.tables:
        if table not in made:
            reading.say(reading.header_line("tables"), f"has no CREATE TABLE {table}")
    if not folds:
        reading.say(1, "has no statement that writes its tables")
    code = "\n".join(code_of(statement) for _, statement in folds).lower()
    for table in reading.reads:
        if not re.search(rf"\b{re.escape(table)}\b", code):
            reading.say(reading.header_line("reads"), f"names {table} in `-- reads:` and does not read it")
    if not reading.reads:
        reading.say(1, "has to say in `-- reads:` which event tables it reads")
