"""A virtual base: observations, coordinate and uncertainty of corrections, for a rover."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray
from rtkpos.constants import DEG, NS_PER_S
from rtkpos.core.station.geodesy import ecef_to_geodetic, enu_rotation
from rtkpos.core.tables import CorrectionSigma
from rtkpos.errors import InputError, check_type
from rtkpos.estimate.baseline.atmosphere_states import slant_factor
from rtkpos.gnss.systems import N_SAT, systems_of
from rtkpos.network.corrections.field import field_memory
from rtkpos.network.interpolation.field_covariance import (
    ACTIVE_IONOSPHERE,
    QUIET_IONOSPHERE,
    SMOOTH,
    WET_DELAY,
    Covariance,
)
from rtkpos.network.interpolation.interpolate import method_code
from rtkpos.network.interpolation.station_geometry import N_STATION
from rtkpos.network.interpolation.variogram import (
    add_differences,
    fit_variogram,
    forgetting,
    variogram_sums,
)
from rtkpos.network.network_engine import NetworkEngine
from rtkpos.network.network_memory import station_memory
from rtkpos.network.network_records import NetworkSolution
from rtkpos.network.virtual.virtual_observations import (
    UNCORRECTED,
    VirtualRows,
    VirtualSeries,
    VirtualWork,
    virtual_block,
)
from rtkpos.prepare.antennas import no_antennas
from rtkpos.processing.base_check import checked_coordinate
from rtkpos.processing.settings import run_plan
from rtkpos.records.observations import ObsTable, Station

BLOCK_S = 300.0  # a variogram serves so long
SAMPLE_S = 10.0  # epochs that go into it, and at which stations are predicted from each other
LEAST_SIN = 0.1
LEAST_NUGGET_M2 = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class VirtualBase:
    """What stands in for a base at a place without a receiver.

    Parameters
    ----------
    table : ObsTable
        Observations, with the sigma of their corrections.
    ecef_m : ndarray of float64
        (3,) ECEF of the virtual marker [m].
    master : str
        Station whose observations were moved.
    stations : tuple of str
        Stations whose corrections were used.
    n_uncorrected : int
        Epochs at which too few satellites had corrections: the master's observations, moved but not
        corrected.
    """

    table: ObsTable
    ecef_m: FloatArray
    master: str
    stations: tuple[str, ...]
    n_uncorrected: int


def virtual_base(
    network: NetworkEngine,
    solution: NetworkSolution,
    place_ecef_m: FloatArray,
    point_ecef_m: FloatArray | None = None,
    without: tuple[str, ...] = (),
) -> VirtualBase:
    """Observations of a receiver at a place, from a network that has been solved.

    Parameters
    ----------
    network : NetworkEngine
        The network.
    solution : NetworkSolution
        Its corrections.
    place_ecef_m : ndarray of float64
        (3,) the virtual marker [m].
    point_ecef_m : ndarray of float64, optional
        (T, 3) where the atmosphere is wanted at each epoch of the solution, None = at the place;
        NaN = at the last point known.
    without : tuple of str, optional
        Stations not to be used.

    Returns
    -------
    VirtualBase
        Observations at the place.

    Raises
    ------
    InputError
        No station has corrections.
    """
    check_type(network, NetworkEngine, "network")
    check_type(solution, NetworkSolution, "solution")
    place = checked_coordinate(place_ecef_m, "place_ecef_m")
    series, work, rows = prepared(network, solution, place, point_ecef_m, without)
    virtual_block(0, len(solution.time_ns), series, work, rows)
    names = tuple(solution.names[k] for k in work.stations)
    return _gathered(network, solution, place, rows, names)


def prepared(
    network: NetworkEngine,
    solution: NetworkSolution,
    place: FloatArray,
    point_ecef_m: FloatArray | None = None,
    without: tuple[str, ...] = (),
) -> tuple[VirtualSeries, VirtualWork, VirtualRows]:
    """What `virtual_block` takes, rows still empty; arguments as those of `virtual_base`."""
    stations = _stations_around(solution, place, network.config.n_station_max, without)
    if not len(stations):
        raise InputError(
            "no station of the network has corrections; look at its report (network check)."
        )
    east_north = plane_of(place, solution.ecef_m[stations])
    path = _path(place, point_ecef_m, len(solution.time_ns))
    series = _series(network, solution, stations, east_north, path)
    work = _work(network, solution, stations, east_north, place)
    n_row = int(np.sum(series.epoch >= 0)) * _row_limit(network)
    return series, work, _rows(len(solution.time_ns), n_row)


def _stations_around(
    solution: NetworkSolution, place: FloatArray, n_max: int, without: tuple[str, ...]
) -> IndexArray:
    """Stations with corrections, the nearest first, which is the master; at most `n_max`."""
    has_any = np.isfinite(solution.dispersive_m).any(axis=(0, 2))
    has_any &= ~np.isin(solution.names, without)
    apart = np.linalg.norm(solution.ecef_m - place, axis=1)
    order = np.argsort(np.where(has_any, apart, np.inf))
    return order[: min(int(has_any.sum()), n_max, N_STATION)].astype(np.int64)


def plane_of(place: FloatArray, ecef_m: FloatArray) -> FloatArray:
    """East and north (n, 2) of points relative to a place [m]."""
    llh, rotation = np.zeros(3), np.zeros((3, 3))
    ecef_to_geodetic(place, llh)
    enu_rotation(llh[0], llh[1], rotation)
    east_north: FloatArray = ((np.atleast_2d(ecef_m) - place) @ rotation.T)[:, :2]
    return np.ascontiguousarray(east_north)


def _path(place: FloatArray, point_ecef_m: FloatArray | None, n: int) -> FloatArray:
    """East and north (n, 2) of the point at each epoch; the last known one where it is NaN."""
    if point_ecef_m is None:
        return np.zeros((n, 2))
    path = plane_of(place, np.asarray(point_ecef_m, float))
    known = np.isfinite(path).all(axis=1)
    if not known.any():
        return np.zeros((n, 2))
    last = np.maximum.accumulate(np.where(known, np.arange(n), -1))
    last[last < 0] = int(np.argmax(known))
    return np.ascontiguousarray(path[last])


def _series(
    network: NetworkEngine,
    solution: NetworkSolution,
    stations: IndexArray,
    east_north: FloatArray,
    path: FloatArray,
) -> VirtualSeries:
    """The corrections of all epochs with their covariances."""
    time_s = (solution.time_ns - solution.time_ns[0]) / NS_PER_S
    step_s = np.diff(time_s, prepend=time_s[0])
    block = (time_s // BLOCK_S).astype(np.int64)
    judge = np.diff(time_s // SAMPLE_S, prepend=-1.0) > 0
    return VirtualSeries(
        nondispersive_m=np.ascontiguousarray(solution.nondispersive_m, np.float32),
        dispersive_m=np.ascontiguousarray(solution.dispersive_m, np.float32),
        epoch=np.ascontiguousarray(network.index[:, stations[0]]),
        step_s=step_s,
        east_north_m=path,
        covariance=field_covariances(solution, stations, east_north, block, judge),
        block=block,
        judge=judge.astype(np.uint8),
    )


def field_covariances(
    solution: NetworkSolution,
    stations: IndexArray,
    east_north_m: FloatArray,
    block: IndexArray,
    judge: FloatArray,
) -> FloatArray:
    """Covariances (n_block, 2, 4) of both fields over time, from the stations' own differences.

    block : (T,) number of the block of an epoch      judge : (T,) epochs to take
    A block uses what was seen until its end.
    """
    out = np.zeros((int(block[-1]) + 1, 2, 4))
    fields = (
        (solution.nondispersive_m, solution.var_g, wet_slant, SMOOTH, (WET_DELAY,)),
        (solution.dispersive_m, solution.var_d, iono_slant, SMOOTH, _IONOSPHERES),
    )
    for number, (value, variance, slant_of, smoothness, presets) in enumerate(fields):
        sums = variogram_sums()
        decay = forgetting(SAMPLE_S)
        for b in range(len(out)):
            nugget = [LEAST_NUGGET_M2]
            for t in np.flatnonzero((block == b) & (judge > 0)):
                slant = slant_of(solution.elevation_rad[t, stations])
                values = levelled(value[t, stations].astype(float), solution.sats)
                add_differences(values, slant, east_north_m, decay, sums)
                zenith_m2 = (variance[t, stations] / slant**2)[np.isfinite(values)]
                nugget.append(float(np.median(zenith_m2)) if zenith_m2.size else LEAST_NUGGET_M2)
            fitted = fit_variogram(
                sums, float(np.median(nugget)), smoothness=smoothness, presets=presets
            )
            out[b, number] = fitted
    return out


_IONOSPHERES: tuple[Covariance, ...] = (QUIET_IONOSPHERE, ACTIVE_IONOSPHERE)


def levelled(value_m: FloatArray, sats: IndexArray) -> FloatArray:
    """Values (K, S) less the mean of each station over each system's satellites [m]."""
    out = value_m.copy()
    for system in np.unique(systems_of(sats)):
        mine = systems_of(sats) == system
        count = np.isfinite(out[:, mine]).sum(axis=1, keepdims=True)
        total = np.nansum(out[:, mine], axis=1, keepdims=True)
        out[:, mine] -= total / np.maximum(count, 1)
    return out


