"""Integer ambiguities: which to fix, the search, the validation, and the fixed position.

Double differences exist only here: within each phase-datum group, against the reference
satellite (the highest of the group). Partial fixing works in two ways. The least precise
decorrelated ambiguities stay real until the bootstrapped success rate of the rest suffices
(Verhagen et al. 2011); then the satellite that contradicts the integers most leaves.

`counts` : (n_counter,) counters of the run, the COUNT_* slots of `prepare.slips`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rtkpos._arrays import FloatArray, IndexArray, SmallArray, row_width
from rtkpos._numba.decorator import kernel
from rtkpos.core.ils.decorrelation import ILS_OK, IntegerWorkspace, decorrelate, integer_workspace
from rtkpos.core.ils.ratio_threshold import ratio_threshold
from rtkpos.core.ils.search import load_floats, search
from rtkpos.core.ils.success_rate import bootstrapped_failure_rate
from rtkpos.core.ils.transformations import to_decorrelated, transposed_times, write_matrix
from rtkpos.core.linear.dot import dot
from rtkpos.estimate.ambiguity.glonass import N_BAND, N_IFB, add_channel_bias
from rtkpos.estimate.baseline.epoch_work import M_SAT, N_DD, N_GROUP, N_STATE
from rtkpos.prepare.pairing import N_SLOT, ROVER
from rtkpos.prepare.slips import (
    COUNT_AR_ATTEMPT,
    COUNT_AR_DROPPED,
)

N_CANDIDATE = 8  # the best two make the ratio, all of them the probability

# Verdicts of one attempt.
AR_FIXED, AR_FEW, AR_COVARIANCE, AR_SEARCH, AR_SUCCESS, AR_RATIO, AR_MISFIT = range(7)


class AmbiguityWork(NamedTuple):
    """Work arrays of integer fixing.

    candidate : (M, B) takes part      satellite, band : (N_DD,) of each double difference
    upper, lower : (N_DD,) state indices, DD = upper - lower (the reference)
    cov, floats : (N_DD, N_DD), (N_DD,) of the DDs [cycle]      integers, norms : search results
    cross : (3, N_DD) covariance of position and decorrelated ambiguities
    pull : (N_DD,) decorrelated residuals e with L' e = z - z_float      shift_m, gain_m2 : effect
    on the position      state_pull, state_shift : (N_STATE,) of the integers on the states, and
    its effect on all of them
    shifts, weight : (N_CANDIDATE, 3), (N_CANDIDATE,) effect and weight of each candidate
    ratio, ratio_needed : second best over best norm, and its threshold      best_norm : the best
    failure_rate : bootstrapped, of the fixed set      first_fixed : index of its first ambiguity
    phases_alone : 1 when all are integers and the epoch's phases alone give the position
    has_candidates : 1 after a search      variance_factor : of the phases after fixing
    held_out_evidence : log-likelihood ratio of satellites not used in the fix
    probability : that the integers are right      n_dropped : satellites dropped so far
    position_cov : (3, N_DD) covariance of the position's axes and the differences
    matrix : (N_DD, N_DD) the integer transformation, where a satellite is to be dropped
    channels, channel_bias*, channel_score, ifb_sum : see `estimate.ambiguity.glonass`; the bias
           outlives the epoch
    """

    candidate: SmallArray
    satellite: IndexArray
    band: IndexArray
    upper: IndexArray
    lower: IndexArray
    reference: IndexArray
    cov: FloatArray
    floats: FloatArray
    integers: FloatArray
    norms: FloatArray
    cross: FloatArray
    pull: FloatArray
    scratch: FloatArray
    dd_vector: FloatArray
    state_pull: FloatArray
    state_shift: FloatArray
    shift_m: FloatArray
    shifts: FloatArray
    weight: FloatArray
    gain_m2: FloatArray
    cov_m2: FloatArray
    ratio: float
    ratio_needed: float
    failure_rate: float
    first_fixed: int
    best_norm: float
    phases_alone: int
    has_candidates: int
    variance_factor: float
    held_out_evidence: float
    probability: float
    n_dropped: int
    channels: FloatArray
    channel_bias: FloatArray
    channel_bias_var: FloatArray
    channel_bias_epochs: FloatArray
    channel_score: FloatArray
    ifb_sum: FloatArray
    position_cov: FloatArray
    matrix: FloatArray
    search: IntegerWorkspace


def ambiguity_work() -> AmbiguityWork:
    """Fresh work arrays for up to N_DD double differences."""
    return AmbiguityWork(
        candidate=np.zeros((M_SAT, N_SLOT), np.int8),
        satellite=np.zeros(N_DD, np.int64),
        band=np.zeros(N_DD, np.int64),
        upper=np.zeros(N_DD, np.int64),
        lower=np.zeros(N_DD, np.int64),
        reference=np.zeros(N_GROUP, np.int64),
        cov=np.zeros((N_DD, row_width(N_DD))),
        floats=np.zeros(N_DD),
        integers=np.zeros((N_CANDIDATE, N_DD)),
        norms=np.zeros(N_CANDIDATE),
        cross=np.zeros((3, N_DD)),
        pull=np.zeros(N_DD),
        scratch=np.zeros(N_DD),
        dd_vector=np.zeros(N_DD),
        state_pull=np.zeros(N_STATE),
        state_shift=np.zeros(N_STATE),
        shift_m=np.zeros(3),
        shifts=np.zeros((N_CANDIDATE, 3)),
        weight=np.zeros(N_CANDIDATE),
        gain_m2=np.zeros((3, 3)),
        cov_m2=np.zeros((3, 3)),
        ratio=0.0,
        ratio_needed=0.0,
        failure_rate=0.0,
        first_fixed=0,
        best_norm=0.0,
        phases_alone=0,
        has_candidates=0,
        variance_factor=0.0,
        held_out_evidence=0.0,
        probability=0.0,
        n_dropped=0,
        channels=np.zeros((N_BAND, N_DD)),
        channel_bias=np.zeros(N_BAND),
        channel_bias_var=np.zeros(N_BAND),
        channel_bias_epochs=np.zeros(N_BAND),
        channel_score=np.zeros((N_BAND, N_IFB)),
        ifb_sum=np.zeros((2, N_IFB)),
        position_cov=np.zeros((3, N_DD)),
        matrix=np.zeros((N_DD, row_width(N_DD))),
        search=integer_workspace(N_DD),
    )


@kernel
def choose_references(work, amb):
    """Highest candidate of each phase-datum group as its reference satellite; -1 for none."""
    amb.reference[:] = -1
    for i in range(work.n_sat):
        for band in range(amb.candidate.shape[1]):
            if amb.candidate[i, band]:
                group = work.datum_group[i, band]
                best = amb.reference[group]
                if best < 0 or work.elevation_rad[ROVER, i] > work.elevation_rad[ROVER, best]:
                    amb.reference[group] = i
    return 0


@kernel
def form_double_differences(work, state, amb):
    """Float double differences, their covariance, and that of the position with them.

    Returns : int n, number of double differences (at most N_DD: highest bands are cut first)
    """
    choose_references(work, amb)
    n = 0
    for band in range(amb.candidate.shape[1]):
        for i in range(work.n_sat):
            if not amb.candidate[i, band] or n >= amb.floats.shape[0]:
                continue
            reference = amb.reference[work.datum_group[i, band]]
            if reference == i:
                continue
            amb.satellite[n] = i
            amb.band[n] = band
            amb.upper[n] = state.slot[work.sat[i], band]
            amb.lower[n] = state.slot[work.sat[reference], band]
            amb.floats[n] = state.state[amb.upper[n]] - state.state[amb.lower[n]]
            n += 1
    for k in range(n):
        up, low = state.cov[amb.upper[k]], state.cov[amb.lower[k]]
        for j in range(k + 1):
            a, b = amb.upper[j], amb.lower[j]
            amb.cov[k, j] = up[a] - up[b] - low[a] + low[b]
    add_channel_bias(n, work, amb)
    return n


@kernel
def first_reliable(n, success_min, work):
    """Smallest index from which on the decorrelated ambiguities reach the success rate.

    work : IntegerWorkspace after `decorrelate`      Returns : int, n when not even the last does
    """
    log_success, first = 0.0, n
    for k in range(n - 1, -1, -1):
        wrong = math.erfc(1.0 / math.sqrt(8.0 * work.cond_var[k]))
        if wrong >= 1.0:
            break
        log_success += math.log1p(-wrong)
        if log_success < math.log(success_min):
            break
        first = k
    return first


@kernel
def clear_figures(amb):
    """Nothing is known of an attempt before it is made."""
    amb.ratio = amb.ratio_needed = amb.failure_rate = amb.best_norm = math.nan
    amb.variance_factor = amb.held_out_evidence = amb.probability = math.nan
    amb.first_fixed = amb.phases_alone = amb.has_candidates = 0
    return 0


@kernel
def search_integers(n, settings, penalty, amb):
    """Search, and judge by ratio with a fixed failure rate; fills amb's figures.

    penalty : factor on the threshold, larger after satellites were dropped
    Returns : AR_* verdict. Source of the test: Verhagen & Teunissen (2013), GPS Solutions 17:535.
    """
    clear_figures(amb)
    ils = amb.search
    if decorrelate(amb.cov, n, ils) != ILS_OK or load_floats(amb.floats, n, ils) != ILS_OK:
        return AR_COVARIANCE
    first = first_reliable(n, settings.success_min, ils)
    amb.first_fixed = first
    amb.failure_rate = bootstrapped_failure_rate(ils.cond_var, min(first, n - 1), n)
    if n - first < settings.min_pairs:
        return AR_SUCCESS
    status = search(first, n, N_CANDIDATE, settings.n_search_max, ils, amb.integers, amb.norms)
    if status != ILS_OK:
        return AR_SEARCH
    amb.best_norm = amb.norms[0]
    amb.ratio = min(amb.norms[1] / max(amb.norms[0], 1e-9), 999.9)
    needed = ratio_threshold(amb.failure_rate, n - first, settings.failure_rate)
    needed = penalty * min(max(needed, settings.ratio_min), settings.ratio_max)
    amb.ratio_needed = needed
    amb.has_candidates = 1
    if amb.norms[0] > settings.misfit_max * (n - first):
        return AR_MISFIT
    return AR_FIXED if amb.ratio >= amb.ratio_needed else AR_RATIO


@kernel
def solve_transposed(first, n, right, ils, out):
    """Back substitution L' out = right over the decorrelated ambiguities first .. n - 1."""
    for k in range(n - 1, first - 1, -1):
        after = k + 1
        out[k] = right[k] - dot(ils.factor_t[k, after:n], out[after:n], n - after)
    return 0


