"""Lines of sight and dilution of precision."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.core.station.geodesy import ecef_to_geodetic, elevation_azimuth, enu_rotation
from rtkpos.physics.geometry import lines_of_sight, pdop
from tests.recordings import recording


def tripod(zenith_deg):
    """A satellite in the zenith and three around it, 120 degrees apart: (4, 3)."""
    angle = np.radians([0.0, 120.0, 240.0])
    low = math.radians(zenith_deg)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * math.sin(low)
    return np.vstack([[0.0, 0.0, 1.0], np.column_stack([ring, np.full(3, math.cos(low))])])


def test_dilution_of_a_tripod_is_the_textbook_one():
    # East and north: 2/3 each; up: the difference of the zenith and the mean of three, 4/3.
    assert pdop(tripod(90.0), np.zeros(4, np.int64)) == pytest.approx(math.sqrt(8.0 / 3.0))
    assert pdop(tripod(45.0), np.zeros(4, np.int64)) > pdop(tripod(60.0), np.zeros(4, np.int64))


def test_a_second_system_costs_a_satellite_and_too_few_have_none():
    line = np.vstack([tripod(90.0), tripod(60.0)[1:] * [-1.0, -1.0, 1.0]])
    one, two = np.zeros(7, np.int64), np.array([0, 0, 0, 0, 1, 1, 1])
    assert pdop(line, two) > pdop(line, one)
    assert math.isnan(pdop(line[:4], two[1:5]))
    assert math.isnan(pdop(line[:3], one[:3]))


@pytest.mark.compiled
def test_elevations_agree_with_the_kernel():
    rover, _, nav, truth = recording("static-nagoya-2024")
    place = np.array(truth["rover_xyz"])
    sats = np.unique(rover.sat[: rover.row_start[1]]).astype(np.int64)
    line, elevation_rad = lines_of_sight(nav, sats, int(rover.time_ns[0]), place)
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(place, llh)
    enu_rotation(llh[0], llh[1], rotation)
    for k in np.flatnonzero(np.isfinite(elevation_rad)):
        wanted, _ = elevation_azimuth(line[k], rotation)
        assert elevation_rad[k] == pytest.approx(wanted, abs=1e-12)
    assert np.isfinite(elevation_rad).sum() > 40
    assert np.isnan(lines_of_sight(nav, sats, int(rover.time_ns[0]), np.zeros(3))[1]).all()
