"""`rtkpos solve`: read, choose the base, solve, write, report."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from rtkpos.app.command_line.exit_codes import EXIT_DONE, EXIT_PARTIAL
from rtkpos.app.command_line.first_run import announce_compilation
from rtkpos.app.command_line.progress import ProgressBar
from rtkpos.app.command_line.screen import say, stdout_failure, warn
from rtkpos.app.solve.base_position import (
    BasePosition,
    check_with_code,
    choose_base_position,
    position_from_options,
)
from rtkpos.app.solve.inputs import Inputs, input_files, read_inputs, sort_inputs
from rtkpos.app.solve.losses import losses, skip_lines
from rtkpos.app.solve.outputs import format_solution
from rtkpos.app.solve.request import SolveRequest, build_config
from rtkpos.app.solve.solution_report import RunFacts, summary, summary_lines
from rtkpos.diagnose.why import explain
from rtkpos.errors import FileError, NoSolutionError
from rtkpos.io.solutions.nmea import utc_warning
from rtkpos.io.solutions.reference_track import Truth, truth_from_words
from rtkpos.io.text.atomic import check_outputs, encoded, write_text
from rtkpos.physics.accuracy import WRONG_MOVING_M, WRONG_STATIC_M, Accuracy, accuracy
from rtkpos.records.config import RtkConfig
from rtkpos.records.observations import ObsTable
from rtkpos.records.solution import Solution
from rtkpos.records.status import FixStatus

if TYPE_CHECKING:
    from rtkpos.app.solve.bases import NetworkPlan
    from rtkpos.app.solve.network_run import NetworkResult
    from rtkpos.batch.shared_tables import SharedTables

OnEpoch = Callable[[int, int], Any]


def run_solve(request: SolveRequest) -> int:
    """Do what the request says; returns the exit code, raises RtkposError."""
    facts, result = compute(request)
    if not np.isfinite(facts.solution.ecef_m).any():
        _write_summary(facts, NoSolutionError.exit_code)
        raise no_solution(facts.solution)
    code = EXIT_PARTIAL if shortcomings(facts) else EXIT_DONE
    if request.output is not None:
        write_text(request.output, result)
    elif failure := _write_stdout(result):
        _write_summary(facts, FileError.exit_code)
        raise FileError(failure)
    _write_summary(facts, code)
    if not request.quiet:
        _report(facts)
    return code


def compute(
    request: SolveRequest, tables: SharedTables | None = None, on_epoch: OnEpoch | None = None
) -> tuple[RunFacts, str]:
    """Read and solve; the facts of the run and the text of the result file.

    tables : shared with other runs      on_epoch : in place of a progress bar
    """
    facts = run_facts(request, tables, on_epoch)
    with _timed(facts.timing_s, "format"):
        notes = (
            tuple(facts.warnings)
            if facts.base is None or not facts.base.is_relative
            else ("relative result, base coordinates are its average code position",)
        )
        result = format_solution(facts.solution, facts.request, facts.config, notes)
    return facts, result


def run_facts(
    request: SolveRequest, tables: SharedTables | None = None, on_epoch: OnEpoch | None = None
) -> RunFacts:
    """Read, solve, explain: the facts of a run; arguments as those of `compute`.

    What can be wrong with the options is found before anything is read or computed.
    """
    request = sort_inputs(request)
    config = build_config(request)
    plan = _network_plan(request, config)
    position_from_options(request)
    check_outputs((request.output, request.summary), input_files(request, config, plan))
    announce_compilation(quiet=request.quiet)
    timing: dict[str, float] = {}
    with _timed(timing, "read"):
        inputs = read_inputs(request, config, tables, plan)
    if inputs.base is None and inputs.network is None and config.mode != "single":
        config = dataclasses.replace(config, mode="single")
    truth = _truth(request, inputs.rover)
    base = _base_position(request, inputs, config)
    network = None
    with _timed(timing, "solve"):
        with ProgressBar("solving", quiet=request.quiet) as bar:
            if inputs.network is None:
                solution = _solve(inputs, base, config, on_epoch or bar.on_epoch)
            else:
                network = _in_network(request, inputs, config, on_epoch or bar.on_epoch)
                solution, base = network.solve.solution, network.base_position
    base_table = inputs.base if network is None else network.base_table
    with _timed(timing, "explain"):
        explanation = explain(solution, config, inputs.rover, base_table, inputs.nav)
    return RunFacts(
        request=request,
        config=config,
        solution=solution,
        explanation=explanation,
        base=base,
        reports=inputs.reports(),
        warnings=(
            *(() if network is None else network.warnings),
            *_warnings(request, inputs, base, solution),
            *_moving_warnings(request, config),
        ),
        notes=(base.notes if base else ()) + tuple(solution.notes),
        accuracy=None if truth is None else _accuracy(solution, truth, config),
        truth=truth.source if truth else "",
        network=None if network is None else network.facts(),
        timing_s=timing,
    )


def _network_plan(request: SolveRequest, config: RtkConfig) -> NetworkPlan | None:
    """The stations of a run with several bases; with one, the code for them is not loaded."""
    if len(request.base) < 2 and request.stations is None:
        return None
    from rtkpos.app.solve.bases import plan_network

    return plan_network(request, config)


def _in_network(
    request: SolveRequest, inputs: Inputs, config: RtkConfig, on_epoch: OnEpoch
) -> NetworkResult:
    """The run with several bases, and what is to be known of it on stderr."""
    from rtkpos.app.solve.network_run import run_in_network

    result = run_in_network(request, inputs, config, on_epoch)
    if not request.quiet:
        for note in result.notes:
            say(note)
    return result


def _base_position(request: SolveRequest, inputs: Inputs, config: RtkConfig) -> BasePosition | None:
    """The base coordinates, announced and checked; None without a base, or when it moves."""
    if inputs.base is None:
        return None
    if config.mode == "moving_base":
        return None
    base = choose_base_position(request, inputs.base, inputs.nav, config.antenna)
    if not request.quiet:
        for note in base.notes:
            say(note)
    return check_with_code(base, inputs.base, inputs.nav, force=config.base.force)


def _truth(request: SolveRequest, rover: ObsTable) -> Truth | None:
    """The truth named by the request."""
    if request.truth is None:
        return None
    words = request.truth.split()
    is_point = len(words) == 3 and not os.path.exists(request.truth)
    near_ns = int(rover.time_ns[0]) if rover.n_epoch else None
    return truth_from_words(words if is_point else [request.truth], near_ns)


def _solve(
    inputs: Inputs, base: BasePosition | None, config: RtkConfig, on_epoch: OnEpoch
) -> Solution:
    """The run itself."""
    from rtkpos.processing.run import solve

    return solve(
        inputs.rover,
        inputs.nav,
        base=inputs.base,
        base_ecef_m=None if base is None else base.ecef_m,
        config=config,
        on_epoch=on_epoch,
    )


def _accuracy(solution: Solution, truth: Truth, config: RtkConfig) -> Accuracy:
    """Comparison with the truth; a moving rover is allowed more before a fix counts as wrong."""
    is_static = config.mode == "static" or truth.is_point
    wrong_m = WRONG_STATIC_M if is_static else WRONG_MOVING_M
    return accuracy(solution, truth.at(solution.time_ns), wrong_m)


def _warnings(
    request: SolveRequest, inputs: Inputs, base: BasePosition | None, solution: Solution
) -> tuple[str, ...]:
    """Sentences the user should read, each once, the most serious first."""
    found = list(base.warnings if base else ())
    if request.base and inputs.base is None and inputs.network is None:
        found.append(inputs.base_missing or "the base is not used in mode single.")
    for report in (*inputs.reports().values(), solution.report):
        found += report.warnings
    if request.truth and base is not None and base.origin in ("header", "single"):
        found.append(
            f"the truth is absolute and the base coordinates ({base.origin}) are not exact: "
            "the comparison contains the error of the base; give --base-xyz."
        )
    if request.result_format == "nmea" and utc_warning(solution):
        found.append(utc_warning(solution))
    return tuple(dict.fromkeys(found))


def _moving_warnings(request: SolveRequest, config: RtkConfig) -> tuple[str, ...]:
    """What of the request means nothing when the base moves."""
    if config.mode != "moving_base":
        return ()
    found = []
    if request.base_xyz or request.base_llh or request.base_position:
        found.append("the base coordinates given are not used: in mode moving_base the base moves.")
    if request.truth:
        found.append(
            "the truth is absolute, but only the vector from a moving base is precise: the "
            "comparison contains the error of the base's code position."
        )
    return tuple(found)


def shortcomings(facts: RunFacts) -> list[str]:
    """Why a result is partial (exit code 4), with counts; empty when it is complete."""
    found = []
    solution = facts.solution
    n_none = int((solution.status == FixStatus.NONE).sum())
    if n_none:
        found.append(f"{n_none} of {solution.n_epoch} epochs have no position")
    uses_base = np.isin(solution.status, (FixStatus.DGNSS, FixStatus.FLOAT, FixStatus.FIXED))
    has_base = facts.base is not None or facts.config.mode == "moving_base"
    if has_base and not uses_base.any():
        found.append("no epoch could use the base")
    for role, report in facts.reports.items():
        found += [f"{n} {name} in {role}" for name, n in losses(report).items()]
    found += [] if facts.network is None else facts.network["left_out"]
    if facts.request.base and facts.base is None and facts.config.mode == "single":
        found += [] if facts.request.options.get("mode") == "single" else ["the base has no epochs"]
    return found


def no_solution(solution: Solution) -> NoSolutionError:
    """The error of a run without a single position."""
    reasons = solution.reason_counts()
    words = "; ".join(f"{text} ({n})" for text, n in list(reasons.items())[:3]) or "no epochs"
    return NoSolutionError(
        f"no position at any of {solution.n_epoch} epochs: {words}; "
        "`rtkpos info` on the files shows what does not fit.",
        reasons,
    )


def _write_stdout(text: str) -> str:
    """Write to standard output what a file would hold; why that failed, or ""."""
    sys.stdout.write(encoded(text).decode("utf-8"))
    sys.stdout.flush()
    return stdout_failure()


def _write_summary(facts: RunFacts, exit_code: int) -> None:
    """The JSON file, when one was asked for."""
    if facts.request.summary is not None:
        text = json.dumps(summary(facts, exit_code), indent=1, allow_nan=False)
        write_text(facts.request.summary, text + "\n")


def _report(facts: RunFacts) -> None:
    """Summary and warnings on stderr."""
    for number, line in enumerate(summary_lines(facts)):
        say(line, "bold" if number == 0 else "")
    for warning in facts.warnings:
        warn(warning)
    for role, report in facts.reports.items():
        for line in skip_lines(report):
            say(f"{role}: skipped {line}")
    partial = shortcomings(facts)
    if partial:
        warn(f"partial result: {'; '.join(partial)} (exit code {EXIT_PARTIAL}).")
    if facts.request.output is not None:
        say(f"wrote {facts.request.output}")


@contextmanager
def _timed(timing: dict[str, float], name: str) -> Iterator[None]:
    """Add the time of a block to `timing`."""
    start = time.perf_counter()
    try:
        yield
    finally:
        timing[name] = timing.get(name, 0.0) + time.perf_counter() - start
