"""The relative filter: between-receiver single differences, one observation at a time.

States: position (3) [m], clock difference [m], code bias per further pair group [m], one
single-difference ambiguity per (satellite, band) [cycle], and on long lines the atmosphere of
`atmosphere_states`. Single differences are uncorrelated, so every observation is a scalar
update (Bierman 1977, Factorization Methods, ch. V), and no reference satellite exists inside the
filter. New ambiguities enter by augmentation from their first phase, which is the limit of an
infinite prior without its loss of digits.

`scratch` : (N,) for a row of the covariance.
`counts`  : (n_counter,) counters of the run, the COUNT_* slots of `prepare.slips`.
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.estimate.baseline.atmosphere_states import reset_atmosphere
from rtkpos.estimate.baseline.deferred_update import (
    keep_update,
    mirror_lower,
    subtract_pending,
    take_pending_off,
)
from rtkpos.estimate.baseline.epoch_work import CLOCK_STATE, N_FIXED_STATE
from rtkpos.estimate.baseline.filter_states import OWNER_BIAS, add_state, append_state, remove_state
from rtkpos.prepare.slips import COUNT_GAP, COUNT_INNOVATION, COUNT_PHASE_REJECTED

BIAS_SIGMA_M = 100.0  # prior of a receiver's code bias between two signals
BIAS_DRIFT_M = 1e-3  # per sqrt(s): hardware warms slowly
PHASE_BIAS_DRIFT_M = 0.01  # per sqrt(s), common to all phases of a phase-datum group
INNOVATION_LIMIT = 5.0  # standard deviations
INNOVATION_FLOOR_M = 0.03  # no smaller phase innovation is an outlier
REJECTIONS_TO_RESET = 2
LONG_DRIFT_SHARE = 0.1  # of the ambiguities' drift, where the atmosphere has states of its own


@kernel
def remove_ambiguity(state, sat, band):
    """Take an ambiguity out of the filter; the last state moves into its place."""
    index = state.slot[sat, band]
    if index < 0:
        return 1
    state.slot[sat, band] = -1
    state.n_lock[sat, band] = 0
    state.n_reject[sat, band] = 0
    state.slip_bits[:, sat, band] = 0
    state.last_sd_m[sat, band] = math.nan
    state.last_phase_m[:, sat, band] = math.nan
    state.last_code_m[:, sat, band] = math.nan
    state.last_doppler_hz[:, sat, band] = math.nan
    return remove_state(state, index)


@kernel
def forget_ambiguities(state, with_biases):
    """Drop every ambiguity, on request every other state too; returns the ambiguities dropped."""
    n_band = state.slot.shape[1]
    dropped = 0
    for index in range(state.n_state - 1, N_FIXED_STATE - 1, -1):
        owner = state.owner[index]
        if owner >= 0:
            remove_ambiguity(state, owner // n_band, owner % n_band)
            dropped += 1
    if with_biases:
        state.bias_slot[:] = -1
        reset_atmosphere(state)
        state.n_state = min(state.n_state, N_FIXED_STATE)
        state.n_group = 0
    return dropped


@kernel
def start_epoch(state, model, step_s, settings):
    """Time update: position and clock as the model has them, slow noise on the rest.

    model : BaselineModel, of which prior and prior_cov_m2 are not used      step_s : interval [s]
    """
    n = max(state.n_state, N_FIXED_STATE)
    state.n_state = n
    for k in range(N_FIXED_STATE):
        state.group_of[k] = -1
        for j in range(n):
            state.cov[k, j] = 0.0
            state.cov[j, k] = 0.0
        state.cov[k, k] = model.position_var_m2 if k < 3 else model.clock_var_m2
        state.state[k] = model.origin_m[k] if k < 3 else model.clock_m
        state.owner[k] = OWNER_BIAS
    add_phase_bias_noise(state, step_s)
    share = LONG_DRIFT_SHARE if state.wet_slot >= 0 else 1.0
    n_band = state.slot.shape[1]
    for index in range(N_FIXED_STATE, n):
        owner = state.owner[index]
        if owner >= 0 and not model.held[owner // n_band, owner % n_band]:
            state.cov[index, index] += (share * settings.ambiguity_drift) ** 2 * step_s
        elif owner == OWNER_BIAS:
            state.cov[index, index] += BIAS_DRIFT_M**2 * step_s
    return n


@kernel
def add_phase_bias_noise(state, step_s):
    """Process noise of the phase bias of a phase-datum group: on all its ambiguities alike.

    It leaves double differences untouched. Receivers' phase biases between bands and systems drift
    by millimetres a minute, so a filter that holds them constant bends the position.
    """
    if step_s == 0.0:
        return 0
    n, n_band = state.n_state, state.slot.shape[1]
    # Wavelengths of one group are equal but for GLONASS; 0.2 m stands for all.
    variance = PHASE_BIAS_DRIFT_M**2 * step_s / 0.04
    group = state.group_of
    for a in range(N_FIXED_STATE, n):
        owner = state.owner[a]
        group[a] = state.datum_group[owner // n_band, owner % n_band] if owner >= 0 else -1
    for a in range(N_FIXED_STATE, n):
        if group[a] >= 0:
            row, own = state.cov[a], group[a]
            for b in range(a + 1):
                row[b] += variance if group[b] == own else 0.0
    return mirror_lower(state.cov, N_FIXED_STATE, N_FIXED_STATE, n)


@kernel
def ensure_biases(work, state):
    """A code bias state for every pair group but the first ever seen, which defines the clock."""
    for i in range(work.n_sat):
        for band in range(work.group.shape[1]):
            group = work.group[i, band]
            if group > 0 and state.bias_slot[group] < 0:
                state.bias_slot[group] = add_state(state, 0.0, BIAS_SIGMA_M**2, OWNER_BIAS)
    return 0


@kernel
def predicted(i, band, sign, work, state, origin_m):
    """What the filter expects of a difference without its bias or ambiguity [m].

    Position, clock and, on long lines, ionosphere and wet delay.
    sign : +1 for a code, -1 for a phase: the ionosphere delays one and advances the other
    origin_m : (3,) linearisation point
    """
    value = state.state[CLOCK_STATE]
    for k in range(3):
        value -= work.los[i, k] * (state.state[k] - origin_m[k])
    iono, wet = state.iono_slot[work.sat[i]], state.wet_slot
    if iono >= 0:
        value += sign * work.iono_factor[i, band] * state.state[iono]
    if wet >= 0:
        value += work.wet_factor[i] * state.state[wet]
    return value


@kernel
def project(i, band, sign, work, extra, coefficient, state, out_ph):
    """P H' of a row: -los, 1 on the clock, the atmosphere where it is estimated, and one more.

    sign : +1 code, -1 phase      extra : index of the bias or ambiguity, -1 = none
    coefficient : its entry in the row      out_ph : (N,)      Returns : H P H' [m^2]
    Reads the fixed states' rows and the lower triangle, so that it serves between updates.
    """
    n = state.n_state
    cov = state.cov
    x, y, z, clock = cov[0], cov[1], cov[2], cov[CLOCK_STATE]
    a, b, c = -work.los[i, 0], -work.los[i, 1], -work.los[i, 2]
    for j in range(n):
        out_ph[j] = a * x[j] + b * y[j] + c * z[j] + clock[j]
    iono, wet = state.iono_slot[work.sat[i]], state.wet_slot
    factor = sign * work.iono_factor[i, band]
    if extra >= 0:
        add_row_of(extra, coefficient, n, cov, out_ph)
    if iono >= 0:
        add_row_of(iono, factor, n, cov, out_ph)
    if wet >= 0:
        add_row_of(wet, work.wet_factor[i], n, cov, out_ph)
    for kept in range(work.n_pending):
        times = row_times(i, band, sign, work, extra, coefficient, state, work.pending[kept])
        take_pending_off(times, kept, n, work, out_ph)
    return row_times(i, band, sign, work, extra, coefficient, state, out_ph)


@kernel
def row_times(i, band, sign, work, extra, coefficient, state, vector):
    """Row H of `project` times a vector (N,)."""
    total = vector[3] - work.los[i, 0] * vector[0]
    total -= work.los[i, 1] * vector[1] + work.los[i, 2] * vector[2]
    iono, wet = state.iono_slot[work.sat[i]], state.wet_slot
    if extra >= 0:
        total += coefficient * vector[extra]
    if iono >= 0:
        total += sign * work.iono_factor[i, band] * vector[iono]
    if wet >= 0:
        total += work.wet_factor[i] * vector[wet]
    return total


@kernel
def add_row_of(index, coefficient, n, cov, out_ph):
    """Add coefficient times a row of a covariance (N, N), lower triangle valid, to out_ph (N,)."""
    row = cov[index]
    for j in range(index + 1):
        out_ph[j] += coefficient * row[j]
    for j in range(index + 1, n):
        out_ph[j] += coefficient * cov[j, index]
    return 0


@kernel
def half_update(state, ph, innovation, variance):
    """`scalar_update` of the fixed states' rows and of the lower triangle: half the work.

    The upper triangle is stale until `mirror` has been called after the last update.
    """
    n = state.n_state
    for j in range(n):
        gain = ph[j] / variance
        if gain != 0.0:
            state.state[j] += gain * innovation
            row = state.cov[j]
            end = n if j < N_FIXED_STATE else j + 1
            for k in range(end):
                row[k] -= gain * ph[k]
    return 0


@kernel
def mirror(state):
    """Copy the lower triangle of the covariance to the upper one, below the fixed states' rows."""
    return mirror_lower(state.cov, N_FIXED_STATE, N_FIXED_STATE, state.n_state)


