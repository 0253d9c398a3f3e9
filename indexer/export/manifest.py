"""``manifest.json``: which files make up an export. Written last and in one piece, it is what an export consists of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from indexer.errors import ConfigError

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One Parquet file: rows of ``table`` of one chain between two blocks. ``digest`` changes whenever its rows do.

    ``first_block`` and ``last_block`` are those of its rows; ``path`` is relative to the manifest.
    """

    path: str
    table: str
    chain_id: int
    first_block: int
    last_block: int
    rows: int
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """An export. ``through_blocks`` says by chain id through which block it is complete; ``tables`` has the columns."""

    partition_blocks: int
    through_blocks: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    files: tuple[ExportedFile, ...] = ()

    def to_json(self) -> bytes:
        """As it is written."""
        return (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode()


def read_manifest(text: bytes | None, place: str) -> Manifest | None:
    """A manifest as it was written; None where there is none.

    Raises:
        ConfigError: the file is no manifest, or one of a later version of this program.
    """
    if text is None:
        return None
    try:
        held = json.loads(text)
        if held.pop("format") != FORMAT:
            raise ConfigError(f"--to {place}: {MANIFEST} was written by another version of this program")
        files = tuple(ExportedFile(**one) for one in held.pop("files"))
        return Manifest(files=files, **held)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"--to {place}: {MANIFEST} is not of an export: {error}") from error
