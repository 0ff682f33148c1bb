"""Headers of RINEX observation files, versions 2 to 4."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rtkpos._arrays import SmallArray
from rtkpos.errors import RinexError
from rtkpos.gnss.systems import GLONASS, PRN_PER_SYSTEM, SYSTEM_LETTERS, sat_from_name
from rtkpos.records.observations import UNKNOWN_CHANNEL, Station
from rtkpos.records.report import ReadReport

_KINDS = {
    "N": "a navigation file; pass it with --nav",
    "G": "a GLONASS navigation file; pass it with --nav",
    "H": "a geostationary navigation file; pass it with --nav",
    "M": "a meteorological file, which is not used",
    "C": "a clock file, which is not used here",
    "E": "a Galileo navigation file; pass it with --nav",
    "B": "a broadcast data file; pass it with --nav",
}
_MAX_TYPES = 400
TIME_SYSTEMS = ("GPS", "GLO", "GAL", "QZS", "BDT", "IRN", "UTC")
_SYSTEM_TIME = {"G": "GPS", "R": "GLO", "E": "GAL", "C": "BDT", "J": "QZS", "I": "IRN", "S": "GPS"}


@dataclass
class ObsHeader:
    """What the header lines of one observation file say; `update` takes them one by one.

    types : system letter -> codes in column order ("*" in RINEX 2: one list for all)
    claimed : system letter -> number of codes the header announces
    doubtful : system letter -> sentence, where that is not the number of codes it lists
    scale : (letter, code or "") -> factor the values were multiplied with
    shifts : (letter, code) -> phase shift [cycle]      half_wave : RINEX 2 band with factor 2
    odd_labels : labels that are unknown or cut, and what was made of them
    """

    name: str = ""
    version: float = 0.0
    file_system: str = "G"
    types: dict[str, list[str]] = field(default_factory=dict)
    claimed: dict[str, int] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)
    scale: dict[tuple[str, str], float] = field(default_factory=dict)
    shifts: dict[tuple[str, str], float] = field(default_factory=dict)
    half_wave: set[int] = field(default_factory=set)
    channel: SmallArray = field(
        default_factory=lambda: np.full(PRN_PER_SYSTEM, UNKNOWN_CHANNEL, np.int8)
    )
    station: dict[str, str] = field(default_factory=dict)
    approx_ecef_m: tuple[float, ...] = (math.nan, math.nan, math.nan)
    antenna_hen_m: tuple[float, ...] = (0.0, 0.0, 0.0)
    time_system: str = ""
    interval_s: float = math.nan
    snr_unit: str = ""
    report: ReadReport = field(default_factory=ReadReport)
    odd_labels: list[str] = field(default_factory=list)
    _open_types: str = ""
    _open_scale: tuple[str, float] = ("", 1.0)

    def update(self, line: str) -> str:
        """Take one header line; returns its label, "" when the line has none we know."""
        label = line[60:80].strip().upper()
        if label not in _READERS and label not in _UNREAD_LABELS:
            label = self._odd_label(line, label)
        reader = _READERS.get(label)
        if reader is not None:
            reader(self, line.ljust(80))
        return label if reader is not None or label in _KNOWN_LABELS else ""

    def _odd_label(self, line: str, label: str) -> str:
        """The label that a cut one can only stand for, else "" with the line noted."""
        whole = {known for known in (*_READERS, *_UNREAD_LABELS) if known.startswith(label)}
        whole -= {"SYS / PHASE SHIFTS"} if "SYS / PHASE SHIFT" in whole else set()
        if len(label) >= _MIN_LABEL and len(whole) == 1:
            self.odd_labels.append(f"{label!r}, read as {min(whole)!r}")
            return whole.pop()
        if line.strip():
            self.odd_labels.append(f"{label or line.strip()[:20]!r}, not read")
        return ""

    def as_station(self) -> Station:
        """The station record of this header."""
        approx = np.array(self.approx_ecef_m)
        if not np.all(np.isfinite(approx)) or not approx.any():
            approx = np.full(3, np.nan)
        height, east, north = self.antenna_hen_m
        return Station(
            **self.station,
            approx_ecef_m=approx,
            antenna_enu_m=np.array([east, north, height]),
        )

    def default_time_system(self) -> str:
        """Time system of the epochs: as written, else by the file's system (RINEX 3.05, 8.1)."""
        if self.time_system:
            if self.time_system not in TIME_SYSTEMS:
                raise RinexError(
                    f"{self.name}: unknown time system {self.time_system!r} in TIME OF FIRST OBS; "
                    f"known are {', '.join(TIME_SYSTEMS)}.",
                    self.name,
                )
            return self.time_system
        letters = [k for k, codes in self.types.items() if codes and k != "*"]
        letter = letters[0] if len(letters) == 1 and self.version >= 3 else self.file_system
        if letter in _SYSTEM_TIME:
            return _SYSTEM_TIME[letter]
        self.report.warn(f"{self.name}: TIME OF FIRST OBS names no time system; took GPS time.")
        return "GPS"


