"""The summary of a run: as facts for scripts (JSON) and as lines for people (stderr)."""

from __future__ import annotations

import dataclasses
import platform
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rtkpos.app.explain.text import short_lines
from rtkpos.app.solve.base_position import BasePosition
from rtkpos.app.solve.network_words import result_line
from rtkpos.app.solve.request import SolveRequest
from rtkpos.app.solve.static_report import static_lines, static_result
from rtkpos.constants import NS_PER_S
from rtkpos.diagnose.why import Explanation
from rtkpos.gnss.time import iso_gpst
from rtkpos.physics.accuracy import Accuracy, outages
from rtkpos.records.config import RtkConfig
from rtkpos.records.report import ReadReport
from rtkpos.records.signal_use import use_lines
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus, Reason

STATUS_WORDS = {
    FixStatus.FIXED: "fixed",
    FixStatus.FLOAT: "float",
    FixStatus.DGNSS: "dgnss",
    FixStatus.SPP: "single",
    FixStatus.NONE: "none",
}
MAX_REASONS = 5
FIXING_MODES = ("kinematic", "static", "moving_base")


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """Everything worth telling about a run.

    reports : what the readers met, by "rover", "base", "nav"      timing_s : seconds by step
    warnings, notes : sentences for the user      accuracy : comparison with the truth, if any
    explanation : why epochs are not fixed      network : section "network", None with one base
    """

    request: SolveRequest
    config: RtkConfig
    solution: Solution
    base: BasePosition | None = None
    reports: dict[str, ReadReport] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    explanation: Explanation | None = None
    accuracy: Accuracy | None = None
    truth: str = ""
    network: dict[str, Any] | None = None
    timing_s: dict[str, float] = field(default_factory=dict)


def status_counts(solution: Solution) -> dict[str, int]:
    """Number of epochs by word of STATUS_WORDS, best first."""
    return {word: int((solution.status == s).sum()) for s, word in STATUS_WORDS.items()}


def summary(facts: RunFacts, exit_code: int) -> dict[str, Any]:
    """Facts of a run as plain data for JSON."""
    from rtkpos import __version__

    solution, counts = facts.solution, status_counts(facts.solution)
    total = max(solution.n_epoch, 1)
    request = facts.request
    named = (("rover", request.rover), ("base", request.base), ("nav", request.nav))
    return {
        "rtkpos": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "exit_code": exit_code,
        "mode": facts.config.mode,
        "ar": facts.config.ar,
        "direction": facts.config.direction,
        "inputs": {role: [str(path) for path in paths] for role, paths in named},
        "output": None if request.output is None else str(request.output),
        "epochs": {"total": solution.n_epoch, **counts},
        "rates": {word: n / total for word, n in counts.items()},
        "span_gpst": [iso_gpst(int(t)) for t in solution.time_ns[[0, -1]]] if total > 1 else [],
        "first_fix": first_fix(solution),
        "outages": outages(solution).to_dict(),
        "reasons": reasons_by_name(solution),
        "explanation": facts.explanation.to_dict() if facts.explanation else None,
        "base": _base(facts.base),
        "network": facts.network,
        "baseline_m": baseline_m(solution),
        "static": static_result(solution),
        "accuracy": facts.accuracy.to_dict() if facts.accuracy else None,
        "truth": facts.truth or None,
        "signals": [dataclasses.asdict(use) for use in solution.signals],
        "warnings": list(facts.warnings),
        "notes": list(facts.notes),
        "reading": {role: dict(report.counts) for role, report in facts.reports.items()},
        "diagnostics": {name: int(n) for name, n in solution.diagnostics.totals.items()},
        "history": solution.history.to_dict(),
        "config": dataclasses.asdict(facts.config),
        "timing_s": {name: round(value, 4) for name, value in facts.timing_s.items()},
    }


def first_fix(solution: Solution) -> dict[str, Any] | None:
    """Time of the first fixed epoch and seconds since the first epoch; None when there is none."""
    rows = np.flatnonzero(solution.status == FixStatus.FIXED)
    if not len(rows):
        return None
    after_ns = int(solution.time_ns[rows[0]] - solution.time_ns[0])
    return {"time_gpst": iso_gpst(int(solution.time_ns[rows[0]])), "after_s": after_ns / NS_PER_S}


def baseline_m(solution: Solution) -> dict[str, float] | None:
    """Shortest, median and longest distance between rover and base [m]; None without a base."""
    vector_m = solution.ecef_m - solution.base_ecef_m
    if solution.mode == "moving_base":
        vector_m = solution.baseline_ecef_m
    distance = np.linalg.norm(vector_m, axis=1)
    distance = distance[np.isfinite(distance)]
    if not len(distance):
        return None
    low, middle, high = np.percentile(distance, (0, 50, 100))
    return {"min": float(low), "median": float(middle), "max": float(high)}


