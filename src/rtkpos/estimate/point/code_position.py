"""Position and receiver clocks of one epoch from code, given satellites and corrections."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray
from rtkpos._numba.decorator import kernel
from rtkpos.core.linear.normal_equations import (
    N_GROUP_MAX,
    fit_clock_free,
    group_means,
    invert_spd3,
)
from rtkpos.core.orbits.broadcast_orbit import sagnac_range
from rtkpos.estimate.robust import (
    FIT_INCONSISTENT,
    FIT_SINGULAR,
    RobustSettings,
    RobustWork,
    robust_fit,
    robust_work,
)

# Status of a code position. POINT_CHI_SQUARE comes with a position (its covariance is scaled to
# what the residuals show); the others leave the outputs NaN.
POINT_OK, POINT_FEW, POINT_NOT_CONVERGED, POINT_GEOMETRY, POINT_CHI_SQUARE = range(5)

# Linearising on a grid makes the result independent of the order of the satellites: the last,
# rounded sums differ by less than the grid. 2^-14 m = 0.06 mm.
GRID_PER_M = 16384.0
MAX_ITERATION = 15
TOLERANCE_M = 1e-4
RELINEARISE_M = 200.0  # beyond, the curvature of a range (d^2 / 2 rho) reaches a millimetre


class PointSettings(NamedTuple):
    """Limits of the code position.

    robust : RobustSettings      pdop_max : position dilution beyond which there is no position
    """

    robust: RobustSettings = RobustSettings()
    pdop_max: float = 30.0


class PointWork(NamedTuple):
    """Work space and per-row results of `code_position`.

    used : (n,) the row took part      residual_m : (n,) code - model [m], NaN unusable
    normal_residual : (n,) residual over its standard deviation
    los : (n, 3) receiver -> satellite      range_m : (n,) with the earth's rotation
    pdop : position dilution of precision of the rows in use
    """

    robust: RobustWork
    design: FloatArray
    value: FloatArray
    weight: FloatArray
    used: BoolArray
    residual_m: FloatArray
    normal_residual: FloatArray
    los: FloatArray
    range_m: FloatArray
    pdop: float
    start_m: FloatArray
    dop: FloatArray


def point_work(n_max: int = 64) -> PointWork:
    """Work space for up to `n_max` satellites per epoch."""
    return PointWork(
        robust_work(n_max),
        np.zeros((n_max, 3)),
        np.zeros(n_max),
        np.zeros(n_max),
        np.zeros(n_max, np.bool_),
        np.zeros(n_max),
        np.zeros(n_max),
        np.zeros((n_max, 3)),
        np.zeros(n_max),
        math.nan,
        np.zeros(3),
        np.zeros((3, 3)),
    )


@kernel
def _prepare_rows(sat_ecef_m, code_m, var_m2, group, n, work):
    """Weights of the usable rows (finite, positive variance, known group), 0 elsewhere.

    Returns : (n_usable, n_group)
    """
    n_usable = 0
    seen = 0
    n_group = 0
    for i in range(n):
        is_usable = math.isfinite(code_m[i]) and 0.0 < var_m2[i] < math.inf
        is_usable = is_usable and 0 <= group[i] < N_GROUP_MAX
        for k in range(3):
            is_usable = is_usable and math.isfinite(sat_ecef_m[i, k])
        work.weight[i] = 0.0
        if is_usable:
            work.weight[i] = 1.0 / var_m2[i]
            n_usable += 1
            bit = 1 << group[i]
            if seen & bit == 0:
                seen |= bit
                n_group += 1
    return n_usable, n_group


@kernel
def _linearise(sat_ecef_m, code_m, n, position_m, work):
    """Design rows and prefit values at a position (usable rows; others zero)."""
    for i in range(n):
        if work.weight[i] > 0.0:
            work.range_m[i] = sagnac_range(sat_ecef_m[i], position_m, work.los[i])
            work.value[i] = code_m[i] - work.range_m[i]
            for k in range(3):
                work.design[i, k] = -work.los[i, k]
        else:
            work.value[i] = 0.0
            work.range_m[i] = math.nan
            for k in range(3):
                work.los[i, k] = math.nan
                work.design[i, k] = 0.0
    return 0


@kernel
def _descend(sat_ecef_m, code_m, weight, group, n, work, out_position_m):
    """Gauss-Newton with fixed weights, from and to `out_position_m`; ends linearised on the grid.

    Returns : int POINT_OK, POINT_NOT_CONVERGED or POINT_GEOMETRY
    """
    fit = work.robust.fit
    for _ in range(MAX_ITERATION):
        for k in range(3):
            out_position_m[k] = math.floor(out_position_m[k] * GRID_PER_M + 0.5) / GRID_PER_M
        _linearise(sat_ecef_m, code_m, n, out_position_m, work)
        if fit_clock_free(work.design, work.value, weight, group, n, fit) != 0:
            return POINT_GEOMETRY
        step = math.sqrt(fit.x[0] ** 2 + fit.x[1] ** 2 + fit.x[2] ** 2)
        if not step < 1e9:
            return POINT_NOT_CONVERGED
        if step < TOLERANCE_M:
            return POINT_OK
        for k in range(3):
            out_position_m[k] += fit.x[k]
    return POINT_NOT_CONVERGED


@kernel
def position_dop(group, n, work):
    """Position dilution of precision of the rows in use, their clocks free; infinite if singular.

    group : (n,) clock group of each row      work : as the fit left it
    Source: Langley (1999), Dilution of precision, GPS World 10(5), with one clock per group.
    """
    fit, used, unit = work.robust.fit, work.robust.weight, work.robust.sorted
    for i in range(n):
        unit[i] = 1.0 if used[i] > 0.0 else 0.0
    group_means(work.design, work.value, unit, group, n, fit)
    for k in range(3):
        for m in range(3):
            work.dop[k, m] = 0.0
    for i in range(n):
        if unit[i] > 0.0:
            mean = fit.mean_design[group[i]]
            for k in range(3):
                for m in range(3):
                    work.dop[k, m] += (work.design[i, k] - mean[k]) * (work.design[i, m] - mean[m])
    if invert_spd3(work.dop, work.dop) != 0:
        return math.inf
    return math.sqrt(work.dop[0, 0] + work.dop[1, 1] + work.dop[2, 2])


@kernel
def _descend_robustly(sat_ecef_m, code_m, group, n, settings, work, position_m):
    """Gauss-Newton, robust weights, Gauss-Newton with them, and again while these move it far.

    position_m : (3,) in: start, out: where the last rows are linearised; `work.robust.fit` holds
                 the small rest of the way
    Returns : int POINT_*
    """
    robust, x = work.robust, work.robust.fit.x
    weight = work.weight
    verdict, moved_m2 = FIT_SINGULAR, math.inf
    for _ in range(5):
        status = _descend(sat_ecef_m, code_m, weight, group, n, work, position_m)
        if status != POINT_OK or moved_m2 < RELINEARISE_M * RELINEARISE_M:
            break
        verdict = robust_fit(
            work.design, work.value, work.weight, group, n, settings.robust, robust
        )
        if verdict == FIT_SINGULAR:
            return POINT_GEOMETRY
        moved_m2 = x[0] * x[0] + x[1] * x[1] + x[2] * x[2]
        weight = robust.weight
    if status == POINT_OK and verdict == FIT_INCONSISTENT:
        return POINT_CHI_SQUARE
    return status


@kernel
def code_position(
    sat_ecef_m, code_m, var_m2, group, n, settings, work, out_position_m, out_clock_m, out_cov_m2
):
    """Robust position and one receiver clock per group from the codes of one epoch.

    sat_ecef_m : (n, 3) at transmission, earth-fixed then [m]; NaN = unusable
    code_m     : (n,) code + c * sat_clock - iono - trop [m]; NaN = unusable
    var_m2     : (n,) variance of the code [m^2]; NaN or <= 0 = unusable
    group      : (n,) 0..N_GROUP_MAX - 1: rows that share a receiver clock (one per system)
    settings   : PointSettings      work : PointWork (per-row results in used, residual_m, ...)
    out_position_m : (3,) in: a-priori ECEF [m], NaN or 0 for none; out: position
    out_clock_m : (N_GROUP_MAX,) receiver clock by group [m], NaN for an absent group
    out_cov_m2 : (3, 3) position covariance [m^2], scaled when the residuals exceed their sigmas
    Returns : int POINT_*; position and covariance are finite with POINT_OK and POINT_CHI_SQUARE,
              all outputs NaN otherwise
    """
    robust, fit, start = work.robust, work.robust.fit, work.start_m
    n_usable, n_group = _prepare_rows(sat_ecef_m, code_m, var_m2, group, n, work)
    status = POINT_FEW
    if n_usable >= 3 + n_group:
        for k in range(3):
            start[k] = out_position_m[k]
        # An a-priori position only saves iterations; beyond 1e8 m it would cost some.
        if not start[0] ** 2 + start[1] ** 2 + start[2] ** 2 < 1.0e16:
            for k in range(3):
                start[k] = 0.0
        status = _descend_robustly(sat_ecef_m, code_m, group, n, settings, work, start)
    has_position = status == POINT_OK or status == POINT_CHI_SQUARE
    for k in range(3):
        out_position_m[k] = start[k] + fit.x[k] if has_position else math.nan
        for m in range(3):
            variance = fit.cofactor[k, m] * robust.sigma0 * robust.sigma0
            out_cov_m2[k, m] = variance if has_position else math.nan
    for g in range(out_clock_m.shape[0]):
        out_clock_m[g] = fit.clock[g] if has_position else math.nan
    for i in range(n):
        work.used[i] = has_position and robust.weight[i] > 0.0
        work.normal_residual[i] = robust.normal_residual[i] if has_position else math.nan
        work.residual_m[i] = math.nan
        if has_position and work.weight[i] > 0.0:
            e = work.value[i] - fit.clock[group[i]]
            for k in range(3):
                e -= work.design[i, k] * fit.x[k]
            work.residual_m[i] = e
    if has_position:
        work.pdop = position_dop(group, n, work)
        if not work.pdop <= settings.pdop_max:
            status = POINT_GEOMETRY
            for i in range(n):
                work.used[i] = False
                work.residual_m[i] = math.nan
            for g in range(out_clock_m.shape[0]):
                out_clock_m[g] = math.nan
            for k in range(3):
                out_position_m[k] = math.nan
                for m in range(3):
                    out_cov_m2[k, m] = math.nan
    return status
