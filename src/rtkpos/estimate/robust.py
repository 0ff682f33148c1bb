"""Robust weights and the exclusion of outliers, for positions and velocities alike.

`robust_fit` solves value = design . x + clock[group] when some rows are far off: it starts from
several points: all rows; rows removed one after the other, the worst first; a Huber estimate; the
removal again without each of the most deviating rows. Each is refined by IGG-III weights; the one
that explains most rows is kept.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos._numba.decorator import kernel
from rtkpos.core.linear.normal_equations import (
    ClockFreeFit,
    clock_free_fit,
    fit_clock_free,
    prediction_variance,
)
from rtkpos.core.linear.select import median_of

FIT_OK, FIT_SINGULAR, FIT_INCONSISTENT = range(3)

MIN_REDUNDANCY = 1e-4  # a row below it determines an unknown alone: no residual to judge
HUBER_K = 1.345  # 95 % efficiency at the normal distribution (Huber 1981)
MAD_TO_SIGMA = 1.4826
SMALL_RESIDUAL = 0.67  # a median below it makes a scale below 1
N_HUBER, N_IGG3 = 8, 12  # iterations; most fits settle in half as many
WEIGHT_TOLERANCE = 5e-3
N_SUSPECT = 10  # rows of which each is left out once when the rows contradict each other


class RobustSettings(NamedTuple):
    """Limits of the robust estimator, in standard deviations of a residual.

    k0 : full weight up to here      k1 : weight zero from here on (IGG-III)
    chi_z : normal quantile of the global test (3.09: false alarm 0.1 %)
    scale_max : robust unit-weight sigma beyond which the fit counts as inconsistent
    """

    k0: float = 1.0
    k1: float = 5.0
    chi_z: float = 3.09
    scale_max: float = 6.0


class RobustWork(NamedTuple):
    """Work space and results of `robust_fit`, n rows.

    weight : (n,) final weights, 0 = excluded      residual : (n,) value - fitted, NaN unusable
    normal_residual : (n,) residual over its standard deviation (excluded rows: predicted)
    sigma0 : unit-weight sigma of the used rows      chi_square : of them, with n_free degrees of
    freedom      n_start : starts that led to a solution
    """

    fit: ClockFreeFit
    weight: FloatArray
    best_weight: FloatArray
    residual: FloatArray
    normal_residual: FloatArray
    sorted: FloatArray
    w_test: FloatArray
    sigma0: float
    chi_square: float
    n_free: int
    n_start: int


def robust_work(n_max: int) -> RobustWork:
    """Work space for up to `n_max` rows."""
    return RobustWork(
        fit=clock_free_fit(),
        weight=np.zeros(n_max),
        best_weight=np.zeros(n_max),
        residual=np.zeros(n_max),
        normal_residual=np.zeros(n_max),
        sorted=np.zeros(n_max),
        w_test=np.zeros(n_max),
        sigma0=0.0,
        chi_square=0.0,
        n_free=0,
        n_start=0,
    )


@kernel
def igg3_weight(normal_residual, k0, k1):
    """IGG-III weight factor of a standardised residual: 1 up to k0, 0 from k1 on.

    Source: Yang, Song, Xu (2002), Robust estimator for correlated observations, J. Geodesy 76.
    Returns : float 0..1; NaN in, 0 out.
    """
    v = abs(normal_residual)
    if v <= k0:
        return 1.0
    if v < k1:
        falling = (k1 - v) / (k1 - k0)
        return k0 / v * falling * falling
    return 0.0


@kernel
def huber_weight(normal_residual, k):
    """Huber's weight factor of a standardised residual: 1 up to k, k/|v| beyond; NaN in, 0 out."""
    v = abs(normal_residual)
    if v <= k:
        return 1.0
    return k / v if v < math.inf else 0.0


@kernel
def chi_square_limit(n_free, z):
    """Upper limit of chi-square with n_free degrees of freedom at the normal quantile z.

    Source: Wilson and Hilferty (1931); within 4 % at z = 3.09 from 1 degree on.
    """
    spread = 2.0 / (9.0 * n_free)
    return n_free * (1.0 - spread + z * math.sqrt(spread)) ** 3