@kernel
def scalar_update(state, ph, innovation, variance):
    """Kalman update by one observation: x += K v, P -= K (P H')', symmetric by construction.

    ph : (N,) P H'      innovation [m]      variance : H P H' + R [m^2]
    """
    n = state.n_state
    for j in range(n):
        gain = ph[j] / variance
        if gain != 0.0:
            state.state[j] += gain * innovation
            row = state.cov[j]
            for k in range(n):
                row[k] -= gain * ph[k]
    return 0


@kernel
def update_codes(work, state, origin_m):
    """Scalar updates by all codes with positive weight; returns how many were used.

    origin_m : (3,) linearisation point
    """
    used = 0
    for i in range(work.n_sat):
        for band in range(work.sd_code_m.shape[1]):
            weight = work.code_weight[i, band] * work.code_part[i, band]
            if work.group[i, band] < 0 or not weight > 0.0:
                continue
            bias = state.bias_slot[work.group[i, band]]
            ph = work.pending[work.n_pending]
            variance = project(i, band, 1.0, work, bias, 1.0, state, ph) + 1.0 / weight
            innovation = work.sd_code_m[i, band]
            innovation -= predicted(i, band, 1.0, work, state, origin_m)
            if bias >= 0:
                innovation -= state.state[bias]
            keep_update(state, innovation, variance, work)
            used += 1
    subtract_pending(state, work)
    mirror(state)
    return used


