"""One epoch, compiled: the same step for a recorded block and for a live vehicle.

`step` writes one row of the output arrays and moves the filter on; `run_block` calls it for many
epochs without returning to Python.

`counts` : (n_counter,) counters of the run, the COUNT_* slots of `prepare.slips`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, record_of, record_table
from rtkpos._jit import kernel
from rtkpos.core.ionosphere import IonosphereModel
from rtkpos.core.tables import RESET_EVENTS, EphemerisArrays, ObsArrays
from rtkpos.core.troposphere import N_TROP
from rtkpos.estimate.ambiguity import (
    AR_COVARIANCE,
    AR_FEW,
    AR_FIXED,
    AR_SEARCH,
    AR_SUCCESS,
    AmbiguityWork,
    ambiguity_work,
    fix_ambiguities,
    mark_candidates,
)
from rtkpos.estimate.code_position import POINT_CHI_SQUARE, POINT_FEW, POINT_OK
from rtkpos.estimate.differential import (
    FitRows,
    fit_codes,
    fit_rows,
    screen_phase_steps,
    thin_repeated_codes,
)
from rtkpos.estimate.point_models import PointPlan
from rtkpos.estimate.quality import hold_integers, postfit_phase_rms
from rtkpos.estimate.relative import (
    add_new_phases,
    drop_lost,
    ensure_biases,
    forget_ambiguities,
    remember_differences,
    remove_ambiguity,
    start_epoch,
    update_codes,
    update_known_phases,
)
from rtkpos.estimate.robust import RobustSettings
from rtkpos.estimate.single_difference import (
    choose_ephemerides,
    difference_variances,
    form_differences,
    model_receiver,
    satellite_geometry,
)
from rtkpos.estimate.single_point import (
    PointFix,
    SinglePointSettings,
    SinglePointWork,
    point_fix,
    single_point_epoch,
    single_point_work,
)
from rtkpos.estimate.workspace import (
    N_ROW,
    N_STATE,
    N_TRACK,
    EpochWork,
    FilterState,
    Settings,
    epoch_work,
    filter_state,
)
from rtkpos.prepare.common import pair_epoch
from rtkpos.prepare.pairing import PairingPlan
from rtkpos.prepare.slips import (
    COUNT_CODE_CHANGE,
    COUNT_HOLD_RELEASED,
    COUNT_RESET,
    COUNTER_NAMES,
    geometry_free_slips,
    remember_receiver,
    track_receiver,
)

# Numbers of `records.solution` FixStatus and Reason, which kernels write.
NONE, SPP, DGNSS, FLOAT, FIXED = range(5)
(
    OK,
    FEW_ROVER,
    NO_EPHEMERIS,
    CODE_FAILED,
    NO_BASE,
    TOO_OLD,
    FEW_COMMON,
    AR_IS_OFF,
    FEW_AMBIGUITIES,
    UNCERTAIN,
    SUCCESS_LOW,
    RATIO_LOW,
    POSTFIT_LARGE,
    JUMP,
    WAS_RESET,
    SEARCH_LIMIT,
    BAD_COVARIANCE,
) = range(17)
MODE_SINGLE, MODE_DGNSS, MODE_KINEMATIC, MODE_STATIC = range(4)
AR_OFF, AR_INSTANTANEOUS, AR_CONTINUOUS, AR_HOLD = range(4)

MIN_PHASES = 4
MIN_COMMON = 4


class RunPlan(NamedTuple):
    """What a run has decided beforehand; kernels take it as one record."""

    pairing: PairingPlan
    point: PointPlan
    base_ecef_m: FloatArray
    settings: Settings
    point_settings: SinglePointSettings
    robust: RobustSettings


class RunInputs(NamedTuple):
    """What a run reads: observations, ephemerides, ionosphere, and its plan (a RunPlan record)."""

    rover: ObsArrays
    base: ObsArrays
    eph: EphemerisArrays
    ionosphere: IonosphereModel
    plan: Any


class PlaceWork(NamedTuple):
    """Where a receiver stands: llh, rotation to east-north-up, troposphere, a line of sight."""

    llh: FloatArray
    rotation: FloatArray
    troposphere: FloatArray
    los: FloatArray


class StepMemory(NamedTuple):
    """Everything the step writes besides its outputs, allocated once per run."""

    state: FilterState
    work: EpochWork
    point: SinglePointWork
    fix: PointFix
    rows: FitRows
    ambiguity: AmbiguityWork
    place: PlaceWork
    origin_m: FloatArray
    scratch: FloatArray
    track: FloatArray
    counts: IndexArray


class StepOutput(NamedTuple):
    """One output row; a run fills a record table of them. See `records.solution` for meanings."""

    ecef_m: FloatArray
    velocity_mps: FloatArray
    cov_ecef_m2: FloatArray
    ratio: float
    ratio_needed: float
    success_rate: float
    age_s: float
    rx_clock_m: float
    postfit_phase_m: float
    prefit_code_m: float
    n_sat: int
    n_fixed: int
    n_slip: int
    n_code_rejected: int
    n_phase_rejected: int
    status: int
    reason: int
    event: int


def step_memory() -> Any:
    """Memory of a run: a record of `StepMemory`; `.copy()` of its bytes is a snapshot."""
    place = PlaceWork(np.zeros(3), np.zeros((3, 3)), np.zeros(N_TROP), np.zeros(3))
    return record_of(
        StepMemory(
            state=filter_state(),
            work=epoch_work(),
            point=single_point_work(N_ROW),
            fix=point_fix(),
            rows=fit_rows(),
            ambiguity=ambiguity_work(),
            place=place,
            origin_m=np.zeros(3),
            scratch=np.zeros(N_STATE),
            track=np.zeros((3, N_TRACK)),
            counts=np.zeros(len(COUNTER_NAMES), np.int64),
        )
    )


def step_outputs(n: int) -> Any:
    """Output rows of n epochs (a record table of `StepOutput`), all "no position"."""
    nan = math.nan
    empty = StepOutput(
        np.full(3, nan), np.full(3, nan), np.full((3, 3), nan), *[nan] * 7, *[0] * 8
    )
    return record_table(empty, n)


@kernel
def write_position(out, k, position_m, cov_m2, status, reason):
    """Enter a position (3,) [m] with its covariance (3, 3) [m^2], status and reason in row k."""
    for a in range(3):
        out[k].ecef_m[a] = position_m[a]
        for b in range(3):
            out[k].cov_ecef_m2[a, b] = cov_m2[a, b]
    out[k].status = status
    out[k].reason = reason
    return 0


@kernel
def step(inputs, k_rover, k_base, base_from, memory, out, k_out):
    """One rover epoch: code position, differences, filter, integers, verdict.

    inputs : RunInputs      k_rover, k_base : epochs, k_base -1 = no base epoch young enough
    base_from : first base epoch not yet looked at for slips      memory : StepMemory record
    out : StepOutputs, row k_out      Returns : int FixStatus
    """
    settings = inputs.plan.settings
    out[k_out].event = inputs.rover.event[k_rover]
    status = point_step(inputs, k_rover, memory, out, k_out)
    if settings.mode == MODE_SINGLE:
        return status
    track_both(inputs, k_rover, k_base, base_from, memory)
    if status == SPP:
        if k_base < 0:
            out[k_out].reason = NO_BASE
        else:
            out[k_out].age_s = (
                inputs.rover.time_ns[k_rover] - inputs.base.time_ns[k_base]
            ) * 1e-9
            status = relative_step(inputs, k_rover, k_base, memory, out, k_out)
    remember_receiver(inputs.rover, k_rover, 0, inputs.plan.pairing, memory.state)
    if k_base >= 0 and base_from <= k_base:
        remember_receiver(inputs.base, k_base, 1, inputs.plan.pairing, memory.state)
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
    out[k_out].n_sat = fix.n_used[0]
    if status != POINT_OK and status != POINT_CHI_SQUARE:
        out[k_out].status = NONE
        out[k_out].reason = FEW_ROVER if status == POINT_FEW else CODE_FAILED
        return NONE
    write_position(out, k_out, fix.position_m, fix.cov_m2, SPP, OK)
    out[k_out].rx_clock_m = fix.clock_m[0]
    for g in range(fix.clock_m.shape[0]):
        if math.isfinite(fix.clock_m[g]):
            out[k_out].rx_clock_m = fix.clock_m[g]
            break
    for a in range(3):
        out[k_out].velocity_mps[a] = fix.velocity_mps[a]
    return SPP


@kernel
def track_both(inputs, k_rover, k_base, base_from, memory):
    """Look for slips in the rover's epoch and in all base epochs since the last one used."""
    pairing, settings, state = inputs.plan.pairing, inputs.plan.settings, memory.state
    track_receiver(
        inputs.rover, k_rover, 0, pairing, settings, state, memory.track, memory.counts
    )
    if inputs.rover.event[k_rover] & RESET_EVENTS:
        forget_ambiguities(state, True)
        state.count[0] = 0
    for k in range(base_from, k_base + 1):
        track_receiver(inputs.base, k, 1, pairing, settings, state, memory.track, memory.counts)
        if k < k_base:
            remember_receiver(inputs.base, k, 1, pairing, state)
    return 0


