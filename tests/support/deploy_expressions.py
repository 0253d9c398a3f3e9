"""The PromQL in ``deploy/``: every expression of the dashboards and alert rules, and the metrics that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/rules.yml"
DASHBOARDS = ROOT / "deploy/grafana/dashboards"

# What Grafana fills in before Prometheus sees the expression.
_GRAFANA = {"$__rate_interval": "1m", "$__interval": "1m", "$__range": "1h", "$chain": ".*"}

# Series that Prometheus itself makes, and those of the process collector, which has none on macOS.
NOT_OURS = frozenset({"up", "ALERTS", "process_resident_memory_bytes", "process_cpu_seconds_total"})


def alerts() -> list[dict[str, Any]]:
    """Every alert rule, as it stands in the file."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def dashboards() -> list[dict[str, Any]]:
    """Every dashboard, parsed."""
    return [json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))]


def expressions() -> Iterator[tuple[str, str]]:
    """(where it stands, expression as Prometheus sees it) for each alert and each dashboard query."""
    for rule in alerts():
        yield f"alert {rule['alert']}", rule["expr"]
    for board in dashboards():
        for annotation in board["annotations"]["list"]:
            yield f"{board['title']}: annotation {annotation['name']}", _filled(annotation["expr"])
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                yield f"{board['title']}: {panel['title']}", _filled(target["expr"])


def metric_names(expression: str) -> set[str]:
    """The metrics that a PromQL expression selects. Raises ValueError where it does not parse."""
    names: set[str] = set()

    def note(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            names.add(node.name)

    promql_parser.walk(promql_parser.parse(expression), note)
    return names


def exported_names(page: str) -> set[str]:
    """The sample names of a ``/metrics`` page."""
    return set(re.findall(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{| )", page, re.MULTILINE))


def _filled(expression: str) -> str:
    for name, value in _GRAFANA.items():
        expression = expression.replace(name, value)
    return expression
