"""Least squares with free clocks against numpy over the full design matrix."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.core.linear.normal_equations import (
    PIVOT_MIN,
    clock_free_fit,
    fit_clock_free,
    group_means,
    invert_spd3,
    prediction_variance,
    sum_products,
)

N, N_GROUP = 17, 3


def rows(seed=1):
    """Design (N, 3), values, weights with two rows left out, and groups; group 1 is empty."""
    random = np.random.default_rng(seed)
    weight = random.uniform(0.5, 4.0, N)
    weight[[2, 9]] = 0.0
    group = random.choice([0, 2, 3], size=N).astype(np.int64)
    return random.normal(size=(N, 3)), random.normal(size=N) * 5.0, weight, group


def full_solution(design, value, weight, group):
    """(x, clocks by group, covariance of all) from the design matrix with a column per clock."""
    used = weight > 0.0
    columns = np.unique(group[used])
    full = np.hstack([design, (group[:, None] == columns).astype(float)])[used]
    normal = full.T @ (full * weight[used, None])
    solution = np.linalg.solve(normal, full.T @ (weight[used] * value[used]))
    return solution[:3], dict(zip(columns.tolist(), solution[3:], strict=True)), normal


@pytest.mark.parametrize("seed", range(4))
def test_inverse_of_a_positive_definite_matrix(seed):
    root = np.random.default_rng(seed).normal(size=(3, 3))
    matrix = root @ root.T + 0.1 * np.eye(3)
    inverse = np.full((3, 3), np.nan)
    assert invert_spd3(matrix, inverse) == 0
    np.testing.assert_allclose(inverse, np.linalg.inv(matrix), rtol=1e-10)
    assert invert_spd3(matrix, matrix) == 0, "in place"
    np.testing.assert_array_equal(matrix, inverse)


def test_singular_matrices_are_refused_at_each_pivot():
    for axis in range(3):
        for share, status in ((0.5 * PIVOT_MIN, 1), (3.0 * PIVOT_MIN, 0)):
            matrix = np.eye(3)
            matrix[axis, axis] = 2.0 * share
            out = np.full((3, 3), 7.0)
            assert invert_spd3(matrix, out) == status
            assert status == 0 or np.all(out == 7.0)
    assert invert_spd3(np.full((3, 3), np.nan), np.zeros((3, 3))) == 1


def test_means_by_group():
    design, value, weight, group = rows()
    fit = clock_free_fit()
    fit.mean_design[:] = 9.0
    assert group_means(design, value, weight, group, N, fit) == N_GROUP
    for g in range(5):
        mine = (group == g) & (weight > 0.0)
        total = weight[mine].sum()
        assert fit.weight_sum[g] == pytest.approx(total, rel=1e-14)
        scale = weight[mine] / total if total > 0.0 else weight[mine]
        assert fit.mean_value[g] == pytest.approx(scale @ value[mine], rel=1e-12)
        np.testing.assert_allclose(fit.mean_design[g], scale @ design[mine], atol=1e-13)


def test_normal_equations_of_rows_less_their_means():
    design, value, weight, group = rows()
    fit = clock_free_fit()
    group_means(design, value, weight, group, N, fit)
    sum_products(design, value, weight, group, N, fit)
    a, y = design - fit.mean_design[group], value - fit.mean_value[group]
    np.testing.assert_allclose(
        np.tril(fit.cofactor), np.tril(a.T @ (a * weight[:, None])), rtol=1e-12
    )
    np.testing.assert_allclose(fit.right, a.T @ (weight * y), rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_fit_equals_the_one_with_a_column_for_each_clock(seed):
    design, value, weight, group = rows(seed)
    fit = clock_free_fit()
    assert fit_clock_free(design, value, weight, group, N, fit) == 0
    x, clocks, normal = full_solution(design, value, weight, group)
    np.testing.assert_allclose(fit.x, x, rtol=1e-9)
    np.testing.assert_allclose(fit.cofactor, np.linalg.inv(normal)[:3, :3], rtol=1e-9)
    for g in range(4):
        if g in clocks:
            assert fit.clock[g] == pytest.approx(clocks[g], rel=1e-9)
        else:
            assert math.isnan(fit.clock[g])
    row = int(np.flatnonzero((weight > 0.0) & (group == 0))[0])
    full = np.concatenate([design[row], np.array(list(clocks)) == 0.0])
    variance = full @ np.linalg.solve(normal, full)
    assert prediction_variance(design, row, 0, fit) == pytest.approx(variance, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-8, 1e6])
def test_scale_of_the_weights_moves_the_cofactor_alone(scale):
    design, value, weight, group = rows()
    fits = clock_free_fit(), clock_free_fit()
    for fit, factor in zip(fits, (1.0, scale), strict=True):
        assert fit_clock_free(design, value, weight * factor, group, N, fit) == 0
    np.testing.assert_allclose(fits[1].x, fits[0].x, rtol=1e-9)
    np.testing.assert_allclose(fits[1].clock, fits[0].clock, rtol=1e-9)
    np.testing.assert_allclose(fits[1].cofactor, fits[0].cofactor / scale, rtol=1e-9)
    rows_of_all = clock_free_fit()
    group_means(design, value, weight * scale, group, N, rows_of_all)
    sum_products(design, value, weight * scale, group, N, rows_of_all)
    np.testing.assert_allclose(
        rows_of_all.right, scale * fit_right(design, value, weight, group), rtol=1e-9
    )


def fit_right(design, value, weight, group):
    """Right side of the normal equations at unit scale."""
    fit = clock_free_fit()
    group_means(design, value, weight, group, N, fit)
    sum_products(design, value, weight, group, N, fit)
    return fit.right


def test_a_plane_of_lines_of_sight_is_singular():
    design, value, weight, group = rows()
    design[:, 2] = 0.0
    fit = clock_free_fit()
    assert fit_clock_free(design, value, weight, group, N, fit) == 1
    assert np.all(np.isnan(fit.x))
    assert np.all(np.isnan(fit.clock))
