"""Whether a point lies near the surface of the earth."""

from __future__ import annotations

import math

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.core.station.geodesy import ecef_to_geodetic

HEIGHT_M = (-1_000.0, 100_000.0)


def height_of(ecef_m: FloatArray) -> float:
    """Ellipsoidal height [m] of a point (3,); NaN when it is not finite or at the centre."""
    llh = np.full(3, np.nan)
    point = np.ascontiguousarray(ecef_m, np.float64)
    if not np.isfinite(point).all() or ecef_to_geodetic(point, llh) != 0:
        return math.nan
    return float(llh[2])


def is_on_earth(ecef_m: FloatArray) -> bool:
    """True from 1 km below the ellipsoid to 100 km above it; False for NaN and 0 0 0."""
    return HEIGHT_M[0] <= height_of(ecef_m) <= HEIGHT_M[1]
