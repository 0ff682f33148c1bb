"""Crafted navigation texts: damage costs one record, rollovers and odd spellings cost nothing."""

from __future__ import annotations

import gzip
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtkpos.core import tables as t
from rtkpos.errors import RinexError, RtkposError
from rtkpos.gnss.systems import sat_from_name
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.io.rinex.read_navigation import read_nav
from rtkpos.records.broadcast import Message

NS = 1_000_000_000


def header(version="3.04", kind="N: GNSS NAV DATA    M: MIXED", extra=()):
    lines = [f"{version:>9}{'':11}{kind:<40}RINEX VERSION / TYPE", *extra]
    return "\n".join([*lines, f"{'':60}END OF HEADER"]) + "\n"


def field(value):
    return " " * 19 if value is None else f"{value:19.12E}"


def record(start, values, indent=4):
    """A record from its first 23 (22) columns and its numbers: 3, then 4 per line."""
    lines = [start + "".join(map(field, values[:3]))]
    for k in range(3, len(values), 4):
        lines.append(" " * indent + "".join(map(field, values[k : k + 4])))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def gps(epoch="2024 06 24 10 00 00", sat="G05", toe=122_400.0, tx=115_218.0, **change):
    values = [-1.7e-4, -1.3e-12, 0.0]
    values += [72.0, -98.2, 4.29e-9, 1.71, -5.3e-6, 5.9e-3, 1.8e-6, 5153.6]
    values += [toe, 3.3e-8, 2.52, -5.8e-8, 0.972, 353.6, 1.27, -8.3e-9]
    values += [-2.6e-10, 1.0, 2320.0, 0.0, 2.0, 0.0, -1.07e-8, 72.0, tx, 4.0]
    for index, value in change.items():
        values[int(index[1:])] = value
    return record(f"{sat} {epoch}", values)


def read(text, **options):
    return read_nav(text.encode("latin-1"), **options)


@pytest.mark.parametrize("line", ["G05 2024", "G06 2024", "    2.52", "END OF HEADER"])
def test_end_of_file_marks_of_old_systems_cost_no_record(line):
    text = header() + gps() + gps(sat="G06")
    start = text.rfind("\n", 0, text.find(line)) + 1
    for at in (start, text.find("\n", start)):
        nav = read(text[:at] + "\x1a" + text[at:] + "\x1a\r\n\x1a", strict=True)
        assert nav.n_ephemeris == 2
        assert nav.report.counts["bad_record"] == 0


def test_week_rollovers_and_year_ends_are_whole_times():
    """toe at the first and last seconds of a week, tx in the week before, new year in between."""
    nav = read(
        header()
        + gps("2023 12 31 00 00 00", "G01", 0.0, 597_618.0)
        + gps("2023 12 31 00 00 00", "G02", 604_800.0, -7182.0)
        + gps("2023 12 30 23 59 44", "G03", 604_784.0, 604_000.0)
        + gps("2024 01 01 00 00 00", "G04", 86_400.0, 86_000.0)
        + gps("2019 04 07 00 00 00", "G05", 0.0, 0.0, v21=0.0)
    )
    sunday = ns_from_calendar(2023, 12, 31)
    assert nav.toe_ns.tolist() == [
        sunday,
        sunday,
        sunday - 16 * NS,
        ns_from_calendar(2024, 1, 1),
        ns_from_calendar(2019, 4, 7),
    ]
    assert (nav.toe_ns - nav.tx_ns)[:3].tolist() == [7182 * NS, 7182 * NS, 784 * NS]
    assert nav.param[:, t.P_TOE_SOW].tolist() == [0.0, 0.0, 604_784.0, 86_400.0, 0.0]


def test_beidou_and_glonass_times_become_gpst():
    beidou = gps("2024 06 24 10 00 00", "C21", 122_400.0, 122_400.0, v10=5282.6)
    values = [8.9e-5, 1.8e-12, 0.0, 14220.1, -0.49, -9e-10, 0.0]
    values += [-20433.4, 0.59, 9e-10, 1.0, 5539.7, 3.46, 0.0, 0.0]
    before = record("R01 2016 12 31 23 45 00", values)
    after = record("R01 2017 01 01 00 15 00", values)
    nav = read(header() + beidou + before + after)
    leap_17 = ns_from_calendar(2016, 12, 31, 23, 45) + 17 * NS
    leap_18 = ns_from_calendar(2017, 1, 1, 0, 15) + 18 * NS
    assert nav.toe_ns.tolist() == [leap_17, leap_18, ns_from_calendar(2024, 6, 24, 10, 0, 14 * NS)]
    assert nav.toe_ns[1] - nav.toe_ns[0] == 1801 * NS
    assert nav.message.tolist() == [Message.FDMA, Message.FDMA, Message.D1]
    assert nav.param[0, t.G_X] == 14_220_100.0
    assert nav.param[0, t.G_TAU_N] == -8.9e-5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"v8": 0.5}, "out_of_range"),
        ({"v10": 0.0}, "out_of_range"),
        ({"v10": None}, "out_of_range"),
        ({"v15": 0.0}, "out_of_range"),
        ({"v0": 1.0}, "out_of_range"),
        ({"v11": None}, "out_of_range"),
        ({"v11": 180_000.0}, "toe_toc_mismatch"),
        ({"v26": 73.0}, "issue_mismatch"),
    ],
)
def test_absurd_or_mixed_records_are_dropped_and_counted(change, reason):
    toe = change.pop("v11", 122_400.0)
    nav = read(header() + gps() + gps(sat="G06", toe=toe, **change))
    assert nav.sat.tolist() == [sat_from_name("G05")]
    assert nav.report.counts[reason] == 1
    assert nav.report.first[reason] == "<bytes> line 11"
    with pytest.raises(RinexError, match=reason.replace("_", " ")):
        read(header() + gps() + gps(sat="G06", toe=toe, **change), strict=True)