def reasons_by_name(solution: Solution) -> dict[str, int]:
    """Number of epochs that are not fixed by name of the reason, most frequent first."""
    values, counts = np.unique(solution.reason[solution.reason != Reason.OK], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {Reason(int(values[i])).name: int(counts[i]) for i in order}


def _base(base: BasePosition | None) -> dict[str, Any] | None:
    """Base coordinates and their origin."""
    if base is None:
        return None
    return {"ecef_m": base.ecef_m.tolist(), "origin": base.origin, "relative": base.is_relative}


def summary_lines(facts: RunFacts) -> list[str]:
    """What people want to know after a run, as lines of plain text."""
    solution = facts.solution
    lines = [_title(facts), *_span_lines(solution)]
    lines += _count_lines(facts)
    distance = baseline_m(solution)
    if facts.network is not None:
        lines.append(result_line(facts.network))
    if distance is not None:
        lines.append(f"baseline   {_distance(distance)}")
    for i, line in enumerate(use_lines(solution.signals)):
        lines.append(f"{'' if i else 'signals':<10} {line}")
    lines += static_lines(solution)
    if facts.accuracy is not None:
        lines += accuracy_lines(facts.accuracy, facts.truth)
    return lines


def _title(facts: RunFacts) -> str:
    """First line: mode, fixing, systems."""
    from rtkpos import __version__

    config = facts.config
    fixing = f", {config.ar} fixing" if config.mode in FIXING_MODES else ""
    if config.direction != "forward":
        fixing += f", {config.direction}"
    return f"rtkpos {__version__}  {config.mode}{fixing}, systems {config.selection.systems}"


def _span_lines(solution: Solution) -> list[str]:
    """Number of epochs, time span and interval."""
    if not solution.n_epoch:
        return ["epochs     0"]
    span = f"{iso_gpst(int(solution.time_ns[0]))} to {iso_gpst(int(solution.time_ns[-1]))} GPST"
    step = ""
    if solution.n_epoch > 1:
        step = f", {float(np.median(np.diff(solution.time_ns))) / NS_PER_S:g} s"
    return [f"epochs     {solution.n_epoch}  {span}{step}"]


def _count_lines(facts: RunFacts) -> list[str]:
    """Epochs by status, with the first fix and the reasons where a fix was wanted."""
    solution = facts.solution
    wants_fix = facts.config.mode in FIXING_MODES and facts.config.ar != "off"
    lines = []
    for word, n in status_counts(solution).items():
        if n == 0 and not (word == "fixed" and wants_fix):
            continue
        line = f"{word:<9} {n:6d}  {100.0 * n / max(solution.n_epoch, 1):5.1f} %"
        first = first_fix(solution)
        if word == "fixed" and first:
            line += f"  first after {first['after_s']:g} s"
        lines.append(line)
    lost = outages(solution)
    if lost.n:
        times = f"median {lost.median_s:g} s, longest {lost.longest_s:g} s"
        lines.append(f"outages   {lost.n:6d}  {times} until the next fix")
    reasons = solution.reason_counts() if wants_fix or not lines else {}
    if reasons:
        lines.append("not fixed because")
        lines += [f"  {n:6d}  {text}" for text, n in list(reasons.items())[:MAX_REASONS]]
    if wants_fix and facts.explanation is not None:
        lines += short_lines(facts.explanation)
    return lines


def _distance(distance: dict[str, float]) -> str:
    """A length, or a range of lengths, in m or km."""
    low, high = distance["min"], distance["max"]
    unit, scale = ("km", 1000.0) if high >= 1000.0 else ("m", 1.0)
    if high - low < 0.005 * high:
        return f"{distance['median'] / scale:.3f} {unit}"
    return f"{low / scale:.3f} to {high / scale:.3f} {unit}"


def accuracy_lines(result: Accuracy, truth: str) -> list[str]:
    """Comparison with the truth, in millimetres where that is readable."""
    lines = [f"truth      {truth}: {result.n_compared} of {result.n_epoch} epochs compared"]
    if result.n_fixed_compared:
        lines.append(
            f"  wrong fixes (3D > {result.wrong_m:.2f} m)  {result.n_wrong} of "
            f"{result.n_fixed_compared}  {100.0 * result.wrong_rate:.2f} %"
        )
    lines.append("             rms E    rms N    rms U   3D 50%   3D 68%   3D 95%   3D 99%")
    for name, group in (("all", result.all), ("fixed", result.fixed)):
        if group.n:
            values = (*group.rms_enu_m, *group.three_d_m.values())
            lines.append(f"  {name:<6} " + "".join(f" {_length(v):>8}" for v in values))
    return lines


def _length(value_m: float) -> str:
    """A length in mm below 1 m, in m above."""
    return f"{value_m * 1000.0:.1f}mm" if value_m < 1.0 else f"{value_m:.2f}m"
