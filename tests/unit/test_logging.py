"""Log lines: one format for all, no secret in any."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.logging import redact_secrets
from indexer.redaction import redact

SAY = """
import logging, sys, warnings
from indexer.logging import configure, logger
configure(level=sys.argv[1], log_format=sys.argv[2])
log = logger("indexer.test").bind(chain="base")
log.info("commit", first=1, last=2, url="https://u:hunter2@h.example:8545/v2/hunter2", password="hunter2")
log.debug("quiet")
logging.getLogger("web3.manager").warning("retry %s", "wss://h.example/hunter2?k=hunter2")
logging.getLogger("asyncio").info("chatter")
warnings.warn("see postgresql://u:hunter2@db:5432/x", stacklevel=1)
try:
    raise ValueError("POST https://h.example/hunter2 failed")
except ValueError:
    log.exception("broken", nested={"rpc": ["https://h.example/hunter2"], "n": 1}, raw=b"\\x01")
"""


def say(level: str, form: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SAY, level, form], check=True, capture_output=True, text=True
    )
    assert done.stdout == ""
    return done.stderr


def test_json_lines_where_stderr_is_no_terminal() -> None:
    lines = [json.loads(line) for line in say("info", "auto").splitlines()]
    assert [line["event"] for line in lines][:2] == ["commit", "retry wss://h.example"]
    first = lines[0]
    assert (first["level"], first["logger"], first["chain"], first["last"]) == (
        "info",
        "indexer.test",
        "base",
        2,
    )
    assert first["url"] == "https://h.example:8545"
    assert first["password"] == "[redacted]"
    assert lines[-1]["nested"] == {"rpc": ["https://h.example"], "n": 1}
    assert lines[-1]["raw"] == "0x01"
    assert "ValueError: POST https://h.example failed" in lines[-1]["exception"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_in_any_form(form: str) -> None:
    assert "hunter2" not in say("debug", form)


def test_the_level_holds_and_libraries_are_quiet_unless_debug() -> None:
    assert "quiet" not in say("info", "json")
    assert "chatter" not in say("info", "json")
    assert "quiet" in say("debug", "json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:pa@h.io:8545/v2/KEY?x=1, next", "https://h.io:8545 next"),
        ("WSS://a.b/k", "WSS://a.b"),
        ("postgresql://u:p/w@h:5432/db", "postgresql://[redacted]"),
        ("postgresql://u:p@h1:1,h2:2/db", "postgresql://h1:1,h2:2"),
        ("postgresql+asyncpg://u:p@h/db", "postgresql+asyncpg://h"),
        ("https://[::1]:8545/x", "https://[::1]:8545"),
        ("at https://h.io:8545.", "at https://h.io:8545."),
        ('{"url":"https://h/KEY"}', '{"url":"https://h"}'),
        ("host=h password=abc user=u", "host=h password=[redacted] user=u"),
        ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [redacted]"),
        ("block 5 of base", "block 5 of base"),
    ],
)
def test_redaction(text: str, expected: str) -> None:
    assert redact(text) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["http", "https", "ws", "wss", "postgres", "postgresql"]),
    st.text("abcXYZ019-_.~%!*()", min_size=0, max_size=12),
    st.sampled_from(["/", "?", "#", "/?k=", "//"]),
)
def test_the_path_and_the_user_of_any_url_are_gone(scheme: str, noise: str, sign: str) -> None:
    text = redact(
        f"failed: {scheme}://{noise}SECRET:SECRET{noise}@host.example:81{sign}{noise}SECRET{noise} end"
    )
    assert "SECRET" not in text
    assert text.startswith(f"failed: {scheme}://host.example:81")


def test_deep_values_end() -> None:
    loop: dict[str, object] = {}
    loop["self"] = loop
    assert redact_secrets(None, "info", {"event": "x", "value": loop})["event"] == "x"
