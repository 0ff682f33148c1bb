"""Kernels that gather, judge and read one epoch of a RINEX observation file."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtkpos.core.tables import EVENT_POWER_FAILURE
from rtkpos.gnss.systems import sat_from_name
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.io.rinex._observations.epoch_line import (
    HEAD_COUNT,
    HEAD_FLAG,
    HEAD_TIME,
    N_HEAD,
    NO_TIME,
    is_marker,
    read_head,
)
from rtkpos.io.rinex._observations.epochs import (
    close_epoch,
    judge_lines_2,
    judge_lines_3,
    read_epoch,
    scan_epochs,
)
from rtkpos.io.rinex._observations.field_text import emit_rows, read_sats
from rtkpos.io.rinex._observations.lines import (
    CUR_DEFAULT_SYSTEM,
    CUR_EPOCHS,
    CUR_EVENT,
    CUR_POSITION,
    CUR_ROWS,
    EPOCH_COUNT_WRONG,
    EPOCH_CUT,
    EPOCH_OK,
    LINE_BLANK,
    LINE_COMMENT,
    LINE_CUT,
    LINE_EMPTY,
    LINE_NEXT,
    LINE_OPEN,
    LINE_STORED,
    LINE_TOTAL,
    N_BAD_FIELD,
    N_BAD_PRN,
    N_BLANK_LINE,
    N_COMMENT_LINE,
    N_CONFLICTING_SATELLITE,
    N_COUNTER,
    N_DUPLICATE_SATELLITE,
    N_EPOCH_BAD_HEADER,
    N_EPOCH_COUNT_WRONG,
    N_EPOCH_KEPT,
    N_EPOCH_TRUNCATED,
    N_UNKNOWN_SYSTEM,
    SCAN_END,
    SCAN_EVENT,
    SCAN_FULL,
    collect_sats,
    gather_lines,
    meet_again,
)
from rtkpos.io.rinex._observations.scan_file import _output, _start
from rtkpos.io.rinex.header import read_header
from tests.io.obs_text import (
    TYPES_2,
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

pytestmark = pytest.mark.plain
SATS = ("G05", "G12", "C07")
COMMENT = header_line("a remark", "COMMENT")


def scan_of(text):
    """A scan that stands behind the header of a text."""
    content = text.encode()
    header, start = read_header(content, "made")
    return _start(header, content, start, tuple(range(7)))


def behind_head(text):
    """A scan with the first epoch line read and the lines behind it gathered, and that line."""
    scan = scan_of(text)
    version, start = scan.cursor[5], int(scan.cursor[CUR_POSITION])
    stop = text.index("\n", start)
    assert read_head(scan.text, start, stop, version, scan.work.head)
    gather_lines(scan.text, scan.words, stop + 1, version, scan.work)
    return scan, (start, stop)


def line_text(line, before="G05 200\n" * 30):
    """A line behind others, and where it starts and ends."""
    data = np.frombuffer((before + line + "\n").encode(), np.uint8)
    return data, len(before), len(data) - 1


LINE_2 = " 24  6 24  8 20  7.0000000  0  3G05G12G31"
EVENT_2 = " " * 28 + "4  1"


@pytest.mark.parametrize(
    ("line", "version", "wanted"),
    [
        ("> 2024 06 24", 3, True),
        ("G05  20000000.001", 3, False),
        ("", 3, False),
        (LINE_2, 2, True),
        (LINE_2.replace("  0  3", "     3"), 2, True),  # a blank flag
        (LINE_2[:28], 2, False),
        (LINE_2.ljust(201, "x"), 2, False),
        (LINE_2.replace("  0  3", " x0  3"), 2, False),
        (LINE_2.replace("  0  3", "x 0  3"), 2, False),
        (LINE_2.replace("  0  3", "  x  3"), 2, False),
        (LINE_2.replace(" 7.0", " x.0"), 2, False),
        (LINE_2.replace("24  6 24", "2x  6 24"), 2, False),
        (EVENT_2, 2, True),
        (EVENT_2[:-1] + " ", 2, False),
        (EVENT_2.replace("4", "1"), 2, False),
        ("x" + EVENT_2[1:], 2, False),
        ("  20005000.001    20005000.126", 2, False),
    ],
)
def test_lines_that_start_an_epoch(line, version, wanted):
    assert is_marker(*line_text(line), version) == wanted


def head_of(line, version=3):
    out = np.zeros(N_HEAD, np.int64)
    return out[:3].tolist() if read_head(*line_text(line), version, out) else None


def test_time_flag_and_count_of_an_epoch_line():
    time_ns = ns_from_calendar(2024, 6, 24, 8, 20, 7_250_000_000)
    line = "> 2024 06 24 08 20  7.2500000  1 23"
    wanted = [0, 0, 0]
    wanted[HEAD_TIME], wanted[HEAD_FLAG], wanted[HEAD_COUNT] = time_ns, 1, 23
    assert head_of(line) == wanted
    assert head_of(LINE_2.replace(" 7.0000000  0  3", " 7.2500000  1 23"), 2) == wanted
    assert head_of(line.replace("  1 23", "    23"))[HEAD_FLAG] == 0


@pytest.mark.parametrize(
    ("year", "wanted"), [("80", 1980), ("99", 1999), ("00", 2000), ("79", 2079)]
)
def test_years_of_two_digits(year, wanted):
    head = head_of(LINE_2.replace(" 24  6 24", f" {year}  6 24"), 2)
    assert head[HEAD_TIME] == ns_from_calendar(wanted, 6, 24, 8, 20, 7 * 10**9)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("> 2024 06 24 08 20  7.2500000  7 23", None),
        ("> 2024 06 24 08 20  7.2500000  0", None),
        ("> 2024 06 24 08 20  7.2500000  0 x3", None),
        ("> 2024 06 24 08 20  7.2500000  6", None),
        ("> 2024 13 24 08 20  7.2500000  0 23", None),
        ("> 2024 06 24 08 20  7.25000", None),
        (">" + " " * 30 + "4  2", [NO_TIME, 4, 2]),
        ("> 2024 13 24 08 20  7.2500000  4  2", [NO_TIME, 4, 2]),
        (">" + " " * 30 + "3", [NO_TIME, 3, 0]),
    ],
)
def test_unusable_epoch_lines_and_events_without_time(line, wanted):
    assert head_of(line) == wanted


def test_gathered_lines_end_before_the_next_epoch():
    text = header_3() + epoch_3(0.0) + "\n" + COMMENT + epoch_3(1.0)
    scan, _ = behind_head(text)
    line, work = scan.work.line, scan.work
    assert [line[k] for k in (LINE_STORED, LINE_TOTAL, LINE_BLANK, LINE_COMMENT)] == [3, 3, 1, 1]
    assert line[LINE_NEXT] == text.rindex("> 2024")
    assert (line[LINE_OPEN], line[LINE_EMPTY]) == (-1, 0)
    got = [text[a:b] for a, b in zip(work.line_start[:3], work.line_stop[:3], strict=True)]
    assert got == [sat_line(sat).rstrip() for sat in SATS]


def test_blank_lines_of_rinex_2_may_be_satellites_and_the_last_line_may_be_open():
    text = header_2(types=("C1",)) + epoch_2(0.0, ["G05", "G12"], ("C1",)) + "\n  2000"
    scan, _ = behind_head(text)
    line = scan.work.line
    assert [line[k] for k in (LINE_STORED, LINE_TOTAL, LINE_EMPTY, LINE_BLANK)] == [4, 4, 1, 0]
    assert (line[LINE_OPEN], line[LINE_NEXT]) == (3, len(text))


def judged_3(body, claimed):
    scan, _ = behind_head(header_3() + epoch_line(0.0, claimed) + body)
    return judge_lines_3(scan.text, claimed, 0, scan.columns, scan.work)


def test_lines_of_an_epoch_of_rinex_3():
    lines = [sat_line(sat) for sat in SATS]
    body, after = "".join(lines), epoch_3(1.0)
    assert judged_3(body + after, 3) == EPOCH_OK
    assert judged_3(body + after, 4) == EPOCH_COUNT_WRONG
    assert judged_3(body, 4) == EPOCH_CUT
    assert judged_3(body + sat_line("G13") + after, 3) == EPOCH_COUNT_WRONG
    # A marker is damaged where a satellite comes twice or a line starts with none.
    assert judged_3(body + body + after, 3) == EPOCH_OK
    assert judged_3(body + epoch_line(1.0, 3).replace(">", "x") + body + after, 3) == EPOCH_OK
    assert judged_3(body + "x\n" + after, 3) == EPOCH_OK
    assert judged_3(body + after, 0) == EPOCH_COUNT_WRONG


def judged_2(body, expected):
    scan, _ = behind_head(header_2(types=("C1",)) + epoch_2(0.0, ["G05"], ("C1",)) + body)
    return judge_lines_2(scan.text, expected, scan.work), scan.work


def test_lines_of_an_epoch_of_rinex_2():
    value, after = field(2e7).rstrip() + "\n", epoch_2(1.0, ["G05"], ("C1",))
    assert judged_2(after, 1)[0] == EPOCH_OK
    assert judged_2(after, 2)[0] == EPOCH_COUNT_WRONG
    assert judged_2("", 2)[0] == EPOCH_CUT
    # A blank line is a satellite without observations, or a stray one where that fits the count.
    assert judged_2("\n" + value + after, 3)[0] == EPOCH_OK
    verdict, work = judged_2("\n" + value + after, 2)
    assert (verdict, work.line[LINE_BLANK], work.line[LINE_TOTAL]) == (EPOCH_OK, 1, 2)
    assert work.line_stop[1] - work.line_start[1] == len(value) - 1, "the blank line is taken out"
    verdict, work = judged_2(value + "\n\n" + after, 2)
    assert (verdict, work.line[LINE_BLANK], work.line[LINE_TOTAL]) == (EPOCH_OK, 2, 2)
    # Blank lines behind too few: those that the count wants are satellites.
    verdict, work = judged_2("\n\n\n" + after, 2)
    assert (verdict, work.line[LINE_BLANK], work.line[LINE_TOTAL]) == (EPOCH_OK, 2, 2)
    assert judged_2(value + value + after, 2)[0] == EPOCH_OK, "another epoch without its line"
    assert judged_2(value + after, 0)[0] == EPOCH_COUNT_WRONG


def collected(text, n_line=0):
    """(names' indices, first lines, counters) of the first epoch."""
    scan, head = behind_head(text)
    counts = np.zeros(N_COUNTER, np.int64)
    claimed, default = int(scan.work.head[HEAD_COUNT]), scan.cursor[CUR_DEFAULT_SYSTEM]
    n = collect_sats(scan.text, head, claimed, n_line, default, scan.columns, scan.work, counts)
    return scan.work.sat[:n].tolist(), scan.work.first_line[:n].tolist(), counts


def test_satellites_of_rinex_3_are_sorted_and_bad_names_counted():
    text = (
        header_3()
        + epoch_line(0.0, 6)
        + "".join([sat_line("G12"), sat_line("C07"), "G99 1\n", "X01 1\n", "G0\n", sat_line("G05")])
    )
    sats, lines, counts = collected(text)
    assert sats == [sat_from_name(name) for name in ("G05", "G12", "C07")]
    assert lines == [5, 0, 1]
    assert (counts[N_BAD_PRN], counts[N_UNKNOWN_SYSTEM]) == (2, 1)


def test_satellites_of_rinex_2_stand_in_the_epoch_line_and_its_continuations():
    names = [f"G{prn:02d}" for prn in range(30, 4, -2)] + ["R 7", "  3"]
    sats, lines, counts = collected(header_2() + epoch_2(0.0, names), n_line=2)
    full = [name.replace("  ", "G0").replace(" ", "0") for name in names]
    order = sorted((sat_from_name(name), k) for k, name in enumerate(full))
    assert sats == [sat for sat, _ in order]
    assert lines == [1 + 2 * k for _, k in order]
    assert counts.sum() == 0


@pytest.mark.parametrize(
    ("second", "counter", "first_line"),
    [(0.0, N_DUPLICATE_SATELLITE, 0), (1.0, N_CONFLICTING_SATELLITE, -1)],
)
def test_a_satellite_named_twice(second, counter, first_line):
    body = sat_line("G05") + sat_line("G12") + sat_line("G05", second)
    scan, _ = behind_head(header_3() + epoch_line(0.0, 3) + body)
    sat, counts = sat_from_name("G05"), np.zeros(N_COUNTER, np.int64)
    scan.work.seen[sat] = 1
    scan.work.sat[:2], scan.work.first_line[:2] = (sat, sat + 7), (0, 1)
    meet_again(scan.text, sat, 2, 1, 2, scan.work, counts)
    assert counts[counter] == counts.sum() == 1
    assert scan.work.first_line[:2].tolist() == [first_line, 1]


def test_lines_that_overlap_are_no_repetition():
    scan, _ = behind_head(header_3() + epoch_line(0.0, 3) + "G05 1\nG05 1\nG05 1\n")
    sat, counts = sat_from_name("G05"), np.zeros(N_COUNTER, np.int64)
    scan.work.seen[sat], scan.work.sat[0] = 1, sat
    meet_again(scan.text, sat, 1, 2, 1, scan.work, counts)
    assert counts[N_CONFLICTING_SATELLITE] == 1


def read(text, n_line=0):
    """A scan whose first epoch's fields are read, how many are bad, and how many satellites."""
    scan, head = behind_head(text)
    counts = np.zeros(N_COUNTER, np.int64)
    claimed, default = int(scan.work.head[HEAD_COUNT]), scan.cursor[CUR_DEFAULT_SYSTEM]
    n = collect_sats(scan.text, head, claimed, n_line, default, scan.columns, scan.work, counts)
    bad = read_sats(scan.text, scan.words, n, n_line, scan.columns, scan.fields, scan.work)
    return scan, bad, n


def test_fields_of_rinex_3():
    # Types of G: C1C L1C S1C C2W L2W; two slots of code, phase, Doppler, C/N0.
    odd = "G12" + field(0.0) + field(5.25, "3") + field(None) + " 2000000x.001  " + " -77.5 "
    text = header_3() + epoch_line(0.0, 2) + sat_line("G05", 3.0, lli="9") + odd + "\n" * 9
    scan, bad, _ = read(text)
    nan, five = math.nan, [value_of("G05", 3.0, k) for k in range(5)]
    value, lli = scan.fields.value, scan.fields.lli
    first = [five[0], five[1], nan, five[2], five[3], five[4], nan, nan]
    np.testing.assert_array_equal(value[0, :8], first)
    np.testing.assert_array_equal(value[1, :8], [nan, 5.25, nan, nan, nan, nan, nan, nan])
    assert bad == 2, "a letter in a number, and a number that the line's end cuts short"
    assert lli[:2, :2].tolist() == [[1, 1], [3, 0]], "bits 0 to 2 of the digit alone"
    assert scan.work.line[LINE_CUT] == 0


def test_scale_factors_and_pending_slips_are_applied():
    scale = header_line("G  100   1 C1C", "SYS / SCALE FACTOR")
    text = header_3(extra=[scale]) + epoch_3(0.0, ["G05"])
    scan, head = behind_head(text)
    sat, counts = sat_from_name("G05"), np.zeros(N_COUNTER, np.int64)
    scan.work.slip[sat] = 1
    collect_sats(scan.text, head, 1, 0, 0, scan.columns, scan.work, counts)
    assert read_sats(scan.text, scan.words, 1, 0, scan.columns, scan.fields, scan.work) == 0
    value = scan.fields.value[0]
    assert value[0] == pytest.approx(value_of("G05", 0.0, 0) / 100.0, rel=1e-15)
    assert value[1] == value_of("G05", 0.0, 1)
    assert scan.fields.lli[0, :2].tolist() == [1, 1]


def test_fields_of_rinex_2_go_on_in_the_next_line():
    scan, bad, n = read(header_2() + epoch_2(0.0, ["G12", "G05"]), n_line=2)
    assert (bad, n) == (0, 2)
    n_target = 4 * scan.columns.n_slot[0]
    for k, name in enumerate(("G05", "G12")):
        values = [value_of(name, 0.0, column) for column in range(6)]
        got = scan.fields.value[k, :n_target]
        assert set(values) == set(got[~np.isnan(got)])


def test_a_line_that_ends_within_a_value_is_cut():
    scan, bad, _ = read(header_3() + epoch_line(0.0, 1) + "G05  20005000.001    200")
    assert (scan.work.line[LINE_CUT], bad) == (1, 1)


def test_a_row_for_each_signal_that_has_a_value():
    text = header_3() + epoch_line(0.0, 3) + "".join(map(sat_line, SATS[:2])) + "C07" + field(1.5)
    scan, _, n = read(text + "\n")
    scan.work.first_line[1] = -1  # barred
    _, rows = _output(9, 9)
    assert emit_rows(n, scan.columns, scan.fields, scan.work, rows, 4) == 7
    assert rows.sat[4:7].tolist() == [sat_from_name(name) for name in ("G05", "G05", "C07")]
    assert rows.sig[4:6].tolist() == scan.columns.sig[0, :2].tolist()
    values = [value_of("G05", 0.0, k) for k in range(5)]
    nan = math.nan
    np.testing.assert_array_equal(rows.code_m[4:7], [values[0], values[3], 1.5])
    np.testing.assert_array_equal(rows.phase_cycle[4:7], [values[1], values[4], nan])
    np.testing.assert_array_equal(rows.cn0_dbhz[4:7], [values[2], nan, nan])
    assert np.isnan(rows.doppler_hz[4:7]).all()


def epoch_read(text):
    """(verdict, rows written, counters) of the first epoch."""
    scan, head = behind_head(text)
    _, rows = _output(9, 99)
    counts, work = np.zeros(N_COUNTER, np.int64), scan.work
    verdict = read_epoch(
        scan.text, scan.words, head, scan.cursor, scan.columns, scan.fields, work, rows, counts
    )
    assert not work.seen.any()
    return verdict, int(scan.cursor[CUR_ROWS]), counts


def test_an_epoch_is_read_whole_or_not_at_all():
    verdict, n, counts = epoch_read(header_3() + epoch_3(0.0))
    assert (verdict, n, counts.sum()) == (EPOCH_OK, 5, 0)
    names = [f"G{prn:02d}" for prn in range(1, 14)]
    verdict, n, counts = epoch_read(header_2() + epoch_2(0.0, names))
    assert (verdict, n, counts.sum()) == (EPOCH_OK, 26, 0)
    nine = (*TYPES_2, "D2", "S2", "C2")
    verdict, n, _ = epoch_read(header_2(types=nine) + epoch_2(0.0, names[:12], nine))
    assert (verdict, n) == (EPOCH_OK, 36)
    verdict, n, _ = epoch_read(header_2() + epoch_2(0.0, names).rsplit("\n", 2)[0] + "\n")
    assert (verdict, n) == (EPOCH_CUT, 0)
    verdict, n, _ = epoch_read(header_3() + epoch_3(0.0)[:-8])
    assert (verdict, n) == (EPOCH_CUT, 0)
    verdict, n, counts = epoch_read(header_3() + epoch_3(0.0) + "x\n" + epoch_3(1.0))
    assert (verdict, n, counts[N_EPOCH_BAD_HEADER]) == (EPOCH_OK, 5, 1)
    verdict, n, counts = epoch_read(header_3() + epoch_3(0.0).replace("000.001", "0x0.001"))
    assert (verdict, counts[N_BAD_FIELD]) == (EPOCH_OK, 3)


@pytest.mark.parametrize(
    ("verdict", "counter"),
    [
        (EPOCH_OK, N_EPOCH_KEPT),
        (EPOCH_CUT, N_EPOCH_TRUNCATED),
        (EPOCH_COUNT_WRONG, N_EPOCH_COUNT_WRONG),
    ],
)
def test_an_epoch_is_kept_or_counted(verdict, counter):
    line = epoch_line(7.0, 3, flag=1).rstrip("\n").ljust(41) + "  -.000250000000"[1:]
    scan, (start, stop) = behind_head(header_3() + line + "\n" + COMMENT + "\n\n" + epoch_3(1.0))
    epochs, _ = _output(4, 4)
    counts, cursor = np.zeros(N_COUNTER, np.int64), scan.cursor
    cursor[CUR_EPOCHS], cursor[CUR_EVENT], cursor[CUR_ROWS] = 2, 8, 11
    close_epoch(scan.text, start, stop, verdict, cursor, scan.work, epochs, counts)
    assert (counts[counter], counts[N_COMMENT_LINE], counts[N_BLANK_LINE]) == (1, 1, 2)
    assert counts.sum() == 4
    if verdict == EPOCH_OK:
        assert epochs.time_ns[2] == ns_from_calendar(2024, 6, 24, 8, 20, 7 * 10**9)
        assert epochs.event[2] == 8 | EVENT_POWER_FAILURE
        assert epochs.rx_clock_s[2] == -2.5e-4
        assert (epochs.row_stop[2], epochs.offset[2]) == (11, start)
        assert (cursor[CUR_EPOCHS], cursor[CUR_EVENT]) == (3, 0)
    else:
        assert (cursor[CUR_EPOCHS], cursor[CUR_EVENT]) == (2, 8)


def scanned(text, n_epoch=9, n_row=99):
    """(status, seconds of the epochs, position, counters, first occurrences) of a text."""
    scan = scan_of(text)
    epochs, rows = _output(n_epoch, n_row)
    status = scan_epochs(
        scan.text, scan.words, scan.columns, scan.fields, scan.work,
        epochs, rows, scan.cursor, scan.counts, scan.first,
    )  # fmt: skip
    n = int(scan.cursor[CUR_EPOCHS])
    start_ns = ns_from_calendar(2024, 6, 24, 8, 20)
    seconds = ((epochs.time_ns[:n] - start_ns) * 1e-9).tolist()
    return status, seconds, int(scan.cursor[CUR_POSITION]), scan.counts, scan.first


def test_scan_until_the_end_of_the_text():
    text = file_3(3)
    status, seconds, position, counts, first = scanned(text)
    assert (status, seconds, position) == (SCAN_END, [0.0, 1.0, 2.0], len(text))
    assert counts[N_EPOCH_KEPT] == counts.sum() == 3
    assert first[N_EPOCH_KEPT] == text.index("> 2024")


def test_scan_stops_at_events_and_where_the_output_is_full():
    text = file_3(3)
    third = text.rindex("> 2024")
    for size in ({"n_epoch": 2}, {"n_row": 15}):
        status, seconds, position, _, _ = scanned(text, **size)
        assert (status, seconds, position) == (SCAN_FULL, [0.0, 1.0], third)
    assert scanned(text, n_row=16)[0] == SCAN_END, "three signals at most to a satellite"
    event = text[:third] + "> 2024 06 24 08 20  1.5000000  4  1\n" + COMMENT + text[third:]
    status, seconds, position, _, _ = scanned(event)
    assert (status, seconds, position) == (SCAN_EVENT, [0.0, 1.0], third)


def test_damaged_epoch_lines_are_passed_over_and_counted_where_they_stand():
    text = file_3(3)
    second = text.index("> 2024", text.index("> 2024") + 1)
    damaged = text[:second] + text[second:].replace("> 2024 06", "> 2024 x6", 1)
    status, seconds, _, counts, first = scanned(damaged)
    assert (status, seconds) == (SCAN_END, [0.0, 2.0])
    assert (counts[N_EPOCH_BAD_HEADER], first[N_EPOCH_BAD_HEADER]) == (1, second)
    assert scanned(text + "> 2024 06 2")[3][N_EPOCH_TRUNCATED] == 1
    assert scanned(text + "\n" + COMMENT)[3][N_COMMENT_LINE] == 1
    before = text.index("> 2024")
    counts = scanned(text[:before] + "\n" + COMMENT + text[before:])[3]
    assert (counts[N_COMMENT_LINE], counts[N_BLANK_LINE], counts[N_EPOCH_KEPT]) == (1, 1, 3)
