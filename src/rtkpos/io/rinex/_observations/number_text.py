"""Numbers of RINEX observation lines as bytes, many at a time."""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import FlagArray, FloatArray
from rtkpos.errors import DataError

NUMBER_WIDTH = 14  # F14.3
FIELD = NUMBER_WIDTH + 2  # with the loss-of-lock and the strength digit
_POINT = 10
_LIMIT = 1e9  # nine digits before the point leave room for the sign
_BLANK, _ZERO, _DOT, _MINUS = 32, 48, 46, 45


def print_f14_3(values: FloatArray) -> FlagArray:
    """Numbers (n,) in the Fortran format F14.3: (n, 14) bytes, blank where NaN.

    Raises DataError for a number of more than nine digits before the point.
    """
    known = np.isfinite(values)
    size = np.where(known, np.abs(values), 0.0)
    if size.size and size.max() >= _LIMIT:
        raise DataError(
            f"an observation of {size.max():.0f} does not fit RINEX's 14 columns; check its unit."
        )
    left = np.rint(size * 1000.0).astype(np.int64)
    negative = (values < 0.0) & (left > 0)
    out = np.full((NUMBER_WIDTH, len(values)), _BLANK, dtype=np.uint8)
    sign_at = np.full(len(values), _POINT - 2)
    for column in range(NUMBER_WIDTH - 1, -1, -1):
        if column == _POINT:
            out[column] = _DOT
            continue
        if column < _POINT - 1:
            more = left > 0
            if not more.any():
                break
            sign_at[more] = column - 1
        rest = left // 10
        digit = (left - rest * 10 + _ZERO).astype(np.uint8)
        out[column] = digit if column >= _POINT - 1 else np.where(more, digit, _BLANK)
        left = rest
    out[:, ~known] = _BLANK
    rows = np.flatnonzero(negative)
    out[sign_at[rows], rows] = _MINUS
    return out.T


def print_flags(flags: FlagArray) -> FlagArray:
    """Digits 1..9 as bytes, blank for 0; same shape."""
    return np.where(flags > 0, flags + _ZERO, _BLANK).astype(np.uint8)


def strength_digit(cn0_dbhz: FloatArray) -> FlagArray:
    """Signal strength 1..9 of RINEX 3.04, section 5.7: C/N0 / 6 within limits; 0 where NaN."""
    known = np.isfinite(cn0_dbhz)
    level = np.clip(np.where(known, cn0_dbhz, 0.0) // 6.0, 1.0, 9.0)
    return np.where(known, level, 0.0).astype(np.uint8)