@kernel
def condition_position(n, state, amb):
    """Effect of the fixed integers on the position: shift_m and the reduction gain_m2 of its cov.

    With Q_z = L' D L and e from L' e = z - z_float: shift = sum g_k e_k / D_k, where L' g is the
    covariance of position and decorrelated ambiguities (Teunissen 1995, J. Geodesy 70:65, eq. 12).
    """
    ils = amb.search
    first = amb.first_fixed
    for k in range(first, n):
        amb.scratch[k] = amb.integers[0, k] - ils.floats_z[k]
    solve_transposed(first, n, amb.scratch, ils, amb.pull)
    for axis in range(3):
        cov, cov_dd = state.cov[axis], amb.position_cov[axis]
        for j in range(n):
            cov_dd[j] = cov[amb.upper[j]] - cov[amb.lower[j]]
        to_decorrelated(n, cov_dd, ils, amb.scratch)
        solve_transposed(first, n, amb.scratch, ils, amb.cross[axis])
    for a in range(3):
        amb.shift_m[a] = 0.0
        for k in range(first, n):
            amb.shift_m[a] += amb.cross[a, k] * amb.pull[k] / ils.cond_var[k]
        for b in range(3):
            amb.gain_m2[a, b] = 0.0
            for k in range(first, n):
                amb.gain_m2[a, b] += amb.cross[a, k] * amb.cross[b, k] / ils.cond_var[k]
    return n - first


