"""From the satellite at transmission to the antenna at reception."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.constants import GM_GPS, OMEGA_EARTH_GPS, SPEED_OF_LIGHT_MPS
from rtkpos.simulate.medium.ellipsoid import local_axes, place_llh
from rtkpos.simulate.sky.true_ephemeris import FLIGHT_S, Motion

_C = SPEED_OF_LIGHT_MPS


@dataclass(frozen=True)
class SampledAntenna:
    """An antenna over the epochs of a block, at the instants it is really sampled.

    ecef_m, velocity_mps : (n_epoch, 3)      clock_s, drift : (n_epoch,) receiver's, tag - GPST
    """

    ecef_m: FloatArray
    velocity_mps: FloatArray
    clock_s: FloatArray
    drift: FloatArray


@dataclass(frozen=True)
class Rays:
    """Signals between satellites and an antenna; all (n_epoch, n_sat), los (n_epoch, n_sat, 3).

    range_m : geometric with the earth's rotation and the bending of space-time (Shapiro)
    rate_mps : its change per second of GPST      sat_clock_s, sat_drift : at transmission
    """

    los: FloatArray
    range_m: FloatArray
    rate_mps: FloatArray
    sat_clock_s: FloatArray
    sat_drift: FloatArray
    azimuth_rad: FloatArray
    elevation_rad: FloatArray


def trace_rays(motion: Motion, antenna: SampledAntenna) -> Rays:
    """Solve the light-time equation and look along the ray.

    |R3(w tau) s(t - tau) - r(t)| = c tau with t = tag - receiver clock; four rounds from 75 ms
    leave less than 1e-12 m. Source: Ashby (2003), Living Rev. Relativity 6:1, eq. 24 to 26.
    """
    receiver = antenna.ecef_m[:, None, :]
    clock_s = antenna.clock_s[:, None]
    flight_s = np.full(motion.value.shape[:2], FLIGHT_S)
    for _ in range(4):
        away = _turn(motion.at(FLIGHT_S - clock_s - flight_s)[..., :3], flight_s) - receiver
        flight_s = np.linalg.norm(away, axis=-1) / _C
    delta_s = FLIGHT_S - clock_s - flight_s
    state, change = motion.at(delta_s), motion.rate_at(delta_s)
    place = _turn(state[..., :3], flight_s)
    range_m = np.linalg.norm(place - receiver, axis=-1)
    los = (place - receiver) / range_m[..., None]
    # d(range)/dt: the satellite is seen flight_s(t) ago and turned by w flight_s(t).
    speed = _turn(change[..., :3], flight_s)
    swing = OMEGA_EARTH_GPS * np.stack(
        [place[..., 1], -place[..., 0], np.zeros_like(range_m)], axis=-1
    )
    closing = np.sum(los * (speed - antenna.velocity_mps[:, None, :]), axis=-1)
    rate_mps = closing / (1.0 + np.sum(los * (speed - swing), axis=-1) / _C)
    azimuth_rad, elevation_rad = look_angles(antenna.ecef_m, los)
    return Rays(
        los=los,
        range_m=range_m + shapiro_m(place, receiver, range_m),
        rate_mps=rate_mps,
        sat_clock_s=state[..., 3],
        sat_drift=change[..., 3],
        azimuth_rad=azimuth_rad,
        elevation_rad=elevation_rad,
    )


def _turn(place: FloatArray, flight_s: FloatArray) -> FloatArray:
    """Vectors of the earth-fixed frame of transmission in that of reception."""
    angle = OMEGA_EARTH_GPS * flight_s
    sine, cosine = np.sin(angle), np.cos(angle)
    x, y, z = np.moveaxis(place, -1, 0)
    return np.stack([cosine * x + sine * y, cosine * y - sine * x, z], axis=-1)


def shapiro_m(place: FloatArray, receiver: FloatArray, range_m: FloatArray) -> FloatArray:
    """Delay by the earth's gravity [m]: 16 to 19 mm. Source: IERS Conventions (2010), eq. 11.17."""
    ends = np.linalg.norm(place, axis=-1) + np.linalg.norm(receiver, axis=-1)
    out: FloatArray = 2.0 * GM_GPS / _C**2 * np.log((ends + range_m) / (ends - range_m))
    return out


def look_angles(ecef_m: FloatArray, los: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Azimuth and elevation [rad] (n_epoch, n_sat) of lines of sight at places (n_epoch, 3)."""
    axes = local_axes(place_llh(ecef_m))
    east, north, up = np.moveaxis(np.einsum("eij,esj->esi", axes, los), -1, 0)
    azimuth = np.arctan2(east, north)
    return np.where(azimuth < 0.0, azimuth + 2.0 * np.pi, azimuth), np.arcsin(
        np.clip(up, -1.0, 1.0)
    )
