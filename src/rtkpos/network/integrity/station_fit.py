"""What is wrong with one station: offset, zenith delay and clocks from its residuals.

residual = los . offset + mapping * (zenith + drift * time) + clock(epoch, system) + noise, with los
the unit vector to the satellite. A coordinate given too far in some direction makes observed minus
computed ranges longer for satellites there, hence the plus. The zenith delay takes what
interpolation leaves of the atmosphere, which would otherwise appear as height; it drifts linearly,
so that a window should not be longer than some hours.
Legend: residual_m : (n_epoch, n_sat), NaN = missing; the same shape for angles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray

_N_HUBER = 4
_HUBER_SIGMAS = 2.0
_MAD_TO_NORMAL = 1.4826
_ALIKE = 0.05  # correlation below which residuals count as independent
_N_VALUE_MIN = 30


@dataclass(frozen=True)
class StationFit:
    """What the residuals of a station say.

    offset_m, sigma_m : (3,) east, north, up [m]; infinite sigma where geometry is lacking
    zenith_m : mean zenith delay left      clock_m : RMS of the clocks of epochs and systems
    rms_m : robust scatter of what remains      n_value : residuals used
    """

    offset_m: FloatArray
    sigma_m: FloatArray
    zenith_m: float
    clock_m: float
    rms_m: float
    n_value: int


@dataclass(frozen=True)
class _Rows:
    """Residuals in a row each: value (n,), design (n, 5), weight (n,), clock group (n,)."""

    value: FloatArray
    design: FloatArray
    weight: FloatArray
    group: IndexArray


def fit_station(
    residual_m: FloatArray,
    azimuth_rad: FloatArray,
    elevation_rad: FloatArray,
    slant_factor: FloatArray,
    system: IndexArray,
) -> StationFit:
    """Offset, zenith delay and clocks of a station by robust least squares.

    slant_factor : (n_epoch, n_sat) mapping of the zenith delay      system : (n_sat,) clock group

    Residuals repeat each other from epoch to epoch; the sigmas are scaled by as much as the
    correlation of successive ones tells.
    """
    rows = _rows(residual_m, azimuth_rad, elevation_rad, slant_factor, system)
    if len(rows.value) < _N_VALUE_MIN:
        return _nothing(len(rows.value))
    weight = rows.weight
    for _ in range(_N_HUBER):
        solution, cofactor, left = _solve_clock_free(rows, weight)
        scale = _MAD_TO_NORMAL * float(np.median(np.abs(left) * np.sqrt(rows.weight)))
        far = np.abs(left) * np.sqrt(rows.weight) / max(scale, 1e-9)
        weight = rows.weight / np.maximum(1.0, far / _HUBER_SIGMAS)
    if cofactor is None:
        return _nothing(len(rows.value))
    spread = scale * math.sqrt(_widening(left, residual_m))
    clock = rows.value - rows.design @ solution - left
    return StationFit(
        offset_m=solution[:3],
        sigma_m=spread * np.sqrt(np.diag(cofactor)[:3]),
        zenith_m=float(solution[3]),
        clock_m=float(np.sqrt(np.mean(clock**2))),
        rms_m=scale,
        n_value=len(rows.value),
    )


def line_of_sight(azimuth_rad: FloatArray, elevation_rad: FloatArray) -> FloatArray:
    """Unit vectors (…, 3) east, north, up towards satellites."""
    level = np.cos(elevation_rad)
    return np.stack(
        [level * np.sin(azimuth_rad), level * np.cos(azimuth_rad), np.sin(elevation_rad)], axis=-1
    )


def _rows(
    residual_m: FloatArray,
    azimuth_rad: FloatArray,
    elevation_rad: FloatArray,
    slant_factor: FloatArray,
    system: IndexArray,
) -> _Rows:
    """Observed residuals as rows; low satellites weigh less, as their delays scatter more."""
    seen = np.isfinite(residual_m) & np.isfinite(elevation_rad)
    drift = slant_factor * np.linspace(-1.0, 1.0, len(residual_m))[:, None]
    delay = np.stack([slant_factor, drift], axis=-1)
    design = np.concatenate([line_of_sight(azimuth_rad, elevation_rad), delay], axis=-1)
    group = np.arange(len(residual_m))[:, None] * (int(system.max(initial=0)) + 1) + system
    _, number = np.unique(group[seen], return_inverse=True)
    return _Rows(residual_m[seen], design[seen], slant_factor[seen] ** -2.0, number)


def _solve_clock_free(
    rows: _Rows, weight: FloatArray
) -> tuple[FloatArray, FloatArray | None, FloatArray]:
    """Least squares without the clocks: weighted means of each group taken off first.

    Returns the unknowns (5,), their cofactor (5, 5) or None where singular, the residuals (n,).
    """
    total = np.bincount(rows.group, weight)[rows.group]
    values = np.column_stack([rows.design, rows.value])
    for k in range(6):
        values[:, k] -= np.bincount(rows.group, weight * values[:, k])[rows.group] / total
    design, value = values[:, :5], values[:, 5]
    normal = design.T @ (weight[:, None] * design)
    if np.linalg.cond(normal) > 1e10:
        return np.zeros(5), None, value
    cofactor = np.linalg.inv(normal).astype(np.float64)
    solution = cofactor @ (design.T @ (weight * value))
    return solution, cofactor, value - design @ solution


def _widening(left: FloatArray, residual_m: FloatArray) -> float:
    """By what a variance grows since residuals of a satellite repeat themselves: 1 + 2 sum r(lag).

    The sum ends where the correlation first falls below _ALIKE, or at a third of the series.
    Source: Bayley and Hammersley (1946), Journal of the Royal Statistical Society 8(2).
    """
    series = np.full(residual_m.shape, math.nan)
    series[np.isfinite(residual_m)] = left
    square = float(np.mean(left**2))
    factor = 1.0
    for lag in range(1, len(series) // 3):
        product = series[lag:] * series[:-lag]
        both = np.isfinite(product)
        alike = float(product[both].mean()) / square if both.any() and square > 0.0 else 0.0
        if alike < _ALIKE:
            break
        factor += 2.0 * alike
    return factor


def _nothing(n_value: int) -> StationFit:
    """The fit where there is too little to fit."""
    unknown = np.full(3, math.nan)
    return StationFit(unknown, np.full(3, math.inf), math.nan, math.nan, math.nan, n_value)
