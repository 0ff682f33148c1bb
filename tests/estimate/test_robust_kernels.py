"""Steps of the robust fit, each against numpy over the full design matrix."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos._arrays import record_of
from rtkpos.estimate.robust import (
    FIT_INCONSISTENT,
    FIT_OK,
    FIT_SINGULAR,
    MAD_TO_SIGMA,
    RobustSettings,
    _refit,
    _remove_worst,
    _reweight,
    chi_square_limit,
    igg3_weight,
    robust_fit,
    robust_work,
)

pytestmark = pytest.mark.plain
N = 16
SETTINGS = RobustSettings()


def rows(seed, outliers=()):
    """Design, values, weights and groups of a truth of (1, -2, 3) with unit noise."""
    random = np.random.default_rng(seed)
    design = random.normal(size=(N, 3))
    group = np.arange(N) % 2
    weight = random.uniform(0.5, 2.0, N)
    value = design @ [1.0, -2.0, 3.0] + np.array([10.0, 20.0])[group]
    value += random.normal(size=N) / np.sqrt(weight)
    for row, sigmas in outliers:
        value[row] += sigmas / math.sqrt(weight[row])
    return design, value, weight, group


def standardised(design, value, base_weight, weight, group):
    """(residuals, residuals over their standard deviations) by covariance propagation."""
    full = np.hstack([design, np.eye(2)[group]])
    gain = np.linalg.solve(full.T @ (full * weight[:, None]), (full * weight[:, None]).T)
    residual = value - full @ gain @ value
    spread = np.eye(N) - full @ gain
    # A weight that is lowered belongs to an observation whose noise is still that of its base.
    fitted = full @ np.linalg.solve(full.T @ (full * weight[:, None]), full.T)
    q = np.diag(fitted)
    variance = 1.0 / base_weight + q - 2.0 * weight / base_weight * q
    if np.array_equal(weight, base_weight):
        covariance = spread @ np.diag(1.0 / base_weight) @ spread.T
        np.testing.assert_allclose(variance, np.diag(covariance), rtol=1e-9)
    return residual, residual / np.sqrt(variance)


@pytest.mark.parametrize("lowered", [False, True])
def test_residuals_and_their_deviations(lowered):
    design, value, base_weight, group = rows(1)
    weight = base_weight.copy()
    if lowered:
        weight[[2, 5]] *= 0.4
        weight[7] = 0.0
    work = record_of(robust_work(N))
    work.weight[:] = weight
    assert _refit(design, value, base_weight, group, N, work) == 0
    residual, normal = standardised(design, value, base_weight, weight, group)
    np.testing.assert_allclose(work.residual, residual, atol=1e-10)
    np.testing.assert_allclose(work.normal_residual, normal, atol=1e-9)


def test_rows_without_redundancy_say_nothing_and_unusable_ones_are_nan():
    design, value, base_weight, group = rows(2)
    group = group.copy()
    group[4] = 5  # alone in its group
    base_weight[6] = 0.0
    work = record_of(robust_work(N))
    work.weight[:] = base_weight
    _refit(design, value, base_weight, group, N, work)
    assert work.normal_residual[4] == 0.0
    assert math.isnan(work.residual[6])
    work.weight[:] = 0.0
    assert _refit(design, value, base_weight, group, N, work) == 1


def test_weights_may_be_of_any_size():
    design, value, weight, group = rows(6)
    normal = []
    for scale in (1.0, 1e-8):
        work = record_of(robust_work(N))
        work.weight[:] = scale * weight
        assert _refit(design, value, scale * weight, group, N, work) == 0
        normal.append(work.normal_residual / math.sqrt(scale))
    np.testing.assert_allclose(normal[1], normal[0], rtol=1e-6)


@pytest.mark.parametrize("outliers", [(), ((3, 30.0),), ((3, 30.0), (8, -50.0))])
def test_the_worst_rows_are_removed_until_the_rest_agree(outliers):
    design, value, weight, group = rows(4, outliers)
    work = record_of(robust_work(N))
    work.weight[:] = weight
    assert _remove_worst(design, value, weight, group, N, SETTINGS, work) == 0
    assert np.flatnonzero(work.weight == 0.0).tolist() == [row for row, _ in outliers]
    used = work.weight > 0.0
    chi = np.sum(work.residual[used] ** 2 * weight[used])
    assert work.chi_square == pytest.approx(chi, rel=1e-12)
    assert work.n_free == used.sum() - 5
    assert chi <= chi_square_limit(work.n_free, SETTINGS.chi_z)


def test_the_last_redundant_row_stays():
    design, value, weight, group = rows(5, ((0, 500.0),))
    weight[6:] = 0.0
    work = record_of(robust_work(N))
    work.weight[:] = weight
    _remove_worst(design, value, weight, group, N, SETTINGS, work)
    assert np.all(work.weight[:6] > 0.0)
    assert work.n_free == 1


@pytest.mark.parametrize("starts_huber", [False, True])
def test_weights_settle_where_they_reproduce_themselves(starts_huber):
    design, value, base_weight, group = rows(6, ((3, 8.0), (9, -40.0)))
    work = record_of(robust_work(N))
    work.weight[:] = base_weight
    if not starts_huber:
        work.weight[9] = 0.0
    status = _reweight(design, value, base_weight, group, N, SETTINGS, starts_huber, False, work)
    assert status == 0
    _, normal = standardised(design, value, base_weight, work.weight, group)
    scale = max(1.0, MAD_TO_SIGMA * float(np.median(np.abs(normal))))
    factor = [igg3_weight(v / scale, SETTINGS.k0, SETTINGS.k1) for v in normal]
    np.testing.assert_allclose(work.weight / base_weight, factor, atol=0.02)
    assert work.weight[9] == 0.0


def test_fit_without_outliers_is_least_squares_with_its_chi_square():
    design, value, weight, group = rows(7)
    loose = RobustSettings(k0=10.0, k1=20.0)
    work = record_of(robust_work(N))
    assert robust_fit(design, value, weight, group, N, loose, work) == FIT_OK
    full = np.hstack([design, np.eye(2)[group]])
    x = np.linalg.solve(full.T @ (full * weight[:, None]), full.T @ (weight * value))
    np.testing.assert_allclose(work.fit.x, x[:3], rtol=1e-9)
    np.testing.assert_allclose(work.fit.clock[:2], x[3:], rtol=1e-9)
    chi = np.sum((value - full @ x) ** 2 * weight)
    assert work.chi_square == pytest.approx(chi, rel=1e-9)
    assert work.n_free == N - 5
    assert work.sigma0 >= math.sqrt(max(1.0, chi / (N - 5)))


@pytest.mark.parametrize("seed", range(6))
def test_three_wrong_rows_of_sixteen_are_left_out(seed):
    wrong = ((1, 25.0), (6, 40.0), (11, -60.0))
    design, value, weight, group = rows(20 + seed, wrong)
    work = record_of(robust_work(N))
    assert robust_fit(design, value, weight, group, N, SETTINGS, work) == FIT_OK
    assert not work.weight[[1, 6, 11]].any()
    sigma = work.sigma0 * np.sqrt(np.diag(work.fit.cofactor))
    assert np.all(np.abs(work.fit.x - [1.0, -2.0, 3.0]) < 4.0 * sigma)
    assert work.n_start > 3, "several starts"


def test_rows_that_all_contradict_each_other_are_inconsistent_and_few_singular():
    design, value, weight, group = rows(8)
    value += np.random.default_rng(9).normal(size=N) * 300.0
    work = record_of(robust_work(N))
    assert robust_fit(design, value, weight, group, N, SETTINGS, work) == FIT_INCONSISTENT
    assert work.sigma0 > SETTINGS.scale_max
    weight[4:] = 0.0
    assert robust_fit(design, value, weight, group, N, SETTINGS, work) == FIT_SINGULAR
    design, value, weight, group = rows(8)
    weight[5:] = 0.0
    assert robust_fit(design, value, weight, group, N, SETTINGS, work) == FIT_OK
    assert work.sigma0 == 1.0, "as many rows as unknowns"
