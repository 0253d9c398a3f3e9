"""The catalogue: every ABI this run knows, the event tables they make, and which ABIs a contract has.

Standards and the Gemforce files are always in it, so their tables are in every database; the documentation-only pack
and a user's files are in it when the configuration names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from indexer.config import ContractSettings, Settings
from indexer.decode.abi_files import DOCS, GEMFORCE, AbiSource, builtin_names, builtin_sources, sources_of
from indexer.decode.event_tables import FileLayouts, TableKey, build_layouts
from indexer.decode.selection import check_contract
from indexer.decode.tables import EventLayout, EventTable
from indexer.errors import ConfigError


@dataclass(frozen=True)
class Catalogue:
    """What is known of ABIs.

    ``files`` has every file by name, standards first; ``entries`` says which files an entry of ``abi = [...]`` means;
    ``warnings`` name what was left out. Build it with ``load_catalogue``.
    """

    files: Mapping[str, FileLayouts]
    entries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @cached_property
    def layouts(self) -> tuple[EventLayout, ...]:
        """Every layout, each once, in the order of the files."""
        found = {id(one): one for file in self.files.values() for choice in file.choices for one in choice}
        return tuple(found.values())

    @cached_property
    def tables(self) -> tuple[EventTable, ...]:
        """Every event table, each once, in the order of the files."""
        return tuple(self._tables.values())

    def table(self, name: str) -> EventTable:
        """The table of that name, without the schema. Raises ``KeyError`` when there is none."""
        return self._tables[name]

    @cached_property
    def _tables(self) -> Mapping[str, EventTable]:
        return {layout.table.name: layout.table for layout in self.layouts}

    @cached_property
    def functions(self) -> Mapping[str, frozenset[bytes]]:
        """Stem of each ABI that declares functions -> their 4-byte selectors."""
        found: dict[str, frozenset[bytes]] = {}
        for file in self.files.values():
            if file.source.abi.functions:
                stem = file.source.stem
                found[stem] = found.get(stem, frozenset()) | frozenset(file.source.abi.functions)
        return found

    @cached_property
    def by_stem(self) -> Mapping[str, FileLayouts]:
        """The first file of each stem: what a facet is matched to."""
        found: dict[str, FileLayouts] = {}
        for file in self.files.values():
            found.setdefault(file.source.stem, file)
        return found

    @cached_property
    def standards(self) -> tuple[FileLayouts, ...]:
        """The standards' files."""
        return tuple(file for file in self.files.values() if file.source.pack == "standard")

    @cached_property
    def gemforce(self) -> tuple[FileLayouts, ...]:
        """The Gemforce files."""
        return tuple(file for file in self.files.values() if file.source.pack == GEMFORCE)

    @cached_property
    def named(self) -> tuple[FileLayouts, ...]:
        """Every file that any contract of the configuration names, in its order."""
        names = dict.fromkeys(name for files in self.entries.values() for name in files)
        return tuple(self.files[name] for name in names)

    def files_of(self, contract: ContractSettings) -> tuple[FileLayouts, ...]:
        """The files of a contract's ``abi``, in its order, each once.

        Raises:
            ConfigError: an entry that this catalogue was not loaded for.
        """
        names: dict[str, None] = {}
        for entry in contract.abi:
            found = self.entries.get(entry) or [source.name for source in builtin_names().get(entry, ())]
            if not found or any(name not in self.files for name in found):
                raise ConfigError(f"abi = {entry!r} is not in the catalogue; load it with the configuration")
            names.update(dict.fromkeys(found))
        return tuple(self.files[name] for name in names)


def load_catalogue(
    settings: Settings | None, known: Mapping[TableKey, str], *, extra: Sequence[str] = ()
) -> Catalogue:
    """The catalogue for a configuration.

    Args:
        settings: the configuration; None for the built-in files alone.
        known: (ABI stem, signature) -> table, for the tables that the database already has; they keep their names.
        extra: further entries of ``abi``, as if a contract named them, with paths relative to the working directory.

    Raises:
        ConfigError: one line for everything wrong with the ABIs, events, anonymous events and discoveries that the
            contracts name, each with file, key, value and what would be right.
    """
    problems: list[str] = []
    entries: dict[str, tuple[AbiSource, ...]] = {}
    if settings:
        for contract, section in settings.contracts.items():
            key = f"{settings.path}: contracts.{contract}.abi"
            for entry in section.abi:
                _load_entry(entries, entry, settings.path.parent, key, problems)
    for entry in extra:
        _load_entry(entries, entry, Path(), "abi", problems)
    sources = _all_sources(entries, problems)
    if problems:
        raise ConfigError(*problems)
    warnings = tuple(
        f"{line}; left out" for source in sources if source.pack is not None for line in source.abi.impossible
    )
    files = {file.source.name: file for file in build_layouts(sources, known)}
    named = {entry: tuple(source.name for source in found) for entry, found in entries.items()}
    catalogue = Catalogue(files, named, warnings)
    if settings:
        _check_contracts(catalogue, settings)
    return catalogue


def _load_entry(
    entries: dict[str, tuple[AbiSource, ...]], entry: str, folder: Path, key: str, problems: list[str]
) -> None:
    if entry in entries:
        return
    try:
        entries[entry] = sources_of(entry, folder)
    except ConfigError as error:
        problems.extend(f"{key} = {entry!r}: {line}" for line in error.problems)


def _all_sources(entries: Mapping[str, tuple[AbiSource, ...]], problems: list[str]) -> list[AbiSource]:
    """Standards, Gemforce, the files of the documentation pack that are named, a user's files; each once."""
    named = {source.name: source for found in entries.values() for source in found}
    sources = [source for source in builtin_sources() if source.pack != DOCS or source.name in named]
    by_stem: dict[str, AbiSource] = {}
    for source in named.values():
        if source.pack is None:
            twin = by_stem.setdefault(source.stem, source)
            if twin is source:
                sources.append(source)
            elif twin.abi != source.abi:
                problems.append(
                    f"{source.name}: {twin.name} has the same stem {source.stem!r} and other declarations, and their "
                    "tables would be one; rename one of the files"
                )
            else:
                sources.append(source)
    return sources


def _check_contracts(catalogue: Catalogue, settings: Settings) -> None:
    problems: list[str] = []
    for name in settings.contracts:
        problems.extend(check_contract(catalogue, settings, name))
    if problems:
        raise ConfigError(*problems)