def number(text: str, default: float = math.nan) -> float:
    """A finite number in a header field, `default` when there is none."""
    try:
        value = float(text.strip().replace("D", "E").replace("d", "e"))
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def integer(text: str, default: int = 0) -> int:
    """An integer in a header field, `default` when there is none."""
    stripped = text.strip()
    digits = stripped[1:] if stripped[:1] in "+-" else stripped
    return int(stripped) if digits.isascii() and digits.isdecimal() else default


def _version(header: ObsHeader, line: str) -> None:
    header.version = number(line[:9], 0.0)
    kind, letter = line[20].upper(), line[40].upper()
    name = header.name
    if kind in _KINDS and kind != "O":
        raise RinexError(f"{name} is {_KINDS[kind]}.", name, 1)
    if kind != "O":
        raise RinexError(f"{name}: RINEX file type {kind!r} is not known; wanted O.", name, 1)
    if not 2.0 <= header.version < 5.0:
        raise RinexError(
            f"{name}: RINEX version {line[:9].strip()!r} is not supported; "
            "2.00 to 2.12, 3.00 to 3.05 and 4.00 to 4.02 are.",
            name,
            1,
        )
    header.file_system = "G" if letter == " " else letter


def _text(key: str, part: slice) -> Callable[[ObsHeader, str], None]:
    def read(header: ObsHeader, line: str) -> None:
        value = line[part].strip()
        if value or key not in header.station:
            header.station[key] = value

    return read


def _receiver(header: ObsHeader, line: str) -> None:
    header.station["receiver_serial"] = line[:20].strip()
    header.station["receiver"] = line[20:40].strip()


def _antenna(header: ObsHeader, line: str) -> None:
    header.station["antenna_serial"] = line[:20].strip()
    header.station["antenna"] = line[20:40].rstrip().lstrip()


def _position(header: ObsHeader, line: str) -> None:
    header.approx_ecef_m = tuple(number(line[k : k + 14]) for k in (0, 14, 28))


def _antenna_delta(header: ObsHeader, line: str) -> None:
    header.antenna_hen_m = tuple(number(line[k : k + 14], 0.0) for k in (0, 14, 28))


def _add_types(header: ObsHeader, key: str, codes: list[str]) -> None:
    known = header.types.setdefault(key, [])
    known += codes[: _MAX_TYPES - len(known)]


def _types_2(header: ObsHeader, line: str) -> None:
    if line[:6].strip():
        header.claimed["*"] = integer(line[:6])
        header.types["*"] = []
    fields = [line[10 + 6 * k : 12 + 6 * k].strip().upper() for k in range(9)]
    _add_types(header, "*", [code for code in fields if code])


def _types_3(header: ObsHeader, line: str) -> None:
    letter = line[0].upper()
    if letter != " ":
        header._open_types = letter
        header.claimed[letter] = integer(line[3:6], -1)
        header.types[letter] = []
    if header._open_types:
        _add_types(header, header._open_types, line[6:60].upper().split())


def _scale(header: ObsHeader, line: str) -> None:
    letter = line[0].upper()
    if letter != " ":
        header._open_scale = (letter, number(line[2:6], 1.0))
        if integer(line[8:10]) == 0:
            header.scale[(letter, "")] = header._open_scale[1]
            return
    letter, factor = header._open_scale
    for code in line[10:60].upper().split():
        header.scale[(letter, code)] = factor


def _phase_shift(header: ObsHeader, line: str) -> None:
    letter, code = line[0].upper(), line[2:5].strip().upper()
    shift = number(line[6:14]) if line[6:14].strip() else 0.0
    if letter in SYSTEM_LETTERS and code and math.isfinite(shift):
        header.shifts.setdefault((letter, code), shift)


def _glonass_slots(header: ObsHeader, line: str) -> None:
    for k in range(8):
        sat = sat_from_name(line[4 + 7 * k : 7 + 7 * k])
        channel = integer(line[8 + 7 * k : 10 + 7 * k], UNKNOWN_CHANNEL)
        if sat // PRN_PER_SYSTEM == GLONASS and -7 <= channel <= 13:
            header.channel[sat % PRN_PER_SYSTEM] = channel


def _first_time(header: ObsHeader, line: str) -> None:
    words = line[43:60].split()
    header.time_system = words[-1].upper() if words and words[-1].isalpha() else ""


def _interval(header: ObsHeader, line: str) -> None:
    interval = number(line[:10])
    header.interval_s = interval if interval > 0.0 else math.nan


def _snr_unit(header: ObsHeader, line: str) -> None:
    header.snr_unit = line[:20].strip().upper()


def _wavelength(header: ObsHeader, line: str) -> None:
    if integer(line[12:18]) == 0:
        bands = {1: integer(line[:6], 1), 2: integer(line[6:12], 1)}
        header.half_wave = {band for band, factor in bands.items() if factor == 2}