@kernel
def median_abs(values, weight, n, out_sorted):
    """Median of |values| over the rows of positive weight; NaN when there is none.

    values, weight : (n,)      out_sorted : (n,) scratch
    """
    m = 0
    for i in range(n):
        if weight[i] > 0.0 and math.isfinite(values[i]):
            out_sorted[m] = abs(values[i])
            m += 1
    return median_of(out_sorted, m)


@kernel
def _copy_rows(values, n, out_values):
    """out_values[:n] = values[:n], as a loop: numba's own brings its error texts along."""
    for i in range(n):
        out_values[i] = values[i]


@kernel
def _refit(design, value, base_weight, group, n, work):
    """Fit with `work.weight`, then residuals of all usable rows, standardised.

    Variance of a residual whose row takes part with the fraction f of its weight: var + q - 2 f q,
    with q the variance of the fitted value (f = 1: var - q, a residual; f = 0: var + q, a
    prediction).
    Returns : int 0; 1 singular
    """
    fit = work.fit
    if fit_clock_free(design, value, work.weight, group, n, fit) != 0:
        return 1
    for i in range(n):
        work.residual[i] = math.nan
        work.normal_residual[i] = math.nan
        if base_weight[i] > 0.0:
            q = prediction_variance(design, i, group[i], fit)
            if q < math.inf:
                w = base_weight[i]
                shift = design[i, 0] * fit.x[0] + design[i, 1] * fit.x[1] + design[i, 2] * fit.x[2]
                work.residual[i] = value[i] - shift - fit.clock[group[i]]
                relative = 1.0 + q * w - 2.0 * work.weight[i] * q
                work.normal_residual[i] = 0.0
                if relative > MIN_REDUNDANCY:
                    work.normal_residual[i] = work.residual[i] * math.sqrt(w / relative)
    return 0


@kernel
def _consistency(n, work):
    """Chi-square and degrees of freedom of the rows in use into `work`."""
    chi, n_free = 0.0, -3
    for i in range(n):
        if work.weight[i] > 0.0:
            chi += work.residual[i] * work.residual[i] * work.weight[i]
            n_free += 1
    for g in range(work.fit.weight_sum.shape[0]):
        if work.fit.weight_sum[g] > 0.0:
            n_free -= 1
    work.chi_square = chi
    work.n_free = n_free
    return 0


@kernel
def _robust_scale(base_weight, n, work):
    """Unit-weight sigma from the median residual, at least 1: stated noise is a lower limit."""
    n_known, n_small = 0, 0
    for i in range(n):
        if base_weight[i] > 0.0:
            v = abs(work.normal_residual[i])
            n_known += v < math.inf
            n_small += v < SMALL_RESIDUAL
    if 2 * n_small > n_known:  # so the median is small as well
        return 1.0
    median = median_abs(work.normal_residual, base_weight, n, work.sorted)
    return max(1.0, MAD_TO_SIGMA * median) if median < math.inf else 1.0


@kernel
def _reweight(design, value, base_weight, group, n, settings, starts_huber, is_fitted, work):
    """Iterate IGG-III weights from the current ones until they settle.

    starts_huber : begin with some rounds of Huber's weights, which no start can mislead
    is_fitted : the fit with the current weights has just been made
    Returns : int 0; 1 singular
    """
    n_huber = N_HUBER if starts_huber else 0
    for iteration in range(n_huber + N_IGG3):
        is_known = is_fitted and iteration == 0
        if not is_known and _refit(design, value, base_weight, group, n, work) != 0:
            return 1
        scale = _robust_scale(base_weight, n, work)
        change = 0.0
        for i in range(n):
            if base_weight[i] > 0.0:
                v = work.normal_residual[i] / scale
                if iteration < n_huber:
                    factor = huber_weight(v, HUBER_K)
                else:
                    factor = igg3_weight(v, settings.k0, settings.k1)
                change = max(change, abs(factor - work.weight[i] / base_weight[i]))
                work.weight[i] = factor * base_weight[i]
        if iteration >= n_huber and change < WEIGHT_TOLERANCE:
            break
    return 0


