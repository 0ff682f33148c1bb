"""Integer least squares: depth-first search for the nearest integer vectors."""

from __future__ import annotations

import math

import numpy as np

from rtkpos._numba.decorator import kernel
from rtkpos.core.ils.decorrelation import (
    ILS_BAD_ARGUMENT,
    ILS_NODE_BOUND,
    ILS_NOT_POSITIVE,
    ILS_OK,
    INTEGER_LIMIT,
    IntegerWorkspace,
    decorrelate,
    integer_workspace,
)
from rtkpos.core.ils.transformations import from_decorrelated, to_decorrelated
from rtkpos.core.linear.dot import dot

__all__ = [
    "ILS_BAD_ARGUMENT",
    "ILS_NODE_BOUND",
    "ILS_NOT_POSITIVE",
    "ILS_OK",
    "IntegerWorkspace",
    "conditional_floats",
    "decorrelate",
    "integer_least_squares",
    "integer_workspace",
    "load_floats",
    "search",
]


@kernel
def load_floats(floats, n, work):
    """Decorrelated floats of a vector; `decorrelate` must have returned ILS_OK for its n.

    floats  : (>= n,) float ambiguities [cycle]
    work    : IntegerWorkspace; shift = nearest integers, floats_z = Z (floats - shift)
    Returns : int     ILS_OK, or ILS_BAD_ARGUMENT for NaN, infinite or above 2^52 cycles

    The integers are taken off first, so that large ambiguities cost no digits and adding
    integers to the floats gives exactly the same search.
    """
    if n < 1 or n > work.cond_var.shape[0] or n > floats.shape[0]:
        return ILS_BAD_ARGUMENT
    for i in range(n):
        if not abs(floats[i]) < INTEGER_LIMIT:
            return ILS_BAD_ARGUMENT
        work.shift[i] = math.floor(floats[i] + 0.5)
        work.trial[i] = floats[i] - work.shift[i]
    to_decorrelated(n, work.trial, work, work.floats_z)
    return ILS_OK


@kernel
def _conditional_sum(k, factor_t, residual, partial, stale):
    """Sum over the levels i above k of L[i, k] residual[i]: what they move the centre of k by.

    Only the part that changed since the last visit is redone, from stale[k] downwards.
    Source: Ghasemmehdi & Agrell (2011), Faster recursions in sphere decoding, IEEE Transactions
    on Information Theory 57:3530.
    """
    start = stale[k]
    total = partial[k, start + 1]
    for i in range(start, k, -1):
        total += factor_t[k, i] * residual[i]
        partial[k, i] = total
    if k > 0:
        stale[k - 1] = max(stale[k - 1], start)
    stale[k] = k
    return total


@kernel
def _store_candidate(slot, norm, first, n, trial, out_candidates, out_norms):
    """Write the trial integers of the levels first .. n - 1 to one row."""
    out_norms[slot] = norm
    for i in range(first, n):
        out_candidates[slot, i] = trial[i]


@kernel
def _worst_slot(n_candidate, norms):
    """Index of the largest of the first n_candidate norms."""
    worst = 0
    for slot in range(1, n_candidate):
        if norms[slot] > norms[worst]:
            worst = slot
    return worst


@kernel
def _sort_candidates(n_candidate, first, n, out_candidates, out_norms):
    """Order the rows by norm, smallest first (selection sort: a handful of rows)."""
    for end in range(n_candidate - 1, 0, -1):
        worst = _worst_slot(end + 1, out_norms)
        if worst != end:
            held = out_norms[worst]
            out_norms[worst] = out_norms[end]
            out_norms[end] = held
            for i in range(first, n):
                held = out_candidates[worst, i]
                out_candidates[worst, i] = out_candidates[end, i]
                out_candidates[end, i] = held


@kernel
def _clear_outputs(n_candidate, n, out_candidates, out_norms):
    """NaN in what this call is going to fill."""
    for slot in range(n_candidate):
        out_norms[slot] = np.nan
        for i in range(n):
            out_candidates[slot, i] = np.nan


@kernel
def _walk_tree(first, n, n_candidate, n_node_max, work, out_candidates, out_norms):
    """Depth-first walk with shrinking bound; returns the number of candidates found, or -1.

    Every level tries its integers in the order of distance from its centre (Schnorr & Euchner
    1994). The bound is the largest norm kept once there are n_candidate of them, infinite
    before. -1 says that n_node_max nodes did not suffice.
    """
    factor_t, inverse_var, stale, partial = (
        work.factor_t,
        work.inverse_var,
        work.stale,
        work.partial,
    )
    center, trial, residual, step = work.center, work.trial, work.residual, work.step
    floats_z, level_norm = work.floats_z, work.level_norm
    top = n - 1
    for i in range(first, n):
        inverse_var[i] = 1.0 / work.cond_var[i]
        stale[i] = top
        partial[i, n] = 0.0
    n_found, worst, bound, norm = 0, 0, math.inf, 0.0
    k, descend = top, True
    for _ in range(n_node_max):
        if descend:
            if k < top:
                stale[k] = max(stale[k], k + 1)
            center[k] = floats_z[k] + _conditional_sum(k, factor_t, residual, partial, stale)
            level_norm[k] = norm
            trial[k] = math.floor(center[k] + 0.5)
            step[k] = 1.0 if center[k] > trial[k] else -1.0
        else:
            trial[k] += step[k]
            step[k] = -step[k] - math.copysign(1.0, step[k])
        residual[k] = trial[k] - center[k]
        norm = level_norm[k] + residual[k] * residual[k] * inverse_var[k]
        descend = norm < bound and k > first
        if descend:
            k -= 1
        elif norm < bound:
            slot = worst if n_found == n_candidate else n_found
            _store_candidate(slot, norm, first, n, trial, out_candidates, out_norms)
            n_found = min(n_found + 1, n_candidate)
            if n_found == n_candidate:
                worst = _worst_slot(n_candidate, out_norms)
                bound = out_norms[worst]
        elif k == top:
            return n_found
        else:
            k += 1
    return -1


