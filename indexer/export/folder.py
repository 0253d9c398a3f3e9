"""Where an export goes: a folder of this machine or any place that fsspec knows. Files appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from indexer.errors import ConfigError, IndexerError

UNFINISHED = ".part"
"""Ends the name of a file that is being written."""


class ExportFolder:
    """A folder on any file system; paths are relative to it.

    Raises:
        ConfigError: fsspec does not know the URL's scheme, or lacks the package for it.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        try:
            filesystem, root = fsspec.core.url_to_fs(place)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"--to {place}: {error}") from error
        self._fs: Any = filesystem
        self._root = str(root).rstrip("/")
        self.key = f"{filesystem.to_json()}:{self._root}"

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what the file system refuses inside into an ``IndexerError`` that names the place."""
        try:
            yield
        except OSError as error:
            raise IndexerError(f"{self.place} cannot be used: {type(error).__name__}: {error}") from error

    def read(self, path: str) -> bytes | None:
        """A file's bytes; None where there is none."""
        self._fs.invalidate_cache()
        with self.errors():
            try:
                content: bytes = self._fs.cat_file(self._at(path))
            except FileNotFoundError:
                return None
        return content

    def size(self, path: str) -> int | None:
        """A file's size; None where there is none."""
        with self.errors():
            try:
                return int(self._fs.info(self._at(path))["size"])
            except FileNotFoundError:
                return None

    @contextmanager
    def writing(self, path: str) -> Iterator[IO[bytes]]:
        """A file that stands under ``path`` once the block ends well, in place of one that stood there."""
        unfinished = self._at(path + UNFINISHED)
        with self.errors():
            self._fs.makedirs(unfinished.rpartition("/")[0], exist_ok=True)
            file = self._fs.open(unfinished, "wb")
        try:
            yield file
            with self.errors():
                file.flush()
                if isinstance(self._fs, LocalFileSystem):  # rows have to outlive a power cut as the name does
                    os.fsync(file.fileno())
        finally:
            with self.errors():
                file.close()
        with self.errors():
            self._fs.mv(unfinished, self._at(path))

    def write(self, path: str, content: bytes) -> None:
        """A small file, in one piece."""
        with self.writing(path) as file:
            file.write(content)

    def remove(self, path: str) -> None:
        """Remove a file; one that is gone already is no error."""
        with self.errors(), suppress(FileNotFoundError):
            self._fs.rm_file(self._at(path))

    def files(self) -> list[str]:
        """Every file of this export's shape in the folder, finished or not: ``TABLE/chain_id=N/first_block=N/…``."""
        self._fs.invalidate_cache()
        prefix = self._root.lstrip("/") + "/"
        with self.errors():
            found = [str(path).lstrip("/").removeprefix(prefix) for path in self._fs.find(self._root)]
        return [path for path in found if _ours(path)]


def _ours(path: str) -> bool:
    parts = path.split("/")
    return (
        len(parts) == 4
        and parts[1].startswith("chain_id=")
        and parts[2].startswith("first_block=")
        and parts[3].endswith((".parquet", ".parquet" + UNFINISHED))
    )
