"""One epoch of one baseline between stations of known coordinates: its filter of differences.

The states are those of `estimate.baseline.filter` on long lines: a clock, code biases, an
ambiguity per satellite and band, a slant ionosphere per satellite and the relative wet delay
(ionosphere-weighted model, Teunissen 1998, J. Geodesy 72:236), with the position pinned to the
coordinates.

edge : EdgeMemory record      plan : EdgePlan record      rover, base : StationMemory records
state : FilterState (N,), (N, N)      work : EpochWork, rows (M, B)
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.core.linear.select import median_of
from rtkpos.core.orbits.broadcast_orbit import STATE_CLOCK
from rtkpos.core.tables import RESET_EVENTS
from rtkpos.estimate.baseline.atmosphere_states import slant_factor
from rtkpos.estimate.baseline.filter import (
    add_new_phases,
    forget_ambiguities,
    remember_differences,
)
from rtkpos.estimate.baseline.filter_step import (
    filter_step,
    is_contradicted,
    reinitialise,
    seconds_since,
)
from rtkpos.estimate.baseline.phase_steps import settle_half_cycles
from rtkpos.estimate.baseline.single_difference import difference_variances, form_differences
from rtkpos.estimate.robust import MAD_TO_SIGMA
from rtkpos.network.ambiguity.arcs import begin_arcs, log_arc
from rtkpos.network.network_memory import COUNT_EDGE_RESET
from rtkpos.prepare.pairing import BASE, ROVER
from rtkpos.prepare.slips import COUNT_CODE_REJECTED, remember_receiver, track_receiver

CODE_LIMIT = 5.0  # standard deviations from the median of its group
SPREAD_FEWEST = 5  # satellites with integers that tell the spread of the ionosphere
SPREAD_MEMORY_S = 1800.0
SPREAD_DOUBT = 0.1  # of full weight, which the default keeps
SPREAD_MARGIN = 2.0  # on the mean square: the next satellite may see more
SPREAD_LEAST = 0.2  # of the default
SHORTEST_M = 5e3  # shorter lines have the atmosphere of this one


@kernel
def edge_step(epochs, obs, eph, rover, base, plan, edge):
    """Differences, slips and the filter of one epoch; returns the phases used.

    epochs : (rover epoch, base epoch) in obs, ObsArrays      eph : EphemerisArrays
    """
    settings, state, work = plan.settings, edge.state, edge.work
    time_ns, pairing = obs.time_ns[epochs[0]], plan.pairing
    for receiver in range(2):
        k = epochs[receiver]
        track_receiver(obs, k, receiver, pairing, settings, state, edge.track, edge.counts)
        if obs.event[k] & RESET_EVENTS:
            forget_ambiguities(state, True)
            state.n_state = 0
    pair_stations(rover, base, work)
    form_differences(obs, obs, pairing, settings, state, work)
    difference_variances(obs, obs, eph, 0.0, settings, work)
    work.baseline_m = max(plan.length_m, SHORTEST_M)
    n = filter_stations(time_ns, plan, edge)
    begin_arcs(time_ns, edge)
    remember_differences(work, state, time_ns)
    state.rover_ns = time_ns
    for receiver in range(2):
        remember_receiver(obs, epochs[receiver], receiver, pairing, state)
    return n


@kernel
def pair_stations(rover, base, out_work):
    """Satellites and bands that two stations have in common; returns how many satellites.

    Fills the rows of out_work, an EpochWork, as `prepare.common` and the models do for a rover.
    """
    i, j, n = 0, 0, 0
    while i < rover.work.n_sat and j < base.work.n_sat and n < out_work.sat.shape[0]:
        if rover.work.sat[i] < base.work.sat[j]:
            i += 1
        elif rover.work.sat[i] > base.work.sat[j]:
            j += 1
        else:
            out_work.sat[n] = rover.work.sat[i]
            out_work.eph_row[n] = rover.work.eph_row[i]
            out_work.wet_factor[n] = 0.5 * (rover.work.wet_factor[i] + base.work.wet_factor[j])
            for a in range(3):
                out_work.los[n, a] = rover.work.los[i, a]
            take_satellite(ROVER, i, n, rover, out_work)
            take_satellite(BASE, j, n, base, out_work)
            i, j, n = i + 1, j + 1, n + 1
    out_work.n_sat = n
    return n


@kernel
def take_satellite(receiver, i, n, station, out_work):
    """Row i of a station's satellites as row n of a receiver, less bands without a phase."""
    own = station.work
    out_work.elevation_rad[receiver, n] = own.elevation_rad[ROVER, i]
    out_work.range_m[receiver, n] = own.range_m[ROVER, i]
    out_work.trop_m[receiver, n] = own.trop_m[ROVER, i]
    out_work.sat_state[receiver, n, STATE_CLOCK] = own.sat_state[ROVER, i, STATE_CLOCK]
    for slot in range(own.row.shape[2]):
        has_phase = not math.isnan(station.phase_m[i, slot])
        out_work.row[receiver, n, slot] = own.row[ROVER, i, slot] if has_phase else -1
        out_work.antenna_m[receiver, n, slot] = own.antenna_m[ROVER, i, slot]
    return 0


