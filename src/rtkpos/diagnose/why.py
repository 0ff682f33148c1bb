"""Why epochs are not fixed: the ranked causes of every span without a fix, and the margins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtkpos._arrays import IndexArray
from rtkpos.constants import NS_PER_S
from rtkpos.diagnose.causes import (
    CAUSES,
    Cause,
    cause_of_reason,
    measured_weight,
    named_weight,
    words_of_cause,
)
from rtkpos.diagnose.measures import (
    derived,
    epoch_numbers,
    limits,
    median,
    place_numbers,
    sky_numbers,
    start_numbers,
)
from rtkpos.diagnose.sky import Pair
from rtkpos.diagnose.spans import Span, find_spans
from rtkpos.errors import ConfigError, InputError, check_type
from rtkpos.gnss.time import iso_gpst
from rtkpos.io.given_files import Navigation, Observations, nav_table, obs_table
from rtkpos.prepare.align import match_epochs
from rtkpos.prepare.pairing import make_plan
from rtkpos.processing.base_code import code_position_of
from rtkpos.records.broadcast import BroadcastTable
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus, Reason

MAX_SPANS = 40  # explained one by one; the rest is counted
MIN_WEIGHT = 0.1  # causes below it are left out


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """A cause in a span: weight 0 to 1, the sentence with its numbers, what would help."""

    name: str
    weight: float
    says: str
    helps: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "cause": self.name,
            "weight": round(self.weight, 3),
            "says": self.says,
            "helps": self.helps,
        }


@dataclass(frozen=True, kw_only=True)
class ExplainedSpan:
    """A span without a fix with its causes, the weightiest first.

    start_ns, end_ns : first and last epoch without a fix, GPST [ns]      numbers : by name and unit
    """

    start_ns: int
    end_ns: int
    n_epoch: int
    n_unfixed: int
    causes: tuple[Weighed, ...]
    reasons: dict[str, int]
    numbers: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; unknown numbers are left out."""
        known = {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in self.numbers.items()
            if not (isinstance(value, float) and not math.isfinite(value))
        }
        return {
            "from_gpst": iso_gpst(self.start_ns),
            "to_gpst": iso_gpst(self.end_ns),
            "seconds": (self.end_ns - self.start_ns) / NS_PER_S,
            "epochs": self.n_epoch,
            "epochs_not_fixed": self.n_unfixed,
            "reasons": self.reasons,
            "causes": [cause.to_dict() for cause in self.causes],
            "numbers": known,
        }


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a run is not fixed everywhere.

    Parameters
    ----------
    n_epoch : int
        Epochs of the run.
    n_unfixed : int
        Epochs that are not fixed.
    n_span : int
        Spans without a fix.
    spans : tuple of ExplainedSpan
        The longest ones, explained.
    rest : dict[str, int]
        Epochs by reason in the spans that are not explained.
    margins : dict[str, float]
        Margins of the fixed epochs, by name.
    wish : str, optional
        What a fix would need when none was asked for; "" else.
    """

    n_epoch: int
    n_unfixed: int
    n_span: int
    spans: tuple[ExplainedSpan, ...]
    rest: dict[str, int]
    margins: dict[str, float]
    wish: str = ""

    def overall(self) -> list[tuple[Weighed, float]]:
        """Main causes of the explained spans and the share of their epochs each concerns.

        Main are the first of a span and the second when it weighs at least half as much.

        Returns
        -------
        list[tuple[Weighed, float]]
            Causes with their shares, the largest first.
        """
        count: dict[str, int] = {}
        words: dict[str, Weighed] = {}
        for span in self.spans:
            for cause in span.causes[:2]:
                if cause.weight >= 0.5 * span.causes[0].weight:
                    count[cause.name] = count.get(cause.name, 0) + span.n_unfixed
                    words.setdefault(cause.name, cause)
        total = max(sum(span.n_unfixed for span in self.spans), 1)
        order = sorted(count, key=lambda name: -count[name])
        return [(words[name], count[name] / total) for name in order]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON.

        Returns
        -------
        dict[str, Any]
            Values by name.
        """
        return {
            "epochs": self.n_epoch,
            "not_fixed": self.n_unfixed,
            "spans_total": self.n_span,
            "spans": [span.to_dict() for span in self.spans],
            "rest": self.rest,
            "margins": {name: round(value, 4) for name, value in self.margins.items()},
            "wish": self.wish,
        }


