"""Steps of integer fixing on an epoch made by hand, against numpy over whole matrices."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.estimate.ambiguity.bie import equivariant_position
from rtkpos.estimate.ambiguity.candidates import (
    SETTLED_MIN,
    hold_back_newcomers,
    mark_candidates,
)
from rtkpos.estimate.ambiguity.fix_probability import held_out_evidence
from rtkpos.estimate.ambiguity.fixing import (
    AR_FIXED,
    AR_MISFIT,
    AR_RATIO,
    AR_SUCCESS,
    condition_position,
    condition_states,
    exclude_by_w_test,
    fix_ambiguities,
    form_double_differences,
    search_integers,
    w_test,
    write_matrix,
)
from rtkpos.estimate.ambiguity.glonass import (
    G1_HZ,
    G1_STEP_HZ,
    KAPPA_STEP,
    N_IFB,
    add_channel_bias,
    epoch_score,
    judge_channel_bias,
)
from rtkpos.estimate.ambiguity.integer_step import jumped, leaves_the_path
from rtkpos.estimate.ambiguity.postfit import (
    conditional_phase_rms,
    fixed_phase_rows,
    postfit_phase_rms,
)
from rtkpos.gnss.systems import GLONASS, SBAS
from rtkpos.prepare.slips import COUNT_AR_DROPPED, COUNT_HALF_EXCLUDED, COUNT_HELD_BACK
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig
from tests.estimate.made_ambiguities import N_BAND, N_SAT, WAVELENGTH_M, made_memory

pytestmark = pytest.mark.plain
SETTINGS = kernel_settings(RtkConfig())
N_DD = (N_SAT - 1) * N_BAND


def counters():
    return np.zeros(40, np.int64)


def differenced(memory):
    """(number of double differences, operator (n, n_state) that makes them from states)."""
    work, state, amb = memory.work, memory.state, memory.ambiguity
    n = form_double_differences(work, state, amb)
    operator = np.zeros((n, int(state.n_state)))
    for j in range(n):
        operator[j, amb.upper[j]], operator[j, amb.lower[j]] = 1.0, -1.0
    return n, operator


def fixed(memory):
    """As `differenced`, with the search done; and the integers of all differences."""
    n, operator = differenced(memory)
    assert search_integers(n, SETTINGS, 1.0, memory.ambiguity) == AR_FIXED
    condition_position(n, memory.state, memory.ambiguity)
    return n, operator


def true_differences(memory, integers, n):
    amb = memory.ambiguity
    reference = [
        amb.reference[memory.work.datum_group[amb.satellite[j], amb.band[j]]] for j in range(n)
    ]
    return np.array(
        [
            integers[amb.satellite[j], amb.band[j]] - integers[reference[j], amb.band[j]]
            for j in range(n)
        ]
    )


def conditioned(memory, operator, target):
    """(shift of all states, reduction of their covariance) when the differences take values."""
    state = memory.state
    n = int(state.n_state)
    cov = np.array(state.cov[:n, :n])
    gain = cov @ operator.T @ np.linalg.inv(operator @ cov @ operator.T)
    return gain @ (target - operator @ state.state[:n]), gain @ operator @ cov


def test_double_differences_and_their_covariance():
    memory, _ = made_memory(1)
    n, operator = differenced(memory)
    amb, state = memory.ambiguity, memory.state
    assert n == N_DD
    highest = int(np.argmax(memory.work.elevation_rad[0, :N_SAT]))
    assert amb.reference[:N_BAND].tolist() == [highest] * N_BAND
    size = int(state.n_state)
    np.testing.assert_allclose(amb.floats[:n], operator @ state.state[:size], rtol=1e-12)
    cov = operator @ state.cov[:size, :size] @ operator.T
    np.testing.assert_allclose(np.tril(amb.cov[:n, :n]), np.tril(cov), atol=1e-12)


def test_search_finds_the_true_integers_and_judges_them():
    memory, integers = made_memory(2)
    n, _ = differenced(memory)
    amb = memory.ambiguity
    assert search_integers(n, SETTINGS, 1.0, amb) == AR_FIXED
    size = int(memory.state.n_state)
    assert amb.first_fixed == 0
    assert amb.has_candidates == 1
    assert amb.ratio == pytest.approx(min(amb.norms[1] / amb.norms[0], 999.9))
    assert SETTINGS.ratio_min <= amb.ratio_needed <= SETTINGS.ratio_max
    wanted = true_differences(memory, integers, n)
    offset = amb.floats[:n] - wanted
    lower = np.tril(amb.cov[:n, :n])
    cov = lower + np.tril(lower, -1).T
    assert amb.norms[0] == pytest.approx(offset @ np.linalg.solve(cov, offset), rel=1e-6)
    assert size == 4 + N_SAT * N_BAND
    assert search_integers(n, SETTINGS, 1e4, amb) == AR_RATIO, "the penalty raises the threshold"
    amb.floats[:n] += np.linspace(0.05, 0.45, n)
    assert search_integers(n, SETTINGS._replace(misfit_max=1e-3), 1.0, amb) == AR_MISFIT
    amb.cov[:n, :n] *= 1e4
    assert search_integers(n, SETTINGS, 1.0, amb) == AR_SUCCESS


@pytest.mark.parametrize("seed", range(3))
def test_effect_of_the_integers_on_position_and_all_states(seed):
    memory, integers = made_memory(10 + seed)
    n, operator = fixed(memory)
    shift, reduction = conditioned(memory, operator, true_differences(memory, integers, n))
    amb = memory.ambiguity
    np.testing.assert_allclose(amb.shift_m, shift[:3], atol=1e-9)
    np.testing.assert_allclose(amb.gain_m2, reduction[:3, :3], atol=1e-10)
    assert condition_states(n, memory.state, amb) == memory.state.n_state
    np.testing.assert_allclose(amb.state_shift[: len(shift)], shift, atol=1e-8)


def test_equivariant_position_is_the_weighted_sum_of_its_candidates():
    memory, _ = made_memory(4, noise_cycle=0.12)
    amb, state = memory.ambiguity, memory.state
    n, operator = differenced(memory)
    search_integers(n, SETTINGS._replace(success_min=1e-9), 1.0, amb)
    assert amb.first_fixed == 0
    condition_position(n, state, amb)
    position, cov = np.zeros(3), np.zeros((3, 3))
    n_candidate = equivariant_position(n, 0.7, state, amb, position, cov)
    # Candidates as differences: Z^-1 z plus the integers taken off before.
    matrix = np.zeros((n, n))
    write_matrix(n, amb.search, matrix)
    shifts, norms = [], []
    for c in range(n_candidate):
        target = np.linalg.solve(matrix, amb.integers[c, :n]) + amb.search.shift[:n]
        shifts.append(conditioned(memory, operator, target)[0][:3])
        norms.append(amb.norms[c])
    weight = np.exp(-0.5 * (np.array(norms) - norms[0]) / max(norms[0] / n, 1.0))
    weight *= min(1.0 / weight.sum(), 0.7)
    mean = weight @ np.array(shifts)
    np.testing.assert_allclose(position, state.state[:3] + mean, atol=1e-8)
    rest, apart = 1.0 - weight.sum(), np.array(shifts) - mean
    wanted = state.cov[:3, :3] - weight.sum() * amb.gain_m2
    wanted = wanted + rest * np.outer(mean, mean) + apart.T @ (apart * weight[:, None])
    np.testing.assert_allclose(cov, wanted, atol=1e-9)


@pytest.mark.parametrize(("sat", "band"), [(2, 0), (5, 1)])
def test_w_test_is_baardas_test_and_the_slipped_satellite_is_dropped(sat, band):
    memory, integers = made_memory(6, noise_cycle=0.01, position_m=0.02)
    work, state, amb = memory.work, memory.state, memory.ambiguity
    state.state[state.slot[work.sat[sat], band]] += 0.4
    n, operator = differenced(memory)
    search_integers(n, SETTINGS, 1.0, amb)
    wanted_integers = np.rint(true_differences(memory, integers, n))
    counts = counters()
    assert exclude_by_w_test(n, work, amb, counts) == 1
    assert counts[COUNT_AR_DROPPED] == 1
    assert not amb.candidate[sat].any()
    assert amb.candidate[:N_SAT].sum() == (N_SAT - 1) * N_BAND
    # The figure itself, for a satellite that is not the reference and for the reference.
    amb.candidate[sat, :N_BAND] = 1
    size = int(state.n_state)
    cov = operator @ state.cov[:size, :size] @ operator.T
    matrix = np.array(amb.matrix[:n, :n])
    target = np.linalg.solve(matrix, amb.integers[0, :n]) + amb.search.shift[:n]
    assert np.abs(target - wanted_integers).max() <= 1.0
    misfit = np.linalg.solve(cov, amb.floats[:n] - target)
    for i in (sat, int(amb.reference[band])):
        c = np.zeros(n)
        for j in range(n):
            if amb.band[j] == band:
                c[j] = 1.0 if amb.satellite[j] == i else 0.0
                if amb.reference[band] == i:
                    c[j] = -1.0
        wanted = abs(c @ misfit) / math.sqrt(c @ np.linalg.solve(cov, c))
        assert w_test(i, band, n, work, amb) == pytest.approx(wanted, rel=1e-6)


def test_fixing_goes_on_without_the_satellite_that_slipped():
    memory, integers = made_memory(7, noise_cycle=0.01, position_m=0.02)
    work, state, amb = memory.work, memory.state, memory.ambiguity
    state.state[state.slot[work.sat[3], 0]] += 0.45
    counts = counters()
    verdict, n = fix_ambiguities(work, state, SETTINGS, amb, counts)
    assert verdict == AR_FIXED
    assert n == N_DD - N_BAND
    assert amb.n_dropped == 1
    assert not amb.candidate[3].any()
    operator = np.zeros((n, int(state.n_state)))
    for j in range(n):
        operator[j, amb.upper[j]], operator[j, amb.lower[j]] = 1.0, -1.0
    shift, _ = conditioned(memory, operator, true_differences(memory, integers, n))
    np.testing.assert_allclose(amb.shift_m, shift[:3], atol=1e-8)


def test_candidates_are_high_whole_and_of_systems_that_may_fix():
    memory, _ = made_memory(8)
    work, state, amb = memory.work, memory.state, memory.ambiguity
    amb.candidate[:] = 0
    settings = SimpleNamespace(ar_mask_rad=0.4, glonass=0, admit_after=0)
    work.elevation_rad[0, :N_SAT] = 1.0
    work.elevation_rad[0, 0] = 0.39
    work.half_cycle[1, 0] = 1
    work.phase_ok[2, 1] = 0
    state.slot[work.sat[3], 0] = -1
    work.sat[4], work.sat[5] = SBAS * 64 + 4, GLONASS * 64 + 5
    state.slot[work.sat[4:6], :N_BAND] = 7
    counts = counters()
    n = mark_candidates(work, state, settings, amb, counts)
    marks = amb.candidate[:N_SAT, :N_BAND].tolist()
    assert marks == [[0, 0], [0, 1], [1, 0], [0, 1], [0, 0], [0, 0], [1, 1]]
    assert (n, counts[COUNT_HALF_EXCLUDED]) == (5, 1)


@pytest.mark.parametrize("n_new", [0, 2, 3])
def test_newcomers_wait_while_enough_others_go_on(n_new):
    memory, _ = made_memory(9)
    work, state, amb = memory.work, memory.state, memory.ambiguity
    settings = SimpleNamespace(admit_after=5)
    state.n_lock[work.sat[:N_SAT], :N_BAND] = 6
    for k in range(n_new):
        state.n_lock[work.sat[k], 0] = 5
    counts, total = counters(), N_SAT * N_BAND
    held = hold_back_newcomers(total, work, state, settings, amb, counts)
    waits = n_new > 0 and total - n_new >= SETTLED_MIN
    assert held == counts[COUNT_HELD_BACK] == (n_new if waits else 0)
    assert amb.candidate[:N_SAT].sum() == total - held


def with_phases(memory, integers, place=(0.3, -0.2, 0.1), noise=0.001):
    """Give the epoch phases of a place [m] relative to its origin, a clock by band, integers."""
    work, random = memory.work, np.random.default_rng(20)
    for band in range(N_BAND):
        exact = -work.los[:N_SAT] @ place + (4.0, -7.0)[band]
        exact = exact + WAVELENGTH_M[band] * integers[:, band]
        work.sd_phase_m[:N_SAT, band] = exact + random.normal(0.0, noise, N_SAT)


def phase_fit(memory, integers):
    """(place, residuals, weighted sum, degrees of freedom) of least squares on known integers."""
    work = memory.work
    value = work.sd_phase_m[:N_SAT, :N_BAND] - integers * np.array(WAVELENGTH_M)
    design = np.zeros((N_SAT, N_BAND, 3 + N_BAND))
    design[:, :, :3] = -np.array(work.los[:N_SAT])[:, None]
    for band in range(N_BAND):
        design[:, band, 3 + band] = 1.0
    design, value = design.reshape(-1, 5), value.reshape(-1)
    weight = 1.0 / np.array(work.var_phase_m2[:N_SAT, :N_BAND]).reshape(-1)
    x = np.linalg.solve(design.T @ (design * weight[:, None]), design.T @ (weight * value))
    residual = value - design @ x
    return x[:3], residual, np.sum(weight * residual**2), len(value) - 5


def test_fit_of_the_phases_with_their_integers_known():
    memory, integers = made_memory(11)
    with_phases(memory, integers)
    n, _ = fixed(memory)
    amb, work, rows = memory.ambiguity, memory.work, memory.rows
    rms = postfit_phase_rms(n, memory.state, work, amb, rows)
    place, residual, weighted, n_free = phase_fit(memory, integers)
    assert rms == pytest.approx(math.sqrt(residual @ residual / n_free), rel=1e-6)
    assert amb.variance_factor == pytest.approx(weighted / n_free, rel=1e-6)
    assert amb.phases_alone == 1
    np.testing.assert_allclose(rows.fit.fit.x, place, atol=2e-3)
    np.testing.assert_allclose(place, [0.3, -0.2, 0.1], atol=5e-3)


def test_rows_of_known_phases_hold_no_ambiguities():
    memory, integers = made_memory(12)
    with_phases(memory, integers, noise=0.0)
    n, _ = fixed(memory)
    amb, work, rows = memory.ambiguity, memory.work, memory.rows
    amb.floats[:n] = true_differences(memory, integers, n)
    assert fixed_phase_rows(n, memory.state, work, amb, rows) == (N_SAT * N_BAND, N_BAND)
    for k in range(N_SAT * N_BAND):
        i, band = int(rows.satellite[k]), int(rows.band[k])
        reference = integers[amb.reference[band], band]
        exact = -work.los[i] @ [0.3, -0.2, 0.1] + (4.0, -7.0)[band]
        exact += WAVELENGTH_M[band] * reference
        assert rows.value[k] == pytest.approx(exact, abs=1e-9)
        assert rows.weight[k] == pytest.approx(1.0 / work.var_phase_m2[i, band], rel=1e-12)
    assert set(zip(rows.satellite[:14].tolist(), rows.band[:14].tolist(), strict=True)) == {
        (i, band) for i in range(N_SAT) for band in range(N_BAND)
    }


def test_phases_against_the_conditioned_filter():
    memory, integers = made_memory(13)
    work, state, amb = memory.work, memory.state, memory.ambiguity
    n, operator = fixed(memory)
    shift, _ = conditioned(memory, operator, true_differences(memory, integers, n))
    size = int(state.n_state)
    before = np.array(state.state[:size])
    x, origin = before + shift, np.array([0.1, 0.2, -0.1])
    random = np.random.default_rng(3)
    noise = random.normal(0.0, 0.004, (N_SAT, N_BAND))
    for i in range(N_SAT):
        for band in range(N_BAND):
            exact = x[3] - work.los[i] @ (x[:3] - origin)
            exact += WAVELENGTH_M[band] * x[state.slot[work.sat[i], band]]
            work.sd_phase_m[i, band] = exact + noise[i, band]
    rms = conditional_phase_rms(n, work, state, amb, origin)
    assert rms == pytest.approx(math.sqrt(np.mean(noise**2)), rel=1e-6)
    variance = np.array(work.var_phase_m2[:N_SAT, :N_BAND])
    assert amb.variance_factor == pytest.approx(np.mean(noise**2 / variance), rel=1e-6)
    np.testing.assert_allclose(state.state[:size], before, atol=1e-12)


@pytest.mark.parametrize(("cycles", "sign"), [(0.0, 1.0), (0.01, 1.0), (0.4, -1.0), (-0.5, -1.0)])
def test_evidence_of_a_satellite_that_took_no_part(cycles, sign):
    memory, integers = made_memory(14)
    with_phases(memory, integers, noise=0.0)
    work, amb = memory.work, memory.ambiguity
    amb.candidate[2, 0] = 0
    work.sd_phase_m[2, 0] += cycles * WAVELENGTH_M[0]
    n, _ = fixed(memory)
    postfit_phase_rms(n, memory.state, work, amb, memory.rows)
    density = math.exp(-0.5 * (cycles / 0.06) ** 2) / (0.06 * math.sqrt(2.0 * math.pi))
    wanted = math.log(0.8 * density + 0.2)
    assert held_out_evidence(work, amb, memory.rows) == pytest.approx(wanted, abs=1e-2)
    assert np.sign(wanted) == sign
    work.half_cycle[2, 0] = 1
    assert held_out_evidence(work, amb, memory.rows) == 0.0


def glonass_memory(kappa, seed=15):
    """Satellites of GLONASS on G1 channels -3 .. 3 whose ambiguities hold kappa per channel."""
    memory, integers = made_memory(seed)
    work, state = memory.work, memory.state
    for i in range(N_SAT):
        old, work.sat[i] = work.sat[i], GLONASS * 64 + i
        state.slot[work.sat[i]] = state.slot[old]
        state.slot[old] = -1
        hertz = G1_HZ + (i - 3) * G1_STEP_HZ
        work.wavelength_m[i, 0] = SPEED_OF_LIGHT_MPS / hertz
        work.wavelength_m[i, 1] = 0.0
    channels = np.arange(N_SAT) - 3
    exact = -work.los[:N_SAT] @ np.zeros(3) + state.state[3]
    cycles = integers[:, 0] + kappa * channels + 0.3
    work.sd_phase_m[:N_SAT, 0] = exact + work.wavelength_m[:N_SAT, 0] * cycles
    return memory, channels


def test_channel_bias_enters_floats_and_covariance():
    memory, channels = glonass_memory(0.0)
    work, amb, state = memory.work, memory.ambiguity, memory.state
    amb.candidate[:N_SAT, 1] = 0
    n = form_double_differences(work, state, amb)
    floats, cov = np.array(amb.floats[:n]), np.array(amb.cov[:n, :n])
    amb.channel_bias[0], amb.channel_bias_var[0] = 0.12, 4e-4
    assert add_channel_bias(n, work, amb) == n == N_SAT - 1
    reference = amb.reference[0]
    apart = np.array([channels[amb.satellite[j]] - channels[reference] for j in range(n)])
    np.testing.assert_allclose(amb.floats[:n], floats - 0.12 * apart, atol=1e-12)
    wanted = np.tril(cov + 4e-4 * np.outer(apart, apart))
    np.testing.assert_allclose(np.tril(amb.cov[:n, :n]), wanted, atol=1e-12)


@pytest.mark.parametrize("kappa", [-0.21, 0.0, 0.08])
def test_score_of_an_epoch_is_the_ambiguity_function(kappa):
    memory, channels = glonass_memory(kappa)
    work, state, amb = memory.work, memory.state, memory.ambiguity
    state.state[:3] = 0.5, -0.4, 0.2
    origin, place = np.zeros(3), np.array([0.1, 0.2, -0.3])
    work.sd_phase_m[:N_SAT, 0] -= work.los[:N_SAT] @ place
    assert epoch_score(0, work, state, origin, place, amb) == N_SAT
    score = amb.channel_score[0]
    assert score[round(kappa / KAPPA_STEP) + N_IFB // 2] == pytest.approx(1.0, abs=1e-3)
    grid = (np.arange(N_IFB) - N_IFB // 2) * KAPPA_STEP
    turns = np.exp(2j * np.pi * (kappa - grid)[:, None] * channels)
    np.testing.assert_allclose(score, np.abs(turns.mean(axis=1)), atol=2e-3)
    assert amb.channel_bias_epochs[0] == 1.0
    first, keep = np.array(score), 1.0 - 1.0 / 300.0
    epoch_score(0, work, state, origin, place, amb)
    assert amb.channel_bias_epochs[0] == pytest.approx(keep + 1.0, rel=1e-12)
    np.testing.assert_allclose(amb.channel_score[0], (keep + 1.0) * first, rtol=1e-9)


def test_bias_is_taken_from_a_high_lonely_peak_and_lost_below_a_limit():
    memory, _ = made_memory(16)
    amb = memory.ambiguity
    grid = (np.arange(N_IFB) - N_IFB // 2) * KAPPA_STEP
    amb.channel_bias_epochs[0] = 20.0
    amb.channel_score[0] = 20.0 * (0.5 + 0.45 * np.exp(-(((grid - 0.114) / 0.03) ** 2)))
    assert judge_channel_bias(0, amb) == 1
    assert amb.channel_bias[0] == pytest.approx(0.114, abs=5e-4)
    assert amb.channel_bias_var[0] == pytest.approx(0.005**2)
    amb.channel_score[0] += 20.0 * 0.35 * np.exp(-(((grid + 0.2) / 0.03) ** 2))
    assert judge_channel_bias(0, amb) == 0, "another peak is near"
    assert amb.channel_bias_var[0] > 0.0
    amb.channel_score[0] = 20.0 * 0.64
    assert judge_channel_bias(0, amb) == 0
    assert (amb.channel_bias[0], amb.channel_bias_var[0]) == (0.0, 0.0)


def path_state(n_propagated=4, n_off_path=0, probability=0.99):
    return SimpleNamespace(
        n_propagated=n_propagated, n_off_path=n_off_path, path_probability=probability
    )


@pytest.mark.parametrize(
    ("apart_m", "state", "leaves"),
    [
        (0.28, path_state(), False),  # 0.25 m and 0.02 m by the root of four epochs
        (0.30, path_state(), True),
        (0.30, path_state(n_propagated=0), False),
        (0.30, path_state(n_off_path=10, probability=0.9), False),
        (0.30, path_state(n_off_path=10, probability=0.999), True),
    ],
)
def test_a_fix_off_the_path_is_refused_until_a_better_one_lasts(apart_m, state, leaves):
    carried, n_off = np.array([1.0, 2.0, 3.0]), state.n_off_path
    place = carried + apart_m * np.array([0.6, 0.0, 0.8])
    assert leaves_the_path(state, place, 0.95, carried) == leaves
    if leaves:
        assert state.n_off_path == n_off + 1
        np.testing.assert_array_equal(carried, [1.0, 2.0, 3.0])
    else:
        np.testing.assert_array_equal(carried, place)
        assert (state.n_propagated, state.n_off_path) == (1, 0)


@pytest.mark.parametrize(
    ("with_doppler", "extra_m", "wanted"),
    [(True, 2.3, False), (True, 2.5, True), (False, 49.0, False), (False, 60.0, True)],
)
def test_a_jump_is_what_the_doppler_or_any_vehicle_cannot_do(with_doppler, extra_m, wanted):
    """Two seconds at a mean of 6 m/s relative to a base that moves itself: 1 m and 0.7 m/s."""
    second = 10**9
    state = SimpleNamespace(fix_ns=8 * second)
    now, base = np.array([9.0, 0.0, 0.0]), np.array([2.0, 0.0, 0.0])
    if not with_doppler:
        now = np.full(3, math.nan)
    moved = 12.0 if with_doppler else 0.0
    memory = SimpleNamespace(
        state=state,
        fix=SimpleNamespace(velocity_mps=now),
        base_fix=SimpleNamespace(velocity_mps=base, position_m=np.array([100.0, 0.0, 0.0])),
        last_velocity_mps=np.array([5.0, 0.0, 0.0]),
        last_fix_m=np.array([40.0, 5.0, 0.0]),
        epoch_m=np.array([140.0 + moved, 5.0 + extra_m, 0.0]),
    )
    settings = SimpleNamespace(jump_m=1.0)
    assert jumped(10 * second, settings, memory) == wanted
    assert state.fix_ns == 10 * second
    np.testing.assert_array_equal(memory.last_fix_m, [40.0 + moved, 5.0 + extra_m, 0.0])
    state.fix_ns = -20 * second
    memory.epoch_m = memory.epoch_m + 1e6
    assert not jumped(10 * second, settings, memory), "an old fix says nothing"
