"""A small made-up Solution for tests of writers, reports and comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.gnss.time import ns_from_calendar
from rtkpos.records.solution import Diagnostics, Solution
from rtkpos.records.status import FixStatus, Reason

START_NS = ns_from_calendar(2024, 6, 24, 8, 20)
PLACE_ECEF_M = np.array([-3817681.380, 3562839.9785, 3650158.3756])
BASE_ECEF_M = np.array([-3817681.1213, 3562839.4311, 3650159.1593])
STATUS = (FixStatus.FIXED, FixStatus.FLOAT, FixStatus.DGNSS, FixStatus.SPP, FixStatus.NONE)


def rotation_at(ecef_m: np.ndarray) -> np.ndarray:
    """Rotation ECEF to east, north, up at a point."""
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(np.ascontiguousarray(ecef_m), llh)
    enu_rotation(llh[0], llh[1], rotation)
    return rotation


def made_solution(
    status: tuple[FixStatus, ...] = STATUS,
    error_enu_m: np.ndarray | None = None,
    place_ecef_m: np.ndarray = PLACE_ECEF_M,
    cov_enu_m2: np.ndarray | None = None,
    **changes: Any,
) -> Solution:
    """One epoch a second with these statuses, at a place plus errors; NONE has no position."""
    n = len(status)
    rotation = rotation_at(place_ecef_m)
    error = np.zeros((n, 3)) if error_enu_m is None else np.asarray(error_enu_m)
    cov = np.diag([4e-4, 9e-4, 25e-4]) if cov_enu_m2 is None else cov_enu_m2
    missing = np.array([s == FixStatus.NONE for s in status], dtype=bool)
    ecef = place_ecef_m + error @ rotation
    velocity = np.tile(rotation.T @ np.array([3.0, 4.0, 0.5]), (n, 1))
    ecef[missing] = velocity[missing] = np.nan
    zeros = np.zeros(n, dtype=np.int64)
    nan = np.full(n, np.nan)
    reason = [Reason.OK if s == FixStatus.FIXED else Reason.RATIO_LOW for s in status]
    values: dict[str, Any] = {
        "time_ns": START_NS + np.arange(n, dtype=np.int64) * 1_000_000_000,
        "ecef_m": ecef,
        "velocity_mps": velocity,
        "cov_ecef_m2": np.tile(rotation.T @ cov @ rotation, (n, 1, 1)),
        "status": np.array(status, dtype=np.int8),
        "reason": np.array(reason, dtype=np.int8),
        "ratio": np.full(n, 12.3),
        "age_s": np.full(n, 0.5),
        "n_sat": np.full(n, 17, dtype=np.int64),
        "n_fixed": np.full(n, 24, dtype=np.int64),
        "rx_clock_m": np.zeros(n),
        "event": np.zeros(n, dtype=np.uint8),
        "base_ecef_m": BASE_ECEF_M.copy(),
        "mode": "kinematic",
        "diagnostics": Diagnostics(
            n_slip=zeros,
            n_code_rejected=zeros,
            n_phase_rejected=zeros,
            prefit_code_m=nan,
            postfit_phase_m=nan,
            success_rate=nan,
            ratio_needed=nan,
            probability=nan,
        ),
    }
    return Solution(**(values | changes))
