"""What corrections are worth: stations predicted from the others, averaged over minutes.

A covariance is a guess of the average; a wave that passes one satellite's lines of sight is not in
it. Each station is therefore predicted from the others (`leave_one_out`); the squares of these
residuals over their expected variances, averaged with forgetting, scale the sigma of each satellite
(`sigma_factor`). The plain residuals of a station are the residual interpolation uncertainty (RIU)
that network messages quote.

Keep one record of LooSums per field (dispersive, non-dispersive); satellites keep their columns.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, record_of
from rtkpos._numba.decorator import kernel
from rtkpos.network.interpolation.station_geometry import N_SET, N_STATION

LOO_WINDOW_S = 300.0
# Residuals of one epoch that the average of all satellites counts as, beside a satellite's own: as
# many as a cell of stations gives, for those of five minutes repeat each other.
PRIOR_RESIDUALS = 8.0
FACTOR_MIN, FACTOR_MAX = 0.3, 10.0


class LooSums(NamedTuple):
    """Sums of leave-one-out residuals, older epochs fading.

    ratio, n_residual : (N_SET,) squares over expected variance, and how many, by satellite
    square_m2, station_count : (N_STATION,) plain squares [m2], and how many, by station
    n_epoch : epochs, older ones counting less
    """

    ratio: FloatArray
    n_residual: FloatArray
    square_m2: FloatArray
    station_count: FloatArray
    n_epoch: float


def loo_sums() -> Any:
    """An empty record of LooSums."""
    satellites, stations = np.zeros(N_SET), np.zeros(N_STATION)
    return record_of(LooSums(satellites, satellites, stations, stations, 0.0))


@kernel
def add_residuals(residual_m, sigma_m, decay, sums):
    """One epoch of `leave_one_out` into the sums.

    residual_m, sigma_m : (n_station, n_sat) NaN = missing      decay : float, see `forgetting`
    sums : LooSums
    """
    n_station, n_sat = residual_m.shape
    sums.n_epoch = sums.n_epoch * decay + 1.0
    for s in range(N_SET):
        sums.ratio[s] *= decay
        sums.n_residual[s] *= decay
    for k in range(N_STATION):
        sums.square_m2[k] *= decay
        sums.station_count[k] *= decay
    for k in range(n_station):
        for s in range(n_sat):
            if not math.isnan(residual_m[k, s]):
                square = residual_m[k, s] * residual_m[k, s]
                sums.ratio[s] += square / (sigma_m[k, s] * sigma_m[k, s])
                sums.n_residual[s] += 1.0
                sums.square_m2[k] += square
                sums.station_count[k] += 1.0


@kernel
def sigma_factor(sums, out_factor):
    """By what a satellite's sigma of interpolation is to be multiplied: 1 where the model is right.

    out_factor : (n_sat,)      sums : LooSums
    Its own residuals, drawn towards those of all satellites, these drawn towards 1.
    """
    if not sums.n_epoch > 0.0:
        for s in range(out_factor.shape[0]):
            out_factor[s] = 1.0
        return
    ratio, count = 0.0, 0.0
    for s in range(N_SET):
        ratio += sums.ratio[s] / sums.n_epoch
        count += sums.n_residual[s] / sums.n_epoch
    common = (ratio + PRIOR_RESIDUALS) / (count + PRIOR_RESIDUALS)
    for s in range(out_factor.shape[0]):
        own, n_own = sums.ratio[s] / sums.n_epoch, sums.n_residual[s] / sums.n_epoch
        square = (own + PRIOR_RESIDUALS * common) / (n_own + PRIOR_RESIDUALS)
        out_factor[s] = min(max(math.sqrt(square), FACTOR_MIN), FACTOR_MAX)


def station_riu_m(sums: Any, n_station: int) -> FloatArray:
    """Residual interpolation uncertainty of each station (n_station,) [m, RMS]; NaN without any."""
    count = sums.station_count[:n_station]
    mean = np.full(n_station, math.nan)
    np.divide(sums.square_m2[:n_station], count, out=mean, where=count > 0.0)
    return np.sqrt(mean)


def point_riu_m(sums: Any, weight: FloatArray) -> float:
    """Residual interpolation uncertainty at a point [m]: that of its stations by size of weight.

    weight : (n_station,) of the point; NaN where no station of any weight has residuals
    """
    riu = station_riu_m(sums, len(weight))
    share = np.where(np.isnan(riu), 0.0, np.abs(weight))
    if not share.sum() > 0.0:
        return math.nan
    return float(np.sqrt((share * np.nan_to_num(riu) ** 2).sum() / share.sum()))
