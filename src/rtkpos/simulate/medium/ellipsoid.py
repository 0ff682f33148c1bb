"""The ellipsoid: places, local axes, directions. Arrays of any leading shape, last axis 3."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.constants import WGS84_A_M, WGS84_E2


def place_ecef(llh: FloatArray) -> FloatArray:
    """Earth-fixed coordinates [m] of latitude, longitude [rad] and ellipsoidal height [m].

    Source: IERS Conventions (2010), section 4.2.6.
    """
    lat, lon, height = np.moveaxis(llh, -1, 0)
    normal = WGS84_A_M / np.sqrt(1.0 - WGS84_E2 * np.sin(lat) ** 2)
    ring = (normal + height) * np.cos(lat)
    up = (normal * (1.0 - WGS84_E2) + height) * np.sin(lat)
    return np.stack([ring * np.cos(lon), ring * np.sin(lon), up], axis=-1)


def place_llh(ecef_m: FloatArray) -> FloatArray:
    """Latitude, longitude [rad], ellipsoidal height [m] of places near the earth's surface.

    Fixed-point iteration on the latitude, whose error shrinks by the square of the eccentricity.
    """
    x, y, z = np.moveaxis(np.asarray(ecef_m, dtype=np.float64), -1, 0)
    ring = np.hypot(x, y)
    lat = np.arctan2(z, ring * (1.0 - WGS84_E2))
    for _ in range(6):
        normal = WGS84_A_M / np.sqrt(1.0 - WGS84_E2 * np.sin(lat) ** 2)
        lat = np.arctan2(z + WGS84_E2 * normal * np.sin(lat), ring)
    normal = WGS84_A_M / np.sqrt(1.0 - WGS84_E2 * np.sin(lat) ** 2)
    along = ring * np.cos(lat) + z * np.sin(lat)
    height = along - normal * (1.0 - WGS84_E2 * np.sin(lat) ** 2)
    return np.stack([lat, np.arctan2(y, x), height], axis=-1)


def local_axes(llh: FloatArray) -> FloatArray:
    """Unit vectors east, north, up as rows: (..., 3, 3)."""
    lat, lon = llh[..., 0], llh[..., 1]
    sin_b, cos_b, sin_l, cos_l = np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)
    east = np.stack([-sin_l, cos_l, np.zeros_like(lat)], axis=-1)
    north = np.stack([-sin_b * cos_l, -sin_b * sin_l, cos_b], axis=-1)
    up = np.stack([cos_b * cos_l, cos_b * sin_l, sin_b], axis=-1)
    return np.stack([east, north, up], axis=-2)


def from_local(enu_m: FloatArray, origin_llh: FloatArray) -> FloatArray:
    """Earth-fixed place [m] of east, north, height over the ellipsoid [m] around an origin.

    Height is that above the origin's along the ellipsoid, so that a level network of 60 km does
    not sink below the ground by the earth's curvature.
    """
    enu = np.asarray(enu_m, dtype=np.float64)
    flat = place_ecef(origin_llh) + enu[..., :2] @ local_axes(origin_llh)[:2]
    llh = place_llh(flat)
    llh[..., 2] = origin_llh[2] + enu[..., 2]
    return place_ecef(llh)
