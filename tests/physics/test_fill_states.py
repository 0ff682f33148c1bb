"""The kernel that fills the states of many satellites, row by row."""

from __future__ import annotations

import numpy as np

from rtkpos.core.orbits.broadcast_orbit import satellite_state
from rtkpos.core.orbits.ephemeris import NO_EPHEMERIS
from rtkpos.gnss.systems import GPS
from rtkpos.physics.satellites import _fill_states, message_order
from tests.core.test_orbits import NS, TOE_NS, ephemeris, kepler_param


def test_states_are_those_of_the_chosen_record_and_nan_without_one():
    eph, when_ns = ephemeris(kepler_param()), TOE_NS + 900 * NS
    sat = np.array([0, 5, 0], np.int64)
    times = np.array([when_ns, when_ns, when_ns + NS])
    states, rows = np.zeros((3, 8)), np.zeros(3, np.int64)
    _fill_states(eph, sat, times, message_order(), states, rows)
    assert rows.tolist() == [0, NO_EPHEMERIS, 0]
    assert np.isnan(states[1]).all()
    for k in (0, 2):
        wanted = np.empty(8)
        satellite_state(eph, 0, GPS, times[k], wanted)
        np.testing.assert_array_equal(states[k], wanted)
