"""The one coordinate of a static session, with a covariance that knows of errors that last.

Single fixed epochs repeat within seconds to millimetres, but multipath and the atmosphere stay for
minutes: a thousand epochs are worth some ten independent ones, not a thousand. The error of an
epoch is therefore taken as white noise plus first-order Gauss-Markov noise (Gelb 1974, Applied
Optimal Estimation, sec. 3.8), the same mixture east, north and up but with a 3 x 3 covariance of
their own. Share and correlation time of the lasting part are not known; each pair of a grid gets
the probability the session itself gives it (restricted likelihood with the covariance integrated
out; Patterson & Thompson 1971, Biometrika 58:545), and the coordinate and its covariance are the
mean over the grid. What a session cannot know comes from priors: the fringes of multipath from the
ground below an antenna one to two metres high last some ten minutes (0.19 m / (2 h cos E dE/dt)),
hence PRIOR_TIME_S, and an epoch's covariance is near that of its phases. A part that lasts as
long as the session does not show in it: UNSEEN_PART of the variance of the phases is taken to last
UNSEEN_TIME_S, and is added. What stays for hours (antenna models, coordinates) is not in it.
Tuned on the first halves of the day-long recordings: docs/decisions/combined.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, TimeArray
from rtkpos.constants import NS_PER_S
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.core.tables import PLACE_EVENTS
from rtkpos.records.solution import HourlyMeans
from rtkpos.records.status import FixStatus

HOUR_NS = 3600 * NS_PER_S
MIN_HOURS_NS = 2 * HOUR_NS  # below it there is nothing to repeat
N_BIN_MAX = 12  # few, so that the slow part decides the likelihood and not the first seconds
OUTLIER_SIGMA, OUTLIER_FLOOR_M = 6.0, 0.05
TIMES_S = np.array([10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0])
SHARES = np.array([0.2, 0.5, 0.8, 0.95, 0.99])
PRIOR_TIME_S, PRIOR_FACTOR = 600.0, 3.0  # median and one-sigma factor of the correlation time
PRIOR_EPOCHS = 4.0  # independent epochs the covariance of the phases counts for


UNSEEN_PART, UNSEEN_TIME_S = 0.5, 1200.0
LEAST_SHARE = 9.0  # epochs of a larger variance than so many medians are left out


@dataclass(frozen=True, kw_only=True)
class StaticSession:
    """What a static session gives: coordinate (3,) [m], covariance (3, 3) [m^2], hourly means."""

    ecef_m: FloatArray = field(default_factory=lambda: np.full(3, np.nan))
    cov_m2: FloatArray = field(default_factory=lambda: np.full((3, 3), np.nan))
    hourly: HourlyMeans | None = None


def static_session(time_ns: TimeArray, out: Any, fill: bool) -> StaticSession:
    """The coordinate of the fixed epochs since the antenna was last moved.

    time_ns : (n,) GPST [ns]      out : (n,) StepOutput rows; their own positions are used
    fill : enter the coordinate and its covariance into all fixed rows: what is known of an antenna
        at rest after both directions is the same at every epoch
    """
    moved = np.flatnonzero(out["event"] & PLACE_EVENTS)
    first = int(moved[-1]) if len(moved) else 0
    fixed = (out["status"] == FixStatus.FIXED) & (np.arange(len(time_ns)) >= first)
    used = np.flatnonzero(fixed & np.isfinite(out["own_ecef_m"]).all(axis=1))
    if not len(used):
        return StaticSession()
    position_m = np.ascontiguousarray(out["own_ecef_m"])
    variance = np.trace(out["own_cov_m2"][used], axis1=1, axis2=2)
    used = used[variance <= LEAST_SHARE * np.median(variance)]
    used = used[near_the_median(position_m[used])]
    phases_m2 = np.median(out["own_cov_m2"][used], axis=0)
    ecef_m, cov_m2 = lasting_mean(time_ns[used], position_m[used], phases_m2)
    if fill:
        out["ecef_m"][fixed], out["cov_ecef_m2"][fixed] = ecef_m, cov_m2
    hourly = hourly_means(time_ns[used], position_m[used])
    return StaticSession(ecef_m=ecef_m, cov_m2=cov_m2, hourly=hourly)


def near_the_median(position_m: FloatArray) -> IndexArray:
    """Rows of (n, 3) [m] within OUTLIER_SIGMA of the median, by the median distance."""
    distance = np.linalg.norm(position_m - np.median(position_m, axis=0), axis=1)
    limit = max(OUTLIER_SIGMA * float(np.median(distance)), OUTLIER_FLOOR_M)
    return np.flatnonzero(distance <= limit)


def lasting_mean(
    time_ns: TimeArray, position_m: FloatArray, phases_m2: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mean (3,) [m] and its covariance (3, 3) [m^2] under white and lasting noise.

    time_ns : (n,) ascending      position_m : (n, 3)      phases_m2 : (3, 3) of one epoch
    """
    origin = position_m[0]
    seconds, means, counts = binned(time_ns, position_m - origin)
    found = [
        mean_of_mixture(seconds, means, counts, phases_m2, time_s, share)
        for time_s in TIMES_S
        for share in SHARES
    ]
    evidence = np.array([one[0] for one in found])
    weight = np.exp(evidence - evidence.max())
    weight /= weight.sum()
    centres = np.array([one[1] for one in found])
    covs = np.array([one[2] for one in found])
    mean = weight @ centres
    spread = centres - mean
    cov = np.einsum("k,kij->ij", weight, covs) + (spread * weight[:, None]).T @ spread
    span_s = float(time_ns[-1] - time_ns[0]) / NS_PER_S
    return origin + mean, cov + UNSEEN_PART * variance_left(span_s, UNSEEN_TIME_S) * phases_m2


