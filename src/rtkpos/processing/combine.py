"""Forward and backward runs combined: agreement strengthens a fix, disagreement demotes it.

The two runs are two filters with different memories that look at the same phases. Where both fix
all the same integers, a moving antenna's position is in both the one of that epoch's phases, equal
to less than a millimetre; where they fix different parts of them, it differs by millimetres. The
runs confirm each other's integers, but they are not independent, and the covariance is not halved.
Floats share the epoch's observations, and their errors last longer
than either run believes. Positions are therefore fused by covariance intersection with equal parts:
the mean weighted by the information of each, whose covariance is the inverse of the mean of both
informations. It holds for any correlation between the two (Julier & Uhlmann 1997, Proc. ACC,
p. 2369). Measured and lost, see docs/decisions/combined.md: unequal parts with the smallest trace
(floats of the 35 km line 303 instead of 269 mm at 95 %), and the sum of both informations (the 95 %
ellipse covered 63 % of them).

Rules, by epoch:
* both fixed, not further apart than 4 sigma of the difference: fixed, fused;
* both fixed and further apart: one is wrong and nothing says which. Demoted to float with reason
  DIRECTIONS_DISAGREE, at the moments of a mixture in equal parts: mean of the two, mean of the
  covariances plus a quarter of the square of the distance;
* one fixed, the other a float that is precise and further than 4 sigma away: demoted likewise;
* one fixed otherwise: the fixed one;
* both float: fused;    otherwise the better status, forward in a tie.

Everything else of the row (ratio, satellites, counts) is that of the run whose position is taken,
or of the more certain one of the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray
from rtkpos.records.status import FixStatus, Reason

LIMIT_SIGMA = 4.0
# Standard deviation added to a difference [m]: multipath and the atmosphere last, and covariances
# count on white noise.
FLOOR_M = 0.01
FLOAT_FLOOR_M = 0.05  # the same of a float, whose codes are off by decimetres for minutes
PRECISE_M = 0.5  # 3D sigma of a float that may contradict a fix
TALLY_NAMES = (
    "combined_agree",
    "combined_one_fixed",
    "combined_disagree",
    "combined_float_disagrees",
)


def combine(forward: Any, backward: Any) -> tuple[Any, dict[str, int]]:
    """The rows of both runs as one.

    forward, backward : (n,) StepOutput rows in the order of time; positions of fixed epochs are
        those of the epochs themselves (`own_ecef_m`), in static mode too
    Returns : (n,) rows, and the number of epochs by TALLY_NAMES
    """
    is_forward = prefers_forward(forward, backward)
    out = np.where(is_forward, forward, backward).view(np.recarray)
    place, cov = (out[name].copy() for name in ("ecef_m", "cov_ecef_m2"))
    fixed = [rows["status"] == FixStatus.FIXED for rows in (forward, backward)]
    floats = [rows["status"] == FixStatus.FLOAT for rows in (forward, backward)]
    both_fixed, both_float = fixed[0] & fixed[1], floats[0] & floats[1]
    one_fixed = fixed[0] ^ fixed[1]
    apart = far_apart(forward, backward, np.where(both_fixed, FLOOR_M, FLOAT_FLOOR_M))
    disagree = both_fixed & apart
    float_disagrees = one_fixed & apart & (floats[0] | floats[1]) & _is_precise(forward, backward)
    fused = (both_fixed & ~disagree) | both_float
    place[fused], cov[fused] = fuse(forward[fused], backward[fused])
    demoted = disagree | float_disagrees
    place[demoted], cov[demoted] = mixture(forward[demoted], backward[demoted])
    out["ecef_m"], out["cov_ecef_m2"] = place, cov
    out["status"][demoted], out["n_fixed"][demoted] = FixStatus.FLOAT, 0
    out["reason"][demoted] = Reason.DIRECTIONS_DISAGREE
    out["own_ecef_m"][demoted] = np.nan
    tallies = (both_fixed & ~disagree, one_fixed & ~float_disagrees, disagree, float_disagrees)
    return out, {name: int(t.sum()) for name, t in zip(TALLY_NAMES, tallies, strict=True)}


def share_base(forward: Any, backward: Any) -> Any:
    """The backward rows with the vector from the base put on the forward run's base.

    Two code positions of one moving base differ by where their iteration began, the vectors do not.
    """
    known = np.isfinite(forward["base_ecef_m"] + backward["base_ecef_m"]).all(axis=1)
    shift_m = np.where(known[:, None], forward["base_ecef_m"] - backward["base_ecef_m"], 0.0)
    out = backward.copy()
    for name in ("ecef_m", "own_ecef_m", "base_ecef_m"):
        out[name] += shift_m
    return out


def prefers_forward(forward: Any, backward: Any) -> BoolArray:
    """Where the forward row is taken: (n,); the better status, then the smaller variance."""
    variance = [np.trace(r["cov_ecef_m2"], axis1=1, axis2=2) for r in (forward, backward)]
    same = forward["status"] == backward["status"]
    worse = same & (variance[1] < variance[0]) & (forward["status"] >= FixStatus.FLOAT)
    return np.asarray((forward["status"] >= backward["status"]) & ~worse)


def far_apart(forward: Any, backward: Any, floor_m: FloatArray) -> BoolArray:
    """Where the two positions are further apart than LIMIT_SIGMA: (n,); not where one is missing.

    floor_m : (n,) standard deviation added to the covariance of the difference [m]
    """
    apart = forward["ecef_m"] - backward["ecef_m"]
    cov = forward["cov_ecef_m2"] + backward["cov_ecef_m2"]
    cov += floor_m[:, None, None] ** 2 * np.eye(3)
    known = np.isfinite(apart).all(axis=1) & np.isfinite(cov).all(axis=(1, 2))
    square = np.zeros(len(apart))
    solved = np.linalg.solve(cov[known], apart[known][:, :, None])[:, :, 0]
    square[known] = np.sum(apart[known] * solved, axis=1)
    return square > LIMIT_SIGMA**2


def _is_precise(forward: Any, backward: Any) -> BoolArray:
    """Where both positions are certain to PRECISE_M: (n,)."""
    sums = [np.trace(r["cov_ecef_m2"], axis1=1, axis2=2) for r in (forward, backward)]
    return np.asarray(np.maximum(sums[0], sums[1]) < PRECISE_M**2)


def fuse(forward: Any, backward: Any) -> tuple[FloatArray, FloatArray]:
    """Covariance intersection in equal parts: (n, 3) [m] and (n, 3, 3) [m^2]."""
    weights = [np.linalg.inv(rows["cov_ecef_m2"]) for rows in (forward, backward)]
    cov = np.asarray(np.linalg.inv(0.5 * (weights[0] + weights[1])), np.float64)
    apart = (forward["ecef_m"] - backward["ecef_m"])[:, :, None]
    step = 0.5 * cov @ weights[0] @ apart
    return backward["ecef_m"] + step[:, :, 0], cov


def mixture(forward: Any, backward: Any) -> tuple[FloatArray, FloatArray]:
    """Mean (n, 3) [m] and covariance (n, 3, 3) [m^2] of "one of the two, nothing says which"."""
    half = 0.5 * (forward["ecef_m"] - backward["ecef_m"])
    cov = 0.5 * (forward["cov_ecef_m2"] + backward["cov_ecef_m2"])
    spread = half[:, :, None] * half[:, None, :]
    return backward["ecef_m"] + half, np.asarray(cov + spread, np.float64)
