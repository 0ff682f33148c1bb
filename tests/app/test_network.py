"""`rtkpos network check` and `plan`: text, JSON, maps, and wrong use."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from rtkpos.app.command_line.main import run
from rtkpos.network.graph.graph import build_graph
from rtkpos.simulate.medium.ellipsoid import place_llh
from rtkpos.simulate.scenario.country import country_stations

LIST = """\
name,lat_deg,lon_deg,height_m,frame,epoch
NORD,34.90,112.40,300,CGCS2000,2000
OST,34.60,112.80,200,CGCS2000,2000
SUED,34.30,112.40,250,CGCS2000,2000
WEST,34.60,112.00,400,CGCS2000,2000
FERN,30.00,120.00,10,CGCS2000,2000
"""


@pytest.fixture
def stations(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(LIST)
    return str(path)


def facts_of(capsys, *words):
    assert run(["network", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_check_tells_all_about_a_network(capsys, stations):
    facts = facts_of(capsys, "check", stations)
    summary = facts["network"]
    assert (summary["stations"], summary["baselines"], summary["triangles"]) == (5, 5, 2)
    assert (summary["loops"], summary["parts"], summary["tree_baselines"]) == (2, 2, 3)
    assert (summary["frame"], summary["epoch_year"]) == ("CGCS2000", 2000.0)
    first, far = facts["stations"][0], facts["stations"][4]
    assert (first["name"], first["lat_deg"], first["height_m"]) == ("NORD", 34.9, 300.0)
    assert (far["baselines"], far["nearest"], far["part"]) == (0, None, 2)
    assert first["health"] == "not checked"
    assert sum(one["in_tree"] for one in facts["baselines"]) == 3
    assert "joins FERN to the largest part" in facts["notes"][0]


def test_check_as_text_has_the_same_numbers(capsys, stations):
    assert run(["network", "check", stations]) == 0
    text = capsys.readouterr().out
    assert "5 stations, 5 baselines (3 in the spanning tree), 2 triangles" in text
    assert "frame CGCS2000 at epoch 2000" in text
    assert re.search(r"^OST +34\.600000 +112\.800000 +200\.000 +0 +- +\d", text, re.M)
    assert "the network falls into 2 parts" in text


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (("34.6", "112.5", "200"), "is inside, in "),
        (("34.6", "113.8", "200"), "is outside, 9\\d.\\d km from the network: corrections there"),
    ],
)
def test_check_says_where_a_point_stands(capsys, stations, at, words):
    assert run(["network", "check", stations, "--at", *at]) == 0
    assert re.search(words, capsys.readouterr().out)


def test_point_in_json_names_triangle_and_neighbours(capsys, stations):
    point = facts_of(capsys, "check", stations, "--at", "34.6", "112.5", "200")["point"]
    assert point["inside"]
    assert "OST" in point["triangle"]
    assert point["nearest"][0]["name"] == "OST"
    assert abs(point["nearest"][0]["km"] - 27.5) < 0.2  # 0.3 degrees of longitude at 34.6 north


def test_limits_of_the_command_override_the_list(capsys, stations):
    assert facts_of(capsys, "check", stations, "--edge-max", "2000")["network"]["parts"] == 1
    assert facts_of(capsys, "check", stations, "--edge-max", "30")["network"]["baselines"] == 0


def test_geojson_holds_every_station_baseline_and_triangle(capsys, stations, tmp_path):
    path = tmp_path / "net.geojson"
    facts = facts_of(capsys, "check", stations, "--geojson", str(path))
    features = json.loads(path.read_text())["features"]
    kinds = [one["properties"]["kind"] for one in features]
    assert kinds.count("station") == 5
    assert kinds.count("baseline") == len(facts["baselines"])
    assert kinds.count("triangle") == 2
    assert features[0]["geometry"]["coordinates"] == [112.4, 34.9, 300.0]
    ring = next(one for one in features if one["properties"]["kind"] == "triangle")["geometry"]
    assert len(ring["coordinates"][0]) == 4
    assert ring["coordinates"][0][0] == ring["coordinates"][0][-1]


def test_geojson_goes_on_over_the_antimeridian(tmp_path):
    path, out = tmp_path / "fiji.csv", tmp_path / "fiji.geojson"
    path.write_text("name,lat_deg,lon_deg,height_m\nA,-17,179.8,9\nB,-17,-179.8,9\nC,-16.7,180,9\n")
    assert run(["network", "check", str(path), "--geojson", str(out)]) == 0
    for one in json.loads(out.read_text())["features"]:
        if one["geometry"]["type"] == "LineString":
            start, end = one["geometry"]["coordinates"]
            assert abs(start[0] - end[0]) < 1.0


@pytest.mark.slow
def test_map_is_a_picture(stations, tmp_path):
    pytest.importorskip("matplotlib")
    for words in (["check", stations], ["plan", "--stations", "120"]):
        path = tmp_path / "net.png"
        assert run(["network", *words, "--map", str(path)]) == 0
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 20_000


def test_plan_of_a_country_adds_up(capsys):
    facts = facts_of(capsys, "plan", "--stations", "400", "--hours", "3", "--interval", "30")
    cells, cost = facts["cells"], facts["cost"]
    assert sum(cell["stations"] for cell in cells) == 400
    assert sum(cell["baselines"] for cell in cells) == facts["network"]["baselines"]
    assert sum(cell["triangles"] for cell in cells) == facts["network"]["triangles"]
    assert max(cell["stations"] for cell in cells) <= 40
    assert cost["tasks"] == 3 * len(cells)


def test_cost_follows_the_rate_of_a_baseline(capsys):
    words = ("plan", "--stations", "400", "--ms-per-baseline")
    low, high = (facts_of(capsys, *words, ms)["cost"]["core_hours"] for ms in ("0.5", "1.5"))
    n_baseline = facts_of(capsys, *words, "1")["network"]["baselines"]
    assert abs(high - low - n_baseline * 86_400 * 1e-3 / 3600.0) < 0.05


def test_plan_of_a_list(capsys, stations):
    assert run(["network", "plan", stations, "--cell-size", "2"]) == 0
    captured = capsys.readouterr()
    assert "5 stations, 5 baselines, 2 triangles in 3 cells" in captured.out
    assert "graph and cells after" in captured.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["plan"], 1, "give a list of stations or --stations N"),
        (["plan", "list.csv", "--stations", "9"], 1, "give a list of stations or --stations N"),
        (["plan", "--stations", "0"], 1, "number of stations must lie between 1 and"),
        (["plan", "--stations", "9", "--hours", "0"], 1, "--hours must lie between"),
        (["plan", "--stations", "9", "--interval", "nan"], 1, "--interval must lie between"),
        (["plan", "--stations", "9", "--cell-size", "0"], 1, "at least 1 station"),
        (["plan", "--stations", "9", "--ms-per-baseline", "-1"], 1, "--ms-per-baseline must lie"),
        (["plan", "--stations", "9", "--edge-max", "-1"], 1, "network.edge_max_m must lie"),
        (["check", "none.csv"], 2, "none.csv cannot be read"),
        (["check", "list.csv", "--at", "95", "0", "0"], 1, "--at 95 0 0 is out of range"),
        (["check", "list.csv", "--map", "net.jpg"], 2, "must end in .png"),
        (["check", "list.csv", "--geojson", "no/net.json"], 2, "does not exist"),
        (["check"], 1, "STATIONS is missing"),
    ],
)
def test_wrong_use_is_one_sentence(capsys, stations, monkeypatch, tmp_path, words, code, message):
    monkeypatch.chdir(tmp_path)
    assert run(["network", *words]) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


# --- the simulated country -----------------------------------------------------------------------


def test_country_has_its_area_and_its_halves():
    names, ecef = country_stations(4400)
    graph = build_graph(names, ecef)
    corner = graph.unit[graph.triangles]
    # Area of a small triangle on the sphere: half the cross product of two sides.
    sides = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    area_km2 = 0.5 * np.linalg.norm(sides, axis=1).sum() * 6371.0**2
    assert 0.90 < area_km2 / 9.6e6 < 1.0  # the outline passes half a spacing inside the border
    east = np.array([name.startswith("E") for name in names])
    assert east.sum() == 3080
    llh = np.degrees(place_llh(ecef))
    assert llh[east, 1].min() > 102.5
    assert llh[~east, 1].max() < 103.5
    median_km = np.median(graph.length_m) / 1e3
    assert 35.0 < median_km < 55.0


def test_country_is_the_same_for_a_seed_and_another_for_another():
    one, same, other = (country_stations(50, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
