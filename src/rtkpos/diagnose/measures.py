"""The numbers behind the causes: medians over epochs of a run, by name with unit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rtkpos._arrays import BoolArray, FloatArray, IndexArray
from rtkpos.constants import NS_PER_S
from rtkpos.diagnose.sky import Pair, sky_at
from rtkpos.records.config import RtkConfig
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus, Reason

# A filter this young is still finding its ambiguities; on long lines the ionosphere as well.
START_S, LONG_START_S = 120.0, 1800.0
STORM_EPOCHS = 3
LASTING_SLIPS = 0.15  # share of phases that slip at every epoch; then no storm at the start is told
MIN_SPREAD = 10  # positions from which a spread can be told
N_SAMPLE = 5  # epochs of a span at which the sky is looked at
# Range to a satellite near the zenith; a base that is off by d bends a baseline b by d b / range.
SATELLITE_RANGE_M = 2.2e7
# A base coordinate nearer than this to the base's own code position is not doubted.
CODE_POSITION_M = 10.0


def limits(config: RtkConfig) -> dict[str, float]:
    """The limits of a configuration that sentences name."""
    noise, ambiguity = config.noise, config.ambiguity
    phase_m = math.hypot(noise.phase_a_m, noise.phase_b_m * math.sqrt(2.0))  # at 45 degrees
    return {
        "limit_age_s": float(config.base.max_age_s),
        "limit_success": float(ambiguity.success_rate_min),
        "limit_pairs": float(ambiguity.min_pairs),
        "limit_probability": float(config.certainty.probability_min),
        "limit_postfit_mm": 1000.0 * ambiguity.postfit_phase_max_m,
        "limit_search": float(ambiguity.n_search_max),
        "mask_deg": float(config.selection.elevation_mask_deg),
        "expected_code_m": noise.code_phase_ratio * phase_m * math.sqrt(2.0),
    }


def median(values: FloatArray) -> float:
    """Median of the finite values; NaN without any."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else math.nan


def range_words(seconds: FloatArray) -> str:
    """Ages [s] from the least to the greatest in words; "" without any."""
    finite = seconds[np.isfinite(seconds)]
    if not len(finite):
        return ""
    low, high = (f"{end(finite):.0f}" for end in (np.min, np.max))
    return f"{low} s" if low == high else f"{low} to {high} s"


def spread_m(ecef_m: FloatArray) -> float:
    """Distance from their middle that nine of ten positions (n, 3) keep [m]; NaN for few."""
    known = ecef_m[np.isfinite(ecef_m).all(axis=1)]
    if len(known) < MIN_SPREAD:
        return math.nan
    return float(np.percentile(np.linalg.norm(known - np.median(known, axis=0), axis=1), 90))


def epoch_numbers(solution: Solution, rows: IndexArray, config: RtkConfig) -> dict[str, Any]:
    """Medians of what the run stored at these epochs. rows : (n,) epochs of the solution."""
    found, reason = solution.diagnostics, solution.reason[rows]
    low_ratio = rows[solution.ratio[rows] < found.ratio_needed[rows]]
    large = rows[found.postfit_phase_m[rows] > config.ambiguity.postfit_phase_max_m]
    of_ratio, of_postfit = (low_ratio, large) if (reason != Reason.OK).any() else (rows, rows)
    doubted = rows[reason == Reason.LOW_PROBABILITY]
    float_m2 = np.trace(solution.cov_ecef_m2[rows], axis1=1, axis2=2)
    float_m2 = np.where(solution.status[rows] >= FixStatus.FLOAT, float_m2, np.nan)
    ages = solution.age_s[rows]
    return {
        "age_s": median(ages),
        "age_words": range_words(ages),
        "n_slip": float(found.n_slip[rows].mean()) if len(rows) else math.nan,
        "code_m": median(found.prefit_code_m[rows]),
        "ratio": median(solution.ratio[of_ratio]),
        "ratio_needed": median(found.ratio_needed[of_ratio]),
        "probability": median(found.probability[doubted if len(doubted) else rows]),
        "postfit_mm": 1000.0 * median(found.postfit_phase_m[of_postfit]),
        "sigma_m": math.sqrt(median(float_m2)) if np.isfinite(float_m2).any() else math.nan,
        "static_spread_m": spread_m(solution.ecef_m[rows]) if config.mode == "static" else math.nan,
        "jump_share": float((reason == Reason.POSITION_JUMP).mean()) if len(rows) else math.nan,
    }


