"""Virtual observations: what a receiver elsewhere would have recorded, from a master station.

The master's observations less their models, plus the models at the virtual place, plus what the
interpolated corrections say of the atmosphere between the two:

    code  = code_m - model_m + model_v + G + mu D
    phase = phase_m - model_m + model_v + G - mu D

Phases come out aligned to the leading code of their band, as RINEX wants them.

The signal that reaches the virtual place at the same moment left the satellite a little earlier or
later; the satellite is moved along its velocity by that. The corrections belong to a point of their
own, which may move: a car's base then stays where it is while its atmosphere goes with the car.

work : VirtualWork of one virtual station
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from rtkpos._arrays import FlagArray, FloatArray, IndexArray, SatArray, SigArray
from rtkpos._numba.decorator import kernel
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.core.orbits.broadcast_orbit import STATE_CLOCK, STATE_DRIFT, sagnac_range
from rtkpos.core.tables import EphemerisArrays, ObsArrays
from rtkpos.estimate.baseline.atmosphere_states import slant_factor
from rtkpos.estimate.baseline.single_difference import model_receiver
from rtkpos.network.corrections.field import FieldMemory, interpolate_field, judge_field, load_field
from rtkpos.network.corrections.station_epoch import NOT_ASKED, station_epoch
from rtkpos.network.corrections.uncertainty import LOO_WINDOW_S
from rtkpos.network.interpolation.field_covariance import Covariance
from rtkpos.prepare.pairing import ROVER

LLI_SLIP = 1
NO_EPOCH, CORRECTED, UNCORRECTED = range(3)  # kinds of virtual epochs
FEWEST_CORRECTED = 5  # satellites; with fewer an epoch is the master's, moved but not corrected
IONO_M_PER_M, WET_M_PER_M = 1.5e-6, 0.5e-6  # what then differs by distance, zenith


class VirtualRows(NamedTuple):
    """Virtual observations, one after the other; columns as in `ObsTable`.

    row_start : (T + 1,)      kind : (T,) CORRECTED, UNCORRECTED
    sigma_iono_m, sigma_wet_m : (T, N_SAT), (T,) of the corrections, slant on L1 and zenith [m]
    """

    row_start: IndexArray
    kind: FlagArray
    sat: SatArray
    sig: SigArray
    code_m: FloatArray
    phase_cycle: FloatArray
    doppler_hz: FloatArray
    cn0_dbhz: FloatArray
    lli: FlagArray
    sigma_iono_m: FloatArray
    sigma_wet_m: FloatArray


class VirtualSeries(NamedTuple):
    """What a virtual station is made from, epoch by epoch.

    nondispersive_m, dispersive_m : (T, n, S) of all stations      epoch : (T,) of the master in the
    joint table, -1 = none      step_s : (T,)      east_north_m : (T, 2) of the point
    covariance : (n_block, 2, 4) of both fields      block : (T,)      judge : (T,) 1 = predict the
    stations from each other at this epoch
    """

    nondispersive_m: FloatArray
    dispersive_m: FloatArray
    epoch: IndexArray
    step_s: FloatArray
    east_north_m: FloatArray
    covariance: FloatArray
    block: IndexArray
    judge: FlagArray


class VirtualWork(NamedTuple):
    """A virtual station.

    stations : (K,) those around it, the master first      east_north_m : (K, 2) [m] of them
    relative_m : (K, 2) work      column : (N_SAT,) of a satellite in the series, -1 = none
    method : METHOD_*      master_plan, place_plan : RunPlan records; master, place : StationMemory
    given : (N_SAT,) kind in which a satellite was given at the previous epoch
    """

    obs: ObsArrays
    eph: EphemerisArrays
    chosen: IndexArray
    master_plan: Any
    master: Any
    place_plan: Any
    place: Any
    stations: IndexArray
    east_north_m: FloatArray
    relative_m: FloatArray
    column: IndexArray
    method: int
    given: FlagArray
    nondispersive: FieldMemory
    dispersive: FieldMemory


@kernel
def virtual_block(first, end, series, work, out):
    """Epochs first..end-1 of a virtual station into the rows; returns rows.

    series : VirtualSeries      out : VirtualRows
    """
    n_row = out.row_start[first]
    for t in range(first, end):
        n_row = virtual_epoch(t, n_row, series, work, out)
        out.row_start[t + 1] = n_row
    return n_row


@kernel
def virtual_epoch(t, n_row, series, work, out):
    """One epoch; returns the rows after it.

    series : VirtualSeries      out : VirtualRows
    """
    k = series.epoch[t]
    out.sigma_wet_m[t] = math.nan
    if k < 0:
        return n_row
    if work.master.modelled_epoch != k:
        work.chosen[:] = NOT_ASKED
        station_epoch(k, work.obs, work.eph, work.master_plan, work.chosen, work.master)
        work.master.modelled_epoch = k
    model_place(work.obs.time_ns[k], work)
    interpolate_both(t, series, work)
    kind = CORRECTED
    if count_corrected(work) < FEWEST_CORRECTED:
        kind = UNCORRECTED
        leave_uncorrected(work)
    total, n = 0.0, 0
    for i in range(work.master.work.n_sat):
        sat = work.master.work.sat[i]
        s = work.column[sat]
        is_known = s >= 0 and not math.isnan(
            work.nondispersive.out_m[s]
            + work.dispersive.out_m[s]
            + work.place.work.range_m[ROVER, i]
        )
        if is_known:
            n_row = write_satellite(i, s, n_row, kind, work, out)
            out.sigma_iono_m[t, sat] = work.dispersive.sigma_m[s]
            total += work.nondispersive.sigma_m[s] / work.nondispersive.slant_factor[s]
            n += 1
        work.given[sat] = kind if is_known else NO_EPOCH
    if n:
        out.sigma_wet_m[t] = total / n
        out.kind[t] = kind
    return n_row


@kernel
def count_corrected(work):
    """Satellites of the master that have both corrections at this epoch."""
    n = 0
    for i in range(work.master.work.n_sat):
        s = work.column[work.master.work.sat[i]]
        if s >= 0:
            n += not math.isnan(work.nondispersive.out_m[s] + work.dispersive.out_m[s])
    return n


@kernel
def leave_uncorrected(work):
    """No corrections, and sigmas by the distance from the master to the point; returns 0."""
    far_m = math.hypot(work.relative_m[0, 0], work.relative_m[0, 1])
    for s in range(work.dispersive.out_m.shape[0]):
        work.nondispersive.out_m[s] = 0.0
        work.dispersive.out_m[s] = 0.0
        wet_m = WET_M_PER_M * far_m * work.nondispersive.slant_factor[s]
        work.nondispersive.sigma_m[s] = wet_m
        work.dispersive.sigma_m[s] = IONO_M_PER_M * far_m * work.dispersive.slant_factor[s]
    return 0


@kernel
def model_place(time_ns, work):
    """Geometry and models at the virtual place, satellites moved to their own transmission.

    Fills work.place.work of the master's satellites; returns 0. time_ns : of the master's epoch
    """
    master, place = work.master.work, work.place.work
    position_m = work.place_plan.base_ecef_m
    place.n_sat = master.n_sat
    for i in range(master.n_sat):
        place.sat[i] = master.sat[i]
        for a in range(8):
            place.sat_state[ROVER, i, a] = master.sat_state[ROVER, i, a]
        far_m = sagnac_range(place.sat_state[ROVER, i], position_m, work.place.place.los)
        later_s = -(far_m - master.range_m[ROVER, i]) / SPEED_OF_LIGHT_MPS
        for a in range(3):
            place.sat_state[ROVER, i, a] += later_s * place.sat_state[ROVER, i, 3 + a]
        place.sat_state[ROVER, i, STATE_CLOCK] += later_s * place.sat_state[ROVER, i, STATE_DRIFT]
    return model_receiver(0, position_m, time_ns, work.place_plan, place, work.place.place)


@kernel
def interpolate_both(t, series, work):
    """Both fields at the point of an epoch; returns 0.

    series : VirtualSeries
    """
    for k in range(work.stations.shape[0]):
        for a in range(2):
            work.relative_m[k, a] = work.east_north_m[k, a] - series.east_north_m[t, a]
    for i in range(work.master.work.n_sat):
        s = work.column[work.master.work.sat[i]]
        if s >= 0:
            elevation = work.master.work.elevation_rad[ROVER, i]
            work.dispersive.slant_factor[s] = slant_factor(elevation)
            work.nondispersive.slant_factor[s] = work.master.work.wet_factor[i]
    one_field(t, 0, series.nondispersive_m[t], series, work, work.nondispersive)
    one_field(t, 1, series.dispersive_m[t], series, work, work.dispersive)
    return 0


@kernel
def one_field(t, number, value_m, series, work, field):
    """Load, judge and interpolate one field. number : 0 non-dispersive, 1 dispersive; returns 0.

    value_m : (n, S) [m]      series : VirtualSeries      field : FieldMemory
    """
    row = series.covariance[series.block[t], number]
    covariance = Covariance(row[0], row[1], row[2], row[3])
    load_field(value_m, work.stations, series.step_s[t], field)
    if series.judge[t]:
        decay = math.exp(-series.step_s[t] / LOO_WINDOW_S)
        judge_field(work.method, work.relative_m, covariance, decay, field)
    interpolate_field(work.method, work.relative_m, covariance, field)
    return 0


@kernel
def write_satellite(i, s, n_row, kind, work, out):
    """The bands of one satellite, row i of the master; returns the rows after it.

    s : its column in the fields      kind : of the epoch; a change of it breaks the phases
    out : VirtualRows
    """
    master, place, obs = work.master, work.place.work, work.obs
    model_m = place.range_m[ROVER, i] - SPEED_OF_LIGHT_MPS * place.sat_state[ROVER, i, STATE_CLOCK]
    model_m += place.trop_m[ROVER, i] + work.nondispersive.out_m[s]
    speed_mps = 0.0
    for a in range(3):
        velocity = master.work.sat_state[ROVER, i, 3 + a]
        speed_mps += (place.los[i, a] - master.work.los[i, a]) * velocity
    for slot in range(master.phase_m.shape[1]):
        row = master.work.row[ROVER, i, slot]
        if row < 0 or math.isnan(master.phase_m[i, slot]):
            continue
        wavelength = master.work.wavelength_m[i, slot]
        iono_m = master.work.iono_factor[i, slot] * work.dispersive.out_m[s]
        out.sat[n_row], out.sig[n_row] = obs.sat[row], obs.sig[row]
        out.code_m[n_row] = master.code_m[i, slot] + model_m + iono_m
        phase_m = master.phase_m[i, slot] + model_m - iono_m
        out.phase_cycle[n_row] = phase_m / wavelength
        out.doppler_hz[n_row] = obs.doppler_hz[row] - speed_mps / wavelength
        out.cn0_dbhz[n_row] = obs.cn0_dbhz[row]
        goes_on = work.given[obs.sat[row]] == kind
        out.lli[n_row] = obs.lli[row] if goes_on else obs.lli[row] | LLI_SLIP
        n_row += 1
    return n_row
