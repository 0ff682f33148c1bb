"""Faults of observation files: the smallest unit is skipped and counted, the rest is kept."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.core.tables import (
    EVENT_ANTENNA_MOVED,
    EVENT_MARK,
    EVENT_POWER_FAILURE,
    EVENT_SESSION,
)
from rtkpos.errors import FileError, RinexError
from rtkpos.gnss.signals import sig_code
from rtkpos.gnss.systems import sat_from_name
from rtkpos.io.rinex.read_observations import read_obs
from tests.io.obs_text import (
    TYPES_3,
    epoch_2,
    epoch_3,
    epoch_line,
    file_3,
    header_2,
    header_3,
    header_line,
    sat_line,
)

CLEAN = read_obs(file_3(4).encode())
SKIPS = (
    "epoch_bad_header",
    "epoch_count_wrong",
    "epoch_truncated",
    "epoch_duplicate",
    "epoch_conflict",
    "epoch_bad_time",
)


def body(*epochs: str) -> bytes:
    """A RINEX 3 file of ready epochs."""
    return (header_3() + "".join(epochs)).encode()


def check(data: bytes, seconds: list[float], **skips: int):
    """Read, check the epochs kept and the books; returns the table."""
    table = read_obs(data)
    kept = ((table.time_ns - CLEAN.time_ns[0]) / 1e9).tolist()
    assert kept == seconds
    counted = {name: table.report.counts[name] for name in SKIPS if table.report.counts[name]}
    assert counted == {f"epoch_{name}": n for name, n in skips.items()}
    assert table.report.counts["epoch_in_file"] == len(seconds) + sum(skips.values())
    return table


def same_observations(table, other=CLEAN) -> bool:
    """Whether two tables hold the same rows."""
    return all(
        getattr(table, name).tobytes() == getattr(other, name).tobytes()
        for name in ("time_ns", "sat", "sig", "code_m", "phase_cycle", "cn0_dbhz", "lli")
    )


def test_header_only_has_no_epochs():
    with pytest.raises(RinexError, match="no epochs in it"):
        read_obs(header_3().encode())


def test_header_without_end():
    with pytest.raises(RinexError, match=r"line 2: the header has no END OF HEADER"):
        read_obs(header_3().encode()[:150])


@pytest.mark.parametrize(
    ("kind", "message"),
    [("NAVIGATION DATA", "navigation file; pass it with --nav"), ("METEOROLOGICAL", "meteorolog")],
)
def test_other_kinds_of_rinex_are_named(kind, message):
    text = header_3().replace("OBSERVATION DATA    ", f"{kind:<20}")
    with pytest.raises(RinexError, match=message):
        read_obs(text.encode())


def test_unknown_version():
    with pytest.raises(RinexError, match=r"version '5.01' is not supported"):
        read_obs(file_3(1, version="5.01").encode())


@pytest.mark.parametrize("cut", [3, 20, 90, 140])
def test_truncated_last_epoch_is_left_out(cut):
    """Row 4: cut in the epoch line, inside a value, between satellites."""
    data = body(epoch_3(0.0), epoch_3(1.0), epoch_3(2.0))
    start = data.rindex(b">")
    table = check(data[: start + cut], [0.0, 1.0], truncated=1)
    assert f"from byte {start} on, is cut" in table.report.warnings[0]
    with pytest.raises(RinexError, match="epoch truncated"):
        read_obs(data[: start + cut], strict=True)


def test_file_without_final_newline_is_complete():
    assert same_observations(read_obs(file_3(4).encode().rstrip(b"\n")))


@pytest.mark.parametrize("stray", ["\n", "   \n", "\0\0\0\n", "\r\n", header_line("x", "COMMENT")])
def test_blank_lines_and_comments_inside(stray):
    lines = file_3(4).splitlines(keepends=True)
    start = next(k for k, line in enumerate(lines) if line.startswith(">"))
    for place in (start, start + 1, start + 3, start + 4, len(lines)):
        text = "".join([*lines[:place], stray, *lines[place:]])
        assert same_observations(read_obs(text.encode())), place


@pytest.mark.parametrize("stray", ["\n", header_line("x", "COMMENT")])
def test_blank_lines_and_comments_inside_rinex_2(stray):
    text = header_2() + "".join(epoch_2(float(k), ["G05", "G12"]) for k in range(3))
    clean = read_obs(text.encode())
    lines = text.splitlines(keepends=True)
    start = next(k for k, line in enumerate(lines) if line.startswith(" 24"))
    for place in range(start, len(lines) + 1):
        damaged = "".join([*lines[:place], stray, *lines[place:]])
        assert same_observations(read_obs(damaged.encode()), clean), place


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends(end):
    assert same_observations(read_obs(file_3(4).replace("\n", end).encode()))


def test_trailing_nuls():
    assert same_observations(read_obs(file_3(4).encode() + b"\0" * 5000))


def test_non_ascii_bytes_spoil_one_field():
    data = bytearray(file_3(4).encode())
    place = data.index(b"G12", data.index(b"END OF HEADER")) + 10
    data[place] = 0xE9
    table = read_obs(bytes(data))
    assert table.n_epoch == 4
    assert table.report.counts["bad_field"] == 1
    assert np.isnan(table.code_m).sum() == np.isnan(CLEAN.code_m).sum() + 1


@pytest.mark.parametrize("claim", ["999", " -1", "***", "  7", " 10"])
def test_wrong_count_costs_at_most_its_epoch(claim):
    """Row 8."""
    wrong = epoch_line(1.0, 3)[:-4] + claim + "\n" + epoch_3(1.0).split("\n", 1)[1]
    table = read_obs(body(epoch_3(0.0), wrong, epoch_3(2.0)))
    assert table.report.counts["epoch_in_file"] == 3
    assert {0, 2} <= set(((table.time_ns - CLEAN.time_ns[0]) // 10**9).tolist())
    assert sum(table.report.counts[name] for name in SKIPS) == 1


@pytest.mark.parametrize("claim", [" 25", "999", " -1"])
def test_wrong_count_costs_at_most_its_epoch_rinex_2(claim):
    second = epoch_2(1.0, ["G05", "G12"]).replace("  0  2G05", f"  0{claim}G05")
    text = header_2() + epoch_2(0.0, ["G05", "G12"]) + second + epoch_2(2.0, ["G05", "G12"])
    table = read_obs(text.encode())
    assert ((table.time_ns - CLEAN.time_ns[0]) // 10**9).tolist() == [0, 2]
    assert sum(table.report.counts[name] for name in SKIPS) == 1


def test_damaged_epoch_line_costs_its_epoch():
    check(
        body(epoch_3(0.0), epoch_3(1.0).replace("> 2024", "x 2024"), epoch_3(2.0)),
        [0.0, 2.0],
        bad_header=1,
    )
    check(
        body(epoch_3(0.0), epoch_3(1.0).replace("> 2024", "> 2x24"), epoch_3(2.0)),
        [0.0, 2.0],
        bad_header=1,
    )
    second = epoch_2(1.0, ["G05"]).replace("1.0000000", "1;0000000")
    text = header_2() + epoch_2(0.0, ["G05"]) + second + epoch_2(2.0, ["G05"])
    check(text.encode(), [0.0, 2.0], bad_header=1)


def test_very_long_lines():
    """Row 9: 100 kB in one line, of a satellite and of nothing."""
    long_sat = epoch_3(1.0).replace("\nG12", "\nG12" + " " * 100_000, 1)
    table = check(body(epoch_3(0.0), long_sat, epoch_3(2.0)), [0.0, 1.0, 2.0])
    assert table.n_row < CLEAN.n_row
    check(body(epoch_3(0.0), "x" * 100_000 + "\n", epoch_3(2.0)), [0.0, 2.0], bad_header=1)


def test_wrong_number_of_observation_types_drops_the_system():
    """Row 10: the records have as many columns as were announced, more than are listed."""
    text = file_3(2).replace("G    5 C1C L1C S1C C2W L2W", "G    5 C1C L1C S1C C2W    ")
    table = read_obs(text.encode())
    assert set(table.sat.tolist()) == {sat_from_name("C07")}
    assert "announces 5 observation types for system G but lists 4" in table.report.warnings[0]
    other = text.replace("C    3 C2I L2I S2I", "C    3 C2I L2I    ")
    with pytest.raises(RinexError, match="columns are ambiguous"):
        read_obs(other.encode())
    with pytest.raises(RinexError, match="system dropped"):
        read_obs(text.encode(), strict=True)


def test_missing_continuation_of_types_drops_the_system():
    codes = tuple(f"{kind}{signal}" for signal in ("1C", "2W", "5Q", "2L") for kind in "CLDS")
    types = TYPES_3 | {"G": codes}
    text = header_3(types=types) + epoch_line(0.0, 2)
    text += sat_line("G05", types=types) + sat_line("C07", types=types)
    assert read_obs(text.encode()).n_row == 5
    lines = [line for line in text.split("\n") if not line.startswith("       L2L")]
    assert set(read_obs("\n".join(lines).encode()).sat.tolist()) == {sat_from_name("C07")}


def test_unknown_code_keeps_its_column():
    """Row 11."""
    table = read_obs(file_3(2).replace("S1C C2W", "S9Z C2W").encode())
    assert table.code_m.tobytes() == CLEAN.code_m[: table.n_row].tobytes()
    assert "observation code S9Z of system G is not known" in table.report.warnings[0]


@pytest.mark.parametrize(
    ("name", "counter"),
    [("Z05", "unknown_system"), ("G00", "bad_prn"), ("R77", "bad_prn"), ("Gxx", "bad_prn")],
)
def test_unknown_satellites_are_counted(name, counter):
    table = read_obs(body(epoch_3(0.0).replace("G12", name)))
    assert table.report.counts[counter] == 1
    assert "line 9" in table.report.first[counter]
    assert set(table.sat.tolist()) == {sat_from_name("G05"), sat_from_name("C07")}


def test_duplicate_satellite():
    """Row 12."""
    same = epoch_line(0.0, 3) + sat_line("G05") + sat_line("C07") + sat_line("G05")
    table = read_obs(body(same))
    assert table.n_row == 3
    assert table.report.counts["duplicate_satellite"] == 1
    other = epoch_line(0.0, 3) + sat_line("G05") + sat_line("C07") + sat_line("G05", 5.0)
    table = read_obs(body(other))
    assert set(table.sat.tolist()) == {sat_from_name("C07")}
    assert table.report.counts["conflicting_satellite"] == 1


def test_duplicate_epochs():
    """Row 13."""
    check(
        body(epoch_3(0.0), epoch_3(1.0), epoch_3(1.0), epoch_3(2.0)), [0.0, 1.0, 2.0], duplicate=1
    )
    other = epoch_3(1.0).replace(sat_line("G05", 1.0), sat_line("G05", 1.5))
    table = check(
        body(epoch_3(0.0), epoch_3(1.0), other, epoch_3(2.0)), [0.0, 1.0, 2.0], conflict=1
    )
    assert same_observations(table, read_obs(body(*(epoch_3(float(k)) for k in range(3)))))


def test_epochs_out_of_order_are_sorted():
    """Row 14."""
    table = check(
        body(epoch_3(0.0), epoch_3(2.0), epoch_3(1.0), epoch_3(3.0)), [0.0, 1.0, 2.0, 3.0]
    )
    assert same_observations(table)
    assert "out of order" in table.report.warnings[0]
    assert not table.event.any()


def test_a_tag_damaged_by_seconds_does_not_push_out_the_true_epoch():
    wrong = epoch_3(1.0).replace("20  1.0000000", "20  3.0000000")
    table = check(
        body(epoch_3(0.0), wrong, epoch_3(2.0), epoch_3(3.0)), [0.0, 2.0, 3.0], conflict=1
    )
    rows = slice(table.row_start[2], table.row_start[3])
    assert table.code_m[rows].tobytes() == CLEAN.code_m[15:20].tobytes()


@pytest.mark.parametrize("damaged", ["> 2024 06 04", "> 2025 06 24"])
def test_a_tag_damaged_by_days_is_dropped(damaged):
    wrong = epoch_3(1.0).replace("> 2024 06 24", damaged)
    check(body(epoch_3(0.0), wrong, epoch_3(2.0), epoch_3(3.0)), [0.0, 2.0, 3.0], bad_time=1)


def test_time_going_back_by_hours_starts_a_session():
    """Row 15: two recordings in one file, the later one first."""
    early = "".join(epoch_3(float(k), day=23) for k in range(2))
    table = read_obs(body(epoch_3(0.0), epoch_3(1.0), early))
    assert np.all(np.diff(table.time_ns) > 0)
    assert table.event.tolist() == [0, 0, EVENT_SESSION, 0]
    assert "separate sessions" in table.report.warnings[0]


def test_file_concatenated_with_itself_is_read_once():
    epochs = "".join(epoch_3(0.0, minute=m) + epoch_3(0.0, minute=m + 1) for m in (0, 2))
    late = epochs.replace(" 08 ", " 10 ")
    twice = read_obs(body(epochs, late, epochs, late))
    assert same_observations(twice, read_obs(body(epochs, late)))
    assert twice.report.counts["epoch_duplicate"] == 8


def test_files_put_behind_each_other_keep_their_own_headers():
    types = {"G": ("L5Q", "C5Q")}
    second = header_3(types=types) + epoch_line(2.0, 1) + sat_line("G05", 2.0, types)
    table = check(body(epoch_3(0.0), epoch_3(1.0)) + second.encode(), [0.0, 1.0, 2.0])
    assert sig_code(int(table.sig[-1])) == "5Q"
    assert table.n_row == 11
    assert "2 files behind each other" in table.report.warnings[0]


def test_a_stray_header_label_is_no_second_file():
    stray = header_3().split("\n", 1)[0] + "\n"
    check(body(epoch_3(0.0), stray, epoch_3(1.0)), [0.0, 1.0], bad_header=1)
    table = check(body(epoch_3(0.0), epoch_3(1.0)) + header_3().encode(), [0.0, 1.0])
    assert table.report.counts["recording_dropped"] == 1


def test_a_whole_header_inside_an_event():
    new = header_3(types={"G": ("L5Q", "C5Q")}).splitlines(keepends=True)
    event = epoch_line(1.0, len(new), flag=4) + "".join(new)
    after = epoch_line(1.0, 1) + sat_line("G05", 1.0, {"G": ("L5Q", "C5Q")})
    table = check(body(epoch_3(0.0), event, after), [0.0, 1.0])
    assert sig_code(int(table.sig[-1])) == "5Q"


def test_power_failure_flag():
    """Row 16."""
    table = check(body(epoch_3(0.0), epoch_3(1.0, flag=1), epoch_3(2.0)), [0.0, 1.0, 2.0])
    assert table.event.tolist() == [0, EVENT_POWER_FAILURE, 0]


def test_events_between_epochs():
    """Row 17: several per interval; lines are kept; the next epoch carries the bits."""
    moved = epoch_line(0.5, 1, flag=3) + header_line("NEW", "MARKER NAME")
    mark = epoch_line(0.7, 0, flag=5)
    no_time = ">" + " " * 30 + "2  0\n"
    table = check(
        body(epoch_3(0.0), moved, mark, no_time, epoch_3(1.0), epoch_3(2.0)), [0.0, 1.0, 2.0]
    )
    assert table.event.tolist() == [0, EVENT_ANTENNA_MOVED | EVENT_MARK, 0]
    assert [event.flag for event in table.events] == [3, 5, 2]
    assert table.events[0].lines[0].startswith("NEW")
    assert table.events[1].time_ns - CLEAN.time_ns[0] == 700_000_000
    assert table.events[2].time_ns == -1


def test_header_event_changes_the_observation_types():
    types = {"G": ("C5Q", "L5Q"), "C": ("C6I", "L6I")}
    change = "".join(
        header_line(f"{s}    2 {' '.join(c)}", "SYS / # / OBS TYPES") for s, c in types.items()
    )
    after = epoch_line(1.0, 1) + sat_line("G05", 1.0, types)
    table = check(body(epoch_3(0.0), epoch_line(1.0, 2, flag=4) + change, after), [0.0, 1.0])
    assert [sig_code(int(s)) for s in table.sig[table.row_start[1] :]] == ["5Q"]
    assert table.signals[0] == (*TYPES_3["G"], "C5Q", "L5Q")


def test_header_event_of_rinex_2():
    change = header_line("     2    C1    L1", "# / TYPES OF OBSERV")
    event = f" 24  6 24  8 20{0.5:11.7f}  4  1\n"
    text = header_2() + epoch_2(0.0, ["G05"]) + event + change + epoch_2(1.0, ["G05"], ("C1", "L1"))
    table = read_obs(text.encode())
    assert np.diff(table.row_start).tolist() == [2, 1]
    no_time = " " * 28 + "4  1\n"
    assert same_observations(read_obs(text.replace(event, no_time).encode()), table)


def test_event_that_claims_too_many_lines_stops_at_the_next_epoch():
    check(body(epoch_3(0.0), epoch_line(0.5, 900, flag=4), epoch_3(1.0)), [0.0, 1.0])


def test_cycle_slip_records_mark_and_are_no_observations():
    """Row 18."""
    slips = epoch_line(0.5, 2, flag=6) + sat_line("G12", 0.5) + sat_line("C07", 0.5)
    table = check(body(epoch_3(0.0), slips, epoch_3(1.0), epoch_3(2.0)), [0.0, 1.0, 2.0])
    second = slice(table.row_start[1], table.row_start[2])
    marked = {int(sat) for sat in table.sat[second][table.lli[second] == 1]}
    assert marked == {sat_from_name("G12"), sat_from_name("C07")}
    assert not table.lli[table.row_start[2] :].any()


def test_cycle_slip_records_of_rinex_2():
    slips = epoch_2(0.5, ["G12"]).replace("  0  1G12", "  6  1G12")
    text = header_2() + epoch_2(0.0, ["G05", "G12"]) + slips + epoch_2(1.0, ["G05", "G12"])
    table = read_obs(text.encode())
    assert table.n_epoch == 2
    assert table.lli.tolist() == [0, 0, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (" 2.0005001D+07", 20005001.0),
        ("  20005001.001 ", 20005001.001),
        (" +20005001.001", 20005001.001),
        ("20005001      ", 20005001.0),
        ("**************", None),
        ("  20005001,001", None),
        ("           NaN", None),
        ("  2000 001.001", None),
        ("         1D+99", None),
        ("         0.000", None),
    ],
)
def test_odd_numbers(written, value):
    """Row 21."""
    first = f"{20005000.001:14.3f}"
    table = read_obs(body(epoch_3(0.0)).replace(first.encode(), f"{written:<14}"[:14].encode()))
    got = table.code_m[0]
    assert np.isnan(got) if value is None else got == pytest.approx(value, abs=1e-3)
    assert table.n_row == 5


def test_no_system_named_and_no_file():
    with pytest.raises(FileError):
        read_obs("no-such-file.obs")
