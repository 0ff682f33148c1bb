"""Bad stations are named, good ones are not; who cannot be judged is not."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from rtkpos.errors import DataError
from rtkpos.network.integrity.station_fit import fit_station
from rtkpos.network.integrity.station_health import StationVerdict, check_stations
from rtkpos.network.integrity.station_screen import stepped
from tests.network.fields import lattice
from tests.network.made_network import add_to, line_of_sight, made_series

pytestmark = pytest.mark.compiled

FIVE_CM = 0.05
QUIET_TECU = 0.02


def nine(seed, **settings):
    """A healthy series of nine stations 50 km apart."""
    rng = np.random.default_rng(seed)
    return made_series(rng, lattice(rng, 50e3, 3), **settings)


def moved(series, station, offset_m):
    """The series with a station's given coordinate off by (3,) east, north, up."""
    los = line_of_sight(series.azimuth_rad, series.elevation_rad)
    add_to(series.nondispersive_m, station, los @ np.asarray(offset_m))
    return series


def excluded(health):
    return [number for number, station in enumerate(health) if station.excluded]


def chosen(series, stations):
    """The series of some stations only."""
    return dataclasses.replace(
        series,
        names=tuple(series.names[k] for k in stations),
        east_north_m=series.east_north_m[stations],
        nondispersive_m=series.nondispersive_m[:, stations],
        dispersive_m=series.dispersive_m[:, stations],
    )


def test_healthy_stations_pass_with_true_sigmas():
    normalised = []
    for seed in range(6):
        health = check_stations(nine(seed))
        assert [station.verdict for station in health] == [StationVerdict.OK] * 9
        normalised += [station.offset_enu_m / station.sigma_enu_m for station in health]
    spread = np.sqrt(np.mean(np.square(normalised), axis=0))
    assert (spread > 0.5).all()
    assert (spread < 1.6).all(), spread


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("station", [0, 4, 8])  # the datum, one in the middle, one at the corner
def test_five_centimetres_are_found_measured_and_excluded(station, axis):
    offset = np.eye(3)[axis] * FIVE_CM
    health = check_stations(moved(nine(10 + station), station, offset))
    assert excluded(health) == [station]
    found = health[station]
    assert found.verdict == StationVerdict.COORDINATE
    assert found.name == f"S{station:02d}"
    np.testing.assert_allclose(found.offset_enu_m[:2], offset[:2], atol=0.005)
    assert abs(found.offset_enu_m[2] - offset[2]) < 0.03


@pytest.mark.parametrize("bad", [(1, 5), (0, 4)])
def test_two_bad_stations_are_both_named_and_no_good_one(bad):
    series = nine(20)
    moved(series, bad[0], [FIVE_CM, 0.0, 0.0])
    moved(series, bad[1], [0.0, -FIVE_CM, 0.0])
    assert excluded(check_stations(series)) == list(bad)


def test_two_out_of_three_convict_the_third():
    for bad in range(3):
        series = chosen(nine(30), [0, 4, 5])
        health = check_stations(moved(series, bad, [0.0, FIVE_CM, 0.0]))
        assert excluded(health) == [bad]


def test_of_two_that_disagree_neither_is_convicted():
    series = chosen(nine(31), [0, 4])
    assert {station.verdict for station in check_stations(series)} == {StationVerdict.OK}
    health = check_stations(moved(series, 1, [FIVE_CM, 0.0, 0.0]))
    assert {station.verdict for station in health} == {StationVerdict.TOO_FEW}
    assert excluded(health) == []


def test_two_against_two_convict_nobody():
    series = chosen(nine(32), [0, 1, 3, 4])
    for station in (1, 2):
        moved(series, station, [0.0, 0.0, 2.0 * FIVE_CM])
    health = check_stations(series)
    assert excluded(health) == []
    assert StationVerdict.TOO_FEW in {station.verdict for station in health}


def test_a_mislabelled_antenna_is_told_from_a_height():
    # Phase centres of L1 and L2 off by different heights: both fields carry sin(elevation).
    antenna, height = nine(40, wave_tecu=QUIET_TECU), nine(40, wave_tecu=QUIET_TECU)
    up = np.sin(antenna.elevation_rad)
    add_to(antenna.dispersive_m, 4, 0.05 * up)
    add_to(antenna.nondispersive_m, 4, 0.06 * up)
    (found,) = [station for station in check_stations(antenna) if station.excluded]
    assert (found.name, found.verdict) == ("S04", StationVerdict.ANTENNA)
    assert found.antenna_m == pytest.approx(0.05, abs=0.03)
    add_to(height.nondispersive_m, 4, 0.06 * up)
    (found,) = [station for station in check_stations(height) if station.excluded]
    assert (found.name, found.verdict) == ("S04", StationVerdict.COORDINATE)


