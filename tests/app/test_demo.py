"""`rtkpos demo` needs no network, shows a fix, and its files are those its scenario makes."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import socket
from pathlib import Path

import hatanaka
import numpy as np
import pytest

from rtkpos.app.command_line.main import run
from rtkpos.app.solve import demo
from rtkpos.io.datasets.catalogue import complete_folder
from rtkpos.io.datasets.shipped import shipped_path
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.simulate.medium.ellipsoid import place_llh
from rtkpos.simulate.scenario.scenario import parse_scenario

DEMO = shipped_path("demo")
FILES = ("BASE1.crx.gz", "BASE2.crx.gz", "BASE3.crx.gz", "CAR.csv", "CAR.crx.gz", "nav.rnx.gz")
LIMIT_BYTES, TOTAL_BYTES = 1_000_000, 1_600_000
LAST_DIGIT = 2  # numbers may differ by rounding, as the sine of one processor from another's
PNG = b"\x89PNG"


def maker():
    path = Path(__file__).parents[2] / "tools" / "make_demo.py"
    spec = importlib.util.spec_from_file_location("make_demo", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def offline(monkeypatch):
    """Any attempt to reach a network fails."""

    def refuse(*_):
        raise AssertionError("the demo reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_the_demo_fixes_offline_and_writes_its_files(tmp_path, capsys, offline):
    assert run(["demo", "--out", str(tmp_path / "made" / "here")]) == 0
    said = capsys.readouterr().err
    share = float(re.search(r"fixed to integers: ([\d.]+) %", said).group(1))
    assert share >= 98.0
    east, north, up = map(
        float, re.search(r"  fixed +([\d.]+)mm +([\d.]+)mm +([\d.]+)mm", said).groups()
    )
    assert max(east, north) < 10.0
    assert up < 30.0
    assert "0 of 300  0.00 %" in said
    written = {file.suffix: file for file in (tmp_path / "made" / "here").iterdir()}
    drawn = {".png"} if demo.has_matplotlib() else set()  # the picture needs the extra `plot`
    assert set(written) == {".pos", ".geojson"} | drawn
    assert written[".pos"].read_text().startswith("% program   : rtkpos")
    assert json.loads(written[".geojson"].read_text())["type"] == "FeatureCollection"
    for picture in drawn:
        assert written[picture].read_bytes().startswith(PNG)


def test_without_matplotlib_the_demo_says_so_and_succeeds(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(demo, "has_matplotlib", lambda: False)
    assert run(["demo", "--out", str(tmp_path)]) == 0
    assert 'pip install "rtkpos[plot]"' in capsys.readouterr().err
    assert {file.suffix for file in tmp_path.iterdir()} == {".pos", ".geojson"}


def test_the_public_recording_is_still_there(tmp_path, capsys):
    if complete_folder(demo.REAL_SET) is None:
        pytest.skip(f"{demo.REAL_SET} is not on this machine")
    assert run(["demo", "--real", "--out", str(tmp_path)]) == 0
    assert "known to 2 mm: 301 of 301" in capsys.readouterr().err


def test_the_shipped_files_are_small_and_those_of_the_scenario():
    sizes = {file.name: file.stat().st_size for file in DEMO.iterdir()}
    assert set(sizes) == {*FILES, "scenario.toml"}
    assert max(sizes.values()) < LIMIT_BYTES
    assert sum(sizes.values()) < TOTAL_BYTES
    scenario = parse_scenario((DEMO / "scenario.toml").read_text("utf-8"))
    for one in scenario.receivers:
        table = read_obs(DEMO / f"{one.name}.crx.gz")
        assert table.n_epoch == scenario.n_epoch(one)
        assert int(table.time_ns[0]) == scenario.start_ns
        assert not table.report.warnings
    for site in scenario.stations:
        said = read_obs(DEMO / f"{site.name}.crx.gz").station.approx_ecef_m
        assert np.allclose(said, scenario.marker_ecef(site), atol=1e-4)


def test_the_car_drives_among_the_stations():
    """So that what is learnt at the stations can be interpolated where the car is."""
    scenario = parse_scenario((DEMO / "scenario.toml").read_text("utf-8"))
    a, b, c = (np.array(site.enu_m[:2]) for site in scenario.stations)
    for point in scenario.vehicles[0].path_enu_m:
        weights = np.linalg.solve(np.stack([b - a, c - a], axis=1), np.array(point[:2]) - a)
        assert weights.min() > 0.0
        assert weights.sum() < 1.0
    llh = place_llh(scenario.marker_ecef(scenario.stations[0]))
    assert np.degrees(llh[:2]) == pytest.approx([34.53, 112.30], abs=0.02)


@pytest.mark.slow
def test_the_scenario_makes_the_shipped_files_again():
    made = maker().demo_files()
    assert set(made) == set(FILES)
    for name, content in made.items():
        shipped = (DEMO / name).read_bytes()
        same_but_for_rounding(text_of(content, name), text_of(shipped, name))


def text_of(content, name):
    if not name.endswith(".gz"):
        return content
    plain = gzip.decompress(content)
    return hatanaka.crx2rnx(plain) if ".crx" in name else plain


def same_but_for_rounding(made, shipped):
    """The same bytes, or a few numbers off by their last digit."""
    assert len(made) == len(shipped)
    if made == shipped:
        return
    numbers = re.compile(rb"-?\d+\.\d+(?:E[+-]\d+)?")
    assert numbers.sub(b"", made) == numbers.sub(b"", shipped)
    pairs = zip(numbers.findall(made), numbers.findall(shipped), strict=True)
    unlike = [(a, b) for a, b in pairs if a != b]
    assert len(unlike) < 100
    for a, b in unlike:
        unit = 10.0 ** -len(re.match(rb"-?\d+\.(\d+)", a).group(1))
        scale = float(a) / float(re.match(rb"-?[\d.]+", a).group()) if b"E" in a else 1.0
        assert abs(float(a) - float(b)) <= LAST_DIGIT * unit * abs(scale)
