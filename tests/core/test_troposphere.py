"""Troposphere kernels against published values, a naive twin and physical bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.core.atmosphere import _gmf_tables as gmf
from rtkpos.core.atmosphere.troposphere import (
    N_TROP,
    T_ZHD_M,
    T_ZWD_M,
    gmf_leading_coefficients,
    mapping_gmf_boehm2006,
    prepare_troposphere,
    slant_troposphere,
    standard_atmosphere,
    zenith_hydrostatic_delay,
    zenith_wet_delay,
)
from rtkpos.gnss.time import ns_from_calendar

MJD_OF_GPS_EPOCH = 44244
NS_PER_DAY = 86_400 * 10**9
SUMMER_NS = ns_from_calendar(2024, 7, 1, 12)


def prepared(lat_deg, lon_deg, height_m, time_ns=SUMMER_NS):
    out = np.empty(N_TROP)
    prepare_troposphere(math.radians(lat_deg), math.radians(lon_deg), height_m, time_ns, out)
    return out


def test_gmf_gives_the_value_the_iers_publishes():
    # Test case in the header of routine GMF, IERS Conventions (2010), chapter 9.
    time_ns = (55055 - MJD_OF_GPS_EPOCH) * NS_PER_DAY
    out = np.empty(N_TROP)
    assert prepare_troposphere(0.6708665767, -1.393397187, 844.715, time_ns, out) == 0
    hydrostatic, wet = mapping_gmf_boehm2006(out, math.pi / 2 - 1.278564131)
    assert hydrostatic == pytest.approx(3.425245519339138678, abs=1e-12)
    assert wet == pytest.approx(3.449589116182419257, abs=1e-12)


def naive_leading_coefficients(lat, lon, season):
    """First coefficients (hydrostatic, wet) of GMF with scipy's Legendre functions."""
    from scipy.special import lpmv

    totals = []
    for name in ("H", "W"):
        total, i = 0.0, 0
        for n in range(10):
            for m in range(n + 1):
                p = (-1) ** m * lpmv(m, n, math.sin(lat))
                cosine = getattr(gmf, f"A{name}_MEAN")[i] + getattr(gmf, f"A{name}_AMP")[i] * season
                sine = getattr(gmf, f"B{name}_MEAN")[i] + getattr(gmf, f"B{name}_AMP")[i] * season
                total += p * (cosine * math.cos(m * lon) + sine * math.sin(m * lon))
                i += 1
        totals.append(total * 1e-5)
    return totals


@pytest.mark.parametrize("season", [-1.0, 0.3, 1.0])
@pytest.mark.parametrize("place", [(0.67, -1.39), (-0.4, 2.5), (1.5, 0.1), (0.0, 0.0)])
def test_leading_coefficients_are_the_spherical_harmonics(place, season):
    got = gmf_leading_coefficients(*place, season)
    assert got == pytest.approx(naive_leading_coefficients(*place, season), rel=1e-12)


def naive_gmf(lat, lon, height_m, elevation, days_since_1980):
    """GMF with scipy's Legendre functions and the formulae as they stand in the paper."""
    season = math.cos(2 * math.pi * (days_since_1980 + 1 - 28) / 365.25)
    a = dict(zip("HW", naive_leading_coefficients(lat, lon, season), strict=True))
    south = lat < 0
    phase = math.pi if south else 0.0
    c11, c10 = (0.007, 0.002) if south else (0.005, 0.001)
    angle = 2 * math.pi * (days_since_1980 + 1 - 28) / 365.25 + phase
    c = 0.062 + ((math.cos(angle) + 1) * c11 / 2 + c10) * (1 - math.cos(lat))

    def marini(a, b, c):
        s = math.sin(elevation)
        return (1 + a / (1 + b / (1 + c))) / (s + a / (s + b / (s + c)))

    lift = (1 / math.sin(elevation) - marini(2.53e-5, 5.49e-3, 1.14e-3)) * height_m / 1000
    return marini(a["H"], 0.0029, c) + lift, marini(a["W"], 0.00146, 0.04391)


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg"), [(0, 0), (48, 11), (-35, 149), (89.9, -120), (-89.9, 3), (22, 179.9)]
)
def test_gmf_equals_a_naive_twin(lat_deg, lon_deg):
    for month in (1, 4, 7, 10):
        time_ns = ns_from_calendar(2023, month, 15, 6)
        days = time_ns / NS_PER_DAY + 5
        c = prepared(lat_deg, lon_deg, 350.0, time_ns)
        for elevation_deg in (5, 15, 60, 90):
            e = math.radians(elevation_deg)
            want = naive_gmf(math.radians(lat_deg), math.radians(lon_deg), 350.0, e, days)
            assert mapping_gmf_boehm2006(c, e) == pytest.approx(want, rel=1e-12)


def test_zenith_delays_of_the_standard_atmosphere():
    # 2.307 m: Saastamoinen's value at 1013.25 hPa, 45 deg, sea level (IERS Conventions, eq. 9.4).
    assert zenith_hydrostatic_delay(1013.25, math.pi / 4, 0.0) == pytest.approx(2.30697, abs=1e-5)
    assert zenith_wet_delay(288.15, 0.0, 0.5, 0.0) == 0.0


