from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_the_benchmark_runs_checks_its_rows_and_reports(postgres_url: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "bench",
            "--only",
            "stages",
            "--only",
            "daemon",
            "--load",
            "mixed",
            "--logs",
            "3000",
            "--rounds",
            "1",
            "--json",
            str(report),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=150,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"DATABASE_URL": postgres_url},
    )
    assert found.returncode == 0, found.stderr
    assert "ratio to the floor" in found.stdout
    body = json.loads(report.read_text())
    assert [one["load"] for one in body["hot_path"]] == ["mixed"]
    for one in body["hot_path"]:
        assert list(one["stages"]) == ["fetch", "parse", "decode", "encode", "copy"]
        assert one["logs_per_second"] > 0
    assert [one["load"] for one in body["engine"]] == ["mixed"]
    assert body["machine"]["packages"]["numpy"]
