"""The parts of one epoch on a recording's piece, each by itself, as plain Python."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

from rtkpos.core.tables import (
    EVENT_ANTENNA_MOVED,
    EVENT_MARK,
    EVENT_POWER_FAILURE,
    EVENT_SESSION,
)
from rtkpos.estimate.ambiguity.fix_probability import fix_probability
from rtkpos.estimate.ambiguity.integer_step import (
    integer_step,
    take_static,
    try_integers,
    validate_fix,
)
from rtkpos.estimate.baseline.code_differential import clock_of_first_code
from rtkpos.estimate.baseline.single_difference import share_states
from rtkpos.estimate.rover_filter import filter_rover
from rtkpos.estimate.step import (
    differential_step,
    place_base,
    point_step,
    relative_step,
    step,
    track_both,
)
from rtkpos.estimate.step_memory import step_memory, step_outputs
from rtkpos.processing.settings import run_inputs
from rtkpos.records.config import RtkConfig
from rtkpos.records.report import ReadReport
from rtkpos.records.status import FixStatus, Reason
from tests.pieces.test_pieces import TRUTH, piece

pytestmark = pytest.mark.plain
BASE_M, ROVER_M = (np.array(values) for values in TRUTH["nagoya"][:2])
N_EPOCH = 2


@functools.cache
def inputs_of(mode="kinematic", **more):
    """Inputs of the kernels for GPS and Galileo on two bands of the metre baseline."""
    rover, base, nav = piece("nagoya")
    config = RtkConfig.from_dict(
        {"mode": mode, "selection": {"systems": "GE", "n_band_max": 2}, **more}
    )
    return run_inputs(rover, nav, base, BASE_M, config, ReadReport())


def begun(inputs):
    """Memory and output rows before the first epoch."""
    memory, out = step_memory(), step_outputs(N_EPOCH)
    memory.state.first_ns = inputs.rover.time_ns[0]
    return memory, out


def error_m(row):
    return float(np.linalg.norm(row.ecef_m - ROVER_M))


def with_code_position():
    inputs = inputs_of()
    memory, out = begun(inputs)
    assert point_step(inputs, 0, memory, out, 0) == FixStatus.SPP.value
    share_states(memory.point.rows, inputs.rover.time_ns[0], memory.work)
    assert place_base(inputs, 0, memory, out, 0) == 0
    return inputs, memory, out


def with_codes():
    inputs, memory, out = with_code_position()
    assert differential_step(inputs, 0, 0, memory) > 20
    memory.model.origin_m[:] = memory.fix.position_m + memory.rows.fit.fit.x
    memory.work.code_misfit = max(memory.rows.fit.sigma0, 1.0)
    return inputs, memory, out


def with_phases():
    inputs, memory, out = with_codes()
    memory.state.rover_ns = inputs.rover.time_ns[0]
    out[0].age_s = 0.0
    clock_m = clock_of_first_code(memory.work, memory.rows)
    n = filter_rover(inputs, 0, clock_m, memory, out, 0)
    return inputs, memory, out, n


def test_code_position_is_near_and_states_its_sigma():
    _, memory, out = with_code_position()
    row = out[0]
    assert row.status == FixStatus.SPP.value
    assert 0.0 < error_m(row) < 5.0
    sigma_m = math.sqrt(np.trace(row.cov_ecef_m2))
    assert error_m(row) < 4.0 * sigma_m < 40.0
    assert row.n_sat == memory.fix.n_used > 12
    assert np.linalg.norm(row.velocity_mps) < 0.2
    assert math.isfinite(row.rx_clock_m)
    np.testing.assert_array_equal(row.base_ecef_m, BASE_M)


def test_a_moving_base_stands_at_its_own_code_position():
    inputs = inputs_of("moving_base")
    memory, out = begun(inputs)
    assert place_base(inputs, 0, memory, out, 0) == 0
    apart_m = np.linalg.norm(out[0].base_ecef_m - BASE_M)
    assert 0.0 < apart_m < 5.0


def test_code_differential_position_is_within_a_metre():
    inputs, memory, _ = with_codes()
    assert np.linalg.norm(memory.model.origin_m - ROVER_M) < 1.0
    assert memory.work.baseline_m == pytest.approx(
        np.linalg.norm(memory.fix.position_m - BASE_M), abs=1e-6
    )
    assert np.all(memory.work.elevation_rad[:, : memory.work.n_sat] > 0.0)
    settings = inputs.plan.settings
    shortest = (settings.baseline_m_per_m * memory.work.baseline_m) ** 2
    used = memory.work.group[: memory.work.n_sat] >= 0
    assert np.all(memory.work.var_phase_m2[: memory.work.n_sat][used] > shortest)


def test_variances_grow_with_the_age_of_the_base_epoch():
    inputs = inputs_of()
    apart_s = (inputs.rover.time_ns[1] - inputs.base.time_ns[0]) * 1e-9
    assert apart_s >= 1.0
    variances = []
    for age_mps in (0.0, 0.02):
        memory, out = begun(inputs)
        point_step(inputs, 1, memory, out, 1)
        share_states(memory.point.rows, inputs.rover.time_ns[1], memory.work)
        place_base(inputs, 0, memory, out, 1)
        kept, inputs.plan.settings.age_mps = inputs.plan.settings.age_mps, age_mps
        assert differential_step(inputs, 1, 0, memory) > 20
        inputs.plan.settings.age_mps = kept
        used = memory.work.group[: memory.work.n_sat] >= 0
        variances.append(memory.work.var_phase_m2[: memory.work.n_sat][used])
    growth = (0.02 * apart_s) ** 2
    np.testing.assert_allclose(variances[1] - variances[0], growth, rtol=1e-6)


def test_filter_takes_all_phases_of_a_first_epoch():
    _, memory, out, n = with_phases()
    state = memory.state
    assert n == np.sum(state.slot >= 0) > 25
    assert np.linalg.norm(state.state[:3] - ROVER_M) < 1.0
    size = int(state.n_state)
    cov = np.array(state.cov[:size, :size])
    np.testing.assert_allclose(cov, cov.T, rtol=1e-9)
    assert np.linalg.eigvalsh(cov).min() > 0.0
    assert out[0].n_slip == 0


def test_integers_of_one_epoch_are_found_and_proven():
    inputs, memory, out, _ = with_phases()
    reason, n = try_integers(inputs, memory, memory.state, out, 0)
    amb, row = memory.ambiguity, out[0]
    assert reason == Reason.OK.value
    assert row.n_fixed == n - amb.first_fixed > 20
    assert np.linalg.norm(memory.epoch_m - ROVER_M) < 0.015
    assert row.ratio == amb.ratio >= amb.ratio_needed == row.ratio_needed
    assert row.success_rate == pytest.approx(1.0 - amb.failure_rate)
    assert 0.99 < row.probability == amb.probability
    assert 0.0 < row.postfit_phase_m < 0.01
    # The proof again, and what each of its limits says.
    assert validate_fix(n, inputs, memory, memory.state, out, 0) == Reason.OK.value
    wrong = {
        "postfit_max_m": (1e-4, Reason.POSTFIT_LARGE),
        "position_sigma_max_m": (1e-5, Reason.FLOAT_TOO_UNCERTAIN),
        "probability_min": (1.1, Reason.LOW_PROBABILITY),
    }
    settings = inputs.plan.settings
    for name, (value, wanted) in wrong.items():
        kept = settings[name]
        settings[name] = value
        verdict = validate_fix(n, inputs, memory, memory.state, out, 0)
        settings[name] = kept
        assert verdict == wanted.value, name
    amb.shift_m[0] += 10.0
    jump = validate_fix(n, inputs, memory, memory.state, out, 0)
    assert jump == Reason.POSITION_JUMP.value


@pytest.mark.parametrize(("shift_m", "wanted"), [(0.09, Reason.OK), (0.11, Reason.POSITION_JUMP)])
def test_a_fix_may_be_a_decimetre_from_a_float_however_certain(shift_m, wanted):
    inputs, memory, out, _ = with_phases()
    n = try_integers(inputs, memory, memory.state, out, 0)[1]
    for a in range(3):
        memory.state.cov[a, a] = 1e-6
    memory.ambiguity.shift_m[:] = shift_m, 0.0, 0.0
    assert validate_fix(n, inputs, memory, memory.state, out, 0) == wanted.value


def test_probability_is_that_of_the_fixed_integers():
    inputs, memory, out, _ = with_phases()
    n, amb = try_integers(inputs, memory, memory.state, out, 0)[1], memory.ambiguity
    amb.first_fixed = 4
    validate_fix(n, inputs, memory, memory.state, out, 0)
    misfit, age_s = memory.work.code_misfit, abs(out[0].age_s)
    wanted, others = (fix_probability(n + k, misfit, age_s, amb) for k in (-4, 4))
    assert amb.probability == out[0].probability == wanted != others


def test_a_fixed_row_holds_position_and_widened_covariance():
    inputs, memory, out, _ = with_phases()
    status = integer_step(inputs, int(inputs.rover.time_ns[0]), memory, out, 0)
    row = out[0]
    assert status == row.status == FixStatus.FIXED.value
    assert row.reason == Reason.OK.value
    assert error_m(row) < 0.015
    factor = 1.25 + 1.25 * memory.ambiguity.variance_factor
    np.testing.assert_allclose(row.cov_ecef_m2, factor * memory.ambiguity.cov_m2, rtol=1e-9)
    assert memory.state.n_fixed_run == 1


def test_an_epoch_through_all_its_parts():
    inputs = inputs_of()
    memory, out = begun(inputs)
    assert point_step(inputs, 0, memory, out, 0) == FixStatus.SPP.value
    out[0].age_s = 0.0
    status = relative_step(inputs, 0, 0, memory, out, 0)
    assert status == FixStatus.FIXED.value
    assert error_m(out[0]) < 0.015
    assert out[0].n_sat == memory.work.n_sat
    assert 0.0 < out[0].prefit_code_m < 2.0
    assert memory.state.rover_ns == inputs.rover.time_ns[0]


def test_a_differential_epoch_is_the_code_position_moved_by_its_fit():
    inputs = inputs_of("dgnss")
    memory, out = begun(inputs)
    assert point_step(inputs, 0, memory, out, 0) == FixStatus.SPP.value
    alone_m = error_m(out[0])
    memory.fix.position_m[0] += 3.0  # the fit has something to move
    out[0].age_s = 0.0
    assert relative_step(inputs, 0, 0, memory, out, 0) == FixStatus.DGNSS.value
    moved_m = np.array(memory.rows.fit.fit.x)
    assert np.linalg.norm(moved_m) > 1.0
    np.testing.assert_allclose(out[0].ecef_m, memory.fix.position_m + moved_m, atol=1e-9)
    assert error_m(out[0]) < min(1.0, alone_m)


def test_two_epochs_one_after_the_other_and_one_without_a_base():
    inputs = inputs_of()
    memory, out = begun(inputs)
    assert step(inputs, 0, 0, 0, memory, out, 0) == FixStatus.FIXED.value
    assert step(inputs, 1, 1, 1, memory, out, 1) == FixStatus.FIXED.value
    assert error_m(out[1]) < 0.015
    assert out[1].age_s == pytest.approx(0.0, abs=1e-3)
    assert memory.state.n_fixed_run == 2
    assert step(inputs, 1, -1, 2, memory, out, 1) == FixStatus.SPP.value
    assert out[1].reason == Reason.NO_BASE_EPOCH.value


def test_base_epochs_since_the_last_one_used_are_watched_for_slips():
    inputs = inputs_of()
    memory, out = begun(inputs)
    step(inputs, 0, 0, 0, memory, out, 0)
    before = np.array(memory.state.track_ns[1])
    n_state = int(memory.state.n_state)
    track_both(inputs, 1, 2, 1, memory)
    # The epoch between is remembered, so that the next one is held against it.
    moved = (before != memory.state.track_ns[1]) & (memory.state.slot >= 0)
    assert moved.sum() > 25
    assert np.all(memory.state.track_ns[1][moved] == inputs.base.time_ns[1])
    assert memory.state.n_state == n_state


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        (EVENT_POWER_FAILURE, 7),
        (EVENT_POWER_FAILURE | EVENT_MARK, 7),
        (EVENT_ANTENNA_MOVED, 0),
        (EVENT_SESSION, 0),
        (EVENT_MARK, 7),
    ],
)
def test_only_an_antenna_that_may_have_moved_restarts_the_static_mean(event, kept):
    inputs = inputs_of("static")
    events = inputs.rover.event.copy()
    assert events.dtype == np.uint8
    events[1] = event
    inputs = inputs._replace(rover=inputs.rover._replace(event=events))
    memory, _ = begun(inputs)
    memory.static_mean.n_epoch = 7
    track_both(inputs, 1, -1, 0, memory)
    assert memory.static_mean.n_epoch == kept


@pytest.mark.parametrize("n_before", [0, 1])
def test_a_static_mean_begins_with_a_covariance_that_has_an_inverse(n_before):
    inputs = inputs_of("static")
    memory, _ = begun(inputs)
    settings = inputs.plan.settings
    memory.ambiguity.phases_alone = 1
    memory.epoch_m[:] = ROVER_M
    memory.epoch_cov_m2[:] = np.eye(3) * 1e-4
    if n_before:
        assert take_static(0, settings, memory) == Reason.OK.value
    memory.epoch_cov_m2[:] = 1e-4  # all axes alike: of rank one
    reason = Reason.OK if n_before else Reason.BAD_COVARIANCE
    assert take_static(1_000_000_000, settings, memory) == reason.value
    assert memory.static_mean.n_epoch == n_before


def test_static_epochs_go_into_the_mean():
    inputs = inputs_of("static")
    memory, out = begun(inputs)
    for k in range(2):
        assert step(inputs, k, k, k, memory, out, k) == FixStatus.FIXED.value
        assert memory.static_mean.n_epoch == k + 1
        np.testing.assert_array_equal(out[k].ecef_m, memory.static_mean.position_m)
    assert error_m(out[1]) < 0.015
