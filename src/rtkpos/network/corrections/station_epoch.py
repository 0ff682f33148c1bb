"""A station's epoch: its satellites, and what its observations show besides the models.

network : NetworkMemory      station : StationMemory record, rows (M, B)      plan : RunPlan record
whose base_ecef_m is the station's marker
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.core.atmosphere.ionosphere import L1_HZ
from rtkpos.core.orbits.broadcast_orbit import STATE_CLOCK
from rtkpos.core.orbits.ephemeris import select_ephemeris
from rtkpos.estimate.baseline.single_difference import model_receiver, satellite_geometry
from rtkpos.prepare.common import next_satellite
from rtkpos.prepare.pairing import ROVER

NOT_ASKED = -100  # no ephemeris was looked for at this epoch yet


@kernel
def model_stations(epochs, network):
    """All stations of one epoch. epochs : (K,) epoch of each in the joint table, -1 = none.

    Returns : int, stations with data
    """
    network.chosen[:] = NOT_ASKED
    n = 0
    for k in range(epochs.shape[0]):
        station = network.station[k]
        station.is_there = 0
        if epochs[k] >= 0:
            plan = network.station_plan[k]
            n += station_epoch(epochs[k], network.obs, network.eph, plan, network.chosen, station)
    return n


@kernel
def station_epoch(k, obs, eph, plan, chosen, station):
    """Rows, geometry and models of one station's epoch k; returns 1.

    obs : ObsArrays      eph : EphemerisArrays      chosen : (N_SAT,) ephemeris rows of the epoch
    """
    work, time_ns = station.work, obs.time_ns[k]
    station_rows(obs, k, plan.pairing, work)
    keep_with_ephemeris(eph, plan.point.message_order, time_ns, work, chosen)
    satellite_geometry(obs, k, 0, eph, work)
    model_receiver(0, plan.base_ecef_m, time_ns, plan, work, station.place)
    observed_minus_modelled(obs, plan, work, station.code_m, station.phase_m)
    station.is_there = 1
    return 1


@kernel
def station_rows(obs, k, pairing, work):
    """Observation rows of each satellite by band slot; the best-ranked phase where there are two.

    Fills n_sat, sat and row[0] of `work`. Returns : int, satellites
    """
    row, end = obs.row_start[k], obs.row_start[k + 1]
    n = 0
    while row < end and n < work.sat.shape[0]:
        after = next_satellite(obs, row, end)
        sat, found = obs.sat[row], 0
        for slot in range(work.row.shape[2]):
            work.row[ROVER, n, slot] = -1
        for r in range(row, after):
            slot = pairing.slot[obs.sig[r]]
            if slot < 0 or not pairing.wanted[sat] or math.isnan(obs.phase_cycle[r]):
                continue
            best = work.row[ROVER, n, slot]
            if best < 0 or pairing.rank[obs.sig[r]] < pairing.rank[obs.sig[best]]:
                work.row[ROVER, n, slot] = r
                found += 1
        if found:
            work.sat[n] = sat
            n += 1
        row = after
    work.n_sat = n
    return n


@kernel
def keep_with_ephemeris(eph, message_order, time_ns, work, chosen):
    """Satellites with a usable ephemeris stay, all stations with the same; returns how many.

    message_order : (N_SYSTEM, k)      chosen : (N_SAT,) rows found so far at this epoch
    """
    kept = 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        if chosen[sat] == NOT_ASKED:
            chosen[sat] = select_ephemeris(eph, sat, time_ns, message_order)
        if chosen[sat] < 0:
            continue
        work.sat[kept] = sat
        work.eph_row[kept] = chosen[sat]
        for slot in range(work.row.shape[2]):
            work.row[ROVER, kept, slot] = work.row[ROVER, i, slot]
        kept += 1
    work.n_sat = kept
    return kept


@kernel
def observed_minus_modelled(obs, plan, work, out_code_m, out_phase_m):
    """Code and phase less range, satellite clock, troposphere and antenna.

    out_code_m, out_phase_m : (M, B) [m]; phases are shifted to the alignment of their band
    Returns : int, phases
    """
    n = 0
    pairing = plan.pairing
    for i in range(work.n_sat):
        modelled = (
            work.range_m[ROVER, i] - SPEED_OF_LIGHT_MPS * work.sat_state[ROVER, i, STATE_CLOCK]
        )
        modelled += work.trop_m[ROVER, i]
        for slot in range(work.row.shape[2]):
            row = work.row[ROVER, i, slot]
            out_code_m[i, slot] = math.nan
            out_phase_m[i, slot] = math.nan
            carrier_hz = pairing.carrier_hz[work.sat[i], slot]
            low = work.elevation_rad[ROVER, i] < plan.settings.mask_rad
            if row < 0 or low or math.isnan(carrier_hz):
                continue
            centre = modelled + work.antenna_m[ROVER, i, slot]
            wavelength = SPEED_OF_LIGHT_MPS / carrier_hz
            shift_cycle = pairing.shift_cycle[ROVER, obs.sig[row]]
            work.wavelength_m[i, slot] = wavelength
            work.iono_factor[i, slot] = (L1_HZ / carrier_hz) ** 2
            out_code_m[i, slot] = obs.code_m[row] - centre
            out_phase_m[i, slot] = wavelength * (obs.phase_cycle[row] + shift_cycle) - centre
            n += not math.isnan(out_phase_m[i, slot])
    return n
