"""Updates of the covariance put together: one pass over it for several observations.

Observations are still taken one at a time, each tested against what all before it have taught. Of
an accepted one only its vector P H' and its variance are kept; the next one's P H' is that of the
old covariance less what the kept ones take from it (Bierman 1977, Factorization Methods, ch. V,
with the subtraction postponed). After N_PENDING of them all are subtracted at once, so that the
covariance is read and written once instead of N_PENDING times.

work : EpochWork, with pending (N_PENDING, N) vectors P H', pending_var (N_PENDING,) variances
state : FilterState, cov (N, N) with valid fixed states' rows and lower triangle
"""

from __future__ import annotations

from rtkpos._numba.decorator import fused_kernel, kernel
from rtkpos.estimate.baseline.epoch_work import N_FIXED_STATE, N_PENDING

TILE = 8  # rows and columns that are mirrored together: a line of the cache each


@kernel
def take_pending_off(vector_times, index, n, work, out_ph):
    """Take what kept update `index` changes off a vector P H' of the covariance before it.

    vector_times : H times work.pending[index]      n : states      out_ph : (N,)
    """
    kept = work.pending[index]
    factor = vector_times / work.pending_var[index]
    for j in range(n):
        out_ph[j] -= factor * kept[j]
    return 0


@kernel
def keep_update(state, innovation, variance, work):
    """Update the states, and keep what the covariance needs for later.

    work.pending[n_pending] must hold P H'      innovation [m]      variance : H P H' + R [m^2]
    Returns : int, updates that are kept now
    """
    n_pending = work.n_pending
    kept = work.pending[n_pending]
    factor = innovation / variance
    for j in range(state.n_state):
        state.state[j] += kept[j] * factor
    work.pending_var[n_pending] = variance
    work.n_pending = n_pending + 1
    if n_pending + 1 == N_PENDING:
        subtract_pending(state, work)
    return work.n_pending


@kernel
def subtract_pending(state, work):
    """Bring the covariance (fixed states' rows, lower triangle) up to date; nothing is kept."""
    n, n_pending = state.n_state, work.n_pending
    if n_pending == 0:
        return 0
    for index in range(n_pending, N_PENDING):
        unused = work.pending[index]
        work.pending_var[index] = 1.0
        for j in range(n):
            unused[j] = 0.0
    for j in range(n):
        end = n if j < N_FIXED_STATE else j + 1
        subtract_products(j, end, work.pending, work.pending_var, state.cov[j])
    work.n_pending = 0
    return n_pending


@fused_kernel
def subtract_products(j, end, vectors, variances, out_row):
    """Row j of a covariance less the products of eight vectors: out -= sum v[j] / var v.

    vectors : (8, N)      variances : (8,)      out_row : (>= end,)
    Fused multiply-add rounds once where two operations round twice; NaN and infinity stay.
    """
    v0, v1, v2, v3 = vectors[0], vectors[1], vectors[2], vectors[3]
    v4, v5, v6, v7 = vectors[4], vectors[5], vectors[6], vectors[7]
    g0, g1 = v0[j] / variances[0], v1[j] / variances[1]
    g2, g3 = v2[j] / variances[2], v3[j] / variances[3]
    g4, g5 = v4[j] / variances[4], v5[j] / variances[5]
    g6, g7 = v6[j] / variances[6], v7[j] / variances[7]
    for k in range(end):
        first = out_row[k] - g0 * v0[k] - g1 * v1[k] - g2 * v2[k] - g3 * v3[k]
        out_row[k] = first - (g4 * v4[k] + g5 * v5[k] + g6 * v6[k] + g7 * v7[k])
    return 0


@kernel
def mirror_lower(cov, first_row, first_column, n):
    """Copy the lower triangle of rows first_row .. n - 1, from first_column on, to the upper one.

    cov : (>= n, >= n)      Tile by tile, so that rows and columns stay in the cache.
    """
    for top in range(first_row, n, TILE):
        end = min(top + TILE, n)
        for left in range(first_column, end, TILE):
            for j in range(top, end):
                row = cov[j]
                for k in range(left, min(left + TILE, j)):
                    cov[k, j] = row[k]
    return 0
