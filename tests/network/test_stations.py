"""Lists of stations: TOML and CSV give the same, headers fill in, faults are one sentence."""

from __future__ import annotations

import gzip
import math

import numpy as np
import pytest

from rtkpos.errors import InputError, RtkposError
from rtkpos.io.text.toml_file import read_toml
from rtkpos.network.stations.station_list import read_stations
from tests.data import dataset_path

HEADER = """\
     3.04           OBSERVATION DATA    M: MIXED            RINEX VERSION / TYPE
{marker:<60}MARKER NAME
{x:14.4f}{y:14.4f}{z:14.4f}                  APPROX POSITION XYZ
C    2 C2I L2I                                              SYS / # / OBS TYPES
{interval:10.3f}                                                  INTERVAL
                                                            END OF HEADER
"""
PLACE = (-2267750.0, 5009154.0, 3221290.0)


def recording(folder, name, marker="WUHN 1", place=PLACE, interval=30.0):
    text = HEADER.format(marker=marker, x=place[0], y=place[1], z=place[2], interval=interval)
    (folder / name).write_bytes(
        gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
    )


def read(folder, text, name="stations.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_stations(path)


TOML = """
[defaults]
frame = "ITRF2020"
epoch = 2024.5
[network]
edge_max_km = 90
[[station]]
name = "A"
xyz = [-2267750.0, 5009154.0, 3221290.0]
files = "a*.obs"
antenna = "TRM59800.00 NONE"
interval_s = 1
[[station]]
name = "B"
llh = [30.9, 114.6, 30.0]
"""
CSV = """\
# stations of the test
name;lat_deg;lon_deg;height_m;x_m;y_m;z_m;frame;epoch;files;antenna;interval_s

A;;;;-2267750.0;5009154.0;3221290.0;ITRF2020;2024.5;a1.obs|a2.obs;TRM59800.00 NONE;1
B;30.9;114.6;30;;;;ITRF2020;2024.5;;;
"""


def test_toml_and_csv_say_the_same(tmp_path):
    recording(tmp_path, "a1.obs")
    recording(tmp_path, "a2.obs")
    one, other = read(tmp_path, TOML), read(tmp_path, CSV, "stations.csv")
    assert one.names == other.names == ("A", "B")
    assert np.array_equal(one.ecef_m, other.ecef_m)
    assert one.ecef_m[0].tolist() == list(PLACE)
    for first, second in zip(one.stations, other.stations, strict=True):
        assert first.files == second.files
        assert first.antenna == second.antenna
        assert (first.frame, first.epoch_year) == (second.frame, second.epoch_year)
        assert str(first.interval_s) == str(second.interval_s)
    assert [path.name for path in one.stations[0].files] == ["a1.obs", "a2.obs"]
    assert (one.frame, one.epoch_year) == ("ITRF2020", 2024.5)
    assert one.limits.edge_max_m == 90e3
    assert one.notes == ()


def test_geographic_coordinates_are_those_of_the_ellipsoid(tmp_path):
    """B by EPSG 9602: 30.9 N, 114.6 E, 30 m from pyproj (EPSG:4979 to EPSG:4978)."""
    from pyproj import Transformer

    wanted = Transformer.from_crs(4979, 4978).transform(30.9, 114.6, 30.0)
    recording(tmp_path, "a1.obs")
    assert np.abs(read(tmp_path, TOML).ecef_m[1] - wanted).max() < 1e-6


def test_table_may_have_more_columns_and_both_kinds_of_coordinates(tmp_path):
    text = "name,lat_deg,lon_deg,height_m,ecef_x_m,ecef_y_m,ecef_z_m,owner\n"
    row = "A,30.5,114.3,20,-2267750.0,5009154.0,3221290.0,nobody\n"
    stations = read(tmp_path, text + row, "list.csv")
    assert stations.ecef_m[0].tolist() == list(PLACE)
    assert stations.notes[0].endswith("list.csv has columns that mean nothing here: owner.")


def test_headers_fill_in_what_the_list_leaves_out(tmp_path):
    recording(tmp_path, "w.obs.gz", interval=15.0)
    stations = read(tmp_path, '[[station]]\nfiles = "w.obs.gz"\n')
    (station,) = stations.stations
    assert station.name == "WUHN"
    assert station.ecef_m.tolist() == list(PLACE)
    assert station.interval_s == 15.0
    assert station.from_header
    assert stations.notes == (
        "coordinates of WUHN are those of their headers, which are often rounded or approximate; "
        "centimetres need trusted ones.",
    )
    assert stations.frame == ""
    assert math.isnan(stations.epoch_year)


def test_header_elsewhere_is_told(tmp_path):
    recording(tmp_path, "w.obs", place=(PLACE[0] + 3000.0, *PLACE[1:]))
    text = f'[[station]]\nfiles = "w.obs"\nxyz = {list(PLACE)}\n'
    assert read(tmp_path, text).notes == (
        "WUHN: its header places it 3.0 km from its coordinates.",
    )


def test_different_rates_and_silent_frames_are_told(tmp_path):
    text = "name,x_m,y_m,z_m,frame,interval_s\nA,-2267750,5009154,3221290,CGCS2000,1\n"
    notes = read(tmp_path, text + "B,-2277750,5004154,3221290,,30\n", "list.csv").notes
    assert notes == (
        "no frame is stated for B; taken to be that of the others.",
        "stations record at different intervals (1 s, 30 s): common epochs are used.",
    )


def station(**values):
    lines = [f"{key} = {value}" for key, value in values.items()]
    return "[[station]]\n" + "\n".join(lines) + "\n"


A = station(name='"A"', xyz=list(PLACE))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[station]\n", "is not valid TOML"),
        ("[[stations]]\n", r"unknown key 'stations'; known are \[defaults\]"),
        ("[defaults]\n", r"no \[\[station\]\] table"),
        ("station = [1]\n", r"station 1 must be a \[\[station\]\]; got 1"),
        (A + A, "station A is listed twice"),
        (station(name='"A"'), r"station 1 \(A\): no coordinates are given"),
        (station(xyz=list(PLACE)), "the name is missing"),
        (station(name=3, xyz=list(PLACE)), "name must be text; got 3"),
        (station(name='"A"', xyz="[1, 2]"), "xyz must be three numbers; got .1, 2."),
        (station(name='"A"', xyz="[30.5, 114.3, 20]"), "use llh for latitude"),
        (station(name='"A"', xyz="[nan, 1, 2]"), "xyz must be three numbers"),
        (station(name='"A"', llh="[114.3, 30.5, 20]"), "llh = .* is out of range"),
        (station(name='"A"', llh="[30.5, 114.3, 20]", xyz=list(PLACE)), "both given"),
        (station(name='"A"', ecef="[1, 2, 3]"), "unknown key ecef"),
        (station(name='"A"', xyz=list(PLACE), files='"b*.obs"'), "'b.*obs' finds no file in"),
        (station(name='"A"', xyz=list(PLACE), files='"b.obs"'), "files: there is no .*b.obs"),
        (station(name='"A"', xyz=list(PLACE), files="7"), "files must be a file name or a list"),
        (station(name='"A"', xyz=list(PLACE), epoch="20.5"), "epoch must lie between"),
        (station(name='"A"', xyz=list(PLACE), interval_s='"1"'), "interval_s must lie between"),
        (A + "[network]\nedge_max = 3\n", "unknown key network.edge_max"),
        (A + "[network]\nedge_max_km = 0\n", "network.edge_max_m must lie between"),
        (A + '[network]\nedge_max_km = "3"\n', "network.edge_max_km must be a number"),
        (
            station(name='"A"', xyz=list(PLACE), frame='"ITRF2014"', epoch=2010)
            + station(name='"B"', xyz=list(PLACE), frame='"ITRF2014"', epoch=2021),
            "A is given in ITRF2014 at epoch 2010 but B in ITRF2014 at epoch 2021",
        ),
        (
            station(name='"A"', xyz=list(PLACE), frame='"ETRS89"')
            + station(name='"B"', xyz=list(PLACE), frame='"CGCS2000"'),
            "A is given in ETRS89 but B in CGCS2000; transform",
        ),
    ],
)  # fmt: skip
def test_faults_of_a_toml_list_are_one_sentence(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, text)
    assert "stations.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lists no station"),
        ("name,x_m,y_m,z_m\n", "lists no station"),
        ("title,easting\nA,3\n", "the first line names no column of name, files, frame"),
        ("name,x,x_m\nA,3,3\n", "two columns give xyz"),
        ("name,x_m,y_m,z_m\nA,1,2\n", "line 2: 3 cells, but the table has 4 columns"),
        ("name,x_m,y_m,z_m\n\nA,1,2,three\n", "line 3: 'three' is no number"),
        ("name,x_m,y_m,z_m\nA,1,2,\n", r"line 2 \(A\): xyz must be three numbers"),
        ('name,x_m,y_m,z_m\nA,1,2,"3\n', "line 2: the line is no table row"),
        ("name,x_m,y_m,z_m\nA,1,2,inf\n", "xyz must be three numbers"),
    ],
)
def test_faults_of_a_table_are_one_sentence(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read(tmp_path, text, "list.csv")


@pytest.mark.parametrize("name", ["list.csv", "list.toml"])
def test_missing_folder_and_binary_lists_are_refused(tmp_path, name):
    with pytest.raises(RtkposError, match="cannot be read"):
        read_stations(tmp_path / name)
    with pytest.raises(RtkposError, match="cannot be read"):
        read_stations(tmp_path)
    (tmp_path / name).write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(RtkposError, match=r"is no text|is not valid TOML"):
        read_stations(tmp_path / name)


def test_navigation_file_as_recording_is_refused(tmp_path):
    line = "     3.04           N: GNSS NAV DATA    M: MIXED            RINEX VERSION / TYPE\n"
    (tmp_path / "a.nav").write_text(line)
    with pytest.raises(InputError, match="is a navigation file"):
        read(tmp_path, '[[station]]\nfiles = "a.nav"\n')


def test_read_toml_names_the_file(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml cannot be read"):
        read_toml(tmp_path / "none.toml")


def test_real_network_from_its_headers(tmp_path):
    """Headers of Hatanaka-compressed files against the coordinates of truth.json, in metres."""
    folder = dataset_path("network-netherlands-2021-001")
    text = "".join(f"[[station]]\nfiles = '{folder}/{name}0010.21d.gz'\n" for name in NAMES)
    stations = read(tmp_path, text)
    assert [name[:4].lower() for name in stations.names] == list(NAMES)
    stated = {one.interval_s for one in stations.stations if not math.isnan(one.interval_s)}
    assert stated == {30.0}  # some headers are silent
    delf = stations.ecef_m[0]
    assert np.abs(delf - [3924687.702, 301132.766, 5001910.775]).max() < 1.0


NAMES = ("delf", "zegv", "rovn", "wsra", "eijs")
