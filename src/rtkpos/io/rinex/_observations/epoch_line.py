"""Kernels that recognise and read the epoch lines of RINEX observation files."""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import NS_PER_DAY, NS_PER_S
from rtkpos.io.text.numbers import (
    BAD_INT,
    DOT,
    FIELD_OK,
    SPACE,
    days_from_gps_epoch,
    fixed_int,
    fixed_point_ns,
    general_number,
    is_digit,
)

MARKER, TWO = 62, 50  # ">", "2"
NO_TIME = -1
# Entries of the integer head of an epoch line.
HEAD_TIME, HEAD_FLAG, HEAD_COUNT, HEAD_BEYOND = range(4)
N_HEAD = 4
_N_WORD, _SECOND_WORD = 8, 5  # year, month, day, hour, minute, second, flag, count
_MAX_SECOND_NS = 61 * NS_PER_S


@kernel
def is_marker(text, start, stop, version):
    """Whether a line (without its newline) starts an epoch: "> " or a RINEX 2 epoch line.

    text : (n,) uint8; the line is [start, stop) without trailing blanks

    A RINEX 2 epoch line has its seconds' point in column 19 and digits around it, where an
    observation line (F14.3, points in columns 11, 27, ...) has none; event records without a
    time have 26 blanks before flag and count.
    """
    if version >= 3:
        return stop > start and text[start] == MARKER
    if stop - start < 29 or stop - start > 200:
        return False
    flag = text[start + 28]
    if text[start + 26] != SPACE or text[start + 27] != SPACE:
        return False
    if text[start + 18] == DOT and text[start + 10] != DOT:
        is_flag = is_digit(flag) or flag == SPACE
        return is_flag and is_digit(text[start + 17]) and is_digit(text[start + 2])
    if not is_digit(flag) or flag < TWO:
        return False
    for position in range(start, start + 26):
        if text[position] != SPACE:
            return False
    return stop - start >= 32 and is_digit(text[start + 31])


@kernel
def _days(year, month, day, out_head):
    """Days of a date from 1980-01-06, or BAD_INT; a day 29-31 beyond its month is carried over.

    out_head : (N_HEAD,) HEAD_BEYOND tells whether the day was beyond its month
    """
    days = days_from_gps_epoch(year, month, day)
    if days == BAD_INT and 29 <= day <= 31:
        days = days_from_gps_epoch(year, month, 1)
        if days != BAD_INT:
            days += day - 1
            out_head[HEAD_BEYOND] = 1
    return days


@kernel
def _time_of(days, hour, minute, second_ns):
    """Time of day and date [ns], BAD_INT when a part of it is not one; second 60 is carried."""
    if days == BAD_INT or not 0 <= hour <= 23 or not 0 <= minute <= 59:
        return BAD_INT
    if not 0 <= second_ns < _MAX_SECOND_NS:
        return BAD_INT
    return days * NS_PER_DAY + (hour * 3600 + minute * 60) * NS_PER_S + second_ns


@kernel
def _time_ns(text, start, year, second_stop, out_head):
    """Time of " mm dd hh mm ss.sssssss" from its month column on: int [ns] or BAD_INT."""
    month = fixed_int(text, start, start + 3)
    day = fixed_int(text, start + 3, start + 6)
    hour = fixed_int(text, start + 6, start + 9)
    minute = fixed_int(text, start + 9, start + 12)
    second_ns = fixed_point_ns(text, start + 12, second_stop)
    return _time_of(_days(year, month, day, out_head), hour, minute, second_ns)


@kernel
def _read_words(text, start, stop, out_head):
    """Read a RINEX 3 or 4 epoch line whose columns are shifted, word by word; bool as `read_head`.

    text : (n,) uint8; the line is [start, stop) without trailing blanks
    """
    year, month, day, hour, minute, second_ns, flag, count = 0, 0, 0, 0, 0, 0, 0, 0
    position, n_word = start + 1, 0
    while n_word < _N_WORD and position < stop:
        while position < stop and text[position] == SPACE:
            position += 1
        end = position
        while end < stop and text[end] != SPACE:
            end += 1
        number = fixed_int(text, position, end)
        if n_word == _SECOND_WORD:
            number = fixed_point_ns(text, position, end)
        if number == BAD_INT:
            return False
        year, month, day, hour = month, day, hour, minute
        minute, second_ns, flag, count = second_ns, flag, count, number
        position, n_word = end, n_word + 1
    if n_word < _N_WORD or flag > 6 or count > 999:
        return False
    out_head[HEAD_BEYOND] = 0
    time_ns = _time_of(_days(year, month, day, out_head), hour, minute, second_ns)
    if time_ns == BAD_INT:
        return False
    out_head[HEAD_TIME], out_head[HEAD_FLAG], out_head[HEAD_COUNT] = time_ns, flag, count
    return True


@kernel
def _read_columns(text, start, stop, version, out_head):
    """Read one epoch line by its columns; arguments and result as those of `read_head`.

    Columns: RINEX 3.05 table A3 ("> yyyy mm dd hh mm ss.sssssss  f nnn"), RINEX 2.11 table A2.
    """
    shift = 6 if version >= 3 else 3
    if stop - start < shift + 23 + 3:
        return False
    flag_column = start + shift + 25
    year = fixed_int(text, start + 1, start + shift)
    if version < 3 and year >= 0:
        year += 1900 if year >= 80 else 2000
    out_head[HEAD_BEYOND] = 0
    time_ns = _time_ns(text, start + shift, year, start + shift + 23, out_head)
    flag = fixed_int(text, flag_column - 2, flag_column + 1)
    if flag == BAD_INT and text[flag_column] == SPACE:
        flag = 0
    count = fixed_int(text, flag_column + 1, min(flag_column + 4, stop))
    if not 0 <= flag <= 6:
        return False
    if count == BAD_INT:
        if flag < 2 or flag == 6:
            return False
        count = 0
    if time_ns == BAD_INT:
        if flag < 2:
            return False
        time_ns = NO_TIME
    out_head[HEAD_TIME], out_head[HEAD_FLAG], out_head[HEAD_COUNT] = time_ns, flag, count
    return True


@kernel
def read_head(text, start, stop, version, out_head):
    """Read one epoch line: time in the file's own scale, flag, count.

    text : (n,) uint8; the line is [start, stop) without trailing blanks
    out_head : (N_HEAD,) int64; HEAD_TIME is NO_TIME where an event carries none, HEAD_BEYOND 1
               where the date had more days than its month
    Returns : bool, whether the line is a valid epoch line

    A line of RINEX 3 or 4 with blanks more or less, so that a column does not hold its number or
    the count goes on behind its columns, is read word by word.
    """
    is_read = _read_columns(text, start, stop, version, out_head)
    if version < 3 or (is_read and (stop <= start + 35 or not is_digit(text[start + 35]))):
        return is_read
    return _read_words(text, start, stop, out_head)


@kernel
def read_clock(text, start, stop, version):
    """Receiver clock offset of an epoch line [s], NaN when absent, shifted or unreadable."""
    first = start + (41 if version >= 3 else 68)
    if stop <= first or (version >= 3 and text[first - 1] != SPACE):
        return math.nan
    status, value = general_number(text, first, min(first + (15 if version >= 3 else 12), stop))
    return value if status == FIELD_OK else math.nan
