"""Slip detectors on made rows: what they find, what they leave, and what they learn."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.core.tables import EVENT_POWER_FAILURE
from rtkpos.estimate.baseline.epoch_work import epoch_work, filter_state
from rtkpos.prepare import band_slips
from rtkpos.prepare.band_slips import geometry_free_slips, wide_lane_slips
from rtkpos.prepare.pairing import ROVER
from rtkpos.prepare.slips import (
    COUNT_CLOCK_JUMP,
    COUNT_CODE_PHASE,
    COUNT_DOPPLER,
    COUNT_GF,
    COUNT_HALF,
    COUNT_LLI,
    COUNT_POWER,
    COUNT_WIDE_LANE,
    MILLISECOND_M,
    SLIP_HALF_TOLD,
    SLIP_LIKELY,
    SLIP_SURE,
    code_only_jump,
    phase_minus_doppler,
    track_receiver,
)
from tests.prepare.made_epoch import one_satellite

pytestmark = pytest.mark.plain
S = 10**9
HERTZ = (1575.42e6, 1227.60e6)
SETTINGS = SimpleNamespace(
    slip_gf_m=0.05,
    max_gap_ns=60 * S,
    slip_wide_lane_sigma=4.0,
    slip_doppler_cycle=5.0,
    slip_code_m=10.0,
)


def two_bands(change_m, away_s=1.0):
    """Work and state of one satellite whose geometry-free phase changed since the last epoch."""
    work, state = record_of(epoch_work()), record_of(filter_state())
    sat = one_satellite(work, 12)
    work.phase_ok[0, :2] = 1
    work.sd_phase_m[0, :2] = 3.0 + change_m, 1.0
    state.last_sd_m[sat, :2] = 12.0, 10.0
    state.last_ns[sat, :2] = 0
    state.step_interval_ns = S
    return work, state, sat, int(away_s * S)


@pytest.mark.parametrize(
    ("scatter_m", "change_m", "away_s", "is_slip"),
    [
        (0.001, 0.019, 1.0, False),  # below the floor of 2 cm
        (0.001, -0.021, 1.0, True),
        (0.006, 0.035, 1.0, False),  # six times the scatter
        (0.006, 0.037, 1.0, True),
        (0.02, 0.049, 1.0, False),  # the limit of the settings
        (0.02, 0.051, 1.0, True),
        (0.001, 0.049, 30.0, False),  # after a gap that limit alone
        (0.001, 0.051, 30.0, True),
        (0.001, 9.0, 61.0, False),  # too long a gap says nothing
        (0.001, math.nan, 1.0, False),
    ],
)
def test_geometry_free_limit_follows_the_scatter(scatter_m, change_m, away_s, is_slip):
    work, state, sat, now_ns = two_bands(change_m, away_s)
    state.gf_var_m2[sat, 0] = scatter_m**2
    counts = np.zeros(29, np.int64)
    assert geometry_free_slips(work, state, SETTINGS, now_ns, counts) == is_slip
    assert counts[COUNT_GF] == counts.sum() == is_slip
    assert work.slip[0].tolist() == ([SLIP_LIKELY, SLIP_LIKELY, 0] if is_slip else [0, 0, 0])
    known = scatter_m**2
    if not is_slip and away_s < 1.5 and not math.isnan(change_m):
        known += (change_m**2 - scatter_m**2) / 40.0
    assert state.gf_var_m2[sat, 0] == pytest.approx(known, rel=1e-12)


def wide_lane_by_hand(work):
    """Melbourne-Wuebbena in cycles from frequencies: (f1 L1 - f2 L2) - (f1 P1 + f2 P2)."""
    f1, f2 = HERTZ
    l1, l2 = work.sd_phase_m[0, :2]
    p1, p2 = work.sd_code_m[0, :2]
    metres = (f1 * l1 - f2 * l2) / (f1 - f2) - (f1 * p1 + f2 * p2) / (f1 + f2)
    return metres * (f1 - f2) / SPEED_OF_LIGHT_MPS


def wide_lane_case():
    work, state = record_of(epoch_work()), record_of(filter_state())
    sat = one_satellite(work, 40)
    work.phase_ok[0, :2] = 1
    work.code_weight[0, :2] = 1.0
    work.wavelength_m[0, :2] = [SPEED_OF_LIGHT_MPS / hertz for hertz in HERTZ]
    work.sd_code_m[0, :2] = 4.0, 5.5
    work.sd_phase_m[0, :2] = 7.0, 6.0
    state.slot[sat, :2] = 4, 5
    state.n_lock[sat, :2] = 1
    return work, state, sat


def test_wide_lane_slip_is_sure_at_its_second_epoch():
    work, state, sat = wide_lane_case()
    counts = np.zeros(29, np.int64)
    for k in range(25):
        assert wide_lane_slips(work, state, SETTINGS, counts) == 0
        state.n_lock[sat, :2] = 2 + k
    assert state.mw_tally[sat, 0] == 25
    assert state.mw_mean_cycle[sat, 0] == pytest.approx(wide_lane_by_hand(work), rel=1e-12)
    work.sd_phase_m[0, 0] += 2.0 * work.wavelength_m[0, 0]
    assert wide_lane_slips(work, state, SETTINGS, counts) == 0, "one departure waits"
    assert wide_lane_slips(work, state, SETTINGS, counts) == 1
    assert work.slip[0, :2].tolist() == [SLIP_SURE, SLIP_SURE]
    assert counts[COUNT_WIDE_LANE] == counts.sum() == 1
    assert state.mw_tally[sat, 0] == 0, "the mean begins anew"


def test_wide_lane_begins_anew_with_its_ambiguities_and_needs_both_bands():
    work, state, sat = wide_lane_case()
    counts = np.zeros(29, np.int64)
    for _ in range(3):
        wide_lane_slips(work, state, SETTINGS, counts)
        assert state.mw_tally[sat, 0] == 1, "n_lock of 1: each epoch is the first"
    state.slot[sat, 1] = -1
    state.n_lock[sat, :2] = 5
    wide_lane_slips(work, state, SETTINGS, counts)
    assert state.mw_tally[sat, 0] == 1


def test_running_mean_and_variance_of_the_wide_lane():
    state = record_of(filter_state())
    band_slips.forget_wide_lane(state, 3, 0)
    values = np.random.default_rng(2).normal(4.0, 0.2, 60)
    mean, variance = 0.0, 0.5**2
    for n, value in enumerate(values, 1):
        assert not band_slips.test_wide_lane(state, 3, 0, value, SETTINGS)
        off = value - mean
        mean += off / n
        if n > 1:
            variance += (off**2 - variance) / n
    assert state.mw_mean_cycle[3, 0] == pytest.approx(values.mean(), rel=1e-12)
    assert state.mw_var_cycle2[3, 0] == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "is_slip"),
    [
        (1.2, 1.3, True),
        (-1.2, -1.3, True),
        (1.2, 1.9, False),
        (1.2, -1.2, False),
        (0.9, 0.9, False),
    ],
)
def test_two_departures_must_agree(first, second, is_slip):
    """Limits at a deviation of 0.2 cycles: 1 cycle of departure, 0.5 between the two."""
    state = record_of(filter_state())
    state.mw_tally[3, 0], state.mw_var_cycle2[3, 0] = 20, 0.2**2
    state.mw_off_cycle[3, 0] = math.nan
    assert not band_slips.test_wide_lane(state, 3, 0, first, SETTINGS)
    assert band_slips.test_wide_lane(state, 3, 0, second, SETTINGS) == is_slip


# A receiver whose clock moves, with six satellites on one band; see `phase_minus_doppler`.
N, BEFORE_NS, STEP_S, CLOCK_SPS = 6, 1000 * S, 2.0, 3e-8
CARRIER = np.array([HERTZ[0]] * 4 + [HERTZ[1]] * 2)


def receiver():
    """Observations, plan, state and scratch: phases follow Doppler and the clock exactly."""
    random = np.random.default_rng(8)
    state = record_of(filter_state())
    doppler = random.uniform(-3000.0, 3000.0, (2, N))
    phase = random.uniform(1e8, 1.2e8, N)
    rate = doppler.mean(axis=0)
    moved = phase + STEP_S * (-rate + CLOCK_SPS * (CARRIER + rate))
    code = random.uniform(2e7, 2.4e7, N)
    wavelength = SPEED_OF_LIGHT_MPS / CARRIER
    for sat in range(N):
        state.slot[sat, 0] = state.pair[sat, 0] = 0
    state.group_key[0] = 7 * 4096 + 9
    state.last_phase_m[0, :N, 0] = phase * wavelength
    state.last_code_m[0, :N, 0] = code
    state.last_doppler_hz[0, :N, 0] = doppler[0]
    state.track_ns[0, :N, 0] = BEFORE_NS
    obs = SimpleNamespace(
        sat=np.arange(N, dtype=np.int16),
        sig=np.full(N, 7, np.int16),
        lli=np.zeros(N, np.uint8),
        phase_cycle=moved,
        code_m=code + (moved - phase) * wavelength,
        doppler_hz=doppler[1].copy(),
        row_start=np.array([0, N]),
        event=np.zeros(1, np.uint8),
        time_ns=np.array([BEFORE_NS + int(STEP_S * S)]),
    )
    hertz = np.full((N, 3), math.nan)
    hertz[:, 0] = CARRIER
    slot = np.full(16, -1, np.int8)
    slot[7] = slot[9] = 0
    plan = SimpleNamespace(slot=slot, carrier_hz=hertz)
    return obs, plan, state, np.zeros((3, N))


def track(obs, plan, state, scratch):
    """Slips found, verdicts by satellite and counters."""
    counts = np.zeros(29, np.int64)
    n = track_receiver(obs, 0, 0, plan, SETTINGS, state, scratch, counts)
    return n, state.slip_bits[0, :N, 0].tolist(), counts


def test_phase_minus_doppler_is_free_of_the_clock():
    obs, plan, state, scratch = receiver()
    obs.phase_cycle[4] += 7.0
    clock = phase_minus_doppler(obs, 0, 0, 0.0, plan, state, scratch)
    assert clock == pytest.approx(CLOCK_SPS, rel=1e-6)
    wanted = np.zeros(N)
    wanted[4] = 7.0 / STEP_S
    np.testing.assert_allclose(scratch[0], wanted, atol=1e-4)


def as_second_epoch(obs, before):
    """Put an epoch of so many rows before the one there is."""
    for name in ("sat", "sig", "lli", "phase_cycle", "code_m", "doppler_hz"):
        values = getattr(obs, name)
        setattr(obs, name, np.concatenate([values[:before], values]))
    obs.row_start = np.array([0, before, before + N])
    obs.time_ns = np.append(np.array([BEFORE_NS]), obs.time_ns)
    obs.event = np.zeros(2, np.uint8)


def test_phase_minus_doppler_of_a_later_epoch_stands_at_the_start_of_its_work():
    obs, plan, state, _ = receiver()
    before = 3
    as_second_epoch(obs, before)
    obs.phase_cycle[before + 4] += 7.0
    obs.doppler_hz[before + 1] = math.nan
    state.slot[0, 0] = -1
    scratch = np.full((3, before + N + 1), math.nan)
    scratch[0, :N] = 99.0
    clock = phase_minus_doppler(obs, 1, 0, 0.0, plan, state, scratch)
    assert clock == pytest.approx(CLOCK_SPS, rel=1e-6)
    wanted = np.array([math.nan, math.nan, 0.0, 0.0, 7.0 / STEP_S, 0.0])
    np.testing.assert_allclose(scratch[0, :N], wanted, atol=1e-4)
    assert np.isnan(scratch[0, N:]).all()


def test_jump_of_the_codes_alone_shifts_the_doppler_prediction():
    """Samples are taken earlier by the jump: the phase of a satellite that approaches lacks it."""
    obs, plan, state, scratch = receiver()
    rate = 0.5 * (obs.doppler_hz + state.last_doppler_hz[0, :N, 0])
    obs.phase_cycle += rate * 2e-3
    clock = phase_minus_doppler(obs, 0, 0, 2.0 * MILLISECOND_M, plan, state, scratch)
    assert clock == pytest.approx(CLOCK_SPS, rel=1e-6)
    np.testing.assert_allclose(scratch[0], np.zeros(N), atol=1e-4)


def test_long_steps_and_few_satellites_say_nothing():
    obs, plan, state, scratch = receiver()
    state.track_ns[0, :3, 0] -= S
    assert math.isnan(phase_minus_doppler(obs, 0, 0, 0.0, plan, state, scratch))
    assert np.isnan(scratch[0]).all()


@pytest.mark.parametrize("steps", [-3, 0, 1])
def test_milliseconds_in_the_codes_alone(steps):
    obs, plan, state, scratch = receiver()
    obs.code_m += steps * MILLISECOND_M + np.array([0.1, -0.2, 0.3, 40.0, 0.0, 0.2])
    assert code_only_jump(obs, 0, 0, plan, state, scratch) == steps * MILLISECOND_M
    wanted = steps * MILLISECOND_M + np.array([0.1, -0.2, 0.3, 40.0, 0.0, 0.2])
    np.testing.assert_allclose(scratch[1], wanted, atol=1e-5)


def test_a_jump_of_half_a_millisecond_is_none():
    obs, plan, state, scratch = receiver()
    obs.code_m += 0.5 * MILLISECOND_M
    assert code_only_jump(obs, 0, 0, plan, state, scratch) == 0.0


def test_nothing_is_found_where_nothing_is():
    n, bits, counts = track(*receiver())
    assert (n, bits, counts.sum()) == (0, [0] * N, 0)


def test_each_detector_of_a_receiver_marks_its_row():
    obs, plan, state, scratch = receiver()
    obs.lli[0], obs.lli[1] = 1, 2
    obs.phase_cycle[2] += 11.0  # over two seconds: more than 5 cycles/s
    obs.phase_cycle[3] += 9.0
    obs.code_m[4] += 10.5
    obs.code_m[5] -= 9.5
    n, bits, counts = track(obs, plan, state, scratch)
    sure, likely = SLIP_SURE, SLIP_LIKELY
    assert bits == [sure, sure | SLIP_HALF_TOLD, likely, 0, likely, 0]
    assert n == 4
    for counter in (COUNT_LLI, COUNT_HALF, COUNT_DOPPLER, COUNT_CODE_PHASE):
        assert counts[counter] == 1
    assert state.half[0, :N, 0].tolist() == [0, 1, 0, 0, 0, 0]


def test_clock_jump_of_the_codes_is_kept_and_no_slip():
    obs, plan, state, scratch = receiver()
    obs.code_m += MILLISECOND_M
    rate = 0.5 * (obs.doppler_hz + state.last_doppler_hz[0, :N, 0])
    obs.phase_cycle += rate * 1e-3
    n, bits, counts = track(obs, plan, state, scratch)
    assert (n, bits) == (0, [0] * N)
    assert counts[COUNT_CLOCK_JUMP] == 1
    assert state.jump_m[ROVER] == MILLISECOND_M


def test_power_failure_marks_every_row():
    obs, plan, state, scratch = receiver()
    obs.event[0] = EVENT_POWER_FAILURE
    n, bits, counts = track(obs, plan, state, scratch)
    assert (n, bits, counts[COUNT_POWER]) == (N, [SLIP_SURE] * N, N)


def test_slips_of_a_later_epoch_are_those_of_its_own_rows():
    obs, plan, state, _ = receiver()
    before = 2
    as_second_epoch(obs, before)
    obs.phase_cycle[before + 2] += 11.0
    obs.code_m[before + 4] += 10.5
    counts = np.zeros(29, np.int64)
    scratch = np.zeros((3, before + N + 1))
    assert track_receiver(obs, 1, 0, plan, SETTINGS, state, scratch, counts) == 2
    wanted = [0, 0, SLIP_LIKELY, 0, SLIP_LIKELY, 0]
    assert state.slip_bits[0, :N, 0].tolist() == wanted
    assert (counts[COUNT_DOPPLER], counts[COUNT_CODE_PHASE]) == (1, 1)


def test_power_failure_marks_no_row_that_is_not_tracked():
    obs, plan, state, scratch = receiver()
    obs.event[0] = EVENT_POWER_FAILURE
    state.slot[3, 0] = -1
    n, bits, counts = track(obs, plan, state, scratch)
    assert (n, counts[COUNT_POWER]) == (N - 1, N - 1)
    assert bits == [SLIP_SURE] * 3 + [0] + [SLIP_SURE] * 2
    assert not state.slip_bits[0, :N, 1:].any()
