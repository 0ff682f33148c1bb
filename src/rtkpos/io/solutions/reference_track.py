"""Truth to compare a solution with: a point, or a track from .pos, CSV, NMEA or JSON."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rtkpos._arrays import FloatArray, TimeArray
from rtkpos.constants import NS_PER_S, NS_PER_WEEK
from rtkpos.errors import ConfigError, FileError
from rtkpos.gnss.time import checked_ns
from rtkpos.io.solutions.nmea import parse_nmea
from rtkpos.io.solutions.pos import ecef_from_degrees, parse_pos
from rtkpos.io.text.files import read_file_text

MAX_GAP_S = 2.0
_LONGEST_COLUMN = 100  # characters of a column's name that are looked at
_EXACT_NS = 1_000_000
_EARTH_M = (6.3e6, 6.5e6)


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Where the antenna really was.

    ecef_m : (3,) for a point, else (m, 3) [m]      time_ns : (m,) GPST [ns], empty for a point
    source : what the user named
    """

    ecef_m: FloatArray
    time_ns: TimeArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    source: str = ""

    @property
    def is_point(self) -> bool:
        """True for one place that holds at all times."""
        return self.ecef_m.ndim == 1

    def at(self, time_ns: TimeArray, max_gap_s: float = MAX_GAP_S) -> FloatArray:
        """Positions at times (n,) GPST [ns]: (n, 3) [m]; NaN where the track says nothing.

        Between two samples at most `max_gap_s` apart it is interpolated linearly; a sample within
        1 ms of the wanted time is taken whatever its neighbours.
        """
        if self.is_point:
            return np.tile(self.ecef_m, (len(time_ns), 1))
        out = np.full((len(time_ns), 3), np.nan)
        right = np.searchsorted(self.time_ns, time_ns)
        for k, time in enumerate(time_ns):
            out[k] = self._one(int(time), int(right[k]), round(max_gap_s * NS_PER_S))
        return out

    def _one(self, time: int, right: int, max_gap_ns: int) -> FloatArray | float:
        """Position at one time; `right` is the first sample not before it."""
        near = [i for i in (right - 1, right) if 0 <= i < len(self.time_ns)]
        for i in near:
            if abs(int(self.time_ns[i]) - time) <= _EXACT_NS:
                return self.ecef_m[i]
        if len(near) < 2 or int(self.time_ns[right] - self.time_ns[right - 1]) > max_gap_ns:
            return float("nan")
        left = right - 1
        share = (time - self.time_ns[left]) / (self.time_ns[right] - self.time_ns[left])
        point: FloatArray = self.ecef_m[left] + share * (self.ecef_m[right] - self.ecef_m[left])
        return point


def truth_from_words(words: Sequence[str], near_ns: int | None = None) -> Truth:
    """Truth from what stands on the command line: X Y Z in metres, or the name of one file.

    near_ns : GPST near the solution [ns], for files which carry no date or no week.
    Raises ConfigError for the wrong number of words, FileError for a file that cannot serve.
    """
    if len(words) == 1:
        return read_truth(words[0], near_ns)
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != 3:
        raise ConfigError(f"--truth takes X Y Z [m] or one file; got {' '.join(words)}.")
    if not _EARTH_M[0] < float(np.linalg.norm(numbers)) < _EARTH_M[1]:
        raise ConfigError(
            f"--truth {' '.join(words)} is not near the surface of the earth; give ECEF metres."
        )
    return Truth(ecef_m=np.array(numbers), source=" ".join(words))


def read_truth(path: Path | str, near_ns: int | None = None) -> Truth:
    """Truth of a file, recognised by content: JSON with "rover_xyz", NMEA, .pos or CSV.

    CSV needs a header that names a time (GPS week and time of week, or our own `time_gpst`) and
    ECEF x, y, z or latitude, longitude [deg] and ellipsoidal height; columns are found by name.
    """
    text = read_file_text(path, kind="truth", errors="replace")
    if text.lstrip().startswith("{"):
        return _from_json(text, path)
    time_ns, ecef_m = _track(text, near_ns)
    good = np.isfinite(ecef_m).all(axis=1)
    if not good.any():
        raise FileError(
            f"truth {path} holds no positions; wanted a .pos file, NMEA with GGA, CSV with a "
            "header that names time and position, or JSON with rover_xyz.",
            str(path),
        )
    time_ns, ecef_m = time_ns[good], ecef_m[good]
    order = np.argsort(time_ns, kind="stable")
    return Truth(ecef_m=ecef_m[order], time_ns=time_ns[order], source=str(path))


