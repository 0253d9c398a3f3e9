"""The lock files pin what pyproject.toml asks for, on every supported Python and system, and name no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
ASKED = {
    "runtime": PROJECT["dependencies"],
    "dev": [*PROJECT["dependencies"], *EXTRAS["dev"]],
    "scale": [*PROJECT["dependencies"], *EXTRAS["cluster"], *EXTRAS["export"]],
    "build": re.findall(r"^[a-z].*$", (ROOT / "requirements/build.in").read_text(), re.MULTILINE),
}
ENVIRONMENTS = [
    {
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.0",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[system],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "extra": "",
    }
    for minor in (11, 12, 13, 14)
    for system in ("linux", "darwin")
]


def _text(name: str) -> str:
    return (ROOT / f"requirements/{name}.lock").read_text()


def _pins(text: str) -> list[tuple[Requirement, int]]:
    """Each pinned requirement with how many hashes it has."""
    entries = re.split(r"\n(?=\S)", text.strip())
    return [
        (Requirement(entry.split(" \\")[0]), len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)))
        for entry in entries
    ]


def _versions(text: str, environment: dict[str, str]) -> dict[str, str]:
    held: dict[str, str] = {}
    for pin, _ in _pins(text):
        if pin.marker is None or pin.marker.evaluate(environment):
            (specifier,) = pin.specifier
            assert canonicalize_name(pin.name) not in held, f"{pin.name} is pinned twice"
            held[canonicalize_name(pin.name)] = specifier.version
    return held


@pytest.mark.parametrize("name", ASKED)
def test_everything_is_pinned_with_hashes_and_without_address(name: str) -> None:
    text = _text(name)
    for pin, hashes in _pins(text):
        assert [specifier.operator for specifier in pin.specifier] == ["=="], pin.name
        assert hashes >= 1, pin.name
        assert pin.url is None
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize(
    "environment", ENVIRONMENTS, ids=lambda e: f"{e['python_version']}-{e['sys_platform']}"
)
def test_the_lock_satisfies_what_is_asked(name: str, environment: dict[str, str]) -> None:
    versions = _versions(_text(name), environment)
    for line in ASKED[name]:
        asked = Requirement(line)
        if asked.marker is None or asked.marker.evaluate(environment):
            held = versions[canonicalize_name(asked.name)]
            assert asked.specifier.contains(held, prereleases=True), f"{line} against {held}"


@pytest.mark.parametrize("name", ["runtime", "scale", "build"])
@pytest.mark.parametrize("environment", ENVIRONMENTS[:1] + ENVIRONMENTS[-1:], ids=["oldest", "newest"])
def test_the_locks_agree_with_each_other(name: str, environment: dict[str, str]) -> None:
    tested = _versions(_text("dev"), environment)
    shipped = _versions(_text(name), environment)
    assert {package: tested[package] for package in shipped if package in tested} == {
        package: version for package, version in shipped.items() if package in tested
    }
    if name != "scale":
        assert set(shipped) <= set(tested), "something is shipped that the tests do not run with"