@kernel
def update_known_phases(work, state, origin_m, counts):
    """Scalar updates by phases whose ambiguity is already estimated, each tested first.

    Two rejections in a row restart the ambiguity; fills work.nis, n_nis. Returns : int, used
    """
    used = 0
    work.nis, work.n_nis = 0.0, 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        for band in range(work.sd_phase_m.shape[1]):
            index = state.slot[sat, band]
            if index < 0 or not work.phase_ok[i, band]:
                continue
            wavelength = work.wavelength_m[i, band]
            ph = work.pending[work.n_pending]
            variance = project(i, band, -1.0, work, index, wavelength, state, ph)
            variance += work.var_phase_m2[i, band]
            innovation = work.sd_phase_m[i, band] - wavelength * state.state[index]
            innovation -= predicted(i, band, -1.0, work, state, origin_m)
            work.nis += innovation * innovation / variance
            work.n_nis += 1
            limit = INNOVATION_LIMIT * math.sqrt(variance)
            if abs(innovation) > max(limit, INNOVATION_FLOOR_M):
                counts[COUNT_PHASE_REJECTED] += 1
                state.n_reject[sat, band] += 1
                work.phase_ok[i, band] = 0
                if state.n_reject[sat, band] >= REJECTIONS_TO_RESET:
                    counts[COUNT_INNOVATION] += 1
                    subtract_pending(state, work)
                    remove_ambiguity(state, sat, band)
                continue
            state.n_reject[sat, band] = 0
            state.n_lock[sat, band] += 1
            keep_update(state, innovation, variance, work)
            used += 1
    subtract_pending(state, work)
    mirror(state)
    return used


