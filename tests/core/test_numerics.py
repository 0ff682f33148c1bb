"""Scalar products and medians against numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.core.linear.dot import dot
from rtkpos.core.linear.select import median_of, select_smallest


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 63, 120])
def test_dot_is_the_scalar_product(n):
    random = np.random.default_rng(n)
    first, second = random.normal(size=n + 2), random.normal(size=n + 2)
    exact = math.fsum((first[:n] * second[:n]).tolist())
    # fsum of rounded products: each rounds by half a unit in the last place.
    assert abs(dot(first, second, n) - exact) < 1e-15 * (n + 1) * 4.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_dot_keeps_what_is_not_finite(bad):
    with np.errstate(invalid="ignore"):  # numpy warns where kernels are plain Python
        for place in range(9):
            first = np.ones(9)
            first[place] = bad
            assert np.array_equal(dot(first, np.ones(9), 9), bad, equal_nan=True)
        assert math.isnan(dot(np.array([np.inf, -np.inf, 0.0, 0.0]), np.ones(4), 4))


@pytest.mark.parametrize("n", [1, 2, 3, 10, 51, 128])
def test_selection_and_median(n):
    random = np.random.default_rng(n)
    for values in (random.normal(size=n), np.round(random.normal(size=n)), np.zeros(n)):
        expected = np.sort(values)
        for k in (0, n // 3, n - 1):
            work = values.copy()
            assert select_smallest(work, n, k) == expected[k]
            assert np.array_equal(np.sort(work), expected)
            assert np.all(work[:k] <= expected[k])
        assert median_of(np.concatenate([values, [-99.0]]), n) == np.median(values)


def test_median_of_nothing_is_nan():
    assert math.isnan(median_of(np.ones(3), 0))