@kernel
def search(first, n, n_candidate, n_node_max, work, out_candidates, out_norms):
    """Nearest integer vectors of the decorrelated ambiguities first .. n - 1.

    Needs `decorrelate` and `load_floats` before, both ILS_OK. first = 0 searches all; a larger
    first leaves out the least precise ones, whose values then stay real (partial fixing,
    Teunissen et al. 1999; Verhagen et al. 2011).
    n_candidate    : int  how many, >= 1        n_node_max : int  work bound, >= 1
    out_candidates : (>= n_candidate, >= n) integers z of the decorrelated (a - shift), so that
                     Z a = z + Z shift; NaN below first
    out_norms      : (>= n_candidate,) squared norms in the metric of the subset, ascending
    Returns        : int  ILS_OK, ILS_NODE_BOUND (do not use), ILS_BAD_ARGUMENT

    Source: de Jonge & Tiberius (1996), LGR-Series 12, chapter 4; Chang, Yang, Zhou (2005).
    """
    if first < 0 or first >= n or n > work.cond_var.shape[0] or n_candidate < 1:
        return ILS_BAD_ARGUMENT
    if n_candidate > out_norms.shape[0] or n_candidate > out_candidates.shape[0]:
        return ILS_BAD_ARGUMENT
    if n > out_candidates.shape[1] or n_node_max < 1:
        return ILS_BAD_ARGUMENT
    _clear_outputs(n_candidate, n, out_candidates, out_norms)
    n_found = _walk_tree(first, n, n_candidate, n_node_max, work, out_candidates, out_norms)
    if n_found < n_candidate:
        return ILS_NODE_BOUND
    _sort_candidates(n_candidate, first, n, out_candidates, out_norms)
    return ILS_OK


@kernel
def _to_original(n, work, out_row):
    """Replace decorrelated values of (a - shift) by the original a, in place."""
    from_decorrelated(n, out_row, work, work.trial)
    for i in range(n):
        out_row[i] = work.shift[i] + work.trial[i]


@kernel
def conditional_floats(first, n, fixed_z, work, out_floats):
    """Original ambiguities given that the decorrelated ones first .. n - 1 are fixed.

    fixed_z    : (>= n,) a row of `search`; entries below first are not read
    out_floats : (>= n,) a + Q_az Q_zz^-1 (fixed_z - z) [cycle]; integers if first = 0

    With residual e of L' e = fixed_z - z the others follow as z_k + sum of L[i, k] e_i, i >= first.
    """
    for k in range(n - 1, -1, -1):
        start = max(k + 1, first)
        conditional = work.floats_z[k]
        conditional += dot(work.factor_t[k, start:n], work.residual[start:n], n - start)
        out_floats[k] = conditional
        if k >= first:
            out_floats[k] = fixed_z[k]
            work.residual[k] = fixed_z[k] - conditional
    _to_original(n, work, out_floats)


@kernel
def integer_least_squares(cov, floats, n, n_candidate, n_node_max, work, out_candidates, out_norms):
    """The n_candidate integer vectors z nearest to the floats a in (a - z)' Q^-1 (a - z).

    cov            : (>= n, >= n) covariance Q [cycle^2], lower triangle read
    floats         : (>= n,) float ambiguities a [cycle], below 2^52 in size
    n              : int  number of ambiguities, 1 .. size of the workspace
    n_candidate    : int  >= 1            n_node_max : int  >= 1, bounds the time
    work           : IntegerWorkspace; holds the decorrelation afterwards, for `search` of a subset
    out_candidates : (>= n_candidate, >= n) integers, nearest first; NaN if the status is not 0
    out_norms      : (>= n_candidate,) squared norms, ascending; NaN if the status is not 0
    Returns        : int  ILS_OK 0, ILS_NOT_POSITIVE 1, ILS_NODE_BOUND 2, ILS_BAD_ARGUMENT 3
                     (at 3 for sizes the outputs are not touched)

    Source: Teunissen (1995), J. Geodesy 70:65; de Jonge & Tiberius (1996), LGR-Series 12;
    Chang, Yang, Zhou (2005), J. Geodesy 79:552.
    """
    if n < 1 or n_candidate < 1 or n > out_candidates.shape[1]:
        return ILS_BAD_ARGUMENT
    if n_candidate > out_norms.shape[0] or n_candidate > out_candidates.shape[0]:
        return ILS_BAD_ARGUMENT
    _clear_outputs(n_candidate, n, out_candidates, out_norms)
    status = decorrelate(cov, n, work)
    if status == ILS_OK:
        status = load_floats(floats, n, work)
    if status == ILS_OK:
        status = search(0, n, n_candidate, n_node_max, work, out_candidates, out_norms)
    if status != ILS_OK:
        _clear_outputs(n_candidate, n, out_candidates, out_norms)
        return status
    for slot in range(n_candidate):
        _to_original(n, work, out_candidates[slot])
    return ILS_OK
