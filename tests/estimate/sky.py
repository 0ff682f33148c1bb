"""Synthetic skies with known truth for the estimators of one epoch."""

from __future__ import annotations

import math

import numpy as np

from rtkpos.core.station.geodesy import enu_rotation, geodetic_to_ecef

EARTH_RATE = 7.2921151467e-5
LIGHT = 299_792_458.0
PLACES = {
    "middle": (0.7, 2.0, 100.0),
    "pole": (math.pi / 2.0, 0.3, 50.0),
    "antimeridian": (-0.3, math.pi, 10.0),
    "below the sea": (0.55, 0.62, -400.0),
    "balloon": (-1.0, -3.0, 40_000.0),
}
CLOCK_M = np.array([-30_000.0, 12.5, 70_000.0])


def turned(vector, angle_rad):
    """Vectors (..., 3) turned about the z axis by angles."""
    out = np.array(vector, dtype=float)
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    out[..., 0] = cosine * vector[..., 0] - sine * vector[..., 1]
    out[..., 1] = sine * vector[..., 0] + cosine * vector[..., 1]
    return out


def sky(place, n, n_group, rng):
    """Receiver (3,), satellites at transmission (n, 3), noise-free codes (n,) and groups (n,).

    The satellites are laid out in the frame of reception and turned back exactly, so that the
    truth does not share the series of the code under test.
    """
    receiver, rotation = np.zeros(3), np.zeros((3, 3))
    geodetic_to_ecef(*PLACES[place], receiver)
    enu_rotation(PLACES[place][0], PLACES[place][1], rotation)
    azimuth = rng.uniform(0.0, 2.0 * math.pi, n)
    elevation = np.arcsin(rng.uniform(0.1, 1.0, n))
    los = np.stack(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.cos(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ],
        axis=1,
    )
    range_m = rng.uniform(2.0e7, 2.6e7, n)
    seen = receiver + (los @ rotation) * range_m[:, None]
    satellites = turned(seen, EARTH_RATE * range_m / LIGHT)
    group = np.arange(n, dtype=np.int64) % n_group
    return receiver, satellites, range_m + CLOCK_M[group], group
