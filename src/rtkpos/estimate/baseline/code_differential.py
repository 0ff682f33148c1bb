"""Code differential position: a robust fit over single differences, and its rows.

`counts` : (n_counter,) counters of the run, the COUNT_* slots of `prepare.slips`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos._numba.decorator import kernel
from rtkpos.estimate.baseline.epoch_work import N_ROW
from rtkpos.estimate.robust import (
    FIT_INCONSISTENT,
    FIT_OK,
    RobustWork,
    robust_fit,
    robust_work,
)
from rtkpos.prepare.slips import COUNT_CODE_REJECTED

CODE_SHARE = 0.05  # of an independent sample, from which a repeated code is worth its update


class FitRows(NamedTuple):
    """Rows of a robust fit over (satellite, band): design, value, weight, group, and owners."""

    design: FloatArray
    value: FloatArray
    weight: FloatArray
    group: IndexArray
    satellite: IndexArray
    band: IndexArray
    fit: RobustWork


def fit_rows() -> FitRows:
    """Rows for every pair of an epoch."""
    index = [np.zeros(N_ROW, np.int64) for _ in range(3)]
    value, weight = np.zeros(N_ROW), np.zeros(N_ROW)
    return FitRows._make([np.zeros((N_ROW, 3)), value, weight, *index, robust_work(N_ROW)])


@kernel
def add_row(n, i, band, value, weight, group, work, rows):
    """Enter one row with the rover's line of sight; returns n + 1."""
    for k in range(3):
        rows.design[n, k] = -work.los[i, k]
    rows.value[n] = value
    rows.weight[n] = weight
    rows.group[n] = group
    rows.satellite[n] = i
    rows.band[n] = band
    return n + 1


@kernel
def fit_codes(work, robust, rows, counts):
    """Robust differential position from all single-difference codes, one clock per pair group.

    work : EpochWork; code_weight is filled with the robust weights (0 = excluded)
    rows : FitRows; the correction to the linearisation point [m] is in rows.fit.fit.x
    Returns : int, codes used; 0 when there is no solution
    """
    n = 0
    for i in range(work.n_sat):
        for band in range(work.sd_code_m.shape[1]):
            work.code_weight[i, band] = 0.0
            value = work.sd_code_m[i, band]
            if work.group[i, band] >= 0 and not math.isnan(value):
                weight = 1.0 / work.var_code_m2[i, band]
                n = add_row(n, i, band, value, weight, work.group[i, band], work, rows)
    if n < 4:
        return 0
    status = robust_fit(rows.design, rows.value, rows.weight, rows.group, n, robust, rows.fit)
    if status != FIT_OK and status != FIT_INCONSISTENT:
        return 0
    # Where all codes are noisier than assumed, the weights say so.
    scale = 1.0 / max(rows.fit.sigma0, 1.0) ** 2
    used = 0
    for k in range(n):
        weight = rows.fit.weight[k]
        work.code_weight[rows.satellite[k], rows.band[k]] = weight * scale
        if weight > 0.0:
            used += 1
        else:
            counts[COUNT_CODE_REJECTED] += 1
    return used


@kernel
def code_residual_rms(work, rows):
    """RMS of the residuals of the codes `fit_codes` used [m]; NaN when it used none.

    work : EpochWork with sd_code_m (M, B)      rows : FitRows as `fit_codes` left them
    """
    k, used, total = 0, 0, 0.0
    for i in range(work.n_sat):
        for band in range(work.sd_code_m.shape[1]):
            if work.group[i, band] < 0 or math.isnan(work.sd_code_m[i, band]):
                continue
            if rows.fit.weight[k] > 0.0:
                total += rows.fit.residual[k] ** 2
                used += 1
            k += 1
    return math.sqrt(total / used) if used else math.nan


@kernel
def clock_of_first_code(work, rows):
    """Clock difference [m] of the first code `fit_codes` used; NaN when it used none.

    A pair group whose codes were all excluded has no clock.
    """
    for i in range(work.n_sat):
        for band in range(work.code_weight.shape[1]):
            if work.code_weight[i, band] > 0.0:
                return rows.fit.fit.clock[work.group[i, band]]
    return math.nan


@kernel
def thin_repeated_codes(work, state, time_ns, settings):
    """Take weight off codes whose multipath was already heard at the previous epoch.

    For a constant observed through first-order Gauss-Markov noise of correlation rho, each further
    sample is worth (1 - rho) / (1 + rho) of an independent one (Priestley 1981, sec. 5.3.2). A code
    counts in full when its ambiguity is new, so the first epoch loses nothing; afterwards it is
    used when CODE_SHARE of a sample has come together, with that weight.
    """
    for i in range(work.n_sat):
        sat = work.sat[i]
        for band in range(work.code_weight.shape[1]):
            work.code_part[i, band] = 1.0
            if state.slot[sat, band] >= 0:
                step_s = abs(time_ns - state.last_ns[sat, band]) * 1e-9
                rho = math.exp(-step_s / settings.code_correlation_s)
                state.code_due[sat, band] += (1.0 - rho) / (1.0 + rho)
                is_due = state.code_due[sat, band] >= CODE_SHARE
                work.code_part[i, band] = state.code_due[sat, band] if is_due else 0.0
                if is_due:
                    state.code_due[sat, band] = 0.0
            else:  # not all are due at the same epoch
                state.code_due[sat, band] = CODE_SHARE * ((7 * sat + 3 * band) % 10) / 10.0
    return 0
