"""NMEA 0183 sentences of a solution: GGA, RMC, GST, ZDA; and positions read from GGA."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, TimeArray
from rtkpos.constants import NS_PER_DAY, NS_PER_S
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.gnss.time import (
    LEAP_TABLE_VALID_UNTIL,
    calendar_from_ns,
    checked_ns,
    gpst_minus_utc_s,
    ns_from_calendar,
    utc_is_beyond_table,
)
from rtkpos.io.solutions.pos import ecef_from_degrees
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus

# GGA quality indicator and RMC mode indicator (NMEA 0183 version 4.10).
GGA_QUALITY = {FixStatus.FIXED: 4, FixStatus.FLOAT: 5, FixStatus.DGNSS: 2, FixStatus.SPP: 1}
RMC_MODE = {FixStatus.FIXED: "R", FixStatus.FLOAT: "F", FixStatus.DGNSS: "D", FixStatus.SPP: "A"}
KNOT_MPS = 1852.0 / 3600.0
_HALF_CENTISECOND_NS = NS_PER_S // 200


@dataclass(frozen=True, kw_only=True)
class NmeaTrack:
    """Positions of GGA sentences: time_ns (n,) GPST [ns], ecef_m (n, 3) [m], quality (n,)."""

    time_ns: TimeArray
    ecef_m: FloatArray
    quality: IndexArray


def checksum(body: str) -> str:
    """Two hexadecimal digits: exclusive or of the characters between "$" and "*"."""
    value = 0
    for character in body.encode("ascii"):
        value ^= character
    return f"{value:02X}"


def sentence(body: str) -> str:
    """A whole sentence without its line end: "$" + body + "*" + checksum."""
    return f"${body}*{checksum(body)}"


def utc_warning(solution: Solution) -> str:
    """A sentence when UTC of the solution rests on no published leap second; "" otherwise."""
    if solution.n_epoch and utc_is_beyond_table(int(solution.time_ns[-1])):
        year, month, day = LEAP_TABLE_VALID_UNTIL
        return (
            f"UTC after {year}-{month:02d}-{day:02d} assumes no new leap second; "
            "a newer version of rtkpos may know better."
        )
    return ""


def format_nmea(solution: Solution) -> str:
    """Sentences GGA, RMC, GST and ZDA per epoch with a position; CR LF line ends.

    Time is UTC. There is no geoid model: the altitude field holds the height above the ellipsoid
    and the geoid separation is 0.0, so that their sum is the ellipsoidal height. HDOP is empty.
    An epoch without a position has a GGA of quality 0 and a void RMC, as receivers send.

    Parameters
    ----------
    solution : Solution
        The result of a run.

    Returns
    -------
    str
        The sentences.
    """
    lines: list[str] = []
    llh, rotation = np.empty(3), np.empty((3, 3))
    for k in range(solution.n_epoch):
        date, year, clock = _utc(int(solution.time_ns[k]))
        status = FixStatus(int(solution.status[k]))
        if status not in GGA_QUALITY or not np.isfinite(solution.ecef_m[k]).all():
            lines.append(sentence(f"GNGGA,{clock},,,,,0,00,,,M,,M,,"))
            lines.append(sentence(f"GNRMC,{clock},V,,,,,,,{date},,,N,V"))
            continue
        ecef_to_geodetic(solution.ecef_m[k], llh)
        enu_rotation(llh[0], llh[1], rotation)
        place = _angle(llh[0], "NS", 2) + "," + _angle(llh[1], "EW", 3)
        lines.append(sentence(_gga(solution, k, clock, place, llh[2])))
        motion = rotation @ solution.velocity_mps[k]
        lines.append(sentence(_rmc(status, f"{clock},A,{place}", motion, date)))
        cov = rotation @ solution.cov_ecef_m2[k] @ rotation.T
        lines.append(sentence(_gst(clock, cov)))
        lines.append(sentence(f"GNZDA,{clock},{date[:2]},{date[2:4]},{year},00,00"))
    return "".join(f"{line}\r\n" for line in lines)


def _gga(solution: Solution, k: int, clock: str, place: str, height_m: float) -> str:
    """Body of GGA; the age is empty for a position without a base."""
    quality = GGA_QUALITY[FixStatus(int(solution.status[k]))]
    age = f"{solution.age_s[k]:.1f}" if quality > 1 and np.isfinite(solution.age_s[k]) else ""
    station = "0000" if quality > 1 else ""
    n_sat = min(int(solution.n_sat[k]), 99)
    return f"GNGGA,{clock},{place},{quality},{n_sat:02d},,{height_m:.4f},M,0.0,M,{age},{station}"


def _rmc(status: FixStatus, clock_and_place: str, motion: FloatArray, date: str) -> str:
    """Body of RMC: speed over ground [knots] and course [deg], empty when not known.

    motion : (3,) velocity east, north, up [m/s]
    """
    ground = ","
    if np.isfinite(motion).all():
        speed = math.hypot(motion[0], motion[1]) / KNOT_MPS
        course = math.degrees(math.atan2(motion[0], motion[1])) % 360.0
        ground = f"{speed:.3f},{round(course, 1) % 360.0:.1f}"
    return f"GNRMC,{clock_and_place},{ground},{date},,,{RMC_MODE[status]},V"


def _gst(clock: str, cov: FloatArray) -> str:
    """Body of GST: error ellipse and standard deviations [m] of the local covariance (3, 3)."""
    if not np.isfinite(cov).all():
        return f"GNGST,{clock},,,,,,,"
    mean, spread = (cov[0, 0] + cov[1, 1]) / 2.0, (cov[0, 0] - cov[1, 1]) / 2.0
    radius = math.hypot(spread, cov[0, 1])
    major, minor = math.sqrt(max(mean + radius, 0.0)), math.sqrt(max(mean - radius, 0.0))
    # Orientation of the major axis, clockwise from true north: half the angle of the deviator.
    heading = math.degrees(0.5 * math.atan2(2.0 * cov[0, 1], cov[1, 1] - cov[0, 0])) % 180.0
    sigma = np.sqrt(np.maximum(np.diag(cov), 0.0))
    ellipse = f"{major:.4f},{minor:.4f},{heading:.1f}"
    return f"GNGST,{clock},,{ellipse},{sigma[1]:.4f},{sigma[0]:.4f},{sigma[2]:.4f}"


def _angle(angle_rad: float, letters: str, width: int) -> str:
    """An angle as degrees and minutes with eight decimals (0.02 mm), then its letter."""
    unit = 10**8
    total = round(abs(math.degrees(angle_rad)) * 60 * unit)
    degrees, minutes = divmod(total, 60 * unit)
    letter = letters[1] if angle_rad < 0 else letters[0]
    return f"{degrees:0{width}d}{minutes // unit:02d}.{minutes % unit:08d},{letter}"


def _utc(time_ns: int) -> tuple[str, int, str]:
    """UTC date "ddmmyy", year and time of day "hhmmss.ss"; a leap second reads 23:59:60."""
    rounded = time_ns + _HALF_CENTISECOND_NS
    leap = gpst_minus_utc_s(rounded)
    within_leap_second = gpst_minus_utc_s(rounded + NS_PER_S) > leap
    utc_ns = rounded - (leap + within_leap_second) * NS_PER_S
    year, month, day, hour, minute, ns = calendar_from_ns(utc_ns)
    second = ns // NS_PER_S + within_leap_second
    hundredth = ns % NS_PER_S // (NS_PER_S // 100)
    clock = f"{hour:02d}{minute:02d}{second:02d}.{hundredth:02d}"
    return f"{day:02d}{month:02d}{year % 100:02d}", year, clock


def parse_nmea(text: str, near_ns: int | None = None) -> NmeaTrack:
    """Positions of all GGA sentences with a valid checksum and a fix.

    The date comes from RMC or ZDA, else from `near_ns`, a GPST within half a day; sentences
    without either are passed over. Height = altitude + geoid separation (ellipsoidal).
    """
    rows: list[tuple[int, float, float, float, int]] = []
    # GGA often stands before the RMC that dates it: the first date in the file opens the log.
    day_ns = next((d for line in text.splitlines() if (d := _date_ns(_fields(line))) >= 0), -1)
    previous_clock = -1
    for line in text.splitlines():
        fields = _fields(line)
        day_ns = max(day_ns, _date_ns(fields))
        row = _gga_row(fields)
        if row is None:
            continue
        clock_ns = row[0]
        if day_ns >= 0 and previous_clock - clock_ns > NS_PER_DAY // 2:
            day_ns = _next_day(day_ns, rows, clock_ns)
        previous_clock = clock_ns
        utc_ns = day_ns + clock_ns if day_ns >= 0 else _nearest(clock_ns, near_ns)
        if utc_ns >= 0:
            leap = gpst_minus_utc_s(utc_ns, time_is_utc=True)
            rows.append((utc_ns + leap * NS_PER_S, *row[1:]))
    table = np.array([row[1:4] for row in rows], dtype=np.float64).reshape(-1, 3)
    return NmeaTrack(
        time_ns=np.array([row[0] for row in rows], dtype=np.int64),
        ecef_m=ecef_from_degrees(table),
        quality=np.array([row[4] for row in rows], dtype=np.int64),
    )


def _next_day(day_ns: int, rows: list[tuple[int, float, float, float, int]], clock_ns: int) -> int:
    """The day of a GGA whose clock fell back: midnight passed unless a date said so already."""
    already_there = bool(rows) and day_ns + clock_ns > rows[-1][0]
    return day_ns if already_there else day_ns + NS_PER_DAY


def _fields(line: str) -> list[str]:
    """Fields of a sentence, its name shortened to three letters; [] when it is not a good one."""
    text = line.strip()
    start, star = text.find("$"), text.rfind("*")
    if start < 0 or not text[start:].isascii():
        return []
    body = text[start + 1 : star] if star > start else text[start + 1 :]
    if star > start and checksum(body) != text[star + 1 : star + 3].upper():
        return []
    fields = body.split(",")
    return [fields[0][-3:], *fields[1:]]


def _date_ns(fields: list[str]) -> int:
    """Start of the UTC day named by RMC or ZDA, ns since the GPS epoch; -1 when there is none."""
    try:
        if fields and fields[0] == "RMC" and len(fields[9]) == 6:
            digits = fields[9]
            year = 2000 + int(digits[4:]) if int(digits[4:]) < 80 else 1900 + int(digits[4:])
            return ns_from_calendar(year, int(digits[2:4]), int(digits[:2]))
        if fields and fields[0] == "ZDA":
            return checked_ns(ns_from_calendar(int(fields[4]), int(fields[3]), int(fields[2])))
    except (ValueError, IndexError):
        return -1
    return -1


def _gga_row(fields: list[str]) -> tuple[int, float, float, float, int] | None:
    """Time of day [ns], latitude, longitude [deg], ellipsoidal height [m], quality of a GGA."""
    if not fields or fields[0] != "GGA" or len(fields) < 12:
        return None
    try:
        clock = fields[1]
        seconds_ns = checked_ns(float(clock[4:]) * NS_PER_S)
        clock_ns = (int(clock[:2]) * 3600 + int(clock[2:4]) * 60) * NS_PER_S + seconds_ns
        lat = _degrees(fields[2], 2) * (-1 if fields[3] == "S" else 1)
        lon = _degrees(fields[4], 3) * (-1 if fields[5] == "W" else 1)
        height = float(fields[9]) + (float(fields[11]) if fields[11] else 0.0)
        quality = int(fields[6])
    except (ValueError, OverflowError):
        return None
    is_good = 0 < quality < 100 and 0 <= clock_ns < 2 * NS_PER_DAY
    return (clock_ns, lat, lon, height, quality) if is_good else None


def _degrees(text: str, width: int) -> float:
    """Degrees of "ddmm.mmmm" (width 2) or "dddmm.mmmm" (width 3)."""
    return int(text[:width]) + float(text[width:]) / 60.0


def _nearest(clock_ns: int, near_ns: int | None) -> int:
    """UTC [ns] with this time of day nearest to a GPST; -1 when none is given."""
    if near_ns is None:
        return -1
    near_utc = near_ns - gpst_minus_utc_s(near_ns) * NS_PER_S
    days = round((near_utc - clock_ns) / NS_PER_DAY)
    return clock_ns + days * NS_PER_DAY
