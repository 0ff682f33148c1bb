"""Ordinary kriging on a few stations: the weights of least variance for an unknown common level.

Legend: work : GeometryWork with n stations gathered; matrix (N_STATION, N_STATION) holds
covariances above its diagonal and the Cholesky factor on and below it.
Source: Cressie (1993), Statistics for Spatial Data, sec. 3.2 and 3.6 (filtered kriging: the field
is predicted, not the noisy value a station there would give).

The weights assume a range of at least twice the stations' spacing. A travelling wave decorrelates
within half its length, so that its variogram gives a short range, yet it is far smoother than a
field of that range: with waves of 200 km and stations 70 km apart such weights leave 9 mm, those of
the fitted range 26 mm. A field that really is rough loses nothing by them (bench/interpolation.py).
The variance of the error follows from the true range all the same.
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.network.interpolation.field_covariance import correlation
from rtkpos.network.interpolation.station_geometry import INSIDE

# Of the sill: two stations at one place without noise would make the matrix singular. Far above
# rounding, so that no pivot of the factor can fail; 1e-5 of the field's sigma.
NUGGET_FLOOR = 1e-9
WEIGHT_RANGE = 2.0  # least range of the weights in spacings of the stations; 1.5 to 4 are alike


@kernel
def fill_covariance(n, sill_m2, range_m, smoothness, work):
    """Covariances between the stations (above the diagonal) and to the point, without noise."""
    for i in range(n):
        work.to_point[i] = sill_m2 * correlation(work.distance_m[i], range_m, smoothness)
        for j in range(i + 1, n):
            east, north = work.east_m[j] - work.east_m[i], work.north_m[j] - work.north_m[i]
            distance = math.sqrt(east * east + north * north)
            work.matrix[i, j] = sill_m2 * correlation(distance, range_m, smoothness)


@kernel
def spacing_of(n, work):
    """Mean distance of a station to its nearest neighbour [m], 0 for one station."""
    total = 0.0
    for i in range(n):
        nearest2 = math.inf
        for j in range(n):
            if j != i:
                east, north = work.east_m[j] - work.east_m[i], work.north_m[j] - work.north_m[i]
                nearest2 = min(nearest2, east * east + north * north)
        if n > 1:
            total += math.sqrt(nearest2)
    return total / n


@kernel
def weights_variance(n, covariance, work):
    """Variance of the error of work.weight at the point, whatever method gave the weights [m2].

    Needs fill_covariance with the field's own sill and range.
    """
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
    """Weights of ordinary kriging; leaves the covariances of the field itself in work.

    With C the covariance of the values and c that to the point: w = C^-1 (c + mu 1), the multiplier
    mu making the sum 1. A longer range for the weights comes with the sill that leaves the
    differences of neighbours as large as they are.
    Returns : int  INSIDE
    """
    sill, length, smoothness = covariance.sill_m2, covariance.range_m, covariance.smoothness
    spacing = spacing_of(n, work)
    if length < WEIGHT_RANGE * spacing:
        length = WEIGHT_RANGE * spacing
        sill *= 1.0 - correlation(spacing, covariance.range_m, smoothness)
        sill /= 1.0 - correlation(spacing, length, smoothness)
    fill_covariance(n, sill, length, smoothness, work)
    _factor(n, sill, covariance.nugget_m2, work)
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
    if length > covariance.range_m:
        fill_covariance(n, covariance.sill_m2, covariance.range_m, smoothness, work)
    return INSIDE


@kernel
def _factor(n, sill_m2, nugget_m2, work):
    """Cholesky factor on and below the diagonal of work.matrix."""
    matrix = work.matrix
    diagonal = sill_m2 + max(nugget_m2, NUGGET_FLOOR * sill_m2)
    for j in range(n):
        pivot = diagonal
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
