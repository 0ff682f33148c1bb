"""Ionosphere kernels against published examples, maps of an analysis centre and naive twins."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.core.atmosphere.ionosphere import (
    IONO_BDGIM,
    IONO_KLOBUCHAR,
    IONO_KLOBUCHAR_BEIDOU,
    IONO_OFF,
    L1_HZ,
    N_BACKGROUND,
    IonosphereModel,
    bdgim,
    bdgim_background,
    bdgim_slot,
    bdgim_vtec,
    delay_from_l1,
    delay_from_tecu,
    klobuchar,
    klobuchar_beidou,
    slant_ionosphere_l1,
    solar_geomagnetic,
    spherical_harmonic,
)
from rtkpos.gnss.time import ns_from_calendar, week_and_tow
from tests.data import dataset_path, text_of

TECU_M = 40.3e16 / 1575.42e6**2
BDT_LAG_NS = 14 * 10**9
NS_PER_HOUR = 3600 * 10**9

# 2023-03-12, the records "ION G21 LNAV", "ION C05 D1D2" and "ION C30 CNVX" of
# BRD400DLR_S_20230710000_01D_MN.rnx.
DAY = (2023, 3, 12)
KLOBUCHAR_2023 = np.array(
    [
        2.887099981308e-08,
        7.450580596924e-09,
        -1.192092895508e-07,
        0.0,
        133120.0,
        0.0,
        -262144.0,
        131072.0,
        0.0,
    ]
)
BEIDOU_2023 = np.array(
    [
        4.19095158577e-08,
        4.395842552185e-07,
        -2.861022949219e-06,
        3.576278686523e-06,
        83968.0,
        999424.0,
        -7798784.0,
        8323072.0,
        0.0,
    ]
)
BDGIM_2023 = np.array([35.5, 2.0, 12.0, 13.375, -17.25, 1.125, 1.0, 3.0, 0.375])


def background_at(time_ns):
    out = np.empty(N_BACKGROUND)
    bdgim_background(bdgim_slot(time_ns), out)
    return out


def model(kind, coefficients, time_ns):
    first = int(bdgim_slot(time_ns))
    table = np.empty((12, N_BACKGROUND))
    for row in range(12):
        bdgim_background(first + row, table[row])
    return IonosphereModel(kind, coefficients, first, table)


@pytest.mark.parametrize(
    ("coefficients", "degrees", "tow_s", "delay_m"),
    # The two cases of test_calc_ionosphere in libswiftnav (Swift Navigation, 2016).
    [
        (
            (0.1583e-7, -0.7451e-8, -0.5960e-7, 0.1192e-6, 1.29e5, -2.13e5, 6.554e4, 3.277e5),
            (-35.3, 149.1, 15.0, 0.0),
            479820.0,
            7.202,
        ),
        (
            (0.3820e-7, 0.1490e-7, -0.1790e-6, 0.0, 1.43e5, 0.0, -3.28e5, 1.13e5),
            (40.0, 260.0, 20.0, 210.0),
            593100.0,
            23.784,
        ),
    ],
)
def test_klobuchar_gives_the_values_of_another_library(coefficients, degrees, tow_s, delay_m):
    place = [math.radians(x) for x in degrees]
    got = klobuchar(np.array([*coefficients, 0.0]), *place, tow_s)
    assert got == pytest.approx(delay_m, abs=6e-4)


def read_tec_maps(path):
    """TEC maps of an IONEX file with 71 x 73 points: (n_map, 71, 73) [TECU]."""
    rows, maps = text_of(path).splitlines(), []
    for i, line in enumerate(rows):
        if "START OF TEC MAP" in line:
            maps.append([])
        elif "LAT/LON1/LON2" in line:
            maps[-1].append(" ".join(rows[i + 1 : i + 6]).split())
        elif "END OF TEC MAP" in line and len(maps[-1]) != 71:
            raise ValueError("incomplete map")
    return np.array(maps, dtype=float) / 10.0


def test_klobuchar_equals_the_maps_of_code():
    # CODE evaluates the model itself in CKMG0020.22I. The eight coefficients, which that file does
    # not name, were fitted to 1200 of its 129,575 values.
    ab = np.array([0.1582934, -0.0712368, -3.0522156, -5.0378563, 0.0, 0.0, 0.0, 0.0, 0.0]) * 1e-7
    ab[4:8] = [115100.06, -161441.78, 172570.2, 1428240.24]
    maps = read_tec_maps(dataset_path("products-misc", "CKMG0020.22I.gz"))
    assert maps.shape == (25, 71, 73)
    worst = []
    for hour in range(0, 24, 5):
        for i in range(4, 67, 3):
            for k in range(0, 72, 5):
                place = (math.radians(87.5 - 2.5 * i), math.radians(-180.0 + 5.0 * k))
                delay_m = klobuchar(ab, *place, math.pi / 2, 0.0, hour * 3600.0)
                worst.append(delay_m / TECU_M - maps[hour, i, k])
    assert np.sqrt(np.mean(np.square(worst))) < 0.06  # TECU; the maps are rounded to 0.1
    assert np.abs(worst).max() < 0.4


# VTEC [TECU] at (40, 116), (-35, -70), (0, 10), (65, -150), (20, -160) deg on 2020-11-05, 14.4 min
# after the hour, from the program the authors of BDGIM publish (Aerospace Information Research
# Institute, April 2021) with the coefficients of its example.
BDGIM_EXAMPLE = np.array(
    [
        13.82642069,
        -1.78004616,
        5.172,
        3.1303094,
        -4.58961329,
        0.32483867,
        -0.07802383,
        1.2431259,
        0.37763627,
    ]
)
BDGIM_POINTS = ((40, 116), (-35, -70), (0, 10), (65, -150), (20, -160))
BDGIM_REFERENCE = (
    (1, (11.844520, 16.248281, 7.315833, 10.211674, 27.934241)),
    (6, (17.226151, 12.160950, 10.828715, 6.235403, 12.955528)),
    (11, (7.062234, 14.037550, 32.319838, 5.071694, 7.682700)),
    (16, (5.968435, 25.937328, 29.406278, 4.510707, 4.989405)),
    (21, (4.525020, 24.002599, 12.810167, 7.923159, 22.454341)),
)


@pytest.mark.parametrize(("hour", "want"), BDGIM_REFERENCE)
def test_bdgim_equals_the_program_of_its_authors(hour, want):
    time_ns = ns_from_calendar(2020, 11, 5, hour, 14, 24 * 10**9) + BDT_LAG_NS
    background = background_at(time_ns)
    got = [
        bdgim_vtec(BDGIM_EXAMPLE, background, math.radians(lat), math.radians(lon), time_ns)
        for lat, lon in BDGIM_POINTS
    ]
    np.testing.assert_allclose(got, want, atol=2e-5)


def test_bdgim_slant_is_near_the_example_of_its_authors():
    # Their example: 1.441 m on B1C at 17:00; it takes a geocentric elevation and the modified
    # single-layer mapping where the ICD has the plain thin shell, hence the 4 %.
    time_ns = ns_from_calendar(2020, 11, 5, 17) + BDT_LAG_NS
    place = (math.radians(40.0746), math.radians(116.2311), math.radians(35.286), 2.4443)
    stec = bdgim(BDGIM_EXAMPLE, background_at(time_ns), *place, time_ns)
    assert delay_from_tecu(stec, L1_HZ) == pytest.approx(1.441, rel=0.04)


def test_spherical_harmonics_are_orthonormal():
    lat_nodes, weights = np.polynomial.legendre.leggauss(12)
    lon = np.arange(24) * (2 * math.pi / 24)
    terms = [(0, 0), (1, 0), (1, -1), (2, 2), (3, 0), (3, -3), (4, 1), (5, 2), (5, -2)]
    values = np.array(
        [
            [spherical_harmonic(n, m, s, math.sqrt(1 - s * s), x) for s in lat_nodes for x in lon]
            for n, m in terms
        ]
    )
    weight = np.repeat(weights, len(lon)) / (2 * len(lon))  # mean over the sphere
    np.testing.assert_allclose((values * weight) @ values.T, np.eye(len(terms)), atol=1e-13)


def test_geomagnetic_pole_and_sun():
    lat, _ = solar_geomagnetic(math.radians(80.27), math.radians(-72.58), 0.3)
    assert lat == pytest.approx(math.pi / 2, abs=1e-7)
    # At noon in Greenwich the meridian of Greenwich faces the sun.
    _, lon = solar_geomagnetic(0.0, 0.0, 0.5)
    assert math.cos(lon) == pytest.approx(1.0, abs=0.02)


def naive_klobuchar_beidou(ab, lat, lon, elevation, azimuth, sow):
    """BDS-SIS-ICD-B1I-3.0, 5.2.4.7, formula by formula, in seconds times c."""
    shell = 6378.0 / (6378.0 + 375.0)
    psi = math.pi / 2 - elevation - math.asin(shell * math.cos(elevation))
    phi = math.asin(
        math.sin(lat) * math.cos(psi) + math.cos(lat) * math.sin(psi) * math.cos(azimuth)
    )
    lam = lon + math.asin(math.sin(psi) * math.sin(azimuth) / math.cos(phi))
    a2 = max(0.0, sum(ab[n] * abs(phi / math.pi) ** n for n in range(4)))
    a4 = sum(ab[4 + n] * abs(phi / math.pi) ** n for n in range(4))
    a4 = min(max(a4, 72000.0), 172800.0)
    t = (sow + lam * 43200 / math.pi) % 86400
    vertical = 5e-9
    if abs(t - 50400) < a4 / 4:
        vertical += a2 * math.cos(2 * math.pi * (t - 50400) / a4)
    return 299_792_458.0 * vertical / math.sqrt(1 - (shell * math.cos(elevation)) ** 2)


def test_klobuchar_beidou_equals_a_naive_twin():
    rng = np.random.default_rng(5)
    for _ in range(200):
        place = (
            rng.uniform(-1.2, 1.2),
            rng.uniform(-3.1, 3.1),
            rng.uniform(0.1, 1.55),
            rng.uniform(0, 6.28),
        )
        sow = rng.uniform(0, 604800)
        want = naive_klobuchar_beidou(BEIDOU_2023, *place, sow)
        assert klobuchar_beidou(BEIDOU_2023, *place, sow) == pytest.approx(want, abs=1e-9)


def test_the_three_models_agree_over_china_in_daylight():
    # One sky, three models of 2023-03-12: each claims to remove at least half of the delay.
    for hour in (4, 6, 8):
        time_ns = ns_from_calendar(*DAY, hour)
        vtec = [
            slant_ionosphere_l1(
                model(kind, coefficients, time_ns), 0.55, 2.0, math.pi / 2, 0.0, time_ns
            )
            / TECU_M
            for kind, coefficients in (
                (IONO_KLOBUCHAR, KLOBUCHAR_2023),
                (IONO_KLOBUCHAR_BEIDOU, BEIDOU_2023),
                (IONO_BDGIM, BDGIM_2023),
            )
        ]
        assert 20.0 < min(vtec) < max(vtec) < 100.0, vtec
        assert max(vtec) / min(vtec) < 2.0, vtec


def test_bdgim_and_klobuchar_agree_in_the_mean_over_the_globe():
    difference, level = [], []
    for hour in range(0, 24, 2):
        time_ns = ns_from_calendar(*DAY, hour)
        for lat in np.radians(np.arange(-60, 61, 15.0)):
            for lon in np.radians(np.arange(-180, 180, 30.0)):
                place = (lat, lon, math.pi / 2, 0.0)
                vtec = bdgim(BDGIM_2023, background_at(time_ns), *place, time_ns)
                other = klobuchar(KLOBUCHAR_2023, *place, week_and_tow(time_ns)[1]) / TECU_M
                difference.append(vtec - other)
                level.append(vtec)
    assert 20.0 < np.mean(level) < 60.0
    assert np.sqrt(np.mean(np.square(difference))) < 0.6 * np.mean(level)


def test_delay_grows_towards_the_horizon_and_stays_finite_below_it():
    time_ns = ns_from_calendar(*DAY, 6)
    for kind, coefficients in (
        (IONO_KLOBUCHAR, KLOBUCHAR_2023),
        (IONO_KLOBUCHAR_BEIDOU, BEIDOU_2023),
        (IONO_BDGIM, BDGIM_2023),
    ):
        m = model(kind, coefficients, time_ns)
        delays = [
            slant_ionosphere_l1(m, 0.55, 2.0, math.radians(e), 1.0, time_ns)
            for e in (-5.0, 0.0, 10.0, 30.0, 60.0, 90.0)
        ]
        assert delays[0] == delays[1] < 80.0
        assert (np.diff(delays[2:]) < 0).all()
        assert 1.4 < delays[-1]


def test_every_place_and_hour_is_finite_poles_and_date_line_included():
    for hour in range(0, 24, 3):
        time_ns = ns_from_calendar(*DAY, hour)
        for kind, coefficients in (
            (IONO_KLOBUCHAR, KLOBUCHAR_2023),
            (IONO_KLOBUCHAR_BEIDOU, BEIDOU_2023),
            (IONO_BDGIM, BDGIM_2023),
        ):
            m = model(kind, coefficients, time_ns)
            for lat in (-math.pi / 2, -1.0, 0.0, 1.0, math.pi / 2):
                for lon in (-math.pi, 0.0, math.pi):
                    delay = slant_ionosphere_l1(m, lat, lon, 0.3, 4.0, time_ns)
                    assert 0.0 < delay < 100.0
            west = slant_ionosphere_l1(m, 0.4, -math.pi, 0.5, 1.0, time_ns)
            assert west == pytest.approx(slant_ionosphere_l1(m, 0.4, math.pi, 0.5, 1.0, time_ns))


def test_off_is_zero_and_nan_stays_nan():
    time_ns = ns_from_calendar(*DAY, 6)
    assert (
        slant_ionosphere_l1(model(IONO_OFF, np.zeros(9), time_ns), 0.5, 2.0, 0.5, 1.0, time_ns) == 0
    )
    for kind, coefficients in ((IONO_KLOBUCHAR, KLOBUCHAR_2023), (IONO_BDGIM, BDGIM_2023)):
        m = model(kind, coefficients, time_ns)
        for hole in range(4):
            place = [0.5, 2.0, 0.5, 1.0]
            place[hole] = math.nan
            assert math.isnan(slant_ionosphere_l1(m, *place, time_ns))


def test_beidou_delay_is_scaled_from_b1i_to_l1():
    time_ns = ns_from_calendar(*DAY, 6)
    place = (0.55, 2.0, 0.7, 1.0)
    on_l1 = slant_ionosphere_l1(model(IONO_KLOBUCHAR_BEIDOU, BEIDOU_2023, time_ns), *place, time_ns)
    _, tow_s = week_and_tow(time_ns)
    on_b1i = klobuchar_beidou(BEIDOU_2023, *place, tow_s - 14.0)
    assert delay_from_l1(on_l1, 1561.098e6) == pytest.approx(on_b1i, rel=1e-12)


def test_frequency_helpers():
    assert delay_from_tecu(1.0, L1_HZ) == pytest.approx(0.16237, abs=1e-5)
    assert delay_from_l1(1.0, 1227.60e6) == pytest.approx((77 / 60) ** 2, rel=1e-12)


def test_bdgim_outside_its_table_takes_the_nearest_day():
    start_ns = ns_from_calendar(*DAY)
    m = model(IONO_BDGIM, BDGIM_2023, start_ns)
    for days in (-40, -1, 1, 40):
        time_ns = start_ns + 5 * NS_PER_HOUR + days * 24 * NS_PER_HOUR
        delay = slant_ionosphere_l1(m, 0.55, 2.0, 0.7, 1.0, time_ns)
        inside = slant_ionosphere_l1(m, 0.55, 2.0, 0.7, 1.0, start_ns + 5 * NS_PER_HOUR)
        assert delay == pytest.approx(inside, rel=1e-12)


def plain(function):
    """The Python function behind a kernel; itself when numba is switched off."""
    return getattr(function, "py_func", function)


def test_compiled_equals_python():
    place = (0.55, 2.0, 0.7, 1.0)
    twin = plain(klobuchar)(KLOBUCHAR_2023, *place, 1234.5)
    assert klobuchar(KLOBUCHAR_2023, *place, 1234.5) == pytest.approx(twin, rel=1e-14)
    time_ns = ns_from_calendar(*DAY, 6)
    background = background_at(time_ns)
    twin = plain(bdgim)(BDGIM_2023, background, *place, time_ns)
    assert bdgim(BDGIM_2023, background, *place, time_ns) == pytest.approx(twin, rel=1e-13)
