"""README.md and docs/benchmarks.md say what the stored results say, and no result is stale."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bench.accuracy.pages import (
    FULL,
    PERFORMANCE,
    README_ROWS,
    benchmarks_page,
    fetch_public,
    filled_readme,
    load,
    readme_block,
    readme_rows,
)
from bench.accuracy.rows import ROWS
from bench.accuracy.table import UNNAMED
from bench.run import main
from rtkpos.errors import DatasetError
from rtkpos.io.datasets import catalogue as datasets
from rtkpos.io.datasets.catalogue import catalogue
from tests.data import dataset_path
from tests.mirror import mirror

ROOT = Path(__file__).resolve().parents[2]
WRITE = "run: python -m tools.docs.make_benchmarks"
REFERENCE_ROWS = "tests/real/reference_rows.json"


@pytest.fixture(scope="module")
def results():
    return load(ROOT, FULL), load(ROOT, PERFORMANCE)


def test_readme_is_current(results):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text == filled_readme(text, readme_block(*results)), WRITE


def test_benchmarks_page_is_current(results):
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert page == benchmarks_page(*results), WRITE


def test_page_names_no_recording_without_licence(results):
    page = benchmarks_page(*results)
    labels = {row.label for row in ROWS if row.name.startswith(UNNAMED)}
    assert labels
    assert not [label for label in labels if label in page]
    assert next(row.label for row in ROWS if row.name in README_ROWS) in page


def test_rows_of_the_readme_are_on_recordings_that_can_be_fetched():
    rows = [row for row in ROWS if row.name in README_ROWS]
    assert len(rows) == len(README_ROWS) == 6
    for row in rows:
        there = {file.name for file in catalogue()[row.dataset].files}
        assert {row.rover, row.base, *row.nav} <= there
        assert catalogue()[row.dataset].truth


def test_a_program_that_gave_nothing_leaves_a_dash():
    name = next(iter(README_ROWS))
    entry = {"row": name, "n_epoch": 5, "n_judged": 5, "fix_rate": 0.5, "n_wrong": 1}
    ours = entry | {"program": "rtkpos", "fixed_rms_enu_mm": [1.0, 2.04, None]}
    peer = {"row": name, "program": "RTKLIB", "error": "no solution"}
    head, _, line = readme_rows({"rows": [ours, peer]})
    assert head == "| recording | epochs | rtkpos | RTKLIB |"
    assert line.endswith("| 5 | 50.0, 1, 1.0/2.0/- | - |")
    *_, line = readme_rows({"rows": [ours | {"n_judged": 0}, peer]})
    assert line.endswith("| 5 | 50.0, not judged | - |")


def test_a_readme_without_a_place_for_the_table_is_refused():
    with pytest.raises(ValueError, match="bench:start"):
        filled_readme("no place", "table")


def git(*words):
    """What git prints about the project; None where there is no history or no such object."""
    command = ["git", "-C", str(ROOT), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 and done.stdout else None


def test_positions_have_not_changed_since_the_results_were_made(results):
    """The golden positions of that commit, or the first ones after it, are the same today."""
    commit = results[0]["made"]["commit"].rstrip("+")
    then = git("show", f"{commit}:{REFERENCE_ROWS}")
    if then is None:
        added = git("log", "--reverse", "--format=%h", f"{commit}..", "--", REFERENCE_ROWS)
        if added is None:
            pytest.skip("no history of the project here")
        then = git("show", f"{added.split()[0]}:{REFERENCE_ROWS}")
    rows, now = json.loads(then), json.loads((ROOT / REFERENCE_ROWS).read_text("utf-8"))
    changed = [name for name in rows if rows[name] != now.get(name)]
    assert not changed, f"run python bench/run.py: {', '.join(changed)} moved since {commit}"


def test_public_sets_that_cannot_be_fetched_are_a_sentence_and_exit_code_1(monkeypatch, capsys):
    def refuse(name):
        raise DatasetError(f"{name} could not be downloaded; check the network.")

    monkeypatch.setattr("bench.accuracy.pages.complete_folder", lambda name: None)
    monkeypatch.setattr("bench.accuracy.pages.fetch", refuse)
    assert main(["--public", "--no-peers"]) == 1
    assert "could not be downloaded" in capsys.readouterr().out


def test_public_sets_that_are_here_are_not_fetched(monkeypatch, tmp_path):
    monkeypatch.setattr("bench.accuracy.pages.complete_folder", lambda name: tmp_path / name)
    monkeypatch.setattr("bench.accuracy.pages.fetch", pytest.fail)
    assert [name for name, _ in fetch_public()] == [
        "static-nagoya-2024", "kinematic-fujisawa-2021-265", "network-netherlands-2021-001"
    ]  # fmt: skip


@pytest.mark.compiled
@pytest.mark.slow
def test_public_rows_are_printed_after_a_real_fetch(monkeypatch, tmp_path, capsys):
    """From a server on this machine; the truth comes with the catalogue."""
    root = dataset_path("static-nagoya-2024").parent
    row = next(iter(README_ROWS))
    monkeypatch.setattr("bench.accuracy.pages.README_ROWS", {row: README_ROWS[row]})
    monkeypatch.setattr("rtkpos.io.datasets.folders.data_roots", lambda: (tmp_path,))
    monkeypatch.setattr(
        "bench.accuracy.pages.fetch", lambda name: datasets.fetch(name, folder=tmp_path)
    )
    with mirror(root) as served:
        monkeypatch.setenv("RTKPOS_DATA_URL", served.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert main(["--public", "--no-peers", "--repeats", "1"]) == 0
    assert len(served.asked) == len(catalogue()["static-nagoya-2024"].files)
    *_, line = capsys.readouterr().out.strip().splitlines()
    assert line.startswith(f"| {README_ROWS[row]} | 301 | 100.0, 0, 0.5/0.7/1.4 |")
