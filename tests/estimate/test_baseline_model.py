"""One filter for rover and network: a position that is estimated, known before, or pinned."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.estimate.baseline.filter import add_new_phases, start_epoch
from rtkpos.estimate.baseline.filter_step import filter_step, reinitialise
from rtkpos.estimate.robust import RobustSettings
from rtkpos.network.network_memory import CLOCK_SIGMA_M, PINNED_M2
from rtkpos.processing.settings import kernel_settings
from rtkpos.records.config import RtkConfig
from tests.estimate.test_relative import made_epoch

PLAIN_SETTINGS = kernel_settings(RtkConfig())
SETTINGS = record_of(PLAIN_SETTINGS)
ROBUST = record_of(RobustSettings())
S = 10**9


def memory_of(position_var_m2, clock_var_m2):
    """An epoch around the origin, with the model of a baseline."""
    memory = made_epoch(3)
    model = memory.model
    model.position_var_m2, model.clock_var_m2 = position_var_m2, clock_var_m2
    return memory


def anew(memory):
    """The filter of the epoch alone."""
    return reinitialise(
        SETTINGS, memory.model, memory.state, memory.work, memory.scratch, memory.counts
    )


def test_a_pinned_position_stays_and_leaves_clock_and_ambiguities_to_the_observations():
    pinned = memory_of(PINNED_M2, CLOCK_SIGMA_M**2)
    free = memory_of(SETTINGS.position_reset_m**2, SETTINGS.position_reset_m**2)
    for memory in (pinned, free):
        memory.work.sd_code_m[:8, :2] += 1.0 - memory.work.los[:8, :1]
        assert anew(memory) == 16
    assert np.abs(pinned.state.state[:3]).max() < 1e-6
    assert np.diag(pinned.state.cov)[:3] == pytest.approx(PINNED_M2, rel=1e-3)
    assert np.abs(free.state.state[:3]).max() > 0.1
    assert pinned.state.cov[3, 3] < free.state.cov[3, 3]


def test_a_held_ambiguity_does_not_drift():
    memory = memory_of(PINNED_M2, CLOCK_SIGMA_M**2)
    state, work, model = memory.state, memory.work, memory.model
    anew(memory)
    add_new_phases(work, state, model.origin_m, memory.scratch)
    model.held[work.sat[2], 0] = 1
    state.datum_group[:] = -1  # no phase bias that is common to all
    before = np.diag(state.cov)[: state.n_state].copy()
    start_epoch(state, model, 100.0, PLAIN_SETTINGS)
    grown = np.diag(state.cov)[: state.n_state] - before
    held = state.slot[work.sat[2], 0]
    drift = SETTINGS.ambiguity_drift**2 * 100.0
    assert grown[held] == 0.0
    others = [k for k in range(4, state.n_state) if state.owner[k] >= 0 and k != held]
    assert len(others) == 15
    assert grown[others] == pytest.approx(drift, rel=1e-6)


def test_a_prior_becomes_the_position_before_the_observations():
    memory = memory_of(900.0, 900.0)
    state, work, model = memory.state, memory.work, memory.model
    model.has_prior = 1
    model.prior_m[:] = (0.2, -0.1, 0.3)
    model.prior_cov_m2[:] = np.eye(3) * 1e-8
    work.group[:8] = -1  # no observation takes part
    counts = memory.counts
    used = filter_step(S, SETTINGS, ROBUST, model, state, work, memory.rows, counts)
    assert used == 0
    assert state.state[:3] == pytest.approx(model.prior_m)
    assert np.diag(state.cov)[:3] == pytest.approx(1e-8)
