"""The relative filter against a plain numpy Kalman filter, and its invariants."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.estimate.baseline.epoch_work import N_CODE_PAIR, N_PAIR
from rtkpos.estimate.baseline.filter import (
    add_new_phases,
    forget_ambiguities,
    predicted,
    project,
    remove_ambiguity,
    scalar_update,
    start_epoch,
    update_codes,
    update_known_phases,
)
from rtkpos.estimate.baseline.filter_states import OWNER_BIAS, OWNER_IONO, OWNER_WET, add_state
from rtkpos.estimate.step_memory import step_memory
from rtkpos.gnss.systems import N_SAT
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig
from tests.recordings import altered, recording, run, window

SETTINGS = kernel_settings(RtkConfig())
WAVELENGTH_M = 0.19


def made_epoch(seed, n_sat=8, n_band=2):
    """A memory record with one synthetic epoch of differences around a known position."""
    rng = np.random.default_rng(seed)
    memory = step_memory()
    work = memory.work
    work.n_sat = n_sat
    los = rng.normal(size=(n_sat, 3))
    los[:, 2] = np.abs(los[:, 2]) + 0.3
    work.los[:n_sat] = los / np.linalg.norm(los, axis=1)[:, None]
    work.sat[:n_sat] = np.arange(n_sat)
    work.group[:n_sat, :n_band] = np.arange(n_band)[None, :]
    work.datum_group[:n_sat, :n_band] = np.arange(n_band)[None, :]
    work.wavelength_m[:n_sat, :n_band] = WAVELENGTH_M
    work.var_phase_m2[:n_sat, :n_band] = 0.004**2
    work.code_weight[:n_sat, :n_band] = 1.0 / 0.4**2
    work.code_part[:] = 1.0
    work.phase_ok[:n_sat, :n_band] = 1
    work.sd_code_m[:n_sat, :n_band] = rng.normal(0.0, 0.4, (n_sat, n_band))
    work.sd_phase_m[:n_sat, :n_band] = rng.normal(0.0, 0.004, (n_sat, n_band))
    return memory


def inverse(matrix):
    """Gauss-Jordan inverse in extended precision: numpy's own loses the digits compared here."""
    n = len(matrix)
    work = np.hstack([matrix.astype(np.longdouble), np.eye(n, dtype=np.longdouble)])
    for k in range(n):
        pivot = k + int(np.argmax(np.abs(work[k:, k])))
        work[[k, pivot]] = work[[pivot, k]]
        work[k] /= work[k, k]
        for i in range(n):
            if i != k:
                work[i] -= work[i, k] * work[k]
    return work[:, n:]


def begin(memory, origin_m, clock_m, step_s):
    """Time update of a filter with an estimated position."""
    model = memory.model
    model.origin_m[:], model.clock_m = origin_m, clock_m
    model.position_var_m2 = model.clock_var_m2 = SETTINGS.position_reset_m**2
    return start_epoch(memory.state, model, step_s, SETTINGS)


def naive_update(x, p, rows, values, variances):
    """Block Kalman update: the independent twin of the scalar updates."""
    x, p, rows = (a.astype(np.longdouble) for a in (x, p, rows))
    gain = p @ rows.T @ inverse(rows @ p @ rows.T + np.diag(variances))
    return (x + gain @ (values - rows @ x)).astype(float), (p - gain @ rows @ p).astype(float)


def design_row(memory, i, n, extra=-1, coefficient=0.0):
    """Row of a difference: -los, clock, one further state."""
    row = np.zeros(n)
    row[:3] = -memory.work.los[i]
    row[3] = 1.0
    if extra >= 0:
        row[extra] = coefficient
    return row


def test_sequence_of_scalar_updates_equals_one_block_update():
    memory = made_epoch(1)
    state, work = memory.state, memory.work
    origin = np.zeros(3)
    begin(memory, origin, 0.0, 0.0)
    state.bias_slot[1] = add_state(state, 0.0, 100.0**2, OWNER_BIAS)
    n = int(state.n_state)
    x0, p0 = state.state[:n].copy(), state.cov[:n, :n].copy()
    rows, values, variances = [], [], []
    for i in range(int(work.n_sat)):
        for band in range(2):
            extra = int(state.bias_slot[1]) if band == 1 else -1
            rows.append(design_row(memory, i, n, extra, 1.0))
            values.append(work.sd_code_m[i, band])
            variances.append(0.4**2)
    x, p = naive_update(x0, p0, np.array(rows), np.array(values), np.array(variances))
    assert update_codes(work, state, origin) == 16
    np.testing.assert_allclose(state.state[:n], x, atol=1e-8)
    np.testing.assert_allclose(state.cov[:n, :n], p, atol=1e-8)


def test_geometry_free_memory_has_one_column_for_each_pair_of_bands():
    state = made_epoch(1).state
    for values in (state.gf_var_m2, state.mw_mean_cycle, state.mw_tally, state.mw_off_cycle):
        assert values.shape == (N_SAT, N_PAIR)
    assert N_PAIR == 3
    assert len(state.use_key) == N_CODE_PAIR


