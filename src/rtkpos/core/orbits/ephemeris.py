"""Which ephemeris serves a satellite at a time: type, freshness, health."""

from __future__ import annotations

import numpy as np

from rtkpos._numba.decorator import kernel
from rtkpos.gnss.systems import system_of

# Message numbers as in `records.broadcast.Message`, which lies on a higher floor.
LNAV, INAV, FNAV, D1, D2, FDMA, SBAS_MESSAGE, CNAV, CNV2, CNV1, BCNV2, CNV3 = range(12)

NO_EPHEMERIS = -1  # the satellite has no record of any admitted message
TOO_OLD = -2  # it has some, but none is fresh
UNHEALTHY = -3  # the record that applies, or a newer one, says "do not use"

# Admitted messages by system (G R E C J I S), most wanted first, -1 pads. One satellite keeps one
# type through a run: the first that occurs for it in the table, so clocks never jump between types.
DEFAULT_MESSAGE_ORDER = np.array(
    [
        [LNAV, CNAV, CNV2, -1, -1],
        [FDMA, -1, -1, -1, -1],
        [INAV, FNAV, -1, -1, -1],
        [D1, D2, CNV1, BCNV2, CNV3],
        [LNAV, CNAV, CNV2, -1, -1],
        [LNAV, -1, -1, -1, -1],
        [SBAS_MESSAGE, -1, -1, -1, -1],
    ],
    dtype=np.int8,
)

# Largest age t - toe [s] at which a record is used, and how much worse a toe in the future is than
# one as far in the past, by system G R E C J I S. A run after the fact may look ahead.
# GPS, QZSS, NavIC: half the 4 h fit interval around toe (IS-GPS-200N, 20.3.3.4.3), 1 s of margin.
# GLONASS: sets every 30 min for +-15 min around tb (ICD 5.1, 4.4); < 8 m at 30 min.
# Galileo: usable for 4 h after toe (OS SDD 1.3, 2.3.1.1) and fitted for the time after it.
# BeiDou: hourly sets, fitted for the time after toe; 4 h bridge upload gaps.
# SBAS: message 9 times out after 6 min in non-precision use (DO-229D, A.4.4.11).
# Measured against final orbits of 2020-06-25, worst 3D error [m] by age [h]: Galileo 101 at -4..-3,
# 21 at -2..-1, 4.7 at -1..0, 1.3 at 0..3, 5.7 at 3..4; BeiDou 21 at -3..-2, 8.4 at -2..-1, 8.0 at
# 2..3, 27 at 3..4, 122 at 4..6; GPS below 4.2 within 2 h on both sides.
MAX_AGE_S = np.array([7201.0, 1801.0, 14400.0, 14400.0, 7201.0, 7201.0, 360.0])
FUTURE_WEIGHT = np.array([1.0, 1.0, 4.0, 3.0, 1.0, 1.0, 1.0])


@kernel
def _lower_bound(keys, start, stop, value):
    """First index in start..stop of the ascending `keys` that is not below `value`."""
    while start < stop:
        middle = (start + stop) // 2
        if keys[middle] < value:
            start = middle + 1
        else:
            stop = middle
    return start


@kernel
def message_rows(message, first, last, wanted_types):
    """Rows within first..last that hold the first of the wanted types that occurs there.

    message      : (n,) int8, ascending within first..last
    wanted_types : (k,) int8, -1 padded
    Returns      : (start, stop), equal when none occurs
    """
    for k in range(wanted_types.shape[0]):
        wanted = wanted_types[k]
        if wanted < 0 or first == last:
            break
        if message[first] == wanted and message[last - 1] == wanted:
            return first, last
        start = _lower_bound(message, first, last, wanted)
        stop = _lower_bound(message, start, last, wanted + 1)
        if stop > start:
            return start, stop
    return first, first


@kernel
def _weighted_age_s(toe_ns, system, time_ns):
    """Age of a record [s], a toe in the future counted FUTURE_WEIGHT times."""
    age_s = (time_ns - toe_ns) * 1.0e-9
    return age_s if age_s >= 0.0 else -age_s * FUTURE_WEIGHT[system]


@kernel
def _nearest_row(toe_ns, start, stop, system, time_ns):
    """Row with toe nearest to the time; the earlier toe and the latest transmission win ties."""
    after = _lower_bound(toe_ns, start, stop, time_ns + 1)
    if after == start:
        return _lower_bound(toe_ns, start, stop, toe_ns[start] + 1) - 1
    before = after - 1
    if after == stop:
        return before
    ahead_s = _weighted_age_s(toe_ns[after], system, time_ns)
    if ahead_s < _weighted_age_s(toe_ns[before], system, time_ns):
        return _lower_bound(toe_ns, after, stop, toe_ns[after] + 1) - 1
    return before


@kernel
def _is_flagged(toe_ns, tx_ns, healthy, start, stop, time_ns, max_age_ns):
    """True when the last fresh set that was on the air at the time says "unhealthy"."""
    newest = -1
    first = _lower_bound(toe_ns, start, stop, time_ns - max_age_ns)
    for row in range(first, stop):
        if toe_ns[row] - time_ns > max_age_ns:
            break
        sent_ns = tx_ns[row]
        if sent_ns <= time_ns and (newest < 0 or sent_ns >= tx_ns[newest]):
            newest = row
    return newest >= 0 and healthy[newest] == 0


@kernel
def select_ephemeris(eph, sat, time_ns, message_order):
    """Row of the ephemeris that serves a satellite at a time, or why there is none.

    eph           : EphemerisArrays     sat : int      time_ns : int GPST [ns]
    message_order : (N_SYSTEM, k) int8, see DEFAULT_MESSAGE_ORDER
    Returns       : int row; NO_EPHEMERIS, TOO_OLD or UNHEALTHY (negative)

    The nearest toe wins, in the future too (a run after the fact) but at a penalty, as long as it
    is fresh (MAX_AGE_S). An unhealthy record excludes the satellite instead of yielding to an older
    healthy one, and so does an unhealthy set on the air at the time, even if another toe is nearer.
    """
    system = system_of(sat)
    first, last = eph.sat_start[sat], eph.sat_start[sat + 1]
    start, stop = message_rows(eph.message, first, last, message_order[system])
    if stop <= start:
        return NO_EPHEMERIS
    toe_ns = eph.toe_ns
    row = _nearest_row(toe_ns, start, stop, system, time_ns)
    if _weighted_age_s(toe_ns[row], system, time_ns) > MAX_AGE_S[system]:
        return TOO_OLD
    if eph.healthy[row] == 0:
        return UNHEALTHY
    max_age_ns = np.int64(MAX_AGE_S[system] * 1.0e9)
    if _is_flagged(toe_ns, eph.tx_ns, eph.healthy, start, stop, time_ns, max_age_ns):
        return UNHEALTHY
    return row
