"""What our writers write, our readers read back: real recordings, random numbers, refusals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtkpos.errors import DataError
from rtkpos.gnss.systems import SBAS
from rtkpos.io.rinex._observations.number_text import print_f14_3
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.rinex.write_navigation import format_nav
from rtkpos.io.rinex.write_observations import write_obs
from rtkpos.records.broadcast import Message, sat_starts
from tests.data import dataset_path, text_of
from tests.recordings import recording, window


def test_numbers_print_as_fortran_does():
    rng = np.random.default_rng(1)
    numbers = rng.uniform(-1.0, 1.0, 3000) * 10.0 ** rng.integers(-4, 9, 3000)
    numbers[:6] = [0.0, -0.0001, 0.9996, -999_999_999.999, 1e8, 10.0]
    expected = [
        f"{round(abs(v) * 1000) * (-1 if v < 0 else 1) / 1000 + 0.0:14.3f}" for v in numbers
    ]
    assert [bytes(row).decode() for row in print_f14_3(numbers)] == expected
    assert bytes(print_f14_3(np.array([np.nan]))[0]) == b" " * 14


def test_a_number_that_does_not_fit_is_refused():
    with pytest.raises(DataError, match="14 columns"):
        print_f14_3(np.array([1.0, 1e10]))


@pytest.mark.parametrize(
    "name", ["static-nagoya-2024", "bdsonly-monitoring-24h", "kinematic-fujisawa-2021-265"]
)
def test_observations_survive_the_round_trip(name, tmp_path):
    table = window(recording(name)[0], 0, 150)
    write_obs(tmp_path / "a.obs", table)
    again = read_obs(tmp_path / "a.obs")
    for column in ("time_ns", "row_start", "sat", "sig"):
        assert np.array_equal(getattr(table, column), getattr(again, column)), column
    for column in ("code_m", "phase_cycle", "doppler_hz", "cn0_dbhz"):
        before, after = getattr(table, column), getattr(again, column)
        assert np.array_equal(np.isnan(before), np.isnan(after)), column
        assert np.nanmax(np.abs(before - after), initial=0.0) <= 0.00051, column
    has_phase = np.isfinite(table.phase_cycle)
    assert np.array_equal(table.lli[has_phase], again.lli[has_phase])
    assert np.array_equal(table.glonass_channel, again.glonass_channel)
    assert again.station.marker == (table.station.marker or "UNKNOWN")
    assert np.allclose(again.station.antenna_enu_m, table.station.antenna_enu_m, atol=1e-4)
    assert set(again.report.counts) <= {"epoch_kept", "epoch_in_file"}, again.report.counts


@pytest.mark.parametrize("version", [3.04, 4.0])
@pytest.mark.parametrize("name", ["static-nagoya-2024", "bdsonly-monitoring-24h"])
def test_ephemerides_survive_the_round_trip(name, version):
    table = recording(name)[2]
    again = read_nav(format_nav(table, version=version).encode(), strict=True)
    for column in ("sat", "message", "toe_ns", "toc_ns", "issue", "health", "orbit"):
        assert np.array_equal(getattr(table, column), getattr(again, column)), column
    scale = np.maximum(np.abs(table.param), 1e-300)
    keeps = np.abs(table.param - again.param) / scale
    assert np.nanmax(keeps) < 1e-12


KMS = "KMS300DNK_R_20221591000_01H"
WRITTEN = [Message.LNAV, Message.INAV, Message.FNAV, Message.D1, Message.D2, Message.FDMA]


def records(text):
    """Numbers of every message of a RINEX 4 file by its line "> ...", epoch included."""
    found = {}
    for block in text.split("\n> ")[1:]:
        name, first, *rest = block.rstrip("\n").split("\n")
        if not name.startswith(("EPH", "ION")):
            continue
        numbers = [float(part) for part in first[3:23].split()]
        numbers += [_numbers(first[23:]), *(_numbers(line[4:]) for line in rest)]
        found[name, tuple(numbers[:6])] = numbers[6:]
    return found


def _numbers(line):
    return [float(line[k : k + 19].strip() or 0.0) for k in range(0, len(line.rstrip()), 19)]


def test_rinex_4_messages_are_laid_out_as_a_receivers_program_lays_them_out():
    """A file of sbf2rin, read and written again: each message has the same numbers in its place."""
    path = dataset_path("rinex-corpus", f"nav-solutions/NAV/V4/{KMS}_MN.rnx.gz")
    theirs = text_of(path)
    table = read_nav(path)
    keep = np.isin(table.message, WRITTEN) & (table.sat >> 6 < SBAS)
    values = {item.name: getattr(table, item.name) for item in dataclasses.fields(table)}
    columns = {
        name: value[keep]
        for name, value in values.items()
        if isinstance(value, np.ndarray) and len(value) == len(keep)
    }
    ours = dataclasses.replace(table, **columns, sat_start=sat_starts(columns["sat"]))
    made, real = (records(text) for text in (format_nav(ours, version=4.0), theirs))
    common = made.keys() & real.keys()
    kinds = {(name.split()[0], name.split()[1][0], name.split()[2]) for name, _ in common}
    assert {("EPH", "G", "LNAV"), ("EPH", "R", "FDMA"), ("EPH", "C", "D2")} <= kinds
    assert {("ION", "G", "LNAV"), ("ION", "C", "D1D2")} <= kinds
    assert len(common) > 100
    for key in common:
        # Clock and orbit; of what follows (codes tracked, fit interval, flags) tables keep a part.
        for mine, other in list(zip(made[key], real[key], strict=True))[:5]:
            is_flags = key[0].endswith("FDMA") and len(mine) == 4 and mine is made[key][4]
            part = slice(1, 2) if is_flags else slice(0, len(other))
            assert mine[part] == pytest.approx(np.array(other[part]), rel=1e-11, abs=1e-30), key


def test_a_message_rinex_3_does_not_know_is_named():
    table = recording("static-nagoya-2024")[2]
    other = dataclasses.replace(table, message=np.full_like(table.message, Message.CNAV))
    with pytest.raises(DataError, match="CNAV"):
        format_nav(other)