def explain(
    solution: Solution,
    config: RtkConfig,
    rover: Observations | None = None,
    base: Observations | None = None,
    nav: Navigation | None = None,
) -> Explanation:
    """Why the epochs of a run are not fixed: spans, ranked causes, numbers, and what would help.

    Parameters
    ----------
    solution : Solution
        The result of a run.
    config : RtkConfig
        The run's configuration.
    rover : ObsTable, path, bytes, or list of them, optional
        The run's inputs; without them the causes rest on the solution alone.
    base : ObsTable, path, bytes, or list of them, optional
        The run's inputs; without them the causes rest on the solution alone.
    nav : BroadcastTable, path, bytes, or list of them, optional
        The run's inputs; without them the causes rest on the solution alone.

    Returns
    -------
    Explanation
        Spans without a fix with their causes, and the margins of the fixed epochs.
    """
    check_type(solution, Solution, "solution")
    check_type(config, RtkConfig, "config", ConfigError)
    rover = None if rover is None else obs_table(rover, "rover")
    base = None if base is None else obs_table(base, "base")
    nav = None if nav is None else nav_table(nav)
    spans = find_spans(solution.status)
    wish = _wish(config, base)
    listed = [] if wish else spans[:MAX_SPANS]
    pair = _pair(solution, config, rover, base, nav) if listed else None
    offset_m = _base_offset_m(solution, base, nav) if listed else math.nan
    common = limits(config) | place_numbers(solution, config, offset_m)
    fixed_rows = np.flatnonzero(solution.status == FixStatus.FIXED)
    has_fixed = listed and len(fixed_rows)
    fixed = _numbers(solution, fixed_rows, config, pair, common) if has_fixed else {}
    explained = []
    for span in listed:
        own = {"base_late_s": _base_late_s(solution, span, base)}
        if config.ar in ("continuous", "hold"):
            own |= start_numbers(solution, span.rows, config.slips.max_gap_s, common["start_s"])
        numbers = _numbers(solution, span.rows, config, pair, common | own)
        explained.append(_explained(solution, span, numbers, fixed))
    left = spans[len(listed) :]
    rest = np.concatenate([np.zeros(0, np.int64), *(span.rows for span in left)])
    return Explanation(
        n_epoch=solution.n_epoch,
        n_unfixed=sum(len(span.rows) for span in spans),
        n_span=len(spans),
        spans=tuple(explained),
        rest=_reasons(solution, rest),
        margins=margins(solution, fixed_rows),
        wish=wish,
    )


def margins(solution: Solution, rows: IndexArray) -> dict[str, float]:
    """How near the fixed epochs came to the limits; rows : (n,) epochs. {} without any."""
    if not len(rows):
        return {}
    found = solution.diagnostics
    values = {
        "ratio_over_needed_min": np.min(solution.ratio[rows] / found.ratio_needed[rows]),
        "success_rate_min": np.min(found.success_rate[rows]),
        "probability_min": np.min(found.probability[rows]),
        "postfit_max_mm": 1000.0 * np.max(found.postfit_phase_m[rows]),
        "age_max_s": np.max(solution.age_s[rows]),
        "n_sat_min": np.min(solution.n_sat[rows]),
    }
    return {name: float(value) for name, value in values.items() if np.isfinite(value)}


def _pair(
    solution: Solution,
    config: RtkConfig,
    rover: ObsTable | None,
    base: ObsTable | None,
    nav: BroadcastTable | None,
) -> Pair | None:
    """What the two receivers see, for looking at single epochs; None when it cannot be known."""
    if rover is None or base is None or nav is None:
        return None
    if not base.n_epoch or rover.n_epoch != solution.n_epoch:
        return None
    place_m = np.array([median(solution.ecef_m[:, axis]) for axis in range(3)])
    try:
        plan = make_plan(rover, base, config, nav)
    except InputError:
        return None
    tolerance_ns = round(config.base.time_tolerance_s * NS_PER_S)
    max_age_ns = round(config.base.max_age_s * NS_PER_S)
    return Pair(
        rover=rover,
        base=base,
        nav=nav,
        plan=plan,
        base_row=match_epochs(solution.time_ns, np.sort(base.time_ns), tolerance_ns, max_age_ns),
        place_m=place_m if np.isfinite(place_m).all() else solution.base_ecef_m,
        mask_deg=float(config.selection.elevation_mask_deg),
    )


