"""Ordinary kriging on a few stations: the weights of least variance for an unknown common level.

Legend: work : AroundWork with n stations gathered; matrix (N_STATION, N_STATION) holds covariances
above its diagonal and the Cholesky factor on and below it.
Source: Cressie (1993), Statistics for Spatial Data, sec. 3.2 and 3.6 (filtered kriging: the field
is predicted, not the noisy value a station there would give).
"""

from __future__ import annotations

import math

from rtkpos._jit import kernel
from rtkpos.network.around import INSIDE
from rtkpos.network.covariance import correlation

# Of the sill: two stations at one place without noise would make the matrix singular. Far above
# rounding, so that no pivot of the factor can fail; 1e-5 of the field's sigma.
NUGGET_FLOOR = 1e-9


@kernel
def fill_covariance(n, covariance, work):
    """Covariances between the stations (above the diagonal) and to the point, without noise."""
    for i in range(n):
        work.to_point[i] = covariance.sill_m2 * correlation(work.distance_m[i], covariance)
        for j in range(i + 1, n):
            east, north = work.east_m[j] - work.east_m[i], work.north_m[j] - work.north_m[i]
            distance = math.sqrt(east * east + north * north)
            work.matrix[i, j] = covariance.sill_m2 * correlation(distance, covariance)


@kernel
def weights_variance(n, covariance, work):
    """Variance of the error of work.weight at the point, whatever method gave the weights [m2]."""
    variance = covariance.sill_m2
    diagonal = covariance.sill_m2 + covariance.nugget_m2
    for i in range(n):
        w = work.weight[i]
        variance += w * (w * diagonal - 2.0 * work.to_point[i])
        for j in range(i + 1, n):
            variance += 2.0 * w * work.weight[j] * work.matrix[i, j]
    return max(variance, 0.0)


@kernel
def weight_kriging(n, covariance, work):
    """Weights of ordinary kriging; needs fill_covariance.

    With C the covariance of the values and c that to the point: w = C^-1 (c + mu 1), the multiplier
    mu making the sum 1.
    Returns : int  INSIDE
    """
    _factor(n, covariance, work)
    for i in range(n):
        work.right[i] = work.to_point[i]
        work.unit[i] = 1.0
    _solve(n, work)
    sum_right, sum_unit = 0.0, 0.0
    for i in range(n):
        sum_right += work.right[i]
        sum_unit += work.unit[i]
    multiplier = (1.0 - sum_right) / sum_unit
    for i in range(n):
        work.weight[i] = work.right[i] + multiplier * work.unit[i]
    return INSIDE


@kernel
def _factor(n, covariance, work):
    """Cholesky factor on and below the diagonal of work.matrix."""
    matrix = work.matrix
    nugget = max(covariance.nugget_m2, NUGGET_FLOOR * covariance.sill_m2)
    for j in range(n):
        pivot = covariance.sill_m2 + nugget
        for m in range(j):
            pivot -= matrix[j, m] * matrix[j, m]
        root = math.sqrt(pivot)
        matrix[j, j] = root
        for i in range(j + 1, n):
            value = matrix[j, i]
            for m in range(j):
                value -= matrix[i, m] * matrix[j, m]
            matrix[i, j] = value / root


@kernel
def _solve(n, work):
    """C x = right and C x = unit with the factor, in place, both at once."""
    matrix, right, unit = work.matrix, work.right, work.unit
    for i in range(n):
        for m in range(i):
            right[i] -= matrix[i, m] * right[m]
            unit[i] -= matrix[i, m] * unit[m]
        right[i] /= matrix[i, i]
        unit[i] /= matrix[i, i]
    for i in range(n - 1, -1, -1):
        for m in range(i + 1, n):
            right[i] -= matrix[m, i] * right[m]
            unit[i] -= matrix[m, i] * unit[m]
        right[i] /= matrix[i, i]
        unit[i] /= matrix[i, i]