@pytest.mark.parametrize(
    ("temperature_k", "humidity", "lat_deg", "height_m", "delay_m"),
    # Worked out apart from the code after Saastamoinen (1972):
    # e = 6.108 U exp((17.15 T - 4684)/(T - 38.45)) hPa,
    # delay = 0.0022768 (1255/T + 0.05) e / (1 - 0.00266 cos 2 lat - 2.8e-7 h).
    [
        (288.15, 0.7, 45.0, 0.0, 0.1204035),  # e = 12.0042 hPa
        (273.15, 1.0, 45.0, 0.0, 0.0647342),  # e = 6.1216 hPa
        (300.15, 0.5, 0.0, 2000.0, 0.1735270),  # e = 17.9545 hPa
    ],
)
def test_zenith_wet_delay_of_saastamoinen(temperature_k, humidity, lat_deg, height_m, delay_m):
    got_m = zenith_wet_delay(temperature_k, humidity, math.radians(lat_deg), height_m)
    assert got_m == pytest.approx(delay_m, abs=1e-6)


@pytest.mark.parametrize(
    ("celsius", "saturation_hpa"), [(0.0, 6.11), (10.0, 12.27), (20.0, 23.37), (30.0, 42.43)]
)
def test_zenith_wet_delay_uses_the_saturation_pressure_of_water(celsius, saturation_hpa):
    # Saturation vapour pressure over water: WMO-No. 8 (2018), annex 4.B.
    temperature_k = celsius + 273.15
    delay_m = zenith_wet_delay(temperature_k, 1.0, math.pi / 4, 0.0)
    vapour_hpa = delay_m / (0.0022768 * (1255.0 / temperature_k + 0.05))
    assert vapour_hpa == pytest.approx(saturation_hpa, rel=1e-2)


@pytest.mark.parametrize(
    ("height_m", "pressure_hpa", "temperature_k"),
    # US Standard Atmosphere (1976), table 1, by geopotential height.
    [(0, 1013.25, 288.15), (1000, 898.75, 281.65), (5000, 540.20, 255.65), (11000, 226.32, 216.65)],
)
def test_standard_atmosphere_equals_its_table(height_m, pressure_hpa, temperature_k):
    pressure, temperature = standard_atmosphere(float(height_m))
    assert pressure == pytest.approx(pressure_hpa, rel=2e-4)
    assert temperature == pytest.approx(temperature_k, abs=0.01)


def test_atmosphere_is_continuous_at_the_tropopause():
    below, above = standard_atmosphere(10_999.99)[0], standard_atmosphere(11_000.01)[0]
    assert below == pytest.approx(above, rel=1e-4)


@pytest.mark.parametrize("height_m", [-400.0, 0.0, 8848.0, 11_000.0, 40_000.0, 1e7, -1e7])
def test_delay_is_finite_and_falls_with_elevation_at_every_height(height_m):
    c = prepared(48.0, 11.0, height_m)
    delays = [slant_troposphere(c, math.radians(e))[0] for e in (3, 5, 10, 20, 45, 90)]
    assert np.isfinite(delays).all()
    assert (np.diff(delays) < 0).all()
    assert 0.0 <= delays[-1] < 3.0
    assert delays[0] < 60.0


def test_elevation_is_clamped_at_three_degrees():
    c = prepared(48.0, 11.0, 500.0)
    lowest = slant_troposphere(c, math.radians(3.0))
    for elevation_deg in (2.9, 0.0, -10.0):
        assert slant_troposphere(c, math.radians(elevation_deg)) == lowest


def test_zenith_maps_to_one_and_total_is_hydrostatic_plus_wet():
    c = prepared(-12.0, 130.0, 20.0)
    trop_m, wet = slant_troposphere(c, math.pi / 2)
    assert wet == pytest.approx(1.0, abs=1e-12)
    assert trop_m == pytest.approx(c[T_ZHD_M] + c[T_ZWD_M], abs=1e-12)


def test_delay_loses_a_quarter_millimetre_per_metre_of_height():
    # 2.3 m over a scale height of 8 km, plus the wet part.
    low, high = (slant_troposphere(prepared(36.0, 137.0, h), math.pi / 2)[0] for h in (0.0, 100.0))
    assert 0.025 < low - high < 0.036


def test_nan_goes_in_and_comes_out():
    c = np.empty(N_TROP)
    for place in ((math.nan, 0.0, 0.0), (0.0, math.nan, 0.0), (0.0, 0.0, math.nan)):
        assert prepare_troposphere(*place, SUMMER_NS, c) == 1
        assert np.isnan(c).all()
        assert math.isnan(slant_troposphere(c, 0.5)[0])
    assert math.isnan(slant_troposphere(prepared(10.0, 20.0, 30.0), math.nan)[0])


def plain(function):
    """The Python function behind a kernel; itself when numba is switched off."""
    return getattr(function, "py_func", function)


def test_compiled_equals_python():
    c, twin = prepared(48.0, 11.0, 500.0), np.empty(N_TROP)
    plain(prepare_troposphere)(math.radians(48.0), math.radians(11.0), 500.0, SUMMER_NS, twin)
    np.testing.assert_allclose(c, twin, rtol=1e-13)
