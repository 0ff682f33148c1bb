"""The .pos writer against the columns of RTKLIB, and the reader against both."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.errors import FileError
from rtkpos.gnss.time import ns_from_week
from rtkpos.io.solutions.pos import format_pos, parse_pos, read_pos
from rtkpos.records.status import FixStatus
from tests.data import dataset_path, text_of
from tests.io.made_solution import PLACE_ECEF_M, START_NS, made_solution

# Lines printed by rnx2rtkp 2.4.3 b34 for the data set static-nagoya-2024.
LEGEND = (
    "% (lat/lon/height=WGS84/ellipsoidal,Q=1:fix,2:float,3:sbas,4:dgps,5:single,6:ppp,"
    "ns=# of satellites)"
)
HEAD_CALENDAR = (
    "%  GPST                  latitude(deg) longitude(deg)  height(m)   Q  ns   sdn(m)   sde(m)"
    "   sdu(m)  sdne(m)  sdeu(m)  sdun(m) age(s)  ratio"
)
HEAD_TOW = (
    "%  GPST          latitude(deg) longitude(deg)  height(m)   Q  ns   sdn(m)   sde(m)"
    "   sdu(m)  sdne(m)  sdeu(m)  sdun(m) age(s)  ratio"
)
HEAD_VELOCITY = "    vn(m/s)    ve(m/s)    vu(m/s)"
ROW_CALENDAR = (
    "2024/06/24 08:20:00.000   35.134699014  136.977575478   104.8606   1  42   0.0024   0.0024"
    "   0.0064   0.0009  -0.0016  -0.0024   0.00    9.6    0.00141   -0.00126   -0.01073"
)
ROW_TOW = (
    "2320 116400.000   35.134699030  136.977575464   104.8557   1  16   0.0043   0.0034   0.0087"
    "   0.0003  -0.0013  -0.0034   0.00   22.8"
)
ROW_XYZ = (
    "%  GPST                      x-ecef(m)      y-ecef(m)      z-ecef(m)   Q  ns   sdx(m)\n"
    "2024/06/24 08:20:00.000  -3817681.3740   3562839.9755   3650158.3738   1  16   0.0063"
    "   0.0062   0.0051  -0.0053   0.0041  -0.0040   0.00   22.8\n"
)
MICROMETRE_M = 1e-6


def ends_of_words(line: str) -> list[int]:
    """Columns in which words end: RTKLIB's numbers are right-justified."""
    return [k for k in range(len(line)) if line[k] != " " and line[k + 1 : k + 2] in ("", " ")]


def rows_of(text: str) -> list[str]:
    """The position lines."""
    return [line for line in text.splitlines() if not line.startswith("%")]


def test_header_lines_are_rtklibs() -> None:
    text = format_pos(made_solution(), inputs=["rover.obs", "base.obs"])
    lines = text.splitlines()
    assert lines[0].startswith("% program   : rtkpos ver.")
    assert "% inp file  : rover.obs" in lines
    assert "% obs start : 2024/06/24 08:20:00.0 GPST (week2320 116400.0s)" in lines
    assert "% obs end   : 2024/06/24 08:20:04.0 GPST (week2320 116404.0s)" in lines
    assert "% ref pos   : 35.134707705  136.977577939   104.8529" in lines
    assert LEGEND in lines
    assert HEAD_CALENDAR in lines


def test_columns_stand_where_rtklib_has_them() -> None:
    text = format_pos(made_solution(), with_velocity=True)
    assert HEAD_CALENDAR + HEAD_VELOCITY in text.splitlines()
    assert ends_of_words(rows_of(text)[0]) == ends_of_words(ROW_CALENDAR)
    by_week = format_pos(made_solution(), week_and_tow=True)
    assert HEAD_TOW in by_week.splitlines()
    assert ends_of_words(rows_of(by_week)[0]) == ends_of_words(ROW_TOW)


def test_statuses_become_rtklibs_quality_and_none_has_no_line() -> None:
    quality = [int(line.split()[5]) for line in rows_of(format_pos(made_solution()))]
    assert quality == [1, 2, 4, 5]


