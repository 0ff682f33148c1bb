"""`rtkpos solve` with several bases: what counts as one base, and what can be wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtkpos.app.command_line.main import run
from rtkpos.io.datasets.shipped import shipped_path
from rtkpos.io.solutions.reference_track import read_truth
from tests.app.network_files import (
    BASES,
    NAV,
    TRUTH,
    copy_all,
    only,
    places,
    with_header,
    write_demo,
    write_list,
)

pytestmark = pytest.mark.compiled


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A folder with 30 epochs of three bases and a car."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder)
    return folder


def solve(demo, *bases, rover="CAR.obs", nav=NAV, more=("--systems", "GC")):
    """Exit code and summary of a run with bases named by file."""
    summary = demo / "summary.json"
    summary.unlink(missing_ok=True)
    words = ["solve", str(demo / rover)]
    for name in bases:
        words += ["--base", str(demo / name)]
    words += ["--nav", nav, "-o", str(demo / "out.pos"), "--summary", str(summary), *more]
    code = run(words)
    return code, json.loads(summary.read_text()) if summary.exists() else {}


def three(demo, **options):
    return solve(demo, *(f"{name}.obs" for name in BASES), **options)


def error_of(capsys):
    """The line of an error; nothing but a sentence."""
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error.strip().splitlines()[-1]


def track(demo):
    return read_truth(demo / "out.pos")


# --- a network -----------------------------------------------------------------------------------


def test_three_bases_are_a_network(demo, capsys):
    code, facts = three(demo, more=("--systems", "GC", "--truth", TRUTH))
    assert code == 0
    network = facts["network"]
    assert network["used"]
    assert [one["name"] for one in network["stations"]] == list(BASES)
    assert all(one["used"] and one["from_header"] for one in network["stations"])
    assert (network["master"], network["n_uncorrected"], network["outside_m"]) == ("BASE1", 0, 0.0)
    assert network["fixed_share"] > 0.9
    assert network["counts"]["closure_differs"] == 0
    assert 0.0 < network["sigma_ionosphere_mm"] < 50.0
    assert 0.0 < network["sigma_wet_mm"] < 20.0
    assert facts["base"]["origin"] == "network"
    assert facts["accuracy"]["n_wrong"] == 0
    assert facts["accuracy"]["fixed"]["three_d_m"]["p95"] < 0.03
    assert facts["epochs"]["fixed"] >= 25
    told = capsys.readouterr().err
    assert "virtual base from 3 of 3 stations (BASE1, BASE2, BASE3; master BASE1)" in told
    assert "network    3 of 3 stations, master BASE1" in told
    assert "are those of the headers" in told


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["kinematic", "static", "dgnss"])
def test_the_whole_demo_in_every_mode(tmp_path, mode):
    bases = [str(shipped_path("demo", f"{name}.crx.gz")) for name in BASES]
    summary = tmp_path / "s.json"
    words = ["solve", str(shipped_path("demo", "CAR.crx.gz")), "--base", *bases, "--nav", NAV]
    code = run([*words, "--mode", mode, "-o", f"{tmp_path}/c.pos", "--summary", str(summary), "-q"])
    assert code == 0
    facts = json.loads(summary.read_text())
    assert facts["epochs"]["total"] == 300
    wanted = {"kinematic": ("fixed", 294), "static": ("total", 300), "dgnss": ("dgnss", 300)}[mode]
    assert facts["epochs"][wanted[0]] >= wanted[1]


def test_two_bases_serve(demo):
    code, facts = solve(demo, "BASE1.obs", "BASE2.obs")
    assert code == 0
    assert facts["network"]["used"]
    assert len(facts["network"]["stations"]) == 2


def test_explain_takes_several_bases(demo, capsys):
    words = ["explain", str(demo / "CAR.obs"), "--nav", NAV, "--systems", "GC"]
    for name in BASES:
        words += ["--base", str(demo / f"{name}.obs")]
    assert run(words) == 0
    assert "30 epochs" in capsys.readouterr().out


def test_a_network_section_of_the_configuration_steers_it(demo, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("[network]\nmax_edge_km = 20.0\n")
    code, facts = three(demo, more=("--systems", "GC", "-k", str(config)))
    assert code == 0
    assert not facts["network"]["used"]
    assert "no two bases are within 20 km" in facts["network"]["notes"][-1]
    config.write_text("[network]\nmax_edge = 20.0\n")
    assert three(demo, more=("-k", str(config)))[0] == 1


# --- one base or several -------------------------------------------------------------------------


def test_files_of_one_marker_and_place_are_one_base(demo, tmp_path):
    first = only(demo / "BASE1.obs", tmp_path / "b1.obs", np.arange(15))
    second = only(demo / "BASE1.obs", tmp_path / "b2.obs", np.arange(15, 30))
    code, facts = solve(demo, first, second)
    one_code, one = solve(demo, "BASE1.obs")
    assert (code, one_code) == (0, 0)
    assert facts["network"] is None
    assert facts["base"] == one["base"]
    assert facts["epochs"] == one["epochs"]


def test_the_same_station_under_another_name_hangs_on_its_twin(demo, tmp_path):
    twin = with_header(demo / "BASE1.obs", tmp_path / "twin.obs", "MARKER NAME", "TWIN")
    code, facts = solve(demo, "BASE1.obs", twin, "BASE2.obs", "BASE3.obs")
    assert code == 0
    assert facts["epochs"]["fixed"] >= 25


def test_coordinates_of_the_list_are_those_that_count(demo):
    shift = np.array([0.3, -0.2, 0.1])
    moved = {name: place + shift for name, place in places().items()}
    listed = write_list(demo / "moved.toml", moved, with_files=False)
    assert three(demo)[0] == 0
    before = track(demo)
    code, facts = three(demo, more=("--systems", "GC", "--stations", listed))
    assert code == 0
    assert not any(one["from_header"] for one in facts["network"]["stations"])
    apart = np.median(track(demo).ecef_m - before.ecef_m, axis=0)
    assert np.abs(apart - shift).max() < 0.002


def test_a_list_with_files_needs_no_base(demo):
    listed = write_list(demo / "list.toml", places())
    code, facts = solve(demo, more=("--systems", "GC", "--stations", listed))
    assert code == 0
    assert facts["network"]["used"]
    assert not [text for text in facts["warnings"] if "headers" in text]


# --- what can be wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--base-xyz", "-2000000", "4860000", "3600000"), "--stations LIST"),
        (("--base-llh", "34.5", "112.3", "100"), "--stations LIST"),
        (("--base-position", "single"), "--stations LIST"),
        (("--mode", "moving_base"), "takes one base, but several are given"),
    ],
)
def test_options_of_one_base_are_refused(demo, capsys, more, said):
    assert three(demo, more=more)[0] == 1
    assert said in error_of(capsys)


def test_single_positions_need_no_network(demo):
    code, facts = three(demo, more=("--mode", "single", "--systems", "G"))
    assert code == 0
    assert facts["network"] is None


def test_a_base_without_coordinates_names_the_list(demo, tmp_path, capsys):
    silent = with_header(demo / "BASE2.obs", tmp_path / "s.obs", "APPROX POSITION XYZ", "")
    assert solve(demo, "BASE1.obs", silent, "BASE3.obs")[0] == 2
    assert "s.obs states no usable APPROX POSITION XYZ" in error_of(capsys)


def test_a_base_that_is_not_listed_is_named(demo, capsys):
    known = {name: place for name, place in places().items() if name != "BASE3"}
    listed = write_list(demo / "short.toml", known, with_files=False)
    assert three(demo, more=("--stations", listed))[0] == 2
    assert "BASE3.obs (marker BASE3) is no station of" in error_of(capsys)


def test_frames_that_differ_are_refused(demo, capsys):
    listed = demo / "frames.toml"
    write_list(listed, places())
    text = listed.read_text().replace('name = "BASE1"', 'name = "BASE1"\nframe = "CGCS2000"')
    listed.write_text(text.replace('name = "BASE2"', 'name = "BASE2"\nframe = "ITRF2020"'))
    assert three(demo, more=("--stations", str(listed)))[0] == 2
    assert "transform all coordinates to one frame" in error_of(capsys)


@pytest.mark.parametrize(("metres", "code"), [(100.0, 0), (5000.0, 2)])
def test_coordinates_of_another_place_are_found(demo, capsys, metres, code):
    moved = places()
    moved["BASE2"] = moved["BASE2"] * (1.0 + metres / 6.37e6)
    listed = write_list(demo / "wrong.toml", moved)
    assert three(demo, more=("--systems", "GC", "--stations", listed))[0] == code
    assert "BASE2: the base coordinates are" in capsys.readouterr().err


def test_a_missing_file_is_2(demo, capsys):
    assert solve(demo, "BASE1.obs", "none.obs", "BASE3.obs")[0] == 2
    assert "none.obs" in error_of(capsys)


@pytest.mark.parametrize("kind", ["no header", "no epochs"])
def test_a_base_that_cannot_be_read_is_left_out(demo, tmp_path, capsys, kind):
    broken = tmp_path / "broken.obs"
    text = (demo / "BASE2.obs").read_text()
    broken.write_text("rubbish\n" if kind == "no header" else text[: text.index("\n>") + 1])
    code, facts = solve(demo, "BASE1.obs", str(broken), "BASE3.obs")
    assert code == 4
    assert facts["exit_code"] == 4
    assert facts["network"]["used"]
    (left_out,) = facts["network"]["left_out"]
    assert "left out" in left_out
    assert "partial result: " in capsys.readouterr().err
    more = ("--systems", "GC", "--strict")
    assert solve(demo, "BASE1.obs", str(broken), "BASE3.obs", more=more)[0] == 2


def test_stations_without_common_signals_leave_the_nearest(demo, tmp_path):
    files = [
        only(demo / f"{name}.obs", tmp_path / f"{name}.obs", systems=system)
        for name, system in zip(BASES, "GEC", strict=True)
    ]
    code, facts = solve(demo, *files, more=("--systems", "GEC"))
    assert code == 0
    assert not facts["network"]["used"]
    assert facts["network"]["master"] == "BASE1"
    assert "BASE1 at" in facts["network"]["notes"][-1]


def test_stations_at_another_time_leave_the_nearest(demo, tmp_path):
    files = [
        only(demo / f"{name}.obs", tmp_path / f"{name}.obs", np.arange(10 * k, 10 * k + 10))
        for k, name in enumerate(BASES)
    ]
    facts = solve(demo, *files)[1]
    assert not facts["network"]["used"]
    assert "no two bases have epochs at the same time" in facts["network"]["notes"][-1]


def test_different_rates_are_told(demo, tmp_path):
    slow = only(demo / "BASE3.obs", tmp_path / "slow.obs", np.arange(0, 30, 3))
    code, facts = solve(demo, "BASE1.obs", "BASE2.obs", slow)
    assert code == 0
    assert "different intervals (5 s, 15 s)" in facts["network"]["notes"][0]


def test_the_rover_is_no_base_of_itself(demo, tmp_path, capsys):
    assert solve(demo, "CAR.obs", *(f"{name}.obs" for name in BASES))[0] == 1
    assert "given as rover and as base" in error_of(capsys)
    twice = copy_all(demo, tmp_path / "twice")
    code, facts = solve(demo, *(str(twice / f"{name}.obs") for name in BASES), rover="BASE1.obs")
    assert code == 0
    assert [one["name"] for one in facts["network"]["stations"]] == ["BASE2", "BASE3"]
    assert any("BASE1 is not used" in text for text in facts["warnings"])


def test_a_rover_outside_of_its_bases_is_told(demo):
    code, facts = solve(demo, "BASE2.obs", "BASE3.obs")
    assert code == 0
    assert 5e3 < facts["network"]["outside_m"] < 50e3
    assert any("km outside of the stations" in note for note in facts["network"]["notes"])