_READERS: dict[str, Callable[[ObsHeader, str], None]] = {
    "RINEX VERSION / TYPE": _version,
    "MARKER NAME": _text("marker", slice(0, 60)),
    "MARKER TYPE": _text("marker_type", slice(0, 20)),
    "REC # / TYPE / VERS": _receiver,
    "ANT # / TYPE": _antenna,
    "APPROX POSITION XYZ": _position,
    "ANTENNA: DELTA H/E/N": _antenna_delta,
    "# / TYPES OF OBSERV": _types_2,
    "SYS / # / OBS TYPES": _types_3,
    "SYS / SCALE FACTOR": _scale,
    "SYS / PHASE SHIFT": _phase_shift,
    "SYS / PHASE SHIFTS": _phase_shift,
    "GLONASS SLOT / FRQ #": _glonass_slots,
    "TIME OF FIRST OBS": _first_time,
    "INTERVAL": _interval,
    "SIGNAL STRENGTH UNIT": _snr_unit,
    "WAVELENGTH FACT L1/2": _wavelength,
}
_KNOWN_LABELS = ("COMMENT", "END OF HEADER")
_MIN_LABEL = 9  # characters of a cut label that tell it
# Labels of RINEX 2.00 to 4.02 whose lines are not needed here.
_UNREAD_LABELS = frozenset(
    (
        *_KNOWN_LABELS, "PGM / RUN BY / DATE", "MARKER NUMBER", "OBSERVER / AGENCY",
        "TIME OF LAST OBS", "RCV CLOCK OFFS APPL", "LEAP SECONDS", "# OF SATELLITES",
        "PRN / # OF OBS", "ANTENNA: DELTA X/Y/Z", "ANTENNA: PHASECENTER", "ANTENNA: B.SIGHT XYZ",
        "ANTENNA: B.SIGHT X/Y/Z", "ANTENNA: ZERODIR AZI", "ANTENNA: ZERODIR XYZ",
        "CENTER OF MASS: XYZ", "CENTER OF MASS XYZ", "SYS / DCBS APPLIED", "SYS / PCVS APPLIED",
        "GLONASS COD/PHS/BIS", "GLONASS COD/PHS/BIS#", "DOI", "LICENSE OF USE",
        "STATION INFORMATION", "MERGED FILE", "REC INDEX", "SENSOR MOD/TYPE/ACC",
    )
)  # fmt: skip


def read_header(text: bytes, name: str) -> tuple[ObsHeader, int]:
    """Header of an observation file and the byte at which the observations start.

    text : the whole file, newline-separated      RinexError when it is not one or has no end
    """
    header, position, n_line = ObsHeader(name=name), 0, 0
    while position < len(text):
        end = text.find(b"\n", position)
        end = len(text) if end < 0 else end
        line = text[position : min(end, position + 200)].decode("latin-1")
        position, n_line = end + 1, n_line + 1
        label = header.update(line.rstrip("\r\0 \x1a").lstrip("\x1a"))
        if label == "END OF HEADER":
            _tell_labels(header)
            _check(header)
            return header, min(position, len(text))
        if header.version > 0.0 and _is_data(line):
            break
    raise RinexError(
        f"{name} line {n_line}: the header has no END OF HEADER; the file may be cut.", name, n_line
    )


def _tell_labels(header: ObsHeader) -> None:
    """Count and name header lines whose label is not one of RINEX."""
    odd = header.odd_labels
    if odd:
        header.report.add("unknown_label", f"{header.name} header: {odd[0]}", len(odd))
        header.report.warn(
            f"{header.name}: {len(odd)} header lines have a label that is cut or not of RINEX "
            f"(first: {odd[0]})."
        )
        header.odd_labels = []


def _is_data(line: str) -> bool:
    """Whether a line can only be an epoch line of RINEX 3 or 4."""
    return line.startswith("> ") and line[2:6].isdigit()


def _check(header: ObsHeader) -> None:
    """Raise where the header cannot serve; drop systems whose types are ambiguous."""
    if header.version == 0.0:
        raise RinexError(f"{header.name}: the header has no RINEX VERSION / TYPE.", header.name)
    check_types(header)


def check_types(header: ObsHeader) -> None:
    """Note systems whose number of observation types differs from the list; fail without any.

    They are in `header.doubtful` with what to say of them, until the records decide.
    """
    header.doubtful.clear()
    wanted = "*" if header.version < 3 else ""
    for key in list(header.types):
        n_type, claimed = len(header.types[key]), header.claimed.get(key, -1)
        if (key == "*") != (wanted == "*"):
            del header.types[key]
        elif n_type != claimed or n_type == 0:
            who = "the file" if key == "*" else f"system {key}"
            header.doubtful[key] = (
                f"{header.name}: the header announces {claimed} observation types for {who} "
                f"but lists {n_type}"
            )
    drop_doubtful(header, [key for key in header.doubtful if not header.types[key]])


def drop_doubtful(header: ObsHeader, keys: list[str]) -> None:
    """Leave out systems whose types are ambiguous; RinexError when no types remain."""
    for key in keys:
        header.report.add("system_dropped", f"{header.name} header, system {key}")
        header.report.warn(f"{header.doubtful.pop(key)}; left out.")
        del header.types[key]
    if not header.types:
        said = header.report.warnings[0] if header.report.warnings else ""
        raise RinexError(
            said.replace("; left out.", "; the columns are ambiguous.")
            or f"{header.name}: the header lists no observation types.",
            header.name,
        )
