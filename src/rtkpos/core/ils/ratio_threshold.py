"""Threshold of the ratio test that keeps the rate of accepted wrong fixes at a promised value."""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.core.ils.ratio_table import MODEL_FAILURE, MU_PER_MILLE, MU_PERCENT, SIZE

LOW_PROMISE, HIGH_PROMISE = 0.001, 0.01  # the two tables
SMALLEST_MU = 1e-5  # stands for the 0.000 of the tables; a threshold is at most its inverse


@kernel
def _bracket(grid, value):
    """Index of the grid interval that holds value, clamped to the first and last interval."""
    low = 0
    while low < grid.shape[0] - 2 and grid[low + 1] <= value:
        low += 1
    return low


@kernel
def _share(low, high, value):
    """Where value lies between low and high: 0 at or below low, 1 at or above high."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


@kernel
def _log_mu(table, row, col):
    """Logarithm of a table entry, or of the resolution of the table."""
    return math.log(max(table[row, col], SMALLEST_MU))


@kernel
def _table_log_mu(table, model_failure, n):
    """log mu, linear in the logarithm of the failure rate and in n; clamped at the edges.

    In log mu the chord lies on the safe side of the curve; in mu it would lie on the other.
    """
    row = _bracket(SIZE, float(n))
    col = _bracket(MODEL_FAILURE, model_failure)
    down = _share(SIZE[row], SIZE[row + 1], float(n))
    right = _share(
        math.log(MODEL_FAILURE[col]),
        math.log(MODEL_FAILURE[col + 1]),
        math.log(max(model_failure, MODEL_FAILURE[0])),
    )
    upper = (1.0 - right) * _log_mu(table, row, col) + right * _log_mu(table, row, col + 1)
    lower = (1.0 - right) * _log_mu(table, row + 1, col) + right * _log_mu(table, row + 1, col + 1)
    return (1.0 - down) * upper + down * lower


@kernel
def ratio_threshold(model_failure, n, promised_failure):
    """Smallest norm_second / norm_best at which a fix may be accepted.

    model_failure    : float  `bootstrapped_failure_rate` of the ambiguities searched
    n                : int    how many they are, >= 1; above 30 the value of 30 (safe side)
    promised_failure : float  wanted share of epochs with an accepted wrong fix, 0.001 .. 0.01,
                              clamped to that range
    Returns          : float  >= 1; 1 (accept all) if the model itself keeps the promise;
                              infinite (accept none) if n < 1 or an argument is NaN

    The promise holds on average over geometries, for a correct stochastic model: it does not see
    multipath. Source: method of Verhagen & Teunissen (2013), GPS Solutions 17:535; numbers by own
    simulation, see `ratio_table`. The published tables use the failure rate of integer least
    squares; these use its upper bound, bootstrapping, which is what is known on line.
    """
    if n < 1 or math.isnan(model_failure) or math.isnan(promised_failure):
        return math.inf
    promise = min(max(promised_failure, LOW_PROMISE), HIGH_PROMISE)
    if model_failure <= promise:
        return 1.0
    share = _share(math.log(LOW_PROMISE), math.log(HIGH_PROMISE), math.log(promise))
    strict = _table_log_mu(MU_PER_MILLE, model_failure, n)
    loose = _table_log_mu(MU_PERCENT, model_failure, n)
    return math.exp(-(1.0 - share) * strict - share * loose)
