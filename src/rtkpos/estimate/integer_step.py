"""The integer part of an epoch: try, prove, and write the fixed position or the reason."""

from __future__ import annotations

from rtkpos._jit import kernel
from rtkpos.estimate.ambiguity import (
    AR_COVARIANCE,
    AR_FEW,
    AR_FIXED,
    AR_SEARCH,
    AR_SUCCESS,
    fix_ambiguities,
    mark_candidates,
)
from rtkpos.estimate.quality import hold_integers, postfit_phase_rms
from rtkpos.estimate.verdicts import (
    AR_HOLD,
    BAD_COVARIANCE,
    FEW_AMBIGUITIES,
    FIXED,
    FLOAT,
    JUMP,
    OK,
    POSTFIT_LARGE,
    RATIO_LOW,
    SEARCH_LIMIT,
    SUCCESS_LOW,
    UNCERTAIN,
    write_position,
)
from rtkpos.prepare.slips import COUNT_HOLD_RELEASED


@kernel
def integer_step(inputs, time_ns, memory, out, k_out):
    """Integer fixing and its proof; writes the fixed position or the reason; returns FixStatus."""
    settings, state, work, amb = inputs.plan.settings, memory.state, memory.work, memory.ambiguity
    mark_candidates(work, state, settings, amb, memory.counts)
    verdict, n = fix_ambiguities(work, state, settings, amb, memory.counts)
    if verdict >= AR_SUCCESS or verdict == AR_FIXED:
        out[k_out].success_rate = 1.0 - amb.info[2]
    out[k_out].ratio = amb.info[0]
    out[k_out].ratio_needed = amb.info[1]
    reason = reason_of(verdict)
    if verdict == AR_FIXED:
        reason = prove_fix(n, inputs, memory, out, k_out)
    if reason != OK:
        out[k_out].reason = reason
        if state.count[3] > 0:
            memory.counts[COUNT_HOLD_RELEASED] += settings.ar == AR_HOLD
        state.count[3] = 0
        return FLOAT
    for a in range(3):
        memory.origin_m[a] = state.state[a] + amb.shift_m[a]
        for b in range(3):
            memory.place.rotation[a, b] = state.cov[a, b] - amb.gain_m2[a, b]
    write_position(out, k_out, memory.origin_m, memory.place.rotation, FIXED, OK)
    out[k_out].n_fixed = n - int(amb.info[3])
    if state.count[3] == 0:
        state.epoch_ns[3] = time_ns
    state.count[3] += 1
    if settings.ar == AR_HOLD and time_ns - state.epoch_ns[3] >= settings.hold_after_ns:
        hold_integers(n, state, amb, settings.hold_sigma_cycle, memory.scratch, memory.counts)
    return FIXED


@kernel
def reason_of(verdict):
    """Reason code of an integer verdict."""
    if verdict == AR_FIXED:
        return OK
    if verdict == AR_FEW:
        return FEW_AMBIGUITIES
    if verdict == AR_COVARIANCE:
        return BAD_COVARIANCE
    if verdict == AR_SEARCH:
        return SEARCH_LIMIT
    return SUCCESS_LOW if verdict == AR_SUCCESS else RATIO_LOW


@kernel
def prove_fix(n, inputs, memory, out, k_out):
    """Tests an accepted integer set must pass; returns OK or the reason against it.

    The misfit of the integers per ambiguity, the post-fit phase residuals, the certainty of the
    position, and its distance from the code position.
    """
    settings, state, amb = inputs.plan.settings, memory.state, memory.ambiguity
    rms = postfit_phase_rms(n, memory.work, amb, memory.rows)
    out[k_out].postfit_phase_m = rms
    n_fixed = n - int(amb.info[3])
    if amb.info[4] > settings.misfit_max * n_fixed or rms > settings.postfit_max_m:
        return POSTFIT_LARGE
    variance, moved, spread = 0.0, 0.0, 0.0
    for a in range(3):
        variance += state.cov[a, a] - amb.gain_m2[a, a]
        moved += amb.shift_m[a] ** 2
        spread += state.cov[a, a]
    if not variance >= 0.0:
        return BAD_COVARIANCE
    if variance > settings.position_sigma_max_m**2:
        return UNCERTAIN
    if moved > 36.0 * spread + 0.01:
        return JUMP
    return OK
