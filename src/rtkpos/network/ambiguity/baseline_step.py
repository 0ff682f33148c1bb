"""One epoch of one baseline between stations of known coordinates: its filter of differences.

The states are those of `estimate.relative` on long lines: a clock, code biases, an ambiguity per
satellite and band, a slant ionosphere per satellite and the relative wet delay (ionosphere-weighted
model, Teunissen 1998, J. Geodesy 72:236), with the position pinned to the coordinates.

memory : EdgeMemory record      plan : EdgePlan record      rover, base : StationMemory records
state : FilterState (N,), (N, N)      work : EpochWork, rows (M, B)
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from rtkpos._numba.decorator import kernel
from rtkpos.core.linear.select import median_of
from rtkpos.core.tables import ORBIT_GEO, RESET_EVENTS
from rtkpos.estimate.baseline.atmosphere_states import (
    forget_atmosphere,
    keep_atmosphere,
    slant_factor,
)
from rtkpos.estimate.baseline.code_differential import thin_repeated_codes
from rtkpos.estimate.baseline.epoch_work import MIN_PHASES, N_FIXED_STATE
from rtkpos.estimate.baseline.filter import (
    BIAS_DRIFT_M,
    LONG_DRIFT_SHARE,
    add_new_phases,
    drop_lost,
    ensure_biases,
    forget_ambiguities,
    loosen_groups,
    remember_differences,
    update_codes,
    update_known_phases,
)
from rtkpos.estimate.baseline.filter_states import OWNER_BIAS
from rtkpos.estimate.baseline.filter_step import count_rejected, find_slips, mark_phases
from rtkpos.estimate.baseline.observation_noise import phase_variance
from rtkpos.estimate.baseline.phase_steps import settle_half_cycles
from rtkpos.estimate.baseline.single_difference import group_of, min_known
from rtkpos.estimate.robust import MAD_TO_SIGMA
from rtkpos.gnss.systems import BEIDOU, SBAS, system_of
from rtkpos.network.ambiguity.arcs import begin_arcs, log_arc
from rtkpos.network.network_memory import COUNT_EDGE_RESET
from rtkpos.prepare.pairing import BASE, ROVER
from rtkpos.prepare.slips import (
    COUNT_CODE_REJECTED,
    remember_receiver,
    track_receiver,
)

PINNED_M2 = 1e-8  # variance of a known coordinate
CLOCK_SIGMA_M = 30.0  # of the clock difference by codes
CODE_LIMIT = 5.0  # standard deviations from the median of its group
SPREAD_FEWEST = 5  # satellites with integers that tell the spread of the ionosphere
SPREAD_MEMORY_S = 1800.0
SPREAD_DOUBT = 0.1  # of full weight, which the default keeps
SPREAD_MARGIN = 2.0  # on the mean square: the next satellite may see more
SPREAD_LEAST = 0.2  # of the default
SHORTEST_M = 5e3  # shorter lines have the atmosphere of this one


class SlipInputs(NamedTuple):
    """What `find_slips` reads of a run's inputs."""

    plan: Any


@kernel
def edge_step(epochs, obs, eph, rover, base, plan, memory):
    """Differences, slips and the filter of one epoch; returns the phases used.

    epochs : (rover epoch, base epoch) in obs, ObsArrays      eph : EphemerisArrays
    """
    settings, state, work = plan.settings, memory.state, memory.work
    time_ns, pairing = obs.time_ns[epochs[0]], plan.pairing
    for receiver in range(2):
        k = epochs[receiver]
        track_receiver(obs, k, receiver, pairing, settings, state, memory.track, memory.counts)
        if obs.event[k] & RESET_EVENTS:
            forget_ambiguities(state, True)
            state.n_state = 0
    for i in range(3):
        memory.origin_m[i] = 0.0
    difference_stations(obs, rover, base, plan, state, work)
    difference_noise(obs, eph, settings, work)
    work.baseline_m = max(plan.length_m, SHORTEST_M)
    n = filter_edge(time_ns, plan, memory)
    begin_arcs(time_ns, memory)
    remember_differences(work, state, time_ns)
    state.rover_ns = time_ns
    for receiver in range(2):
        remember_receiver(obs, epochs[receiver], receiver, pairing, state)
    return n