@kernel
def relative_step(inputs, k_rover, k_base, memory, out, k_out):
    """Differences to the base: code differential, filter, integers. Returns : int FixStatus."""
    settings, state, work = inputs.plan.settings, memory.state, memory.work
    time_ns = inputs.rover.time_ns[k_rover]
    if settings.ar == AR_INSTANTANEOUS:
        forget_ambiguities(state, True)
    n_used = differential_step(inputs, k_rover, k_base, memory)
    if n_used < MIN_COMMON:
        out[k_out].reason = FEW_COMMON
        return SPP
    fit = memory.rows.fit
    out[k_out].prefit_code_m = fit.info[0]
    clock_m = fit.fit.clock[work.group[memory.rows.satellite[0], memory.rows.band[0]]]
    for k in range(3):
        memory.origin_m[k] = memory.fix.position_m[k] + fit.fit.x[k]
    scale = max(fit.info[0], 1.0) ** 2
    for a in range(3):
        for b in range(3):
            memory.place.rotation[a, b] = fit.fit.cofactor[a, b] * scale
    write_position(out, k_out, memory.origin_m, memory.place.rotation, DGNSS, OK)
    out[k_out].n_sat = work.count[0]
    if settings.mode == MODE_DGNSS:
        return DGNSS
    n_phase = filter_step(inputs, k_rover, k_base, clock_m, memory, out, k_out)
    if n_phase < MIN_PHASES:
        out[k_out].reason = FEW_AMBIGUITIES
        return DGNSS
    write_position(out, k_out, state.state[:3], state.cov[:3, :3], FLOAT, AR_IS_OFF)
    status = FLOAT
    if settings.ar != AR_OFF:
        status = integer_step(inputs, time_ns, memory, out, k_out)
    remember_differences(work, state, time_ns)
    state.epoch_ns[0] = time_ns
    return status


