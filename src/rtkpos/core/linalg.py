"""Small dense symmetric algebra in place: Cholesky, triangular solves, rank-one updates.

Matrices may be larger than n; only the leading n x n block is touched. None of it allocates.
"""

from __future__ import annotations

import math

from rtkpos._jit import kernel

LINALG_OK = 0
LINALG_NOT_POSITIVE = 1
# A pivot this much smaller than the diagonal element it came from is rounding noise.
RELATIVE_RANK_LIMIT = 1e-14


@kernel
def cholesky_lower(a, n):
    """Replace the lower triangle of a by its Cholesky factor, a = L L'.

    a       : (>= n, >= n) symmetric, only the lower triangle is read and written
    Returns : int  LINALG_OK, or LINALG_NOT_POSITIVE (also for NaN, infinite and numerically
                   singular input); a is then partly overwritten
    """
    for col in range(n):
        start = a[col, col]
        pivot = start
        for k in range(col):
            pivot -= a[col, k] * a[col, k]
        if not (start < math.inf and pivot > 0.0 and pivot > RELATIVE_RANK_LIMIT * start):
            return LINALG_NOT_POSITIVE
        root = math.sqrt(pivot)
        a[col, col] = root
        for row in range(col + 1, n):
            total = a[row, col]
            for k in range(col):
                total -= a[row, k] * a[col, k]
            a[row, col] = total / root
    return LINALG_OK


@kernel
def solve_lower(lower, n, x):
    """x := L^-1 x for a lower triangular L; x : (>= n,)."""
    for row in range(n):
        total = x[row]
        for k in range(row):
            total -= lower[row, k] * x[k]
        x[row] = total / lower[row, row]


@kernel
def solve_lower_transposed(lower, n, x):
    """x := L'^-1 x for a lower triangular L; x : (>= n,)."""
    for row in range(n - 1, -1, -1):
        solved = x[row] / lower[row, row]
        x[row] = solved
        for k in range(row):
            x[k] -= lower[row, k] * solved


@kernel
def solve_cholesky(lower, n, x):
    """x := (L L')^-1 x with the factor of `cholesky_lower`; x : (>= n,)."""
    solve_lower(lower, n, x)
    solve_lower_transposed(lower, n, x)


@kernel
def invert_cholesky(lower, n, out_inverse):
    """Full symmetric inverse (L L')^-1; out_inverse : (>= n, >= n), not the memory of lower."""
    for row in range(n):
        for col in range(n):
            out_inverse[row, col] = 0.0
        out_inverse[row, row] = 1.0
        # Row and column are the same by symmetry, and a row is contiguous.
        solve_cholesky(lower, n, out_inverse[row])
    for row in range(n):
        for col in range(row):
            mean = 0.5 * (out_inverse[row, col] + out_inverse[col, row])
            out_inverse[row, col] = mean
            out_inverse[col, row] = mean


@kernel
def symmetric_rank_one(a, n, factor, x):
    """a += factor x x', both triangles, exactly symmetric if a was; x : (>= n,)."""
    for row in range(n):
        scaled = factor * x[row]
        for col in range(row):
            value = a[row, col] + scaled * x[col]
            a[row, col] = value
            a[col, row] = value
        a[row, row] += scaled * x[row]


@kernel
def multiply_symmetric(a, n, x, out_product):
    """out_product := a x; a : (>= n, >= n), x and out_product : (>= n,), not the same memory."""
    for row in range(n):
        total = 0.0
        for col in range(n):
            total += a[row, col] * x[col]
        out_product[row] = total


@kernel
def quadratic_form(lower, n, x):
    """x' (L L')^-1 x with the factor of `cholesky_lower`; x : (>= n,) is overwritten."""
    solve_lower(lower, n, x)
    total = 0.0
    for row in range(n):
        total += x[row] * x[row]
    return total
