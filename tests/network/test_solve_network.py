"""A rover among reference stations: errors and fixes, falling back, notes, and refusals."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

import rtkpos
from rtkpos.errors import ConfigError, InputError
from rtkpos.gnss.systems import systems_from_letters
from rtkpos.network.network_config import NetworkConfig
from rtkpos.network.network_records import StationData
from rtkpos.network.rover_solution import solve_in_network
from rtkpos.network.stations.signals import take_rows
from rtkpos.network.virtual.virtual_base import virtual_base
from rtkpos.processing.epoch import take_epochs
from rtkpos.records.config import RtkConfig, Selection
from rtkpos.records.status import FixStatus
from rtkpos.simulate.medium.ellipsoid import local_axes, place_llh
from tests.network.scenes import STATIONS, scene, solved
from tests.network.test_virtual_base import between
from tests.recordings import window

CONFIG = RtkConfig(selection=Selection(systems="GC"))


def errors(solution, truth_ecef):
    """(fixed (n,), horizontal, vertical error (n,) [m])."""
    enu = (solution.ecef_m - truth_ecef) @ local_axes(place_llh(truth_ecef[0])).T
    return solution.status == FixStatus.FIXED, np.hypot(enu[:, 0], enu[:, 1]), np.abs(enu[:, 2])


@functools.cache
def car_solved(kind, systems="GC"):
    made = scene(kind)
    config = RtkConfig(selection=Selection(systems=systems))
    return solve_in_network(made.made["CAR"].table, made.nav, made.stations(), config)


@pytest.mark.parametrize(("kind", "systems"), [("calm", "GC"), ("waves", "GC"), ("waves", "C")])
def test_a_car_among_the_stations_is_fixed_and_right(kind, systems):
    """>= 98 % fixed, none wrong, H95 <= 2 cm, V95 <= 4 cm; the network names its stations."""
    out = car_solved(kind, systems)
    fixed, flat_m, up_m = errors(out.solution, scene(kind).made["CAR"].marker_ecef)
    assert fixed.mean() >= 0.98, out.solution.reason_counts()
    assert not (fixed & ((flat_m > 0.1) | (up_m > 0.2))).any()
    assert np.percentile(flat_m, 95) <= 0.02, f"{np.percentile(flat_m, 95) * 1e3:.1f} mm"
    assert np.percentile(up_m, 95) <= 0.04, f"{np.percentile(up_m, 95) * 1e3:.1f} mm"
    assert out.base.master == "MID"
    assert "virtual base from 6 of 6 stations (MID, " in out.notes[0]


def test_public_solve_with_bases_is_the_network():
    made = scene("calm")
    got = rtkpos.solve(made.made["CAR"].table, made.nav, bases=made.stations(), config=CONFIG)
    assert np.array_equal(got.ecef_m, car_solved("calm").solution.ecef_m)
    assert any(note.startswith("virtual base from 6 of 6 stations") for note in got.notes)


@pytest.mark.parametrize(
    ("kind", "place", "share"),
    [("calm", "MID", 0.3), ("waves", "POLE", 0.5), ("waves", "MID", 0.85)],
)
def test_kriging_beats_the_nearest_station(kind, place, share):
    """Double differences of phases at a place against a real receiver there, RMS.

    MID is told by the five around it, 36 to 48 km away. Waves of 200 km bend too much over a hole
    of 80 km for any interpolation: there a plane, a triangle and kriging gain a fifth alike. POLE
    has its nearest station at 18 km and is half as far from the next ones.
    """
    engine, solution = solved(kind)
    real = scene(kind).made[place]
    without = (place,) if place in STATIONS else ()
    nearest = dataclasses.replace(
        solution,
        dispersive_m=np.where(np.isfinite(solution.dispersive_m), 0.0, np.nan),
        nondispersive_m=np.where(np.isfinite(solution.nondispersive_m), 0.0, np.nan),
    )
    rms = [
        float(np.sqrt(np.mean(between(one.table, real.table, "phase_cycle") ** 2)))
        for one in (
            virtual_base(engine, of, real.marker_ecef[0], without=without)
            for of in (solution, nearest)
        )
    ]
    assert rms[0] < share * rms[1], f"{rms[0] * 1e3:.1f} and {rms[1] * 1e3:.1f} mm"


def test_one_station_serves_alone():
    made = scene("calm")
    out = solve_in_network(made.made["CAR"].table, made.nav, made.stations(("MID",)), CONFIG)
    assert out.base is None
    assert out.corrections is None
    assert out.notes[0].startswith("no network: there is only one base. The nearest base, MID at ")
    assert out.notes[0] in out.solution.notes
    assert (out.solution.status == FixStatus.FIXED).mean() > 0.9


@pytest.mark.parametrize(
    "names", [("MID", "EAST"), ("SOUW", "MID", "NORT")], ids=["two", "about in line"]
)
def test_two_stations_and_stations_in_line_still_serve(names):
    """No triangle, nothing closes: the car beside the line is told where it is, and is fixed."""
    made = scene("calm")
    out = solve_in_network(made.made["CAR"].table, made.nav, made.stations(names), CONFIG)
    fixed, flat_m, up_m = errors(out.solution, made.made["CAR"].marker_ecef)
    assert out.base is not None
    assert any("outside of the stations" in note for note in out.notes)
    assert fixed.mean() > 0.95
    assert not (fixed & ((flat_m > 0.1) | (up_m > 0.2))).any()


def test_stations_out_of_reach_of_each_other_leave_the_nearest():
    made = scene("calm")
    config = NetworkConfig(selection=CONFIG.selection, max_edge_km=20.0)
    out = solve_in_network(made.made["CAR"].table, made.nav, made.stations(), CONFIG, config)
    assert out.notes == (
        "no network: no two bases are within 20 km of each other. The nearest base, MID at "
        f"{out.notes[0].split(' at ')[1]}",
    )


def test_a_rover_far_outside_has_its_nearest_station():
    """51 km east of two stations in the west."""
    made = scene("calm")
    out = solve_in_network(
        made.made["SOUE"].table, made.nav, made.stations(("WEST", "SOUW")), CONFIG
    )
    assert out.base is None
    assert "the rover is 51 km outside of the bases. The nearest base, SOUW at " in out.notes[0]


def only(table, letters):
    """The table with the satellites of some systems."""
    return take_rows(table, np.isin(table.sat >> 6, systems_from_letters(letters)))


def test_stations_without_common_signals_leave_the_nearest():
    made = scene("calm")
    stations = [
        dataclasses.replace(s, table=only(s.table, "G" if k % 2 else "C"))
        for k, s in enumerate(made.stations(("MID", "EAST")))
    ]
    out = solve_in_network(made.made["CAR"].table, made.nav, stations, CONFIG)
    assert out.base is None
    assert "no system has two carrier-phase bands" in out.notes[0]


def test_stations_of_another_rate_serve():
    """All stations every 10 s, the rover every 2 s: fixed at the common epochs, none wrong."""
    made = scene("calm")
    slow = [dataclasses.replace(s, table=window(s.table, 0, 151, 5)) for s in made.stations()]
    out = solve_in_network(made.made["CAR"].table, made.nav, slow, CONFIG)
    fixed, flat_m, up_m = errors(out.solution, made.made["CAR"].marker_ecef)
    assert len(out.corrections.time_ns) == 31
    assert fixed[::5].mean() > 0.9
    assert not (fixed & ((flat_m > 0.1) | (up_m > 0.2))).any()


def test_a_missing_coordinate_is_named():
    made = scene("calm")
    stations = made.stations()
    stations[2] = dataclasses.replace(stations[2], ecef_m=np.full(3, np.nan))
    with pytest.raises(rtkpos.RtkposError, match="NORT"):
        solve_in_network(made.made["CAR"].table, made.nav, stations, CONFIG)


def test_what_no_network_can_do_is_refused():
    made = scene("calm")
    rover, stations = made.made["CAR"].table, made.stations()
    with pytest.raises(ConfigError, match="mode single has no use for a network of bases"):
        solve_in_network(rover, made.nav, stations, RtkConfig(mode="single"))
    with pytest.raises(InputError, match="no base is given"):
        solve_in_network(rover, made.nav, [], CONFIG)
    with pytest.raises(InputError, match="the rover has no epochs"):
        solve_in_network(take_epochs(rover, np.arange(0)), made.nav, stations, CONFIG)
    with pytest.raises(ConfigError, match="one base or several bases, not both"):
        rtkpos.solve(rover, made.nav, stations[0].table, stations[0].ecef_m, bases=stations)


def test_a_station_without_integers_is_told():
    """One epoch is too little for integers; the car does without the station."""
    made = scene("calm")
    stations = made.stations()
    empty = window(stations[4].table, 0, 1)
    stations[4] = StationData(name="SOUW", table=empty, ecef_m=stations[4].ecef_m)
    out = solve_in_network(made.made["CAR"].table, made.nav, stations, CONFIG)
    assert "without any integer, and so not used: SOUW" in out.notes
    assert (out.solution.status == FixStatus.FIXED).mean() > 0.95
