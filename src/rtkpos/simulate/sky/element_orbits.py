"""Where satellites are, from broadcast elements; written from the interface documents alone.

Elements are dictionaries of arrays by name (`Elements`); times are seconds from their
reference. Everything broadcasts, so a call serves all satellites and epochs at once.
"""

from __future__ import annotations

import math

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray
from rtkpos.constants import (
    GM_BEIDOU,
    GM_GALILEO,
    GM_GLONASS,
    GM_GPS,
    OMEGA_EARTH_BEIDOU,
    OMEGA_EARTH_GLONASS,
    OMEGA_EARTH_GPS,
    SPEED_OF_LIGHT_MPS,
)
from rtkpos.gnss.systems import BEIDOU, GALILEO
from rtkpos.io.rinex._navigation.elements import Elements

TILT_RAD = math.radians(5.0)  # of the frame of BeiDou GEO (BDS-SIS-ICD-B1I-3.0, table 5-11)
_PZ90_A_M, _PZ90_J2 = 6_378_136.0, 1082.6257e-6  # ICD GLONASS 5.1, table A.1
_RK_STEP_S = 30.0


def gravity_constant(system: int) -> float:
    """Gravitational parameter a system's elements are made for [m^3/s^2]."""
    return {GALILEO: GM_GALILEO, BEIDOU: GM_BEIDOU}.get(system, GM_GPS)


def earth_rate(system: int) -> float:
    """Rotation rate of the earth a system's elements are made for [rad/s]."""
    return OMEGA_EARTH_BEIDOU if system == BEIDOU else OMEGA_EARTH_GPS


def solve_kepler(mean_rad: FloatArray, ecc: FloatArray) -> FloatArray:
    """Eccentric anomaly [rad] by Halley's iteration; any shape."""
    anomaly = mean_rad + ecc * np.sin(mean_rad)
    for _ in range(5):
        sine, cosine = ecc * np.sin(anomaly), ecc * np.cos(anomaly)
        miss, slope = anomaly - sine - mean_rad, 1.0 - cosine
        anomaly = anomaly - miss / (slope - 0.5 * miss * sine / slope)
    return anomaly


def kepler_ecef(
    e: Elements, tilted: BoolArray, system: int, tk_s: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Earth-fixed position (..., 3) [m] and relativistic clock term [s] of Keplerian elements.

    e : elements, each (...,)      tilted : (...,) BeiDou GEO      tk_s : (...,) time since toe

    Source: IS-GPS-200N, table 20-IV and 20.3.3.3.3.1; BDS-SIS-ICD-B1I-3.0, table 5-11.
    """
    gm, rate = gravity_constant(system), earth_rate(system)
    axis = e["sqrt_a"] ** 2
    motion = np.sqrt(gm / axis**3) + e["delta_n"]
    anomaly = solve_kepler(e["m0_rad"] + motion * tk_s, e["ecc"])
    true = 2.0 * np.arctan2(
        np.sqrt(1.0 + e["ecc"]) * np.sin(anomaly / 2.0),
        np.sqrt(1.0 - e["ecc"]) * np.cos(anomaly / 2.0),
    )
    latitude = true + e["omega_rad"]
    sin_2u, cos_2u = np.sin(2.0 * latitude), np.cos(2.0 * latitude)
    u = latitude + e["cus"] * sin_2u + e["cuc"] * cos_2u
    radius = axis * (1.0 - e["ecc"] * np.cos(anomaly))
    radius = radius + e["crs_m"] * sin_2u + e["crc_m"] * cos_2u
    tilt = e["i0_rad"] + e["i_dot"] * tk_s + e["cis"] * sin_2u + e["cic"] * cos_2u
    turning = e["omega_dot"] - np.where(tilted, 0.0, rate)
    node = e["omega0_rad"] - rate * e["toe_sow"] + turning * tk_s
    ahead, across = radius * np.cos(u), radius * np.sin(u)
    x = ahead * np.cos(node) - across * np.cos(tilt) * np.sin(node)
    y = ahead * np.sin(node) + across * np.cos(tilt) * np.cos(node)
    place = np.stack([x, y, across * np.sin(tilt)], axis=-1)
    if np.any(tilted):
        place = np.where(tilted[..., None], untilt(place, rate * tk_s), place)
    # (2/c^2) sqrt(mu a) e sin E delays the clock.
    clock_s = -2.0 * np.sqrt(gm) / SPEED_OF_LIGHT_MPS**2 * e["ecc"] * e["sqrt_a"] * np.sin(anomaly)
    return place, clock_s


def untilt(place: FloatArray, turn_rad: FloatArray) -> FloatArray:
    """From the tilted frame of BeiDou GEO to the earth-fixed one: Rz(turn) Rx(-5 deg)."""
    x, y, z = np.moveaxis(place, -1, 0)
    sin_t, cos_t = math.sin(TILT_RAD), math.cos(TILT_RAD)
    level_y, level_z = cos_t * y - sin_t * z, sin_t * y + cos_t * z
    sin_z, cos_z = np.sin(turn_rad), np.cos(turn_rad)
    return np.stack([cos_z * x + sin_z * level_y, cos_z * level_y - sin_z * x, level_z], axis=-1)


def glonass_acceleration(place: FloatArray, speed: FloatArray, pull: FloatArray) -> FloatArray:
    """Acceleration in the rotating frame [m/s^2]; all (..., 3), pull: of sun and moon.

    Source: ICD GLONASS 5.1, A.3.1.2: central and oblate attraction, centrifugal and Coriolis.
    """
    r2 = np.sum(place * place, axis=-1, keepdims=True)
    share = 5.0 * place[..., 2:] ** 2 / r2
    oblate = 1.5 * _PZ90_J2 * _PZ90_A_M**2 / r2
    weight = 1.0 + oblate * (np.array([1.0, 1.0, 3.0]) - share)
    out: FloatArray = -GM_GLONASS / (r2 * np.sqrt(r2)) * weight * place + pull
    rate = OMEGA_EARTH_GLONASS
    out[..., 0] += rate**2 * place[..., 0] + 2.0 * rate * speed[..., 1]
    out[..., 1] += rate**2 * place[..., 1] - 2.0 * rate * speed[..., 0]
    return out


def glonass_motion(e: Elements, dt_s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Position, velocity, acceleration (..., 3) dt_s (...,) after the elements' time.

    Fourth-order Runge-Kutta with steps of at most 30 s, all satellites and epochs together.
    """
    names = (
        ("x_m", "y_m", "z_m"),
        ("vx_mps", "vy_mps", "vz_mps"),
        ("ax_mps2", "ay_mps2", "az_mps2"),
    )
    place, speed, pull = (np.stack([e[n] for n in group], axis=-1) for group in names)
    n_step = max(1, math.ceil(float(np.max(np.abs(dt_s), initial=0.0)) / _RK_STEP_S))
    h = (dt_s / n_step)[..., None]
    for _ in range(n_step):
        a1 = glonass_acceleration(place, speed, pull)
        v2 = speed + 0.5 * h * a1
        a2 = glonass_acceleration(place + 0.5 * h * speed, v2, pull)
        v3 = speed + 0.5 * h * a2
        a3 = glonass_acceleration(place + 0.5 * h * v2, v3, pull)
        v4 = speed + h * a3
        a4 = glonass_acceleration(place + h * v3, v4, pull)
        place = place + h / 6.0 * (speed + 2.0 * v2 + 2.0 * v3 + v4)
        speed = speed + h / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
    return place, speed, glonass_acceleration(place, speed, pull)
