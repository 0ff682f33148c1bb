"""Cycle slips and clock jumps: detectors over one receiver's epochs and over single differences.

Every detector counts what it finds in `counts` (the COUNT_* slots), sets bits in
`state.slip_bits[receiver, sat, band]`, and leaves the verdict to the filter: SLIP_SURE is what the
receiver says itself, SLIP_LIKELY what a code or Doppler outlier shows as well.

`counts`  : (n_counter,) counters of the run      `scratch` : (3, n) values per row of the epoch
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import SPEED_OF_LIGHT_MPS
from rtkpos.core.linear.select import median_of
from rtkpos.core.tables import RESET_EVENTS

# Slots of the counters a run reports, in the order of COUNTER_NAMES.
COUNTER_NAMES = (
    "slip_lli",
    "slip_half_cycle",
    "slip_power_failure",
    "slip_code_change",
    "slip_gap",
    "slip_geometry_free",
    "slip_doppler",
    "slip_code_minus_phase",
    "slip_innovation",
    "slip_phase_step",
    "slip_wide_lane",
    "slip_withdrawn",
    "half_cycle_doubt",
    "clock_jump",
    "code_rejected",
    "phase_rejected",
    "filter_reset",
    "divergence_reset",
    "ephemeris_switch",
    "ar_attempt",
    "ar_satellite_dropped",
    "hold",
    "hold_released",
    "half_cycle_excluded",
    "newcomer_held_back",
    "no_ephemeris",
    "unhealthy",
    "reinitialised",
    "static_restart",
)
(
    COUNT_LLI,
    COUNT_HALF,
    COUNT_POWER,
    COUNT_CODE_CHANGE,
    COUNT_GAP,
    COUNT_GF,
    COUNT_DOPPLER,
    COUNT_CODE_PHASE,
    COUNT_INNOVATION,
    COUNT_STEP,
    COUNT_WIDE_LANE,
    COUNT_WITHDRAWN,
    COUNT_HALF_DOUBT,
    COUNT_CLOCK_JUMP,
    COUNT_CODE_REJECTED,
    COUNT_PHASE_REJECTED,
    COUNT_RESET,
    COUNT_DIVERGENCE,
    COUNT_EPHEMERIS_SWITCH,
    COUNT_AR_ATTEMPT,
    COUNT_AR_DROPPED,
    COUNT_HOLD,
    COUNT_HOLD_RELEASED,
    COUNT_HALF_EXCLUDED,
    COUNT_HELD_BACK,
    COUNT_NO_EPHEMERIS,
    COUNT_UNHEALTHY,
    COUNT_REINITIALISED,
    COUNT_STATIC_RESTART,
) = range(29)

# Bits of a verdict. A likely slip is withdrawn if no step shows; of half cycles the receiver told.
SLIP_SURE, SLIP_LIKELY, SLIP_HALF_TOLD = 1, 2, 4

MILLISECOND_M = 1e-3 * SPEED_OF_LIGHT_MPS
MAX_DOPPLER_STEP_NS = 2_100_000_000  # longer steps say nothing about a slip of one cycle


@kernel
def tracked_band(obs, row, receiver, plan, state):
    """Band slot of an observation row when the filter uses just this signal, else -1.

    obs : ObsArrays      receiver : 0 rover, 1 base      plan : PairingPlan      state : FilterState
    """
    sat, sig = obs.sat[row], obs.sig[row]
    slot = plan.slot[sig]
    if slot < 0 or state.slot[sat, slot] < 0:
        return -1
    key = state.group_key[state.pair[sat, slot]]
    used = key // 4096 if receiver == 0 else key % 4096
    return slot if used == sig else -1


@kernel
def watched_rows(obs, k, scratch):
    """Row range of an epoch, cut to what the scratch arrays hold."""
    first = obs.row_start[k]
    return first, min(obs.row_start[k + 1], first + scratch.shape[1])


@kernel
def track_receiver(obs, k, receiver, plan, settings, state, scratch, counts):
    """Look at one epoch of one receiver for slips of the signals the filter uses.

    obs : ObsArrays      k : epoch      receiver : 0 rover, 1 base      plan : PairingPlan
    scratch : (3, n) work [m]      counts : (n_counter,) counters by COUNT_*
    Returns : int, number of slips found. Sources: RINEX 4.02, section 5.2.3 (LLI); Doppler test:
    Miao et al. (2011), GPS Solutions 15:223; code-only millisecond jumps: Guo & Zhang (2014).
    """
    first, end = watched_rows(obs, k, scratch)
    n_slip = 0
    if obs.event[k] & RESET_EVENTS:
        for row in range(first, end):
            slot = tracked_band(obs, row, receiver, plan, state)
            if slot >= 0:
                state.slip_bits[receiver, obs.sat[row], slot] |= SLIP_SURE
                counts[COUNT_POWER] += 1
                n_slip += 1
    jump_m = code_only_jump(obs, k, receiver, plan, state, scratch)
    if jump_m != 0.0:
        state.jump_m[receiver] += jump_m
        counts[COUNT_CLOCK_JUMP] += 1
    phase_minus_doppler(obs, k, receiver, jump_m, plan, state, scratch)
    for row in range(first, end):
        slot = tracked_band(obs, row, receiver, plan, state)
        if slot < 0 or math.isnan(obs.phase_cycle[row]):
            continue
        sat = obs.sat[row]
        verdict = lli_verdict(obs.lli[row], state.half[receiver, sat, slot], counts)
        state.half[receiver, sat, slot] = (obs.lli[row] >> 1) & 1
        moved = scratch[0, row - first]
        if not math.isnan(moved) and abs(moved) > settings.slip_doppler_cycle:
            counts[COUNT_DOPPLER] += 1
            verdict |= SLIP_LIKELY
        apart = scratch[1, row - first] - jump_m
        if not math.isnan(apart) and abs(apart) > settings.slip_code_m:
            counts[COUNT_CODE_PHASE] += 1
            verdict |= SLIP_LIKELY
        if verdict:
            state.slip_bits[receiver, sat, slot] |= verdict
            n_slip += 1
    return n_slip


@kernel
def lli_verdict(lli, half_before, counts):
    """Slip bits of the loss-of-lock indicator: bit 0 set, or bit 1 (half cycle) changed."""
    verdict = 0
    if lli & 1:
        counts[COUNT_LLI] += 1
        verdict = SLIP_SURE
    if ((lli >> 1) & 1) != half_before:
        counts[COUNT_HALF] += 1
        verdict = SLIP_SURE | SLIP_HALF_TOLD
    return verdict


@kernel
def code_only_jump(obs, k, receiver, plan, state, scratch):
    """Clock jump of whole milliseconds in the code but not in the phase [m]; 0 when there is none.

    Fills scratch[1] with the change of code - phase since the previous epoch [m], NaN unknown.
    """
    first, end = watched_rows(obs, k, scratch)
    n = 0
    for row in range(first, end):
        scratch[1, row - first] = math.nan
        slot = tracked_band(obs, row, receiver, plan, state)
        if slot < 0:
            continue
        sat = obs.sat[row]
        phase_m = SPEED_OF_LIGHT_MPS / plan.carrier_hz[sat, slot] * obs.phase_cycle[row]
        before = state.last_code_m[receiver, sat, slot] - state.last_phase_m[receiver, sat, slot]
        change = obs.code_m[row] - phase_m - before
        scratch[1, row - first] = change
        if not math.isnan(change):
            scratch[2, n] = change
            n += 1
    common = median_of(scratch[2], n)
    steps = round(common / MILLISECOND_M) if n >= 3 else 0
    if steps != 0 and abs(common - steps * MILLISECOND_M) < 1000.0:
        return steps * MILLISECOND_M
    return 0.0


@kernel
def phase_minus_doppler(obs, k, receiver, jump_m, plan, state, scratch):
    """Phase change minus Doppler prediction [cycle/s] of each row, without the receiver's clock.

    Fills scratch[0], NaN where it cannot be formed. A clock that moves by d in a second shifts a
    phase by (carrier + Doppler) d: its own part, and the range at a time d earlier. The median of d
    over all rows is the clock, also at jumps of milliseconds; what a row shows beyond it is a slip.
    A run backward in time has negative steps.
    jump_m : jump of the code alone [m]: samples are taken that much earlier, phases hide the jump
    Returns : float, d [s/s]
    """
    first, end = watched_rows(obs, k, scratch)
    jump_s = jump_m / SPEED_OF_LIGHT_MPS
    n = 0
    for row in range(first, end):
        scratch[0, row - first] = math.nan
        slot = tracked_band(obs, row, receiver, plan, state)
        if slot < 0:
            continue
        sat = obs.sat[row]
        step_ns = obs.time_ns[k] - state.track_ns[receiver, sat, slot]
        if step_ns == 0 or abs(step_ns) > MAX_DOPPLER_STEP_NS:
            continue
        step_s = step_ns * 1e-9
        carrier_hz = plan.carrier_hz[sat, slot]
        before = state.last_phase_m[receiver, sat, slot] * carrier_hz / SPEED_OF_LIGHT_MPS
        rate_hz = 0.5 * (obs.doppler_hz[row] + state.last_doppler_hz[receiver, sat, slot])
        value = (obs.phase_cycle[row] - before) / step_s + rate_hz * (1.0 - jump_s / step_s)
        scratch[0, row - first] = value
        if not math.isnan(value):
            scratch[2, n] = value / (carrier_hz + rate_hz)
            n += 1
    clock = median_of(scratch[2], n) if n >= 4 else math.nan
    for row in range(first, end):
        if not math.isnan(scratch[0, row - first]):
            sat = obs.sat[row]
            slot = plan.slot[obs.sig[row]]
            rate_hz = 0.5 * (obs.doppler_hz[row] + state.last_doppler_hz[receiver, sat, slot])
            scratch[0, row - first] -= clock * (plan.carrier_hz[sat, slot] + rate_hz)
    return clock


@kernel
def remember_receiver(obs, k, receiver, plan, state):
    """Keep this epoch's phase, code and Doppler of one receiver for the next epoch's tests.

    Rows of every used band are kept (best-ranked code first), so a satellite's second epoch can
    already be tested. state : FilterState      Returns : int, rows kept
    """
    n = 0
    for row in range(obs.row_start[k], obs.row_start[k + 1]):
        slot = tracked_band(obs, row, receiver, plan, state)
        if slot < 0 or math.isnan(obs.phase_cycle[row]):
            continue
        sat = obs.sat[row]
        wavelength = SPEED_OF_LIGHT_MPS / plan.carrier_hz[sat, slot]
        state.last_phase_m[receiver, sat, slot] = wavelength * obs.phase_cycle[row]
        state.last_code_m[receiver, sat, slot] = obs.code_m[row]
        state.last_doppler_hz[receiver, sat, slot] = obs.doppler_hz[row]
        state.track_ns[receiver, sat, slot] = obs.time_ns[k]
        n += 1
    return n
