"""Geodesy kernels against PROJ, closed forms, and their own inverse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtkpos.constants import WGS84_A_M, WGS84_F
from rtkpos.core.station.geodesy import (
    ecef_to_geodetic,
    elevation_azimuth,
    enu_rotation,
    geodetic_to_ecef,
)

MICROMETRE = 1e-6
GEO_HEIGHT_M = 35_786_000.0
HEIGHTS_M = (-400.0, 0.0, 8_848.0, 40_000.0, 20_200_000.0, GEO_HEIGHT_M)
LATITUDES_DEG = (-90.0, -89.9999999, -45.0, -1e-9, 0.0, 1e-9, 30.0, 60.0, 89.9999999, 90.0)
LONGITUDES_DEG = (-180.0, -179.9999999, -90.0, 0.0, 45.0, 179.9999999, 180.0)


def to_ecef(lat_rad, lon_rad, height_m):
    out = np.empty(3)
    geodetic_to_ecef(lat_rad, lon_rad, height_m, out)
    return out


def to_geodetic(ecef_m):
    out = np.empty(3)
    status = ecef_to_geodetic(np.asarray(ecef_m, dtype=np.float64), out)
    return status, out


def rotation_at(lat_deg, lon_deg):
    out = np.empty((3, 3))
    enu_rotation(math.radians(lat_deg), math.radians(lon_deg), out)
    return out


@pytest.mark.parametrize("height_m", HEIGHTS_M)
def test_round_trip_at_poles_and_date_line(height_m):
    for lat_deg in LATITUDES_DEG:
        for lon_deg in LONGITUDES_DEG:
            ecef = to_ecef(math.radians(lat_deg), math.radians(lon_deg), height_m)
            status, llh = to_geodetic(ecef)
            assert status == 0
            back = to_ecef(*llh)
            assert np.linalg.norm(back - ecef) < MICROMETRE, (lat_deg, lon_deg, height_m)
            assert llh[2] == pytest.approx(height_m, abs=MICROMETRE)
            assert math.degrees(llh[0]) == pytest.approx(lat_deg, abs=1e-11)
            if abs(lat_deg) < 89.9:
                turn = math.remainder(math.degrees(llh[1]) - lon_deg, 360.0)
                assert abs(turn) < 1e-11


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.floats(-math.pi / 2, math.pi / 2),
    st.floats(-math.pi, math.pi),
    st.floats(-10_000.0, 1e8),
)
def test_round_trip_anywhere(lat_rad, lon_rad, height_m):
    ecef = to_ecef(lat_rad, lon_rad, height_m)
    status, llh = to_geodetic(ecef)
    assert status == 0
    assert np.linalg.norm(to_ecef(*llh) - ecef) < MICROMETRE


def test_both_directions_equal_proj():
    import pyproj

    rng = np.random.default_rng(20240701)
    n = 300
    lat, lon = rng.uniform(-90, 90, n), rng.uniform(-180, 180, n)
    height = rng.uniform(-400, 40_000, n)
    forth = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    back = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
    want = np.stack(forth.transform(lon, lat, height), axis=-1)
    ours = np.array(
        [
            to_ecef(math.radians(a), math.radians(b), h)
            for a, b, h in zip(lat, lon, height, strict=True)
        ]
    )
    assert np.abs(ours - want).max() < MICROMETRE
    lon_p, lat_p, height_p = back.transform(*want.T)
    llh = np.array([to_geodetic(point)[1] for point in want])
    assert np.abs(np.degrees(llh[:, 0]) - lat_p).max() < 1e-9
    assert np.abs(np.degrees(llh[:, 1]) - lon_p).max() < 1e-9
    assert np.abs(llh[:, 2] - height).max() < MICROMETRE
    # PROJ takes one step of Bowring's formula: 14 um off the height it started from.
    assert np.abs(llh[:, 2] - height_p).max() < 20 * MICROMETRE


def test_axes_of_the_ellipsoid():
    b = WGS84_A_M * (1.0 - WGS84_F)
    np.testing.assert_allclose(to_ecef(0.0, 0.0, 0.0), [WGS84_A_M, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(to_ecef(math.pi / 2, 0.0, 10.0), [0.0, 0.0, b + 10.0], atol=1e-8)
    status, llh = to_geodetic([0.0, 0.0, -b])
    assert status == 0
    assert llh[0] == pytest.approx(-math.pi / 2, abs=1e-15)
    assert llh[2] == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize(
    "point", [(0.0, 0.0, 0.0), (500.0, 0.0, 500.0), (math.nan, 0.0, 0.0), (6.4e6, 0.0, math.nan)]
)
def test_no_position_near_the_centre_or_for_nan(point):
    status, llh = to_geodetic(point)
    assert status == 1
    assert np.isnan(llh).all()


def test_enu_rotation_is_a_rotation_and_points_where_it_says():
    for lat_deg in LATITUDES_DEG:
        for lon_deg in LONGITUDES_DEG:
            r = rotation_at(lat_deg, lon_deg)
            np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-15)
            assert np.linalg.det(r) == pytest.approx(1.0, abs=1e-14)
    np.testing.assert_allclose(rotation_at(0, 0), [[0, 1, 0], [0, 0, 1], [1, 0, 0]], atol=1e-16)


def test_enu_axes_are_the_derivatives_of_the_position():
    lat, lon, h, step = math.radians(36.2), math.radians(137.1), 700.0, 1e-6
    r = rotation_at(36.2, 137.1)
    east = to_ecef(lat, lon + step, h) - to_ecef(lat, lon - step, h)
    north = to_ecef(lat + step, lon, h) - to_ecef(lat - step, lon, h)
    up = to_ecef(lat, lon, h + 1.0) - to_ecef(lat, lon, h - 1.0)
    for row, direction in zip(r, (east, north, up), strict=True):
        np.testing.assert_allclose(row, direction / np.linalg.norm(direction), atol=1e-9)


@pytest.mark.parametrize("azimuth_deg", [0.0, 45.0, 90.0, 179.0, 180.0, 225.0, 270.0, 359.9])
@pytest.mark.parametrize("elevation_deg", [-30.0, 0.0, 5.0, 60.0, 89.0])
def test_elevation_and_azimuth_come_back(azimuth_deg, elevation_deg):
    r = rotation_at(-33.0, 151.0)
    e, a = math.radians(elevation_deg), math.radians(azimuth_deg)
    enu = np.array([math.cos(e) * math.sin(a), math.cos(e) * math.cos(a), math.sin(e)])
    elevation, azimuth = elevation_azimuth(r.T @ enu, r)
    assert elevation == pytest.approx(e, abs=1e-14)
    assert math.remainder(azimuth - a, 2 * math.pi) == pytest.approx(0.0, abs=1e-13)
    assert 0.0 <= azimuth <= 2.0 * math.pi


def test_elevation_at_the_zenith_survives_rounding_over_one():
    r = rotation_at(10.0, 20.0)
    elevation, azimuth = elevation_azimuth(np.ascontiguousarray(r[2]) * (1.0 + 1e-15), r)
    assert elevation == pytest.approx(math.pi / 2, abs=1e-7)
    assert math.isfinite(azimuth)


def plain(function):
    """The Python function behind a kernel; itself when numba is switched off."""
    return getattr(function, "py_func", function)


def test_compiled_equals_python():
    ecef, twin = np.array([-3957199.0, 3310205.0, 3737911.0]), np.empty(3)
    plain(ecef_to_geodetic)(ecef, twin)
    np.testing.assert_allclose(to_geodetic(ecef)[1], twin, rtol=1e-15)
