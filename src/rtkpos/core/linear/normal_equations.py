"""Least squares for three unknowns and one free clock per group, by elimination of the clocks.

Model of row i: value_i = design_i . x + clock[group_i] + noise of variance 1 / weight_i.
Taking the weighted mean of each group off its rows leaves 3x3 normal equations, whatever the
number of groups. Source: Dach et al. (2015), Bernese GNSS Software 5.2, ch. 9 (pre-elimination).
A group of one row determines its own clock and nothing else, as it must.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos._numba.decorator import kernel

ONE_GROUP = 0  # the group of all rows where they share one clock
N_GROUP_MAX = 24  # systems for one receiver, pairs of signal codes between two
PIVOT_MIN = 1e-10  # of the trace: below it the geometry is singular for every practical use


class ClockFreeFit(NamedTuple):
    """What `fit_clock_free` fills.

    x : (3,)      cofactor : (3, 3) inverse of the reduced normal matrix
    clock : (N_GROUP_MAX,) NaN for an empty group      weight_sum : (N_GROUP_MAX,)
    mean_design : (N_GROUP_MAX, 3)      mean_value : (N_GROUP_MAX,)      right : (3,)
    """

    x: FloatArray
    cofactor: FloatArray
    clock: FloatArray
    weight_sum: FloatArray
    mean_design: FloatArray
    mean_value: FloatArray
    right: FloatArray


def clock_free_fit() -> ClockFreeFit:
    """Zeroed arrays for `fit_clock_free`."""
    return ClockFreeFit(
        np.zeros(3),
        np.zeros((3, 3)),
        np.zeros(N_GROUP_MAX),
        np.zeros(N_GROUP_MAX),
        np.zeros((N_GROUP_MAX, 3)),
        np.zeros(N_GROUP_MAX),
        np.zeros(3),
    )


@kernel
def invert_spd3(matrix, out_inverse):
    """Inverse of a symmetric positive definite 3x3 matrix by Cholesky factors.

    matrix, out_inverse : (3, 3), may be the same array
    Returns : int 0; 1 when a pivot is below PIVOT_MIN of the trace (out_inverse untouched).
    """
    limit = PIVOT_MIN * (matrix[0, 0] + matrix[1, 1] + matrix[2, 2])
    if not limit > 0.0 or not matrix[0, 0] > limit:
        return 1
    l00 = math.sqrt(matrix[0, 0])
    l10, l20 = matrix[1, 0] / l00, matrix[2, 0] / l00
    pivot = matrix[1, 1] - l10 * l10
    if not pivot > limit:
        return 1
    l11 = math.sqrt(pivot)
    l21 = (matrix[2, 1] - l20 * l10) / l11
    pivot = matrix[2, 2] - l20 * l20 - l21 * l21
    if not pivot > limit:
        return 1
    l22 = math.sqrt(pivot)
    m00, m11, m22 = 1.0 / l00, 1.0 / l11, 1.0 / l22
    m10 = -l10 * m00 * m11
    m20 = -(l20 * m00 + l21 * m10) * m22
    m21 = -l21 * m11 * m22
    out_inverse[0, 0] = m00 * m00 + m10 * m10 + m20 * m20
    out_inverse[1, 0] = out_inverse[0, 1] = m11 * m10 + m21 * m20
    out_inverse[2, 0] = out_inverse[0, 2] = m22 * m20
    out_inverse[1, 1] = m11 * m11 + m21 * m21
    out_inverse[2, 1] = out_inverse[1, 2] = m22 * m21
    out_inverse[2, 2] = m22 * m22
    return 0


@kernel
def group_means(design, value, weight, group, n, out_fit):
    """Weighted means of value and design by group; rows of weight 0 are left out.

    design : (n, 3)   value, weight, group : (n,)   out_fit : ClockFreeFit (means, weight_sum)
    Returns : int  number of groups with at least one row
    """
    for g in range(out_fit.weight_sum.shape[0]):
        out_fit.weight_sum[g] = 0.0
        out_fit.mean_value[g] = 0.0
        for k in range(3):
            out_fit.mean_design[g, k] = 0.0
    for i in range(n):
        w = weight[i]
        if w > 0.0:
            g = group[i]
            mean = out_fit.mean_design[g]
            out_fit.weight_sum[g] += w
            out_fit.mean_value[g] += w * value[i]
            mean[0] += w * design[i, 0]
            mean[1] += w * design[i, 1]
            mean[2] += w * design[i, 2]
    n_group = 0
    for g in range(out_fit.weight_sum.shape[0]):
        total = out_fit.weight_sum[g]
        if total > 0.0:
            n_group += 1
            out_fit.mean_value[g] /= total
            for k in range(3):
                out_fit.mean_design[g, k] /= total
    return n_group


@kernel
def sum_products(design, value, weight, group, n, out_fit):
    """Normal matrix (lower triangle, in cofactor) and right side of rows less their group's means.

    design : (n, 3)   value, weight, group : (n,)   out_fit : ClockFreeFit with its means
    The sums are variables of their own: sums in memory would wait for each other's stores.
    """
    n00, n10, n11, n20, n21, n22 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    r0, r1, r2 = 0.0, 0.0, 0.0
    for i in range(n):
        w = weight[i]
        if w > 0.0:
            g = group[i]
            mean = out_fit.mean_design[g]
            a0, a1, a2 = design[i, 0] - mean[0], design[i, 1] - mean[1], design[i, 2] - mean[2]
            y = w * (value[i] - out_fit.mean_value[g])
            n00 += w * a0 * a0
            n10 += w * a1 * a0
            n11 += w * a1 * a1
            n20 += w * a2 * a0
            n21 += w * a2 * a1
            n22 += w * a2 * a2
            r0 += a0 * y
            r1 += a1 * y
            r2 += a2 * y
    normal, right = out_fit.cofactor, out_fit.right
    normal[0, 0], normal[1, 0], normal[1, 1] = n00, n10, n11
    normal[2, 0], normal[2, 1], normal[2, 2] = n20, n21, n22
    right[0], right[1], right[2] = r0, r1, r2
    return 0


@kernel
def fit_clock_free(design, value, weight, group, n, out_fit):
    """Weighted least squares of three unknowns and one clock per group.

    design : (n, 3)   value : (n,)   weight : (n,) 1/variance, 0 = left out   group : (n,) int
    out_fit : ClockFreeFit
    Returns : int 0; 1 singular geometry (x, clock NaN)
    """
    group_means(design, value, weight, group, n, out_fit)
    sum_products(design, value, weight, group, n, out_fit)
    normal, right = out_fit.cofactor, out_fit.right
    if invert_spd3(normal, normal) != 0:
        for k in range(3):
            out_fit.x[k] = math.nan
        for g in range(out_fit.clock.shape[0]):
            out_fit.clock[g] = math.nan
        return 1
    for k in range(3):
        out_fit.x[k] = normal[k, 0] * right[0] + normal[k, 1] * right[1] + normal[k, 2] * right[2]
    for g in range(out_fit.clock.shape[0]):
        if out_fit.weight_sum[g] > 0.0:
            mean = out_fit.mean_design[g]
            shift = mean[0] * out_fit.x[0] + mean[1] * out_fit.x[1] + mean[2] * out_fit.x[2]
            out_fit.clock[g] = out_fit.mean_value[g] - shift
        else:
            out_fit.clock[g] = math.nan
    return 0


@kernel
def prediction_variance(design, i, g, fit):
    """Variance of the fitted value of row i of group g, in units of 1 / weight.

    design : (n, 3)   fit : ClockFreeFit of the same rows
    Returns : float   infinite when the group is empty (its clock is unknown)
    """
    total = fit.weight_sum[g]
    if not total > 0.0:
        return math.inf
    a0 = design[i, 0] - fit.mean_design[g, 0]
    a1 = design[i, 1] - fit.mean_design[g, 1]
    a2 = design[i, 2] - fit.mean_design[g, 2]
    q = fit.cofactor
    form = q[0, 0] * a0 * a0 + q[1, 1] * a1 * a1 + q[2, 2] * a2 * a2
    form += 2.0 * (q[1, 0] * a0 * a1 + q[2, 0] * a0 * a2 + q[2, 1] * a1 * a2)
    return form + 1.0 / total
