"""Decorrelation of float ambiguities: L'DL factorisation and integer reduction.

Index order of everything that comes out: the LAST decorrelated ambiguity (n - 1) is the most
precise and is fixed first; ambiguity k is conditioned on k + 1 .. n - 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos._jit import kernel

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
# Stopping early leaves a valid transformation. GNSS-like n = 40 needs about 300.
SWAPS_PER_SQUARE = 50
# A swap must gain more than rounding can feign.
SWAP_GAIN = 1.0 - 1e-9


class IntegerWorkspace(NamedTuple):
    """Memory of the integer kernels for up to n_max ambiguities; made by `integer_workspace`.

    Filled by `decorrelate`, with z = forward a the decorrelated ambiguities:
    factor_t : (n_max, n_max) [k, i] = L[i, k] for i > k, where forward Q forward' = L' D L
    cond_var : (n_max,) D, variance of z_k given z_(k+1) .. z_(n-1) [cycle^2]
    forward  : (n_max, n_max) integer, determinant +-1; row k gives z_k = forward[k] . a
    backward : (n_max, n_max) integer; a = sum over k of z_k * backward[k]
    Filled by `load_floats`:
    shift    : (n_max,) integers taken off the floats before anything else [cycle]
    floats_z : (n_max,) decorrelated floats of (a - shift) [cycle]
    Scratch of the search: inverse_var, center, residual, step, level_norm, trial (n_max,),
    partial (n_max, n_max + 1), stale (n_max,).
    """

    factor_t: FloatArray
    cond_var: FloatArray
    forward: FloatArray
    backward: FloatArray
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
    return IntegerWorkspace(
        factor_t=np.zeros((n_max, n_max)),
        cond_var=np.zeros(n_max),
        forward=np.zeros((n_max, n_max)),
        backward=np.zeros((n_max, n_max)),
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
    """Copy the lower triangle of cov and its diagonal; forward becomes the identity."""
    factor_t, forward = work.factor_t, work.forward
    for i in range(n):
        for j in range(i + 1):
            value = cov[i, j]
            if not abs(value) < VARIANCE_LIMIT:
                return ILS_BAD_ARGUMENT
            factor_t[i, j] = value
        for j in range(n):
            forward[i, j] = 0.0
        forward[i, i] = 1.0
        work.cond_var[i] = factor_t[i, i]
    return ILS_OK


@kernel
def _swap_rows(matrix, i, j, start, stop):
    """Exchange columns start .. stop - 1 of rows i and j."""
    for col in range(start, stop):
        held = matrix[i, col]
        matrix[i, col] = matrix[j, col]
        matrix[j, col] = held


@kernel
def _exchange_pivot(matrix, pivot, last, n):
    """Exchange pivot and last in a matrix whose lower triangle is symmetric and still to be
    factored (rows up to last) and whose upper triangle holds finished columns of L.
    """
    _swap_rows(matrix, pivot, last, 0, pivot)
    _swap_rows(matrix, pivot, last, last + 1, n)
    held = matrix[pivot, pivot]
    matrix[pivot, pivot] = matrix[last, last]
    matrix[last, last] = held
    for j in range(pivot + 1, last):
        held = matrix[j, pivot]
        matrix[j, pivot] = matrix[last, j]
        matrix[last, j] = held


@kernel
def _factorise(n, a, var, forward):
    """Q = L' D L from the last ambiguity to the first, the most precise left one as pivot.

    a : (n, n) lower triangle of Q; returns with L' above the diagonal    var : (n,) its diagonal
    Pivoting spares most of the swaps of the reduction. Returns a status.
    Source: Chang, Yang, Zhou (2005), MLAMBDA, J. Geodesy 79:552, section 3.2.
    """
    for last in range(n - 1, -1, -1):
        pivot = last
        for i in range(last):
            if a[i, i] < a[pivot, pivot]:
                pivot = i
        if pivot != last:
            _exchange_pivot(a, pivot, last, n)
            _swap_rows(forward, pivot, last, 0, n)
            held = var[pivot]
            var[pivot] = var[last]
            var[last] = held
        # var still holds the variance this ambiguity started from.
        d = a[last, last]
        if not (d > RELATIVE_RANK_LIMIT * var[last] and d > 1.0 / VARIANCE_LIMIT):
            return ILS_NOT_POSITIVE
        var[last] = d
        for i in range(last):
            factor = a[last, i] / d
            a[i, last] = factor
            for j in range(i + 1):
                a[i, j] -= factor * a[last, j]
    return ILS_OK


@kernel
def _subtract_multiple(k, i, mu, n, factor_t, forward, backward):
    """z_k -= mu z_i (i > k): the integer Gauss transformation that brings L[i, k] near 0."""
    factor_t[k, i] -= mu
    for col in range(i + 1, n):
        factor_t[k, col] -= mu * factor_t[i, col]
    for col in range(n):
        forward[k, col] -= mu * forward[i, col]
        backward[i, col] += mu * backward[k, col]


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
        upper = factor_t[j, k]
        lower = factor_t[j, k + 1]
        factor_t[j, k] = lower - low * upper
        factor_t[j, k + 1] = eta * upper + lam * lower
    factor_t[k, k + 1] = lam
    _swap_rows(factor_t, k, k + 1, k + 2, n)


@kernel
def _reduce(n, factor_t, var, forward, backward):
    """Swap and subtract until no neighbour swap makes a later conditional variance smaller.

    Subtractions are done only where a swap follows: the others change neither the conditional
    variances nor the search. The arrays are those of the workspace: handing over the whole of it
    at every swap made this 4 times slower. Returns the number of swaps.
    Source: Xie, Chang, Al Borno (2011), Numerical stability and efficiency of LAMBDA, section 3;
    swap criterion of Teunissen (1995), J. Geodesy 70:65.
    """
    n_swap = 0
    k = n - 2
    while k >= 0 and n_swap < SWAPS_PER_SQUARE * n * n:
        low = factor_t[k, k + 1] - math.floor(factor_t[k, k + 1] + 0.5)
        delta = var[k] + low * low * var[k + 1]
        if delta < SWAP_GAIN * var[k + 1]:
            for i in range(k + 1, n):
                mu = math.floor(factor_t[k, i] + 0.5)
                if mu != 0.0:
                    _subtract_multiple(k, i, mu, n, factor_t, forward, backward)
            _swap_neighbours(k, low, delta, n, factor_t, var)
            _swap_rows(forward, k, k + 1, 0, n)
            _swap_rows(backward, k, k + 1, 0, n)
            n_swap += 1
            k = min(k + 1, n - 2)
        else:
            k -= 1
    return n_swap


@kernel
def _is_exact(n, matrix):
    """Whether all entries are integers that float64 can hold exactly."""
    for i in range(n):
        exact = True
        for j in range(n):
            exact = exact and abs(matrix[i, j]) < INTEGER_LIMIT
        if not exact:
            return False
    return True


@kernel
def decorrelate(cov, n, work):
    """Integer transformation to nearly uncorrelated ambiguities, by the LAMBDA method.

    cov     : (>= n, >= n) ambiguity covariance [cycle^2]; only the lower triangle is read
    n       : int          number of ambiguities, 1 .. size of the workspace
    work    : IntegerWorkspace; factor_t, cond_var, forward, backward are filled
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
    status = _factorise(n, work.factor_t, work.cond_var, work.forward)
    if status != ILS_OK:
        return status
    # So far forward is a permutation, which is its own inverse transpose.
    for i in range(n):
        for j in range(n):
            work.backward[i, j] = work.forward[i, j]
    _reduce(n, work.factor_t, work.cond_var, work.forward, work.backward)
    if not (_is_exact(n, work.forward) and _is_exact(n, work.backward)):
        return ILS_NOT_POSITIVE
    return ILS_OK