def _from_json(text: str, path: Path | str) -> Truth:
    """The point "rover_xyz" of a JSON object."""
    try:
        point = np.array(json.loads(text)["rover_xyz"], dtype=np.float64)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise FileError(
            f"truth {path} is JSON without a list rover_xyz of three metres.", str(path)
        ) from error
    if point.shape != (3,) or not np.isfinite(point).all():
        raise FileError(f"truth {path}: rover_xyz must be three numbers [m].", str(path))
    return Truth(ecef_m=point, source=str(path))


def _track(text: str, near_ns: int | None) -> tuple[TimeArray, FloatArray]:
    """Times and positions of a file that is not JSON; empty when it is none of those we know."""
    if re.search(r"^\$..GGA,", text, re.MULTILINE):
        nmea = parse_nmea(text, near_ns)
        return nmea.time_ns, nmea.ecef_m
    table = parse_pos(text)
    if len(table.time_ns):
        return table.time_ns, table.ecef_m
    return _from_csv(text, near_ns)


def _find(names: Sequence[str], *patterns: str) -> int:
    """Index of the first column matching the first pattern that matches any; -1 for none."""
    for pattern in patterns:
        for i, name in enumerate(names):
            if re.search(pattern, name, re.IGNORECASE):
                return i
    return -1


def _from_csv(text: str, near_ns: int | None) -> tuple[TimeArray, FloatArray]:
    """Times and positions of a CSV file with a header; rows that do not parse are passed over."""
    try:
        rows = list(csv.reader(text.splitlines()))
    except csv.Error:  # a cell longer than any table has
        rows = []
    if len(rows) < 2:
        return np.empty(0, dtype=np.int64), np.empty((0, 3))
    names = [name.strip().lstrip("%#")[:_LONGEST_COLUMN] for name in rows[0]]
    xyz = [_find(names, rf"(ecef|^).*\b_?{axis}\b", rf"ecef_{axis}") for axis in "xyz"]
    llh = [_find(names, r"^lat"), _find(names, r"^lon"), _find(names, r"ell.*h", r"height", r"alt")]
    place = xyz if min(xyz) >= 0 else llh
    tow, week = _find(names, r"\btow", r"time of week"), _find(names, r"week$", r"\bweek")
    clock = (tow, -1 if week == tow else week)
    times: list[int] = []
    points: list[list[float]] = []
    for row in rows[1:]:
        try:
            time_ns = _csv_time(clock, row, near_ns)
            points.append([float(row[i]) for i in place])
        except (ValueError, IndexError, OverflowError):
            continue
        times.append(time_ns)
    table = np.array(points, dtype=np.float64).reshape(-1, 3)
    if min(place) < 0 or not len(table):
        return np.empty(0, dtype=np.int64), np.empty((0, 3))
    ecef_m = table if place is xyz else ecef_from_degrees(table)
    return np.array(times, dtype=np.int64), ecef_m


def _csv_time(clock: tuple[int, int], row: Sequence[str], near_ns: int | None) -> int:
    """GPST [ns] of a row; ValueError when there is no time in it.

    clock : columns of the time of week and of the week, -1 for none
    """
    tow, week = clock
    if tow < 0:
        raise ValueError("no time of week")
    tow_ns = checked_ns(float(row[tow]) * NS_PER_S)
    if week >= 0:
        return checked_ns(int(float(row[week])) * NS_PER_WEEK + tow_ns)
    if near_ns is None:
        raise ValueError("no week")
    return round((near_ns - tow_ns) / NS_PER_WEEK) * NS_PER_WEEK + tow_ns
