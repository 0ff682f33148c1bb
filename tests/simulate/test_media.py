"""Air and ionosphere as receivers and files show them: variograms, gradients, waves."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import carrier_hz, sig_band, sig_index
from rtkpos.gnss.systems import BEIDOU, GPS, sat_from_name
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.physics.satellites import satellite_states
from rtkpos.simulate.medium.delays import METRES_PER_TECU, Air, Shell
from rtkpos.simulate.medium.ellipsoid import from_local
from rtkpos.simulate.medium.light_time import Rays, look_angles
from rtkpos.simulate.scenario.sections import IonosphereSection, Place, Troposphere
from rtkpos.simulate.simulation import simulate
from tests.simulate.scenes import QUIET, scene
from tests.simulate.test_effects import matern_variogram

ORIGIN = Place()
EARTH_RADIUS_M, SHELL_M = 6_371_000.0, 350e3
STORM_MM_PER_KM = -15.0
STATIONS_KM = {"S0": (0.0, 0.0), "S1": (10.0, 40.0), "S2": (70.0, 10.0), "S3": (60.0, 80.0)}


def upwards(n_epoch):
    """A ray to the zenith at every epoch."""
    high, zero = np.full((n_epoch, 1), np.pi / 2), np.zeros((n_epoch, 1))
    return Rays(np.zeros((n_epoch, 1, 3)), zero, zero, zero, zero, zero, high)


def zenith_delays_m(seed, east_m, time_s, given):
    """Zenith delay at places east of the origin at times, each (n,)."""
    air = Air.of(given, ORIGIN, np.random.default_rng(seed))
    enu = np.stack([east_m, np.zeros_like(east_m), np.zeros_like(east_m)], axis=1)
    return air.slant_m(from_local(enu, ORIGIN.llh), upwards(len(east_m)), time_s)[:, 0]


@pytest.mark.parametrize(
    ("apart_m", "later_s"), [(30e3, 0.0), (100e3, 0.0), (0.0, 3600.0), (0.0, 7200.0)]
)
def test_zenith_delays_differ_as_the_field_wants(apart_m, later_s):
    """Over a line, and at one place as the frozen field passes at 8 m/s; 300 draws."""
    given = Troposphere(turbulence_m=0.02, scale_km=120.0, wind_mps=8.0)
    half = []
    for seed in range(300):
        values = zenith_delays_m(seed, np.array([0.0, apart_m]), np.array([0.0, later_s]), given)
        half.append(0.5 * (values[1] - values[0]) ** 2)
    wanted = matern_variogram(apart_m + 8.0 * later_s, 0.02, 120e3)
    assert np.mean(half) == pytest.approx(wanted, rel=0.25)  # 3 sigma of 300 squares


def test_turbulence_grows_as_the_five_thirds_power_of_short_distances():
    """Kolmogorov: the mean square between 1 and 4 km rises 10-fold, 4^(5/3) = 10.1."""
    given = Troposphere(turbulence_m=0.02, scale_km=300.0)
    squares = np.zeros(2)
    for seed in range(200):
        values = zenith_delays_m(seed, np.array([0.0, 1e3, 4e3]), np.zeros(3), given)
        squares += (values[1:] - values[0]) ** 2
    assert squares[1] / squares[0] == pytest.approx(4.0 ** (5.0 / 3.0), rel=0.25)


def flat_shell(**given):
    """An ionosphere without daily change."""
    section = IonosphereSection(
        night_tecu=20.0,
        day_tecu=20.0,
        gradient_north_mm_per_km=0.0,
        gradient_east_mm_per_km=0.0,
        **given,
    )
    return Shell(section, ORIGIN)


def test_a_wave_has_its_height_length_direction_and_speed():
    """Fitted to delays at 3000 random places and times, without using how they are made."""
    shell = flat_shell(wave_tecu=0.5, wave_km=200.0, wave_mps=100.0, wave_to_deg=220.0)
    rng = np.random.default_rng(8)
    place, time_s = rng.uniform(-3e5, 3e5, (3000, 2)), rng.uniform(0.0, 7200.0, 3000)
    swing = shell.vertical_l1_m(place, time_s)
    swing = (swing - swing.mean()) / METRES_PER_TECU
    assert np.std(swing) * np.sqrt(2.0) == pytest.approx(0.5, rel=0.03)
    best = max(
        (fitted_power(swing, place, time_s, km, deg, mps), km, deg, mps)
        for km in (150.0, 175.0, 200.0, 225.0, 250.0)
        for deg in (40.0, 200.0, 220.0, 240.0)
        for mps in (80.0, 100.0, 120.0)
    )
    assert best[1:] == (200.0, 220.0, 100.0)
    assert best[0] > 0.99


def fitted_power(swing, place, time_s, km, deg, mps):
    """Share of the variance that a plane wave explains."""
    ahead = place @ np.array([np.sin(np.radians(deg)), np.cos(np.radians(deg))]) - mps * time_s
    angle = 2.0 * np.pi * ahead / (km * 1e3)
    design = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    left = swing - design @ np.linalg.lstsq(design, swing, rcond=None)[0]
    return 1.0 - np.var(left) / np.var(swing)


@pytest.fixture(scope="module")
def storm(tmp_path_factory):
    """Files of four stations under 15 mm/km to the north, with all noise and biases."""
    folder = tmp_path_factory.mktemp("storm")
    stations = [
        {"name": name, "enu_m": [1e3 * east_km, 1e3 * north_km, 0.0]}
        for name, (east_km, north_km) in STATIONS_KM.items()
    ]
    ionosphere = {
        "night_tecu": 90.0,
        "day_tecu": 90.0,
        "gradient_north_mm_per_km": STORM_MM_PER_KM,
        "gradient_east_mm_per_km": 0.0,
        "wave_tecu": 0.0,
    }
    quiet = {name: QUIET[name] for name in ("tracking",)}
    run = {"interval_s": 15.0}
    simulate(
        scene("GC", duration_s=600.0, run=run, station=stations, ionosphere=ionosphere, **quiet),
        folder,
    )
    return folder


def geometry_free_l1_m(folder, name):
    """Slant ionosphere on L1 but for biases: {(satellite, time_ns): value [m]}.

    From phases of L1 and L5 of GPS, B1I and B3I of BeiDou, less the integers of the truth.
    """
    table = read_obs(folder / f"{name}.obs")
    epoch = np.repeat(np.arange(table.n_epoch), np.diff(table.row_start))
    rows = csv.DictReader((folder / "truth" / f"{name}-arcs.csv").read_text().splitlines())
    whole = {(row["satellite"], row["signal"]): int(row["integer"]) for row in rows}
    whole = {(sat_from_name(s), code): n for (s, code), n in whole.items()}
    pairs = {GPS: ("1C", "5Q"), BEIDOU: ("2I", "6I")}
    out = {}
    for system, codes in pairs.items():
        parts, hertz = [], []
        for code in codes:
            sig = sig_index(system, code)
            hertz.append(carrier_hz(system, int(sig_band(sig))))
            part = {}
            for k in np.flatnonzero(table.sig == sig):
                key = int(table.sat[k]), int(table.time_ns[epoch[k]])
                cycle = table.phase_cycle[k] - whole[key[0], code]
                part[key] = -cycle * SPEED_OF_LIGHT_MPS / hertz[-1]
            parts.append(part)
        scale = (1575.42e6 / hertz[1]) ** 2 - (1575.42e6 / hertz[0]) ** 2
        for key in parts[0].keys() & parts[1].keys():
            out[key] = (parts[1][key] - parts[0][key]) / scale
    return out


def vertical_gradients(folder):
    """Vertical gradients to the north and east [mm/km] by least squares over all stations.

    A satellite's difference between two stations is that of mapped vertical delays, each linear in
    the place where the ray pierces the shell, and one bias of the two receivers per system.
    """
    nav = read_nav(folder / "nav.rnx")
    first = geometry_free_l1_m(folder, "S0")
    keys = sorted(first)
    here, high = pierced(nav, keys, STATIONS_KM["S0"])
    design, right = [], []
    for number, (name, where_km) in enumerate(list(STATIONS_KM.items())[1:]):
        other = geometry_free_l1_m(folder, name)
        there, _ = pierced(nav, keys, where_km)
        for k, key in enumerate(keys):
            if key in other and high[k] > np.radians(20.0):
                bias = np.zeros(6)
                bias[2 * number + (key[0] >> 6 == BEIDOU)] = 1.0
                design.append(np.concatenate([there[k] - here[k], bias]))
                right.append(1e3 * (other[key] - first[key]))
    found = np.linalg.lstsq(np.array(design), np.array(right), rcond=None)[0]
    return found[1:3]


def pierced(nav, keys, where_km):
    """Mapping factor, and this times north and east [km] of the pierce point: (n, 3); elevation.

    Klobuchar's geometry on a sphere: the earth-centred angle between station and pierce point.
    """
    sat, time_ns = np.array(keys).T
    place = from_local(1e3 * np.array([*where_km, 0.0]), ORIGIN.llh)
    los = satellite_states(nav, sat, time_ns - 75_000_000).ecef_m - place
    los /= np.linalg.norm(los, axis=1)[:, None]
    azimuth, high = (values[0] for values in look_angles(place[None], los[None]))
    sine = EARTH_RADIUS_M / (EARTH_RADIUS_M + SHELL_M) * np.cos(high)
    away_km = EARTH_RADIUS_M / 1e3 * (np.pi / 2.0 - high - np.arcsin(sine))
    north_km = where_km[1] + away_km * np.cos(azimuth)
    east_km = where_km[0] + away_km * np.sin(azimuth)
    terms = np.stack([np.ones(len(sat)), north_km, east_km], axis=1)
    return terms / np.sqrt(1.0 - sine**2)[:, None], high


def test_a_storm_is_recovered_from_the_files(storm):
    """15 mm/km to the north and none to the east, to 0.2 mm/km."""
    assert vertical_gradients(storm) == pytest.approx([STORM_MM_PER_KM, 0.0], abs=0.2)