@kernel
def difference_stations(obs, rover, base, plan, state, work):
    """Single differences of what two stations show, satellite by satellite; returns how many.

    obs : ObsArrays. Fills the rows of `work` like `estimate.single_difference`.
    """
    i, j, n = 0, 0, 0
    while i < rover.work.n_sat and j < base.work.n_sat and n < work.sat.shape[0]:
        if rover.work.sat[i] < base.work.sat[j]:
            i += 1
        elif rover.work.sat[i] > base.work.sat[j]:
            j += 1
        else:
            enter_satellite(obs, n, i, j, rover, base, plan, state, work)
            i, j, n = i + 1, j + 1, n + 1
    work.n_sat = n
    return n


@kernel
def enter_satellite(obs, n, i, j, rover, base, plan, state, work):
    """Row n of `work`: satellite row i of the rover, j of the base. obs : ObsArrays; returns 0."""
    jump_m = state.jump_m[ROVER] - state.jump_m[BASE]
    work.sat[n] = rover.work.sat[i]
    work.eph_row[n] = rover.work.eph_row[i]
    work.elevation_rad[ROVER, n] = rover.work.elevation_rad[ROVER, i]
    work.elevation_rad[BASE, n] = base.work.elevation_rad[ROVER, j]
    work.wet_factor[n] = 0.5 * (rover.work.wet_factor[i] + base.work.wet_factor[j])
    for a in range(3):
        work.los[n, a] = rover.work.los[i, a]
    for slot in range(work.row.shape[2]):
        work.group[n, slot] = -1
        work.sd_code_m[n, slot] = math.nan
        work.sd_phase_m[n, slot] = math.nan
        a, b = rover.work.row[ROVER, i, slot], base.work.row[ROVER, j, slot]
        work.row[ROVER, n, slot], work.row[BASE, n, slot] = a, b
        if a < 0 or b < 0 or math.isnan(rover.phase_m[i, slot] - base.phase_m[j, slot]):
            continue
        work.group[n, slot] = group_of(obs.sig[a], obs.sig[b], state)
        leader = plan.pairing.leader
        work.joint[n, slot] = group_of(leader[0, obs.sig[a]], leader[1, obs.sig[b]], state)
        if work.group[n, slot] < 0 or work.joint[n, slot] < 0:
            work.group[n, slot] = -1
            continue
        work.wavelength_m[n, slot] = rover.work.wavelength_m[i, slot]
        work.iono_factor[n, slot] = rover.work.iono_factor[i, slot]
        work.sd_code_m[n, slot] = rover.code_m[i, slot] - base.code_m[j, slot]
        work.sd_phase_m[n, slot] = rover.phase_m[i, slot] - base.phase_m[j, slot] + jump_m
        for receiver in range(2):
            lli = obs.lli[a if receiver == 0 else b]
            work.half_of[receiver, n, slot] = (lli >> 1) & 1
        work.half_cycle[n, slot] = work.half_of[ROVER, n, slot] | work.half_of[BASE, n, slot]
    return 0


@kernel
def difference_noise(obs, eph, settings, work):
    """Variances of the single differences [m^2] into `work`; returns 0.

    obs : ObsArrays      eph : EphemerisArrays
    """
    for n in range(work.n_sat):
        factor, system = 1.0, system_of(work.sat[n])
        if system == SBAS or (system == BEIDOU and eph.orbit[work.eph_row[n]] == ORBIT_GEO):
            factor = settings.geo_factor**2
        for slot in range(work.row.shape[2]):
            if work.group[n, slot] < 0:
                continue
            a, b = work.row[ROVER, n, slot], work.row[BASE, n, slot]
            variance = phase_variance(work.elevation_rad[ROVER, n], obs.cn0_dbhz[a], settings)
            variance += phase_variance(work.elevation_rad[BASE, n], obs.cn0_dbhz[b], settings)
            variance *= factor
            work.var_code_m2[n, slot] = variance * settings.code_phase_ratio**2
            work.var_phase_m2[n, slot] = variance + (0.01 if work.half_cycle[n, slot] else 0.0)
            if min_known(obs.cn0_dbhz[a], obs.cn0_dbhz[b]) < settings.cn0_min_dbhz:
                work.group[n, slot] = -1
    return 0


