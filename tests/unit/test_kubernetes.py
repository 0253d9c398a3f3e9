"""The Kubernetes manifests parse, agree with the program and with each other. They were not applied to a cluster."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from indexer import __version__
from indexer.cli.main import app
from indexer.cluster.run import Place
from indexer.config import load_settings
from indexer.decode.catalogue import load_catalogue

FOLDER = Path(__file__).resolve().parents[2] / "deploy/kubernetes"
OBJECTS = [one for path in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]


def _of(kind: str) -> dict[str, Any]:
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == kind}


def _pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in OBJECTS:
        if "template" in one.get("spec", {}):
            yield one["metadata"]["name"], one["spec"]["template"]


def _container(name: str) -> dict[str, Any]:
    (found,) = dict(_pods())[name]["spec"]["containers"]
    return found


def test_each_object_is_named_once_and_belongs_to_us() -> None:
    assert len({(one["kind"], one["metadata"]["name"]) for one in OBJECTS}) == len(OBJECTS) == 8
    assert all(one["metadata"]["labels"]["app.kubernetes.io/name"] == "indexer" for one in OBJECTS)


@pytest.mark.parametrize(("name", "pod"), list(_pods()), ids=[name for name, _ in _pods()])
def test_pods_are_bounded_and_have_no_rights(name: str, pod: dict[str, Any]) -> None:
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    for container in spec["containers"]:
        assert container["image"] == f"gemforce-indexer:{__version__}"
        assert container["resources"]["limits"]["memory"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert {mount["name"] for mount in container.get("volumeMounts", [])} == volumes


def test_selectors_and_services_find_their_pods() -> None:
    labels = [pod["metadata"]["labels"] for _, pod in _pods()]
    for one in _of("Deployment").values():
        assert one["spec"]["selector"]["matchLabels"] == one["spec"]["template"]["metadata"]["labels"]
    for service in _of("Service").values():
        found = [one for one in labels if service["spec"]["selector"].items() <= one.items()]
        assert len(found) == 1
    policy = _of("NetworkPolicy")["indexer-scheduler"]["spec"]
    admitted = policy["ingress"][0]["from"][0]["podSelector"]["matchExpressions"][1]["values"]
    assert set(admitted) < {one["app.kubernetes.io/component"] for one in labels}


def test_the_probes_ask_what_the_daemon_serves() -> None:
    daemon = _container("indexer")
    assert daemon["livenessProbe"]["httpGet"]["path"] == daemon["startupProbe"]["httpGet"]["path"] == "/livez"
    assert daemon["readinessProbe"]["httpGet"]["path"] == "/readyz"
    text = tomllib.loads(_of("ConfigMap")["indexer"]["data"]["indexer.toml"])
    assert text["http"]["listen"].endswith(f":{daemon['ports'][0]['containerPort']}")


def test_the_configuration_is_valid_with_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "indexer.toml"
    path.write_text(_of("ConfigMap")["indexer"]["data"]["indexer.toml"])
    environ = {
        "INDEXER__DATABASE__URL": "postgresql://h/d",
        "INDEXER__CHAINS__BASE__RPC": '["https://node.example.org"]',
    }
    settings = load_settings(path, environ)
    assert load_catalogue(settings, {}).tables


def test_the_commands_are_those_of_the_program() -> None:
    commands = typer.main.get_command(app).commands
    for name in ("indexer", "indexer-backfill"):
        arguments = _container(name)["args"]
        assert arguments[:2] == ["--config", "/etc/indexer/indexer.toml"]
        command = commands[arguments[2]]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in arguments[3:] if word.startswith("--")} <= options
    arguments = _container("indexer-backfill")["args"]
    place = Place.parse(arguments[arguments.index("--cluster") + 1])
    service = _of("Service")["indexer-scheduler"]
    assert place.address == f"tcp://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    assert _container("indexer-workers")["args"][0] == place.address


def test_dask_has_the_commands_and_options_that_are_used() -> None:
    from distributed.cli import dask_scheduler, dask_worker  # noqa: PLC0415 - they set up logging as they are imported

    for name, program in (("indexer-scheduler", dask_scheduler), ("indexer-workers", dask_worker)):
        container = _container(name)
        assert shlex.join(container["command"]) == f"python -m {program.__name__}"
        known = {
            option
            for parameter in program.main.params
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in container["args"] if word.startswith("--")} <= known
