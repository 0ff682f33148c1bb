"""`rtkpos network check --nav`, `vrs` and `solve`: results, exit codes, messages."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtkpos.app.command_line.main import run
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.solutions.reference_track import read_truth
from rtkpos.physics.coordinates import point_from_degrees
from tests.app.network_files import BASES, NAV, TRUTH, only, places, write_demo, write_list

pytestmark = pytest.mark.compiled

MIDDLE = ("34.602", "112.402", "160")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A folder with 30 epochs of three bases and a car, and the list of the bases."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder)
    write_list(folder / "list.toml", places())
    return folder


def network(command, demo, *words, nav=(NAV,)):
    given = ["network", command, str(demo / "list.toml"), *words, "--systems", "GC"]
    return run([*given, *(["--nav", *nav] if nav else [])])


def error_of(capsys):
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error.strip().splitlines()[-1]


def errors_mm(path):
    """Distances from the truth of the car (n,) [mm]."""
    found, truth = read_truth(path), read_truth(TRUTH)
    return 1e3 * np.linalg.norm(found.ecef_m - truth.at(found.time_ns), axis=1)


# --- check ---------------------------------------------------------------------------------------


def test_check_with_ephemerides_reports_every_station(demo, capsys):
    assert network("check", demo, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["solved"]["epochs"] == 30
    assert facts["solved"]["fixed_share"] > 0.9
    assert facts["solved"]["counts"]["closure_differs"] == 0
    assert facts["faults"] == []
    for station in facts["stations"]:
        assert station["epochs"] == 30
        assert 10 < station["satellites"] < 40
        assert station["fixed_share"] > 0.9
        assert 0.0 < station["nondispersive_mm"] < 50.0
        assert 0.0 < station["dispersive_mm"] < 200.0
        assert station["health"] != "not checked"
        assert not station["excluded"]


def test_check_as_text_has_the_table(demo, capsys):
    assert network("check", demo, "--hours", "0.02") == 0
    text = capsys.readouterr().out
    assert "15 epochs: " in text
    assert "have their integers; triangles closed" in text
    row = next(line for line in text.splitlines() if line.startswith("BASE2 ") and " 15 " in line)
    assert len(row.split()) >= 8


def test_a_station_left_out_makes_the_check_partial(demo, tmp_path, capsys):
    places_m = places()
    for name in BASES[:2]:
        only(demo / f"{name}.obs", tmp_path / f"{name}.obs", np.arange(10))
    text = (demo / "BASE3.obs").read_text()
    (tmp_path / "BASE3.obs").write_text(text[: text.index("\n>") + 1])
    write_list(tmp_path / "list.toml", places_m)
    assert network("check", tmp_path, "--json") == 4
    facts = json.loads(capsys.readouterr().out)
    assert "BASE3 is left out" in facts["faults"][0]
    assert "epochs" not in facts["stations"][2]


# --- vrs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3.04", "4.00"])
def test_a_virtual_station_fixes_a_car_as_a_base(demo, tmp_path, version):
    vrs, out = tmp_path / "vrs.obs", tmp_path / "car.pos"
    assert network("vrs", demo, "--at", *MIDDLE, "-o", str(vrs), "--rinex", version) == 0
    table = read_obs(vrs)
    assert table.version == float(version)
    place = point_from_degrees(*map(float, MIDDLE))
    assert np.abs(table.station.approx_ecef_m - place).max() < 1e-4
    assert (table.station.marker, table.station.antenna) == ("VRS", "ADVNULLANTENNA")
    assert table.n_epoch == 30
    head = vrs.read_text().split("END OF HEADER")[0]
    assert "VIRTUAL REFERENCE STATION" in head
    assert "master BASE1" in head
    words = ["solve", f"{demo}/CAR.obs", "--base", str(vrs), "--nav", NAV, "--systems", "GC", "-q"]
    assert run([*words, "-o", str(out)]) == 0
    assert np.percentile(errors_mm(out), 80) < 30.0


def test_a_virtual_station_goes_with_a_track(demo, tmp_path):
    vrs = tmp_path / "moving.obs"
    assert network("vrs", demo, "--track", TRUTH, "-o", str(vrs), "--name", "MOVING", "-q") == 0
    table = read_obs(vrs)
    middle = np.median(read_truth(TRUTH).ecef_m, axis=0)
    assert np.linalg.norm(table.station.approx_ecef_m - middle) < 1e-3
    assert table.station.marker == "MOVING"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-o", "v.obs"], 1, "--at LAT LON H or --track FILE"),
        (["-o", "v.obs", "--at", "95", "0", "0"], 1, "--at 95 0 0 is out of range"),
        (["-o", "v.obs", "--at", "36.6", "112.4", "0"], 2, "km outside of the network"),
        (["-o", "no/v.obs", "--at", *MIDDLE], 2, "does not exist"),
        (["-o", "v.obs", "--track", "none.pos"], 2, "none.pos cannot be read"),
        (["-o", "v.obs", "--at", *MIDDLE, "--rinex", "2.11"], 1, "--rinex"),
        (["-o", "v.obs", "--at", *MIDDLE, "--hours", "0"], 1, "--hours must lie between"),
        (["--at", *MIDDLE], 1, "--output"),
    ],
)
def test_wrong_use_of_vrs(demo, tmp_path, monkeypatch, capsys, words, code, said):
    monkeypatch.chdir(tmp_path)
    assert network("vrs", demo, *words) == code
    assert said in error_of(capsys)
    assert not list(tmp_path.glob("*.obs"))


def test_vrs_without_ephemerides_or_network(demo, tmp_path, capsys):
    words = ["--at", *MIDDLE, "-o", str(tmp_path / "v.obs")]
    assert network("vrs", demo, *words, nav=()) == 1
    assert "add --nav" in error_of(capsys)
    assert network("vrs", demo, *words, "--edge-max", "20") == 2
    assert "makes no network: no two bases are within 20 km" in error_of(capsys)


# --- solve ---------------------------------------------------------------------------------------


def test_a_network_solves_its_rovers(demo, tmp_path, capsys):
    (tmp_path / "torn.obs").write_text("rubbish\n")
    out, summary, npz = tmp_path / "out", tmp_path / "s.json", tmp_path / "c.npz"
    rovers = [str(demo / "CAR.obs"), str(tmp_path / "torn.obs"), str(demo / "BASE1.obs")]
    words = ["-o", str(out), "--summary", str(summary), "--corrections", str(npz)]
    assert network("solve", demo, *rovers, *words) == 4
    told = capsys.readouterr().err
    assert "network of 3 stations and 3 baselines" in told
    assert "torn.obs" in told
    assert sorted(path.name for path in out.iterdir()) == ["BASE1.pos", "CAR.pos"]
    assert np.percentile(errors_mm(out / "CAR.pos"), 80) < 30.0
    facts = json.loads(summary.read_text())
    assert [one["name"] for one in facts["network"]["stations"]] == list(BASES)
    car, torn, base = facts["rovers"]
    assert car["network"]["used"]
    assert car["error"] is None
    assert "torn.obs" in torn["error"]
    used = [one["name"] for one in base["network"]["stations"] if one["used"]]
    assert used == ["BASE2", "BASE3"]
    assert "the rover is station BASE1" in base["warnings"][0]
    with np.load(npz) as arrays:
        assert arrays["names"].tolist() == list(BASES)
        assert arrays["dispersive_m"].shape == (30, 3, len(arrays["sats"]))
        assert arrays["is_fixed"].any()


def test_one_rover_goes_to_one_file(demo, tmp_path):
    out = tmp_path / "car.csv"
    words = [str(demo / "CAR.obs"), "-o", str(out), "--mode", "dgnss", "-q"]
    assert network("solve", demo, *words) == 0
    assert out.read_text().startswith("time_gpst,")


def test_hours_hold_for_the_rovers_as_well(demo, tmp_path):
    out = tmp_path / "car.pos"
    words = [str(demo / "CAR.obs"), "-o", str(out), "--hours", "0.02", "-q"]
    assert network("solve", demo, *words) == 0
    assert len(read_truth(out).time_ns) == 15


def test_a_network_without_rovers_keeps_its_corrections(demo, tmp_path):
    npz = tmp_path / "c.npz"
    assert network("solve", demo, "--corrections", str(npz), "-q") == 0
    assert npz.stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["CAR.obs"], 1, "--output DIR"),
        (["CAR.obs", "-o", "out", "--mode", "single"], 1, "mode single has no use for a network"),
        (["CAR.obs", "CAR.obs", "-o", "x.pos"], 1, "name a folder"),
        (["none.obs", "-o", "out"], 2, "none.obs cannot be read"),
        (["CAR.obs", "-o", "out", "--corrections", "c.txt"], 1, "must end in .npz"),
        (["torn.obs", "-o", "out"], 3, "none of 1 rovers has a position"),
    ],
)
def test_wrong_use_of_solve(demo, monkeypatch, capsys, words, code, said):
    monkeypatch.chdir(demo)
    (demo / "torn.obs").write_text("rubbish\n")
    assert network("solve", demo, *words) == code
    assert said in error_of(capsys)
