"""Slips seen by two bands of one satellite, in single differences: geometry-free and wide lane.

Neither knows where the antenna is or what the clocks do. The geometry-free phase sees slips of a
cycle that differ in metres between the bands; the Melbourne-Wuebbena wide lane those that differ in
cycles, late but also where metres agree. Every verdict goes to `work.slip` as SLIP_SURE or
SLIP_LIKELY; `estimate.baseline.phase_steps` confirms the likely ones band by band, or withdraws
them.

work : EpochWork      state : FilterState      counts : (n_counter,) the COUNT_* slots
"""

from __future__ import annotations

import math

from rtkpos._numba.decorator import kernel
from rtkpos.prepare.slips import COUNT_GF, COUNT_WIDE_LANE, SLIP_LIKELY, SLIP_SURE

GF_SIGMA = 6.0  # departure from the running scatter
GF_FLOOR_M = 0.02  # no smaller change is a slip: half a cycle on two bands is 2.2 cm or more
GF_MEMORY = 40.0  # changes in the running scatter
MW_FLOOR_CYCLE = 1.0  # code multipath of a decimetre or two is no slip
MW_SIGMA_START_CYCLE = 0.5
MW_SIGMA_LEAST_CYCLE = 0.1
MW_FEWEST = 20  # samples before the mean is trusted
MW_MEMORY = 300


@kernel
def pair_of(a, b):
    """Number of a band pair a < b: (0,1), (0,2), (1,2) are 0, 1, 2."""
    return a + b - 1


@kernel
def mark_slip(work, i, a, b, verdict):
    """Enter a verdict for two bands of satellite i; a sure one is not weakened."""
    if work.slip[i, a] != SLIP_SURE:
        work.slip[i, a] = verdict
    if work.slip[i, b] != SLIP_SURE:
        work.slip[i, b] = verdict
    return 0


@kernel
def geometry_free_slips(work, state, settings, time_ns, counts):
    """Slips seen by the geometry-free combination on every band pair. Returns : int, slips found.

    work : EpochWork with sd_phase_m [m]      time_ns : rover epoch
    The threshold follows the running scatter of the pair, up to settings.slip_gf_m, which also
    holds after a gap. Source: Blewitt (1990), Geophys. Res. Lett. 17:199; single differences
    remove most ionosphere.
    """
    n_slip = 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        for a in range(work.sd_phase_m.shape[1]):
            for b in range(a + 1, work.sd_phase_m.shape[1]):
                if not work.phase_ok[i, a] or not work.phase_ok[i, b]:
                    continue
                away_ns = abs(time_ns - state.last_ns[sat, a])
                away_ns = max(away_ns, abs(time_ns - state.last_ns[sat, b]))
                now = work.sd_phase_m[i, a] - work.sd_phase_m[i, b]
                change = now - (state.last_sd_m[sat, a] - state.last_sd_m[sat, b])
                if math.isnan(change) or away_ns > settings.max_gap_ns:
                    continue
                is_late = away_ns > 1.5 * abs(state.step_interval_ns)
                if abs(change) > gf_limit(state, sat, pair_of(a, b), is_late, settings):
                    mark_slip(work, i, a, b, SLIP_LIKELY)
                    counts[COUNT_GF] += 1
                    n_slip += 1
                elif not is_late:
                    learn_scatter(state, sat, pair_of(a, b), change)
    return n_slip


@kernel
def gf_limit(state, sat, pair, is_late, settings):
    """Change of a geometry-free pair that counts as a slip [m]."""
    known_m2 = state.gf_var_m2[sat, pair]
    if is_late or known_m2 == 0.0:
        return settings.slip_gf_m
    return min(max(GF_SIGMA * math.sqrt(known_m2), GF_FLOOR_M), settings.slip_gf_m)