def test_a_clock_is_a_clock():
    series = nine(41)
    drift = np.linspace(-0.5, 0.5, len(series.azimuth_rad))[:, None]
    add_to(series.nondispersive_m, 3, np.broadcast_to(drift, series.azimuth_rad.shape))
    health = check_stations(series)
    assert excluded(health) == [3]
    assert health[3].verdict == StationVerdict.CLOCK
    assert health[3].clock_m == pytest.approx(0.29, abs=0.05)


def test_a_wrong_integer_of_one_satellite_is_no_wrong_coordinate():
    series = nine(42)
    add_to(series.nondispersive_m, 4, np.arange(24) == np.full((120, 1), 7))  # 1 m, one satellite
    health = check_stations(series)
    assert np.linalg.norm(health[4].offset_enu_m[:2]) < 0.01


@pytest.mark.parametrize("wave_tecu", [QUIET_TECU, 0.2])
def test_an_offset_hidden_by_the_integers_it_pulled_is_found(wave_tecu):
    # As in a solved network: satellites the offset lengthens by 2 cm got one cycle more on L1 and
    # on L2, which takes 107 mm off the non-dispersive part and adds 83 mm to the dispersive one.
    series = nine(60, wave_tecu=wave_tecu)
    offset = np.array([0.04, 0.03, 0.0])
    los = line_of_sight(series.azimuth_rad, series.elevation_rad)
    pulled = np.broadcast_to((los @ offset).mean(axis=0) > 0.02, series.azimuth_rad.shape)
    assert 4 <= pulled[0].sum() <= 9
    moved(series, 4, offset)
    add_to(series.nondispersive_m, 4, -0.107 * pulled)
    add_to(series.dispersive_m, 4, 0.083 * pulled)
    health = check_stations(series)
    assert excluded(health) == [4]
    assert health[4].verdict == StationVerdict.COORDINATE
    np.testing.assert_allclose(health[4].offset_enu_m[:2], offset[:2], atol=0.01)


def test_a_silent_station_is_not_judged():
    series = nine(43)
    series.nondispersive_m[:, 4] = series.dispersive_m[:, 4] = math.nan
    series.nondispersive_m[:, 2, 3:] = series.dispersive_m[:, 2, 3:] = math.nan  # 3 satellites
    health = check_stations(series)
    assert health[4].verdict == health[2].verdict == StationVerdict.TOO_FEW
    assert excluded(health) == []
    assert health[4].n_value == 0
    assert sum(station.verdict == StationVerdict.OK for station in health) == 7


def test_gaps_do_not_matter():
    series = moved(nine(44), 5, [0.0, FIVE_CM, 0.0])
    gone = np.random.default_rng(44).uniform(size=series.nondispersive_m.shape) < 0.2
    series.nondispersive_m[gone] = math.nan
    series.dispersive_m[gone] = math.nan
    assert excluded(check_stations(series)) == [5]


def test_fit_of_exact_residuals_is_exact():
    series = nine(45, n_epoch=40)
    los = line_of_sight(series.azimuth_rad, series.elevation_rad)
    clock = np.random.default_rng(45).normal(size=(40, 2))[:, series.system]
    residual = los @ [0.03, -0.02, 0.10] + 0.015 * series.wet_slant + clock
    residual[::3, 4] = math.nan
    fit = fit_station(
        residual, series.azimuth_rad, series.elevation_rad, series.wet_slant, series.system
    )
    np.testing.assert_allclose(fit.offset_m, [0.03, -0.02, 0.10], atol=1e-9)
    assert fit.zenith_m == pytest.approx(0.015, abs=1e-9)
    assert fit.n_value == np.isfinite(residual).sum()


def test_steps_are_seen_beyond_the_scatter_only():
    rng = np.random.default_rng(48)
    slant, system = np.linspace(1.0, 2.5, 20) * np.ones((60, 1)), np.arange(20) % 2
    jump = np.zeros(20)
    jump[[2, 5, 6]] = 0.083
    clock = rng.normal(size=(60, 2))[:, system]
    calm = rng.normal(0.0, 0.004, 20) * slant + jump + clock
    calm[:57, 9] = math.nan  # too short to tell
    assert np.flatnonzero(stepped(calm, slant, system).all(axis=0)).tolist() == [2, 5, 6]
    rough = rng.normal(0.0, 0.06, 20) * slant + jump + clock
    assert stepped(rough, slant, system).mean() < 0.15
    assert not stepped(np.full((60, 20), math.nan), slant, system).any()


def test_shapes_must_fit():
    series = nine(46, n_epoch=5)
    with pytest.raises(DataError, match=r"wet_slant must have the shape \(5, 24\)"):
        dataclasses.replace(series, wet_slant=series.wet_slant[:, :3])
    with pytest.raises(DataError, match="as many names"):
        dataclasses.replace(series, names=("A",))
