"""The filter's part of an epoch: which phases take part, which slipped, and all updates.

Legend: inputs RunInputs      memory StepMemory record, with state (N,), cov (N, N) and work (M, B)
of `estimate.workspace`      out (n_epoch,) StepOutput records, row k_out      counts (n_counter,)
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel, unit_kernel
from rtkpos.estimate.baseline.atmosphere_states import forget_atmosphere, keep_atmosphere
from rtkpos.estimate.baseline.code_differential import thin_repeated_codes
from rtkpos.estimate.baseline.epoch_work import MIN_PHASES
from rtkpos.estimate.baseline.filter import (
    add_new_phases,
    drop_lost,
    ensure_biases,
    forget_ambiguities,
    remove_ambiguity,
    start_epoch,
    update_codes,
    update_known_phases,
)
from rtkpos.estimate.baseline.phase_steps import (
    HALF_TOLD,
    reckon,
    screen_phase_steps,
    settle_half_cycles,
)
from rtkpos.estimate.baseline.single_difference import form_differences, model_receiver
from rtkpos.estimate.baseline.static_mean import at_rest, use_as_prior
from rtkpos.prepare.band_slips import geometry_free_slips, wide_lane_slips
from rtkpos.prepare.pairing import BASE, ROVER
from rtkpos.prepare.slips import (
    COUNT_CODE_CHANGE,
    COUNT_DIVERGENCE,
    COUNT_RESET,
    SLIP_HALF_TOLD,
    SLIP_LIKELY,
    SLIP_SURE,
)

DIVERGED_NIS = 2.0  # mean squared normalised innovation of a filter that contradicts what it sees
DIVERGED_SIGMA = 6.0  # float position from the code position, in standard deviations of both


@unit_kernel
def filter_step(inputs, k_rover, clock_m, memory, out, k_out):
    """Time update, slips, and all observations of the epoch; returns the phases in the filter."""
    settings, state, work = inputs.plan.settings, memory.state, memory.work
    time_ns = inputs.rover.time_ns[k_rover]
    model_receiver(ROVER, memory.origin_m, time_ns, inputs.plan, work, memory.place)
    form_differences(inputs.rover, inputs.base, inputs.plan.pairing, settings, state, work)
    mark_phases(work, state, memory.counts)
    out[k_out].n_slip = find_slips(inputs, time_ns, memory)
    reckon(state, memory.reckoned_m)
    drop_lost(state, time_ns, settings, memory.counts)
    step_s = abs(time_ns - state.rover_ns) * 1e-9 if state.n_state > 0 else 0.0
    start_epoch(state, memory.origin_m, clock_m, step_s, settings)
    keep_atmosphere(work, state, step_s, settings)
    if at_rest(time_ns, settings, state) and memory.mean.n_epoch > 0:
        use_as_prior(memory.mean, state)
    ensure_biases(work, state)
    thin_repeated_codes(work, state, time_ns, settings)
    update_codes(work, state, memory.origin_m)
    used = update_known_phases(work, state, memory.origin_m, memory.counts)
    rejected = count_rejected(work)
    out[k_out].n_phase_rejected = rejected
    if rejected > used and rejected >= MIN_PHASES:
        memory.counts[COUNT_RESET] += 1
        return start_anew(inputs, clock_m, memory, state)
    if has_diverged(memory, out, k_out, settings):
        memory.counts[COUNT_DIVERGENCE] += 1
        return start_anew(inputs, clock_m, memory, state)
    used += add_new_phases(work, state, memory.origin_m, memory.scratch)
    settle_half_cycles(work, state, time_ns, settings)
    return used


@kernel
def has_diverged(memory, out, k_out, settings):
    """Whether the filter has contradicted its observations for many epochs without a fix.

    Row k_out of `out` still holds the code position. A single epoch never says so.
    """
    state, work = memory.state, memory.work
    misfit = work.n_nis >= MIN_PHASES and work.nis > DIVERGED_NIS * work.n_nis
    for a in range(3):
        variance = state.cov[a, a] + out[k_out].cov_ecef_m2[a, a]
        apart = state.state[a] - out[k_out].ecef_m[a]
        misfit = misfit or apart * apart > DIVERGED_SIGMA**2 * variance
    state.n_misfit = state.n_misfit + 1 if misfit and state.n_fixed_run == 0 else 0
    if state.n_misfit < settings.divergence_epochs:
        return False
    state.n_misfit = 0
    return True


@kernel
def start_anew(inputs, clock_m, memory, state):
    """Fill a filter with this epoch alone, forgetting what it held; returns its phases.

    state : FilterState, the run's own after a reset, or the one for a second opinion
    """
    work = memory.work
    forget_ambiguities(state, False)
    state.n_state = 0
    state.bias_slot[:] = -1
    forget_atmosphere(state)
    mark_phases(work, state, memory.counts)
    start_epoch(state, memory.origin_m, clock_m, 0.0, inputs.plan.settings)
    keep_atmosphere(work, state, 0.0, inputs.plan.settings)
    ensure_biases(work, state)
    work.code_part[:, :] = 1.0
    update_codes(work, state, memory.origin_m)
    return add_new_phases(work, state, memory.origin_m, memory.scratch)


@kernel
def mark_phases(work, state, counts):
    """Phases that may take part; a changed signal pair restarts its ambiguity."""
    n = 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        for band in range(work.sd_phase_m.shape[1]):
            usable = work.group[i, band] >= 0 and not math.isnan(work.sd_phase_m[i, band])
            work.phase_ok[i, band] = 1 if usable else 0
            work.slip[i, band] = 0
            if not usable:
                continue
            n += 1
            if state.slot[sat, band] >= 0 and state.pair[sat, band] != work.group[i, band]:
                counts[COUNT_CODE_CHANGE] += 1
                remove_ambiguity(state, sat, band)
    return n


@kernel
def find_slips(inputs, time_ns, memory):
    """All slip verdicts of the epoch; their ambiguities leave the filter. Returns : int, slips."""
    state, work = memory.state, memory.work
    for i in range(work.n_sat):
        for band in range(work.slip.shape[1]):
            bits = (
                state.slip_bits[ROVER, work.sat[i], band] | state.slip_bits[BASE, work.sat[i], band]
            )
            if bits and work.phase_ok[i, band]:
                work.slip[i, band] = SLIP_SURE if bits & SLIP_SURE else SLIP_LIKELY
            if bits & SLIP_HALF_TOLD:
                state.half_doubt[work.sat[i], band] = HALF_TOLD
    settings, robust = inputs.plan.settings, inputs.plan.robust
    geometry_free_slips(work, state, settings, time_ns, memory.counts)
    wide_lane_slips(work, state, settings, memory.counts)
    screen_phase_steps(work, state, memory.origin_m, time_ns, robust, memory.rows, memory.counts)
    n = 0
    for i in range(work.n_sat):
        for band in range(work.slip.shape[1]):
            if work.slip[i, band] and work.phase_ok[i, band]:
                n += remove_ambiguity(state, work.sat[i], band) == 0
    return n


@kernel
def count_rejected(work):
    """Phases of this epoch that were present but not accepted by the filter."""
    n = 0
    for i in range(work.n_sat):
        for band in range(work.phase_ok.shape[1]):
            present = work.group[i, band] >= 0 and not math.isnan(work.sd_phase_m[i, band])
            if present and not work.phase_ok[i, band]:
                n += 1
    return n
