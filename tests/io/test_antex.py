"""ANTEX door: real files, damage that costs one antenna, and lookups by name and time."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from rtkpos.errors import FileError
from rtkpos.gnss.systems import GLONASS, GPS, SBAS, sat_from_name
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.io.products.antex import read_antex
from rtkpos.records.antenna import split_antenna_name
from tests.data import dataset_path
from tests.io.antex_text import antex_text, block, frequency

PRODUCTS = "products-misc"


def products(name):
    return dataset_path(PRODUCTS, name)


def test_whole_igs_file():
    table = read_antex(products("igs05.atx.gz"))
    assert len(table.antennas) == 323
    assert not table.report.counts
    assert table.is_absolute
    antenna = table.receiver("LEIAR25.R3", "NONE")
    assert sorted(antenna.patterns) == [(GPS, 1), (GPS, 2)]
    first = antenna.patterns[GPS, 1]
    assert first.pco_m == pytest.approx([0.00011, 0.00041, 0.16223], abs=1e-12)
    assert first.pcv_m.shape == (73, 19)
    assert first.pcv_m[2, 1] == pytest.approx(0.00021, abs=1e-12)  # azimuth 10, zenith 5
    assert np.degrees(antenna.azimuth_rad[[0, -1]]).tolist() == [0.0, 360.0]
    assert np.degrees(antenna.zenith_rad[[0, -1]]).tolist() == [0.0, 90.0]


def test_satellites_are_found_by_time():
    table = read_antex(products("igs05.atx.gz"), ["G02"])
    sat = sat_from_name("G02")
    old = table.satellite(sat, ns_from_calendar(2000, 1, 1, 0, 0, 0))
    new = table.satellite(sat, ns_from_calendar(2010, 1, 1, 0, 0, 0))
    assert (old.kind, new.kind) == ("BLOCK II", "BLOCK IIR-B")
    assert old.patterns[GPS, 1].pco_m == pytest.approx([0.279, 0.0, 2.530])
    assert old.patterns[GPS, 1].pcv_m.shape == (1, 15)
    assert table.satellite(sat, ns_from_calendar(2004, 8, 1, 0, 0, 0)) is None


def test_only_what_is_asked_for_is_read():
    table = read_antex(products("igs05.atx.gz"), ["leiat504gg", "E99"])
    assert {antenna.radome for antenna in table.antennas} == {"NONE", "LEIS", "SCIS", "SCIT"}
    assert read_antex(products("igs05.atx.gz"), ["NOSUCH"]).antennas == ()


@pytest.mark.parametrize(
    ("name", "n_antenna", "n_damaged", "band"),
    [
        # two of its blocks were cut out of a larger file without their ends
        ("igs14_small.atx.gz", 4, 2, (GPS, 2)),
        ("ROULAR25.24__LEIT_2020_09_24.atx", 1, 0, (GLONASS, 1)),
        ("TROSAR25.R4__LEIT_2020_09_23.atx.gz", 1, 0, (SBAS, 1)),
    ],
)
def test_other_real_files(name, n_antenna, n_damaged, band):
    table = read_antex(products(name))
    assert len(table.antennas) == n_antenna
    assert table.report.counts["damaged_antenna"] == n_damaged
    assert any(band in antenna.patterns for antenna in table.antennas)


def test_made_up_file_in_every_packing():
    text = antex_text(block("ANTENNA1        NONE", frequency("G01", (1.0, 2.0, 3.0))))
    for content in (text, gzip.compress(text), text.replace(b"\n", b"\r\n")):
        pattern = read_antex(content).receiver("ANTENNA1", "NONE").patterns[GPS, 1]
        assert pattern.pco_m == pytest.approx([0.002, 0.001, 0.003])
        assert pattern.pcv_m.shape == (1, 19)


GOOD = block("GOOD            NONE", frequency("G01"))
DAMAGES = {
    "cut": block("BAD             NONE", frequency("G01")).replace("END OF ANTENNA", "", 1),
    "letters": block("BAD             NONE", frequency("G01", (1.0, 2.0, 3.0), "    x.xx")),
    "short row": block("BAD             NONE", frequency("G01", n_zenith=18)),
    "no offset": block("BAD             NONE", frequency("G01")).replace("NORTH / EAST / UP", ""),
    "far offset": block("BAD             NONE", frequency("G01", (1.0, 2.0, 99999.0))),
    "no grid": block("BAD             NONE", frequency("G01")).replace("ZEN1 / ZEN2", "ZEN"),
    "empty": block("BAD             NONE", ""),
    "wild grid": block("BAD             NONE", frequency("G01"), zenith=(0.0, 90.0, 1e-9)),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_costs_one_antenna(name):
    text = antex_text(DAMAGES[name], GOOD)
    table = read_antex(text)
    assert [antenna.kind for antenna in table.antennas] == ["GOOD"]
    assert table.report.counts["damaged_antenna"] == 1
    assert "antenna 1 (BAD)" in table.report.first["damaged_antenna"]
    with pytest.raises(FileError, match="download the file again"):
        read_antex(text, strict=True)


def test_any_cut_of_a_file_is_a_file_error_or_fewer_antennas():
    text = antex_text(GOOD, GOOD)
    for end in range(0, len(text), 97):
        try:
            assert len(read_antex(text[:end]).antennas) <= 2
        except FileError:
            continue


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>no</html>", "is not an ANTEX file"),
        (b"", "is empty"),
        (antex_text(), "holds no antenna"),
        (antex_text(GOOD).replace(b"1.4", b"2.0", 1), "version '2.0' is not supported"),
        ("nosuch.atx", "there is no such file"),
    ],
)
def test_strangers_are_named(content, words):
    with pytest.raises(FileError, match=words):
        read_antex(content)


def test_relative_calibrations_are_told():
    table = read_antex(antex_text(GOOD).replace(b"\nA    ", b"\nR    ", 1))
    assert not table.is_absolute
    assert "relative" in table.report.warnings[0]


def test_unknown_frequencies_and_wrong_counts_are_counted():
    text = antex_text(block("GOOD            NONE", frequency("G01") + frequency("X9A")))
    table = read_antex(text)
    assert list(table.antennas[0].patterns) == [(GPS, 1)]
    assert table.report.counts == {"unknown_frequency": 1}


def test_the_mean_of_a_type_goes_before_one_antenna_of_it():
    one = block("GOOD            NONE1234", frequency("G01", (0.0, 0.0, 7.0)))
    antenna = read_antex(antex_text(one, GOOD)).receiver("GOOD", "")
    assert antenna.serial == ""
    assert np.all(antenna.patterns[GPS, 1].pcv_m == 0.0)


def test_names_are_type_and_radome():
    assert split_antenna_name("LEIAR25.R3      NONE") == ("LEIAR25.R3", "NONE")
    assert split_antenna_name(" trm29659.00") == ("TRM29659.00", "NONE")
    assert split_antenna_name("JAV_RINGANT_G3T JAVC") == ("JAV_RINGANT_G3T", "JAVC")
    assert split_antenna_name("") == ("", "NONE")
