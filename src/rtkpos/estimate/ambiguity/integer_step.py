"""The integer part of an epoch: search, validate, and write the fixed position or the reason.

Legend: inputs RunInputs      memory StepMemory record, with state FilterState (N,), (N, N) and
work EpochWork (M, B)      out (n_epoch,) StepOutput records, row k_out      counts (n_counter,)
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel, unit_kernel
from rtkpos.estimate.ambiguity.bie import equivariant_position
from rtkpos.estimate.ambiguity.candidates import mark_candidates
from rtkpos.estimate.ambiguity.fix_probability import fix_probability, held_out_evidence
from rtkpos.estimate.ambiguity.fixing import (
    AR_COVARIANCE,
    AR_FEW,
    AR_FIXED,
    AR_MISFIT,
    AR_SEARCH,
    AR_SUCCESS,
    fix_ambiguities,
)
from rtkpos.estimate.ambiguity.glonass import GLONASS_OFF, learn_channel_bias
from rtkpos.estimate.ambiguity.postfit import (
    conditional_phase_rms,
    hold_integers,
    postfit_phase_rms,
)
from rtkpos.estimate.baseline.filter_step import reinitialise
from rtkpos.estimate.baseline.static_mean import (
    MAX_CONTRADICTED,
    add_to_mean,
    at_rest,
    contradicts,
    forget_mean,
    mean_covariance,
    without_prior,
)
from rtkpos.estimate.covariance_scaling import (
    fixed_variance_factor,
    float_variance_factor,
    scale_covariance,
)
from rtkpos.estimate.output_row import (
    is_possible,
    keep_figures,
    restore_figures,
    write_own,
    write_position,
)
from rtkpos.prepare.slips import COUNT_HOLD_RELEASED, COUNT_REINITIALISED, COUNT_STATIC_RESTART
from rtkpos.records.status import ArMode, FixStatus, Reason

JUMP_SPEED_MPS = 0.7  # Doppler noise and changes of acceleration between two epochs
FASTEST_MPS = 25.0
JUMP_MEMORY_S = 10.0  # an older fix says nothing
PATH_LIMIT_M = 0.25  # a fix may differ so much from the last one carried on by phases ...
PATH_LIMIT_STEP_M = 0.02  # ... and by this times the root of the epochs since
MAX_OFF_PATH = 10  # fixes in a row that differ and are refused; a better one is then believed
CERTAIN = 0.9995  # probability that needs no path


@unit_kernel
def integer_step(inputs, time_ns, memory, out, k_out):
    """Integer fixing with single-epoch re-initialisation; writes position or reason; a FixStatus.

    The filter's memory makes the float precise, but multipath and atmosphere last longer than its
    noise model says. Where its integers fail, this epoch alone is tried; if that passes every test,
    the memory was wrong and is re-initialised from this epoch.
    """
    settings, state = inputs.plan.settings, memory.state
    reason, n = try_integers(inputs, memory, state, out, k_out)
    if reason != Reason.OK.value and memory.ambiguity.has_candidates:
        probability = memory.ambiguity.probability
        equivariant_position(
            n, probability, state, memory.ambiguity, memory.epoch_m, memory.epoch_cov_m2
        )
        scale_covariance(memory.epoch_cov_m2, float_variance_factor(memory.work.code_misfit))
        if is_possible(memory.epoch_m, memory.epoch_cov_m2):
            write_position(
                out, k_out, memory.epoch_m, memory.epoch_cov_m2, FixStatus.FLOAT.value, reason
            )
    own = reason == Reason.OK.value
    if not own and settings.ar >= ArMode.CONTINUOUS.value:
        first = keep_figures(out, k_out)
        reinitialise(
            settings, memory.model, memory.instant, memory.work, memory.scratch, memory.counts
        )
        second, _ = try_integers(inputs, memory, memory.instant, out, k_out)
        if second != Reason.OK.value:
            restore_figures(first, out, k_out)
        else:
            memory.counts[COUNT_REINITIALISED] += 1
            reinitialise(settings, memory.model, state, memory.work, memory.scratch, memory.counts)
            state.n_fixed_run = 0
            reason = Reason.OK.value
    if reason == Reason.OK.value and settings.glonass != GLONASS_OFF:
        origin_m, position_m = memory.model.origin_m, memory.epoch_m
        learn_channel_bias(memory.work, state, origin_m, position_m, memory.ambiguity)
    is_static = at_rest(time_ns, settings, state)
    if reason == Reason.OK.value and is_static:
        reason = take_static(time_ns, settings, memory)
    elif reason == Reason.OK.value:
        off = leaves_the_path(
            state, memory.epoch_m, memory.ambiguity.probability, memory.propagated_m
        )
        if jumped(time_ns, settings, memory) or off:
            reason = Reason.POSITION_JUMP.value
    if reason != Reason.OK.value:
        out[k_out].reason = reason
        out[k_out].n_fixed = 0
        memory.counts[COUNT_HOLD_RELEASED] += (
            settings.ar == ArMode.HOLD.value and state.n_fixed_run > 0
        )
        state.n_fixed_run = 0
        return FixStatus.FLOAT.value
    if own:
        hold_if_validated(n, time_ns, settings, memory)
    if not is_static or memory.static_mean.last_ns == time_ns:
        write_own(memory, out, k_out)
    scale_covariance(memory.epoch_cov_m2, fixed_variance_factor(memory.ambiguity.variance_factor))
    if is_static:
        mean_covariance(memory.static_mean, memory.epoch_cov_m2, memory.written_cov_m2)
        write_position(
            out,
            k_out,
            memory.static_mean.position_m,
            memory.written_cov_m2,
            FixStatus.FIXED.value,
            Reason.OK.value,
        )
    else:
        write_position(
            out, k_out, memory.epoch_m, memory.epoch_cov_m2, FixStatus.FIXED.value, Reason.OK.value
        )
    return FixStatus.FIXED.value


@kernel
def try_integers(inputs, memory, state, out, k_out):
    """Fix and validate the integers of one filter state: (Reason.OK or the one against, n tried).

    Fills memory.epoch_m, epoch_cov_m2 with the fixed position.
    """
    settings, work, amb = inputs.plan.settings, memory.work, memory.ambiguity
    mark_candidates(work, state, settings, amb, memory.counts)
    verdict, n = fix_ambiguities(work, state, settings, amb, memory.counts)
    if verdict >= AR_SUCCESS or verdict == AR_FIXED:
        out[k_out].success_rate = 1.0 - amb.failure_rate
    out[k_out].ratio = amb.ratio
    out[k_out].ratio_needed = amb.ratio_needed
    reason = reason_of(verdict)
    if amb.has_candidates:
        validation = validate_fix(n, inputs, memory, state, out, k_out)
        reason = validation if reason == Reason.OK.value else reason
    if reason != Reason.OK.value:
        return reason, n
    phases_alone = amb.phases_alone != 0
    for a in range(3):
        memory.epoch_m[a] = state.state[a] + amb.shift_m[a]
        if phases_alone:
            memory.epoch_m[a] = memory.model.origin_m[a] + memory.rows.fit.fit.x[a]
        for b in range(3):
            memory.epoch_cov_m2[a, b] = amb.cov_m2[a, b]
    if not is_possible(memory.epoch_m, memory.epoch_cov_m2):
        return Reason.BAD_COVARIANCE.value, n
    out[k_out].n_fixed = n - amb.first_fixed
    return Reason.OK.value, n


@kernel
def hold_if_validated(n, time_ns, settings, memory):
    """Count the filter's run of fixes, and in hold mode feed its integers back once it is long.

    Returns : int, double differences held
    """
    state = memory.state
    if state.n_fixed_run == 0:
        state.fix_run_ns = time_ns
    state.n_fixed_run += 1
    if settings.ar != ArMode.HOLD.value or abs(time_ns - state.fix_run_ns) < settings.hold_after_ns:
        return 0
    sigma_cycle = settings.hold_sigma_cycle
    return hold_integers(n, state, memory.ambiguity, sigma_cycle, memory.scratch, memory.counts)


@kernel
def jumped(time_ns, settings, memory):
    """Whether a fix lies where the antenna cannot have gone since the previous fix.

    The step must agree with the mean Doppler velocity of both ends within JUMP_SPEED_MPS, or
    without Doppler stay below FASTEST_MPS, each with settings.jump_m to spare; all relative
    to the base. Every fix is the measure of the next one, so a wrong fix between right ones costs
    itself and its successor, and a true jump one epoch.
    """
    state, velocity, base = memory.state, memory.fix.velocity_mps, memory.base_fix
    step_s = (time_ns - state.fix_ns) * 1e-9
    is_known = 0.0 < abs(step_s) <= JUMP_MEMORY_S
    last = memory.last_velocity_mps
    has_doppler, apart = True, 0.0
    for a in range(3):
        has_doppler = has_doppler and math.isfinite(velocity[a] - base.velocity_mps[a] + last[a])
    for a in range(3):
        now_mps = velocity[a] - base.velocity_mps[a]
        moved = 0.5 * (now_mps + last[a]) * step_s if has_doppler else 0.0
        vector_m = memory.epoch_m[a] - base.position_m[a]
        apart += (vector_m - memory.last_fix_m[a] - moved) ** 2
        memory.last_fix_m[a] = vector_m
        last[a] = now_mps
    state.fix_ns = time_ns
    speed = JUMP_SPEED_MPS if has_doppler else FASTEST_MPS
    return is_known and apart > (settings.jump_m + speed * abs(step_s)) ** 2


@kernel
def leaves_the_path(state, place_m, probability, propagated_m):
    """Whether a fix (3,) contradicts the last one carried on by the movement the phases show.

    Integers can be wrong without any residual showing it, but seldom for the same movement. The
    first fix of a path is accepted; another path is begun after MAX_OFF_PATH refusals by a fix
    that is more probable than any on the old one or as good as certain, or when the old one has not
    been confirmed for too long (`propagate_by_tdcp`).
    place_m, propagated_m : (3,) [m]      probability : of the fix
    """
    apart = 0.0
    for a in range(3):
        apart += (place_m[a] - propagated_m[a]) ** 2
    limit = PATH_LIMIT_M + PATH_LIMIT_STEP_M * math.sqrt(float(state.n_propagated))
    leaves = state.n_propagated > 0 and apart > limit * limit
    is_better = probability > min(state.path_probability, CERTAIN)
    if leaves and (state.n_off_path < MAX_OFF_PATH or not is_better):
        state.n_off_path += 1
        return True
    goes_on = state.n_propagated > 0 and not leaves
    state.path_probability = max(state.path_probability, probability) if goes_on else probability
    for a in range(3):
        propagated_m[a] = place_m[a]
    state.n_propagated = 1
    state.n_off_path = 0
    return False


@kernel
def take_static(time_ns, settings, memory):
    """Take a fixed epoch into the static mean, or hold it against the mean; returns the reason.

    The epoch's position is that of its phases alone, or the filter's less the mean that went into
    it, so that the mean never feeds on itself.
    """
    mean = memory.static_mean
    has_prior = mean.n_epoch > 0 and not memory.ambiguity.phases_alone
    if has_prior and without_prior(mean, memory.epoch_m, memory.epoch_cov_m2) != 0:
        return Reason.OK.value
    if contradicts(mean, memory.epoch_m, memory.epoch_cov_m2):
        mean.n_contradicted += 1
        if mean.n_contradicted < MAX_CONTRADICTED:
            return Reason.POSITION_JUMP.value
        memory.counts[COUNT_STATIC_RESTART] += 1
        forget_mean(mean)
    add_to_mean(mean, memory.epoch_m, memory.epoch_cov_m2, time_ns, settings.phase_correlation_s)
    return Reason.OK.value if mean.n_epoch > 0 else Reason.BAD_COVARIANCE.value


@kernel
def fixed_covariance(memory, state):
    """Covariance of the fixed position into amb.cov_m2 [m^2].

    A moving antenna's position rests on this epoch's phases alone once all integers are known: the
    cofactor of their fit. Else it is the filter's, reduced by what the integers say.
    """
    amb = memory.ambiguity
    for a in range(3):
        for b in range(3):
            if amb.phases_alone:
                amb.cov_m2[a, b] = memory.rows.fit.fit.cofactor[a, b]
            else:
                amb.cov_m2[a, b] = state.cov[a, b] - amb.gain_m2[a, b]
    return 0


@kernel
def reason_of(verdict):
    """Reason code of an integer verdict."""
    if verdict == AR_FIXED:
        return Reason.OK.value
    if verdict == AR_FEW:
        return Reason.FEW_AMBIGUITIES.value
    if verdict == AR_COVARIANCE:
        return Reason.BAD_COVARIANCE.value
    if verdict == AR_SEARCH:
        return Reason.SEARCH_LIMIT.value
    if verdict == AR_MISFIT:
        return Reason.POSTFIT_LARGE.value
    return Reason.SUCCESS_RATE_LOW.value if verdict == AR_SUCCESS else Reason.RATIO_LOW.value


@kernel
def validate_fix(n, inputs, memory, state, out, k_out):
    """Tests an accepted integer set must pass; returns Reason.OK or the reason against it.

    The post-fit phase residuals, the certainty of the position, its distance from the float, and
    the probability that the integers are right, which goes to amb.probability.
    """
    settings, amb = inputs.plan.settings, memory.ambiguity
    amb.held_out_evidence = 0.0
    if state.wet_slot < 0:
        rms = postfit_phase_rms(n, state, memory.work, amb, memory.rows)
        amb.held_out_evidence = held_out_evidence(memory.work, amb, memory.rows)
    else:
        rms = conditional_phase_rms(n, memory.work, state, amb, memory.model.origin_m)
    out[k_out].postfit_phase_m = rms
    out[k_out].variance_factor = amb.variance_factor
    n_fixed = n - amb.first_fixed
    amb.probability = fix_probability(n_fixed, memory.work.code_misfit, abs(out[k_out].age_s), amb)
    out[k_out].probability = amb.probability
    if not rms <= settings.postfit_max_m:
        return Reason.POSTFIT_LARGE.value
    fixed_covariance(memory, state)
    variance, moved, spread = 0.0, 0.0, 0.0
    for a in range(3):
        variance += amb.cov_m2[a, a]
        moved += amb.shift_m[a] ** 2
        spread += state.cov[a, a]
    if not variance >= 0.0:
        return Reason.BAD_COVARIANCE.value
    if variance > settings.position_sigma_max_m**2:
        return Reason.FLOAT_TOO_UNCERTAIN.value
    if not moved <= 36.0 * spread + 0.01:
        return Reason.POSITION_JUMP.value
    return (
        Reason.OK.value
        if amb.probability >= settings.probability_min
        else Reason.LOW_PROBABILITY.value
    )