@kernel
def filter_edge(time_ns, plan, memory):
    """Time update, slips, and all observations of the epoch; returns the phases used."""
    settings, state, work = plan.settings, memory.state, memory.work
    clock_m = weigh_codes(work, state, memory.track, memory.counts)
    mark_phases(work, state, memory.counts)
    find_slips(SlipInputs(plan), time_ns, memory)
    drop_lost(state, time_ns, settings, memory.counts)
    step_s = abs(time_ns - state.rover_ns) * 1e-9 if state.n_state > 0 else 0.0
    start_known(state, memory.held, clock_m, step_s, settings)
    learn_ionosphere(step_s, plan, memory)
    keep_atmosphere(work, state, step_s, settings)
    ensure_biases(work, state)
    thin_repeated_codes(work, state, time_ns, settings)
    update_codes(work, state, memory.origin_m)
    used = update_known_phases(work, state, memory.origin_m, memory.counts)
    rejected = count_rejected(work)
    if rejected > used and rejected >= MIN_PHASES:
        memory.tally[COUNT_EDGE_RESET] += 1
        return restart_edge(clock_m, plan, memory)
    end_arcs(state, memory)
    used += add_new_phases(work, state, memory.origin_m, memory.scratch)
    settle_half_cycles(work, state, time_ns, settings)
    return used


@kernel
def learn_ionosphere(step_s, plan, memory):
    """Set the spread of the ionosphere by what the satellites with integers have shown.

    The spread decides how soon a new satellite is sure of its integers, and a storm must not make
    it sure of wrong ones. step_s : since the last epoch [s]. Returns : float, spread [m per m]
    """
    state, work = memory.state, memory.work
    total, n = 0.0, 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        index = state.iono_slot[sat]
        n_held = 0
        for band in range(memory.held.shape[1]):
            n_held += memory.held[sat, band]
        if index >= 0 and n_held >= 2:
            total += (state.state[index] / slant_factor(work.elevation_rad[ROVER, i])) ** 2
            n += 1
    if n >= SPREAD_FEWEST:
        keep = math.exp(-step_s / SPREAD_MEMORY_S)
        memory.spread_m2 = keep * memory.spread_m2 + (1.0 - keep) * total / n
        memory.spread_weight = keep * memory.spread_weight + (1.0 - keep)
    default = plan.iono_m_per_m
    # The default counts as much as a few minutes of samples.
    known = memory.spread_weight
    weight = known / (known + SPREAD_DOUBT)
    length_m = work.baseline_m
    square = (1.0 - weight) * default**2
    if known > 0.0:
        square += weight * SPREAD_MARGIN * memory.spread_m2 / known / length_m**2
    least = SPREAD_LEAST * default
    plan.settings.iono_m_per_m = math.sqrt(max(square, least * least))
    return plan.settings.iono_m_per_m


@kernel
def restart_edge(clock_m, plan, memory):
    """Fill the filter with this epoch alone, forgetting what it held; returns its phases.

    clock_m : clock difference [m]
    """
    state, work = memory.state, memory.work
    forget_ambiguities(state, False)
    state.n_state = 0
    state.bias_slot[:] = -1
    forget_atmosphere(state)
    end_arcs(state, memory)
    mark_phases(work, state, memory.counts)
    start_known(state, memory.held, clock_m, 0.0, plan.settings)
    keep_atmosphere(work, state, 0.0, plan.settings)
    ensure_biases(work, state)
    work.code_part[:, :] = 1.0
    update_codes(work, state, memory.origin_m)
    return add_new_phases(work, state, memory.origin_m, memory.scratch)


