"""A correction between the stations: values at the stations, one value and its sigma at a point.

Compiled use: keep one `around_work()` and call `interpolate_epoch` for each epoch and field; Python
use: `interpolate`. Satellites seen by the same stations share one set of weights.
Legend: work : GeometryWork; east_north_m : (n_station, 2) stations relative to the point;
value_m : (n_station, n_sat), NaN = missing, all of a satellite on one datum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos._numba.decorator import kernel
from rtkpos.errors import ConfigError, DataError
from rtkpos.network.interpolation.field_covariance import (
    ACTIVE_IONOSPHERE,
    Covariance,
    checked_covariance,
)
from rtkpos.network.interpolation.kriging import fill_covariance, weight_kriging, weights_variance
from rtkpos.network.interpolation.plane_weights import (
    weight_inverse_distance,
    weight_nearest,
    weight_plane,
    weight_triangle,
)
from rtkpos.network.interpolation.station_geometry import (
    HULL_TOLERANCE_M,
    INSIDE,
    N_SET,
    N_STATION,
    NO_STATION,
    OUTSIDE,
    SINGLE,
    around_work,
    gather_stations,
    outside_distance,
)

NEAREST, INVERSE_DISTANCE, TRIANGLE, PLANE, KRIGING = range(5)
METHODS = {
    "nearest": NEAREST,
    "inverse-distance": INVERSE_DISTANCE,
    "triangle": TRIANGLE,
    "plane": PLANE,
    "kriging": KRIGING,
}


@dataclass(frozen=True)
class Interpolated:
    """Corrections at a point. Shapes (n_sat,), or () where one satellite's values were given.

    value_m : NaN where no station has the satellite      sigma_m : one sigma of its error
    weight : (…, n_station) sum 1, 0 for stations without a value
    status : GeometryStatus as integers      outside_m : distance of the point from the stations'
        convex hull, 0 inside it
    """

    value_m: FloatArray
    sigma_m: FloatArray
    weight: FloatArray
    status: IndexArray
    outside_m: FloatArray

    @property
    def is_outside(self) -> Any:
        """Where the value is carried beyond the stations."""
        return self.outside_m > HULL_TOLERANCE_M


def interpolate(
    value_m: ArrayLike,
    east_north_m: ArrayLike,
    method: str = "kriging",
    *,
    covariance: Covariance = ACTIVE_IONOSPHERE,
    slant_factor: ArrayLike = 1.0,
    work: Any = None,
) -> Interpolated:
    """Corrections at a point from those of up to 16 stations around it.

    value_m      : (n_station, n_sat) or (n_station,) [m], NaN = missing; all stations' values of
        one satellite relative to the same datum
    east_north_m : (n_station, 2) stations in a local plane, relative to the point [m]
    method       : "nearest", "inverse-distance", "triangle", "plane", "kriging"
    covariance   : of the zenith field and of the noise; the weights of kriging, everybody's sigma
    slant_factor : (n_sat,) slant over zenith value
    work         : a record of `around_work()` to use again
    Raises DataError for shapes that do not fit or infinite numbers, ConfigError for an unknown
    method or covariance.
    """
    values, place, slant = _checked(value_m, east_north_m, slant_factor)
    code, model = method_code(method), checked_covariance(covariance)
    work = around_work() if work is None else work
    n_sat = values.shape[1]
    value, sigma, slot = np.empty(n_sat), np.empty(n_sat), np.empty(n_sat, np.int64)
    interpolate_epoch(code, place, values, slant, model, work, value, sigma, slot)
    shape = np.shape(value_m)[1:]
    return Interpolated(
        value.reshape(shape)[()],
        sigma.reshape(shape)[()],
        work.slot_weight[slot, : len(place)].reshape(*shape, len(place)),
        work.slot_status[slot].reshape(shape)[()],
        work.slot_outside_m[slot].reshape(shape)[()],
    )


def method_code(method: str) -> int:
    """Number by which kernels know a method; ConfigError for an unknown one."""
    if method not in METHODS:
        raise ConfigError(
            f"interpolation method must be one of {', '.join(METHODS)}; got {method!r}."
        )
    return METHODS[method]


@kernel
def interpolate_epoch(
    method,
    east_north_m,
    value_m,
    slant_factor,
    covariance,
    work,
    out_value_m,
    out_sigma_m,
    out_slot,
):
    """Values at the point of all satellites; weights are computed once per set of stations.

    method : int NEAREST … KRIGING      slant_factor : (n_sat,)      covariance : Covariance
    out_value_m, out_sigma_m : (n_sat,) NaN where no station has the satellite
    out_slot : (n_sat,) int, row of work.slot_* with weights, status and distance outside
    Returns  : int  satellites with a value
    """
    work.n_slot = 0
    n_valid = 0
    for s in range(value_m.shape[1]):
        mask = _stations_with(value_m, s)
        slot = _slot_of(method, east_north_m, mask, covariance, work)
        out_slot[s] = slot
        if mask == 0:
            out_value_m[s], out_sigma_m[s] = math.nan, math.nan
            continue
        out_value_m[s] = _weighted(value_m, s, mask, slot, work)
        out_sigma_m[s] = slant_factor[s] * math.sqrt(work.slot_variance_m2[slot])
        n_valid += 1
    return n_valid


@kernel
def interpolate_epochs(
    method,
    east_north_m,
    value_m,
    slant_factor,
    covariance,
    work,
    out_value_m,
    out_sigma_m,
    out_slot,
):
    """As interpolate_epoch for a series of epochs at one point.

    value_m : (n_epoch, n_station, n_sat)      slant_factor : (n_epoch, n_sat)
    out_value_m, out_sigma_m : (n_epoch, n_sat)      out_slot : (n_sat,) of the last epoch
    """
    for t in range(value_m.shape[0]):
        interpolate_epoch(
            method, east_north_m, value_m[t], slant_factor[t], covariance, work,
            out_value_m[t], out_sigma_m[t], out_slot,
        )  # fmt: skip


@kernel
def leave_one_out(
    method, east_north_m, value_m, slant_factor, covariance, work, out_residual_m, out_sigma_m
):
    """Each station's values minus what the others say there, and what that should scatter by.

    slant_factor : (n_sat,)      east_north_m : relative to any point here
    out_residual_m, out_sigma_m : (n_station, n_sat) NaN where the station or all others lack the
    satellite; sigma holds the noise of the station left out
    """
    n_station, n_sat = value_m.shape
    for k in range(n_station):
        work.n_slot = 0
        for m in range(n_station):
            work.place_m[m, 0] = east_north_m[m, 0] - east_north_m[k, 0]
            work.place_m[m, 1] = east_north_m[m, 1] - east_north_m[k, 1]
        for s in range(n_sat):
            others = _stations_with(value_m, s) & ~(1 << k)
            if others == 0 or math.isnan(value_m[k, s]):
                out_residual_m[k, s], out_sigma_m[k, s] = math.nan, math.nan
                continue
            slot = _slot_of(method, work.place_m, others, covariance, work)
            out_residual_m[k, s] = value_m[k, s] - _weighted(value_m, s, others, slot, work)
            variance = work.slot_variance_m2[slot] + covariance.nugget_m2
            out_sigma_m[k, s] = slant_factor[s] * math.sqrt(variance)


@kernel
def _stations_with(value_m, s):
    """Bits of the stations that have a value of satellite s. Returns : int."""
    mask = 0
    for k in range(value_m.shape[0]):
        if not math.isnan(value_m[k, s]):
            mask |= 1 << k
    return mask


@kernel
def _weighted(value_m, s, mask, slot, work):
    """Weighted sum of the values of satellite s at the stations of the mask [m]."""
    total = 0.0
    for k in range(value_m.shape[0]):
        if (mask >> k) & 1:
            total += work.slot_weight[slot, k] * value_m[k, s]
    return total


@kernel
def _slot_of(method, east_north_m, mask, covariance, work):
    """Row of work.slot_* of a set of stations, computed where it is new. Returns : int."""
    n_slot = work.n_slot
    for slot in range(n_slot):
        if work.slot_mask[slot] == mask:
            return slot
    work.slot_mask[n_slot] = mask
    work.n_slot = n_slot + 1
    weigh_stations(method, east_north_m, mask, covariance, work, n_slot)
    return n_slot


@kernel
def weigh_stations(method, east_north_m, mask, covariance, work, slot):
    """Weights of the stations of a mask for the point, with variance, status and hull distance.

    method : int NEAREST … KRIGING      mask : int, bit k for station k      covariance : Covariance
    Fills row slot of work.slot_*.
    """
    for k in range(N_STATION):
        work.slot_weight[slot, k] = 0.0
    n = gather_stations(east_north_m, mask, work)
    if n == 0:
        work.slot_variance_m2[slot], work.slot_outside_m[slot] = math.nan, math.inf
        work.slot_status[slot] = NO_STATION
        return
    outside = outside_distance(n, work)
    status = _weigh(method, n, covariance, work)
    if method != KRIGING:
        fill_covariance(n, covariance.sill_m2, covariance.range_m, covariance.smoothness, work)
    if n == 1:
        status = SINGLE
    elif status == INSIDE and outside > HULL_TOLERANCE_M:
        status = OUTSIDE
    for i in range(n):
        work.slot_weight[slot, work.station[i]] = work.weight[i]
    work.slot_variance_m2[slot] = weights_variance(n, covariance, work)
    work.slot_outside_m[slot] = outside
    work.slot_status[slot] = status


@kernel
def _weigh(method, n, covariance, work):
    """work.weight by the method asked for. Returns : int  status of the method."""
    if method == KRIGING:
        return weight_kriging(n, covariance, work)
    if method == PLANE:
        return weight_plane(n, work)
    if method == TRIANGLE:
        return weight_triangle(n, work)
    if method == INVERSE_DISTANCE:
        return weight_inverse_distance(n, work)
    return weight_nearest(n, work)


def _checked(
    value_m: ArrayLike, east_north_m: ArrayLike, slant_factor: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values (n_station, n_sat), places and slant factors as the kernels take them."""
    values = np.ascontiguousarray(value_m, dtype=np.float64)
    place = np.ascontiguousarray(east_north_m, dtype=np.float64)
    if values.ndim not in (1, 2) or place.shape != (len(values), 2):
        raise DataError(
            "value_m must have the shape (n_station, n_sat) and east_north_m (n_station, 2); got "
            f"{values.shape} and {place.shape}."
        )
    values = values.reshape(len(values), -1)
    if len(values) > N_STATION or values.shape[1] > N_SET:
        raise DataError(
            f"at most {N_STATION} stations and {N_SET} satellites can be interpolated at once; "
            f"got {len(values)} and {values.shape[1]}: pass the nearest stations only."
        )
    if not np.isfinite(place).all() or np.isinf(values).any():
        raise DataError("station coordinates must be finite, and values finite or NaN.")
    slant = np.array(np.broadcast_to(slant_factor, values.shape[1]), np.float64, order="C")
    return values, place, slant
