"""Code differential position, and the screening of phases by their change since the last epoch.

`counts` : (n_counter,) counters of the run, the COUNT_* slots of `prepare.slips`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos._jit import kernel
from rtkpos.estimate.robust import (
    FIT_INCONSISTENT,
    FIT_OK,
    RobustWork,
    robust_fit,
    robust_work,
)
from rtkpos.estimate.workspace import N_ROW
from rtkpos.prepare.slips import COUNT_CODE_REJECTED, COUNT_INNOVATION

STEP_FLOOR_M = 0.04  # a phase step below it is never called a slip
STEP_LIMIT = 4.0  # standard deviations
STEP_NOISE_M = 0.005  # multipath and atmosphere between two epochs
MAX_STEP_NS = 65_000_000_000


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
    for i in range(work.count[0]):
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
    scale = 1.0 / max(rows.fit.info[0], 1.0) ** 2
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
    for i in range(work.count[0]):
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
    for i in range(work.count[0]):
        for band in range(work.code_weight.shape[1]):
            if work.code_weight[i, band] > 0.0:
                return rows.fit.fit.clock[work.group[i, band]]
    return math.nan


@kernel
def thin_repeated_codes(work, state, time_ns, settings):
    """Take weight off codes whose multipath was already heard at the previous epoch.

    For a constant observed through first-order Gauss-Markov noise of correlation rho, each further
    sample is worth (1 - rho) / (1 + rho) of an independent one (Priestley 1981, sec. 5.3.2). A code
    counts in full when its ambiguity is new, so the first epoch loses nothing.
    """
    for i in range(work.count[0]):
        sat = work.sat[i]
        for band in range(work.code_weight.shape[1]):
            work.code_part[i, band] = 1.0
            if state.slot[sat, band] >= 0:
                step_s = abs(time_ns - state.last_ns[sat, band]) * 1e-9
                rho = math.exp(-step_s / settings.code_correlation_s)
                work.code_part[i, band] = (1.0 - rho) / (1.0 + rho)
    return 0


@kernel
def screen_phase_steps(work, state, time_ns, robust, rows, counts):
    """Slips found by the change of each phase since the previous epoch.

    The change must be explained by one movement and one clock step: a robust fit of four unknowns
    whose outliers are slips (time-differenced carrier phase; van Graas & Soloviev 2004). Marks
    work.slip. Returns : int, slips found
    """
    n = 0
    for i in range(work.count[0]):
        sat = work.sat[i]
        for band in range(work.sd_phase_m.shape[1]):
            step = work.sd_phase_m[i, band] - state.last_sd_m[sat, band]
            if math.isnan(step) or state.slot[sat, band] < 0 or work.slip[i, band]:
                continue
            if state.pair[sat, band] != work.group[i, band]:
                continue
            if abs(time_ns - state.last_ns[sat, band]) > MAX_STEP_NS:
                continue
            weight = 1.0 / (2.0 * work.var_phase_m2[i, band] + STEP_NOISE_M**2)
            n = add_row(n, i, band, step, weight, 0, work, rows)
    if n < 6:
        return 0
    if robust_fit(rows.design, rows.value, rows.weight, rows.group, n, robust, rows.fit) != FIT_OK:
        return 0
    found = 0
    for k in range(n):
        residual = abs(rows.fit.residual[k])
        if residual > STEP_FLOOR_M and abs(rows.fit.normal_residual[k]) > STEP_LIMIT:
            work.slip[rows.satellite[k], rows.band[k]] = 1
            counts[COUNT_INNOVATION] += 1
            found += 1
    return found
