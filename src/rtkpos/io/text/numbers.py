"""Kernels that read numbers, lines and dates from the bytes of a text file."""

from __future__ import annotations

import math

import numpy as np

from rtkpos._numba.decorator import kernel

NEWLINE, RETURN, SPACE, TAB, NUL = 10, 13, 32, 9, 0
DOT, PLUS, MINUS, ZERO = 46, 43, 45, 48
BAD_INT = -(1 << 62)
FIELD_MISSING, FIELD_OK, FIELD_BAD = range(3)
VALUE_LIMIT = 1.0e11  # an F14.3 field holds less than 1e10; more is a damaged exponent


@kernel
def trimmed_end(text, start, stop):
    """End of a line without its trailing blanks, returns, tabs and NULs: int in [start, stop]."""
    end = stop
    while end > start:
        char = text[end - 1]
        if char != SPACE and char != RETURN and char != TAB and char != NUL:
            break
        end -= 1
    return end


@kernel
def is_digit(char):
    """Whether a byte is one of 0..9."""
    return 48 <= char <= 57


@kernel
def fixed_int(text, start, stop):
    """Unsigned integer in a column, blanks allowed around its digits.

    text : (n,) uint8, columns [start, stop) inside it
    Returns : int, or BAD_INT when the column holds no digit or anything else
    """
    value, n_digit, closed = 0, 0, False
    for position in range(start, stop):
        char = text[position]
        if is_digit(char):
            if closed or n_digit > 17:
                return BAD_INT
            value = value * 10 + (np.int64(char) - ZERO)
            n_digit += 1
        elif char == SPACE:
            closed = n_digit > 0
        else:
            return BAD_INT
    return value if n_digit > 0 else BAD_INT


@kernel
def fixed_point_ns(text, start, stop):
    """Seconds with a decimal point in a column as integer nanoseconds, digits beyond cut off.

    text : (n,) uint8, columns [start, stop)      Returns : int [ns], BAD_INT when unreadable
    """
    value, n_digit, n_decimal = 0, 0, -1
    for position in range(start, stop):
        char = text[position]
        if is_digit(char):
            n_digit += 1
            if n_decimal < 9 and n_digit < 18:
                value = value * 10 + (np.int64(char) - ZERO)
                if n_decimal >= 0:
                    n_decimal += 1
        elif char == DOT and n_decimal < 0:
            n_decimal = 0
        elif char != SPACE or (n_digit > 0 and position + 1 < stop and text[position + 1] != SPACE):
            return BAD_INT
    if n_digit == 0 or n_digit > 17:
        return BAD_INT
    for _ in range(9 - max(n_decimal, 0)):
        value *= 10
    return value


@kernel
def _scaled(mantissa, exponent):
    """mantissa * 10**exponent, correctly rounded for |exponent| <= 22 and mantissa < 2**53."""
    power = 1.0
    for _ in range(min(abs(exponent), 22)):
        power *= 10.0
    return mantissa * power if exponent >= 0 else mantissa / power


@kernel
def general_number(text, start, stop):
    """Number in any spelling (sign, point, exponent with E or D) in a column of at most 20 bytes.

    text : (n,) uint8, columns [start, stop)
    Returns : (FIELD_OK, value), (FIELD_MISSING, NaN) for blanks, (FIELD_BAD, NaN) for the rest
    """
    first, end = start, trimmed_end(text, start, stop)
    while first < end and (text[first] == SPACE or text[first] == TAB or text[first] == NUL):
        first += 1
    if first == end:
        return FIELD_MISSING, math.nan
    negative = text[first] == MINUS
    if negative or text[first] == PLUS:
        first += 1
    mantissa, n_digit, n_decimal, position = 0, 0, -1, first
    while position < end:
        char = text[position]
        if is_digit(char):
            mantissa = mantissa * 10 + (np.int64(char) - ZERO)
            n_digit += 1
            n_decimal += 1 if n_decimal >= 0 else 0
        elif char == DOT and n_decimal < 0:
            n_decimal = 0
        else:
            break
        position += 1
    if n_digit == 0 or n_digit > 15:
        return FIELD_BAD, math.nan
    exponent = 0
    if position < end:
        letter = np.int64(text[position]) & 0xDF
        position += 1
        sign = 1
        if position < end and (text[position] == MINUS or text[position] == PLUS):
            sign = -1 if text[position] == MINUS else 1
            position += 1
        size = fixed_int(text, position, end)
        if (letter != 68 and letter != 69) or size == BAD_INT or size > 22:
            return FIELD_BAD, math.nan
        exponent = sign * size
    value = _scaled(float(mantissa), exponent - max(n_decimal, 0))
    if value >= VALUE_LIMIT:
        return FIELD_BAD, math.nan
    return FIELD_OK, -value if negative else value


@kernel
def days_from_gps_epoch(year, month, day):
    """Days from 1980-01-06 to a Gregorian date; BAD_INT for a date that does not exist.

    Source: the usual shift of the year's start to March, so that the leap day comes last
    (as in E. G. Richards, Explanatory Supplement to the Astronomical Almanac, 3rd ed., 15.11).
    """
    if not (1980 <= year <= 2200 and 1 <= month <= 12 and 1 <= day <= 31):
        return BAD_INT
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month == 2 and day > (29 if is_leap else 28):
        return BAD_INT
    if day == 31 and (month == 4 or month == 6 or month == 9 or month == 11):
        return BAD_INT
    years = year - 1 if month <= 2 else year
    months = month + 9 if month <= 2 else month - 3
    days = years * 365 + years // 4 - years // 100 + years // 400
    return days + (153 * months + 2) // 5 + day - 723126
