"""Covariance updates put together against the same updates one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.estimate.baseline.deferred_update import mirror_lower, subtract_products
from rtkpos.estimate.baseline.epoch_work import N_PENDING
from rtkpos.estimate.baseline.filter import (
    add_new_phases,
    half_update,
    mirror,
    predicted,
    project,
    update_codes,
    update_known_phases,
)
from tests.estimate.test_relative import WAVELENGTH_M, begin, made_epoch


def started(seed, n_sat=11):
    """A filter of a first epoch with its ambiguities, ready for the second epoch."""
    memory = made_epoch(seed, n_sat)
    state, work, origin = memory.state, memory.work, np.zeros(3)
    begin(memory, origin, 0.0, 0.0)
    update_codes(work, state, origin)
    add_new_phases(work, state, origin, memory.scratch)
    begin(memory, origin, 0.0, 30.0)
    work.sd_phase_m[:n_sat] += np.random.default_rng(seed).normal(0.0, 0.003, (n_sat, 3))
    return memory


def one_by_one(memory):
    """All known phases as scalar updates that are finished at once; returns innovations."""
    state, work, origin, found = memory.state, memory.work, np.zeros(3), []
    for i in range(int(work.n_sat)):
        for band in range(2):
            index = int(state.slot[work.sat[i], band])
            variance = project(i, band, -1.0, work, index, WAVELENGTH_M, state, memory.scratch)
            variance += work.var_phase_m2[i, band]
            innovation = work.sd_phase_m[i, band] - WAVELENGTH_M * state.state[index]
            innovation -= predicted(i, band, -1.0, work, state, origin)
            half_update(state, memory.scratch, innovation, variance)
            found.append(innovation**2 / variance)
    mirror(state)
    return found


@pytest.mark.parametrize("n_sat", [1, 4, 11])  # fewer than a block, one, and some with a rest
def test_updates_together_equal_updates_one_by_one(n_sat):
    together, apart = started(3, n_sat), started(3, n_sat)
    expected = one_by_one(apart)
    used = update_known_phases(together.work, together.state, np.zeros(3), together.counts)
    assert used == 2 * n_sat
    assert together.work.n_pending == 0
    n = int(apart.state.n_state)
    assert together.work.nis == pytest.approx(sum(expected), rel=1e-9)
    np.testing.assert_allclose(together.state.state[:n], apart.state.state[:n], atol=1e-9)
    scale = np.sqrt(np.diag(apart.state.cov[:n, :n]))
    apart_by = (together.state.cov[:n, :n] - apart.state.cov[:n, :n]) / np.outer(scale, scale)
    assert np.abs(apart_by).max() < 1e-9
    assert np.array_equal(together.state.cov[4:n, 4:n], together.state.cov[4:n, 4:n].T)


def test_a_rejected_phase_leaves_no_trace_among_the_kept_updates():
    memory, without = started(5), started(5)
    memory.work.sd_phase_m[4, 1] += 2.0
    without.work.phase_ok[4, 1] = 0
    for one in (memory, without):
        update_known_phases(one.work, one.state, np.zeros(3), one.counts)
    n = int(without.state.n_state)
    np.testing.assert_array_equal(memory.state.state[:n], without.state.state[:n])
    np.testing.assert_array_equal(memory.state.cov[:n, :n], without.state.cov[:n, :n])


def test_products_are_subtracted_and_nothing_is_hidden():
    random = np.random.default_rng(8)
    vectors, variances = random.normal(size=(N_PENDING, 20)), random.uniform(1.0, 2.0, N_PENDING)
    row = random.normal(size=20)
    expected = row[:15] - (vectors[:, 7] / variances) @ vectors[:, :15]
    out = row.copy()
    subtract_products(7, 15, vectors, variances, out)
    np.testing.assert_allclose(out[:15], expected, atol=1e-14)
    np.testing.assert_array_equal(out[15:], row[15:])
    for bad in (np.nan, np.inf):
        for k in range(N_PENDING):
            spoilt = vectors.copy()
            spoilt[k, 3] = bad
            out = row.copy()
            with np.errstate(invalid="ignore"):  # numpy warns where kernels are plain Python
                subtract_products(7, 15, spoilt, variances, out)
            assert not np.isfinite(out[3])
            assert np.isfinite(np.delete(out, 3)).all()


@pytest.mark.parametrize(("first", "n"), [(0, 1), (4, 4), (4, 5), (4, 21), (0, 40)])
def test_mirrored_matrix_is_symmetric(first, n):
    cov = np.random.default_rng(n).normal(size=(n + 3, n + 5))
    before = cov.copy()
    mirror_lower(cov, first, first, n)
    block = cov[first:n, first:n]
    np.testing.assert_array_equal(block, np.tril(block) + np.tril(block, -1).T)
    np.testing.assert_array_equal(np.tril(block), np.tril(before[first:n, first:n]))
    cov[first:n, first:n] = before[first:n, first:n]
    np.testing.assert_array_equal(cov, before)