def test_sigmas_and_covariances_are_signed_roots_in_north_east_up() -> None:
    cov = np.array([[4e-4, 1e-4, -9e-6], [1e-4, 9e-4, 16e-6], [-9e-6, 16e-6, 25e-4]])
    text = format_pos(made_solution((FixStatus.FIXED,), cov_enu_m2=cov))
    words = rows_of(text)[0].split()
    # sdn sde sdu sdne sdeu sdun
    assert [float(w) for w in words[7:13]] == [0.03, 0.02, 0.05, 0.01, -0.003, 0.004]


def test_velocity_is_north_east_up_and_nan_without_one() -> None:
    solution = made_solution((FixStatus.FIXED, FixStatus.FIXED))
    solution.velocity_mps[1] = np.nan
    rows = rows_of(format_pos(solution, with_velocity=True))
    assert [float(w) for w in rows[0].split()[15:]] == pytest.approx([4.0, 3.0, 0.5])
    assert rows[1].split()[15:] == ["nan"] * 3


def test_time_rounds_as_a_whole() -> None:
    solution = made_solution((FixStatus.FIXED,))
    solution.time_ns[0] = START_NS + 59_999_600_000
    assert rows_of(format_pos(solution))[0].startswith("2024/06/24 08:21:00.000 ")
    by_week = rows_of(format_pos(solution, week_and_tow=True))[0]
    assert by_week.startswith("2320 116460.000 ")


def test_round_trip_keeps_place_time_and_quality() -> None:
    solution = made_solution()
    for week_and_tow in (False, True):
        table = parse_pos(format_pos(solution, week_and_tow=week_and_tow))
        assert table.time_ns.tolist() == solution.time_ns[:4].tolist()
        assert table.quality.tolist() == [1, 2, 4, 5]
        assert table.n_sat.tolist() == [17] * 4
        assert np.allclose(table.ratio, 12.3)
        # nine decimals of a degree and four of a metre: 0.06 mm + 0.05 mm
        assert np.abs(table.ecef_m - solution.ecef_m[:4]).max() < 1.2e-4


def test_reads_lines_of_rnx2rtkp() -> None:
    table = parse_pos(f"{ROW_TOW}\r\n")
    assert table.time_ns[0] == ns_from_week(2320, 116400.0)
    assert np.linalg.norm(table.ecef_m[0] - PLACE_ECEF_M) < 0.02
    xyz = parse_pos(ROW_XYZ)
    assert np.abs(xyz.ecef_m[0] - (-3817681.3740, 3562839.9755, 3650158.3738)).max() < MICROMETRE_M


def test_reads_utc_files_as_gpst() -> None:
    table = parse_pos("%  UTC   latitude(deg)\n" + ROW_CALENDAR.replace("08:20:00", "08:19:42"))
    assert table.time_ns[0] == START_NS


def test_reads_a_file_of_rtklib() -> None:
    path = dataset_path("static-nagoya-2024", "rover_rtk.pos.gz")
    table = parse_pos(text_of(path))
    assert len(table.time_ns) == 301
    assert np.linalg.norm(table.ecef_m.mean(axis=0) - PLACE_ECEF_M) < 0.05


def test_file_without_positions_is_refused(tmp_path) -> None:
    (tmp_path / "x.pos").write_text("% nothing\nhello world\n")
    with pytest.raises(FileError, match="holds no position line"):
        read_pos(tmp_path / "x.pos")
    with pytest.raises(FileError, match="cannot be read"):
        read_pos(tmp_path / "none.pos")


def test_a_file_of_baselines_is_refused_as_positions(tmp_path) -> None:
    path = tmp_path / "vector.pos"
    vector = np.tile([1.0, 2.0, 3.0], (5, 1))
    path.write_text(format_pos(made_solution(mode="moving_base", baseline_ecef_m=vector)))
    with pytest.raises(FileError, match="holds baselines"):
        read_pos(path)
