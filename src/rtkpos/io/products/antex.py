"""Reader of antenna calibrations: ANTEX files of version 1.3 and 1.4.

Source: Rothacher and Schmid (2010), ANTEX: The Antenna Exchange Format, version 1.4.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rtkpos._arrays import FloatArray
from rtkpos.constants import NS_PER_S
from rtkpos.errors import FileError
from rtkpos.gnss.systems import SYSTEM_LETTERS, sat_from_name
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.io.text.decompress import Source, read_text, source_name
from rtkpos.records.antenna import ALWAYS_NS, NO_RADOME, Antenna, AntennaPattern, AntennaTable
from rtkpos.records.report import ReadReport

MM = 1e-3
MAX_GRID = 721  # nodes along an axis: 0.5 degrees all around
MAX_PCO_M, MAX_PCV_M = 10.0, 1.0
_START, _TYPE, _END = b"START OF ANTENNA", b"TYPE / SERIAL NO", b"END OF ANTENNA"


class _DamagedBlockError(ValueError):
    """An antenna block that cannot be used; the message says why."""


def read_antex(
    source: Source, wanted: Iterable[str] | None = None, *, strict: bool = False
) -> AntennaTable:
    """Antenna calibrations of an ANTEX file, plain or compressed.

    Damaged blocks are skipped and counted as `damaged_antenna`; with `strict` the first one raises.

    Parameters
    ----------
    source : path or bytes
        The file.
    wanted : iterable of str, optional
        Antenna types without radome ("LEIAR25.R3") and satellites ("G01") to read; all others are
        passed over unread. None reads everything.
    strict : bool, optional
        The first damage raises instead of being counted.

    Returns
    -------
    AntennaTable
        The antennas asked for.

    Raises
    ------
    FileError
        The file cannot be read as ANTEX or holds no antenna.
    """
    name, report = source_name(source), ReadReport()
    text = read_text(source, strict=strict, report=report).replace(b"\r\n", b"\n")
    is_absolute = _check_header(text, name)
    if not is_absolute:
        report.warn(
            f"{name}: the calibrations are relative to a reference antenna; use absolute ones, "
            "or mix them with no other."
        )
    names = None if wanted is None else {word.upper() for word in wanted if word}
    found, n_block, position = [], 0, text.find(_START)
    while position >= 0:
        following = text.find(_START, position + len(_START))
        n_block += 1
        block = text[position : following if following >= 0 else len(text)]
        position = following
        kind, sat_word = _names_of(block)
        if names is not None and kind not in names and sat_word not in names:
            continue
        try:
            found.append(_antenna(block.decode("latin-1"), report, name))
        except _DamagedBlockError as error:
            place = f"{name} antenna {n_block} ({kind or 'without a type'}): {error}"
            if strict:
                raise FileError(f"{place}; download the file again.", name) from None
            report.add("damaged_antenna", place)
    if n_block == 0:
        raise FileError(f"{name}: the ANTEX file holds no antenna; download it again.", name)
    return AntennaTable(antennas=tuple(found), is_absolute=is_absolute, source=name, report=report)


def _check_header(text: bytes, name: str) -> bool:
    """Whether the calibrations are absolute; FileError when the text is no ANTEX file."""
    head = text[:200_000].split(b"END OF HEADER", 1)[0]
    first = head[:200].split(b"\n", 1)[0].decode("latin-1")
    if "ANTEX VERSION" not in first:
        raise FileError(
            f"{name} is not an ANTEX file: its first line is {first[:40].strip()!r}, wanted "
            "ANTEX VERSION / SYST; name a file of antenna calibrations.",
            name,
        )
    if not first[:8].strip().startswith("1."):
        raise FileError(
            f"{name}: ANTEX version {first[:8].strip()!r} is not supported; 1.3 and 1.4 are.", name
        )
    at = head.find(b"PCV TYPE / REFANT")
    return at < 60 or head[at - 60 : at - 59] != b"R"


def _names_of(block: bytes) -> tuple[str, str]:
    """Type and satellite (or serial number) of a block, "" where it does not say."""
    at = block.find(_TYPE)
    if at < 60:
        return "", ""
    line = block[at - 60 : at].decode("latin-1").upper()
    return " ".join(line[:16].split()), line[20:40].strip()


def _antenna(block: str, report: ReadReport, name: str) -> Antenna:
    """One antenna from its block; _DamagedBlockError when it cannot be used."""
    if _END.decode() not in block:
        raise _DamagedBlockError("END OF ANTENNA is missing, the file may be cut")
    facts: dict[str, str] = {}
    patterns: dict[tuple[int, int], AntennaPattern] = {}
    open_code, rows = "", list[str]()
    for line in block.splitlines():
        label = line[60:80].strip()
        if label == "START OF FREQUENCY":
            open_code, rows = line[3:6], []
        elif label == "END OF FREQUENCY" and open_code:
            key = _band_of(open_code)
            if key is None:
                report.add("unknown_frequency", f"{name}: {open_code!r}")
            else:
                patterns[key] = _pattern(rows, facts)
            open_code = ""
        elif open_code:
            rows.append(line)
        elif label not in ("COMMENT", ""):
            facts.setdefault(label, line[:60])
    return _assembled(facts, patterns, report, name)


def _assembled(
    facts: dict[str, str],
    patterns: dict[tuple[int, int], AntennaPattern],
    report: ReadReport,
    name: str,
) -> Antenna:
    """The record of a block that was taken apart."""
    line = facts.get("TYPE / SERIAL NO", "").ljust(60).upper()
    kind, serial = " ".join(line[:16].split()), line[20:40].strip()
    if not kind:
        raise _DamagedBlockError("it names no antenna type")
    if not patterns:
        raise _DamagedBlockError("it holds no whole frequency")
    claimed = facts.get("# OF FREQUENCIES", "").strip()
    if not claimed.isdecimal() or int(claimed) != len(patterns):
        report.add("frequency_count", f"{name}: {kind} announces {claimed}, holds {len(patterns)}")
    sat = sat_from_name(serial) if len(serial) == 3 and _is_satellite(kind) else -1
    azimuth_rad, zenith_rad = _grid(facts)
    one_row = all(len(pattern.pcv_m) == 1 for pattern in patterns.values())
    first = _time(facts.get("VALID FROM", ""), ALWAYS_NS[0])
    last = _time(facts.get("VALID UNTIL", ""), ALWAYS_NS[1])
    if sat >= 0:  # x, y, z stand in the columns of north, east, up (ANTEX 1.4, section 3)
        for pattern in patterns.values():
            pattern.pco_m[:2] = pattern.pco_m[[1, 0]]
    return Antenna(
        kind=kind,
        radome="" if sat >= 0 else (line[16:20].strip() or NO_RADOME),
        serial="" if sat >= 0 else serial,
        sat=sat,
        valid_ns=(first, last),
        azimuth_rad=azimuth_rad[:1] if one_row else azimuth_rad,
        zenith_rad=zenith_rad,
        patterns=patterns,
    )


def _is_satellite(kind: str) -> bool:
    """Whether a type is that of a satellite (IGS rcvr_ant.tab, part 3)."""
    return kind.startswith(("BLOCK", "GLONASS", "GALILEO", "BEIDOU", "COMPASS", "QZSS", "IRNSS"))


def _band_of(code: str) -> tuple[int, int] | None:
    """(system, band digit) of a frequency code like "G01"; None when it is unknown."""
    system = SYSTEM_LETTERS.find(code[:1].strip() or "G")
    digits = code[1:].strip()
    if system < 0 or not digits.isdecimal() or not 1 <= int(digits) <= 9:
        return None
    return system, int(digits)


def _grid(facts: dict[str, str]) -> tuple[FloatArray, FloatArray]:
    """Azimuths (0 alone when there are none) and zenith angles [rad] of a block."""
    try:
        step = float(facts["DAZI"][:8])
        first, last, zenith_step = (
            float(facts["ZEN1 / ZEN2 / DZEN"][k : k + 6]) for k in (2, 8, 14)
        )
    except (KeyError, ValueError):
        raise _DamagedBlockError("its grid (DAZI, ZEN1 / ZEN2 / DZEN) cannot be read") from None
    sane = 0.0 <= step <= 360.0 and 0.0 <= first < last <= 180.0 and zenith_step > 0.0
    n_azimuth = _n_node(360.0, step) if sane and step > 0.0 else 1
    n_zenith = _n_node(last - first, zenith_step) if sane else 0
    if n_zenith < 2 or n_azimuth < 1:
        raise _DamagedBlockError(
            f"its grid is impossible (zenith {first:g} to {last:g} by {zenith_step:g}, "
            f"azimuth by {step:g})"
        )
    azimuth_rad: FloatArray = np.radians(np.arange(n_azimuth) * step)
    zenith_rad: FloatArray = np.radians(first + np.arange(n_zenith) * zenith_step)
    return azimuth_rad, zenith_rad


def _n_node(span: float, step: float) -> int:
    """Nodes of an axis; 0 when they are more than any calibration has."""
    n_step = span / step
    return round(n_step) + 1 if n_step < MAX_GRID - 0.5 else 0


def _pattern(rows: list[str], facts: dict[str, str]) -> AntennaPattern:
    """The calibration of one frequency; without a table by azimuth, the mean over azimuth."""
    azimuth_rad, zenith_rad = _grid(facts)
    pco_m, mean, table = None, None, []
    for row in rows:
        if row[60:].strip() == "NORTH / EAST / UP":
            north, east, up = _numbers([row[k : k + 10] for k in (0, 10, 20)], MAX_PCO_M)
            pco_m = np.array([east, north, up])
        elif row[:8].strip() == "NOAZI":
            mean = _numbers(row[8:].split(), MAX_PCV_M)
        elif row.strip() and row[60:].strip() != "COMMENT":
            table.append(_numbers(row[8:].split(), MAX_PCV_M))
    if pco_m is None or mean is None:
        raise _DamagedBlockError("a frequency lacks its offset or its NOAZI row")
    values = table if table else [mean]
    n_azimuth = len(azimuth_rad) if table else 1
    if len(values) != n_azimuth or any(len(row) != len(zenith_rad) for row in [mean, *values]):
        raise _DamagedBlockError("a frequency has not the values its grid announces")
    return AntennaPattern(pco_m=pco_m, pcv_m=np.array(values))


def _numbers(words: list[str], limit_m: float) -> list[float]:
    """Millimetres in words as metres; _DamagedBlockError for what no antenna can have."""
    try:
        numbers = [float(word) * MM for word in words]
    except ValueError:
        raise _DamagedBlockError(f"{' '.join(words)[:40]!r} are not numbers") from None
    if not all(abs(number) <= limit_m for number in numbers):
        raise _DamagedBlockError(f"a value exceeds {limit_m:g} m")
    return numbers


def _time(line: str, default: int) -> int:
    """GPST [ns] of VALID FROM and VALID UNTIL; the default where there is none."""
    words = line.split()
    if len(words) < 6:
        return default
    try:
        year, month, day, hour, minute = (int(word) for word in words[:5])
        return ns_from_calendar(year, month, day, hour, minute, round(float(words[5]) * NS_PER_S))
    except (ValueError, OverflowError):
        raise _DamagedBlockError(f"its time of validity {line.strip()!r} is none") from None
