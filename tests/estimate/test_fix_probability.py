"""The probability of a fix: the formula, its limits, and the satellites that took no part."""

from __future__ import annotations

import functools
import math
import re
from pathlib import Path

import numpy as np
import pytest

from rtkpos.estimate.ambiguity import fix_probability as module
from rtkpos.estimate.ambiguity.candidates import mark_candidates
from rtkpos.estimate.ambiguity.fix_probability import (
    fix_probability,
    fraction_evidence,
    held_out_evidence,
)
from rtkpos.estimate.ambiguity.fixing import fix_ambiguities
from rtkpos.estimate.ambiguity.postfit import postfit_phase_rms
from rtkpos.estimate.step_memory import step_memory
from rtkpos.records.config import PROFILES, RtkConfig
from rtkpos.records.status import FixStatus, Reason
from tests.estimate.test_ambiguity import SETTINGS, fixed_epoch
from tests.estimate.test_relative import WAVELENGTH_M
from tests.recordings import run

PAGE = Path(__file__).parents[2] / "bench" / "results" / "trust.md"
THREE_SIGMA_SQUARE = 14.16  # chi-square of three dimensions at 99.73 %
CAR = "kinematic-fujisawa-2021-265"
USUAL = {
    "ratio": 3.0, "failure": 1e-4, "norm": 9.0, "held_out": 0.5, "n": 12, "code_misfit": 1.4,
    "age_s": 1.0,
}  # fmt: skip
# Each a little better than USUAL.
BETTER = {
    "ratio": 3.2, "failure": 1e-5, "norm": 8.0, "held_out": 1.0, "n": 13, "code_misfit": 1.2,
    "age_s": 0.5,
}  # fmt: skip


@functools.cache
def ambiguity():
    """The record `fix_probability` reads, made once."""
    return step_memory().ambiguity


def probability(**changed):
    """`fix_probability` of USUAL with some numbers changed."""
    v = USUAL | changed
    amb = ambiguity()
    amb.ratio, amb.failure_rate, amb.best_norm = v["ratio"], v["failure"], v["norm"]
    amb.held_out_evidence = v["held_out"]
    return fix_probability(v["n"], v["code_misfit"], v["age_s"], amb)


def twin(ratio, failure, norm, held_out, n, code_misfit, age_s):
    """The same by numpy, term by term as docs/decisions/trust.md writes it."""
    terms = np.array([
        1.0,
        np.log(np.clip(ratio, 1.0, 50.0)),
        np.log(n),
        np.log(np.maximum(code_misfit, 1.0)),
        np.log(np.maximum(norm / n, 0.3)),
        np.log10(np.clip(failure, 1e-6, 1.0)),
        np.clip(held_out, -6.0, 6.0),
        np.log(1.0 + age_s),
    ])  # fmt: skip
    weights = [getattr(module, name) for name in coefficients()]
    return 1.0 / (1.0 + np.exp(-np.clip(terms @ weights, -50.0, 50.0)))


def coefficients():
    """The coefficients the page lists, by name, as "in use"."""
    rows = re.findall(r"^\| `(\w+)` \| (-?[\d.]+) \|", PAGE.read_text(), re.MULTILINE)
    return {name: float(value) for name, value in rows}


def test_formula_equals_its_twin():
    rng = np.random.default_rng(1)
    for _ in range(300):
        v = {
            "ratio": 1.0 + rng.exponential(5.0),
            "failure": 10.0 ** rng.uniform(-9.0, 0.0),
            "norm": rng.exponential(15.0),
            "held_out": rng.normal(0.0, 4.0),
            "n": int(rng.integers(1, 60)),
            "code_misfit": 1.0 + rng.exponential(0.5),
            "age_s": rng.exponential(5.0),
        }
        assert probability(**v) == pytest.approx(twin(**v), rel=1e-9)


@pytest.mark.parametrize("name", list(BETTER))
def test_every_better_number_raises_the_probability(name):
    assert probability() < probability(**{name: BETTER[name]}) < 1.0


@pytest.mark.parametrize("name", [name for name in USUAL if name != "n"])
def test_a_number_that_is_not_known_proves_nothing(name):
    assert probability(**{name: math.nan}) == 0.0


def test_no_integers_are_no_fix_and_caps_hold():
    assert probability(n=0) == 0.0
    assert probability(ratio=0.5) == 0.0
    assert probability(ratio=50.0) == probability(ratio=999.9)
    assert probability(failure=0.0) == probability(failure=1e-6)
    assert probability(held_out=50.0) == probability(held_out=6.0)
    assert probability(norm=0.0) == probability(norm=0.3 * USUAL["n"])