def _numbers(
    solution: Solution,
    rows: IndexArray,
    config: RtkConfig,
    pair: Pair | None,
    common: dict[str, float],
) -> dict[str, Any]:
    """All numbers of some epochs."""
    numbers: dict[str, Any] = common | epoch_numbers(solution, rows, config)
    if pair is not None:
        numbers |= sky_numbers(pair, rows)
    return numbers | derived(numbers)


def _explained(
    solution: Solution, span: Span, numbers: dict[str, Any], fixed: dict[str, Any]
) -> ExplainedSpan:
    """A span with its causes weighed and put in order."""
    values, counts = np.unique(solution.reason[span.rows], return_counts=True)
    share = {Reason(int(v)): n / len(span.rows) for v, n in zip(values, counts, strict=True)}
    return ExplainedSpan(
        start_ns=int(solution.time_ns[span.first]),
        end_ns=int(solution.time_ns[span.end - 1]),
        n_epoch=span.n_epoch,
        n_unfixed=len(span.rows),
        causes=ranked_causes(share, numbers, fixed),
        reasons=_reasons(solution, span.rows),
        numbers=numbers,
    )


def ranked_causes(
    share: dict[Reason, float], numbers: dict[str, Any], fixed: dict[str, Any]
) -> tuple[Weighed, ...]:
    """The causes that weigh MIN_WEIGHT or more, the weightiest first.

    share : part of a span's epochs by Reason      numbers, fixed : of the span, of fixed epochs
    """
    known = {reason for cause in CAUSES for reason in cause.named}
    table = (*CAUSES, *(cause_of_reason(reason) for reason in share if reason not in known))
    causes = [_weighed(cause, share, numbers, fixed) for cause in table]
    heavy = [cause for cause in causes if cause.weight >= MIN_WEIGHT]
    return tuple(sorted(heavy, key=lambda cause: -cause.weight))


def _weighed(
    cause: Cause, share: dict[Reason, float], numbers: dict[str, Any], fixed: dict[str, Any]
) -> Weighed:
    """A cause with its weight and its sentence."""
    weight = max(named_weight(cause, share), measured_weight(cause, share, numbers, fixed))
    says = words_of_cause(cause, numbers, fixed) if weight >= MIN_WEIGHT else ""
    return Weighed(name=cause.name, weight=weight, says=says, helps=cause.helps)


def _reasons(solution: Solution, rows: IndexArray) -> dict[str, int]:
    """Epochs by name of the reason, most frequent first."""
    reasons = solution.reason[rows]
    values, counts = np.unique(reasons[reasons != Reason.OK], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {Reason(int(values[i])).name: int(counts[i]) for i in order}


def _base_offset_m(solution: Solution, base: ObsTable | None, nav: BroadcastTable | None) -> float:
    """Distance of the base coordinate from the base's own code position [m]; NaN unknown."""
    if base is None or nav is None:
        return math.nan
    code_m = code_position_of(base, nav)
    return math.nan if code_m is None else math.dist(solution.base_ecef_m, code_m)


def _base_late_s(solution: Solution, span: Span, base: ObsTable | None) -> float:
    """Seconds from a span's last epoch to the first base epoch; NaN when that is not later."""
    if base is None or not base.n_epoch:
        return math.nan
    late_s = (int(base.time_ns.min()) - int(solution.time_ns[span.end - 1])) / NS_PER_S
    return late_s if late_s > 0 else math.nan


def _wish(config: RtkConfig, base: ObsTable | None) -> str:
    """What a fix would need when the configuration cannot give one; "" when it can."""
    if config.mode == "single":
        return (
            "mode single gives code positions (metres). A fix needs a base: carrier phases of a "
            "second receiver within some 10 km at the same time, given with --base."
            if base is None
            else "mode single gives code positions (metres). For a fix use --mode kinematic or "
            "static."
        )
    if config.mode == "dgnss":
        return (
            "mode dgnss gives differential code positions (decimetres to metres). For a fix use "
            "--mode kinematic or static."
        )
    return ""
