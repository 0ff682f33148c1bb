"""RTKLIB's position files (.pos): written so that its tools read ours, and read back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, TimeArray
from rtkpos.constants import NS_PER_S, NS_PER_WEEK
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation, geodetic_to_ecef
from rtkpos.errors import FileError
from rtkpos.gnss.time import checked_ns, iso_gpst, ns_from_calendar
from rtkpos.io.text.files import read_file_text
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus

# Quality flag Q of RTKLIB (manual 2.4.2, appendix B.1) by our status; NONE is not written.
POS_QUALITY = {FixStatus.FIXED: 1, FixStatus.FLOAT: 2, FixStatus.DGNSS: 4, FixStatus.SPP: 5}
STATUS_OF_QUALITY = {1: FixStatus.FIXED, 2: FixStatus.FLOAT, 4: FixStatus.DGNSS, 5: FixStatus.SPP}
MILLISECOND_NS = NS_PER_S // 1000
# Entries of the east, north, up covariance behind a position (sdn sde sdu sdne sdeu sdun) and
# behind a baseline (sde sdn sdu sden sdnu sdue).
_NORTH_FIRST = ((1, 1), (0, 0), (2, 2), (1, 0), (0, 2), (2, 1))
_EAST_FIRST = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))

_LEGEND = (
    "% (lat/lon/height=WGS84/ellipsoidal,Q=1:fix,2:float,3:sbas,4:dgps,5:single,6:ppp,"
    "ns=# of satellites)"
)
_COLUMNS = (
    "latitude(deg) longitude(deg)  height(m)   Q  ns   sdn(m)   sde(m)   sdu(m)  sdne(m)"
    "  sdeu(m)  sdun(m) age(s)  ratio"
)
_BASELINE_LEGEND = (
    "% (e/n/u-baseline=WGS84,Q=1:fix,2:float,3:sbas,4:dgps,5:single,6:ppp,ns=# of satellites)"
)
_BASELINE_COLUMNS = (
    "e-baseline(m)  n-baseline(m)  u-baseline(m)   Q  ns   sde(m)   sdn(m)   sdu(m)  sden(m)"
    "  sdnu(m)  sdue(m) age(s)  ratio"
)
_VELOCITY_COLUMNS = "    vn(m/s)    ve(m/s)    vu(m/s)"
_MODE_NAMES = {
    "single": "Single",
    "dgnss": "DGPS/DGNSS",
    "kinematic": "Kinematic",
    "static": "Static",
    "moving_base": "Moving-Base",
}


@dataclass(frozen=True, kw_only=True)
class PosTable:
    """Rows of a .pos file.

    Parameters
    ----------
    time_ns : ndarray of int64
        (n,) GPST [ns].
    ecef_m : ndarray of float64
        (n, 3) ECEF [m].
    quality : ndarray of int64
        (n,) RTKLIB's Q.
    n_sat : ndarray of int64
        (n,) satellites.
    sigma_neu_m : ndarray of float64
        (n, 3) north, east, up [m], NaN when not given.
    age_s : ndarray of float64
        (n,) NaN when not given.
    ratio : ndarray of float64
        (n,) NaN when not given.
    """

    time_ns: TimeArray
    ecef_m: FloatArray
    quality: IndexArray
    n_sat: IndexArray
    sigma_neu_m: FloatArray
    age_s: FloatArray
    ratio: FloatArray


def format_pos(
    solution: Solution,
    *,
    header: Iterable[tuple[str, str]] = (),
    inputs: Iterable[str] = (),
    week_and_tow: bool = False,
    with_velocity: bool = False,
) -> str:
    """Text of a .pos file: one line per epoch with a position, columns as rnx2rtkp writes them.

    A solution with a moving base gives the vector from base to rover, east, north, up at the base
    (RTKLIB's out-solformat enu), one line per epoch that has it.

    Epochs without a position have no line, as in RTKLIB.

    Parameters
    ----------
    solution : Solution
        The result of a run.
    header : iterable[tuple[str, str]], optional
        Further (name, value) of lines "% name : value", after the mode.
    inputs : iterable of str, optional
        Names of input files.
    week_and_tow : bool, optional
        Time as GPS week and seconds instead of calendar date (rnx2rtkp without -t).
    with_velocity : bool, optional
        Append vn, ve, vu [m/s] (RTKLIB's out-outvel), "nan" where there is none.

    Returns
    -------
    str
        The text.
    """
    lines = _header(solution, header, inputs)
    gap = 10 if week_and_tow else 18
    is_vector = solution.mode == "moving_base"
    legend = (_BASELINE_LEGEND, _BASELINE_COLUMNS) if is_vector else (_LEGEND, _COLUMNS)
    lines += [legend[0], "%  GPST" + " " * gap + legend[1] + _VELOCITY_COLUMNS * with_velocity]
    llh, rotation = np.empty(3), np.empty((3, 3))
    shown = solution.baseline_ecef_m if is_vector else solution.ecef_m
    for k in np.flatnonzero(np.isfinite(shown).all(axis=1)).tolist():
        quality = POS_QUALITY.get(FixStatus(int(solution.status[k])))
        if quality is None:
            continue
        ecef_to_geodetic(solution.ecef_m[k] - shown[k] if is_vector else shown[k], llh)
        enu_rotation(llh[0], llh[1], rotation)
        place = _vector_text(rotation @ shown[k]) if is_vector else _position_text(llh)
        line = f"{_time_text(int(solution.time_ns[k]), week_and_tow)} " + place
        order = _EAST_FIRST if is_vector else _NORTH_FIRST
        line += f" {quality:3d} {int(solution.n_sat[k]):3d}"
        line += _sigma_text(solution.cov_ecef_m2[k], rotation, order)
        line += f" {_zero_if_nan(solution.age_s[k]):6.2f} {_ratio(solution, k):6.1f}"
        if with_velocity:
            east, north, up = rotation @ solution.velocity_mps[k]
            line += f" {north:10.5f} {east:10.5f} {up:10.5f}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _header(
    solution: Solution, header: Iterable[tuple[str, str]], inputs: Iterable[str]
) -> list[str]:
    """The comment lines before the legend."""
    from rtkpos import __version__

    lines = [f"% program   : rtkpos ver.{__version__}"]
    lines += [f"% inp file  : {name}" for name in inputs]
    if solution.n_epoch:
        for label, time_ns in (("start", solution.time_ns[0]), ("end  ", solution.time_ns[-1])):
            week, tow_ns = divmod(int(time_ns), NS_PER_WEEK)
            moment = iso_gpst(int(time_ns), 1).replace("-", "/")
            lines.append(
                f"% obs {label} : {moment} GPST (week{week:04d} {tow_ns / NS_PER_S:8.1f}s)"
            )
    lines.append(f"% pos mode  : {_MODE_NAMES.get(solution.mode, solution.mode)}")
    lines += [f"% {name:<10}: {value}" for name, value in header]
    if solution.history.version:
        lines += [f"% input     : {line}" for line in solution.history.input_lines()]
        lines.append(f"% settings  : {solution.history.settings_line()}")
    if np.isfinite(solution.base_ecef_m).all():
        llh = np.empty(3)
        ecef_to_geodetic(np.ascontiguousarray(solution.base_ecef_m), llh)
        lines.append("% ref pos   :" + _position_text(llh)[1:])
    return [*lines, "%"]


def _time_text(time_ns: int, week_and_tow: bool) -> str:
    """Time to the millisecond, rounded as a whole so that 59.9996 s carries into the minute."""
    if not week_and_tow:
        return iso_gpst(time_ns, 3).replace("-", "/")
    half = MILLISECOND_NS // 2
    week, rest = divmod((time_ns + half) // MILLISECOND_NS * MILLISECOND_NS, NS_PER_WEEK)
    return f"{week:4d} {rest / NS_PER_S:10.3f}"


def _position_text(llh: FloatArray) -> str:
    """Latitude, longitude [deg] and height [m] in RTKLIB's columns, with the blank before."""
    return f" {np.degrees(llh[0]):13.9f} {np.degrees(llh[1]):14.9f} {llh[2]:10.4f}"


def _vector_text(enu_m: FloatArray) -> str:
    """East, north, up [m] in RTKLIB's columns, with the blank before."""
    return " " + " ".join(f"{value:14.4f}" for value in enu_m)


def _sigma_text(cov_m2: FloatArray, rotation: FloatArray, order: Sequence[tuple[int, int]]) -> str:
    """Columns of standard deviations and covariances as signed square roots [m].

    cov_m2 : (3, 3) ECEF      order : row and column of each in east, north, up
    """
    cov = rotation @ cov_m2 @ rotation.T
    terms = [cov[row, column] for row, column in order]
    signed = (np.sign(term) * np.sqrt(abs(term)) for term in terms)
    return "".join(f" {min(_zero_if_nan(value), 9999.9999):8.4f}" for value in signed)


def _zero_if_nan(value: float) -> float:
    """RTKLIB's columns have no word for "not given": it writes 0 there, and so must we."""
    return float(value) if np.isfinite(value) else 0.0


def _ratio(solution: Solution, k: int) -> float:
    """Ratio in its column, bounded as RTKLIB bounds it."""
    return min(_zero_if_nan(solution.ratio[k]), 999.9)


def read_pos(path: Path | str) -> PosTable:
    """Rows of a .pos file in lat/lon/height or x/y/z form, calendar or week time, GPST or UTC.

    Lines that do not parse are passed over; a file without one good line raises FileError, as does
    one of baselines, which has no positions.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    PosTable
        The rows.
    """
    text = read_file_text(path, errors="replace")
    if re.search(r"^%.*e-baseline\(m\)", text, re.MULTILINE):
        raise FileError(f"{path} holds baselines; give a file of positions.", str(path))
    table = parse_pos(text)
    if not len(table.time_ns):
        raise FileError(f"{path} holds no position line of a .pos file.", str(path))
    return table


def parse_pos(text: str) -> PosTable:
    """Rows of the text of a .pos file (see `read_pos`); empty when there is none."""
    is_xyz = re.search(r"^%.*x-ecef\(m\)", text, re.MULTILINE) is not None
    is_utc = re.search(r"^%[ \t]+UTC\s", text, re.MULTILINE) is not None
    rows = [row for line in text.splitlines() if (row := _parse_line(line)) is not None]
    times = np.array([row[0] for row in rows], dtype=np.int64)
    values = np.array([row[1] for row in rows], dtype=np.float64).reshape(-1, 10)
    if is_utc:
        from rtkpos.gnss.time import gpst_minus_utc_s

        leap = [gpst_minus_utc_s(int(t), time_is_utc=True) for t in times]
        times = times + np.array(leap, dtype=np.int64) * NS_PER_S
    return PosTable(
        time_ns=times,
        ecef_m=values[:, :3] if is_xyz else ecef_from_degrees(values[:, :3]),
        quality=_counts(values[:, 3]),
        n_sat=_counts(values[:, 4]),
        sigma_neu_m=values[:, 5:8],
        age_s=values[:, 8],
        ratio=values[:, 9],
    )


def _counts(values: FloatArray) -> IndexArray:
    """Small whole numbers; 0 for NaN."""
    return np.clip(np.nan_to_num(values), 0, 999).astype(np.int64)


def ecef_from_degrees(llh_deg: FloatArray) -> FloatArray:
    """ECEF (n, 3) [m] of latitude, longitude [deg], ellipsoidal height [m]; NaN in, NaN out."""
    out = np.empty((len(llh_deg), 3))
    for k, (lat, lon, height) in enumerate(llh_deg):
        geodetic_to_ecef(np.radians(lat), np.radians(lon), height, out[k])
    return out


def _parse_line(line: str) -> tuple[int, list[float]] | None:
    """Time [ns] and x1 x2 x3 Q ns sd1 sd2 sd3 age ratio; None when it is no position line."""
    words = line.replace(",", " ").split()
    if len(words) < 6 or line[:1] in "%#$":
        return None
    try:
        time_ns = _parse_time(words[0], words[1])
        numbers = [float(word) for word in words[2:]]
    except (ValueError, OverflowError):
        return None
    wide = numbers + [float("nan")] * 13
    return time_ns, [*wide[:8], wide[11], wide[12]]


def _parse_time(first: str, second: str) -> int:
    """GPST [ns] of "2024/06/24 08:20:00.000" or "2320 116400.000"."""
    if "/" not in first:
        return checked_ns(int(first) * NS_PER_WEEK + checked_ns(float(second) * NS_PER_S))
    year, month, day = (int(word) for word in first.split("/"))
    hour, minute, seconds = second.split(":")
    second_ns = checked_ns(float(seconds) * NS_PER_S)
    return checked_ns(ns_from_calendar(year, month, day, int(hour), int(minute), second_ns))
