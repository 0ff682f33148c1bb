"""Antennas from end to end: offsets applied exactly once, calibrations, radomes, live use."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.errors import ConfigError, FileError
from rtkpos.live.engine import RtkEngine
from rtkpos.processing.epoch import epochs
from rtkpos.processing.run import solve
from rtkpos.records.config import RtkConfig
from rtkpos.records.status import FixStatus
from tests.data import dataset_path
from tests.io.antex_text import antex_text, block, frequency
from tests.recordings import recording, window
from tests.solve.runs import NAGOYA, assert_same, feed, short, solved

N_EPOCH = 5
# Troposphere and linearisation of an antenna a metre higher, on the one-metre pair.
SAME_M = 2e-4
OFFSET_ENU_M = np.array([0.10, -0.20, 1.50])
IGS_D = "static-herstmonceux-2018"


def with_antenna(table, name="", offset_enu_m=(0.0, 0.0, 0.0)):
    """The table with another antenna in its header."""
    offset = np.array(offset_enu_m, float)
    station = dataclasses.replace(table.station, antenna=name, antenna_enu_m=offset)
    return dataclasses.replace(table, station=station)


def to_ecef(place_m, offset_enu_m):
    """A local offset as ECEF (3,)."""
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(np.ascontiguousarray(place_m), llh)
    enu_rotation(llh[0], llh[1], rotation)
    return rotation.T @ offset_enu_m


def moved(solution, plain):
    """East, north, up [m] from one solution's fixed epochs to another's."""
    assert (solution.status == FixStatus.FIXED).all()
    place = plain.ecef_m[0]
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(np.ascontiguousarray(place), llh)
    enu_rotation(llh[0], llh[1], rotation)
    return (solution.ecef_m - plain.ecef_m) @ rotation.T


def test_offset_of_the_base_is_applied_exactly_once():
    """A marker below the base's antenna: the same observations, the same rover."""
    rover, base, nav, place = short(NAGOYA, N_EPOCH)
    marker = place - to_ecef(place, OFFSET_ENU_M)
    raised = with_antenna(base, offset_enu_m=OFFSET_ENU_M)
    found = moved(solve(rover, nav, raised, marker), solved(NAGOYA, N_EPOCH))
    assert np.abs(found).max() < SAME_M, f"{1e3 * found}"
    assert np.array_equal(solve(rover, nav, raised, marker).base_ecef_m, marker)


def test_offset_of_the_rover_is_applied_exactly_once():
    rover, base, nav, place = short(NAGOYA, N_EPOCH)
    raised = with_antenna(rover, offset_enu_m=OFFSET_ENU_M)
    solution = solve(raised, nav, base, place)
    found = moved(solution, solved(NAGOYA, N_EPOCH)) + OFFSET_ENU_M
    assert np.abs(found).max() < SAME_M, f"{1e3 * found}"
    assert "rover reference point 1.5000 m above the marker, 0.1000 m east" in solution.antennas[0]


def test_offset_named_in_the_configuration_replaces_the_header_s():
    rover, base, nav, place = short(NAGOYA, N_EPOCH)
    wrong = with_antenna(rover, offset_enu_m=(9.0, 9.0, 9.0))
    options = {"antenna": {"rover_offset_enu_m": OFFSET_ENU_M.tolist()}}
    here = solve(wrong, nav, base, place, RtkConfig.from_dict(options))
    there = solve(with_antenna(rover, offset_enu_m=OFFSET_ENU_M), nav, base, place)
    assert np.array_equal(here.ecef_m, there.ecef_m)


def test_coordinates_of_the_antennas_use_no_offset():
    rover, base, nav, place = short(NAGOYA, N_EPOCH)
    tables = [with_antenna(table, offset_enu_m=OFFSET_ENU_M) for table in (rover, base)]
    config = RtkConfig.from_dict({"antenna": {"coordinates": "antenna"}})
    solution = solve(tables[0], nav, tables[1], place, config)
    assert np.array_equal(solution.ecef_m, solved(NAGOYA, N_EPOCH).ecef_m)


@pytest.mark.parametrize("mode", ["single", "dgnss"])
def test_code_positions_are_those_of_the_marker_too(mode):
    rover, base, nav, place = short(NAGOYA, N_EPOCH)
    raised = with_antenna(rover, offset_enu_m=OFFSET_ENU_M)
    config = RtkConfig(mode=mode)
    plain, found = solve(rover, nav, base, place, config), solve(raised, nav, base, place, config)
    down = to_ecef(place, OFFSET_ENU_M)
    assert np.abs(found.ecef_m + down - plain.ecef_m).max() < 0.002


@pytest.fixture
def antex(tmp_path):
    """A file with two made-up antennas; the second has a variation equal in all directions."""
    pair = [("G01", 0.0), ("G02", 0.0)]
    first = "".join(frequency(c, (20.0, 10.0, 100.0 + v)) for c, v in pair)
    second = "".join(frequency(c, (0.0, 0.0, 0.0), "    5.00") for c, _ in pair)
    path = tmp_path / "made.atx"
    path.write_bytes(
        antex_text(block("ONE             NONE", first), block("TWO             NONE", second))
    )
    return str(path)


def antex_run(antex, rover_name, base_name):
    """The one-metre pair with antennas named in the headers."""
    rover, base, nav, place = short(NAGOYA, N_EPOCH)
    config = RtkConfig.from_dict({"antenna": {"antex": antex}})
    tables = with_antenna(rover, rover_name), with_antenna(base, base_name)
    return solve(tables[0], nav, tables[1], place, config)