@pytest.mark.parametrize(
    ("change", "healthy", "accuracy"),
    [
        ({}, 1, 2.0),
        ({"v24": 63.0}, 0, 2.0),
        ({"v24": 1.0}, 0, 2.0),
        ({"v23": 8192.0}, 0, np.nan),
        ({"v24": None}, 1, 2.0),
        ({"v23": None}, 1, np.nan),
    ],
)
def test_gps_health_and_accuracy(change, healthy, accuracy):
    nav = read(header() + gps(**change))
    assert nav.healthy.tolist() == [healthy]
    assert np.array_equal(nav.accuracy_m, [accuracy], equal_nan=True)


@pytest.mark.parametrize(
    ("word", "healthy"), [(0, 1), (1, 1), (16, 1), (17, 0), (2, 1), (8, 0), (4, 0), (32, 0)]
)
def test_qzss_signals_not_used_do_not_condemn(word, healthy):
    nav = read(header() + gps(sat="J02", v10=6493.6, v8=0.0747, v24=float(word)))
    assert nav.healthy.tolist() == [healthy]


@pytest.mark.parametrize(
    ("source", "health", "sisa", "message", "healthy"),
    [
        (517.0, 0.0, 3.12, Message.INAV, 1),
        (513.0, 0.0, 3.12, Message.INAV, 1),
        (516.0, 2.0, 3.12, Message.INAV, 0),
        (258.0, 0.0, 3.12, Message.FNAV, 1),
        (2.0, 0.0, 3.12, Message.FNAV, 1),
        (0.0, 0.0, 3.12, Message.INAV, 1),
        (517.0, 0.0, -1.0, Message.INAV, 0),
    ],
)
def test_galileo_message_health_and_napa(source, health, sisa, message, healthy):
    nav = read(header() + gps(sat="E12", v10=5440.6, v20=source, v24=health, v23=sisa))
    assert (nav.message.tolist(), nav.healthy.tolist()) == ([message], [healthy])
    assert np.isnan(nav.accuracy_m[0]) == (sisa < 0)


def test_latest_transmission_wins_and_conflicts_are_counted():
    early, late = gps(tx=115_218.0), gps(tx=118_818.0, v24=63.0)
    other = gps(tx=115_218.0, v6=1.72)
    for text in (early + late, late + early):
        nav = read(header() + text)
        assert nav.healthy.tolist() == [0]
        assert nav.report.counts["duplicate"] == 1
        assert nav.report.counts["conflicting_duplicate"] == 0
    chosen = {float(read(header() + x).param[0, t.P_M0]) for x in (early + other, other + early)}
    assert len(chosen) == 1
    assert read(header() + early + other).report.counts["conflicting_duplicate"] == 1


def test_damage_costs_the_record_it_stands_in():
    lines = gps(sat="G06").splitlines(keepends=True)
    before, after = gps(), gps(sat="G07")
    broken = {
        "garbage start": ["\x00\x07??" + lines[0][5:], *lines[1:]],
        "cut": lines[:4],
        "garbage line": [*lines[:3], "#!%&/()\n", *lines[4:]],
        "lost line": [*lines[:3], *lines[5:]],
        "no such day": [lines[0].replace("06 24", "02 30"), *lines[1:]],
        "bad number": [*lines[:2], lines[2].replace("5.1536", "5.1x36"), *lines[3:]],
        "no such satellite": [lines[0].replace("G06", "G99"), *lines[1:]],
    }
    for name, damaged in broken.items():
        nav = read(header() + before + "".join(damaged) + after)
        assert nav.sat.tolist() == [sat_from_name("G05"), sat_from_name("G07")], name
        assert nav.report.lines(), name
        with pytest.raises(RinexError, match="line 1"):
            read(header() + before + "".join(damaged) + after, strict=True)


def test_spellings_that_are_no_damage():
    text = header() + gps() + gps(sat="G06")
    wanted = read(text)
    for other in (
        text.replace("\n", "\r\n"),
        text.replace("E-", "D-").replace("E+", "d+"),
        text.replace("G06", "G 6"),
        "\n" + text,
        text.rstrip("\n"),
        text + "\n\n",
        "\n".join(line + "   " for line in text.split("\n")),
    ):
        nav = read(other)
        assert np.array_equal(nav.param, wanted.param)
        assert not nav.report.counts
    # A spare field may hold anything, the last line may be missing.
    assert read(header() + gps() + "".join(gps(sat="G06").splitlines(True)[:7])).n_ephemeris == 2


