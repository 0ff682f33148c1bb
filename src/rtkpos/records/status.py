"""Enumerations of a run: its modes, what a position rests on, and why an epoch is not fixed.

Kernels take their numbers from here (`Reason.RATIO_LOW.value`), so that a change of this file
compiles them again.
"""

from __future__ import annotations

from enum import IntEnum


class RunMode(IntEnum):
    """What is positioned: see `records.config.RtkConfig`."""

    SINGLE = 0
    DGNSS = 1
    KINEMATIC = 2
    STATIC = 3
    MOVING_BASE = 4


class ArMode(IntEnum):
    """When integer ambiguities are fixed: see `records.config.Ambiguity`."""

    OFF = 0
    INSTANTANEOUS = 1
    CONTINUOUS = 2
    HOLD = 3


class FixStatus(IntEnum):
    """What a position rests on."""

    NONE = 0
    SPP = 1
    DGNSS = 2
    FLOAT = 3
    FIXED = 4


class Reason(IntEnum):
    """Why an epoch is not fixed (OK when it is, or when no fix was asked for)."""

    OK = 0
    FEW_ROVER_SATELLITES = 1
    NO_EPHEMERIS = 2
    CODE_POSITION_FAILED = 3
    NO_BASE_EPOCH = 4
    CORRECTION_TOO_OLD = 5
    FEW_COMMON_SATELLITES = 6
    AR_OFF = 7
    FEW_AMBIGUITIES = 8
    FLOAT_TOO_UNCERTAIN = 9
    SUCCESS_RATE_LOW = 10
    RATIO_LOW = 11
    POSTFIT_LARGE = 12
    POSITION_JUMP = 13
    SEARCH_LIMIT = 14
    BAD_COVARIANCE = 15
    LOW_PROBABILITY = 16
    BASE_POSITION_FAILED = 17
    DIRECTIONS_DISAGREE = 18


REASON_TEXT = {
    Reason.OK: "fixed",
    Reason.FEW_ROVER_SATELLITES: "fewer than 4 usable rover satellites",
    Reason.NO_EPHEMERIS: "no valid ephemeris for enough satellites",
    Reason.CODE_POSITION_FAILED: "the code position did not converge or failed its tests",
    Reason.NO_BASE_EPOCH: "no base epoch near this time",
    Reason.CORRECTION_TOO_OLD: "the newest base epoch is older than the limit",
    Reason.FEW_COMMON_SATELLITES: "too few satellites common to rover and base",
    Reason.AR_OFF: "integer fixing is switched off",
    Reason.FEW_AMBIGUITIES: "too few ambiguities fit for integer fixing",
    Reason.FLOAT_TOO_UNCERTAIN: "the float solution is too uncertain to try",
    Reason.SUCCESS_RATE_LOW: "the predicted success rate is too low",
    Reason.RATIO_LOW: "the best integers are not clearly better than the second best",
    Reason.POSTFIT_LARGE: "phase residuals after fixing are too large",
    Reason.POSITION_JUMP: "the fixed position is not where the antenna can be",
    Reason.SEARCH_LIMIT: "the integer search hit its bound",
    Reason.BAD_COVARIANCE: "the covariance was not positive definite",
    Reason.LOW_PROBABILITY: "the integers are not certain enough",
    Reason.BASE_POSITION_FAILED: "the moving base has no code position",
    Reason.DIRECTIONS_DISAGREE: "the forward and the backward run disagree",
}
