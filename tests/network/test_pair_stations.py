"""Two stations' rows become those of a baseline."""

from __future__ import annotations

import math

import pytest

from rtkpos.core.orbits.broadcast_orbit import STATE_CLOCK
from rtkpos.network.ambiguity.baseline_step import pair_stations
from rtkpos.network.network_memory import edge_memory, station_memory
from rtkpos.prepare.pairing import BASE, ROVER

pytestmark = pytest.mark.plain
SEEN = (3, 5, 8, 70), (1, 5, 70, 71)
COMMON = {5: (1, 1), 70: (3, 2)}  # satellite -> its row at both stations


def made_station(number, sats):
    """A station whose values tell the station and the row."""
    station = station_memory(1)[0]
    own = station.work
    own.n_sat = len(sats)
    for i, sat in enumerate(sats):
        value = 100.0 * number + i
        own.sat[i], own.eph_row[i] = sat, 10 + sat
        own.elevation_rad[ROVER, i] = 0.01 * value
        own.range_m[ROVER, i], own.trop_m[ROVER, i] = 1e7 + value, 2.0 + value
        own.sat_state[ROVER, i, STATE_CLOCK] = 1e-6 * value
        own.wet_factor[i] = 1.0 + value
        own.los[i] = value, -value, 0.5
        for slot in range(2):
            own.row[ROVER, i, slot] = 1000 * number + 10 * i + slot
            own.antenna_m[ROVER, i, slot] = 0.001 * value + slot
            station.phase_m[i, slot] = value
    return station


def test_common_satellites_stand_in_rows_with_what_both_stations_have():
    rover, base = (made_station(k + 1, sats) for k, sats in enumerate(SEEN))
    base.phase_m[2, 1] = math.nan
    work = edge_memory(1)[0].work
    assert pair_stations(rover, base, work) == work.n_sat == len(COMMON)
    for n, (sat, rows) in enumerate(COMMON.items()):
        assert (work.sat[n], work.eph_row[n]) == (sat, 10 + sat)
        assert work.los[n].tolist() == rover.work.los[rows[ROVER]].tolist()
        mean = 0.5 * (rover.work.wet_factor[rows[ROVER]] + base.work.wet_factor[rows[BASE]])
        assert work.wet_factor[n] == mean
        for receiver, station in ((ROVER, rover), (BASE, base)):
            own, i = station.work, rows[receiver]
            for name in ("elevation_rad", "range_m", "trop_m"):
                assert work[name][receiver, n] == own[name][ROVER, i]
            clock_s = work.sat_state[receiver, n, STATE_CLOCK]
            assert clock_s == own.sat_state[ROVER, i, STATE_CLOCK]
            wanted = own.row[ROVER, i].tolist()
            if receiver == BASE and sat == 70:
                wanted[1] = -1  # the band without a phase
            assert work.row[receiver, n].tolist() == wanted
            assert work.antenna_m[receiver, n].tolist() == own.antenna_m[ROVER, i].tolist()


def test_stations_without_a_common_satellite_make_no_rows():
    work = edge_memory(1)[0].work
    assert pair_stations(made_station(1, (1, 2)), made_station(2, (3,)), work) == 0
    assert work.n_sat == 0
