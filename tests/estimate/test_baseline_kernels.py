"""Steps of the baseline filter on epochs made by hand, against numpy and against their formulae."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.core.linear.normal_equations import prediction_variance
from rtkpos.core.orbits.broadcast_orbit import satellite_state
from rtkpos.core.station.geodesy import geodetic_to_ecef
from rtkpos.core.tables import ORBIT_GEO
from rtkpos.estimate.baseline.code_differential import (
    CODE_SHARE,
    fit_codes,
    thin_repeated_codes,
)
from rtkpos.estimate.baseline.correction_noise import (
    BASE_DOUBTFUL,
    BASE_REAL,
    BASE_TRUSTED,
    add_correction_noise,
)
from rtkpos.estimate.baseline.filter import add_phase_bias_noise
from rtkpos.estimate.baseline.filter_step import find_slips, mark_phases
from rtkpos.estimate.baseline.observation_noise import phase_variance
from rtkpos.estimate.baseline.phase_steps import (
    HALF_TOLD,
    best_partner,
    carry_on,
    judge_steps,
    settle_by_fix,
    settle_half_cycles,
    step_rows,
    tdcp_test,
)
from rtkpos.estimate.baseline.single_difference import (
    choose_ephemerides,
    difference_variances,
    form_differences,
    model_receiver,
)
from rtkpos.estimate.baseline.static_mean import (
    PRIOR_FLOOR_M,
    add_to_mean,
    static_mean,
    without_prior,
)
from rtkpos.estimate.robust import RobustSettings
from rtkpos.gnss.systems import BEIDOU, GPS
from rtkpos.physics.satellites import message_order
from rtkpos.prepare.antennas import no_antennas
from rtkpos.prepare.slips import (
    COUNT_CODE_CHANGE,
    COUNT_CODE_REJECTED,
    COUNT_EPHEMERIS_SWITCH,
    COUNT_HALF_DOUBT,
    COUNT_NO_EPHEMERIS,
    COUNT_STEP,
    COUNT_UNHEALTHY,
    COUNT_WITHDRAWN,
    SLIP_HALF_TOLD,
    SLIP_LIKELY,
    SLIP_SURE,
)
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig
from tests.core.test_orbits import NS, TOE_NS, ephemeris, kepler_param
from tests.estimate.made_ambiguities import N_BAND, N_SAT, WAVELENGTH_M, made_memory

pytestmark = pytest.mark.plain
SETTINGS = kernel_settings(RtkConfig())
ROBUST = RobustSettings()
N_PHASE = N_SAT * N_BAND


def counters():
    return np.zeros(40, np.int64)


def cells():
    return [(i, band) for i in range(N_SAT) for band in range(N_BAND)]


def with_codes(memory, place=(2.0, -1.0, 3.0), noise=0.0):
    """Codes of a place relative to the origin, a clock by group, and their variances."""
    work, random = memory.work, np.random.default_rng(5)
    for band in range(N_BAND):
        exact = -work.los[:N_SAT] @ place + (10.0, -4.0)[band]
        work.sd_code_m[:N_SAT, band] = exact + random.normal(0.0, noise, N_SAT)
        work.var_code_m2[:N_SAT, band] = 0.09


def test_code_position_and_weights_of_its_codes():
    memory, _ = made_memory(1)
    work, counts = memory.work, counters()
    with_codes(memory)
    work.sd_code_m[2, 1] += 30.0
    work.sd_code_m[4, 0] = math.nan
    work.group[5, 1] = -1
    used = fit_codes(work, ROBUST, memory.rows, counts)
    assert (used, counts[COUNT_CODE_REJECTED]) == (N_PHASE - 3, 1)
    np.testing.assert_allclose(memory.rows.fit.fit.x, [2.0, -1.0, 3.0], atol=1e-6)
    wanted = np.full((N_SAT, N_BAND), 1.0 / 0.09)
    wanted[2, 1] = wanted[4, 0] = wanted[5, 1] = 0.0
    np.testing.assert_allclose(work.code_weight[:N_SAT, :N_BAND], wanted, rtol=1e-9)
    work.group[:N_SAT] = -1
    work.group[:3, 0] = 0
    assert fit_codes(work, ROBUST, memory.rows, counts) == 0


def test_codes_noisier_than_stated_weigh_less():
    memory, _ = made_memory(2)
    with_codes(memory, noise=1.2)
    used = fit_codes(memory.work, ROBUST, memory.rows, counters())
    assert used > N_PHASE - 4
    sigma0 = memory.rows.fit.sigma0
    assert sigma0 > 1.5
    best = memory.work.code_weight[:N_SAT, :N_BAND].max()
    assert best == pytest.approx(1.0 / 0.09 / sigma0**2, rel=1e-6)


def test_repeated_codes_wait_until_a_share_has_come_together():
    memory, _ = made_memory(3)
    work, state = memory.work, memory.state
    settings = SimpleNamespace(code_correlation_s=60.0)
    sat, second = int(work.sat[0]), NS
    state.last_ns[sat, 0], state.code_due[sat, 0] = 0, 0.0
    state.slot[int(work.sat[1]), 0] = -1
    rho = math.exp(-1.0 / 60.0)
    share, total, used = (1.0 - rho) / (1.0 + rho), 0.0, []
    for k in range(1, 15):
        thin_repeated_codes(work, state, k * second, settings)
        state.last_ns[sat, 0] = k * second
        total += share
        wanted = total if total >= 0.05 else 0.0
        total = 0.0 if wanted else total
        assert work.code_part[0, 0] == pytest.approx(wanted, rel=1e-9)
        used.append(wanted > 0.0)
    assert sum(used) == 2
    assert work.code_part[1, 0] == 1.0, "a new ambiguity's code counts in full"


def test_codes_that_become_new_together_are_due_at_different_epochs():
    """Each starts with a tenth, two tenths, ... of a share, by satellite and band."""
    memory, _ = made_memory(3)
    work, state = memory.work, memory.state
    work.n_sat = 10
    work.sat[:10] = np.arange(10) + 20
    state.slot[20:30] = -1
    thin_repeated_codes(work, state, NS, SimpleNamespace(code_correlation_s=60.0))
    tenths = np.array(state.code_due[20:30, :N_BAND]) / CODE_SHARE * 10.0
    for band in range(N_BAND):
        np.testing.assert_allclose(np.sort(tenths[:, band]), np.arange(10.0), rtol=1e-12)
    assert np.all(tenths[:, 0] != tenths[:, 1]), "nor both bands of a satellite"
    assert tenths[3, 1] == pytest.approx((7 * 23 + 3) % 10)


@pytest.mark.parametrize("kind", [BASE_REAL, BASE_TRUSTED, BASE_DOUBTFUL])
def test_noise_of_corrections_goes_into_both_variances(kind):
    memory, _ = made_memory(4)
    work = memory.work
    work.base_kind, work.wet_sigma_m = kind, 0.03
    work.iono_sigma_m[:N_SAT] = 0.008
    work.iono_sigma_m[3] = math.nan
    work.group[2, 1] = -1
    work.wet_factor[:N_SAT] = 2.0
    work.iono_factor[:N_SAT, :N_BAND] = 1.0, 1.65
    work.var_code_m2[:] = 0.25
    phase = np.array(work.var_phase_m2)
    n = add_correction_noise(work)
    assert n == (0 if kind == BASE_REAL else N_PHASE - 3)
    for i, band in cells():
        more = 0.0
        if kind != BASE_REAL and i != 3 and (i, band) != (2, 1):
            more = (2.0 * 0.01) ** 2  # no more than the trusted centimetre
            more += ((1.0, 1.65)[band] * 0.008) ** 2 if kind == BASE_TRUSTED else 0.0
        assert work.var_phase_m2[i, band] == pytest.approx(phase[i, band] + more, rel=1e-12)
        assert work.var_code_m2[i, band] == pytest.approx(0.25 + more, rel=1e-12)


def test_noise_common_to_a_group_leaves_its_differences():
    memory, _ = made_memory(5)
    state, work = memory.state, memory.work
    for i, band in cells():
        state.datum_group[work.sat[i], band] = band
    n = int(state.n_state)
    before = np.array(state.cov[:n, :n])
    add_phase_bias_noise(state, 9.0)
    after = np.array(state.cov[:n, :n])
    np.testing.assert_allclose(after, after.T, atol=1e-14)
    variance = 0.01**2 * 9.0 / 0.2**2
    member = np.zeros((n, N_BAND))
    for i, band in cells():
        member[state.slot[work.sat[i], band], band] = 1.0
    np.testing.assert_allclose(after, before + variance * member @ member.T, atol=1e-12)
    add_phase_bias_noise(state, 0.0)
    np.testing.assert_array_equal(state.cov[:n, :n], after)


def test_phases_that_take_part_and_changed_codes():
    memory, _ = made_memory(6)
    work, state, counts = memory.work, memory.state, counters()
    work.sd_phase_m[:N_SAT, :N_BAND] = 1.0
    for i, band in cells():
        state.pair[work.sat[i], band] = work.group[i, band]
    work.sd_phase_m[0, 0], work.group[1, 1] = math.nan, -1
    state.pair[work.sat[2], 0] = 9
    work.slip[:] = 1
    assert mark_phases(work, state, counts) == N_PHASE - 2
    assert (counts[COUNT_CODE_CHANGE], counts.sum()) == (1, 1)
    assert state.slot[work.sat[2], 0] == -1
    assert state.slot[work.sat[0], 0] >= 0
    assert work.phase_ok[:3, :N_BAND].tolist() == [[0, 1], [1, 0], [1, 1]]
    assert not work.slip[:N_SAT].any()


# --- the change of phases between two epochs

MOVE = np.array([0.8, -0.3, 0.2])


def stepped(seed=7, noise=0.0005):
    """A memory whose phases moved by MOVE and a clock step of 5 m since the last epoch."""
    memory, _ = made_memory(seed)
    work, state = memory.work, memory.state
    random = np.random.default_rng(seed)
    before = random.normal(0.0, 50.0, (N_SAT, N_BAND))
    step = (-work.los[:N_SAT] @ MOVE + 5.0)[:, None] + random.normal(0.0, noise, before.shape)
    for i, band in cells():
        sat = work.sat[i]
        state.last_sd_m[sat, band] = before[i, band]
        state.pair[sat, band] = work.group[i, band]
        state.last_ns[sat, band] = 0
    work.sd_phase_m[:N_SAT, :N_BAND] = before + step
    work.slip[:], state.step_ns = 0, 0
    return memory, before


def test_rows_of_changes_are_those_with_and_without_a_verdict():
    memory, before = stepped()
    work, state, rows = memory.work, memory.state, memory.rows
    work.slip[1, 0] = SLIP_LIKELY
    state.last_sd_m[work.sat[2], 1] = math.nan
    state.pair[work.sat[3], 0] = 17
    state.last_ns[work.sat[4], 0] = -70 * NS
    state.last_ns[work.sat[5], 1] = -30 * NS
    n = step_rows(0, 0, work, state, NS, rows)
    assert n == N_PHASE - 4
    assert step_rows(n, 1, work, state, NS, rows) == n + 1
    assert (rows.satellite[n], rows.band[n]) == (1, 0)
    for k in range(n + 1):
        i, band = int(rows.satellite[k]), int(rows.band[k])
        assert rows.value[k] == pytest.approx(work.sd_phase_m[i, band] - before[i, band], rel=1e-12)
        away_s = 30.0 if (i, band) == (5, 1) else 0.0
        variance = 2.0 * work.var_phase_m2[i, band] + 0.005**2 * (1.0 + away_s)
        assert rows.weight[k] == pytest.approx(1.0 / variance, rel=1e-12)
        np.testing.assert_array_equal(rows.design[k], -work.los[i])


def test_movement_and_slips_between_two_epochs():
    memory, _ = stepped()
    work, state, counts = memory.work, memory.state, counters()
    work.sd_phase_m[3, 1] += 2.0 * WAVELENGTH_M[1]
    work.slip[4, 0] = SLIP_LIKELY
    state.step_origin_m[:] = 1.0, 1.0, 1.0
    origin = np.array([1.5, 1.0, 0.0])
    found = tdcp_test(work, state, origin, NS, ROBUST, memory.rows, counts)
    assert found == counts[COUNT_STEP] == 1
    assert work.slip[3, 1] == SLIP_SURE
    assert (work.slip[4, 0], counts[COUNT_WITHDRAWN]) == (0, 1)
    np.testing.assert_allclose(state.moved_m, MOVE + np.array([0.5, 0.0, -1.0]), atol=0.01)
    assert (state.step_ns, state.step_interval_ns) == (NS, NS)
    for i, band in cells():
        if (i, band) != (3, 1):
            expected = work.sd_phase_m[i, band]
            assert state.last_sd_m[work.sat[i], band] == pytest.approx(expected, abs=0.01)
    np.testing.assert_array_equal(state.step_origin_m, origin)


def test_too_few_phases_tell_no_movement():
    memory, _ = stepped()
    memory.state.pair[memory.work.sat[2:N_SAT]] = 99
    origin = np.zeros(3)
    found = tdcp_test(memory.work, memory.state, origin, NS, ROBUST, memory.rows, counters())
    assert found == 0
    assert np.isnan(memory.state.moved_m).all()
    assert np.isnan(memory.state.last_sd_m[memory.work.sat[:N_SAT], :N_BAND]).all()


@pytest.mark.parametrize(
    ("cycles", "mark", "verdict", "doubt"),
    [
        (0.0, SLIP_LIKELY, 0, 0),
        (0.0, SLIP_SURE, SLIP_SURE, 0),
        (1.0, SLIP_LIKELY, SLIP_LIKELY, 0),
        (1.5, SLIP_LIKELY, SLIP_LIKELY, 1),
        (-0.5, SLIP_SURE, SLIP_SURE, 1),
        (0.5, 0, SLIP_SURE, 1),
        (1.0, 0, SLIP_SURE, 0),
    ],
)
def test_verdicts_by_the_step_and_doubts_of_half_cycles(cycles, mark, verdict, doubt):
    memory, _ = stepped(noise=0.0)
    work, state, rows, counts = memory.work, memory.state, memory.rows, counters()
    work.sd_phase_m[3, 1] += cycles * WAVELENGTH_M[1]
    work.slip[3, 1] = mark
    n = step_rows(0, 0, work, state, NS, rows)
    n_all = step_rows(n, 1, work, state, NS, rows)
    robust_fit_of(rows, n)
    found = judge_steps(n, n_all, work, state, rows, counts)
    assert found == counts[COUNT_STEP] == (1 if mark == 0 and cycles else 0)
    assert work.slip[3, 1] == verdict
    assert state.half_doubt[work.sat[3], 1] == counts[COUNT_HALF_DOUBT] == doubt


@pytest.mark.parametrize(("normal", "verdict"), [(4.1, SLIP_LIKELY), (3.9, 0)])
def test_a_marked_step_is_held_against_four_deviations_of_its_own_noise(normal, verdict):
    memory, _ = stepped(noise=0.0)
    work, state, rows = memory.work, memory.state, memory.rows
    work.sd_phase_m[3, 1] += 0.5
    work.slip[3, 1] = SLIP_LIKELY
    n = step_rows(0, 0, work, state, NS, rows)
    n_all = step_rows(n, 1, work, state, NS, rows)
    robust_fit_of(rows, n)
    fit = rows.fit.fit
    apart_m = rows.value[n] - fit.clock[0] - rows.design[n] @ fit.x
    spread_m2 = prediction_variance(rows.design, n, 0, fit)
    assert (n_all, apart_m) == (n + 1, pytest.approx(0.5, abs=1e-6))
    rows.weight[n] = 1.0 / ((apart_m / normal) ** 2 - spread_m2)
    judge_steps(n, n_all, work, state, rows, counters())
    assert work.slip[3, 1] == verdict


def robust_fit_of(rows, n):
    from rtkpos.estimate.robust import FIT_OK, robust_fit

    verdict = robust_fit(rows.design, rows.value, rows.weight, rows.group, n, ROBUST, rows.fit)
    assert verdict == FIT_OK


def test_remembered_phases_follow_the_movement_or_are_forgotten():
    memory, before = stepped(noise=0.0)
    work, state, rows = memory.work, memory.state, memory.rows
    rows.fit.fit.x[:], rows.fit.fit.clock[0] = MOVE, 5.0
    sat = int(work.sat[6])
    state.last_los[sat] = work.los[6]
    work.n_sat = N_SAT - 1  # the last one is not there, its line of sight is the one before
    carry_on(True, work, state, rows)
    for i, band in cells():
        wanted = before[i, band] + 5.0 - work.los[i] @ MOVE
        assert state.last_sd_m[work.sat[i], band] == pytest.approx(wanted, rel=1e-9)
    carry_on(False, work, state, rows)
    assert np.isnan(state.last_sd_m[work.sat[:N_SAT], :N_BAND]).all()


def test_slips_of_all_detectors_leave_the_filter():
    memory, _ = stepped()
    work, state = memory.work, memory.state
    work.code_weight[:] = 0.0  # no wide lane
    memory.model.origin_m[:] = 0.0
    for i, band in cells():
        state.gf_var_m2[work.sat[i], band] = 0.0
    state.slip_bits[0, work.sat[1], 0] = SLIP_SURE
    state.slip_bits[1, work.sat[2], 1] = SLIP_LIKELY
    state.slip_bits[0, work.sat[4], 1] = SLIP_SURE | SLIP_HALF_TOLD
    model, rows = memory.model, memory.rows
    n = find_slips(NS, SETTINGS, ROBUST, model, state, work, rows, memory.counts)
    gone = {(i, b) for i, b in cells() if state.slot[work.sat[i], b] < 0}
    assert gone == {(1, 0), (4, 1)}, "the likely one shows no step"
    assert n == 2
    assert state.half_doubt[work.sat[4], 1] == HALF_TOLD


def doubtful(apart=0.0):
    """A memory whose ambiguity (2, 0) is in doubt, `apart` cycles from those of its group."""
    memory, integers = made_memory(8)
    work, state = memory.work, memory.state
    for i, band in cells():
        state.state[state.slot[work.sat[i], band]] = integers[i, band]
        state.last_ns[work.sat[i], band] = 0
    state.state[state.slot[work.sat[2], 0]] += apart
    state.half_doubt[work.sat[2], 0] = 1
    n = int(state.n_state)
    state.cov[:n, :n] = np.diag(np.linspace(0.001, 0.002, n))
    work.half_cycle[:] = 0
    return memory


@pytest.mark.parametrize(
    ("apart", "away_s", "settled"),
    [(0.0, 1, True), (0.2, 1, True), (0.3, 1, False), (0.5, 1, False), (0.5, 10_000, True)],
)
def test_doubts_are_settled_by_a_partner_or_a_long_absence(apart, away_s, settled):
    memory = doubtful(apart)
    work, state = memory.work, memory.state
    n = settle_half_cycles(work, state, away_s * NS, SETTINGS)
    assert n == (0 if settled else 1)
    assert state.half_doubt[work.sat[2], 0] == (0 if settled else 1)
    assert work.half_cycle[2, 0] == (0 if settled else 1)
    assert work.half_cycle[:N_SAT].sum() == n


def test_partner_is_the_best_known_difference_of_the_group():
    memory = doubtful()
    work, state = memory.work, memory.state
    own = int(state.slot[work.sat[2], 0])
    other = int(state.slot[work.sat[5], 0])
    best_of_other_band = int(state.slot[work.sat[0], 1])
    state.cov[best_of_other_band, best_of_other_band] = 0.0
    state.cov[own, other] = state.cov[other, own] = 0.0012
    assert best_partner(2, 0, work, state) == other
    state.half_doubt[work.sat[5], 0] = 1
    variance = {
        int(state.slot[work.sat[k], 0]): state.cov[state.slot[work.sat[k], 0]][
            state.slot[work.sat[k], 0]
        ]
        for k in (0, 1, 3, 4, 6)
    }
    assert best_partner(2, 0, work, state) == min(variance, key=variance.get)


@pytest.mark.parametrize("band", range(N_BAND))
def test_fixes_settle_a_doubt_at_the_fourth_whole_one(band):
    memory = doubtful()
    work, state = memory.work, memory.state
    state.half_doubt[work.sat[2], :N_BAND] = 0
    state.half_doubt[work.sat[2], band] = 1
    place, origin = np.array([0.4, -0.2, 0.3]), np.array([0.1, 0.1, 0.0])
    cycles = np.arange(N_SAT) * 3.0
    work.sd_phase_m[:N_SAT, band] = -work.los[:N_SAT] @ (place - origin)
    work.sd_phase_m[:N_SAT, band] += 2.5 + WAVELENGTH_M[band] * cycles
    reference = np.full(24, -1, np.int64)
    reference[band] = 5
    seen = []
    for k in range(6):
        if k == 2:
            work.sd_phase_m[2, band] += 0.5 * WAVELENGTH_M[band]
        if k == 3:
            work.sd_phase_m[2, band] -= 0.5 * WAVELENGTH_M[band]
        settle_by_fix(work, state, reference, place, origin)
        seen.append(int(state.half_doubt[work.sat[2], band]))
    assert seen == [2, 3, 1, 2, 3, 0]
    reference[band] = -1
    state.half_doubt[work.sat[2], band] = 2
    settle_by_fix(work, state, reference, place, origin)
    assert state.half_doubt[work.sat[2], band] == 2


# --- models and differences of two receivers


def observed(seed=9):
    """(rover, base, plan, memory) of N_SAT satellites with one row for each band."""
    random = np.random.default_rng(seed)
    memory, _ = made_memory(seed)
    work = memory.work
    ends = []
    for _ in range(2):
        size = N_PHASE
        ends.append(
            SimpleNamespace(
                sig=np.tile(np.array([3, 8], np.int16), N_SAT),
                code_m=random.uniform(2e7, 2.4e7, size),
                phase_cycle=random.uniform(1e8, 1.2e8, size),
                cn0_dbhz=random.uniform(40.0, 50.0, size),
                lli=np.zeros(size, np.uint8),
                time_ns=np.array([TOE_NS]),
            )
        )
    for i, band in cells():
        work.row[:, i, band] = N_BAND * i + band
    carrier = np.full((448, 3), math.nan)
    carrier[:, 0], carrier[:, 1] = 1575.42e6, 1227.60e6
    shift = np.zeros((2, 16))
    shift[0, 3], shift[1, 8] = 0.25, -0.5
    leader = np.tile(np.arange(16), (2, 1))
    plan = SimpleNamespace(carrier_hz=carrier, shift_cycle=shift, leader=leader)
    work.range_m[:, :N_SAT] = random.uniform(2e7, 2.4e7, (2, N_SAT))
    work.trop_m[:, :N_SAT] = random.uniform(2.0, 9.0, (2, N_SAT))
    work.sat_state[:, :N_SAT, 6] = random.normal(0.0, 1e-4, (2, N_SAT))
    work.antenna_m[:, :N_SAT, :N_BAND] = random.normal(0.0, 0.1, (2, N_SAT, N_BAND))
    work.elevation_rad[:, :N_SAT] = 0.9
    return *ends, plan, memory


def test_single_differences_are_observed_minus_modelled():
    rover, base, plan, memory = observed()
    work, state = memory.work, memory.state
    state.jump_m[:] = 5.0, 2.0
    rover.phase_cycle[3] = math.nan
    rover.lli[4], base.lli[6] = 2, 3
    work.row[1, 4, 0] = -1
    work.elevation_rad[1, 5] = 0.01
    base.cn0_dbhz[13] = 10.0
    settings = SETTINGS._replace(cn0_min_dbhz=20.0)
    n = form_differences(rover, base, plan, settings, state, work)
    missing = {(4, 0), (5, 0), (5, 1), (6, 1)}
    assert n == N_PHASE - 5
    wavelength = SPEED_OF_LIGHT_MPS / np.array([1575.42e6, 1227.60e6])
    for i, band in cells():
        row = N_BAND * i + band
        if (i, band) in missing:
            assert work.group[i, band] == -1
            assert math.isnan(work.sd_code_m[i, band])
            continue
        model = work.range_m[0, i] - work.range_m[1, i] + work.trop_m[0, i] - work.trop_m[1, i]
        model -= SPEED_OF_LIGHT_MPS * (work.sat_state[0, i, 6] - work.sat_state[1, i, 6])
        model += work.antenna_m[0, i, band] - work.antenna_m[1, i, band]
        code = rover.code_m[row] - base.code_m[row] - model
        assert work.sd_code_m[i, band] == pytest.approx(code, abs=1e-6)
        cycles = rover.phase_cycle[row] - base.phase_cycle[row] + (0.25, 0.5)[band]
        phase = wavelength[band] * cycles + 3.0 - model
        if row != 3:
            assert work.sd_phase_m[i, band] == pytest.approx(phase, abs=1e-6)
        assert work.wavelength_m[i, band] == wavelength[band]
        assert work.iono_factor[i, band] == pytest.approx((wavelength[band] / wavelength[0]) ** 2)
        assert work.half_cycle[i, band] == (1 if row in (4, 6) else 0)
        assert state.group_key[work.group[i, band]] == (3, 8)[band] * 4097
    assert np.isnan(work.sd_phase_m[1, 1])


def test_variances_of_differences():
    rover, base, _, memory = observed()
    work, eph = memory.work, ephemeris(kepler_param(), orbit=ORBIT_GEO)
    work.elevation_rad[0, :N_SAT] = np.linspace(0.3, 1.4, N_SAT)
    work.eph_row[:] = 0
    work.sat[3] = BEIDOU * 64 + 2
    work.half_cycle[:] = 0
    work.half_cycle[2, 1] = 1
    work.group[6, 0] = -1
    work.var_phase_m2[6, 0] = 77.0
    difference_variances(rover, base, eph, 2e-6, SETTINGS, work)
    for i, band in cells():
        row = N_BAND * i + band
        if (i, band) == (6, 0):
            assert work.var_phase_m2[i, band] == 77.0
            continue
        both = phase_variance(work.elevation_rad[0, i], rover.cn0_dbhz[row], SETTINGS)
        both += phase_variance(work.elevation_rad[1, i], base.cn0_dbhz[row], SETTINGS)
        both *= SETTINGS.geo_factor**2 if i == 3 else 1.0
        code = both * SETTINGS.code_phase_ratio**2 + 2e-6
        assert work.var_code_m2[i, band] == pytest.approx(code, rel=1e-12)
        phase = both + 2e-6 + (0.01 if (i, band) == (2, 1) else 0.0)
        assert work.var_phase_m2[i, band] == pytest.approx(phase, rel=1e-12)


def test_one_ephemeris_for_both_ends_and_satellites_without_leave():
    memory, _ = made_memory(10)
    work, state, counts = memory.work, memory.state, counters()
    eph = ephemeris(kepler_param())
    work.sat[:3] = 7, 0, 9
    work.n_sat = 3
    work.row[:, 1] = 5
    assert choose_ephemerides(eph, message_order(), TOE_NS, work, state, counts) == work.n_sat == 1
    assert (work.sat[0], work.eph_row[0], state.eph_row[0]) == (0, 0, 0)
    assert np.all(work.row[:, 0] == 5)
    assert (counts[COUNT_NO_EPHEMERIS], counts.sum()) == (2, 2)
    state.eph_row[0] = 4
    choose_ephemerides(eph, message_order(), TOE_NS, work, state, counts)
    assert counts[COUNT_EPHEMERIS_SWITCH] == 1
    eph.healthy[0] = 0
    assert choose_ephemerides(eph, message_order(), TOE_NS, work, state, counts) == 0
    assert counts[COUNT_UNHEALTHY] == 1


@pytest.mark.parametrize("receiver", [0, 1])
def test_geometry_and_troposphere_of_an_end(receiver):
    memory, _ = made_memory(11)
    work, place = memory.work, memory.place
    eph, state = ephemeris(kepler_param()), np.empty(8)
    satellite_state(eph, 0, GPS, TOE_NS, state)
    lat, lon = math.asin(state[2] / np.linalg.norm(state[:3])) - 0.4, math.atan2(state[1], state[0])
    marker, los_before = np.empty(3), np.array(work.los[0])
    geodetic_to_ecef(lat, lon, 100.0, marker)
    work.n_sat = 1
    work.sat_state[receiver, 0] = state
    site = no_antennas()
    site.offset_enu_m[receiver] = 0.0, 0.0, 3.0
    settings = SETTINGS._replace(troposphere=1, solid_tide=0)
    plan = SimpleNamespace(settings=settings, site=site)
    assert model_receiver(receiver, marker, TOE_NS, plan, work, place) == 0
    up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    antenna = marker + 3.0 * up
    tau = np.linalg.norm(state[:3] - antenna) / SPEED_OF_LIGHT_MPS
    angle = 7.2921151467e-5 * tau
    turned = np.array(
        [
            state[0] * math.cos(angle) + state[1] * math.sin(angle),
            state[1] * math.cos(angle) - state[0] * math.sin(angle),
            state[2],
        ]
    )
    line = turned - antenna
    assert work.range_m[receiver, 0] == pytest.approx(np.linalg.norm(line), abs=1e-3)
    elevation = math.asin(line @ up / np.linalg.norm(line))
    assert work.elevation_rad[receiver, 0] == pytest.approx(elevation, abs=1e-6)
    assert 2.3 < work.trop_m[receiver, 0] * math.sin(elevation) < 2.5
    wanted = line / np.linalg.norm(line) if receiver == 0 else los_before
    np.testing.assert_allclose(work.los[0], wanted, atol=1e-6)
    plan.settings = settings._replace(troposphere=0)
    model_receiver(receiver, marker, TOE_NS, plan, work, place)
    assert work.trop_m[receiver, 0] == 0.0
    assert model_receiver(receiver, np.zeros(3), TOE_NS, plan, work, place) == 1


def spd(random, scale):
    root = random.normal(size=(3, 3))
    return (root @ root.T + np.eye(3)) * scale**2


def test_mean_of_independent_epochs_is_weighted_by_their_information():
    random = np.random.default_rng(12)
    mean = record_of(static_mean())
    covs = [spd(random, 0.01) for _ in range(4)]
    places = [np.array([10.0, 20.0, 30.0]) + random.normal(0.0, 0.002, 3) for _ in covs]
    for k, (place, cov) in enumerate(zip(places, covs, strict=True)):
        assert add_to_mean(mean, place, cov, k * 10_000 * NS, 10.0) == 0
    information = [np.linalg.inv(cov) for cov in covs]
    cov = np.linalg.inv(sum(information))
    place = cov @ sum(i @ p for i, p in zip(information, places, strict=True))
    np.testing.assert_allclose(mean.position_m, place, atol=1e-9)
    np.testing.assert_allclose(mean.cov_m2, cov, rtol=1e-8, atol=1e-14)
    assert (mean.n_epoch, mean.first_ns, mean.last_ns) == (4, 0, 30_000 * NS)


def test_prior_of_a_mean_is_taken_out_again():
    random = np.random.default_rng(13)
    mean, own_cov = record_of(static_mean()), spd(random, 0.01)
    add_to_mean(mean, np.array([1.0, 2.0, 3.0]), spd(random, 0.005), 0, 10.0)
    prior = np.array(mean.cov_m2) + PRIOR_FLOOR_M**2 * np.eye(3)
    own = np.array([1.02, 1.97, 3.05])
    joint = np.linalg.inv(np.linalg.inv(own_cov) + np.linalg.inv(prior))
    place = joint @ (np.linalg.inv(own_cov) @ own + np.linalg.inv(prior) @ mean.position_m)
    assert without_prior(mean, place, joint) == 0
    np.testing.assert_allclose(place, own, atol=1e-9)
    np.testing.assert_allclose(joint, own_cov, rtol=1e-6, atol=1e-12)
    assert without_prior(mean, own.copy(), 2.0 * prior) == 1, "less than the prior alone"