def sky_numbers(pair: Pair, rows: IndexArray) -> dict[str, Any]:
    """What both receivers see at some of these epochs: counts and words of the middle one, medians.

    The middle one is that with the median number of common satellites.
    """
    index = np.unique(np.linspace(0, len(rows) - 1, min(N_SAMPLE, len(rows))).astype(np.int64))
    samples = [sample for k in rows[index] if (sample := sky_at(pair, int(k)))]
    if not samples:
        return {}
    middle = sorted(samples, key=lambda sample: sample["n_common"])[len(samples) // 2]
    return {
        name: median(np.array([s[name] for s in samples])) if isinstance(value, float) else value
        for name, value in middle.items()
    }


def derived(numbers: dict[str, Any]) -> dict[str, float]:
    """Shares and factors of the numbers of some epochs."""
    n_phase = numbers.get("n_phase", math.nan) or math.nan
    slip_share = numbers["n_slip"] / n_phase
    is_blurred = 1000.0 * numbers["sigma_m"] > numbers["limit_sigma_mm"]
    is_lasting = slip_share > LASTING_SLIPS
    return {
        "slip_share": slip_share,
        "storm_share": math.nan if is_lasting else numbers.get("storm_slips", math.nan) / n_phase,
        "uncertain_m": numbers["sigma_m"] if is_blurred else math.nan,
        "code_factor": numbers["code_m"] / numbers["expected_code_m"],
    }


def start_numbers(
    solution: Solution, rows: IndexArray, max_gap_s: float, start_s: float
) -> dict[str, float]:
    """How long the filter had been running at these epochs, and slips at the first of them.

    start_s : a filter up to this age [s] counts as just started
    """
    starts = np.flatnonzero(filter_starts(solution, max_gap_s))
    out = {"since_s": math.nan, "start_share": 0.0, "storm_slips": math.nan}
    if not len(rows):
        return out
    near = slice(max(int(rows[0]) - STORM_EPOCHS, 0), int(rows[0]) + STORM_EPOCHS)
    out["storm_slips"] = float(solution.diagnostics.n_slip[near].max())
    last = np.searchsorted(starts, rows, side="right") - 1
    running = (last >= 0) & (solution.status[rows] >= FixStatus.FLOAT)
    if running.any():
        begun_ns = solution.time_ns[starts[last[running]]]
        since_s = (solution.time_ns[rows[running]] - begun_ns) / NS_PER_S
        out["since_s"] = float(np.median(since_s))
        out["start_share"] = float((since_s <= start_s).sum() / len(rows))
    return out


def filter_starts(solution: Solution, max_gap_s: float) -> BoolArray:
    """Epochs at which the float solution begins, first or after an outage: (n,) bool."""
    is_float = solution.status >= FixStatus.FLOAT
    before = np.concatenate([[False], is_float[:-1]])
    gap = np.concatenate([[True], np.diff(solution.time_ns) > max_gap_s * NS_PER_S])
    starts: BoolArray = is_float & (~before | gap)
    return starts


def place_numbers(solution: Solution, config: RtkConfig, base_offset_m: float) -> dict[str, Any]:
    """Distance from the base, what the atmosphere and a wrong base coordinate make of it."""
    apart_m = median(np.linalg.norm(solution.ecef_m - solution.base_ecef_m, axis=1))
    atmosphere = config.atmosphere
    is_long = apart_m > 1000.0 * atmosphere.long_from_km
    offset_m = base_offset_m if base_offset_m > CODE_POSITION_M else 0.0
    return {
        "distance_km": apart_m / 1000.0,
        "distance_mm": atmosphere.ionosphere_mm_per_km * apart_m / 1000.0,
        "ionosphere_words": "it is estimated, which takes minutes"
        if is_long
        else f"it is not estimated below {atmosphere.long_from_km:g} km",
        "start_s": LONG_START_S if is_long else START_S,
        "limit_sigma_mm": 1000.0 * config.ambiguity.position_sigma_max_m,
        "base_offset_m": base_offset_m,
        "base_effect_mm": 1000.0 * offset_m * apart_m / SATELLITE_RANGE_M,
    }
