"""SP3 door: every version on real files, honest about cuts, gaps and other time systems."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.core.orbits.precise_orbit import (
    PRECISE_OK,
    PreciseArrays,
    precise_clock,
    precise_position,
)
from rtkpos.errors import FileError
from rtkpos.gnss.systems import SYSTEM_LETTERS, sat_from_name
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.io.products.sp3 import read_sp3, read_sp3_files
from tests.data import dataset_path, text_of

MILLIMETRE = 1e-3
NS = 10**9

# (data set, file, epochs, satellites, systems, frame): versions d, d, c, c, a.
REAL_FILES = [
    ("products-misc", "COD0MGXFIN_20230500000_01D_05M_ORB.SP3.gz", 289, 118, "CEGJR", "IGS20"),
    ("ppp-jfng-2019-045", "COD0MGXFIN_20190450000_01D_05M_ORB.sp3.gz", 289, 92, "CEGJR", "IGS14"),
    ("products-misc", "ESA0OPSRAP_20232390000_01D_15M_ORB.SP3.gz", 96, 54, "GR", "ITRF2"),
    ("ppp-esbc-2020-177", "GRG0MGXFIN_20201770000_01D_15M_ORB.SP3.gz", 96, 75, "EGR", "IGb14"),
    ("products-misc", "emr08874.sp3.gz", 96, 25, "G", "ITR95"),
]


def letters(table):
    return "".join(sorted({SYSTEM_LETTERS[int(s) >> 6] for s in table.sat}))


@pytest.mark.parametrize(("folder", "name", "n_epoch", "n_sat", "systems", "frame"), REAL_FILES)
def test_every_version_is_read(folder, name, n_epoch, n_sat, systems, frame):
    t = read_sp3(dataset_path(folder, name))
    assert t.position_m.shape == (n_epoch, n_sat, 3)
    assert t.clock_s.shape == (n_epoch, n_sat)
    assert (letters(t), t.frame) == (systems, frame)
    assert (np.diff(t.time_ns) > 0).all()
    assert (np.diff(t.sat) > 0).all()
    radius_m = np.linalg.norm(t.position_m, axis=2)
    assert np.nanmin(radius_m) > 2.2e7
    assert np.nanmax(radius_m) < 4.6e7
    assert np.nanmax(np.abs(t.clock_s)) < 0.5  # 0.37 s: a satellite under test
    missing = t.report.counts["no_position"]
    assert missing == np.isnan(t.position_m[:, :, 0]).sum()


def test_a_record_of_the_file_stands_in_its_place():
    path = dataset_path("products-misc", "COD0MGXFIN_20230500000_01D_05M_ORB.SP3.gz")
    t = read_sp3(path)
    when, seen = "", 0
    rows = {ns: i for i, ns in enumerate(t.time_ns)}
    columns = {int(s): i for i, s in enumerate(t.sat)}
    for line in text_of(path).splitlines():
        if line[0] == "*":
            when = line
        elif line[:4] in ("PC21", "PG01", "PJ07", "PE36", "PR24") and float(line[4:18]) != 0.0:
            y, mo, d, h, mi, s = when[3:].split()
            ns = ns_from_calendar(int(y), int(mo), int(d), int(h), int(mi), int(float(s)) * NS)
            i, k = rows[ns], columns[sat_from_name(line[1:4])]
            want = np.array([float(line[4:18]), float(line[18:32]), float(line[32:46])]) * 1e3
            np.testing.assert_allclose(t.position_m[i, k], want, atol=1e-6)
            seen += 1
    assert seen > 800


def leave_one_out(table, step, letters_wanted):
    """Errors [m] at the epochs between every `step`-th one, away from the edges."""
    a = table.arrays()
    thin = PreciseArrays(
        a.time_ns[::step].copy(),
        a.column,
        a.position_m[::step].copy(),
        a.clock_s[::step].copy(),
    )
    position, velocity, errors = np.empty(3), np.empty(3), []
    edge = 5 * step
    for sat in table.sat:
        if SYSTEM_LETTERS[int(sat) >> 6] not in letters_wanted:
            continue
        for row in range(edge, len(a.time_ns) - edge):
            want = a.position_m[row, a.column[sat]]
            if row % step and np.isfinite(want[0]):
                if precise_position(thin, int(sat), a.time_ns[row], position, velocity):
                    continue
                errors.append(np.linalg.norm(position - want))
    return np.array(errors)


def test_interpolation_of_left_out_epochs_is_good_to_millimetres():
    table = read_sp3(dataset_path("products-misc", "COD0MGXFIN_20230500000_01D_05M_ORB.SP3.gz"))
    # 10 min and 15 min steps made from a 5 min file; positions are rounded to 1 mm in it at best.
    for step in (2, 3):
        errors = leave_one_out(table, step, "GRC")
        assert len(errors) > 5000
        assert np.median(errors) < 2 * MILLIMETRE
        assert errors.max() < 10 * MILLIMETRE


def test_thirty_minute_steps_are_good_to_a_centimetre():
    table = read_sp3(dataset_path("products-misc", "ESA0OPSRAP_20232390000_01D_15M_ORB.SP3.gz"))
    errors = leave_one_out(table, 2, "GR")
    assert np.median(errors) < 10 * MILLIMETRE
    assert np.percentile(errors, 95) < 40 * MILLIMETRE
    assert errors.max() < 150 * MILLIMETRE


def test_clock_between_epochs():
    t = read_sp3(dataset_path("products-misc", "COD0MGXFIN_20230500000_01D_05M_ORB.SP3.gz"))
    a, sat = t.arrays(), sat_from_name("E30")
    column = a.column[sat]
    middle = precise_clock(a, sat, int(t.time_ns[10]) + 150 * NS)
    assert middle == pytest.approx(np.mean(t.clock_s[10:12, column]), abs=1e-18)


def test_two_days_join_and_midnight_is_no_edge_any_more():
    names = [f"GRG0MGXFIN_2020{day}0000_01D_15M_ORB.SP3.gz" for day in (176, 177)]
    paths = [dataset_path("ppp-esbc-2020-177", name) for name in names]
    both = read_sp3_files(paths)
    assert len(both.time_ns) == 192
    assert both.source == tuple(str(p) for p in paths)
    position, velocity = np.empty(3), np.empty(3)
    when_ns = ns_from_calendar(2020, 6, 24, 23, 52, 30 * NS)
    status = precise_position(both.arrays(), sat_from_name("E11"), when_ns, position, velocity)
    assert status == PRECISE_OK
    assert np.linalg.norm(position) == pytest.approx(29.6e6, rel=0.001)


def sp3_text(time_system="GPS", version="c", seconds=("0.00000000", "0.00000000"), end="EOF\n"):
    """A small file: three satellites, two epochs."""
    first = (
        f"*  2024  7  1  0  0  {seconds[0]}\n"
        "PG01  10000.000000  20000.000000  14000.000000    100.000000\n"
        "PC06 -10000.000000  30000.000000  27000.000000   -200.000000\n"
        "PE11      0.000000      0.000000      0.000000 999999.999999\n"
    )
    second = (
        f"*  2024  7  1  0 15  {seconds[1]}\n"
        "PC06 -11000.000000  30000.000000  27000.000000 999999.999999\n"
        "PG01  11000.000000  20000.000000  14000.000000    101.000000\n"
    )
    head = (
        f"#{version}P2024  7  1  0  0  0.00000000       2 ORBIT IGS20 HLM  TST\n"
        "## 2321  86400.00000000   900.00000000 60492 0.0000000000000\n"
        "+    3   G01C06E11" + "  0" * 14 + "\n"
        "++         0  0  0" + "  0" * 14 + "\n"
        f"%c M  cc {time_system} ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc\n"
        "/* a comment\n"
    )
    return head + first + second + end


def read_text(tmp_path, text):
    path = tmp_path / "orbit.sp3"
    path.write_text(text)
    return read_sp3(path)


def test_records_are_placed_by_their_name_not_by_their_order(tmp_path):
    t = read_text(tmp_path, sp3_text())
    g01, c06, e11 = (list(t.sat).index(sat_from_name(name)) for name in ("G01", "C06", "E11"))
    np.testing.assert_allclose(t.position_m[:, g01, 0], [1.0e7, 1.1e7])
    np.testing.assert_allclose(t.position_m[:, c06, 0], [-1.0e7, -1.1e7])
    np.testing.assert_allclose(t.clock_s[:, g01], [1.00e-4, 1.01e-4])
    assert np.isnan(t.position_m[:, e11]).all()
    assert np.isnan(t.clock_s[1, c06])
    assert t.report.counts == {"no_position": 2, "no_clock": 1}


@pytest.mark.parametrize(
    ("time_system", "ahead_s"), [("GPS", 0), ("GAL", 0), ("BDT", 14), ("UTC", 18), ("TAI", -19)]
)
def test_time_systems_become_gpst(tmp_path, time_system, ahead_s):
    t = read_text(tmp_path, sp3_text(time_system))
    assert t.time_ns[0] == ns_from_calendar(2024, 7, 1) + ahead_s * NS


def test_unknown_time_system_is_an_error(tmp_path):
    with pytest.raises(FileError, match="unknown time system 'XYZ'"):
        read_text(tmp_path, sp3_text("XYZ"))


def test_seconds_without_leading_zero(tmp_path):
    t = read_text(tmp_path, sp3_text(seconds=("  .0000000", "30.0000000")))
    assert t.time_ns[1] - t.time_ns[0] == 930 * NS


def test_cut_file_keeps_what_is_whole_and_says_so(tmp_path):
    whole = sp3_text(end="")
    for size in (3, 16, 20, 35):
        t = read_text(tmp_path, whole[:-size])
        g01 = list(t.sat).index(sat_from_name("G01"))
        assert np.isnan(t.position_m[1, g01]).all()
        assert t.report.counts["bad_record"] == 1
    assert any("may be cut" in line for line in t.report.warnings)


def test_every_cut_is_an_answer_or_one_sentence(tmp_path):
    text = sp3_text()
    n_epoch = []
    for size in range(0, len(text), 7):
        try:
            n_epoch.append(len(read_text(tmp_path, text[:size]).time_ns))
        except FileError as error:
            n_epoch.append(-str(error).count("\n"))
    assert n_epoch == sorted(n_epoch)
    assert set(n_epoch) == {0, 1, 2}


def test_damaged_numbers_are_counted(tmp_path):
    t = read_text(tmp_path, sp3_text().replace("  11000.000000", "  11000.0x0000"))
    assert t.report.counts["bad_record"] == 1


def test_epoch_twice_is_kept_once(tmp_path):
    t = read_text(tmp_path, sp3_text().replace("  7  1  0 15  ", "  7  1  0  0  "))
    assert len(t.time_ns) == 1
    assert t.report.counts["duplicate_epoch"] == 1


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x01\x02" * 50, b"#cP2024\n", b"hello\n"])
def test_not_sp3_is_one_sentence(tmp_path, content):
    path = tmp_path / "not.sp3"
    path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        read_sp3(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_folder_broken_gzip_and_empty_list(tmp_path):
    broken = tmp_path / "broken.sp3.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00 this is no gzip")
    for path in (tmp_path / "absent.sp3", tmp_path, broken):
        with pytest.raises(FileError, match=str(path)):
            read_sp3(path)
    with pytest.raises(FileError, match="at least one path"):
        read_sp3_files([])


def test_files_of_different_frames_are_not_mixed(tmp_path):
    one, two = tmp_path / "one.sp3", tmp_path / "two.sp3"
    one.write_text(sp3_text())
    two.write_text(sp3_text().replace("IGS20", "IGS14"))
    with pytest.raises(FileError, match="IGS14, IGS20"):
        read_sp3_files([one, two])
