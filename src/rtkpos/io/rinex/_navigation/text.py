"""Text of RINEX navigation files: header, and the body cut into raw records of numbers."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.constants import NS_PER_S
from rtkpos.errors import RinexError
from rtkpos.gnss.systems import SYSTEM_LETTERS, sat_from_name, systems_of
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.records.broadcast import Ionosphere
from rtkpos.records.report import ReadReport

# Continuation lines (least, most) of an ephemeris by system and message name; the least still
# holds orbit, clock and health. RINEX 4.02, tables A6-A32; RINEX 3.05 gave GLONASS a fourth line.
RECORD_LINES: dict[tuple[str, str], tuple[int, int]] = {
    **{(system, "LNAV"): (6, 7) for system in "GJI"},
    **{(system, "CNAV"): (6, 8) for system in "GJ"},
    **{(system, "CNV2"): (6, 9) for system in "GJ"},
    ("E", "INAV"): (6, 7),
    ("E", "FNAV"): (6, 7),
    ("C", "D1"): (6, 7),
    ("C", "D2"): (6, 7),
    ("C", "CNV1"): (9, 9),
    ("C", "CNV2"): (9, 9),
    ("C", "CNV3"): (7, 8),
    ("R", "FDMA"): (3, 4),
    ("S", "SBAS"): (3, 3),
}
# RINEX 2 and 3 do not name the message; Galileo and BeiDou are told apart later.
DEFAULT_MESSAGE = {
    "G": "LNAV",
    "J": "LNAV",
    "I": "LNAV",
    "E": "INAV",
    "C": "D1",
    "R": "FDMA",
    "S": "SBAS",
}
# Two-digit years begin in 1980; later than this the time in ns would not be that of any file.
FIRST_YEAR, LAST_YEAR = 1980, 2099
SYSTEM_OF_RINEX2 = {"N": "G", "G": "R", "H": "S", "E": "E", "L": "E", "J": "J"}
VERSION_LABEL = "RINEX VERSION / TYPE"
RINEX3, RINEX4 = 3.0, 4.0  # first versions with satellite names; with message names
_D_TO_E = str.maketrans("Dd", "EE")


@dataclass
class NavHeader:
    """What the header says; `system` is the one of a RINEX 2 file, "" in later versions."""

    version: float
    system: str
    body: int
    leap_seconds: int | None = None
    time_corrections: dict[str, tuple[float, ...]] = field(default_factory=dict)
    ionosphere: list[Ionosphere] = field(default_factory=list)


@dataclass
class RawRecords:
    """Ephemerides of one system and message as plain numbers, NaN where blank.

    epoch_ns: the calendar epoch as if GPST; values: clock (3), then 4 per continuation line
    """

    line: list[int] = field(default_factory=list)
    sat: list[int] = field(default_factory=list)
    epoch_ns: list[int] = field(default_factory=list)
    values: list[list[float]] = field(default_factory=list)

    def matrix(self, width: int = 40) -> FloatArray:
        """Values as (n, width), NaN where the file has none."""
        out = np.full((len(self.values), width), np.nan)
        for row, values in enumerate(self.values):
            out[row, : len(values)] = values[:width]
        return out


def fortran_number(text: str) -> float:
    """A Fortran number; NaN when blank; ValueError when it is something else."""
    text = text.strip()
    if not text:
        return math.nan
    if "_" in text:
        raise ValueError(text)
    return float(text.translate(_D_TO_E).replace(" ", ""))


def numbers(line: str, start: int, count: int, width: int = 19) -> list[float]:
    """`count` numbers of a fixed-width line from column `start`; unreadable ones are NaN."""
    out = []
    for column in range(start, start + count * width, width):
        try:
            out.append(fortran_number(line[column : column + width]))
        except ValueError:
            out.append(math.nan)
    return out


def parse_header(lines: list[str], source: str) -> NavHeader:
    """Header of a navigation file; RinexError names what the file is when it is not one."""
    first = next((i for i, line in enumerate(lines[:40]) if VERSION_LABEL in line.upper()), None)
    if first is None:
        raise RinexError(
            f"{source}: no RINEX VERSION / TYPE line; hand over a RINEX 2, 3 or 4 navigation file.",
            source,
        )
    version, kind = _version_and_kind(lines[first], source, first + 1)
    system = SYSTEM_OF_RINEX2.get(kind, "") if version < RINEX3 else ""
    header = NavHeader(version, system, len(lines))
    klobuchar: dict[str, list[float]] = {}
    for i in range(first + 1, len(lines)):
        line = lines[i]
        label = line[60:80].strip().upper()
        if label == "END OF HEADER" or (not label and line.strip().upper() == "END OF HEADER"):
            header.body = i + 1
            break
        _header_line(label, line, header, klobuchar)
    else:
        raise RinexError(
            f"{source}: the header has no END OF HEADER line; the file may be cut, get it again.",
            source,
            len(lines),
        )
    _pair_klobuchar(klobuchar, header)
    return header


def _version_and_kind(line: str, source: str, number_of_line: int) -> tuple[float, str]:
    try:
        version = float(line[:20].split(maxsplit=1)[0])
    except (ValueError, IndexError):
        version = math.nan
    kind = line[20:21].upper()
    if not 2.0 <= version < 5.0:
        raise RinexError(
            f"{source} line {number_of_line}: RINEX version {line[:20].strip()!r} is unknown; "
            "wanted 2.xx, 3.xx or 4.xx.",
            source,
            number_of_line,
        )
    if kind not in (SYSTEM_OF_RINEX2 if version < RINEX3 else "N"):
        raise RinexError(
            f"{source} line {number_of_line}: the file is of type {line[20:40].strip()!r}, not "
            "navigation data; hand over the navigation file.",
            source,
            number_of_line,
        )
    return version, kind


def _header_line(
    label: str, line: str, header: NavHeader, klobuchar: dict[str, list[float]]
) -> None:
    if label == "ION ALPHA":
        klobuchar[f"{header.system or 'G'}A"] = numbers(line, 2, 4, 12)
    elif label == "ION BETA":
        klobuchar[f"{header.system or 'G'}B"] = numbers(line, 2, 4, 12)
    elif label == "IONOSPHERIC CORR":
        _ionospheric_corr(line, header, klobuchar)
    elif label in ("TIME SYSTEM CORR", "DELTA-UTC: A0,A1,T,W", "DELTA UTC: A0,A1,T,W"):
        key, body = ("GPUT", line) if label.startswith("DELTA") else (line[:4].strip(), line)
        parts = (body[3:22], body[22:41], body[41:50], body[50:59])
        if label.startswith("TIME"):
            parts = (body[5:22], body[22:38], body[38:45], body[45:50])
        values = tuple(numbers(part, 0, 1, 20)[0] for part in parts)
        if key and all(map(math.isfinite, values[:2])):
            header.time_corrections[key] = values
    elif label == "LEAP SECONDS":
        value = numbers(line, 0, 1, 6)[0]
        if math.isfinite(value):
            # A count since the BDT epoch (RINEX 3.04, table A5) misses the 14 s before 2006.
            header.leap_seconds = int(value) + (14 if line[24:27] == "BDS" else 0)


def _ionospheric_corr(line: str, header: NavHeader, klobuchar: dict[str, list[float]]) -> None:
    key = line[:4].strip().upper()
    values = numbers(line, 5, 4, 12)
    letters = {"GPS": "G", "BDS": "C", "QZS": "J", "IRN": "I", "CMP": "C"}
    if key == "GAL":
        if all(map(math.isfinite, values[:3])):
            header.ionosphere.append(
                Ionosphere(kind="nequick", source="E", coefficients=np.array(values[:3]))
            )
    elif key[:3] in letters and key[3:] in ("A", "B"):
        klobuchar.setdefault(letters[key[:3]] + key[3:], values)


def _pair_klobuchar(klobuchar: dict[str, list[float]], header: NavHeader) -> None:
    for letter in SYSTEM_LETTERS:
        both = klobuchar.get(f"{letter}A", []) + klobuchar.get(f"{letter}B", [])
        # All zero means "not sent"; it would silently switch the model off.
        if len(both) == 8 and all(map(math.isfinite, both)) and any(both):
            header.ionosphere.append(
                Ionosphere(kind="klobuchar", source=letter, coefficients=np.array(both))
            )


class BodyReader:
    """Cuts the body into records; a damaged line costs the record it stands in, no more."""

    def __init__(self, header: NavHeader, source: str, report: ReadReport) -> None:
        self.header = header
        self.source = source
        self.report = report
        self.records: dict[tuple[str, str], RawRecords] = defaultdict(RawRecords)
        self.indent = 3 if header.version < RINEX3 else 4
        self.message = ""  # RINEX 4: name from the line "> EPH G01 LNAV"
        self.current: list[float] | None = None
        self.key = ("", "")
        self.start = (0, 0, 0)  # line, sat, epoch_ns of the current record
        self.n_lines = 0
        self.skipping = False
        # RINEX 4 messages other than ephemerides: (kind, satellite, message), their lines.
        self.messages: list[tuple[list[str], list[str]]] = []
        self.in_message = False

    def place(self, line_number: int) -> str:
        """Where in the file, for a report."""
        return f"{self.source} line {line_number}"

    def read(self, lines: list[str]) -> None:
        """Walk over the lines of the body (those before `header.body` are skipped)."""
        indent = " " * self.indent
        for i in range(self.header.body, len(lines)):
            line = lines[i]
            if line.startswith(indent):
                if self.in_message:
                    self.messages[-1][1].append(line)
                elif self.current is not None:
                    self._continue(line, self.current)
                elif line.strip() and not self.skipping:
                    self.report.add("stray_line", self.place(i + 1))
            elif line.strip():
                self._other_line(line, i + 1)
        self._close()

    def _continue(self, line: str, values: list[float]) -> None:
        if not line.strip():
            return
        if self.n_lines >= RECORD_LINES[self.key][1]:
            self._close()
            self.report.add("stray_line", self.place(self.start[0]))
            self.skipping = True
            return
        start = self.indent
        for column in (start, start + 19, start + 38, start + 57):
            text = line[column : column + 19]
            try:
                values.append(float(text))
            except ValueError:
                values.append(self._slow_number(text))
        self.n_lines += 1

    def _slow_number(self, text: str) -> float:
        try:
            return fortran_number(text)
        except ValueError:
            self.report.add("bad_field", f"{self.place(self.start[0])}: {text.strip()!r}")
            return math.nan

    def _other_line(self, line: str, line_number: int) -> None:
        """A line that continues nothing: a frame line of RINEX 4, a new record, or garbage."""
        self._close()
        self.skipping = True
        self.in_message = False
        if line.startswith(">"):
            self._frame_line(line)
            return
        if self.header.version >= RINEX4 and not self.message:
            self.report.add("stray_line", self.place(line_number))
            return
        if not self._begin(line, line_number):
            self.report.add("bad_record", f"{self.place(line_number)}: {line[:23].strip()!r}")
        self.message = ""

    def _frame_line(self, line: str) -> None:
        parts = line[1:].split()
        kind = parts[0] if parts else ""
        self.message = ""
        if kind == "EPH" and len(parts) >= 3:
            self.message = parts[-1]
            self.report.add(f"eph_{parts[1][0]}_{self.message}")
        else:
            self.report.add(f"{kind.lower() or 'unknown'}_message")
            self.messages.append((parts, []))
            self.in_message = True

    def _begin(self, line: str, line_number: int) -> bool:
        if self.indent == 3:
            name, text, start = self.header.system + line[:2], line[2:22], 22
            if line[:1].isalpha():
                name, text, start = line[:3], line[3:22], 22
        else:
            name, text, start = line[:3], line[3:23], 23
        sat = sat_from_name(name)
        epoch_ns = self._epoch(text)
        if sat < 0 or epoch_ns is None:
            return False
        letter = SYSTEM_LETTERS[systems_of(sat)]
        key = (letter, self.message or DEFAULT_MESSAGE[letter])
        if key not in RECORD_LINES:
            self.report.add("unsupported_message", f"{self.place(line_number)}: {key}")
            return True
        self.key, self.start = key, (line_number, sat, epoch_ns)
        self.current = [
            self._slow_number(line[k : k + 19]) for k in (start, start + 19, start + 38)
        ]
        self.n_lines = 0
        return True

    def _epoch(self, text: str) -> int | None:
        """Calendar epoch as nanoseconds; None when it is no time."""
        try:
            parts = text.split()
            year, month, day, hour, minute = map(int, parts[:5])
            second = float(parts[5])
        except (ValueError, IndexError):
            return None
        if year < 100:
            year += 1900 if year >= 80 else 2000
        is_clock = 0 <= hour <= 24 and 0 <= minute < 60 and 0.0 <= second < 61.0
        if not (is_clock and FIRST_YEAR <= year <= LAST_YEAR):
            return None
        try:
            return ns_from_calendar(year, month, day, hour, minute, round(second * NS_PER_S))
        except ValueError:
            return None

    def _close(self) -> None:
        """End the current record: keep it when it has its lines, count it when it has not."""
        values, self.current = self.current, None
        self.skipping = False
        if values is None:
            return
        line_number, sat, epoch_ns = self.start
        if self.n_lines < RECORD_LINES[self.key][0]:
            self.report.add("short_record", self.place(line_number))
            return
        records = self.records[self.key]
        records.line.append(line_number)
        records.sat.append(sat)
        records.epoch_ns.append(epoch_ns)
        records.values.append(values)
