"""Velocity and clock drift of one epoch from Doppler."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, IndexArray
from rtkpos._numba.decorator import kernel
from rtkpos.constants import OMEGA_EARTH_GPS, SPEED_OF_LIGHT_MPS
from rtkpos.core.linear.normal_equations import ONE_GROUP
from rtkpos.core.orbits.broadcast_orbit import STATE_DRIFT, sagnac_range
from rtkpos.estimate.robust import (
    FIT_INCONSISTENT,
    FIT_SINGULAR,
    RobustWork,
    robust_fit,
    robust_work,
)

VELOCITY_OK, VELOCITY_FEW, VELOCITY_GEOMETRY, VELOCITY_INCONSISTENT = range(4)


class VelocityWork(NamedTuple):
    """Work space and per-row results of `doppler_velocity`.

    used : (n,)      residual_mps : (n,) observed - modelled range rate [m/s], NaN unusable
    """

    robust: RobustWork
    design: FloatArray
    value: FloatArray
    weight: FloatArray
    group: IndexArray
    used: BoolArray
    residual_mps: FloatArray
    los: FloatArray


def velocity_work(n_max: int = 80) -> VelocityWork:
    """Work space for up to `n_max` satellites."""
    return VelocityWork(
        robust_work(n_max),
        np.zeros((n_max, 3)),
        np.zeros(n_max),
        np.zeros(n_max),
        np.zeros(n_max, np.int64),
        np.zeros(n_max, np.bool_),
        np.zeros(n_max),
        np.zeros(3),
    )


@kernel
def satellite_range_rate(sat_state, position_m, out_los):
    """Rate of the geometric range seen by a receiver at rest on the earth [m/s].

    sat_state : (8,) state at transmission, earth-fixed then      position_m : (3,) ECEF [m]
    out_los   : (3,) unit vector receiver -> satellite, earth rotation applied

    Differentiating |R(omega tau) x_s(t - tau) - x_r| gives three parts: the satellite's velocity
    turned to the frame of reception, the change of that turn (about 1 mm/s), and the transmission
    time running slower than the reception time by the Doppler itself (2 mm/s).
    Derived from the light-time equation and checked against its numerical derivative in the tests.
    """
    range_m = sagnac_range(sat_state, position_m, out_los)
    angle = OMEGA_EARTH_GPS * range_m / SPEED_OF_LIGHT_MPS
    vx = sat_state[3] + angle * sat_state[4]
    vy = sat_state[4] - angle * sat_state[3]
    rate = out_los[0] * vx + out_los[1] * vy + out_los[2] * sat_state[5]
    turn = OMEGA_EARTH_GPS * (out_los[0] * sat_state[1] - out_los[1] * sat_state[0])
    return (rate + turn * rate / SPEED_OF_LIGHT_MPS) / (1.0 + rate / SPEED_OF_LIGHT_MPS)


@kernel
def doppler_velocity(
    sat_state,
    position_m,
    doppler_hz,
    frequency_hz,
    var_m2ps2,
    n,
    settings,
    work,
    out_velocity_mps,
    out_cov_m2ps2,
):
    """Robust velocity and clock drift from the Doppler of one epoch.

    sat_state  : (n, 8) states at transmission (position, velocity, clock, drift); NaN = unusable
    position_m : (3,) receiver ECEF [m]; 100 m of error cost about 1 cm/s
    doppler_hz : (n,) positive when the range shrinks; NaN = missing
    frequency_hz : (n,) carrier      var_m2ps2 : (n,) variance of the range rate [m^2/s^2]
    settings : RobustSettings      work : VelocityWork
    out_velocity_mps : (4,) ECEF velocity [m/s], receiver clock drift [m/s]
    out_cov_m2ps2 : (3, 3) of the velocity
    Returns : int VELOCITY_*; all outputs finite with OK and INCONSISTENT, NaN otherwise
    """
    n_usable = _range_rate_rows(sat_state, position_m, doppler_hz, frequency_hz, var_m2ps2, n, work)
    robust, fit = work.robust, work.robust.fit
    for i in range(n):
        work.used[i] = False
        work.residual_mps[i] = math.nan
    for k in range(4):
        out_velocity_mps[k] = math.nan
    for k in range(3):
        for m in range(3):
            out_cov_m2ps2[k, m] = math.nan
    if n_usable < 4:
        return VELOCITY_FEW
    verdict = robust_fit(work.design, work.value, work.weight, work.group, n, settings, robust)
    if verdict == FIT_SINGULAR:
        return VELOCITY_GEOMETRY
    for k in range(3):
        out_velocity_mps[k] = fit.x[k]
        for m in range(3):
            out_cov_m2ps2[k, m] = fit.cofactor[k, m] * robust.sigma0 * robust.sigma0
    out_velocity_mps[3] = fit.clock[ONE_GROUP]
    for i in range(n):
        work.used[i] = robust.weight[i] > 0.0
        work.residual_mps[i] = robust.residual[i]
    return VELOCITY_INCONSISTENT if verdict == FIT_INCONSISTENT else VELOCITY_OK


@kernel
def _range_rate_rows(sat_state, position_m, doppler_hz, frequency_hz, var_m2ps2, n, work):
    """Design, observed minus modelled range rate and weight of each row; returns the usable."""
    n_usable = 0
    for i in range(n):
        work.weight[i] = 0.0
        work.value[i] = 0.0
        for k in range(3):
            work.design[i, k] = 0.0
        if not (0.0 < var_m2ps2[i] < math.inf and frequency_hz[i] > 0.0):
            continue
        rate = satellite_range_rate(sat_state[i], position_m, work.los)
        observed = -doppler_hz[i] * SPEED_OF_LIGHT_MPS / frequency_hz[i]
        value = observed + SPEED_OF_LIGHT_MPS * sat_state[i, STATE_DRIFT] - rate
        if not math.isfinite(value):
            continue
        work.value[i] = value
        work.weight[i] = 1.0 / var_m2ps2[i]
        for k in range(3):
            work.design[i, k] = -work.los[k]
        n_usable += 1
    return n_usable
