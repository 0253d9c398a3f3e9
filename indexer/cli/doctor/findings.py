"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from indexer.redaction import redact

Level = Literal["ok", "warn", "fail"]
Area = Literal["configuration", "abi", "endpoint", "contract", "database"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found at ``subject`` (a section, an endpoint's host, an address)."""

    level: Level
    area: Area
    subject: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """The finding for machines, without secrets."""
        return {
            "level": self.level,
            "area": self.area,
            "subject": redact(self.subject),
            "message": redact(self.message),
        }


def exit_code(findings: list[Finding]) -> int:
    """2 when the configuration or an ABI is wrong, 1 when anything else failed, 0 for ``ok`` and ``warn`` alone."""
    failed = {finding.area for finding in findings if finding.level == "fail"}
    if failed & {"configuration", "abi"}:
        return 2
    return 1 if failed else 0