def variance_left(span_s: float, time_s: float) -> float:
    """Variance of the mean of first-order Gauss-Markov noise of variance 1 over a span [s].

    time_s : its correlation time [s]      Source: Gelb (1974), sec. 3.8, integrated twice
    """
    times = span_s / time_s
    if times < 1e-6:
        return 1.0
    return 2.0 / times * (1.0 + math.expm1(-times) / times)


def binned(time_ns: TimeArray, offset_m: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Times [s], mean offsets (m, 3) [m] and numbers of epochs of at most N_BIN_MAX equal spans."""
    seconds = (time_ns - time_ns[0]) / NS_PER_S
    n_bin = min(len(seconds), N_BIN_MAX)
    width = max(seconds[-1], 1e-9) * (1.0 + 1e-9) / n_bin
    _, bins = np.unique((seconds // width).astype(np.int64), return_inverse=True)
    counts = np.bincount(bins).astype(np.float64)
    means = np.array([np.bincount(bins, offset_m[:, axis]) for axis in range(3)]).T
    return np.bincount(bins, seconds) / counts, means / counts[:, None], counts


def mean_of_mixture(
    seconds: FloatArray,
    means: FloatArray,
    counts: FloatArray,
    phases_m2: FloatArray,
    time_s: float,
    share: float,
) -> tuple[float, FloatArray, FloatArray]:
    """Log evidence, mean (3,) and its covariance (3, 3) for one correlation time and share.

    Generalised least squares with correlation matrix K of the bins and one covariance S of the
    axes, whose prior is inverse Wishart; S and the mean are integrated out.
    Source: Gelman et al. (2013), Bayesian Data Analysis, sec. 3.6, with a flat prior of the mean.
    """
    lag_s = np.abs(seconds[:, None] - seconds[None, :])
    correlation = share * np.exp(-lag_s / time_s) + np.diag((1.0 - share) / counts)
    inverse = np.linalg.inv(correlation)
    column = inverse.sum(axis=1)
    total = float(column.sum())
    mean = column @ means / total
    residual = means - mean
    freedom = PRIOR_EPOCHS + 4.0
    scatter = phases_m2 * PRIOR_EPOCHS + residual.T @ inverse @ residual
    freedom += len(seconds) - 1.0
    log_k = np.linalg.slogdet(correlation)[1]
    log_scatter = np.linalg.slogdet(scatter)[1]
    evidence = -1.5 * (log_k + np.log(total)) - 0.5 * freedom * log_scatter
    evidence -= 0.5 * (np.log(time_s / PRIOR_TIME_S) / np.log(PRIOR_FACTOR)) ** 2
    return float(evidence), mean, scatter / ((freedom - 4.0) * total)


def hourly_means(time_ns: TimeArray, position_m: FloatArray) -> HourlyMeans | None:
    """Means of clock hours and how they repeat; None for a session below two hours.

    time_ns : (n,) [ns]      position_m : (n, 3) fixed positions [m]
    """
    if time_ns[-1] - time_ns[0] < MIN_HOURS_NS:
        return None
    hours, hour, counts = np.unique(time_ns // HOUR_NS, return_inverse=True, return_counts=True)
    sums = np.array([np.bincount(hour, (position_m - position_m[0])[:, a]) for a in range(3)]).T
    ecef_m = position_m[0] + sums / counts[:, None]
    llh, rotation = np.empty(3), np.empty((3, 3))
    ecef_to_geodetic(np.ascontiguousarray(ecef_m[0]), llh)
    enu_rotation(llh[0], llh[1], rotation)
    local = (ecef_m - ecef_m[0]) @ rotation.T
    return HourlyMeans(
        start_ns=(hours * HOUR_NS).astype(np.int64),
        ecef_m=ecef_m,
        n_epoch=counts.astype(np.int64),
        std_enu_m=local.std(axis=0, ddof=1),
    )
