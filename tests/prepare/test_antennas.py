"""Which calibration serves a band, and how it is laid out for the kernels."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.core.station.phase_centre import phase_centre
from rtkpos.gnss.systems import BEIDOU, GALILEO, GLONASS, GPS, N_SYSTEM
from rtkpos.io.products.antex import read_antex
from rtkpos.prepare.antennas import (
    band_serving,
    find_antenna,
    on_grid,
    replaced_bands,
    site_model,
)
from rtkpos.prepare.pairing import N_SLOT
from rtkpos.records.antenna import NULL_ANTENNA
from rtkpos.records.report import ReadReport
from tests.data import dataset_path
from tests.io.antex_text import antex_text, block, frequency


def antenna_of(*codes, value="    0.00"):
    """An antenna whose offset up is 1 mm on the first carrier, 2 mm on the second..."""
    parts = [frequency(c, (0.0, 0.0, k + 1.0), value) for k, c in enumerate(codes)]
    table = read_antex(antex_text(block("A               NONE", "".join(parts))))
    return table.antennas[0]


@pytest.mark.parametrize(
    ("codes", "band", "serving"),
    [
        (("G01", "G02", "G05"), (GPS, 5), (GPS, 5)),
        (("G01", "G02"), (GPS, 5), (GPS, 2)),
        (("G01", "G02"), (GALILEO, 1), (GPS, 1)),
        (("G01", "G02"), (BEIDOU, 6), (GPS, 2)),
        (("G01", "G02"), (BEIDOU, 2), (GPS, 1)),
        (("G01", "G02", "R01", "R02"), (GLONASS, 1), (GLONASS, 1)),
        (("G01", "G02", "R02"), (BEIDOU, 6), (GPS, 2)),
        (("E01", "E05"), (GPS, 2), (GALILEO, 5)),
    ],
)
def test_band_is_served_by_itself_or_by_the_nearest_gps_carrier(codes, band, serving):
    assert band_serving(antenna_of(*codes), *band) == serving


def test_tables_hold_each_band_and_bands_without_one_are_named():
    antenna = antenna_of("G01", "G02")
    digit = np.zeros((N_SYSTEM, N_SLOT), np.int8)
    digit[GPS] = (1, 2, 5)
    digit[BEIDOU, :2] = (2, 6)
    model = site_model((antenna, None), np.zeros((2, 3)), digit)
    assert model.has_pattern.tolist() == [1, 0]
    ups = model.pco_enu_m[0, :, 2].reshape(N_SYSTEM, N_SLOT)
    assert ups[GPS] == pytest.approx([0.001, 0.002, 0.002])
    assert ups[BEIDOU] == pytest.approx([0.001, 0.002, 0.0])
    assert not model.pco_enu_m[1].any()
    assert replaced_bands(antenna, digit) == ["G5 by G2", "C2 by G1", "C6 by G2"]


def test_grid_of_a_real_antenna_is_kept():
    path = dataset_path("products-misc", "igs05.atx.gz")
    antenna = read_antex(path, ["LEIAR25.R3"]).receiver("LEIAR25.R3", "NONE")
    assert np.array_equal(on_grid(antenna, (GPS, 1)), antenna.patterns[GPS, 1].pcv_m)


def test_pattern_without_azimuths_or_to_80_degrees_fills_the_grid():
    path = dataset_path("products-misc", "igs05.atx.gz")
    table = read_antex(path)
    short = next(a for a in table.antennas if a.sat < 0 and a.zenith_rad[-1] < 1.4)
    grid = on_grid(short, (GPS, 1))
    values = short.patterns[GPS, 1].pcv_m[0]
    assert np.array_equal(grid[10, :17], values)
    assert (grid[:, 17:] == values[-1]).all()
    assert phase_centre(np.zeros(3), grid, 0.0, 1.0, np.zeros(3)) == pytest.approx(values[-1])


def test_virtual_station_has_the_null_antenna():
    report = ReadReport()
    antenna = find_antenna(
        read_antex(antex_text(block("A", ""))), "ADVNULLANTENNA", "base", 0, report
    )
    assert antenna.kind == NULL_ANTENNA
    assert not report.warnings
    digit = np.ones((N_SYSTEM, N_SLOT), np.int8)
    model = site_model((None, antenna), np.zeros((2, 3)), digit)
    assert not model.pco_enu_m.any()
