"""Accuracy of a solution against the truth: rates, RMS and percentiles."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray
from rtkpos.constants import NS_PER_S
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.errors import DataError
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus

WRONG_STATIC_M = 0.10
WRONG_MOVING_M = 0.20
PERCENTILES = (50, 68, 95, 99)


@dataclass(frozen=True, kw_only=True)
class ErrorStatistics:
    """Errors of one group of epochs [m]; NaN when the group is empty.

    n : epochs      mean_enu_m, std_enu_m, rms_enu_m : (3,) east, north, up
    rms_horizontal_m, rms_3d_m : of the whole vector
    east_m, north_m, up_m, horizontal_m, three_d_m : PERCENTILES of the absolute value
    max_3d_m : largest
    """

    n: int
    mean_enu_m: FloatArray
    std_enu_m: FloatArray
    rms_enu_m: FloatArray
    rms_horizontal_m: float
    rms_3d_m: float
    east_m: dict[int, float]
    north_m: dict[int, float]
    up_m: dict[int, float]
    horizontal_m: dict[int, float]
    three_d_m: dict[int, float]
    max_3d_m: float


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """A solution judged by the truth.

    n_epoch : rover epochs, solved or not      n_compared : epochs with position and truth
    n_without_position : rover epochs without one      n_without_truth : positions not judged
    fix_rate : fixed share of all rover epochs      n_fixed_compared : fixed epochs with truth
    n_wrong, wrong_rate : fixed epochs off by more than `wrong_m` in 3D; share of n_fixed_compared
    within_10cm, within_50cm : share of all epochs (those without a position count as outside)
    first_fix_s, first_right_fix_s : seconds from the first epoch, NaN when there is none
    all, fixed : statistics of every compared epoch and of the fixed ones
    """

    n_epoch: int
    n_compared: int
    n_without_position: int
    n_without_truth: int
    fix_rate: float
    n_fixed_compared: int
    n_wrong: int
    wrong_rate: float
    wrong_m: float
    within_10cm: float
    within_50cm: float
    first_fix_s: float
    first_right_fix_s: float
    all: ErrorStatistics
    fixed: ErrorStatistics

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON: arrays as lists, percentiles keyed "p50", NaN as None."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain


def accuracy(solution: Solution, truth_ecef_m: FloatArray, wrong_m: float) -> Accuracy:
    """Compare every position with the truth.

    truth_ecef_m : (3,) or (n_epoch, 3) [m], NaN where it is not known
    wrong_m : 3D error beyond which a fixed epoch is wrong (WRONG_STATIC_M, WRONG_MOVING_M)
    Raises DataError for a truth of another shape.
    """
    truth = np.asarray(truth_ecef_m, dtype=np.float64)
    if truth.shape not in ((3,), (solution.n_epoch, 3)):
        raise DataError(
            f"truth must have shape (3,) or ({solution.n_epoch}, 3); got {truth.shape}."
        )
    truth = np.broadcast_to(truth, (solution.n_epoch, 3))
    error_m = error_enu_m(solution.ecef_m, truth)
    has_position = np.isfinite(solution.ecef_m).all(axis=1)
    compared = np.isfinite(error_m).all(axis=1)
    fixed = compared & (solution.status == FixStatus.FIXED)
    norm_m = np.linalg.norm(error_m, axis=1)
    n_wrong = int((norm_m[fixed] > wrong_m).sum())
    n_epoch = max(solution.n_epoch, 1)
    # An epoch whose truth is unknown cannot count as outside; one without a position does.
    judged = max(int((np.isfinite(truth).all(axis=1)).sum()), 1)
    return Accuracy(
        n_epoch=solution.n_epoch,
        n_compared=int(compared.sum()),
        n_without_position=int((~has_position).sum()),
        n_without_truth=int((has_position & ~compared).sum()),
        fix_rate=float((solution.status == FixStatus.FIXED).sum() / n_epoch),
        n_fixed_compared=int(fixed.sum()),
        n_wrong=n_wrong,
        wrong_rate=n_wrong / max(int(fixed.sum()), 1),
        wrong_m=wrong_m,
        within_10cm=float((norm_m <= 0.10).sum() / judged),
        within_50cm=float((norm_m <= 0.50).sum() / judged),
        first_fix_s=_first_s(solution, solution.status == FixStatus.FIXED),
        first_right_fix_s=_first_s(solution, fixed & (norm_m <= wrong_m)),
        all=error_statistics(error_m[compared]),
        fixed=error_statistics(error_m[fixed]),
    )


@dataclass(frozen=True, kw_only=True)
class Outages:
    """Spans without a fix after a fix: how many ended, and how long until the next fix [s].

    n : outages that ended with a new fix      longest_s, median_s : until that fix, NaN for none
    open_s : from the last fix to the end of the solution, 0 when the last epoch is fixed
    """

    n: int
    longest_s: float
    median_s: float
    open_s: float

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON, NaN as None."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain


def outages(solution: Solution) -> Outages:
    """Recovery times: an outage lasts from the last fixed epoch before it to the next one.

    A gap in the recording counts like epochs without a fix once it is longer than twice the
    usual sampling. All zero or NaN for a solution that was never fixed.
    """
    fixed_ns = solution.time_ns[solution.status == FixStatus.FIXED]
    if not len(fixed_ns):
        return Outages(n=0, longest_s=float("nan"), median_s=float("nan"), open_s=0.0)
    usual_ns = int(np.median(np.diff(solution.time_ns))) if solution.n_epoch > 1 else 0
    rows = np.flatnonzero(solution.status == FixStatus.FIXED)
    apart_ns = np.diff(fixed_ns)
    lost_ns = apart_ns[(np.diff(rows) > 1) | (apart_ns > 2 * usual_ns)]
    n = len(lost_ns)
    return Outages(
        n=n,
        longest_s=float(lost_ns.max()) / NS_PER_S if n else float("nan"),
        median_s=float(np.median(lost_ns)) / NS_PER_S if n else float("nan"),
        open_s=float(solution.time_ns[-1] - fixed_ns[-1]) / NS_PER_S,
    )


def error_enu_m(ecef_m: FloatArray, truth_ecef_m: FloatArray) -> FloatArray:
    """Position minus truth, turned to east, north, up at the truth: (n, 3) [m], NaN if unknown."""
    out = np.full(ecef_m.shape, np.nan)
    llh, rotation = np.empty(3), np.empty((3, 3))
    for k in np.flatnonzero(np.isfinite(ecef_m - truth_ecef_m).all(axis=1)):
        ecef_to_geodetic(truth_ecef_m[k].copy(), llh)  # a broadcast truth is read-only
        enu_rotation(llh[0], llh[1], rotation)
        out[k] = rotation @ (ecef_m[k] - truth_ecef_m[k])
    return out


def error_statistics(error_m: FloatArray) -> ErrorStatistics:
    """Statistics of errors (n, 3) east, north, up [m] without NaN; NaN throughout for n = 0."""
    if not len(error_m):
        error_m = np.full((1, 3), np.nan)
        n = 0
    else:
        n = len(error_m)
    horizontal = np.hypot(error_m[:, 0], error_m[:, 1])
    three_d = np.linalg.norm(error_m, axis=1)
    return ErrorStatistics(
        n=n,
        mean_enu_m=error_m.mean(axis=0),
        std_enu_m=error_m.std(axis=0),
        rms_enu_m=np.sqrt((error_m**2).mean(axis=0)),
        rms_horizontal_m=float(np.sqrt((horizontal**2).mean())),
        rms_3d_m=float(np.sqrt((three_d**2).mean())),
        east_m=_percentiles(error_m[:, 0]),
        north_m=_percentiles(error_m[:, 1]),
        up_m=_percentiles(error_m[:, 2]),
        horizontal_m=_percentiles(horizontal),
        three_d_m=_percentiles(three_d),
        max_3d_m=float(three_d.max()),
    )


def _percentiles(values: FloatArray) -> dict[int, float]:
    """Percentiles of absolute values, linearly interpolated."""
    return {p: float(np.percentile(np.abs(values), p)) for p in PERCENTILES}


def _first_s(solution: Solution, chosen: BoolArray) -> float:
    """Seconds from the first epoch to the first chosen one; NaN when none is."""
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return float("nan")
    return float(solution.time_ns[rows[0]] - solution.time_ns[0]) / 1e9


def _plain(value: Any) -> Any:
    """Values as JSON knows them."""
    if isinstance(value, dict):
        return {f"p{k}" if isinstance(k, int) else k: _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return [_plain(v) for v in value.tolist()]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