@kernel
def learn_scatter(state, sat, pair, change_m):
    """Take a change without slip into the running scatter of a pair, which starts high."""
    known_m2 = state.gf_var_m2[sat, pair]
    if known_m2 == 0.0:
        known_m2 = max(change_m * change_m, GF_FLOOR_M * GF_FLOOR_M)
    state.gf_var_m2[sat, pair] = known_m2 + (change_m * change_m - known_m2) / GF_MEMORY
    return 0


@kernel
def wide_lane_slips(work, state, settings, counts):
    """Slips seen by the Melbourne-Wuebbena wide lane on every band pair. Returns : int, slips.

    Phase wide lane minus narrow-lane code, in cycles; two departures from its running mean in a
    row that agree with each other are a slip. Codes which the epoch's robust fit rejected say
    nothing. Sources: Melbourne (1985); Wuebbena (1985); running mean and test as Blewitt (1990).
    """
    n_slip = 0
    for i in range(work.n_sat):
        sat = work.sat[i]
        for a in range(work.sd_phase_m.shape[1]):
            for b in range(a + 1, work.sd_phase_m.shape[1]):
                if state.slot[sat, a] < 0 or state.slot[sat, b] < 0:
                    continue
                pair = pair_of(a, b)
                if min(state.n_lock[sat, a], state.n_lock[sat, b]) <= 1:
                    forget_wide_lane(state, sat, pair)
                value = wide_lane_cycle(work, i, a, b)
                if math.isnan(value):
                    continue
                if test_wide_lane(state, sat, pair, value, settings):
                    mark_slip(work, i, a, b, SLIP_SURE)
                    counts[COUNT_WIDE_LANE] += 1
                    n_slip += 1
    return n_slip


@kernel
def wide_lane_cycle(work, i, a, b):
    """Melbourne-Wuebbena combination of two bands of satellite i [cycle]; NaN where one misses."""
    if not work.phase_ok[i, a] or not work.phase_ok[i, b]:
        return math.nan
    if not (work.code_weight[i, a] > 0.0 and work.code_weight[i, b] > 0.0):
        return math.nan
    per_m_a, per_m_b = 1.0 / work.wavelength_m[i, a], 1.0 / work.wavelength_m[i, b]
    code_m = (per_m_a * work.sd_code_m[i, a] + per_m_b * work.sd_code_m[i, b]) / (per_m_a + per_m_b)
    phase_cycle = per_m_a * work.sd_phase_m[i, a] - per_m_b * work.sd_phase_m[i, b]
    return phase_cycle - (per_m_a - per_m_b) * code_m


@kernel
def forget_wide_lane(state, sat, pair):
    """Restart the mean of a band pair."""
    state.mw_tally[sat, pair] = 0
    state.mw_mean_cycle[sat, pair] = 0.0
    state.mw_var_cycle2[sat, pair] = MW_SIGMA_START_CYCLE**2
    state.mw_off_cycle[sat, pair] = math.nan
    return 0


@kernel
def test_wide_lane(state, sat, pair, value, settings):
    """True when a wide lane [cycle] confirms a departure; else it is taken into the mean."""
    n = state.mw_tally[sat, pair]
    off = value - state.mw_mean_cycle[sat, pair]
    sigma = math.sqrt(max(state.mw_var_cycle2[sat, pair], MW_SIGMA_LEAST_CYCLE**2))
    if n >= MW_FEWEST and abs(off) > max(settings.slip_wide_lane_sigma * sigma, MW_FLOOR_CYCLE):
        agree = abs(off - state.mw_off_cycle[sat, pair]) < max(2.0 * sigma, 0.5 * MW_FLOOR_CYCLE)
        state.mw_off_cycle[sat, pair] = off
        if agree:
            forget_wide_lane(state, sat, pair)
        return agree
    n = min(n + 1, MW_MEMORY)
    state.mw_tally[sat, pair] = n
    state.mw_off_cycle[sat, pair] = math.nan
    state.mw_mean_cycle[sat, pair] += off / n
    if n > 1:
        spread = (off * off - state.mw_var_cycle2[sat, pair]) / min(n, MW_MEMORY)
        state.mw_var_cycle2[sat, pair] += spread
    return False
