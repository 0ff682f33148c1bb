"""Broadcast navigation data from RINEX 2, 3 and 4 files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from rtkpos.core import tables as t
from rtkpos.core.orbits.ephemeris_consistency import find_orbit_jumps
from rtkpos.errors import RinexError
from rtkpos.gnss.systems import sat_name
from rtkpos.gnss.time import gpst_minus_utc_s, iso_gpst, utc_is_beyond_table
from rtkpos.io.rinex._navigation.ephemeris_rows import NavColumns, columns_of
from rtkpos.io.rinex._navigation.messages import ionosphere_message, time_offset_message
from rtkpos.io.rinex._navigation.text import RINEX3, BodyReader, NavHeader, RawRecords, parse_header
from rtkpos.io.text.decompress import read_members
from rtkpos.io.text.file_ends import without_file_ends
from rtkpos.records.broadcast import BroadcastTable, Ionosphere, sat_starts
from rtkpos.records.report import ReadReport

NavSource = str | os.PathLike[str] | bytes
_NAMES = (
    "sat",
    "message",
    "toe_ns",
    "toc_ns",
    "tx_ns",
    "issue",
    "health",
    "healthy",
    "orbit",
    "accuracy_m",
    "param",
)
# Two writings of one set differ in the last digit (12 or 13 digits, D or E, GPS units rounded).
SAME_SET = 1e-9


def read_nav(source: NavSource | Sequence[NavSource], *, strict: bool = False) -> BroadcastTable:
    """Read one or several navigation files into one table.

    RINEX 2.xx (N, G, H, E files), 3.00-3.05, 4.00-4.02. Times are GPST; a week number in the file
    is not needed, the calendar epoch of the record is. A file without a usable record gives an
    empty table and a warning; a file that is no navigation file raises RinexError.

    Parameters
    ----------
    source : path or bytes or sequence of path or bytes
        A path, the bytes of a file, or a sequence of them; compressed files are welcome.
    strict : bool, optional
        Raise RinexError at the first damaged record instead of counting it.

    Returns
    -------
    BroadcastTable
        BroadcastTable sorted by (sat, message, toe, tx), one row per (sat, message, issue, toe): of
        repetitions the latest transmission stays, and at equal time the unhealthy one. `report`
        counts what was dropped, with the first line of each kind.

    Raises
    ------
    FileError
        A file is missing or cannot be unpacked.
    RinexError
        A file is no navigation file, or it is damaged and `strict` is set.
    """
    if isinstance(source, (str, bytes, os.PathLike)):
        sources: list[NavSource] = [source]
    else:
        sources = list(source)
    report = ReadReport()
    columns: list[NavColumns] = []
    headers: list[NavHeader] = []
    names: list[str] = []
    for one in sources:
        for name, lines, header in _nav_members(one, strict, report):
            headers.append(header)
            columns += _read_member(name, lines, header, report)
            names.append(name)
    if strict:
        _raise_first(report, names)
    return _table(columns, headers, names, report)


DAMAGE = (
    "bad_field",
    "bad_record",
    "short_record",
    "stray_line",
    "out_of_range",
    "toe_toc_mismatch",
    "issue_mismatch",
    "orbit_jump",
)


def _raise_first(report: ReadReport, names: list[str]) -> None:
    for name in DAMAGE:
        if report.counts[name]:
            where = report.first.get(name, names[0] if names else "")
            raise RinexError(
                f"{where}: {name.replace('_', ' ')} ({report.counts[name]} in all); repair the "
                "file or read it with strict=False, which drops such records.",
                where,
            )


def _nav_members(
    source: NavSource, strict: bool, report: ReadReport
) -> list[tuple[str, list[str], NavHeader]]:
    """Name, lines and header of the navigation files of a source: one, or several in a zip."""
    found = []
    refusal: RinexError | None = None
    for member, text in read_members(source, strict=strict, report=report):
        name, lines = os.path.basename(member), _lines(text)
        try:
            header = parse_header(lines, name)
        except RinexError as error:
            refusal = refusal or error
            continue
        _trim_cut_line(lines, header)
        found.append((name, lines, header))
    if refusal is not None and not found:
        raise refusal
    return found


def _read_member(
    name: str, lines: list[str], header: NavHeader, report: ReadReport
) -> list[NavColumns]:
    body = BodyReader(header, name, report)
    body.read(lines)
    _side_messages(body, header)
    columns = []
    for (letter, message), raw in body.records.items():
        one = columns_of(letter, message, raw)
        _drop_rejected(one, name, report)
        columns.append(one)
    return columns


def _lines(data: bytes) -> list[str]:
    text = without_file_ends(data).decode("latin-1").replace("\x00", " ")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _trim_cut_line(lines: list[str], header: NavHeader) -> None:
    """Take the number that may be cut off a last line without its end: it could pass as whole."""
    indent = 3 if header.version < RINEX3 else 4
    last = lines[-1]
    if last.startswith(" " * indent):
        lines[-1] = last[: len(last) - (len(last) - indent) % 19]


def _side_messages(body: BodyReader, header: NavHeader) -> None:
    for parts, lines in body.messages:
        if parts and parts[0] == "ION":
            ionosphere = ionosphere_message(parts, lines)
            if ionosphere is not None:
                header.ionosphere.append(ionosphere)
        elif parts and parts[0] == "STO":
            offset = time_offset_message(lines)
            if offset is not None:
                header.time_corrections[offset[0]] = offset[1]


def _drop_rejected(columns: NavColumns, name: str, report: ReadReport) -> None:
    keep = np.ones(len(columns.line), dtype=bool)
    for reason, rejected in columns.reject.items():
        rows = np.flatnonzero(rejected & keep)
        if len(rows):
            report.add(reason, f"{name} line {columns.line[rows[0]]}", len(rows))
        keep[rows] = False
    columns.reject = {}
    columns.select(keep)


def _table(
    columns: list[NavColumns], headers: list[NavHeader], names: list[str], report: ReadReport
) -> BroadcastTable:
    columns = columns or [NavColumns(0, RawRecords())]
    merged = {name: np.concatenate([getattr(one, name) for one in columns]) for name in _NAMES}
    merged = _consistent(_unique(merged, report), report)
    leap = next((h.leap_seconds for h in headers if h.leap_seconds is not None), None)
    if len(merged["sat"]) == 0:
        report.warn(f"{', '.join(names)}: no usable ephemeris was found.")
    else:
        _check_leap_seconds(leap, int(np.median(merged["toe_ns"])), names, report)
    corrections: dict[str, tuple[float, ...]] = {}
    for header in headers:
        corrections.update(header.time_corrections)
    return BroadcastTable(
        **{name: np.ascontiguousarray(value) for name, value in merged.items()},
        sat_start=sat_starts(merged["sat"]),
        ionosphere=_unique_ionosphere(headers),
        time_corrections=corrections,
        leap_seconds=leap,
        source=tuple(names),
        report=report,
    )


def _unique(merged: dict[str, Any], report: ReadReport) -> dict[str, Any]:
    """Sort, and keep the last of each (sat, message, toe, issue); the file order plays no role."""
    param = merged["param"]
    order = np.lexsort(
        (
            *(param[:, k] for k in range(t.N_PARAM - 1, -1, -1)),
            -merged["healthy"].astype(np.int64),
            merged["tx_ns"],
            merged["issue"],
            merged["toe_ns"],
            merged["message"],
            merged["sat"],
        )
    )
    merged = {name: value[order] for name, value in merged.items()}
    same = np.ones(max(0, len(order) - 1), dtype=bool)
    for name in ("sat", "message", "toe_ns", "issue"):
        same &= merged[name][1:] == merged[name][:-1]
    report.add("duplicate", n=int(same.sum()))
    one, other = merged["param"][1:][same], merged["param"][:-1][same]
    differs = np.abs(one - other) > SAME_SET * np.maximum(np.abs(one), np.abs(other))
    orbit_or_clock = [k for k in range(t.N_PARAM) if k not in (t.P_TGD1, t.P_TGD2)]
    conflicts = int(np.any(differs[:, orbit_or_clock], axis=1).sum())
    report.add("conflicting_duplicate", n=conflicts)
    keep = np.append(~same, True)[: len(order)]
    merged = {name: value[keep] for name, value in merged.items()}
    order = np.lexsort((merged["tx_ns"], merged["toe_ns"], merged["message"], merged["sat"]))
    return {name: value[order] for name, value in merged.items()}


def _consistent(merged: dict[str, Any], report: ReadReport) -> dict[str, Any]:
    """Drop records whose orbit contradicts the sets before and after (parameters of two issues)."""
    start = sat_starts(merged["sat"])
    columns = {name: merged[name] for name in t.EphemerisArrays._fields if name != "sat_start"}
    jump = np.zeros(len(merged["sat"]), dtype=np.bool_)
    find_orbit_jumps(t.EphemerisArrays(sat_start=start, **columns), merged["sat"], jump)
    if not jump.any():
        return merged
    first = int(np.flatnonzero(jump)[0])
    where = f"{sat_name(int(merged['sat'][first]))} {iso_gpst(int(merged['toe_ns'][first]), 0)}"
    report.add("orbit_jump", where, int(jump.sum()))
    return {name: value[~jump] for name, value in merged.items()}


def _check_leap_seconds(
    leap: int | None, time_ns: int, names: list[str], report: ReadReport
) -> None:
    expected = gpst_minus_utc_s(time_ns)
    if leap is not None and leap != expected:
        advice = (
            "the built-in table ends before this date, update rtkpos"
            if utc_is_beyond_table(time_ns)
            else "the built-in table is used"
        )
        report.warn(
            f"{', '.join(names)}: the header says {leap} leap seconds, the table {expected}; "
            f"{advice}."
        )


def _unique_ionosphere(headers: list[NavHeader]) -> tuple[Ionosphere, ...]:
    """All sets in time order without repetitions; header values (time -1) come first."""
    found: dict[tuple[object, ...], Ionosphere] = {}
    for header in headers:
        for one in header.ionosphere:
            found.setdefault((one.source, one.kind, one.time_ns, one.sat), one)
    return tuple(sorted(found.values(), key=lambda one: (one.time_ns, one.source, one.sat)))
