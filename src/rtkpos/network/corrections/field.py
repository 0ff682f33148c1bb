"""Corrections at a point, epoch by epoch: stations levelled, interpolated, with their sigma.

Clocks and satellite constants that the stations' corrections share have no meaning; where all
stations have all satellites they drop out of double differences by themselves, and `level_station`
takes them out where somebody lacks a satellite, slowly, so that nothing jumps.

field : FieldMemory of K stations around the point, the master first, and S satellites
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos._numba.decorator import kernel
from rtkpos.gnss.systems import N_SYSTEM, systems_of
from rtkpos.network.corrections.uncertainty import add_residuals, loo_sums, sigma_factor
from rtkpos.network.interpolation.interpolate import interpolate_epoch, leave_one_out
from rtkpos.network.interpolation.station_geometry import around_work

LEVEL_MEMORY_S = 100.0


class FieldMemory(NamedTuple):
    """One field (dispersive or not) around a point.

    system : (S,) of each satellite      value_m : (K, S) relative to the master, NaN = missing
    level_m : (K, N_SYSTEM) what a station differs by on all satellites of a system, NaN = not known
    total_m, count : (N_SYSTEM,) work
    slant_factor : (S,) slant over zenith      out_m, sigma_m : (S,) at the point      slot : (S,)
    factor : (S,) on sigma by leave-one-out      residual_m, residual_sigma_m : (K, S)
    around : GeometryWork      loo : LooSums
    """

    system: IndexArray
    value_m: FloatArray
    level_m: FloatArray
    total_m: FloatArray
    count: IndexArray  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    slant_factor: FloatArray
    out_m: FloatArray
    sigma_m: FloatArray
    slot: IndexArray
    factor: FloatArray
    residual_m: FloatArray
    residual_sigma_m: FloatArray
    around: Any
    loo: Any


def field_memory(n_station: int, sats: IndexArray) -> FieldMemory:
    """A field that knows nothing yet.

    sats : (S,) satellite indices
    """
    pair, n_sat = (n_station, len(sats)), len(sats)
    return FieldMemory(
        system=systems_of(np.asarray(sats, np.int64)),
        value_m=np.full(pair, np.nan),
        level_m=np.full((n_station, N_SYSTEM), np.nan),
        total_m=np.zeros(N_SYSTEM),
        count=np.zeros(N_SYSTEM, np.int64),
        slant_factor=np.ones(n_sat),
        out_m=np.full(n_sat, np.nan),
        sigma_m=np.full(n_sat, np.nan),
        slot=np.zeros(n_sat, np.int64),
        factor=np.ones(n_sat),
        residual_m=np.full(pair, np.nan),
        residual_sigma_m=np.full(pair, np.nan),
        around=around_work(),
        loo=loo_sums(),
    )


@kernel
def load_field(value_m, stations, step_s, field):
    """Take one epoch's corrections over, relative to the master and levelled; returns 0.

    value_m : (n, S) of all stations [m]      stations : (K,) those around the point, master first
    step_s : since the previous epoch [s]
    """
    for k in range(stations.shape[0]):
        for s in range(value_m.shape[1]):
            field.value_m[k, s] = value_m[stations[k], s] - value_m[stations[0], s]
    gain = min(step_s / LEVEL_MEMORY_S, 1.0)
    for k in range(1, stations.shape[0]):
        level_station(k, gain, field)
    return 0


@kernel
def level_station(k, gain, field):
    """Take what a station differs by on whole systems off its values; returns satellites.

    gain : share of a change of that difference that is followed at once
    """
    n = 0
    for system in range(field.total_m.shape[0]):
        field.total_m[system] = 0.0
        field.count[system] = 0
    for s in range(field.system.shape[0]):
        if not math.isnan(field.value_m[k, s]):
            field.total_m[field.system[s]] += field.value_m[k, s]
            field.count[field.system[s]] += 1
            n += 1
    for system in range(field.total_m.shape[0]):
        if field.count[system] == 0:
            field.level_m[k, system] = math.nan
            continue
        mean_m = field.total_m[system] / field.count[system]
        if math.isnan(field.level_m[k, system]):
            field.level_m[k, system] = mean_m
        field.level_m[k, system] += gain * (mean_m - field.level_m[k, system])
    for s in range(field.system.shape[0]):
        field.value_m[k, s] -= field.level_m[k, field.system[s]]
    return n


@kernel
def interpolate_field(method, east_north_m, covariance, field):
    """Values at the point into out_m, with sigma_m; returns satellites that have one.

    east_north_m : (K, 2) stations relative to the point [m]      covariance : Covariance
    """
    n = interpolate_epoch(
        method,
        east_north_m,
        field.value_m,
        field.slant_factor,
        covariance,
        field.around,
        field.out_m,
        field.sigma_m,
        field.slot,
    )
    for s in range(field.sigma_m.shape[0]):
        field.sigma_m[s] *= field.factor[s]
    return n


@kernel
def judge_field(method, east_north_m, covariance, decay, field):
    """Predict each station from the others and scale the sigmas by what comes out; returns 0.

    east_north_m : (K, 2) [m]      covariance : Covariance      decay : of older epochs
    """
    leave_one_out(
        method,
        east_north_m,
        field.value_m,
        field.slant_factor,
        covariance,
        field.around,
        field.residual_m,
        field.residual_sigma_m,
    )
    add_residuals(field.residual_m, field.residual_sigma_m, decay, field.loo)
    sigma_factor(field.loo, field.factor)
    return 0
