"""What check_stations gets from corrections and ephemerides."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.constants import NS_PER_S
from rtkpos.errors import DataError
from rtkpos.gnss.systems import PRN_PER_SYSTEM
from rtkpos.network.integrity.health_series import MASK_RAD, station_series
from rtkpos.physics.coordinates import point_from_degrees
from rtkpos.physics.geometry import lines_of_sight
from tests.simulate.scenes import quiet

PLACES = np.array([point_from_degrees(34.6 + n, 112.4 + e, 200.0) for n, e in
                   ((0.0, 0.0), (0.3, 0.0), (0.0, 0.4), (-0.3, 0.1))])  # fmt: skip


def series(values=None):
    """The series of four stations for 90 s of a simulated sky, and what went into it."""
    nav, base, _ = quiet()
    sats = np.unique(base.table.sat).astype(np.int64)
    time_ns = base.table.time_ns[0] + NS_PER_S * np.arange(90)
    shape = (90, len(PLACES), len(sats))
    values = np.zeros(shape, np.float32) if values is None else np.broadcast_to(values, shape)
    made = station_series("ABCD", PLACES, time_ns, sats, (values, values), nav)
    return made, nav, sats, time_ns


def test_satellites_stand_where_the_ephemerides_say():
    made, nav, sats, time_ns = series()
    centre = PLACES.mean(axis=0)
    _, elevation = lines_of_sight(nav, sats, int(time_ns[0]), centre)
    np.testing.assert_allclose(made.elevation_rad[0], elevation, atol=1e-9)
    assert (made.system == sats // PRN_PER_SYSTEM).all()


def test_places_are_east_and_north_of_the_middle():
    made, *_ = series()
    np.testing.assert_allclose(made.east_north_m.mean(axis=0), 0.0, atol=100.0)
    north = made.east_north_m[1] - made.east_north_m[0]
    np.testing.assert_allclose(north, [0.0, 0.3 * 110_930.0], atol=150.0)  # metres of a degree
    east = made.east_north_m[2] - made.east_north_m[0]
    assert east[0] == pytest.approx(0.4 * 111_320.0 * math.cos(math.radians(34.6)), rel=3e-3)


def test_epochs_are_thinned_and_low_satellites_left_out():
    made, *_ = series(0.01)
    assert len(made.azimuth_rad) in (3, 4)
    high = made.elevation_rad > MASK_RAD
    assert high.any()
    assert not high.all()
    assert np.isfinite(made.nondispersive_m[:, 0]).tolist() == high.tolist()
    np.testing.assert_allclose(made.wet_slant[high], 1.0 / np.sin(made.elevation_rad[high]))
    assert (made.iono_slant[high] < made.wet_slant[high]).all()


def test_a_network_around_the_earth_has_no_middle():
    nav, base, _ = quiet()
    with pytest.raises(DataError, match="middle"):
        station_series(
            "AB", np.array([PLACES[0], -PLACES[0]]), base.table.time_ns[:1], np.array([1]),
            (np.zeros((1, 2, 1)), np.zeros((1, 2, 1))), nav,
        )  # fmt: skip
