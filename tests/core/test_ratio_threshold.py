"""The fixed-failure-rate ratio test keeps its promise on geometries it was not made from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from rtkpos.core.ils.decorrelation import ILS_OK, decorrelate
from rtkpos.core.ils.ratio_table import MODEL_FAILURE, MU_PER_MILLE, MU_PERCENT, SIZE
from rtkpos.core.ils.ratio_threshold import ratio_threshold
from rtkpos.core.ils.search import integer_least_squares
from rtkpos.core.ils.success_rate import bootstrapped_failure_rate
from tests.core.transformation import workspace


def geometry(n, random):
    """Single-epoch, single-frequency covariance, n + 1 satellites, code 0.3 m, phase 3 mm."""
    los = random.normal(size=(n + 1, 3))
    los[:, 2] = np.abs(los[:, 2])
    los /= np.linalg.norm(los, axis=1)[:, None]
    design = (los[1:] - los[0]) / 0.19
    noise = (np.eye(n) + np.ones((n, n))) / 0.19**2
    by_code = np.linalg.inv(design.T @ np.linalg.solve(noise * 0.3**2, design) + 1e-6 * np.eye(3))
    return design @ by_code @ design.T + 0.003**2 * noise


def with_failure_rate(cov, wanted, work):
    """The covariance scaled until bootstrapping fails at the wanted rate."""
    low, high = -25.0, 25.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        assert decorrelate(cov * math.exp(middle), len(cov), work) == ILS_OK
        too_weak = bootstrapped_failure_rate(work.cond_var, 0, len(cov)) > wanted
        low, high = (low, middle) if too_weak else (middle, high)
    return cov * math.exp(0.5 * (low + high))


def accepted_wrong(cov, threshold, n_draw, random, work):
    """Number of draws that were accepted although wrong."""
    n = len(cov)
    candidates, norms = np.zeros((2, n)), np.zeros(2)
    draws = random.normal(size=(n_draw, n)) @ np.linalg.cholesky(cov).T
    count = 0
    for draw in draws:
        status = integer_least_squares(cov, draw, n, 2, 100_000, work, candidates, norms)
        accepted = status == ILS_OK and norms[1] >= threshold * norms[0]
        count += bool(accepted and np.any(candidates[0]))
    return count


@pytest.mark.compiled
@pytest.mark.parametrize("n", [4, 7, 13, 22])
@pytest.mark.parametrize("model_failure", [0.03, 0.15, 0.45])
def test_accepted_wrong_rate_is_as_promised(n, model_failure):
    """Promise 1 %: 30 wrong ones expected in 3000 draws; geometries differ by a factor of two.

    So at most 60 plus three standard deviations of the count, 23. Without the test there would
    be 90 to 1350.
    """
    random = np.random.default_rng(1000 * n + int(100 * model_failure))
    work = workspace()
    threshold = ratio_threshold(model_failure, n, 0.01)
    wrong = 0
    for _ in range(6):
        cov = with_failure_rate(geometry(n, random), model_failure, work)
        wrong += accepted_wrong(cov, threshold, 500, random, work)
    assert wrong <= 60 + 23


def test_threshold_is_at_least_one_and_finite():
    for promise in (0.0, 0.001, 0.003, 0.01, 0.5):
        for n in (1, 2, 3, 7, 11, 33, 66, 67, 128):
            for failure in (0.0, 1e-12, 1e-3, 0.0123, 0.5, 0.97, 1.0):
                assert 1.0 <= ratio_threshold(failure, n, promise) <= 1.0001e5


def test_no_test_is_needed_where_the_model_keeps_the_promise():
    assert ratio_threshold(0.0009, 8, 0.001) == 1.0
    assert ratio_threshold(0.009, 8, 0.01) == 1.0


def test_monotone_in_every_argument():
    """More failures or a stricter promise never lower it; more ambiguities never raise it."""
    failures = 10.0 ** np.linspace(-3.5, 0.0, 60)
    for n in (1, 4, 9, 27, 66):
        for promise in (0.001, 0.004, 0.01):
            row = [ratio_threshold(failure, n, promise) for failure in failures]
            assert np.all(np.diff(np.log(row)) >= -1e-12)
    for failure in (0.02, 0.3):
        by_size = [ratio_threshold(failure, n, 0.001) for n in range(1, 80)]
        assert np.all(np.diff(np.log(by_size)) <= 1e-12)
        by_promise = [ratio_threshold(failure, 8, p) for p in np.linspace(0.001, 0.01, 30)]
        assert np.all(np.diff(np.log(by_promise)) <= 1e-12)


def test_table_entries_come_back():
    for row, n in enumerate(SIZE):
        for col, failure in enumerate(MODEL_FAILURE[2:], start=2):
            strict = ratio_threshold(failure, int(n), 0.001)
            assert strict == pytest.approx(1.0 / max(MU_PER_MILLE[row, col], 1e-5))
    assert np.all(MU_PER_MILLE <= MU_PERCENT)


def test_one_ambiguity_against_the_closed_form():
    """n = 1: norm_1 / norm_2 = (x / (1 - x))^2 with x the distance to the nearest integer.

    Accepted and wrong: |a| in (k - r, k + r), k = 1, 2, ..., with r = s / (1 + s), s = sqrt(mu).
    """
    for failure in (0.02, 0.1, 0.3):
        sigma = 0.5 / norm.isf(failure / 2.0)
        for promise in (0.001, 0.01):
            root = math.sqrt(1.0 / ratio_threshold(failure, 1, promise))
            reach = root / (1.0 + root)
            k = np.arange(1, 50)
            wrong = 2.0 * np.sum(norm.sf((k - reach) / sigma) - norm.sf((k + reach) / sigma))
            # 200 000 draws know a rate of 0.001 to 7 %, and mu has three decimals. Between the
            # columns of the table (0.3) the threshold is only promised to be on the safe side.
            lowest = 0.7 if failure < 0.3 else 0.0
            assert lowest * promise < wrong < 1.25 * promise


@pytest.mark.parametrize("arguments", [(0.1, 0, 0.01), (math.nan, 5, 0.01), (0.1, 5, math.nan)])
def test_unusable_arguments_accept_nothing(arguments):
    assert ratio_threshold(*arguments) == math.inf
