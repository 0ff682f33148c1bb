"""Single differences rover - base: satellite geometry, observed minus modelled, variances.

`counts` : (n_counter,) counters of the run, the COUNT_* slots of `prepare.slips`.
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import GM_GPS, SPEED_OF_LIGHT_MPS
from rtkpos.core.atmosphere.ionosphere import L1_HZ
from rtkpos.core.atmosphere.troposphere import prepare_troposphere, slant_troposphere
from rtkpos.core.orbits.broadcast_orbit import (
    CARRY_MAX_S,
    STATE_CLOCK,
    carry_state,
    sagnac_range,
    transmit_state,
)
from rtkpos.core.orbits.ephemeris import UNHEALTHY, select_ephemeris
from rtkpos.core.station.geodesy import (
    ecef_to_geodetic,
    elevation_azimuth,
    elevation_of,
    enu_rotation,
    move_local,
)
from rtkpos.core.station.phase_centre import phase_centre
from rtkpos.core.station.solid_tide import solid_tide
from rtkpos.core.tables import ORBIT_GEO
from rtkpos.estimate.baseline.observation_noise import phase_variance
from rtkpos.gnss.systems import BEIDOU, SBAS, system_of
from rtkpos.prepare.pairing import BASE, ROVER
from rtkpos.prepare.slips import COUNT_EPHEMERIS_SWITCH, COUNT_NO_EPHEMERIS, COUNT_UNHEALTHY

MAX_GROUPS_PER_EPOCH = 24
TIDE_STEP_NS = 60_000_000_000


@kernel
def choose_ephemerides(eph, message_order, time_ns, work, state, counts):
    """One ephemeris row per common satellite, the same issue for rover and base; drops the rest.

    eph : EphemerisArrays      message_order : (N_SYSTEM, k)      time_ns : rover epoch [ns]
    work : EpochWork; satellites without a usable record leave it
    Returns : int, satellites left
    """
    kept = 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        row = select_ephemeris(eph, sat, time_ns, message_order)
        if row < 0:
            counts[COUNT_UNHEALTHY if row == UNHEALTHY else COUNT_NO_EPHEMERIS] += 1
            continue
        if state.eph_row[sat] >= 0 and state.eph_row[sat] != row:
            counts[COUNT_EPHEMERIS_SWITCH] += 1
        state.eph_row[sat] = row
        work.sat[kept] = sat
        work.eph_row[kept] = row
        for slot in range(work.row.shape[2]):
            work.row[ROVER, kept, slot] = work.row[ROVER, i, slot]
            work.row[BASE, kept, slot] = work.row[BASE, i, slot]
        kept += 1
    work.n_sat = kept
    return kept


@kernel
def primary_code(obs, rows):
    """Code of the first band slot that has one [m]; NaN when none. rows : (B,) observation rows."""
    for slot in range(rows.shape[0]):
        if rows[slot] >= 0 and not math.isnan(obs.code_m[rows[slot]]):
            return obs.code_m[rows[slot]]
    return math.nan


@kernel
def satellite_geometry(obs, k, receiver, eph, work):
    """Satellite states at transmission for one receiver of the pair; a satellite without is NaN.

    obs : ObsArrays      k : epoch      receiver : 0 rover, 1 base      work : fills sat_state
    A state that `share_states` left of this epoch is carried on instead of computed again.
    """
    for i in range(work.n_sat):
        code_m = primary_code(obs, work.row[receiver, i])
        system = system_of(work.sat[i])
        if carry_shared(i, receiver, obs.time_ns[k], code_m, work) == 0:
            continue
        status = transmit_state(
            eph, work.eph_row[i], system, obs.time_ns[k], code_m, work.sat_state[receiver, i]
        )
        if status != 0:
            work.sat_state[receiver, i, :] = math.nan
    return 0


@kernel
def share_states(rows, time_ns, work):
    """Leave the satellite states of a code position to `satellite_geometry`.

    rows : PointRows after `load_rows`      time_ns : its epoch [ns]      work : EpochWork
    """
    for sat in range(work.shared_row.shape[0]):
        work.shared_row[sat] = -1
    work.shared_ns = time_ns
    for i in range(rows.n_row):
        sat = rows.sat[i]
        work.shared_row[sat] = rows.eph_row[i]
        work.shared_s[sat] = -rows.code_m[i] / SPEED_OF_LIGHT_MPS - rows.sat_state[i, STATE_CLOCK]
        for k in range(8):
            work.shared_state[sat, k] = rows.sat_state[i, k]
    return rows.n_row


@kernel
def carry_shared(i, receiver, time_ns, code_m, work):
    """State of satellite i at transmission from the shared one; 1 when it cannot serve.

    Rover and base hear a satellite within a millisecond or so of each other.
    """
    sat = work.sat[i]
    if work.shared_row[sat] < 0 or work.shared_row[sat] != work.eph_row[i]:
        return 1
    shared = work.shared_state[sat]
    step_s = (time_ns - work.shared_ns) * 1e-9 - work.shared_s[sat]
    step_s -= code_m / SPEED_OF_LIGHT_MPS + shared[6]
    if not abs(step_s) < CARRY_MAX_S:
        return 1
    return carry_state(shared, step_s, GM_GPS, work.sat_state[receiver, i])


@kernel
def model_receiver(receiver, position_m, time_ns, plan, work, place):
    """Range, troposphere, elevation, antenna (and the rover's line of sight) at a marker.

    position_m : (3,) marker, ECEF [m]      plan : RunPlan      place : PlaceWork
    work : EpochWork      Returns : int 0; 1 when the position is not on the earth
    """
    if ecef_to_geodetic(position_m, place.llh) != 0:
        return 1
    enu_rotation(place.llh[0], place.llh[1], place.rotation)
    use_troposphere = plan.settings.troposphere != 0
    height_m = place.llh[2] + plan.site.offset_enu_m[receiver, 2]
    prepare_troposphere(place.llh[0], place.llh[1], height_m, time_ns, place.troposphere)
    reference_point(receiver, position_m, time_ns, plan, place)
    for i in range(work.n_sat):
        state = work.sat_state[receiver, i]
        work.range_m[receiver, i] = sagnac_range(state, place.antenna_m, place.los)
        elevation = elevation_of(place.los, place.rotation)
        if plan.site.has_pattern[receiver]:
            elevation, azimuth = elevation_azimuth(place.los, place.rotation)
            phase_centres(receiver, i, elevation, azimuth, plan.site, work, place)
        if receiver == 0:
            for k in range(3):
                work.los[i, k] = place.los[k]
        work.elevation_rad[receiver, i] = elevation
        work.trop_m[receiver, i] = 0.0
        if use_troposphere:
            work.trop_m[receiver, i], wet = slant_troposphere(place.troposphere, elevation)
            work.wet_factor[i] = wet
    return 0


@kernel
def reference_point(receiver, position_m, time_ns, plan, place):
    """Reference point of an antenna, place.antenna_m: marker, offset and solid tide.

    position_m : (3,) marker, ECEF [m]      plan : RunPlan      place : PlaceWork, rotation set
    The tide is computed once a minute: it moves by less than 1.5 mm an hour per 100 km of baseline.
    """
    minute = time_ns // TIDE_STEP_NS
    if plan.settings.solid_tide != 0 and place.tide_slot[receiver] != minute:
        solid_tide(position_m, minute * TIDE_STEP_NS, place.los, place.tide_m[receiver])
        place.tide_slot[receiver] = minute
    offset_enu_m = plan.site.offset_enu_m[receiver]
    move_local(position_m, offset_enu_m, 1.0, place.rotation, place.antenna_m)
    for k in range(3):
        place.antenna_m[k] += place.tide_m[receiver, k]
    return 0


@kernel
def antenna_to_marker(offset_enu_m, place, out_m):
    """Take the offset of an antenna off its position: codes place the antenna, not the marker.

    offset_enu_m : (3,) [m]      place : PlaceWork      out_m : (3,) ECEF [m], moved
    """
    if offset_enu_m[0] == 0.0 and offset_enu_m[1] == 0.0 and offset_enu_m[2] == 0.0:
        return 0
    if ecef_to_geodetic(out_m, place.llh) == 0:
        enu_rotation(place.llh[0], place.llh[1], place.rotation)
        move_local(out_m, offset_enu_m, -1.0, place.rotation, out_m)
    return 0


@kernel
def phase_centres(receiver, i, elevation, azimuth, site, work, place):
    """Phase-centre corrections of one satellite's bands at one receiver, work.antenna_m.

    elevation, azimuth : of the satellite [rad]      site : SiteModel      work : EpochWork
    place : PlaceWork, line of sight and rotation set
    """
    for a in range(3):
        place.to_enu[a] = 0.0
        for k in range(3):
            place.to_enu[a] += place.rotation[a, k] * place.los[k]
    n_slot = work.row.shape[2]
    first = system_of(work.sat[i]) * n_slot
    for slot in range(n_slot):
        if work.row[receiver, i, slot] >= 0:
            pco, pcv = site.pco_enu_m[receiver, first + slot], site.pcv_m[receiver, first + slot]
            work.antenna_m[receiver, i, slot] = phase_centre(
                pco, pcv, elevation, azimuth, place.to_enu
            )
    return 0


@kernel
def group_of(sig_rover, sig_base, state):
    """Index of the pair group of two signals, a new one when unseen; -1 when the table is full."""
    key = int(sig_rover) * 4096 + int(sig_base)
    n = state.n_group
    for g in range(n):
        if state.group_key[g] == key:
            return g
    if n >= state.group_key.shape[0]:
        return -1
    state.group_key[n] = key
    state.n_group = n + 1
    return n


@kernel
def count_pair(key, has_phase, state):
    """Count a satellite-epoch of a code pair (a group_key); returns 1 when the table is full."""
    for p in range(state.use_key.shape[0]):
        if state.use_key[p] < 0:
            state.use_key[p] = key
        if state.use_key[p] == key:
            if has_phase:
                state.use_with_phase[p] += 1
            else:
                state.use_without_phase[p] += 1
            return 0
    return 1


@kernel
def count_pairs(work, state):
    """Count the code pairs of an epoch for the report; returns how many satellite-epochs."""
    n = 0
    for i in range(work.n_sat):
        for slot in range(work.group.shape[1]):
            if work.group[i, slot] >= 0:
                has_phase = not math.isnan(work.sd_phase_m[i, slot])
                count_pair(state.group_key[work.group[i, slot]], has_phase, state)
                n += 1
    return n


@kernel
def form_differences(obs_rover, obs_base, plan, settings, state, work):
    """Observed minus modelled single differences of code and phase with their variances.

    Fills group, wavelength_m, sd_code_m, sd_phase_m, var_*, half_cycle of `work`; NaN = missing.
    Model: range + rx_clock - c sat_clock + trop + antenna (the ionosphere cancels on short lines
    and is a state of the filter on long ones).
    Returns : int, number of phase differences
    """
    n_phase = 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        modelled = modelled_difference(i, work)
        low = min(work.elevation_rad[ROVER, i], work.elevation_rad[BASE, i]) < settings.mask_rad
        for slot in range(work.row.shape[2]):
            rover, base = work.row[ROVER, i, slot], work.row[BASE, i, slot]
            work.sd_code_m[i, slot] = math.nan
            work.sd_phase_m[i, slot] = math.nan
            work.group[i, slot] = -1
            if rover < 0 or base < 0 or low or math.isnan(modelled):
                continue
            cn0 = min_known(obs_rover.cn0_dbhz[rover], obs_base.cn0_dbhz[base])
            if cn0 < settings.cn0_min_dbhz:
                continue
            work.group[i, slot] = group_of(obs_rover.sig[rover], obs_base.sig[base], state)
            work.datum_group[i, slot] = group_of(
                plan.leader[ROVER, obs_rover.sig[rover]],
                plan.leader[BASE, obs_base.sig[base]],
                state,
            )
            if work.group[i, slot] < 0 or work.datum_group[i, slot] < 0:
                work.group[i, slot] = -1
                continue
            wavelength = SPEED_OF_LIGHT_MPS / plan.carrier_hz[sat, slot]
            work.wavelength_m[i, slot] = wavelength
            work.iono_factor[i, slot] = (wavelength * L1_HZ / SPEED_OF_LIGHT_MPS) ** 2
            centre = modelled + work.antenna_m[ROVER, i, slot] - work.antenna_m[BASE, i, slot]
            work.sd_code_m[i, slot] = obs_rover.code_m[rover] - obs_base.code_m[base] - centre
            phase = obs_rover.phase_cycle[rover] - obs_base.phase_cycle[base]
            phase += plan.shift_cycle[ROVER, obs_rover.sig[rover]]
            phase -= plan.shift_cycle[BASE, obs_base.sig[base]]
            jump = state.jump_m[ROVER] - state.jump_m[BASE]
            work.sd_phase_m[i, slot] = wavelength * phase + jump - centre
            work.half_of[ROVER, i, slot] = (obs_rover.lli[rover] >> 1) & 1
            work.half_of[BASE, i, slot] = (obs_base.lli[base] >> 1) & 1
            work.half_cycle[i, slot] = work.half_of[ROVER, i, slot] | work.half_of[BASE, i, slot]
            if not math.isnan(work.sd_phase_m[i, slot]):
                n_phase += 1
    return n_phase


@kernel
def modelled_difference(i, work):
    """Modelled rover - base difference of range, satellite clock and troposphere [m]."""
    modelled = work.range_m[ROVER, i] - work.range_m[BASE, i]
    modelled -= SPEED_OF_LIGHT_MPS * (
        work.sat_state[ROVER, i, STATE_CLOCK] - work.sat_state[BASE, i, STATE_CLOCK]
    )
    return modelled + work.trop_m[ROVER, i] - work.trop_m[BASE, i]


@kernel
def min_known(a, b):
    """The smaller of two values; the known one when the other is NaN; NaN when both are."""
    if math.isnan(a):
        return b
    if math.isnan(b):
        return a
    return min(a, b)


@kernel
def difference_variances(obs_rover, obs_base, eph, growth_m2, settings, work):
    """Variances of the single differences into var_phase_m2 and var_code_m2.

    growth_m2 : variance added for distance (atmosphere) and age (satellite clocks) [m^2]
    """
    for i in range(work.n_sat):
        factor = 1.0
        system = system_of(work.sat[i])
        if system == SBAS or (system == BEIDOU and eph.orbit[work.eph_row[i]] == ORBIT_GEO):
            factor = settings.geo_factor**2
        for slot in range(work.row.shape[2]):
            rover, base = work.row[ROVER, i, slot], work.row[BASE, i, slot]
            if work.group[i, slot] < 0:
                continue
            variance = phase_variance(
                work.elevation_rad[ROVER, i], obs_rover.cn0_dbhz[rover], settings
            )
            variance += phase_variance(
                work.elevation_rad[BASE, i], obs_base.cn0_dbhz[base], settings
            )
            variance *= factor
            work.var_code_m2[i, slot] = variance * settings.code_phase_ratio**2 + growth_m2
            if work.half_cycle[i, slot]:
                variance += 0.01
            work.var_phase_m2[i, slot] = variance + growth_m2
    return 0