@kernel
def start_known(state, held, clock_m, step_s, settings):
    """Time update with the position pinned: the clock anew, slow noise on the rest.

    held : (N_SAT, B) ambiguities that are integers and do not drift      clock_m : by codes [m]
    step_s : since the previous epoch [s]      Returns : int, states
    """
    n = max(state.n_state, N_FIXED_STATE)
    n_band = state.slot.shape[1]
    state.n_state = n
    for k in range(N_FIXED_STATE):
        for j in range(n):
            state.cov[k, j] = 0.0
            state.cov[j, k] = 0.0
        state.cov[k, k] = PINNED_M2 if k < 3 else CLOCK_SIGMA_M**2
        state.state[k] = 0.0 if k < 3 else clock_m
        state.owner[k] = OWNER_BIAS
    loosen_groups(state, step_s)
    drift = (LONG_DRIFT_SHARE * settings.ambiguity_drift) ** 2 * step_s
    for index in range(N_FIXED_STATE, n):
        owner = state.owner[index]
        if owner >= 0 and not held[owner // n_band, owner % n_band]:
            state.cov[index, index] += drift
        elif owner == OWNER_BIAS:
            state.cov[index, index] += BIAS_DRIFT_M**2 * step_s
    return n


@kernel
def end_arcs(state, memory):
    """Forget the integers of arcs whose ambiguity has left the filter; returns how many."""
    n = 0
    for sat in range(memory.held.shape[0]):
        for band in range(memory.held.shape[1]):
            if state.slot[sat, band] < 0:
                n += memory.held[sat, band]
                log_arc(sat, band, memory)
                memory.held[sat, band] = 0
                memory.verified[sat, band] = 0
                memory.trial_n[sat, band] = 0
    return n


@kernel
def weigh_codes(work, state, scratch, counts):
    """Weights of the codes by their distance from the median of their group, and the clock.

    scratch : (3, n) work      counts : (n_counter,)
    Fills work.code_weight. Returns : float, clock difference by all codes [m], 0 without any
    """
    n = 0
    for i in range(work.n_sat):
        for band in range(work.sd_code_m.shape[1]):
            work.code_weight[i, band] = 0.0
            if work.group[i, band] >= 0 and not math.isnan(work.sd_code_m[i, band]):
                scratch[0, n] = work.sd_code_m[i, band]
                n += 1
    clock_m = median_of(scratch[0], n) if n else 0.0
    for group in range(state.n_group):
        weigh_group(group, work, scratch, counts)
    return clock_m


@kernel
def weigh_group(group, work, scratch, counts):
    """Weights of the codes of one pair group; returns how many were taken.

    scratch : (3, n)      counts : (n_counter,)
    """
    n = 0
    for i in range(work.n_sat):
        for band in range(work.sd_code_m.shape[1]):
            if work.group[i, band] == group and not math.isnan(work.sd_code_m[i, band]):
                scratch[0, n] = work.sd_code_m[i, band]
                n += 1
    if n == 0:
        return 0
    middle = median_of(scratch[0], n)
    n = 0
    for i in range(work.n_sat):
        for band in range(work.sd_code_m.shape[1]):
            if work.group[i, band] == group and not math.isnan(work.sd_code_m[i, band]):
                off = abs(work.sd_code_m[i, band] - middle)
                scratch[0, n] = off / math.sqrt(work.var_code_m2[i, band])
                n += 1
    scale = max(MAD_TO_SIGMA * median_of(scratch[0], n), 1.0)
    used = 0
    for i in range(work.n_sat):
        for band in range(work.sd_code_m.shape[1]):
            if work.group[i, band] != group or math.isnan(work.sd_code_m[i, band]):
                continue
            variance = work.var_code_m2[i, band] * scale**2
            if (work.sd_code_m[i, band] - middle) ** 2 > CODE_LIMIT**2 * variance + 1.0:
                counts[COUNT_CODE_REJECTED] += 1
            else:
                work.code_weight[i, band] = 1.0 / variance
                used += 1
    return used
