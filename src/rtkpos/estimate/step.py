"""One epoch, compiled: the same step for a recorded block and for a live vehicle.

`step` writes one row of the output records and moves the filter on; `run_block` calls it for many
epochs without returning to Python.

Legend: inputs RunInputs      memory StepMemory record, with state FilterState (N,), (N, N) and
work EpochWork (M, B)      out (n_epoch,) StepOutput records, row k_out      counts (n_counter,)
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel, unit_kernel
from rtkpos.core.tables import PLACE_EVENTS, RESET_EVENTS
from rtkpos.estimate.ambiguity.integer_step import integer_step
from rtkpos.estimate.baseline.atmosphere_states import is_long_line
from rtkpos.estimate.baseline.code_differential import (
    clock_of_first_code,
    code_residual_rms,
    fit_codes,
)
from rtkpos.estimate.baseline.correction_noise import add_correction_noise, load_correction_sigma
from rtkpos.estimate.baseline.epoch_work import MIN_COMMON, MIN_PHASES, NEVER_NS
from rtkpos.estimate.baseline.filter import forget_ambiguities, remember_differences
from rtkpos.estimate.baseline.phase_steps import settle_by_fix
from rtkpos.estimate.baseline.single_difference import (
    antenna_to_marker,
    choose_ephemerides,
    count_pairs,
    difference_variances,
    form_differences,
    model_receiver,
    satellite_geometry,
    share_states,
)
from rtkpos.estimate.baseline.static_mean import forget_mean
from rtkpos.estimate.covariance_scaling import float_variance_factor, scale_covariance
from rtkpos.estimate.output_row import is_possible, write_position
from rtkpos.estimate.point.code_position import POINT_CHI_SQUARE, POINT_FEW, POINT_OK
from rtkpos.estimate.point.single_point import single_point_epoch
from rtkpos.estimate.rover_filter import filter_rover
from rtkpos.prepare.common import pair_epoch
from rtkpos.prepare.pairing import BASE, ROVER
from rtkpos.prepare.slips import COUNT_CODE_REJECTED, remember_receiver, track_receiver
from rtkpos.records.status import ArMode, FixStatus, Reason, RunMode


@kernel
def step(inputs, k_rover, k_base, base_from, memory, out, k_out):
    """One rover epoch: code position, differences, filter, integers, verdict.

    inputs : RunInputs      k_rover, k_base : epochs, k_base -1 = no base epoch young enough
    base_from : first base epoch not yet looked at for slips      memory : StepMemory record
    out : StepOutput records, row k_out      Returns : int FixStatus
    """
    settings = inputs.plan.settings
    out[k_out].event = inputs.rover.event[k_rover]
    if memory.state.first_ns == NEVER_NS:
        memory.state.first_ns = inputs.rover.time_ns[k_rover]
    status = point_step(inputs, k_rover, memory, out, k_out)
    if settings.mode == RunMode.SINGLE.value:
        return status
    track_both(inputs, k_rover, k_base, base_from, memory)
    if status == FixStatus.SPP.value:
        if k_base < 0:
            out[k_out].reason = Reason.NO_BASE_EPOCH.value
        else:
            out[k_out].age_s = (inputs.rover.time_ns[k_rover] - inputs.base.time_ns[k_base]) * 1e-9
            status = relative_step(inputs, k_rover, k_base, memory, out, k_out)
    remember_receiver(inputs.rover, k_rover, ROVER, inputs.plan.pairing, memory.state)
    if k_base >= 0 and base_from <= k_base:
        remember_receiver(inputs.base, k_base, BASE, inputs.plan.pairing, memory.state)
    return status


@kernel
def point_step(inputs, k_rover, memory, out, k_out):
    """Code position and Doppler velocity of the rover; the a-priori of everything else."""
    fix = memory.fix
    status = single_point_epoch(
        inputs.rover,
        k_rover,
        inputs.eph,
        inputs.ionosphere,
        inputs.plan.point,
        inputs.plan.point_settings,
        memory.point,
        fix,
    )
    out[k_out].n_sat = fix.n_used
    if status != POINT_OK and status != POINT_CHI_SQUARE:
        out[k_out].status = FixStatus.NONE.value
        out[k_out].reason = (
            Reason.FEW_ROVER_SATELLITES.value
            if status == POINT_FEW
            else Reason.CODE_POSITION_FAILED.value
        )
        return FixStatus.NONE.value
    antenna_to_marker(inputs.plan.site.offset_enu_m[ROVER], memory.place, fix.position_m)
    write_position(out, k_out, fix.position_m, fix.cov_m2, FixStatus.SPP.value, Reason.OK.value)
    out[k_out].rx_clock_m = math.nan
    for g in range(fix.clock_m.shape[0]):
        if math.isfinite(fix.clock_m[g]):
            out[k_out].rx_clock_m = fix.clock_m[g]
            break
    for a in range(3):
        out[k_out].velocity_mps[a] = fix.velocity_mps[a]
    return FixStatus.SPP.value


@unit_kernel
def track_both(inputs, k_rover, k_base, base_from, memory):
    """Look for slips in the rover's epoch and in all base epochs since the last one used."""
    pairing, settings, state = inputs.plan.pairing, inputs.plan.settings, memory.state
    track_receiver(
        inputs.rover, k_rover, ROVER, pairing, settings, state, memory.track, memory.counts
    )
    if inputs.rover.event[k_rover] & RESET_EVENTS:
        forget_ambiguities(state, True)
        state.n_state = 0
        if inputs.rover.event[k_rover] & PLACE_EVENTS:
            forget_mean(memory.static_mean)
    for k in range(base_from, k_base + 1):
        track_receiver(inputs.base, k, BASE, pairing, settings, state, memory.track, memory.counts)
        if k < k_base:
            remember_receiver(inputs.base, k, BASE, pairing, state)
    return 0


