"""Single-point positioning of one epoch: from observations to position, clocks and velocity."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos._numba.decorator import kernel, unit_kernel
from rtkpos.core.linear.normal_equations import N_GROUP_MAX, fit_clock_free
from rtkpos.estimate.point.code_position import (
    POINT_CHI_SQUARE,
    POINT_NOT_CONVERGED,
    POINT_OK,
    PointSettings,
    PointWork,
    code_position,
    point_work,
)
from rtkpos.estimate.point.models import (
    N_POINT,
    PointNoise,
    PointRows,
    load_rows,
    model_at_place,
    model_without_place,
    point_rows,
)
from rtkpos.estimate.point.velocity import VelocityWork, doppler_velocity, velocity_work

SAME_PLACE_M = 1000.0  # elevations and delays computed within it need no second pass
HEIGHT_MIN_M, HEIGHT_MAX_M = -10_000.0, 100_000.0
MAX_PASS = 6


class SinglePointSettings(NamedTuple):
    """Settings of `single_point_epoch`; mask in radians, C/N0 limit in dB-Hz (NaN passes)."""

    mask_rad: float = math.radians(10.0)
    cn0_min_dbhz: float = 0.0
    noise: PointNoise = PointNoise()
    point: PointSettings = PointSettings()


class SinglePointWork(NamedTuple):
    """Memory of `single_point_epoch`; `rows` and `point` hold the per-satellite results."""

    rows: PointRows
    point: PointWork
    velocity: VelocityWork
    start_m: FloatArray


def single_point_work(n_max: int = N_POINT) -> SinglePointWork:
    """Work space for up to `n_max` satellites per epoch."""
    return SinglePointWork(point_rows(n_max), point_work(n_max), velocity_work(n_max), np.zeros(3))


class PointFix(NamedTuple):
    """Results of one epoch; NaN where there are none.

    position_m : (3,) ECEF; on entry the a-priori position, NaN or 0 for none
    clock_m : (N_GROUP_MAX,) receiver clock by group      cov_m2 : (3, 3) of the position
    velocity_mps : (4,) ECEF velocity and clock drift [m/s]      velocity_cov : (3, 3)
    status, velocity_status : POINT_*, VELOCITY_*
    n_used, n_used_velocity : satellites in position and velocity
    sigma0, chi_square, n_free : unit-weight sigma and global test of the position      pdop
    """

    position_m: FloatArray
    clock_m: FloatArray
    cov_m2: FloatArray
    velocity_mps: FloatArray
    velocity_cov: FloatArray
    status: int
    velocity_status: int
    n_used: int
    n_used_velocity: int
    sigma0: float
    chi_square: float
    n_free: int
    pdop: float


def point_fix() -> PointFix:
    """An empty result."""
    return PointFix(
        position_m=np.full(3, np.nan),
        clock_m=np.full(N_GROUP_MAX, np.nan),
        cov_m2=np.full((3, 3), np.nan),
        velocity_mps=np.full(4, np.nan),
        velocity_cov=np.full((3, 3), np.nan),
        status=0,
        velocity_status=0,
        n_used=0,
        n_used_velocity=0,
        sigma0=math.nan,
        chi_square=math.nan,
        n_free=0,
        pdop=math.nan,
    )


@unit_kernel
def single_point_epoch(obs, k, eph, ionosphere, plan, settings, work, out_fix):
    """Position, clocks and velocity of one receiver at one epoch.

    obs : ObsArrays      k : int, epoch      eph : EphemerisArrays      ionosphere : IonosphereModel
    plan : PointPlan      settings : SinglePointSettings      work : SinglePointWork
    out_fix : PointFix (its position_m is the a-priori position on entry)
    Returns : int POINT_*; a position comes with POINT_OK and POINT_CHI_SQUARE, otherwise all is NaN

    Models need a place and the place needs models: from an a-priori position one pass does,
    without one a pass without atmosphere goes before. A pass is repeated when the place moved so
    far that elevations changed; an a-priori position that leads nowhere is forgotten once.
    """
    rows, place = work.rows, work.start_m
    n = load_rows(obs, k, eph, plan, rows)
    for m in range(3):
        place[m] = out_fix.position_m[m]
    is_cold = not math.isfinite(place[0] + place[1] + place[2])
    had_cold_start = is_cold
    status = POINT_NOT_CONVERGED
    for _ in range(MAX_PASS):
        if is_cold:
            model_without_place(eph, rows)
            for m in range(3):
                place[m] = 0.0
        is_on_earth = is_cold or (
            model_at_place(place, obs.time_ns[k], eph, ionosphere, settings, rows) == 0
            and HEIGHT_MIN_M < rows.llh[2] < HEIGHT_MAX_M
        )
        status = POINT_NOT_CONVERGED
        if is_on_earth:
            for m in range(3):
                out_fix.position_m[m] = place[m]
            status = code_position(
                rows.sat_ecef_m, rows.corrected_m, rows.var_m2, rows.group, n, settings.point,
                work.point, out_fix.position_m, out_fix.clock_m, out_fix.cov_m2,
            )  # fmt: skip
        has_position = status == POINT_OK or status == POINT_CHI_SQUARE
        if status != POINT_OK and not had_cold_start:
            is_cold = had_cold_start = True
            continue
        if not has_position:
            break
        moved_m2 = 0.0
        for m in range(3):
            moved_m2 += (out_fix.position_m[m] - place[m]) ** 2
            place[m] = out_fix.position_m[m]
        if moved_m2 < SAME_PLACE_M * SAME_PLACE_M and not is_cold:
            break
        is_cold = False
        status = POINT_NOT_CONVERGED
    _widen_by_ionosphere(n, rows, work.point, out_fix.cov_m2)
    _finish_position(n, status, work.point, out_fix)
    out_fix.velocity_status = doppler_velocity(
        rows.sat_state, out_fix.position_m, rows.doppler_hz, rows.doppler_frequency_hz,
        rows.var_rate_m2, n, settings.point.robust, work.velocity, out_fix.velocity_mps,
        out_fix.velocity_cov,
    )  # fmt: skip
    for i in range(n):
        out_fix.n_used_velocity += work.velocity.used[i]
    return status


@kernel
def _widen_by_ionosphere(n, rows, point, out_cov_m2):
    """Add to the covariance what a common error of the ionosphere model does to the position.

    The model errs alike for all satellites, so more satellites do not average it: its one-sigma
    pattern over the sky, estimated like an observation, is a shift b, and b b' is added.
    """
    robust = point.robust
    if (
        fit_clock_free(point.design, rows.sigma_iono_m, robust.weight, rows.group, n, robust.fit)
        == 0
    ):
        for k in range(3):
            for m in range(3):
                out_cov_m2[k, m] += robust.fit.x[k] * robust.fit.x[m]
    return 0


@kernel
def _finish_position(n, status, point, out_fix):
    """Status, counts and quality; everything NaN when there is no position."""
    out_fix.status = status
    out_fix.n_used, out_fix.n_used_velocity = 0, 0
    robust = point.robust
    out_fix.sigma0, out_fix.chi_square = robust.sigma0, robust.chi_square
    out_fix.n_free, out_fix.pdop = robust.n_free, point.pdop
    if status != POINT_OK and status != POINT_CHI_SQUARE:
        for k in range(3):
            out_fix.position_m[k] = math.nan
            for m in range(3):
                out_fix.cov_m2[k, m] = math.nan
        for g in range(out_fix.clock_m.shape[0]):
            out_fix.clock_m[g] = math.nan
        out_fix.sigma0 = out_fix.chi_square = out_fix.pdop = math.nan
        out_fix.n_free = 0
        for i in range(n):
            point.used[i] = False
            point.residual_m[i] = math.nan
    for i in range(n):
        out_fix.n_used += point.used[i]
    return 0