def test_phase_centre_above_the_rover_lowers_its_reference_point(antex):
    solution = antex_run(antex, "ONE             NONE", "TWO NONE")
    found = moved(solution, solved(NAGOYA, N_EPOCH))
    assert np.abs(found - np.array([-0.010, -0.020, -0.100])).max() < SAME_M, f"{1e3 * found}"
    assert "PCO/PCV of ONE NONE (made.atx), G5 by G2, R1 by G1" in solution.antennas[0]
    assert not solution.report.warnings


def test_phase_centre_above_the_base_raises_the_rover(antex):
    found = moved(antex_run(antex, "TWO NONE", "ONE NONE"), solved(NAGOYA, N_EPOCH))
    assert np.abs(found - [0.010, 0.020, 0.100]).max() < SAME_M, f"{1e3 * found}"


def test_the_same_antenna_at_both_ends_changes_nothing(antex):
    found = moved(antex_run(antex, "ONE NONE", "ONE NONE"), solved(NAGOYA, N_EPOCH))
    assert np.abs(found).max() < SAME_M, f"{1e3 * found}"


def test_radome_that_is_missing_is_announced(antex):
    solution = antex_run(antex, "ONE             SCIS", "ONE NONE")
    (warning,) = solution.report.warnings
    assert "ONE SCIS is not in" in warning
    assert "took ONE NONE" in warning
    assert "PCO/PCV of ONE NONE" in solution.antennas[0]


def test_antenna_that_is_missing_leaves_no_pco_and_says_so(antex):
    solution = antex_run(antex, "OTHER           NONE", "")
    first, second = solution.report.warnings
    assert "OTHER NONE is not in" in first
    assert "no PCO/PCV" in first
    assert "base's file names no antenna" in second
    assert all(words.endswith("no PCO/PCV") for words in solution.antennas)
    assert np.array_equal(solution.ecef_m, solved(NAGOYA, N_EPOCH).ecef_m)


def test_a_file_that_cannot_be_read_is_an_error():
    rover, base, nav, place = short(NAGOYA, N_EPOCH)
    with pytest.raises(FileError, match="no such file"):
        solve(rover, nav, base, place, RtkConfig.from_dict({"antenna": {"antex": "none.atx"}}))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rover_offset_enu_m": [1.0]}, "three numbers"),
        ({"base_offset_enu_m": [0.0, 0.0, math.nan]}, "three numbers"),
        ({"base_offset_enu_m": [0.0, 0.0, "x"]}, "three numbers"),
        ({"rover_offset_enu_m": [0, 0, 1], "coordinates": "antenna"}, "leave one of them out"),
        ({"antex": 7}, "must be text"),
        ({"coordinates": "arp"}, "one of marker, antenna"),
    ],
)
def test_impossible_settings_are_refused(values, words):
    with pytest.raises(ConfigError, match=words):
        RtkConfig.from_dict({"antenna": values})


def test_engine_gives_the_same_as_the_recording(antex):
    rover, base, nav, place = short(NAGOYA, N_EPOCH)
    rover = with_antenna(rover, "ONE NONE", OFFSET_ENU_M)
    base = with_antenna(base, "TWO NONE", OFFSET_ENU_M)
    config = RtkConfig.from_dict({"antenna": {"antex": antex}})
    solution = solve(rover, nav, base, place, config)
    assert_same(feed(RtkEngine.from_tables(rover, base, nav, place, config), rover, base), solution)


def test_engine_without_headers_takes_the_configuration(antex):
    rover, base, nav, place = short(NAGOYA, N_EPOCH)
    up = [0.0, 0.0, 1.5]
    antenna = {"antex": antex, "rover": "ONE NONE", "base": "TWO", "rover_offset_enu_m": up}
    engine = RtkEngine(RtkConfig.from_dict({"antenna": antenna}), nav, place)
    plain = RtkEngine(RtkConfig(), nav, place)
    assert not engine.warnings
    pairs = list(zip(epochs(rover), epochs(base), strict=True))
    found = [engine.update(*pair).ecef_m - plain.update(*pair).ecef_m for pair in pairs]
    expected = to_ecef(place, np.array([-0.010, -0.020, -1.600]))
    assert np.abs(found[-1] - expected).max() < SAME_M
    bare = RtkEngine(RtkConfig.from_dict({"antenna": {"antex": antex}}), nav, place)
    assert len(bare.warnings) == 2


@pytest.mark.parametrize("has_model", [True, False])
def test_igs_pair_agrees_with_its_published_vector(has_model):
    """Two antenna types 136 m apart, every tenth epoch of a day; the header's 9.6 mm included.

    What is left with calibrations, 12 mm in height, RTKLIB leaves with the same file, too.
    """
    rover, base, nav, truth = recording(IGS_D)
    path = str(dataset_path("products-misc", "igs05.atx.gz")) if has_model else ""
    config = RtkConfig.from_dict({"mode": "static", "antenna": {"antex": path}})
    rover, base = window(rover, 0, 2880, 20), window(base, 0, 2880, 20)
    solution = solve(rover, nav, base, np.array(truth["base_xyz"]), config)
    truth_m = np.array(truth["rover_xyz"])
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(truth_m, llh)
    enu_rotation(llh[0], llh[1], rotation)
    east, north, up = rotation @ (solution.static_ecef_m - truth_m)
    assert abs(east) < 0.0015, f"{1e3 * east:.1f} mm"
    assert abs(north) < 0.003, f"{1e3 * north:.1f} mm"
    expected_m = -0.012 if has_model else -0.065
    assert abs(up - expected_m) < 0.003, f"{1e3 * up:.1f} mm"
