"""The change of every phase since the last epoch: one movement, one clock step, and slips.

A robust fit of four unknowns to the changes of all phases (time-differenced carrier phase; van
Graas & Soloviev 2004, J. Inst. Navigation 51:277) tells which phases slipped and by how much. It
confirms the doubtful verdicts of other detectors band by band, or withdraws them; it carries phases
that are missing in an epoch on to it, so that a gap of some samples is tested like one of a single
step; and it knows how the antenna moved, to millimetres.

work : EpochWork      state : FilterState      rows : FitRows      counts : (n_counter,)
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.core.linear.normal_equations import ONE_GROUP, prediction_variance
from rtkpos.estimate.baseline.code_differential import add_row
from rtkpos.estimate.baseline.epoch_work import N_FIXED_STATE
from rtkpos.estimate.robust import FIT_OK, robust_fit
from rtkpos.gnss.systems import GLONASS, system_of
from rtkpos.prepare.slips import (
    COUNT_HALF_DOUBT,
    COUNT_STEP,
    COUNT_WITHDRAWN,
    SLIP_LIKELY,
    SLIP_SURE,
)

STEP_FLOOR_M = 0.04  # a phase step below it is never called a slip
STEP_LIMIT = 4.0  # standard deviations
STEP_NOISE_M = 0.005  # multipath and atmosphere between two epochs, per sqrt(s) of absence beyond
MAX_STEP_NS = 65_000_000_000
MIN_STEP_ROWS = 6
HALF_WINDOW_CYCLE = 0.15  # a slip this near to n + 1/2 leaves half a cycle
HALF_SIGMA_CYCLE = 0.1  # what a doubt is raised or settled with must be known so well
HALF_FIXES = 3  # fixed epochs in a row in which an ambiguity in doubt must be whole
HALF_TOLD = 255  # half_doubt of a phase whose receiver tells of its half cycles in this epoch
WHOLE_CYCLE = 0.25  # nearer to an integer than to half a cycle
MAX_SLIP_SHARE = 0.2  # of the phases in a step that may slip at once
MAX_PROPAGATED = 60  # epochs the place is carried on from a fix


@kernel
def tdcp_test(work, state, origin_m, time_ns, robust, rows, counts):
    """Slips found by the change of each phase since the previous epoch; work.slip is judged.

    origin_m : (3,) place the differences are linearised at      time_ns : rover epoch
    Afterwards state.last_sd_m holds what each phase should be now, state.moved_m the movement.
    Returns : int, slips found here
    """
    n = step_rows(0, 0, work, state, time_ns, rows)
    n_all = step_rows(n, 1, work, state, time_ns, rows)
    known = n >= MIN_STEP_ROWS
    if known:
        fit = robust_fit(rows.design, rows.value, rows.weight, rows.group, n, robust, rows.fit)
        known = fit == FIT_OK
    found = judge_steps(n, n_all, work, state, rows, counts) if known else 0
    # Where many slip alike, the majority may be wrong: no path is built on such a step.
    is_clear = known and found <= MAX_SLIP_SHARE * n
    for a in range(3):
        moved = rows.fit.fit.x[a] + origin_m[a] - state.step_origin_m[a]
        state.moved_m[a] = moved if is_clear else math.nan
        state.step_origin_m[a] = origin_m[a]
    carry_on(known, work, state, rows)
    state.step_interval_ns = time_ns - state.step_ns
    state.step_ns = time_ns
    return found


@kernel
def step_rows(n, is_marked, work, state, time_ns, rows):
    """Enter the changes of all phases that carry a verdict (is_marked 1) or none (0) as rows.

    n : rows so far      Returns : int, rows
    """
    for i in range(work.n_sat):
        sat = work.sat[i]
        for band in range(work.sd_phase_m.shape[1]):
            if (work.slip[i, band] != 0) != (is_marked != 0) or state.slot[sat, band] < 0:
                continue
            step = work.sd_phase_m[i, band] - state.last_sd_m[sat, band]
            if math.isnan(step) or state.pair[sat, band] != work.group[i, band]:
                continue
            if abs(time_ns - state.last_ns[sat, band]) > MAX_STEP_NS:
                continue
            away_s = abs(state.step_ns - state.last_ns[sat, band]) * 1e-9
            variance = 2.0 * work.var_phase_m2[i, band] + STEP_NOISE_M**2 * (1.0 + away_s)
            n = add_row(n, i, band, step, 1.0 / variance, 0, work, rows)
    return n


@kernel
def judge_steps(n, n_all, work, state, rows, counts):
    """Verdicts by the residuals of the fit; returns the slips no other detector had found.

    Rows n..n_all-1 were marked before and took no part in the fit: what shows no step there and is
    not sure is withdrawn. A slip that leaves half a cycle raises the doubt of its ambiguity, but
    not on a long line, where the ionosphere itself moves phases by so much.
    """
    found = 0
    for k in range(n_all):
        i, band = rows.satellite[k], rows.band[k]
        residual = rows.value[k] - rows.fit.fit.clock[ONE_GROUP]
        for a in range(3):
            residual -= rows.design[k, a] * rows.fit.fit.x[a]
        spread = prediction_variance(rows.design, k, 0, rows.fit.fit)
        sigma = math.sqrt(1.0 / rows.weight[k] + spread)
        normal = abs(rows.fit.normal_residual[k]) if k < n else abs(residual) / sigma
        slipped = abs(residual) > STEP_FLOOR_M and normal > STEP_LIMIT
        if k < n and slipped:
            work.slip[i, band] = SLIP_SURE
            counts[COUNT_STEP] += 1
            found += 1
        elif work.slip[i, band] == SLIP_LIKELY and not slipped:
            work.slip[i, band] = 0
            counts[COUNT_WITHDRAWN] += 1
        # Doubts are settled within a group of one wavelength, which GLONASS has not.
        can_doubt = state.wet_slot < 0 and system_of(work.sat[i]) != GLONASS
        if slipped and can_doubt and sigma < HALF_SIGMA_CYCLE * work.wavelength_m[i, band]:
            cycles = residual / work.wavelength_m[i, band]
            rest = abs(cycles - math.floor(cycles) - 0.5)
            doubt = state.half_doubt[work.sat[i], band]
            if rest < HALF_WINDOW_CYCLE and doubt != HALF_TOLD:
                state.half_doubt[work.sat[i], band] = 1 if doubt == 0 else 0
                counts[COUNT_HALF_DOUBT] += 1
    return found


@kernel
def carry_on(known, work, state, rows):
    """Move every remembered phase to this epoch by what all phases did, or forget it.

    What is observed and accepted is overwritten with the observation afterwards.
    """
    n_band = state.slot.shape[1]
    for i in range(work.n_sat):
        for a in range(3):
            state.last_los[work.sat[i], a] = work.los[i, a]
    for index in range(N_FIXED_STATE, state.n_state):
        owner = state.owner[index]
        if owner < 0:
            continue
        sat, band = owner // n_band, owner % n_band
        step = rows.fit.fit.clock[ONE_GROUP] if known else math.nan
        for a in range(3):
            step -= state.last_los[sat, a] * rows.fit.fit.x[a]
        state.last_sd_m[sat, band] += step
    return 0


@kernel
def propagate_by_tdcp(state, propagated_m):
    """Carry the place of the last fix on by this epoch's movement; it ends where none is known.

    propagated_m : (3,) ECEF [m], valid while state.n_propagated > 0 (epochs since the fix + 1)
    """
    known = state.n_propagated > 0 and state.n_propagated < MAX_PROPAGATED
    if not (known and math.isfinite(state.moved_m[0])):
        state.n_propagated = 0
        return 0
    for a in range(3):
        propagated_m[a] += state.moved_m[a]
    state.n_propagated += 1
    return 1


@kernel
def settle_half_cycles(work, state, time_ns, settings):
    """Keep ambiguities in doubt out of fixing (work.half_cycle) until they are whole again.

    A doubt is settled when the receiver itself tells of half cycles, when the satellite was away
    for longer than the longest gap, when the difference to another ambiguity of its group, itself
    not in doubt, is known well and is an integer, or by fixes (`settle_by_fix`).
    Returns : int, ambiguities still in doubt
    """
    n = 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        for band in range(work.slip.shape[1]):
            doubt = state.half_doubt[sat, band]
            if doubt == 0 or state.slot[sat, band] < 0:
                continue
            away = abs(time_ns - state.last_ns[sat, band]) > settings.max_gap_ns
            partner = best_partner(i, band, work, state)
            whole = partner >= 0 and is_whole(state, state.slot[sat, band], partner)
            if whole or away or doubt == HALF_TOLD:
                state.half_doubt[sat, band] = 0
                continue
            work.half_cycle[i, band] = 1
            n += 1
    return n


@kernel
def settle_by_fix(work, state, reference, place_m, origin_m):
    """Settle doubts at a fixed epoch: HALF_FIXES times in a row an integer from the fixed place.

    reference : (G,) row of each group's reference satellite, -1 = none
    place_m, origin_m : (3,) fixed position; place the differences are linearised at
    """
    for i in range(work.n_sat):
        sat = work.sat[i]
        for band in range(work.slip.shape[1]):
            other = reference[work.group[i, band]] if work.group[i, band] >= 0 else -1
            if state.half_doubt[sat, band] == 0 or other < 0:
                continue
            apart_m = work.sd_phase_m[i, band] - work.sd_phase_m[other, band]
            for a in range(3):
                shift_m = place_m[a] - origin_m[a]
                apart_m += (work.los[i, a] - work.los[other, a]) * shift_m
            cycles = apart_m / work.wavelength_m[i, band]
            if not abs(cycles - math.floor(cycles + 0.5)) < WHOLE_CYCLE:
                state.half_doubt[sat, band] = 1
            elif state.half_doubt[sat, band] >= HALF_FIXES:
                state.half_doubt[sat, band] = 0
            else:
                state.half_doubt[sat, band] += 1
    return 0


@kernel
def best_partner(i, band, work, state):
    """State index of the ambiguity in the same group whose difference is known best; -1 = none."""
    best, least = -1, math.inf
    own = state.slot[work.sat[i], band]
    for k in range(work.n_sat):
        sat = work.sat[k]
        for other in range(work.slip.shape[1]):
            index = state.slot[sat, other]
            if index < 0 or work.group[k, other] != work.group[i, band] or k == i:
                continue
            if state.half_doubt[sat, other] or work.half_cycle[k, other]:
                continue
            variance = state.cov[own, own] + state.cov[index, index] - 2.0 * state.cov[own, index]
            if variance < least:
                best, least = index, variance
    return best


@kernel
def is_whole(state, own, other):
    """Whether the difference of two ambiguities is known to be nearer to an integer than to n/2."""
    variance = state.cov[own, own] + state.cov[other, other] - 2.0 * state.cov[own, other]
    apart = state.state[own] - state.state[other]
    return variance < HALF_SIGMA_CYCLE**2 and abs(apart - math.floor(apart + 0.5)) < WHOLE_CYCLE
