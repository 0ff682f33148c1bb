"""Truth from points and tracks of several formats."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.errors import ConfigError, FileError
from rtkpos.io.solutions.csv_table import format_csv
from rtkpos.io.solutions.nmea import format_nmea
from rtkpos.io.solutions.pos import format_pos
from rtkpos.io.solutions.reference_track import read_truth, truth_from_words
from rtkpos.records.status import FixStatus
from tests.io.made_solution import PLACE_ECEF_M, START_NS, made_solution

SECOND_NS = 1_000_000_000
# Header and first values in the form of the PPC-Dataset's reference.csv.
PPC = (
    "GPS TOW (s), GPS Week, Latitude (deg), Longitude (deg), Ellipsoid Height (m), "
    "ECEF X (m), ECEF Y (m), ECEF Z (m), Roll (deg), Velocity (m/s)\n"
    "116400.00, 2320, 35.1, 136.9, 104.8, -3817681.380, 3562839.9785, 3650158.3756, 0, 1\n"
    "116401.00, 2320, 35.1, 136.9, 104.8, -3817681.380, 3562839.9785, 3650159.3756, 0, 1\n"
)


def test_point_holds_at_all_times() -> None:
    truth = truth_from_words(["-3817681.380", "3562839.9785", "3650158.3756"])
    assert truth.is_point
    assert truth.at(np.array([0, 1])).tolist() == [PLACE_ECEF_M.tolist()] * 2


@pytest.mark.parametrize("words", [["1", "2"], ["a", "b", "c"], ["35.1", "136.9", "104.8"]])
def test_impossible_points_are_wrong_usage(words) -> None:
    with pytest.raises((ConfigError, FileError)):
        truth_from_words(words)


@pytest.mark.parametrize("make", [format_pos, format_csv, format_nmea])
def test_own_formats_serve_as_truth(tmp_path, make) -> None:
    solution = made_solution()
    (tmp_path / "truth").write_text(make(solution), newline="")
    truth = read_truth(tmp_path / "truth")
    assert not truth.is_point
    assert truth.time_ns.tolist() == solution.time_ns[:4].tolist()
    assert np.abs(truth.ecef_m - solution.ecef_m[:4]).max() < 2e-4


def test_csv_columns_are_found_by_name(tmp_path) -> None:
    (tmp_path / "reference.csv").write_text(PPC)
    truth = read_truth(tmp_path / "reference.csv")
    assert truth.time_ns.tolist() == [START_NS, START_NS + SECOND_NS]
    assert np.abs(truth.ecef_m[0] - PLACE_ECEF_M).max() < 1e-9


def test_csv_without_ecef_or_week(tmp_path) -> None:
    text = "tow,lat,lon,height\n116400.0,35.134699010,136.977575485,104.8620\n"
    (tmp_path / "t.csv").write_text(text)
    truth = read_truth(tmp_path / "t.csv", near_ns=START_NS + 100 * SECOND_NS)
    assert truth.time_ns.tolist() == [START_NS]
    assert np.abs(truth.ecef_m[0] - PLACE_ECEF_M).max() < 1e-3


def test_interpolates_short_gaps_only(tmp_path) -> None:
    (tmp_path / "reference.csv").write_text(PPC)
    truth = read_truth(tmp_path / "reference.csv")
    half = truth.at(np.array([START_NS + SECOND_NS // 2]))
    assert half[0, 2] == pytest.approx(3650158.8756)
    assert np.isnan(truth.at(np.array([START_NS + SECOND_NS // 2]), max_gap_s=0.5)).all()
    outside = truth.at(np.array([START_NS - SECOND_NS, START_NS + 2 * SECOND_NS]))
    assert np.isnan(outside).all()


def test_sparse_track_serves_at_its_samples(tmp_path) -> None:
    lines = format_pos(made_solution((FixStatus.FIXED,) * 5)).splitlines()
    (tmp_path / "t.pos").write_text("\n".join([*lines[:-5], lines[-5], lines[-1]]))
    truth = read_truth(tmp_path / "t.pos")
    at = truth.at(START_NS + np.arange(5) * SECOND_NS)
    assert np.isfinite(at[:, 0]).tolist() == [True, False, False, False, True]


def test_json_point(tmp_path) -> None:
    (tmp_path / "truth.json").write_text('{"rover_xyz": [-3817681.38, 3562839.9785, 3650158.3756]}')
    assert read_truth(tmp_path / "truth.json").is_point
    (tmp_path / "bad.json").write_text('{"rover": 1}')
    with pytest.raises(FileError, match="rover_xyz"):
        read_truth(tmp_path / "bad.json")


def test_files_that_cannot_serve(tmp_path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_truth(tmp_path / "none")
    (tmp_path / "x.txt").write_text("hello\nworld,1,2\n")
    with pytest.raises(FileError, match="holds no positions"):
        read_truth(tmp_path / "x.txt")