@kernel
def condition_states(n, state, amb):
    """Effect of the fixed integers on every state of the filter, into amb.state_shift.

    Q_xa Q_z^-1 (z - z_float), the middle part once and for all: with L' e = z - z_float and
    L g = D^-1 e it is Z' g. Needs `amb.pull` of `condition_position`. Returns : int, states
    """
    ils = amb.search
    first = amb.first_fixed
    for i in range(first, n):
        total = amb.pull[i] / ils.cond_var[i]
        for k in range(first, i):
            total -= ils.factor_t[k, i] * amb.scratch[k]
        amb.scratch[i] = total
    for k in range(first):
        amb.scratch[k] = 0.0
    transposed_times(n, amb.scratch, ils, amb.dd_vector)
    spread_over_states(n, state, amb)
    for s in range(state.n_state):
        amb.state_shift[s] = dot(state.cov[s], amb.state_pull, state.n_state)
    return state.n_state


@kernel
def spread_over_states(n, state, amb):
    """Enter the pull amb.dd_vector of each double difference at its two states, amb.state_pull."""
    for s in range(state.n_state):
        amb.state_pull[s] = 0.0
    for j in range(n):
        amb.state_pull[amb.upper[j]] += amb.dd_vector[j]
        amb.state_pull[amb.lower[j]] -= amb.dd_vector[j]
    return n


