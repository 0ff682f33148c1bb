"""Small dense algebra against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.core.linalg import (
    LINALG_NOT_POSITIVE,
    LINALG_OK,
    cholesky_lower,
    invert_cholesky,
    multiply_symmetric,
    quadratic_form,
    solve_cholesky,
    solve_lower,
    solve_lower_transposed,
    symmetric_rank_one,
)


def random_spd(n, random):
    root = random.normal(size=(n, n + 2))
    return root @ root.T


@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_factor_solves_and_inverse(n):
    random = np.random.default_rng(n)
    matrix = random_spd(n, random)
    padded = np.full((n + 2, n + 3), 9.0)
    padded[:n, :n] = matrix
    assert cholesky_lower(padded, n) == LINALG_OK
    lower = np.tril(padded[:n, :n])
    np.testing.assert_allclose(lower, np.linalg.cholesky(matrix), rtol=1e-9, atol=1e-12)
    assert np.all(padded[n:] == 9.0)
    assert np.all(padded[:, n:] == 9.0)
    right = random.normal(size=n)
    for kernel, expected in (
        (solve_lower, np.linalg.solve(lower, right)),
        (solve_lower_transposed, np.linalg.solve(lower.T, right)),
        (solve_cholesky, np.linalg.solve(matrix, right)),
    ):
        x = np.append(right, 9.0)
        kernel(padded, n, x)
        np.testing.assert_allclose(x[:n], expected, rtol=1e-8, atol=1e-10)
        assert x[n] == 9.0
    inverse = np.zeros((n, n))
    invert_cholesky(padded, n, inverse)
    np.testing.assert_allclose(inverse @ matrix, np.eye(n), atol=1e-8)
    assert np.array_equal(inverse, inverse.T)
    assert quadratic_form(padded, n, right.copy()) == pytest.approx(
        right @ np.linalg.solve(matrix, right), rel=1e-9
    )


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([[0.0]]),
        np.array([[-1.0]]),
        np.array([[np.nan]]),
        np.array([[np.inf]]),
        np.ones((2, 2)),
        np.array([[1.0, 0.0], [np.nan, 1.0]]),
        np.array([[1.0, 0.0], [np.inf, 1.0]]),
        np.array([[1.0, 2.0], [2.0, 1.0]]),
    ],
)
def test_not_positive_definite_is_a_status(matrix):
    assert cholesky_lower(matrix.copy(), len(matrix)) == LINALG_NOT_POSITIVE


def test_only_the_lower_triangle_is_read():
    matrix = np.array([[4.0, np.nan], [2.0, 3.0]])
    assert cholesky_lower(matrix, 2) == LINALG_OK
    assert matrix[1].tolist() == [1.0, np.sqrt(2.0)]


def test_empty_matrix_is_fine():
    assert cholesky_lower(np.zeros((2, 2)), 0) == LINALG_OK


def test_rank_one_update_and_product():
    random = np.random.default_rng(3)
    n = 6
    matrix = random_spd(n, random)
    x = random.normal(size=n)
    updated = np.full((n + 1, n + 1), 9.0)
    updated[:n, :n] = matrix
    symmetric_rank_one(updated, n, -0.3, x)
    np.testing.assert_allclose(updated[:n, :n], matrix - 0.3 * np.outer(x, x), atol=1e-12)
    assert np.array_equal(updated, updated.T)
    assert np.all(updated[n] == 9.0)
    product = np.zeros(n)
    multiply_symmetric(matrix, n, x, product)
    np.testing.assert_allclose(product, matrix @ x, atol=1e-12)