@kernel
def differential_step(inputs, k_rover, k_base, memory):
    """Pair the epochs, model both receivers, fit the codes. Returns : int, codes used."""
    settings, state, work, place = inputs.plan.settings, memory.state, memory.work, memory.place
    time_ns = inputs.rover.time_ns[k_rover]
    pair_epoch(inputs.rover, k_rover, inputs.base, k_base, inputs.plan.pairing, work)
    choose_ephemerides(
        inputs.eph, inputs.plan.point.message_order, time_ns, work, state, memory.counts
    )
    if work.count[0] < MIN_COMMON:
        return 0
    satellite_geometry(inputs.rover, k_rover, 0, inputs.eph, work)
    satellite_geometry(inputs.base, k_base, 1, inputs.eph, work)
    use_troposphere = settings.troposphere != 0
    model_receiver(
        1, inputs.plan.base_ecef_m, inputs.base.time_ns[k_base], use_troposphere, work, place
    )
    model_receiver(0, memory.fix.position_m, time_ns, use_troposphere, work, place)
    form_differences(inputs.rover, inputs.base, inputs.plan.pairing, settings, state, work)
    baseline_m = 0.0
    for k in range(3):
        baseline_m += (memory.fix.position_m[k] - inputs.plan.base_ecef_m[k]) ** 2
    difference_variances(
        inputs.rover, inputs.base, inputs.eph, math.sqrt(baseline_m), settings, work
    )
    return fit_codes(work, inputs.plan.robust, memory.rows, memory.counts)