@kernel
def w_test(i, band, n, work, amb):
    """How strongly one candidate's phase contradicts the integers: |w|, standard normal if it fits.

    Baarda's test c' Q^-1 (a - z) / sqrt(c' Q^-1 c) (Teunissen 2006, Testing Theory, eq. 4.4), where
    c is +1 for the candidate's own difference, or -1 for all of its group if it is the reference.
    Needs `amb.pull` and Z in `amb.matrix`. Returns : float, 0 when it does not take part
    """
    ils, first = amb.search, amb.first_fixed
    for k in range(first, n):
        amb.scratch[k] = 0.0
    group = work.datum_group[i, band]
    for j in range(n):
        sign = 0.0
        if amb.band[j] == band and amb.satellite[j] == i:
            sign = 1.0
        elif work.datum_group[amb.satellite[j], amb.band[j]] == group and amb.reference[group] == i:
            sign = -1.0
        if sign != 0.0:
            for k in range(first, n):
                amb.scratch[k] += sign * amb.matrix[k, j]
    solve_transposed(first, n, amb.scratch, ils, amb.dd_vector)
    top, bottom = 0.0, 0.0
    for k in range(first, n):
        top += amb.dd_vector[k] * amb.pull[k] / ils.cond_var[k]
        bottom += amb.dd_vector[k] ** 2 / ils.cond_var[k]
    return abs(top) / math.sqrt(bottom) if bottom > 0.0 else 0.0


@kernel
def exclude_by_w_test(n, work, amb, counts):
    """Take the satellite that contradicts the integers most out of the set, with all its bands.

    Returns : int 1; 0 when there was none to take
    """
    ils, first = amb.search, amb.first_fixed
    for k in range(first, n):
        amb.scratch[k] = amb.integers[0, k] - ils.floats_z[k]
    solve_transposed(first, n, amb.scratch, ils, amb.pull)
    write_matrix(n, ils, amb.matrix)
    worst, largest = -1, 0.0
    for i in range(work.n_sat):
        for band in range(amb.candidate.shape[1]):
            if amb.candidate[i, band]:
                w = w_test(i, band, n, work, amb)
                if w > largest:
                    worst, largest = i, w
    if worst < 0:
        return 0
    amb.candidate[worst, :] = 0
    counts[COUNT_AR_DROPPED] += 1
    return 1


@kernel
def fix_ambiguities(work, state, settings, amb, counts):
    """Try to fix, dropping up to `n_drop_max` satellites: (verdict, n double differences)."""
    verdict, n = AR_FEW, 0
    penalty = 1.0
    for attempt in range(settings.n_drop_max + 1):
        amb.n_dropped = attempt
        n = form_double_differences(work, state, amb)
        if n < settings.min_pairs:
            amb.has_candidates = 0
            return AR_FEW if attempt == 0 else verdict, n
        counts[COUNT_AR_ATTEMPT] += 1
        verdict = search_integers(n, settings, penalty, amb)
        if (verdict != AR_RATIO and verdict != AR_MISFIT) or attempt == settings.n_drop_max:
            break
        if not exclude_by_w_test(n, work, amb, counts):
            break
        penalty *= settings.drop_penalty
    if amb.has_candidates:
        condition_position(n, state, amb)
    return verdict, n