@kernel
def relative_step(inputs, k_rover, k_base, memory, out, k_out):
    """Differences to the base: code differential, filter, integers. Returns : int FixStatus."""
    settings, state, work = inputs.plan.settings, memory.state, memory.work
    time_ns = inputs.rover.time_ns[k_rover]
    if settings.ar == ArMode.INSTANTANEOUS.value:
        forget_ambiguities(state, True)
    share_states(memory.point.rows, time_ns, work)
    if place_base(inputs, k_base, memory, out, k_out) != 0:
        out[k_out].reason = Reason.BASE_POSITION_FAILED.value
        return FixStatus.SPP.value
    before = memory.counts[COUNT_CODE_REJECTED]
    n_used = differential_step(inputs, k_rover, k_base, memory)
    out[k_out].n_code_rejected = memory.counts[COUNT_CODE_REJECTED] - before
    if n_used < MIN_COMMON:
        out[k_out].reason = Reason.FEW_COMMON_SATELLITES.value
        return FixStatus.SPP.value
    count_pairs(work, state)
    fit = memory.rows.fit
    out[k_out].prefit_code_m = code_residual_rms(work, memory.rows)
    clock_m = clock_of_first_code(work, memory.rows)
    for k in range(3):
        memory.model.origin_m[k] = memory.fix.position_m[k] + fit.fit.x[k]
    work.code_misfit = max(fit.sigma0, 1.0)
    scale = work.code_misfit**2
    for a in range(3):
        for b in range(3):
            memory.written_cov_m2[a, b] = fit.fit.cofactor[a, b] * scale
    scale_covariance(memory.written_cov_m2, float_variance_factor(work.code_misfit))
    if not is_possible(memory.model.origin_m, memory.written_cov_m2):
        out[k_out].reason = Reason.CODE_POSITION_FAILED.value
        return FixStatus.SPP.value
    write_position(
        out,
        k_out,
        memory.model.origin_m,
        memory.written_cov_m2,
        FixStatus.DGNSS.value,
        Reason.OK.value,
    )
    out[k_out].n_sat = work.n_sat
    if settings.mode == RunMode.DGNSS.value:
        return FixStatus.DGNSS.value
    n_phase = filter_rover(inputs, k_rover, clock_m, memory, out, k_out)
    if n_phase < MIN_PHASES:
        out[k_out].reason = Reason.FEW_AMBIGUITIES.value
        return FixStatus.DGNSS.value
    for a in range(3):
        for b in range(3):
            memory.epoch_cov_m2[a, b] = state.cov[a, b]
    scale_covariance(memory.epoch_cov_m2, float_variance_factor(work.code_misfit))
    if not is_possible(state.state[:3], memory.epoch_cov_m2):
        forget_ambiguities(state, True)
        state.n_state = 0
        out[k_out].reason = Reason.BAD_COVARIANCE.value
        return FixStatus.DGNSS.value
    write_position(
        out, k_out, state.state[:3], memory.epoch_cov_m2, FixStatus.FLOAT.value, Reason.AR_OFF.value
    )
    status = FixStatus.FLOAT.value
    if settings.ar != ArMode.OFF.value:
        status = integer_step(inputs, time_ns, memory, out, k_out)
    if status == FixStatus.FIXED.value:
        reference = memory.ambiguity.reference
        settle_by_fix(work, state, reference, memory.epoch_m, memory.model.origin_m)
    remember_differences(work, state, time_ns)
    state.rover_ns = time_ns
    return status