@kernel
def filter_step(inputs, k_rover, k_base, clock_m, memory, out, k_out):
    """Time update, slips, and all observations of the epoch; returns the phases in the filter."""
    settings, state, work = inputs.plan.settings, memory.state, memory.work
    time_ns = inputs.rover.time_ns[k_rover]
    is_static = settings.mode == MODE_STATIC
    if is_static and state.count[0] > 0:
        memory.origin_m[:] = state.state[:3]
    use_troposphere = settings.troposphere != 0
    model_receiver(0, memory.origin_m, time_ns, use_troposphere, work, memory.place)
    form_differences(inputs.rover, inputs.base, inputs.plan.pairing, settings, state, work)
    mark_phases(work, state, memory.counts)
    out[k_out].n_slip = find_slips(inputs, time_ns, memory)
    drop_lost(work, state, time_ns, settings, memory.counts)
    step_s = max(time_ns - state.epoch_ns[0], 0) * 1e-9 if state.count[0] > 0 else 0.0
    start_epoch(state, memory.origin_m, clock_m, step_s, settings, is_static)
    ensure_biases(work, state)
    thin_repeated_codes(work, state, time_ns, settings)
    update_codes(work, state, memory.origin_m, memory.scratch)
    used = update_known_phases(
        work, state, memory.origin_m, time_ns, settings, memory.scratch, memory.counts
    )
    rejected = count_rejected(work, state)
    out[k_out].n_phase_rejected = rejected
    if rejected > used and rejected >= MIN_PHASES:
        memory.counts[COUNT_RESET] += 1
        forget_ambiguities(state, True)
        state.count[0] = 0
        form_differences(inputs.rover, inputs.base, inputs.plan.pairing, settings, state, work)
        mark_phases(work, state, memory.counts)
        start_epoch(state, memory.origin_m, clock_m, 0.0, settings, False)
        ensure_biases(work, state)
        update_codes(work, state, memory.origin_m, memory.scratch)
        used = 0
    return used + add_new_phases(work, state, memory.origin_m, memory.scratch)


@kernel
def mark_phases(work, state, counts):
    """Phases that may take part; a changed signal pair restarts its ambiguity."""
    n = 0
    for i in range(work.count[0]):
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
    for i in range(work.count[0]):
        for band in range(work.slip.shape[1]):
            bits = state.slip_bits[0, work.sat[i], band] | state.slip_bits[1, work.sat[i], band]
            if bits and work.phase_ok[i, band]:
                work.slip[i, band] = 1
    geometry_free_slips(work, state, inputs.plan.settings, time_ns, memory.counts)
    screen_phase_steps(work, state, time_ns, inputs.plan.robust, memory.rows, memory.counts)
    n = 0
    for i in range(work.count[0]):
        for band in range(work.slip.shape[1]):
            if work.slip[i, band] and work.phase_ok[i, band]:
                n += remove_ambiguity(state, work.sat[i], band) == 0
    return n


@kernel
def count_rejected(work, state):
    """Phases of this epoch that were present but not accepted by the filter."""
    n = 0
    for i in range(work.count[0]):
        for band in range(work.phase_ok.shape[1]):
            present = work.group[i, band] >= 0 and not math.isnan(work.sd_phase_m[i, band])
            if present and not work.phase_ok[i, band]:
                n += 1
    return n


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


@kernel
def run_block(inputs, base_index, first, end, memory, out):
    """Run the rover epochs first..end-1 through `step`.

    base_index : (n_rover,) base epoch of each rover epoch, -1 = none
    Returns : int, epochs fixed
    """
    n_fixed = 0
    seen = memory.state.count[2]
    for k in range(first, end):
        n_fixed += step(inputs, k, base_index[k], seen, memory, out, k) == FIXED
        seen = max(seen, base_index[k] + 1)
    memory.state.count[2] = seen
    return n_fixed
