"""Observation files read right: values, times, signals, headers; georinex as witness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rtkpos.core.tables import EVENT_SESSION
from rtkpos.errors import ConfigError, InputError, RinexError
from rtkpos.gnss.signals import sig_code, sig_index
from rtkpos.gnss.systems import BEIDOU, GLONASS, GPS, sat_from_name, sat_name
from rtkpos.gnss.time import iso_gpst, ns_from_calendar
from rtkpos.io.rinex._observations.columns import codes_from_rinex2
from rtkpos.io.rinex.read_observations import read_obs
from rtkpos.io.xarray_bridge import from_xarray
from rtkpos.records.observations import ObsTable
from tests.data import dataset_path
from tests.io.obs_text import (
    epoch_2,
    epoch_3,
    epoch_line,
    field,
    file_3,
    header_2,
    header_3,
    header_line,
    sat_line,
    value_of,
)

T0 = ns_from_calendar(2024, 6, 24, 8, 20)
COLUMNS = ("sat", "sig", "code_m", "phase_cycle", "doppler_hz", "cn0_dbhz")


def rows_of(table, name: str) -> dict[str, int]:
    """Row by signal code of a satellite in the first epoch that has it."""
    rows = np.flatnonzero(table.sat == sat_from_name(name))
    return {sig_code(int(table.sig[row])): int(row) for row in rows[::-1]}


def test_values_stand_in_their_rows():
    table = read_obs(file_3(3).encode())
    assert table.time_ns.tolist() == [T0, T0 + 10**9, T0 + 2 * 10**9]
    assert table.row_start.tolist() == [0, 5, 10, 15]
    assert [sat_name(int(s)) for s in table.sat[:5]] == ["G05", "G05", "G12", "G12", "C07"]
    rows = rows_of(table, "G05")
    assert table.code_m[rows["1C"]] == value_of("G05", 0.0, 0)
    assert table.phase_cycle[rows["1C"]] == value_of("G05", 0.0, 1)
    assert table.cn0_dbhz[rows["1C"]] == value_of("G05", 0.0, 2)
    assert table.phase_cycle[rows["2W"]] == value_of("G05", 0.0, 4)
    assert np.isnan(table.doppler_hz).all()
    assert table.signals[BEIDOU] == ("C2I", "L2I", "S2I")
    assert table.station.marker == "TEST"
    assert table.station.antenna_enu_m.tolist() == [0.25, -0.5, 1.5]
    assert table.station.approx_ecef_m.tolist() == [4027894.006, 307045.916, 4919474.91]


def test_satellites_in_any_order_come_out_sorted():
    names = ["C07", "G12", "C03", "G05", "G30", "C60"]
    shuffled = read_obs((header_3() + epoch_3(0.0, names)).encode())
    ordered = read_obs((header_3() + epoch_3(0.0, sorted(names, key=sat_from_name))).encode())
    for column in COLUMNS:
        assert getattr(shuffled, column).tobytes() == getattr(ordered, column).tobytes()


def test_all_loss_of_lock_bits_and_blank_fields():
    text = header_3() + epoch_line(0.0, 2)
    text += "G05" + field(None, "7") + field(1.0, "9") + field(0.0) + field(None) + field(2.0, "6")
    text += "\n" + "G06" + field(None) * 5 + "\n"
    table = read_obs(text.encode())
    assert table.n_row == 2
    assert table.lli.tolist() == [1, 6]
    assert np.isnan(table.code_m).all()


def test_systems_can_be_chosen():
    table = read_obs(file_3().encode(), systems="C")
    assert set(table.sat.tolist()) == {sat_from_name("C07")}
    with pytest.raises(ConfigError, match="unknown system letter"):
        read_obs(file_3().encode(), systems="GX")


@pytest.mark.parametrize(
    ("time_system", "shift_s"), [("GPS", 0), ("GAL", 0), ("QZS", 0), ("BDT", 14), ("GLO", 18)]
)
def test_time_systems_become_gpst(time_system, shift_s):
    table = read_obs(file_3(1, time_system=time_system).encode())
    assert table.time_ns[0] == T0 + shift_s * 10**9
    assert table.time_system == time_system


def test_blank_time_system_follows_the_single_system():
    only_beidou = header_3(time_system="", types={"C": ("C2I", "L2I", "S2I")}) + epoch_3(
        0.0, ["C07"]
    )
    assert read_obs(only_beidou.encode()).time_ns[0] == T0 + 14 * 10**9
    mixed = read_obs(file_3(1, time_system="").encode())
    assert mixed.time_ns[0] == T0
    assert "names no time system" in mixed.report.warnings[0]
    with pytest.raises(RinexError, match="unknown time system 'XYZ'"):
        read_obs(file_3(1, time_system="XYZ").encode())


def test_epoch_tags_keep_their_resolution():
    text = header_3() + epoch_3(29.9999999) + epoch_3(30.0000001)
    assert read_obs(text.encode()).time_ns.tolist() == [T0 + 29_999_999_900, T0 + 30_000_000_100]


@pytest.mark.parametrize(
    ("two_digits", "year"), [("80", 1980), ("99", 1999), ("00", 2000), ("79", 2079)]
)
def test_two_digit_years(two_digits, year):
    text = (header_2() + epoch_2(0.0, ["G05"])).replace("\n 24  6 24", f"\n {two_digits}  6 24")
    assert read_obs(text.encode()).time_ns[0] == ns_from_calendar(year, 6, 24, 8, 20)


def test_scale_factor_divides():
    extra = [header_line("C  100  1 L2I", "SYS / SCALE FACTOR")]
    scaled, plain = read_obs(file_3(1, extra=extra).encode()), read_obs(file_3(1).encode())
    row = rows_of(plain, "C07")["2I"]
    assert scaled.phase_cycle[row] == plain.phase_cycle[row] / 100.0
    assert scaled.code_m[row] == plain.code_m[row]


def test_header_tables():
    extra = [
        header_line("  3 R01  1 R02 -4 R24  2", "GLONASS SLOT / FRQ #"),
        header_line("G L2W  0.25000", "SYS / PHASE SHIFT"),
        header_line("     0.200", "INTERVAL"),
        header_line("4711                SEPT POLARX5        5.3.0", "REC # / TYPE / VERS"),
        header_line("123                 TRM59800.00     SCIS", "ANT # / TYPE"),
    ]
    table = read_obs(file_3(1, extra=extra).encode())
    assert table.glonass_channel[[0, 1, 23]].tolist() == [1, -4, 2]
    assert table.phase_shift_cycle == {sig_index(GPS, "2W"): 0.25}
    assert table.interval_s == 0.2
    assert table.station.receiver == "SEPT POLARX5"
    assert table.station.antenna == "TRM59800.00     SCIS"


def test_position_zero_is_no_position():
    text = file_3(1).replace("  4027894.0060   307045.9160  4919474.9100", f"{0.0:14.4f}" * 3)
    assert np.isnan(read_obs(text.encode()).station.approx_ecef_m).all()


@pytest.mark.parametrize(
    ("version", "column", "signal"),
    [
        ("3.02", "1I", "2I"),
        ("3.02", "1X", "2X"),
        ("3.04", "1I", "2I"),
        ("3.04", "1Q", "2Q"),
        ("3.04", "1X", "1X"),
        ("3.04", "1P", "1P"),
        ("4.00", "1D", "1D"),
    ],
)
def test_beidou_band_1_by_version(version, column, signal):
    types = {"C": (f"C{column}", f"L{column}", f"S{column}")}
    text = (
        header_3(version=version, types=types) + epoch_line(0.0, 1) + sat_line("C07", types=types)
    )
    table = read_obs(text.encode())
    assert [sig_code(int(s)) for s in table.sig] == [signal]


@pytest.mark.parametrize(
    ("system", "codes", "expected"),
    [
        (GPS, "C1 L1 P2 L2 S2", "C1C L1C C2W L2W S2W"),
        (GPS, "P1 L1 C2 L2", "C1W L1W C2X L2X"),
        (GPS, "C1 P1 L1 P2 C2 L2 C5 L5", "C1C C1W L1C C2W C2X L2W C5X L5X"),
        (GPS, "CA LA P1 L1 CC LC", "C1C L1C C1W L1W C2X L2X"),
        (GLONASS, "C1 L1 P2 L2 C2", "C1C L1C C2P L2P C2C"),
        (BEIDOU, "C2 L2 C7 L7 C6 L6 P1", "C2I L2I C7I L7I C6I L6I -"),
        (2, "C1 L1 C5 L5 C7 C8 P2", "C1X L1X C5X L5X C7X C8X -"),
    ],
)
def test_rinex_2_codes(system, codes, expected):
    named = codes_from_rinex2(system, codes.split())
    assert [name or "-" for name in named] == expected.split()


def test_rinex_2_epochs_with_continuation_lines():
    sats = [f"G{k:02d}" for k in range(1, 27)]
    table = read_obs((header_2() + epoch_2(0.0, sats) + epoch_2(30.0, sats[:12])).encode())
    assert table.row_start.tolist() == [0, 52, 76]
    rows = rows_of(table, "G26")
    assert table.phase_cycle[rows["1C"]] == value_of("G26", 0.0, 0)
    assert table.doppler_hz[rows["1C"]] == value_of("G26", 0.0, 5)
    assert table.code_m[rows["2W"]] == value_of("G26", 0.0, 3)


def test_rinex_2_blank_letter_means_the_files_system():
    text = header_2(letter="R", version="2.01") + epoch_2(0.0, [" 05", "  6"])
    names = {sat_name(int(sat)) for sat in read_obs(text.encode()).sat}
    assert names == {"R05", "R06"}


def test_rinex_2_satellite_without_observations_is_a_blank_line():
    text = header_2() + epoch_2(0.0, ["G05", "G06"]) + epoch_2(1.0, ["G05", "G06"])
    lines = text.split("\n")
    first = next(k for k, line in enumerate(lines) if line.startswith(" 24"))
    lines[first + 1] = lines[first + 2] = ""
    table = read_obs("\n".join(lines).encode())
    assert table.n_epoch == 2
    assert sat_from_name("G05") not in table.sat[: table.row_start[1]]
    assert not table.report.counts["blank_line"]


def test_half_wavelength_factor_sets_the_half_cycle_bit():
    fact = header_line("     1     2", "WAVELENGTH FACT L1/2")
    text = header_2().replace(
        header_line("", "END OF HEADER"), fact + header_line("", "END OF HEADER")
    )
    table = read_obs((text + epoch_2(0.0, ["G05"])).encode())
    rows = rows_of(table, "G05")
    assert (table.lli[rows["1C"]], table.lli[rows["2W"]]) == (0, 2)


def test_receiver_clock_offset():
    line = epoch_line(0.0, 1).rstrip("\n").ljust(41) + "-0.000123456789\n"
    table = read_obs((header_3() + line + sat_line("G05")).encode())
    assert table.rx_clock_s[0] == -0.000123456789
    line = epoch_2(0.0, ["G05"]).split("\n")
    line[0] = line[0].ljust(68) + " 0.000456789"
    assert read_obs((header_2() + "\n".join(line)).encode()).rx_clock_s[0] == 0.000456789


def test_several_files_merge_in_the_order_of_time():
    first = (header_3() + epoch_3(0.0) + epoch_3(1.0)).encode()
    second = (header_3() + epoch_3(1.0) + epoch_3(2.0)).encode()
    table = read_obs([second, first])
    assert table.time_ns.tolist() == [T0, T0 + 10**9, T0 + 2 * 10**9]
    assert table.report.counts["epoch_duplicate"] == 1
    assert not table.event.any()
    other = read_obs([first, second.replace(b"TEST", b"ELSE").replace(b"20  1.0", b"20  1.5")])
    assert "the marker is 'ELSE'" in other.report.warnings[0]
    assert other.event.tolist() == [0, 0, EVENT_SESSION, 0]


GEORINEX_3 = (
    "georinex-tests/demo3.10o",
    "gnsstk/sptu0150.16o",
    "gnsstk/nrmg0150.16o.gz",
    "gnsstk/solo0150.16o.gz",
    "nav-solutions/OBS/V3/LARM0630.22O",
)
GEORINEX_2 = (
    "georinex-tests/demo.10o",
    "gnsstk/cags1700.16o",
    "gnsstk/osn31700.16o",
    "nav-solutions/OBS/V2/KOSG0010.95O",
    "nav-solutions/OBS/V2/aopr0010.17o",
)
GEORINEX_MORE = (
    "gnsstk/faa1170b00.16o",
    "georinex-tests/14601736.18o",
    "georinex-tests/ab430140.18o.zip",
    "nav-solutions/OBS/V2/AJAC3550.21O",
    "nav-solutions/OBS/V3/DUTH0630.22O",
    "nav-solutions/OBS/V3/ALAC00ESP_R_20220090000_01D_30S_MO.rnx",
)


def compare_with_georinex(file: str) -> None:
    """Every value georinex reads, and no other; it drops loss-of-lock above band 2."""
    import georinex

    path = dataset_path("rinex-corpus", file)
    witness = from_xarray(georinex.load(path, useindicators=True))
    table = read_obs(path)
    assert table.time_ns.tolist() == witness.time_ns.tolist()
    assert table.row_start.tolist() == witness.row_start.tolist()
    for column in COLUMNS:
        ours, theirs = getattr(table, column), getattr(witness, column)
        assert np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f"), column
    low_band = np.isin(table.sig // 27 % 10, (1, 2))
    assert np.array_equal(table.lli[low_band], witness.lli[low_band])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file", GEORINEX_3 + GEORINEX_2)
def test_equal_to_georinex(file):
    compare_with_georinex(file)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file", GEORINEX_MORE)
def test_equal_to_georinex_on_more_files(file):
    compare_with_georinex(file)


def read_or_sentence(path: Path) -> ObsTable | str:
    """The table, or the message of the refusal."""
    try:
        return read_obs(path)
    except InputError as error:
        return str(error)


def test_every_corpus_file_is_read_or_refused_in_one_sentence():
    folder = dataset_path("rinex-corpus")
    read = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found = read_or_sentence(path)
        if isinstance(found, str):
            assert path.name in found
            assert "\n" not in found
            continue
        read += 1
        assert np.all(np.diff(found.time_ns) > 0), path
        books = [n for name, n in found.report.counts.items() if name.startswith("epoch_")]
        assert sum(books) == 2 * found.report.counts["epoch_in_file"], path
    assert read >= 70


def test_real_pair_static_nagoya():
    table = read_obs(dataset_path("static-nagoya-2024", "rover.obs.gz"))
    assert (table.n_epoch, table.n_row) == (301, 45089)
    assert iso_gpst(int(table.time_ns[0])) == "2024-06-24 08:20:00.000"
    assert np.all(np.diff(table.time_ns) == 10**9)
    order = table.sat.astype(np.int64) * 4096 + table.sig
    inside = np.ones(table.n_row - 1, np.bool_)
    inside[table.row_start[1:-1] - 1] = False
    assert np.all(np.diff(order)[inside] > 0)


def test_sessions_of_geonet_2005_with_events():
    table = read_obs(dataset_path("static-geonet-2005", "07590920.05o.gz"))
    assert (table.n_epoch, table.version, table.time_system) == (120, 2.1, "GPS")
    assert {event.flag for event in table.events} == {4}
    assert table.signals == {GPS: ("L1C", "C1C", "L2W", "C2W")}