def test_augmentation_is_the_limit_of_an_infinite_prior():
    memory = made_epoch(2)
    state, work = memory.state, memory.work
    origin = np.zeros(3)
    begin(memory, origin, 0.0, 0.0)
    update_codes(work, state, origin)
    n = int(state.n_state)
    prior = 1e5
    x0 = np.concatenate([state.state[:n], np.zeros(16)])
    p0 = np.zeros((n + 16, n + 16))
    p0[:n, :n] = state.cov[:n, :n]
    p0[n:, n:] = np.eye(16) * prior
    rows, values = [], []
    for k, (i, band) in enumerate((i, b) for i in range(8) for b in range(2)):
        rows.append(design_row(memory, i, n + 16, n + k, WAVELENGTH_M))
        values.append(work.sd_phase_m[i, band])
    x, p = naive_update(x0, p0, np.array(rows), np.array(values), np.full(16, 0.004**2))
    assert add_new_phases(work, state, origin, memory.scratch) == 16
    np.testing.assert_allclose(state.state[: n + 16], x, atol=2e-3)
    np.testing.assert_allclose(state.cov[: n + 16, : n + 16], p, rtol=2e-3, atol=2e-3)


def test_second_epoch_of_phases_equals_the_block_update():
    memory = made_epoch(3)
    state, work = memory.state, memory.work
    origin = np.zeros(3)
    begin(memory, origin, 0.0, 0.0)
    update_codes(work, state, origin)
    add_new_phases(work, state, origin, memory.scratch)
    begin(memory, origin, 0.0, 1.0)
    n = int(state.n_state)
    x0, p0 = state.state[:n].copy(), state.cov[:n, :n].copy()
    work.sd_phase_m[:8, :2] += 0.002
    rows = [
        design_row(memory, i, n, int(state.slot[i, band]), WAVELENGTH_M)
        for i in range(8)
        for band in range(2)
    ]
    values = work.sd_phase_m[:8, :2].ravel()
    x, p = naive_update(x0, p0, np.array(rows), values, np.full(16, 0.004**2))
    used = update_known_phases(work, state, origin, memory.counts)
    assert used == 16
    np.testing.assert_allclose(state.state[:n], x, atol=1e-7)
    np.testing.assert_allclose(state.cov[:n, :n], p, atol=1e-7)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_projection_is_the_row_times_the_covariance(sign):
    memory = made_epoch(4)
    state, work = memory.state, memory.work
    begin(memory, np.zeros(3), 0.0, 0.0)
    state.wet_slot = add_state(state, 0.01, 0.02**2, OWNER_WET)
    iono = add_state(state, 0.03, 0.05**2, OWNER_IONO - int(work.sat[2]))
    state.iono_slot[work.sat[2]] = iono
    work.iono_factor[2, 1], work.wet_factor[2] = 1.65, 2.2
    update_codes(work, state, np.zeros(3))
    n = int(state.n_state)
    row = design_row(memory, 2, n, iono, sign * 1.65)
    row[state.wet_slot] = 2.2
    variance = project(2, 1, sign, work, -1, 0.0, state, memory.scratch)
    np.testing.assert_allclose(memory.scratch[:n], row @ state.cov[:n, :n], atol=1e-10)
    assert variance == pytest.approx(row @ state.cov[:n, :n] @ row, abs=1e-10)
    expected = row @ state.state[:n]
    assert predicted(2, 1, sign, work, state, np.zeros(3)) == pytest.approx(expected, abs=1e-12)


def test_scalar_update_keeps_the_covariance_symmetric_and_positive():
    memory = made_epoch(5)
    state, work = memory.state, memory.work
    begin(memory, np.zeros(3), 0.0, 0.0)
    update_codes(work, state, np.zeros(3))
    add_new_phases(work, state, np.zeros(3), memory.scratch)
    for _ in range(50):
        begin(memory, np.zeros(3), 0.0, 1.0)
        update_known_phases(work, state, np.zeros(3), memory.counts)
    n = int(state.n_state)
    cov = state.cov[:n, :n]
    assert np.abs(cov - cov.T).max() < 1e-9
    assert np.linalg.eigvalsh(cov).min() > 0.0
    assert scalar_update(state, memory.scratch, 0.0, 1.0) == 0


def test_removed_ambiguities_leave_the_others_as_they_were():
    memory = made_epoch(6)
    state, work = memory.state, memory.work
    begin(memory, np.zeros(3), 0.0, 0.0)
    update_codes(work, state, np.zeros(3))
    add_new_phases(work, state, np.zeros(3), memory.scratch)
    before = {
        (i, band): (state.state[state.slot[i, band]], state.cov[state.slot[i, band], :4].copy())
        for i in range(8)
        for band in range(2)
    }
    for i in (0, 3, 7):
        assert remove_ambiguity(state, i, 1) == 0
    assert remove_ambiguity(state, 3, 1) == 1
    for (i, band), (value, cross) in before.items():
        index = state.slot[i, band]
        if index < 0:
            assert (i, band) in {(0, 1), (3, 1), (7, 1)}
            continue
        assert state.state[index] == value
        np.testing.assert_array_equal(state.cov[index, :4], cross)
    assert forget_ambiguities(state, True) == 13
    assert state.n_state == 4


def test_a_common_clock_on_all_observations_changes_no_position():
    """One metre of receiver clock on every code of the rover (3 ns: no orbit effect worth a tenth
    of a millimetre) is absorbed by the clock.
    """
    part = window(recording("static-nagoya-2024")[0], 0, 5)
    shifted = altered(part, code_m=lambda c: c + 1.0)
    plain, _ = run("static-nagoya-2024", rover=part, mode="dgnss")
    moved, _ = run("static-nagoya-2024", rover=shifted, mode="dgnss")
    assert np.abs(plain.ecef_m - moved.ecef_m).max() < 1e-4
