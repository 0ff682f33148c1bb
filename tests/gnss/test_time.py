"""Time: against datetime, published dates, and itself."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtkpos.gnss.time import (
    LEAP_SECONDS,
    calendar_from_ns,
    gpst_minus_utc_s,
    iso_gpst,
    ns_from_calendar,
    ns_from_week,
    utc_is_beyond_table,
    week_and_tow,
)

S = 1_000_000_000
MOMENTS = st.datetimes(dt.datetime(1980, 1, 6), dt.datetime(2099, 12, 31, 23, 59, 59))


@given(moment=MOMENTS, sub_microsecond_ns=st.integers(0, 999))
def test_calendar_agrees_with_datetime_1980_to_2099(moment, sub_microsecond_ns):
    second_ns = moment.second * S + moment.microsecond * 1000 + sub_microsecond_ns
    time_ns = ns_from_calendar(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, second_ns
    )
    microseconds = (moment - dt.datetime(1980, 1, 6)) // dt.timedelta(microseconds=1)
    assert time_ns == microseconds * 1000 + sub_microsecond_ns
    date = (moment.year, moment.month, moment.day, moment.hour, moment.minute)
    assert calendar_from_ns(time_ns) == (*date, second_ns)
    assert time_ns < 2**63


@given(week=st.integers(0, 6260), tow_ms=st.integers(0, 604_800_000 - 1))
def test_week_round_trip_is_exact_to_the_millisecond(week, tow_ms):
    time_ns = ns_from_week(week, tow_ms / 1000)
    assert time_ns == (week * 604_800_000 + tow_ms) * 1_000_000
    back_week, tow_s = week_and_tow(time_ns)
    assert (back_week, round(tow_s * 1000)) == (week, tow_ms)


# IS-GPS-200N, 3.3.4: week 0 starts 1980-01-06; 10-bit rollovers as announced by USNO / GPS.gov;
# Galileo week 0 (GST start) = GPS week 1024; BDT starts 2006-01-01 UTC (BDS-SIS-ICD-B1I-3.0, 3.3).
@pytest.mark.parametrize(
    ("date", "week", "tow_s"),
    [
        ((1980, 1, 6), 0, 0),
        ((1999, 8, 22), 1024, 0),
        ((2019, 4, 7), 2048, 0),
        ((2038, 11, 21), 3072, 0),
        ((2006, 1, 1, 0, 0, 14 * S), 1356, 14),
        ((2024, 2, 29, 12), 2303, 4 * 86_400 + 43_200),
        ((2024, 12, 31, 23, 59, 59 * S), 2347, 2 * 86_400 + 86_399),
    ],
)
def test_published_weeks(date, week, tow_s):
    assert ns_from_calendar(*date) == ns_from_week(week, tow_s)
    assert week_and_tow(ns_from_calendar(*date)) == (week, tow_s)


@pytest.mark.parametrize("date", [(2023, 2, 29), (2100, 2, 29), (2024, 13, 1), (2024, 4, 31)])
def test_days_that_do_not_exist(date):
    with pytest.raises(ValueError, match=r"day|month"):
        ns_from_calendar(*date)


def test_leap_second_itself_is_the_next_minute():
    assert ns_from_calendar(2016, 12, 31, 23, 59, 60 * S) == ns_from_calendar(2017, 1, 1)


# GPST - UTC on days around each kind of step: IERS Bulletin C 36, 42, 49, 52 and the table of
# IERS "UTC-TAI.history" (TAI - UTC minus 19 s).
@pytest.mark.parametrize(
    ("date", "leap"),
    [
        ((1980, 1, 6), 0),
        ((1981, 7, 1), 1),
        ((1998, 12, 31), 12),
        ((1999, 1, 1), 13),
        ((2005, 12, 31), 13),
        ((2006, 1, 1), 14),
        ((2008, 12, 31), 14),
        ((2009, 1, 1), 15),
        ((2012, 7, 1), 16),
        ((2015, 7, 1), 17),
        ((2016, 12, 31), 17),
        ((2017, 1, 1), 18),
        ((2026, 6, 1), 18),
    ],
)
def test_leap_seconds_by_utc_day(date, leap):
    assert gpst_minus_utc_s(ns_from_calendar(*date), time_is_utc=True) == leap


def test_leap_second_step_in_gpst():
    # 2017-01-01 00:00:00 UTC is GPS second 1167264018.
    assert gpst_minus_utc_s(1_167_264_018 * S) == 18
    assert gpst_minus_utc_s(1_167_264_018 * S - 1) == 17
    utc = ns_from_calendar(2017, 1, 1)
    assert utc + gpst_minus_utc_s(utc, time_is_utc=True) * S == 1_167_264_018 * S


def test_leap_table_steps_by_one_on_half_years():
    for (_, before), ((year, month, day), after) in itertools.pairwise(LEAP_SECONDS):
        assert after == before + 1
        assert (month, day) in ((1, 1), (7, 1))
        assert year >= 1981


def test_before_the_first_step_and_beyond_the_table():
    assert gpst_minus_utc_s(-S) == 0
    assert not utc_is_beyond_table(ns_from_calendar(2024, 6, 24))
    assert utc_is_beyond_table(ns_from_calendar(2099, 1, 1))


@pytest.mark.parametrize(
    ("time_ns", "digits", "text"),
    [
        (0, 3, "1980-01-06 00:00:00.000"),
        (1_403_252_400 * S, 0, "2024-06-24 08:20:00"),
        (1_403_252_400 * S - 1, 3, "2024-06-24 08:20:00.000"),
        (1_403_252_400 * S + 123_456_789, 9, "2024-06-24 08:20:00.123456789"),
        (1_403_252_399 * S + 994_999_999, 2, "2024-06-24 08:19:59.99"),
    ],
)
def test_text_is_rounded_to_the_digit(time_ns, digits, text):
    assert iso_gpst(time_ns, digits) == text
