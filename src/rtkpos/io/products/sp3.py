"""Reader of precise orbits: SP3 files of version a to d, read by georinex."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray, TimeArray
from rtkpos.constants import NS_PER_S
from rtkpos.errors import FileError
from rtkpos.gnss.systems import sat_from_name
from rtkpos.gnss.time import GPS_EPOCH, gpst_minus_utc_s
from rtkpos.io.text.decompress import read_text
from rtkpos.records.precise import PreciseTable
from rtkpos.records.report import ReadReport

# GPST minus the time system of the file [s]; UTC and GLONASS time follow the leap seconds.
GPST_OFFSET_S = {"GPS": 0, "GAL": 0, "QZS": 0, "IRN": 0, "BDT": 14, "TAI": -19, "ccc": 0, "": 0}
UTC_BASED = ("UTC", "GLO")
NO_POSITION = "      0.000000      0.000000      0.000000"
NO_CLOCK = " 999999.999999"
NO_CLOCK_US = 999_999.0
# Places of epochs and satellites without a record, of which a file may have so many and times more.
_FREE_PLACES, _PLACES_PER_RECORD = 100_000, 20
MIN_RADIUS_M, MAX_RADIUS_M = 6.4e6, 1.0e8


@dataclasses.dataclass
class _Sp3Text:
    """An SP3 file taken apart: header, time system, satellites, records by epoch and satellite."""

    header: list[str]
    time_system: str
    names: list[str]
    epochs: list[tuple[str, dict[str, str]]]


def read_sp3(path: str | Path) -> PreciseTable:
    """Precise orbits and clocks of one SP3 file, plain or compressed (gz, bz2, zip, Z).

    Positions in m, clocks in s, epochs in GPST. Records that are absent, marked as missing
    (0 km, 999999 us) or cut off become NaN and are counted in `report`.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    PreciseTable
        The table.

    Raises
    ------
    FileError
        The file cannot be read as SP3 or holds no epoch.
    """
    report = ReadReport()
    text = read_text(path, report=report).decode("ascii", errors="replace")
    parts = _take_apart(text, str(path), report)
    data = _load(parts, str(path))
    time_ns = _gpst(data["time"].values, parts.time_system, str(path))
    position_m = np.asarray(data["position"].values, dtype=np.float64) * 1000.0
    clock_us = np.asarray(data["clock"].values, dtype=np.float64)
    radius_m = np.linalg.norm(position_m, axis=2)
    absent = ~((radius_m > MIN_RADIUS_M) & (radius_m < MAX_RADIUS_M))
    no_clock = absent | ~(np.abs(clock_us) < NO_CLOCK_US)
    report.add("no_position", str(path), int(absent.sum()))
    report.add("no_clock", str(path), int((no_clock & ~absent).sum()))
    position_m[absent] = np.nan
    clock_s = np.where(no_clock, np.nan, clock_us * 1e-6)
    frame = str(data.attrs.get("coord_sys", "")).strip()
    return _table(parts.names, time_ns, position_m, clock_s, (frame, str(path), report))


def read_sp3_files(paths: Sequence[str | Path]) -> PreciseTable:
    """Several SP3 files as one table, such as three days around a recording.

    Where files overlap the earlier named file counts. Raises FileError as `read_sp3`, for an empty
    list, and when the files name different reference frames.
    """
    tables = [read_sp3(path) for path in paths]
    if not tables:
        raise FileError("no SP3 file was named; pass at least one path.")
    frames = sorted({t.frame for t in tables if t.frame})
    if len(frames) > 1:
        raise FileError(
            f"{', '.join(t.source[0] for t in tables)}: the files name different frames "
            f"({', '.join(frames)}); pass orbits of one product line."
        )
    time_ns = np.unique(np.concatenate([t.time_ns for t in tables]))
    sat = np.unique(np.concatenate([t.sat for t in tables]))
    position_m = np.full((len(time_ns), len(sat), 3), np.nan)
    clock_s = np.full((len(time_ns), len(sat)), np.nan)
    report = ReadReport()
    for table in reversed(tables):
        place = np.ix_(np.searchsorted(time_ns, table.time_ns), np.searchsorted(sat, table.sat))
        has_position = np.isfinite(table.position_m[:, :, :1])
        position_m[place] = np.where(has_position, table.position_m, position_m[place])
        clock_s[place] = np.where(np.isfinite(table.clock_s), table.clock_s, clock_s[place])
    for table in tables:
        report.merge(table.report)
    return PreciseTable(
        time_ns=time_ns,
        sat=sat,
        position_m=position_m,
        clock_s=clock_s,
        frame="".join(frames),
        source=tuple(t.source[0] for t in tables),
        report=report,
    )


def _take_apart(text: str, path: str, report: ReadReport) -> _Sp3Text:
    """Header and records of an SP3 text, without reading the numbers.

    georinex gives the k-th record of an epoch to the k-th satellite of the header, whatever name
    the record carries. So records are sorted here by the names they carry.
    """
    lines = text.splitlines()
    if not lines or not lines[0].startswith(("#a", "#b", "#c", "#d")):
        raise FileError(f"{path}: the first line is none of an SP3 file; got {text[:20]!r}.", path)
    first = next((i for i, line in enumerate(lines) if line.startswith("*")), 0)
    if first == 0:
        raise FileError(f"{path}: the file ends before the first epoch; it may be cut.", path)
    names = _header_names(lines[:first])
    if not names:
        raise FileError(f"{path}: the header lists no known satellite.", path)
    comments = [line for line in lines[:first] if line.startswith("%c")]
    time_system = comments[0][9:12].strip() if comments and lines[0][1] in "cd" else "GPS"
    epochs = _records(lines, first, path, report)
    if not epochs:
        raise FileError(f"{path}: the file holds no complete epoch; it may be cut.", path)
    _check_places(len(names), epochs, path)
    return _Sp3Text(lines[:first], time_system, names, epochs)


def _check_places(n_name: int, epochs: list[tuple[str, dict[str, str]]], path: str) -> None:
    """Refuse a file that announces far more positions than it holds: each would take memory."""
    n_place, n_record = n_name * len(epochs), sum(len(records) for _, records in epochs)
    if n_place > _FREE_PLACES + _PLACES_PER_RECORD * n_record:
        raise FileError(
            f"{path}: {len(epochs)} epochs of {n_name} satellites hold only {n_record} positions; "
            "the file is damaged, download it again.",
            path,
        )


def _header_names(header: list[str]) -> list[str]:
    """Known satellites of the '+' lines in index order; SP3-a numbers without letter are GPS."""
    names = set()
    for line in header:
        if line.startswith("+ "):
            for k in range(9, 60, 3):
                names.add(_name(line[k : k + 3]))
    names.discard("")
    return sorted(names, key=sat_from_name)


def _name(field: str) -> str:
    """RINEX name of a satellite field ("G07", "G 7", "  7"); "" for none or an unknown one."""
    text = field.strip()
    if text.isdecimal() and int(text) > 0:
        text = f"G{text}"
    text = f"{text[:1]}{text[1:].strip():0>2}" if text[:1].isalpha() else ""
    return text if sat_from_name(text) >= 0 else ""


def _records(
    lines: list[str], first: int, path: str, report: ReadReport
) -> list[tuple[str, dict[str, str]]]:
    """(epoch line, position record by satellite) of every complete epoch."""
    epochs: list[tuple[str, dict[str, str]]] = []
    has_end = False
    for number, line in enumerate(lines[first:], first + 1):
        if line.startswith("EOF"):
            has_end = True
            break
        if line.startswith("*") and _is_epoch(line):
            epochs.append((line, {}))
        elif line.startswith("*"):
            report.add("bad_epoch", f"{path} line {number}")
            epochs.append(("", {}))
        elif line.startswith("P"):
            if _is_record(line):
                epochs[-1][1][_name(line[1:4])] = line
            else:
                report.add("bad_record", f"{path} line {number}: {line[:20]!r}")
    if not has_end:
        report.warn(f"{path}: the closing EOF line is missing; the file may be cut.")
    return [epoch for epoch in epochs if epoch[0]]


def _is_epoch(line: str) -> bool:
    """True when an epoch line carries a complete time."""
    fields = line[3:31].split()
    return len(fields) == 6 and all(f.isdecimal() for f in fields[:5]) and _is_number(fields[5])


def _is_record(line: str) -> bool:
    """True when a position record carries three whole coordinates, and a whole clock or none.

    A field that ends before its last column is cut: its digits would read as another number.
    """
    clock = line[46:60].strip()
    return (
        _name(line[1:4]) != ""
        and len(line) >= 46
        and all(_is_number(line[a:b]) for a, b in ((4, 18), (18, 32), (32, 46)))
        and (not clock or (len(line) >= 60 and _is_number(clock)))
    )


def _is_number(field: str) -> bool:
    """True for a finite decimal number."""
    try:
        return bool(np.isfinite(float(field)))
    except ValueError:
        return False


def _load(parts: _Sp3Text, path: str) -> Any:
    """The georinex data set of the records, completed and in header order."""
    import georinex

    first = parts.header[0]
    start = _time_field(parts.epochs[0][0])
    lines = [f"{first[:3]}{start} {len(parts.epochs):7d}{first[39:60]:<21}", "##"]
    for k in range(0, len(parts.names), 17):
        count = f"{len(parts.names):3d}" if k == 0 else "   "
        lines.append(f"+  {count}   " + "".join(parts.names[k : k + 17]))
    for epoch_line, records in parts.epochs:
        lines.append(f"*  {_time_field(epoch_line)}")
        for name in parts.names:
            record = records.get(name, "")
            position = record[4:46] if record else NO_POSITION
            clock = record[46:60] if record[46:60].strip() else NO_CLOCK
            lines.append(f"P{name}{position}{clock:>14}")
    lines.append("EOF")
    try:
        return georinex.load_sp3(io.StringIO("\n".join(lines) + "\n"), None)
    except (ValueError, IndexError, AssertionError) as error:
        raise FileError(f"{path}: georinex cannot read this SP3 file ({error}).", path) from error


def _time_field(epoch_line: str) -> str:
    """The time of an epoch line with every column filled ("   .0000000" becomes " 0.00000000")."""
    year, month, day, hour, minute, second = epoch_line[3:31].split()
    date = f"{int(year):4d} {int(month):2d} {int(day):2d}"
    return f"{date} {int(hour):2d} {int(minute):2d} {float(second):11.8f}"


def _gpst(times: Any, time_system: str, path: str) -> TimeArray:
    """Epochs in GPST ns from datetime64 in the time system of the file."""
    start = np.datetime64(GPS_EPOCH, "ns")
    time_ns: TimeArray = (times.astype("datetime64[ns]") - start).astype(np.int64)
    if time_system in UTC_BASED:
        leap = np.array([gpst_minus_utc_s(int(t), time_is_utc=True) for t in time_ns])
        return time_ns + leap * NS_PER_S
    if time_system not in GPST_OFFSET_S:
        known = ", ".join([*(k for k in GPST_OFFSET_S if k), *UTC_BASED])
        raise FileError(f"{path}: unknown time system {time_system!r}; known are {known}.", path)
    return time_ns + GPST_OFFSET_S[time_system] * NS_PER_S


def _table(
    names: list[str],
    time_ns: TimeArray,
    position_m: FloatArray,
    clock_s: FloatArray,
    origin: tuple[str, str, ReadReport],
) -> PreciseTable:
    """The record, epochs sorted and each kept once (its first occurrence)."""
    frame, path, report = origin
    unique_ns, row = np.unique(time_ns, return_index=True)
    report.add("duplicate_epoch", path, len(time_ns) - len(unique_ns))
    return PreciseTable(
        time_ns=unique_ns,
        sat=np.array([sat_from_name(name) for name in names], dtype=np.int16),
        position_m=np.ascontiguousarray(position_m[row]),
        clock_s=np.ascontiguousarray(clock_s[row]),
        frame=frame,
        source=(path,),
        report=report,
    )