def _mean_elevation(elevation_rad: FloatArray) -> FloatArray:
    """Mean elevation (S,) over the stations (K, S); 90 degrees where nobody sees a satellite."""
    count = np.isfinite(elevation_rad).sum(axis=0)
    total = np.nansum(elevation_rad, axis=0, dtype=float)
    return np.where(count > 0, total / np.maximum(count, 1), 90.0 * DEG)


def iono_slant(elevation_rad: FloatArray) -> FloatArray:
    """Slant over zenith ionosphere (S,)."""
    return np.array([slant_factor(float(e)) for e in _mean_elevation(elevation_rad)])


def wet_slant(elevation_rad: FloatArray) -> FloatArray:
    """Slant over zenith wet delay (S,), the cosecant of the elevation."""
    slant: FloatArray = 1.0 / np.maximum(np.sin(_mean_elevation(elevation_rad)), LEAST_SIN)
    return slant


def _work(
    network: NetworkEngine,
    solution: NetworkSolution,
    stations: IndexArray,
    east_north: FloatArray,
    place: FloatArray,
) -> VirtualWork:
    """Memory of the kernels for one virtual station."""
    memory, master = network.memory, int(stations[0])
    plan = memory.station_plan[master].copy()
    place_plan = run_plan(network.pairing, place, network.config.rtk())
    bare = no_antennas()
    for name in bare._fields:
        place_plan.site[name][:] = getattr(bare, name)
    column = np.full(N_SAT, -1, np.int64)
    column[solution.sats] = np.arange(len(solution.sats))
    memories = station_memory(2)
    return VirtualWork(
        obs=memory.obs,
        eph=memory.eph,
        chosen=np.zeros(N_SAT, np.int64),
        master_plan=plan,
        master=memories[0],
        place_plan=place_plan,
        place=memories[1],
        stations=stations,
        east_north_m=east_north,
        relative_m=np.zeros_like(east_north),
        column=column,
        method=method_code(network.config.method),
        given=np.zeros(N_SAT, np.uint8),
        nondispersive=field_memory(len(stations), solution.sats),
        dispersive=field_memory(len(stations), solution.sats),
    )


