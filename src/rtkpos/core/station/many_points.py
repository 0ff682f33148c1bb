"""Geodetic coordinates and local frames of many points in one call.

Source: the formulae are those of `geodesy`, point by point, the same bit for bit.
"""

from __future__ import annotations

import math

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos._numba.decorator import kernel
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation


@kernel
def geodetic_of_points(ecef_m, out_llh):
    """Geodetic latitude, longitude [rad] and ellipsoidal height [m] of ECEF points (WGS 84).

    ecef_m  : (n, 3) [m]      out_llh : (n, 3) lat_rad, lon_rad, height_m; NaN without a position
    Returns : int             number of points without a position
    """
    n_missing = 0
    for k in range(ecef_m.shape[0]):
        if math.isfinite(ecef_m[k, 0]):
            n_missing += ecef_to_geodetic(ecef_m[k], out_llh[k])
        else:
            out_llh[k, 0] = out_llh[k, 1] = out_llh[k, 2] = math.nan
            n_missing += 1
    return n_missing


@kernel
def enu_rotations(llh, out_rotation):
    """Rotations from ECEF to local east, north, up at many points.

    llh : (n, 3) lat_rad, lon_rad, height_m      out_rotation : (n, 3, 3), NaN where llh is NaN
    Returns : int 0
    """
    for k in range(llh.shape[0]):
        enu_rotation(llh[k, 0], llh[k, 1], out_rotation[k])
        if math.isnan(llh[k, 0]):
            out_rotation[k, 0, 2] = math.nan
    return 0


def frames_of(ecef_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Geodetic coordinates (n, 3) [rad, rad, m] of points (n, 3) [m], and rotations (n, 3, 3).

    The rotations lead from ECEF to local east, north, up; both are NaN without a position.
    """
    llh, rotation = np.empty((len(ecef_m), 3)), np.empty((len(ecef_m), 3, 3))
    geodetic_of_points(np.ascontiguousarray(ecef_m, np.float64), llh)
    enu_rotations(llh, rotation)
    return llh, rotation


def sigma_of(cov_ecef_m2: FloatArray, rotation: FloatArray) -> FloatArray:
    """Standard deviations (n, 3) along the rows of rotations (n, 3, 3); NaN where they are NaN."""
    local = rotation @ cov_ecef_m2 @ rotation.transpose(0, 2, 1)
    return np.sqrt(np.maximum(np.diagonal(local, axis1=1, axis2=2), 0.0))
