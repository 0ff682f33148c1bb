"""Five mutants of kernels by tools/mutate_code.py: each dies by the tests that name its kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_five_mutants_die(tmp_path):
    results = tmp_path / "mutants.jsonl"
    command = [sys.executable, "tools/mutate_code.py", "--sample", "5", "--under", "core/linear"]
    done = subprocess.run(
        [*command, "--results", str(results)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert [row["verdict"] for row in rows] == ["killed"] * 5, done.stderr[-2000:]
    assert done.returncode == 0
    again = subprocess.run(
        [*command, "--results", str(results)], cwd=ROOT, capture_output=True, check=False
    )
    assert again.returncode == 0
    assert len(results.read_text().splitlines()) == 5, "known results are taken from the file"
