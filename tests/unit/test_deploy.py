"""The files of deploy/ agree with the program and with each other. promtool fires the alerts: `make test-deploy`."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import deploy_expressions
import promql_parser
import pytest
import yaml

from indexer import metrics
from indexer.config import load_settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
EXPRESSIONS = list(deploy_expressions.expressions())


@pytest.fixture(scope="module")
def exported() -> set[str]:
    metrics.prepare("deploy-test", ["node:443"], ["erc20_transfer"])
    return deploy_expressions.exported_names(metrics.render().decode())


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_each_expression_parses_and_names_only_exported_metrics(
    where: str, expression: str, exported: set[str]
) -> None:
    names = deploy_expressions.metric_names(expression)
    assert names, f"{where} selects nothing"
    assert names <= exported | deploy_expressions.NOT_OURS


def test_a_wrong_expression_or_name_would_be_seen(exported: set[str]) -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        promql_parser.parse("rate(indexer_reorgs_total[5m]")
    assert deploy_expressions.metric_names("sum(rate(indexer_reorg_total[5m]))") - exported


def test_the_dashboard_shows_every_metric(exported: set[str]) -> None:
    shown = {name for _, expression in EXPRESSIONS for name in deploy_expressions.metric_names(expression)}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported if name.startswith("indexer_")}
    assert families - {re.sub(r"_bucket$", "", name) for name in shown} == set()


def test_dashboard_panels_are_described_and_do_not_overlap() -> None:
    for board in deploy_expressions.dashboards():
        panels = board["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        cells = [cell for panel in panels for cell in _cells(panel["gridPos"])]
        assert len(cells) == len(set(cells)), "two panels lie on each other"
        assert all(panel["description"] for panel in panels if panel["type"] != "row")
        assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels if panel["type"] != "row")


def _cells(grid: dict[str, int]) -> list[tuple[int, int]]:
    assert grid["x"] + grid["w"] <= 24
    return [(grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"])]


@pytest.mark.parametrize("rule", deploy_expressions.alerts(), ids=lambda rule: rule["alert"])
def test_each_alert_says_who_wakes_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")
    runbook = ROOT / rule["annotations"]["runbook"]
    assert runbook.read_text().startswith(f"# {rule['alert']}\n")


def test_each_alert_is_fired_and_kept_quiet_by_a_promtool_test() -> None:
    tests = yaml.safe_load((DEPLOY / "prometheus/rules_test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    names = {rule["alert"] for rule in deploy_expressions.alerts()}
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == names
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == names


def test_each_runbook_belongs_to_an_alert() -> None:
    names = {rule["annotations"]["runbook"] for rule in deploy_expressions.alerts()}
    assert {str(path.relative_to(ROOT)) for path in (DEPLOY / "runbooks").glob("*.md")} == names


def test_what_compose_mounts_is_there() -> None:
    for service in COMPOSE["services"].values():
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
    build = COMPOSE["services"]["indexer"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()


def test_compose_publishes_on_the_loopback_address_only() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service["ports"]]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_variable_of_compose_is_in_the_example() -> None:
    example = (DEPLOY / ".env.example").read_text()
    wanted = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    assert wanted == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


def test_prometheus_scrapes_the_service_that_listens() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    host, port = job["static_configs"][0]["targets"][0].split(":")
    assert host in COMPOSE["services"]
    assert job["job_name"] == "indexer"
    settings = tomllib.loads((DEPLOY / "indexer.toml").read_text())
    assert settings["http"]["listen"] == f"0.0.0.0:{port}"


def test_the_configuration_is_valid_with_the_environment_of_compose() -> None:
    environment = COMPOSE["services"]["indexer"]["environment"]
    filled = {"POSTGRES_PASSWORD": "secret", "RPC_URLS": '["https://node.example.org/key"]'}
    environ = {
        key: re.sub(r"\$\{([A-Z_]+)[^}]*\}", lambda match: filled[match[1]], value)
        for key, value in environment.items()
    }
    settings = load_settings(DEPLOY / "indexer.toml", environ)
    assert settings.database.url is not None
    assert settings.database.url.get_secret_value() == "postgresql://indexer:secret@postgres:5432/indexer"
    rpc = settings.chains["base"].rpc
    assert [url.get_secret_value() for url in rpc] == ["https://node.example.org/key"]


def test_the_image_runs_the_wheel_without_root() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert sum(line.startswith("FROM ") for line in lines) == 3
    assert "USER indexer" in lines
    assert 'ENTRYPOINT ["indexer"]' in lines
    assert all("--require-hashes" in line or "--no-deps" in line for line in lines if "pip install" in line)
    (health,) = [line for line in lines if "CMD [" in line and "/livez" in line]
    assert "8080/livez" in health


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    admitted = re.findall(r"^!(\S+)", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert all((ROOT / path).exists() for path in admitted)
    sources = re.findall(r"^COPY (?!--from)(\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert all(source == "." or source.split("/")[0] in admitted for source in sources)


def test_the_unit_restarts_only_what_a_restart_can_mend() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys are case-sensitive
    unit.read(DEPLOY / "systemd/indexer.service")
    service = unit["Service"]
    assert service["ExecStart"].endswith("indexer run")
    assert service["Restart"] == "on-failure"
    assert service["TimeoutStopSec"] == "15"
    assert {"2", "70", "71", "72", "73", "79"} <= set(service["RestartPreventExitStatus"].split())
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
