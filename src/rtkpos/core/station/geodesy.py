"""Earth-fixed, geodetic and local coordinates; elevation and azimuth."""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import WGS84_A_M, WGS84_E2


@kernel
def ecef_to_geodetic(ecef_m, out_llh):
    """Geodetic latitude, longitude [rad] and ellipsoidal height [m] of an ECEF point (WGS 84).

    ecef_m  : (3,) [m]      out_llh : (3,) lat_rad, lon_rad, height_m
    Returns : int 0; 1 when the point is within 1 km of the earth's centre (outputs NaN).

    Source: Bowring (1985), iterated on the parametric latitude; below 1e-9 m up to 100,000 km.
    """
    x, y, z = ecef_m[0], ecef_m[1], ecef_m[2]
    p = math.sqrt(x * x + y * y)
    if not p * p + z * z > 1.0e6:
        out_llh[:] = math.nan
        return 1
    b_over_a = math.sqrt(1.0 - WGS84_E2)
    second_e2 = WGS84_E2 / (1.0 - WGS84_E2)
    beta = math.atan2(z, p * b_over_a)
    for _ in range(4):
        lat = math.atan2(
            z + second_e2 * b_over_a * WGS84_A_M * math.sin(beta) ** 3,
            p - WGS84_E2 * WGS84_A_M * math.cos(beta) ** 3,
        )
        beta = math.atan2(b_over_a * math.sin(lat), math.cos(lat))
    sin_lat = math.sin(lat)
    n = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * sin_lat * sin_lat)
    out_llh[0] = lat
    out_llh[1] = math.atan2(y, x)
    out_llh[2] = p * math.cos(lat) + z * sin_lat - WGS84_A_M * WGS84_A_M / n
    return 0


@kernel
def geodetic_to_ecef(lat_rad, lon_rad, height_m, out_ecef_m):
    """ECEF [m] of a geodetic point (WGS 84), closed form.

    out_ecef_m : (3,) [m]      Returns : int 0
    Source: NIMA TR8350.2.
    """
    sin_lat, cos_lat = math.sin(lat_rad), math.cos(lat_rad)
    n = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * sin_lat * sin_lat)
    out_ecef_m[0] = (n + height_m) * cos_lat * math.cos(lon_rad)
    out_ecef_m[1] = (n + height_m) * cos_lat * math.sin(lon_rad)
    out_ecef_m[2] = (n * (1.0 - WGS84_E2) + height_m) * sin_lat
    return 0


@kernel
def enu_rotation(lat_rad, lon_rad, out_rotation):
    """Rotation from ECEF to local east, north, up: rows are the unit vectors.

    out_rotation : (3, 3)      Returns : int 0
    Source: Hofmann-Wellenhof et al. (2008), GNSS, eq. 8.16.
    """
    sin_lat, cos_lat = math.sin(lat_rad), math.cos(lat_rad)
    sin_lon, cos_lon = math.sin(lon_rad), math.cos(lon_rad)
    out_rotation[0, 0] = -sin_lon
    out_rotation[0, 1] = cos_lon
    out_rotation[0, 2] = 0.0
    out_rotation[1, 0] = -sin_lat * cos_lon
    out_rotation[1, 1] = -sin_lat * sin_lon
    out_rotation[1, 2] = cos_lat
    out_rotation[2, 0] = cos_lat * cos_lon
    out_rotation[2, 1] = cos_lat * sin_lon
    out_rotation[2, 2] = sin_lat
    return 0


@kernel
def elevation_azimuth(los, rotation):
    """Elevation and azimuth (clockwise from north, 0..2 pi) [rad] of a unit vector.

    los      : (3,) receiver -> satellite, ECEF      rotation : (3, 3) from `enu_rotation`
    Returns  : (elevation_rad, azimuth_rad)
    """
    east = rotation[0, 0] * los[0] + rotation[0, 1] * los[1] + rotation[0, 2] * los[2]
    north = rotation[1, 0] * los[0] + rotation[1, 1] * los[1] + rotation[1, 2] * los[2]
    up = rotation[2, 0] * los[0] + rotation[2, 1] * los[1] + rotation[2, 2] * los[2]
    azimuth = math.atan2(east, north)
    if azimuth < 0.0:
        azimuth += 2.0 * math.pi
    return math.asin(max(-1.0, min(1.0, up))), azimuth


@kernel
def elevation_of(los, rotation):
    """Elevation [rad] alone, as `elevation_azimuth` gives it.

    los : (3,) receiver -> satellite, ECEF      rotation : (3, 3) from `enu_rotation`
    """
    up = rotation[2, 0] * los[0] + rotation[2, 1] * los[1] + rotation[2, 2] * los[2]
    return math.asin(max(-1.0, min(1.0, up)))


@kernel
def move_local(origin_m, offset_enu_m, factor, rotation, out_m):
    """A point moved by a factor times a local offset; out_m may be origin_m.

    origin_m, out_m : (3,) ECEF [m]      offset_enu_m : (3,) east, north, up [m]
    rotation : (3, 3) from `enu_rotation`      Returns : int 0
    Source: Hofmann-Wellenhof et al. (2008), GNSS, eq. 8.16, inverted.
    """
    for k in range(3):
        local = 0.0
        for a in range(3):
            local += rotation[a, k] * offset_enu_m[a]
        out_m[k] = origin_m[k] + factor * local
    return 0