def held_out_epoch(seed, fractions_cycle):
    """Evidence of two low satellites on two bands, each phase so far from a whole cycle."""
    memory, _, _, _ = fixed_epoch(seed, n_sat=10)
    work, state, amb = memory.work, memory.state, memory.ambiguity
    work.elevation_rad[0, :2] = 0.05
    mark_candidates(work, state, SETTINGS, amb, memory.counts)
    _, n = fix_ambiguities(work, state, SETTINGS, amb, memory.counts)
    rms = postfit_phase_rms(n, state, work, amb, memory.rows)
    assert n == 14
    assert rms < 0.01
    work.sd_phase_m[:2, :2] += WAVELENGTH_M * np.reshape(fractions_cycle, (2, 2))
    return held_out_evidence(work, amb, memory.rows)


def test_phases_near_whole_cycles_raise_the_evidence_others_lower_it():
    rng = np.random.default_rng(3)
    near = [held_out_epoch(seed, np.zeros(4)) for seed in range(5)]
    whole = [held_out_epoch(seed, [1.0, -3.0, 12.0, 0.0]) for seed in range(5)]
    uniform = [held_out_epoch(seed, rng.uniform(-0.5, 0.5, 4)) for seed in range(20)]
    assert min(near) > 2.0
    np.testing.assert_allclose(whole, near, atol=1e-6)
    assert np.mean(uniform) < 0.0
    assert held_out_epoch(0, np.full(4, 0.5)) == pytest.approx(4.0 * math.log(0.2), abs=0.05)


def test_without_a_witness_there_is_no_evidence():
    memory, _, n, _ = fixed_epoch(2)
    postfit_phase_rms(n, memory.state, memory.work, memory.ambiguity, memory.rows)
    assert held_out_evidence(memory.work, memory.ambiguity, memory.rows) == 0.0


def test_evidence_of_a_fraction_is_a_likelihood_ratio():
    """Its exponential is a density over one cycle: it sums to one."""
    grid = (np.arange(2000) + 0.5) / 2000.0 - 0.5
    density = np.exp([fraction_evidence(x) for x in grid])
    assert density.mean() == pytest.approx(1.0, abs=1e-6)


def car(systems="G", **options):
    """The drive, epoch by epoch."""
    options = {"ar": "instantaneous", "selection": {"systems": systems}} | options
    return run(CAR, last=360, **options)[0]


def test_a_fix_demoted_for_trust_is_a_float_within_three_sigma():
    """Measured 99.3 % of 137 against all systems in both directions; 99.7 % if all were normal."""
    sure, square = car("GRECJI", ar="continuous", direction="combined"), []
    for systems in ("G", "E"):
        doubted = car(systems)
        demoted = doubted.reason == Reason.LOW_PROBABILITY
        known = demoted & (sure.status == FixStatus.FIXED)
        assert known.sum() >= 30
        assert np.all(doubted.status[demoted] == FixStatus.FLOAT)
        limit = PROFILES["balanced"].probability_min
        assert np.all(doubted.diagnostics.probability[demoted] < limit)
        error = doubted.ecef_m[known] - sure.ecef_m[known]
        inverse = np.linalg.inv(doubted.cov_ecef_m2[known])
        square.append(np.einsum("ni,nij,nj->n", error, inverse, error))
    assert np.mean(np.concatenate(square) < THREE_SIGMA_SQUARE) >= 0.97


@pytest.mark.parametrize("systems", ["G", "E"])
def test_profiles_fix_more_the_less_they_ask(systems):
    runs = [car(systems, profile=name) for name in ("safe", "balanced", "available")]
    fixed = [int(np.sum(r.status == FixStatus.FIXED)) for r in runs]
    assert fixed[0] < fixed[1] < fixed[2]
    for name, solution in zip(("safe", "balanced", "available"), runs, strict=True):
        limit = RtkConfig(profile=name).certainty.probability_min
        probability = solution.diagnostics.probability[solution.status == FixStatus.FIXED]
        assert np.all(probability >= limit)


def test_the_page_tells_the_coefficients_and_thresholds_of_the_code():
    listed = coefficients()
    assert len(listed) == 8
    for name, value in listed.items():
        assert value == pytest.approx(getattr(module, name), abs=0.005), name
    thresholds = re.findall(r"\| `(safe|balanced|available)` \| ([\d.]+) \|", PAGE.read_text())
    assert len(thresholds) >= 3
    for profile, value in thresholds:
        assert float(value) == PROFILES[profile].probability_min