@kernel
def place_base(inputs, k_base, memory, out, k_out):
    """Where the base stands at this epoch, and how it moves: as given, or its own code position.

    Returns : int 0; 1 when a moving base has no code position
    """
    base, status = memory.base_fix, POINT_OK
    if inputs.plan.settings.mode == RunMode.MOVING_BASE.value:
        status = single_point_epoch(
            inputs.base,
            k_base,
            inputs.eph,
            inputs.ionosphere,
            inputs.plan.point,
            inputs.plan.point_settings,
            memory.point,
            base,
        )
    else:
        for a in range(3):
            base.position_m[a] = inputs.plan.base_ecef_m[a]
            base.velocity_mps[a] = 0.0
    for a in range(3):
        out[k_out].base_ecef_m[a] = base.position_m[a]
    return 0 if status == POINT_OK or status == POINT_CHI_SQUARE else 1


@unit_kernel
def differential_step(inputs, k_rover, k_base, memory):
    """Pair the epochs, model both receivers, fit the codes. Returns : int, codes used."""
    settings, state, work, place = inputs.plan.settings, memory.state, memory.work, memory.place
    time_ns = inputs.rover.time_ns[k_rover]
    pair_epoch(inputs.rover, k_rover, inputs.base, k_base, inputs.plan.pairing, work)
    choose_ephemerides(
        inputs.eph, inputs.plan.point.message_order, time_ns, work, state, memory.counts
    )
    if work.n_sat < MIN_COMMON:
        return 0
    satellite_geometry(inputs.rover, k_rover, ROVER, inputs.eph, work)
    satellite_geometry(inputs.base, k_base, BASE, inputs.eph, work)
    plan, base_ns = inputs.plan, inputs.base.time_ns[k_base]
    model_receiver(BASE, memory.base_fix.position_m, base_ns, plan, work, place)
    model_receiver(ROVER, memory.fix.position_m, time_ns, plan, work, place)
    form_differences(inputs.rover, inputs.base, inputs.plan.pairing, settings, state, work)
    apart_m2 = 0.0
    for k in range(3):
        apart_m2 += (memory.fix.position_m[k] - memory.base_fix.position_m[k]) ** 2
    age_s = (time_ns - inputs.base.time_ns[k_base]) * 1e-9
    work.baseline_m = math.sqrt(apart_m2)
    load_correction_sigma(k_base, inputs.sigma, work)
    is_long = is_long_line(work, state, settings)
    share = settings.long_noise_share if is_long else 1.0
    growth_m2 = (share * settings.baseline_m_per_m) ** 2 * apart_m2
    growth_m2 += (settings.age_mps * age_s) ** 2
    difference_variances(inputs.rover, inputs.base, inputs.eph, growth_m2, settings, work)
    add_correction_noise(work)
    return fit_codes(work, inputs.plan.robust, memory.rows, memory.counts)


@kernel
def run_block(inputs, base_index, first, end, memory, out):
    """Run the rover epochs first..end-1 through `step`.

    base_index : (n_rover,) base epoch of each rover epoch, -1 = none
    Returns : int, epochs fixed
    """
    n_fixed = 0
    seen = memory.state.n_base_seen
    for k in range(first, end):
        n_fixed += step(inputs, k, base_index[k], seen, memory, out, k) == FixStatus.FIXED.value
        seen = max(seen, base_index[k] + 1)
    memory.state.n_base_seen = seen
    return n_fixed
