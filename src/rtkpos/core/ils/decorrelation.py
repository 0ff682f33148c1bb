"""Decorrelation of float ambiguities: L'DL factorisation and integer reduction.

Index order of everything that comes out: the LAST decorrelated ambiguity (n - 1) is the most
precise and is fixed first; ambiguity k is conditioned on k + 1 .. n - 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, ShortArray, row_width
from rtkpos._numba.decorator import kernel
from rtkpos.core.ils.transformations import add_exchange, add_subtraction, begin_steps

ILS_OK = 0
ILS_NOT_POSITIVE = 1  # not positive definite within double precision
ILS_NODE_BOUND = 2  # search given up: the candidates must not be used as a fix
ILS_BAD_ARGUMENT = 3  # size out of range, NaN or infinite input

# A conditional variance this much smaller than the variance it started from is rounding noise:
# the factorisation subtracts up to n numbers of relative error 1.1e-16.
RELATIVE_RANK_LIMIT = 1e-14
# Above it, integers and sums of two of them are no longer exact in float64.
INTEGER_LIMIT = 2.0**52
# Variances outside 1/limit .. limit [cycle^2] could over- or underflow in the reduction.
VARIANCE_LIMIT = 1e100
# The swaps of a reduction are finite in exact arithmetic; rounding must not make them endless.
# Stopping early leaves a valid transformation. Real epochs take 10 to 50 steps per ambiguity.
STEPS_PER_AMBIGUITY = 96
FACTOR_BLOCK = 4  # rows of the factorisation taken off the others at once
# A swap must gain more than rounding can feign.
SWAP_GAIN = 1.0 - 1e-9


class IntegerWorkspace(NamedTuple):
    """Memory of the integer kernels for up to n_max ambiguities; made by `integer_workspace`.

    Filled by `decorrelate`, with z = Z a the decorrelated ambiguities:
    factor_t : (n_max, row_width) [k, i] = L[i, k] for i > k, where Z Q Z' = L' D L
    cond_var : (n_max,) D, variance of z_k given z_(k+1) .. z_(n-1) [cycle^2]
    order, steps, multiple, n_step, growth : Z, unimodular, see `core.ils.transformations`
    Filled by `load_floats`:
    shift    : (n_max,) integers taken off the floats before anything else [cycle]
    floats_z : (n_max,) decorrelated floats of (a - shift) [cycle]
    Scratch of the search: inverse_var, center, residual, step, level_norm, trial (n_max,),
    partial (n_max, n_max + 1), stale (n_max,).
    """

    factor_t: FloatArray
    cond_var: FloatArray
    order: IndexArray
    steps: ShortArray
    multiple: FloatArray
    n_step: int
    growth: FloatArray
    shift: FloatArray
    floats_z: FloatArray
    inverse_var: FloatArray
    center: FloatArray
    residual: FloatArray
    step: FloatArray
    level_norm: FloatArray
    trial: FloatArray
    partial: FloatArray
    stale: IndexArray


def integer_workspace(n_max: int) -> IntegerWorkspace:
    """Workspace for up to n_max ambiguities (raises ValueError below 1)."""
    if n_max < 1:
        raise ValueError(f"integer_workspace: n_max must be at least 1; got {n_max}.")
    vectors = [np.zeros(n_max) for _ in range(8)]
    n_step_max = STEPS_PER_AMBIGUITY * (n_max + 16)
    return IntegerWorkspace(
        factor_t=np.zeros((n_max, row_width(n_max))),
        cond_var=np.zeros(n_max),
        order=np.zeros(n_max, np.int64),
        steps=np.zeros((n_step_max, 2), np.int16),
        multiple=np.zeros(n_step_max),
        n_step=0,
        growth=np.zeros(n_max),
        shift=vectors[0],
        floats_z=vectors[1],
        inverse_var=vectors[2],
        center=vectors[3],
        residual=vectors[4],
        step=vectors[5],
        level_norm=vectors[6],
        trial=vectors[7],
        partial=np.zeros((n_max, n_max + 1)),
        stale=np.zeros(n_max, dtype=np.int64),
    )


@kernel
def _load_covariance(cov, n, work):
    """Copy the lower triangle of cov and its diagonal; the transformation is the identity."""
    n_bad = 0
    for i in range(n):
        row, target = cov[i], work.factor_t[i]
        for j in range(i + 1):
            target[j] = row[j]
            n_bad += not abs(row[j]) < VARIANCE_LIMIT
        work.cond_var[i] = row[i]
        work.center[i] = row[i]
    begin_steps(n, work)
    return ILS_OK if n_bad == 0 else ILS_BAD_ARGUMENT


@kernel
def _swap_rows(matrix, i, j, start, stop):
    """Exchange columns start .. stop - 1 of rows i and j."""
    first, second = matrix[i, start:stop], matrix[j, start:stop]
    for col in range(stop - start):
        held = first[col]
        first[col] = second[col]
        second[col] = held


@kernel
def _swap_entries(vector, i, j):
    """Exchange two entries of a vector."""
    held = vector[i]
    vector[i] = vector[j]
    vector[j] = held


@kernel
def _exchange_pivot(matrix, pivot, last, top, n):
    """Exchange pivot and last in a matrix whose lower triangle is symmetric and still to be
    factored (rows up to last) and whose upper triangle holds finished columns of L. Of the rows
    up to top the lower part is wanted, too.
    """
    _swap_rows(matrix, pivot, last, 0, pivot)
    _swap_rows(matrix, pivot, last, last + 1, n)
    for j in range(pivot + 1, last):
        held = matrix[j, pivot]
        matrix[j, pivot] = matrix[last, j]
        matrix[last, j] = held
    for row in range(last + 1, top + 1):
        _swap_entries(matrix[row], pivot, last)


@kernel
def _choose_pivot(last, top, n, work):
    """Bring the ambiguity of the smallest variance left (work.center) to place last."""
    left = work.center
    pivot = last
    for i in range(last):
        if left[i] < left[pivot]:
            pivot = i
    if pivot != last:
        _exchange_pivot(work.factor_t, pivot, last, top, n)
        _swap_entries(work.cond_var, pivot, last)
        _swap_entries(work.order, pivot, last)
        _swap_entries(left, pivot, last)
    return pivot


@kernel
def _factorise(n, work):
    """Q = L' D L from the last ambiguity to the first, the most precise left one as pivot.

    The lower triangle of work.factor_t holds Q; afterwards L' stands above the diagonal. Rows
    last + 1 .. top are finished but not yet taken off the rows before, except off the diagonal
    (work.center): four are taken off at once. Pivoting spares most of the swaps of the reduction.
    Returns a status. Source: Chang, Yang, Zhou (2005), MLAMBDA, J. Geodesy 79:552, section 3.2.
    """
    a, var, left, top = work.factor_t, work.cond_var, work.center, n - 1
    for last in range(n - 1, -1, -1):
        _choose_pivot(last, top, n, work)
        # var still holds the variance this ambiguity started from.
        d = left[last]
        if not (d > RELATIVE_RANK_LIMIT * var[last] and d > 1.0 / VARIANCE_LIMIT):
            return ILS_NOT_POSITIVE
        var[last] = d
        row = a[last]
        for done in range(top, last, -1):
            source, factor = a[done], row[done]
            for j in range(last):
                row[j] -= factor * source[j]
        for i in range(last):
            factor = row[i] / d
            a[i, last] = factor
            left[i] -= factor * row[i]
        if top - last + 1 == FACTOR_BLOCK:
            _take_block_off(last, a)
            top = last - 1
    return ILS_OK


@kernel
def _take_block_off(last, a):
    """Take the finished rows last .. last + 3 off the lower triangle of those before."""
    s0, s1, s2, s3 = a[last], a[last + 1], a[last + 2], a[last + 3]
    for i in range(last):
        row = a[i]
        f0, f1, f2, f3 = row[last], row[last + 1], row[last + 2], row[last + 3]
        for j in range(i):
            row[j] = row[j] - f3 * s3[j] - f2 * s2[j] - f1 * s1[j] - f0 * s0[j]
    return 0


@kernel
def _round_row(k, n, work):
    """z_k -= mu z_i for all i > k: the integer Gauss transformations that bring L[i, k] near 0."""
    row = work.factor_t[k, k + 1 : n]
    length = n - k - 1
    for place in range(length):
        if abs(row[place]) < 0.5:
            continue
        mu = np.floor(row[place] + 0.5)
        if mu == 0.0:
            continue
        row[place] -= mu
        source = work.factor_t[k + 1 + place, k + 1 : n]
        for col in range(place + 1, length):
            row[col] -= mu * source[col]
        add_subtraction(k, k + 1 + place, mu, work)
    return 0


@kernel
def _swap_neighbours(k, low, delta, n, factor_t, var):
    """Exchange z_k and z_(k+1) in L and D; low = L[k+1, k], delta = D[k] + low^2 D[k+1].

    Source: de Jonge & Tiberius (1996), LGR-Series 12, section 3.4 (re-ordering).
    """
    eta = var[k] / delta
    lam = var[k + 1] * low / delta
    var[k] = eta * var[k + 1]
    var[k + 1] = delta
    for j in range(k):
        row = factor_t[j]
        upper, lower = row[k], row[k + 1]
        row[k] = lower - low * upper
        row[k + 1] = eta * upper + lam * lower
    factor_t[k, k + 1] = lam
    _swap_rows(factor_t, k, k + 1, k + 2, n)


@kernel
def _reduce(n, work):
    """Swap and subtract until no neighbour swap makes a later conditional variance smaller.

    Subtractions are done only where a swap follows: the others change neither the conditional
    variances nor the search. Returns the number of swaps; ends early when the list of steps is
    full.
    Source: Xie, Chang, Al Borno (2011), Numerical stability and efficiency of LAMBDA, section 3;
    swap criterion of Teunissen (1995), J. Geodesy 70:65.
    """
    factor_t, var = work.factor_t, work.cond_var
    n_swap = 0
    k = n - 2
    while k >= 0 and work.n_step + n < work.multiple.shape[0]:
        row = factor_t[k]
        low = row[k + 1] - np.floor(row[k + 1] + 0.5)
        delta = var[k] + low * low * var[k + 1]
        if delta < SWAP_GAIN * var[k + 1]:
            _round_row(k, n, work)
            _swap_neighbours(k, low, delta, n, factor_t, var)
            add_exchange(k, work)
            n_swap += 1
            k = min(k + 1, n - 2)
        else:
            k -= 1
    return n_swap


@kernel
def decorrelate(cov, n, work):
    """Integer transformation to nearly uncorrelated ambiguities, by the LAMBDA method.

    cov     : (>= n, >= n) ambiguity covariance [cycle^2]; only the lower triangle is read
    n       : int          number of ambiguities, 1 .. size of the workspace
    work    : IntegerWorkspace; factor_t, cond_var and the steps of Z are filled
    Returns : int          ILS_OK, ILS_NOT_POSITIVE (also: too singular for exact integers in
                           float64), ILS_BAD_ARGUMENT (n out of range, NaN, infinite)

    The last decorrelated ambiguity is the most precise; see `IntegerWorkspace` for the rest.
    Source: Teunissen (1995), The least-squares ambiguity decorrelation adjustment, J. Geodesy
    70:65; Chang, Yang, Zhou (2005), J. Geodesy 79:552.
    """
    if n < 1 or n > work.cond_var.shape[0] or n > cov.shape[0] or n > cov.shape[1]:
        return ILS_BAD_ARGUMENT
    status = _load_covariance(cov, n, work)
    if status != ILS_OK:
        return status
    status = _factorise(n, work)
    if status != ILS_OK:
        return status
    _reduce(n, work)
    for k in range(n):
        if not work.growth[k] < INTEGER_LIMIT:
            return ILS_NOT_POSITIVE
    return ILS_OK
