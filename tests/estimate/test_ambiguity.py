"""Integer fixing on synthetic floats with known integers, and the static mean."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.estimate.ambiguity.candidates import mark_candidates
from rtkpos.estimate.ambiguity.fix_probability import fix_probability
from rtkpos.estimate.ambiguity.fixing import (
    AR_FEW,
    AR_FIXED,
    AR_MISFIT,
    AR_RATIO,
    fix_ambiguities,
    form_double_differences,
)
from rtkpos.estimate.baseline.filter import add_new_phases, update_codes
from rtkpos.estimate.baseline.static_mean import (
    APART_FLOOR_M,
    add_to_mean,
    contradicts,
    forget_mean,
    static_mean,
)
from rtkpos.gnss.systems import GLONASS
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig
from tests.estimate.test_relative import WAVELENGTH_M, begin, made_epoch

SETTINGS = kernel_settings(RtkConfig())
TRUE_M = np.array([0.31, -0.22, 0.47])
SECOND_NS = 1_000_000_000


def fixed_epoch(seed, code_sigma_m=0.05, wrong=None, n_sat=9):
    """One epoch whose phases carry integers and whose rover stands TRUE_M off; solved and tried.

    wrong : (satellite, band, cycles) of a phase that does not belong to a whole cycle
    """
    memory = made_epoch(seed, n_sat=n_sat)
    rng = np.random.default_rng(seed + 100)
    work, state = memory.work, memory.state
    effect = -work.los[:n_sat] @ TRUE_M
    integers = rng.integers(-20, 20, (n_sat, 2))
    work.sd_code_m[:n_sat, :2] = effect[:, None] + rng.normal(0, code_sigma_m, (n_sat, 2))
    work.code_weight[:n_sat, :2] = 1.0 / max(code_sigma_m, 0.05) ** 2
    work.sd_phase_m[:n_sat, :2] = (
        effect[:, None] + WAVELENGTH_M * integers + rng.normal(0, 0.003, (n_sat, 2))
    )
    if wrong is not None:
        work.sd_phase_m[wrong[0], wrong[1]] += WAVELENGTH_M * wrong[2]
    work.elevation_rad[:, :n_sat] = np.linspace(0.4, 1.4, n_sat)
    begin(memory, np.zeros(3), 0.0, 0.0)
    update_codes(work, state, np.zeros(3))
    add_new_phases(work, state, np.zeros(3), memory.scratch)
    mark_candidates(work, state, SETTINGS, memory.ambiguity, memory.counts)
    verdict, n = fix_ambiguities(work, state, SETTINGS, memory.ambiguity, memory.counts)
    position = state.state[:3] + memory.ambiguity.shift_m
    return memory, verdict, n, position


@pytest.mark.parametrize("seed", range(20))
def test_right_integers_give_a_centimetre_position(seed):
    _, verdict, n, position = fixed_epoch(seed)
    assert verdict == AR_FIXED
    assert n == 16
    assert np.linalg.norm(position - TRUE_M) < 0.03


@pytest.mark.parametrize("cycles", [0.5, 0.3, -0.45])
def test_a_phase_between_two_integers_is_dropped_or_blocks_the_fix(cycles):
    for seed in range(10):
        memory, verdict, _, position = fixed_epoch(seed, wrong=(4, 0, cycles))
        if verdict == AR_FIXED:
            assert np.linalg.norm(position - TRUE_M) < 0.05
            assert memory.ambiguity.candidate[4, 0] == 0
        else:
            assert verdict in (AR_RATIO, AR_MISFIT, AR_FEW)


def test_noisy_codes_do_not_make_wrong_fixes():
    """With codes of 1.5 m, stated as such, what is certain and trusted must be right."""
    certain = wrong = 0
    for seed in range(60):
        memory, verdict, n, position = fixed_epoch(seed, code_sigma_m=1.5)
        if verdict != AR_FIXED:
            continue
        amb = memory.ambiguity
        variance = np.trace(memory.state.cov[:3, :3]) - np.trace(amb.gain_m2)
        amb.held_out_evidence = 0.0
        probability = fix_probability(n - amb.first_fixed, 1.0, 0.0, amb)
        is_certain = variance < SETTINGS.position_sigma_max_m**2
        if is_certain and probability >= SETTINGS.probability_min:
            certain += 1
            wrong += np.linalg.norm(position - TRUE_M) > 0.1
    assert wrong == 0
    assert 0 < certain < 60


def test_too_few_satellites_are_not_tried():
    memory, verdict, n, _ = fixed_epoch(3, n_sat=2)
    assert verdict == AR_FEW
    assert n < SETTINGS.min_pairs
    assert memory.counts.sum() == 0


def test_double_differences_stay_in_their_group_and_glonass_stays_real():
    memory = made_epoch(5)
    work, state, amb = memory.work, memory.state, memory.ambiguity
    work.sat[5] = GLONASS * 64
    work.elevation_rad[:, :8] = np.linspace(0.5, 1.2, 8)
    begin(memory, np.zeros(3), 0.0, 0.0)
    update_codes(work, state, np.zeros(3))
    add_new_phases(work, state, np.zeros(3), memory.scratch)
    assert mark_candidates(work, state, SETTINGS, amb, memory.counts) == 14
    n = form_double_differences(work, state, amb)
    assert n == 12
    assert set(amb.reference[:2]) == {7}, "the highest satellite of each group"
    for k in range(n):
        i, band = amb.satellite[k], amb.band[k]
        assert amb.upper[k] == state.slot[work.sat[i], band]
        assert amb.lower[k] == state.slot[work.sat[7], band]
    dense = np.zeros((n, int(state.n_state)))
    for k in range(n):
        dense[k, amb.upper[k]], dense[k, amb.lower[k]] = 1.0, -1.0
    cov = state.cov[: dense.shape[1], : dense.shape[1]]
    expected = dense @ cov @ dense.T
    np.testing.assert_allclose(np.tril(amb.cov[:n, :n]), np.tril(expected), atol=1e-8)


def test_half_cycle_and_low_satellites_are_no_candidates():
    memory = made_epoch(6)
    work, state = memory.work, memory.state
    work.elevation_rad[:, :8] = 1.0
    work.elevation_rad[0, 0] = 0.05
    work.half_cycle[1, 0] = 1
    begin(memory, np.zeros(3), 0.0, 0.0)
    update_codes(work, state, np.zeros(3))
    add_new_phases(work, state, np.zeros(3), memory.scratch)
    n = mark_candidates(work, state, SETTINGS, memory.ambiguity, memory.counts)
    assert n == 16 - 2 - 1


def test_static_mean_equals_the_weighted_mean():
    mean = record_of(static_mean())
    rng = np.random.default_rng(1)
    positions = TRUE_M + rng.normal(0, 0.001, (6, 3))
    covs = [np.diag(rng.uniform(1e-5, 1e-4, 3)) for _ in range(6)]
    for k in range(6):
        # Far apart in time, so that each epoch counts in full.
        add_to_mean(mean, positions[k], covs[k], k * 10**6 * SECOND_NS, 100.0)
    weights = [np.linalg.inv(c) for c in covs]
    total = np.sum(weights, axis=0)
    expected = np.linalg.solve(total, sum(w @ p for w, p in zip(weights, positions, strict=True)))
    np.testing.assert_allclose(mean.position_m, expected, atol=1e-9)
    np.testing.assert_allclose(mean.cov_m2, np.linalg.inv(total), rtol=1e-6, atol=1e-12)


def test_one_wild_epoch_moves_the_static_mean_little():
    mean = record_of(static_mean())
    cov = np.eye(3) * 1e-5
    for k in range(20):
        add_to_mean(mean, TRUE_M, cov, k * 10**6 * SECOND_NS, 100.0)
    add_to_mean(mean, TRUE_M + 0.1, cov, 10**8 * SECOND_NS, 100.0)
    moved = np.linalg.norm(mean.position_m - TRUE_M)
    assert 0.0 < moved < 0.1 * np.sqrt(3.0) / 21 / 10


def test_static_mean_gains_less_from_epochs_close_in_time():
    sigmas = []
    for step_s in (1, 1000):
        mean = record_of(static_mean())
        for k in range(100):
            add_to_mean(mean, TRUE_M, np.eye(3) * 1e-4, k * step_s * SECOND_NS, 100.0)
        sigmas.append(np.sqrt(mean.cov_m2[0, 0]))
    assert sigmas[0] > 3.0 * sigmas[1]


def test_static_mean_notices_another_place_and_forgets():
    mean = record_of(static_mean())
    cov = np.eye(3) * 1e-6
    assert not contradicts(mean, TRUE_M, cov)
    add_to_mean(mean, TRUE_M, cov, 0, 100.0)
    assert not contradicts(mean, TRUE_M + np.array([0.0, 0.5 * APART_FLOOR_M, 0.0]), cov)
    assert contradicts(mean, TRUE_M + np.array([0.0, 1.1 * APART_FLOOR_M, 0.0]), cov)
    forget_mean(mean)
    assert not contradicts(mean, TRUE_M + 5.0, cov)
    add_to_mean(mean, TRUE_M + 5.0, cov, SECOND_NS, 100.0)
    np.testing.assert_allclose(mean.position_m, TRUE_M + 5.0)
