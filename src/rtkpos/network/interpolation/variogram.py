"""How the atmosphere decorrelates today: a variogram from the stations' own differences.

The differences of all pairs of stations and all satellites, divided by the satellite's slant
factor, are collected in bins of distance with exponential forgetting (`add_differences`, cheap,
every epoch); now and then a sill and a range are fitted to them (`fit_variogram`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, record_of
from rtkpos._numba.decorator import kernel
from rtkpos.errors import ConfigError
from rtkpos.network.interpolation.field_covariance import (
    ACTIVE_IONOSPHERE,
    QUIET_IONOSPHERE,
    SMOOTH,
    Covariance,
    correlation,
)

N_BIN = 24
BIN_WIDTH_M = 12_500.0  # 24 of them reach 300 km
VARIOGRAM_WINDOW_S = 900.0

# Fourth power of the mean root of |difference|, over its variance, for normal differences.
_ROOT_MOMENT = 0.457
_N_REWEIGHT = 8


class VariogramSums(NamedTuple):
    """Sums over pairs of stations and satellites, by bin of distance, older epochs fading.

    n_pair : (N_BIN,)      root : (N_BIN,) of sqrt|zenith difference| [m^0.5]
    distance_m : (N_BIN,)
    """

    n_pair: FloatArray
    root: FloatArray
    distance_m: FloatArray


@dataclass(frozen=True)
class VariogramLimits:
    """Bounds of the fit, and what counts as enough.

    n_pair_min : differences in the window (a satellite of a pair of stations at one epoch is one)
    n_bin_min  : bins of distance that hold at least a hundredth of them
    """

    range_min_m: float = 20e3
    range_max_m: float = 400e3
    sill_min_m: float = 0.003
    sill_max_m: float = 1.0
    n_pair_min: float = 300.0
    n_bin_min: int = 3
    n_range: int = 16


LIMITS = VariogramLimits()


@dataclass(frozen=True)
class EmpiricalVariogram:
    """Half the variance of zenith differences [m2] by distance, filled bins only, all (n,)."""

    distance_m: FloatArray
    half_variance_m2: FloatArray
    n_pair: FloatArray


def variogram_sums() -> Any:
    """An empty record of VariogramSums."""
    bins = np.zeros(N_BIN)
    return record_of(VariogramSums(bins, bins, bins))


def forgetting(step_s: float, window_s: float = VARIOGRAM_WINDOW_S) -> float:
    """Factor by which sums decay in one step, so that `window_s` of epochs weigh in total."""
    if not (window_s > 0.0 and step_s >= 0.0):
        raise ConfigError(
            f"variogram.window_s must be positive; got {window_s!r}, step {step_s!r}."
        )
    return math.exp(-step_s / window_s)


@kernel
def add_differences(value_m, slant_factor, east_north_m, decay, sums):
    """One epoch of differences between stations into the sums of their bins.

    value_m : (n_station, n_sat) NaN = missing      slant_factor : (n_sat,)
    east_north_m : (n_station, 2) [m]      decay : float, see `forgetting`      sums : VariogramSums
    Returns : int  differences added; pairs beyond the last bin are left out
    """
    for b in range(N_BIN):
        sums.n_pair[b] *= decay
        sums.root[b] *= decay
        sums.distance_m[b] *= decay
    n_added = 0
    n_station, n_sat = value_m.shape
    for k in range(n_station):
        for m in range(k + 1, n_station):
            east = east_north_m[m, 0] - east_north_m[k, 0]
            north = east_north_m[m, 1] - east_north_m[k, 1]
            distance = math.sqrt(east * east + north * north)
            b = int(distance / BIN_WIDTH_M)
            if b >= N_BIN:
                continue
            for s in range(n_sat):
                difference = abs(value_m[k, s] - value_m[m, s])
                if not math.isnan(difference):
                    sums.root[b] += math.sqrt(difference / slant_factor[s])
                    sums.n_pair[b] += 1.0
                    sums.distance_m[b] += distance
                    n_added += 1
    return n_added


def empirical_variogram(sums: Any) -> EmpiricalVariogram:
    """The robust variogram of the sums; outliers enter by the root of their size.

    Source: Cressie and Hawkins (1980), Mathematical Geology 12(2), eq. 5 for many pairs.
    """
    filled = sums.n_pair > 0.0
    n_pair = np.array(sums.n_pair[filled])
    root = sums.root[filled] / n_pair
    return EmpiricalVariogram(
        sums.distance_m[filled] / n_pair, 0.5 * root**4 / _ROOT_MOMENT, n_pair
    )


def fit_variogram(
    sums: Any,
    nugget_m2: float,
    smoothness: float = SMOOTH,
    limits: VariogramLimits = LIMITS,
    presets: tuple[Covariance, ...] = (QUIET_IONOSPHERE, ACTIVE_IONOSPHERE),
) -> Covariance:
    """Covariance whose variogram fits the sums best, or the nearest preset where they are few.

    nugget_m2 : known variance of the noise of one station's zenith value [m2]

    For each range of a grid the sill follows from weighted least squares; the range with the least
    gamma deviance wins, since an empirical variance scatters in proportion to its expectation.
    A gradient over the whole network has no sill: it ends at the upper bounds, which serve as well.
    """
    nugget_m2 = float(nugget_m2)
    seen = empirical_variogram(sums)
    enough = seen.n_pair > 0.01 * seen.n_pair.sum()
    if seen.n_pair.sum() < limits.n_pair_min or np.count_nonzero(enough) < limits.n_bin_min:
        return _nearest_preset(seen, nugget_m2, presets)
    fits = [
        _fit_sill(seen, Covariance(1.0, float(range_m), nugget_m2, smoothness), limits)
        for range_m in np.geomspace(limits.range_min_m, limits.range_max_m, limits.n_range)
    ]
    return min(fits, key=lambda fit: _deviance(seen, fit))


def _fit_sill(seen: EmpiricalVariogram, unit: Covariance, limits: VariogramLimits) -> Covariance:
    """The sill for a given range, by least squares with weights count / model^2, iterated."""
    shape = _half_variance(seen, unit._replace(nugget_m2=0.0))
    excess = seen.half_variance_m2 - unit.nugget_m2
    low, high = limits.sill_min_m**2, limits.sill_max_m**2
    sill = high
    for _ in range(_N_REWEIGHT):
        weight = seen.n_pair / (unit.nugget_m2 + sill * shape) ** 2
        sill = float((weight * shape * excess).sum() / (weight * shape**2).sum())
        sill = min(max(sill, low), high)
    return unit._replace(sill_m2=sill)


def _half_variance(seen: EmpiricalVariogram, covariance: Covariance) -> FloatArray:
    """Variogram of a covariance at the distances of the bins (n,), noise included."""
    alike = np.array(
        [
            correlation(distance, covariance.range_m, covariance.smoothness)
            for distance in seen.distance_m
        ]
    )
    return covariance.nugget_m2 + covariance.sill_m2 * (1.0 - alike)


def _deviance(seen: EmpiricalVariogram, covariance: Covariance) -> float:
    """Gamma deviance of the bins, up to a constant; small for a good fit."""
    model = _half_variance(seen, covariance)
    return float((seen.n_pair * (seen.half_variance_m2 / model + np.log(model))).sum())


def _nearest_preset(
    seen: EmpiricalVariogram, nugget_m2: float, presets: tuple[Covariance, ...]
) -> Covariance:
    """The preset whose differences are of the size seen; the last one where nothing was seen."""
    named = [preset._replace(nugget_m2=nugget_m2) for preset in presets]
    if not seen.n_pair.size:
        return named[-1]
    return min(named, key=lambda preset: _deviance(seen, preset))
