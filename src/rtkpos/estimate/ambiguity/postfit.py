"""Ambiguity validation by post-fit residuals, and holding of validated integers."""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.core.ils.search import conditional_floats
from rtkpos.core.linear.normal_equations import fit_clock_free
from rtkpos.estimate.ambiguity.fixing import condition_states
from rtkpos.estimate.ambiguity.glonass import channel_bias_variance, restore_channel_bias
from rtkpos.estimate.baseline.code_differential import add_row
from rtkpos.estimate.baseline.filter import predicted, scalar_update
from rtkpos.estimate.robust import huber_weight
from rtkpos.gnss.systems import GLONASS, system_of
from rtkpos.prepare.slips import COUNT_HOLD

ROBUST_PASSES = 2
PHASE_HUBER_K = 1.5


@kernel
def postfit_phase_rms(n, state, work, amb, rows):
    """RMS of this epoch's phases [m] after a fit of position and clocks with the integers known.

    Uses the double differences' conditional ambiguities (`amb.floats` is overwritten by them);
    residuals go to work.residual_m, the variance factor to amb.variance_factor. The position
    in rows.fit.fit comes from a second, robust fit: an integer set can be right and still hold a
    satellite whose phase is centimetres off.
    Returns : float, NaN without redundancy
    """
    first = amb.first_fixed
    conditional_floats(first, n, amb.integers[0], amb.search, amb.floats)
    restore_channel_bias(n, amb)
    m, n_group = fixed_phase_rows(n, state, work, amb, rows)
    if m - n_group < 4:
        return math.nan
    fit = rows.fit.fit
    if fit_clock_free(rows.design, rows.value, rows.weight, rows.group, m, fit) != 0:
        return math.nan
    amb.phases_alone = 1 if first == 0 else 0
    total, weighted = fixed_phase_residuals(m, work, rows)
    amb.variance_factor = weighted / (m - n_group - 3)
    for _ in range(ROBUST_PASSES):
        if reweigh(m, max(amb.variance_factor, 1.0), rows) == 0:
            break
        if fit_clock_free(rows.design, rows.value, rows.weight, rows.group, m, fit) != 0:
            return math.nan
        fixed_phase_residuals(m, work, rows)
    return math.sqrt(total / (m - n_group - 3))


@kernel
def fixed_phase_rows(n, state, work, amb, rows):
    """Rows of all phases with known ambiguities: (rows, phase-datum groups).

    GLONASS wavelengths differ, so its phases lose their wavelength times the reference's ambiguity.
    """
    m, n_group = 0, 0
    for j in range(n):
        i, band = amb.satellite[j], amb.band[j]
        wavelength = work.wavelength_m[i, band]
        value = work.sd_phase_m[i, band] - wavelength * amb.floats[j]
        variance = work.var_phase_m2[i, band]
        if system_of(work.sat[i]) == GLONASS:
            value -= wavelength * state.state[amb.lower[j]]
            variance += channel_bias_variance(j, wavelength, amb)
        weight = 1.0 / variance
        m = add_row(m, i, band, value, weight, work.datum_group[i, band], work, rows)
    for group in range(amb.reference.shape[0]):
        i = amb.reference[group]
        if i < 0:
            continue
        for band in range(work.datum_group.shape[1]):
            if work.datum_group[i, band] == group and amb.candidate[i, band]:
                weight = 1.0 / work.var_phase_m2[i, band]
                value = work.sd_phase_m[i, band]
                if system_of(work.sat[i]) == GLONASS:
                    value -= work.wavelength_m[i, band] * state.state[state.slot[work.sat[i], band]]
                m = add_row(m, i, band, value, weight, group, work, rows)
                n_group += 1
    for k in range(m):
        rows.fit.weight[k] = rows.weight[k]
    return m, n_group


@kernel
def fixed_phase_residuals(m, work, rows):
    """Residuals of the fit into rows.fit.residual and work.residual_m: (sum, weighted sum)."""
    fit, total, weighted = rows.fit.fit, 0.0, 0.0
    for k in range(m):
        residual = rows.value[k] - fit.clock[rows.group[k]]
        for axis in range(3):
            residual -= rows.design[k, axis] * fit.x[axis]
        rows.fit.residual[k] = residual
        work.residual_m[rows.satellite[k], rows.band[k]] = residual
        total += residual * residual
        weighted += rows.weight[k] * residual * residual
    return total, weighted


@kernel
def reweigh(m, variance_factor, rows):
    """Huber weights from the residuals, in units of the epoch's own scatter; returns the reduced.

    Source: Huber (1981), Robust Statistics, sec. 7.8. rows.fit.weight holds the model's weights.
    """
    n = 0
    for k in range(m):
        weight = rows.fit.weight[k]
        normal = rows.fit.residual[k] * math.sqrt(weight / variance_factor)
        share = huber_weight(normal, PHASE_HUBER_K)
        rows.weight[k] = weight * share
        n += share < 1.0
    return n


@kernel
def conditional_phase_rms(n, work, state, amb, origin_m):
    """RMS [m] of this epoch's phases against the filter with its integers known, on long lines.

    The ionosphere of a single epoch cannot be told from its phases, so the filter's own states are
    conditioned on the integers. origin_m : (3,) linearisation point      Returns : float
    """
    condition_states(n, state, amb)
    for s in range(state.n_state):
        state.state[s] += amb.state_shift[s]
    total, weighted, m = 0.0, 0.0, 0
    for i in range(work.n_sat):
        for band in range(amb.candidate.shape[1]):
            index = state.slot[work.sat[i], band]
            if not amb.candidate[i, band] or index < 0:
                continue
            residual = work.sd_phase_m[i, band] - predicted(i, band, -1.0, work, state, origin_m)
            residual -= work.wavelength_m[i, band] * state.state[index]
            work.residual_m[i, band] = residual
            total += residual * residual
            weighted += residual * residual / work.var_phase_m2[i, band]
            m += 1
    amb.variance_factor = weighted / max(m, 1)
    for s in range(state.n_state):
        state.state[s] -= amb.state_shift[s]
    return math.sqrt(total / m) if m > 0 else math.nan


@kernel
def hold_integers(n, state, amb, sigma_cycle, scratch, counts):
    """Feed validated integers back as observations of the double differences.

    sigma_cycle : their standard deviation; loose enough that a wrong hold can be left again
    scratch : (N,)      Returns : int, differences held
    """
    if amb.first_fixed != 0:
        return 0
    for j in range(n):
        up, low = amb.upper[j], amb.lower[j]
        for k in range(state.n_state):
            scratch[k] = state.cov[up, k] - state.cov[low, k]
        variance = scratch[up] - scratch[low] + sigma_cycle * sigma_cycle
        innovation = amb.floats[j] - (state.state[up] - state.state[low])
        scalar_update(state, scratch, innovation, variance)
    counts[COUNT_HOLD] += 1
    return n
