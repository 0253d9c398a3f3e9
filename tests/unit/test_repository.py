"""What must stand in no file of the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Put together from pieces, so that this file does not hold what it forbids.
REGISTRY_HOSTS = [
    "registry" + r"\.npm" + r"js",
    "npm" + r"js\.org",
    "py" + r"pi\.org",
    "python" + "hosted",
    "deb" + r"\.debian",
    "security" + r"\.debian",
]
MACHINE_PATHS = ["/" + "work/", "/" + "root/", "/" + "farm/", "/" + "tmp/bash_" + "jobs"]
UNFINISHED = [r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bXX" + r"X\b", r"\bHA" + r"CK\b"]


def _files() -> list[Path]:
    """Tracked files and those that would be added; links are followed by git to nothing."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    paths = [ROOT / name for name in result.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def _found(patterns: list[str]) -> list[str]:
    wanted = re.compile("|".join(patterns))
    found = []
    for path in _files():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if wanted.search(line)
        ]
    return found


def test_there_is_something_to_look_through() -> None:
    assert len(_files()) > 50
    assert _found(["^# gemforce-indexer$"])


def test_no_file_names_a_package_registry() -> None:
    assert _found(REGISTRY_HOSTS) == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    assert _found(MACHINE_PATHS) == []


def test_no_file_says_that_it_is_unfinished() -> None:
    assert _found(UNFINISHED) == []


def test_no_module_has_grown_too_long_for_one_purpose() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in _files()
        if path.suffix == ".py"
        and path.is_relative_to(ROOT / "indexer")
        and (lines := len(path.read_text().splitlines())) > 450
    }
    assert long == {}
