"""Figures of one solution, ours or a peer's, by the same code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bench.accuracy.row import Row
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.io.solutions.reference_track import Truth
from rtkpos.physics.accuracy import WRONG_MOVING_M, WRONG_STATIC_M, accuracy, error_enu_m
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus

NS = 1_000_000_000
HOUR_NS = 3600 * NS
CHI2_95_2D, CHI2_95_1D = 5.991, 3.841
TRACK_GAP_S = 1.1  # a track sampled each second is interpolated; across a lost sample it is not
MIN_PER_HOUR = 20  # fixed epochs an hour needs for its mean to count


def judge(
    solution: Solution, truth: Truth, row: Row, offset_mm: list[float] | None = None
) -> dict[str, Any]:
    """All figures of a solution, lengths in millimetres, None where there is nothing to judge.

    offset_mm : error east, north, up to take away where the row asks for it, else the median one
    """
    # Another program's track has our epochs: where it lacks one, a car's turn is not guessed.
    truth_m = truth.at(solution.time_ns, 0.0 if row.truth == "combined" else TRACK_GAP_S)
    figures: dict[str, Any] = {}
    if row.without_offset:
        known = None if offset_mm is None else np.array(offset_mm) / 1e3
        offset_m = _median_error(solution, truth_m) if known is None else known
        figures["offset_enu_mm"] = _mm(offset_m)
        solution = replace(solution, ecef_m=_moved(solution.ecef_m, truth_m, offset_m))
    limit_m = row.wrong_m or (WRONG_MOVING_M if row.is_moving else WRONG_STATIC_M)
    result = accuracy(solution, truth_m, limit_m)
    figures |= {
        "n_epoch": result.n_epoch,
        "n_without_position": result.n_without_position,
        "n_judged": result.n_compared,
        "fix_rate": round(result.fix_rate, 5),
        "n_fixed": int((solution.status == FixStatus.FIXED).sum()),
        "first_fix_s": _number(result.first_fix_s),
        "n_wrong": result.n_wrong,
        "n_fixed_judged": result.n_fixed_compared,
        "wrong_rate": round(result.wrong_rate, 5),
        "wrong_limit_m": result.wrong_m,
        "within_10cm": round(result.within_10cm, 5),
        "fixed_rms_enu_mm": _mm(result.fixed.rms_enu_m),
        "fixed_std_enu_mm": _mm(result.fixed.std_enu_m),
        "fixed_3d_mm": _percentiles(result.fixed.three_d_m),
        "fixed_max_3d_mm": _mm(result.fixed.max_3d_m),
        "all_3d_mm": _percentiles(result.all.three_d_m),
        "all_horizontal_mm": _percentiles(result.all.horizontal_m),
        "float_3d_mm": float_percentiles(solution, truth_m),
        "height_step_mm": height_step_mm(solution),
        "calibration": calibration(solution, truth_m, row.truth_sigma_m),
    }
    if row.truth == "point" and not row.is_truth_exact and not row.without_offset:
        centred = replace(row, without_offset=True)
        figures["n_wrong_about_median"] = judge(solution, truth, centred)["n_wrong"]
    if row.mode == "static":
        figures["final_enu_mm"] = _mm(final_error_m(solution, truth_m))
    if row.hourly:
        figures["hourly"] = hourly_means(solution, truth_m)
    return figures


def _median_error(solution: Solution, truth_m: np.ndarray) -> np.ndarray:
    """Median east, north, up error [m] of the fixed epochs, or of all when none is fixed."""
    error = error_enu_m(solution.ecef_m, truth_m)
    good = np.isfinite(error).all(axis=1)
    fixed = good & (solution.status == FixStatus.FIXED)
    chosen = fixed if fixed.any() else good
    return np.median(error[chosen], axis=0) if chosen.any() else np.zeros(3)


def _moved(ecef_m: np.ndarray, truth_m: np.ndarray, offset_m: np.ndarray) -> np.ndarray:
    """Positions less an east, north, up offset [m] at the first known truth."""
    return ecef_m - _rotation(truth_m).T @ offset_m


def _rotation(points_m: np.ndarray) -> np.ndarray:
    """Rotation from ECEF to east, north, up at the first finite point."""
    point = points_m[np.isfinite(points_m).all(axis=1)][0]
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(point.copy(), llh)
    enu_rotation(llh[0], llh[1], rotation)
    return rotation


def calibration(
    solution: Solution, truth_m: np.ndarray, sigma_m: float = 0.0
) -> dict[str, dict[str, int]]:
    """How many fixed and float epochs have the truth within their 95 % ellipse and interval.

    sigma_m : standard deviation of the truth, where it matters: means of a static antenna
    """
    error = error_enu_m(solution.ecef_m, truth_m)
    turn = _rotation(truth_m)
    cov = turn @ solution.cov_ecef_m2 @ turn.T + sigma_m**2 * np.eye(3)
    good = np.isfinite(error).all(axis=1) & np.isfinite(cov).all(axis=(1, 2))
    counts = {}
    for name, status in (("fixed", FixStatus.FIXED), ("float", FixStatus.FLOAT)):
        e, c = error[good & (solution.status == status)], cov[good & (solution.status == status)]
        solved = np.linalg.solve(c[:, :2, :2], e[:, :2, None])[:, :, 0]
        counts[name] = {
            "n": len(e),
            "n_horizontal": int(((e[:, :2] * solved).sum(axis=1) <= CHI2_95_2D).sum()),
            "n_vertical": int((e[:, 2] ** 2 <= CHI2_95_1D * c[:, 2, 2]).sum()),
        }
    return counts


def float_percentiles(solution: Solution, truth_m: np.ndarray) -> dict[str, float | None]:
    """Percentiles 50, 95, 99 of the 3D error of the float epochs [mm]."""
    error_m = np.linalg.norm(solution.ecef_m - truth_m, axis=1)
    error_m = error_m[np.isfinite(error_m) & (solution.status == FixStatus.FLOAT)]
    if not len(error_m):
        return dict.fromkeys(("p50", "p95", "p99"))
    return _percentiles({p: float(np.percentile(error_m, p)) for p in (50, 95, 99)})


def final_error_m(solution: Solution, truth_m: np.ndarray) -> np.ndarray:
    """Error of the final coordinate, of the last fixed epoch where a program gives none."""
    fixed = np.flatnonzero(solution.status == FixStatus.FIXED)
    final = solution.static_ecef_m
    if np.isnan(final).any() and len(fixed):
        final = solution.ecef_m[fixed[-1]]
    return error_enu_m(final[None], truth_m[-1:])[0]


def height_step_mm(solution: Solution) -> float | None:
    """Largest change of height between two neighbouring epochs that are both fixed."""
    fixed = solution.status == FixStatus.FIXED
    height = solution.llh()[:, 2]
    both = fixed[1:] & fixed[:-1]
    return _mm(np.abs(np.diff(height))[both].max()) if both.any() else None


def hourly_means(solution: Solution, truth_m: np.ndarray) -> dict[str, Any]:
    """Means of the fixed epochs of each hour: standard deviation and RMS error by component."""
    error = error_enu_m(solution.ecef_m, truth_m)
    good = np.isfinite(error).all(axis=1) & (solution.status == FixStatus.FIXED)
    hour = (solution.time_ns - solution.time_ns[0]) // HOUR_NS
    means = [
        error[good & (hour == h)].mean(axis=0)
        for h in np.unique(hour)
        if (good & (hour == h)).sum() >= MIN_PER_HOUR
    ]
    if len(means) < 2:
        return {"n_hour": len(means), "std_enu_mm": None, "rms_enu_mm": None}
    return {
        "n_hour": len(means),
        "std_enu_mm": _mm(np.std(means, axis=0, ddof=1)),
        "rms_enu_mm": _mm(np.sqrt(np.mean(np.square(means), axis=0))),
    }


def velocity_error(solution: Solution, truth: Truth) -> dict[str, Any]:
    """Doppler velocity against the reference track's central differences over two seconds."""
    before = truth.at(solution.time_ns - NS, TRACK_GAP_S)
    after = truth.at(solution.time_ns + NS, TRACK_GAP_S)
    good = np.isfinite(before + after).all(axis=1)
    if not good.any():
        return {}
    difference = solution.velocity_mps - (after - before) / 2.0
    error = difference[good] @ _rotation(before).T
    missing = ~np.isfinite(error).all(axis=1)
    error = error[~missing]
    horizontal, up = np.hypot(error[:, 0], error[:, 1]) * 1e3, np.abs(error[:, 2]) * 1e3
    speed = np.linalg.norm((after - before)[good], axis=1) / 2.0
    return {
        "n": len(error),
        "n_missing": int(missing.sum()),
        "horizontal_mm_s": {f"p{p}": _number(np.percentile(horizontal, p)) for p in (50, 95)},
        "up_mm_s": {f"p{p}": _number(np.percentile(up, p)) for p in (50, 95)},
        "median_speed_m_s": _number(np.median(speed)),
    }


def _percentiles(values_m: dict[int, float]) -> dict[str, float | None]:
    """Percentiles 50, 95, 99 in millimetres."""
    return {f"p{p}": _mm(values_m[p]) for p in (50, 95, 99)}


def _mm(value: Any) -> Any:
    """Metres as millimetres with two digits; None for what is not finite."""
    if isinstance(value, np.ndarray):
        return [_mm(float(v)) for v in value]
    return _number(float(value) * 1e3)


def _number(value: Any) -> float | None:
    """Two digits; None for what is not finite."""
    return round(float(value), 2) if np.isfinite(value) else None