@kernel
def _remove_worst(design, value, base_weight, group, n, settings, work):
    """Remove the row of the largest residual until the global test passes.

    Starts from the rows in `work.weight`. The last redundant row stays: with one degree of freedom
    an outlier is seen but not located.
    Returns : int 0; 1 singular
    """
    for _ in range(n):
        if _refit(design, value, base_weight, group, n, work) != 0:
            return 1
        _consistency(n, work)
        n_free = work.n_free
        if n_free < 2 or work.chi_square <= chi_square_limit(n_free, settings.chi_z):
            break
        worst, largest = -1, 0.0
        for i in range(n):
            if work.weight[i] > 0.0 and abs(work.normal_residual[i]) > largest:
                worst, largest = i, abs(work.normal_residual[i])
        if worst < 0:
            break
        work.weight[worst] = 0.0
    return 0


@kernel
def _misfit(base_weight, n, work):
    """Bounded-influence sum over all rows, comparable between sets: log(1 + (e / 2 sigma)^2)."""
    total = 0.0
    for i in range(n):
        if base_weight[i] > 0.0:
            e = work.residual[i]
            # A row whose clock is unknown explains nothing: it counts like one 5 sigma off.
            ratio = 0.25 * e * e * base_weight[i] if math.isfinite(e) else 6.25
            total += math.log1p(ratio)
    return total


@kernel
def _drop_most_deviating(n, work):
    """Leave out the row of the largest first residual that has not had its turn; False at the end.

    Several outliers may hide each other from `_remove_worst`; without one of them it finds all.
    """
    worst, largest = -1, 0.0
    for i in range(n):
        if work.w_test[i] > largest:
            worst, largest = i, work.w_test[i]
    if worst < 0:
        return False
    work.w_test[worst] = 0.0
    work.weight[worst] = 0.0
    return True


@kernel
def robust_fit(design, value, base_weight, group, n, settings, work):
    """Three unknowns and one clock per group from rows of which some may be far off.

    design : (n, 3)   value : (n,)   base_weight : (n,) 1/variance, 0 = unusable   group : (n,)
    settings : RobustSettings      work : RobustWork, results in fit.x, fit.clock, weight,
              residual, normal_residual, sigma0, chi_square and n_free
    Returns : int FIT_OK; FIT_SINGULAR (results undefined); FIT_INCONSISTENT (results filled, but
              the rows contradict each other more than the limits allow)
    """
    work.sigma0, work.chi_square, work.n_free, work.n_start = 1.0, 0.0, 0, 0
    _copy_rows(base_weight, n, work.weight)
    _copy_rows(base_weight, n, work.best_weight)
    if _refit(design, value, base_weight, group, n, work) != 0:
        return FIT_SINGULAR
    _consistency(n, work)
    n_free = work.n_free
    if n_free < 1:
        return FIT_OK
    n_start = 1
    if work.chi_square > chi_square_limit(n_free, settings.chi_z):
        n_start = 3 + N_SUSPECT
    for i in range(n):
        work.w_test[i] = abs(work.normal_residual[i]) if base_weight[i] > 0.0 else 0.0
    best = math.inf
    for start in range(n_start):
        _copy_rows(base_weight, n, work.weight)
        if start > 2 and not _drop_most_deviating(n, work):
            break
        if start == 1 or start > 2:
            _remove_worst(design, value, base_weight, group, n, settings, work)
        settled = _reweight(
            design, value, base_weight, group, n, settings, start == 2, start == 0, work
        )
        if settled == 0:
            work.n_start += 1
            misfit = _misfit(base_weight, n, work) if n_start > 1 else 0.0
            # Starts that end at the same place differ by rounding only: the first one keeps it.
            if misfit < best * (1.0 - 1e-6):
                best = misfit
                _copy_rows(work.weight, n, work.best_weight)
    _copy_rows(work.best_weight, n, work.weight)
    if _refit(design, value, base_weight, group, n, work) != 0:
        return FIT_SINGULAR
    _consistency(n, work)
    scale = _robust_scale(base_weight, n, work)
    if work.n_free >= 1:
        scale = max(scale, math.sqrt(work.chi_square / work.n_free))
    work.sigma0 = scale
    return FIT_INCONSISTENT if scale > settings.scale_max else FIT_OK