@kernel
def filter_stations(time_ns, plan, edge):
    """The baseline filter with the position pinned; returns the phases used."""
    settings, state, work, model = plan.settings, edge.state, edge.work, edge.model
    model.clock_m = weigh_codes(work, state, edge.track, edge.counts)
    learn_ionosphere(seconds_since(time_ns, state), plan, edge)
    counts = edge.counts
    used = filter_step(time_ns, settings, plan.robust, model, state, work, edge.rows, counts)
    if is_contradicted(used, work):
        edge.tally[COUNT_EDGE_RESET] += 1
        forget_ambiguities(state, False)
        end_arcs(state, edge)
        return reinitialise(settings, model, state, work, edge.scratch, counts)
    end_arcs(state, edge)
    used += add_new_phases(work, state, model.origin_m, edge.scratch)
    settle_half_cycles(work, state, time_ns, settings)
    return used


@kernel
def learn_ionosphere(step_s, plan, edge):
    """Set the spread of the ionosphere by what the satellites with integers have shown.

    The spread decides how soon a new satellite is sure of its integers, and a storm must not make
    it sure of wrong ones. step_s : since the last epoch [s]. Returns : float, spread [m per m]
    """
    state, work = edge.state, edge.work
    total, n = 0.0, 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        index = state.iono_slot[sat]
        n_held = 0
        for band in range(edge.model.held.shape[1]):
            n_held += edge.model.held[sat, band]
        if index >= 0 and n_held >= 2:
            total += (state.state[index] / slant_factor(work.elevation_rad[ROVER, i])) ** 2
            n += 1
    if n >= SPREAD_FEWEST:
        keep = math.exp(-step_s / SPREAD_MEMORY_S)
        edge.spread_m2 = keep * edge.spread_m2 + (1.0 - keep) * total / n
        edge.spread_weight = keep * edge.spread_weight + (1.0 - keep)
    default = plan.iono_m_per_m
    # The default counts as much as a few minutes of samples.
    known = edge.spread_weight
    weight = known / (known + SPREAD_DOUBT)
    length_m = work.baseline_m
    square = (1.0 - weight) * default**2
    if known > 0.0:
        square += weight * SPREAD_MARGIN * edge.spread_m2 / known / length_m**2
    least = SPREAD_LEAST * default
    plan.settings.iono_m_per_m = math.sqrt(max(square, least * least))
    return plan.settings.iono_m_per_m


@kernel
def end_arcs(state, edge):
    """Forget the integers of arcs whose ambiguity has left the filter; returns how many."""
    n = 0
    for sat in range(edge.model.held.shape[0]):
        for band in range(edge.model.held.shape[1]):
            if state.slot[sat, band] < 0:
                n += edge.model.held[sat, band]
                log_arc(sat, band, edge)
                edge.model.held[sat, band] = 0
                edge.verified[sat, band] = 0
                edge.tentative_n[sat, band] = 0
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
