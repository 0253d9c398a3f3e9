"""What a demo did, and whether the database agreed with the chain in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from indexer.demo.books import Counts, Standing
from indexer.demo.traffic import TrafficCount
from indexer.demo.verify import Verdict

REORGS_OF_A_MINUTE = 5
_MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Summary:
    """The outcome. ``verdict`` is None where nothing was verified (a demo that was interrupted)."""

    seconds: float
    made: TrafficCount
    standing: Standing
    counts: Counts
    verdict: Verdict | None
    duration: float | None

    def problems(self) -> list[str]:
        """Why the demo failed; nothing when it did not."""
        found = []
        if self.standing.halted:
            found.append(f"the chain was halted: {self.standing.halted}")
        if self.verdict is None:
            if self.duration is not None:
                found.append("it was interrupted before it could be verified")
            return found
        if not self.verdict.agree:
            found.append(f"{self.verdict.different} differences between the database and the chain")
        undone = len(self.standing.reorg_depths)
        if self.duration is not None and self.duration >= _MINUTE_SECONDS and undone < REORGS_OF_A_MINUTE:
            found.append(f"only {undone} reorgs were undone, where at least {REORGS_OF_A_MINUTE} should be")
        return found

    def document(self) -> dict[str, Any]:
        """Everything as JSON."""
        verdict = self.verdict
        return {
            "ok": not self.problems(),
            "problems": self.problems(),
            "seconds": round(self.seconds, 1),
            "tip": self.standing.tip_number,
            "blocks_made": self.made.blocks,
            "transactions": self.made.transactions,
            "upgrades": self.made.upgrades,
            "reorgs_made": [
                {"depth": one.depth, "fate": one.fate, "transactions": one.had, "kept": one.kept}
                for one in self.made.reorgs
            ],
            "reorgs_undone": list(self.standing.reorg_depths),
            "addresses_discovered": self.counts.discovered,
            "rows": self.counts.rows,
            "undecoded": self.counts.undecoded,
            "verified": None
            if verdict is None
            else {
                "tip": verdict.tip,
                "logs": verdict.logs,
                "rows": sum(verdict.rows.values()),
                "undecoded": verdict.undecoded,
                "state": verdict.state,
                "different": verdict.different,
                "differences": verdict.differences,
            },
        }

    def lines(self) -> list[str]:
        """Everything in words, for people."""
        made, counts = self.made, self.counts
        undone = ", ".join(map(str, self.standing.reorg_depths)) or "none"
        happened = f"{made.blocks} blocks, {made.transactions} transactions, {made.upgrades} facet upgrades"
        held = f"{sum(counts.rows.values())} rows in {len(counts.rows)} event tables"
        text = [
            "",
            f"chain      {happened}, {len(made.reorgs)} reorgs in {self.seconds:.0f} s",
            f"database   tip {self.standing.tip_number}, {held}, {counts.undecoded} undecoded logs",
            f"discovery  {counts.discovered} addresses",
            f"reorgs     {len(self.standing.reorg_depths)} undone, depths {undone}",
        ]
        rows = sorted(counts.rows.items(), key=lambda item: (-item[1], item[0]))
        text += [f"             {count:>7}  event.{name}" for name, count in rows]
        text += self._verified()
        problems = self.problems()
        text += [f"FAILED     {problem}" for problem in problems] or (["OK"] if self.verdict else [])
        return text

    def _verified(self) -> list[str]:
        verdict = self.verdict
        if verdict is None:
            return []
        answers, stored = sum(verdict.state.values()), sum(verdict.rows.values())
        logs = f"{verdict.logs} logs of {verdict.tip + 1} blocks"
        held = f"{stored} rows and {verdict.undecoded} undecoded logs"
        text = [f"verified   {logs} against {held}, {answers} answers of contracts against state"]
        text += [f"             {count:>7}  {name}" for name, count in verdict.state.items()]
        text += [f"different  {one}" for one in verdict.differences]
        return text