@kernel
def add_new_phases(work, state, origin_m, scratch):
    """Ambiguities of phases that have none yet, by augmentation; returns how many were added.

    N = (phase - H x) / wavelength, cov(N, x) = -H P / wavelength,
    var(N) = (H P H' + R) / wavelength^2.
    """
    added, before = 0, state.n_state
    n_band = work.sd_phase_m.shape[1]
    for i in range(work.n_sat):
        sat = work.sat[i]
        for band in range(n_band):
            if not work.phase_ok[i, band] or state.slot[sat, band] >= 0:
                continue
            wavelength = work.wavelength_m[i, band]
            variance = project(i, band, -1.0, work, -1, 0.0, state, scratch)
            variance += work.var_phase_m2[i, band]
            value = work.sd_phase_m[i, band] - predicted(i, band, -1.0, work, state, origin_m)
            value /= wavelength
            index = append_state(state, value, sat * n_band + band)
            if index < 0:
                mirror_lower(state.cov, before, N_FIXED_STATE, state.n_state)
                return added
            enter_covariances(index, -1.0 / wavelength, scratch, state)
            state.cov[index, index] = variance / wavelength**2
            begin_ambiguity(i, band, index, work, state)
            added += 1
    mirror_lower(state.cov, before, N_FIXED_STATE, state.n_state)
    return added


@kernel
def enter_covariances(index, factor, vector, state):
    """Covariances of the last state: factor times a vector (N,); lower triangle and fixed rows."""
    row = state.cov[index]
    for j in range(index):
        row[j] = factor * vector[j]
    for k in range(N_FIXED_STATE):
        state.cov[k, index] = row[k]
    return 0


@kernel
def begin_ambiguity(i, band, index, work, state):
    """Enter a new ambiguity of satellite row i at a state index in the tables of its satellite."""
    sat = work.sat[i]
    state.slot[sat, band] = index
    state.pair[sat, band] = work.group[i, band]
    state.datum_group[sat, band] = work.datum_group[i, band]
    state.n_lock[sat, band] = 1
    for receiver in range(2):
        state.half[receiver, sat, band] = work.half_of[receiver, i, band]
    return 0


@kernel
def drop_lost(state, time_ns, settings, counts):
    """Take out ambiguities unseen for longer than the limit; returns how many."""
    n_band = state.slot.shape[1]
    dropped = 0
    for index in range(state.n_state - 1, N_FIXED_STATE - 1, -1):
        owner = state.owner[index]
        if owner < 0:
            continue
        sat, band = owner // n_band, owner % n_band
        if abs(time_ns - state.last_ns[sat, band]) > settings.max_gap_ns:
            remove_ambiguity(state, sat, band)
            counts[COUNT_GAP] += 1
            dropped += 1
    return dropped


@kernel
def remember_differences(work, state, time_ns):
    """Keep this epoch's accepted phases for the tests of the next epoch."""
    for i in range(work.n_sat):
        sat = work.sat[i]
        for band in range(work.sd_phase_m.shape[1]):
            if work.phase_ok[i, band] and state.slot[sat, band] >= 0:
                state.last_sd_m[sat, band] = work.sd_phase_m[i, band]
                state.last_ns[sat, band] = time_ns
                state.slip_bits[:, sat, band] = 0
    return 0
