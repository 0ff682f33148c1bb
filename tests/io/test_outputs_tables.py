"""CSV, GeoJSON and KML, and writing them whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from rtkpos.errors import FileError
from rtkpos.io.solutions.csv_table import COLUMNS, format_csv
from rtkpos.io.solutions.geojson import format_geojson
from rtkpos.io.solutions.kml import format_kml
from rtkpos.io.text import atomic
from tests.io.made_solution import made_solution

KML = "{http://www.opengis.net/kml/2.2}"


def test_csv_has_every_epoch_and_empty_fields_for_missing_values() -> None:
    rows = list(csv.DictReader(format_csv(made_solution()).splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert [row["status"] for row in rows] == ["FIXED", "FLOAT", "DGNSS", "SPP", "NONE"]
    assert rows[0]["time_gpst"] == "2024-06-24 08:20:00.000"
    assert (rows[0]["week"], rows[0]["tow_s"]) == ("2320", "116400.000")
    assert float(rows[0]["lat_deg"]) == pytest.approx(35.134699010, abs=1e-8)
    assert float(rows[0]["vel_north_mps"]) == 4.0
    assert float(rows[0]["sigma_up_m"]) == 0.05
    assert rows[4]["lat_deg"] == rows[4]["ecef_x_m"] == rows[4]["vel_up_mps"] == ""


def test_geojson_points_are_lon_lat_height() -> None:
    solution = made_solution()
    solution.age_s[0] = np.nan
    data = json.loads(format_geojson(solution))
    assert data["type"] == "FeatureCollection"
    assert len(data["features"]) == 4
    first = data["features"][0]
    lon, lat, height = first["geometry"]["coordinates"]
    assert (lon, lat) == pytest.approx((136.977575485, 35.134699010), abs=1e-8)
    assert height == pytest.approx(104.862, abs=1e-3)
    assert first["properties"]["status"] == "FIXED"
    assert first["properties"]["age_s"] is None


def test_kml_is_xml_with_a_colour_for_each_status() -> None:
    root = ET.fromstring(format_kml(made_solution(), name="a < b & c").encode())
    styles = {style.get("id") for style in root.iter(f"{KML}Style")}
    used = {node.text for node in root.iter(f"{KML}styleUrl")}
    assert {name.removeprefix("#") for name in used} <= styles
    assert root.find(f"{KML}Document/{KML}name").text == "a < b & c"
    points = [node.text for node in root.iter(f"{KML}Point")]
    assert len(points) == 4
    assert next(root.iter(f"{KML}when")).text == "2024-06-24T08:19:42.000Z"


def test_empty_solution_gives_valid_files() -> None:
    empty = made_solution(())
    assert format_csv(empty).count("\n") == 1
    assert json.loads(format_geojson(empty))["features"] == []
    ET.fromstring(format_kml(empty).encode())


def test_write_replaces_whole_files_and_leaves_nothing_beside(tmp_path) -> None:
    target = tmp_path / "a.pos"
    atomic.write_text(target, "one\n")
    atomic.write_text(target, "zwei ä\n")
    assert target.read_bytes() == "zwei ä\n".encode()
    assert os.listdir(tmp_path) == ["a.pos"]


def test_failure_keeps_the_old_file(tmp_path, monkeypatch) -> None:
    target = tmp_path / "a.pos"
    atomic.write_text(target, "old")

    def disk_full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(FileError, match="no space left on device"):
        atomic.write_text(target, "new")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.pos"]


def test_interrupt_leaves_no_temporary_file(tmp_path, monkeypatch) -> None:
    def interrupt(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        atomic.write_text(tmp_path / "a.pos", "new")
    assert os.listdir(tmp_path) == []


def test_impossible_targets_are_refused_before_work(tmp_path) -> None:
    with pytest.raises(FileError, match="is a folder"):
        atomic.check_writable(tmp_path)
    with pytest.raises(FileError, match="does not exist"):
        atomic.check_writable(tmp_path / "no" / "a.pos")
    with pytest.raises(FileError, match="cannot be written"):
        atomic.write_text(tmp_path, "x")
    atomic.check_writable(tmp_path / "a.pos")


def test_links_are_followed_and_devices_written_directly(tmp_path) -> None:
    real = tmp_path / "real.pos"
    real.write_text("old")
    link = tmp_path / "link.pos"
    link.symlink_to(real)
    atomic.write_text(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    atomic.write_text("/dev/null", "gone")
