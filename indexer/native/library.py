"""The compiled loops, if they are there and are those of this source."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from indexer.logging import logger

SWITCH = "INDEXER_NATIVE"
"""Environment: 0 leaves the loops unused at run time and uncompiled at installation; see also ``native/build.py``."""

FOLDER = Path(__file__).parent
LIBRARY = FOLDER / "loops.so"

_LOG = logger(__name__)


def sources() -> list[Path]:
    """The files in C, the order in which they are digested."""
    return sorted(path for path in FOLDER.iterdir() if path.suffix in {".c", ".h"})


def digest() -> str:
    """What tells one state of the source from another; it is compiled in."""
    joined = b"".join(path.read_bytes() for path in sources())
    return hashlib.sha256(joined).hexdigest()[:16]


@cache
def loops() -> ctypes.CDLL | None:
    """The functions in C; they let go of the interpreter's lock while they run. None where numpy has to do.

    They pair hex digits and turn numbers round as a little-endian machine has them, so no other machine uses them.
    """
    if os.environ.get(SWITCH) == "0" or sys.byteorder != "little" or not LIBRARY.exists():
        return None
    try:
        library = ctypes.CDLL(str(LIBRARY))
        library.indexer_source.restype = ctypes.c_char_p
        compiled = library.indexer_source()
    except (OSError, AttributeError) as error:
        _LOG.warning("compiled loops do not load", error=str(error))
        return None
    if compiled != digest().encode():
        _LOG.warning("compiled loops are of another source; install again to compile them")
        return None
    integer, pointer = ctypes.c_int64, ctypes.c_void_p
    library.indexer_read_logs.restype = integer
    library.indexer_read_logs.argtypes = [pointer, integer, pointer]
    library.indexer_skip_array.restype = integer
    library.indexer_skip_array.argtypes = [pointer, integer]
    library.indexer_write_rows.restype = integer
    library.indexer_write_rows.argtypes = [pointer, integer, integer, integer, pointer, integer, pointer]
    library.indexer_join_words.restype = None
    library.indexer_join_words.argtypes = [pointer, integer, integer, integer, pointer]
    return library


def address_of(array: Any) -> int:
    """Where a numpy array's first value is."""
    return int(array.__array_interface__["data"][0])
