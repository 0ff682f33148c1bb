"""The rover's epoch in the baseline filter: its position is estimated, at rest with a prior.

Legend: inputs RunInputs      memory StepMemory      out (n_epoch,) StepOutput records, row k_out
"""

from __future__ import annotations

from rtkpos._numba.decorator import kernel, unit_kernel
from rtkpos.estimate.baseline.epoch_work import MIN_PHASES
from rtkpos.estimate.baseline.filter import add_new_phases
from rtkpos.estimate.baseline.filter_step import filter_step, is_contradicted, reinitialise
from rtkpos.estimate.baseline.phase_steps import propagate_by_tdcp, settle_half_cycles
from rtkpos.estimate.baseline.single_difference import form_differences, model_receiver
from rtkpos.estimate.baseline.static_mean import at_rest, use_as_prior
from rtkpos.prepare.pairing import ROVER
from rtkpos.prepare.slips import COUNT_DIVERGENCE, COUNT_RESET

DIVERGED_NIS = 2.0  # mean squared normalised innovation of a filter that contradicts what it sees
DIVERGED_SIGMA = 6.0  # float position from the code position, in standard deviations of both


@unit_kernel
def filter_rover(inputs, k_rover, clock_m, memory, out, k_out):
    """Differences at the code position, and the filter; returns the phases in it.

    clock_m : clock difference by the codes [m]
    """
    settings, state, work, model = inputs.plan.settings, memory.state, memory.work, memory.model
    time_ns = inputs.rover.time_ns[k_rover]
    model_receiver(ROVER, model.origin_m, time_ns, inputs.plan, work, memory.place)
    form_differences(inputs.rover, inputs.base, inputs.plan.pairing, settings, state, work)
    model.clock_m = clock_m
    model.position_var_m2 = model.clock_var_m2 = settings.position_reset_m**2
    model.has_prior = 0
    if at_rest(time_ns, settings, state) and memory.static_mean.n_epoch > 0:
        use_as_prior(memory.static_mean, model)
    counts = memory.counts
    used = filter_step(
        time_ns, settings, inputs.plan.robust, model, state, work, memory.rows, counts
    )
    propagate_by_tdcp(state, memory.propagated_m)
    out[k_out].n_slip = work.n_slip
    out[k_out].n_phase_rejected = work.n_rejected
    if is_contradicted(used, work):
        counts[COUNT_RESET] += 1
        return reinitialise(settings, model, state, work, memory.scratch, counts)
    if has_diverged(memory, out, k_out, settings):
        counts[COUNT_DIVERGENCE] += 1
        return reinitialise(settings, model, state, work, memory.scratch, counts)
    used += add_new_phases(work, state, model.origin_m, memory.scratch)
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
