"""Time: int64 GPST nanoseconds since 1980-01-06 00:00:00, and the ways in and out."""

from __future__ import annotations

import datetime as dt

from rtkpos.constants import NS_PER_DAY, NS_PER_S, NS_PER_WEEK

GPS_EPOCH = dt.datetime(1980, 1, 6)
GPS_EPOCH_ORDINAL = GPS_EPOCH.toordinal()
_LIMIT_NS = 220 * 366 * NS_PER_DAY

# First UTC day on which GPST - UTC has the value (IERS Bulletin C; last checked: Bulletin C 71).
LEAP_SECONDS: tuple[tuple[tuple[int, int, int], int], ...] = (
    ((1980, 1, 6), 0),
    ((1981, 7, 1), 1),
    ((1982, 7, 1), 2),
    ((1983, 7, 1), 3),
    ((1985, 7, 1), 4),
    ((1988, 1, 1), 5),
    ((1990, 1, 1), 6),
    ((1991, 1, 1), 7),
    ((1992, 7, 1), 8),
    ((1993, 7, 1), 9),
    ((1994, 7, 1), 10),
    ((1996, 1, 1), 11),
    ((1997, 7, 1), 12),
    ((1999, 1, 1), 13),
    ((2006, 1, 1), 14),
    ((2009, 1, 1), 15),
    ((2012, 7, 1), 16),
    ((2015, 7, 1), 17),
    ((2017, 1, 1), 18),
)
LEAP_TABLE_VALID_UNTIL = (2026, 12, 31)


def ns_from_calendar(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second_ns: int = 0
) -> int:
    """Nanoseconds since the GPS epoch of a calendar time in one continuous time scale.

    second_ns : seconds of the minute in ns, 0 <= second_ns (61e9 allowed at a leap second).
    Raises ValueError for a day that does not exist.
    """
    try:
        days = dt.date(year, month, day).toordinal() - GPS_EPOCH_ORDINAL
    except OverflowError:
        raise ValueError("there is no such year") from None
    return days * NS_PER_DAY + (hour * 3600 + minute * 60) * NS_PER_S + second_ns


def checked_ns(time_ns: float) -> int:
    """Nanoseconds as a whole number; ValueError for NaN and for what 64 bits cannot hold."""
    if not abs(time_ns) < _LIMIT_NS:
        raise ValueError("the time lies beyond the year 2200")
    return round(time_ns)


def ns_from_week(week: int, tow_s: float) -> int:
    """Nanoseconds since the GPS epoch of a full GPS week number and a time of week [s]."""
    return week * NS_PER_WEEK + round(tow_s * NS_PER_S)


def week_and_tow(time_ns: int) -> tuple[int, float]:
    """Full GPS week number and time of week [s]."""
    week, rest = divmod(int(time_ns), NS_PER_WEEK)
    return week, rest / NS_PER_S


def calendar_from_ns(time_ns: int) -> tuple[int, int, int, int, int, int]:
    """Calendar (year, month, day, hour, minute, nanosecond of the minute) in the same scale."""
    days, rest = divmod(int(time_ns), NS_PER_DAY)
    date = dt.date.fromordinal(GPS_EPOCH_ORDINAL + days)
    minutes, second_ns = divmod(rest, 60 * NS_PER_S)
    return date.year, date.month, date.day, minutes // 60, minutes % 60, second_ns


def gpst_minus_utc_s(time_ns: int, *, time_is_utc: bool = False) -> int:
    """Leap seconds GPST - UTC [s] at a time given in GPST (or in UTC on request)."""
    for (year, month, day), leap in reversed(LEAP_SECONDS):
        start = ns_from_calendar(year, month, day) + (0 if time_is_utc else leap * NS_PER_S)
        if time_ns >= start:
            return leap
    return 0


def utc_is_beyond_table(time_ns: int) -> bool:
    """True when UTC at this time rests on a leap second table that does not reach so far."""
    return time_ns >= ns_from_calendar(*LEAP_TABLE_VALID_UNTIL) + NS_PER_DAY


def iso_gpst(time_ns: int, digits: int = 3) -> str:
    """Human-readable GPST, rounded to `digits` decimals: "2024-06-24 08:20:00.000"."""
    unit = 10 ** (9 - digits)
    year, month, day, hour, minute, ns = calendar_from_ns((int(time_ns) + unit // 2) // unit * unit)
    seconds = f"{ns // NS_PER_S:02d}"
    fraction = f".{ns % NS_PER_S // unit:0{digits}d}" if digits else ""
    return f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{seconds}{fraction}"
