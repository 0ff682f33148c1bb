"""Kernels that read shifted epoch lines and count the satellites of RINEX 2 by their names."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.gnss.systems import GPS
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.io.rinex._observations.epoch_line import (
    HEAD_BEYOND,
    N_HEAD,
    _read_columns,
    _read_words,
)
from rtkpos.io.rinex._observations.epochs import listed_sats
from tests.io.obs_text import epoch_2, header_2
from tests.io.test_epoch_kernels import behind_head, line_text

pytestmark = pytest.mark.plain
LINE = "> 2024 06 24 08 20  7.2500000  1 23"
WANTED = [ns_from_calendar(2024, 6, 24, 8, 20, 7_250_000_000), 1, 23, 0]


def words_of(line):
    out = np.zeros(N_HEAD, np.int64)
    return out.tolist() if _read_words(*line_text(line), out) else None


def columns_of(line):
    out = np.zeros(N_HEAD, np.int64)
    return out.tolist() if _read_columns(*line_text(line), 3, out) else None


@pytest.mark.parametrize(
    "line", [LINE, LINE.replace(" 08 ", "   8 "), LINE.replace("  1 23", " 1  23"), LINE + "  0.5"]
)
def test_words_of_an_epoch_line(line):
    assert words_of(line) == WANTED
    assert columns_of(LINE) == WANTED


@pytest.mark.parametrize(
    "line",
    [
        LINE[:-3],
        LINE.replace("2024", "2x24"),
        LINE.replace(" 06 ", " 13 "),
        LINE.replace("  1 23", "  7 23"),
        LINE.replace("  1 23", "  1 1000"),
        LINE.replace("7.25", "7,25"),
        LINE.replace(" 24 08", " 2408"),
    ],
)
def test_words_that_are_no_epoch_line(line):
    assert words_of(line) is None


def test_days_beyond_the_month():
    for read in (words_of, columns_of):
        head = read(LINE.replace("06 24", "06 31"))
        assert head[0] - WANTED[0] == 7 * 86400 * 10**9
        assert head[HEAD_BEYOND] == 1
        assert read(LINE.replace("06 24", "06 32")) is None


@pytest.mark.parametrize("n_sat", [1, 11, 12, 13, 25])
def test_names_of_an_epoch_of_rinex_2(n_sat):
    sats = [f"G{k:02d}" for k in range(1, n_sat + 1)]
    scan, head = behind_head(header_2() + epoch_2(0.0, sats))
    assert listed_sats(scan.text, head, GPS, scan.columns, scan.work) == n_sat
    odd = epoch_2(0.0, sats).replace(sats[-1], "G??")
    scan, head = behind_head(header_2() + odd)
    assert listed_sats(scan.text, head, GPS, scan.columns, scan.work) == n_sat - 1
