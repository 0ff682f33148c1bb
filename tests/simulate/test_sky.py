"""The sky of a simulation is as full as the real one."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.constants import NS_PER_S
from rtkpos.gnss.systems import BEIDOU, sat_name
from rtkpos.simulate.medium.light_time import SampledAntenna, trace_rays
from rtkpos.simulate.scenario.scenario import scenario_of
from rtkpos.simulate.scenario.station_files import station_head
from rtkpos.simulate.world import make_world

EVERY_S = 1800
# In view above 5 deg in the median of a day over Luoyang (34.6 N). At Nagoya (35.1 N) receivers
# counted 11.6 GPS, 9 Galileo, 25.5 BeiDou and 2.5 of three QZSS in five minutes of June 2024.
IN_VIEW = {0: (9, 12), 2: (8, 10), 3: (22, 27), 4: (3, 4)}


@pytest.fixture(scope="module")
def day():
    """(satellites, elevations [rad]) by system at 48 times of a day."""
    one = scenario_of(
        {"run": {"duration_s": 86_400.0, "systems": "GECJ"}, "station": [{"name": "A"}]}
    )
    world = make_world(one)
    place = station_head(one, one.stations[0]).approx_ecef_m
    time_ns = one.start_ns + np.arange(0, 86_400, EVERY_S) * NS_PER_S
    n = len(time_ns)
    still = SampledAntenna(np.tile(place, (n, 1)), np.zeros((n, 3)), np.zeros(n), np.zeros(n))
    return {
        system: (world.sat[system], trace_rays(world.motion(system, time_ns), still).elevation_rad)
        for system in world.sat
    }


@pytest.mark.parametrize("system", IN_VIEW)
def test_as_many_satellites_are_in_view_as_over_a_real_place(day, system):
    _, elevation_rad = day[system]
    low, high = IN_VIEW[system]
    assert low <= np.median(np.sum(elevation_rad > np.radians(5.0), axis=1)) <= high


def test_beidou_stands_still_swings_and_circles(day):
    sat, elevation_rad = day[BEIDOU]
    names = [sat_name(int(one)) for one in sat]
    moved = np.ptp(np.degrees(elevation_rad), axis=0)
    assert len(names) == 45
    for name in ("C01", "C02", "C03", "C04", "C05", "C59", "C60", "C61"):
        assert moved[names.index(name)] < 6.0, name
    high = np.degrees(elevation_rad).max(axis=0)
    for name in ("C06", "C07", "C08", "C09", "C10", "C13", "C16", "C38", "C39", "C40"):
        assert high[names.index(name)] > 55.0, name
    assert all(moved[names.index(name)] > 90.0 for name in ("C19", "C46", "C11"))
