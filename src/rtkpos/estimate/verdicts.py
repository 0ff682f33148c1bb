"""Numbers the step writes: status, reason, modes; and the row of a position.

The status and reason numbers are those of `records.solution` FixStatus and Reason.
"""

from __future__ import annotations

from rtkpos._numba.decorator import kernel

NONE, SPP, DGNSS, FLOAT, FIXED = range(5)
(
    OK,
    FEW_ROVER,
    NO_EPHEMERIS_LEFT,
    CODE_FAILED,
    NO_BASE,
    AGE_TOO_LARGE,
    FEW_COMMON,
    AR_IS_OFF,
    FEW_AMBIGUITIES,
    UNCERTAIN,
    SUCCESS_LOW,
    RATIO_LOW,
    POSTFIT_LARGE,
    JUMP,
    SEARCH_LIMIT,
    BAD_COVARIANCE,
    LOW_TRUST,
    NO_BASE_PLACE,
) = range(18)
MODE_SINGLE, MODE_DGNSS, MODE_KINEMATIC, MODE_STATIC, MODE_MOVING_BASE = range(5)
AR_OFF, AR_INSTANTANEOUS, AR_CONTINUOUS, AR_HOLD = range(4)

PLACE_LIMIT_M = 1e9  # from the centre of the earth; no receiver is further away
MIN_PHASES = 4
MIN_COMMON = 4


@kernel
def at_rest(time_ns, settings, state):
    """Whether the antenna is known to stand still: static mode, or within the static start.

    time_ns : rover epoch [ns]      state : FilterState; epoch_ns[4] is the recording's first epoch
    """
    if settings.mode == MODE_STATIC:
        return True
    return (
        settings.mode == MODE_KINEMATIC and time_ns - state.epoch_ns[4] < settings.static_start_ns
    )


@kernel
def is_possible(position_m, cov_m2):
    """Whether a position (3,) [m] and the variances of cov_m2 (3, 3) [m^2] are numbers of a place.

    False for NaN, infinity, and what is further away than any antenna or negative.
    """
    possible = True
    for a in range(3):
        possible = possible and abs(position_m[a]) < PLACE_LIMIT_M
        possible = possible and 0.0 <= cov_m2[a, a] < PLACE_LIMIT_M**2
    return possible


@kernel
def write_position(out, k, position_m, cov_m2, status, reason):
    """Enter a position (3,) [m] with its covariance (3, 3) [m^2], status and reason in row k."""
    for a in range(3):
        out[k].ecef_m[a] = position_m[a]
        for b in range(3):
            out[k].cov_ecef_m2[a, b] = cov_m2[a, b]
    out[k].status = status
    out[k].reason = reason
    return 0
