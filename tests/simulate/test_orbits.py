"""The simulation's orbits against the solver's: two programs written from the same documents."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.constants import NS_PER_S
from rtkpos.gnss.systems import BEIDOU, GALILEO, GLONASS, GPS, QZSS, SYSTEM_NAMES
from rtkpos.physics.satellites import satellite_states
from rtkpos.simulate.medium.ellipsoid import local_axes, place_ecef, place_llh
from rtkpos.simulate.sky.reissue import almanac_of, broadcast, moved_elements
from rtkpos.simulate.sky.true_ephemeris import motion_of
from rtkpos.simulate.world import make_world
from tests.recordings import recording
from tests.simulate.scenes import scene

# The integrations of GLONASS take steps of 30 and 60 s; all else is closed form.
TOLERANCE_M = {GLONASS: 1e-3}


def compare(nav, system, start_ns):
    """Largest difference of position [m] and clock [m] over an hour."""
    times = start_ns + np.arange(0, 3600, 61) * NS_PER_S
    motion = motion_of(nav, system, times)
    worst = [0.0, 0.0]
    for k, sat in enumerate(motion.sat):
        states = satellite_states(nav, np.full(len(times), sat), times - 75_000_000)
        apart = np.linalg.norm(states.ecef_m - motion.value[:, k, :3], axis=1)
        clock = np.abs(states.clock_s - motion.value[:, k, 3]) * 3e8
        assert np.isfinite(apart).all()
        worst = [max(worst[0], apart.max()), max(worst[1], clock.max())]
    return worst


@pytest.mark.parametrize(
    "system", [GPS, GLONASS, GALILEO, BEIDOU, QZSS], ids=lambda s: SYSTEM_NAMES[s]
)
def test_nominal_orbits_are_those_of_the_solver(system):
    made = scene()
    place_m, clock_m = compare(make_world(made).nav, system, made.start_ns)
    assert place_m < TOLERANCE_M.get(system, 1e-4)
    assert clock_m < 1e-5


@pytest.mark.parametrize("system", [GPS, GLONASS, GALILEO, BEIDOU], ids=lambda s: SYSTEM_NAMES[s])
def test_real_orbits_go_on_smoothly(system):
    nav = recording("static-nagoya-2024")[2]
    start_ns = int(np.median(nav.toe_ns))
    almanac = almanac_of(nav, system, start_ns)
    table, _ = broadcast([almanac], start_ns, start_ns + 3600 * NS_PER_S)
    place_m, clock_m = compare(table, system, start_ns)
    assert place_m < TOLERANCE_M.get(system, 1e-4)
    assert clock_m < 1e-5
    assert not table.report.counts


def test_geostationary_satellites_stay_where_they_are():
    made = scene("C")
    world = make_world(made)
    day_ns = made.start_ns + np.arange(0, 86_400, 7200) * NS_PER_S
    motion = motion_of(world.nav, BEIDOU, day_ns[:1])
    llh = np.degrees(place_llh(motion.value[0, :5, :3]))
    assert np.allclose(llh[:, 1], [140.0, 84.0, 110.5, 160.0, 58.75], atol=0.1)
    assert np.abs(llh[:, 0]).max() < 1.6


def test_elements_moved_there_and_back_are_the_same():
    nav = recording("static-nagoya-2024")[2]
    almanac = almanac_of(nav, BEIDOU, int(np.median(nav.toe_ns)))
    there_ns = int(almanac.toe_ns[0]) + 3 * 3600 * NS_PER_S
    there = type(almanac)(
        BEIDOU,
        almanac.sat,
        moved_elements(almanac, there_ns),
        np.full(len(almanac.sat), there_ns),
    )
    table, _ = broadcast([almanac], there_ns, there_ns + NS_PER_S)
    again, _ = broadcast([there], there_ns, there_ns + NS_PER_S)
    assert np.allclose(table.param, again.param, rtol=1e-9, atol=1e-12)


def test_places_survive_the_round_trip():
    rng = np.random.default_rng(1)
    llh = np.stack(
        [rng.uniform(-1.5, 1.5, 50), rng.uniform(-3.1, 3.1, 50), rng.uniform(-1e2, 9e3, 50)], axis=1
    )
    again = place_llh(place_ecef(llh))
    assert np.abs(again - llh)[:, :2].max() < 1e-14 * 6
    assert np.abs(again - llh)[:, 2].max() < 1e-7
    axes = local_axes(llh)
    assert np.allclose(axes @ np.swapaxes(axes, 1, 2), np.eye(3), atol=1e-14)
