"""When a demo counts as failed, and what it says."""

from __future__ import annotations

import io
import json

from indexer.demo.books import Counts, Standing
from indexer.demo.display import LineDisplay
from indexer.demo.summary import Summary
from indexer.demo.traffic import ReorgDone, TrafficCount
from indexer.demo.verify import Verdict


def summary(
    *, verdict: Verdict | None, duration: float | None, depths: tuple[int, ...] = (), halted=None
) -> Summary:
    made = TrafficCount(blocks=3, transactions=9, upgrades=1, reorgs=[ReorgDone(2, "drop", 5, 3)])
    counts = Counts({"erc20_transfer": 7, "diamond_cut": 2}, 1, 4)
    return Summary(61.2, made, Standing(5, b"", 5, 1, halted, depths), counts, verdict, duration)


def agreeing() -> Verdict:
    return Verdict(
        tip=5, logs=10, rows={"erc20_transfer": 7, "diamond_cut": 2}, undecoded=1, state={"state.nft": 4}
    )


def test_a_minute_needs_five_reorgs():
    assert summary(verdict=agreeing(), duration=60, depths=(1, 2, 3, 4, 5)).problems() == []
    assert "only 4 reorgs" in summary(verdict=agreeing(), duration=60, depths=(1, 2, 3, 4)).problems()[0]
    assert summary(verdict=agreeing(), duration=59, depths=()).problems() == []


def test_a_difference_nothing_to_compare_a_halt_and_an_interruption_are_failures():
    wrong = agreeing()
    wrong.differ("event.diamond_cut: 1 is not 2")
    assert summary(verdict=wrong, duration=20).problems()
    assert summary(verdict=Verdict(), duration=20).problems()
    assert summary(verdict=agreeing(), duration=20, halted="below finality").problems()
    assert summary(verdict=None, duration=20).problems()
    assert summary(verdict=None, duration=None).problems() == []


def test_differences_are_told_and_counted_but_not_all_shown():
    verdict = agreeing()
    for place in range(100):
        verdict.differ(f"row {place}")
    assert verdict.different == 100
    assert len(verdict.differences) == 20
    assert "different  row 0" in summary(verdict=verdict, duration=20).lines()


def test_lines_for_people_and_documents_for_machines():
    out = io.StringIO()
    with LineDisplay(out=out) as display:
        display.ready(
            {"rpc": "http://127.0.0.1:1", "database": "postgresql://x", "http": "http://127.0.0.1:2"}
        )
        display.done(summary(verdict=agreeing(), duration=60, depths=(1, 2, 3, 4, 5)))
    text = out.getvalue().splitlines()
    assert text[:3] == ["rpc: http://127.0.0.1:1", "database: postgresql://x", "http: http://127.0.0.1:2"]
    assert text[-1] == "OK"
    assert any("event.erc20_transfer" in line for line in text)
    out = io.StringIO()
    with LineDisplay(as_json=True, out=out) as display:
        display.note("not for machines")
        display.ready({"rpc": "r", "database": "d", "http": "h"})
        display.reorg(ReorgDone(2, "drop", 5, 3))
        display.done(summary(verdict=None, duration=20))
    first, last = map(json.loads, out.getvalue().splitlines())
    assert first == {"rpc": "r", "database": "d", "http": "h"}
    assert last["ok"] is False
    assert last["reorgs_made"] == [{"depth": 2, "fate": "drop", "transactions": 5, "kept": 3}]
