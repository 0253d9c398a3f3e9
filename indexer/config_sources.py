"""Where configuration comes from: the TOML file, and over it the environment (``INDEXER__SECTION__KEY``).

Both are sources of pydantic-settings, which merges them table by table. Names in the environment are case-insensitive,
``-`` in a section's name is written ``_``; a value is JSON where it begins with ``[`` or ``{``, a list may also be
written with commas; an empty variable counts as not set.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "INDEXER__"
_LISTS = frozenset({"rpc", "address", "abi", "events", "anonymous", "folder", "token_attribute_keys"})


class EnvironmentSource(PydanticBaseSettingsSource):
    """Variables that begin with ``INDEXER__`` as nested tables.

    ``origins`` maps a dotted key to the variable it came from; ``problems`` holds variables that could not be read.
    """

    def __init__(
        self, settings_cls: type[BaseSettings], tables: Mapping[str, Any], environ: Mapping[str, str]
    ) -> None:
        super().__init__(settings_cls)
        self._tables = tables
        self._environ = environ
        self.origins: dict[str, str] = {}
        self.problems: list[str] = []

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the signature is the library's
        """One top-level section; pydantic-settings wants this beside ``__call__``."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All of them as nested tables."""
        result: dict[str, Any] = {}
        for variable in sorted(self._environ):
            value = self._environ[variable]
            if variable.upper().startswith(PREFIX) and value.strip():
                self._place(result, variable, value)
        return result

    def _place(self, result: dict[str, Any], variable: str, value: str) -> None:
        place: dict[str, Any] = result
        known: Any = self._tables
        path: list[str] = []
        parts = variable[len(PREFIX) :].split("__")
        for part in parts:
            path.append(_known_name(part, known))
            known = known.get(path[-1]) if isinstance(known, Mapping) else None
        for part in path[:-1]:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                self.problems.append(f"environment: {variable}: another variable sets the whole of {part}")
                return
            place = inner
        try:
            place[path[-1]] = _value(path[-1], value)
        except json.JSONDecodeError as error:
            self.problems.append(
                f"environment: {variable}: is no valid JSON: {error.msg} at character {error.pos + 1}"
            )
            return
        self.origins[".".join(path)] = variable


class MergedTables(BaseSettings):
    """The raw sections after merging; nothing in them is checked yet."""

    model_config = SettingsConfigDict(extra="allow")


def merge_sources(
    file_tables: Mapping[str, Any], environ: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], EnvironmentSource]:
    """The tables of the file with the environment over them, and the environment source with its origins and problems.

    Args:
        file_tables: what the TOML file holds.
        environ: the environment; the process's own when None.
    """
    environment = EnvironmentSource(MergedTables, file_tables, os.environ if environ is None else environ)

    class Sources(MergedTables):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return environment, InitSettingsSource(settings_cls, dict(file_tables))

    return Sources().model_dump(), environment


def _known_name(part: str, tables: Any) -> str:
    if isinstance(tables, Mapping):
        for name in tables:
            if str(name).lower().replace("-", "_") == part.lower():
                return str(name)
    return part.lower()


def _value(key: str, value: str) -> Any:
    text = value.strip()
    if text.startswith(("[", "{")) and key != "listen":  # "[::]:8080" is no JSON
        return json.loads(text)
    if key in _LISTS and "," in text:
        return [item.strip() for item in text.split(",") if item.strip()]
    return text