def test_a_cut_last_line_loses_the_cut_number_only():
    text = header() + gps()
    for end in range(len(text) - 60, len(text) - 20):
        nav = read(text[:end])
        assert nav.n_ephemeris == 1
        assert nav.tx_ns[0] in (nav.toe_ns[0] - 7182 * NS, nav.toe_ns[0]), end


def test_rinex2_files_of_gps_and_glonass():
    values = [-1.7e-4, -1.3e-12, 0.0, 72.0, -98.2, 4.29e-9, 1.71, -5.3e-6, 5.9e-3, 1.8e-6, 5153.6]
    values += [122_400.0, 3.3e-8, 2.52, -5.8e-8, 0.972, 353.6, 1.27, -8.3e-9]
    values += [-2.6e-10, 1.0, 2320.0, 0.0, 2.0, 0.0, -1.07e-8, 72.0, 115_218.0, 4.0]
    extra = (
        f"{'    .1676D-07   .2235D-07  -.1192D-06  -.1192D-06':60}ION ALPHA",
        f"{'    .1208D+06   .1310D+06  -.1310D+06  -.1966D+06':60}ION BETA",
        f"{'    17':60}LEAP SECONDS",
    )
    text = header("2.11", "N: GPS NAV DATA", extra) + record(" 5 24  6 24 10  0  0.0", values, 3)
    nav = read(text)
    assert nav.sat.tolist() == [sat_from_name("G05")]
    assert nav.toe_ns[0] == ns_from_calendar(2024, 6, 24, 10)
    assert nav.ionosphere[0].coefficients[[0, 4]].tolist() == [1.676e-8, 1.208e5]
    assert "17 leap seconds, the table 18" in nav.report.warnings[0]
    values = [8.9e-5, 1.8e-12, 1800.0, 14220.1, -0.49, -9e-10, 0.0]
    values += [-20433.4, 0.59, 9e-10, 1.0, 5539.7, 3.46, 0.0, 0.0]
    text = header("2.11", "GLONASS NAV DATA") + record(" 1 96 12 31 23 45  0.0", values, 3)
    nav = read(text)
    assert nav.toe_ns[0] == ns_from_calendar(1996, 12, 31, 23, 45, 11 * NS)
    assert nav.tx_ns[0] == ns_from_calendar(1997, 1, 1, 0, 30, 11 * NS)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (header(kind="O: OBSERVATION DATA"), "OBSERVATION"),
        (header("9.04"), "version"),
        (header().replace("END OF HEADER", "COMMENT"), "END OF HEADER"),
        ("hello\nworld\n", "RINEX"),
        ("", "empty"),
    ],
)
def test_what_is_no_navigation_file_is_refused(text, what):
    with pytest.raises(RtkposError, match=what):
        read(text)


def test_a_zip_gives_its_navigation_files_and_passes_over_the_others():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.obs", header(kind="O: OBSERVATION DATA"))
        archive.writestr("b.nav", header() + gps())
        archive.writestr("c.nav", header() + gps(sat="G06"))
    nav = read_nav(packed.getvalue())
    assert nav.n_ephemeris == 2
    assert [name.rpartition(":")[2] for name in nav.source] == ["b.nav", "c.nav"]
    assert read_nav(gzip.compress((header() + gps()).encode())).n_ephemeris == 1


def test_an_empty_file_gives_an_empty_table_and_a_warning():
    nav = read(header())
    assert nav.n_ephemeris == 0
    assert nav.param.shape == (0, t.N_PARAM)
    assert "no usable ephemeris" in nav.report.warnings[0]


def test_unknown_messages_of_rinex4_are_counted():
    values = gps().replace("G05 2024", "G05 2024")
    text = header("4.00") + "> EPH G05 XNAV\n" + values + "> EPH G05 LNAV\n" + values
    nav = read(text + "> STO G05 LNAV\n    broken\n> ION G05 LNAV\n> \n")
    assert nav.n_ephemeris == 1
    assert nav.report.counts["unsupported_message"] == 1
    assert nav.ionosphere == ()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_damage_ends_in_a_table_or_one_sentence(data):
    text = bytearray((header("4.00") + "> EPH G05 LNAV\n" + gps() + gps(sat="E12")).encode())
    for _ in range(data.draw(st.integers(1, 8))):
        where = data.draw(st.integers(0, len(text) - 1))
        kind = data.draw(st.sampled_from(("byte", "cut", "insert")))
        if kind == "byte":
            text[where] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del text[where : where + data.draw(st.integers(1, 200))]
        else:
            text[where:where] = data.draw(st.binary(max_size=30))
        if not text:
            break
    nav, refusal = None, ""
    try:
        nav = read_nav(bytes(text))
    except RtkposError as error:
        refusal = str(error)
    if nav is None:
        assert refusal.endswith(".")
    else:
        assert np.all(np.isfinite(nav.param))
