"""Ionosphere and wet delay as filter states: their coming, fading and going, and what they buy."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.estimate.baseline.atmosphere_states import (
    gauss_markov_update,
    predict_atmosphere,
    slant_factor,
)
from rtkpos.estimate.baseline.epoch_work import N_FIXED_STATE, epoch_work, filter_state
from rtkpos.estimate.baseline.filter_states import (
    OWNER_BIAS,
    OWNER_IONO,
    OWNER_WET,
    add_state,
    remove_state,
)
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus
from tests.recordings import recording, run, window

SETTINGS = record_of(kernel_settings(RtkConfig()))


def made_filter(baseline_m, sats=(3, 9, 70)):
    """An epoch of satellites at 30, 40, .. degrees and a filter with its fixed states only."""
    work, state = record_of(epoch_work()), record_of(filter_state())
    work.n_sat = len(sats)
    for i, sat in enumerate(sats):
        work.sat[i] = sat
        work.elevation_rad[:, i] = math.radians(30.0 + 10.0 * i)
    work.baseline_m = baseline_m
    state.n_state = N_FIXED_STATE
    state.owner[:N_FIXED_STATE] = OWNER_BIAS
    return work, state


def owners(state):
    """Owners of the states beyond the fixed ones, in order."""
    return list(state.owner[N_FIXED_STATE : state.n_state])


def test_states_come_with_the_length_of_the_line():
    work, state = made_filter(35_000.0)
    assert predict_atmosphere(work, state, 0.0, SETTINGS) == 1
    assert owners(state) == [OWNER_WET, OWNER_IONO - 3, OWNER_IONO - 9, OWNER_IONO - 70]
    spread_m = SETTINGS.iono_m_per_m * 35_000.0 * slant_factor(math.radians(30.0))
    assert state.cov[state.iono_slot[3], state.iono_slot[3]] == pytest.approx(spread_m**2)
    work, state = made_filter(5_000.0)
    assert predict_atmosphere(work, state, 0.0, SETTINGS) == 0
    assert owners(state) == []


def test_states_go_a_little_below_the_length_they_came_at():
    work, state = made_filter(10_100.0)
    predict_atmosphere(work, state, 0.0, SETTINGS)
    for length_m, n in ((9_000.0, 4), (7_900.0, 0), (9_000.0, 0)):
        work.baseline_m = length_m
        predict_atmosphere(work, state, 1.0, SETTINGS)
        assert len(owners(state)) == n
    assert state.wet_slot == -1
    assert (state.iono_slot == -1).all()


def test_a_satellite_that_set_takes_its_ionosphere_along():
    work, state = made_filter(35_000.0)
    predict_atmosphere(work, state, 0.0, SETTINGS)
    work.n_sat = 2
    predict_atmosphere(work, state, 30.0, SETTINGS)
    assert owners(state) == [OWNER_WET, OWNER_IONO - 3, OWNER_IONO - 9]
    assert state.iono_slot[70] == -1


def test_variance_stays_that_of_the_process():
    _, state = made_filter(35_000.0)
    index = add_state(state, 0.5, 0.04, OWNER_WET)
    for _ in range(50):
        gauss_markov_update(state, index, 0.1, 0.04)
    assert state.cov[index, index] == pytest.approx(0.04)
    assert state.state[index] == pytest.approx(0.5 * math.exp(-5.0))


def test_removing_a_state_keeps_every_table_and_covariance_right():
    rng = np.random.default_rng(5)
    _, state = made_filter(35_000.0)
    state.n_group = 2
    state.bias_slot[1] = add_state(state, 0.0, 1.0, OWNER_BIAS)
    state.iono_slot[7] = add_state(state, 0.0, 1.0, OWNER_IONO - 7)
    state.slot[20, 1] = add_state(state, 0.0, 1.0, 20 * state.slot.shape[1] + 1)
    state.wet_slot = add_state(state, 0.0, 1.0, OWNER_WET)
    n = int(state.n_state)
    square = rng.normal(size=(n, n))
    state.cov[:n, :n] = square @ square.T
    state.state[:n] = rng.normal(size=n)
    before = state.cov[:n, :n].copy()
    place = SimpleNamespace(iono=4 + 1, ambiguity=4 + 2, wet=4 + 3)
    gone = int(state.bias_slot[1])
    state.bias_slot[1] = -1
    remove_state(state, gone)
    assert state.wet_slot == gone
    assert (state.iono_slot[7], state.slot[20, 1]) == (place.iono, place.ambiguity)
    order = [0, 1, 2, 3, place.wet, place.iono, place.ambiguity]
    assert np.array_equal(state.cov[: n - 1, : n - 1], before[np.ix_(order, order)])


def test_the_long_line_is_fixed_and_right():
    rover, base, _, _ = recording("network-netherlands-2021-001")
    epochs = (1440, 1740)  # two and a half hours around noon, 30 s
    options = {
        "rover": window(rover, *epochs),
        "base": window(base, *epochs),
        "selection": {"systems": "G"},
        "antenna": {"coordinates": "antenna"},
    }
    solution, error = run("network-netherlands-2021-001", **options)
    fixed = solution.status == FixStatus.FIXED
    assert fixed.mean() > 0.75
    # The coordinates are good to 5 cm, and no antenna model is used here.
    assert (error[fixed] < 0.15).all()
    without, _ = run("network-netherlands-2021-001", **options, atmosphere={"long_from_km": 1000.0})
    assert scatter_m(solution) < 0.7 * scatter_m(without)


def scatter_m(solution):
    """Standard deviation of the fixed positions in space [m]."""
    fixed = solution.status == FixStatus.FIXED
    return np.sqrt(solution.ecef_m[fixed].var(axis=0).sum())
