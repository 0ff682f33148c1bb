"""Thousands of damaged files through reading and solving (R1-R5): an answer or one sentence.

RTKPOS_MUTANTS sets how many (2,000); `python tools/mutate_files.py --count 100000` is the
nightly size.
A finding names (seed, index): `make_mutant(seed, index)` builds the same mutant again.
"""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.data import dataset_path
from tests.robustness import corpus
from tests.robustness.accounting import losses
from tests.robustness.harness import clean_seconds, run_many
from tests.robustness.mutators import ANY, CRINEX, KINDS, NAVIGATION, OBSERVATION

SEED = 20240624
N_MUTANT = int(os.environ.get("RTKPOS_MUTANTS", "2000"))
ROOT = Path(__file__).resolve().parents[2]
CHECKED = os.environ.get("NUMBA_BOUNDSCHECK", "0") != "0"

pytestmark = pytest.mark.compiled


@pytest.fixture(scope="module", autouse=True)
def data() -> None:
    """All files of the corpus are here, or the module is skipped."""
    for name in {item[0] for item in (*corpus.OBSERVATIONS, *corpus.COMPACT, *corpus.NAVIGATION)}:
        dataset_path(name)


def run_worker(*words: object, **variables: str) -> str:
    """Output of a worker process; it must end by itself and well."""
    command = [sys.executable, "-m", "tests.robustness.worker", *map(str, words)]
    environment = os.environ | variables
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_corpus_is_wide_enough():
    makers = ("SEPT", "TRIMBLE", "LEICA", "TPS", "ASHTECH", "CHC", "UNISOC", "ITT", "ROGUE",
              "Xiaomi", "Software Receiver", "ZY12")  # fmt: skip
    texts = [case.text for case in corpus.cases()]
    found = {m for m in makers if any(m.encode() in text[:9000] for text in texts)}
    assert len(found) >= 8
    assert len(texts) >= 30
    versions = {text[:9].split()[0].split(b".")[0] for text in texts}
    assert {b"2", b"3", b"4"} <= versions
    assert {case.kind for case in corpus.cases()} == set(KINDS)
    assert len({*ANY, *OBSERVATION, *CRINEX, *NAVIGATION}) >= 30


def test_mutants_end_in_an_answer_or_one_sentence():
    """R1 (and R3 in a run with bounds checks): no crash, no hang, no untyped exception."""
    clean_seconds()

    def watch(_index: int) -> None:
        faulthandler.dump_traceback_later(60.0, exit=True)

    try:
        summary = run_many(SEED, range(N_MUTANT), watch)
    finally:
        faulthandler.cancel_dump_traceback_later()
    assert summary.findings == []
    assert summary.count == N_MUTANT
    assert summary.outcomes["solved"] > 0.2 * N_MUTANT
    assert summary.outcomes["fixed"] > 0.1 * N_MUTANT
    assert 0.02 * N_MUTANT < summary.outcomes["refused"] < 0.3 * N_MUTANT
    assert {"obs", "nav", "crx", "obs pair", "nav pair"} <= set(summary.kinds)


def test_memory_follows_the_input_not_the_claims():
    """R2: at most 64 MiB + 8 x input, under a limit of the address space."""
    found = json.loads(run_worker("memory", SEED, 150))
    assert found["n"] > 150
    assert found["worst"] < 1.0, found["where"]


@pytest.mark.skipif(CHECKED, reason="the whole module runs with bounds checks already")
def test_readers_agree_compiled_interpreted_and_checked():
    """R4: the same arrays and counts, bit for bit, from all three ways to run a kernel."""
    few = run_worker("digests", SEED, 10, 6)
    assert len(set(few.splitlines())) > 12
    assert run_worker("digests", SEED, 10, 6, NUMBA_DISABLE_JIT="1") == few
    many = run_worker("digests", SEED, 60, 1)
    assert run_worker("digests", SEED, 60, 1, NUMBA_BOUNDSCHECK="1") == many


@pytest.mark.parametrize("kind", ["obs", "crx", "nav"])
def test_damage_at_one_place_costs_that_place_only(kind):
    """R5: epochs in = kept + counted, and every epoch or record that was not touched is equal."""
    checked, complaints = 0, []
    for case in corpus.cases():
        if case.kind == kind:
            n, said = losses(case, SEED, range(45))
            checked += n
            complaints += said
    assert complaints == []
    assert checked > 200