def _row_limit(network: NetworkEngine) -> int:
    """Most rows an epoch of a station has."""
    return max(int(np.max(np.diff(t.row_start), initial=0)) for t in network.tables)


def _rows(n_epoch: int, n_row: int) -> VirtualRows:
    """Empty rows."""
    return VirtualRows(
        row_start=np.zeros(n_epoch + 1, np.int64),
        kind=np.zeros(n_epoch, np.uint8),
        sat=np.zeros(n_row, np.int16),
        sig=np.zeros(n_row, np.int16),
        code_m=np.zeros(n_row),
        phase_cycle=np.zeros(n_row),
        doppler_hz=np.zeros(n_row),
        cn0_dbhz=np.zeros(n_row),
        lli=np.zeros(n_row, np.uint8),
        sigma_iono_m=np.full((n_epoch, N_SAT), math.nan),
        sigma_wet_m=np.full(n_epoch, math.nan),
    )


def _gathered(
    network: NetworkEngine,
    solution: NetworkSolution,
    place: FloatArray,
    rows: VirtualRows,
    names: tuple[str, ...],
) -> VirtualBase:
    """The table of the epochs that have rows, and what else is known."""
    n_row = int(rows.row_start[-1])
    has_rows = np.diff(rows.row_start) > 0
    columns: dict[str, Any] = {
        name: getattr(rows, name)[:n_row].copy()
        for name in ("sat", "sig", "code_m", "phase_cycle", "doppler_hz", "cn0_dbhz", "lli")
    }
    master = network.tables[solution.names.index(names[0])]
    table = ObsTable(
        time_ns=solution.time_ns[has_rows],
        row_start=np.concatenate([rows.row_start[:-1][has_rows], [n_row]]),
        event=np.zeros(int(has_rows.sum()), np.uint8),
        rx_clock_s=np.full(int(has_rows.sum()), np.nan),
        glonass_channel=master.glonass_channel,
        signals=master.signals,
        station=Station(
            marker=f"VRS {names[0]}",
            receiver=master.station.receiver,
            antenna="ADVNULLANTENNA",
            approx_ecef_m=place,
        ),
        version=4.0,
        interval_s=master.interval_s,
        correction=CorrectionSigma(rows.sigma_iono_m[has_rows], rows.sigma_wet_m[has_rows]),
        **columns,
    )
    return VirtualBase(
        table=table,
        ecef_m=place,
        master=names[0],
        stations=names,
        n_uncorrected=int(np.sum(rows.kind == UNCORRECTED)),
    )
