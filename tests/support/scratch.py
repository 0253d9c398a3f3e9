"""Where servers that a test starts keep their files: in memory where there is room, which makes databases ten times faster."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it get unguessable names
ROOM_BYTES = 2 * 2**30
"""What must be free in memory: containers often have 64 MB there only."""

SERVER_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "max_wal_size": "192MB",
    "min_wal_size": "80MB",
}
"""Settings of a server whose data nobody needs after the tests; its log stays small, since it may be in memory."""


def scratch_folder(prefix: str) -> Path:
    """A new folder of the test's, which the caller removes."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if has_room(MEMORY) else None))


def has_room(folder: Path) -> bool:
    """Whether test servers fit into ``folder``."""
    return folder.is_dir() and shutil.disk_usage(folder).free >= ROOM_BYTES
