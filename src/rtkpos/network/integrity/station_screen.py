"""Satellites of a station that do not belong: wrong integers, as wrong coordinates bring along.

Centimetres of a wrong coordinate push integers of some satellites to their neighbours; the
baselines' closures do not see it, since the station is wrong in all of them alike. As it happens to
the satellites towards which the offset points, it hides the offset. One cycle of both L1 and L2
moves the dispersive part by 83 mm, in which a coordinate has no share: a step from the other
satellites betrays them (`stepped`). The rest are fitted robustly for an offset in the
non-dispersive part, which leaves out what still does not fit (`satellites_off`).
"""

from __future__ import annotations

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, IndexArray, record_of
from rtkpos.core.linear.normal_equations import N_GROUP_MAX
from rtkpos.estimate.robust import FIT_SINGULAR, RobustSettings, robust_fit, robust_work
from rtkpos.network.interpolation.station_geometry import N_SET

N_BLOCK = 3
STEP_M = 0.045  # between none and the 83 mm of a cycle of L1 and L2
_BLOCK_EPOCHS = 60
_HALF_TO_NORMAL, _N_SCATTER = 0.6745, 3.0
_N_EPOCH_MIN = 5  # of a satellite in a block


def satellites_off(
    residual_m: FloatArray, los_enu: FloatArray, sigma_m: FloatArray, system: IndexArray
) -> BoolArray:
    """Where a satellite does not fit an offset of the station and clocks.

    residual_m : (n_epoch, n_sat) NaN = missing      los_enu : (n_epoch, n_sat, 3)
    sigma_m    : (n_epoch, n_sat) of a mean over a block      system : (n_sat,)
    Returns    : (n_epoch, n_sat), nothing where there are too few to tell
    """
    block = _blocks(len(residual_m))
    mean, n = _block_means(_levelled(residual_m, system), block)
    los = np.stack([_block_means(los_enu[..., k], block)[0] for k in range(3)], axis=-1)
    sigma = _block_means(sigma_m, block)[0]
    number = np.unique(system, return_inverse=True)[1]
    group = number[None, :] + (number.max(initial=0) + 1) * np.arange(len(mean))[:, None]
    usable = np.isfinite(mean) & np.isfinite(sigma) & (n >= _N_EPOCH_MIN)
    if not usable.any() or group.max() >= N_GROUP_MAX:
        return np.zeros(residual_m.shape, np.bool_)
    is_off = np.zeros(mean.shape, np.bool_)
    is_off[usable] = _outliers(mean[usable], los[usable], sigma[usable], group[usable])
    return np.asarray(is_off[block])


def stepped(residual_m: FloatArray, slant_factor: FloatArray, system: IndexArray) -> BoolArray:
    """Where a satellite stands off the others of its system by a cycle of both frequencies.

    residual_m : (n_epoch, n_sat) dispersive, NaN = missing      slant_factor : (n_epoch, n_sat)
    Returns    : (n_epoch, n_sat)
    """
    block = _blocks(len(residual_m))
    mean, n = _block_means(_levelled(residual_m, system), block)
    slant = _block_means(slant_factor, block)[0]
    usable = n >= _N_EPOCH_MIN
    is_off = np.zeros(mean.shape, np.bool_)
    if usable.any():
        # Where the ionosphere is rough, steps drown in it: only what exceeds its scatter counts.
        middle, scatter = _shortest_half(mean[usable] / slant[usable])
        limit = np.maximum(STEP_M, _N_SCATTER * scatter * slant)
        is_off = usable & (np.abs(mean - middle * slant) > limit)
    return np.asarray(is_off[block])


def _shortest_half(values: FloatArray) -> tuple[float, float]:
    """Middle and normal sigma by the shortest interval that holds half of the values (n,).

    Outliers of up to half the number change neither, be they all on one side.
    Source: Rousseeuw and Leroy (1987), Robust Regression and Outlier Detection, ch. 4.
    """
    ordered = np.sort(values)
    half = len(ordered) // 2
    width = ordered[half:] - ordered[: len(ordered) - half]
    first = int(np.argmin(width))
    middle = 0.5 * (ordered[first] + ordered[first + half])
    return float(middle), float(0.5 * width[first] / _HALF_TO_NORMAL)


def _blocks(n_epoch: int) -> IndexArray:
    """Block (n_epoch,) of each epoch."""
    n_block = min(max(n_epoch // _BLOCK_EPOCHS, 1), N_BLOCK)
    return np.arange(n_epoch) * n_block // max(n_epoch, 1)


def _levelled(residual_m: FloatArray, system: IndexArray) -> FloatArray:
    """Residuals without the clock of each epoch and system: their median."""
    out = residual_m.copy()
    for one in np.unique(system):
        mine = out[:, system == one]
        seen = np.isfinite(mine).any(axis=1)
        mine[seen] -= np.nanmedian(mine[seen], axis=1)[:, None]
        out[:, system == one] = mine
    return out


def _block_means(values: FloatArray, block: IndexArray) -> tuple[FloatArray, IndexArray]:
    """Means (n_block, n_sat) over the epochs of each block that have a value, and their number."""
    first = np.flatnonzero(np.diff(block, prepend=-1))
    seen = np.isfinite(values)
    count = np.add.reduceat(seen.astype(np.int64), first, axis=0)
    total = np.add.reduceat(np.where(seen, values, 0.0), first, axis=0)
    mean = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean, count


def _outliers(
    value: FloatArray, los: FloatArray, sigma: FloatArray, group: IndexArray
) -> BoolArray:
    """Rows (n,) that get no weight in the robust fit."""
    n = len(value)
    work = record_of(robust_work(N_SET * N_BLOCK))
    status = robust_fit(
        np.ascontiguousarray(los),
        np.ascontiguousarray(value),
        sigma**-2.0,
        np.ascontiguousarray(group, dtype=np.int64),
        n,
        record_of(RobustSettings()),
        work,
    )
    if status == FIT_SINGULAR:
        return np.zeros(n, np.bool_)
    return np.asarray(work.weight[:n] <= 0.0)
