"""Files that say less or other than they hold: epochs, counts, columns, dates, labels, codes."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from rtkpos.errors import RinexError
from rtkpos.gnss.signals import sig_name
from rtkpos.gnss.systems import sat_from_name
from rtkpos.io.rinex.read_observations import read_obs
from tests.io.obs_text import (
    TYPES_3,
    epoch_2,
    epoch_3,
    epoch_line,
    field,
    file_3,
    header_2,
    header_3,
    header_line,
    sat_line,
)

COLUMNS = ("time_ns", "row_start", "sat", "sig", "code_m", "phase_cycle", "cn0_dbhz", "lli")
CLEAN = read_obs(file_3(4).encode())
SATS_2 = [f"G{k:02d}" for k in range(1, 15)]


def body(*epochs: str) -> bytes:
    """A RINEX 3 file of ready epochs."""
    return (header_3() + "".join(epochs)).encode()


def is_clean(table, other=CLEAN) -> bool:
    """Whether two tables hold the same observations."""
    return all(getattr(table, c).tobytes() == getattr(other, c).tobytes() for c in COLUMNS)


# -- records of equal time


def split_epoch(second: float, *groups: tuple[str, ...], flag: int = 0) -> str:
    """One epoch as several records."""
    return "".join(epoch_3(second, group, flag=flag) for group in groups)


@pytest.mark.parametrize("where", [range(4), (0,), (3,), (1, 2)])
@pytest.mark.parametrize(
    "groups",
    [(("G05", "G12"), ("C07",)), (("C07",), ("G05", "G12")), (("G12",), ("C07",), ("G05",))],
)
def test_records_of_equal_time_are_one_epoch(groups, where):
    epochs = [split_epoch(float(k), *groups) if k in where else epoch_3(float(k)) for k in range(4)]
    for data in (body(*epochs), gzip.compress(body(*epochs))):
        table = read_obs(data)
        assert is_clean(table)
        assert table.report.counts["epoch_joined"] == len(where) * (len(groups) - 1)
        assert table.report.counts["epoch_in_file"] == 4 + len(where) * (len(groups) - 1)
        assert len(table.report.warnings) == 1


def test_records_of_equal_time_in_rinex_2():
    clean = header_2() + "".join(epoch_2(float(k), SATS_2) for k in range(3))
    split = header_2()
    for k in range(3):
        split += epoch_2(float(k), SATS_2[:6]) + epoch_2(float(k), SATS_2[6:])
    assert is_clean(read_obs(split.encode()), read_obs(clean.encode()))


def test_records_of_equal_time_in_two_files_of_one_receiver():
    files = [
        body(*(epoch_3(float(k), sats) for k in range(4))) for sats in (("G05", "G12"), ("C07",))
    ]
    assert is_clean(read_obs(files))
    other = files[1].replace(b"TEST ", b"ELSE ")
    table = read_obs([files[0], other])
    assert table.report.counts["epoch_conflict"] == 4
    assert set(table.sat.tolist()) == {sat_from_name("G05"), sat_from_name("G12")}


def test_a_record_with_one_other_value_costs_that_satellite():
    added = epoch_line(1.0, 3) + sat_line("C07", 1.0) + sat_line("G05", 9.0) + sat_line("G07", 1.0)
    table = read_obs(body(epoch_3(0.0), epoch_3(1.0, ("G05", "G12")), added, epoch_3(2.0)))
    rows = slice(*table.row_start[1:3].tolist())
    assert set(table.sat[rows].tolist()) == {sat_from_name(s) for s in ("G07", "G12", "C07")}
    assert table.report.counts["conflicting_satellite"] == 1
    assert table.report.counts["epoch_conflict"] == 0


def test_a_third_record_does_not_bring_a_satellite_back_that_two_gave_other_values():
    groups = [("G05", "G12"), ("G05", "G07", "C07"), ("G05", "G08")]
    first, *others = [epoch_3(1.0, group) for group in groups]
    for k, other in enumerate(others):
        first += other.replace(sat_line("G05", 1.0), sat_line("G05", 5.0 + 4.0 * k))
    table = read_obs(body(epoch_3(0.0), first, epoch_3(2.0)))
    rows = slice(*table.row_start[1:3].tolist())
    assert set(table.sat[rows].tolist()) == {sat_from_name(s) for s in ("G07", "G08", "G12", "C07")}
    assert table.report.counts["conflicting_satellite"] == 1
    assert table.report.counts["epoch_joined"] == 2


def test_another_epoch_under_the_same_tag_is_dropped_with_one_warning():
    wrong = [
        epoch_3(float(k)).replace(sat_line("G05", k), sat_line("G05", k + 0.5)) for k in range(4)
    ]
    table = read_obs(body(*(epoch_3(float(k)) + wrong[k] for k in range(4))))
    assert is_clean(table)
    assert table.report.counts["epoch_conflict"] == 4
    assert len(table.report.warnings) == 1
    assert "4 records" in table.report.warnings[0]


@pytest.mark.parametrize("empty", ["G05", "G05         0.000           0.000"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_repeated_satellite_with_an_empty_record_is_nothing(empty, is_first):
    lines = epoch_3(1.0).splitlines(keepends=True)
    lines.insert(1 if is_first else len(lines), empty + "\n")
    lines[0] = epoch_line(1.0, 4)
    table = read_obs(body(epoch_3(0.0), "".join(lines), epoch_3(2.0), epoch_3(3.0)))
    assert is_clean(table)
    assert table.report.counts["empty_satellite"] == 1


# -- counts


@pytest.mark.parametrize("wrong", [(0,), (3,), (1, 2), (0, 1, 2, 3)])
@pytest.mark.parametrize("off", [-3, -2, -1, 1, 2, 3])
def test_a_count_off_by_up_to_three_costs_nothing(off, wrong):
    epochs = []
    for k in range(4):
        count = epoch_line(float(k), 3 + off if k in wrong else 3)
        epochs.append(count + epoch_3(float(k)).split("\n", 1)[1])
    table = read_obs(body(*epochs))
    assert is_clean(table)
    assert table.report.counts["satellite_count_wrong"] == len(wrong)
    assert len(table.report.warnings) == 1
    with pytest.raises(RinexError, match="satellite count wrong"):
        read_obs(body(*epochs), strict=True)


@pytest.mark.parametrize("sats", [SATS_2[:2], SATS_2[:11], SATS_2[:12], SATS_2[:13]])
@pytest.mark.parametrize("off", [-2, -1, 1, 2])
def test_a_count_off_by_up_to_three_costs_nothing_in_rinex_2(off, sats):
    clean = [epoch_2(float(k), sats) for k in range(3)]
    wrong = [e.replace(f"  0{len(sats):3d}G", f"  0{len(sats) + off:3d}G") for e in clean]
    whole = read_obs((header_2() + "".join(clean)).encode())
    for epochs in ([wrong[0], *clean[1:]], [*clean[:2], wrong[2]], wrong):
        table = read_obs((header_2() + "".join(epochs)).encode())
        assert is_clean(table, whole)
        assert table.report.counts["satellite_count_wrong"] in (1, 3)


def test_whole_lines_of_a_last_epoch_are_kept():
    data = body(epoch_3(0.0), epoch_3(1.0), epoch_3(2.0))
    table = read_obs(data[: data.rindex(b"C07")])
    assert np.diff(table.row_start).tolist() == [5, 5, 4]
    assert table.report.counts["satellite_count_wrong"] == 1


# -- columns


def with_shift(line: str, at: int, n: int) -> str:
    """A line with n blanks more (or fewer) from column `at` on."""
    return line[:at] + " " * n + line[at:] if n > 0 else line[:at] + line[at - n :]


@pytest.mark.parametrize("n", [-3, -2, -1, 1, 2, 3])
@pytest.mark.parametrize("column", [0, 1, 2, 3])
def test_shifted_columns_are_never_read(n, column):
    epochs = []
    for k in range(4):
        head, *lines = epoch_3(float(k)).splitlines(keepends=True)
        epochs.append(head + "".join(with_shift(line, 3 + 16 * column, n) for line in lines))
    table = read_obs(body(*epochs))
    for name in ("code_m", "phase_cycle", "cn0_dbhz"):
        assert set(getattr(table, name)[np.isfinite(getattr(table, name))]) <= set(
            getattr(CLEAN, name)
        )
    assert table.report.counts["misplaced_field"] >= 4
    assert any("do not stand in the columns" in said for said in table.report.warnings)


def test_shifted_columns_of_rinex_2_are_never_read():
    clean = header_2() + "".join(epoch_2(float(k), ["G05", "G12"]) for k in range(3))
    lines = clean.splitlines(keepends=True)
    shifted = "".join(
        line[:16] + line[18:] if line.startswith("  2000") and k > 8 else line
        for k, line in enumerate(lines)
    )
    whole, table = read_obs(clean.encode()), read_obs(shifted.encode())
    assert table.report.counts["misplaced_field"] > 0
    assert set(table.code_m[np.isfinite(table.code_m)]) <= set(whole.code_m)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("> 2024 06", ">  2024 06"),
        (" 08 20 ", " 08 20  "),
        (" 08 20 ", " 8 20 "),
        ("  0  3", "   0  3"),
        ("  0  3", "  0   3"),
        ("  0  3", "  0 3"),
        ("  0  3", " 0 3"),
    ],
)
def test_epoch_lines_with_a_blank_more_or_less(old, new):
    table = read_obs(file_3(4).replace(old, new).encode())
    assert is_clean(table)


@pytest.mark.parametrize("end", [b"\x1a", b"\x1a\n", b"\n\x1a\x1a\r\n"])
def test_stray_end_of_file_marks_are_nothing(end):
    data = file_3(4).encode()
    assert is_clean(read_obs(data + end))
    for mark in (b"3.00000", b"END OF HEADER"):
        place = data.index(b"\n", data.index(mark)) + 1
        assert is_clean(read_obs(data[:place] + b"\x1a" + data[place:]))
        assert is_clean(read_obs(data[: place - 1] + b"\x1a" + data[place - 1 :]))
    two = data + b"\x1a" + file_3(4).replace(" 08 ", " 09 ").encode() + b"\x1a"
    assert read_obs(two).n_epoch == 8


# -- dates


@pytest.mark.parametrize("early", [(0,), (0, 1), (0, 1, 2), (2, 3)])
@pytest.mark.parametrize("date", ["2004 11 08", "1985 03 25"])
def test_epochs_of_a_wrong_rollover_get_the_week_of_the_others(date, early):
    epochs = [epoch_3(float(k)) for k in range(4)]
    for k in early:
        epochs[k] = epochs[k].replace("2024 06 24", date)
    table = read_obs(body(*epochs))
    assert is_clean(table)
    assert not table.event.any()
    n_week = 1024 if date.startswith("2004") else 2048
    assert f"{len(early)} epochs are dated {n_week} weeks early" in table.report.warnings[0]


def test_a_day_beyond_its_month_is_carried_over():
    table = read_obs(file_3(4).replace("> 2024 06 24", "> 2024 06 31").encode())
    assert np.all(table.time_ns - CLEAN.time_ns == 7 * 86400 * 10**9)
    assert table.report.counts["date_beyond_month"] == 4
    assert "day beyond the end of their month" in table.report.warnings[0]


def test_dates_that_do_not_exist_are_told_in_words():
    with pytest.raises(RinexError, match=r"no such date, first line 9: '> 2024 06 33"):
        read_obs(file_3(4).replace("> 2024 06 24", "> 2024 06 33").encode())


# -- headers


def realistic(
    types: dict[str, tuple[str, ...]], n_field: int, carrier_hz: float = 1.57542e9
) -> str:
    """Three epochs of G05 and C07 with values of the right kinds."""
    text = ""
    for k in range(3):
        text += epoch_line(float(k), len(types))
        for letter, codes in types.items():
            values = {
                "C": 22e6 + k,
                "L": (22e6 + k) * carrier_hz / 299792458.0,
                "S": 45.0,
                "D": 1e3,
            }
            text += "C07" if letter == "C" else "G05"
            text += "".join(field(values[code[0]]) for code in codes[:n_field]).rstrip() + "\n"
    return text


@pytest.mark.parametrize("announced", [3, 5, 7])
def test_records_decide_on_lists_of_another_length_than_announced(announced):
    types = {"G": ("C1C", "L1C", "S1C", "C2W", "L2W", "S2W")}
    text = header_3(types=types) + realistic(types, 6)
    clean = read_obs(text.encode())
    table = read_obs(text.replace("G    6 C1C", f"G    {announced} C1C").encode())
    assert is_clean(table, clean)
    assert table.report.counts["type_count_wrong"] == 1
    assert f"announces {announced} observation types" in table.report.warnings[0]
    missing = text.replace("G    6 C1C L1C S1C", "G    6 C1C S1C    ")
    with pytest.raises(RinexError, match="columns are ambiguous"):
        read_obs(missing.encode())
    swapped = text.replace("G    6 C1C L1C S1C C2W", f"G    {announced} S1C L1C C1C C2W")
    with pytest.raises(RinexError, match="columns are ambiguous"):
        read_obs(swapped.encode())


def test_a_list_longer_than_all_records_stays_ambiguous():
    listed, written = ("C1C", "L1C", "L2W", "L5X"), ("C1C", "L1C", "L5X")
    text = header_3(types={"G": listed}) + realistic({"G": written}, 3)
    with pytest.raises(RinexError, match="columns are ambiguous"):
        read_obs(text.replace("G    4 C1C", "G    3 C1C").encode())


def test_records_decide_on_lists_of_rinex_2():
    types = ("C1", "L1", "S1", "P2", "L2", "S2")
    line = "".join(field(v) for v in (22e6, 115e6, 45.0, 22e6, 90e6, 40.0)[:5]) + "\n"
    second = field(40.0).rstrip() + "\n"
    text = header_2(types=types)
    for k in range(3):
        text += epoch_2(float(k), ["G05"], types).split("\n", 1)[0] + "\n" + line + second
    for announced in (5, 7):
        table = read_obs(text.replace("     6    C1", f"     {announced}    C1").encode())
        assert is_clean(table, read_obs(text.encode()))


def test_unknown_and_cut_labels_are_named():
    text = file_3(4).replace("SYS / # / OBS TYPES ", "SYS / # / OBS TY")
    table = read_obs(text.encode())
    assert is_clean(table)
    assert table.report.counts["unknown_label"] == 2
    assert "'SYS / # / OBS TY', read as 'SYS / # / OBS TYPES'" in table.report.warnings[0]
    odd = header_3(extra=[header_line("x", "MY OWN LABEL"), header_line("y", "")])
    table = read_obs((odd + epoch_3(0.0)).encode())
    assert table.report.first["unknown_label"].endswith("'MY OWN LABEL', not read")
    assert table.report.counts["unknown_label"] == 2
    assert CLEAN.report.counts["unknown_label"] == 0


# -- codes


@pytest.mark.parametrize(
    ("written", "version", "read"),
    [
        ("1I", "3.02", "2I"), ("1I", "3.04", "2I"), ("1X", "3.02", "2X"), ("1X", "3.04", "1X"),
        ("5I", "3.04", "5D"), ("5Q", "3.03", "5P"), ("5X", "3.04", "5X"), ("8Q", "3.05", "8P"),
    ],
)  # fmt: skip
def test_codes_of_converters(written, version, read):
    types = {"C": tuple(f"{kind}{written}" for kind in "CLS")}
    table = read_obs((header_3(types=types, version=version) + realistic(types, 3)).encode())
    assert {sig_name(int(sig)) for sig in table.sig} == {f"C:{read}"}
    told = [said for said in table.report.warnings if f"{written} of system C is read as" in said]
    assert len(told) == (written != read)


@pytest.mark.parametrize(("carrier_hz", "read"), [(1561.098e6, "2I"), (1575.42e6, "1P")])
def test_beidou_1c_is_named_by_its_carrier(carrier_hz, read):
    types = {"C": ("C1C", "L1C", "S1C")}
    shift = header_line("C L1C  0.25000", "SYS / PHASE SHIFT")
    head = header_3(types=types, extra=[shift])
    table = read_obs((head + realistic(types, 3, carrier_hz)).encode())
    assert {sig_name(int(sig)) for sig in table.sig} == {f"C:{read}"}
    assert list(table.phase_shift_cycle.values()) == [0.25]
    assert f"1C of system C is read as {read}" in table.report.warnings[0]


def test_altboc_of_galileo_is_read():
    types = {"E": ("C8Q", "L8Q"), "G": TYPES_3["G"]}
    text = header_3(types=types) + epoch_line(0.0, 1) + "E05" + field(2e7) + field(8e7) + "\n"
    table = read_obs(text.encode())
    assert {sig_name(int(sig)) for sig in table.sig} == {"E:8Q"}
