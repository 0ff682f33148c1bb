"""The filter's part of an epoch: which phases take part, which slipped, and all updates.

One filter for a rover and for a baseline of a network; what differs stands in the BaselineModel.

Legend: model BaselineModel      state FilterState (N,), (N, N)      work EpochWork, rows (M, B)
counts (n_counter,)      scratch (N,)
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.estimate.baseline.atmosphere_states import predict_atmosphere, reset_atmosphere
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
    tdcp_test,
)
from rtkpos.prepare.band_slips import geometry_free_slips, wide_lane_slips
from rtkpos.prepare.pairing import BASE, ROVER
from rtkpos.prepare.slips import (
    COUNT_CODE_CHANGE,
    SLIP_HALF_TOLD,
    SLIP_LIKELY,
    SLIP_SURE,
)


@kernel
def filter_step(time_ns, settings, robust, model, state, work, rows, counts):
    """Time update, slips, codes and the phases of known ambiguities; returns the phases used.

    time_ns : rover epoch [ns]      settings : Settings      robust : RobustSettings
    model : BaselineModel      rows : FitRows
    Fills work.n_slip and n_rejected. New ambiguities are added by `add_new_phases`, once the caller
    has looked at what was refused: see `is_contradicted`.
    """
    mark_phases(work, state, counts)
    work.n_slip = find_slips(time_ns, settings, robust, model, state, work, rows, counts)
    drop_lost(state, time_ns, settings, counts)
    step_s = seconds_since(time_ns, state)
    start_epoch(state, model, step_s, settings)
    predict_atmosphere(work, state, step_s, settings)
    if model.has_prior:
        take_prior(model, state)
    ensure_biases(work, state)
    thin_repeated_codes(work, state, time_ns, settings)
    update_codes(work, state, model.origin_m)
    used = update_known_phases(work, state, model.origin_m, counts)
    work.n_rejected = count_rejected(work)
    return used


@kernel
def seconds_since(time_ns, state):
    """Time since the previous epoch of the filter [s], 0 for an empty one."""
    return abs(time_ns - state.rover_ns) * 1e-9 if state.n_state > 0 else 0.0


@kernel
def take_prior(model, state):
    """The prior of the model as the position; model : BaselineModel."""
    for a in range(3):
        state.state[a] = model.prior_m[a]
        for b in range(3):
            state.cov[a, b] = model.prior_cov_m2[a, b]
    return 0


@kernel
def is_contradicted(used, work):
    """Whether most phases of the epoch were refused: then the filter is wrong, not they."""
    return work.n_rejected > used and work.n_rejected >= MIN_PHASES


@kernel
def reinitialise(settings, model, state, work, scratch, counts):
    """Fill a filter with this epoch alone, forgetting what it held; returns its phases.

    model : BaselineModel, its prior not used
    """
    forget_ambiguities(state, False)
    state.n_state = 0
    state.bias_slot[:] = -1
    reset_atmosphere(state)
    mark_phases(work, state, counts)
    start_epoch(state, model, 0.0, settings)
    predict_atmosphere(work, state, 0.0, settings)
    ensure_biases(work, state)
    work.code_part[:, :] = 1.0
    update_codes(work, state, model.origin_m)
    return add_new_phases(work, state, model.origin_m, scratch)


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
def find_slips(time_ns, settings, robust, model, state, work, rows, counts):
    """All slip verdicts of the epoch; their ambiguities leave the filter. Returns : int, slips.

    settings : Settings      robust : RobustSettings      model : BaselineModel      rows : FitRows
    """
    for i in range(work.n_sat):
        for band in range(work.slip.shape[1]):
            bits = (
                state.slip_bits[ROVER, work.sat[i], band] | state.slip_bits[BASE, work.sat[i], band]
            )
            if bits and work.phase_ok[i, band]:
                work.slip[i, band] = SLIP_SURE if bits & SLIP_SURE else SLIP_LIKELY
            if bits & SLIP_HALF_TOLD:
                state.half_doubt[work.sat[i], band] = HALF_TOLD
    geometry_free_slips(work, state, settings, time_ns, counts)
    wide_lane_slips(work, state, settings, counts)
    tdcp_test(work, state, model.origin_m, time_ns, robust, rows, counts)
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
