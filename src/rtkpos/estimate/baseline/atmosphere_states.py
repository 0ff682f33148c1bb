"""Atmosphere between rover and base as filter states, on lines too long for it to cancel.

One slant ionosphere on L1 per satellite and one zenith wet delay, rover - base [m]. Both are
Gauss-Markov processes around zero: their spread grows with the length of the line, so that on a
shorter line they tie the ambiguities more tightly, and what was learnt decays with the correlation
time. Sources: ionosphere-weighted model, Teunissen (1998), J. Geodesy 72:236; Odijk (2000), GPS
Solutions 3:33; states of both atmospheres on long lines, Takasu & Yasuda (2010), ION ITM, 607.
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.constants import WGS84_A_M
from rtkpos.estimate.baseline.correction_noise import BASE_DOUBTFUL, BASE_REAL, TRUSTED_WET_M
from rtkpos.estimate.baseline.filter_states import OWNER_IONO, OWNER_WET, add_state, remove_state
from rtkpos.prepare.pairing import ROVER

SHELL_HEIGHT_M = 350e3  # of the thin ionosphere
LEAST_WET_M = 1e-4  # a state without spread keeps out of the way
LEAVE_SHARE = 0.8  # of the length from which the states exist: below it they go again


@kernel
def slant_factor(elevation_rad):
    """Obliquity of a thin ionosphere: 1 / cos of the zenith angle where the line pierces it.

    Source: Klobuchar (1996), Global Positioning System: Theory and Applications, ch. 12.
    """
    sine = WGS84_A_M / (WGS84_A_M + SHELL_HEIGHT_M) * math.cos(elevation_rad)
    return 1.0 / math.sqrt(1.0 - sine * sine)


@kernel
def reset_atmosphere(state):
    """Lose the places of the atmosphere's states, whose filter is emptied by the caller."""
    state.wet_slot = -1
    for sat in range(state.iono_slot.shape[0]):
        state.iono_slot[sat] = -1
    return 0


@kernel
def is_long_line(work, state, settings):
    """Whether this epoch's line needs the states: a long one, or one to a doubtful virtual base.

    A line that has them keeps them a little longer.
    """
    if work.base_kind != BASE_REAL:
        return work.base_kind == BASE_DOUBTFUL
    share = LEAVE_SHARE if state.wet_slot >= 0 else 1.0
    return work.baseline_m > share * settings.long_from_m


@kernel
def predict_atmosphere(work, state, step_s, settings):
    """Time update of the atmosphere, states of new satellites, those of lost ones removed.

    work : EpochWork      state : FilterState      step_s : since the previous epoch [s]
    Returns : int, 1 when the line is long enough for these states
    """
    if not is_long_line(work, state, settings):
        remove_atmosphere(state)
        return 0
    if state.wet_slot < 0:
        variance = wet_variance(work, settings)
        state.wet_slot = add_state(state, 0.0, variance, OWNER_WET)
    else:
        gauss_markov_update(
            state, state.wet_slot, step_s / settings.wet_tau_s, wet_variance(work, settings)
        )
    remove_unseen(work, state)
    for i in range(work.n_sat):
        sat = work.sat[i]
        if math.isnan(work.elevation_rad[ROVER, i]):
            continue
        sigma_m = ionosphere_sigma_m(i, work, settings)
        if state.iono_slot[sat] < 0:
            state.iono_slot[sat] = add_state(state, 0.0, sigma_m**2, OWNER_IONO - sat)
        else:
            gauss_markov_update(
                state, state.iono_slot[sat], step_s / settings.iono_tau_s, sigma_m**2
            )
    return 1


@kernel
def ionosphere_sigma_m(i, work, settings):
    """Spread of the slant ionosphere of satellite row i on L1, as corrected or by distance [m]."""
    if work.base_kind == BASE_DOUBTFUL and not math.isnan(work.iono_sigma_m[i]):
        return work.iono_sigma_m[i]
    slant = slant_factor(work.elevation_rad[ROVER, i])
    return settings.iono_m_per_m * work.baseline_m * slant


@kernel
def wet_variance(work, settings):
    """Variance of the relative zenith wet delay on this line [m^2]."""
    if work.base_kind == BASE_DOUBTFUL:
        # What is small is noise of the phases: `correction_noise`.
        return max(work.wet_sigma_m - TRUSTED_WET_M, LEAST_WET_M) ** 2
    return (settings.wet_m_per_m * work.baseline_m) ** 2


@kernel
def gauss_markov_update(state, index, ratio, variance):
    """Time update of a Gauss-Markov state around zero.

    ratio : step over correlation time      variance : of the process [unit^2]
    Source: Gelb (1974), Applied Optimal Estimation, eq. 4.5-4.
    """
    keep = math.exp(-ratio)
    state.state[index] *= keep
    for j in range(state.n_state):
        state.cov[index, j] *= keep
        state.cov[j, index] *= keep
    state.cov[index, index] += (1.0 - keep * keep) * variance
    return 0


@kernel
def remove_unseen(work, state):
    """Take out the ionosphere of satellites that are not common and have no ambiguity left."""
    for index in range(state.n_state - 1, -1, -1):
        if state.owner[index] > OWNER_IONO:
            continue
        sat = OWNER_IONO - state.owner[index]
        is_seen = False
        for i in range(work.n_sat):
            is_seen = is_seen or work.sat[i] == sat
        for band in range(state.slot.shape[1]):
            is_seen = is_seen or state.slot[sat, band] >= 0
        if not is_seen:
            state.iono_slot[sat] = -1
            remove_state(state, index)
    return 0


@kernel
def remove_atmosphere(state):
    """Take all atmosphere states out of a filter; returns how many there were."""
    if state.wet_slot < 0:
        return 0
    n = 0
    for index in range(state.n_state - 1, -1, -1):
        owner = state.owner[index]
        if owner == OWNER_WET or owner <= OWNER_IONO:
            remove_state(state, index)
            n += 1
    reset_atmosphere(state)
    return n
