"""Files where tables are wanted, types that are neither, and the history of what was solved."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import rtkpos
from rtkpos.errors import ConfigError, InputError
from rtkpos.io.datasets.shipped import shipped_path
from rtkpos.io.run_history import changed_settings
from rtkpos.io.solutions.geojson import format_geojson
from rtkpos.io.solutions.kml import format_kml
from rtkpos.io.solutions.pos import format_pos
from rtkpos.processing.epoch import take_epochs
from tests.io.made_solution import made_solution

ROVER, BASE, NAV = (
    shipped_path("demo", name) for name in ("CAR.crx.gz", "BASE1.crx.gz", "nav.rnx.gz")
)


@pytest.fixture(scope="module")
def tables():
    """Half a minute of rover and base, and the ephemerides."""
    index = np.arange(30)
    rover, base = (take_epochs(rtkpos.read_obs(path), index) for path in (ROVER, BASE))
    return rover, rtkpos.read_nav(NAV), base


@pytest.fixture(scope="module")
def solution(tables):
    rover, nav, base = tables
    config = rtkpos.RtkConfig(ar="instantaneous", selection=rtkpos.records.Selection(systems="GC"))
    return rtkpos.solve(rover, nav, base, base.station.approx_ecef_m, config)


@pytest.mark.parametrize("form", [str, lambda path: path, lambda path: path.read_bytes()])
def test_a_path_or_bytes_serve_where_a_table_does(form):
    config = rtkpos.RtkConfig(mode="single")
    got = rtkpos.solve(form(ROVER), form(NAV), config=config)
    wanted = rtkpos.solve(rtkpos.read_obs(ROVER), rtkpos.read_nav(NAV), config=config)
    np.testing.assert_array_equal(got.ecef_m, wanted.ecef_m)


def test_lists_of_paths_serve_too():
    got = rtkpos.solve([str(ROVER)], [NAV], config=rtkpos.RtkConfig(mode="single"))
    assert got.n_epoch == rtkpos.read_obs([ROVER]).n_epoch


def test_explain_engine_stations_and_epochs_take_files(tables, solution):
    told = rtkpos.explain(solution, rtkpos.RtkConfig(), str(ROVER), str(BASE), str(NAV))
    assert told.n_epoch == solution.n_epoch
    place = tables[2].station.approx_ecef_m
    engine = rtkpos.RtkEngine(rtkpos.RtkConfig(), str(NAV), place)
    engine.add_nav(NAV)
    assert engine.update(next(rtkpos.epochs(ROVER)), next(rtkpos.epochs(BASE))).n_sat > 4
    station = rtkpos.network.StationData(name="BASE1", table=str(BASE), ecef_m=place)
    assert isinstance(station.table, rtkpos.ObsTable)


@pytest.mark.parametrize("wrong", [3, None, [], [3], {"rover.obs"}, object()])
def test_what_is_neither_table_nor_file_is_named(tables, wrong):
    rover, nav, _ = tables
    with pytest.raises(InputError, match="the rover must be an ObsTable"):
        rtkpos.solve(wrong, nav)
    with pytest.raises(InputError, match="nav must be a BroadcastTable"):
        rtkpos.solve(rover, wrong)
    if wrong is not None:
        with pytest.raises(InputError, match="the base must be an ObsTable"):
            rtkpos.solve(rover, nav, wrong)
        with pytest.raises(InputError, match="nav must be"):
            rtkpos.RtkEngine(rtkpos.RtkConfig(mode="single"), wrong)
        with pytest.raises(ConfigError, match="config must be an RtkConfig"):
            rtkpos.solve(rover, nav, config=wrong)
        with pytest.raises(ConfigError, match="config must be an RtkConfig"):
            rtkpos.RtkEngine(wrong)


def test_the_header_of_the_base_is_never_taken_by_itself(tables):
    with pytest.raises(InputError, match="coordinate is missing"):
        rtkpos.solve(*tables)


def test_the_history_names_program_inputs_with_digests_and_settings(tables, solution):
    history = solution.history
    assert (history.program, history.version) == ("rtkpos", rtkpos.__version__)
    assert [(one.role, one.name) for one in history.inputs] == [
        ("rover", "CAR.crx.gz"),
        ("base", "BASE1.crx.gz"),
        ("nav", "nav.rnx.gz"),
    ]
    assert history.inputs[0].sha256 == hashlib.sha256(ROVER.read_bytes()).hexdigest()
    assert history.settings == {"ar": "instantaneous", "selection.systems": "GC"}
    assert history.base_ecef_m == tuple(tables[2].station.approx_ecef_m)
    assert pickle.loads(pickle.dumps(solution)).history == history


def test_a_file_that_changed_since_it_was_read_has_no_digest(tmp_path):
    path = tmp_path / "nav.rnx.gz"
    path.write_bytes(NAV.read_bytes())
    nav = rtkpos.read_nav(path)
    path.write_bytes(b"another")
    (one,) = rtkpos.solve(ROVER, nav, config=rtkpos.RtkConfig(mode="single")).history.inputs[1:]
    assert (one.role, one.name, one.sha256) == ("nav", "nav.rnx.gz", "")


def test_bytes_and_made_tables_have_no_digest(tables):
    rover, nav, _ = tables
    made = dataclasses.replace(rover, report=type(rover.report)(), source=("of my own",))
    single = rtkpos.RtkConfig(mode="single")
    inputs = rtkpos.solve(made, nav, config=single).history.inputs
    assert (inputs[0].name, inputs[0].sha256) == ("of my own", "")


def test_settings_that_differ_are_named_by_their_path_and_files_without_their_folder():
    records = rtkpos.records
    config = rtkpos.RtkConfig(
        antenna=records.Antennas(antex="/home/someone/igs20.atx", rover_offset_enu_m=(0, 0, 1.5)),
        ambiguity=records.Ambiguity(ratio_min=3.0),
    )
    assert changed_settings(rtkpos.RtkConfig()) == {}
    assert changed_settings(rtkpos.network.NetworkConfig()) == {}
    assert changed_settings(config) == {
        "ambiguity.ratio_min": 3.0,
        "antenna.antex": "igs20.atx",
        "antenna.rover_offset_enu_m": [0, 0, 1.5],
    }


def test_every_format_that_can_hold_the_history_has_it(solution):
    digest = solution.history.inputs[0].sha256
    text = format_pos(solution)
    assert f"% input     : rover CAR.crx.gz sha256 {digest}\n" in text
    assert '% settings  : ar = "instantaneous"; selection.systems = "GC"\n' in text
    member = json.loads(format_geojson(solution))["history"]
    assert member == solution.history.to_dict()
    assert member["inputs"][0]["sha256"] == digest
    root = ET.fromstring(format_kml(solution).encode())
    space = "{http://www.opengis.net/kml/2.2}"
    assert digest in root.findtext(f"{space}Document/{space}description")
    assert digest in solution.to_xarray().attrs["history"]


def test_a_solution_without_a_history_is_written_without_one():
    made = made_solution()
    assert "history" not in json.loads(format_geojson(made))
    assert "% input" not in format_pos(made)
    assert "description" not in format_kml(made)
