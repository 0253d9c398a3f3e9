"""Exit codes and what is told when something fails."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from indexer.cli.context import INVOCATION
from indexer.cli.daemon import parse_page, read_daemon
from indexer.cli.db import without_password
from indexer.cli.main import gravest, report
from indexer.cli.progress import shown
from indexer.cli.report import Rates
from indexer.cli.run import parse_until
from indexer.errors import (
    ChainIdMismatch,
    ConfigError,
    FinalizedReorg,
    Halt,
    IndexerError,
    InvariantViolated,
    RpcTimeout,
    SchemaMismatch,
)
from indexer.progress import ProgressUpdate


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("a", "b"), 2),
        (FinalizedReorg("x"), 70),
        (ChainIdMismatch("x"), 71),
        (SchemaMismatch("x"), 72),
        (InvariantViolated("x"), 73),
        (Halt("x"), 79),
        (RpcTimeout("x"), 1),
        (IndexerError("x"), 1),
        (ValueError("x"), 1),
        (
            ExceptionGroup(
                "g", [ValueError("x"), ExceptionGroup("h", [FinalizedReorg("y"), ConfigError("z")])]
            ),
            70,
        ),
    ],
)
def test_each_error_has_its_exit_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    assert str(gravest(error)).splitlines()[0] in told.err


def test_every_problem_has_a_line_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    report(ConfigError("one https://u:hunter2@h/hunter2", "two"))
    assert capsys.readouterr().err == "error: one https://h\nerror: two\n"


def test_debug_shows_the_traceback_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(INVOCATION, "debug", True)
    with pytest.raises(ValueError, match="hunter2") as caught:
        int("https://h/hunter2")
    report(caught.value)
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("text", "meant"), [("head", "head"), ("Finalized", "finalized"), ("17", 17), ("0", 0)]
)
def test_until(text: str, meant: str | int) -> None:
    assert parse_until(text) == meant


@pytest.mark.parametrize(
    ("address", "shown_as", "bare"),
    [
        ("postgresql://u:p%40w@h:5/d", "postgresql://u:***@h:5/d", "postgresql://u@h:5/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql://h/d", "postgresql://h/d", "postgresql://h/d"),
        ("postgresql://h/d?password=p&x=1", "postgresql://h/d?x=1", "postgresql://h/d?x=1"),
        ("postgresql://postgres@/indexer?host=/a/b", "postgresql://postgres@/indexer?host=/a/b", None),
    ],
)
def test_passwords_of_database_urls(address: str, shown_as: str, bare: str | None) -> None:
    assert without_password(address) == shown_as
    assert without_password(address, "") == (bare or shown_as)


def test_rates_come_from_the_tips_of_a_window() -> None:
    rates = Rates()
    assert rates.note(1, None, 0.0) is None
    assert rates.note(1, 100, 0.0) is None
    assert rates.note(1, 150, 5.0) == 10
    assert rates.note(2, 5, 5.0) is None
    assert rates.note(1, 150, 60.0) is None


def test_progress_is_drawn_only_where_it_is_wanted() -> None:
    with shown(wanted=False) as sink:
        assert sink is None
    console = Console(record=True, force_terminal=True, width=120, file=io.StringIO())
    with shown(wanted=True, console=console) as sink:
        assert sink is not None
        sink(ProgressUpdate("base", "backfill", 0, 49, 99, 1234, 56.7))
        sink(ProgressUpdate("base", "follow", 100, 100, 100, 2345, 1.0))
    text = console.export_text()
    assert "base" in text
    assert "2,345 logs" in text
    assert "at the tip" in text


PAGE = """\
# TYPE indexer_endpoint_up gauge
indexer_endpoint_up{chain="base",endpoint="h:443"} 1.0
# TYPE indexer_rpc_range_blocks gauge
indexer_rpc_range_blocks{chain="base",endpoint="h:443"} 2000.0
# TYPE indexer_rpc_requests_total counter
indexer_rpc_requests_total{chain="base",endpoint="h:443",method="eth_call",outcome="ok"} 7.0
indexer_rpc_requests_total{chain="base",endpoint="h:443",method="eth_call",outcome="timeout"} 2.0
# TYPE indexer_lease_held gauge
indexer_lease_held{chain="base"} 1.0
# TYPE indexer_backfill_blocks_remaining gauge
indexer_backfill_blocks_remaining{chain="base"} 12.0
"""


def test_a_page_of_metrics_is_read() -> None:
    assert parse_page(PAGE) == {
        "base": {
            "endpoints": [
                {"endpoint": "h:443", "up": True, "range_blocks": 2000, "requests": 9, "failures": 2}
            ],
            "lease_held": True,
            "backfill_blocks_remaining": 12,
        }
    }
    assert parse_page("<html>") is None
    assert parse_page("") is None


async def test_a_daemon_that_is_away_is_none() -> None:
    assert await read_daemon("127.0.0.1:0") is None
    assert await read_daemon("127.0.0.1:1") is None
