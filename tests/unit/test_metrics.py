"""Names, types and labels of the metrics are a promise; this list changes with the changelog only."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from indexer import metrics
from indexer.decode import reasons
from indexer.rpc import endpoint

PROMISED = Path(__file__).parent / "data" / "metric_names.txt"


def test_names_types_and_labels_are_the_promised_ones() -> None:
    found = []
    for metric in vars(metrics).values():
        if isinstance(metric, metrics.Counter | metrics.Gauge | metrics.Histogram):
            name = metric._name + ("_total" if isinstance(metric, metrics.Counter) else "")
            found.append(f"{name} {metric._type} {','.join(metric._labelnames)}".strip())
    assert sorted(found) == PROMISED.read_text().splitlines()


def test_everything_is_there_at_zero_from_the_start() -> None:
    code = (
        "from indexer import metrics;"
        "metrics.prepare('base', ['h:1'], ['erc20_transfer']);"
        "metrics.TIP_BLOCK_NUMBER.labels('base').set(7);"
        "metrics.prepare('base', ['h:1'], ['erc20_transfer']);"
        "print(metrics.render().decode())"
    )
    page = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    families = {family.name: family for family in text_string_to_metric_families(page)}
    for line in PROMISED.read_text().splitlines():
        name = line.split()[0]
        family = families[name.removesuffix("_total")]
        assert family.samples, name
        assert family.documentation, name
        zero = [sample for sample in family.samples if sample.name != "indexer_build_info"]
        assert all(sample.value == (7 if name == "indexer_tip_block_number" else 0) for sample in zero), name
    assert not any(
        sample.name.endswith("_created") for family in families.values() for sample in family.samples
    )
    if sys.platform == "linux":
        assert families["process_resident_memory_bytes"].samples[0].value > 0
        assert families["process_open_fds"].samples[0].value > 0


def test_buckets_span_what_they_have_to() -> None:
    assert (metrics.HEAD_TO_COMMIT_BUCKETS[0], metrics.HEAD_TO_COMMIT_BUCKETS[-1]) == (0.005, 60)
    assert (metrics.REORG_DEPTH_BUCKETS[0], metrics.REORG_DEPTH_BUCKETS[-1]) == (1, 128)


def test_reasons_are_those_of_the_decoder() -> None:
    assert metrics.UNDECODED_REASONS == reasons.UNDECODED_REASONS
    assert set(reasons.IRREGULAR_REASONS) <= set(metrics.IRREGULAR_REASONS)


def test_outcomes_and_methods_are_those_of_the_client() -> None:
    assert {"ok", "unavailable", *(word for _kind, word in endpoint._OUTCOMES)} <= set(metrics.RPC_OUTCOMES)
    sources = "".join(path.read_text() for path in Path(endpoint.__file__).parent.glob("*.py"))
    sent = set(re.findall(r'"(eth_[A-Za-z]+)"', sources)) - {"eth_subscribe", "eth_subscription"}
    assert sent == set(metrics.RPC_METHODS)
